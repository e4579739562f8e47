package silence_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/silence"
)

const day = 24 * time.Hour

var begin = time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC)

// memory is a Store that can fail before or after it kept what was done.
type memory struct {
	steps    map[string][]coalition.SignedFile
	comments map[string][]coalition.SignedFile
	breaks   map[string][]silence.Received
	fail     string // "", "before" or "after"
}

var errDisk = errors.New("the disk is gone")

func (m *memory) InTx(_ context.Context, _ string, fn func(silence.Tx) error) error {
	work := &memory{steps: clone(m.steps), comments: clone(m.comments), breaks: clone(m.breaks)}
	if err := fn(work); err != nil {
		return err
	}
	fail := m.fail
	m.fail = ""
	if fail == "before" {
		return errDisk
	}
	m.steps, m.comments, m.breaks = work.steps, work.comments, work.breaks
	if fail == "after" {
		return errDisk
	}
	return nil
}

func clone[T any](from map[string][]T) map[string][]T {
	to := make(map[string][]T)
	for k, v := range from {
		to[k] = slices.Clone(v)
	}
	return to
}

func (m *memory) Steps(_ context.Context, id string) ([]coalition.SignedFile, error) {
	return m.steps[id], nil
}

func (m *memory) AppendStep(_ context.Context, id string, number int, step coalition.SignedFile) error {
	if number != len(m.steps[id]) {
		return fmt.Errorf("step %d after %d", number, len(m.steps[id]))
	}
	m.steps[id] = append(m.steps[id], step)
	return nil
}

func (m *memory) Comments(_ context.Context, id string) ([]coalition.SignedFile, error) {
	return m.comments[id], nil
}

func (m *memory) AppendComment(_ context.Context, id string, c coalition.SignedFile) error {
	m.comments[id] = append(m.comments[id], c)
	return nil
}

func (m *memory) Breaks(_ context.Context, id string) ([]silence.Received, error) {
	return m.breaks[id], nil
}

func (m *memory) AppendBreak(_ context.Context, id string, r silence.Received) error {
	m.breaks[id] = append(m.breaks[id], r)
	return nil
}

// mask is a vault that hides from a reader of the store what is in it.
type mask struct{}

func (mask) Seal(plain []byte) ([]byte, error) { return flip(plain), nil }

func flip(b []byte) []byte {
	b = bytes.Clone(b)
	for i := range b {
		b[i] ^= 0xA5
	}
	return b
}

func unmask(sealed []byte) ([]byte, error) { return flip(sealed), nil }

// record keeps entries as the shared record does.
type record struct {
	entries []ledger.Entry
	fail    bool
}

func (r *record) Append(_ context.Context, e ledger.Entry) error {
	if r.fail {
		r.fail = false
		return errDisk
	}
	for _, known := range r.entries {
		if known.ID == e.ID {
			return nil
		}
	}
	r.entries = append(r.entries, e)
	return nil
}

// world is a chair with a clock that a test turns.
type world struct {
	t      rapid.TB
	now    time.Time
	store  *memory
	record *record
	key    *keys.Signer
	chair  *silence.Chair
	keys   map[coalition.MemberID]*keys.Signer
	id     string
}

