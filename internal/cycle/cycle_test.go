package cycle_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/cycle"
	"muster/internal/cycle/cycletest"
	"muster/internal/errs"
	"muster/internal/keys"
)

func wantKind(t *testing.T, what string, kind errs.Kind, err error) {
	t.Helper()
	if err == nil || errs.KindOf(err) != kind {
		t.Errorf("%s: %v, want kind %v", what, err, kind)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A year goes through its phases, each with its date in the record.
func TestYear(t *testing.T) {
	t.Parallel()
	w := cycletest.New(t)
	id := w.To(t, coalition.Archived)
	v, err := w.Cycle(t.Context(), w.Ada, id)
	must(t, err)
	var way []coalition.Phase
	for i, s := range v.Steps {
		if s.Number != i+1 || i > 0 && s.From != v.Steps[i-1].To {
			t.Errorf("step %d does not follow: %+v", i+1, s)
		}
		way = append(way, s.To)
	}
	want := []coalition.Phase{
		coalition.Consultation, coalition.Adopted, coalition.Open, coalition.Closing, coalition.Closed, coalition.Aggregated, coalition.Review, coalition.Released,
		coalition.Conference, coalition.Commitments, coalition.FollowUp, coalition.Archived,
	}
	if !slices.Equal(way, want) {
		t.Errorf("the way is %v", way)
	}
	if v.Charter != w.Made.Signed.Digest() || v.Release != strings.Repeat("5e", 32) || v.Marking != "SYNTHETIC" {
		t.Errorf("kept of it: %+v", v.Cycle)
	}
	if v.Members.By[cycle.Delivered] != 11 || v.Members.Of != 12 || v.Partners.By[cycle.NotStarted] != 1 {
		t.Errorf("counted %+v, %+v", v.Members, v.Partners)
	}
	n, last, err := w.CheckRecord(t.Context(), w.Audit)
	if err != nil || n < 60 || len(last) != 64 {
		t.Errorf("the record has %d lines to %s: %v", n, last, err)
	}
}

// What keeps a cycle from its next phase is named, all of it.
func TestGuards(t *testing.T) {
	t.Parallel()
	w := cycletest.New(t)
	ctx := t.Context()
	must(t, w.Make(ctx, w.Ada, "2027", cycle.Plan{}))
	refused := func(to coalition.Phase, words ...string) {
		t.Helper()
		err := w.Step(ctx, w.Ada, "2027", to, "")
		wantKind(t, string(to), errs.Conflict, err)
		for _, word := range words {
			if err != nil && !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q does not say %q", to, err, word)
			}
		}
	}
	refused(coalition.Consultation, "no member is invited", "no framework is chosen", "the two hosts are not chosen", "it is not said when it opens")
	refused(coalition.Open, "cannot go from draft to open")
	refused(coalition.Released, "cannot go from draft to released")
	unix := func(s int64) time.Time { return time.Unix(s, 0) }
	charter := w.Made.Charter
	must(t, w.Plan(ctx, w.Ada, "2027", cycle.Plan{Framework: charter.Framework, Leader: "ostmere", Helper: "brennholm", Opens: unix(charter.Opens), Deadline: unix(charter.Deadline), Wipe: unix(charter.Wipe)}))
	_, err := w.Invite(ctx, w.Ada, "2027", nil)
	must(t, err)
	must(t, w.Step(ctx, w.Ada, "2027", coalition.Consultation, ""))
	refused(coalition.Adopted, "no key is enrolled of", "there is no charter")
	wantKind(t, "back without a reason", errs.Invalid, w.Step(ctx, w.Ada, "2027", coalition.Draft, " "))
	wantKind(t, "a charter without keys", errs.Conflict, w.Adopt(ctx, w.Ada, "2027", cycle.Adoption{Charter: w.Made.Signed}))
	w.Enrol(t)
	must(t, w.Adopt(ctx, w.Ada, "2027", cycle.Adoption{Charter: w.Made.Signed}))
	must(t, w.Step(ctx, w.Ada, "2027", coalition.Adopted, ""))
	refused(coalition.Open, "it opens on")
	wantKind(t, "planned no more", errs.Conflict, w.Plan(ctx, w.Ada, "2027", cycle.Plan{Leader: "dunmark"}))
	w.Clock.Set(unix(charter.Opens))
	must(t, w.Step(ctx, w.Ada, "2027", coalition.Open, ""))
	refused(coalition.Closing, "0 of 14 have delivered or declined")
	must(t, w.Step(ctx, w.Ada, "2027", coalition.Postponed, "a storm"))
	w.Clock.Set(unix(charter.Deadline))
	if err := w.Step(ctx, w.Ada, "2027", coalition.Open, "it is over"); err == nil || !strings.Contains(err.Error(), "has passed: move it first") {
		t.Errorf("open again past the deadline: %v", err)
	}
	wantKind(t, "earlier", errs.Invalid, w.Extend(ctx, w.Ada, "2027", unix(charter.Deadline-1), "a storm"))
	wantKind(t, "past the wipe", errs.Invalid, w.Extend(ctx, w.Ada, "2027", unix(charter.Wipe), "a storm"))
	wantKind(t, "without a reason", errs.Invalid, w.Extend(ctx, w.Ada, "2027", unix(charter.Deadline+86400), ""))
	must(t, w.Extend(ctx, w.Ada, "2027", unix(charter.Deadline+86400), "a storm"))
	must(t, w.Step(ctx, w.Ada, "2027", coalition.Open, "it is over"))
	w.Clock.Set(unix(charter.Deadline + 86400))
	must(t, w.Step(ctx, w.Ada, "2027", coalition.Closing, ""))
	wantKind(t, "a closing cycle", errs.Conflict, w.Extend(ctx, w.Ada, "2027", unix(charter.Deadline+2*86400), "a storm"))
	must(t, w.Step(ctx, w.Ada, "2027", coalition.Closed, ""))
	refused(coalition.Aggregated, "0 have delivered, and 8 are needed")
	v, err := w.Cycle(ctx, w.Vera, "2027")
	must(t, err)
	if len(v.Extensions) != 1 || v.Extensions[0].Reason != "a storm" || v.Deadline.Unix() != charter.Deadline+86400 || v.Ways != nil {
		t.Errorf("an officer sees %+v, deadline %s, ways %v", v.Extensions, v.Deadline, v.Ways)
	}
}

// A charter that says something else than what was planned is not kept, least of all
// one with another key.
func TestAdoptRefuses(t *testing.T) {
	t.Parallel()
	w := cycletest.New(t)
	ctx := t.Context()
	id := w.To(t, coalition.Consultation)
	adopt := func(change func(*coalition.Charter)) error {
		charter := w.Made.Charter
		charter.Cohorts = slices.Clone(charter.Cohorts)
		charter.Cohorts[0].Members = slices.Clone(charter.Cohorts[0].Members)
		change(&charter)
		signed, err := charter.Sign(w.Made.Coordinator, w.Made.Leader, w.Made.Helper)
		if err != nil {
			return err
		}
		return w.Adopt(ctx, w.Ada, id, cycle.Adoption{Charter: signed})
	}
	other := coalitiontest.New(t, coalitiontest.Config{Members: []coalition.MemberID{"Ostmere", "Brennholm"}, Layout: []byte(`{}`), Sizes: []uint16{4}, Name: "other"})
	for want, change := range map[string]func(*coalition.Charter){
		`is of "Sea of Sand"`:                   func(c *coalition.Charter) { c.Coalition = "Sea of Sand" },
		`is of the cycle "2028"`:                func(c *coalition.Charter) { c.Cycle = "2028" },
		`has another framework`:                 func(c *coalition.Charter) { c.Framework.Version = "9.0.0" },
		`has "Dunmark" as a host`:               func(c *coalition.Charter) { c.Leader.Member = "Dunmark" },
		`another key of "Ostmere"`:              func(c *coalition.Charter) { c.Cohorts[0].Members[11].Key = other.Members["Ostmere"].Public() },
		`nothing says that the charter was`:     func(c *coalition.Charter) { c.Marking = "" },
		`does not list Vinterhavn`:              func(c *coalition.Charter) { c.Cohorts[0].Members = c.Cohorts[0].Members[:13] },
		`lists "Elsewhere", who is not invited`: func(c *coalition.Charter) { c.Cohorts[0].Members[3].ID = "Elsewhere" },
	} {
		err := adopt(change)
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), `"Vinterhavn"`, "Vinterhavn"), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	signed := w.Made.Signed
	signed.Signature = slices.Concat(signed.Signature[:len(signed.Signature)-20], []byte("AAAAAAAAAAAAAAAAAAA\n"))
	if err := w.Adopt(ctx, w.Ada, id, cycle.Adoption{Charter: signed}); err == nil {
		t.Error("a charter whose signature is not good is kept")
	}
	must(t, adopt(func(*coalition.Charter) {}))
}

