// Package workspacetest makes workspaces for tests: the real service on a real
// encrypted database in a folder that the test ends with, and packs of any size.
package workspacetest

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/internal/coalition"
	"muster/internal/framework"
	"muster/internal/store"
	"muster/internal/store/workspacedb"
	"muster/internal/workspace"
)

// Member is whose workspace [New] makes.
const Member coalition.MemberID = "Ostmere"

// Cycle is the cycle of [Workspace.Load].
const Cycle = "2031"

// Workspace is a workspace for a test. Its clock stands a second later whenever it
// is asked.
type Workspace struct {
	*workspace.Service
	DB   *workspacedb.DB
	Path string // of the database
	Lead workspace.Person
}

// Key returns a key for tests: the same in every run, and nobody's.
func Key() *store.Key {
	var k store.Key
	for i := range k {
		k[i] = byte(i)
	}
	return &k
}

// New makes an empty workspace of [Member], or ends the test.
func New(t testing.TB) *Workspace {
	t.Helper()
	w := Open(t, workspacedb.Config{Path: filepath.Join(t.TempDir(), "workspace.db"), Key: Key()})
	if err := w.Begin(t.Context(), w.Lead, Member); err != nil {
		t.Fatal(err)
	}
	return w
}

// Open opens a workspace that may be there, or ends the test. It is closed with it.
func Open(t testing.TB, cfg workspacedb.Config) *Workspace {
	t.Helper()
	db, err := workspacedb.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &Workspace{
		Service: workspace.New(workspace.Config{Store: db, Now: Clock(time.Date(2031, 3, 1, 9, 0, 0, 0, time.UTC)), Rand: same{}}),
		DB:      db, Path: cfg.Path, Lead: workspace.Lead("Asta Lind"),
	}
}

// same is a source of bytes that are the same in every run: digests are, too.
type same struct{}

// Read implements [io.Reader].
func (same) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(i)
	}
	return len(b), nil
}

// Clock returns a clock that stands a second later whenever it is asked.
func Clock(start time.Time) func() time.Time {
	ticks := make(chan time.Time, 1)
	ticks <- start
	return func() time.Time {
		now := <-ticks
		ticks <- now.Add(time.Second)
		return now
	}
}

// Load opens the survey of a pack in [Cycle], or ends the test.
func (w *Workspace) Load(t testing.TB, pack *framework.Pack) workspace.SurveyID {
	t.Helper()
	s, err := w.Service.Load(t.Context(), w.Lead, workspace.LoadConfig{Pack: pack, Cycle: Cycle})
	if err != nil {
		t.Fatal(err)
	}
	return s.ID
}

// perArea is how many outcomes an area of [Pack] has.
const perArea = 6

// Pack returns an invented pack with so many outcomes, A1.1 to A1.6, A2.1 and so on.
// ask is in every question: packs that ask something else ask it in other words.
func Pack(t testing.TB, outcomes int, ask string) *framework.Pack {
	t.Helper()
	var b strings.Builder
	b.WriteString(`format: muster-pack/1
id: invented
version: 1.0.0
marking: TLP:CLEAR
licence: Apache-2.0
languages: [en, fr]
title: {en: Invented, fr: Inventé}
summary: {en: Asks nothing of anybody., fr: Ne demande rien à personne.}
scale:
  house_rule: {en: Each level includes the one below., fr: Chaque niveau comprend le précédent.}
  levels: [{en: none, fr: aucun}, {en: ad hoc, fr: au cas par cas}, {en: written, fr: écrit}, {en: figures, fr: des chiffres}, {en: seen, fr: vu}]
roll_up: {rule: share-of-scope, percent: 80, text: {en: The level that 80 % reach., fr: Le niveau que 80 % atteignent.}}
areas:
`)
	for i := range outcomes {
		area := i/perArea + 1
		if i%perArea == 0 {
			fmt.Fprintf(&b, "  - id: A%[1]d\n    title: {en: Area %[1]d, fr: Domaine %[1]d}\n    summary: {en: One of several., fr: Un parmi d'autres.}\n    outcomes:\n", area)
		}
		id := fmt.Sprintf("A%d.%d", area, i%perArea+1)
		fmt.Fprintf(&b, `      - id: %[1]s
        title: {en: Thing %[1]s, fr: Chose %[1]s}
        question: {en: "Is thing %[1]s %[2]s?", fr: "La chose %[1]s, %[2]s ?"}
        measure: {en: The share of %[1]s., fr: La part de %[1]s.}
        descriptors:
`, id, ask)
		for level := range framework.Descriptors {
			fmt.Fprintf(&b, "          - {en: \"%[1]s stands at %[2]d, which somebody wrote down.\", fr: \"%[1]s en est à %[2]d, ce que quelqu'un a écrit.\"}\n", id, level)
		}
		fmt.Fprintf(&b, `        evidence: {en: A list of %[1]s., fr: Une liste de %[1]s.}
        why: {en: Somebody depends on %[1]s., fr: Quelqu'un dépend de %[1]s.}
        not_applicable: {en: Where there is no %[1]s., fr: Là où %[1]s n'existe pas.}
`, id)
	}
	pack, err := framework.Read("invented.yaml", strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return pack
}
