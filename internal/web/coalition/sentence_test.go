package coalition_test

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// This file recomputes from release.json every number that stands in a sentence,
// a list or a heading of an English page, takes what it expects out of the page,
// and holds that no digit is left over.

// script is what a page has to say, piece by piece.
type script struct {
	t    *testing.T
	text string
	name string
}

// expect takes a piece out of the page once; it has to be there.
func (s *script) expect(format string, args ...any) {
	s.t.Helper()
	piece := fmt.Sprintf(format, args...)
	if !strings.Contains(s.text, piece) {
		s.t.Errorf("%s does not say %q", s.name, piece)
	}
	s.text = strings.Replace(s.text, piece, " ~ ", 1)
}

// allow takes a piece out of the page wherever it is.
func (s *script) allow(piece string) { s.text = strings.ReplaceAll(s.text, piece, " ~ ") }

var digits = regexp.MustCompile(`.{0,40}[0-9].{0,40}`)

// end holds that no digit is left that nobody accounted for.
func (s *script) end(ids *regexp.Regexp) {
	s.t.Helper()
	for _, left := range digits.FindAllString(ids.ReplaceAllString(s.text, " "), 10) {
		s.t.Errorf("%s: nobody accounts for a number in %q", s.name, left)
	}
}

// fixed takes out what a release says in words, and the kit's own digits.
func (s *script) fixed(r *releaseFile) {
	scale := "– no level given: not applicable, “We prefer not to say”, or not verified"
	for i, level := range r.Scale.Levels {
		scale += fmt.Sprintf(" %d %s", i, level["en"])
	}
	s.expect("%s", scale)
	s.expect("%s", strings.Join(strings.Fields(r.Scale.HouseRule["en"]), " "))
	s.expect("each strip is the same %d %s, in proportion", r.Participation.Submissions, who(r.Cohort, 2))
	s.expect("%s, cycle %s, %s; %s %s. %d of %d %s stand behind each number.", r.Coalition, r.Cycle, group(r.Cohort),
		r.Framework.ID, r.Framework.Version, r.Participation.Submissions, r.Participation.Members, who(r.Cohort, 2))
}

func who(cohort string, n int) string {
	word := map[string]string{"allies": "ally", "partners": "partner"}[cohort]
	switch {
	case word == "":
		word = "member"
	case word == "ally" && n != 1:
		return "allies"
	}
	if n != 1 {
		word += "s"
	}
	return word
}

func group(cohort string) string {
	if name := map[string]string{"allies": "Allies", "partners": "Partners", "members": "All members"}[cohort]; name != "" {
		return name
	}
	return cohort
}

// headline says how many took part.
func headline(r *releaseFile) string {
	p := r.Participation
	return fmt.Sprintf("%d of %d %s took part", p.Submissions, p.Members, who(r.Cohort, p.Members))
}

// participation says the rest.
func participation(r *releaseFile) string {
	p := r.Participation
	say := map[int]string{0: "The two hosts of the cycle are not among them.", 1: "One host of the cycle is among them.", 2: "Both hosts of the cycle are among them."}[p.Hosts]
	switch {
	case p.Declined == 1:
		say += " One takes no part this year."
	case p.Declined > 1:
		say += fmt.Sprintf(" %d take no part this year.", p.Declined)
	}
	switch late := p.Members - p.Submissions - p.Declined; {
	case late == 1:
		say += " One is late."
	case late > 1:
		say += fmt.Sprintf(" %d are late.", late)
	}
	return say + fmt.Sprintf(" Every number counts these %d %s together", p.Submissions, who(r.Cohort, p.Submissions))
}

// calendar says who hosted, when it closed, and how many are newly counted.
func calendar(r *releaseFile) string {
	say := fmt.Sprintf("Hosted by %s and %s. Closed on %s", r.HostedBy[0], r.HostedBy[1], date(r.Calendar.Deadline))
	if n := len(r.Calendar.Postponed); n > 0 {
		say += fmt.Sprintf(", later than first agreed: “%s”", r.Calendar.Postponed[n-1].Reason)
	}
	say += "."
	if t := r.Turnover; t != nil && t.Joined+t.Left > 0 {
		say += fmt.Sprintf(" Since %s, %d are newly counted", t.Since, t.Joined)
	}
	return say
}

