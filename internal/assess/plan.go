package assess

import (
	"slices"
	"time"

	"muster/internal/errs"
)

// Funding says whether the money for an action is there.
type Funding string

// The answers to "is it paid for?".
const (
	FundingUnknown Funding = ""
	Funded         Funding = "funded"
	FundedInPart   Funding = "part"
	NotFunded      Funding = "none"
)

// Fundings returns all of them.
func Fundings() []Funding { return []Funding{FundingUnknown, Funded, FundedInPart, NotFunded} }

// Action is what a member plans to do about an outcome after the release, or why
// it does nothing: a line of its improvement plan, which stays with it.
type Action struct {
	Outcome  string  `json:"outcome"`
	Nothing  bool    `json:"nothing,omitempty"` // a reasoned "no action"
	Text     string  `json:"text"`              // what is done; or the reason
	Owner    string  `json:"owner,omitempty"`
	Due      string  `json:"due,omitempty"`  // as 2006-01-02; may be empty
	Cost     string  `json:"cost,omitempty"` // in the member's own words: a sum, a range, posts
	Funding  Funding `json:"funding,omitempty"`
	Finished bool    `json:"finished,omitempty"`
}

// Check returns an error of kind Invalid that names the first part that is
// missing or cannot be.
func (a Action) Check() error {
	switch {
	case a.Text == "" && a.Nothing:
		return errs.New(errs.Invalid, "no action needs a reason", "")
	case a.Text == "":
		return errs.New(errs.Invalid, "an action needs words that say what is done", "")
	case len(a.Text) > MaxNote || len(a.Cost) > MaxReason || len(a.Owner) > MaxAssignee:
		return errs.New(errs.Invalid, "the action is too long", "put what is longer into a document")
	case !a.Nothing && a.Owner == "":
		return errs.New(errs.Invalid, "an action needs an owner", "")
	case !slices.Contains(Fundings(), a.Funding):
		return errs.New(errs.Invalid, errs.Quote(string(a.Funding))+" says nothing of the money", "allowed: funded, part, none, or empty")
	}
	if a.Due != "" {
		if _, err := time.Parse(time.DateOnly, a.Due); err != nil {
			return errs.New(errs.Invalid, "the day by which the action is due is no day", "write the year, the month and the day, such as 2027-06-30")
		}
	}
	for _, text := range []string{a.Text, a.Cost} {
		if text != "" && !readable(text, false) {
			return errs.New(errs.Invalid, "the action holds characters that cannot be printed", "type it again")
		}
	}
	return nil
}

// Reference is where a piece of evidence lies: it stays there, and its digest
// shows later whether it is still the same.
type Reference struct {
	ID      string `json:"id"`
	Outcome string `json:"outcome"`
	Place   string `json:"place"` // a path or an https address
	Title   string `json:"title,omitempty"`
	SHA256  string `json:"sha256,omitempty"` // hex; empty where nobody could read it
	Bytes   int64  `json:"bytes,omitempty"`  // its size when it was hashed
}
