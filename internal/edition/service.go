package edition

import (
	"context"
	"fmt"
	"slices"
	"time"

	"muster/internal/audience"
	"muster/internal/coalition"
	"muster/internal/cycle"
	"muster/internal/disclosure/attack"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/release"
)

// ServiceConfig is what a [Service] works with.
type ServiceConfig struct {
	Store  Store
	Year   *cycle.Service // whose requests and record are used
	Now    func() time.Time
	Attack attack.Options
}

// Service is the editions of a coalition. Its methods may be called concurrently.
// Whatever a person may not do is refused with kind Denied; what she may not know of is
// NotFound.
type Service struct{ cfg ServiceConfig }

// New returns the editions that are kept in a store.
func New(cfg ServiceConfig) *Service { return &Service{cfg} }

func (s *Service) moment() time.Time { return s.cfg.Now().UTC().Truncate(time.Microsecond) }

// staff refuses who does not make editions.
func staff(who cycle.Person, what string) error {
	if !who.Is(cycle.RoleCoordinator) {
		return errs.New(errs.Denied, "you may not "+what, "it is the coordinator's staff who does")
	}
	return nil
}

// Take keeps a release with its roster. It has to be the one that coordinator and hosts
// approved for its cycle. The same again changes nothing.
func (s *Service) Take(ctx context.Context, who cycle.Person, body []byte, members []coalition.MemberID) (*release.Release, error) {
	if err := staff(who, "keep a release"); err != nil {
		return nil, err
	}
	r, err := release.Parse(body)
	if err != nil {
		return nil, err
	}
	if len(members) != r.Participation.Submissions {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("the roster has %s and the release counts %d", count(len(members), "member"), r.Participation.Submissions), "")
	}
	digest := keys.Digest(body)
	k := Kept{Digest: digest, Cycle: cycle.ID(r.Cycle), Cohort: r.Cohort, Body: body, Members: members, By: who.Name, At: s.moment()}
	return r, s.cfg.Store.InTx(ctx, "keep a release", func(tx Tx) error {
		c, ok, err := tx.Cycle(k.Cycle)
		switch {
		case err != nil:
			return err
		case !ok:
			return errs.New(errs.NotFound, "there is no cycle "+errs.Quote(r.Cycle), "")
		case c.Release == "":
			return errs.New(errs.Conflict, "no release of "+errs.Quote(r.Cycle)+" was approved yet", "coordinator and both hosts approve it first: muster coordinator cycle release")
		case c.Release != digest:
			return errs.New(errs.Conflict, "another release of "+errs.Quote(r.Cycle)+" was approved, with the digest "+c.Release, "")
		}
		if _, there, err := tx.Release(digest); err != nil || there {
			return err
		}
		if err := tx.AddRelease(k); err != nil {
			return err
		}
		return s.cfg.Year.Write(tx, cycle.Line{By: who.Name, What: cycle.ReleaseKept, Cycle: k.Cycle, Detail: digest})
	})
}

// Written is a version that was kept, with what its text comes to.
type Written struct {
	Version
	Made
}

// Write keeps a text as the next version of an edition, faults and all: what is wrong
// with it is in the result. The text that the last version has is not kept again.
func (s *Service) Write(ctx context.Context, who cycle.Person, id cycle.ID, name Name, text string) (Written, error) {
	if err := staff(who, "write an edition"); err != nil {
		return Written{}, err
	}
	if !name.Known() {
		return Written{}, errNoEdition
	}
	if len(text) > MaxText {
		return Written{}, errs.New(errs.Invalid, fmt.Sprintf("the text has %d bytes", len(text)), fmt.Sprintf("at most %d are kept", MaxText))
	}
	var w Written
	err := s.cfg.Store.InTx(ctx, "write an edition", func(tx Tx) error {
		kept, err := released(tx, id)
		if err != nil {
			return err
		}
		last, err := latest(tx, id, name)
		if err != nil {
			return err
		}
		w.Version = Version{Cycle: id, Name: name, Number: last.Number + 1, Text: text, By: who.Name, At: s.moment()}
		if last.Number > 0 && last.Text == text {
			w.Version = last
			w.Made, err = make1(kept, w.Version)
			return err
		}
		if last.Number >= MaxVersions {
			return errs.New(errs.Invalid, fmt.Sprintf("%d versions are kept, and no more are", last.Number), "")
		}
		if w.Made, err = make1(kept, w.Version); err != nil {
			return err
		}
		if err := tx.AddVersion(w.Version); err != nil {
			return err
		}
		return s.cfg.Year.Write(tx, cycle.Line{By: who.Name, What: cycle.EditionWritten, Cycle: id, Detail: w.label()})
	})
	return w, err
}

func (v Version) label() string { return fmt.Sprintf("%s %d", v.Name, v.Number) }

