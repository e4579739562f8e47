package coalition

import (
	"bytes"
	"fmt"
	"slices"

	"muster/internal/errs"
)

// The markings of a charter whose answers are not real.
const (
	MarkingSynthetic = "SYNTHETIC"
	MarkingRehearsal = "REHEARSAL"
)

// checkSeparation holds what keeps one host from reading answers, and totals
// from being one member's: no two roles can open the same ciphertext or speak
// with the same TLS key, and every cohort can hide its members.
//
// The Leader receives both halves of every submission. If the Helper's half
// were sealed to a key that the Leader holds, it could read the answers, and the
// Helper would notice only that decryption fails.
func (c Charter) checkSeparation() error {
	type owned struct {
		role string
		key  []byte
	}
	var sealed []owned
	for i := range c.Cohorts {
		task, err := c.OpenTask(c.Cohorts[i].ID)
		if err != nil {
			return err
		}
		sealed = sealed[:0]
		for _, config := range task.LeaderHPKE {
			sealed = append(sealed, owned{"Leader", config.PublicKey})
		}
		for _, config := range task.HelperHPKE {
			sealed = append(sealed, owned{"Helper", config.PublicKey})
		}
		sealed = append(sealed, owned{"coordinator", task.CollectorHPKE.PublicKey})
	}
	for i, a := range sealed {
		for _, b := range sealed[:i] {
			if a.role != b.role && bytes.Equal(a.key, b.key) {
				return errs.New(errs.Invalid, fmt.Sprintf("the charter seals for the %s and the %s with one key", b.role, a.role),
					"one of them could read every answer; each draws a key of its own")
			}
		}
	}
	pins := []owned{{"Leader", []byte(c.Leader.Certificate)}, {"Helper", []byte(c.Helper.Certificate)}, {"coordinator", []byte(c.Coordinator.Certificate)}}
	for i, a := range pins {
		for _, b := range pins[:i] {
			if len(a.key) > 0 && bytes.Equal(a.key, b.key) {
				return errs.New(errs.Invalid, fmt.Sprintf("the charter pins one TLS key for the %s and the %s", b.role, a.role), "")
			}
		}
	}
	if c.Marking == MarkingSynthetic || c.Marking == MarkingRehearsal {
		return nil
	}
	return c.checkCohortSizes()
}

// checkCohortSizes refuses, where the answers are real, a cohort of which no
// release could ever be made, and cohorts that share members: the difference of
// two totals can be one member's answers.
func (c Charter) checkCohortSizes() error {
	for i, cohort := range c.Cohorts {
		hosts := 0
		for _, m := range cohort.Members {
			if m.ID == c.Leader.Member || m.ID == c.Helper.Member {
				hosts++
			}
		}
		if least := cohort.ReleaseMinimum + hosts; len(cohort.Members) < least {
			return errs.New(errs.Invalid, fmt.Sprintf("the cohort %s has %d members; it can never be released, and its totals point at single members",
				errs.Quote(cohort.ID), len(cohort.Members)), fmt.Sprintf("at least %d", least))
		}
		for _, other := range c.Cohorts[:i] {
			for _, m := range cohort.Members {
				if slices.ContainsFunc(other.Members, func(o Member) bool { return Fold(string(o.ID)) == Fold(string(m.ID)) }) {
					return errs.New(errs.Invalid, fmt.Sprintf("the cohorts %s and %s share %s: the difference of two totals can be one member's answers",
						errs.Quote(other.ID), errs.Quote(cohort.ID), m.ID), "cohorts have no member in common")
				}
			}
		}
	}
	return nil
}
