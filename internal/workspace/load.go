package workspace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/framework"
)

// LoadConfig says what to answer. Pack and Cycle are needed.
type LoadConfig struct {
	Pack     *framework.Pack
	Cycle    string                   // such as "2027"; of the charter if that is given
	Deadline time.Time                // of the charter if that is given
	Charter  *coalition.SignedCharter // signed by all three; nil where there is none yet
	Before   SurveyID                 // the same pack in the cycle before; its entries are carried over

	// Measure reads evidence: what of the survey before rests on a piece that is gone
	// or another one by now is asked anew. Nil: nothing is read.
	Measure Measure

	// Coordinator is true in the coordinator's own workspace, in which it answers for
	// the coalition: then the pack is one that the coordinator answers, and no charter
	// asks for it.
	Coordinator bool

	// InsteadOf is the hex digest of the charter that the survey has and that was
	// withdrawn: Charter takes its place.
	InsteadOf string
}

// loaded is a survey as it is kept.
type loaded struct {
	Cycle    string        `json:"cycle"`
	Pack     framework.Ref `json:"pack"`
	Deadline *time.Time    `json:"deadline,omitempty"` // that is in force: of the charter and its addenda
	Charter  string        `json:"charter,omitempty"`
	Before   SurveyID      `json:"before,omitempty"`
	Closed   bool          `json:"closed,omitempty"`
	Salt     string        `json:"salt,omitempty"` // of its statements, see [Statement]
}

// keptCharter is a charter as it is kept: the bytes that were signed.
type keptCharter struct {
	Body      []byte       `json:"body"`
	Signature []byte       `json:"signature"`
	Addenda   []signedBody `json:"addenda,omitempty"` // that postponed its deadline, in order
}

// signedBody is a signed file as it is kept.
type signedBody struct {
	Body      []byte `json:"body"`
	Signature []byte `json:"signature"`
}

func (k keptCharter) signed() coalition.SignedCharter {
	return coalition.SignedCharter{Body: k.Body, Signature: k.Signature}
}

func charterKey(id SurveyID) Key { return Key{Kind: kindCharter, Survey: id} }

func surveyKey(id SurveyID) Key { return Key{Kind: kindSurvey, ID: string(id)} }

// Load opens a survey and carries over what looks unchanged since the one before,
// see [assess.Carry], with where its evidence lies, what its bodies contributed, their
// sections, and its chain of sign-off. It
// refuses a pack that somebody else answers, a charter that does not ask for this
// pack or does not list this member, and, with kind Conflict, a survey that is
// there with another pack. The same again changes nothing; with a charter, it adds
// the charter.
func (s *Service) Load(ctx context.Context, person Person, cfg LoadConfig) (Survey, error) {
	if cfg.Pack == nil {
		return Survey{}, errs.New(errs.Invalid, "there is no pack to answer", "")
	}
	switch by := cfg.Pack.AnsweredBy == framework.ByCoordinator; {
	case by && !cfg.Coordinator:
		return Survey{}, errs.New(errs.Invalid, errs.Quote(cfg.Pack.ID)+" is answered by the coordinator, once for the coalition",
			"load a pack that members answer; the coordinator loads it with --coordinator, into a workspace of its own")
	case cfg.Coordinator && !by:
		return Survey{}, errs.New(errs.Invalid, errs.Quote(cfg.Pack.ID)+" is answered by every member for itself", "leave out --coordinator")
	case by && cfg.Charter != nil:
		return Survey{}, errs.New(errs.Invalid, "no charter asks for "+errs.Quote(cfg.Pack.ID)+": nothing of it is sealed", "leave out the charter")
	}
	want := loaded{Cycle: cfg.Cycle, Pack: cfg.Pack.Ref(), Before: cfg.Before}
	if !cfg.Deadline.IsZero() {
		deadline := cfg.Deadline.UTC().Truncate(time.Second)
		want.Deadline = &deadline
	}
	var charter coalition.Charter
	if cfg.Charter != nil {
		var err error
		if charter, err = cfg.Charter.Open(); err != nil {
			return Survey{}, err
		}
		if err := want.adopt(charter, cfg.Charter.Digest()); err != nil {
			return Survey{}, err
		}
	}
	if err := checkCycle(want.Cycle); err != nil {
		return Survey{}, err
	}
	id := NewSurveyID(want.Cycle, cfg.Pack.ID)
	broken, err := s.brokenBefore(ctx, person, id, cfg)
	if err != nil {
		return Survey{}, err
	}
	err = s.change(ctx, "load a survey", person, organise, func(tx change) error {
		member, err := memberOf(tx)
		if err != nil {
			return err
		}
		if cfg.Charter != nil && !lists(charter, member) {
			return errs.New(errs.Denied, fmt.Sprintf("%s is not in the charter", member), "is it the charter of this cycle? else ask the coordinator under which name it lists this member")
		}
		return s.load(tx, id, want, cfg, broken)
	})
	if err != nil {
		return Survey{}, err
	}
	return s.Survey(ctx, person, id)
}

