package verify_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/disclosure"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/ledger/ledgertest"
	"muster/internal/release"
	"muster/internal/verify"
)

// wantHolds are the sentences that an honest cycle with everything in its bundle gives.
func wantHolds() []string {
	return []string{
		"whole", "log_signed", "witnessed", "charter_signed", "entries_signed", "adopted", "phases", "deadline", "times", "receipts", "receipts_opened", "receipts_signed",
		"roster_opened", "roster", "shares", "release", "approved", "rule", "attacked", "edition", "wipe", "wipe",
	}
}

func codes(r *verify.Report, v verify.Verdict) []string {
	var list []string
	for _, f := range r.Findings {
		if f.Verdict == v {
			list = append(list, f.Code)
		}
	}
	return list
}

func listing(r *verify.Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		b.WriteString(string(f.Step) + " " + string(f.Verdict) + ": " + f.Text.In("en") + " | " + f.Detail + " | " + f.Place + "\n")
	}
	return b.String()
}

func TestHonest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, 1)
	cfg := w.config()
	cfg.Acknowledgements = []coalition.SignedFile{w.acknowledgement}
	cfg.Charter = w.l.Cycle.Signed.Digest()
	cfg.Receipts = []coalition.SignedReceipt{w.l.Receipts[4], w.l.Receipts[11]}
	r := w.verify(cfg)
	want := append(wantHolds(), "ack_fits", "charter_same", "own_counts", "own_struck")
	got := codes(r, verify.Holds)
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) || r.Failed() {
		t.Fatalf("holds %v\nwant  %v\n%s", got, want, listing(r))
	}
	if r.Checkpoint == nil || r.Coalition != "test" || r.Marking != "SYNTHETIC" {
		t.Errorf("%q of %q, checkpoint %q", r.Coalition, r.Marking, r.Checkpoint)
	}
	for _, f := range r.Findings {
		if f.Text.In("en") == f.Code || f.Text.In("en") == "" || f.Text.In("fr") == "" || strings.Contains(f.Text.In("en")+f.Text.In("fr"), "%!") {
			t.Errorf("%s has no words: %v", f.Code, f.Text)
		}
	}
}

// TestPublic checks the bundle that everybody may have: no roster, no amendment, no
// receipts, no steps. What can be checked holds.
func TestPublic(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, 1)
	w.without(ledger.KindRoster, ledger.KindAmendment, ledger.KindSilence)
	w.receipts = nil
	members := w.bundle()
	r := w.verify(w.config())
	if r.Failed() {
		t.Fatal(listing(r))
	}
	for _, code := range []string{"receipts", "roster", "release", "rule", "attacked"} {
		if !slices.Contains(codes(r, verify.Holds), code) {
			t.Errorf("%s does not hold:\n%s", code, listing(r))
		}
	}
	for _, code := range []string{"receipts_whose", "roster_absent", "adoption_said"} {
		if !slices.Contains(codes(r, verify.Unchecked), code) {
			t.Errorf("%s is not said:\n%s", code, listing(r))
		}
	}
	_ = members

	// Without the release, as everybody has it, it is not said that there is none.
	w.without(ledger.KindRelease)
	r = w.verify(w.config())
	absent := 0
	for _, f := range r.Findings {
		if f.Code == "release_absent" {
			absent++
		}
		if f.Step == verify.StepAttack && f.Code == "nothing" {
			t.Error("it is said that the record has no release")
		}
	}
	if absent != 3 || r.Failed() {
		t.Errorf("%d times it is said that the release is not here\n%s", absent, listing(r))
	}
}

