package workspace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
)

// SavedFinding is a finding as it is kept. By of the finding is the verifier, By of
// the revision whoever changed it last.
type SavedFinding struct {
	Finding assess.Finding
	Revised
}

func findingKey(id SurveyID, outcome string) Key {
	return Key{Kind: kindFinding, Survey: id, Outcome: outcome}
}

func findingsOf(r Reader, id SurveyID) (map[string]SavedFinding, error) {
	items, err := list[assess.Finding](r, kindFinding, id, "")
	if err != nil {
		return nil, err
	}
	all := make(map[string]SavedFinding, len(items))
	for _, item := range items {
		all[item.Outcome] = SavedFinding{Finding: item.Value, Revised: item.Revised}
	}
	return all, nil
}

func plainFindings(saved map[string]SavedFinding) map[string]assess.Finding {
	all := make(map[string]assess.Finding, len(saved))
	for outcome, s := range saved {
		all[outcome] = s.Finding
	}
	return all
}

// PutFinding keeps what the verifier found about an outcome in the place of the
// revision base, 0 if it is the first. The reply of who answered stays as it is; By
// is the person. Claimed is the level that she looked at, or none: it is a Conflict if
// another one is answered by now. What somebody else changed meanwhile is merged; what
// both changed is a [Clash].
func (s *Service) PutFinding(ctx context.Context, person Person, id SurveyID, base Revision, f assess.Finding) (SavedFinding, error) {
	err := errors.Join(
		text("what was seen", f.Seen, maxText), text("what was found", f.Found, maxText),
		assess.Answer{Level: framework.Withheld, Verified: f.Verified, Target: framework.None}.Check(),
	)
	if err != nil {
		return SavedFinding{}, err
	}
	if f.Verified != framework.None && f.Seen == "" {
		return SavedFinding{}, errs.New(errs.Invalid, "a verified level needs what was seen", "say what was looked at")
	}
	return s.finding(ctx, person, verify, id, f.Outcome, base, &f, func(was assess.Finding) assess.Finding {
		f.Reply = was.Reply
		return f
	})
}

// Reply keeps what who answered says to a finding.
func (s *Service) Reply(ctx context.Context, person Person, id SurveyID, outcome string, base Revision, reply string) (SavedFinding, error) {
	if err := text("the reply", reply, maxText); err != nil {
		return SavedFinding{}, err
	}
	return s.finding(ctx, person, answer, id, outcome, base, nil, func(was assess.Finding) assess.Finding {
		was.Outcome, was.Reply = outcome, reply
		return was
	})
}

// finding keeps what edit makes of a finding; mine is what a verifier found, or nil.
func (s *Service) finding(ctx context.Context, person Person, what action, id SurveyID, outcome string, base Revision, mine *assess.Finding, edit func(was assess.Finding) assess.Finding) (SavedFinding, error) {
	var saved SavedFinding
	err := s.change(ctx, "keep a finding", person, what, func(tx change) error {
		is, err := s.writable(tx, id)
		if err != nil {
			return err
		}
		if _, err := is.outcome(outcome); err != nil {
			return err
		}
		claimed, err := newest(tx, id, outcome)
		if err != nil {
			return err
		}
		switch {
		case mine == nil:
		case mine.Claimed != claimed.Entry.Level:
			return errs.New(errs.Conflict, fmt.Sprintf("outcome %s has another level by now than the one that was looked at", outcome), "load the page again and look at the level that it has; nothing was kept")
		case claimed.Entry.Level == framework.None && mine.Verified != framework.None:
			return errs.New(errs.Conflict, fmt.Sprintf("outcome %s has no level yet that could be verified", outcome), "keep what was seen without a verified level")
		}
		now, last, err := get[assess.Finding](tx, findingKey(id, outcome))
		if err != nil && !errors.Is(err, errNone) {
			return err
		}
		if err != nil && what == answer {
			return errs.New(errs.NotFound, fmt.Sprintf("there is no finding about outcome %s", outcome), "")
		}
		began := now // what the edit began with
		if base != 0 && base != last.Rev {
			if began, err = kept[assess.Finding](tx, findingKey(id, outcome), base); err != nil {
				return err
			}
		}
		saved.Finding, saved.Revised, err = keepMerged(tx, findingKey(id, outcome), base, edit(began), findingParts(), func(f *assess.Finding) {
			if f.Outcome, f.By, f.Claimed = outcome, now.By, now.Claimed; what == verify {
				f.By, f.Claimed = person.Name, claimed.Entry.Level
			}
		})
		return err
	})
	return saved, err
}

