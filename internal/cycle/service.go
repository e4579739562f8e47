package cycle

import (
	"context"
	"errors"
	"time"
	"unicode"
	"unicode/utf8"

	"muster/internal/coalition"
	"muster/internal/errs"
)

// Config is what a [Service] works with.
type Config struct {
	Store Store
	Now   func() time.Time // time.Now outside tests
}

// Service is the year as the coordinator keeps it. Its methods may be called
// concurrently. Whatever a person may not do is refused with kind Denied; what she may
// not know of is NotFound.
type Service struct {
	store Store
	now   func() time.Time
}

// New returns the year that is kept in a store.
func New(cfg Config) *Service { return &Service{cfg.Store, cfg.Now} }

func (s *Service) moment() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

func (s *Service) change(ctx context.Context, name string, fn func(Tx) error) error {
	return s.store.InTx(ctx, name, fn)
}

func (s *Service) view(ctx context.Context, name string, fn func(Reader) error) error {
	return s.store.View(ctx, name, fn)
}

// Begin names the coalition that a new store is of.
func (s *Service) Begin(ctx context.Context, who Person, name string) error {
	if fault := coalition.NameFault(name); fault != "" {
		return errs.New(errs.Invalid, "the name of the coalition, "+errs.Quote(name)+", "+fault, "")
	}
	return s.change(ctx, "begin", func(tx Tx) error {
		was, err := tx.Coalition()
		switch {
		case err != nil:
			return err
		case was == name:
			return nil
		case was != "":
			return errs.New(errs.Conflict, "this is the coordinator of "+errs.Quote(was)+" already", "begin in a new folder")
		}
		if err := tx.Begin(name); err != nil {
			return err
		}
		return s.write(tx, Line{By: who.Name, What: Founded, Detail: name})
	})
}

// Coalition returns the name. It is NotFound before [Service.Begin].
func (s *Service) Coalition(ctx context.Context) (string, error) {
	var name string
	err := s.view(ctx, "read the name", func(r Reader) (err error) {
		name, err = r.Coalition()
		return err
	})
	if err == nil && name == "" {
		err = errs.New(errs.NotFound, "this database is of no coalition yet", "muster coordinator init makes one")
	}
	return name, err
}

// text refuses what somebody wrote if it is empty, too long, or would not be printed
// as it is. what names it, with its article.
func text(what, value string) error {
	switch {
	case value == "":
		return errs.New(errs.Invalid, what+" is empty", "")
	case !utf8.ValidString(value):
		return errs.New(errs.Invalid, what+" is not UTF-8", "")
	case utf8.RuneCountInString(value) > MaxText:
		return errs.New(errs.Invalid, what+" is longer than 4000 characters", "say it shorter")
	}
	for _, r := range value {
		if r != '\n' && !unicode.IsPrint(r) {
			return errs.New(errs.Invalid, what+" holds a character that is not printed", "write it without")
		}
	}
	return nil
}

// cycleOf returns a cycle that a person sees. One that she does not see is as if there
// were none.
func (s *Service) cycleOf(r Reader, who Person, id ID) (Cycle, error) {
	c, ok, err := r.Cycle(id)
	if err != nil {
		return c, err
	}
	if !ok {
		return c, errNoCycle
	}
	board, err := r.Participations(c.ID)
	if err != nil {
		return c, err
	}
	sight, err := sightOf(r, who, s.moment())
	if err != nil {
		return c, err
	}
	if !sight.passes(c.subject(board)) {
		err = errNoCycle
	}
	return c, err
}

// Ready reports whether the store answers.
func (s *Service) Ready(ctx context.Context) error {
	_, err := s.Coalition(ctx)
	return err
}

// Note adds a line about the whole database, such as that a backup was written.
func (s *Service) Note(ctx context.Context, who Person, what What, detail string) error {
	if what != BackedUp && what != Restored {
		return errors.New("cycle: this is noted by what does it")
	}
	return s.change(ctx, "note in the record", func(tx Tx) error {
		return s.write(tx, Line{By: who.Name, What: what, Detail: detail})
	})
}