// TestFound is what somebody may have done, each with all signatures that it could
// get, and the sentence that finds it.
func TestFound(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name  string
		do    func(*world, *verify.Config)
		want  string      // the code of a finding that fails
		place ledger.Kind // the kind whose first entry, or file, is named; empty: anything
	}{
		{"a receipt is dropped", func(w *world, _ *verify.Config) { w.drop(ledger.KindReceipt) }, "receipts_wrong", ledger.KindRoster},
		{"a receipt is exchanged", func(w *world, _ *verify.Config) {
			i := w.index(ledger.KindReceipt)
			w.change(i, "receipt", ledger.Digest([]byte("another")))
		}, "receipts_wrong", ledger.KindRoster},
		{"the roster is swapped", func(w *world, _ *verify.Config) { w.swapRoster() }, "receipt_dropped", ""},
		{"the release is of another roster", func(w *world, _ *verify.Config) {
			w.change(w.index(ledger.KindRelease), "roster", ledger.Digest([]byte("another")))
		}, "release_roster", ledger.KindRelease},
		{"the release counts more", func(w *world, _ *verify.Config) { w.change(w.index(ledger.KindRelease), "submissions", "12") }, "release_count", ledger.KindRelease},
		{"the release shows what the rule does not", func(w *world, _ *verify.Config) { w.forgeRelease() }, "rule_broken", ""},
		{"the release is of another charter", func(w *world, _ *verify.Config) {
			w.remake(func(r *release.Release) { r.CharterDigest = ledger.Digest([]byte("another")) })
		}, "release_wrong", ""},
		{"the release has lower thresholds", func(w *world, _ *verify.Config) {
			w.remake(func(r *release.Release) { r.Thresholds.MinimumBatch = 9 })
		}, "release_wrong", ""},
		{"a host did not approve", func(w *world, _ *verify.Config) { w.drop(ledger.KindApproval) }, "approval_missing", ledger.KindRelease},
		{"a host's half is not entered", func(w *world, _ *verify.Config) { w.drop(ledger.KindShare) }, "shares_missing", ""},
		{"a strike is dropped", func(w *world, _ *verify.Config) { w.drop(ledger.KindStrike) }, "amendment_wrong", ledger.KindAmendment},
		{"a phase is left out", func(w *world, _ *verify.Config) { w.drop(ledger.KindPhase) }, "phase_first", ledger.KindPhase},
		{"the framework is another", func(w *world, _ *verify.Config) { w.drop(ledger.KindFramework) }, "framework_missing", ""},
		{"the charter's entry lies", func(w *world, _ *verify.Config) { w.change(w.index(ledger.KindCharter), "members", "13") }, "charter_entry", ledger.KindCharter},
		{"a step is left out", func(w *world, _ *verify.Config) {
			i := w.index(ledger.KindSilence)
			w.statements = slices.Delete(w.statements, i+1, i+2)
		}, "step_missing", ""},
		{"adopted against an acknowledged break", func(w *world, cfg *verify.Config) {
			w.silence(true)
			cfg.Acknowledgements = []coalition.SignedFile{w.acknowledgement}
		}, "ack_contradicts", ""},
		{"the record says reopened last", func(w *world, _ *verify.Config) {
			s, err := w.l.Ledger.Adoption("charter", w.l.Cycle.Signed.Digest(), 2, false)
			w.must(err)
			w.statements = append(w.statements, s)
		}, "adoption_contradicts", ""},
		{"closed before the deadline", func(w *world, _ *verify.Config) {
			w.early[w.index(ledger.KindShare)] = time.Unix(coalitiontest.Deadline-3600, 0)
		}, "time_roster", ledger.KindRoster},
		{"a step is dated later than it was seen", func(w *world, _ *verify.Config) {
			w.early[w.index(ledger.KindSilence)+len(w.steps)] = time.Unix(coalitiontest.Opens, 0).AddDate(0, 0, -40)
		}, "time_step", ""},
		{"an attestation is dated later than it was seen", func(w *world, _ *verify.Config) { w.at = time.Unix(coalitiontest.Wipe-86400, 0) }, "time_wipe", ""},
		{"an entry is signed by nobody who may", func(w *world, _ *verify.Config) {
			i := w.index(ledger.KindPhase)
			w.statements[i].Signature = ""
			signed, err := w.statements[i].Sign(w.l.Cycle.Leader)
			w.must(err)
			w.statements[i] = signed
		}, "entry_unsigned", ledger.KindPhase},
		{"no witness has seen it", func(w *world, _ *verify.Config) { w.cosigners = nil }, "witness_missing", ""},
		{"too few witnesses have seen it", func(w *world, cfg *verify.Config) {
			w.cosigners = w.cosigners[:1]
			cfg.Policy.Threshold = 2
		}, "witness_missing", ""},
		{"the only witness is replaced", func(w *world, _ *verify.Config) {
			w.cosigners = []*keys.Signer{ledgertest.Signer(w, "another.example")}
		}, "witness_missing", ""},
		{"the coordinator is its own witness", func(w *world, cfg *verify.Config) {
			public, err := w.l.Cycle.Coordinator.Public().Cosigner()
			w.must(err)
			cfg.Policy.Witnesses = []keys.Public{public}
			w.cosigners = []*keys.Signer{w.l.Cycle.Coordinator}
		}, "witness_coordinator", ""},
		{"the record has another key", func(w *world, cfg *verify.Config) {
			cfg.Policy.Log = ledgertest.Signer(w, "other-ledger.example").Public()
		}, "log_unsigned", ""},
		{"the reader has another charter", func(_ *world, cfg *verify.Config) { cfg.Charter = ledger.Digest([]byte("another")) }, "charter_other", ""},
		{"a member's submission is not on the list", func(w *world, cfg *verify.Config) {
			cfg.Receipts = []coalition.SignedReceipt{w.receiptOf(3, 2)}
		}, "own_other", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			members := 12
			if row.want == "rule_broken" {
				members = 40 // fewer have no bands to take together
			}
			w := newWorld(t, members, 1)
			cfg := w.config()
			row.do(w, &cfg)
			r := w.verify(cfg)
			i := slices.IndexFunc(r.Findings, func(f verify.Finding) bool { return f.Verdict == verify.Fails && f.Code == row.want })
			if i < 0 {
				t.Fatalf("%s is not found:\n%s", row.want, listing(r))
			}
			if row.place != "" {
				if want := "#" + strconv.Itoa(w.index(row.place)); !strings.HasSuffix(r.Findings[i].Place, want) {
					t.Errorf("named is %q, not entry %s", r.Findings[i].Place, want)
				}
			}
		})
	}
}

