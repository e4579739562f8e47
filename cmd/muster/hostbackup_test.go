package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
)

// passphrase writes the file with which backups are made and restored.
func (c *hosting) passphrase() string {
	c.t.Helper()
	path := c.at("passphrase")
	check(c.t, os.WriteFile(path, []byte("six words by chance are enough here\n"), 0o600))
	return path
}

// backup takes a backup of a host.
func (c *hosting) backup(host, name string) string {
	c.t.Helper()
	path := c.at(name)
	c.must("host", "backup", path, "--dir", c.at(host), "--passphrase-file", c.passphrase())
	return path
}

// lose stops a host and moves its folder away.
func (c *hosting) lose(host string) {
	c.t.Helper()
	if c.running[host] != nil {
		c.stop(host)
	}
	check(c.t, os.Rename(c.at(host), c.at(host+"-lost")))
}

// restore restores a host that was lost, with its keys from the safe.
func (c *hosting) restore(host, backup string, flags ...string) {
	c.t.Helper()
	c.must(append([]string{"host", "restore", backup, c.at(host), "--passphrase-file", c.passphrase()}, flags...)...)
	if _, err := os.Stat(c.at(host, "keys")); err == nil {
		c.t.Fatal("keys were in the backup")
	}
	check(c.t, os.CopyFS(c.at(host, "keys"), os.DirFS(c.at(host+"-lost", "keys"))))
	for _, name := range c.secretsOf(host) {
		if name != "tls.crt" {
			check(c.t, os.Chmod(c.at(host, "keys", name), 0o600))
		}
	}
}

// The phases of a cycle in which a backup is taken or a host is lost.
const (
	whenOpen = iota
	whenAddedUp
	whenCollected
)

var whenNames = []string{"open", "added up", "collected"}

// advance takes a cycle from one phase to the next.
func (c *hosting) advance(to int) {
	c.t.Helper()
	switch to {
	case whenAddedUp:
		c.clock.Store(hostingDeadline)
		c.must("host", "freeze", "--dir", c.at("ostmere"))
	case whenCollected:
		c.wantTotals(upTo(9)...)
	}
}

// TestRestoreInEachPhase: a backup is taken beside a host that serves, the host
// is lost then or later, restored elsewhere, and the cycle ends in the same
// totals. In mid-cycle there is one collection, whatever was forgotten.
func TestRestoreInEachPhase(t *testing.T) {
	t.Parallel()
	for _, host := range hostFolders {
		for taken := range whenNames {
			for lost := taken; lost < len(whenNames); lost++ {
				if long := os.Getenv("MUSTER_LONG") == "1"; !long && lost == taken && taken != whenAddedUp {
					continue // nothing happened since the backup: the least of it
				}
				t.Run(fmt.Sprintf("%s, backup when %s, lost when %s", host, whenNames[taken], whenNames[lost]), func(t *testing.T) {
					t.Parallel()
					c := newHosting(t)
					c.serve()
					c.deliver(upTo(9)...)
					var backup string
					for phase := range lost + 1 {
						c.advance(phase)
						if phase == taken {
							backup = c.backup(host, "backup.age")
						}
					}
					c.lose(host)
					var flags []string
					if host == "calverra" && taken < whenCollected {
						c.refuses(2, "ask the coordinator on the telephone whether it has collected", "host", "restore", backup, c.at(host), "--passphrase-file", c.passphrase())
						flags = []string{"--coordinator-collected", map[bool]string{true: "yes", false: "no"}[lost == whenCollected]}
					}
					c.restore(host, backup, flags...)
					c.serve(host)
					c.clock.Store(hostingDeadline)
					freeze := []string{"host", "freeze", "--dir", c.at("ostmere")}
					if lost < whenCollected || host == "ostmere" && taken < whenAddedUp {
						if host == "calverra" && lost == whenAddedUp {
							freeze = append(freeze, "--again")
						}
						c.must(freeze...)
					}
					c.wantTotals(upTo(9)...)
					if got := c.kinds(host); !strings.Contains(got, "restoration") {
						t.Errorf("the record has: %s", got)
					}
					// It is asked once.
					c.stop(host)
					c.serve(host)
					if log := c.running[host].log.String(); strings.Contains(log, "restored from a backup") {
						t.Errorf("asked again:\n%s", log)
					}
					c.wantTotals(upTo(9)...)
				})
			}
		}
	}
}

