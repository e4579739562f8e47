package ledger_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"testing"

	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/ledger/ledgertest"
)

// one returns an entry of a kind of a ledger for tests.
func one(t testing.TB, l *ledgertest.Ledger, kind ledger.Kind) ledger.Statement {
	t.Helper()
	b := openWhole(t, l.Bundle(t))
	list := b.Of(kind)
	if len(list) == 0 {
		t.Fatalf("no %s", kind)
	}
	s := list[0]
	s.Fields = maps.Clone(s.Fields)
	return s
}

// Of every kind an entry that says something else than was signed is refused, field
// by field, also where the coordinator signs it anew: what others signed is theirs.
func TestVerify(t *testing.T) {
	t.Parallel()
	chair := ledgertest.New(t, ledgertest.Config{}).Cycle.Coordinator // every ledger of these tests has the same keys
	l := ledgertest.New(t, ledgertest.Config{Struck: 1, Extra: func(c *ledger.Cycle) ([]ledger.Statement, error) {
		body, err := keys.Canonical(map[string]any{
			"kind": "muster silence step v1", "coalition": c.Charter.Coalition, "procedure": strings.Repeat("ab", 16), "number": 0, "act": "propose",
			"subject": map[string]string{"kind": "charter", "digest": strings.Repeat("cd", 32)},
		})
		if err != nil {
			return nil, err
		}
		note, err := keys.Sign(keys.KindSilenceStep, body, chair)
		if err != nil {
			return nil, err
		}
		step, err := c.Silence(coalition.SignedFile{Body: body, Signature: note})
		return []ledger.Statement{step}, err
	}})
	parties := ledger.PartiesOf(l.Cycle.Charter)
	kinds := map[ledger.Kind]bool{}
	for _, s := range openWhole(t, l.Bundle(t)).Statements {
		if err := s.Verify(parties); err != nil {
			t.Errorf("%s: %v", s.Kind, err)
		}
		kinds[s.Kind] = true
		for name, value := range s.Fields {
			changed := s
			changed.Fields = maps.Clone(s.Fields)
			changed.Fields[name] = other(value)
			if changed.Verify(parties) == nil {
				t.Errorf("%s: the field %s was changed and nobody noticed", s.Kind, name)
			}
			signed, err := changed.Sign(l.Cycle.Coordinator)
			if err != nil {
				continue // it cannot even be said
			}
			row := rowOf(t, s.Kind)
			covered := row.Cover == ledger.CoverLine || row.Cover == ledger.CoverFile && (name == "digest" || name == "host" || name == "role")
			if err := signed.Verify(parties); covered == (err == nil) {
				t.Errorf("%s: the coordinator alone changed the field %s: %v", s.Kind, name, err)
			}
		}
		elsewhere := s
		elsewhere.Cycle = "another"
		elsewhere, err := elsewhere.Sign(l.Cycle.Coordinator)
		if err != nil {
			t.Fatal(err)
		}
		if err := elsewhere.Verify(parties); (err == nil) != (s.Charter == "") {
			t.Errorf("%s of another cycle than its charter: %v", s.Kind, err)
		}
		for name, p := range map[string]ledger.Parties{
			"another coordinator": {Coordinator: parties.Leader, Leader: parties.Leader, Helper: parties.Helper},
			"hosts exchanged":     {Coordinator: parties.Coordinator, Leader: parties.Helper, Helper: parties.Leader},
		} {
			row := rowOf(t, s.Kind)
			hosts := row.Cover == ledger.CoverLine || row.Cover == ledger.CoverFile && !slices.Equal(row.By, []string{"coordinator"})
			if err := s.Verify(p); (err == nil) != (name == "hosts exchanged" && !hosts) {
				t.Errorf("%s: %s: %v", s.Kind, name, err)
			}
		}
	}
	for _, row := range ledger.Rows() {
		if !kinds[row.Kind] && row.Kind != ledger.KindAddendum && row.Kind != ledger.KindDisagreement {
			t.Errorf("no %s was looked at", row.Kind)
		}
	}
}

// other returns a text that is another and of the same form.
func other(value string) string {
	switch {
	case value == "":
		return "x"
	case value == "leader":
		return "helper"
	case value == "helper":
		return "leader"
	}
	last := value[len(value)-1]
	next := map[byte]byte{'a': 'b', '0': '1', 'A': 'I', 'Q': 'A', 'E': 'A'}[last]
	if next == 0 {
		next = 'a'
		if last >= '1' && last <= '9' {
			next = last - 1
		}
	}
	return value[:len(value)-1] + string(next)
}