// change changes a field of a statement, which the coordinator signs again.
func (w *world) change(i int, field, value string) {
	s := w.statements[i]
	fields := make(map[string]string)
	for k, v := range s.Fields {
		fields[k] = v
	}
	fields[field] = value
	s.Fields, s.Signature = fields, ""
	w.statements[i] = s
}

// swapRoster has both hosts sign another list, with one member's receipt taken
// for another's, and enters it in the place of the first.
func (w *world) swapRoster() {
	w.Helper()
	task := w.l.Cycle.Task(w).ID
	roster, err := coalition.ParseRoster(w.l.Frozen.Roster.Body, task)
	w.must(err)
	roster.Entries[5].Receipt = ledger.Digest([]byte("another"))
	body, err := keys.Canonical(roster)
	w.must(err)
	note, err := keys.Sign(keys.KindRoster, body, w.l.Cycle.Leader, w.l.Cycle.Helper)
	w.must(err)
	i := w.index(ledger.KindRoster)
	delete(w.files, w.statements[i].Fields["digest"])
	w.change(i, "digest", keys.Digest(body))
	w.statements[i].Note = string(note)
	w.files[keys.Digest(body)] = part{ledger.KindRoster, body}
	w.receipts = nil
	w.without(ledger.KindAmendment)
}

// remake changes the release and has everybody sign it.
func (w *world) remake(change func(*release.Release)) {
	w.Helper()
	r, err := release.Parse(w.l.Release.Body)
	w.must(err)
	change(r)
	w.enterRelease(r)
}

func (w *world) enterRelease(r *release.Release) {
	w.Helper()
	body, err := keys.Canonical(r)
	w.must(err)
	old := keys.Digest(w.l.Release.Body)
	for i, s := range w.statements {
		signer := map[string]*keys.Signer{"leader": w.l.Cycle.Leader, "helper": w.l.Cycle.Helper}[s.Fields["host"]]
		switch {
		case s.Kind == ledger.KindRelease:
			signer = w.l.Cycle.Coordinator
		case s.Kind == ledger.KindEdition:
			w.change(i, "release", keys.Digest(body))
			continue
		case s.Kind != ledger.KindApproval:
			continue
		}
		note, err := keys.Sign(keys.KindRelease, body, signer)
		w.must(err)
		w.change(i, "digest", keys.Digest(body))
		w.statements[i].Note = string(note)
	}
	delete(w.files, old)
	w.files[keys.Digest(body)] = part{ledger.KindRelease, body}
}

