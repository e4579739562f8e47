package verify_test

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/ledger/ledgertest"
	"muster/internal/silence"
	"muster/internal/verify"
)

// edition takes the world's edition through a procedure of its own, with the first of
// the members as parties, and enters its steps before the wipes.
func (w *world) edition(parties int, adopted bool) {
	w.Helper()
	w.editionFor(24*time.Hour, parties, adopted)
}

// editionFor is edition with a silence of a length.
func (w *world) editionFor(length time.Duration, parties int, adopted bool) {
	w.Helper()
	now := time.Unix(coalitiontest.Deadline, 0).Add(24 * time.Hour)
	store := new(memory)
	chair := silence.New(silence.Config{
		Coalition: w.l.Cycle.Charter.Coalition, Signer: w.l.Cycle.Coordinator, Store: store, Vault: plain{}, Now: func() time.Time { return now }, Rand: rand.Reader,
	})
	digest := w.statements[w.index(ledger.KindEdition)].Fields["digest"]
	proposal := silence.Proposal{Subject: silence.Subject{Kind: silence.Edition, Name: "public edition", Digest: digest}, Comments: now.Add(24 * time.Hour), Period: length}
	for _, m := range w.l.Cycle.Charter.Cohorts[0].Members[:parties] {
		proposal.Parties = append(proposal.Parties, silence.Party{Member: m.ID, Key: m.Key})
	}
	p, err := chair.Propose(context.Background(), proposal)
	w.must(err)
	now = now.Add(24 * time.Hour)
	p, err = chair.Put(context.Background(), p.ID, "", now.Add(length))
	w.must(err)
	if adopted {
		now = now.Add(24 * time.Hour)
		_, err = chair.Settle(context.Background(), p.ID)
	} else {
		_, err = chair.Reopen(context.Background(), p.ID)
	}
	w.must(err)
	var entered []ledger.Statement
	for _, step := range store.steps {
		s, err := w.l.Ledger.Silence(step)
		w.must(err)
		entered = append(entered, s)
		w.files[keys.Digest(step.Body)] = part{kind: ledger.KindSilence, body: step.Body}
		if s.Fields["act"] == "put" {
			w.after[s.ID()] = time.Unix(coalitiontest.Deadline, 0).Add(49 * time.Hour)
		}
	}
	w.insert(entered...)
}

// endedAs is the entry of how a procedure over the edition ended, by its place among them.
func (w *world) endedAs(n int, adopted bool) ledger.Statement {
	w.Helper()
	digest := w.statements[w.index(ledger.KindEdition)].Fields["digest"]
	var ids []string
	for _, s := range w.statements {
		if s.Kind == ledger.KindSilence && s.Fields["text"] == digest && !slices.Contains(ids, s.Fields["procedure"]) {
			ids = append(ids, s.Fields["procedure"])
		}
	}
	s, err := w.l.Ledger.Adoption("edition", digest, ids[n], 1, adopted)
	w.must(err)
	return s
}

// twice takes the edition through two procedures, and enters how each ended.
func (w *world) twice(first, second bool) {
	w.Helper()
	w.edition(12, first)
	w.insert(w.endedAs(0, first))
	w.edition(12, second)
	w.insert(w.endedAs(1, second))
}

// insert enters statements before the wipes.
func (w *world) insert(list ...ledger.Statement) {
	w.statements = slices.Insert(w.statements, w.index(ledger.KindWipe), list...)
}

// ended is the coordinator's entry of how the procedure over the edition ended.
func (w *world) ended(adopted bool) ledger.Statement {
	w.Helper()
	s, err := w.l.Ledger.Adoption("edition", w.statements[w.index(ledger.KindEdition)].Fields["digest"], "", 1, adopted)
	w.must(err)
	return s
}

