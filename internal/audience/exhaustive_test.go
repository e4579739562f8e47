package audience_test

import (
	"testing"
	"time"

	"muster/internal/audience"
)

// answer is what the rules come to in plain sentences, written without looking at
// facts, ways or an order of labels.
type answer struct {
	sees, knows bool
	rule        audience.Code
}

// said answers for a coalition in which there are one member, Ostmere, one partner,
// Selland, and one person of each who could be named.
func said(r audience.Reader, s audience.Subject, at time.Time) answer {
	var isNamed, ofAddressed, clientOfAddressed, works, announced bool
	if len(s.People) > 0 && r.Person != "" && r.Person == s.People[0] {
		isNamed = true
	}
	if s.Announced&audience.Public > 0 {
		announced = true
	}
	if (r.Staff == audience.Coordinator || r.Staff == audience.Auditor) && s.Work&r.Staff == r.Staff {
		works = true
	}
	for _, p := range r.Parties {
		reached := p.Circle == audience.Allied && s.Circles&audience.Allied > 0 || p.Circle == audience.Partner && s.Circles&audience.Partner > 0
		for _, m := range s.Members {
			reached = reached || m == p.ID
		}
		if p.Client {
			clientOfAddressed = clientOfAddressed || reached
			continue
		}
		ofAddressed = ofAddressed || reached
		announced = announced || s.Announced&p.Circle > 0
		for _, m := range s.Of {
			works = works || m == p.ID && p.Roles&s.Work > 0
		}
	}
	everybody := s.Circles&audience.Public > 0
	inCommunity := r.Staff > 0 || len(r.Parties) > 0
	addressed := isNamed || ofAddressed || clientOfAddressed || everybody

	// A thing without a label is seen by nobody. Who works on it may know that it waits.
	// Each label lets it come to certain people.
	var comes bool
	switch s.TLP {
	case audience.Clear:
		comes = true
	case audience.Green:
		// Not beyond the community; an individual and a client of an addressed party are in it.
		comes = isNamed || inCommunity
	case audience.Amber:
		comes = isNamed || ofAddressed || works || clientOfAddressed
	case audience.AmberStrict:
		comes = isNamed || ofAddressed || works
	case audience.Red:
		comes = isNamed
		announced = false
	default:
		return answer{false, works, audience.RuleMarking}
	}
	if (addressed || works) && !comes {
		return answer{false, announced, audience.RuleTLP}
	}
	if works {
		return answer{true, true, audience.RuleRole}
	}
	if !addressed {
		return answer{false, announced, audience.RuleDefault}
	}
	if s.Embargo.After(at) {
		return answer{false, announced, audience.RuleEmbargo}
	}
	if s.Expires != (time.Time{}) && !s.Expires.After(at) {
		return answer{false, true, audience.RuleExpiry}
	}
	return answer{true, true, audience.RuleAudience}
}

// everyReader is the product of who she is, what she is of the staff, and of whom.
func everyReader() []audience.Reader {
	var all []audience.Reader
	ofs := []parties{
		nil,
		{{ID: "Ostmere", Circle: audience.Allied}},
		{{ID: "Ostmere", Circle: audience.Allied, Roles: audience.Officer}},
		{{ID: "Ostmere", Circle: audience.Allied, Client: true}},
		{{ID: "Selland", Circle: audience.Partner, Roles: audience.Delegate}},
		{{ID: "Selland", Circle: audience.Partner, Client: true}},
		{{ID: "Selland", Circle: audience.Partner, Client: true}, {ID: "Ostmere", Circle: audience.Allied, Roles: audience.Engineer}},
	}
	for _, person := range []audience.PersonID{"", "ola"} {
		for _, of := range ofs {
			for _, role := range []audience.Role{0, audience.Coordinator, audience.Auditor} {
				all = append(all, audience.Reader{Person: person, Staff: role, Parties: of})
			}
		}
	}
	return all
}

// everySubject calls do with the product of everything that is said of a subject but
// its label.
func everySubject(do func(audience.Subject)) {
	now := date(5)
	for circles := range audience.Circle(8) {
		for _, to := range []members{nil, {"Ostmere"}, {"Selland", "Dunmark"}} {
			for _, named := range []people{nil, {"ola"}} {
				for _, work := range []audience.Role{0, audience.Coordinator, audience.Officer | audience.Delegate, audience.Engineer | audience.Auditor} {
					for _, of := range []members{nil, {"Dunmark", "Ostmere"}} {
						for _, announced := range []audience.Circle{0, audience.Allied, audience.Partner, audience.Public} {
							for _, embargo := range []time.Time{{}, now, now.Add(1)} {
								for _, expires := range []time.Time{{}, now, now.Add(1)} {
									do(audience.Subject{
										Circles: circles, Members: to, People: named, Work: work, Of: of,
										Announced: announced, Embargo: embargo, Expires: expires,
									})
								}
							}
						}
					}
				}
			}
		}
	}
}

// TestEveryCombination compares the table, and the filters worked out from it, with
// the sentences above: every label, every reader, every subject.
func TestEveryCombination(t *testing.T) {
	t.Parallel()
	readers := everyReader()
	for _, label := range append(audience.TLPs(), audience.Unmarked, audience.Red+1) {
		t.Run(label.String(), func(t *testing.T) {
			t.Parallel()
			seen := map[answer]int{}
			for _, r := range readers {
				sees, knows := audience.FilterOf(r, audience.Sees, date(5)), audience.FilterOf(r, audience.Knows, date(5))
				everySubject(func(s audience.Subject) {
					s.TLP = label
					want := said(r, s, date(5))
					d := audience.May(r, audience.Sees, s, date(5))
					got := answer{d.Yes, audience.May(r, audience.Knows, s, date(5)).Yes, d.Rule}
					filtered := answer{sees.Passes(s), knows.Passes(s), want.rule}
					if got != want || filtered != want {
						t.Fatalf("reader %+v\nsubject %+v\nsays %+v\nfilter %+v\nwant %+v", r, s, got, filtered, want)
					}
					seen[want]++
				})
			}
			// Of a known label: barred and announced or not, announced or not by default and
			// under an embargo, and one each by role, expiry and audience.
			want := 9
			switch label {
			case audience.Clear:
				want = 7 // it bars nobody
			case audience.Red:
				want = 6 // it is announced to nobody
			case audience.Unmarked, audience.Red + 1:
				want = 2
			}
			if len(seen) != want {
				t.Errorf("%d kinds of answers came up, want %d: %v", len(seen), want, seen)
			}
		})
	}
}
