package edition

import (
	"context"
	"time"

	"muster/internal/audience"
	"muster/internal/cycle"
	"muster/internal/errs"
)

// Entry is an edition as a list has it.
type Entry struct {
	Cycle  cycle.ID
	Name   Name
	Number int // of the version that the reader gets
	State  State
	Until  time.Time // of a silence
	At     time.Time // when it was published; zero while it is not
	Why    audience.Code
	// Why is the rule by which she does not see it, of an edition that she may know of;
	// then nothing else of it is here but its cycle and its name, and Embargo where that
	// is the rule.
	Embargo time.Time

	Document *Document // nil for a draft, and where she does not see it
}

// List returns the editions that a person may read, and those of which she may know that
// there are, the latest cycles first. Of any other there is nothing in it.
func (s *Service) List(ctx context.Context, who cycle.Person) ([]Entry, error) {
	var list []Entry
	err := s.cfg.Store.View(ctx, "list the editions", func(r Reader) error {
		list = nil
		see, err := s.sees(r, who)
		if err != nil {
			return err
		}
		cycles, err := r.Cycles()
		if err != nil {
			return err
		}
		for _, c := range cycles {
			if c.Release == "" {
				continue
			}
			for _, name := range Names() {
				e, err := entry(r, see, c, name, 0)
				if isNotFound(err) {
					continue
				}
				if err != nil {
					return err
				}
				list = append(list, e)
			}
		}
		return nil
	})
	return list, err
}

func hosts(c cycle.Cycle) []string { return []string{string(c.Hosts[0]), string(c.Hosts[1])} }

// entry returns the edition of a cycle as a person gets it: the version that is published,
// if she sees it, else the newest that she may see, or the one with a number; else, of one
// that she may know of, that and why. It is NotFound otherwise.
func entry(r Reader, see sees, c cycle.Cycle, name Name, number int) (Entry, error) {
	versions, err := r.Versions(c.ID)
	if err != nil {
		return Entry{}, err
	}
	acts, err := r.Acts(c.ID)
	if err != nil {
		return Entry{}, err
	}
	acts = of(acts, c.ID, name)
	var seen, known Entry
	for i := len(versions) - 1; i >= 0; i-- {
		v := versions[i]
		if v.Name != name || number > 0 && v.Number != number {
			continue
		}
		st := stands(acts, v.Number, verdicts(r))
		e := Entry{Cycle: c.ID, Name: name, Number: v.Number, State: st.state, Until: st.until, At: st.published}
		if st.digest != "" && (st.state != IsReplaced || number > 0) {
			if e.Document, err = file(r, st.digest); err != nil {
				return Entry{}, err
			}
		}
		subject := st.subject(e.Document, hosts(c))
		if audience.May(see.reader, audience.Sees, subject, see.at).Yes {
			if st.state == IsPublished || number > 0 {
				return e, nil
			}
			if seen.Number == 0 {
				seen = e
			}
			continue
		}
		if rule, ok := audience.Why(see.reader, subject, see.at); ok && known.Why == "" {
			known = Entry{Cycle: c.ID, Name: name, Why: rule}
			if rule == audience.RuleEmbargo {
				known.Embargo = subject.Embargo
			}
		}
	}
	switch {
	case seen.Number > 0:
		return seen, nil
	case known.Why != "":
		return known, nil
	}
	return known, errNoEdition
}

// Read returns the edition of a cycle as a person gets it: the version with a number, or
// where that is 0 the one that is hers to read. Whoever may not know of it is answered as
// if there were none.
func (s *Service) Read(ctx context.Context, who cycle.Person, id cycle.ID, name Name, number int) (Entry, error) {
	var e Entry
	err := s.cfg.Store.View(ctx, "read an edition", func(r Reader) error {
		c, ok, err := r.Cycle(id)
		if err != nil || !ok || !name.Known() {
			return orNone(err)
		}
		see, err := s.sees(r, who)
		if err != nil {
			return err
		}
		e, err = entry(r, see, c, name, number)
		return err
	})
	return e, err
}

// File returns the file of the edition that a person gets, as it was approved.
func (s *Service) File(ctx context.Context, who cycle.Person, id cycle.ID, name Name, number int) (Entry, []byte, error) {
	e, err := s.Read(ctx, who, id, name, number)
	if err != nil {
		return e, nil, err
	}
	if e.Why != "" {
		return e, nil, errs.New(errs.Denied, "this edition is not yours to read", "")
	}
	if e.Document == nil {
		return e, nil, errs.New(errs.Conflict, "this is a draft, and no file was made of it yet", "propose it first")
	}
	body, err := e.Document.Encode()
	return e, body, err
}

// Draft is an edition as the staff writes it.
type Draft struct {
	Version         // the last; its number is 0 before anything was written
	Made            // what its text comes to
	State    State  //
	Digest   string // of the file that was proposed
	Request  int64
	Until    time.Time
	Versions []Version // all, by number, without their texts
	Acts     []Act     // what was done, in order
}

// Draft returns what the staff needs to write an edition: NotFound for anybody else.
func (s *Service) Draft(ctx context.Context, who cycle.Person, id cycle.ID, name Name) (Draft, error) {
	var d Draft
	err := s.cfg.Store.View(ctx, "show a draft", func(r Reader) error {
		see, err := s.sees(r, who)
		if err != nil {
			return err
		}
		if !name.Known() || !audience.May(see.reader, audience.Sees, draftSubject(), see.at).Yes {
			return errNoEdition
		}
		kept, err := released(r, id)
		if err != nil {
			return err
		}
		all, err := r.Versions(id)
		if err != nil {
			return err
		}
		d.Versions = nil
		for _, v := range all {
			if v.Name == name {
				d.Versions = append(d.Versions, v)
			}
		}
		acts, err := r.Acts(id)
		if err != nil {
			return err
		}
		d.Acts = of(acts, id, name)
		if d.Version, err = latest(r, id, name); err != nil {
			return err
		}
		if d.Number == 0 {
			d.Version = Version{Cycle: id, Name: name, Text: Blank(name)}
			d.State = IsDraft
			return nil
		}
		st := stands(d.Acts, d.Number, verdicts(r))
		d.State, d.Digest, d.Request, d.Until = st.state, st.digest, st.request, st.until
		d.Made, err = make1(kept, d.Version)
		return err
	})
	return d, err
}
