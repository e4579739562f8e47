// Package workspace holds the use cases of a member's workspace: the place where
// its answers are made, and from which they leave sealed and in no other way.
//
// A [Service] has one method for each thing that a person does. Each takes the
// [Person] who does it, decides whether she may, and persists what follows in one
// transaction of the [Store]. Whatever is kept has a [Revision], and nothing that
// was kept is ever overwritten: what is shown is the newest revision, and the
// others are its history, with who and when.
//
//	saved, conflict, err := service.Save(ctx, person, survey, "A1.3", seen.Rev, entry)
//
// A survey is one pack in one cycle that the member answers; an entry is what is
// kept about one of its outcomes.
//
// The package promises that an acknowledged change is durable and in the history,
// that of two people who save the same entry neither loses what the other did not
// touch, that nobody does what her role does not allow, and that what is sealed is
// exactly what was signed off. No error of it holds an answer, a note or a name.
package workspace

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/framework"
)

// Config is what a [Service] works with.
type Config struct {
	Store Store
	Now   func() time.Time // time.Now outside tests
	Rand  io.Reader        // for the salts of what is signed; safe for concurrent use; crypto/rand if nil
}

// Service is a member's workspace. Its methods may be called concurrently.
type Service struct {
	store Store
	now   func() time.Time
	rand  io.Reader

	mu     sync.Mutex
	packs  map[string]*framework.Pack // by digest; guarded by mu. A pack never changes.
	unders map[string]*Under          // by digest of the charter; guarded by mu. Nor does one of these.
	is     *Identity                  // nil until it was read; guarded by mu. Only [Service.Mark] changes it.
}

// New returns the workspace that is kept in a store.
func New(cfg Config) *Service {
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	return &Service{store: cfg.Store, now: cfg.Now, rand: cfg.Rand, packs: make(map[string]*framework.Pack), unders: make(map[string]*Under)}
}

// Revised says which revision something is, who made it and when.
type Revised struct {
	Rev Revision
	By  string // the name of the person
	At  time.Time
}

// identity is what a workspace is of.
type identity struct {
	Member  coalition.MemberID `json:"member"`
	Marking string             `json:"marking,omitempty"` // "SYNTHETIC" of an invented member; else empty
}

var identityKey = Key{Kind: kindWorkspace}

// Begin makes an empty store the workspace of a member. It may be repeated; it is a
// Conflict if the store is another member's.
func (s *Service) Begin(ctx context.Context, person Person, member coalition.MemberID) error {
	if _, err := coalition.ParseMemberID(string(member)); err != nil {
		return err
	}
	return s.change(ctx, "begin a workspace", person, organise, func(tx change) error {
		was, _, err := get[identity](tx, identityKey)
		switch {
		case err == nil && was.Member == member:
			return nil
		case err == nil:
			return errs.New(errs.Conflict, "this is the workspace of "+string(was.Member), "a workspace is of one member; use another folder")
		case !errors.Is(err, errNone):
			return err
		}
		_, err = tx.put(identityKey, 0, identity{Member: member})
		return err
	})
}

// Mark marks a workspace as one of an invented member, for good: whatever opens it later
// shows the marking.
func (s *Service) Mark(ctx context.Context, person Person, marking string) error {
	if err := line("the marking", marking, maxName); err != nil {
		return err
	}
	defer func() { // what everybody is shown is read again
		s.mu.Lock()
		defer s.mu.Unlock()
		s.is = nil
	}()
	return s.change(ctx, "mark the workspace", person, organise, func(tx change) error {
		is, revised, err := get[identity](tx, identityKey)
		if err != nil || is.Marking == marking {
			return err
		}
		is.Marking = marking
		_, err = tx.put(identityKey, revised.Rev, is)
		return err
	})
}

// Member returns whose workspace it is. It is NotFound before [Service.Begin].
func (s *Service) Member(ctx context.Context) (coalition.MemberID, error) {
	var member coalition.MemberID
	err := s.store.View(ctx, "read whose workspace it is", func(r Reader) (err error) {
		member, err = memberOf(r)
		return err
	})
	return member, err
}

// Identity is what tells a workspace from every other. It is the same in every run.
type Identity struct {
	Member  coalition.MemberID
	Marking string    // that everything of it has to show: "SYNTHETIC", or empty
	Begun   time.Time // when [Service.Begin] made it a workspace
}

// Identity returns whose workspace it is and since when. It is NotFound before
// [Service.Begin].
func (s *Service) Identity(ctx context.Context) (Identity, error) {
	s.mu.Lock()
	known := s.is
	s.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	var is Identity
	err := s.store.View(ctx, "read which workspace it is", func(r Reader) (err error) {
		if is.Member, err = memberOf(r); err != nil {
			return err
		}
		kept, _, err := get[identity](r, identityKey)
		if err != nil {
			return err
		}
		is.Marking = kept.Marking
		history, err := r.History(identityKey)
		if len(history) > 0 {
			is.Begun = history[0].At
		}
		return err
	})
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.is = &is
	}
	return is, err
}

func memberOf(r Reader) (coalition.MemberID, error) {
	is, _, err := get[identity](r, identityKey)
	if errors.Is(err, errNone) {
		return "", errs.New(errs.NotFound, "the workspace is of no member yet", "begin it with: muster workspace init")
	}
	return is.Member, err
}

// change is one transaction by one person at one time.
type change struct {
	Tx
	person Person
	now    time.Time
}

// change runs fn in one transaction of the store if the person may do that.
func (s *Service) change(ctx context.Context, name string, person Person, what action, fn func(change) error) error {
	if err := person.may(what); err != nil {
		return err
	}
	now := s.now().UTC().Truncate(time.Microsecond) // which is what a store keeps
	return s.store.InTx(ctx, name, func(tx Tx) error { return fn(change{Tx: tx, person: person, now: now}) })
}

// view runs fn on what was there at one moment if the person may see it.
func (s *Service) view(ctx context.Context, name string, person Person, what action, fn func(Reader) error) error {
	if err := person.may(what); err != nil {
		return err
	}
	return s.store.View(ctx, name, fn)
}

// put keeps a value in the place of the revision base, 0 if there is none.
func (c change) put(key Key, base Revision, value any) (Revised, error) {
	body, err := encode(value)
	if err != nil {
		return Revised{}, fmt.Errorf("keep %s: %w", key, err)
	}
	return c.keep(key, base, body)
}

// remove ends what is kept under a key; its history stays.
func (c change) remove(key Key, base Revision) (Revised, error) { return c.keep(key, base, nil) }

func (c change) keep(key Key, base Revision, body []byte) (Revised, error) {
	rev, err := c.Put(Record{Key: key, By: c.person.Name, At: c.now, Value: body}, base)
	if err != nil {
		return Revised{}, err
	}
	return Revised{Rev: rev, By: c.person.Name, At: c.now}, nil
}
