package workspace

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"muster/internal/assess"
	"muster/internal/errs"
)

// SavedNeeds is what a body depends on, as it is kept. Of one that has said nothing
// the revision is 0.
type SavedNeeds struct {
	Body  string // its id; empty for the member as a whole
	Needs assess.Needs
	Revised
}

func needsKey(body string) Key { return Key{Kind: kindNeeds, ID: body} }

// Needs returns what bodies said that they depend on, by body; a body that has said
// nothing is not in it: what it depends on is unknown. Who sees her part only is shown
// her own. What is kept belongs to no survey: it outlasts a cycle.
func (s *Service) Needs(ctx context.Context, person Person) (map[string]SavedNeeds, error) {
	var all map[string]SavedNeeds
	err := s.view(ctx, "read what bodies depend on", person, seePart, func(r Reader) error {
		items, err := list[assess.Needs](r, kindNeeds, "", "")
		all = make(map[string]SavedNeeds, len(items))
		for _, item := range items {
			if person.seesAll() || item.ID != "" && person.answersFor(item.ID) {
				all[item.ID] = SavedNeeds{Body: item.ID, Needs: item.Value, Revised: item.Revised}
			}
		}
		return err
	})
	return all, err
}

// PutNeeds keeps what a body depends on in the place of the revision base, 0 if it
// is the first. What others changed in other rows meanwhile is kept; where both
// changed a row it is a [Clash]. A contributor does so for her bodies, the lead for
// all and for the member as a whole. What is there already gives no revision.
func (s *Service) PutNeeds(ctx context.Context, person Person, body string, base Revision, needs assess.Needs) (SavedNeeds, error) {
	var saved SavedNeeds
	err := s.change(ctx, "keep what a body depends on", person, contribute, func(tx change) (err error) {
		saved, err = putNeeds(tx, body, base, needs)
		return err
	})
	return saved, err
}

func putNeeds(tx change, body string, base Revision, needs assess.Needs) (SavedNeeds, error) {
	saved := SavedNeeds{Body: body}
	if err := needs.Check(); err != nil {
		return saved, err
	}
	if err := mayFill(tx, tx.person, body); err != nil {
		return saved, err
	}
	now, revised, err := get[assess.Needs](tx, needsKey(body))
	switch {
	case err != nil && !errors.Is(err, errNone):
		return saved, err
	case err == nil && sameNeeds(now, needs):
		saved.Needs, saved.Revised = now, revised
		return saved, nil
	}
	saved.Needs, saved.Revised, err = keepMerged(tx, needsKey(body), base, needs, needsParts(), func(n *assess.Needs) { *n = compact(*n) })
	return saved, err
}

func mayFill(r Reader, person Person, body string) error {
	if body == "" {
		if person.Is(RoleLead) {
			return nil
		}
		return errs.New(errs.Denied, "you may not say for the member as a whole what it depends on", "choose one of your bodies, or ask the lead")
	}
	if _, _, err := get[assess.Body](r, bodyKey(body)); errors.Is(err, errNone) {
		return errs.New(errs.NotFound, fmt.Sprintf("there is no body %s", errs.Quote(body)), "the lead lists the bodies of the member")
	} else if err != nil {
		return err
	}
	if !person.answersFor(body) {
		return errs.New(errs.Denied, "you answer for other bodies", "ask the lead of this workspace")
	}
	return nil
}

// NeedsHistory returns every revision of what a body said, the earliest first.
func (s *Service) NeedsHistory(ctx context.Context, person Person, body string) ([]SavedNeeds, error) {
	var all []SavedNeeds
	err := s.view(ctx, "read the history of what a body depends on", person, seePart, func(r Reader) error {
		if !person.seesAll() && !person.answersFor(body) {
			return errs.New(errs.Denied, "you answer for other bodies", "ask the lead of this workspace")
		}
		records, err := r.History(needsKey(body))
		all = make([]SavedNeeds, len(records))
		for i, record := range records {
			all[i] = SavedNeeds{Body: body, Revised: record.Revised()}
			if err := decode(record, &all[i].Needs); err != nil {
				return err
			}
		}
		return err
	})
	return all, err
}

func sameNeeds(a, b assess.Needs) bool { return a.None == b.None && slices.Equal(a.Rows, b.Rows) }

// needsParts are the rows by their places, and the statement that there is nothing. A
// row that is beyond the end is empty.
func needsParts() []part[assess.Needs] {
	parts := []part[assess.Needs]{choice("none", func(n *assess.Needs) *bool { return &n.None })}
	for i := range assess.MaxNeeds {
		parts = append(parts, part[assess.Needs]{
			name: fmt.Sprintf("row-%d", i+1),
			same: func(a, b assess.Needs) bool { return rowOf(a, i) == rowOf(b, i) },
			take: func(to *assess.Needs, from assess.Needs) {
				rows := make([]assess.Need, max(len(to.Rows), i+1))
				copy(rows, to.Rows)
				rows[i] = rowOf(from, i)
				to.Rows = rows
			},
		})
	}
	return parts
}

func rowOf(n assess.Needs, i int) assess.Need {
	if i < len(n.Rows) {
		return n.Rows[i]
	}
	return assess.Need{}
}

// compact takes out rows that are empty; with rows left it says that there is
// something.
func compact(n assess.Needs) assess.Needs {
	n.Rows = slices.DeleteFunc(slices.Clone(n.Rows), func(row assess.Need) bool { return row == assess.Need{} })
	if len(n.Rows) > 0 {
		n.None = false
	} else {
		n.Rows = nil
	}
	return n
}