func date(seconds int64) string { return time.Unix(seconds, 0).UTC().Format("2 January 2006") }

// moved is an outcome that asks the same in two cycles and tells in both how many
// are at 3 or 4.
type moved struct {
	outcome
	was, wasOf, is, of int
}

func shifts(now, before *releaseFile) []moved {
	var list []moved
	if before == nil {
		return nil
	}
	for _, o := range now.all() {
		for _, b := range before.all() {
			is, okNow := o.Level.sum("3", "4")
			was, okThen := b.Level.sum("3", "4")
			if b.ID == o.ID && b.Asked == o.Asked && okNow && okThen {
				list = append(list, moved{o, was, before.Participation.Submissions, is, now.Participation.Submissions})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b moved) int { return cmp.Compare(b.rise(), a.rise()) })
	return list
}

func (m moved) rise() float64 { return float64(m.is)/float64(m.of) - float64(m.was)/float64(m.wasOf) }

func (m moved) fromTo() string {
	return fmt.Sprintf("%d of %d → %d of %d", m.was, m.wasOf, m.is, m.of)
}

// movement says how many outcomes rose and fell.
func movement(now, before *releaseFile) string {
	if before == nil {
		return "There is no earlier cycle to compare with."
	}
	up, down, even := 0, 0, 0
	for _, m := range shifts(now, before) {
		switch {
		case m.rise() > 1e-9:
			up++
		case m.rise() < -1e-9:
			down++
		default:
			even++
		}
	}
	if up+down+even == 0 {
		return "No outcome shows in both years how many are at 3 or 4."
	}
	number := func(n int) string {
		if n == 0 {
			return "none"
		}
		return strconv.Itoa(n)
	}
	say := fmt.Sprintf("Since %s the share of %s at 3 or 4 rose in %s of the %d outcomes that show it in both years", before.Cycle, who(now.Cohort, 2), number(up), up+down+even)
	if even == 0 {
		return say + " and fell in " + number(down) + "."
	}
	return say + ", fell in " + number(down) + " and stayed the same in " + number(even) + "."
}

// place is an outcome with how many are somewhere, certainly and possibly.
type place struct {
	o              outcome
	least, atMost  int
	of             int
	describedAs    string
	titleAndNumber string
}

// lowPlaces are the outcomes that tell how many are at 0 or 1, most first.
func lowPlaces(r *releaseFile) []place {
	return ranked(r, "at 0 or 1", func(o outcome) (int, int, bool) {
		atMost, ok := o.Level.sum("none", "0", "1")
		if !ok {
			return 0, 0, false
		}
		if n, ok := o.Level.sum("0", "1"); ok {
			return n, n, true
		}
		one, _ := o.Level.sum("1")
		return one, atMost, true
	})
}

func highPlaces(r *releaseFile) []place {
	return ranked(r, "at 3 or 4", func(o outcome) (int, int, bool) {
		n, ok := o.Level.sum("3", "4")
		return n, n, ok
	})
}

func ranked(r *releaseFile, at string, of func(outcome) (int, int, bool)) []place {
	var list []place
	for _, o := range r.all() {
		least, atMost, ok := of(o)
		if !ok {
			continue
		}
		n := fmt.Sprint(least)
		switch {
		case least == 0 && atMost > 0:
			n = fmt.Sprintf("up to %d", atMost)
		case atMost > least:
			n += fmt.Sprintf(" to %d", atMost)
		}
		text := fmt.Sprintf("%s of %d %s", n, r.Participation.Submissions, at)
		list = append(list, place{o, least, atMost, r.Participation.Submissions, o.ID + ": " + text, o.ID + " " + o.Title["en"] + " " + text})
	}
	slices.SortStableFunc(list, func(a, b place) int {
		return cmp.Or(cmp.Compare(b.least, a.least), cmp.Compare(b.atMost, a.atMost))
	})
	return list
}

// standings expects the first n of a list, and returns the titles of their bars.
func (s *script) standings(list []place, n int) []string {
	var bars []string
	for _, p := range list[:min(n, len(list))] {
		if p.atMost == 0 {
			break
		}
		s.expect("%s", p.titleAndNumber)
		bars = append(bars, p.describedAs)
	}
	return bars
}

// outOf expects what stands below a list: that some numbers are not exact, and of
// how many outcomes there is no number.
func (s *script) outOf(list []place, all int, at string) {
	ranged, first := false, list[:min(5, len(list))]
	for _, p := range first {
		ranged = ranged || p.atMost > p.least
	}
	note := ""
	if ranged {
		note = "Where a number is not exact, those who gave no level are counted with it. "
	}
	switch n := all - len(list); {
	case len(list) > 0 && list[0].atMost == 0:
		note += "Nobody is " + at + " in any outcome that shows it."
	case n == 1:
		note += fmt.Sprintf("1 of the %d outcomes does not show how many are %s.", all, at)
	case n > 1 && n < all:
		note += fmt.Sprintf("%d of the %d outcomes do not show how many are %s.", n, all, at)
	}
	s.expect("%s", strings.TrimSpace(note))
}

func TestYearSaysWhatTheReleaseSays(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"three-cycles", "first-cycle", "few", "many"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, name)
			first := w.releases[0]
			r := w.release(first.Cohort, "2026", "muster-core")
			p := readPage(t, w.get(t, "/en/"+r.Cohort+"/2026/", http.StatusOK))
			s := &script{t, p.text, name}
			s.fixed(r)
			n := r.Participation.Submissions
			s.expect("Cycle 2026 · %s · %s", group(r.Cohort), r.Framework.Title["en"])
			s.expect("%s. %s", headline(r), participation(r))
			s.expect("%s", calendar(r))
			before := w.release(r.Cohort, "2025", r.Framework.ID)
			s.expect("%s", movement(r, before))
			var bars []string
			if before != nil {
				s.expect("The mark shows 2025. Both years' totals side by side")
				list := shifts(r, before)
				var marked []moved
				for i := 0; i < min(3, len(list)) && list[i].rise() > 1e-9; i++ {
					marked = append(marked, list[i])
				}
				for i := len(list) - 1; i >= max(0, len(list)-2) && list[i].rise() < -1e-9; i-- {
					marked = append(marked, list[i])
				}
				for _, m := range marked {
					s.expect("%s %s %s", m.ID, m.Title["en"], m.fromTo())
					bars = append(bars, m.ID+": "+m.fromTo())
				}
			}
			s.byArea(r)
			s.expect("The outcomes with the most %s at 0 or 1.", who(r.Cohort, 2))
			s.expect("The outcomes with the most %s at 3 or 4.", who(r.Cohort, 2))
			low, high, all := lowPlaces(r), highPlaces(r), len(r.all())
			bars = append(append(bars, s.standings(low, 5)...), s.standings(high, 5)...)
			s.outOf(low, all, "at 0 or 1")
			s.outOf(high, all, "at 3 or 4")
			for _, other := range w.releases {
				if other.Cycle != "2026" || other == r {
					continue
				}
				if other.Cohort != r.Cohort {
					if other.Framework.ID == r.Framework.ID {
						s.expect("%s. They answer for themselves, and their totals stand apart.", headline(other))
						if earlier := w.release(other.Cohort, "2025", other.Framework.ID); earlier != nil {
							s.expect("%s", movement(other, earlier))
						}
						bars = append(bars, s.standings(lowPlaces(other), 2)...)
						bars = append(bars, s.standings(highPlaces(other), 2)...)
					}
					continue
				}
				s.expect("%s.", headline(other))
				if earlier := w.release(other.Cohort, "2025", other.Framework.ID); earlier != nil {
					s.expect("%s", movement(other, earlier))
				}
				s.expect("All %d outcomes of %s", len(other.all()), other.Framework.Title["en"])
				bars = append(bars, s.standings(lowPlaces(other), 2)...)
				bars = append(bars, s.standings(highPlaces(other), 2)...)
			}
			s.expect("On the left where the %d %s stand; beside it how many are at 3 or 4", n, who(r.Cohort, 2))
			s.expect("All %d outcomes of %s", all, r.Framework.Title["en"])
			for _, a := range r.Areas {
				s.expect("%s %s %d outcomes", a.ID, a.Title["en"], len(a.Outcomes))
			}
			s.yearCounts(w, r)
			s.itself(w)
			for _, cycle := range []string{"2024", "2025", "2026"} {
				s.allow(cycle)
			}
			s.end(ids(w))
			got := slices.DeleteFunc(slices.Clone(p.bars), func(title string) bool {
				return strings.Contains(title, ": took part ") || strings.Contains(title, ", target")
			})
			if !slices.Equal(got, bars) && !sameSet(got, bars) {
				t.Errorf("bars are of\n%q, want\n%q", got, bars)
			}
		})
	}
}

