package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// pinText finds the pin that a command prints of its TLS key.
var pinText = regexp.MustCompile(`with the pin ([0-9a-f]{64})`)

// cmdWatched makes the folder ledger and a witness in each folder that is named, on
// addresses of this machine, and lets them know each other: as many as THRESHOLD must
// cosign. In $NAME, upper case, is the address of a witness's operations and in $NAMEKEY
// its key, in $LEDGER and $LEDGERKEY those of the ledger, in $LEDGERAT where it is served.
func cmdWatched(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) >= 2, "watched THRESHOLD WITNESS...")
	key := strings.TrimSpace(muster(ts, "ledger", "init", "ledger", "--name", "ledger.example"))
	ts.Setenv("LEDGERKEY", key)
	var list strings.Builder
	for _, name := range args[1:] {
		muster(ts, "witness", "init", name, "--name", name+".example", "--ledger", key)
		pin := pinText.FindStringSubmatch(ts.ReadFile("stderr"))
		if pin == nil {
			ts.Fatalf("no pin: %s", ts.ReadFile("stderr"))
		}
		listen, operations := freePort(ts), freePort(ts)
		rewrite(ts, filepath.Join(name, "witness.yaml"), map[string]string{"127.0.0.1:8463": listen, "127.0.0.1:9463": operations})
		ts.Setenv(strings.ToUpper(name), operations)
		ts.Setenv(strings.ToUpper(name)+"KEY", strings.TrimSpace(ts.ReadFile("stdout")))
		fmt.Fprintf(&list, "\n  - key: %q\n    url: https://%s\n    certificate: %s", strings.TrimSpace(ts.ReadFile("stdout")), listen, pin[1])
	}
	listen, operations := freePort(ts), freePort(ts)
	ts.Setenv("LEDGER", operations)
	ts.Setenv("LEDGERAT", listen)
	rewrite(ts, "ledger/ledger.yaml", map[string]string{
		"127.0.0.1:8453": listen, "127.0.0.1:9453": operations, "tls: here": "tls: elsewhere", "threshold: 1": "threshold: " + args[0], "witnesses: []": "witnesses:" + list.String(),
	})
}

func rewrite(ts *testscript.TestScript, path string, texts map[string]string) {
	body := ts.ReadFile(path)
	for before, after := range texts {
		if !strings.Contains(body, before) {
			ts.Fatalf("%s does not hold %q", path, before)
		}
		body = strings.ReplaceAll(body, before, after)
	}
	ts.Check(os.WriteFile(ts.MkAbs(path), []byte(body), 0o600))
}
