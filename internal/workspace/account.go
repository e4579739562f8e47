package workspace

import (
	"slices"

	"muster/internal/account"
)

// AccountRoles returns the roles of a workspace as package account keeps them.
func AccountRoles() []account.Role {
	return []account.Role{
		{Name: string(RoleLead)},
		{Name: string(RoleContributor), Of: "body"},
		{Name: string(RoleVerifier)},
		{Name: string(RoleApprover), Of: "step"},
		{Name: string(RoleReader)},
	}
}

// PersonOf returns what a person who has signed in is in a workspace.
func PersonOf(p account.Person) Person {
	person := Person{Name: p.Name}
	for _, grant := range p.Grants {
		role := Role(grant.Role)
		if !slices.Contains(Roles(), role) { // of a later program: it allows nothing here
			continue
		}
		person.Roles = append(person.Roles, role)
		switch role {
		case RoleContributor:
			person.Bodies = grant.Of
		case RoleApprover:
			person.Steps = grant.Of
		}
	}
	return person
}
