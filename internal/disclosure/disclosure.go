// Package disclosure decides what of a cycle's totals may be shown.
//
// [Totals] go in, as the collector decrypted them: how many members are in each
// bucket of each block. What comes out are bands: neighbouring units of a block
// taken together, so that no band holds one or two members. A [Release] is made
// of bands alone. Only this package can put counts into a [BandedBlock], either
// from the rule or from a file that [ParseRelease] accepted, so that whoever
// draws a picture from a Release cannot show a total that the rule held back.
//
// What stands here is the first rule, [FirstRule]. It refuses to release
// anything of too few members and shows no group of one or two. It is not
// enough to publish by, and every release says so in its status. In particular
// it does not protect against:
//
//   - the rule itself: it shows as many bands as it can, so a missing boundary
//     says that with it some band would have held one or two members. Cells of 1
//     and 2 that were joined to a 3 show that they were neither 0 and 3 nor 3 and 0;
//   - those who know answers: the hosts that belong to the cohort know their
//     own, as does every reader, and members may tell each other theirs. A band of
//     three minus two known answers is one member's. Only the number of members
//     is counted without the hosts here, no band is;
//   - bands of one level that hold everybody, or a band that is empty: then what
//     each member said, or did not say, is plain;
//   - two years: a member that joined or left, and the change block beside the
//     levels of both years, can single a member out;
//   - the blocks of one area or outcome read together: the lowest level and the
//     change of an area follow from its outcomes, the gap from level and target,
//     and each is banded here as if the others were not shown;
//   - other releases of the same answers, for another cohort or another audience.
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

// FirstRule applies the first rule to the totals and returns one banded block
// for each block of the layout, in its order.
//
// It refuses with a [*Refusal] where fewer than the minimum batch took part, or
// where fewer than the release minimum are left without the hosts. The thresholds
// are the charter's: a batch of two thirds, a release of [coalition.ReleaseMinimum]
// at least, and bands of [MinimumBand]. Totals, participation or thresholds that
// cannot be are of kind Invalid or Conflict.
//
// Each block is an ordered chain of units, see [Chain]. Neighbouring units are
// taken together into as many bands as possible such that no band holds fewer
// than [MinimumBand] members unless it holds none. Of several ways with equally
// many bands it takes one with a boundary between levels 1 and 2, where the
// chain has them and any has that boundary; and then the finest low end: the one
// whose first band is shortest, then whose second is, and so on.
func FirstRule(t Totals, p Participation, thresholds Thresholds) ([]BandedBlock, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := thresholds.check(p); err != nil {
		return nil, err
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	if uint64(p.Submissions) != t.Submissions {
		return nil, errs.New(errs.Conflict, fmt.Sprintf("the totals are of %d submissions and the roster has %d", t.Submissions, p.Submissions), "")
	}
	if err := refuse(p, thresholds); err != nil {
		return nil, err
	}
	blocks := make([]BandedBlock, len(t.Layout.Blocks))
	offset := 0
	for i, b := range t.Layout.Blocks {
		blocks[i] = band(b, t.Cells[offset:offset+len(b.Buckets)])
		offset += len(b.Buckets)
	}
	return blocks, nil
}