// Who asked does not approve, nobody approves twice, and a command approves nothing.
func TestTwoPersons(t *testing.T) {
	t.Parallel()
	w := cycletest.New(t)
	ctx := t.Context()
	key := w.Made.Members["Ostmere"].Public()
	words := cycletest.Words(key)
	operator := cycle.Operator("the operator")
	number, err := w.AskEnrolment(ctx, w.Ada, "ostmere", key)
	must(t, err)
	_, err = w.AskEnrolment(ctx, w.Bo, "ostmere", key)
	wantKind(t, "the same twice", errs.Conflict, err)
	for name, who := range w.People() {
		if who.Name != w.Bo.Name {
			_, err := w.Approve(ctx, who, number, words)
			wantKind(t, name+" approves", errs.Denied, err)
		}
	}
	_, err = w.Approve(ctx, operator, number, words)
	wantKind(t, "a command approves", errs.Denied, err)
	_, err = w.Approve(ctx, w.Bo, number, cycletest.Words(w.Made.Members["Brennholm"].Public()))
	wantKind(t, "the words of another key", errs.Invalid, err)
	_, err = w.Approve(ctx, w.Bo, number, "")
	wantKind(t, "no words", errs.Invalid, err)
	parties, err := w.Parties(ctx, w.Bo)
	must(t, err)
	for _, p := range parties {
		if p.ID == "ostmere" && (p.Key.Number != 0 || p.Words != nil || p.Pending.Number != number) {
			t.Errorf("before the second person: %+v", p)
		}
	}
	_, err = w.Approve(ctx, w.Bo, number, "  "+strings.ToUpper(words)+"\n")
	must(t, err)
	_, err = w.Approve(ctx, w.Bo, number, words)
	wantKind(t, "again", errs.Conflict, err)
	_, err = w.AskEnrolment(ctx, w.Ada, "brennholm", key)
	wantKind(t, "the key of another", errs.Conflict, err)

	// What a command asks needs one of the staff who is somebody else.
	other := w.Made.Members["Brennholm"].Public()
	number, err = w.AskEnrolment(ctx, cycle.Operator(w.Bo.Name), "brennholm", other)
	must(t, err)
	_, err = w.Approve(ctx, w.Bo, number, cycletest.Words(other))
	wantKind(t, "the same person by a command", errs.Denied, err)
	must(t, w.Refuse(ctx, w.Ada, number, "I could not reach them"))
	wantKind(t, "an end after the end", errs.Conflict, w.Refuse(ctx, w.Ada, number, "again"))
}

