package audience_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/audience"
	"muster/internal/coalition"
)

func date(day int) time.Time { return time.Date(2031, 5, day, 9, 0, 0, 0, time.UTC) }

type (
	members = []coalition.MemberID
	people  = []audience.PersonID
	parties = []audience.Party
)

// The people of an invented coalition.
var (
	public   = audience.Reader{}
	staff    = audience.Reader{Person: "ada", Staff: audience.Coordinator}
	auditor  = audience.Reader{Person: "iri", Staff: audience.Auditor}
	officer  = audience.Reader{Person: "ola", Parties: parties{{ID: "Ostmere", Circle: audience.Allied, Roles: audience.Officer}}}
	engineer = audience.Reader{Person: "hal", Parties: parties{{ID: "Vinterhavn", Circle: audience.Allied, Roles: audience.Engineer}}}
	reader   = audience.Reader{Person: "rui", Parties: parties{{ID: "Dunmark", Circle: audience.Allied}}}
	operator = audience.Reader{Person: "per", Parties: parties{{ID: "Ostmere", Circle: audience.Allied, Client: true}}}
	delegate = audience.Reader{Person: "dan", Parties: parties{{ID: "Selland", Circle: audience.Partner, Roles: audience.Delegate}}}
)

// The things that they ask for.
var (
	allied = audience.Subject{
		TLP: audience.AmberStrict, Circles: audience.Allied, Work: audience.Coordinator | audience.Auditor | audience.Engineer,
		Of: members{"Vinterhavn", "Lyngby Sound"}, Announced: audience.Allied | audience.Partner, Embargo: date(10),
	}
	draft = audience.Subject{TLP: audience.AmberStrict, Work: audience.Coordinator | audience.Engineer, Of: members{"Vinterhavn", "Lyngby Sound"}}
	note  = audience.Subject{TLP: audience.Clear, Circles: audience.Public, Work: audience.Coordinator, Embargo: date(10)}
	sheet = audience.Subject{TLP: audience.AmberStrict, Members: members{"Dunmark", "Selland"}, Work: audience.Officer, Of: members{"Ostmere"}, Expires: date(20)}
	named = audience.Subject{TLP: audience.Red, People: people{"rui"}, Circles: audience.Allied, Work: audience.Coordinator, Announced: audience.Public}
)

func with(s audience.Subject, change func(*audience.Subject)) audience.Subject {
	change(&s)
	return s
}

// TestMay is the table in stories.
func TestMay(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		who   audience.Reader
		what  audience.Subject
		day   int
		yes   bool
		rule  audience.Code
		known bool // she may know that there is such a thing
	}{
		"nothing was said of it":                          {staff, audience.Subject{}, 1, false, audience.RuleMarking, false},
		"no label, for everybody":                         {officer, audience.Subject{Circles: audience.Public, Announced: audience.Public}, 1, false, audience.RuleMarking, false},
		"no label, at work":                               {staff, audience.Subject{Work: audience.Coordinator}, 1, false, audience.RuleMarking, true},
		"a label that there is not":                       {staff, audience.Subject{TLP: audience.Red + 1, Work: audience.Coordinator}, 1, false, audience.RuleMarking, true},
		"a label and nobody to read it":                   {staff, audience.Subject{TLP: audience.Clear}, 1, false, audience.RuleDefault, false},
		"the allied edition, before its hour":             {officer, allied, 9, false, audience.RuleEmbargo, true},
		"the allied edition, at its hour":                 {officer, allied, 10, true, audience.RuleAudience, true},
		"the allied edition, before its hour, a host":     {engineer, allied, 9, true, audience.RuleRole, true},
		"the allied edition, before its hour, the staff":  {staff, allied, 9, true, audience.RuleRole, true},
		"the allied edition, before its hour, an auditor": {auditor, allied, 9, true, audience.RuleRole, true},
		"the allied edition, a partner":                   {delegate, allied, 10, false, audience.RuleDefault, true},
		"the allied edition, an operator":                 {operator, allied, 10, false, audience.RuleTLP, false},
		"the allied edition, everybody":                   {public, allied, 10, false, audience.RuleDefault, false},
		"as AMBER, an operator":                           {operator, with(allied, func(s *audience.Subject) { s.TLP = audience.Amber }), 10, true, audience.RuleAudience, true},
		"a draft, the staff":                              {staff, draft, 1, true, audience.RuleRole, true},
		"a draft, an auditor who does not work on it":     {auditor, draft, 1, false, audience.RuleDefault, false},
		"a draft, a host":                                 {engineer, draft, 1, true, audience.RuleRole, true},
		"a draft, an officer":                             {officer, draft, 1, false, audience.RuleDefault, false},
		"the communiqué, before its hour":                 {public, note, 9, false, audience.RuleEmbargo, false},
		"the communiqué, at its hour":                     {public, note, 10, true, audience.RuleAudience, true},
		"the communiqué as GREEN, everybody":              {public, with(note, func(s *audience.Subject) { s.TLP = audience.Green }), 10, false, audience.RuleTLP, false},
		"the communiqué as GREEN, a partner":              {delegate, with(note, func(s *audience.Subject) { s.TLP = audience.Green }), 10, true, audience.RuleAudience, true},
		"the communiqué as AMBER, a member":               {officer, with(note, func(s *audience.Subject) { s.TLP = audience.Amber }), 10, false, audience.RuleTLP, false},
		"a sheet, whom it was opened to":                  {reader, sheet, 19, true, audience.RuleAudience, true},
		"a sheet, a partner whom it was opened to":        {delegate, sheet, 19, true, audience.RuleAudience, true},
		"a sheet that expired":                            {reader, sheet, 20, false, audience.RuleExpiry, true},
		"a sheet that expired, who opened it":             {officer, sheet, 20, true, audience.RuleRole, true},
		"a sheet, the coordinator":                        {staff, sheet, 19, false, audience.RuleDefault, false},
		"a sheet, another member":                         {engineer, sheet, 19, false, audience.RuleDefault, false},
		"a sheet, a client of who opened it":              {operator, sheet, 19, false, audience.RuleDefault, false},
		"a sheet, everybody":                              {public, sheet, 19, false, audience.RuleDefault, false},
		"for one person, she":                             {reader, named, 1, true, audience.RuleAudience, true},
		"for one person, a member":                        {officer, named, 1, false, audience.RuleTLP, false},
		"for one person, the staff":                       {staff, named, 1, false, audience.RuleTLP, false},
		"for one person, a partner":                       {delegate, named, 1, false, audience.RuleDefault, false},
		"for one person of the staff":                     {staff, with(named, func(s *audience.Subject) { s.People, s.Embargo = people{"ada"}, date(30) }), 1, true, audience.RuleRole, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := date(tt.day)
			if diff := cmp.Diff(audience.Decision{Yes: tt.yes, Rule: tt.rule}, audience.May(tt.who, audience.Sees, tt.what, at)); diff != "" {
				t.Errorf("whether she sees it: -want +got\n%s", diff)
			}
			if got := audience.May(tt.who, audience.Knows, tt.what, at).Yes; got != tt.known {
				t.Errorf("she may know of it: %t", got)
			}
			rule, ok := audience.Why(tt.who, tt.what, at)
			if ok != tt.known || ok && rule != tt.rule || !ok && rule != "" {
				t.Errorf("why: %q, %t", rule, ok)
			}
		})
	}
}

