package verify_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/ledger/ledgertest"
	"muster/internal/release"
	"muster/internal/release/releasetest"
	"muster/internal/silence"
	"muster/internal/verify"
)

// The packs of worlds: a small one, and the one that members answer.
const (
	harbour = "../framework/testdata/harbour.yaml"
	core    = "../../packs/muster-core/pack.yaml"
)

// readPack returns a pack and its layout.
func readPack(t testing.TB, path string) (*framework.Pack, *framework.Layout) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pack, err := framework.Read(path, f)
	if err != nil {
		t.Fatal(err)
	}
	layout, err := framework.NewLayout(pack)
	if err != nil {
		t.Fatal(err)
	}
	return pack, layout
}

// cells adds up n members' answers: the i-th is at one level in everything.
func cells(l *framework.Layout, n int) []uint64 {
	sum := make([]uint64, l.Bits())
	for i := range n {
		level := []string{"1", "2", "3"}[i*3/n]
		gap := map[bool]string{true: "met", false: "below"}[level == "3"]
		for at, b := range l.Blocks {
			bucket := map[framework.Kind]string{
				framework.KindLevel: level, framework.KindVerified: "none", framework.KindTarget: "3", framework.KindGap: gap,
				framework.KindEvidence: "none", framework.KindLowest: level, framework.KindChange: "not_comparable",
			}[b.Kind]
			place, ok := b.Bucket(bucket)
			if !ok {
				panic(b.Name)
			}
			sum[l.Offset(at)+place]++
		}
	}
	return sum
}

// part is a signed file of a bundle.
type part struct {
	kind     ledger.Kind
	body     []byte
	reckoned bool // it is of an earlier cycle
}

// world is a whole cycle in a ledger, honest until a test changes it, with every key.
type world struct {
	testing.TB
	l               *ledgertest.Ledger
	statements      []ledger.Statement
	files           map[string]part
	receipts        []coalition.SignedReceipt
	acknowledgement coalition.SignedFile // of a break in the first round
	steps           []coalition.SignedFile
	length          time.Duration        // of a silence over the charter; zero: five days
	at              time.Time            // when witnesses saw it
	early           map[int]time.Time    // earlier checkpoints by size, and when they were seen
	after           map[string]time.Time // likewise by the identity of the last entry that they cover
	cosigners       []*keys.Signer       // who cosigns
	before          []*keys.Signer       // who cosigned the earlier ones; nil: the same
	behind          map[*keys.Signer]time.Duration
}

func newWorld(t testing.TB, members, struck int) *world {
	t.Helper()
	return newWorldOf(t, harbour, members, struck)
}

func newWorldOf(t testing.TB, path string, members, struck int, edit ...func(*ledgertest.Config)) *world {
	t.Helper()
	pack, layout := readPack(t, path)
	return newWorldWith(t, members, struck, pack, func(w *world) func(*coalitiontest.Cycle, string, int) []byte {
		return func(c *coalitiontest.Cycle, roster string, count int) []byte {
			return w.release(c, pack, cells(layout, count), roster, count)
		}
	}, edit...)
}

// newWorldWith is newWorld with a release of one's own, or with its head alone.
func newWorldWith(t testing.TB, members, struck int, pack *framework.Pack, release func(*world) func(*coalitiontest.Cycle, string, int) []byte, edit ...func(*ledgertest.Config)) *world {
	t.Helper()
	layout, err := framework.NewLayout(pack)
	if err != nil {
		t.Fatal(err)
	}
	canonical, err := layout.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	ref := coalition.FrameworkRef(pack.Ref())
	w := &world{TB: t, files: make(map[string]part), early: make(map[int]time.Time), after: make(map[string]time.Time)}
	cfg := ledgertest.Config{Members: members, Struck: struck, Layout: canonical, Sizes: layout.Sizes(), Framework: ref}
	if release != nil {
		cfg.Release = release(w)
	}
	for _, change := range edit {
		change(&cfg)
	}
	w.l = ledgertest.New(t, cfg)
	w.at = time.Unix(coalitiontest.Wipe+3600, 0)
	w.cosigners = w.l.Witnesses
	bundle, err := ledger.OpenBundle(t.Context(), w.l.Bundle(t))
	w.must(err)
	w.statements = bundle.Statements
	for _, f := range bundle.Manifest.Files {
		w.files[f.Digest] = part{kind: f.Kind, body: bundle.Files[f.Digest]}
	}
	w.receipts = w.l.Receipts
	w.silence(false)
	opened := w.statements[w.phase(coalition.Adopted)]
	w.after[opened.ID()] = time.Unix(coalitiontest.Opens, 0).Add(-28 * 24 * time.Hour)
	return w
}

