package verify_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/coalition/coalitiontest"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/verify"
)

// keep writes the bundle that this muster makes beside those that are kept:
//
//	go test ./internal/verify -run TestKept -keep bundle-2
//
// One is kept of each form that bundles ever had.
var keep = flag.String("keep", "", "write a bundle of this name to testdata")

// TestKept reads every bundle that an earlier muster made, and finds in it what was
// found then: nothing that fails. The first alone was made of a cycle whose phases were
// not entered, and fails by that. What was found is written with the bundle and by hand
// afterwards, if at all, so that nothing changes it in passing.
func TestKept(t *testing.T) {
	t.Parallel()
	if *keep != "" {
		keepBundle(t, *keep)
	}
	paths, err := filepath.Glob("testdata/*.tar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no bundle is kept: %v", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(path, ".tar")
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := verify.Archive(t.Context(), body, keptConfig(t, name))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if entered := filepath.Base(name) != "bundle-1"; entered == r.Failed() {
			t.Errorf("%s: whether something fails is %v\n%s", path, r.Failed(), listing(r))
		}
		want, err := os.ReadFile(name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(verdicts(r), "\n") + "\n"; got != string(want) {
			t.Errorf("%s: found\n%swas\n%s%s", path, got, want, listing(r))
		}
		if len(body) > 0 {
			body[len(body)/3] ^= 1 // it is read, not recognised
		}
		if r, err := verify.Archive(t.Context(), body, keptConfig(t, name)); err != nil || !r.Failed() {
			t.Errorf("%s, changed: %v", path, err)
		}
	}
}

// verdicts are what a report says, in codes.
func verdicts(r *verify.Report) []string {
	var list []string
	for _, f := range r.Findings {
		list = append(list, string(f.Step)+" "+f.Code+" "+string(f.Verdict))
	}
	slices.Sort(list)
	return list
}

func keptConfig(t *testing.T, name string) verify.Config {
	t.Helper()
	body, err := os.ReadFile(name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	policy, err := ledger.ParsePolicy(body)
	if err != nil {
		t.Fatal(err)
	}
	return verify.Config{Policy: policy, Now: time.Unix(coalitiontest.Wipe+7200, 0)}
}

func keepBundle(t *testing.T, name string) {
	t.Helper()
	w := newWorld(t, 12, 1)
	w.early[len(w.statements)/2] = time.Unix(coalitiontest.Deadline+60, 0)
	body, err := ledger.EncodeArchive(w.bundle())
	w.must(err)
	policy, err := keys.Canonical(w.l.Policy)
	w.must(err)
	r := w.verify(w.config())
	if r.Failed() {
		t.Fatal(listing(r))
	}
	for ending, content := range map[string][]byte{".tar": body, ".json": policy, ".txt": []byte(strings.Join(verdicts(r), "\n") + "\n")} {
		w.must(os.WriteFile(filepath.Join("testdata", name+ending), content, 0o600))
	}
}