func rowOf(t testing.TB, kind ledger.Kind) ledger.Row {
	t.Helper()
	for _, row := range ledger.Rows() {
		if row.Kind == kind {
			return row
		}
	}
	t.Fatalf("no kind %s", kind)
	return ledger.Row{}
}

// What an entry must not be.
func TestStatementRefusals(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{Struck: 1})
	for _, row := range []struct {
		name string
		kind ledger.Kind
		edit func(*ledger.Statement)
		want string
	}{
		{"an unknown kind", ledger.KindShare, func(s *ledger.Statement) { s.Kind = "rumour" }, "does not know"},
		{"a later version", ledger.KindShare, func(s *ledger.Statement) { s.Version = 2 }, "is of version 2"},
		{"no cycle", ledger.KindShare, func(s *ledger.Statement) { s.Cycle = "" }, "is empty"},
		{"no charter", ledger.KindShare, func(s *ledger.Statement) { s.Charter = "" }, "names no charter"},
		{"a broken charter", ledger.KindShare, func(s *ledger.Statement) { s.Charter = "00" }, "without a digest"},
		{"another charter", ledger.KindCharter, func(s *ledger.Statement) { s.Charter = keys.Digest(nil) }, "about another charter"},
		{"no note", ledger.KindRoster, func(s *ledger.Statement) { s.Note = "" }, "has a note where none belongs, or none where one does"},
		{"a note too many", ledger.KindPhase, func(s *ledger.Statement) { s.Note = "x" }, "has a note where none belongs"},
		{"a field too many", ledger.KindPhase, func(s *ledger.Statement) { s.Fields["who"] = "m03" }, "has 5 fields, not 4"},
		{"a field too few", ledger.KindPhase, func(s *ledger.Statement) { delete(s.Fields, "to") }, "has 3 fields, not 4"},
		{"another field", ledger.KindPhase, func(s *ledger.Statement) { delete(s.Fields, "to"); s.Fields["who"] = "m03" }, "has no field to"},
		{"an empty field", ledger.KindPhase, func(s *ledger.Statement) { s.Fields["to"] = "" }, "is empty"},
		{"a step that there is not", ledger.KindPhase, func(s *ledger.Statement) { s.Fields["to"] = "released" }, "cannot go from draft to released"},
		{"a number with a zero", ledger.KindPhase, func(s *ledger.Statement) { s.Fields["number"] = "01" }, "is no number"},
		{"a text that cannot be seen", ledger.KindPhase, func(s *ledger.Statement) { s.Fields["reason"] = "\u200b" }, "cannot be seen"},
		{"a text too long", ledger.KindPhase, func(s *ledger.Statement) { s.Fields["reason"] = strings.Repeat("x", 2001) }, "is longer than 2000 bytes"},
		{"a digest in capitals", ledger.KindRoster, func(s *ledger.Statement) { s.Fields["digest"] = strings.ToUpper(s.Fields["digest"]) }, "is no SHA-256 in hex"},
		{"no task", ledger.KindRoster, func(s *ledger.Statement) { s.Fields["task_id"] = "x" }, "is no task"},
		{"a name for a pseudonym", ledger.KindReceipt, func(s *ledger.Statement) { s.Fields["member"] = "Member 00001" }, "is no pseudonym"},
		{"an unknown host", ledger.KindShare, func(s *ledger.Statement) { s.Fields["host"] = "coordinator" }, "is none of leader, helper"},
		{"an unknown audience", ledger.KindEdition, func(s *ledger.Statement) { s.Fields["audience"] = "press" }, "is none of allied, partner, public"},
	} {
		s := one(t, l, row.kind)
		row.edit(&s)
		if _, err := s.Encode(); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v; want %q", row.name, err, row.want)
		}
	}
}

