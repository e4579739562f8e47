package coalition_test

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestPackSaysWhatTheReleaseSays(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"three-cycles", "few"} {
		w := open(t, name)
		r := w.release(w.releases[0].Cohort, "2026", "muster-core")
		for query, choose := range map[string]func(outcome) bool{
			"":             func(outcome) bool { return true },
			"?sort=target": func(outcome) bool { return true },
			"?show=below":  func(o outcome) bool { n, ok := o.Gap.sum("met"); return ok && 2*n < r.Participation.Submissions },
			"?show=unverified": func(o outcome) bool {
				return slices.ContainsFunc(r.NotShown, func(n notShown) bool {
					id, _, _ := strings.Cut(n.Block, "/")
					return id == o.ID && n.Reason != "not_both"
				})
			},
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
					return -p.least*1000 - p.atMost
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
