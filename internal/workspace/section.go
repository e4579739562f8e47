package workspace

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
)

// Section is a slice of a survey that is delegated to bodies: some areas, some
// outcomes, or, if both are empty, the whole pack.
type Section struct {
	ID       string   `json:"id"` // that the member gave it: letters, digits, hyphens
	Title    string   `json:"title"`
	Areas    []string `json:"areas,omitempty"`
	Outcomes []string `json:"outcomes,omitempty"`
	Bodies   []string `json:"bodies,omitempty"`  // ids
	Due      string   `json:"due,omitempty"`     // as 2006-01-02; may be empty
	Contact  string   `json:"contact,omitempty"` // who is asked and reminded

	// Units is, by a body's id, for how many of the operators, functions or facilities on
	// the member's list it answers in this section; one that has none answers for itself.
	// The pack's rule counts them, and not bodies.
	Units map[string]int `json:"units,omitempty"`
}

// Covers reports whether an outcome belongs to the section.
func (s Section) Covers(o *framework.Outcome) bool {
	return len(s.Areas) == 0 && len(s.Outcomes) == 0 || slices.Contains(s.Areas, o.AreaID()) || slices.Contains(s.Outcomes, o.ID)
}

// Of returns the outcomes of a pack that belong to the section, in its order.
func (s Section) Of(pack *framework.Pack) []*framework.Outcome {
	return slices.DeleteFunc(pack.Outcomes(), func(o *framework.Outcome) bool { return !s.Covers(o) })
}

// in returns the section for another version of its pack, without a date, or nil if
// nothing is left of it.
func (s Section) in(pack *framework.Pack) *Section {
	whole := len(s.Areas) == 0 && len(s.Outcomes) == 0
	s.Due = ""
	s.Areas = slices.DeleteFunc(slices.Clone(s.Areas), func(id string) bool { _, ok := pack.Area(id); return !ok })
	s.Outcomes = slices.DeleteFunc(slices.Clone(s.Outcomes), func(id string) bool { _, ok := pack.Outcome(id); return !ok })
	if !whole && len(s.Areas) == 0 && len(s.Outcomes) == 0 {
		return nil
	}
	return &s
}

// SavedSection is a section as it is kept.
type SavedSection struct {
	Section
	Revised
}

// PutSection keeps a section in the place of its revision base, 0 if it is new. What
// somebody else changed meanwhile is merged; what both changed is a [Clash].
func (s *Service) PutSection(ctx context.Context, person Person, id SurveyID, base Revision, section Section) (SavedSection, error) {
	err := errors.Join(
		identifier("the id of the section", section.ID), line("the title of the section", section.Title, maxTitle),
		day("the day on which it is due", section.Due), text("the contact of the section", section.Contact, maxTitle),
	)
	for _, n := range section.Units {
		if err == nil && (n < 1 || n > assess.MaxUnits) {
			err = errs.New(errs.Invalid, "the number of those listed cannot be", fmt.Sprintf("a whole number from 1 to %d, or nothing for one", assess.MaxUnits))
		}
	}
	if err != nil {
		return SavedSection{}, err
	}
	saved := SavedSection{Section: section}
	err = s.change(ctx, "keep a section", person, organise, func(tx change) error {
		is, err := s.writable(tx, id)
		if err != nil {
			return err
		}
		if err := tx.checkSection(is, section); err != nil {
			return err
		}
		key := Key{Kind: kindSection, Survey: id, ID: section.ID}
		if err := tx.room(kindSection, id, "", "sections", MaxSections, key); err != nil {
			return err
		}
		saved.Section, saved.Revised, err = keepMerged(tx, key, base, section, sectionParts(), nil)
		return err
	})
	return saved, err
}

