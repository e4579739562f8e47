package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"muster/internal/account"
	"muster/internal/coalition"
	"muster/internal/cycle"
)

// Coalition is a coordinator's database: the year, and its people.
type Coalition struct {
	cycle.Store
	People account.Store
}

// ExerciseCoalition runs the suite of a coordinator's database: each promise of the
// comments of package cycle's store.go. open returns an empty one that is the caller's
// alone, and closes it when the test ends; it is called from several goroutines.
func ExerciseCoalition(t *testing.T, open func(t *testing.T) Coalition) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(t *testing.T, d Coalition)
	}{
		{"begins once", beginsOnce},
		{"parties", parties},
		{"cycles", cycles},
		{"history is added to", historyIsAddedTo},
		{"requests and keys", requests},
		{"questions", questions},
		{"contacts and sendings", contacts},
		{"record", record},
		{"nothing of what fails", nothingOfWhatFails},
		{"one after the other", oneAfterTheOther},
		{"a view writes nothing", aViewIsOfOneMoment},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t))
		})
	}
}

// at is a moment as stores keep it.
func at(n int) time.Time { return time.UnixMicro(1_900_000_000_000_000 + int64(n)).UTC() }

// anna is somebody who was invited.
func anna() account.Person {
	return account.Person{ID: "00112233445566778899aabbccddeeff", Name: "Anna Sand", Grants: []account.Grant{{Role: "officer", Of: []string{"ostmere"}}}, Added: at(1)}
}

func (d Coalition) do(t *testing.T, fn func(cycle.Tx) error) {
	t.Helper()
	if err := d.InTx(t.Context(), "do", fn); err != nil {
		t.Fatal(err)
	}
}

// refuses runs fn in a transaction that must fail.
func (d Coalition) refuses(t *testing.T, what string, fn func(cycle.Tx) error) {
	t.Helper()
	if err := d.InTx(t.Context(), "refuse", fn); err == nil {
		t.Errorf("%s: no error", what)
	}
}

