package workspace

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"muster/internal/framework"
)

// What the names of files end with that verify a statement.
const (
	NoteExt    = ".sig"     // the note of a key
	PasskeyExt = ".passkey" // the signature of a passkey
)

// SignedPart is one of the files of what was signed: a statement, or what verifies it.
type SignedPart struct {
	Name string
	Body []byte
	Of   string // the name of the statement that it verifies; empty for a statement
}

// Signed returns what was signed of a survey and still counts, as files with their
// names: the approvals in the chain's order with their notes, the opinion, and what
// passkeys signed. Each statement comes before what verifies it.
func (s *Service) Signed(ctx context.Context, person Person, id SurveyID) ([]SignedPart, error) {
	approvals, opinion, err := s.SignedStatements(ctx, person, id)
	if err != nil {
		return nil, err
	}
	var all []SignedPart
	add := func(name, ending string, statement, signature []byte) {
		all = append(all, SignedPart{Name: name, Body: statement}, SignedPart{Name: name + ending, Body: signature, Of: name})
	}
	for i, a := range approvals {
		add(fmt.Sprintf("approval-%d.json", i+1), NoteExt, a.Body, a.Signature)
	}
	if opinion != nil {
		add("opinion.json", NoteExt, opinion.Body, opinion.Signature)
	}
	passkeys, err := s.PasskeyFiles(ctx, person, id)
	for _, k := range passkeys {
		add(k.Name, PasskeyExt, k.Statement, k.Passkey)
	}
	return all, err
}

// Outcomes returns the outcomes that a statement answers, in the order of the pack; by
// their ids where the pack is nil, for it is not at hand everywhere.
func (s Statement) Outcomes(pack *framework.Pack) []string {
	place := make(map[string]int)
	if pack != nil {
		for i, o := range pack.Outcomes() {
			place[o.ID] = i
		}
	}
	return slices.SortedFunc(maps.Keys(s.Answers), func(a, b string) int {
		return cmp.Or(cmp.Compare(place[a], place[b]), cmp.Compare(a, b))
	})
}
