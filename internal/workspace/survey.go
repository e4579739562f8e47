package workspace

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
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
	Deadline time.Time // that is in force; zero if it is not known
	Charter  string    // hex SHA-256 of the charter, empty if none was loaded
	Before   SurveyID  // the survey of the cycle before, empty if there is none
	Loaded   Revised

	State    State
	Progress assess.Progress
	Digest   string // of what would be sealed now, see [Sealable]
	Sealings int    // how often it was sealed
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
		kept, err := charterOf(r, id)
		signed = kept.signed()
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