func (c change) checkSection(is survey, section Section) error {
	if len(section.Bodies) > MaxBodies {
		return full("bodies in the section", len(section.Bodies), MaxBodies)
	}
	for _, area := range section.Areas {
		if _, ok := is.pack.Area(area); !ok {
			return errs.New(errs.NotFound, fmt.Sprintf("%s has no area %s", errs.Quote(is.Pack.ID), errs.Quote(area)), "")
		}
	}
	for _, outcome := range section.Outcomes {
		if _, err := is.outcome(outcome); err != nil {
			return err
		}
	}
	for _, body := range section.Bodies {
		if _, _, err := get[assess.Body](c, bodyKey(body)); errors.Is(err, errNone) {
			return errs.New(errs.NotFound, fmt.Sprintf("there is no body %s", errs.Quote(body)), "list it first")
		} else if err != nil {
			return err
		}
	}
	return nil
}

// RemoveSection removes a section. What was contributed in it stays.
func (s *Service) RemoveSection(ctx context.Context, person Person, id SurveyID, base Revision, section string) error {
	return s.change(ctx, "remove a section", person, organise, func(tx change) error {
		if _, err := s.writable(tx, id); err != nil {
			return err
		}
		_, err := tx.removeKnown(Key{Kind: kindSection, Survey: id, ID: section}, base, "section")
		return err
	})
}

// Sections returns the sections of a survey by id. Who sees her part only is shown
// those that list her bodies, and of the bodies that they list her own.
func (s *Service) Sections(ctx context.Context, person Person, id SurveyID) ([]SavedSection, error) {
	var all []SavedSection
	err := s.view(ctx, "list the sections", person, seePart, func(r Reader) error {
		if _, err := s.open(r, id); err != nil {
			return err
		}
		items, err := list[Section](r, kindSection, id, "")
		all = nil
		for _, item := range items {
			if !person.seesAll() {
				item.Value.Bodies = slices.DeleteFunc(item.Value.Bodies, func(body string) bool { return !person.answersFor(body) })
				maps.DeleteFunc(item.Value.Units, func(body string, _ int) bool { return !person.answersFor(body) })
			}
			if person.seesAll() || len(item.Value.Bodies) > 0 {
				all = append(all, SavedSection{Section: item.Value, Revised: item.Revised})
			}
		}
		return err
	})
	return all, err
}

// listedBodies returns the bodies of the sections that each outcome is in.
func listedBodies(r Reader, is survey) (map[string][]string, error) {
	listed, _, err := listedUnits(r, is)
	return listed, err
}

// listedUnits returns the bodies of the sections that each outcome is in, and for how many
// of the list each answers there. Of two sections that list it, the larger number holds.
func listedUnits(r Reader, is survey) (map[string][]string, map[string]map[string]int, error) {
	sections, err := list[Section](r, kindSection, is.id, "")
	if err != nil {
		return nil, nil, err
	}
	listed, units := make(map[string][]string), make(map[string]map[string]int)
	for _, section := range sections {
		for _, o := range section.Value.Of(is.pack) {
			for _, body := range section.Value.Bodies {
				if !slices.Contains(listed[o.ID], body) {
					listed[o.ID] = append(listed[o.ID], body)
				}
				if n := section.Value.Units[body]; n > units[o.ID][body] {
					if units[o.ID] == nil {
						units[o.ID] = make(map[string]int)
					}
					units[o.ID][body] = n
				}
			}
		}
	}
	return listed, units, nil
}

// Part is what of a survey concerns a person who answers for bodies.
type Part struct {
	Outcomes      []*framework.Outcome                    // in the pack's order
	Bodies        map[string][]string                     // by outcome, those of hers that are listed for it
	Contributions map[string]map[string]SavedContribution // by outcome and body: what hers contributed
	Before        map[string]map[string]SavedContribution // the same of the cycle before, where it asked the same
}

// Progress counts what is contributed: an outcome is answered when all her bodies
// that are listed for it have given something, and carried when all that is left is
// to confirm what they gave in the cycle before.
func (p Part) Progress() assess.Progress {
	progress := assess.Progress{Of: len(p.Outcomes)}
	for _, o := range p.Outcomes {
		silent := func(body string) bool {
			c := p.Contributions[o.ID][body]
			return c.Given() == framework.None && !c.Carried
		}
		carried := func(body string) bool { return p.Contributions[o.ID][body].Carried }
		switch {
		case slices.ContainsFunc(p.Bodies[o.ID], silent):
		case slices.ContainsFunc(p.Bodies[o.ID], carried):
			progress.Carried++
		default:
			progress.Answered++
		}
	}
	return progress
}

