package coalition_test

import (
	"bytes"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/keys"
)

// The targets below fuzz the parsers of signed files from real files of a cycle.
// A signature covers bytes, so what a parser accepts has one form: it encodes to
// the same bytes. Each changed body is signed anew by those who would have to,
// since a fuzzer that only breaks signatures never gets behind them.

func newCycle(f *testing.F) *coalitiontest.Cycle {
	return coalitiontest.New(f, coalitiontest.Config{
		Members: []coalition.MemberID{"Ostmark Bay", "Vik", "Zelenograd", "île"}, Layout: []byte(`{"blocks":["A1/level"]}`), Sizes: []uint16{7, 5},
	})
}

// fuzzForm adds the seeds, each of which has to be accepted, with changes that
// must not be, and fuzzes parse: it returns what it read, nil if it refuses.
func fuzzForm(f *testing.F, parse func(testing.TB, []byte) any, seeds ...[]byte) {
	f.Helper()
	for i, b := range seeds {
		if parse(f, b) == nil {
			f.Fatalf("seed %d is refused: %s", i, b)
		}
		f.Add(b)
		for _, changed := range [][]byte{
			bytes.Replace(b, []byte(`":`), []byte(`": `), 1),
			bytes.Replace(b, []byte(`"kind"`), []byte(`"Kind"`), 1),
			bytes.Replace(b, []byte(`{`), []byte(`{"also":1,`), 1),
			append(bytes.Clone(b), '\n'),
		} {
			if parse(f, changed) != nil {
				f.Fatalf("accepted: %s", changed)
			}
			f.Add(changed)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v := parse(t, b)
		if v == nil {
			return
		}
		again, err := keys.Canonical(v)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("accepted in another form than the one that is written: %v\n%s", err, again)
		}
		if diff := cmp.Diff(v, parse(t, again)); diff != "" {
			t.Errorf("the second reading differs: -first +second\n%s", diff)
		}
	})
}

// note signs body, unless it is no T in canonical form: that must be refused
// however it is signed, and signing takes far longer than refusing.
func note[T any](t testing.TB, kind keys.Kind, body []byte, signers ...*keys.Signer) []byte {
	t.Helper()
	if keys.DecodeCanonical(body, new(T)) != nil {
		return nil
	}
	sig, err := keys.Sign(kind, body, signers...)
	must(t, err)
	return sig
}

func canonicalOf(t testing.TB, v any) []byte {
	t.Helper()
	b, err := keys.Canonical(v)
	must(t, err)
	return b
}

func FuzzCharter(f *testing.F) {
	c := newCycle(f)
	fuzzForm(f, func(t testing.TB, b []byte) any {
		signed := coalition.SignedCharter{Body: b, Signature: note[coalition.Charter](t, keys.KindCharter, b, c.Coordinator, c.Leader, c.Helper)}
		charter, err := signed.Open()
		if err != nil {
			return nil
		}
		if digest, err := charter.Digest(); err != nil || digest != signed.Digest() {
			t.Fatalf("the charter that was read has the digest %s, its file %s: %v", digest, signed.Digest(), err)
		}
		return charter
	}, c.Signed.Body)
}

func FuzzReceipt(f *testing.F) {
	c := newCycle(f)
	task := c.Task(f)
	member := c.Charter.Cohorts[0].Members[0].ID
	receipt := coalition.NewReceipt(task.ID, member, 3, coalitiontest.Opens, dap.ReportID{7}, sha256.Sum256([]byte("leader")), sha256.Sum256([]byte("helper")))
	fuzzForm(f, func(t testing.TB, b []byte) any {
		signed := coalition.SignedReceipt{Body: b, Signature: note[coalition.Receipt](t, keys.KindReceipt, b, c.Members[member])}
		r, err := signed.Open(task.ID, task.MemberKey)
		if err != nil {
			return nil
		}
		if r.Member != member {
			t.Fatalf("a receipt of %s is signed by %s", r.Member, member)
		}
		return r
	}, canonicalOf(f, receipt))
}

