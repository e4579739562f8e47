package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// silenceCommands are what the stories of the silence procedure use besides.
func silenceCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"sent":     cmdSent,
		"appended": cmdAppended,
		"keyof":    cmdKeyOf,
	}
}

// cmdSent copies what a chair has for all parties of its newest procedure to a
// folder, in place of what is there. $PROCEDURE is its id.
func cmdSent(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2, "sent CHAIR DIR")
	found, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "silence", "*", "send"))
	ts.Check(err)
	if len(found) == 0 {
		ts.Fatalf("no procedure")
	}
	newest := slices.MaxFunc(found, func(x, y string) int { return begun(ts, x).Compare(begun(ts, y)) })
	ts.Setenv("PROCEDURE", filepath.Base(filepath.Dir(newest)))
	to := ts.MkAbs(args[1])
	ts.Check(os.RemoveAll(to))
	ts.Check(os.CopyFS(to, os.DirFS(newest)))
}

// begun returns when the first step of a procedure was written.
func begun(ts *testscript.TestScript, sent string) time.Time {
	info, err := os.Stat(filepath.Join(sent, "step-0.json"))
	ts.Check(err)
	return info.ModTime()
}

// cmdAppended adds a file to the end of another.
func cmdAppended(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2, "appended FILE MORE")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(ts.ReadFile(args[0])+ts.ReadFile(args[1])), 0o644))
}

// cmdKeyOf sets $KEY to the public key of a member's folder.
func cmdKeyOf(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "keyof DIR")
	out := muster(ts, "submit", "init", args[0], "--member", filepath.Base(args[0]))
	_, key, _ := strings.Cut(strings.TrimSpace(out), ",")
	ts.Setenv("KEY", strings.Trim(key, `"`))
}
