package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/coalition"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/store/pgtest"
)

// receiptOnly hands a member's receipt to the hosts named and uploads nothing.
func (c *hosting) receiptOnly(n int, sequence uint64, hosts ...string) {
	c.t.Helper()
	sealer, answers, leader, helper := c.member(n)
	sealed, err := sealer.Seal(answers, nil, sequence)
	check(c.t, err)
	for _, host := range hosts {
		if host == "ostmere" {
			check(c.t, leader.PutReceipt(c.t.Context(), sealed.Receipt))
		} else {
			check(c.t, helper.PutReceipt(c.t.Context(), sealed.Receipt))
		}
	}
}

// wantTotals collects and compares with what the members answered.
func (c *hosting) wantTotals(members ...int) {
	c.t.Helper()
	got, err := c.collected()
	check(c.t, err)
	if int(got.Count) != len(members) {
		c.t.Errorf("%d submissions were collected, want %d", got.Count, len(members))
	}
	if diff := cmp.Diff(c.totals(members...), got.Cells); diff != "" {
		c.t.Error(diff)
	}
}

// keeper returns the key with which a host signs its record.
func (c *hosting) keeper(host string) keys.Public {
	charter, _, _ := c.charter()
	return map[string]coalition.Host{"ostmere": charter.Leader, "calverra": charter.Helper}[host].Key
}

// kinds returns the kinds of entries in a host's record, in order.
func (c *hosting) kinds(host string) string {
	c.t.Helper()
	out := c.at(host + ".jsonl")
	c.must("host", "record", "--dir", c.at(host), "--out", out)
	b, err := os.ReadFile(out)
	check(c.t, err)
	entries, err := ledger.Read(bytes.NewReader(b), c.keeper(host))
	check(c.t, err)
	var kinds []string
	for _, e := range entries {
		kinds = append(kinds, e.Kind)
	}
	return strings.Join(kinds, ", ")
}

// TestHostCycle takes two hosts from the first submission to the collection by
// their commands, beside the processes that serve.
func TestHostCycle(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	c.wants("ostmere", map[string]string{"phase": `""`, "cohort_members": "12", "minimum_batch": "8"})
	c.refuses(2, "this host has no database yet", "host", "record", "--dir", c.at("ostmere"))
	c.serve()
	c.deliver(upTo(9)...)
	c.receiptOnly(10, 4, "ostmere", "calverra")
	c.wants("ostmere", map[string]string{"phase": `"open"`, "uploads_without_receipt": "0", "roster": "null", "collection": `"none"`, "driver": "null"})
	text := c.must("host", "status", "--dir", c.at("ostmere"))
	for _, want := range []string{
		"ostmere, Leader of the cycle now, beside calverra\n", "phase         open: submissions", "deadline      2026-10-11 14:13 UTC, in 20 days\n",
		"delivered     9 of 12 complete; 1 with a receipt and no upload; collected from 8 on\n",
		"  m09         nothing\n", "  m10         a receipt and no upload, submission 4\n", "record        1 line and ends in ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the status does not say %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "m08") {
		t.Errorf("one that has delivered is listed:\n%s", text)
	}
	if text := c.must("host", "status", "--dir", c.at("calverra"), "--members"); !strings.Contains(text, "delivered     10 of 12 with a receipt here") || !strings.Contains(text, "  m08         receipt, submission 1") {
		t.Errorf("the Helper's status:\n%s", text)
	}
	c.refuses(1, "the roster is frozen after the deadline", "host", "freeze", "--dir", c.at("ostmere"))
	c.clock.Store(hostingDeadline)
	// The receipt without its upload is at the Helper, and not a submission at the Leader.
	c.refuses(1, "the hosts' lists differ: m10 is missing at the Leader; nothing was opened", "host", "freeze", "--dir", c.at("ostmere"))
	c.wants("ostmere", map[string]string{"phase": `"open"`, "deadline_over": "true"})
	if got := c.kinds("calverra"); got != "charter, disagreement" {
		t.Errorf("the Helper's record has: %s", got)
	}
	_, stdout, stderr := c.run("host", "freeze", "--dir", c.at("calverra"))
	if !strings.Contains(stderr, "calverra is the Helper: the Leader, ostmere, drives") || !strings.Contains(stdout, "10 of 12 with a receipt here") {
		t.Errorf("freeze at the Helper:\n%s%s", stdout, stderr)
	}
}

// TestFreezeOfComplete: freeze, again, beside the serving processes; then the
// coordinator collects from these.
func TestFreezeOfComplete(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	c.serve()
	c.deliver(upTo(10)...)
	c.clock.Store(hostingDeadline)
	for range 2 {
		out := c.must("host", "freeze", "--dir", c.at("ostmere"))
		if !strings.Contains(out, "allies: the roster has 10 submissions and is signed by both hosts: ") || !strings.Contains(out, "allies: 10 submissions are verified and added up\n") {
			t.Errorf("got %s", out)
		}
	}
	for _, host := range hostFolders {
		c.wants(host, map[string]string{"phase": `"frozen"`, "accepted": "10", "not_accepted": "[]", "collection": `"none"`, "driver": "null"})
	}
	c.wants("ostmere", map[string]string{"jobs": "1", "jobs_done": "1"})
	c.wantTotals(upTo(10)...)
	c.wantTotals(upTo(10)...)
	for _, host := range hostFolders {
		c.wants(host, map[string]string{"phase": `"collected"`, "collection": `"answered"`})
		if got := c.kinds(host); got != "charter, roster, aggregate share" {
			t.Errorf("the record of %s has: %s", host, got)
		}
	}
	c.stop()
	noSecretsIn(t, c.dir, c.printed.String())
}

