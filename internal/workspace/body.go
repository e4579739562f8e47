package workspace

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
)

// SavedBody is a body as it is kept.
type SavedBody struct {
	assess.Body
	Revised
}

func bodyKey(id string) Key { return Key{Kind: kindBody, ID: id} }

// Bodies returns the bodies of the member, by id. Who sees her part only is shown
// her own.
func (s *Service) Bodies(ctx context.Context, person Person) ([]SavedBody, error) {
	var all []SavedBody
	err := s.view(ctx, "list the bodies", person, seePart, func(r Reader) error {
		items, err := list[assess.Body](r, kindBody, "", "")
		all = nil
		for _, item := range items {
			if person.seesAll() || person.answersFor(item.ID) {
				all = append(all, SavedBody{Body: item.Value, Revised: item.Revised})
			}
		}
		return err
	})
	return all, err
}

// PutBody keeps a body in the place of its revision base, 0 if it is new. What
// somebody else changed meanwhile is merged; what both changed is a [Clash].
func (s *Service) PutBody(ctx context.Context, person Person, base Revision, body assess.Body) (SavedBody, error) {
	err := errors.Join(
		identifier("the id of the body", body.ID), line("the name of the body", body.Name, maxTitle),
		text("the kind of the body", body.Kind, maxTitle), text("the scope of the body", body.Scope, maxScope),
	)
	if err != nil {
		return SavedBody{}, err
	}
	body.Units = 0
	saved := SavedBody{Body: body}
	err = s.change(ctx, "keep a body", person, organise, func(tx change) error {
		if err := tx.room(kindBody, "", "", "bodies", MaxBodies, bodyKey(body.ID)); err != nil {
			return err
		}
		var err error
		saved.Body, saved.Revised, err = keepMerged(tx, bodyKey(body.ID), base, body, bodyParts(), nil)
		return err
	})
	return saved, err
}

// RemoveBody removes a body. What it contributed stays in the history and is no
// longer counted.
func (s *Service) RemoveBody(ctx context.Context, person Person, base Revision, id string) error {
	return s.change(ctx, "remove a body", person, organise, func(tx change) error {
		_, err := tx.removeKnown(bodyKey(id), base, "body")
		return err
	})
}

// room refuses a new record where there are enough of its kind; one that is there
// may be changed.
func (c change) room(kind Kind, survey SurveyID, outcome, what string, most int, key Key) error {
	if record, ok, err := c.Current(key); err != nil || ok && record.Value != nil {
		return err
	}
	records, err := c.List(kind, survey, outcome)
	if err != nil {
		return err
	}
	return full(what, len(records), most)
}

// replace is put for what somebody may have removed meanwhile: base 0 takes the
// place of nothing and of what was removed.
func (c change) replace(key Key, base Revision, value any) (Revised, error) {
	if base == 0 {
		record, ok, err := c.Current(key)
		if err != nil {
			return Revised{}, err
		}
		if ok && record.Value == nil {
			base = record.Rev
		}
	}
	return c.put(key, base, value)
}

// removeKnown removes what is there.
func (c change) removeKnown(key Key, base Revision, what string) (Revised, error) {
	record, ok, err := c.Current(key)
	if err != nil {
		return Revised{}, err
	}
	if !ok || record.Value == nil {
		return Revised{}, errs.New(errs.NotFound, "there is no such "+what, "")
	}
	return c.remove(key, base)
}

// fresh returns an id of several that nothing has had yet.
func (c change) fresh(key Key, n int) (Key, error) {
	for ; ; n++ {
		key.ID = numbered(n)
		if _, ok, err := c.Current(key); err != nil || !ok {
			return key, err
		}
	}
}

// SavedContribution is what a body contributed to an outcome, as it is kept.
type SavedContribution struct {
	assess.Contribution
	Outcome string
	Revised
}

// keptContribution is what of a contribution is not in its key.
type keptContribution struct {
	Level    framework.Level `json:"level,omitzero"`
	Note     string          `json:"note,omitempty"`
	Reason   string          `json:"reason,omitempty"`
	Evidence framework.Grade `json:"evidence,omitzero"`
	Place    string          `json:"place,omitempty"`
	Carried  bool            `json:"carried,omitempty"`
}

func keptOf(c assess.Contribution) keptContribution {
	return keptContribution{c.Level, c.Note, c.Reason, c.Evidence, c.Place, c.Carried}
}

// of returns the contribution of a body.
func (k keptContribution) of(body string) assess.Contribution {
	return assess.Contribution{Body: body, Level: k.Level, Note: k.Note, Reason: k.Reason, Evidence: k.Evidence, Place: k.Place, Carried: k.Carried}
}

func contributionKey(id SurveyID, outcome, body string) Key {
	return Key{Kind: kindContribution, Survey: id, Outcome: outcome, ID: body}
}

func contributionsOf(r Reader, id SurveyID, outcome string) (map[string][]SavedContribution, error) {
	items, err := list[keptContribution](r, kindContribution, id, outcome)
	if err != nil {
		return nil, err
	}
	all := make(map[string][]SavedContribution)
	for _, item := range items {
		all[item.Outcome] = append(all[item.Outcome], SavedContribution{
			Contribution: item.Value.of(item.ID), Outcome: item.Outcome, Revised: item.Revised,
		})
	}
	return all, nil
}

