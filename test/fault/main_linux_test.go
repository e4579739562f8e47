package fault_test

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/ncruces/go-sqlite3"

	"muster/internal/cli"
	"muster/internal/store/pgtest"
	"muster/packs"
)

// What the processes of a case find in their environment. The program knows
// nothing of it: this test binary is muster with another clock, and dies by
// itself where a case wants that.
const (
	clockVariable  = "FAULT_CLOCK"  // a file with the seconds by which the clock is ahead
	followVariable = "FAULT_FOLLOW" // set: end when the standard input does
	roomVariable   = "FAULT_ROOM"   // the bytes that no file may grow beyond
	deathVariable  = "FAULT_DEATH"  // POINT N FILE: die at the N-th such point, and say in FILE where that was
)

// TestMain makes this test binary the command muster, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		muster()
	}
	pgtest.Main(m)
}

func muster() {
	if room := os.Getenv(roomVariable); room != "" {
		bytes, err := strconv.ParseUint(room, 10, 64)
		if err == nil {
			err = limitFiles(os.Getpid(), bytes)
		}
		if err != nil {
			panic(err)
		}
	}
	if plan := os.Getenv(deathVariable); plan != "" {
		plotDeath(plan)
	}
	if os.Getenv(followVariable) != "" {
		go func() { // ends with the process
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(cli.Run(ctx, os.Args[1:], cli.Env{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Rand: rand.Reader, Now: clock(os.Getenv(clockVariable)),
		Getenv: os.Getenv, Packs: packs.FS(), Terminal: cli.Terminal, Program: os.Executable,
	}))
}

// clock is this machine's, as far ahead as the file says at the moment.
func clock(file string) func() time.Time {
	if file == "" {
		return time.Now
	}
	return func() time.Time {
		text, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		seconds, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err != nil {
			panic(err)
		}
		return time.Now().Add(time.Duration(seconds) * time.Second)
	}
}

// The points at which a process with a SQLite database can die.
const (
	beforeCommit = "before-commit" // all of a transaction is written, and none of it durable
	afterCommit  = "after-commit"  // it is durable, and the program does not know yet
	withinWrite  = "within-write"  // one row of it is written
)

// plotDeath lets the process kill itself at a point of its database.
func plotDeath(plan string) {
	fields := strings.SplitN(plan, " ", 3)
	left, err := strconv.Atoi(fields[1])
	if err != nil || len(fields) != 3 {
		panic("no plan: " + plan)
	}
	var mu sync.Mutex // connections follow each other, but on no promise of theirs
	passed := func() {
		mu.Lock()
		defer mu.Unlock()
		if left--; left != 0 {
			return
		}
		if err := os.WriteFile(fields[2], []byte(step()), 0o600); err != nil {
			panic(err)
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	sqlite3.AutoExtension(func(c *sqlite3.Conn) error {
		switch fields[0] {
		case beforeCommit:
			c.CommitHook(func() bool { passed(); return true })
		case withinWrite:
			c.UpdateHook(func(sqlite3.AuthorizerActionCode, string, string, int64) { passed() })
		case afterCommit:
			// This hook is where SQLite itself would tidy up, so that is done here.
			c.WALHook(func(c *sqlite3.Conn, schema string, pages int) error {
				passed()
				if pages < 1000 {
					return nil
				}
				_, _, err := c.WALCheckpoint(schema, sqlite3.CHECKPOINT_PASSIVE)
				return err
			})
		default:
			panic("no plan: " + plan)
		}
		return nil
	})
}

// step names the step of a host that the caller is in: the innermost function
// that another package of ours may call.
func step() string {
	var callers [64]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers[:])])
	for {
		frame, more := frames.Next()
		name, ours := strings.CutPrefix(frame.Function, "muster/internal/")
		if strings.HasPrefix(name, "store.(*DB).migrate") {
			return "migrate"
		}
		name, _, _ = strings.Cut(name, ".func")
		last := name[strings.LastIndexByte(name, '.')+1:]
		if ours && !strings.HasPrefix(name, "store") && last != "InTx" && (unicode.IsUpper([]rune(last)[0]) || strings.HasPrefix(name, "cli")) {
			return name
		}
		if !more {
			return "somewhere else"
		}
	}
}