// adopt takes cycle and deadline of a charter that asks for this pack.
func (l *loaded) adopt(c coalition.Charter, digest string) error {
	asked := framework.Ref{ID: c.Framework.ID, Version: c.Framework.Version, Digest: c.Framework.Digest}
	switch {
	case asked != l.Pack:
		return errs.New(errs.Conflict, fmt.Sprintf("the charter asks for %s %s with the digest %s, and this is %s %s with %s", asked.ID, asked.Version, asked.Digest, l.Pack.ID, l.Pack.Version, l.Pack.Digest),
			"take the pack that the coordinator sent with the charter")
	case l.Cycle != "" && l.Cycle != c.Cycle:
		return errs.New(errs.Conflict, fmt.Sprintf("the charter is of the cycle %s", errs.Quote(c.Cycle)), "leave the cycle out: the charter says it")
	}
	deadline := time.Unix(c.Deadline, 0).UTC()
	l.Cycle, l.Deadline, l.Charter = c.Cycle, &deadline, digest
	return nil
}

func lists(c coalition.Charter, member coalition.MemberID) bool {
	for _, cohort := range c.Cohorts {
		if slices.ContainsFunc(cohort.Members, func(m coalition.Member) bool { return m.ID == member }) {
			return true
		}
	}
	return false
}

func checkCycle(cycle string) error {
	if cycle == "" || len(cycle) > maxID || strings.Contains(cycle, "/") || !framework.ReadableLine(cycle) {
		return errs.New(errs.Invalid, errs.Quote(cycle)+" is no cycle", "a cycle is a short word, such as 2027")
	}
	return nil
}

// brokenBefore returns the outcomes of the survey before of which a piece of evidence
// is gone or another one. A piece that cannot be read from here says nothing.
func (s *Service) brokenBefore(ctx context.Context, person Person, id SurveyID, cfg LoadConfig) (map[string]bool, error) {
	if cfg.Before == "" || cfg.Measure == nil {
		return nil, nil
	}
	if _, err := s.Pack(ctx, person, id); err == nil { // loaded already: nothing is carried over
		return nil, nil
	}
	faults, err := s.BrokenReferences(ctx, person, cfg.Before, cfg.Measure)
	broken := make(map[string]bool)
	for _, f := range faults {
		if f.Fault != FaultUnreadable {
			broken[f.Reference.Outcome] = true
		}
	}
	return broken, err
}

func (s *Service) load(tx change, id SurveyID, want loaded, cfg LoadConfig, broken map[string]bool) error {
	was, revised, err := get[loaded](tx, surveyKey(id))
	switch {
	case errors.Is(err, errNone):
	case err != nil:
		return err
	default:
		return s.reload(tx, id, was, revised.Rev, want, cfg)
	}
	surveys, err := list[loaded](tx, kindSurvey, "", "")
	if err != nil {
		return err
	}
	if err := full("surveys", len(surveys), MaxSurveys); err != nil {
		return err
	}
	if err := tx.PutPack(want.Pack.Digest, cfg.Pack.Canonical()); err != nil {
		return err
	}
	if err := tx.keepCharter(id, cfg.Charter); err != nil {
		return err
	}
	if want, err = s.salted(want); err != nil {
		return err
	}
	if _, err := tx.put(surveyKey(id), revised.Rev, want); err != nil {
		return err
	}
	if want.Before == "" {
		return nil
	}
	return s.carry(tx, id, cfg.Pack, want.Before, broken)
}

// reload is a survey that is loaded once more.
func (s *Service) reload(c change, id SurveyID, was loaded, rev Revision, want loaded, cfg LoadConfig) error {
	switch {
	case was.Pack != want.Pack:
		return errs.New(errs.Conflict, fmt.Sprintf("the survey %s has %s %s with the digest %s", errs.Quote(string(id)), was.Pack.ID, was.Pack.Version, was.Pack.Digest), "a survey keeps its pack; ask the coordinator if the pack was replaced")
	case was.Charter != "" && want.Charter != "" && was.Charter != want.Charter && cfg.InsteadOf != was.Charter:
		return errs.New(errs.Conflict, fmt.Sprintf("the survey %s was loaded with another charter, with the digest %s", errs.Quote(string(id)), was.Charter), "ask the coordinator which one is in force; if that one was withdrawn, repeat with --instead-of "+was.Charter)
	case want.Before != "" && was.Before != want.Before:
		return errs.New(errs.Conflict, fmt.Sprintf("the survey %s was loaded after %s", errs.Quote(string(id)), errs.Quote(cmp.Or(string(was.Before), "none"))), "what was before is decided when a survey is loaded")
	}
	now := was
	if want.Charter != "" && want.Charter != was.Charter { // the same may have been postponed
		now.Charter, now.Deadline = want.Charter, want.Deadline
	} else if was.Charter == "" && want.Deadline != nil {
		now.Deadline = want.Deadline
	}
	if now.Charter == was.Charter && sameTime(now.Deadline, was.Deadline) {
		return nil
	}
	if now.Charter != was.Charter {
		if err := c.keepCharter(id, cfg.Charter); err != nil {
			return err
		}
	}
	now, err := s.salted(now)
	if err != nil {
		return err
	}
	_, err = c.put(surveyKey(id), rev, now)
	return err
}

