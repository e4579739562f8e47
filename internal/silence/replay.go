package silence

import (
	"errors"
	"fmt"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

// Replay returns where the procedure of these steps stands, after checking form,
// order, signature and guard of each: what the chair says, and what can be checked
// of it without the chair. The error names the step.
func Replay(chair keys.Public, steps []coalition.SignedFile) (Procedure, error) {
	var p Procedure
	if len(steps) == 0 {
		return p, errs.New(errs.NotFound, "there is no step of the silence procedure", "")
	}
	for i, file := range steps {
		next, _, err := p.Follow(chair, file)
		if err != nil {
			return Procedure{}, atStep(i, err)
		}
		p = next
	}
	return p, nil
}

// atStep says in which step something is wrong, also to a person.
func atStep(i int, err error) error {
	where := fmt.Sprintf("step %d of the silence procedure: ", i)
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return errs.Wrap(err, e.Kind, where+e.Message, e.Hint)
	}
	return fmt.Errorf("%s%w", where, err)
}

// Follow returns the procedure after one more step, and the step.
func (p Procedure) Follow(chair keys.Public, file coalition.SignedFile) (Procedure, Step, error) {
	s, err := ReadStep(file, chair)
	if err != nil {
		return Procedure{}, Step{}, err
	}
	next, err := p.next(s, keys.Digest(file.Body))
	return next, s, err
}

// CheckAdopted refuses a procedure that did not end in the adoption of exactly
// this text.
func (p *Procedure) CheckAdopted(kind SubjectKind, digest string) error {
	switch {
	case p.State != Adopted:
		return errs.New(errs.Conflict, fmt.Sprintf("the %s is %s, not adopted", p.Subject.Kind, p.State), "")
	case p.Subject.Kind != kind || p.Subject.Digest != digest:
		return errs.New(errs.Conflict, "another text was adopted: "+errs.Quote(p.Subject.Name), "")
	}
	return nil
}

// CheckAcknowledgement refuses a procedure that an acknowledgement of its chair
// contradicts: the silence was broken in a round that ended in adoption, or was
// broken in time and counted late.
func (p *Procedure) CheckAcknowledgement(chair keys.Public, file coalition.SignedFile) error {
	a, err := ReadAcknowledgement(file, chair)
	if err != nil {
		return err
	}
	if a.Procedure != p.ID || a.Coalition != p.Coalition {
		return errs.New(errs.Invalid, "the acknowledgement is of another procedure", "")
	}
	for _, round := range p.Rounds {
		switch {
		case round.Step != a.Round:
			continue
		case a.Counts == InTime && round.Ended == Adopt:
			return errs.New(errs.Conflict, "the chair says that nobody broke the silence, and has acknowledged a break of it", "show the coalition the acknowledgement: it names nobody")
		case a.Counts == Late && a.Received < round.Until && (round.Ended == "" || a.Received < round.At):
			return errs.New(errs.Conflict, "the chair received a break before the silence was over and calls it late", "show the coalition the acknowledgement: it names nobody")
		}
		return nil
	}
	return errs.New(errs.Invalid, "the acknowledgement is of no round that these steps have", "ask the chair for all steps")
}