// phase returns the place of the first step to a phase.
func (w *world) phase(to coalition.Phase) int {
	w.Helper()
	i := slices.IndexFunc(w.statements, func(s ledger.Statement) bool {
		return s.Kind == ledger.KindPhase && s.Fields["to"] == string(to)
	})
	if i < 0 {
		w.Fatalf("there is no step to %s", to)
	}
	return i
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// release is a release of the cycle's charter with these totals.
func (w *world) release(c *coalitiontest.Cycle, pack *framework.Pack, totals []uint64, roster string, count int) []byte {
	w.Helper()
	r := releasetest.New(w, releasetest.Config{
		Coalition: c.Charter.Coalition, Cycle: c.Charter.Cycle, Cohort: coalitiontest.Cohort, Marking: c.Charter.Marking, Pack: pack, Cells: totals,
		Members: len(c.Members), Submissions: count, Calendar: release.Calendar{Opens: c.Charter.Opens, Deadline: c.Charter.Deadline},
	})
	r.Framework.ID, r.Framework.Version, r.Framework.Digest = c.Charter.Framework.ID, c.Charter.Framework.Version, c.Charter.Framework.Digest
	r.HostedBy = []coalition.MemberID{c.Charter.Leader.Member, c.Charter.Helper.Member}
	r.CharterDigest, r.RosterDigest = c.Signed.Digest(), roster
	w.must(r.Complete())
	body, err := r.Canonical()
	w.must(err)
	return body
}

// silence takes the charter through the procedure: broken by one, and adopted in the
// second round, or, by a dishonest chair, in the first.
func (w *world) silence(dishonest bool) {
	w.Helper()
	const day = 24 * time.Hour
	length := cmp.Or(w.length, 5*day)
	ctx := context.Background()
	now := time.Unix(coalitiontest.Opens, 0).Add(-40 * day)
	store := &memory{}
	chair := silence.New(silence.Config{
		Coalition: w.l.Cycle.Charter.Coalition, Signer: w.l.Cycle.Coordinator, Store: store, Vault: plain{}, Now: func() time.Time { return now }, Rand: rand.Reader,
	})
	var parties []silence.Party
	for _, m := range w.l.Cycle.Charter.Cohorts[0].Members {
		parties = append(parties, silence.Party{Member: m.ID, Key: m.Key})
	}
	p, err := chair.Propose(ctx, silence.Proposal{
		Subject: silence.Subject{Kind: silence.Charter, Name: "charter", Digest: w.l.Cycle.Signed.Digest()}, Parties: parties, Comments: now.Add(day), Period: length,
	})
	w.must(err)
	now = now.Add(day)
	p, err = chair.Put(ctx, p.ID, "", now.Add(length))
	w.must(err)
	who := parties[2].Member
	file, err := silence.NewBreak(&p, who, "not yet", [16]byte{1}, w.l.Cycle.Members[who])
	w.must(err)
	w.acknowledgement, err = chair.Break(ctx, p.ID, file)
	w.must(err)
	if dishonest {
		store.breaks = nil
	}
	now = now.Add(length)
	p, err = chair.Settle(ctx, p.ID)
	w.must(err)
	if !dishonest {
		p, err = chair.Put(ctx, p.ID, "", now.Add(length))
		w.must(err)
		now = now.Add(length)
		p, err = chair.Settle(ctx, p.ID)
		w.must(err)
	}
	if p.State != silence.Adopted {
		w.Fatalf("the charter is %s", p.State)
	}
	w.steps = store.steps
	w.statements = slices.DeleteFunc(w.statements, func(s ledger.Statement) bool { return s.Kind == ledger.KindSilence })
	var entered []ledger.Statement
	for _, step := range w.steps {
		s, err := w.l.Ledger.Silence(step)
		w.must(err)
		entered = append(entered, s)
		if s.Fields["act"] == "put" { // a witness sees it while the silence lasts
			read, err := silence.ReadStep(step, w.l.Cycle.Coordinator.Public())
			w.must(err)
			w.after[s.ID()] = time.Unix(read.At, 0).Add(min(time.Hour, length/2))
		}
		w.files[keys.Digest(step.Body)] = part{kind: ledger.KindSilence, body: step.Body}
	}
	w.statements = append(entered, w.statements...)
}

// index returns the place of the first statement of a kind.
func (w *world) index(kind ledger.Kind) int {
	w.Helper()
	i := slices.IndexFunc(w.statements, func(s ledger.Statement) bool { return s.Kind == kind })
	if i < 0 {
		w.Fatalf("there is no %s", kind)
	}
	return i
}

// drop takes the first statement of a kind out.
func (w *world) drop(kind ledger.Kind) {
	w.Helper()
	i := w.index(kind)
	w.statements = slices.Delete(w.statements, i, i+1)
}

// without takes the files of a kind out of the bundle.
func (w *world) without(kinds ...ledger.Kind) {
	for digest, p := range w.files {
		if slices.Contains(kinds, p.kind) {
			delete(w.files, digest)
		}
	}
}

// bundle signs every statement and writes the bundle.
func (w *world) bundle() ledger.Members {
	w.Helper()
	members, err := ledger.WriteBundle(w.parts())
	w.must(err)
	return members
}

// parts signs every statement and puts the bundle together.
func (w *world) parts() ledger.Bundle {
	w.Helper()
	log := ledger.NewLog(w.l.Key)
	b := ledger.Bundle{
		Manifest: ledger.Manifest{Cycle: w.l.Cycle.Charter.Cycle}, Files: make(map[string][]byte),
		Earlier: make(map[uint64][]byte), Receipts: make(map[string][]coalition.SignedReceipt),
	}
	for i, s := range w.statements {
		if at, ok := w.early[i]; ok {
			b.Earlier[uint64(i)] = w.cosigned(log, at, w.earlier())
		} else if i > 0 {
			if at, ok := w.after[w.statements[i-1].ID()]; ok {
				b.Earlier[uint64(i)] = w.cosigned(log, at, w.earlier())
			}
		}
		if s.Signature == "" {
			var err error
			s, err = s.Sign(w.l.Cycle.Coordinator)
			w.must(err)
		}
		w.must(log.Add(context.Background(), s))
	}
	b.Checkpoint = w.cosigned(log, w.at, w.cosigners)
	c, err := ledger.ReadCheckpoint(b.Checkpoint)
	w.must(err)
	resources, err := log.Members()
	w.must(err)
	b.View, err = ledger.ReadView(context.Background(), resources, c)
	w.must(err)
	for digest, p := range w.files {
		if !p.reckoned && !slices.ContainsFunc(w.statements, func(s ledger.Statement) bool { return s.Kind == p.kind && s.Fields["digest"] == digest }) {
			continue
		}
		b.Manifest.Files = append(b.Manifest.Files, ledger.ManifestFile{Digest: digest, Kind: p.kind})
		b.Files[digest] = p.body
	}
	if w.receipts != nil {
		b.Receipts[w.l.Cycle.Task(w).ID.String()] = w.receipts
	}
	return b
}

// earlier returns who cosigned the earlier checkpoints.
func (w *world) earlier() []*keys.Signer {
	if w.before == nil {
		return w.cosigners
	}
	return w.before
}

func (w *world) cosigned(log *ledger.Log, at time.Time, by []*keys.Signer) []byte {
	w.Helper()
	note, err := log.Checkpoint(context.Background())
	w.must(err)
	c, err := ledger.ReadCheckpoint(note)
	w.must(err)
	for _, witness := range by {
		line, err := ledger.Cosign(c, witness, func() time.Time { return at.Add(-w.behind[witness]) })
		w.must(err)
		note = append(note, line...)
	}
	return note
}

func (w *world) config() verify.Config {
	return verify.Config{Policy: w.l.Policy, Now: time.Unix(coalitiontest.Wipe+7200, 0)}
}

func (w *world) verify(cfg verify.Config) *verify.Report {
	w.Helper()
	r, err := verify.Folder(context.Background(), w.bundle(), cfg)
	w.must(err)
	for _, f := range r.Findings {
		if f.Verdict == verify.Unchecked && !verify.Listed(f.Code) {
			w.Errorf("it is not listed why %s could not be checked", f.Code)
		}
		if f.Text.In("en") == f.Code || f.Text.In("en") == "" || f.Text.In("fr") == "" || strings.Contains(f.Text.In("en")+f.Text.In("fr"), "%!") {
			w.Errorf("%s has no words: %v", f.Code, f.Text)
		}
		if f.Detail != "" && (f.French == "" || strings.Contains(f.French, "*")) {
			w.Errorf("of %s the detail %q is in English alone: %q", f.Code, f.Detail, f.French)
		}
	}
	return r
}

// memory is a store of one procedure.
type memory struct {
	steps    []coalition.SignedFile
	comments []coalition.SignedFile
	breaks   []silence.Received
}

func (m *memory) InTx(_ context.Context, _ string, fn func(silence.Tx) error) error { return fn(m) }

func (m *memory) Steps(context.Context, string) ([]coalition.SignedFile, error) { return m.steps, nil }

func (m *memory) AppendStep(_ context.Context, _ string, _ int, step coalition.SignedFile) error {
	m.steps = append(m.steps, step)
	return nil
}

func (m *memory) Comments(context.Context, string) ([]coalition.SignedFile, error) {
	return m.comments, nil
}

func (m *memory) AppendComment(_ context.Context, _ string, c coalition.SignedFile) error {
	m.comments = append(m.comments, c)
	return nil
}

func (m *memory) Breaks(context.Context, string) ([]silence.Received, error) { return m.breaks, nil }

func (m *memory) AppendBreak(_ context.Context, _ string, r silence.Received) error {
	m.breaks = append(m.breaks, r)
	return nil
}

// plain is a vault that hides nothing: what it seals is not looked at here.
type plain struct{}

func (plain) Seal(b []byte) ([]byte, error) { return b, nil }