func sameTime(a, b *time.Time) bool { return a == b || a != nil && b != nil && a.Equal(*b) }

func (c change) keepCharter(id SurveyID, signed *coalition.SignedCharter) error {
	if signed == nil {
		return nil
	}
	key := charterKey(id)
	_, was, err := get[keptCharter](c, key)
	if err != nil && !errors.Is(err, errNone) {
		return err
	}
	_, err = c.put(key, was.Rev, keptCharter{Body: signed.Body, Signature: signed.Signature})
	return err
}

// carry begins a survey with what the one before leaves to it.
func (s *Service) carry(tx change, id SurveyID, pack *framework.Pack, before SurveyID, broken map[string]bool) error {
	last, err := s.open(tx, before)
	if err != nil {
		return err
	}
	if before == id || last.Pack.ID != pack.ID {
		return errs.New(errs.Invalid, fmt.Sprintf("%s is not the same pack in an earlier cycle", errs.Quote(string(before))), "give the survey of the cycle before")
	}
	entries, err := entriesOf(tx, before)
	if err != nil {
		return err
	}
	carried := assess.Carry(pack, plain(entries), assess.Carrying{
		Same:   func(outcome string) bool { return asksTheSame(last.pack, pack, outcome) },
		Broken: func(outcome string) bool { return broken[outcome] },
		Day:    tx.now.UTC().Format(time.DateOnly),
	})
	for _, outcome := range slices.Sorted(maps.Keys(carried)) {
		if _, err := tx.put(entryKey(id, outcome), 0, carried[outcome]); err != nil {
			return err
		}
		if !carried[outcome].Carried {
			continue
		}
		if err := tx.carryReferences(before, id, outcome); err != nil {
			return err
		}
	}
	if err := s.carryContributions(tx, id, pack, last); err != nil {
		return err
	}
	sections, err := list[Section](tx, kindSection, before, "")
	if err != nil {
		return err
	}
	for _, section := range sections {
		again := section.Value.in(pack)
		if again == nil {
			continue
		}
		if _, err := tx.put(Key{Kind: kindSection, Survey: id, ID: again.ID}, 0, again); err != nil {
			return err
		}
	}
	chain, _, err := get[[]assess.Step](tx, Key{Kind: kindChain, Survey: before})
	if errors.Is(err, errNone) {
		return nil
	}
	if err == nil {
		_, err = tx.put(Key{Kind: kindChain, Survey: id}, 0, chain)
	}
	return err
}

// carryContributions carries over what bodies that are there still contributed, for
// each to confirm.
func (s *Service) carryContributions(tx change, id SurveyID, pack *framework.Pack, last survey) error {
	contributions, err := contributionsOf(tx, last.id, "")
	if err != nil {
		return err
	}
	for _, outcome := range slices.Sorted(maps.Keys(contributions)) {
		if !asksTheSame(last.pack, pack, outcome) {
			continue
		}
		for _, c := range contributions[outcome] {
			carried, ok := assess.CarryContribution(c.Contribution)
			if !ok {
				continue
			}
			if _, _, err := get[assess.Body](tx, bodyKey(c.Body)); errors.Is(err, errNone) {
				continue
			} else if err != nil {
				return err
			}
			if _, err := tx.put(contributionKey(id, outcome, c.Body), 0, keptOf(carried)); err != nil {
				return err
			}
		}
	}
	return nil
}

// asksTheSame reports whether an outcome asks what it asked before, in every
// language that both packs have.
func asksTheSame(before, now *framework.Pack, outcome string) bool {
	was, ok := before.Outcome(outcome)
	is, still := now.Outcome(outcome)
	if !ok || !still {
		return false
	}
	shared := 0
	for _, lang := range now.Languages {
		if !slices.Contains(before.Languages, lang) {
			continue
		}
		shared++
		if was.Question.In(lang) != is.Question.In(lang) || was.Measure.In(lang) != is.Measure.In(lang) {
			return false
		}
		w, i := before.Levels(was), now.Levels(is)
		for level := range w {
			if w[level].In(lang) != i[level].In(lang) {
				return false
			}
		}
	}
	return shared > 0
}
