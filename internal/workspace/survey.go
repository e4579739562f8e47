package workspace

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
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

// SurveyID names a survey: its cycle, a slash, and the id of its pack, such as
// "2027/muster-core".
type SurveyID string

// NewSurveyID returns the id of the survey of a pack in a cycle.
func NewSurveyID(cycle, pack string) SurveyID { return SurveyID(cycle + "/" + pack) }

// Cycle returns the cycle of the survey.
func (id SurveyID) Cycle() string {
	cycle, _, _ := strings.Cut(string(id), "/")
	return cycle
}

// State says where a survey stands.
type State string

// The states of a survey.
const (
	StateOpen   State = "open"   // being answered
	StateSealed State = "sealed" // exactly what is answered now was sealed
	StateClosed State = "closed" // nothing of it changes any more
)

// Survey is one pack in one cycle that the member answers.
type Survey struct {
	ID       SurveyID
	Cycle    string
	Pack     framework.Ref
	Deadline time.Time // zero if it is not known
	Charter  string    // hex SHA-256 of the charter, empty if none was loaded
	Before   SurveyID  // the survey of the cycle before, empty if there is none
	Loaded   Revised

	State    State
	Progress assess.Progress
	Digest   string // of what would be sealed now, see [Sealable]
	Sealings int    // how often it was sealed
}

// LoadConfig says what to answer. Pack and Cycle are needed.
type LoadConfig struct {
	Pack     *framework.Pack
	Cycle    string                   // such as "2027"; of the charter if that is given
	Deadline time.Time                // of the charter if that is given
	Charter  *coalition.SignedCharter // signed by all three; nil where there is none yet
	Before   SurveyID                 // the same pack in the cycle before; its entries are carried over

	// InsteadOf is the hex digest of the charter that the survey has and that was
	// withdrawn: Charter takes its place.
	InsteadOf string
}

// loaded is a survey as it is kept.
type loaded struct {
	Cycle    string        `json:"cycle"`
	Pack     framework.Ref `json:"pack"`
	Deadline *time.Time    `json:"deadline,omitempty"`
	Charter  string        `json:"charter,omitempty"`
	Before   SurveyID      `json:"before,omitempty"`
	Closed   bool          `json:"closed,omitempty"`
}

// keptCharter is a charter as it is kept: the bytes that were signed.
type keptCharter struct {
	Body      []byte `json:"body"`
	Signature []byte `json:"signature"`
}

func surveyKey(id SurveyID) Key { return Key{Kind: kindSurvey, ID: string(id)} }

