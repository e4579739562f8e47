package main

import (
	"bytes"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// drillCommands are what the stories of rehearsals on real machines use besides.
func drillCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"awaits": cmdAwaits,
	}
}

// cmdAwaits waits until a file is there and holds a text.
func cmdAwaits(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2, "awaits FILE TEXT")
	for range 3000 {
		body, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && bytes.Contains(body, []byte(args[1])) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("%s does not come to hold %q", args[0], args[1])
}
