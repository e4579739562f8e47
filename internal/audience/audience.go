// Package audience decides who may see what. It is the one decision for every way out:
// pages, files, feeds, search, counts and errors.
//
//	d := audience.May(reader, audience.Sees, edition, now)
//	if !d.Yes {
//		if rule, ok := audience.Why(reader, edition, now); ok {
//			return denied(rule) // she may know that there is such a thing, and why it is not for her
//		}
//		return notFound() // as if there were none
//	}
//
// A list is filtered before it is sorted, counted or cut into pages:
//
//	filter := audience.FilterOf(reader, audience.Sees, now)
//	all = slices.DeleteFunc(all, func(e Edition) bool { return !filter.Passes(e.Subject) })
//
// A [Reader] and a [Subject] are compared into a few facts, and the first row of
// [Rules] whose facts hold decides, both whether she sees the thing and whether she may
// know of it. No row says yes to what nobody marked or addressed, so the zero Subject
// is seen by nobody.
//
// The package promises that whoever sees a thing may know of it; that a stricter
// marking, an earlier expiry, a later embargo or a role less never show more; that a
// filter passes exactly what the single decision lets through; and that a decision
// depends on nothing but what is passed in. It keeps nothing, and it believes what a
// Reader says: who she is has been established before, by package account.
package audience

import (
	"slices"
	"time"

	"muster/internal/coalition"
)

// PersonID is the id of an account, which names one individual.
type PersonID string

// Circle is whom a thing can be for without naming them, or several of these together.
type Circle uint8

// The circles. None holds another: what is for allies and partners is for both of them.
const (
	Allied  Circle = 1 << iota // people of members
	Partner                    // people of partners, who are guests
	Public                     // everybody, also who has not signed in
)

// Role is what somebody does in a coalition, or several of these together.
type Role uint8

// The roles.
const (
	Coordinator Role = 1 << iota // the standing staff
	Engineer                     // of a host
	Officer                      // answers to the coordinator for a member
	Delegate                     // the same for a partner
	Auditor                      // sees what is kept of a cycle, and changes nothing
)

// staff are the roles that are held for the coalition as a whole. The others are held
// for a party.
const staff = Coordinator | Auditor

var roleNames = [...]string{"coordinator", "engineer", "officer", "delegate", "auditor"}

// RoleOf returns the role of a name, as accounts keep it. A role that is not known
// here is none, and lets nobody see anything.
func RoleOf(name string) Role {
	if i := slices.Index(roleNames[:], name); i >= 0 {
		return 1 << i
	}
	return 0
}

// Party is a member or partner whom a reader belongs to.
type Party struct {
	ID     coalition.MemberID
	Circle Circle // Allied or Partner
	Client bool   // she is served by it and not of it, as an operator by its authority; then she has no role for it
	Roles  Role   // that she has for it; none where she only reads
}

// Reader is who asks. The zero value is somebody who has not signed in.
type Reader struct {
	Person  PersonID // empty of who has not signed in, and of a feed or file that is nobody's own
	Staff   Role     // Coordinator, Auditor or both
	Parties []Party
}

// Subject is what is asked about: whatever can be seen or not on its own, be it an
// edition, a sheet, a row or a status.
type Subject struct {
	TLP TLP

	// Whom it is for. A cohort is addressed by its members as the charter lists them,
	// so that an audience does not change by itself when somebody joins. A thing that
	// is not released yet is for nobody.
	Circles Circle
	Members []coalition.MemberID // members or partners
	People  []PersonID

	// Who has to see it for their work, whomever it is for and at whatever time.
	// The staff's roles count as they are; the others where they are held for a
	// party that the thing is Of: whose status it is, who opened the sheet, who
	// host the cycle.
	Work Role
	Of   []coalition.MemberID

	// Announced is to whom it is said that there is such a thing, whether it is for
	// them or not. It has no effect under TLP:RED.
	Announced Circle

	Embargo time.Time // from when on it is seen by whom it is for; zero: at once
	Expires time.Time // from when on it is no more; zero: never. To revoke it is to set this to the present
}

// known reports whether the reader belongs to the coalition's community.
func (r *Reader) known() bool { return r.Staff&staff != 0 || len(r.Parties) > 0 }

// circles returns those that the reader is in, Public included. Who is served by a
// member is in none of its circles.
func (r *Reader) circles() Circle {
	c := Public
	for i := range r.Parties {
		if !r.Parties[i].Client {
			c |= r.Parties[i].Circle
		}
	}
	return c
}

// names reports whether a list names the party. An empty id names nobody.
func names(list []coalition.MemberID, id coalition.MemberID) bool {
	return id != "" && slices.Contains(list, id)
}