// byArea expects how many are better in each area that shows it.
func (s *script) byArea(r *releaseFile) {
	var parts []string
	for _, a := range r.Areas {
		if n, ok := a.Change.sum("better"); ok {
			parts = append(parts, fmt.Sprintf("%s %s %d of %d", a.ID, a.Title["en"], n, r.Participation.Submissions))
		}
	}
	switch {
	case len(parts) == 0 && s.name == "three-cycles":
		s.t.Error("no area shows its change: the test shows nothing")
	case len(parts) > 0:
		s.expect("Better than in the cycle before, by area: %s", strings.Join(parts, " · "))
	}
}

// yearCounts expects, beside each strip, how many are at 3 or 4 in each cycle.
func (s *script) yearCounts(w *world, r *releaseFile) {
	if _, held := r.Reasons["not_both"]; !held || r.Areas[0].Lowest.shown() {
		return
	}
	for _, n := range r.NotShown {
		if n.Block == r.Areas[0].ID+"/lowest" && n.Reason != "not_both" {
			return // the lowest levels stand there instead
		}
	}
	for _, o := range r.all() {
		piece := o.ID + " " + o.Title["en"]
		for _, cycle := range []string{"2024", "2025", "2026"} {
			earlier := w.release(r.Cohort, cycle, r.Framework.ID)
			if earlier == nil {
				continue
			}
			text := "·"
			for _, e := range earlier.all() {
				if n, ok := e.Level.sum("3", "4"); ok && e.ID == o.ID {
					text = fmt.Sprint(n)
					if n > 9999 {
						text = ""
					}
				}
			}
			piece += " " + cycle + ": " + text
		}
		s.expect("%s", piece)
	}
	s.allow("at 3 or 4")
}

