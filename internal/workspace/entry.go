package workspace

import (
	"context"
	"errors"
	"fmt"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
)

// Saved is one revision of an entry. That of an entry which nobody has touched has
// the revision 0.
type Saved struct {
	Entry assess.Entry
	Revised
}

// Conflict is what two people made of the same fields of an entry. Nothing of Mine
// was saved. Whoever has decided saves again, with the revision of Theirs as base.
type Conflict struct {
	Base   Saved          // what Mine began with
	Mine   assess.Entry   //
	Theirs Saved          // the newest revision
	Fields []assess.Field // that both changed, differently
}

func entryKey(id SurveyID, outcome string) Key {
	return Key{Kind: kindEntry, Survey: id, Outcome: outcome}
}

// Entries returns what is kept about the outcomes of a survey, by outcome. One that
// nobody has touched is not in it.
func (s *Service) Entries(ctx context.Context, person Person, id SurveyID) (map[string]Saved, error) {
	var entries map[string]Saved
	err := s.view(ctx, "read the entries", person, see, func(r Reader) error {
		if _, err := s.open(r, id); err != nil {
			return err
		}
		var err error
		entries, err = entriesOf(r, id)
		return err
	})
	return entries, err
}

func entriesOf(r Reader, id SurveyID) (map[string]Saved, error) {
	items, err := list[assess.Entry](r, kindEntry, id, "")
	if err != nil {
		return nil, err
	}
	entries := make(map[string]Saved, len(items))
	for _, item := range items {
		entries[item.Outcome] = Saved{Entry: item.Value, Revised: item.Revised}
	}
	return entries, nil
}

// plain returns the entries without who saved them.
func plain(saved map[string]Saved) map[string]assess.Entry {
	entries := make(map[string]assess.Entry, len(saved))
	for outcome, s := range saved {
		entries[outcome] = s.Entry
	}
	return entries
}

// Entry returns what is kept about one outcome.
func (s *Service) Entry(ctx context.Context, person Person, id SurveyID, outcome string) (Saved, error) {
	var saved Saved
	err := s.view(ctx, "read an entry", person, see, func(r Reader) error {
		is, err := s.open(r, id)
		if err != nil {
			return err
		}
		if _, err := is.outcome(outcome); err != nil {
			return err
		}
		saved, err = newest(r, id, outcome)
		return err
	})
	return saved, err
}

func newest(r Reader, id SurveyID, outcome string) (Saved, error) {
	entry, revised, err := get[assess.Entry](r, entryKey(id, outcome))
	if errors.Is(err, errNone) {
		err = nil
	}
	return Saved{Entry: entry, Revised: revised}, err
}

// Answerers returns who gave the level that stands, or confirmed one that was carried
// over, by outcome: whoever noted something later has not answered. It reads the history
// of the outcomes that are named alone, or all of it if none is.
func (s *Service) Answerers(ctx context.Context, person Person, id SurveyID, outcomes ...string) (map[string]string, error) {
	var names map[string]string
	err := s.view(ctx, "see who answered", person, see, func(r Reader) error {
		if _, err := s.open(r, id); err != nil {
			return err
		}
		var records []Record
		for _, outcome := range outcomes {
			some, err := r.History(entryKey(id, outcome))
			if err != nil {
				return err
			}
			records = append(records, some...)
		}
		if len(outcomes) == 0 {
			var err error
			if records, err = r.All(kindEntry, id); err != nil {
				return err
			}
		}
		names = make(map[string]string)
		last := make(map[string]framework.Level) // none where it was only carried over
		for _, record := range records {
			var e assess.Entry
			if err := decode(record, &e); err != nil {
				return err
			}
			given := framework.None
			if e.Answered() {
				given = e.Level
			}
			if given == framework.None {
				delete(names, record.Outcome)
			} else if given != last[record.Outcome] {
				names[record.Outcome] = record.By
			}
			last[record.Outcome] = given
		}
		return nil
	})
	return names, err
}

