package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/keys"
)

// deliverBroken lets a member deliver what its receipt says and what does not
// open at the Helper.
func (c *hosting) deliverBroken(n int) {
	c.t.Helper()
	sealer, answers, leader, helper := c.member(n)
	sealed, err := sealer.Seal(answers, nil, 1)
	check(c.t, err)
	req, err := dap.Decode[dap.UploadRequest](dap.Variant18, sealed.Upload)
	check(c.t, err)
	report := &req.Reports[0]
	report.HelperEncryptedInputShare.Payload[0] ^= 1
	sealed.Upload, err = dap.Encode(dap.Variant18, req)
	check(c.t, err)
	ofLeader, err := coalition.PartDigest(report.ReportMetadata, report.PublicShare, report.LeaderEncryptedInputShare)
	check(c.t, err)
	ofHelper, err := coalition.PartDigest(report.ReportMetadata, report.PublicShare, report.HelperEncryptedInputShare)
	check(c.t, err)
	charter, _, _ := c.charter()
	task, err := charter.OpenTask("allies")
	check(c.t, err)
	signer, err := config.KeyFolder{Dir: c.at("members", memberName(n), "keys")}.Signer()
	check(c.t, err)
	sealed.Receipt, err = coalition.NewReceipt(task.ID, coalition.MemberID(memberName(n)), 1, c.clock.Load(), report.ReportMetadata.ReportID, ofLeader, ofHelper).Sign(signer)
	check(c.t, err)
	answer, err := leader.Upload(c.t.Context(), task.ID, sealed.Upload)
	check(c.t, err)
	if len(answer) > 0 {
		c.t.Fatal("the upload was refused")
	}
	check(c.t, leader.PutReceipt(c.t.Context(), sealed.Receipt))
	check(c.t, helper.PutReceipt(c.t.Context(), sealed.Receipt))
}

// TestAmend: what could not be added up is named, shown, struck by both, and the
// rest is collected.
func TestAmend(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	c.serve()
	c.deliver(upTo(9)...)
	c.deliverBroken(9)
	c.refuses(1, "the roster is not frozen", "host", "amend", "--dir", c.at("ostmere"), "--yes")
	c.clock.Store(hostingDeadline)
	c.refuses(1, "not accepted: m09 (hpke_decrypt_error); nothing was opened", "host", "freeze", "--dir", c.at("ostmere"))
	c.refuses(1, "strikes them from the roster, if the Helper signs, too", "host", "freeze", "--dir", c.at("ostmere"))
	c.wants("ostmere", map[string]string{"accepted": "9", "not_accepted": `[{"member":"m09","reason":"hpke_decrypt_error"}]`, "amendments": "[]"})
	c.refuses(2, "there is no terminal to ask on; nothing was struck", "host", "amend", "--dir", c.at("ostmere"))
	c.refuses(1, "calverra is the Helper: the Leader, ostmere, proposes amendments", "host", "amend", "--dir", c.at("calverra"), "--yes")
	if got, err := c.collected(); err == nil {
		t.Fatalf("collected %d before the amendment", got.Count)
	}
	out := c.must("host", "amend", "--dir", c.at("ostmere"), "--yes")
	for _, want := range []string{
		"  the submission of m09 (hpke_decrypt_error)\n", "9 submissions are left on the roster; the charter collects from 8 on.\n",
		"allies: amendment 1 is signed by both hosts: ", "allies: 9 submissions are verified and added up\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("amend does not say %q:\n%s", want, out)
		}
	}
	if _, _, stderr := c.run("host", "amend", "--dir", c.at("ostmere"), "--yes"); !strings.Contains(stderr, "there is nothing to strike") {
		t.Errorf("a second amend says:\n%s", stderr)
	}
	for _, host := range hostFolders {
		c.wants(host, map[string]string{"amendments": `[{"number":1,"struck":[{"member":"m09","reason":"hpke_decrypt_error"}]}]`})
		if got := c.kinds(host); got != "charter, roster, amendment" {
			t.Errorf("the record of %s has: %s", host, got)
		}
	}
	c.wantTotals(upTo(9)...)
}