// TestEditions holds what the record says of an edition's adoption against its steps.
func TestEditions(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		do      func(*world)
		verdict verify.Verdict
		code    string
	}{
		{"adopted", func(w *world) { w.edition(12, true); w.insert(w.ended(true)) }, verify.Holds, "edition_adopted"},
		{"nothing is said", func(*world) {}, verify.Unchecked, "edition_unadopted"},
		{"said to be adopted, without steps", func(w *world) { w.insert(w.ended(true)) }, verify.Unchecked, "edition_bare"},
		{"adopted, and its steps are for others", func(w *world) { w.edition(12, true); w.insert(w.ended(true)); w.outside() }, verify.Unchecked, "edition_said"},
		{"the steps end reopened", func(w *world) { w.edition(12, false); w.insert(w.ended(true)) }, verify.Fails, "edition_contradicts"},
		{"said to be reopened, and adopted", func(w *world) { w.edition(12, true); w.insert(w.ended(false)) }, verify.Fails, "edition_contradicts"},
		{"reopened", func(w *world) { w.edition(12, false); w.insert(w.ended(false)) }, verify.Fails, "edition_reopened"},
		{"adopted, and taken back by another procedure", func(w *world) { w.twice(true, false) }, verify.Fails, "edition_reopened"},
		{"reopened, and adopted by another procedure", func(w *world) { w.twice(false, true) }, verify.Holds, "edition_adopted"},
		{"taken back, and the steps are for others", func(w *world) { w.twice(true, false); w.outside() }, verify.Fails, "edition_reopened"},
		{"taken back by a step alone", func(w *world) { w.edition(12, true); w.insert(w.endedAs(0, true)); w.edition(12, false) }, verify.Fails, "edition_reopened"},
		{"taken back, and said to be adopted", func(w *world) {
			w.edition(12, true)
			w.insert(w.endedAs(0, true))
			w.edition(12, false)
			w.insert(w.endedAs(1, true))
		}, verify.Fails, "edition_contradicts"},
		{"one party of twelve", func(w *world) { w.edition(1, true); w.insert(w.ended(true)) }, verify.Fails, "edition_left_out"},
		{"of two releases", func(w *world) {
			s := w.statements[w.index(ledger.KindEdition)]
			other := s
			other.Signature, other.Fields = "", map[string]string{"digest": s.Fields["digest"], "audience": "allied", "release": ledger.Digest([]byte("another"))}
			w.statements = slices.Insert(w.statements, w.index(ledger.KindEdition), other)
		}, verify.Fails, "edition_two"},
		{"the release is another", func(w *world) { w.change(w.index(ledger.KindEdition), "release", ledger.Digest([]byte("another"))) }, verify.Fails, "edition_release"},
		{"an edition that nobody entered", func(w *world) {
			w.insert(w.ended(true))
			w.change(w.index(ledger.KindEdition), "digest", ledger.Digest([]byte("another")))
		}, verify.Unchecked, "edition_unknown"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 12, 0)
			row.do(w)
			r := w.verify(w.config())
			if !slices.Contains(codes(r, row.verdict), row.code) || (row.verdict != verify.Fails) == r.Failed() {
				t.Errorf("%s is not found:\n%s", row.code, listing(r))
			}
			if row.verdict == verify.Holds && slices.ContainsFunc(r.Findings, func(f verify.Finding) bool { return strings.HasPrefix(f.Code, "time_") && f.Code != "times" }) {
				t.Errorf("seen while it lasted:\n%s", listing(r))
			}
		})
	}
}

// TestAcknowledgedRound: a chair that acknowledged a break in a round that the record
// does not have showed somebody another step than the record has.
func TestAcknowledgedRound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, 0)
	of := w.statements[w.index(ledger.KindSilence)].Fields["procedure"]
	acknowledge := func(procedure string) coalition.SignedFile {
		body, err := keys.Canonical(silence.Acknowledgement{
			Kind: "muster silence acknowledgement v1", Coalition: w.l.Cycle.Charter.Coalition, Procedure: procedure,
			Round: ledger.Digest([]byte("another step")), Break: ledger.Digest([]byte("a break")), Received: coalitiontest.Opens - 20*86400, Counts: silence.InTime,
		})
		w.must(err)
		note, err := keys.Sign(keys.KindSilenceReceived, body, w.l.Cycle.Coordinator)
		w.must(err)
		return coalition.SignedFile{Body: body, Signature: note}
	}
	cfg := w.config()
	cfg.Acknowledgements = []coalition.SignedFile{acknowledge(of)}
	fails(t, w.verify(cfg), "ack_round")
	cfg.Acknowledgements = []coalition.SignedFile{acknowledge("00112233445566778899aabbccddeeff")}
	if r := w.verify(cfg); r.Failed() || !slices.Contains(codes(r, verify.Unchecked), "ack_steps") {
		t.Errorf("of another procedure:\n%s", listing(r))
	}
	cfg.Acknowledgements = []coalition.SignedFile{acknowledge(of)}
	w.outside()
	fails(t, w.verify(cfg), "ack_round") // by the entries
}