// Contributions returns what bodies contributed to an outcome, by body; or to all
// outcomes of the survey if outcome is empty, by outcome and body. Who sees her part
// only is shown that of her own bodies.
func (s *Service) Contributions(ctx context.Context, person Person, id SurveyID, outcome string) ([]SavedContribution, error) {
	var all []SavedContribution
	err := s.view(ctx, "read contributions", person, seePart, func(r Reader) error {
		if _, err := s.open(r, id); err != nil {
			return err
		}
		found, err := contributionsOf(r, id, outcome)
		all = ownOf(person, found)
		return err
	})
	return all, err
}

// Contribute keeps what a body answers to an outcome in the place of the revision
// base, 0 if it is the first. A contributor does so for her bodies, in the sections
// that list them. What somebody else changed meanwhile is merged; what both changed is
// a [Clash]; what is there already gives no revision. As with [Service.Save], a level
// that was carried over stays so until it is given.
func (s *Service) Contribute(ctx context.Context, person Person, id SurveyID, outcome string, base Revision, c assess.Contribution) (SavedContribution, error) {
	var saved SavedContribution
	err := s.change(ctx, "contribute", person, contribute, func(tx change) (err error) {
		saved, err = s.contribute(tx, id, outcome, base, c)
		return err
	})
	return saved, err
}

func (s *Service) contribute(tx change, id SurveyID, outcome string, base Revision, c assess.Contribution) (SavedContribution, error) {
	saved := SavedContribution{Contribution: c, Outcome: outcome}
	if err := c.Entry().Check(); err != nil {
		return saved, err
	}
	is, err := s.writable(tx, id)
	if err != nil {
		return saved, err
	}
	if _, err := is.outcome(outcome); err != nil {
		return saved, err
	}
	if err := s.mayContribute(tx, tx.person, is, outcome, c.Body); err != nil {
		return saved, err
	}
	key := contributionKey(id, outcome, c.Body)
	was, revised, err := get[keptContribution](tx, key)
	if err != nil && !errors.Is(err, errNone) {
		return saved, err
	}
	now, began := keptOf(c), was
	if base != 0 && base != revised.Rev {
		if began, err = kept[keptContribution](tx, key, base); err != nil {
			return saved, err
		}
	}
	// Nobody marks a level as carried over, and who gives another one gives it.
	if !began.Carried || now.Level != began.Level {
		now.Carried = false
	}
	if was == now && revised.Rev != 0 {
		saved.Revised = revised
		return saved, nil
	}
	now, saved.Revised, err = keepMerged(tx, key, base, now, contributionParts(), nil)
	saved.Contribution = now.of(c.Body)
	return saved, clashOf(err, c.Body)
}

// clashOf makes of a clash of what is kept one of contributions.
func clashOf(err error, body string) error {
	clash, ok := errors.AsType[*Clash[keptContribution]](err)
	if !ok {
		return err
	}
	return &Clash[assess.Contribution]{
		Base: clash.Base.of(body), Mine: clash.Mine.of(body), Theirs: clash.Theirs.of(body), Merged: clash.Merged.of(body), Newest: clash.Newest, Parts: clash.Parts,
	}
}

// ConfirmContribution makes an answer of this cycle of what a body gave in the cycle
// before. What is none, because somebody was faster, stays as it is.
func (s *Service) ConfirmContribution(ctx context.Context, person Person, id SurveyID, outcome, body string) (SavedContribution, error) {
	var saved SavedContribution
	err := s.change(ctx, "confirm a contribution", person, contribute, func(tx change) error {
		is, err := s.writable(tx, id)
		if err != nil {
			return err
		}
		if _, err := is.outcome(outcome); err != nil {
			return err
		}
		if err := s.mayContribute(tx, person, is, outcome, body); err != nil {
			return err
		}
		key := contributionKey(id, outcome, body)
		now, revised, err := get[keptContribution](tx, key)
		if errors.Is(err, errNone) {
			return errs.New(errs.NotFound, "the body has contributed nothing yet", "there is nothing to confirm; give a level")
		}
		if err == nil && now.Carried {
			now.Carried = false
			revised, err = tx.put(key, revised.Rev, now)
		}
		saved = SavedContribution{Contribution: now.of(body), Outcome: outcome, Revised: revised}
		return err
	})
	return saved, err
}

// ContributionsBefore returns what bodies contributed in the cycle before to outcomes
// that ask now what they asked then, by outcome and body; of who sees her part only,
// that of her own bodies.
func (s *Service) ContributionsBefore(ctx context.Context, person Person, id SurveyID) ([]SavedContribution, error) {
	var all []SavedContribution
	err := s.view(ctx, "read last year's contributions", person, seePart, func(r Reader) error {
		is, err := s.open(r, id)
		if err != nil {
			return err
		}
		found, err := s.contributionsBefore(r, is)
		all = ownOf(person, found)
		return err
	})
	return all, err
}