// TestRestoreTakesOver: what the Helper has forgotten of both hosts' signatures,
// receipts that came later included, it takes over, and it gives its sum once.
func TestRestoreTakesOver(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	c.serve()
	c.deliver(upTo(6)...)
	backup := c.backup("calverra", "backup.age")
	c.deliver(6, 7, 8)
	c.deliverBroken(9)
	c.clock.Store(hostingDeadline)
	c.refuses(1, "not accepted: m09", "host", "freeze", "--dir", c.at("ostmere"))
	c.must("host", "amend", "--dir", c.at("ostmere"), "--yes")
	c.lose("calverra")
	c.restore("calverra", backup, "--coordinator-collected", "no")
	// Without the Leader it does nothing.
	c.stop("ostmere")
	c.refuses(1, "no answer from", "host", "serve", "--config", c.at("calverra", "host.yaml"))
	c.serve("ostmere")
	c.serve("calverra")
	c.running["calverra"].logs(t, "allies: taken over from the other host: the roster, 4 receipts, 1 amendment")
	if got, err := c.collected(); err == nil {
		t.Errorf("collected %d before the jobs were repeated", got.Count)
	}
	c.must("host", "freeze", "--dir", c.at("ostmere"), "--again")
	c.wantTotals(upTo(9)...)
	c.wants("calverra", map[string]string{"phase": `"collected"`, "accepted": "9"})
}

// TestRestoreTakesOverPostponements: a host that was restored to before a
// postponement takes it over before it serves. A member delivers after the first
// deadline, nothing is frozen before the second, and the totals are of all.
func TestRestoreTakesOverPostponements(t *testing.T) {
	t.Parallel()
	for _, host := range hostFolders {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			c := newHosting(t)
			c.serve()
			c.deliver(upTo(8)...)
			backup := c.backup(host, "backup.age")
			const later = hostingDeadline + 7*24*3600
			path := c.addendum("addendum.json", nil, later, "an election")
			for range 2 { // the first lacks a signature at its first time
				for _, host := range hostFolders {
					c.must("host", "approve", path, "--dir", c.at(host), "--yes")
				}
			}
			c.lose(host)
			var flags []string
			if host == "calverra" {
				flags = []string{"--coordinator-collected", "no"}
			}
			c.restore(host, backup, flags...)
			c.clock.Store(hostingDeadline + 3600)
			c.serve(host)
			c.running[host].logs(t, "allies: taken over from the other host: 1 postponement; the deadline is 2026-10-18 14:13 UTC")
			c.wants(host, map[string]string{"deadline": `"2026-10-18T14:13:20Z"`})
			if got := c.kinds(host); got != "charter, addendum, restoration" {
				t.Errorf("the record has: %s", got)
			}
			c.deliver(8)
			c.refuses(1, "the roster is frozen after the deadline", "host", "freeze", "--dir", c.at("ostmere"))
			c.clock.Store(later)
			c.must("host", "freeze", "--dir", c.at("ostmere"))
			c.wantTotals(upTo(9)...)
		})
	}
}

// TestRestoreLocks: a Helper that was taken back to before its sum gives none,
// whatever its people were told, if the Leader has it; and signs no amendment.
func TestRestoreLocks(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	c.serve()
	c.deliver(upTo(9)...)
	c.advance(whenAddedUp)
	backup := c.backup("calverra", "backup.age")
	c.advance(whenCollected)
	c.must("host", "record", "--dir", c.at("calverra"), "--out", c.at("calverra.jsonl"))
	c.lose("calverra")
	restore := []string{"host", "restore", backup, c.at("calverra"), "--passphrase-file", c.passphrase()}
	c.refuses(1, "the copy of the record says that this host has given its sum", append(slices.Clone(restore), "--record", c.at("calverra.jsonl"), "--coordinator-collected", "no")...)
	c.refuses(2, `--coordinator-collected cannot be "maybe"`, append(slices.Clone(restore), "--coordinator-collected", "maybe")...)
	c.must("host", "record", "--dir", c.at("ostmere"), "--out", c.at("ostmere.jsonl"))
	c.refuses(2, "is not signed by the keeper", append(slices.Clone(restore), "--record", c.at("ostmere.jsonl"), "--coordinator-collected", "yes")...)
	c.restore("calverra", backup, "--coordinator-collected", "no")
	c.serve("calverra")
	c.running["calverra"].logs(t, "allies: this host's sum had left: it gives none any more, and signs no amendment")
	c.wants("calverra", map[string]string{"phase": `"collected"`, "collection": `"asked"`})
	c.wantTotals(upTo(9)...) // the Leader repeats the bytes that it has
}

