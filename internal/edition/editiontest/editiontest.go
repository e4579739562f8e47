// Package editiontest makes a coordinator's database in which a release was approved and
// kept, for tests of editions: of 31 invented members, by muster-ai, through the code
// that makes real ones, attack and all.
package editiontest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"muster/internal/coalition"
	"muster/internal/cycle"
	"muster/internal/cycle/cycletest"
	"muster/internal/disclosure"
	"muster/internal/edition"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/release"
	"muster/packs"
)

// Members is how many members' answers a release counts.
const Members = 31

// World is a coordinator's database with a release.
type World struct {
	*cycletest.World
	Editions *edition.Service
	Cycle    cycle.ID
	Body     []byte // the release's file
	Digest   string
	Roster   []coalition.MemberID
}

// New makes a world in which the release of the cycle is approved and kept.
func New(t testing.TB) *World {
	t.Helper()
	w := &World{World: cycletest.New(t)}
	w.Editions = edition.New(edition.ServiceConfig{Store: w.DB.Editions(), Year: w.Service, Now: w.Clock.Now})
	w.Roster = Roster(Members)
	r, body := Release(t, Config{Cycle: w.Made.Charter.Cycle, Coalition: cycletest.Coalition, Roster: w.Roster, Seed: 5})
	w.Cycle, w.Body, w.Digest = cycle.ID(r.Cycle), body, keys.Digest(body)
	w.Release = w.Digest
	w.To(t, coalition.Released)
	if _, err := w.Editions.Take(t.Context(), w.Ada, body, w.Roster); err != nil {
		t.Fatal(err)
	}
	return w
}

// Roster is the names of so many members, of whom the first two host.
func Roster(n int) []coalition.MemberID {
	all := []coalition.MemberID{"Ostmere", "Brennholm"}
	for i := range n - 2 {
		all = append(all, coalition.MemberID(fmt.Sprintf("Invented Land %02d", i)))
	}
	return all
}

// Config is what a release is made of.
type Config struct {
	Coalition, Cycle, Cohort string
	Roster                   []coalition.MemberID
	Seed                     uint64
}

// Release makes one, and its file.
func Release(t testing.TB, cfg Config) (*release.Release, []byte) {
	t.Helper()
	pack := pack(t)
	layout, err := framework.NewLayout(pack)
	if err != nil {
		t.Fatal(err)
	}
	n := len(cfg.Roster)
	r, err := release.New(release.Config{
		Coalition: cfg.Coalition, Cycle: cfg.Cycle, Cohort: cmp.Or(cfg.Cohort, "members"), Marking: "SYNTHETIC", Pack: pack, Totals: totals(layout, n, cfg.Seed),
		CohortSize: n + 1, Members: cfg.Roster, HostedBy: [2]coalition.MemberID{"Ostmere", "Brennholm"},
		Calendar:      release.Calendar{Opens: 1_930_000_000, Deadline: 1_933_000_000, Postponed: []release.Postponement{}},
		CharterDigest: strings.Repeat("c0", 32), RosterDigest: strings.Repeat("40", 32),
	})
	if err != nil {
		t.Fatal(err)
	}
	body, err := r.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	return r, body
}

