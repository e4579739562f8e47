// Package silence is the silence procedure: how a coalition adopts a text without
// a vote. The chair proposes it and hears comments, then puts it under silence
// until a moment; if nobody entitled breaks the silence it is adopted, else it is
// open again. A charter, an edition and a statement are adopted so.
//
// [Steps] is the whole of it, as a table. Each step is a signed file of the chair
// that names the one before it, so [Replay] gives anyone who holds the steps the
// same state. A [Break] goes to the chair alone and is kept sealed; whoever broke
// the silence holds an [Acknowledgement], signed by the chair, which contradicts
// an adoption that ignored it ([Procedure.CheckAcknowledgement]). No step says
// who broke the silence, how many did or when: the outcome is stated when the
// time is over, and a chair may reopen a text without any break.
//
// What it does not promise: that a chair acknowledges what it received, and that
// its clock is right. The first a member notices at once; the second shows where
// others put a time to the shared record.
package silence

import (
	"fmt"
	"slices"
	"strings"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

// State is where a procedure stands.
type State string

// The states. Proposed is open for comments.
const (
	Proposed     State = "proposed"
	UnderSilence State = "under silence"
	Adopted      State = "adopted"
	Reopened     State = "reopened"
	Withdrawn    State = "withdrawn"
)

// Act is what a step does.
type Act string

// The acts.
const (
	Propose  Act = "propose"  // lays a text before the parties, for comments until a moment
	Put      Act = "put"      // puts the text, or an amended one, under silence until a moment: a round
	Extend   Act = "extend"   // moves that moment to a later one
	Admit    Act = "admit"    // entitles a party that joined late
	Adopt    Act = "adopt"    // nobody broke the silence
	Reopen   Act = "reopen"   // the text is open again
	Withdraw Act = "withdraw" // the chair takes it back
)

// Row is one row of the table: what an act does in a state.
type Row struct {
	From   State // empty: there is nothing yet
	Act    Act
	To     State
	When   string // the guard, in words
	Reason bool   // whether the step says why
}

// Steps returns the table, which docs/design/phases.md is drawn from. Adopted and
// withdrawn are final.
func Steps() []Row {
	return []Row{
		{"", Propose, Proposed, "comments end later", false},
		{Proposed, Put, UnderSilence, "the time for comments is over, and the silence lasts at least the period", false},
		{Proposed, Extend, Proposed, "to a later moment, while the earlier has not passed", true},
		{Proposed, Admit, Proposed, "", false},
		{Proposed, Withdraw, Withdrawn, "", true},
		{UnderSilence, Extend, UnderSilence, "to a later moment, while the earlier has not passed", true},
		{UnderSilence, Admit, UnderSilence, "at least the period is left to the newcomer", false},
		{UnderSilence, Adopt, Adopted, "the time is over and nobody broke the silence", false},
		{UnderSilence, Reopen, Reopened, "the time is over and somebody broke the silence, or the chair decides so", false},
		{UnderSilence, Withdraw, Withdrawn, "", true},
		{Reopened, Put, UnderSilence, "the silence lasts at least the period", false},
		{Reopened, Admit, Reopened, "", false},
		{Reopened, Withdraw, Withdrawn, "", true},
	}
}

// SubjectKind is what sort of text is to be adopted.
type SubjectKind string

// The kinds of texts.
const (
	Charter   SubjectKind = "charter"
	Edition   SubjectKind = "edition"
	Statement SubjectKind = "statement"
)

// Subject is the text: a file by its digest.
type Subject struct {
	Kind   SubjectKind `json:"kind"`
	Name   string      `json:"name"`   // for people, such as "charter 2027"
	Digest string      `json:"digest"` // hex SHA-256 of the file
}

// Party is who may comment and break the silence, and the key it signs with.
type Party struct {
	Member coalition.MemberID `json:"member"`
	Key    keys.Public        `json:"key"`
}

// Limits of what a procedure takes in.
const (
	MaxParties  = 10_000
	MaxSteps    = 1_000
	MaxBreaks   = 10_000 // of one round
	MaxComments = 10_000 // of one procedure
	MaxText     = 20_000 // of a comment or a reason, in bytes
	maxName     = 200    // of a subject, in bytes

	// maxRecipient is the longest age recipient, in bytes: the hybrid ones have some 2,000.
	maxRecipient = 4_000

	// maxTime is the latest moment in a file, in seconds since 1970: the year 9999.
	maxTime = 253_402_300_799
)

// Procedure is where one text stands, as its steps say it. The zero Procedure is
// that of no step.
type Procedure struct {
	ID        string
	Coalition string
	State     State
	Subject   Subject
	Parties   []Party // by member
	Period    int64   // seconds that every party has at least to break the silence
	Recipient string  // to whom breaks are sealed; may be empty
	Until     int64   // seconds since 1970: the end of comments or of silence
	Rounds    []Round
	Steps     int    // how many
	Tail      string // hex SHA-256 of the last step
	Last      int64  // when it was done, by the chair's clock
}

// Round is one time under silence.
type Round struct {
	Step    string // hex SHA-256 of the step that put the text under silence
	Subject Subject
	Until   int64
	Least   int64 // seconds that whoever had least was given to break it: newcomers have less
	Ended   Act   // Adopt, Reopen or Withdraw; empty while it lasts
	At      int64 // when it ended
}

// Round returns the round under way, or nil.
func (p *Procedure) Round() *Round {
	if p.State != UnderSilence {
		return nil
	}
	return &p.Rounds[len(p.Rounds)-1]
}

// Party returns the key of a member that is entitled.
func (p *Procedure) Party(member coalition.MemberID) (keys.Public, bool) {
	i, found := slices.BinarySearchFunc(p.Parties, member, byMember)
	if !found {
		return "", false
	}
	return p.Parties[i].Key, true
}

func byMember(p Party, member coalition.MemberID) int {
	return strings.Compare(string(p.Member), string(member))
}

// row returns the row of the table for an act in the present state.
func (p *Procedure) row(act Act) (Row, error) {
	for _, row := range Steps() {
		if row.From == p.State && row.Act == act {
			return row, nil
		}
	}
	if p.State == "" {
		return Row{}, errs.New(errs.NotFound, "there is no such procedure", "")
	}
	return Row{}, errs.New(errs.Conflict, fmt.Sprintf("a text that is %s cannot be the object of %q", p.State, act), "")
}

// next returns the procedure after a step whose form was checked and whose digest
// is given. What only the chair can know, whether the silence was broken, is not
// checked here.
func (p Procedure) next(s Step, digest string) (Procedure, error) {
	row, err := p.row(s.Act)
	if err != nil {
		return Procedure{}, err
	}
	switch {
	case s.Number != p.Steps || s.Previous != p.Tail:
		return Procedure{}, errs.New(errs.Invalid, fmt.Sprintf("step %d does not follow from the one before it", s.Number), "")
	case p.Steps == MaxSteps:
		return Procedure{}, errs.New(errs.Conflict, fmt.Sprintf("a procedure has at most %d steps", MaxSteps), "withdraw it and propose the text anew")
	case p.State != "" && (s.Procedure != p.ID || s.Coalition != p.Coalition):
		return Procedure{}, errs.New(errs.Invalid, "the step is of another procedure", "")
	case s.At < p.Last:
		return Procedure{}, errs.New(errs.Invalid, fmt.Sprintf("step %d is earlier than the one before it", s.Number), "")
	case row.Reason != (s.Reason != ""):
		return Procedure{}, errs.New(errs.Invalid, fmt.Sprintf("step %d says why, or fails to", s.Number), "extend and withdraw give a reason, no other step does")
	}
	if err := p.guard(s); err != nil {
		return Procedure{}, err
	}
	return p.apply(s, row, digest), nil
}

// guard holds a step to the moments of the table.
func (p *Procedure) guard(s Step) error {
	refuse := func(message, hint string) error { return errs.New(errs.Conflict, message, hint) }
	switch s.Act {
	case Propose:
		if s.Until <= s.At {
			return refuse("the time for comments would be over before it begins", "")
		}
	case Put:
		if p.State == Proposed && s.At < p.Until {
			return refuse("the time for comments is not over", "")
		}
		if s.Until-s.At < p.Period {
			return refuse(fmt.Sprintf("the silence would last less than the %s that were promised", hours(p.Period)), "choose a later end")
		}
		if s.Subject.Kind != p.Subject.Kind || s.Subject.Name != p.Subject.Name {
			return refuse("an amended text keeps its kind and its name", "")
		}
	case Extend:
		if s.At >= p.Until {
			return refuse("the time is over and cannot be extended any more", "")
		}
		if s.Until <= p.Until {
			return refuse("an extension moves the end to a later moment", "")
		}
	case Admit:
		for _, party := range s.Parties {
			if _, there := p.Party(party.Member); there {
				return refuse(fmt.Sprintf("%s is entitled already", errs.Quote(string(party.Member))), "")
			}
		}
		if len(p.Parties)+len(s.Parties) > MaxParties {
			return refuse(fmt.Sprintf("a procedure has at most %d parties", MaxParties), "")
		}
		if p.State == UnderSilence && p.Until-s.At < p.Period {
			return refuse(fmt.Sprintf("the newcomer would have less than the %s that everyone was promised", hours(p.Period)), "extend the silence first")
		}
	case Adopt:
		if s.At < p.Until {
			return refuse("the silence is not over", "")
		}
	}
	return nil
}

// apply returns the procedure after a step that is allowed.
func (p Procedure) apply(s Step, row Row, digest string) Procedure {
	p.State, p.Steps, p.Tail, p.Last = row.To, p.Steps+1, digest, s.At
	p.Rounds = slices.Clone(p.Rounds)
	switch s.Act {
	case Propose:
		p.ID, p.Coalition, p.Subject, p.Period, p.Until = s.Procedure, s.Coalition, *s.Subject, s.Period, s.Until
		p.Recipient, p.Parties = s.Recipient, slices.Clone(s.Parties)
	case Put:
		p.Subject, p.Until = *s.Subject, s.Until
		p.Rounds = append(p.Rounds, Round{Step: digest, Subject: p.Subject, Until: s.Until, Least: s.Until - s.At})
	case Extend:
		p.Until = s.Until
		if round := p.Round(); round != nil {
			round.Least += s.Until - round.Until
			round.Until = s.Until
		}
	case Admit:
		p.Parties = append(slices.Clone(p.Parties), s.Parties...)
		slices.SortFunc(p.Parties, func(a, b Party) int { return byMember(a, b.Member) })
		if round := p.Round(); round != nil {
			round.Least = min(round.Least, round.Until-s.At)
		}
	case Adopt, Reopen, Withdraw:
		if row.From == UnderSilence {
			last := &p.Rounds[len(p.Rounds)-1]
			last.Ended, last.At = s.Act, s.At
		}
		p.Until = 0
	}
	return p
}

// hours says a length of time as people plan it.
func hours(seconds int64) string {
	if seconds%86400 == 0 && seconds > 86400 {
		return fmt.Sprintf("%d days", seconds/86400)
	}
	return fmt.Sprintf("%.4g hours", float64(seconds)/3600)
}
