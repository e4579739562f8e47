package cycle_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/account"
	"muster/internal/audience"
	"muster/internal/coalition"
	"muster/internal/cycle"
	"muster/internal/cycle/cycletest"
)

// Which circle somebody is in follows from what her party is and not from what her role
// is called; who acts for a party that left is in none, and keeps what is its own.
func TestSight(t *testing.T) {
	t.Parallel()
	w := cycletest.New(t)
	grant := func(role cycle.Role, of ...string) cycle.Person {
		return cycle.Person{ID: "ff", Name: "Eve Nobody", Grants: []account.Grant{{Role: string(role), Of: of}}}
	}
	party := func(id coalition.MemberID, circle audience.Circle, roles audience.Role) audience.Reader {
		return audience.Reader{Person: "ff", Parties: []audience.Party{{ID: id, Circle: circle, Roles: roles}}}
	}
	if err := w.Leave(t.Context(), w.Ada, "eskfjord"); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		person cycle.Person
		want   audience.Reader
		sees   int // of the parties
	}{
		{"nobody", cycle.Person{}, audience.Reader{}, 0},
		{"staff", grant(cycle.RoleCoordinator), audience.Reader{Person: "ff", Staff: audience.Coordinator}, 14},
		{"auditor", grant(cycle.RoleAuditor), audience.Reader{Person: "ff", Staff: audience.Auditor}, 14},
		{"officer of a member", grant(cycle.RoleOfficer, "ostmere"), party("ostmere", audience.Allied, audience.Officer), 12},
		{"officer of a partner", grant(cycle.RoleOfficer, "farhaven"), party("farhaven", audience.Partner, audience.Officer), 1},
		{"delegate", grant(cycle.RoleDelegate, "farhaven"), party("farhaven", audience.Partner, audience.Delegate), 1},
		{"of a member that left", grant(cycle.RoleOfficer, "eskfjord"), party("eskfjord", 0, audience.Officer), 1},
		{"of a party that there is not", grant(cycle.RoleOfficer, "nowhere"), audience.Reader{Person: "ff"}, 0},
		{"a role that is not known", grant("minister", "ostmere"), party("ostmere", audience.Allied, 0), 12},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := w.Sight(t.Context(), test.person)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got.Reader); diff != "" {
				t.Errorf("reader (-want +got):\n%s", diff)
			}
			if !got.At.Equal(w.Clock.Now()) {
				t.Errorf("at %s", got.At)
			}
			list, err := w.Parties(t.Context(), test.person)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) != test.sees {
				t.Errorf("%d parties are listed, want %d", len(list), test.sees)
			}
		})
	}
}

// The staff is known to all who belong to the coalition, others to who is of the same
// party, and who was removed to staff and auditors.
func TestSubjectOfPerson(t *testing.T) {
	t.Parallel()
	w := cycletest.New(t)
	member := func(p cycle.Person) account.Member {
		return account.Member{Person: account.Person{ID: account.PersonID(p.ID), Name: p.Name, Grants: p.Grants, Joined: w.Clock.Now()}}
	}
	everybody := []cycle.Person{w.Ada, w.Bo, w.Lea, w.Hal, w.Ola, w.Vera, w.Dan, w.Audit}
	for _, test := range []struct {
		person cycle.Person
		sees   []string
	}{
		{w.Vera, []string{"Ada Lindqvist", "Bo Marsh", "Vera Holm"}},
		{w.Lea, []string{"Ada Lindqvist", "Bo Marsh", "Lea Torrent", "Ola Quist"}},
		{w.Dan, []string{"Ada Lindqvist", "Bo Marsh", "Dan Okafor"}},
		{w.Audit, []string{"Ada Lindqvist", "Bo Marsh", "Lea Torrent", "Hal Winter", "Ola Quist", "Vera Holm", "Dan Okafor", "Ines Calloway"}},
		{cycle.Person{}, nil},
	} {
		sight, err := w.Sight(t.Context(), test.person)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range everybody {
			if audience.May(sight.Reader, audience.Sees, cycle.SubjectOf(member(p)), sight.At).Yes {
				got = append(got, p.Name)
			}
		}
		if !slices.Equal(got, test.sees) {
			t.Errorf("%s sees %v, want %v", test.person.Name, got, test.sees)
		}
		gone := member(w.Ada)
		gone.Removed = w.Clock.Now()
		if got, want := audience.May(sight.Reader, audience.Sees, cycle.SubjectOf(gone), sight.At).Yes, test.person.SeesAll(); got != want {
			t.Errorf("%s sees who was removed: %t, want %t", test.person.Name, got, want)
		}
	}
}
