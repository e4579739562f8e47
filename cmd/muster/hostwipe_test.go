package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/coalition"
)

// secretsOf returns what is in a host's folder of keys.
func (c *hosting) secretsOf(host string) []string {
	c.t.Helper()
	entries, err := os.ReadDir(c.at(host, "keys"))
	check(c.t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// attested reads a host's attestation.
func (c *hosting) attested(host string) coalition.WipeAttestation {
	c.t.Helper()
	charter, _, _ := c.charter()
	body, err := os.ReadFile(c.at(host, "wipe-attestation.json"))
	check(c.t, err)
	note, err := os.ReadFile(c.at(host, "wipe-attestation.json.sig"))
	check(c.t, err)
	a, err := coalition.OpenWipeAttestation(coalition.SignedFile{Body: body, Signature: note}, charter)
	check(c.t, err)
	return a
}

// ended waits until a host that serves has ended by itself.
func (c *hosting) ended(host string) {
	c.t.Helper()
	select {
	case code := <-c.running[host].ended:
		if code != 0 {
			c.t.Errorf("%s: exit code %d\n%s", host, code, c.running[host].log)
		}
		delete(c.running, host)
	case <-time.After(20 * time.Second):
		c.t.Fatalf("%s still serves\n%s", host, c.running[host].log)
	}
}

// TestWipe: not before its day; then submissions and keys are gone, whoever
// serves ends, and it is attested. The other host is not touched.
func TestWipe(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	c.serve()
	c.deliver(upTo(8)...)
	c.clock.Store(hostingDeadline)
	c.must("host", "freeze", "--dir", c.at("ostmere"))
	wipe := []string{"host", "wipe", "--dir", c.at("ostmere"), "--yes"}
	c.refuses(1, "the charter wipes at ", wipe...)
	c.clock.Store(hostingWipe)
	c.refuses(1, "the batch was not collected", wipe...)
	c.wantTotals(upTo(8)...)
	c.refuses(2, "there is no terminal to ask on; nothing was wiped", wipe[:4]...)
	before := c.secretsOf("calverra")
	out := c.must(wipe...)
	for _, want := range []string{"The cycle now ends at ostmere, its Leader: its day has come.", "ostmere, leader of the cycle now, states that it has destroyed", "It is stated, not proven."} {
		if !strings.Contains(out, want) {
			t.Errorf("wipe does not say %q:\n%s", want, out)
		}
	}
	c.ended("ostmere")
	if got, want := c.secretsOf("ostmere"), []string{"signing.key", "tls.crt", "tls.key"}; !slices.Equal(got, want) {
		t.Errorf("the folder of keys holds %v, want %v", got, want)
	}
	if got := c.secretsOf("calverra"); !slices.Equal(got, before) {
		t.Errorf("the other host's folder of keys holds %v, before %v", got, before)
	}
	first := c.attested("ostmere")
	if first.Name != "ostmere" || first.Role != "leader" || first.Ending != "over" || first.Sum != coalition.SumLeft || first.Time != hostingWipe || len(first.Destroyed) != 5 {
		t.Errorf("attested: %+v", first)
	}
	c.clock.Add(3600)
	c.must(wipe...)
	if again := c.attested("ostmere"); again.Time != first.Time {
		t.Errorf("attested again: %+v", again)
	}
	c.wants("ostmere", map[string]string{"phase": `"wiped"`, "accepted": "8", "collection": `"none"`})
	if got := c.kinds("ostmere"); got != "charter, roster, aggregate share, wipe, wipe attestation" {
		t.Errorf("the record has: %s", got)
	}
	c.refuses(2, "there is no", "host", "serve", "--config", c.at("ostmere", "host.yaml"))
	c.wants("calverra", map[string]string{"phase": `"collected"`})
}

// TestWipeCancelled: at any time, with a reason, also by a host that never served.
func TestWipeCancelled(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	c.refuses(2, "--cancelled and --reason TEXT belong together", "host", "wipe", "--dir", c.at("ostmere"), "--yes", "--cancelled")
	c.serve("ostmere")
	for _, host := range hostFolders {
		c.must("host", "wipe", "--dir", c.at(host), "--yes", "--cancelled", "--reason", "the pledge was renegotiated")
		if a := c.attested(host); a.Ending != "cancelled" || a.Sum != coalition.SumKept {
			t.Errorf("attested: %+v", a)
		}
		if got := len(c.secretsOf(host)); got != 3 {
			t.Errorf("%d files are left in the keys of %s", got, host)
		}
		want := "charter, wipe, cancellation, wipe attestation"
		if host == "calverra" {
			want = strings.TrimPrefix(want, "charter, ")
		}
		if got := c.kinds(host); got != want {
			t.Errorf("the record of %s has: %s", host, got)
		}
	}
	c.ended("ostmere")
}

// TestWipeCancelledAfterTheSum: a cycle can be cancelled when the sum has left; the
// attestation says so, also when the wipe was interrupted before it, and no new
// charter begins over the same answers.
func TestWipeCancelledAfterTheSum(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	c.serve()
	c.deliver(upTo(8)...)
	c.clock.Store(hostingDeadline)
	c.must("host", "freeze", "--dir", c.at("ostmere"))
	c.wantTotals(upTo(8)...)
	wipe := []string{"host", "wipe", "--dir", c.at("ostmere"), "--yes", "--cancelled", "--reason", "the Helper burnt"}
	c.must(wipe...)
	for _, name := range []string{"wipe-attestation.json", "wipe-attestation.json.sig"} {
		check(t, os.Remove(c.at("ostmere", name)))
	}
	if out := c.must(wipe...); !strings.Contains(out, "Its sum had left for the coordinator before, or may have.") {
		t.Errorf("wipe says:\n%s", out)
	}
	c.ended("ostmere")
	if a := c.attested("ostmere"); a.Ending != "cancelled" || a.Sum != coalition.SumLeft {
		t.Errorf("attested: %+v", a)
	}
	// The coordinator's folder has no request: this collection went another way.
	c.refuses(1, "the sum of ostmere had left for the coordinator, or may have, before ostmere wiped",
		"cycle", "replace-host", "--dir", c.at("coordinator"), "--charter", c.at("charter.json"), "--lost", "calverra", "--wiped", c.at("ostmere", "wipe-attestation.json"),
		"--leader", "not read", "--helper", "not read", "--seed-digest", "not read", "--out", c.at("new.json"))
}

// TestWipeOfALostDatabase: a host that has nothing of before the deadline does not
// attest that its sum was kept, whether it served since or not, and no charter is
// replaced on its word. With what it had, it knows.
func TestWipeOfALostDatabase(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	c.serve()
	c.deliver(upTo(8)...)
	c.clock.Store(hostingDeadline)
	c.must("host", "freeze", "--dir", c.at("ostmere"))
	c.stop("ostmere", "calverra")
	wipe := func(host string) string {
		return c.must("host", "wipe", "--dir", c.at(host), "--yes", "--cancelled", "--reason", "a disk burnt")
	}
	wipe("calverra")
	if a := c.attested("calverra"); a.Sum != coalition.SumKept {
		t.Errorf("with its database the Helper attests: %+v", a)
	}
	for _, name := range []string{"host.db", "host.db-wal", "host.db-shm"} {
		if err := os.Remove(c.at("ostmere", name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	c.serve("ostmere")
	c.stop("ostmere")
	if out := wipe("ostmere"); !strings.Contains(out, "Whether its sum had left it does not know") {
		t.Errorf("wipe says:\n%s", out)
	}
	if a := c.attested("ostmere"); a.Ending != "cancelled" || a.Sum != coalition.SumUnknown {
		t.Errorf("attested: %+v", a)
	}
	c.refuses(1, "ostmere does not know whether its sum had left before it wiped",
		"cycle", "replace-host", "--dir", c.at("coordinator"), "--charter", c.at("charter.json"), "--lost", "calverra", "--wiped", c.at("ostmere", "wipe-attestation.json"),
		"--leader", "not read", "--helper", "not read", "--seed-digest", "not read", "--out", c.at("new.json"))
}

// TestWipeInterrupted: a wipe that stopped anywhere between database, keys and
// attestation is ended by the same command.
func TestWipeInterrupted(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	keys := c.secretsOf("calverra")
	c.must("host", "wipe", "--dir", c.at("calverra"), "--yes", "--cancelled", "--reason", "first words")
	// As if it had stopped after some of the keys.
	for _, name := range []string{"seed", "seed-part"} {
		if !slices.Contains(keys, name) {
			t.Fatalf("there was no %s among %v", name, keys)
		}
		check(t, os.WriteFile(c.at("calverra", "keys", name), []byte("what is left"), 0o600))
	}
	for _, name := range []string{"wipe-attestation.json", "wipe-attestation.json.sig"} {
		check(t, os.Remove(c.at("calverra", name)))
	}
	c.clock.Add(60)
	code, _, stderr := c.run("host", "wipe", "--dir", c.at("calverra"), "--yes", "--cancelled", "--reason", "other words")
	if code != 0 || !strings.Contains(stderr, "destroyed seed in") || !strings.Contains(stderr, "destroyed seed-part in") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	if got := len(c.secretsOf("calverra")); got != 3 {
		t.Errorf("%d files are left", got)
	}
	if _, err := os.Stat(filepath.Join(c.at("calverra"), "wipe-attestation.json")); err != nil {
		t.Error(err)
	}
}