func FuzzHeld(f *testing.F) {
	c := newCycle(f)
	receipt := coalition.NewReceipt(c.Task(f).ID, c.Charter.Cohorts[0].Members[0].ID, 3, coalitiontest.Opens, dap.ReportID{7}, sha256.Sum256([]byte("leader")), sha256.Sum256([]byte("helper")))
	digest := keys.Digest(canonicalOf(f, receipt))
	ack, err := receipt.Acknowledge(digest, 3, dap.RoleHelper, c.Helper)
	must(f, err)
	file, _, err := ack.Signed()
	must(f, err)
	fuzzForm(f, func(t testing.TB, b []byte) any {
		signed := coalition.SignedFile{Body: b, Signature: note[coalition.Held](t, keys.KindHeld, b, c.Helper)}
		h, err := c.Charter.OpenHeld(signed, receipt, digest)
		if err != nil {
			return nil
		}
		if h.Host != "helper" || h.Receipt != digest || h.Sequence != 3 {
			t.Fatalf("%+v is signed by the Helper for receipt %s", h, digest)
		}
		return h
	}, file.Body)
}

// roster returns a roster of everybody in the cycle, signed by both hosts.
func roster(t testing.TB, c *coalitiontest.Cycle) (coalition.Roster, coalition.SignedRoster) {
	t.Helper()
	var entries []coalition.RosterEntry
	for i, m := range c.Charter.Cohorts[0].Members {
		entries = append(entries, entry(m.ID, byte(i+1), uint64(i+1)))
	}
	r := coalition.NewRoster(c.Task(t).ID, entries)
	b := canonicalOf(t, r)
	return r, coalition.SignedRoster{Body: b, Signature: note[coalition.Roster](t, keys.KindRoster, b, c.Leader, c.Helper)}
}

func FuzzRoster(f *testing.F) {
	c := newCycle(f)
	task := c.Task(f).ID
	_, signed := roster(f, c)
	fuzzForm(f, func(t testing.TB, b []byte) any {
		signed := coalition.SignedRoster{Body: b, Signature: note[coalition.Roster](t, keys.KindRoster, b, c.Leader, c.Helper)}
		r, err := signed.Open(task, c.Leader.Public(), c.Helper.Public())
		if err != nil {
			return nil
		}
		if len(r.ByReport()) != len(r.Entries) {
			t.Fatal("two entries for one report")
		}
		return r
	}, signed.Body, canonicalOf(f, coalition.NewRoster(task, nil)))
}

func FuzzAmendment(f *testing.F) {
	c := newCycle(f)
	task := c.Task(f).ID
	r, signed := roster(f, c)
	strike := func(i int) coalition.Strike {
		return coalition.Strike{Member: r.Entries[i].Member, Report: r.Entries[i].Report, Reason: "vdaf_verify_error"}
	}
	fuzzForm(f, func(t testing.TB, b []byte) any {
		a, err := coalition.ParseAmendment(b, task, signed, nil)
		if err != nil {
			return nil
		}
		frozen := coalition.FrozenRoster{Roster: signed, Amendments: []coalition.SignedAmendment{
			{Body: b, Signature: note[coalition.Amendment](t, keys.KindAmendment, b, c.Leader, c.Helper)},
		}}
		if left, err := frozen.Open(task, c.Leader.Public(), c.Helper.Public()); err == nil && len(left.Entries) != len(r.Entries)-len(a.Struck) {
			t.Fatalf("%d strikes leave %d of %d entries", len(a.Struck), len(left.Entries), len(r.Entries))
		}
		return a
	}, canonicalOf(f, coalition.NewAmendment(task, signed, nil, []coalition.Strike{strike(2)})),
		canonicalOf(f, coalition.NewAmendment(task, signed, nil, []coalition.Strike{strike(0), strike(3)})))
}

func FuzzAddendum(f *testing.F) {
	c := newCycle(f)
	first, err := c.Charter.Postpone(nil, time.Unix(coalitiontest.Deadline+3600, 0), "the port is closed")
	must(f, err)
	fuzzForm(f, func(t testing.TB, b []byte) any {
		signed := coalition.SignedAddendum{Body: b, Signature: note[coalition.Addendum](t, keys.KindAddendum, b, c.Coordinator, c.Leader, c.Helper)}
		deadline, err := c.Charter.DeadlineAfter([]coalition.SignedAddendum{signed})
		if err != nil {
			return nil
		}
		var a coalition.Addendum
		must(t, keys.DecodeCanonical(b, &a))
		if a.Deadline != deadline.Unix() || a.Deadline <= coalitiontest.Deadline || a.Deadline >= coalitiontest.Wipe {
			t.Fatalf("the deadline in force is %v, the addendum says %d", deadline, a.Deadline)
		}
		return a
	}, canonicalOf(f, first))
}
