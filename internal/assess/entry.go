package assess

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"muster/internal/errs"
	"muster/internal/framework"
)

// Entry is what a member keeps about one outcome while it assesses itself: the
// answer, and everything around it that never leaves. The zero Entry is one that
// nobody has touched.
type Entry struct {
	Level      framework.Level `json:"level,omitzero"`        // none until somebody answers
	Reason     string          `json:"reason,omitempty"`      // why the outcome does not apply; or why the level is another than was proposed
	About      string          `json:"about,omitempty"`       // the proposal that the reason was written about, see [Proposal.Mark]; empty if there was none
	Target     framework.Level `json:"target,omitzero"`       // 0 to 4, or none
	TargetDate string          `json:"target_date,omitempty"` // the day by which the target is to be reached, as 2006-01-02; may be empty
	Evidence   framework.Grade `json:"evidence,omitzero"`     // E0 to E3, or none
	Place      string          `json:"place,omitempty"`       // of a body's answer alone: where its evidence lies; the member's own are references
	Note       string          `json:"note,omitempty"`
	Assignee   string          `json:"assignee,omitempty"` // who answers; a name that the member uses
	Flagged    bool            `json:"flagged,omitempty"`  // somebody wants another look

	// Carried is true of an entry that was taken over from the cycle before and that
	// nobody has confirmed yet. It is no answer: see [Blockers].
	Carried bool `json:"carried,omitempty"`
}

// Limits of the texts of an entry, in bytes.
const (
	MaxReason   = 2_000
	MaxNote     = 20_000
	MaxAssignee = 200
	MaxPlace    = 2_000
)

// Answered reports whether somebody has answered in this cycle.
func (e Entry) Answered() bool { return e.Level != framework.None && !e.Carried }

// Answer returns what of the entry is sealed. verified is what the member's
// verifier found, or none.
func (e Entry) Answer(verified framework.Level) Answer {
	return Answer{Level: e.Level, Verified: verified, Evidence: e.Evidence, Target: e.Target}
}

// Check returns an error of kind Invalid that names the first part that cannot be
// so. An entry that is not answered yet may be kept; whether it may be sealed is
// for [Blockers].
func (e Entry) Check() error {
	if e.Level != framework.None && !slices.Contains(Levels(), e.Level) {
		return impossible("a level", e.Level)
	}
	if err := (Answer{Level: framework.Withheld, Verified: framework.None, Evidence: e.Evidence, Target: e.Target}).Check(); err != nil {
		return err
	}
	if e.TargetDate != "" {
		if d, err := time.Parse(time.DateOnly, e.TargetDate); err != nil || d.Year() < 2000 || d.Year() > 2199 {
			return errs.New(errs.Invalid, "the day of the target is no day", "write the year, the month and the day, such as 2027-06-30")
		}
	}
	for _, text := range []struct {
		name, value string
		most        int
		line        bool
	}{{"the reason", e.Reason, MaxReason, false}, {"the place of the evidence", e.Place, MaxPlace, true}, {"the note", e.Note, MaxNote, false}, {"the name of who answers", e.Assignee, MaxAssignee, true}} {
		switch {
		case len(text.value) > text.most:
			return errs.New(errs.Invalid, text.name+" is too long", "put what is longer into a document and give its place as evidence")
		case text.value != "" && !readable(text.value, text.line):
			return errs.New(errs.Invalid, text.name+" holds characters that cannot be printed", "type it again; do not paste it from a document")
		}
	}
	return CheckPlace(e.Place)
}

// CheckPlace refuses a place of evidence that is an address and not an https one, or has
// a password in it.
func CheckPlace(place string) error {
	scheme, _, ok := strings.Cut(place, "://")
	if !ok {
		return nil
	}
	u, err := url.Parse(place)
	if err != nil || !strings.EqualFold(scheme, "https") || u.Host == "" || u.User != nil {
		return errs.New(errs.Invalid, "the place of the evidence is no https address", "give an address that begins with https:// and has no password in it, or a path")
	}
	return nil
}

func readable(s string, line bool) bool {
	if line {
		return framework.ReadableLine(s)
	}
	return framework.Readable(s)
}