// Findings returns the findings of a survey, by outcome.
func (s *Service) Findings(ctx context.Context, person Person, id SurveyID) (map[string]SavedFinding, error) {
	var all map[string]SavedFinding
	err := s.view(ctx, "read findings", person, see, func(r Reader) error {
		if _, err := s.open(r, id); err != nil {
			return err
		}
		var err error
		all, err = findingsOf(r, id)
		return err
	})
	return all, err
}

// Sample proposes so many outcomes to verify, see [assess.Sample]: with the entries
// and findings of the cycle before, where there is one.
func (s *Service) Sample(ctx context.Context, person Person, id SurveyID, size int) ([]assess.Pick, error) {
	var picks []assess.Pick
	err := s.view(ctx, "propose a sample", person, see, func(r Reader) error {
		is, err := s.open(r, id)
		if err != nil {
			return err
		}
		now, err := entriesOf(r, id)
		if err != nil {
			return err
		}
		proposals, err := proposalsOf(r, is, "")
		if err != nil {
			return err
		}
		before, findings := map[string]Saved{}, map[string]SavedFinding{}
		if is.Before != "" {
			if before, err = entriesOf(r, is.Before); err != nil {
				return err
			}
			if findings, err = findingsOf(r, is.Before); err != nil {
				return err
			}
		}
		pieces, err := piecesOf(r, id)
		if err != nil {
			return err
		}
		picks = assess.Sample(is.pack, plain(now), plain(before), proposals, plainFindings(findings), pieces, size)
		return nil
	})
	return picks, err
}

// Opinion is the verifier's statement over all findings of a survey.
type Opinion struct {
	Text      string    `json:"text"`
	Digest    string    `json:"digest"`              // of the findings, see [Service.FindingsDigest]
	By        string    `json:"by"`                  // the name that the statement shows
	At        time.Time `json:"at"`                  //
	Signature []byte    `json:"signature,omitempty"` // of earlier versions, which checked none; it says nothing

	Approval *assess.Approval `json:"approval,omitempty"` // nil where nobody signed

	// Lapsed says that the key is registered for the verifier no longer: the signature
	// does not count. It follows from who is registered and is not kept.
	Lapsed bool `json:"-"`
}

// Signed reports whether the opinion has a signature that counts.
func (o Opinion) Signed() bool { return o.Approval != nil && !o.Lapsed }

// The versions of what an opinion's digest is over. The first one had no salt.
const (
	opinionFormat   = "muster-findings/2"
	opinionFormatV1 = "muster-findings/1"
)

// FindingsDigest returns what the verifier signs: hex SHA-256 over the canonical
// JSON of the survey's findings with the levels that were claimed.
func (s *Service) FindingsDigest(ctx context.Context, person Person, id SurveyID) (string, error) {
	var sum string
	err := s.view(ctx, "digest the findings", person, see, func(r Reader) error {
		is, err := s.open(r, id)
		if err != nil {
			return err
		}
		sum, err = findingsDigest(r, is)
		return err
	})
	return sum, err
}

// FindingsStatement is what an opinion's digest is over.
type FindingsStatement struct {
	Format    string             `json:"format"`
	Salt      string             `json:"salt,omitempty"` // as in [Statement]
	Member    coalition.MemberID `json:"member"`
	Cycle     string             `json:"cycle"`
	Framework framework.Ref      `json:"framework"`
	Findings  map[string]Claim   `json:"findings"` // by outcome
}