// outside leaves out what a bundle for those outside the coalition does not have.
func (w *world) outside() {
	w.without(ledger.KindRoster, ledger.KindAmendment, ledger.KindSilence)
	w.receipts = nil
}

// TestAcknowledgedWithoutSteps: a bundle without steps, or without one of them, takes
// nothing from an acknowledgement that contradicts what is entered.
func TestAcknowledgedWithoutSteps(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		dishonest bool
		do        func(*world)
		code      string // fails; empty: nothing does
	}{
		{"for the public", true, (*world).outside, "ack_contradicts"},
		{"one step is left out, of a bundle with names", true, func(w *world) { delete(w.files, keys.Digest(w.steps[1].Body)) }, "ack_contradicts"},
		{"one step is left out, of one without", true, func(w *world) {
			steps := w.steps
			w.outside()
			for _, s := range steps[1:] {
				w.files[keys.Digest(s.Body)] = part{kind: ledger.KindSilence, body: s.Body}
			}
		}, "ack_contradicts"},
		{"honest, for the public", false, (*world).outside, ""},
		{"honest, and a step is left out of a bundle with names", false, func(w *world) { delete(w.files, keys.Digest(w.steps[0].Body)) }, "steps_left_out"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 12, 1)
			w.silence(row.dishonest)
			row.do(w)
			cfg := w.config()
			cfg.Acknowledgements = []coalition.SignedFile{w.acknowledgement}
			r := w.verify(cfg)
			if row.code != "" {
				fails(t, r, row.code)
				return
			}
			if r.Failed() || !slices.Contains(codes(r, verify.Unchecked), "ack_steps") {
				t.Errorf("the record contradicts nothing:\n%s", listing(r))
			}
		})
	}
}

// TestShortSilence: how long a silence was is said, and less than a day fails where the
// charter is not marked.
func TestShortSilence(t *testing.T) {
	t.Parallel()
	const second = time.Second
	for _, row := range []struct {
		name             string
		unmarked         bool
		charter, edition time.Duration
		said             string   // of the charter
		fails            []string // codes
	}{
		{"five days and one", true, 0, 24 * time.Hour, "5 days", nil},
		{"a day to the second", true, 24 * time.Hour, 24 * time.Hour, "24 hours", nil},
		{"a second less", true, 24*time.Hour - second, 24*time.Hour - second, "23 hours", []string{"adoption_short", "edition_short"}},
		{"a second", true, second, second, "1 s", []string{"adoption_short", "edition_short"}},
		{"a second, marked", false, second, second, "1 s", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, harbour, 12, 0, func(cfg *ledgertest.Config) { cfg.Unmarked, cfg.Named = row.unmarked, true })
			w.length = row.charter
			w.silence(false)
			w.editionFor(row.edition, 12, true)
			w.insert(w.endedAs(0, true))
			r := w.verify(w.config())
			got := slices.DeleteFunc(codes(r, verify.Fails), func(code string) bool { return strings.HasPrefix(code, "time_") })
			if !slices.Equal(got, row.fails) {
				t.Errorf("fails: %v\n%s", got, listing(r))
			}
			if !slices.ContainsFunc(r.Findings, func(f verify.Finding) bool {
				return (f.Code == "adopted" || f.Code == "adoption_short") && strings.Contains(f.Text["en"], row.said)
			}) {
				t.Errorf("it does not say %s\n%s", row.said, listing(r))
			}
		})
	}
}
