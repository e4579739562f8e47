package coalition_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The chains of release.json, spelt out once more.
var (
	levelUnits    = []string{"none", "0", "1", "2", "3", "4"}
	stateUnits    = []string{"unknown", "below", "met"}
	evidenceUnits = []string{"none", "E0", "E1", "E2", "E3"}
	changeUnits   = []string{"not_comparable", "worse", "mixed", "same", "better"}
)

// counted is a kind of block: its name on English and French pages, its chain,
// and the first letter of its fills.
type counted struct {
	en, fr string
	units  []string
	letter string
}

var kinds = map[string]counted{
	"level":    {"What members say", "Ce que disent les membres", levelUnits, "l"},
	"verified": {"What their verifiers found", "Ce que leurs vérificateurs ont constaté", levelUnits, "l"},
	"target":   {"Where they want to be", "Là où ils veulent être", levelUnits, "l"},
	"gap":      {"Against their own target", "Par rapport à leur propre cible", stateUnits, "s"},
	"evidence": {"What the level rests on", "Sur quoi repose le niveau", evidenceUnits, "g"},
	"lowest":   {"Lowest level in the area", "Niveau le plus bas du domaine", levelUnits, "l"},
	"change":   {"Change against the cycle before", "Évolution par rapport au cycle précédent", changeUnits, "m"},
}

func (k counted) name(lang string) string {
	if lang == "fr" {
		return k.fr
	}
	return k.en
}

// parts returns how a block has to be drawn: one part for each band with members.
func (k counted) parts(b block) []part {
	var parts []part
	for _, band := range b.Bands {
		if band.Count == 0 {
			continue
		}
		first := slices.Index(k.units, band.Units[0])
		last := slices.Index(k.units, band.Units[len(band.Units)-1])
		parts = append(parts, part{class: k.letter + strconv.Itoa(first) + strconv.Itoa(last), hatched: last > first, count: strconv.Itoa(band.Count), label: k.label(first, last)})
	}
	return parts
}

// label returns what has to stand below a part, as far as it is the same in every
// language.
func (k counted) label(first, last int) string {
	signs := map[string][]string{"l": {"–", "0", "1", "2", "3", "4"}, "g": {"–", "E0", "E1", "E2", "E3"}}[k.letter]
	switch {
	case signs == nil:
		return ""
	case first == last:
		return signs[first]
	case first == 0 && last == 1:
		return "–," + signs[1]
	case first == 0:
		return "–," + signs[1] + "–" + strings.TrimPrefix(signs[last], "E")
	}
	return signs[first] + "–" + strings.TrimPrefix(signs[last], "E")
}

// cells returns how a block has to stand in a table: every band across its units.
func (b block) cells(of int) []cell {
	var cells []cell
	for _, band := range b.Bands {
		cells = append(cells, cell{strconv.Itoa(band.Count), len(band.Units)})
	}
	return append(cells, cell{strconv.Itoa(of), 1})
}

// subject is an outcome or an area with one of its blocks.
type subject struct {
	id, title, kind, cycle string
	block                  block
	of                     int
}

func subjects(r *releaseFile, lang string) []subject {
	in := func(t texts) string {
		if t[lang] != "" {
			return t[lang]
		}
		return t["en"]
	}
	var all []subject
	add := func(id string, title texts, kind string, b block) {
		all = append(all, subject{id, in(title), kind, r.Cycle, b, r.Participation.Submissions})
	}
	for _, a := range r.Areas {
		add(a.ID, a.Title, "lowest", a.Lowest)
		add(a.ID, a.Title, "change", a.Change)
		for _, o := range a.Outcomes {
			add(o.ID, o.Title, "level", o.Level)
			add(o.ID, o.Title, "verified", o.Verified)
			add(o.ID, o.Title, "target", o.Target)
			add(o.ID, o.Title, "gap", o.Gap)
			add(o.ID, o.Title, "evidence", o.Evidence)
		}
	}
	return all
}

// Every picture of bands on every page shows the release's bands and no others,
// and every table row has the same numbers.
func TestPicturesAndTablesAreTheReleases(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"three-cycles", "first-cycle", "revised", "few", "many"} {
		w := open(t, name)
		for _, lang := range []string{"en", "fr"} {
			for _, p := range w.Paths(lang) {
				if p.Name == "nothing there" || p.Name == "method" || p.Name == "check it yourself" || p.Name == "the coalition itself" {
					continue
				}
				t.Run(name+p.Path, func(t *testing.T) {
					t.Parallel()
					checkPage(t, w, lang, w.get(t, p.Path, http.StatusOK))
				})
			}
		}
	}
}

// checkPage compares every picture and table of a page with the releases.
func checkPage(t *testing.T, w *world, lang, body string) {
	t.Helper()
	cohort := w.releases[0].Cohort
	byTitle := make(map[string]subject) // as a picture's title begins
	for _, r := range w.releases {
		if r.Cohort != cohort {
			continue
		}
		for _, s := range subjects(r, lang) {
			title := s.id + " " + s.title
			lead := ""
			if r.Marking != "" {
				lead = r.Marking + ". "
			}
			byTitle[lead+title+", "+r.Cycle+": "+kinds[s.kind].name(lang)] = s
			if r.Cycle == "2026" {
				byTitle[lead+title+": "+kinds[s.kind].name(lang)] = s
			}
		}
	}
	p := readPage(t, body)
	if (len(p.stacks) == 0 || len(p.tables) == 0) && !strings.Contains(p.text, " 0 ") {
		t.Fatalf("%d pictures and %d tables", len(p.stacks), len(p.tables))
	}
	for _, st := range p.stacks {
		s, ok := byTitle[strings.ReplaceAll(st.title, "\u00a0", " ")]
		if !ok {
			t.Errorf("the picture %q is of nothing in a release", st.title)
			continue
		}
		if !s.block.shown() {
			t.Errorf("%s is drawn and not shown in the release", st.title)
		}
		checkStack(t, st, s)
	}
	for _, tb := range p.tables {
		checkTable(t, tb, byTitle, lang, w.releases[0].Marking)
	}
}

