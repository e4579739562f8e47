package coalition_test

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
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

// calendar says who hosted, when it closed, and who joined and left.
func calendar(r *releaseFile) string {
	say := fmt.Sprintf("Hosted by %s and %s. Closed on %s.", r.HostedBy[0], r.HostedBy[1], date(r.Calendar.Deadline))
	for _, p := range r.Calendar.Postponed {
		say += fmt.Sprintf(" Postponed to %s: %s.", date(p.Deadline), p.Reason)
	}
	if t := r.Turnover; t != nil && t.Joined+t.Left > 0 {
		say += fmt.Sprintf(" Since %s, %d joined", t.Since, t.Joined)
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
		return "No outcome tells in both years how many are at 3 or 4."
	}
	return fmt.Sprintf("Of %d outcomes that tell in both years, %d have a larger share of %s at 3 or 4 than in %s, %d a smaller one, %d the same.",
		up+down+even, up, who(now.Cohort, 2), before.Cycle, down, even)
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
		if atMost > least {
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
		if p.least == 0 {
			break
		}
		s.expect("%s", p.titleAndNumber)
		bars = append(bars, p.describedAs)
	}
	return bars
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
			s.expect("Outcomes with most %s at 0 or 1.", who(r.Cohort, 2))
			s.expect("Outcomes with most %s at 3 or 4.", who(r.Cohort, 2))
			low, high, all := lowPlaces(r), highPlaces(r), len(r.all())
			bars = append(append(bars, s.standings(low, 5)...), s.standings(high, 5)...)
			if len(low) > 0 && low[0].least == 0 {
				s.expect("Nobody is certain to be at 0 or 1 in any outcome that shows it.")
			} else if len(low) < all {
				s.expect("Out of the %d of %d outcomes that show how many are at 0 or 1.", len(low), all)
			}
			if len(high) > 0 && high[0].least == 0 {
				s.expect("Nobody is certain to be at 3 or 4 in any outcome that shows it.")
			} else if len(high) < all {
				s.expect("Out of the %d of %d outcomes that show how many are at 3 or 4.", len(high), all)
			}
			for _, other := range w.releases {
				if other.Cycle != "2026" || other == r {
					continue
				}
				if other.Cohort != r.Cohort {
					if other.Framework.ID == r.Framework.ID {
						s.expect("%s; they see and answer their own picture", headline(other))
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
				return strings.Contains(title, "took part,") || strings.Contains(title, ", target")
			})
			if !slices.Equal(got, bars) && !sameSet(got, bars) {
				t.Errorf("bars are of\n%q, want\n%q", got, bars)
			}
		})
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

func TestPackSaysWhatTheReleaseSays(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"three-cycles", "few"} {
		w := open(t, name)
		r := w.release(w.releases[0].Cohort, "2026", "muster-core")
		for query, choose := range map[string]func(outcome) bool{
			"":                     func(outcome) bool { return true },
			"?sort=target":         func(outcome) bool { return true },
			"?show=below":          func(o outcome) bool { n, ok := o.Gap.sum("met"); return ok && 2*n < r.Participation.Submissions },
			"?area=A2":             func(o outcome) bool { return strings.HasPrefix(o.ID, "A2.") },
			"?area=none&sort=best": func(outcome) bool { return true }, // what nobody knows is everything
			"?show=help": func(o outcome) bool {
				high, ok := o.Level.sum("3", "4")
				low, knows := o.Level.sum("none", "0", "1")
				if n, ok := o.Level.sum("0", "1"); ok {
					low = n
				}
				return ok && knows && low > high
			},
		} {
			t.Run(name+query, func(t *testing.T) {
				t.Parallel()
				p := readPage(t, w.get(t, "/en/"+r.Cohort+"/2026/pack/muster-core/"+query, http.StatusOK))
				s := &script{t, p.text, query}
				s.fixed(r)
				n, all := r.Participation.Submissions, len(r.all())
				s.expect("%d outcomes in %d areas.", all, len(r.Areas))
				s.expect("%s. %s", headline(r), participation(r))
				chosen := slices.DeleteFunc(r.all(), func(o outcome) bool { return !choose(o) })
				switch len(chosen) {
				case 1:
					s.expect("1 of %d outcomes shown", all)
				default:
					s.expect("%d of %d outcomes shown", len(chosen), all)
				}
				var bars []string
				for _, o := range chosen {
					row := fmt.Sprintf("%s %s", o.ID, o.Title["en"])
					for _, figure := range []struct {
						head string
						b    block
						unit []string
					}{{"At own target or above", o.Gap, []string{"met"}}, {"With a test or a check", o.Evidence, []string{"E2", "E3"}}} {
						count, ok := figure.b.sum(figure.unit...)
						if !ok {
							continue
						}
						bars = append(bars, fmt.Sprintf("%s: %d of %d", figure.head, count, n))
						s.expect("%s %d of %d", figure.head, count, n)
					}
					s.expect("%s", row)
				}
				if !sameSet(p.bars, bars) {
					t.Errorf("bars are of\n%q, want\n%q", p.bars, bars)
				}
				for _, piece := range []string{"more at 0 or 1 than at 3 or 4", "more at 3 or 4 than at 0 or 1", "most at 0 or 1 first", "most at 3 or 4 first", "2024", "2025", "2026"} {
					s.allow(piece)
				}
				s.end(ids(w))
			})
		}
	}
}