// What does not verify gives no entry.
func TestDeriveRefusals(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{Struck: 1})
	stranger := ledgertest.Signer(t, "stranger")
	c := l.Ledger
	swap := func(body []byte) []byte { return bytes.Replace(body, []byte("00001"), []byte("00009"), 1) }
	for name, derive := range map[string]func() error{
		"a roster that was changed": func() error {
			frozen := l.Frozen
			frozen.Roster.Body = swap(frozen.Roster.Body)
			_, err := c.Frozen(coalitiontest.Cohort, frozen)
			return err
		},
		"a roster by one host": func() error {
			frozen := coalition.FrozenRoster{Roster: l.Frozen.Roster}
			var err error
			if frozen.Roster.Signature, err = keys.Sign(keys.KindRoster, frozen.Roster.Body, l.Cycle.Leader); err != nil {
				return nil
			}
			_, err = c.Frozen(coalitiontest.Cohort, frozen)
			return err
		},
		"an amendment that was changed": func() error {
			frozen := l.Frozen
			frozen.Amendments = []coalition.SignedAmendment{{Body: swap(bytes.Replace(frozen.Amendments[0].Body, []byte("00005"), []byte("00001"), 1)), Signature: frozen.Amendments[0].Signature}}
			_, err := c.Frozen(coalitiontest.Cohort, frozen)
			return err
		},
		"a roster of another cohort": func() error { _, err := c.Frozen("partners", l.Frozen); return err },
		"a line by a stranger":       func() error { _, _, err := c.RecordLine(l.ShareLine(t, "leader", stranger)); return err },
		"a line for the other host":  func() error { _, _, err := c.RecordLine(l.ShareLine(t, "helper", l.Cycle.Leader)); return err },
		"a line by the coordinator":  func() error { _, _, err := c.RecordLine(l.ShareLine(t, "leader", l.Cycle.Coordinator)); return err },
		"a release that was changed": func() error {
			_, err := c.Release(coalition.SignedFile{Body: append([]byte(" "), l.Release.Body...), Signature: l.Release.Signature})
			return err
		},
		"a release by a host alone": func() error {
			sig, err := keys.Sign(keys.KindRelease, l.Release.Body, l.Cycle.Leader)
			if err != nil {
				return nil
			}
			_, err = c.Release(coalition.SignedFile{Body: l.Release.Body, Signature: sig})
			return err
		},
		"a wipe by the other host": func() error {
			_, err := c.Wipe(coalition.SignedFile{Body: l.Wipes[0].Body, Signature: l.Wipes[1].Signature})
			return err
		},
		"a charter by two": func() error {
			sig, err := keys.Sign(keys.KindCharter, l.Cycle.Signed.Body, l.Cycle.Coordinator, l.Cycle.Leader)
			if err != nil {
				return nil
			}
			_, err = ledger.NewCycle(coalition.SignedCharter{Body: l.Cycle.Signed.Body, Signature: sig})
			return err
		},
	} {
		if err := derive(); errs.KindOf(err) != errs.Invalid && errs.KindOf(err) != errs.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What the ledger does not take in of a host's record is no fault.
	line, _, err := ledger.Tail{}.Seal(ledger.Entry{ID: "x", Kind: "approval", Data: map[string]string{"subject": "release"}}, l.Cycle.Leader)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := c.RecordLine(line); ok || err != nil {
		t.Errorf("an approval in a host's record: %v, %v", ok, err)
	}
}

// A host's disagreement is entered in its own words, and postponements as they were
// signed.
func TestDisagreementAndAddenda(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{})
	parties := ledger.PartiesOf(l.Cycle.Charter)
	task := l.Cycle.Task(t).ID.String()
	data := map[string]string{"task_id": task, "leader": keys.Digest([]byte("a")), "helper": keys.Digest([]byte("b"))}
	line, _, err := ledger.Tail{}.Seal(ledger.Entry{ID: "disagreement", Kind: "disagreement", Data: data}, l.Cycle.Helper)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]ledger.Statement, 1)
	var ok bool
	if list[0], ok, err = l.Ledger.RecordLine(line); err != nil || !ok {
		t.Fatal(err)
	}
	var addenda []coalition.SignedAddendum
	for range 2 {
		deadline, err := l.Cycle.Charter.DeadlineAfter(addenda)
		if err != nil {
			t.Fatal(err)
		}
		a, err := l.Cycle.Charter.Postpone(addenda, deadline.AddDate(0, 0, 7), "a storm has cut a cable")
		if err != nil {
			t.Fatal(err)
		}
		signed, err := a.Sign(l.Cycle.Coordinator, l.Cycle.Leader, l.Cycle.Helper)
		if err != nil {
			t.Fatal(err)
		}
		addenda = append(addenda, signed)
	}
	more, err := l.Ledger.Addenda(addenda)
	if err != nil || len(more) != 2 {
		t.Fatalf("%d addenda, %v", len(more), err)
	}
	if _, err := l.Ledger.Addenda(addenda[1:]); err == nil {
		t.Error("the second without the first")
	}
	for _, s := range append(list, more...) {
		signed, err := s.Sign(l.Cycle.Coordinator)
		if err != nil {
			t.Fatal(err)
		}
		if err := signed.Verify(parties); err != nil {
			t.Errorf("%s: %v", s.Kind, err)
		}
		if err := l.Log.Add(t.Context(), signed, signed); err != nil {
			t.Error(err)
		}
	}
}