func checkStack(t *testing.T, st stack, s subject) {
	t.Helper()
	got, want := slices.Clone(st.parts), kinds[s.kind].parts(s.block)
	for i := range min(len(got), len(want)) {
		words := strings.FieldsFunc(got[i].count, func(r rune) bool { return r == '\u2009' })
		if len(words) == 2 { // a sign of change before it
			got[i].count = words[1]
		}
		// A narrow part may lack either.
		narrow := st.thin || 10*atoi(want[i].count) < s.of
		if narrow && got[i].count == "" {
			got[i].count = want[i].count
		}
		if kinds[s.kind].letter == "s" || narrow && got[i].label == "" {
			got[i].label = want[i].label
		}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(part{})); diff != "" {
		t.Errorf("%s: -want +got\n%s", st.title, diff)
	}
	// The description names every band with its count.
	var counts []string
	for _, band := range s.block.Bands {
		counts = append(counts, strconv.Itoa(band.Count))
	}
	desc := strings.NewReplacer(",", " ", ";", " ", "\u202f", "", ".", " ").Replace(st.desc)
	numbers := strings.Fields(desc)
	at := 0
	for _, c := range append(counts, strconv.Itoa(s.of)) {
		i := slices.Index(numbers[at:], c)
		if i < 0 {
			t.Errorf("%s: the description %q has no %s after %d words", st.title, st.desc, c, at)
			break
		}
		at += i + 1
	}
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// checkTable compares every row of a data table that holds bands.
func checkTable(t *testing.T, tb table, byTitle map[string]subject, lang, marking string) {
	t.Helper()
	if marking != "" && !strings.HasPrefix(tb.caption, marking+" · ") {
		t.Errorf("the caption %q does not carry the marking", tb.caption)
	}
	for _, r := range tb.rows[1:] { // the first is the head
		kind, cycle := "change", r.name[:min(4, len(r.name))] // a row of a cycle; its kind ends the caption, or it is a change
		for k, c := range kinds {
			if r.name == c.name(lang) {
				kind, cycle = k, "2026"
				break
			}
			if strings.HasSuffix(tb.caption, ": "+c.name(lang)) {
				kind = k
			}
		}
		var found []subject
		for _, s := range byTitle {
			if s.kind == kind && s.cycle == cycle && strings.Contains(tb.caption, s.id+" "+s.title) {
				found = append(found, s)
			}
		}
		if len(found) == 0 {
			t.Errorf("%s: the row %q is of nothing in a release", tb.caption, r.name)
			continue
		}
		checkRow(t, tb.caption, r, found[0])
	}
}

func checkRow(t *testing.T, caption string, r row, s subject) {
	t.Helper()
	n, comparable := s.block.sum("not_comparable")
	if !s.block.shown() || s.kind == "change" && comparable && n == s.of {
		if len(r.cells) > 2 || strings.ContainsAny(r.cells[0].text, "0123456789") {
			t.Errorf("%s, %s: %v is shown, and nothing may be", caption, r.name, r.cells)
		}
		return
	}
	for i := range r.cells {
		r.cells[i].text = strings.NewReplacer(",", "", "\u202f", "").Replace(r.cells[i].text)
	}
	if diff := cmp.Diff(s.block.cells(s.of), r.cells, cmp.AllowUnexported(cell{})); diff != "" {
		t.Errorf("%s, %s: -want +got\n%s", caption, r.name, diff)
	}
}

// Every outcome's five rows stand on the page of its pack: nothing that may be
// shown is left out.
func TestEveryShownBlockIsOnItsPage(t *testing.T) {
	t.Parallel()
	w := open(t, "few")
	r := w.release("members", "2026", "muster-core")
	p := readPage(t, w.get(t, "/en/members/2026/pack/muster-core/", http.StatusOK))
	instead := make(map[string]bool) // kinds that the charter holds back everywhere
	for _, n := range r.NotShown {
		_, kind, _ := strings.Cut(n.Block, "/")
		instead[kind] = instead[kind] || n.Reason == "not_both"
	}
	for _, s := range subjects(r, "en") {
		found, want := 0, 1
		if instead[s.kind] && s.kind != "change" {
			want = 0
		}
		for _, tb := range p.tables {
			for _, row := range tb.rows {
				change := s.kind == "change" && (row.name == s.cycle || strings.HasSuffix(row.name, "–"+s.cycle))
				if strings.Contains(tb.caption, s.id+" "+s.title) && (row.name == kinds[s.kind].en || change) {
					found++
				}
			}
		}
		if found != want {
			t.Errorf("%s of %s stands in %d rows, want %d", s.kind, s.id, found, want)
		}
	}
	if n := len(r.NotShown); n == 0 {
		t.Error("this world has nothing to hide: the test shows nothing")
	}
	method := readPage(t, w.get(t, "/en/members/2026/method", http.StatusOK))
	listed := 0
	for _, row := range method.tables[0].rows[1:] {
		for _, n := range r.NotShown {
			id, kind, _ := strings.Cut(n.Block, "/")
			if row.name == kinds[kind].en && row.cells[1].text == r.Reasons[n.Reason]["en"] &&
				(n.Reason == "not_both" || strings.Contains(row.cells[2].text, id)) {
				listed++
			}
		}
	}
	if listed != len(r.NotShown) {
		t.Errorf("the method lists %d of %d blocks that are not shown", listed, len(r.NotShown))
	}
}