// TestNobodyIsNamedByNothing: an empty id in a list is no way in.
func TestNobodyIsNamedByNothing(t *testing.T) {
	t.Parallel()
	nameless := audience.Reader{Parties: parties{{Roles: audience.Officer}}}
	for name, s := range map[string]audience.Subject{
		"a person": {TLP: audience.Red, People: people{""}},
		"a member": {TLP: audience.Clear, Members: members{""}},
		"a role":   {TLP: audience.Clear, Work: audience.Officer, Of: members{""}},
	} {
		for _, who := range []audience.Reader{public, nameless} {
			if audience.May(who, audience.Sees, s, date(1)).Yes || audience.FilterOf(who, audience.Sees, date(1)).Passes(s) {
				t.Errorf("%s of no name is %+v", name, who)
			}
		}
	}
}

// TestRolesAreHeldForWhatTheyAre: a party gives nobody the staff's roles, and the staff
// has no role of a party.
func TestRolesAreHeldForWhatTheyAre(t *testing.T) {
	t.Parallel()
	all := audience.Coordinator | audience.Auditor | audience.Engineer | audience.Officer | audience.Delegate
	of := audience.Reader{Parties: parties{{ID: "Ostmere", Circle: audience.Allied, Roles: all}}}
	client := audience.Reader{Parties: parties{{ID: "Ostmere", Circle: audience.Allied, Roles: all, Client: true}}}
	above := audience.Reader{Staff: all &^ audience.Coordinator &^ audience.Auditor}
	s := func(r audience.Role) audience.Subject {
		return audience.Subject{TLP: audience.Green, Work: r, Of: members{"Ostmere"}}
	}
	for _, r := range []audience.Role{audience.Coordinator, audience.Auditor, audience.Engineer, audience.Officer, audience.Delegate} {
		want := r != audience.Coordinator && r != audience.Auditor
		for _, got := range []bool{audience.May(of, audience.Sees, s(r), date(1)).Yes, audience.FilterOf(of, audience.Sees, date(1)).Passes(s(r))} {
			if got != want {
				t.Errorf("role %d, held for a party: %t", r, got)
			}
		}
		for _, who := range []audience.Reader{client, above} {
			if audience.May(who, audience.Sees, s(r), date(1)).Yes || audience.FilterOf(who, audience.Sees, date(1)).Passes(s(r)) {
				t.Errorf("role %d: %+v works on it", r, who)
			}
		}
	}
}

// TestNoMomentNoQuestion: what was not asked properly is answered with no.
func TestNoMomentNoQuestion(t *testing.T) {
	t.Parallel()
	open := audience.Subject{TLP: audience.Clear, Circles: audience.Public, Announced: audience.Public, Work: audience.Coordinator, Expires: date(2)}
	for _, q := range []audience.Question{0, audience.Sees, audience.Knows, audience.Knows + 1} {
		for name, at := range map[string]time.Time{"a moment": date(1), "no moment": {}} {
			want := name == "a moment" && (q == audience.Sees || q == audience.Knows)
			if got := audience.May(staff, q, open, at).Yes; got != want {
				t.Errorf("question %d at %s: %t", q, name, got)
			}
			if got := audience.FilterOf(staff, q, at).Passes(open); got != want {
				t.Errorf("filter of question %d at %s: %t", q, name, got)
			}
		}
	}
}