// The same again changes nothing; something else about the same is refused.
func TestLogAdd(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{})
	before, err := l.Log.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := openWhole(t, l.Bundle(t)).Statements
	if err := l.Log.Add(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
	changed := all[0]
	changed.Fields = maps.Clone(changed.Fields)
	changed.Fields["reason"] = "another"
	if changed, err = changed.Sign(l.Cycle.Coordinator); err != nil {
		t.Fatal(err)
	}
	if err := l.Log.Add(t.Context(), changed); errs.KindOf(err) != errs.Conflict {
		t.Errorf("another reason for the same step: %v", err)
	}
	unsigned := all[0]
	unsigned.Signature = ""
	if err := l.Log.Add(t.Context(), unsigned); err == nil {
		t.Error("an entry without a signature")
	}
	after, err := l.Log.Checkpoint(t.Context())
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the ledger has changed: %v", err)
	}
}

// Pseudonyms and salted hashes are those that the specification gives, computed here as
// it says; they are other ones for each member and each roster.
func TestPseudonyms(t *testing.T) {
	t.Parallel()
	mac := func(key string, text string) string {
		h := hmac.New(sha256.New, []byte(key))
		h.Write([]byte(text))
		return string(h.Sum(nil))
	}
	seen := map[string]bool{}
	for _, roster := range []string{"roster", "roster 2"} {
		o := ledger.NewOpener([]byte(roster))
		opener := mac("muster ledger opener v1", roster)
		for _, member := range []coalition.MemberID{"Alpha", "Beta", "\u00c5land"} {
			digest := keys.Digest([]byte(member))
			pseudonym := hex.EncodeToString([]byte(mac(opener, "muster ledger pseudonym v1\x00"+string(member))[:16]))
			salt := mac(opener, "muster ledger salt v1\x00"+string(member))
			receipt := hex.EncodeToString([]byte(mac(salt, "muster ledger receipt v1\x00"+digest)))
			if got := o.Pseudonym(member); got != pseudonym || seen[got] {
				t.Errorf("%s in %s is %s; want %s, once", member, roster, got, pseudonym)
			}
			if got := o.Receipt(member, digest); got != receipt || seen[got] {
				t.Errorf("the receipt of %s in %s is %s; want %s, once", member, roster, got, receipt)
			}
			seen[pseudonym], seen[receipt] = true, true
		}
	}
}

// A version of a kind has its own fields: an adoption of the first names no procedure.
func TestVersions(t *testing.T) {
	t.Parallel()
	fields := func(procedure bool) map[string]string {
		f := map[string]string{"subject": "charter", "digest": ledger.Digest([]byte("charter")), "number": "1", "outcome": "adopted"}
		if procedure {
			f["procedure"] = strings.Repeat("ab", 16)
		}
		return f
	}
	rows := []struct {
		name    string
		version int
		fields  map[string]string
		want    string
	}{
		{"the first", 1, fields(false), ""},
		{"the first with a procedure", 1, fields(true), "has 5 fields, not 4"},
		{"the second", 2, fields(true), ""},
		{"the second without", 2, fields(false), "has 4 fields, not 5"},
		{"none", 0, fields(true), "is of version 0"},
		{"a later one", 3, fields(true), "is of version 3"},
	}
	for _, row := range rows {
		s := ledger.Statement{Version: row.version, Kind: ledger.KindAdoption, Cycle: "2026", Charter: ledger.Digest([]byte("charter")), Fields: row.fields}
		if _, err := s.Encode(); (row.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	// Two procedures over one text are two entries.
	a := ledger.Statement{Version: 2, Kind: ledger.KindAdoption, Cycle: "2026", Fields: fields(true)}
	b := ledger.Statement{Version: 2, Kind: ledger.KindAdoption, Cycle: "2026", Fields: fields(true)}
	b.Fields["procedure"] = strings.Repeat("cd", 16)
	if a.ID() == b.ID() {
		t.Error("two procedures over one text are one entry")
	}
}
