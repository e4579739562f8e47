package workspace

import (
	"slices"

	"muster/internal/errs"
	"muster/internal/framework"
)

// Role is what somebody is in a workspace.
type Role string

// The roles. docs and pages name them so.
const (
	RoleLead        Role = "lead"        // everything but to verify and to sign off
	RoleContributor Role = "contributor" // what her bodies contribute, in their sections
	RoleVerifier    Role = "verifier"    // findings and the opinion
	RoleApprover    Role = "approver"    // decides at her steps of the sign-off
	RoleReader      Role = "reader"      // sees and changes nothing
)

// Roles returns all of them.
func Roles() []Role {
	return []Role{RoleLead, RoleContributor, RoleVerifier, RoleApprover, RoleReader}
}

// Person is who uses the workspace. Who she is has been established before: by
// package account, or by being the only one who has the key.
type Person struct {
	Name   string // as the history shows it; of one person only
	Roles  []Role
	Bodies []string // ids of the bodies that a contributor answers for
	Steps  []string // ids of the steps of the chain at which an approver decides

	// Alone says that nobody else enters: whoever has the key of the workspace is its
	// lead, verifies, and decides at every step that asks for no signature. Where several
	// enter, a lead does neither unless she has that role, too.
	Alone bool
}

// Lead returns a person who is alone with a workspace and may do everything.
func Lead(name string) Person { return Person{Name: name, Roles: []Role{RoleLead}, Alone: true} }

// Is reports whether the person has the role.
func (p Person) Is(role Role) bool { return slices.Contains(p.Roles, role) }

// maxName bounds a person's name, in bytes.
const maxName = 200

// action is what a person wants to do.
type action int

const (
	see        action = iota // everything that the member keeps
	seePart                  // what concerns her bodies
	answer                   // entries, evidence, the reply to a finding
	contribute               // a body's answers
	remark                   // comments
	organise                 // surveys, bodies, sections, the chain
	verify                   // findings, the opinion
	decide                   // a step of the sign-off
	seal                     // record what was sealed
	plan                     // the improvement plan
	measuring                // have evidence read where it lies
)

// allowed says who may what; who is not named may not. A lead may everything but what
// is not hers.
var allowed = [...]struct {
	roles []Role
	to    string // for the refusal
}{
	see:        {[]Role{RoleVerifier, RoleApprover, RoleReader}, "see all answers"},
	seePart:    {[]Role{RoleContributor, RoleVerifier, RoleApprover, RoleReader}, "see answers"},
	answer:     {nil, "answer for the member"},
	contribute: {[]Role{RoleContributor}, "answer for a body"},
	remark:     {[]Role{RoleContributor, RoleVerifier, RoleApprover}, "comment"},
	organise:   {nil, "organise the workspace"},
	verify:     {[]Role{RoleVerifier}, "verify"},
	decide:     {[]Role{RoleApprover}, "sign off"},
	seal:       {nil, "seal"},
	plan:       {nil, "plan"},
	measuring:  {[]Role{RoleVerifier}, "have evidence read"},
}

// Check refuses, with kind Invalid, a name that cannot stand in a history.
func (p Person) Check() error {
	if p.Name == "" || len(p.Name) > maxName || !framework.ReadableLine(p.Name) {
		return errs.New(errs.Invalid, "a person needs a name that can be printed", "")
	}
	return nil
}

// may refuses, with kind Denied, what the person's roles do not allow.
func (p Person) may(what action) error {
	if err := p.Check(); err != nil {
		return err
	}
	if p.Is(RoleLead) && (p.Alone || what != verify && what != decide) {
		return nil
	}
	for _, role := range allowed[what].roles {
		if p.Is(role) {
			return nil
		}
	}
	return errs.New(errs.Denied, "you may not "+allowed[what].to+" here", "ask the lead of this workspace")
}

// answersFor reports whether the person answers for a body.
func (p Person) answersFor(body string) bool {
	return p.Is(RoleLead) || p.Is(RoleContributor) && slices.Contains(p.Bodies, body)
}

// decidesAt reports whether the person decides at a step of the chain. A lead who shares
// the workspace does not: only who was given the step.
func (p Person) decidesAt(step string) bool {
	return p.Alone && p.Is(RoleLead) || p.Is(RoleApprover) && slices.Contains(p.Steps, step)
}

// seesAll reports whether the person sees more than her part.
func (p Person) seesAll() bool { return p.may(see) == nil }
