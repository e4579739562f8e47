package audience_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/audience"
	"muster/internal/coalition"
)

var names = members{"Ostmere", "Selland", "Dunmark", "Vinterhavn", ""}

// drawn are subjects and readers of which nothing is assumed: odd bits, empty names and
// whatever a caller might get wrong included.
func drawnMembers(label string) *rapid.Generator[members] {
	return rapid.Custom(func(t *rapid.T) members { return rapid.SliceOfN(rapid.SampledFrom(names), 0, 3).Draw(t, label) })
}

func drawnReader() *rapid.Generator[audience.Reader] {
	party := rapid.Custom(func(t *rapid.T) audience.Party {
		return audience.Party{
			ID: rapid.SampledFrom(names).Draw(t, "party"), Circle: audience.Circle(rapid.Uint8().Draw(t, "circle")),
			Client: rapid.Bool().Draw(t, "client"), Roles: audience.Role(rapid.Uint8().Draw(t, "roles")),
		}
	})
	return rapid.Custom(func(t *rapid.T) audience.Reader {
		return audience.Reader{
			Person: rapid.SampledFrom(people{"", "ola", "dan"}).Draw(t, "person"), Staff: audience.Role(rapid.Uint8().Draw(t, "staff")),
			Parties: rapid.SliceOfN(party, 0, 3).Draw(t, "parties"),
		}
	})
}

func drawnTime(label string) *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		return rapid.SampledFrom([]time.Time{{}, date(1), date(2), date(3)}).Draw(t, label)
	})
}

func drawnSubject() *rapid.Generator[audience.Subject] {
	return rapid.Custom(func(t *rapid.T) audience.Subject {
		return audience.Subject{
			TLP: audience.TLP(rapid.IntRange(0, 6).Draw(t, "label")), Circles: audience.Circle(rapid.Uint8().Draw(t, "circles")), Members: drawnMembers("members").Draw(t, "for"),
			People: rapid.SliceOfN(rapid.SampledFrom(people{"", "ola", "dan"}), 0, 2).Draw(t, "people"), Work: audience.Role(rapid.Uint8().Draw(t, "work")), Of: drawnMembers("of").Draw(t, "of"),
			Announced: audience.Circle(rapid.Uint8().Draw(t, "announced")), Embargo: drawnTime("embargo").Draw(t, "embargo"), Expires: drawnTime("expires").Draw(t, "expires"),
		}
	})
}

// TestFilterAgrees: a list that is filtered holds exactly what the single decision
// lets through, whichever is asked.
func TestFilterAgrees(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		who, at := drawnReader().Draw(t, "who"), drawnTime("at").Draw(t, "at")
		for _, asks := range []audience.Question{audience.Sees, audience.Knows} {
			filter := audience.FilterOf(who, asks, at)
			for _, what := range rapid.SliceOfN(drawnSubject(), 1, 20).Draw(t, "what") {
				if d := audience.May(who, asks, what, at); filter.Passes(what) != d.Yes {
					t.Fatalf("question %d about %+v: the filter says %t, the decision %+v", asks, what, !d.Yes, d)
				}
			}
		}
	})
}

// TestSeeingIsKnowing: whoever sees a thing may know of it, by the same rule, and no
// decision is without one.
func TestSeeingIsKnowing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		who, what, at := drawnReader().Draw(t, "who"), drawnSubject().Draw(t, "what"), drawnTime("at").Draw(t, "at")
		sees, knows := audience.May(who, audience.Sees, what, at), audience.May(who, audience.Knows, what, at)
		if sees.Yes && !knows.Yes || sees.Rule != knows.Rule || sees.Rule == "" {
			t.Fatalf("sees %+v, knows %+v", sees, knows)
		}
		rule, ok := audience.Why(who, what, at)
		if ok != knows.Yes || ok && rule != sees.Rule || !ok && rule != "" {
			t.Fatalf("why: %q, %t", rule, ok)
		}
	})
}

// TestTighterShowsNoMore: nothing that takes away from a reader or holds back a subject
// lets her see it who did not.
func TestTighterShowsNoMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		who, what, at := drawnReader().Draw(t, "who"), drawnSubject().Draw(t, "what"), drawnTime("at").Draw(t, "at")
		less, held := who, what
		less.Parties = slices.Clone(who.Parties)
		which := rapid.IntRange(0, 11).Draw(t, "what is taken")
		switch which {
		case 0:
			if held.TLP++; what.TLP == audience.Unmarked {
				held.TLP = what.TLP
			}
		case 1:
			held.TLP = audience.Unmarked
		case 2:
			held.Circles &= audience.Circle(rapid.Uint8().Draw(t, "left"))
		case 3:
			held.Members = nil
		case 4:
			held.People = nil
		case 5:
			held.Work &= audience.Role(rapid.Uint8().Draw(t, "left"))
		case 6:
			held.Embargo = held.Embargo.Add(30 * time.Hour)
		case 7:
			if held.Expires = held.Expires.Add(-30 * time.Hour); what.Expires.IsZero() {
				held.Expires = at
			}
		case 8:
			less.Person = ""
		case 9:
			less.Staff &= audience.Role(rapid.Uint8().Draw(t, "left"))
		case 10:
			for i := range less.Parties {
				less.Parties[i].Roles &= audience.Role(rapid.Uint8().Draw(t, "left"))
			}
		default:
			if n := len(less.Parties); n > 0 {
				less.Parties = less.Parties[:n-1]
			}
		}
		if !audience.May(who, audience.Sees, what, at).Yes && audience.May(less, audience.Sees, held, at).Yes {
			t.Fatalf("%d: %+v sees %+v, and %+v did not see %+v", which, less, held, who, what)
		}
	})
}

// TestOrderSaysNothing: in which order parties, members and people are listed decides
// nothing.
func TestOrderSaysNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		who, what, at := drawnReader().Draw(t, "who"), drawnSubject().Draw(t, "what"), drawnTime("at").Draw(t, "at")
		turned, round := who, what
		turned.Parties = slices.Clone(who.Parties)
		round.Members, round.People, round.Of = slices.Clone(what.Members), slices.Clone(what.People), slices.Clone(what.Of)
		slices.Reverse(turned.Parties)
		slices.Reverse(round.Members)
		slices.Reverse(round.People)
		slices.Reverse(round.Of)
		for _, asks := range []audience.Question{audience.Sees, audience.Knows} {
			if one, other := audience.May(who, asks, what, at), audience.May(turned, asks, round, at); one != other {
				t.Fatalf("%+v, and turned round %+v", one, other)
			}
		}
	})
}

// TestNothingIsKept: a decision changes neither what it is asked with nor the table.
func TestNothingIsKept(t *testing.T) {
	t.Parallel()
	rules := audience.Rules()
	for i := range rules {
		rules[i] = audience.Rule{Sees: true}
	}
	if audience.May(public, audience.Sees, audience.Subject{}, date(1)).Yes {
		t.Error("the table can be changed from outside")
	}
	if got := audience.Rules()[0].Code; got != audience.RuleMarking {
		t.Errorf("the table begins with %q", got)
	}
	of := members{"Ostmere"}
	who := audience.Reader{Parties: parties{{ID: "Ostmere", Circle: audience.Allied}, {ID: "Dunmark", Circle: audience.Allied}}}
	audience.FilterOf(who, audience.Knows, date(1)).Passes(audience.Subject{TLP: audience.Amber, Members: of})
	if !slices.Equal(of, []coalition.MemberID{"Ostmere"}) || who.Parties[0].ID != "Ostmere" {
		t.Error("what was passed in has changed")
	}
}
