package workspace

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"muster/internal/errs"
	"muster/internal/release"
)

// released is a release as it is kept: the file, byte by byte.
type released struct {
	Body []byte `json:"body"`
}

func releaseKey(id SurveyID) Key { return Key{Kind: kindRelease, Survey: id} }

// KeepRelease keeps release.json of a survey, in place of one that was kept before. It
// is Invalid if it is no release that could have come from the rule that it names, and
// a Conflict if it is of another pack, another cycle or another charter than the
// survey. The same again changes nothing. Who signed the release is not looked at.
func (s *Service) KeepRelease(ctx context.Context, person Person, id SurveyID, body []byte) (Revised, error) {
	var kept Revised
	if err := person.may(organise); err != nil {
		return kept, err // before 16 MB are read
	}
	r, err := readRelease(body)
	if err != nil {
		return kept, err
	}
	err = s.change(ctx, "keep a release", person, organise, func(tx change) error {
		is, err := s.open(tx, id) // a survey that is closed is just what is released
		if err != nil {
			return err
		}
		if err := is.released(r); err != nil {
			return err
		}
		if is.Charter != "" && is.Charter != r.CharterDigest {
			return errs.New(errs.Conflict, fmt.Sprintf("the release is of another charter than %s", id), "ask the coordinator which release is that of the charter "+is.Charter)
		}
		was, revised, err := get[released](tx, releaseKey(id))
		switch {
		case err == nil && bytes.Equal(was.Body, body):
			kept = revised
			return nil
		case err != nil && !errors.Is(err, errNone):
			return err
		}
		history, err := tx.History(releaseKey(id))
		if err != nil {
			return err
		}
		if err := full("releases", len(history), MaxReleases); err != nil {
			return err
		}
		kept, err = tx.put(releaseKey(id), revised.Rev, released{Body: body})
		return err
	})
	return kept, err
}

// readRelease reads a release strictly. Of a file that is none its error quotes nothing:
// it may be any file of the person's.
func readRelease(body []byte) (*release.Release, error) {
	var form struct {
		Kind string `json:"kind"`
	}
	if len(body) > release.MaxSize || json.Unmarshal(body, &form) != nil || form.Kind != release.Kind && form.Kind != release.KindV1 {
		return nil, errs.New(errs.Invalid, "the file is no release", "give release.json as the coordinator published it")
	}
	r, err := release.Parse(body)
	if err != nil {
		d := errs.Describe(err)
		if d.Hint == "" {
			d.Hint = "give release.json as the coordinator published it, unchanged"
		}
		return nil, errs.Wrap(err, errs.Invalid, d.Message, d.Hint)
	}
	return r, nil
}

// Release returns the release that is kept of a survey. It is NotFound if none is.
func (s *Service) Release(ctx context.Context, person Person, id SurveyID) (*release.Release, Revised, error) {
	var kept *release.Release
	var revised Revised
	err := s.view(ctx, "read a release", person, see, func(r Reader) error {
		if _, err := s.open(r, id); err != nil {
			return err
		}
		var err error
		kept, revised, err = releaseOf(r, id)
		return err
	})
	if err != nil {
		return nil, Revised{}, err
	}
	return kept, revised, nil
}

func releaseOf(r Reader, id SurveyID) (*release.Release, Revised, error) {
	kept, revised, err := get[released](r, releaseKey(id))
	if errors.Is(err, errNone) {
		return nil, revised, errs.New(errs.NotFound, fmt.Sprintf("no release of %s is kept here", id), "give release.json on the page after the release")
	}
	if err != nil {
		return nil, revised, err
	}
	parsed, err := release.Parse(kept.Body)
	return parsed, revised, err
}