// A release wants both hosts, a cancellation two of the staff.
func TestReleaseAndCancel(t *testing.T) {
	t.Parallel()
	w := cycletest.New(t)
	ctx := t.Context()
	id := w.To(t, coalition.Review)
	digest := strings.Repeat("ab", 32)
	_, err := w.AskRelease(ctx, w.Lea, id, digest)
	wantKind(t, "an engineer asks", errs.Denied, err)
	_, err = w.AskRelease(ctx, w.Ada, id, "ab")
	wantKind(t, "half a digest", errs.Invalid, err)
	number, err := w.AskRelease(ctx, w.Ada, id, digest)
	must(t, err)
	wantKind(t, "released by the staff alone", errs.Conflict, w.Step(ctx, w.Ada, id, coalition.Released, ""))
	_, err = w.Approve(ctx, w.Bo, number, "")
	wantKind(t, "a second of the staff", errs.Denied, err)
	q, err := w.Approve(ctx, w.Lea, number, "")
	must(t, err)
	if q.Verdict != cycle.Open {
		t.Errorf("one host alone: %s", q.Verdict)
	}
	_, err = w.Approve(ctx, w.Lea, number, "")
	wantKind(t, "one engineer for both", errs.Denied, err)
	cancel, err := w.AskCancellation(ctx, w.Bo, id, "too few trust it")
	must(t, err)
	_, err = w.Approve(ctx, w.Bo, cancel, "")
	wantKind(t, "cancelled by one", errs.Denied, err)
	tasks, err := w.Tasks(ctx, w.Hal)
	must(t, err)
	if len(tasks) != 1 || tasks[0].Code != cycle.TaskApprove || tasks[0].Request.Subject != digest {
		t.Errorf("the helper's engineer has to do %+v", tasks)
	}
	_, err = w.Approve(ctx, w.Ada, cancel, "")
	must(t, err)
	v, err := w.Cycle(ctx, w.Ada, id)
	must(t, err)
	last := v.Steps[len(v.Steps)-1]
	if v.Phase != coalition.Cancelled || v.Release != "" || last.Reason != "too few trust it" || last.By != "Bo Marsh, Ada Lindqvist" || len(v.Requests) != 0 {
		t.Errorf("after the cancellation: %s, %+v, %+v", v.Phase, last, v.Requests)
	}
	_, err = w.Approve(ctx, w.Hal, number, "")
	wantKind(t, "a release of what is cancelled", errs.Conflict, err)
}

