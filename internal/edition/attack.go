package edition

import (
	"fmt"
	"slices"
	"strings"

	"muster/internal/disclosure"
	"muster/internal/disclosure/attack"
	"muster/internal/errs"
	"muster/internal/release"
)

// Unsafe says that an edition is not to be approved: somebody could work out an answer
// from everything that was ever released and published together. It is of kind Conflict
// and names no member; Result has what was found, for the staff alone.
type Unsafe struct{ Result attack.Result }

// Error says what was found without saying of whom.
func (u *Unsafe) Error() string {
	if n := len(u.Result.Findings); n > 0 {
		return "everything that was released and published, with this edition, narrows members' answers in " + count(n, "place") + ": " + u.blocks()
	}
	return "it could not be shown that everything that was released and published, with this edition, gives no member's answer away: " + count(len(u.Result.Open), "question") + " stayed open"
}

// blocks names where, at most five of them.
func (u *Unsafe) blocks() string {
	var all []string
	for _, f := range u.Result.Findings {
		if name := f.Block.String(); !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	const most = 5
	if len(all) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
	}
	return strings.Join(all, ", ")
}

// Unwrap returns it as the kind of error that the rest of muster shows.
func (u *Unsafe) Unwrap() error {
	return errs.New(errs.Conflict, u.Error(), "leave the areas that it names out of the edition, or the release that was kept last out of what is shown")
}

// withstand attacks everything that was released, with what the editions show of it. It
// returns an [*Unsafe] if that succeeds.
func withstand(past []release.Past, editions []*Document, o attack.Options) error {
	groups, err := release.Issues(past)
	if err != nil {
		return err
	}
	used := 0
	for _, group := range groups {
		var issues []*disclosure.Issue
		concerned := false
		for _, issued := range group {
			issue := issued.Issue
			for _, d := range editions {
				if d.Release != issued.Digest {
					continue
				}
				concerned, used = true, used+1
				blocks, err := d.drawn(issued.Release)
				if err != nil {
					return err
				}
				if issue, err = issue.Show(fmt.Sprintf("the edition %s %d of %s", d.Edition, d.Number, d.Cycle), blocks); err != nil {
					return err
				}
			}
			issues = append(issues, issue)
		}
		if !concerned { // nothing of it is shown
			continue
		}
		result, err := disclosure.NewHistory(issues...).Attack(o)
		if err != nil {
			return err
		}
		if !result.Safe() {
			return &Unsafe{result}
		}
	}
	if used != len(editions) {
		return errs.New(errs.Conflict, "an edition is of a release that is not kept", "muster coordinator edition take keeps a release with its roster")
	}
	return nil
}