// Claim is a finding with the level that it is about.
type Claim struct {
	Claimed framework.Level `json:"claimed"`
	Finding assess.Finding  `json:"finding"`
}

// Digest returns hex SHA-256 of the statement's canonical JSON.
func (s FindingsStatement) Digest() (string, error) {
	body, err := keys.Canonical(s)
	return keys.Digest(body), err
}

func findingsDigest(r Reader, is survey) (string, error) {
	st, err := findingsStatement(r, is)
	if err != nil {
		return "", err
	}
	return st.Digest()
}

func findingsStatement(r Reader, is survey) (FindingsStatement, error) {
	st := FindingsStatement{Format: opinionFormat, Salt: is.Salt, Cycle: is.Cycle, Framework: is.Pack, Findings: make(map[string]Claim)}
	if is.Salt == "" {
		st.Format = opinionFormatV1
	}
	var err error
	if st.Member, err = memberOf(r); err != nil {
		return st, err
	}
	findings, err := findingsOf(r, is.id)
	if err != nil {
		return st, err
	}
	entries, err := entriesOf(r, is.id)
	if err != nil {
		return st, err
	}
	for outcome, f := range findings {
		st.Findings[outcome] = Claim{Claimed: entries[outcome].Entry.Level, Finding: f.Finding}
	}
	return st, nil
}

// PutOpinion keeps the verifier's statement. It is a Conflict if the findings are no
// longer those that it is about. A signature is checked against the keys that are
// registered for the verifier.
func (s *Service) PutOpinion(ctx context.Context, person Person, id SurveyID, o Opinion) error {
	err := errors.Join(line("the name under the opinion", o.By, maxName), text("the opinion", o.Text, maxText), digest("the digest of the findings", o.Digest), signature(o.Signature))
	if err != nil {
		return err
	}
	if o.Text == "" {
		return errs.New(errs.Invalid, "the opinion is empty", "")
	}
	return s.change(ctx, "keep the opinion", person, verify, func(tx change) error {
		is, err := s.writable(tx, id)
		if err != nil {
			return err
		}
		now, err := findingsDigest(tx, is)
		if err != nil {
			return err
		}
		if now != o.Digest {
			return errs.New(errs.Conflict, "the findings have changed since the opinion was written", "read them again, and sign again")
		}
		if o.Approval != nil {
			if err := checkOpinion(tx, is, o); err != nil {
				return err
			}
		}
		key := Key{Kind: kindOpinion, Survey: id}
		_, was, err := get[Opinion](tx, key)
		if err != nil && !errors.Is(err, errNone) {
			return err
		}
		o.At = tx.now
		_, err = tx.put(key, was.Rev, o)
		return err
	})
}

// Opinion returns the verifier's last statement and whether it holds: whether the
// findings are still those that it is about. It is NotFound if there is none.
func (s *Service) Opinion(ctx context.Context, person Person, id SurveyID) (o Opinion, holds bool, err error) {
	err = s.view(ctx, "read the opinion", person, see, func(r Reader) error {
		is, err := s.open(r, id)
		if err != nil {
			return err
		}
		o, _, err = get[Opinion](r, Key{Kind: kindOpinion, Survey: id})
		if errors.Is(err, errNone) {
			return errs.New(errs.NotFound, "the verifier has given no opinion yet", "")
		}
		if err != nil {
			return err
		}
		if a := o.Approval; a != nil && a.Kind == assess.ApprovalKey {
			approver, err := approverOf(r, a.Key)
			if err != nil && errs.KindOf(err) != errs.Denied {
				return err
			}
			o.Lapsed = err != nil || approver.Key != a.Key || !approver.Verifier
		}
		now, err := findingsDigest(r, is)
		holds = now == o.Digest
		return err
	})
	return o, holds, err
}

func signature(b []byte) error {
	if len(b) > maxSignature {
		return errs.New(errs.Invalid, "the signature is too long to be one", "")
	}
	return nil
}