// Nobody but herself learns who asked, and everybody reads the answer.
func TestQuestions(t *testing.T) {
	t.Parallel()
	w := cycletest.New(t)
	ctx := t.Context()
	id := w.To(t, coalition.Consultation)
	const words = "We at Ostmere run one port: does it count?"
	number, err := w.Ask(ctx, w.Ola, id, words)
	must(t, err)
	read := func(who cycle.Person) []cycle.Question {
		list, err := w.Questions(ctx, who, id)
		must(t, err)
		return list
	}
	for name, who := range w.People() {
		list := read(who)
		switch own := who.Name == w.Ola.Name; {
		case own && (len(list) != 1 || list[0].Asker == "" || list[0].Text != words):
			t.Errorf("who asked finds %+v", list)
		case !own && who.SeesAll() && (len(list) != 1 || list[0].Asker != "" || list[0].Text != words):
			t.Errorf("%s finds %+v", name, list)
		case !own && !who.SeesAll() && len(list) != 0:
			t.Errorf("%s finds %+v before it is answered", name, list)
		}
	}
	wantKind(t, "an officer answers", errs.Denied, w.Answer(ctx, w.Vera, number, "Does one port count?", "Yes."))
	wantKind(t, "no wording", errs.Invalid, w.Answer(ctx, w.Ada, number, "", "Yes."))
	must(t, w.Answer(ctx, w.Ada, number, "Does one port count?", "Yes."))
	wantKind(t, "answered twice", errs.Conflict, w.Answer(ctx, w.Ada, number, "Does one port count?", "No."))
	for name, who := range w.People() {
		list := read(who)
		if len(list) != 1 || list[0].Answer != "Yes." || list[0].Wording != "Does one port count?" {
			t.Errorf("%s reads %+v", name, list)
		} else if who.Name != w.Ola.Name && (list[0].Text != "" || list[0].Asker != "") {
			t.Errorf("%s reads how it was asked: %+v", name, list[0])
		}
		lines, err := w.Record(ctx, who, 100)
		must(t, err)
		for _, l := range lines {
			if l.What == cycle.QuestionAsked && (l.By != "" || l.Party != "" || strings.Contains(l.Detail, "Ostmere")) {
				t.Errorf("%s reads in the record %+v", name, l)
			}
		}
	}
	_, err = w.Ask(ctx, cycle.Operator("x"), id, words)
	wantKind(t, "a command asks", errs.Denied, err)
	_, err = w.Ask(ctx, w.Audit, id, words)
	wantKind(t, "an auditor asks", errs.Denied, err)
}

// Each sees what is hers, and what is not is as if it were not there.
func TestWhoSeesWhat(t *testing.T) {
	t.Parallel()
	w := cycletest.New(t)
	ctx := t.Context()
	id := w.To(t, coalition.Open)
	must(t, w.Make(ctx, w.Ada, "2028", cycle.Plan{Leader: "ostmere"}))
	_, err := w.Invite(ctx, w.Ada, "2028", []cycle.PartyID{"ostmere"})
	must(t, err)
	boards := map[string]int{"coordinator": 14, "second": 14, "auditor": 14, "leader": 12, "helper": 12, "officer": 12, "other": 12, "delegate": 1}
	draft := map[string]bool{"coordinator": true, "second": true, "auditor": true, "leader": true, "officer": true}
	for name, who := range w.People() {
		v, err := w.Cycle(ctx, who, id)
		must(t, err)
		if len(v.Board) != boards[name] {
			t.Errorf("%s sees %d on the board, want %d", name, len(v.Board), boards[name])
		}
		if v.Members.Of+v.Partners.Of != boards[name] || v.Hidden != 14-boards[name] {
			t.Errorf("%s is told of %d members and %d partners, and that %d are hidden", name, v.Members.Of, v.Partners.Of, v.Hidden)
		}
		parties, err := w.Parties(ctx, who)
		must(t, err)
		if len(parties) != boards[name] {
			t.Errorf("%s sees %d parties, want %d", name, len(parties), boards[name])
		}
		_, err = w.Cycle(ctx, who, "2028")
		if got := err == nil; got != draft[name] {
			t.Errorf("%s sees the draft: %v", name, got)
		} else if !got {
			wantKind(t, name, errs.NotFound, err)
			_, asked := w.Ask(ctx, who, "2028", "What is in it?")
			wantKind(t, name+" asks about it", errs.NotFound, asked)
		}
		lines, err := w.Record(ctx, who, 1000)
		must(t, err)
		for _, l := range lines {
			if who.SeesAll() {
				continue
			}
			if l.Cycle == "2028" && !draft[name] || l.Party != "" && !slices.Contains(who.Parties(), l.Party) || l.What == cycle.KeyEnrolled && l.Party == "" {
				t.Errorf("%s reads %+v", name, l)
			}
		}
		say := w.Say(ctx, who, id, "vinterhavn", cycle.UnderWay)
		if may := name == "coordinator" || name == "second" || name == "other"; may != (say == nil) {
			t.Errorf("%s says where Vinterhavn stands: %v", name, say)
		}
		for what, err := range map[string]error{
			"moves":   w.Step(ctx, who, id, coalition.Postponed, ""),
			"invites": func() error { _, err := w.Invite(ctx, who, id, nil); return err }(),
			"leaves":  w.Leave(ctx, who, "nobody"),
		} {
			if want := errs.Denied; !who.Is(cycle.RoleCoordinator) {
				wantKind(t, name+" "+what, want, err)
			}
		}
	}
	_, err = w.Cycle(ctx, cycle.Person{ID: "x", Name: "Nobody"}, id)
	wantKind(t, "nobody", errs.NotFound, err)
}

