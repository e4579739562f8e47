// Package process starts a program as a child that ends with this process,
// whatever ends it.
//
//	child, err := process.Start(process.Config{Path: program, Args: args, Log: file})
//	line, err := child.Ready(ctx) // the first line that it prints
//	err = child.Stop()
//
// What ties them is a pipe: this process holds one end, the child has the other
// as its standard input and reads it to its end ([Follow]). The operating system
// closes the pipe when this process ends, by itself, by a signal or by a panic,
// so the child learns of it in every case and on every system. The terminal does
// not: a child is in a process group of its own, so Ctrl-C reaches this process
// alone, which then stops its children in order.
package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Config says what to start. Path is needed.
type Config struct {
	Path  string
	Args  []string      // without the program's name
	Log   *os.File      // takes the child's standard error; nil: nobody does
	Grace time.Duration // between [Child.Stop] and the kill; zero: 10 seconds
}

// Child is a program that runs, or has run. Its methods may be called concurrently.
type Child struct {
	cmd   *exec.Cmd
	grace time.Duration
	first chan string   // the first line, or closed without one
	ended chan struct{} // closed once err is set
	err   error         // how it ended; nil if it did well

	mu    sync.Mutex // guards stdin
	stdin io.WriteCloser
}

// Start starts a child. Whoever starts it stops it, even if it has ended.
func Start(cfg Config) (*Child, error) {
	c := &Child{cmd: exec.Command(cfg.Path, cfg.Args...), grace: cfg.Grace, first: make(chan string, 1), ended: make(chan struct{})}
	if c.grace == 0 {
		c.grace = 10 * time.Second
	}
	c.cmd.SysProcAttr = apart()
	if cfg.Log != nil { // a nil *os.File in an interface would be a file
		c.cmd.Stderr = cfg.Log
	}
	var err error
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cfg.Path, err)
	}
	output, input, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", cfg.Path, err), c.stdin.Close())
	}
	c.cmd.Stdout = input
	if err := c.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", cfg.Path, err), c.stdin.Close(), input.Close(), output.Close())
	}
	input.Close() // the child has it
	read := make(chan struct{})
	go func() { // ends with the child
		defer close(read)
		c.read(output)
	}()
	go func() { // ends with the child
		c.err = c.cmd.Wait()
		output.Close() // also where a grandchild holds the other end
		<-read
		close(c.ended)
	}()
	return c, nil
}

// read keeps the first line of what the child prints and drops the rest.
func (c *Child) read(output io.Reader) {
	defer close(c.first)
	reader := bufio.NewReader(output)
	line, err := reader.ReadString('\n')
	if err != nil {
		return
	}
	c.first <- strings.TrimRight(line, "\r\n")
	_, _ = io.Copy(io.Discard, reader)
}

// Ready waits for the first line that the child prints, and returns it. It is an
// error if the child ends without one.
func (c *Child) Ready(ctx context.Context) (string, error) {
	select {
	case line, ok := <-c.first:
		if ok {
			return line, nil
		}
		<-c.ended
		return "", fmt.Errorf("it ended before it was ready: %w", c.ending())
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// Send writes a line to the child.
func (c *Child) Send(line string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := io.WriteString(c.stdin, line+"\n")
	return err
}

// PID returns the number of the child's process.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Ended is closed when the child has ended.
func (c *Child) Ended() <-chan struct{} { return c.ended }

// Err returns how the child ended, once it has: nil if it was stopped and ended
// well.
func (c *Child) Err() error {
	<-c.ended
	return c.err
}

// ending returns how the child ended where that was not asked for.
func (c *Child) ending() error {
	if err := c.Err(); err != nil {
		return err
	}
	return errors.New("exit status 0")
}

// Stop closes the child's standard input, waits until it has ended, and kills it
// if that takes longer than its grace. It returns how the child ended.
func (c *Child) Stop() error {
	c.mu.Lock()
	_ = c.stdin.Close() // it may be closed already, by an earlier Stop or the child's end
	c.mu.Unlock()
	timer := time.NewTimer(c.grace)
	defer timer.Stop()
	select {
	case <-c.ended:
		return c.err
	case <-timer.C:
	}
	if err := kill(c.cmd.Process); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill process %d: %w", c.PID(), err)
	}
	<-c.ended
	return fmt.Errorf("it was still running %v after it was told to stop, and was killed", c.grace)
}

// Follow is the child's side: it calls line with every line of in, which is its
// standard input, and returns a context that ends when in does. The goroutine
// that reads ends with in alone; so a program that ends for another reason
// leaves it to the operating system.
func Follow(ctx context.Context, in io.Reader, line func(string)) (context.Context, context.CancelFunc) {
	ctx, stop := context.WithCancel(ctx)
	go func() {
		defer stop()
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			line(lines.Text())
		}
	}()
	return ctx, stop
}
