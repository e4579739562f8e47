package cycle

import (
	"slices"

	"muster/internal/account"
	"muster/internal/errs"
)

// Role is what somebody is in the coordinator's pages.
type Role string

// The roles. docs and pages name them so.
const (
	RoleCoordinator Role = "coordinator" // the standing staff
	RoleEngineer    Role = "engineer"    // of a host: approves a release for it
	RoleOfficer     Role = "officer"     // answers to the coordinator for a member
	RoleDelegate    Role = "delegate"    // the same for a partner
	RoleAuditor     Role = "auditor"     // sees everything and changes nothing
)

// Roles returns all of them.
func Roles() []Role {
	return []Role{RoleCoordinator, RoleEngineer, RoleOfficer, RoleDelegate, RoleAuditor}
}

// AccountRoles returns the roles as package account keeps them.
func AccountRoles() []account.Role {
	var all []account.Role
	for _, r := range Roles() {
		role := account.Role{Name: string(r)}
		if r == RoleEngineer || r == RoleOfficer || r == RoleDelegate {
			role.Of = "party"
		}
		all = append(all, role)
	}
	return all
}

// Person is who acts. Who she is has been established before.
type Person struct {
	ID     string // of her account; empty for a command on the machine
	Name   string
	Grants []account.Grant
}

// PersonOf returns the person of an account.
func PersonOf(p account.Person) Person { return Person{string(p.ID), p.Name, p.Grants} }

// Operator returns who runs a command on the coordinator's machine: she may do what
// the staff may, but approve nothing, because a command knows nobody.
func Operator(name string) Person {
	return Person{Name: name, Grants: []account.Grant{{Role: string(RoleCoordinator)}}}
}

// Is reports whether the person has the role.
func (p Person) Is(role Role) bool {
	return slices.ContainsFunc(p.Grants, func(g account.Grant) bool { return g.Role == string(role) })
}

// For reports whether the person has the role for a party.
func (p Person) For(role Role, party PartyID) bool {
	return slices.ContainsFunc(p.Grants, func(g account.Grant) bool { return g.Role == string(role) && slices.Contains(g.Of, string(party)) })
}

// Parties returns those that the person has any role for, sorted.
func (p Person) Parties() []PartyID {
	var all []PartyID
	for _, g := range p.Grants {
		for _, id := range g.Of {
			all = append(all, PartyID(id))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// SeesAll reports whether the person is at work on all that is kept, which lets her check
// the record as a whole. What she sees of a thing is package audience's to say.
func (p Person) SeesAll() bool { return p.Is(RoleCoordinator) || p.Is(RoleAuditor) }

// speaksFor reports whether the person may say where a party stands.
func (p Person) speaksFor(party PartyID) bool {
	return p.For(RoleOfficer, party) || p.For(RoleDelegate, party)
}

// staff refuses who is not of the coordinator's staff.
func (p Person) staff(what string) error {
	if !p.Is(RoleCoordinator) {
		return errs.New(errs.Denied, "you may not "+what, "it is the coordinator's staff who does")
	}
	return nil
}

var errNoCycle = errs.New(errs.NotFound, "there is no such cycle", "")