// What is somebody's to do now, by role and phase.
func TestTasks(t *testing.T) {
	t.Parallel()
	w := cycletest.New(t)
	ctx := t.Context()
	codes := func(who cycle.Person) string {
		tasks, err := w.Tasks(ctx, who)
		must(t, err)
		var all []string
		for _, task := range tasks {
			all = append(all, string(task.Code))
		}
		return strings.Join(all, " ")
	}
	want := func(what string, table map[string]string) {
		t.Helper()
		for name, who := range w.People() {
			if got := codes(who); got != table[name] {
				t.Errorf("%s: %s has to do %q, want %q", what, name, got, table[name])
			}
		}
	}
	want("nothing began", nil)
	must(t, w.Make(ctx, w.Ada, "2030", cycle.Plan{}))
	_, err := w.Invite(ctx, w.Ada, "2030", []cycle.PartyID{"vinterhavn", "farhaven"})
	must(t, err)
	want("a draft", map[string]string{"coordinator": "plan enrol", "second": "plan enrol", "other": "key", "delegate": "key"})
	cancel, err := w.AskCancellation(ctx, w.Ada, "2030", "not this year")
	must(t, err)
	want("a request", map[string]string{"coordinator": "plan enrol", "second": "approve plan enrol", "other": "key", "delegate": "key"})
	_, err = w.Approve(ctx, w.Bo, cancel, "")
	must(t, err)
	want("cancelled", nil)
	id := w.To(t, coalition.Open)
	must(t, w.Say(ctx, w.Ola, id, "ostmere", cycle.Delivered))
	must(t, w.Say(ctx, w.Dan, id, "farhaven", cycle.Declined))
	want("open", map[string]string{"coordinator": "chase", "second": "chase", "other": "deliver"})
	w.Clock.Set(time.Unix(coalitiontest.Deadline, 0))
	want("the deadline", map[string]string{"coordinator": "step chase", "second": "step chase", "leader": "freeze", "helper": "freeze", "other": "deliver"})
	tasks, err := w.Tasks(ctx, w.Vera)
	must(t, err)
	if !tasks[0].Overdue {
		t.Error("it is not overdue")
	}
}

// A line that is changed past the program shows.
func TestRecordIsChained(t *testing.T) {
	t.Parallel()
	w := cycletest.New(t)
	ctx := t.Context()
	n, last, err := w.CheckRecord(ctx, w.Audit)
	must(t, err)
	forged := cycle.Line{Number: n + 1, At: w.Clock.Now(), By: "Ada Lindqvist", What: cycle.KeyEnrolled, Party: "ostmere", Detail: "another", Digest: keys.Digest([]byte(last))}
	must(t, w.DB.InTx(ctx, "forge", func(tx cycle.Tx) error { return tx.AddLine(forged) }))
	_, _, err = w.CheckRecord(ctx, w.Audit)
	wantKind(t, "a forged line", errs.Conflict, err)
	_, _, err = w.CheckRecord(ctx, w.Ola)
	wantKind(t, "an officer checks", errs.Denied, err)
}
