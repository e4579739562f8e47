package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"muster/internal/cli"
	"muster/packs"
)

// clockVariable names a file with a time in RFC 3339 from which on the clock of a
// story's commands runs, those that are running included: a cycle takes a month,
// and a clock may be wrong. The program itself knows no such thing.
const clockVariable = "MUSTER_STORY_CLOCK"

// storyMain is main with the clock of the story, where there is one.
func storyMain() {
	path := os.Getenv(clockVariable)
	if path == "" {
		main()
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(cli.Run(ctx, os.Args[1:], cli.Env{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Rand: rand.Reader, Now: func() time.Time { return storyNow(path) },
		Getenv: os.Getenv, Packs: packs.FS(), Terminal: cli.Terminal, Program: os.Executable,
	}))
}

// storyNow returns the time that the file says, as much later as the file is old.
func storyNow(path string) time.Time {
	body, err := os.ReadFile(path)
	if err != nil {
		panic(fmt.Sprintf("the story's clock: %v", err))
	}
	t, err := time.Parse(time.RFC3339, strings.TrimSpace(string(body)))
	if err != nil {
		panic(fmt.Sprintf("the story's clock: %v", err))
	}
	info, err := os.Stat(path)
	if err != nil {
		panic(fmt.Sprintf("the story's clock: %v", err))
	}
	return t.Add(max(time.Since(info.ModTime()), 0))
}