// ownOf returns the contributions that a person may see, by outcome and body.
func ownOf(person Person, found map[string][]SavedContribution) []SavedContribution {
	var all []SavedContribution
	for _, o := range slices.Sorted(maps.Keys(found)) {
		for _, c := range found[o] {
			if person.seesAll() || person.answersFor(c.Body) {
				all = append(all, c)
			}
		}
	}
	return all
}

// contributionsBefore returns what bodies contributed in the cycle before, by outcome:
// to outcomes that ask now what they asked then.
func (s *Service) contributionsBefore(r Reader, is survey) (map[string][]SavedContribution, error) {
	if is.Before == "" {
		return nil, nil
	}
	last, err := s.open(r, is.Before)
	if err != nil {
		return nil, err
	}
	all, err := contributionsOf(r, is.Before, "")
	maps.DeleteFunc(all, func(outcome string, _ []SavedContribution) bool { return !asksTheSame(last.pack, is.pack, outcome) })
	return all, err
}

func (s *Service) mayContribute(r Reader, person Person, is survey, outcome, body string) error {
	if _, _, err := get[assess.Body](r, bodyKey(body)); errors.Is(err, errNone) {
		return errs.New(errs.NotFound, fmt.Sprintf("there is no body %s", errs.Quote(body)), "the lead lists the bodies of the member")
	} else if err != nil {
		return err
	}
	if person.Is(RoleLead) {
		return nil
	}
	part, err := s.part(r, person, is)
	if err != nil {
		return err
	}
	if !person.answersFor(body) || !slices.Contains(part.Bodies[outcome], body) {
		return errs.New(errs.Denied, "this outcome is in no section of that body", "ask the lead of this workspace")
	}
	return nil
}

// ContributionHistory returns every revision of a body's contribution, the earliest
// first.
func (s *Service) ContributionHistory(ctx context.Context, person Person, id SurveyID, outcome, body string) ([]SavedContribution, error) {
	var all []SavedContribution
	err := s.view(ctx, "read the history of a contribution", person, seePart, func(r Reader) error {
		if !person.seesAll() && !person.answersFor(body) {
			return errs.New(errs.Denied, "you answer for other bodies", "ask the lead of this workspace")
		}
		records, err := r.History(contributionKey(id, outcome, body))
		all = nil
		for _, record := range records {
			var kept keptContribution
			if err := decode(record, &kept); err != nil {
				return err
			}
			all = append(all, SavedContribution{
				Contribution: kept.of(body), Outcome: outcome, Revised: record.Revised(),
			})
		}
		return err
	})
	return all, err
}

// Proposals returns what the pack's rule makes of the contributions, by outcome,
// for those to which a body contributed. Listed for an outcome are the bodies of
// the sections that it is in, and whoever contributed all the same: a listed body
// that has said nothing counts as 0; one that has not confirmed what was carried over
// is waited for, see [assess.RollUp]. Nobody asks a body that is not listed to confirm, so
// that what was carried over for it is left out.
func (s *Service) Proposals(ctx context.Context, person Person, id SurveyID) (map[string]assess.Proposal, error) {
	var proposals map[string]assess.Proposal
	err := s.view(ctx, "roll up contributions", person, see, func(r Reader) error {
		is, err := s.open(r, id)
		if err != nil {
			return err
		}
		proposals, err = proposalsOf(r, is, "")
		return err
	})
	return proposals, err
}

// proposalsOf rolls up the contributions to an outcome, or to all if it is empty.
func proposalsOf(r Reader, is survey, outcome string) (map[string]assess.Proposal, error) {
	contributions, err := contributionsOf(r, is.id, outcome)
	if err != nil || len(contributions) == 0 {
		return map[string]assess.Proposal{}, err
	}
	bodies, err := list[assess.Body](r, kindBody, "", "")
	if err != nil {
		return nil, err
	}
	there := make(map[string]bool, len(bodies))
	for _, body := range bodies {
		there[body.ID] = true
	}
	listed, units, err := listedUnits(r, is)
	if err != nil {
		return nil, err
	}
	proposals := make(map[string]assess.Proposal)
	for _, o := range is.pack.Outcomes() {
		if outcome != "" && o.ID != outcome {
			continue
		}
		answers, spoke := make(map[string]assess.Contribution), false
		for _, body := range listed[o.ID] {
			if there[body] {
				answers[body] = assess.Contribution{Body: body}
			}
		}
		for _, c := range contributions[o.ID] {
			if there[c.Body] && (!c.Carried || slices.Contains(listed[o.ID], c.Body)) {
				answers[c.Body] = c.Contribution
				spoke = spoke || c.Level != framework.None
			}
		}
		if !spoke {
			continue
		}
		all := make([]assess.Contribution, 0, len(answers))
		for _, body := range slices.Sorted(maps.Keys(answers)) {
			all = append(all, answers[body])
		}
		proposals[o.ID] = assess.RollUp(is.pack.RollUp, all, units[o.ID])
	}
	return proposals, nil
}