// released returns the release of a cycle that is kept.
func released(r Reader, id cycle.ID) (Kept, error) {
	c, ok, err := r.Cycle(id)
	if err != nil {
		return Kept{}, err
	}
	if !ok {
		return Kept{}, errs.New(errs.NotFound, "there is no such cycle", "")
	}
	if c.Release != "" {
		k, kept, err := r.Release(c.Release)
		if err != nil || kept {
			return k, err
		}
	}
	return Kept{}, errs.New(errs.Conflict, "no release of "+errs.Quote(string(id))+" is kept, of which an edition could be made", "once it is approved: muster coordinator edition take")
}

// latest returns the last version of an edition, or none with the number 0.
func latest(r Reader, id cycle.ID, name Name) (Version, error) {
	all, err := r.Versions(id)
	if err != nil {
		return Version{}, err
	}
	last := 0
	for _, v := range all {
		if v.Name == name {
			last = v.Number
		}
	}
	if last == 0 {
		return Version{}, nil
	}
	v, _, err := r.Version(id, name, last)
	return v, err
}

func make1(k Kept, v Version) (Made, error) {
	r, err := release.Parse(k.Body)
	if err != nil {
		return Made{}, err
	}
	return Make(Config{Name: v.Name, Number: v.Number, Release: r, Digest: k.Digest, Text: v.Text})
}

// verdicts returns how requests ended.
func verdicts(r Reader) func(int64) cycle.Verdict {
	return func(number int64) cycle.Verdict {
		q, ok, err := r.Request(number)
		if err != nil || !ok {
			return cycle.Refused
		}
		return q.Verdict
	}
}

