// Package cycletest makes a coordinator's database for tests: a coalition of twelve
// invented members and two partners, with people of every role.
package cycletest

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/internal/account"
	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/cycle"
	"muster/internal/keys"
	"muster/internal/store/coalitiondb"
)

// Coalition is the name of the coalition.
const Coalition = "Sea of Lights"

// World is a coordinator's database with everybody who uses it.
type World struct {
	*cycle.Service
	DB    *coalitiondb.DB
	Clock *Clock
	// Release is the digest of the release that is approved; empty for any.
	Release string

	Made *coalitiontest.Cycle // the charter of the cycle "2027" and every key in it

	// The people, each an account: two of the staff, an engineer of each host, officers
	// of Ostmere and Vinterhavn, a delegate of Farhaven, an auditor.
	Ada, Bo, Lea, Hal, Ola, Vera, Dan, Audit cycle.Person
}

// Clock is a time that a test sets.
type Clock struct{ At time.Time }

// Now returns it.
func (c *Clock) Now() time.Time { return c.At }

// Set moves it.
func (c *Clock) Set(t time.Time) { c.At = t }

// members are invented, in the order of their ids. The first two host.
func members() []cycle.Party {
	var all []cycle.Party
	for _, name := range []string{"Ostmere", "Brennholm", "Calder Reach", "Dunmark", "Eskfjord", "Grauwiek", "Halvøy", "Isenport", "Kestrel Bay", "Lindstrand", "Nordsund", "Vinterhavn"} {
		id := strings.NewReplacer(" ", "-", "ø", "o").Replace(strings.ToLower(name))
		all = append(all, cycle.Party{ID: cycle.PartyID(id), Name: coalition.MemberID(name), Kind: cycle.Member})
	}
	return append(all, cycle.Party{ID: "farhaven", Name: "Farhaven", Kind: cycle.Partner}, cycle.Party{ID: "quillsea", Name: "Quillsea", Kind: cycle.Partner})
}

