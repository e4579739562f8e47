package workspace

import "muster/internal/workspace"

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
}

// may says what the person may do on a page.
func (v *visit) may(page string) mayView {
	p := v.person
	m := mayView{
		Answer: p.May(workspace.DoAnswer), Remark: p.May(workspace.DoRemark), Organise: p.May(workspace.DoOrganise),
		Verify: p.May(workspace.DoVerify), Plan: p.May(workspace.DoPlan), Measure: p.May(workspace.DoMeasure), Seal: p.May(workspace.DoSeal),
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