// History returns every revision of an entry, the earliest first.
func (s *Service) History(ctx context.Context, person Person, id SurveyID, outcome string) ([]Saved, error) {
	var all []Saved
	err := s.view(ctx, "read the history of an entry", person, see, func(r Reader) error {
		is, err := s.open(r, id)
		if err != nil {
			return err
		}
		if _, err := is.outcome(outcome); err != nil {
			return err
		}
		records, err := r.History(entryKey(id, outcome))
		if err != nil {
			return err
		}
		all = make([]Saved, len(records))
		for i, record := range records {
			all[i].Revised = record.Revised()
			if err := decode(record, &all[i].Entry); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}

// Save saves what the person made of an entry: mine, which began with the revision
// base. Where others saved meanwhile, what she changed is merged into what they
// saved, see [assess.Merge]; where both changed the same field differently, nothing
// is saved and the [Conflict] is returned without an error. A save that changes
// nothing, as one that is repeated, gives no revision.
//
// A level that was carried over stays so until the level is given: with another
// value, or with Carried false. A reason is about what the bodies' answers give when it
// is saved: when that changes, it has to be said again, in other words or in the same
// ones with another About, as what is proposed now ([assess.Proposal.Mark]). It is a
// Conflict if that is proposed no longer.
func (s *Service) Save(ctx context.Context, person Person, id SurveyID, outcome string, base Revision, mine assess.Entry) (Saved, *Conflict, error) {
	if err := checkEntry(mine); err != nil {
		return Saved{}, nil, err
	}
	var (
		saved    Saved
		conflict *Conflict
	)
	err := s.change(ctx, "save an entry", person, answer, func(tx change) error {
		is, err := s.writable(tx, id)
		if err != nil {
			return err
		}
		if _, err := is.outcome(outcome); err != nil {
			return err
		}
		saved, conflict, err = tx.save(is, outcome, base, mine)
		return err
	})
	if err != nil {
		return Saved{}, nil, err
	}
	return saved, conflict, nil
}

// checkEntry refuses what cannot be the member's own entry.
func checkEntry(e assess.Entry) error {
	if e.Place != "" {
		return errs.New(errs.Invalid, "the member's own answer has no place of evidence", "keep it as a reference")
	}
	return e.Check()
}

func (c change) save(is survey, outcome string, base Revision, mine assess.Entry) (Saved, *Conflict, error) {
	id := is.id
	theirs, err := newest(c, id, outcome)
	if err != nil {
		return Saved{}, nil, err
	}
	began := theirs
	if base != theirs.Rev {
		if began, err = c.at(id, outcome, base); err != nil {
			return Saved{}, nil, err
		}
	}
	// Nobody marks an answer as carried over, and who gives another level gives it.
	if !began.Entry.Carried || mine.Level != began.Entry.Level {
		mine.Carried = false
	}
	merged, fields := assess.Merge(began.Entry, mine, theirs.Entry)
	again := ""
	if mine.About != began.Entry.About {
		again = mine.About
	}
	if merged.About, err = c.about(is, outcome, theirs.Entry, merged, again); err != nil {
		return Saved{}, nil, err
	}
	switch {
	case len(fields) > 0:
		return Saved{}, &Conflict{Base: began, Mine: mine, Theirs: theirs, Fields: fields}, nil
	case merged == theirs.Entry:
		return theirs, nil, nil
	}
	revised, err := c.put(entryKey(id, outcome), theirs.Rev, merged)
	return Saved{Entry: merged, Revised: revised}, nil, err
}

// about returns the proposal that the reason of an entry is about: the one that there
// is now, where the reason or the level is said now or the reason is said to hold of it
// again, else the one that it was about.
func (c change) about(is survey, outcome string, was, now assess.Entry, again string) (string, error) {
	switch {
	case now.Reason == "":
		return "", nil
	case now.Reason == was.Reason && now.Level == was.Level && again == "":
		return was.About, nil
	}
	proposals, err := proposalsOf(c, is, outcome)
	mark := proposals[outcome].Mark()
	if err == nil && again != "" && again != mark {
		err = errs.New(errs.Conflict, fmt.Sprintf("what the bodies give for outcome %s has changed meanwhile", outcome), "look at it again; then say whether the reason still holds")
	}
	return mark, err
}

// at returns an entry as it was, from the history and not from whoever says what it
// was.
func (c change) at(id SurveyID, outcome string, rev Revision) (Saved, error) {
	if rev == 0 {
		return Saved{}, nil
	}
	record, ok, err := c.At(entryKey(id, outcome), rev)
	if err != nil {
		return Saved{}, err
	}
	if !ok {
		return Saved{}, errs.New(errs.Invalid, fmt.Sprintf("outcome %s never had the revision %d", outcome, rev), "load the page again; what is in a workbook belongs to the workspace that wrote it")
	}
	was := Saved{Revised: record.Revised()}
	return was, decode(record, &was.Entry)
}

// Save is one of several that [Service.SaveAll] saves.
type Save struct {
	Outcome string
	Base    Revision
	Mine    assess.Entry
}

// Result is what became of one of them: it was saved, or is in conflict.
type Result struct {
	Saved    Saved
	Conflict *Conflict
}

// SaveAll saves many entries of a survey, see [Service.SaveBatch]. What became of each is
// in the order of saves.
func (s *Service) SaveAll(ctx context.Context, person Person, id SurveyID, saves []Save) ([]Result, error) {
	b := Batch{Entries: make([]BatchEntry, len(saves))}
	for i, one := range saves {
		b.Entries[i] = BatchEntry{Survey: id, Save: one}
	}
	result, err := s.SaveBatch(ctx, person, b)
	return result.Entries, err
}

// Confirm makes answers of this cycle of entries that were carried over, one
// revision each. One that is none, because somebody was faster, stays as it is. It
// returns the newest revision of each, by outcome.
func (s *Service) Confirm(ctx context.Context, person Person, id SurveyID, outcomes ...string) (map[string]Saved, error) {
	var all map[string]Saved
	err := s.change(ctx, "confirm entries", person, answer, func(tx change) error {
		is, err := s.writable(tx, id)
		if err != nil {
			return err
		}
		all = make(map[string]Saved, len(outcomes))
		for _, outcome := range outcomes {
			if _, err := is.outcome(outcome); err != nil {
				return err
			}
			saved, err := newest(tx, id, outcome)
			if err != nil {
				return err
			}
			if saved.Entry.Carried && saved.Entry.Level != framework.None {
				saved.Entry = saved.Entry.Confirm()
				if saved.Revised, err = tx.put(entryKey(id, outcome), saved.Rev, saved.Entry); err != nil {
					return err
				}
			}
			all[outcome] = saved
		}
		return nil
	})
	return all, err
}