// New makes a world in which nothing has happened yet but that everybody is there.
func New(t testing.TB) *World {
	t.Helper()
	db, err := coalitiondb.Open(t.Context(), coalitiondb.Config{Path: filepath.Join(t.TempDir(), "coordinator.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &World{DB: db, Clock: &Clock{time.Unix(coalitiontest.Opens, 0).UTC().AddDate(0, -3, 0)}}
	w.Service = cycle.New(cycle.Config{Store: db, Now: w.Clock.Now})
	if err := w.fill(t); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *World) fill(t testing.TB) error {
	ctx := context.Background()
	operator := cycle.Operator("the operator")
	if err := w.Begin(ctx, operator, Coalition); err != nil {
		return err
	}
	var names []coalition.MemberID
	for _, p := range members() {
		if err := w.AddParty(ctx, operator, p.ID, string(p.Name), p.Kind); err != nil {
			return err
		}
		names = append(names, p.Name)
	}
	w.Made = coalitiontest.New(t, coalitiontest.Config{Members: names, Layout: []byte(`{}`), Sizes: []uint16{4}})
	charter := w.Made.Charter
	charter.Coalition, charter.Cycle = Coalition, "2027"
	signed, err := charter.Sign(w.Made.Coordinator, w.Made.Leader, w.Made.Helper)
	if err != nil {
		return err
	}
	w.Made.Signed, w.Made.Charter = signed, charter
	n := 0
	person := func(name string, role cycle.Role, of ...string) cycle.Person {
		n++
		p := account.Person{ID: account.PersonID(fmt.Sprintf("%032x", n)), Name: name, Grants: []account.Grant{{Role: string(role), Of: of}}, Added: w.Clock.Now(), Joined: w.Clock.Now()}
		if err := w.DB.Accounts().InTx(ctx, "fill", func(tx account.Tx) error { return tx.PutPerson(p) }); err != nil {
			t.Fatal(err)
		}
		return cycle.PersonOf(p)
	}
	w.Ada, w.Bo = person("Ada Lindqvist", cycle.RoleCoordinator), person("Bo Marsh", cycle.RoleCoordinator)
	w.Lea, w.Hal = person("Lea Torrent", cycle.RoleEngineer, "ostmere"), person("Hal Winter", cycle.RoleEngineer, "brennholm")
	w.Ola, w.Vera = person("Ola Quist", cycle.RoleOfficer, "ostmere"), person("Vera Holm", cycle.RoleOfficer, "vinterhavn")
	w.Dan, w.Audit = person("Dan Okafor", cycle.RoleDelegate, "farhaven"), person("Ines Calloway", cycle.RoleAuditor)
	return nil
}

// People returns them by a word for tables.
func (w *World) People() map[string]cycle.Person {
	return map[string]cycle.Person{
		"coordinator": w.Ada, "second": w.Bo, "leader": w.Lea, "helper": w.Hal, "officer": w.Ola, "other": w.Vera, "delegate": w.Dan, "auditor": w.Audit,
	}
}

// Words are those that a party reads out of its key.
func Words(key keys.Public) string { return strings.Join(keys.WordLines(key.Digest()), "\n") }

// Enrol has everybody's key enrolled as two people do it.
func (w *World) Enrol(t testing.TB) {
	t.Helper()
	for _, p := range members() {
		key := w.Made.Members[p.Name].Public()
		number, err := w.AskEnrolment(t.Context(), w.Ada, p.ID, key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Approve(t.Context(), w.Bo, number, Words(key)); err != nil {
			t.Fatal(err)
		}
	}
}

// To takes the cycle of the charter, "2027", to a phase as a year does, with everybody
// invited and, from the time when it is open on, all but Vinterhavn and Quillsea
// delivered. It sets the clock.
func (w *World) To(t testing.TB, phase coalition.Phase) cycle.ID {
	t.Helper()
	ctx := t.Context()
	charter := w.Made.Charter
	id := cycle.ID(charter.Cycle)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	unix := func(s int64) time.Time { return time.Unix(s, 0).UTC() }
	must(w.Make(ctx, w.Ada, id, cycle.Plan{
		Framework: charter.Framework, Leader: w.party(charter.Leader.Member), Helper: w.party(charter.Helper.Member), Opens: unix(charter.Opens), Deadline: unix(charter.Deadline), Wipe: unix(charter.Wipe),
	}))
	_, err := w.Invite(ctx, w.Ada, id, nil)
	must(err)
	w.Enrol(t)
	for _, next := range []coalition.Phase{
		coalition.Consultation, coalition.Adopted, coalition.Open, coalition.Closing, coalition.Closed, coalition.Aggregated, coalition.Review,
		coalition.Released, coalition.Conference, coalition.Commitments, coalition.FollowUp, coalition.Archived,
	} {
		v, err := w.Cycle(ctx, w.Ada, id)
		must(err)
		if v.Phase == phase {
			break
		}
		switch next {
		case coalition.Adopted:
			must(w.Adopt(ctx, w.Ada, id, cycle.Adoption{Charter: w.Made.Signed}))
		case coalition.Open:
			w.Clock.Set(unix(charter.Opens))
		case coalition.Closing:
			for _, p := range members() {
				if p.ID != "vinterhavn" && p.ID != "quillsea" {
					must(w.Say(ctx, w.Ada, id, p.ID, cycle.Delivered))
				}
			}
			w.Clock.Set(v.Deadline)
		case coalition.Archived:
			w.Clock.Set(unix(charter.Wipe))
		case coalition.Released:
			number, err := w.AskRelease(ctx, w.Ada, id, cmp.Or(w.Release, strings.Repeat("5e", 32)))
			must(err)
			for _, engineer := range []cycle.Person{w.Lea, w.Hal} {
				_, err := w.Approve(ctx, engineer, number, "")
				must(err)
			}
			continue
		}
		must(w.Step(ctx, w.Ada, id, next, ""))
	}
	return id
}

func (w *World) party(name coalition.MemberID) cycle.PartyID {
	for _, p := range members() {
		if p.Name == name {
			return p.ID
		}
	}
	return ""
}
