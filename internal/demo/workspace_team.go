package demo

import "muster/internal/account"

// Person is somebody whom a demonstration invites to the workspace of its member.
type Person struct {
	Name   string
	Grants []account.Grant
}

// Team returns the invented people of the member's workspace, one of each role.
func Team() []Person {
	return []Person{
		{"Ada Lindqvist", []account.Grant{{Role: "lead"}}},
		{deputy, []account.Grant{{Role: "contributor", Of: []string{"interior", "harbour"}}}},
		{verifier, []account.Grant{{Role: "verifier"}}},
		{headOf, []account.Grant{{Role: "approver", Of: []string{"head"}}}},
		{"Runa Sefton", []account.Grant{{Role: "reader"}}},
	}
}