func newWorld(t rapid.TB, members ...coalition.MemberID) *world {
	w := &world{t: t, now: begin, store: &memory{}, record: &record{}, key: newKey(t, "Sundmark Pact"), keys: make(map[coalition.MemberID]*keys.Signer)}
	var parties []silence.Party
	for _, m := range members {
		w.keys[m] = newKey(t, string(m))
		parties = append(parties, silence.Party{Member: m, Key: w.keys[m].Public()})
	}
	w.restart()
	p, err := w.chair.Propose(context.Background(), silence.Proposal{
		Subject: silence.Subject{Kind: silence.Charter, Name: "charter 2027", Digest: text("one")}, Parties: parties, Comments: begin.Add(7 * day), Period: 5 * day,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.id = p.ID
	return w
}

// restart is a new process on the same store.
func (w *world) restart() {
	w.chair = silence.New(silence.Config{
		Coalition: "Sundmark Pact", Signer: w.key, Store: w.store, Vault: mask{}, Record: w.record, Now: func() time.Time { return w.now }, Rand: rand.Reader,
	})
}

func newKey(t rapid.TB, name string) *keys.Signer {
	key, err := keys.Generate(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func text(s string) string { return keys.Digest([]byte(s)) }

func (w *world) procedure() silence.Procedure {
	fail := w.store.fail
	w.store.fail = ""
	defer func() { w.store.fail = fail }()
	p, steps, _, err := w.chair.Show(context.Background(), w.id)
	if err != nil {
		w.t.Fatal(err)
	}
	again, err := silence.Replay(w.key.Public(), steps)
	if err != nil || again.Tail != p.Tail || again.State != p.State {
		w.t.Fatalf("replayed: %+v, %v; want %+v", again, err, p)
	}
	return p
}

// put opens a round of five days after the comments.
func (w *world) put() {
	w.now = begin.Add(7 * day)
	if _, err := w.chair.Put(context.Background(), w.id, "", w.now.Add(5*day)); err != nil {
		w.t.Fatal(err)
	}
}

// breakFile is a member's break of the round under way.
func (w *world) breakFile(member coalition.MemberID) coalition.SignedFile {
	p := w.procedure()
	var nonce [16]byte
	rand.Read(nonce[:])
	file, err := silence.NewBreak(&p, member, "the planted reason of "+string(member), nonce, w.keys[member])
	if err != nil {
		w.t.Fatal(err)
	}
	return file
}

func (w *world) settle() silence.Procedure {
	p, err := w.chair.Settle(context.Background(), w.id)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func TestAdopted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Aldmark", "Birkland", "Corvia")
	w.put()
	w.now = w.now.Add(5*day - time.Second)
	if p := w.settle(); p.State != silence.UnderSilence {
		t.Fatalf("a second before the end: %s", p.State)
	}
	w.now = w.now.Add(time.Second)
	p := w.settle()
	if err := p.CheckAdopted(silence.Charter, text("one")); err != nil {
		t.Error(err)
	}
	if err := p.CheckAdopted(silence.Charter, text("two")); errs.KindOf(err) != errs.Conflict {
		t.Errorf("another text: %v", err)
	}
	if n := len(w.record.entries); n != 3 {
		t.Errorf("%d entries in the record", n)
	}
}

func TestBroken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Aldmark", "Birkland", "Corvia")
	w.put()
	file := w.breakFile("Birkland")
	acknowledged, err := w.chair.Break(t.Context(), w.id, file)
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.chair.Break(t.Context(), w.id, file)
	if err != nil || !bytes.Equal(again.Body, acknowledged.Body) {
		t.Errorf("the same break again: %s, %v", again.Body, err)
	}
	if p := w.procedure(); p.State != silence.UnderSilence {
		t.Errorf("the state says before the end that the silence was broken: %s", p.State)
	}
	w.now = w.now.Add(5 * day)
	p := w.settle()
	if p.State != silence.Reopened {
		t.Fatalf("state %s", p.State)
	}
	if err := p.CheckAcknowledgement(w.key.Public(), acknowledged); err != nil {
		t.Errorf("an honest chair: %v", err)
	}
	list, err := w.chair.Breaks(t.Context(), w.id, unmask)
	if err != nil || len(list) != 1 || list[0].Break.Member != "Birkland" {
		t.Errorf("the chair reads %+v, %v", list, err)
	}
	// Another round with an amended text.
	if _, err := w.chair.Put(t.Context(), w.id, text("two"), w.now.Add(5*day)); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(6 * day)
	p = w.settle()
	if err := p.CheckAdopted(silence.Charter, text("two")); err != nil {
		t.Error(err)
	}
	w.nobodyIsNamed("Birkland")
}

// TestRoundIsFull: who sends as many breaks as a round holds has broken that round, and
// keeps nobody from breaking the next.
func TestRoundIsFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Aldmark", "Birkland")
	w.put()
	if _, err := w.chair.Break(t.Context(), w.id, w.breakFile("Aldmark")); err != nil {
		t.Fatal(err)
	}
	kept := w.store.breaks[w.id]
	w.store.breaks[w.id] = slices.Repeat(kept, silence.MaxBreaks)
	if _, err := w.chair.Break(t.Context(), w.id, w.breakFile("Birkland")); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("one more: %v", err)
	}
	w.now = w.now.Add(5 * day)
	if p := w.settle(); p.State != silence.Reopened {
		t.Fatalf("state %s", p.State)
	}
	if _, err := w.chair.Put(t.Context(), w.id, text("two"), w.now.Add(5*day)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.chair.Break(t.Context(), w.id, w.breakFile("Birkland")); err != nil {
		t.Fatalf("in the next round: %v", err)
	}
	w.now = w.now.Add(5 * day)
	if p := w.settle(); p.State != silence.Reopened {
		t.Errorf("the next round: state %s", p.State)
	}
}

// nobodyIsNamed searches all that others than the chair read for who broke the
// silence. The first step names all parties; it is left out.
func (w *world) nobodyIsNamed(member coalition.MemberID) {
	w.t.Helper()
	seen := fmt.Sprint(w.record.entries)
	for _, file := range w.store.steps[w.id][1:] {
		seen += string(file.Body) + string(file.Signature)
	}
	for _, r := range w.store.breaks[w.id] {
		seen += string(r.Acknowledgement.Body) + string(r.Acknowledgement.Signature) + string(r.Sealed)
	}
	for _, word := range []string{string(member), "planted reason"} {
		if strings.Contains(seen, word) {
			w.t.Errorf("%q can be read outside of the vault", word)
		}
	}
}

// TestDishonestChair: a chair that adopts all the same is contradicted by what the
// one who broke the silence holds.
func TestDishonestChair(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Aldmark", "Birkland")
	w.put()
	acknowledged, err := w.chair.Break(t.Context(), w.id, w.breakFile("Aldmark"))
	if err != nil {
		t.Fatal(err)
	}
	w.store.breaks = nil // the chair forgets it
	w.now = w.now.Add(5 * day)
	p := w.settle()
	if p.State != silence.Adopted {
		t.Fatalf("state %s", p.State)
	}
	err = p.CheckAcknowledgement(w.key.Public(), acknowledged)
	if errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "nobody broke the silence") {
		t.Errorf("an adoption against an acknowledged break: %v", err)
	}
}

// TestRestartAtDeadline: what came in time counts, what came while nobody served
// or after it does not, whoever asks first.
func TestRestartAtDeadline(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Aldmark", "Birkland")
	w.put()
	early, late := w.breakFile("Aldmark"), w.breakFile("Birkland")
	w.now = w.now.Add(5*day - time.Second)
	if _, err := w.chair.Break(t.Context(), w.id, early); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Second)
	w.restart()
	file, err := w.chair.Break(t.Context(), w.id, late)
	if err != nil {
		t.Fatal(err)
	}
	a, err := silence.ReadAcknowledgement(file, w.key.Public())
	if err != nil || a.Counts != silence.Late {
		t.Errorf("at the end: %+v, %v", a, err)
	}
	p := w.procedure()
	if p.State != silence.Reopened {
		t.Errorf("state %s", p.State)
	}
	if err := p.CheckAcknowledgement(w.key.Public(), file); err != nil {
		t.Errorf("a late break contradicts nothing: %v", err)
	}
}

