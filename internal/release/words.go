package release

import (
	"fmt"
	"slices"
	"strings"

	"muster/internal/disclosure"
	"muster/internal/framework"
)

// Reason is why something is not shown, as a code that programs may branch on.
// [Reason.Words] has the words. A reason says nothing that follows from totals
// beyond what the bands say: it is published beside them.
type Reason string

// The reasons.
const (
	// For a block of which nothing is shown.
	TooFew  Reason = "too_few"  // with any boundary, what is published would point at someone
	NotBoth Reason = "not_both" // it follows from what is shown instead; chosen before anything was opened
	Moved   Reason = "moved"    // members joined or left since the earlier release
	First   Reason = "first"    // there is no earlier release to compare with

	// For a release that may not be shown.
	Provisional Reason = "provisional" // made by a rule that no attack has examined
	Rehearsed   Reason = "rehearsal"   // a rehearsal: nobody agreed to publish it

	// For a group that is not released.
	GroupSmall     Reason = "group_small"     // below a threshold
	GroupDifferent Reason = "group_different" // with the other groups it would point at someone
)

// Reasons returns every reason that this version knows.
func Reasons() []Reason {
	return []Reason{TooFew, NotBoth, Moved, First, Provisional, Rehearsed, GroupSmall, GroupDifferent}
}

// Known reports whether this version knows the reason.
func (r Reason) Known() bool { return r.Words() != nil }

// Words returns the reason for a person, in English and French, as a sentence;
// nil for a reason that this version does not know.
func (r Reason) Words() framework.Text {
	switch r {
	case TooFew:
		return framework.Text{
			"en": "Too few to show without pointing at someone.",
			"fr": "Trop peu nombreux pour être montrés sans désigner quelqu’un.",
		}
	case NotBoth:
		return framework.Text{
			"en": "Another figure from the same answers is shown in its place; both together could point at someone.",
			"fr": "Un autre chiffre tiré des mêmes réponses est montré à sa place, et les deux ensemble pourraient désigner quelqu’un.",
		}
	case Moved:
		return framework.Text{
			"en": "Not the same members are counted as in the cycle before, and what changed could point at some of them.",
			"fr": "Les membres comptés ne sont pas les mêmes qu’au cycle précédent, et l’évolution pourrait en désigner certains.",
		}
	case First:
		return framework.Text{
			"en": "There is no earlier release of these members to compare with.",
			"fr": "Il n’y a pas de publication antérieure de ces membres à laquelle comparer.",
		}
	case Provisional:
		return framework.Text{
			"en": "Nobody has yet tried to work out one member's answers from these numbers.",
			"fr": "Personne n’a encore essayé de déduire de ces chiffres les réponses d’un membre.",
		}
	case Rehearsed:
		return framework.Text{
			"en": "A rehearsal, not a cycle of the coalition: nobody agreed to publish it.",
			"fr": "Une répétition, et non un cycle de la coalition : personne n’en a accepté la publication.",
		}
	case GroupSmall:
		return framework.Text{
			"en": "Too few members of this group took part.",
			"fr": "Trop peu de membres de ce groupe ont participé.",
		}
	case GroupDifferent:
		return framework.Text{
			"en": "Together with the other groups, it would point at someone.",
			"fr": "Avec les autres groupes, il désignerait quelqu’un.",
		}
	}
	return nil
}

// reasons returns the words of every reason that the release gives.
func (r *Release) reasons() map[Reason]framework.Text {
	words := make(map[Reason]framework.Text)
	for _, reason := range r.given() {
		words[reason] = reason.Words()
	}
	return words
}

