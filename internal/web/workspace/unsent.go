package workspace

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"muster/internal/workspace"
)

// tabOf names a workspace, and where several share it also the person, in what the tab
// of a browser keeps until it is sent. The name is the same in every run and language,
// other than the pages' addresses, so that what was typed while the program was not
// there is found again; it says nothing of the workspace to who reads it.
func (p *Pages) tabOf(is workspace.Identity, person workspace.Person) string {
	of := string(is.Member) + "\n" + strconv.FormatInt(is.Begun.UnixMicro(), 10)
	if p.team != nil {
		of += "\n" + person.Name
	}
	sum := sha256.Sum256([]byte("muster tab v1\n" + of))
	return hex.EncodeToString(sum[:8])
}

// unsentView is the place of a page where its script lists what a tab keeps.
type unsentView struct {
	Tab, Home   string
	Says, Title string
}

func (v *visit) unsent() unsentView {
	return unsentView{Tab: v.tab, Home: v.to.home(), Title: v.T("unsent.title"), Says: v.T("unsent.says")}
}

// unsentOf names an outcome, or a body's answer to it, among what a tab keeps.
func unsentOf(id workspace.SurveyID, outcome, body string) string {
	of := string(id) + "/" + outcome
	if body != "" {
		of += "@" + body
	}
	return of
}
