// Package ledgertest makes ledgers for tests: a cycle with everything that is
// entered of it, the keys of ledger and witnesses, and the bundle. Nothing in it is
// about anybody: its members are letters.
package ledgertest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/keys"
	"muster/internal/ledger"
)

// Config says which ledger to make. The zero value is usable.
type Config struct {
	Members   int                                             // of the cohort; zero: 5
	Struck    int                                             // submissions that an amendment strikes
	Witnesses int                                             // zero: 2, of which one must have signed
	Named     bool                                            // the charter names ledger and witnesses
	Vouching  bool                                            // the charter names the ledger as its own witness
	Unmarked  bool                                            // the charter is not SYNTHETIC
	Release   func(*coalitiontest.Cycle, string, int) []byte  // the release of a roster's digest and its count; nil: its head alone
	Layout    []byte                                          // of the cycle; nil: two blocks
	Sizes     []uint16                                        // of the layout's blocks
	Framework coalition.FrameworkRef                          // zero: one that there is not
	Extra     func(*ledger.Cycle) ([]ledger.Statement, error) // further statements; nil: none
}

// Ledger is a ledger of one cycle with every key.
type Ledger struct {
	Cycle     *coalitiontest.Cycle
	Ledger    *ledger.Cycle
	Frozen    coalition.FrozenRoster
	Receipts  []coalition.SignedReceipt // in the order of the roster
	Release   coalition.SignedFile
	Wipes     []coalition.SignedFile
	Key       *keys.Signer
	Witnesses []*keys.Signer
	Policy    ledger.Policy
	Log       *ledger.Log
	Now       time.Time // when it was witnessed
}