// given returns every reason that occurs in the release, each once, sorted.
func (r *Release) given() []Reason {
	all := slices.Clone(r.Status.Reasons)
	for _, n := range r.NotShown {
		all = append(all, n.Reason)
	}
	for _, g := range r.Groups {
		if g.Dropped != "" {
			all = append(all, g.Dropped)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Statement is one sentence or two of the method, with a name by which a page
// can place it.
type Statement struct {
	ID   string         `json:"id"`
	Text framework.Text `json:"text"` // at least in English and French
}

// method says in plain words what was done to make the release: what was really
// applied and nothing else, in the order in which it was done.
func (r *Release) method() []Statement {
	n, t, rule := r.Participation, r.Thresholds, r.Rule
	list := []Statement{
		{"halves", framework.Text{
			"en": "Each member's answers were split into two locked halves, one for each host. Neither half says anything alone.",
			"fr": "Les réponses de chaque membre ont été partagées en deux moitiés verrouillées, une pour chaque hôte. Aucune des deux ne dit rien à elle seule.",
		}},
		{"opened", framework.Text{
			"en": fmt.Sprintf("The halves were added up without being joined, and the totals were opened once: %d of %s took part, and below %d nothing is opened.",
				n.Submissions, count(n.Members, "member"), t.MinimumBatch),
			"fr": fmt.Sprintf("Les moitiés ont été additionnées sans être réunies, et les totaux ouverts une seule fois : %d sur %s ont participé, et en dessous de %d, rien n’est ouvert.",
				n.Submissions, frenchCount(n.Members, "membre"), t.MinimumBatch),
		}},
		{"floor", framework.Text{
			"en": fmt.Sprintf("Nothing is shown of fewer than %d members besides the hosts.", t.ReleaseMinimum),
			"fr": fmt.Sprintf("Rien n’est montré pour moins de %d membres, hôtes non compris.", t.ReleaseMinimum),
		}},
		{"bands", framework.Text{
			"en": fmt.Sprintf("Neighbouring levels are shown together wherever they would otherwise point at someone: every group of levels that is shown has no member or at least %d.", rule.MinimumBand) + r.knownEN(),
			"fr": fmt.Sprintf("Les niveaux voisins sont montrés ensemble partout où, seuls, ils désigneraient quelqu’un : chaque groupe de niveaux montré ne compte aucun membre, ou au moins %d.", rule.MinimumBand) + r.knownFR(),
		}},
	}
	if m := r.Turnover; m != nil && m.moved() && !r.showsChange() {
		list = append(list, Statement{"turnover", framework.Text{
			"en": fmt.Sprintf("Counted that were not in cycle %s: %s; no longer counted: %d. What changed is not shown, because it could point at them.", m.Since, count(m.Joined, "member"), m.Left),
			"fr": fmt.Sprintf("Comptés sans l’avoir été au cycle %s : %s ; qui ne sont plus comptés : %d. L’évolution n’est pas montrée, car elle pourrait les désigner.",
				m.Since, frenchCount(m.Joined, "membre"), m.Left),
		}})
	}
	if rule.ID == RuleCuts {
		list = append(list, r.attacked())
	}
	return append(
		list,
		Statement{"hosts", framework.Text{
			"en": "If both hosts broke their undertaking and joined the halves, they could read the answers.",
			"fr": "Si les deux hôtes manquaient à leur engagement et réunissaient les moitiés, ils pourraient lire les réponses.",
		}},
		Statement{"truth", framework.Text{
			"en": "Whether an answer is true is for its member to say and for the member's verifier to check.",
			"fr": "La véracité d’une réponse relève du membre qui la donne et de celui qui la vérifie pour lui.",
		}},
	)
}

// showsChange reports whether the change of any area is shown.
func (r *Release) showsChange() bool {
	return slices.ContainsFunc(r.Areas, func(a Area) bool { return a.Change.Shown() })
}

// attacked says what was tried against the release.
func (r *Release) attacked() Statement {
	en, fr := "from these numbers", "de ces chiffres"
	if n := len(r.History); n > 0 {
		en += " and those of " + count(n, "earlier release")
		fr += fmt.Sprintf(" et de ceux de %s", frenchCount(n, "publication")) + " " + frenchVerb(n, "antérieure", "antérieures")
	}
	return Statement{"attack", framework.Text{
		"en": "We tried to work out one member's answer " + en + ", from the rule itself and from the list of those who took part, and could not.",
		"fr": "Nous avons essayé de déduire la réponse d’un membre " + fr + ", de la règle elle-même et de la liste des participants, sans y parvenir.",
	}}
}

// knownEN says whose answers the bands count as known.
func (r *Release) knownEN() string {
	if r.Rule.Known == 0 {
		return ""
	}
	parts := []string{}
	switch r.Participation.Hosts {
	case 1:
		parts = append(parts, "1 host")
	case 2:
		parts = append(parts, "the hosts")
	}
	parts = append(parts, "whoever reads this")
	if c := r.Rule.Colluders; c > 0 {
		parts = append(parts, count(c, "member")+" that might tell")
	}
	if o := r.Rule.Opened; o > 0 {
		parts = append(parts, count(o, "member")+" that showed answers to others")
	}
	known := fmt.Sprint(r.Rule.Known)
	if r.Rule.Known == 1 {
		known = "one"
	}
	return fmt.Sprintf(" That is %d more than the %s whose answers somebody may know: %s.", disclosure.MinimumBand, known, list(parts, "and"))
}

// knownFR is [Release.knownEN] in French.
func (r *Release) knownFR() string {
	if r.Rule.Known == 0 {
		return ""
	}
	parts := []string{}
	switch r.Participation.Hosts {
	case 1:
		parts = append(parts, "1 hôte")
	case 2:
		parts = append(parts, "les hôtes")
	}
	parts = append(parts, "qui lit ceci")
	if c := r.Rule.Colluders; c > 0 {
		parts = append(parts, frenchCount(c, "membre")+" "+frenchVerb(c, "qui parlerait", "qui parleraient"))
	}
	if o := r.Rule.Opened; o > 0 {
		parts = append(parts, frenchCount(o, "membre")+" "+frenchVerb(o, "qui a montré", "qui ont montré")+" des réponses à d’autres")
	}
	known := frenchVerb(r.Rule.Known, "celui", fmt.Sprintf("les %d", r.Rule.Known))
	return fmt.Sprintf(" C’est %d de plus que %s dont quelqu’un peut connaître les réponses : %s.", disclosure.MinimumBand, known, list(parts, "et"))
}

// frenchVerb returns one for zero or one, many for more, as French does.
func frenchVerb(n int, one, many string) string {
	if n <= 1 {
		return one
	}
	return many
}

// frenchCount is count in French, where zero is singular.
func frenchCount(n int, noun string) string {
	return fmt.Sprintf("%d %s", n, frenchVerb(n, noun, noun+"s"))
}

// count returns a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// list joins parts with commas and a word before the last.
func list(parts []string, and string) string {
	if n := len(parts); n > 1 {
		return strings.Join(parts[:n-1], ", ") + " " + and + " " + parts[n-1]
	}
	return strings.Join(parts, "")
}
