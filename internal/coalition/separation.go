package coalition

import (
	"bytes"
	"fmt"

	"muster/internal/errs"
)

// The markings of a charter whose answers are not real.
const (
	MarkingSynthetic = "SYNTHETIC"
	MarkingRehearsal = "REHEARSAL"
)

// checkSeparation holds what keeps one host from reading answers: no two roles
// can open the same ciphertext or speak with the same TLS key. Whether totals can
// be one member's is for the audit of package disclosure, which members and hosts
// hold a charter to before they act on it.
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
	return nil
}