// Propose asks a second of the staff to approve the last version of an edition, once its
// text has no fault and the attack on everything fails. It returns what was made.
func (s *Service) Propose(ctx context.Context, who cycle.Person, id cycle.ID, name Name) (*Document, int64, error) {
	if err := staff(who, "propose an edition"); err != nil {
		return nil, 0, err
	}
	var made Made
	var v Version
	err := s.cfg.Store.View(ctx, "read what is proposed", func(r Reader) error {
		kept, err := released(r, id)
		if err != nil {
			return err
		}
		if v, err = latest(r, id, name); err != nil {
			return err
		}
		if v.Number == 0 {
			return errNoEdition
		}
		acts, err := r.Acts(id)
		if err != nil {
			return err
		}
		if st := stands(of(acts, id, name), v.Number, verdicts(r)); st.state != IsDraft && st.state != IsRefused {
			return errs.New(errs.Conflict, fmt.Sprintf("version %d of the edition %s is %s already", v.Number, name, st.state), "write another version to propose another text")
		}
		made, err = make1(kept, v)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	if err := asFaults(made.Faults); err != nil {
		return nil, 0, err
	}
	if err := s.withstands(ctx, made.Document); err != nil {
		return nil, 0, err
	}
	body, err := made.Document.Encode()
	if err != nil {
		return nil, 0, err
	}
	var number int64
	err = s.cfg.Store.InTx(ctx, "propose an edition", func(tx Tx) error {
		last, err := latest(tx, id, name)
		if err != nil {
			return err
		}
		if last.Number != v.Number {
			return errs.New(errs.Conflict, "another version was written meanwhile", "look at it, and propose that one")
		}
		digest := keys.Digest(body)
		if number, err = s.cfg.Year.AskPublication(tx, who, id, string(name), digest); err != nil {
			return err
		}
		return add(tx, Act{Cycle: id, Name: name, Number: v.Number, Deed: Proposed, Digest: digest, Request: number, By: who.Name, At: s.moment()}, body)
	})
	return made.Document, number, err
}

// withstands attacks everything that was released and published, with one edition more.
func (s *Service) withstands(ctx context.Context, d *Document) error {
	var past []release.Past
	editions := []*Document{d}
	err := s.cfg.Store.View(ctx, "read everything that was published", func(r Reader) error {
		past, editions = nil, editions[:1]
		releases, err := r.Releases()
		if err != nil {
			return err
		}
		for _, k := range releases {
			parsed, err := release.Parse(k.Body)
			if err != nil {
				return err
			}
			past = append(past, release.Past{Release: parsed, Digest: k.Digest, Members: k.Members})
		}
		acts, err := r.Acts("")
		if err != nil {
			return err
		}
		own, err := d.Encode()
		if err != nil {
			return err
		}
		for _, a := range acts { // what was withdrawn is known all the same
			if a.Deed != Published || a.Digest == keys.Digest(own) {
				continue
			}
			other, err := file(r, a.Digest)
			if err != nil {
				return err
			}
			editions = append(editions, other)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return withstand(past, editions, s.cfg.Attack)
}

func file(r Reader, digest string) (*Document, error) {
	body, ok, err := r.File(digest)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errs.New(errs.Conflict, "the file of an edition is not there", "somebody changed the database past this program; compare it with a backup")
	}
	if keys.Digest(body) != digest {
		return nil, errs.New(errs.Conflict, "the file of an edition is another than was approved", "somebody changed the database past this program; compare it with a backup")
	}
	return Parse(body)
}

// add adds an act with the next number.
func add(tx Tx, a Act, body []byte) error {
	acts, err := tx.Acts(a.Cycle)
	if err != nil {
		return err
	}
	a.Seq = len(of(acts, a.Cycle, a.Name)) + 1
	return tx.AddAct(a, body)
}

// at returns where the last version of an edition stands, with it.
func at(r Reader, id cycle.ID, name Name) (Version, standing, error) {
	v, err := latest(r, id, name)
	if err != nil {
		return v, standing{}, err
	}
	if v.Number == 0 {
		return v, standing{}, errNoEdition
	}
	acts, err := r.Acts(id)
	return v, stands(of(acts, id, name), v.Number, verdicts(r)), err
}

// Publish lets whom an edition is for read it, when its embargo ends: its last version,
// which a second person has approved and, where it is for anybody outside the allied
// circle, silence has adopted.
func (s *Service) Publish(ctx context.Context, who cycle.Person, id cycle.ID, name Name) (*Document, error) {
	if err := staff(who, "publish an edition"); err != nil {
		return nil, err
	}
	var d *Document
	err := s.cfg.Store.View(ctx, "read what is published", func(r Reader) (err error) {
		d, _, err = publishable(r, id, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.withstands(ctx, d); err != nil {
		return nil, err
	}
	return d, s.cfg.Store.InTx(ctx, "publish an edition", func(tx Tx) error {
		again, digest, err := publishable(tx, id, name)
		if err != nil {
			return err
		}
		if again.Number != d.Number {
			return errs.New(errs.Conflict, "another version was approved meanwhile", "")
		}
		if err := add(tx, Act{Cycle: id, Name: name, Number: d.Number, Deed: Published, Digest: digest, By: who.Name, At: s.moment()}, nil); err != nil {
			return err
		}
		return s.cfg.Year.Write(tx, cycle.Line{By: who.Name, What: cycle.EditionPublished, Cycle: id, Detail: fmt.Sprintf("%s %d %s", name, d.Number, digest)})
	})
}

// publishable returns the last version of an edition if nothing keeps it from being
// published but the attack.
func publishable(r Reader, id cycle.ID, name Name) (*Document, string, error) {
	v, st, err := at(r, id, name)
	if err != nil {
		return nil, "", err
	}
	not := func(hint string) (*Document, string, error) {
		return nil, "", errs.New(errs.Conflict, fmt.Sprintf("version %d of the edition %s is %s", v.Number, name, st.state), hint)
	}
	if st.state != IsApproved && st.state != IsAdopted {
		return not("what is published was approved by a second person, and what leaves the allied circle adopted by silence")
	}
	d, err := file(r, st.digest)
	if err != nil {
		return nil, "", err
	}
	if d.Outside() && st.state != IsAdopted {
		return not("it leaves the allied circle: have it adopted by silence first, muster coordinator edition hear")
	}
	return d, st.digest, nil
}

// Withdraw takes back the version of an edition that is published: from now on nobody
// reads it but for work.
func (s *Service) Withdraw(ctx context.Context, who cycle.Person, id cycle.ID, name Name, reason string) error {
	if err := staff(who, "withdraw an edition"); err != nil {
		return err
	}
	if reason == "" || len(reason) > maxReason {
		return errs.New(errs.Invalid, "a withdrawal says why, in at most 1000 bytes", "")
	}
	return s.cfg.Store.InTx(ctx, "withdraw an edition", func(tx Tx) error {
		acts, err := tx.Acts(id)
		if err != nil {
			return err
		}
		acts = of(acts, id, name)
		for _, a := range slices.Backward(acts) {
			if a.Deed == Withdrawn {
				break
			}
			if a.Deed != Published {
				continue
			}
			if err := add(tx, Act{Cycle: id, Name: name, Number: a.Number, Deed: Withdrawn, Digest: a.Digest, Reason: reason, By: who.Name, At: s.moment()}, nil); err != nil {
				return err
			}
			return s.cfg.Year.Write(tx, cycle.Line{By: who.Name, What: cycle.EditionWithdrawn, Cycle: id, Detail: fmt.Sprintf("%s %d: %s", name, a.Number, reason)})
		}
		return errs.New(errs.NotFound, "this edition is not published", "")
	})
}

// sees is one person at one moment.
type sees struct {
	reader audience.Reader
	at     time.Time
}

func (s *Service) sees(r Reader, who cycle.Person) (sees, error) {
	sight, err := cycle.SightOf(r, who, s.moment())
	return sees{sight.Reader, sight.At}, err
}
