package config_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
)

// named returns the key of a ledger or a witness for tests.
func named(t testing.TB, name string) *keys.Signer {
	t.Helper()
	s, err := keys.GenerateNamed(bytes.NewReader(bytes.Repeat([]byte(name), 64)), name)
	must(t, err)
	return s
}

// What a new folder begins with is read, and the same keys in other forms.
func TestLedgerAndWitness(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, config.LedgerFile)
	if _, err := config.ReadLedger(write(t, path, string(config.LedgerYAML()))); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), "no witness is named") {
		t.Errorf("a new ledger, whose witness is not named yet: %v", err)
	}
	l, err := config.ReadLedger(write(t, path, strings.Replace(string(config.LedgerYAML()), "threshold: 1", "threshold: 0", 1)))
	if err != nil || l.Listen == "" || l.Operations == "" || l.Plain || l.Threshold != 0 || len(l.Witnesses) != 0 || l.Keys != filepath.Join(dir, "keys") || l.Dir != dir {
		t.Errorf("a new ledger: %+v, %v", l, err)
	}
	log, one := named(t, "ledger.example"), named(t, "witness.example")
	w, err := config.ReadWitness(write(t, filepath.Join(dir, config.WitnessFile), string(config.WitnessYAML([]keys.Public{log.Public()}))))
	if err != nil || len(w.Ledgers) != 1 || w.Ledgers[0] != log.Public() || w.Plain {
		t.Errorf("a new witness: %+v, %v", w, err)
	}
	if w, err := config.ReadWitness(write(t, filepath.Join(dir, config.WitnessFile), string(config.WitnessYAML(nil)))); err != nil || len(w.Ledgers) != 0 {
		t.Errorf("a witness of nothing yet: %+v, %v", w, err)
	}
	published, err := one.Public().Cosigner()
	must(t, err)
	for _, key := range []keys.Public{one.Public(), published} {
		l, err = config.ReadLedger(write(t, filepath.Join(dir, config.LedgerFile), ledgerText("1", `[{key: "`+string(key)+`", url: "https://w.example:1", certificate: "`+strings.Repeat("0", 64)+`"}]`)))
		if err != nil || len(l.Witnesses) != 1 || l.Witnesses[0].Key != published || l.Threshold != 1 {
			t.Errorf("a witness %s: %+v, %v", key, l, err)
		}
	}
}

func ledgerText(threshold, witnesses string) string {
	return "format: muster-ledger/1\nthreshold: " + threshold + "\nwitnesses: " + witnesses + "\n"
}

func TestLedgerFaults(t *testing.T) {
	t.Parallel()
	key, log := named(t, "witness.example").Public(), named(t, "ledger.example").Public()
	at := func(rest string) string { return `[{key: "` + string(key) + `"` + rest + `}]` }
	for _, row := range []struct{ name, text, want string }{
		{"another format", strings.Replace(ledgerText("0", "[]"), "ledger/1", "host/1", 1), "is not known; allowed: muster-ledger/1"},
		{"more than there are", ledgerText("2", at(`, url: "http://127.0.0.1:1"`)), "2 of 1 witnesses"},
		{"none", ledgerText("1", "[]"), "no witness is named"},
		{"no list", ledgerText("0", "nobody"), "text where a list is wanted"},
		{"no threshold", "format: muster-ledger/1\nwitnesses: []\n", `key "threshold" is missing`},
		{"no key", ledgerText("0", `[{url: "https://w.example"}]`), `key "key" is missing`},
		{"a key that is none", ledgerText("0", `[{key: "witness"}]`), "is not the public key of a witness"},
		{"a key whose hash is another", ledgerText("0", `[{key: "x`+string(key)+`"}]`), "is not the public key of a witness"},
		{"https without a pin", ledgerText("0", at(`, url: "https://w.example"`)), `key "certificate" is missing`},
		{"no TLS, elsewhere", ledgerText("0", at(`, url: "http://w.example"`)), "an address without TLS that is not of this machine"},
		{"a slash at the end", ledgerText("0", at(`, url: "http://127.0.0.1:1/"`)), "is no address of a witness"},
		{"no address", ledgerText("0", at(`, url: "w.example"`)), "is no address of a witness"},
		{"an unknown key", ledgerText("0", "[]") + "witness: 3\n", `unknown key "witness"`},
		{"tls in other words", ledgerText("0", "[]") + "tls: no\n", "here, elsewhere"},
	} {
		path := write(t, filepath.Join(t.TempDir(), config.LedgerFile), row.text)
		if _, err := config.ReadLedger(path); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v; want %q", row.name, err, row.want)
		}
	}
	for _, row := range []struct{ name, list, want string }{
		{"a ledger twice", `["` + string(log) + `", "` + string(log) + `"]`, "a second ledger"},
		{"no key", `["ledger"]`, "is not a public key"},
		{"no text", `[3]`, "is not text"},
	} {
		path := write(t, filepath.Join(t.TempDir(), config.WitnessFile), "format: muster-witness/1\nledgers: "+row.list+"\n")
		if _, err := config.ReadWitness(path); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v; want %q", row.name, err, row.want)
		}
	}
}

// lockVariable names the lock for the process that takes it.
const lockVariable = "MUSTER_TEST_LOCK"

// TestLockTaker is the process that TestLockFile starts.
func TestLockTaker(t *testing.T) {
	path := os.Getenv(lockVariable)
	if path == "" {
		return // nothing by itself
	}
	if _, err := config.LockFile(path, "it is taken"); errs.KindOf(err) != errs.Unavailable || !strings.Contains(err.Error(), "it is taken") {
		t.Errorf("another process took it: %v", err)
	}
}

// A lock is one process's, and one holder's within it.
func TestLockFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	first, err := config.LockFile(path, "it is taken")
	must(t, err)
	if _, err := config.LockFile(path, "it is taken"); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("taken twice: %v", err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestLockTaker$")
	cmd.Env = append(os.Environ(), lockVariable+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	must(t, first.Close())
	second, err := config.LockFile(path, "it is taken")
	must(t, err)
	must(t, second.Close())
}

// What is replaced is the old or the new.
func TestReplace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, text := range []string{"one", "another", ""} {
		must(t, config.Replace(path, []byte(text)))
		if b, err := os.ReadFile(path); err != nil || string(b) != text {
			t.Errorf("%q, %v; want %q", b, err, text)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("what is left beside it: %v, %v", entries, err)
	}
	if err := config.Replace(filepath.Join(dir, "none", "file"), nil); err == nil {
		t.Error("a folder that is not there")
	}
}
