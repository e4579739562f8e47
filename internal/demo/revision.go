package demo

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"muster/internal/errs"
	"muster/internal/framework"
)

// Core is the id of the pack that was revised between the first and the second
// invented year.
const Core = "muster-core"

// What the revision changed: one outcome was worded anew under its id, one gave
// way to another.
const (
	Reworded = "A1.2"
	Removed  = "A8.7"
	Added    = "A8.6"
)

// predecessorVersion says that no such version was ever published.
const predecessorVersion = "1.0.0-synthetic"

// earlierQuestion is what [Reworded] asked before the revision.
var earlierQuestion = framework.Text{
	"en": "Is there one official who answers for cyber resilience?",
	"fr": "Un responsable unique répond-il de la cyberrésilience ?",
}

// removed is the outcome that gave way. It had no descriptors of its own: an early
// draft asks by the scale alone.
var removed = framework.Outcome{
	ID:    Removed,
	Title: framework.Text{"en": "Ageing encryption", "fr": "Chiffrement vieillissant"},
	Question: framework.Text{
		"en": "Do you know where critical functions rely on encryption that is growing old, and is it being replaced?",
		"fr": "Savez-vous où les fonctions critiques reposent sur un chiffrement qui vieillit, et est-il en cours de remplacement ?",
	},
	Measure: framework.Text{
		"en": "Whether encryption in critical functions is listed, with an owner and a date by which it is replaced.",
		"fr": "Évalue si le chiffrement des fonctions critiques est recensé, avec un responsable et une date de remplacement.",
	},
	Evidence: framework.Text{
		"en": "The list with its dates (E1), or the record of a replacement that was checked (E2).",
		"fr": "La liste et ses dates (E1), ou le compte rendu d’un remplacement vérifié (E2).",
	},
	Why: framework.Text{
		"en": "Encryption fails quietly: nobody notices on the day on which it stops protecting.",
		"fr": "Un chiffrement cède en silence : personne ne remarque le jour où il cesse de protéger.",
	},
}

// Predecessor returns the core pack as the invented coalition had it before its
// revision: a pack that never was, made of the one that is. What is asked under
// [Reworded] differs, and [Removed] stands where [Added] came. The pack itself is
// left as it is. The error is of kind Invalid.
func Predecessor(core *framework.Pack) (*framework.Pack, error) {
	p := *core
	p.Version = predecessorVersion
	p.Areas = slices.Clone(core.Areas)
	changed := 0
	for i := range p.Areas {
		outcomes := slices.Clone(p.Areas[i].Outcomes)
		for j := range outcomes {
			switch outcomes[j].ID {
			case Reworded:
				outcomes[j].Question = earlierQuestion
				changed++
			case Added:
				outcomes[j] = removed
				changed++
			}
		}
		p.Areas[i].Outcomes = outcomes
	}
	if changed != 2 {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("%s %s has no %s and %s, which the revision of the synthetic years changes", core.ID, core.Version, Reworded, Added), "")
	}
	p.Digest = sha256.Sum256(p.Canonical())
	return &p, nil
}