func pack(t testing.TB) *framework.Pack {
	t.Helper()
	f, err := packs.FS().Open("muster-ai/pack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := framework.Read("muster-ai", f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// totals adds up n members' answers, each around a level of its own. What a member
// computes of its answers is computed here, so that blocks fit each other.
func totals(l *framework.Layout, n int, seed uint64) disclosure.Totals {
	rng := rand.New(rand.NewPCG(seed, 0))
	t := disclosure.Totals{Layout: l, Submissions: uint64(n), Cells: make([]uint64, l.Bits())}
	count := func(subject string, kind framework.Kind, bucket string) {
		i, _ := l.Index(subject, kind)
		at, ok := l.Blocks[i].Bucket(bucket)
		if !ok {
			panic(bucket)
		}
		t.Cells[l.Offset(i)+at]++
	}
	for range n {
		capability := rng.NormFloat64()*0.9 + 1.7
		lowest := make(map[string]int)
		for _, b := range l.Blocks {
			if b.Kind != framework.KindLevel {
				continue
			}
			level, target := min(max(int(capability+rng.NormFloat64()), 0), 4), 2+rng.IntN(3)
			given := strconv.Itoa(level)
			area, _, _ := strings.Cut(b.Subject, ".")
			gap := "met"
			if rng.IntN(5) == 0 {
				given, gap = "withheld", "unknown"
			} else {
				if level < target {
					gap = "below"
				}
				if old, ok := lowest[area]; !ok || level < old {
					lowest[area] = level
				}
			}
			count(b.Subject, framework.KindLevel, given)
			count(b.Subject, framework.KindVerified, []string{given, "none"}[rng.IntN(2)])
			count(b.Subject, framework.KindTarget, strconv.Itoa(target))
			count(b.Subject, framework.KindGap, gap)
			count(b.Subject, framework.KindEvidence, []string{"none", "E0", "E1", "E2", "E3"}[rng.IntN(5)])
		}
		for _, b := range l.Blocks {
			if b.Kind == framework.KindLowest {
				bucket := "none"
				if level, ok := lowest[b.Subject]; ok {
					bucket = strconv.Itoa(level)
				}
				count(b.Subject, framework.KindLowest, bucket)
				count(b.Subject, framework.KindChange, "not_comparable")
			}
		}
	}
	return t
}

// Text is commentary for an edition, with references to an outcome that it shows. rest
// are further lines of its head.
func Text(name edition.Name, subject string, rest ...string) string {
	tlp, sentence := "TLP:AMBER", ""
	if name == edition.Public {
		tlp = "TLP:CLEAR"
		sentence = "sentence.en: Of {took part} members {" + subject + " level 2-4} have it in writing.\nsentence.fr: Sur {took part} membres, {" + subject + " level 2-4} l’ont par écrit.\n"
	}
	return "tlp: " + tlp + "\n" + strings.Join(append(rest, ""), "\n") +
		"title.en: What {cycle} shows the " + string(name) + " readers\ntitle.fr: Ce que montre {cycle} (" + string(name) + ")\n" + sentence +
		"\n== en\n# Where we stand\n{" + subject + " title}: {" + subject + " level 2-4 of} have it written and approved, or better.\n\n- Below that: {" + subject + " level none-1}.\n" +
		"\n== fr\n# Où nous en sommes\n{" + subject + " title} : {" + subject + " level 2-4 of} l’ont écrit et approuvé, ou mieux.\n\n- En dessous : {" + subject + " level none-1}.\n"
}

// Shown returns an outcome of the release whose level is parted between 1 and 2.
func (w *World) Shown(t testing.TB) string {
	t.Helper()
	r, err := release.Parse(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range r.Areas {
		for _, o := range a.Outcomes {
			if _, ok := o.Level.Count("2", "4"); ok {
				return o.ID
			}
		}
	}
	t.Fatal("no outcome of the release is parted between 1 and 2")
	return ""
}

// Approve has the last version of an edition proposed by one of the staff and approved by
// the other.
func (w *World) Approve(t testing.TB, name edition.Name) *edition.Document {
	t.Helper()
	d, number, err := w.Editions.Propose(t.Context(), w.Ada, w.Cycle, name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Service.Approve(t.Context(), w.Bo, number, ""); err != nil {
		t.Fatal(err)
	}
	return d
}

// Busy makes editions for pages to draw: the allied one is published and announced to
// partners, that on ports is a draft with faults and a number that was typed.
func (w *World) Busy(t testing.TB) {
	t.Helper()
	shown := w.Shown(t)
	for name, text := range map[edition.Name]string{
		edition.Allied: Text(edition.Allied, shown, "announced: partner"),
		edition.Ports:  Text(edition.Ports, shown) + "\nTrois membres, soit 9 sur 31, et {P9 level 1}.\n",
	} {
		if _, err := w.Editions.Write(t.Context(), w.Ada, w.Cycle, name, text); err != nil {
			t.Fatal(err)
		}
	}
	w.Approve(t, edition.Allied)
	if _, err := w.Editions.Publish(t.Context(), w.Ada, w.Cycle, edition.Allied); err != nil {
		t.Fatal(err)
	}
}
