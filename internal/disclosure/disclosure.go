// Package disclosure decides what of a cycle's totals may be shown.
//
// [Totals] go in, as the collector decrypted them: how many members are in each
// bucket of each block. What comes out are bands: neighbouring units of a block
// taken together, so that no band holds few members unless it holds none. Only
// this package can put counts into a [BandedBlock], either from the rule or from a
// file whose blocks [Accept] accepted, so that whoever draws a picture cannot show
// a total that the rule held back.
//
// [Application] applies the rule, [Issue] and [History] say what everything that
// was released says together, and package attack tries to learn something from it;
// docs/design/disclosure.md has the rule's proof. [AuditCharter] and [AuditRosters]
// look at the groups before anything is opened. Package release makes releases of
// all this: who wants one begins there.
//
// The package is pure: it reads no file and no clock, and the same totals give
// the same release.
package disclosure

import (
	"fmt"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/framework"
)

// MinimumBand is the least number of members that a band holds, unless it holds none.
const MinimumBand = 3

// Totals is one batch before disclosure control.
type Totals struct {
	Layout      *framework.Layout
	Submissions uint64   // members whose answers were added up
	Cells       []uint64 // members in each bucket, in the order of the layout
}

// check refuses totals that no batch can have.
func (t Totals) check() error {
	if t.Layout == nil {
		return errs.New(errs.Invalid, "the totals have no layout", "")
	}
	if err := t.Layout.Check(); err != nil {
		return err
	}
	if len(t.Cells) != t.Layout.Bits() {
		return errs.New(errs.Invalid, fmt.Sprintf("%d totals for a layout of %d buckets", len(t.Cells), t.Layout.Bits()), "")
	}
	if b, wrong := t.Layout.WrongSum(t.Cells, t.Submissions); wrong {
		return errs.New(errs.Conflict, fmt.Sprintf("the totals of %s do not sum to the %d submissions", b.Name, t.Submissions), "")
	}
	return nil
}

// Participation says who took part: what is known from charter and roster, and
// no secret within the coalition.
type Participation struct {
	Members     int `json:"members"`     // of the cohort, as the charter lists them
	Submissions int `json:"submissions"` // added up
	Hosts       int `json:"hosts"`       // hosts that are members of the cohort and whose submissions are among them
	Declined    int `json:"declined"`    // members that said they take no part this year
}

// Late returns how many members neither took part nor said that they would not.
func (p Participation) Late() int { return p.Members - p.Submissions - p.Declined }

// Left returns how many members took part besides the hosts, which know their
// own answers and what they opened.
func (p Participation) Left() int { return p.Submissions - p.Hosts }

// maxMembers keeps every count of a release an exact number in JSON.
const maxMembers = 1 << 31

func (p Participation) check() error {
	switch {
	case p.Members < 0 || p.Submissions < 0 || p.Hosts < 0 || p.Declined < 0 || p.Members > maxMembers:
	case p.Submissions > p.Members || p.Declined > p.Members-p.Submissions:
	case p.Hosts > p.Submissions || p.Hosts > 2:
	default:
		return nil
	}
	return errs.New(errs.Invalid, fmt.Sprintf("%d submissions, %d of them by hosts, and %d members that declined do not fit a cohort of %d",
		p.Submissions, p.Hosts, p.Declined, p.Members), "")
}

// Thresholds is how many members something must rest on before it is shown.
type Thresholds struct {
	MinimumBatch   int `json:"minimum_batch"`   // submissions, before anything is opened
	ReleaseMinimum int `json:"release_minimum"` // members of a release besides the hosts
}

// check refuses thresholds lower than those that every coalition has.
func (t Thresholds) check(p Participation) error {
	least := Thresholds{coalition.MinimumBatch(p.Members), coalition.ReleaseMinimum}
	if t.MinimumBatch < least.MinimumBatch || t.ReleaseMinimum < least.ReleaseMinimum {
		return errs.New(errs.Invalid,
			fmt.Sprintf("the thresholds for %d members are %d submissions and %d members besides the hosts", p.Members, t.MinimumBatch, t.ReleaseMinimum),
			fmt.Sprintf("at least %d and %d", least.MinimumBatch, least.ReleaseMinimum))
	}
	return nil
}

// Refusal says that too few members took part for a release. It is of kind
// Conflict; errors.As finds it, so that a caller can tell "no release this
// year" from a fault.
type Refusal struct {
	Participation Participation
	Thresholds    Thresholds
}

// Error returns the reason with its numbers, for a person.
func (r *Refusal) Error() string {
	p := r.Participation
	if p.Submissions < r.Thresholds.MinimumBatch {
		return fmt.Sprintf("%d of %s took part and nothing is opened below %d",
			p.Submissions, count(p.Members, "member"), r.Thresholds.MinimumBatch)
	}
	hosts, left := "none of them a host", fmt.Sprintf("%d are left", p.Left())
	switch p.Hosts {
	case 0:
	case 1:
		hosts = "1 of them a host"
	default:
		hosts = fmt.Sprintf("%d of them hosts", p.Hosts)
	}
	if p.Left() == 1 {
		left = "1 is left"
	}
	return fmt.Sprintf("%s took part, %s: %s and a release needs %d", count(p.Submissions, "member"), hosts, left, r.Thresholds.ReleaseMinimum)
}

// Unwrap returns the refusal as the kind of error that the rest of muster shows.
func (r *Refusal) Unwrap() error {
	return errs.New(errs.Conflict, r.Error(), "too few to show without pointing at someone: there is only the coordinator's aggregate, and it stays with the coordinator")
}

// refuse returns a *Refusal where the participation is below a threshold.
func refuse(p Participation, t Thresholds) error {
	if p.Submissions < t.MinimumBatch || p.Left() < t.ReleaseMinimum {
		return &Refusal{Participation: p, Thresholds: t}
	}
	return nil
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