// itself expects what the coalition says of itself, where it does.
func (s *script) itself(w *world) {
	for _, c := range w.Config.Itself {
		if c.Cycle != "2026" {
			continue
		}
		n, met, below := 0, 0, 0
		for _, a := range c.Areas {
			for _, o := range a.Outcomes {
				n++
				if o.Level >= 0 && o.Target >= 0 && o.Level >= o.Target {
					met++
				} else if o.Level >= 0 && o.Target >= 0 {
					below++
				}
			}
		}
		s.expect("%d answers, given once for the coalition as a whole. %d are at their target or above. %d are below.", n, met, below)
		s.expect("All %d answers, with their evidence", n)
	}
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// ids matches the ids of areas and outcomes, which are names and not numbers.
func ids(w *world) *regexp.Regexp {
	var all []string
	for _, r := range w.releases {
		for _, a := range r.Areas {
			all = append(all, a.ID)
			for _, o := range a.Outcomes {
				all = append(all, o.ID)
			}
		}
	}
	for _, c := range w.Config.Itself {
		for _, a := range c.Areas {
			all = append(all, a.ID)
			for _, o := range a.Outcomes {
				all = append(all, o.ID)
			}
		}
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return regexp.MustCompile(`\b(` + strings.ReplaceAll(strings.Join(slices.Compact(all), "|"), ".", `\.`) + `)\b`)
}
