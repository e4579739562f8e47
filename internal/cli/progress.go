package cli

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"muster/internal/rehearse"
)

// progressAfter is how long a rehearsal may take without a word: a line that
// flickers by says nothing.
const progressAfter = time.Second

// progressLine draws a rehearsal's progress in one line of the error stream, on
// a terminal only and once it has taken a second. done takes the line away;
// nothing is drawn after it. Between, nobody else may write to the error stream.
func progressLine(env Env) (show func(rehearse.Progress), done func()) {
	width, ok := env.Terminal(env.Err)
	if !ok {
		return nil, func() {}
	}
	line := &progress{env: env, width: max(width, 1)}
	timer := time.AfterFunc(progressAfter, line.begin)
	return line.show, func() {
		timer.Stop() // begin may be running all the same, and does nothing after end
		line.end()
	}
}

// progress is a line of progress. The mutex guards all below it, and the order of
// what is written.
type progress struct {
	env   Env
	width int

	mu    sync.Mutex
	text  string // the last step
	begun bool
	drawn bool
	ended bool
}

func (l *progress) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun = true
	l.draw()
}

func (l *progress) show(p rehearse.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = "muster: " + p.Step
	if p.Total > 1 {
		l.text += fmt.Sprintf(" %d/%d", p.Done+1, p.Total)
	}
	l.draw()
}

// draw needs the mutex.
func (l *progress) draw() {
	if !l.begun || l.ended || l.text == "" {
		return
	}
	fmt.Fprintf(l.env.Err, "\r%-*.*s", l.width-1, l.width-1, l.text)
	l.drawn = true
}

func (l *progress) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	if l.drawn {
		fmt.Fprintf(l.env.Err, "\r%s\r", strings.Repeat(" ", l.width-1))
	}
}
