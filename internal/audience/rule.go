package audience

import (
	"slices"
	"strings"
	"time"
)

// Question is what is asked about a subject. The zero value is none, and is answered
// with no.
type Question uint8

// The questions. The second is the stricter one: nothing follows from being nearly
// allowed to see a thing.
const (
	Sees  Question = iota + 1 // may she see it
	Knows                     // may she know that there is such a thing, and why she does not see it
)

// Code names a rule for messages in every language, for logs and for records. A code
// does not change.
type Code string

// The rules, in their order.
const (
	RuleMarking  Code = "marking"
	RuleTLP      Code = "tlp"
	RuleRole     Code = "role"
	RuleEmbargo  Code = "embargo"
	RuleExpiry   Code = "expiry"
	RuleAudience Code = "audience"
	RuleDefault  Code = "default"
)

// Fact is something that holds of a reader and a subject at a moment, or several of
// these together.
type Fact uint8

// The facts.
const (
	Unlabelled Fact = 1 << iota // the subject has none of the five labels
	Barred                      // it is for her, or she works on it, but in no way that its label allows
	AtWork                      // she has a role that works on it
	Addressed                   // it is for her
	Early                       // its embargo has not ended
	Late                        // it has expired
	Announced                   // it is said to her that there is such a thing
)

var factNames = [...]string{"unlabelled", "barred", "at work", "addressed", "early", "late", "announced"}

// String names the facts.
func (f Fact) String() string {
	var names []string
	for i, name := range factNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// Rule is one row of the table.
type Rule struct {
	Code  Code
	If    Fact   // the rule decides if all of these hold and no rule before it decided
	Sees  bool   // its answer to whether she sees the thing
	Knows Fact   // she may know of it if all of these hold as well; none: she may
	Says  string // the rule as a sentence
}

var table = [...]Rule{
	{RuleMarking, Unlabelled, false, AtWork, "What has no label of TLP 2.0, or one that is not known, is seen by nobody."},
	{RuleTLP, Barred, false, Announced, "What its label does not let come to somebody is not seen by her, even if it is for her or she works on it."},
	{RuleRole, AtWork, true, 0, "Who works on a thing sees it, whomever it is for and at whatever time."},
	{RuleEmbargo, Addressed | Early, false, Announced, "Whom a thing is for does not see it before its embargo ends."},
	{RuleExpiry, Addressed | Late, false, 0, "Whom a thing is for does not see it after it expired or was revoked; that there was one is not hidden from her."},
	{RuleAudience, Addressed, true, 0, "Whom a thing is for sees it."},
	{RuleDefault, 0, false, Announced, "Everything else is not seen."},
}

// Rules returns the whole table, in its order. docs/spec/audience.md is held to it.
func Rules() []Rule { return slices.Clone(table[:]) }

// Decision is an answer and the rule that gave it.
type Decision struct {
	Yes  bool
	Rule Code
}

// May answers a question about a subject at a moment. Without a moment, which is the
// zero time, the answer is no.
func May(who Reader, asks Question, what Subject, at time.Time) Decision {
	f := facts(&who, &what, at)
	for i := range table {
		row := &table[i]
		if f&row.If != row.If {
			continue
		}
		switch asks {
		case Sees:
			return Decision{row.Sees, row.Code}
		case Knows:
			return Decision{f&row.Knows == row.Knows, row.Code}
		}
		break
	}
	return Decision{false, RuleDefault}
}

// Why returns the rule that says whether the reader sees the subject, if she may know
// it. If not, she is answered as if there were no such thing: in the same words and
// with the same status, and no count or file name that says otherwise.
func Why(who Reader, what Subject, at time.Time) (Code, bool) {
	if !May(who, Knows, what, at).Yes {
		return "", false
	}
	return May(who, Sees, what, at).Rule, true
}

// way is how a thing comes to a reader. A label lets a thing come in the way of the
// same number and in those above.
type way uint8

const (
	nowhere     way = way(Unmarked)
	inPublic    way = way(Clear)       // it is for everybody
	inCommunity way = way(Green)       // it is for everybody, and she belongs to the coalition
	asClient    way = way(Amber)       // it is for a party that serves her
	ofParty     way = way(AmberStrict) // it is for a party that she is of
	byName      way = way(Red)         // it is for her
)

func facts(r *Reader, s *Subject, at time.Time) Fact {
	if at.IsZero() {
		return 0
	}
	var f Fact
	to, works := addressed(r, s), worksOn(r, s)
	if to != nowhere {
		f |= Addressed
	}
	if works {
		f |= AtWork
		to = max(to, ofParty) // the staff is one of the organisations that it is for
	}
	switch {
	case !s.TLP.Known():
		f |= Unlabelled
	case to != nowhere && to < way(s.TLP):
		f |= Barred
	}
	if at.Before(s.Embargo) {
		f |= Early
	}
	if !s.Expires.IsZero() && !at.Before(s.Expires) {
		f |= Late
	}
	// That there is a thing for named individuals is theirs alone.
	if s.TLP.Known() && s.TLP != Red && s.Announced&r.circles() != 0 {
		f |= Announced
	}
	return f
}

// addressed returns the most direct way in which the subject is for the reader.
func addressed(r *Reader, s *Subject) way {
	if r.Person != "" && slices.Contains(s.People, r.Person) {
		return byName
	}
	to := nowhere
	if s.Circles&Public != 0 {
		to = inPublic
		if r.known() {
			to = inCommunity
		}
	}
	for i := range r.Parties {
		p := &r.Parties[i]
		if p.Circle&s.Circles&(Allied|Partner) == 0 && !names(s.Members, p.ID) {
			continue
		}
		if !p.Client {
			return ofParty
		}
		to = asClient
	}
	return to
}

// worksOn reports whether the reader has a role that works on the subject.
func worksOn(r *Reader, s *Subject) bool {
	if s.Work&staff&r.Staff != 0 {
		return true
	}
	for i := range r.Parties {
		if p := &r.Parties[i]; !p.Client && s.Work&^staff&p.Roles != 0 && names(s.Of, p.ID) {
			return true
		}
	}
	return false
}
