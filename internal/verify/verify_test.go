package verify_test

import (
	"bytes"
	"crypto/sha256"
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
		"whole", "log_signed", "witnessed", "charter_signed", "entries_signed", "ordered", "earlier", "adopted", "phases", "deadline", "times", "receipts", "receipts_opened", "receipts_signed",
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
	if slices.Contains(codes(r, verify.Unchecked), "charter_keys") {
		t.Errorf("the charter is the reader's own:\n%s", listing(r))
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
			s, err := w.l.Ledger.Adoption("charter", w.l.Cycle.Signed.Digest(), "", 2, false)
			w.must(err)
			w.statements = append(w.statements, s)
		}, "adoption_contradicts", ""},
		{"another procedure took the adoption back", func(w *world, _ *verify.Config) {
			s, err := w.l.Ledger.Adoption("charter", w.l.Cycle.Signed.Digest(), "00112233445566778899aabbccddeeff", 1, false)
			w.must(err)
			w.statements = slices.Insert(w.statements, w.index(ledger.KindAdoption)+1, s)
		}, "adoption_reopened", ""},
		{"closed before the deadline", func(w *world, _ *verify.Config) {
			w.early[w.index(ledger.KindShare)] = time.Unix(coalitiontest.Deadline-3600, 0)
		}, "time_roster", ledger.KindRoster},
		{"a step is dated later than it was seen", func(w *world, _ *verify.Config) {
			clear(w.after)
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
	w.files[keys.Digest(body)] = part{kind: ledger.KindRoster, body: body}
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
	w.files[keys.Digest(body)] = part{kind: ledger.KindRelease, body: body}
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

// TestWhoseKeys: whoever keeps a record can make up a coalition with all its keys, and
// only the charter's digest from elsewhere shows that it is the one that others have.
func TestWhoseKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, 0)
	digest := w.l.Cycle.Signed.Digest()
	words := strings.Join(keys.Words(sha256.Sum256(w.l.Cycle.Signed.Body)), " ")
	for _, row := range []struct {
		name, charter string
		code          string
		verdict       verify.Verdict
	}{
		{"nothing is known", "", "charter_keys", verify.Unchecked},
		{"its digest", digest, "charter_same", verify.Holds},
		{"its words", words, "charter_same", verify.Holds},
		{"another digest", ledger.Digest([]byte("another")), "charter_other", verify.Fails},
		{"half of its words", words[:len(words)/2], "charter_other", verify.Fails},
	} {
		cfg := w.config()
		cfg.Charter = row.charter
		r := w.verify(cfg)
		if !slices.Contains(codes(r, row.verdict), row.code) || (row.verdict == verify.Holds) == slices.Contains(codes(r, verify.Unchecked), "charter_keys") {
			t.Errorf("%s:\n%s", row.name, listing(r))
		}
	}
	if !slices.ContainsFunc(verify.Limits(), func(s verify.Sentence) bool { return s.Code == "keys" }) {
		t.Error("it is not among what cannot be proven")
	}
}

// TestWrittenAfterwards: a record that nobody saw until the cycle was over may have been
// made then, adoption and all. That accuses nobody, and is said.
func TestWrittenAfterwards(t *testing.T) {
	t.Parallel()
	unseen := []string{"time_silence", "time_charter", "time_adoption"}
	w := newWorld(t, 12, 0)
	if r := w.verify(w.config()); slices.ContainsFunc(r.Findings, func(f verify.Finding) bool { return slices.Contains(unseen, f.Code) }) {
		t.Errorf("of a record that was seen as it grew:\n%s", listing(r))
	}
	clear(w.after)
	r := w.verify(w.config())
	for _, code := range unseen {
		if !slices.Contains(codes(r, verify.Unchecked), code) {
			t.Errorf("%s is not said of a record that was first seen a year later:\n%s", code, listing(r))
		}
	}
	if r.Failed() {
		t.Error(listing(r))
	}
	// A step seen in time, the other rounds not: each is looked at by itself.
	w = newWorld(t, 12, 0)
	first := w.index(ledger.KindSilence) + 1
	delete(w.after, w.statements[first].ID())
	r = w.verify(w.config())
	i := slices.IndexFunc(r.Findings, func(f verify.Finding) bool { return f.Code == "time_silence" })
	if i < 0 || !strings.HasSuffix(r.Findings[i].Place, "#"+strconv.Itoa(first)) || slices.Contains(codes(r, verify.Unchecked), "time_adoption") {
		t.Errorf("of the first round:\n%s", listing(r))
	}
	w.cosigners = nil
	cfg := w.config()
	cfg.Policy.Threshold, cfg.Policy.Witnesses = 0, nil
	if r := w.verify(cfg); slices.ContainsFunc(r.Findings, func(f verify.Finding) bool { return slices.Contains(unseen, f.Code) }) || !slices.Contains(codes(r, verify.Unchecked), "time_nobody") {
		t.Errorf("without witnesses:\n%s", listing(r))
	}
}

// TestOwnReceipts says something of each receipt that a member brings, and accuses nobody
// on a member's own word.
func TestOwnReceipts(t *testing.T) {
	t.Parallel()
	forged := func(w *world) coalition.SignedReceipt {
		r := w.receiptOf(3, 1)
		r.Body = bytes.Replace(r.Body, []byte("Member 00004"), []byte("Member 00005"), 1)
		return r
	}
	for _, row := range []struct {
		name    string
		receipt func(*world) coalition.SignedReceipt
		code    string
		verdict verify.Verdict
	}{
		{"it counts", func(w *world) coalition.SignedReceipt { return w.l.Receipts[3] }, "own_counts", verify.Holds},
		{"it was struck", func(w *world) coalition.SignedReceipt { return w.l.Receipts[11] }, "own_struck", verify.Holds},
		{"a number that was never sent", func(w *world) coalition.SignedReceipt { return w.receiptOf(3, 7) }, "own_other", verify.Unchecked},
		{"another of the same number", func(w *world) coalition.SignedReceipt { return w.receiptOf(3, 1) }, "own_other", verify.Unchecked},
		{"signed by another", forged, "own_nowhere", verify.Unchecked},
		{"no receipt at all", func(w *world) coalition.SignedReceipt {
			return coalition.SignedReceipt{Body: w.l.Frozen.Roster.Body, Signature: w.l.Frozen.Roster.Signature}
		}, "own_nowhere", verify.Unchecked},
		{"before there is a list", func(w *world) coalition.SignedReceipt {
			w.statements, w.receipts = w.statements[:w.index(ledger.KindReceipt)], nil
			return w.receiptOf(3, 1)
		}, "own_early", verify.Unchecked},
		{"without the list with names", func(w *world) coalition.SignedReceipt {
			w.receipts = nil
			w.without(ledger.KindRoster, ledger.KindAmendment)
			return w.l.Receipts[3]
		}, "own_roster", verify.Unchecked},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 12, 1)
			cfg := w.config()
			cfg.Receipts = []coalition.SignedReceipt{w.l.Receipts[4], row.receipt(w)}
			r := w.verify(cfg)
			own := slices.DeleteFunc(slices.Clone(r.Findings), func(f verify.Finding) bool { return !strings.HasPrefix(f.Code, "own_") })
			if r.Failed() || len(own) != 2 || own[1].Code != row.code || own[1].Verdict != row.verdict {
				t.Errorf("%s is not said:\n%s", row.code, listing(r))
			}
		})
	}
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