// TestSetAside: a delivery that reached one host only is set aside by decision,
// and the lists agree.
func TestSetAside(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	c.serve()
	c.deliver(upTo(9)...)
	c.receiptOnly(8, 2, "calverra") // replaces, at one host, what is complete
	c.receiptOnly(9, 1, "calverra")
	c.clock.Store(hostingDeadline)
	c.refuses(1, "m08 has submission 1 at the Leader and 2 at the Helper; m09 is missing at the Leader", "host", "freeze", "--dir", c.at("ostmere"))
	set := func(member, sequence string) []string {
		return []string{"host", "set-aside", member, sequence, "--dir", c.at("calverra"), "--yes"}
	}
	c.refuses(2, "this host holds no submission 3 of m08", set("m08", "3")...)
	c.refuses(2, `"m99" is no member of a cohort of this cycle`, set("m99", "1")...)
	c.refuses(2, `"01" is no number of a submission`, set("m08", "01")...)
	c.refuses(2, "muster host set-aside needs MEMBER and SEQ", "host", "set-aside", "m08", "--dir", c.at("calverra"))
	c.refuses(2, "there is no terminal to ask on; nothing was set aside", set("m08", "2")[:6]...)
	if out := c.must(set("m08", "2")...); !strings.Contains(out, "Submission 2 of m08, in allies, will count for nothing at calverra, for good.") {
		t.Errorf("got %s", out)
	}
	c.must(set("m08", "2")...)
	c.must(set("m09", "1")...)
	c.wants("calverra", map[string]string{"set_aside": `[{"member":"m08","seq":2},{"member":"m09","seq":1}]`})
	c.must("host", "freeze", "--dir", c.at("ostmere"))
	c.refuses(1, "the list of submissions is fixed; none can be set aside any more", set("m07", "1")...)
	if got := c.kinds("calverra"); got != "charter, disagreement, submission set aside, submission set aside, roster" {
		t.Errorf("the Helper's record has: %s", got)
	}
	c.wantTotals(upTo(9)...)
}

// signedBy writes a file that these have signed, and returns its path.
func (c *hosting) signedBy(name string, kind keys.Kind, body []byte, folders ...string) string {
	c.t.Helper()
	var signers []*keys.Signer
	for _, folder := range folders {
		signer, err := config.KeyFolder{Dir: c.at(folder, "keys")}.Signer()
		check(c.t, err)
		signers = append(signers, signer)
	}
	note, err := keys.Sign(kind, body, signers...)
	check(c.t, err)
	check(c.t, os.WriteFile(c.at(name), body, 0o600))
	check(c.t, os.WriteFile(c.at(name+".sig"), note, 0o600))
	return c.at(name)
}

// addendum writes a postponement of the number that follows.
func (c *hosting) addendum(name string, earlier []coalition.SignedAddendum, to int64, reason string) string {
	c.t.Helper()
	charter, _, _ := c.charter()
	a, err := charter.Postpone(earlier, time.Unix(to, 0), reason)
	check(c.t, err)
	body, err := keys.Canonical(a)
	check(c.t, err)
	return c.signedBy(name, keys.KindAddendum, body, "coordinator")
}

func (c *hosting) readAddendum(path string) coalition.SignedAddendum {
	c.t.Helper()
	body, err := os.ReadFile(path)
	check(c.t, err)
	note, err := os.ReadFile(path + ".sig")
	check(c.t, err)
	return coalition.SignedAddendum{Body: body, Signature: note}
}