// The order is what the reader asked for, and what bands do not tell comes last.
func TestPackOrder(t *testing.T) {
	t.Parallel()
	w := open(t, "few")
	r := w.release("members", "2026", "muster-core")
	const unknown = 1 << 20
	for query, key := range map[string]func(outcome) int{
		"help": func(o outcome) int {
			for _, p := range lowPlaces(r) {
				if p.o.ID == o.ID {
					return -p.least
				}
			}
			return unknown
		},
		"well":   func(o outcome) int { return order(o.Level, -1, "3", "4") },
		"target": func(o outcome) int { return order(o.Gap, 1, "met") },
		"tested": func(o outcome) int { return order(o.Evidence, 1, "E2", "E3") },
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			want := r.all()
			slices.SortStableFunc(want, func(a, b outcome) int { return cmp.Compare(key(a), key(b)) })
			body := w.get(t, "/en/members/2026/pack/muster-core/?sort="+query, http.StatusOK)
			at := 0
			for _, o := range want {
				i := strings.Index(body[at:], `id="o-`+o.ID+`"`)
				if i < 0 {
					t.Fatalf("%s is not where it should be", o.ID)
				}
				at += i
			}
		})
	}
}

func order(b block, sign int, units ...string) int {
	n, ok := b.sum(units...)
	if !ok {
		return 1 << 20
	}
	return sign * n
}

func TestMethodSaysWhatTheReleaseSays(t *testing.T) {
	t.Parallel()
	w := open(t, "few")
	r := w.release("members", "2026", "muster-core")
	p := readPage(t, w.get(t, "/en/members/2026/method", http.StatusOK))
	s := &script{t, p.text, "method"}
	s.fixed(r)
	s.expect("%s, cycle %s, %s; %s %s. %d of %d members stand behind each number.", r.Coalition, r.Cycle, group(r.Cohort),
		r.Framework.ID, r.Framework.Version, r.Participation.Submissions, r.Participation.Members) // once more, beside the rule
	for _, m := range r.Method {
		s.expect("%s", m.Text["en"])
	}
	s.expect("%d members that have to take part before anything is opened", r.Thresholds.Batch)
	s.expect("%d members besides the hosts, before anything is released", r.Thresholds.Release)
	s.expect("%d members in any group that is shown, unless it is empty", r.Rule.Band)
	s.expect("Charter %s", r.Charter)
	s.expect("Roster %s", r.Roster)
	s.expect("Framework %s %s %s", r.Framework.ID, r.Framework.Version, r.Framework.Digest)
	s.allow("SHA-256")
	for _, sheet := range w.Config.Sheets {
		if sheet.Cycle == "2026" {
			s.expect("release.json %s", sheet.Digest())
		}
	}
	for _, cycle := range []string{"2024", "2025", "2026"} {
		s.allow(cycle)
	}
	s.end(ids(w))
}

func TestOutcomeSaysWhatTheReleaseSays(t *testing.T) {
	t.Parallel()
	w := open(t, "few")
	r := w.release("members", "2026", "muster-core")
	for _, a := range r.Areas {
		for _, o := range a.Outcomes {
			p := readPage(t, w.get(t, "/en/members/2026/pack/muster-core/"+o.ID, http.StatusOK))
			s := &script{t, p.text, o.ID}
			s.fixed(r)
			s.expect("%s %s", o.ID, o.Title["en"])
			s.expect("%s", o.Question["en"])
			s.expect("Area %s · %s", a.ID, a.Title["en"])
			s.expect("this outcome is one of %d.", len(a.Outcomes))
			s.allow("Evidence is asked for at 3 and 4 only.")
			for _, cycle := range []string{"2024", "2025", "2026"} {
				s.allow(cycle)
			}
			s.end(ids(w))
		}
	}
}
