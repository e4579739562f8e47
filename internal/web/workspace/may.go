package workspace

import (
	"muster/internal/web"
	"muster/internal/workspace"
)

// mayView is what the person may do on a page: what is refused to her is not drawn.
type mayView struct {
	Answer   bool // for the member
	Remark   bool
	Organise bool
	Verify   bool // which a lead who shares the workspace may not by herself
	Plan     bool
	Measure  bool // have evidence read
	Seal     bool
	Says     string // what that is on this page, in words; empty where it is everything

	History web.Link // of what the page shows; empty where a page has none
}

// historyOf returns what of a history a page leads to, and whether it has one.
func historyOf(page string) (kind string, ok bool) {
	switch page {
	case "bodies":
		return "contribution", true
	case "needs":
		return "needs", true
	case "evidence":
		return "reference", true
	case "verification":
		return "finding", true
	case "signoff":
		return "chain", true
	case "plan":
		return "action", true
	}
	return "", false
}

// may says what the person may do on a page.
func (v *visit) may(page string) mayView {
	p := v.person
	m := mayView{
		Answer: p.May(workspace.DoAnswer), Remark: p.May(workspace.DoRemark), Organise: p.May(workspace.DoOrganise),
		Verify: p.May(workspace.DoVerify), Plan: p.May(workspace.DoPlan), Measure: p.May(workspace.DoMeasure), Seal: p.May(workspace.DoSeal),
	}
	if kind, ok := historyOf(page); ok {
		m.History = web.Link{Text: v.T("ask.history"), Href: v.to.under(v.survey.ID, "history") + "?kind=" + kind}
	}
	id := "see"
	switch {
	case m.Organise && (m.Verify || page != "verification") && (v.person.Alone || page != "signoff" || p.Is(workspace.RoleApprover)):
		return m
	case m.Organise:
		id = "lead"
	case page == "area" && m.Remark && p.SeesAll():
		id = "comment"
	case page == "evidence" && m.Measure:
		id = "read"
	case page == "verification" && m.Verify:
		id = "verify"
	case page == "signoff" && p.Is(workspace.RoleApprover):
		id = "decide"
	case page == "needs" && p.Is(workspace.RoleContributor):
		id = "part"
	}
	m.Says = v.T("may." + page + "." + id)
	return m
}