func seen[T any](t *testing.T, d Coalition, fn func(cycle.Reader) (T, error)) T {
	t.Helper()
	var got T
	err := d.View(t.Context(), "see", func(r cycle.Reader) (err error) {
		got, err = fn(r)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// fill keeps a coalition with two parties, a person and a cycle.
func (d Coalition) fill(t *testing.T) {
	t.Helper()
	if err := d.People.InTx(t.Context(), "fill", func(tx account.Tx) error { return tx.PutPerson(anna()) }); err != nil {
		t.Fatal(err)
	}
	d.do(t, func(tx cycle.Tx) error {
		return errors.Join(tx.Begin("Sea of Lights"), tx.PutParty(ostmere()), tx.PutParty(farhaven()), tx.PutCycle(year()))
	})
}

func ostmere() cycle.Party {
	return cycle.Party{ID: "ostmere", Name: "Ostmere", Kind: cycle.Member, Added: at(2)}
}

func farhaven() cycle.Party {
	return cycle.Party{ID: "farhaven", Name: "Fårhaven & Söhne", Kind: cycle.Partner, Added: at(3)}
}

func year() cycle.Cycle { return cycle.Cycle{ID: "2031", Phase: coalition.Draft, Made: at(4)} }

func beginsOnce(t *testing.T, d Coalition) {
	name := func(r cycle.Reader) (string, error) { return r.Coalition() }
	same(t, "before", "", seen(t, d, name))
	d.do(t, func(tx cycle.Tx) error { return tx.Begin("Sea of Lights") })
	same(t, "after", "Sea of Lights", seen(t, d, name))
	d.refuses(t, "another name", func(tx cycle.Tx) error { return tx.Begin("Sea of Sand") })
}

func parties(t *testing.T, d Coalition) {
	all := func(r cycle.Reader) ([]cycle.Party, error) { return r.Parties() }
	d.fill(t)
	same(t, "all, by id", []cycle.Party{farhaven(), ostmere()}, seen(t, d, all))
	left := ostmere()
	left.Left = at(90)
	d.do(t, func(tx cycle.Tx) error { return tx.PutParty(left) })
	same(t, "who left stays", []cycle.Party{farhaven(), left}, seen(t, d, all))
	d.do(t, func(tx cycle.Tx) error {
		got, ok, err := tx.Party("ostmere")
		same(t, "one", left, got)
		if !ok {
			t.Error("ostmere is not found")
		}
		if _, ok, _ := tx.Party("nowhere"); ok {
			t.Error("nowhere is found")
		}
		return err
	})
	d.refuses(t, "a name that looks the same", func(tx cycle.Tx) error {
		return tx.PutParty(cycle.Party{ID: "another", Name: "OSTMERE", Kind: cycle.Member, Added: at(5)})
	})
	d.refuses(t, "a kind that there is not", func(tx cycle.Tx) error {
		return tx.PutParty(cycle.Party{ID: "another", Name: "Another", Kind: "friend", Added: at(5)})
	})
}

func cycles(t *testing.T, d Coalition) {
	d.fill(t)
	later := cycle.Cycle{
		ID: "2032", Framework: coalition.FrameworkRef{ID: "muster-core", Version: "1.0.0", Digest: fmt.Sprintf("%064x", 7)}, Hosts: [2]cycle.PartyID{"ostmere", "farhaven"},
		Marking: "SYNTHETIC", Phase: coalition.Open, Made: at(10), Opens: at(20), Deadline: at(30), Wipe: at(40), Charter: fmt.Sprintf("%064x", 8), Release: fmt.Sprintf("%064x", 9),
	}
	d.do(t, func(tx cycle.Tx) error { return tx.PutCycle(later) })
	all := func(r cycle.Reader) ([]cycle.Cycle, error) { return r.Cycles() }
	same(t, "the latest first", []cycle.Cycle{later, year()}, seen(t, d, all))
	later.Phase, later.Deadline = coalition.Closing, at(31)
	d.do(t, func(tx cycle.Tx) error { return tx.PutCycle(later) })
	same(t, "replaced", []cycle.Cycle{later, year()}, seen(t, d, all))
	for name, wrong := range map[string]func(*cycle.Cycle){
		"one member as both hosts":      func(c *cycle.Cycle) { c.Hosts = [2]cycle.PartyID{"ostmere", "ostmere"} },
		"a host that nobody knows":      func(c *cycle.Cycle) { c.Hosts[0] = "nowhere" },
		"a deadline before it opens":    func(c *cycle.Cycle) { c.Deadline = at(19) },
		"a wipe before the deadline":    func(c *cycle.Cycle) { c.Wipe = at(30) },
		"a deadline and no wipe":        func(c *cycle.Cycle) { c.Wipe = time.Time{} },
		"a charter that is no digest":   func(c *cycle.Cycle) { c.Charter = "abc" },
		"no phase":                      func(c *cycle.Cycle) { c.Phase = "" },
		"a release that is half a word": func(c *cycle.Cycle) { c.Release = "0a" },
	} {
		c := later
		wrong(&c)
		d.refuses(t, name, func(tx cycle.Tx) error { return tx.PutCycle(c) })
	}
	same(t, "and nothing of it", []cycle.Cycle{later, year()}, seen(t, d, all))
}

func historyIsAddedTo(t *testing.T, d Coalition) {
	d.fill(t)
	steps := []cycle.Step{
		{Cycle: "2031", Number: 1, From: coalition.Draft, To: coalition.Consultation, By: "Ada", At: at(1)},
		{Cycle: "2031", Number: 2, From: coalition.Consultation, To: coalition.Draft, Reason: "an objection,\nin two lines", By: "Ada", At: at(2)},
	}
	extension := cycle.Extension{Cycle: "2031", Number: 1, From: at(5), To: at(6), Reason: "a storm", By: "Ada", At: at(3)}
	stood := []cycle.Participation{
		{Cycle: "2031", Party: "ostmere", Number: 1, Status: cycle.NotStarted, By: "Ada", At: at(1)},
		{Cycle: "2031", Party: "ostmere", Number: 2, Status: cycle.Declined, By: "Anna Sand", At: at(2)},
	}
	other := cycle.Participation{Cycle: "2031", Party: "farhaven", Number: 1, Status: cycle.NotStarted, By: "Ada", At: at(1)}
	d.do(t, func(tx cycle.Tx) error {
		return errors.Join(tx.AddStep(steps[0]), tx.AddStep(steps[1]), tx.AddExtension(extension), tx.AddParticipation(stood[0]), tx.AddParticipation(stood[1]), tx.AddParticipation(other))
	})
	same(t, "steps", steps, seen(t, d, func(r cycle.Reader) ([]cycle.Step, error) { return r.Steps("2031") }))
	same(t, "extensions", []cycle.Extension{extension}, seen(t, d, func(r cycle.Reader) ([]cycle.Extension, error) { return r.Extensions("2031") }))
	same(t, "where they stand", []cycle.Participation{other, stood[1]}, seen(t, d, func(r cycle.Reader) ([]cycle.Participation, error) { return r.Participations("2031") }))
	same(t, "how one came there", stood, seen(t, d, func(r cycle.Reader) ([]cycle.Participation, error) { return r.History("2031", "ostmere") }))
	same(t, "of another cycle", []cycle.Step(nil), seen(t, d, func(r cycle.Reader) ([]cycle.Step, error) { return r.Steps("2030") }))
	d.refuses(t, "a step in the place of another", func(tx cycle.Tx) error { return tx.AddStep(steps[0]) })
	d.refuses(t, "an extension in the place of another", func(tx cycle.Tx) error { return tx.AddExtension(extension) })
	d.refuses(t, "a status in the place of another", func(tx cycle.Tx) error { return tx.AddParticipation(stood[1]) })
	d.refuses(t, "a deadline that moves to before", func(tx cycle.Tx) error {
		e := extension
		e.Number, e.To = 2, at(4)
		return tx.AddExtension(e)
	})
	d.refuses(t, "a status that there is not", func(tx cycle.Tx) error {
		p := other
		p.Number, p.Status = 2, "level 3"
		return tx.AddParticipation(p)
	})
}

func requests(t *testing.T, d Coalition) {
	d.fill(t)
	person := string(anna().ID)
	enrol := cycle.Request{Kind: cycle.Enrolment, Party: "ostmere", Subject: "a+b+c", By: "the operator", At: at(1)}
	cancel := cycle.Request{Kind: cycle.Cancellation, Cycle: "2031", Reason: "war", Asker: person, By: "Anna Sand", At: at(2)}
	d.do(t, func(tx cycle.Tx) (err error) {
		if enrol.Number, err = tx.AddRequest(enrol); err != nil {
			return err
		}
		cancel.Number, err = tx.AddRequest(cancel)
		return err
	})
	same(t, "numbers", []int64{1, 2}, []int64{enrol.Number, cancel.Number})
	open := func(r cycle.Reader) ([]cycle.Request, error) { return r.Requests() }
	same(t, "open", []cycle.Request{enrol, cancel}, seen(t, d, open))
	word := cycle.Approval{Slot: "second", Person: person, By: "Anna Sand", At: at(3)}
	d.do(t, func(tx cycle.Tx) error { return tx.AddApproval(1, word) })
	enrol.Approvals = []cycle.Approval{word}
	same(t, "with a word", []cycle.Request{enrol, cancel}, seen(t, d, open))
	d.refuses(t, "the same word twice", func(tx cycle.Tx) error { return tx.AddApproval(1, word) })
	d.refuses(t, "another word of the same person", func(tx cycle.Tx) error {
		return tx.AddApproval(1, cycle.Approval{Slot: "leader", Person: person, By: "Anna Sand", At: at(4)})
	})
	d.refuses(t, "a word of nobody", func(tx cycle.Tx) error {
		return tx.AddApproval(2, cycle.Approval{Slot: "second", Person: "ffffffffffffffffffffffffffffffff", By: "Nobody", At: at(4)})
	})
	key := cycle.Key{Party: "ostmere", Number: 1, Public: "a+b+c", At: at(5), Request: 1}
	d.do(t, func(tx cycle.Tx) error {
		return errors.Join(tx.EndRequest(1, cycle.Approved, "", "Anna Sand", at(5)), tx.AddKey(key))
	})
	same(t, "what is left", []cycle.Request{cancel}, seen(t, d, open))
	enrol.Verdict, enrol.EndBy, enrol.Ended = cycle.Approved, "Anna Sand", at(5)
	d.do(t, func(tx cycle.Tx) error {
		got, ok, err := tx.Request(1)
		same(t, "as it ended", enrol, got)
		if _, there, _ := tx.Request(9); there || !ok {
			t.Errorf("found %v, and %v of what is not there", ok, there)
		}
		return err
	})
	same(t, "of the cycle", []cycle.Request{cancel}, seen(t, d, func(r cycle.Reader) ([]cycle.Request, error) { return r.RequestsOf("2031") }))
	d.refuses(t, "an end after the end", func(tx cycle.Tx) error { return tx.EndRequest(1, cycle.Refused, "no", "Anna Sand", at(6)) })
	d.refuses(t, "a key without its request", func(tx cycle.Tx) error {
		return tx.AddKey(cycle.Key{Party: "ostmere", Number: 2, Public: "d+e+f", At: at(6), Request: 8})
	})
	d.refuses(t, "two keys by one request", func(tx cycle.Tx) error {
		return tx.AddKey(cycle.Key{Party: "ostmere", Number: 2, Public: "d+e+f", At: at(6), Request: 1})
	})
	newer := cycle.Key{Party: "ostmere", Number: 2, Public: "d+e+f", At: at(7), Request: 3}
	d.do(t, func(tx cycle.Tx) error {
		if n, err := tx.AddRequest(cycle.Request{Kind: cycle.Enrolment, Party: "ostmere", Subject: "d+e+f", By: "x", At: at(6)}); err != nil || n != 3 {
			return fmt.Errorf("request %d: %w", n, err)
		}
		return tx.AddKey(newer)
	})
	same(t, "the key that counts", []cycle.Key{newer}, seen(t, d, func(r cycle.Reader) ([]cycle.Key, error) { return r.Keys() }))
	d.refuses(t, "a request about nothing", func(tx cycle.Tx) error {
		_, err := tx.AddRequest(cycle.Request{Kind: cycle.Releasing, By: "x", At: at(6)})
		return err
	})
}

func questions(t *testing.T, d Coalition) {
	d.fill(t)
	q := cycle.Question{Cycle: "2031", Asker: string(anna().ID), Text: "What of our ports?\nAll of them?", Asked: at(1)}
	d.do(t, func(tx cycle.Tx) (err error) {
		q.Number, err = tx.AddQuestion(q)
		return err
	})
	of := func(r cycle.Reader) ([]cycle.Question, error) { return r.Questions("2031") }
	same(t, "asked", []cycle.Question{q}, seen(t, d, of))
	q.Wording, q.Answer, q.By, q.At = "What of ports?", "All.", "Ada", at(2)
	d.do(t, func(tx cycle.Tx) error { return tx.PutAnswer(q) })
	same(t, "answered", []cycle.Question{q}, seen(t, d, of))
	d.refuses(t, "another answer", func(tx cycle.Tx) error {
		again := q
		again.Answer = "None."
		return tx.PutAnswer(again)
	})
	d.refuses(t, "half an answer", func(tx cycle.Tx) error {
		n, err := tx.AddQuestion(cycle.Question{Cycle: "2031", Asker: string(anna().ID), Text: "And?", Asked: at(3)})
		return errors.Join(err, tx.PutAnswer(cycle.Question{Number: n, Wording: "And?", By: "Ada", At: at(4)}))
	})
	d.refuses(t, "about no cycle", func(tx cycle.Tx) error {
		_, err := tx.AddQuestion(cycle.Question{Cycle: "1999", Asker: string(anna().ID), Text: "And?", Asked: at(3)})
		return err
	})
	same(t, "and nothing more", []cycle.Question{q}, seen(t, d, of))
}

func contacts(t *testing.T, d Coalition) {
	d.fill(t)
	c := cycle.Contact{Person: string(anna().ID), Address: "anna@ostmere.example", Lang: "fr"}
	all := func(r cycle.Reader) ([]cycle.Contact, error) { return r.Contacts() }
	d.do(t, func(tx cycle.Tx) error { return tx.PutContact(c) })
	same(t, "kept", []cycle.Contact{c}, seen(t, d, all))
	c.Address, c.Lang = "sand@ostmere.example", "en"
	d.do(t, func(tx cycle.Tx) error { return tx.PutContact(c) })
	same(t, "replaced", []cycle.Contact{c}, seen(t, d, all))
	d.do(t, func(tx cycle.Tx) error { return tx.PutContact(cycle.Contact{Person: c.Person}) })
	same(t, "forgotten", []cycle.Contact(nil), seen(t, d, all))
	s := cycle.Sending{Person: c.Person, Cycle: "2031", Topic: "deliver 7d", At: at(1)}
	sent := func(r cycle.Reader) (bool, error) { return r.Sent(s) }
	same(t, "not sent", false, seen(t, d, sent))
	d.do(t, func(tx cycle.Tx) error { return tx.AddSending(s) })
	same(t, "sent", true, seen(t, d, sent))
	d.refuses(t, "sent twice", func(tx cycle.Tx) error { return tx.AddSending(s) })
	s.Topic = "deliver 1d"
	same(t, "nearer", false, seen(t, d, sent))
}

func record(t *testing.T, d Coalition) {
	var want []cycle.Line
	for i := range 5 {
		want = append(want, cycle.Line{Number: int64(i + 1), At: at(i), What: cycle.StatusSet, By: "Ada", Cycle: "2031", Party: "ostmere", Detail: "line\nof text", Digest: fmt.Sprintf("%064x", i)})
	}
	d.do(t, func(tx cycle.Tx) error {
		for _, l := range want {
			if err := tx.AddLine(l); err != nil {
				return err
			}
		}
		return nil
	})
	same(t, "from the third on", want[2:], seen(t, d, func(r cycle.Reader) ([]cycle.Line, error) { return r.Lines(3, 10) }))
	same(t, "two of them", want[2:4], seen(t, d, func(r cycle.Reader) ([]cycle.Line, error) { return r.Lines(3, 2) }))
	same(t, "the latest", []cycle.Line{want[4], want[3]}, seen(t, d, func(r cycle.Reader) ([]cycle.Line, error) { return r.Latest(2) }))
	d.refuses(t, "a line in the place of another", func(tx cycle.Tx) error {
		l := want[0]
		l.Digest = fmt.Sprintf("%064x", 99)
		return tx.AddLine(l)
	})
}

var errStop = errors.New("stop")

func nothingOfWhatFails(t *testing.T, d Coalition) {
	d.fill(t)
	err := d.InTx(t.Context(), "fail", func(tx cycle.Tx) error {
		return errors.Join(tx.PutParty(cycle.Party{ID: "new", Name: "New", Kind: cycle.Member, Added: at(1)}), errStop)
	})
	if !errors.Is(err, errStop) {
		t.Errorf("the error is %v", err)
	}
	same(t, "parties", 2, len(seen(t, d, func(r cycle.Reader) ([]cycle.Party, error) { return r.Parties() })))
}

// oneAfterTheOther: of many who each add the next line, nobody takes another's place.
func oneAfterTheOther(t *testing.T, d Coalition) {
	const writers = 8
	var wait sync.WaitGroup
	for i := range writers {
		wait.Go(func() {
			err := d.InTx(t.Context(), "add a line", func(tx cycle.Tx) error {
				last, err := tx.Latest(1)
				if err != nil {
					return err
				}
				n := int64(1)
				if len(last) > 0 {
					n = last[0].Number + 1
				}
				return tx.AddLine(cycle.Line{Number: n, At: at(i), What: cycle.StatusSet, By: "Ada", Digest: fmt.Sprintf("%064x", i)})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	lines := seen(t, d, func(r cycle.Reader) ([]cycle.Line, error) { return r.Lines(1, 100) })
	for i, l := range lines {
		same(t, "number", int64(i+1), l.Number)
	}
	same(t, "lines", writers, len(lines))
}

func aViewIsOfOneMoment(t *testing.T, d Coalition) {
	d.fill(t)
	err := d.View(t.Context(), "look", func(r cycle.Reader) error {
		before, err := r.Parties()
		if err != nil {
			return err
		}
		again, err := r.Parties()
		same(t, "twice", before, again)
		return errors.Join(err, errStop)
	})
	if !errors.Is(err, errStop) {
		t.Errorf("the error is %v", err)
	}
}
