package framework

import "strings"

// labels are the words that a printed pack needs and does not bring itself.
type labels struct {
	scale, rollUp, measure, levels, evidence, why, notApplicable, crosswalk string

	contents, level, meaning, outcomes, page string
	scaleLevels                              string // in place of descriptors
	coordinator                              string // who answers, for packs of [ByCoordinator]
	readers                                  map[string]string
	begin                                    string // before the outcomes to begin with
}

func labelsIn(language string) labels {
	switch language, _, _ := strings.Cut(language, "-"); language {
	case "fr":
		return labels{
			scale: "Échelle", rollUp: "Consolidation", measure: "Mesure", levels: "Niveaux", evidence: "Preuves",
			why: "Pourquoi", notApplicable: "Sans objet", crosswalk: "Correspondances",

			contents: "Sommaire", level: "Niveau", meaning: "Constat", outcomes: "résultats", page: "Page",
			scaleLevels: "Ce référentiel ne décrit pas les niveaux de ce résultat : ceux de l’échelle s’appliquent.",
			coordinator: "Le coordonnateur répond, une seule fois pour la coalition.",
			readers: map[string]string{
				"allied":  "Ses réponses sont ouvertes à tous les membres.",
				"partner": "Ses réponses sont ouvertes aux membres et aux partenaires.",
				"public":  "Ses réponses sont publiques.",
			},
			begin: "Qui a peu de temps commence par",
		}
	default:
		return labels{
			scale: "Scale", rollUp: "Roll-up", measure: "Measure", levels: "Levels", evidence: "Evidence",
			why: "Why", notApplicable: "Not applicable", crosswalk: "Crosswalk",

			contents: "Contents", level: "Level", meaning: "What is so", outcomes: "outcomes", page: "Page",
			scaleLevels: "The pack does not describe the levels of this outcome: those of the scale apply.",
			coordinator: "The coordinator answers, once for the coalition.",
			readers: map[string]string{
				"allied":  "Its answers are open to all members.",
				"partner": "Its answers are open to members and partners.",
				"public":  "Its answers are public.",
			},
			begin: "Who has little time begins with",
		}
	}
}

// remark says who answers pack p and who may read the answers, and with which outcomes
// to begin; or "" where every member answers for itself and begins where it likes.
func (l labels) remark(p *Pack) string {
	var all []string
	if p.AnsweredBy == ByCoordinator {
		all = append(all, l.coordinator, l.readers[p.Audience])
	}
	if len(p.BeginWith) > 0 {
		all = append(all, l.begin+" "+strings.Join(p.BeginWith, ", ")+".")
	}
	return strings.Join(all, " ")
}