// TestFreezeAtDeadline: a Leader that is told so does it by itself.
func TestFreezeAtDeadline(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	c.configure("ostmere", "freeze: by_hand", "freeze: at_deadline")
	c.serve()
	c.deliver(upTo(8)...)
	c.receiptOnly(10, 1, "calverra")
	c.clock.Store(hostingDeadline)
	c.running["ostmere"].logs(t, "the freeze did not succeed; muster host freeze says why")
	c.must("host", "set-aside", "m10", "1", "--dir", c.at("calverra"), "--yes")
	c.running["ostmere"].logs(t, "every submission on the roster is added up")
	for _, host := range hostFolders {
		c.namesNobody(host)
	}
	c.metric("ostmere", `muster_host_freeze_attempts_total{result="refused"} 1`, `muster_host_freeze_attempts_total{result="done"} 1`,
		`muster_host_phase{cohort="allies",phase="frozen"} 1`, `muster_host_members_complete{cohort="allies"} 8`, `muster_host_submissions_accepted{cohort="allies"} 8`,
		`muster_host_requests_total{method="POST",route="POST /tasks/{task}/reports",status="200"} 8`, `muster_host_info{role="leader",version="`)
	c.metric("calverra", `muster_host_receipts_set_aside{cohort="allies"} 1`, `muster_host_info{role="helper",version="`)
	c.wants("ostmere", map[string]string{"phase": `"frozen"`, "accepted": "8"})
	c.wantTotals(upTo(8)...)
}

// TestTooFew: what is frozen and never opened.
func TestTooFew(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	c.serve()
	c.deliver(upTo(3)...)
	c.clock.Store(hostingDeadline)
	c.refuses(3, "3 of 12 members took part, and the charter collects from 8 on", "host", "freeze", "--dir", c.at("ostmere"))
	if got, err := c.collected(); err == nil {
		t.Errorf("collected %d", got.Count)
	}
}

var aMember = regexp.MustCompile(`\bm[0-9][0-9]\b`)

// namesNobody wants that neither a host's log nor its metrics name a member.
func (c *hosting) namesNobody(host string) {
	c.t.Helper()
	for what, text := range map[string]string{"log": c.running[host].log.String(), "metrics": c.metric(host)} {
		if found := aMember.FindString(text); found != "" || len(text) < 200 {
			c.t.Errorf("the %s of %s names %q:\n%s", what, host, found, text)
		}
	}
}

// metric returns what a scrape of a host says, which must hold these texts.
func (c *hosting) metric(host string, wants ...string) string {
	c.t.Helper()
	response, err := http.Get("http://" + c.running[host].operations + "/metrics")
	check(c.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	check(c.t, err)
	for _, want := range wants {
		if !strings.Contains(string(body), "\n"+want) {
			c.t.Errorf("%s: no %s in\n%s", host, want, body)
		}
	}
	return string(body)
}

// TestHostsOnPostgres: the same commands beside hosts whose databases are servers,
// and a restore into another one.
func TestHostsOnPostgres(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	for _, host := range hostFolders {
		c.onPostgres(host)
	}
	c.serve()
	c.deliver(upTo(9)...)
	c.deliverBroken(9)
	c.clock.Store(hostingDeadline)
	c.refuses(1, "not accepted: m09", "host", "freeze", "--dir", c.at("ostmere"))
	c.must("host", "amend", "--dir", c.at("ostmere"), "--yes")
	backup := c.backup("calverra", "backup.age")
	if got := c.kinds("calverra"); got != "charter, roster, amendment" {
		t.Errorf("the record has: %s", got)
	}
	c.lose("calverra")
	restore := []string{"host", "restore", backup, c.at("calverra"), "--passphrase-file", c.passphrase(), "--coordinator-collected", "no"}
	c.refuses(2, "there is no", restore...) // connection string
	c.refuses(1, "the PostgreSQL database has tables already", append(restore, "--postgres", c.at("ostmere", "dsn"))...)
	check(t, os.WriteFile(c.at("another"), []byte(pgtest.DSN(t)), 0o600))
	c.restore("calverra", backup, "--coordinator-collected", "no", "--postgres", c.at("another"))
	dsn, err := os.ReadFile(c.at("another"))
	check(t, err)
	check(t, os.WriteFile(c.at("calverra", "dsn"), dsn, 0o600))
	c.serve("calverra")
	c.wantTotals(upTo(9)...)
	c.wants("calverra", map[string]string{"phase": `"collected"`, "accepted": "9"})
	c.clock.Store(hostingWipe)
	c.must("host", "wipe", "--dir", c.at("calverra"), "--yes")
	c.ended("calverra")
}