// forgeRelease shows that nobody said nothing, which the rule never shows: by who can
// write a release that reads well.
func (w *world) forgeRelease() {
	w.Helper()
	w.remake(func(r *release.Release) {
		level := &r.Areas[0].Outcomes[0].Level
		bands := level.Bands()
		first := bands[0]
		if len(first.Units) < 2 {
			w.Fatal("the first unit stands alone")
		}
		forged, err := json.Marshal(map[string]any{"bands": append([]disclosure.Band{{Units: first.Units[:1]}, {Units: first.Units[1:], Count: first.Count}}, bands[1:]...)})
		w.must(err)
		w.must(json.Unmarshal(forged, level))
	})
}

// receiptOf is a receipt that a member signed, for a submission of its own.
func (w *world) receiptOf(n int, sequence uint64) coalition.SignedReceipt {
	w.Helper()
	task := w.l.Cycle.Task(w)
	m := task.Cohort.Members[n].ID
	signed, err := coalition.NewReceipt(task.ID, m, sequence, coalitiontest.Opens, [16]byte{9}, [32]byte{1}, [32]byte{2}).Sign(w.l.Cycle.Members[m])
	w.must(err)
	return signed
}

// TestRewound keeps the checkpoint of one run and shows the next one a record that
// was turned back, and one that was written anew.
func TestRewound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, 0)
	seen := w.verify(w.config()).Checkpoint
	if seen == nil {
		t.Fatal("the checkpoint of an honest record does not count")
	}
	cfg := w.config()
	cfg.Seen = seen
	if r := w.verify(cfg); r.Failed() || !slices.Contains(codes(r, verify.Holds), "follows_seen") {
		t.Fatal(listing(r))
	}
	whole := slices.Clone(w.statements)
	w.statements = whole[:len(whole)-2] // turned back
	back := w.verify(cfg)
	w.statements = slices.Clone(whole) // written anew, with everything in it
	i := w.index(ledger.KindPhase)
	w.statements[i], w.statements[i+1] = w.statements[i+1], w.statements[i]
	anew := w.verify(cfg)
	for name, r := range map[string]*verify.Report{"turned back": back, "written anew": anew} {
		if !slices.Contains(codes(r, verify.Fails), "rewound") {
			t.Errorf("%s: not found\n%s", name, listing(r))
		}
		if r.Checkpoint != nil {
			t.Errorf("%s: its checkpoint would be kept in the place of the one that shows it", name)
		}
	}
	cfg.Seen = bytes.Replace(seen, []byte("ledger.example"), []byte("another.exampl"), 1)
	if _, err := verify.Folder(t.Context(), w.bundle(), cfg); err == nil {
		t.Error("a kept checkpoint of another ledger is taken")
	}
}

// TestAhead: the clock of a cycle that is marked may run ahead, which is said; that of
// a real one may not.
func TestAhead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, 0)
	w.at = time.Unix(coalitiontest.Wipe+80000, 0)
	if r := w.verify(w.config()); r.Failed() || !slices.Contains(codes(r, verify.Unchecked), "time_ahead") {
		t.Errorf("of a marked cycle:\n%s", listing(r))
	}
	w.without(ledger.KindCharter)
	if r := w.verify(w.config()); !slices.Contains(codes(r, verify.Fails), "witness_future") {
		t.Errorf("of one that is not known to be marked:\n%s", listing(r))
	}
}

// TestSentences: every sentence is in both languages, with places for the same
// arguments.
func TestSentences(t *testing.T) {
	t.Parallel()
	for _, code := range verify.Codes() {
		en, fr := verify.Template(code)
		if en == "" || fr == "" || strings.Count(en, "%") != strings.Count(fr, "%") {
			t.Errorf("%s: %q, %q", code, en, fr)
		}
	}
	if len(verify.Limits()) < 5 || len(verify.Steps()) < 20 {
		t.Error("there is too little to say")
	}
	for _, s := range verify.Steps() {
		if s.Title().In("en") == "" || s.Title().In("fr") == "" {
			t.Errorf("%s has no title", s)
		}
	}
}

// TestPhaseWords: every phase that there is has a name in French.
func TestPhaseWords(t *testing.T) {
	t.Parallel()
	for _, step := range coalition.Transitions() {
		for _, p := range []coalition.Phase{step.From, step.To} {
			if en, fr := verify.PhaseWords(p); en != string(p) || fr == en && p != coalition.Consultation {
				t.Errorf("%s is called %q and %q", p, en, fr)
			}
		}
	}
}
