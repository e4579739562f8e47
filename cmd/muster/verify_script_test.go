package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// verifyCommands are what the stories of the shared record use besides.
func verifyCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"recorded": cmdRecorded,
		"enters":   cmdEnters,
		"keptonce": cmdKeptOnce,

		"sealedreceipt": cmdSealedReceipt,
		"policy":        cmdPolicy,
	}
}

// cmdRecorded makes a ledger and a witness that is reached by files. $LOG and
// $WITNESS are their keys.
func cmdRecorded(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 0, "recorded")
	log := strings.TrimSpace(muster(ts, "ledger", "init", "ledger", "--name", "ledger.example"))
	witness := strings.TrimSpace(muster(ts, "witness", "init", "witness", "--name", "witness.example", "--ledger", log))
	ts.Setenv("LOG", log)
	ts.Setenv("WITNESS", witness)
	path := filepath.Join("ledger", "ledger.yaml")
	cmdReplace(ts, false, []string{path, "witnesses: []", "witnesses:\n  - key: " + witness})
}

// cmdEnters enters files, and has the witness see the ledger.
func cmdEnters(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, true, "enters [FILE...]")
	add := slices.Concat([]string{"ledger", "add"}, args, []string{"--ledger", "ledger", "--dir", "coordinator", "--charter", "charter.json"})
	if code := exitCode(ts, ts.Exec("muster", add...)); code != 3 {
		ts.Fatalf("exit code %d, want 3: nobody has seen it yet\n%s", code, ts.ReadFile("stderr"))
	}
	muster(ts, "ledger", "request", "--witness", "witness.example", "--ledger", "ledger", "--out", "request")
	muster(ts, "witness", "cosign", "request", "--dir", "witness", "--out", "cosignature")
	muster(ts, "ledger", "cosign", "cosignature", "--ledger", "ledger")
}

// cmdKeptOnce counts the files of a pattern.
func cmdKeptOnce(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2, "keptonce PATTERN NUMBER")
	found, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if strconv.Itoa(len(found)) != args[1] {
		ts.Fatalf("%s are %d files: %v", args[0], len(found), found)
	}
}

// cmdSealedReceipt copies the receipt of a member's first submission.
func cmdSealedReceipt(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2, "sealedreceipt MEMBER FILE")
	found, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "sealed", "*-1.json"))
	ts.Check(err)
	if len(found) != 1 {
		ts.Fatalf("%s keeps %d receipts", args[0], len(found))
	}
	for _, ext := range []string{"", ".sig"} {
		body, err := os.ReadFile(found[0] + ext)
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(args[1])+ext, body, 0o600))
	}
}

// cmdPolicy writes whom the reader trusts to a file.
func cmdPolicy(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "policy FILE")
	body, err := json.Marshal(map[string]any{"log": ts.Getenv("LOG"), "threshold": 1, "witnesses": []string{ts.Getenv("WITNESS")}})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), body, 0o644))
}
