package account

import (
	"context"
	"time"
)

// What says what happened.
type What string

// What happens. They are in the files of every surface and do not change.
const (
	Invited           What = "invited"
	Joined            What = "joined"
	Recovered         What = "recovered"
	RolesChanged      What = "roles changed"
	Removed           What = "removed"
	SignedIn          What = "signed in"
	SignedOut         What = "signed out"
	SignedOutAll      What = "signed out everywhere"
	CredentialAdded   What = "credential added"
	CredentialRemoved What = "credential removed"
	Copied            What = "copied passkey refused"
	Signed            What = "signed with a passkey"
)

// Event is something that happened to a person.
type Event struct {
	At     time.Time
	What   What
	By     string // the name of who did it
	Person string // the name of whom it concerns
	Detail string // roles, or the kind of a credential; never a token
	Source string // the address that it came from; empty for a command
}

// MaxEvents is how many [Service.Events] returns at most.
const MaxEvents = 10_000

// Events returns the latest so many events, the latest first.
func (s *Service) Events(ctx context.Context, most int) ([]Event, error) {
	var all []Event
	err := s.view(ctx, "read what happened", func(r Reader) (err error) {
		all, err = r.Events(min(most, MaxEvents))
		return err
	})
	return all, err
}
