package workspace

import (
	"net/url"
	"strings"

	"muster/internal/workspace"
)

// places is where pages lie, in one language. Nothing that somebody wrote is in a
// place: surveys, areas, outcomes and bodies are named by their ids.
type places struct{ base, lang string }

func (p places) home() string { return p.base + "/" + p.lang + "/" }

func (p places) survey(id workspace.SurveyID) string { return p.home() + surveyPath(id) }

func surveyPath(id workspace.SurveyID) string {
	cycle, pack, _ := strings.Cut(string(id), "/")
	return "survey/" + url.PathEscape(cycle) + "/" + url.PathEscape(pack) + "/"
}

func (p places) under(id workspace.SurveyID, elements ...string) string {
	for i, e := range elements {
		elements[i] = url.PathEscape(e)
	}
	return p.survey(id) + strings.Join(elements, "/")
}

func (p places) area(id workspace.SurveyID, area string) string { return p.under(id, "area", area) }

// question is where an outcome is asked, among those of its area.
func (p places) question(id workspace.SurveyID, area, outcome string) string {
	return p.area(id, area) + "#" + anchor(outcome)
}

// one is where an outcome is asked alone.
func (p places) one(id workspace.SurveyID, area, outcome string) string {
	return p.area(id, area) + "?" + url.Values{"one": {outcome}}.Encode()
}

func (p places) outcome(id workspace.SurveyID, outcome string, rest ...string) string {
	return p.under(id, append([]string{"outcome", outcome}, rest...)...)
}

func anchor(outcome string) string { return "o-" + outcome }