// Part returns what of a survey concerns the person. A contributor whose bodies are
// in no section has an empty part.
func (s *Service) Part(ctx context.Context, person Person, id SurveyID) (Part, error) {
	var part Part
	err := s.view(ctx, "read a part", person, seePart, func(r Reader) error {
		is, err := s.open(r, id)
		if err != nil {
			return err
		}
		part, err = s.part(r, person, is)
		return err
	})
	return part, err
}

func (s *Service) part(r Reader, person Person, is survey) (Part, error) {
	listed, err := listedBodies(r, is)
	if err != nil {
		return Part{}, err
	}
	contributions, err := contributionsOf(r, is.id, "")
	if err != nil {
		return Part{}, err
	}
	before, err := s.contributionsBefore(r, is)
	if err != nil {
		return Part{}, err
	}
	part := Part{Bodies: make(map[string][]string), Contributions: make(map[string]map[string]SavedContribution), Before: make(map[string]map[string]SavedContribution)}
	for _, o := range is.pack.Outcomes() {
		mine := slices.DeleteFunc(listed[o.ID], func(body string) bool { return !person.answersFor(body) })
		if len(mine) == 0 {
			continue
		}
		slices.Sort(mine)
		part.Outcomes = append(part.Outcomes, o)
		part.Bodies[o.ID] = mine
		part.Contributions[o.ID], part.Before[o.ID] = ofBodies(contributions[o.ID], mine), ofBodies(before[o.ID], mine)
	}
	return part, nil
}

func ofBodies(contributions []SavedContribution, bodies []string) map[string]SavedContribution {
	all := make(map[string]SavedContribution)
	for _, c := range contributions {
		if slices.Contains(bodies, c.Body) {
			all[c.Body] = c
		}
	}
	return all
}

// Reminder is a body that has not contributed to all of a section.
type Reminder struct {
	Section Section
	Body    assess.Body
	Open    int  // outcomes without a level of it
	Of      int  // outcomes of the section
	Overdue bool // the day on which it was due is over
}

// Reminders returns the bodies that have something open, those that are overdue
// first, then by due day; one without a day comes last.
func (s *Service) Reminders(ctx context.Context, person Person, id SurveyID) ([]Reminder, error) {
	var all []Reminder
	today := s.now().Format(time.DateOnly)
	err := s.view(ctx, "see who is to be reminded", person, see, func(r Reader) error {
		all = nil
		is, err := s.open(r, id)
		if err != nil {
			return err
		}
		sections, err := list[Section](r, kindSection, id, "")
		if err != nil {
			return err
		}
		contributions, err := contributionsOf(r, id, "")
		if err != nil {
			return err
		}
		for _, section := range sections {
			for _, id := range section.Value.Bodies {
				body, _, err := get[assess.Body](r, bodyKey(id))
				if errors.Is(err, errNone) {
					continue
				}
				if err != nil {
					return err
				}
				reminder := Reminder{Section: section.Value, Body: body, Overdue: section.Value.Due != "" && section.Value.Due < today}
				for _, o := range section.Value.Of(is.pack) {
					reminder.Of++
					given := func(c SavedContribution) bool { return c.Body == id && c.Given() != framework.None }
					if !slices.ContainsFunc(contributions[o.ID], given) {
						reminder.Open++
					}
				}
				if reminder.Open > 0 {
					all = append(all, reminder)
				}
			}
		}
		return nil
	})
	slices.SortStableFunc(all, func(a, b Reminder) int { return compareDue(a.Section.Due, b.Section.Due) })
	return all, err
}

// compareDue orders days, the earliest first and none last.
func compareDue(a, b string) int {
	switch {
	case a == b:
		return 0
	case b == "" || a != "" && a < b:
		return -1
	}
	return 1
}
