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
		"replaces": cmdReplaces,
		"awaits":   cmdAwaits,
	}
}

// cmdReplaces replaces a text in a file, which must hold it once.
func cmdReplaces(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 3, "replaces FILE OLD NEW")
	path := ts.MkAbs(args[0])
	body, err := os.ReadFile(path)
	ts.Check(err)
	if bytes.Count(body, []byte(args[1])) != 1 {
		ts.Fatalf("%s does not hold %q once", args[0], args[1])
	}
	ts.Check(os.WriteFile(path, bytes.Replace(body, []byte(args[1]), []byte(args[2]), 1), 0o600))
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