// TestClockGoesBack: time that has passed for the chair does not come again.
func TestClockGoesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Aldmark", "Birkland")
	w.put()
	late := w.breakFile("Birkland")
	w.now = w.now.Add(5 * day)
	if p := w.settle(); p.State != silence.Adopted {
		t.Fatal(p.State)
	}
	w.now = begin
	file, err := w.chair.Break(t.Context(), w.id, late)
	if err != nil {
		t.Fatal(err)
	}
	a, err := silence.ReadAcknowledgement(file, w.key.Public())
	if err != nil || a.Counts != silence.Late || a.Received < begin.Add(12*day).Unix() {
		t.Errorf("with the clock put back: %+v, %v", a, err)
	}
	if p := w.procedure(); p.State != silence.Adopted {
		t.Errorf("state %s", p.State)
	}
}

// TestLateMember: who joins under silence has as long as everyone was promised, or
// the silence is extended first.
func TestLateMember(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Aldmark", "Birkland")
	w.put()
	w.now = w.now.Add(day)
	w.keys["Corvia"] = newKey(t, "Corvia")
	newcomer := silence.Party{Member: "Corvia", Key: w.keys["Corvia"].Public()}
	if _, err := w.chair.Break(t.Context(), w.id, w.breakFile("Corvia")); errs.KindOf(err) != errs.Denied {
		t.Errorf("a break of one who is not a party: %v", err)
	}
	if _, err := w.chair.Admit(t.Context(), w.id, newcomer); errs.KindOf(err) != errs.Conflict {
		t.Errorf("admitted with four days left: %v", err)
	}
	if _, err := w.chair.Extend(t.Context(), w.id, w.now.Add(5*day), "Corvia has joined"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.chair.Admit(t.Context(), w.id, newcomer); err != nil {
		t.Fatal(err)
	}
	if _, err := w.chair.Admit(t.Context(), w.id, newcomer); errs.KindOf(err) != errs.Conflict {
		t.Errorf("admitted twice: %v", err)
	}
	w.now = w.now.Add(5*day - time.Second)
	if _, err := w.chair.Break(t.Context(), w.id, w.breakFile("Corvia")); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Second)
	if p := w.settle(); p.State != silence.Reopened {
		t.Errorf("state %s", p.State)
	} else if p.Rounds[0].Least != int64(5*day/time.Second) {
		t.Errorf("the newcomer had %d s of six days", p.Rounds[0].Least)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Aldmark", "Birkland")
	ctx := t.Context()
	p := w.procedure()
	comment, err := silence.NewComment(&p, "Aldmark", "the deadline falls on a holiday", w.keys["Aldmark"])
	if err != nil {
		t.Fatal(err)
	}
	forged, err := silence.NewComment(&p, "Birkland", "in another's name", w.keys["Aldmark"])
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the same again changes nothing
		if err := w.chair.Comment(ctx, w.id, comment); err != nil {
			t.Fatal(err)
		}
	}
	if files, err := w.chair.Comments(ctx, w.id); err != nil || len(files) != 1 {
		t.Errorf("%d comments, %v", len(files), err)
	}
	check := func(name string, want errs.Kind, err error) {
		t.Helper()
		if errs.KindOf(err) != want {
			t.Errorf("%s: %v, of kind %v; want %v", name, err, errs.KindOf(err), want)
		}
	}
	check("a forged comment", errs.Invalid, w.chair.Comment(ctx, w.id, forged))
	_, err = w.chair.Put(ctx, w.id, "", w.now.Add(30*day))
	check("silence while comments are heard", errs.Conflict, err)
	_, err = w.chair.Reopen(ctx, w.id)
	check("reopened before silence", errs.Conflict, err)
	_, err = w.chair.Withdraw(ctx, w.id, "")
	check("withdrawn without a reason", errs.Invalid, err)
	_, err = w.chair.Put(ctx, hex.EncodeToString(make([]byte, 16)), "", w.now.Add(30*day))
	check("no such procedure", errs.NotFound, err)
	w.now = begin.Add(7 * day)
	second, err := silence.NewComment(&p, "Birkland", "too late", w.keys["Birkland"])
	if err != nil {
		t.Fatal(err)
	}
	check("a comment after its time", errs.Conflict, w.chair.Comment(ctx, w.id, second))
	_, err = w.chair.Put(ctx, w.id, "", w.now.Add(5*day-time.Second))
	check("shorter than promised", errs.Conflict, err)
	w.put()
	w.keys["Mallory"] = newKey(t, "Mallory")
	_, err = w.chair.Break(ctx, w.id, w.breakFile("Mallory"))
	check("a stranger's break", errs.Denied, err)
	_, err = w.chair.Extend(ctx, w.id, w.now.Add(day), "shorter")
	check("an extension to an earlier moment", errs.Conflict, err)
	if _, err := w.chair.Withdraw(ctx, w.id, "superseded"); err != nil {
		t.Fatal(err)
	}
	_, err = w.chair.Put(ctx, w.id, "", w.now.Add(30*day))
	check("withdrawn is final", errs.Conflict, err)
}

// TestFlippedBytes: no byte of a step or its note can be changed.
func TestFlippedBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Aldmark", "Birkland")
	w.put()
	w.now = w.now.Add(5 * day)
	w.settle()
	steps := w.store.steps[w.id]
	for i := range steps {
		for j := range steps[i].Body {
			changed := slices.Clone(steps)
			changed[i].Body = bytes.Clone(steps[i].Body)
			changed[i].Body[j] ^= 1
			if _, err := silence.Replay(w.key.Public(), changed); err == nil || !strings.Contains(errs.Describe(err).Message, fmt.Sprintf("step %d", i)) {
				t.Fatalf("byte %d of step %d: %v", j, i, err)
			}
		}
	}
	for _, cut := range [][]coalition.SignedFile{steps[1:], {steps[0], steps[2]}, {steps[0], steps[1], steps[1]}} {
		if _, err := silence.Replay(w.key.Public(), cut); err == nil {
			t.Error("steps left out or repeated were taken")
		}
	}
}