// Load opens a survey and carries over what looks unchanged since the one before,
// see [assess.Carry], with its bodies' sections and its chain of sign-off. It
// refuses a pack that the coordinator answers, a charter that does not ask for this
// pack or does not list this member, and, with kind Conflict, a survey that is
// there with another pack. The same again changes nothing; with a charter, it adds
// the charter.
func (s *Service) Load(ctx context.Context, person Person, cfg LoadConfig) (Survey, error) {
	if cfg.Pack == nil {
		return Survey{}, errs.New(errs.Invalid, "there is no pack to answer", "")
	}
	if cfg.Pack.AnsweredBy == framework.ByCoordinator {
		return Survey{}, errs.New(errs.Invalid, errs.Quote(cfg.Pack.ID)+" is answered by the coordinator, once for the coalition", "load a pack that members answer")
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
	err := s.change(ctx, "load a survey", person, organise, func(tx change) error {
		member, err := memberOf(tx)
		if err != nil {
			return err
		}
		if cfg.Charter != nil && !lists(charter, member) {
			return errs.New(errs.Denied, fmt.Sprintf("%s is not in the charter", member), "is it the charter of this cycle? else ask the coordinator under which name it lists this member")
		}
		return s.load(tx, id, want, cfg)
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

func (s *Service) load(tx change, id SurveyID, want loaded, cfg LoadConfig) error {
	was, revised, err := get[loaded](tx, surveyKey(id))
	switch {
	case errors.Is(err, errNone):
	case err != nil:
		return err
	default:
		return tx.reload(id, was, revised.Rev, want, cfg)
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
	if _, err := tx.put(surveyKey(id), revised.Rev, want); err != nil {
		return err
	}
	if want.Before == "" {
		return nil
	}
	return s.carry(tx, id, cfg.Pack, want.Before)
}

// reload is a survey that is loaded once more.
func (c change) reload(id SurveyID, was loaded, rev Revision, want loaded, cfg LoadConfig) error {
	switch {
	case was.Pack != want.Pack:
		return errs.New(errs.Conflict, fmt.Sprintf("the survey %s has %s %s with the digest %s", errs.Quote(string(id)), was.Pack.ID, was.Pack.Version, was.Pack.Digest), "a survey keeps its pack; ask the coordinator if the pack was replaced")
	case was.Charter != "" && want.Charter != "" && was.Charter != want.Charter && cfg.InsteadOf != was.Charter:
		return errs.New(errs.Conflict, fmt.Sprintf("the survey %s was loaded with another charter, with the digest %s", errs.Quote(string(id)), was.Charter), "ask the coordinator which one is in force; if that one was withdrawn, repeat with --instead-of "+was.Charter)
	case want.Before != "" && was.Before != want.Before:
		return errs.New(errs.Conflict, fmt.Sprintf("the survey %s was loaded after %s", errs.Quote(string(id)), errs.Quote(cmp.Or(string(was.Before), "none"))), "what was before is decided when a survey is loaded")
	}
	now := was
	if want.Charter != "" {
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
	_, err := c.put(surveyKey(id), rev, now)
	return err
}

func sameTime(a, b *time.Time) bool { return a == b || a != nil && b != nil && a.Equal(*b) }

func (c change) keepCharter(id SurveyID, signed *coalition.SignedCharter) error {
	if signed == nil {
		return nil
	}
	key := Key{Kind: kindCharter, Survey: id}
	_, was, err := get[keptCharter](c, key)
	if err != nil && !errors.Is(err, errNone) {
		return err
	}
	_, err = c.put(key, was.Rev, keptCharter{Body: signed.Body, Signature: signed.Signature})
	return err
}

// carry begins a survey with what the one before leaves to it.
func (s *Service) carry(tx change, id SurveyID, pack *framework.Pack, before SurveyID) error {
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
	carried := assess.Carry(pack, plain(entries), func(outcome string) bool { return asksTheSame(last.pack, pack, outcome) })
	for _, outcome := range slices.Sorted(maps.Keys(carried)) {
		if _, err := tx.put(entryKey(id, outcome), 0, carried[outcome]); err != nil {
			return err
		}
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

// survey is a survey with its pack, within a transaction.
type survey struct {
	loaded
	id      SurveyID
	revised Revised
	pack    *framework.Pack
}

// open returns a survey that is there.
func (s *Service) open(r Reader, id SurveyID) (survey, error) {
	is, revised, err := get[loaded](r, surveyKey(id))
	if errors.Is(err, errNone) {
		return survey{}, errs.New(errs.NotFound, fmt.Sprintf("there is no survey %s", errs.Quote(string(id))), "muster workspace load opens one")
	}
	if err != nil {
		return survey{}, err
	}
	pack, err := s.pack(r, is.Pack)
	return survey{loaded: is, id: id, revised: revised, pack: pack}, err
}

// writable is open for whoever changes something of the survey.
func (s *Service) writable(r Reader, id SurveyID) (survey, error) {
	is, err := s.open(r, id)
	if err == nil && is.Closed {
		err = errs.New(errs.Conflict, fmt.Sprintf("the survey %s is closed", errs.Quote(string(id))), "the lead may open it again")
	}
	return is, err
}

// outcome refuses an outcome that the pack does not have.
func (s survey) outcome(id string) (*framework.Outcome, error) {
	o, ok := s.pack.Outcome(id)
	if !ok {
		return nil, errs.New(errs.NotFound, fmt.Sprintf("%s has no outcome %s", errs.Quote(s.Pack.ID), errs.Quote(id)), "")
	}
	return o, nil
}

// pack returns a pack that is kept, read once.
func (s *Service) pack(r Reader, ref framework.Ref) (*framework.Pack, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.packs[ref.Digest]; p != nil {
		return p, nil
	}
	body, ok, err := r.Pack(ref.Digest)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("the pack %s is not in the workspace", ref.Digest)
	}
	p, err := framework.Read(ref.ID, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("the pack %s that is kept: %w", ref.Digest, err)
	}
	if hex.EncodeToString(p.Digest[:]) != ref.Digest {
		return nil, fmt.Errorf("the pack %s that is kept has another digest", ref.Digest)
	}
	s.packs[ref.Digest] = p
	return p, nil
}

// Surveys returns all surveys, the latest cycle first and by pack.
func (s *Service) Surveys(ctx context.Context, person Person) ([]Survey, error) {
	var all []Survey
	err := s.view(ctx, "list the surveys", person, seePart, func(r Reader) error {
		kept, err := list[loaded](r, kindSurvey, "", "")
		if err != nil {
			return err
		}
		all = make([]Survey, len(kept))
		for i, k := range kept {
			if all[i], err = s.describe(r, person, SurveyID(k.ID)); err != nil {
				return err
			}
		}
		return nil
	})
	slices.SortFunc(all, func(a, b Survey) int {
		return cmp.Or(strings.Compare(b.Cycle, a.Cycle), strings.Compare(a.Pack.ID, b.Pack.ID))
	})
	return all, err
}

// Survey returns one survey. Who sees her part only is told how far that is, and
// no digest.
func (s *Service) Survey(ctx context.Context, person Person, id SurveyID) (Survey, error) {
	var is Survey
	err := s.view(ctx, "read a survey", person, seePart, func(r Reader) (err error) {
		is, err = s.describe(r, person, id)
		return err
	})
	return is, err
}

func (s *Service) describe(r Reader, person Person, id SurveyID) (Survey, error) {
	is, err := s.open(r, id)
	if err != nil {
		return Survey{}, err
	}
	d := Survey{ID: id, Cycle: is.Cycle, Pack: is.Pack, Charter: is.Charter, Before: is.Before, Loaded: is.revised, State: StateOpen}
	if is.Deadline != nil {
		d.Deadline = *is.Deadline
	}
	if !person.seesAll() {
		part, err := s.part(r, person, is)
		if err != nil {
			return Survey{}, err
		}
		d.Progress = part.Progress()
		if is.Closed {
			d.State = StateClosed
		}
		return d, nil
	}
	sealable, err := s.sealable(r, is)
	if err != nil {
		return Survey{}, err
	}
	sealings, err := list[sealing](r, kindSealing, id, "")
	if err != nil {
		return Survey{}, err
	}
	d.Progress, d.Digest, d.Sealings = assess.ProgressOf(is.pack.Outcomes(), sealable.Entries), sealable.Digest, len(sealings)
	if n := len(sealings); n > 0 && sealings[n-1].Value.Digest == d.Digest {
		d.State = StateSealed
	}
	if is.Closed {
		d.State = StateClosed
	}
	return d, nil
}

// Pack returns the pack of a survey, as it was loaded.
func (s *Service) Pack(ctx context.Context, person Person, id SurveyID) (*framework.Pack, error) {
	var pack *framework.Pack
	err := s.view(ctx, "read a pack", person, seePart, func(r Reader) error {
		is, err := s.open(r, id)
		pack = is.pack
		return err
	})
	return pack, err
}

// Charter returns the charter of a survey. It is NotFound if none was loaded.
func (s *Service) Charter(ctx context.Context, person Person, id SurveyID) (coalition.SignedCharter, error) {
	var signed coalition.SignedCharter
	err := s.view(ctx, "read a charter", person, seePart, func(r Reader) error {
		if _, err := s.open(r, id); err != nil {
			return err
		}
		kept, _, err := get[keptCharter](r, Key{Kind: kindCharter, Survey: id})
		if errors.Is(err, errNone) {
			return errs.New(errs.NotFound, fmt.Sprintf("the survey %s has no charter yet", errs.Quote(string(id))), "load it again with the charter when the coordinator has sent it")
		}
		signed = coalition.SignedCharter{Body: kept.Body, Signature: kept.Signature}
		return err
	})
	return signed, err
}

// Close ends a survey: nothing of it changes any more until [Service.Reopen].
func (s *Service) Close(ctx context.Context, person Person, id SurveyID) error {
	return s.setClosed(ctx, person, id, true)
}

// Reopen undoes [Service.Close].
func (s *Service) Reopen(ctx context.Context, person Person, id SurveyID) error {
	return s.setClosed(ctx, person, id, false)
}

func (s *Service) setClosed(ctx context.Context, person Person, id SurveyID, closed bool) error {
	return s.change(ctx, "close or open a survey", person, organise, func(tx change) error {
		is, err := s.open(tx, id)
		if err != nil || is.Closed == closed {
			return err
		}
		is.Closed = closed
		_, err = tx.put(surveyKey(id), is.revised.Rev, is.loaded)
		return err
	})
}