// TestApprovePostponement: three signatures move the deadline at each host that
// has them, no sooner, and no host signs two postponements of one number unasked.
func TestApprovePostponement(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	c.serve()
	c.deliver(upTo(8)...)
	const later = hostingDeadline + 7*24*3600
	path := c.addendum("addendum.json", nil, later, "an election\nin two capitals")
	approve := func(host string, more ...string) []string {
		return append([]string{"host", "approve", path, "--dir", c.at(host), "--yes"}, more...)
	}
	c.refuses(2, "there is no terminal to ask on; nothing was signed", "host", "approve", path, "--dir", c.at("ostmere"))
	out := c.must(approve("ostmere")...)
	for _, want := range []string{"Postponement 1 of the cycle now of Sea of Lights:", "  deadline  from 2026-10-11 14:13 UTC\n            to   2026-10-18 14:13 UTC\n", "  reason    an election in two capitals\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("the page does not say %q:\n%s", want, out)
		}
	}
	c.must(approve("ostmere")...) // again: the same signature
	c.wants("ostmere", map[string]string{"addenda": "[]", "deadline": `"2026-10-11T14:13:20Z"`})
	// Another one of the same number.
	kept := path
	path = c.addendum("other.json", nil, later+3600, "another")
	c.refuses(1, "this host signed another addendum 1, with the digest "+c.readAddendum(kept).Digest(), approve("ostmere")...)
	c.refuses(1, "this host signed another addendum 1", approve("ostmere", "--instead-of", c.readAddendum(path).Digest())...)
	path = kept
	c.must(approve("calverra")...)
	c.must(approve("calverra")...) // taken already
	c.wants("calverra", map[string]string{"deadline": `"2026-10-18T14:13:20Z"`})
	c.wants("ostmere", map[string]string{"deadline": `"2026-10-11T14:13:20Z"`})
	c.must(approve("ostmere")...)
	c.wants("ostmere", map[string]string{
		"addenda": `[{"deadline":"2026-10-18T14:13:20Z","number":1,"reason":"an election\nin two capitals"}]`, "deadline": `"2026-10-18T14:13:20Z"`,
	})
	c.clock.Store(hostingDeadline)
	c.deliver(8) // the serving processes have it, too
	first := c.readAddendum(path)
	path = c.addendum("second.json", []coalition.SignedAddendum{first}, later+3600, "and an hour")
	c.must(approve("calverra", "--instead-of", "nothing")...)
	path = c.addendum("withdrawn.json", []coalition.SignedAddendum{first}, later+7200, "two hours, rather")
	c.must(approve("calverra", "--instead-of", c.readAddendum(c.at("second.json")).Digest())...)
	c.clock.Store(later)
	c.must("host", "freeze", "--dir", c.at("ostmere"))
	c.refuses(1, "the list of submissions is fixed; the deadline cannot be moved any more", approve("ostmere")...)
	if got := c.kinds("ostmere"); got != "charter, approval, addendum, roster" {
		t.Errorf("the Leader's record has: %s", got)
	}
	if got := c.kinds("calverra"); got != "charter, approval, addendum, approval, approval, roster" {
		t.Errorf("the Helper's record has: %s", got)
	}
	c.wantTotals(upTo(9)...)
}

// TestApproveRefuses: what is not the coordinator's, not of this charter, or does
// not follow.
func TestApproveRefuses(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	charter, _, _ := c.charter()
	a, err := charter.Postpone(nil, time.Unix(hostingDeadline+1000, 0), "a reason")
	check(t, err)
	for i, row := range []struct {
		name   string
		change func(*coalition.Addendum)
		signer string
		code   int
		words  string
	}{
		{"not the coordinator's", func(*coalition.Addendum) {}, "ostmere", 2, "the postponement is not signed by the coordinator"},
		{"of another charter", func(a *coalition.Addendum) { a.Charter = strings.Repeat("ab", 32) }, "coordinator", 2, "belongs to another charter"},
		{"the second first", func(a *coalition.Addendum) { a.Number, a.Previous = 2, strings.Repeat("ab", 32) }, "coordinator", 1, "the postponement has the number 2 and does not follow from the 0 that this host has taken"},
		{"an earlier day", func(a *coalition.Addendum) { a.Deadline = hostingDeadline - 1 }, "coordinator", 2, "a postponement moves the deadline to a later time"},
	} {
		changed := a
		row.change(&changed)
		body, err := keys.Canonical(changed)
		check(t, err)
		path := c.signedBy(fmt.Sprintf("addendum-%d.json", i), keys.KindAddendum, body, row.signer)
		c.refuses(row.code, row.words, "host", "approve", path, "--dir", c.at("ostmere"), "--yes")
	}
	c.refuses(2, "the charter cannot be read", "host", "approve", c.signedBy("x.json", keys.KindEntry, []byte(`{"kind":"muster something v1"}`), "coordinator"), "--dir", c.at("ostmere"), "--yes")
}