// Signer returns a key for a name, the same in every run.
func Signer(t testing.TB, name string) *keys.Signer {
	t.Helper()
	s, err := keys.GenerateNamed(rand.NewChaCha8(sha256.Sum256([]byte("ledgertest/"+name))), name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// New makes a ledger, or ends the test.
func New(t testing.TB, cfg Config) *Ledger {
	t.Helper()
	if cfg.Members == 0 {
		cfg.Members = 5
	}
	if cfg.Witnesses == 0 {
		cfg.Witnesses = 2
	}
	if cfg.Layout == nil {
		cfg.Layout, cfg.Sizes = []byte(`{}`), []uint16{3, 2}
	}
	b := builder{t, cfg}
	l := &Ledger{Key: Signer(t, "ledger.example"), Now: time.Unix(coalitiontest.Deadline+3600, 0).UTC()}
	l.Policy = ledger.Policy{Log: l.Key.Public(), Threshold: 1}
	for i := range cfg.Witnesses {
		w := Signer(t, fmt.Sprintf("witness-%d.example", i+1))
		public, err := w.Public().Cosigner()
		b.must(err)
		l.Witnesses, l.Policy.Witnesses = append(l.Witnesses, w), append(l.Policy.Witnesses, public)
	}
	members := make([]coalition.MemberID, cfg.Members)
	for i := range members {
		members[i] = coalition.MemberID(fmt.Sprintf("Member %05d", i+1))
	}
	named := coalition.WitnessPolicy{}
	if cfg.Named {
		named = coalition.WitnessPolicy{Threshold: 1, Keys: l.Policy.Witnesses, Log: l.Policy.Log}
	}
	if cfg.Vouching {
		own, err := l.Policy.Log.Cosigner()
		b.must(err)
		named = coalition.WitnessPolicy{Threshold: 1, Keys: []keys.Public{own}}
	}
	l.Cycle = coalitiontest.New(t, coalitiontest.Config{Members: members, Layout: cfg.Layout, Sizes: cfg.Sizes, Framework: cfg.Framework, Witnesses: named, Unmarked: cfg.Unmarked})
	var err error
	l.Ledger, err = ledger.NewCycle(l.Cycle.Signed)
	b.must(err)
	b.freeze(l)
	b.release(l)
	l.Log = ledger.NewLog(l.Key)
	for _, s := range b.statements(l) {
		signed, err := s.Sign(l.Cycle.Coordinator)
		b.must(err)
		b.must(l.Log.Add(context.Background(), signed))
	}
	return l
}

type builder struct {
	testing.TB
	cfg Config
}

func (b builder) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// freeze makes receipts, roster and amendment.
func (b builder) freeze(l *Ledger) {
	task := l.Cycle.Task(b)
	var entries []coalition.RosterEntry
	for i, m := range task.Cohort.Members {
		digest := sha256.Sum256([]byte("ledgertest/report/" + string(m.ID)))
		r := coalition.NewReceipt(task.ID, m.ID, 1, coalitiontest.Opens+int64(i), dap.ReportID(digest[:16]), digest, sha256.Sum256(digest[:]))
		signed, err := r.Sign(l.Cycle.Members[m.ID])
		b.must(err)
		l.Receipts = append(l.Receipts, signed)
		entries = append(entries, coalition.RosterEntry{Member: m.ID, Report: r.Report, Sequence: 1, Receipt: signed.Digest()})
	}
	body, err := keys.Canonical(coalition.NewRoster(task.ID, entries))
	b.must(err)
	sig, err := keys.Sign(keys.KindRoster, body, l.Cycle.Leader, l.Cycle.Helper)
	b.must(err)
	l.Frozen.Roster = coalition.SignedRoster{Body: body, Signature: sig}
	if b.cfg.Struck == 0 {
		return
	}
	var struck []coalition.Strike
	for _, e := range entries[len(entries)-b.cfg.Struck:] {
		struck = append(struck, coalition.Strike{Member: e.Member, Report: e.Report, Reason: dap.VdafVerifyError.String()})
	}
	body, err = keys.Canonical(coalition.NewAmendment(task.ID, l.Frozen.Roster, nil, struck))
	b.must(err)
	sig, err = keys.Sign(keys.KindAmendment, body, l.Cycle.Leader, l.Cycle.Helper)
	b.must(err)
	l.Frozen.Amendments = []coalition.SignedAmendment{{Body: body, Signature: sig}}
}

// release makes the release and the attestations of wiping.
func (b builder) release(l *Ledger) {
	count := b.cfg.Members - b.cfg.Struck
	if b.cfg.Release != nil {
		l.Release.Body = b.cfg.Release(l.Cycle, l.Frozen.Digest(), count)
	} else {
		body, err := keys.Canonical(map[string]any{
			"cohort": coalitiontest.Cohort, "charter_digest": l.Cycle.Signed.Digest(), "roster_digest": l.Frozen.Digest(),
			"participation": map[string]int{"submissions": count},
		})
		b.must(err)
		l.Release.Body = body
	}
	var err error
	l.Release.Signature, err = keys.Sign(keys.KindRelease, l.Release.Body, l.Cycle.Coordinator, l.Cycle.Leader, l.Cycle.Helper)
	b.must(err)
	for role, signer := range map[string]*keys.Signer{"leader": l.Cycle.Leader, "helper": l.Cycle.Helper} {
		a, err := coalition.NewWipeAttestation(l.Cycle.Charter, role, coalition.EndingOver, coalition.SumLeft, []string{"submissions", "cycle key"}, time.Unix(coalitiontest.Wipe, 0))
		b.must(err)
		file, err := a.Sign(signer)
		b.must(err)
		l.Wipes = append(l.Wipes, file)
	}
	slices.SortFunc(l.Wipes, func(x, y coalition.SignedFile) int { return slices.Compare(x.Body, y.Body) })
}

// ShareLine returns the line of a host's record about its share.
func (l *Ledger) ShareLine(t testing.TB, role string, host *keys.Signer) []byte {
	t.Helper()
	task := l.Cycle.Task(t).ID.String()
	line, _, err := ledger.Tail{}.Seal(ledger.Entry{
		ID: "aggregate share " + role + " " + task, Kind: "aggregate share",
		Data: map[string]string{"task_id": task, "host": role, "share": ledger.Digest([]byte(role))},
	}, host)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// statements returns all that is entered, unsigned, in the order of a cycle.
func (b builder) statements(l *Ledger) []ledger.Statement {
	c := l.Ledger
	var list []ledger.Statement
	add := func(s []ledger.Statement, err error) { b.Helper(); b.must(err); list = append(list, s...) }
	one := func(s ledger.Statement, err error) { b.Helper(); b.must(err); list = append(list, s) }
	steps := 0
	step := func(from, to coalition.Phase) { b.Helper(); steps++; one(c.Phase(steps, from, to, "")) }
	step(coalition.Draft, coalition.Consultation)
	add(c.CharterStatements())
	one(c.Adoption("charter", l.Cycle.Signed.Digest(), "", 1, true))
	step(coalition.Consultation, coalition.Adopted)
	step(coalition.Adopted, coalition.Open)
	step(coalition.Open, coalition.Closing)
	add(c.Frozen(coalitiontest.Cohort, l.Frozen))
	step(coalition.Closing, coalition.Closed)
	for role, host := range map[string]*keys.Signer{"leader": l.Cycle.Leader, "helper": l.Cycle.Helper} {
		s, ok, err := c.RecordLine(l.ShareLine(b, role, host))
		if err != nil || !ok {
			b.Fatalf("the line of a share is not taken in: %v", err)
		}
		list = append(list, s)
	}
	slices.SortFunc(list[len(list)-2:], func(x, y ledger.Statement) int { return slices.Compare([]byte(x.ID()), []byte(y.ID())) })
	step(coalition.Closed, coalition.Aggregated)
	add(c.Release(l.Release))
	step(coalition.Aggregated, coalition.Review)
	step(coalition.Review, coalition.Released)
	one(c.Edition("public", l.Release.Body, []byte("the public edition")))
	for _, file := range l.Wipes {
		one(c.Wipe(file))
	}
	if b.cfg.Extra != nil {
		add(b.cfg.Extra(c))
	}
	return list
}

// Witnessed returns the newest checkpoint with the cosignatures of the first n
// witnesses, given at a time.
func (l *Ledger) Witnessed(t testing.TB, n int, at time.Time) []byte {
	t.Helper()
	b := builder{TB: t}
	note, err := l.Log.Checkpoint(context.Background())
	b.must(err)
	c, err := ledger.ReadCheckpoint(note)
	b.must(err)
	for _, w := range l.Witnesses[:n] {
		line, err := ledger.Cosign(c, w, func() time.Time { return at })
		b.must(err)
		note, err = l.Policy.Join(note, line, at)
		b.must(err)
	}
	return note
}

// Bundle returns the bundle of the cycle with everything in it, receipts included,
// witnessed by all.
func (l *Ledger) Bundle(t testing.TB) ledger.Members {
	t.Helper()
	b := builder{TB: t}
	note := l.Witnessed(t, len(l.Witnesses), l.Now)
	resources, err := l.Log.Members()
	b.must(err)
	c, err := ledger.ReadCheckpoint(note)
	b.must(err)
	view, err := ledger.ReadView(context.Background(), resources, c)
	b.must(err)
	bundle := ledger.Bundle{
		Manifest: ledger.Manifest{Cycle: l.Cycle.Charter.Cycle}, Checkpoint: note, View: view,
		Files: make(map[string][]byte), Receipts: map[string][]coalition.SignedReceipt{l.Cycle.Task(t).ID.String(): l.Receipts},
	}
	put := func(kind ledger.Kind, body []byte) {
		bundle.Manifest.Files = append(bundle.Manifest.Files, ledger.ManifestFile{Digest: keys.Digest(body), Kind: kind})
		bundle.Files[keys.Digest(body)] = body
	}
	put(ledger.KindCharter, l.Cycle.Signed.Body)
	put(ledger.KindRoster, l.Frozen.Roster.Body)
	for _, a := range l.Frozen.Amendments {
		put(ledger.KindAmendment, a.Body)
	}
	put(ledger.KindRelease, l.Release.Body)
	put(ledger.KindEdition, []byte("the public edition"))
	for _, w := range l.Wipes {
		put(ledger.KindWipe, w.Body)
	}
	members, err := ledger.WriteBundle(bundle)
	b.must(err)
	return members
}