// TestRestoreOfLostDeliveries: a Leader that has forgotten what is on the roster
// says so, and nothing is opened.
func TestRestoreOfLostDeliveries(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	c.serve()
	c.deliver(upTo(8)...)
	backup := c.backup("ostmere", "backup.age")
	c.deliver(8)
	c.advance(whenAddedUp)
	c.lose("ostmere")
	c.restore("ostmere", backup)
	c.refuses(1, "this backup does not have the submissions of m08, which are on the roster that both hosts signed", "host", "serve", "--config", c.at("ostmere", "host.yaml"))
	c.refuses(1, "this backup does not have the submissions of m08", "host", "freeze", "--dir", c.at("ostmere"))
}

// TestBackupFile: what is in a backup, whom it opens for, and what is refused.
func TestBackupFile(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	backup := func(more ...string) []string {
		return append([]string{"host", "backup", c.at("b"), "--dir", c.at("ostmere")}, more...)
	}
	c.refuses(2, "this host has no database yet", backup("--passphrase-file", c.passphrase())...)
	c.serve("ostmere")
	c.refuses(2, "a backup is encrypted for --recipient, or with --passphrase-file: one of them", backup()...)
	c.refuses(2, `"age1nobody" is no recipient`, backup("--recipient", "age1nobody")...)
	check(t, os.WriteFile(c.at("short"), []byte("short\n"), 0o600))
	c.refuses(2, "has less than 20 characters", backup("--passphrase-file", c.at("short"))...)
	identity, err := age.GenerateX25519Identity()
	check(t, err)
	check(t, os.WriteFile(c.at("identity"), []byte(identity.String()+"\n"), 0o600))
	out := c.must(backup("--recipient", identity.Recipient().String())...)
	if !strings.Contains(out, "allies: open: ") || !strings.Contains(out, "the record has 1 line and ends in ") || !strings.Contains(out, "the backup is ") {
		t.Errorf("got %s", out)
	}
	c.refuses(1, "there is a file", backup("--recipient", identity.Recipient().String())...)
	info, err := os.Stat(c.at("b"))
	check(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the backup has mode %v", info.Mode())
	}
	left, err := filepath.Glob(c.at(".muster-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	restore := func(more ...string) []string {
		return append([]string{"host", "restore", c.at("b"), c.at("new")}, more...)
	}
	c.refuses(2, "a backup is decrypted with --identity, or with --passphrase-file: one of them", restore()...)
	c.refuses(2, "does not open with this key or passphrase", restore("--passphrase-file", c.passphrase())...)
	c.refuses(2, "holds no identity", restore("--identity", c.passphrase())...)
	c.refuses(2, "--postgres is for one on PostgreSQL", restore("--identity", c.at("identity"), "--postgres", c.at("dsn"))...)
	c.refuses(1, "is a host's folder already", "host", "restore", c.at("b"), c.at("ostmere"), "--identity", c.at("identity"))
	if _, err := os.Stat(c.at("new")); !os.IsNotExist(err) {
		t.Errorf("something was made: %v", err)
	}
	// A backup that was cut short or changed restores nothing.
	whole, err := os.ReadFile(c.at("b"))
	check(t, err)
	for name, body := range map[string][]byte{"half": whole[:len(whole)/2], "without its end": whole[:len(whole)-20], "changed": slices.Concat(whole[:len(whole)-3000], []byte{whole[len(whole)-3000] ^ 1}, whole[len(whole)-2999:])} {
		check(t, os.WriteFile(c.at("broken"), body, 0o600))
		if code, _, stderr := c.run("host", "restore", c.at("broken"), c.at("new"), "--identity", c.at("identity")); code != 2 || !strings.Contains(stderr, "the backup cannot be read") {
			t.Errorf("%s: exit code %d\n%s", name, code, stderr)
		}
		if _, err := os.Stat(c.at("new")); !os.IsNotExist(err) {
			t.Errorf("%s: something was restored: %v", name, err)
		}
	}
	// What a restore left that was killed is in nobody's way.
	check(t, os.MkdirAll(c.at("new"), 0o700))
	check(t, os.WriteFile(c.at("new", ".restored-host.yaml"), []byte("half"), 0o600))
	c.must(restore("--identity", c.at("identity"))...)
	for _, name := range []string{"host.yaml", "host.db"} {
		info, err := os.Stat(c.at("new", name))
		check(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	c.must("host", "status", "--dir", c.at("new"))
	// Neither in clear nor inside is there anything of the keys.
	c.stop()
	noSecretsIn(t, c.dir, c.printed.String())
}
