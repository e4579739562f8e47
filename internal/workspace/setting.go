package workspace

import (
	"context"
	"errors"
	"strings"

	"muster/internal/errs"
)

// Settings is what the lead chose for the workspace.
type Settings struct {
	// Evidence is the folder in which paths of evidence begin that are not absolute, on
	// the machine that the workspace is on; empty for none.
	Evidence string `json:"evidence,omitempty"`

	// Person is the name of who uses the workspace where one person does, as history,
	// "mine" and conflicts show it; empty where nobody has said it.
	Person string `json:"person,omitempty"`
}

var settingsKey = Key{Kind: kindSetting}

// Settings returns what was chosen.
func (s *Service) Settings(ctx context.Context, person Person) (Settings, Revised, error) {
	var settings Settings
	var revised Revised
	err := s.view(ctx, "read the settings", person, see, func(r Reader) (err error) {
		settings, revised, err = settingsOf(r)
		return err
	})
	return settings, revised, err
}

func settingsOf(r Reader) (Settings, Revised, error) {
	settings, revised, err := get[Settings](r, settingsKey)
	if errors.Is(err, errNone) {
		err = nil
	}
	return settings, revised, err
}

// PutSettings keeps settings in the place of the revision base, 0 if they are the
// first. It is a Conflict if somebody else changed them meanwhile.
func (s *Service) PutSettings(ctx context.Context, person Person, base Revision, settings Settings) (Revised, error) {
	var revised Revised
	if settings.Evidence != "" {
		if err := line("the folder of evidence", settings.Evidence, maxPlace); err != nil {
			return revised, err
		}
		if isAddress(settings.Evidence) {
			return revised, errs.New(errs.Invalid, "the folder of evidence is an address", "give a folder of the machine that the workspace is on")
		}
	}
	if settings.Person != "" {
		if err := line("the name of the person", settings.Person, maxName); err != nil {
			return revised, err
		}
	}
	err := s.change(ctx, "keep the settings", person, organise, func(tx change) error {
		was, newest, err := settingsOf(tx)
		if err != nil {
			return err
		}
		if was == settings && newest.Rev != 0 {
			revised = newest
			return nil
		}
		revised, err = tx.put(settingsKey, base, settings)
		return err
	})
	return revised, err
}

// Named returns who is alone with the workspace: under the name that is kept, or under
// another where none is.
func (s *Service) Named(ctx context.Context, other string) (Person, error) {
	person := Lead(other)
	settings, _, err := s.Settings(ctx, person)
	if settings.Person != "" {
		person.Name = settings.Person
	}
	return person, err
}

// SetName keeps the name of who is alone with the workspace. What stands under another
// name stays so.
func (s *Service) SetName(ctx context.Context, person Person, name string) error {
	if !person.Alone {
		return errs.New(errs.Denied, "who signs in has the name under which she was invited", "the lead invites under another: muster workspace person invite")
	}
	settings, revised, err := s.Settings(ctx, person)
	if err != nil {
		return err
	}
	settings.Person = strings.TrimSpace(name)
	if settings.Person == "" {
		return line("the name of the person", "", maxName)
	}
	_, err = s.PutSettings(ctx, person, revised.Rev, settings)
	return err
}