// TestApproveRelease: a host signs a release of the roster that it signed, once.
func TestApproveRelease(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	c.serve()
	c.deliver(upTo(10)...)
	c.clock.Store(hostingDeadline)
	c.must("host", "freeze", "--dir", c.at("ostmere"))
	backup := c.backup("ostmere", "before.age")
	coordinator := []string{"--dir", c.at("coordinator"), "--charter", c.at("charter.json"), "--framework", lights}
	c.must(append([]string{"collect", "run", "--out", c.at("collected")}, coordinator...)...)
	good := c.at("release.json")
	if code, _, stderr := c.run(append([]string{"collect", "release", "--aggregate", c.at("collected", "aggregate.json"), "--first", "--out", good}, coordinator...)...); code != 0 {
		t.Fatal(stderr)
	}
	body, err := os.ReadFile(good)
	check(t, err)
	// changed is the release with other fields, signed by the coordinator all the same.
	changed := func(name string, change map[string]any) string {
		t.Helper()
		var fields map[string]any
		check(t, json.Unmarshal(body, &fields))
		maps.Copy(fields, change)
		b, err := keys.Canonical(fields)
		check(t, err)
		return c.signedBy(name, keys.KindRelease, b, "coordinator")
	}
	approve := func(path string, more ...string) []string {
		return append([]string{"host", "approve", path, "--dir", c.at("ostmere"), "--yes"}, more...)
	}
	c.refuses(1, "is of another charter", approve(changed("a.json", map[string]any{"charter_digest": strings.Repeat("ab", 32)}))...)
	c.refuses(1, "is of another roster than the one that this host signed", approve(changed("b.json", map[string]any{"roster_digest": strings.Repeat("ab", 32)}))...)
	c.refuses(2, "the release is not of one of the groups that it lists as released", approve(changed("c.json", map[string]any{"cohort": "foes"}))...)
	c.refuses(2, "the release is not signed by", approve(c.signedBy("d.json", keys.KindRelease, body, "calverra"))...)
	// Two forms of one file are two files to a reader.
	spaced := bytes.Replace(body, []byte(`{`), []byte(`{ `), 1)
	c.refuses(2, "the release", approve(c.signedBy("e.json", keys.KindRelease, spaced, "coordinator"))...)
	// A host that does not know of the collection.
	c.must("host", "restore", backup, c.at("restored"), "--passphrase-file", c.passphrase())
	check(t, os.CopyFS(c.at("restored", "keys"), os.DirFS(c.at("ostmere", "keys"))))
	for _, name := range c.secretsOf("restored") {
		check(t, os.Chmod(c.at("restored", "keys", name), 0o600))
	}
	c.refuses(1, "is of totals that this host has not given", "host", "approve", good, "--dir", c.at("restored"), "--yes")

	if out := c.must(approve(good)...); !strings.Contains(out, "The release of allies, cycle now of Sea of Lights:") {
		t.Errorf("got %s", out)
	}
	if _, _, stderr := c.run(approve(good)...); !strings.Contains(stderr, "this host has signed the release already") {
		t.Errorf("again: %s", stderr)
	}
	charter, _, _ := c.charter()
	note, err := os.ReadFile(good + ".sig")
	check(t, err)
	check(t, keys.Verify(keys.KindRelease, body, note, charter.Coordinator.Key, charter.Leader.Key))
	again := changed("f.json", map[string]any{"coalition": "Sea of Darkness"})
	c.refuses(1, "this host signed another release allies, with the digest "+keys.Digest(body), approve(again)...)
	c.must(approve(again, "--instead-of", keys.Digest(body))...)
	if got := c.kinds("ostmere"); got != "charter, roster, aggregate share, approval, approval" {
		t.Errorf("the record has: %s", got)
	}
}
