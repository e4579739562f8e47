package coalition

import (
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"muster/dap"
	"muster/internal/errs"
	"muster/internal/keys"
)

// Read reads and checks a charter whoever has signed it. It is for those who
// are still to sign, and for showing; whoever acts on a charter calls
// [SignedCharter.Open].
func (s SignedCharter) Read() (Charter, error) {
	var c Charter
	if err := keys.DecodeCanonical(s.Body, &c); err != nil {
		return Charter{}, errs.Wrap(err, errs.Invalid, "the charter cannot be read", "")
	}
	return c, c.Check()
}

// Propose checks the charter and returns it with the coordinator's signature
// alone: the hosts sign what they have read.
func (c Charter) Propose(coordinator *keys.Signer) (SignedCharter, error) {
	if err := c.RequireWitness(); err != nil {
		return SignedCharter{}, err
	}
	if coordinator.Public() != c.Coordinator.Key {
		return SignedCharter{}, errs.New(errs.Invalid, "this key is not the charter's coordinator", "")
	}
	return c.sign(coordinator)
}

// Signatory is one of the three who sign a charter.
type Signatory struct {
	Role   string // "coordinator", "Leader" or "Helper"
	Name   string // the host's member, or the coalition
	Key    keys.Public
	Signed bool
}

// Signatories returns the three and whether each has signed. It refuses a note
// that is about another file, and one that says somebody signed who did not.
func (s SignedCharter) Signatories() ([]Signatory, error) {
	c, err := s.Read()
	if err != nil {
		return nil, err
	}
	return c.signatories(keys.KindCharter, s.Body, s.Signature)
}

// signatories returns the three who sign the charter and what belongs to it, and
// whether each has signed this file.
func (c Charter) signatories(kind keys.Kind, body, signature []byte) ([]Signatory, error) {
	list := []Signatory{
		{Role: "coordinator", Name: c.Coalition, Key: c.Coordinator.Key},
		{Role: "Leader", Name: string(c.Leader.Member), Key: c.Leader.Key},
		{Role: "Helper", Name: string(c.Helper.Member), Key: c.Helper.Key},
	}
	for i := range list {
		status, err := keys.Check(kind, body, signature, list[i].Key)
		if err != nil {
			return nil, err
		}
		if status == keys.Forged {
			return nil, errs.New(errs.Invalid, fmt.Sprintf("the signature of the %s, %s, is not genuine", list[i].Role, errs.Quote(list[i].Name)),
				fmt.Sprintf("the %s or its .sig was changed after it was signed; ask for both again", kind))
		}
		list[i].Signed = status == keys.Genuine
	}
	return list, nil
}

// JoinFile returns a file that belongs to the charter with the signatures of both
// notes, and who of the three has signed it. kind is of what it is.
func (c Charter) JoinFile(kind keys.Kind, file SignedFile, signature []byte) (SignedFile, []Signatory, error) {
	if _, err := c.signatories(kind, file.Body, signature); err != nil {
		return SignedFile{}, nil, err
	}
	joined, err := keys.Join(kind, file.Body, file.Signature, signature)
	if err != nil {
		return SignedFile{}, nil, err
	}
	file.Signature = joined
	list, err := c.signatories(kind, file.Body, file.Signature)
	return file, list, err
}

// approve returns the note with the signature of one of the list, or as it is if
// that is there.
func approve(kind keys.Kind, body, signature []byte, list []Signatory, signer *keys.Signer) ([]byte, error) {
	i := slices.IndexFunc(list, func(p Signatory) bool { return p.Key == signer.Public() })
	if i < 0 {
		return nil, errs.New(errs.Denied, fmt.Sprintf("this key is none of the three that sign the %s", kind), "")
	}
	if list[i].Signed {
		return signature, nil
	}
	return keys.Cosign(kind, body, signature, signer)
}

// Approve adds the signature of one of the three, or returns the charter as it
// is if that is there. What is to be checked first is in [HostView.Check].
func (s SignedCharter) Approve(signer *keys.Signer) (SignedCharter, error) {
	list, err := s.Signatories()
	if err != nil {
		return SignedCharter{}, err
	}
	s.Signature, err = approve(keys.KindCharter, s.Body, s.Signature, list, signer)
	return s, err
}

// Join returns the charter with the signatures of both notes: the hosts may
// sign one after the other, or each a copy of its own.
func (s SignedCharter) Join(signature []byte) (SignedCharter, error) {
	if _, err := (SignedCharter{Body: s.Body, Signature: signature}).Signatories(); err != nil {
		return SignedCharter{}, err
	}
	joined, err := keys.Join(keys.KindCharter, s.Body, s.Signature, signature)
	if err != nil {
		return SignedCharter{}, err
	}
	s.Signature = joined
	_, err = s.Signatories()
	return s, err
}

// Cards returns the cards of both hosts and of the coordinator, put together
// again from the charter: their fingerprints are those that the three read out
// when they introduced themselves.
func (c Charter) Cards() (leader, helper HostCard, coordinator CoordinatorCard, err error) {
	t, err := c.OpenTask(c.Cohorts[0].ID)
	if err != nil {
		return leader, helper, coordinator, err
	}
	leader = HostCard{
		Kind: hostCardKind, Member: c.Leader.Member, URL: string(t.Configuration.LeaderAggregatorEndpoint), Key: c.Leader.Key,
		HPKE: c.Leader.HPKE, Certificate: c.Leader.Certificate,
	}
	helper = HostCard{
		Kind: hostCardKind, Member: c.Helper.Member, URL: string(t.Configuration.HelperAggregatorEndpoint), Key: c.Helper.Key,
		HPKE: c.Helper.HPKE, Certificate: c.Helper.Certificate,
	}
	coordinator = CoordinatorCard{
		Kind: coordinatorCardKind, Coalition: c.Coalition, Key: c.Coordinator.Key,
		HPKE: c.Coordinator.HPKE, Certificate: c.Coordinator.Certificate,
	}
	return leader, helper, coordinator, nil
}

// The times that a host accepts in a charter.
const (
	maxKept    = 3 * 365 * 24 * time.Hour // from the deadline to the wipe
	shortOpen  = 7 * 24 * time.Hour       // from the opening to the deadline; less is worth a second look
	shortAfter = 7 * 24 * time.Hour       // from the deadline to the wipe
)

// HostView is what a host knows by itself when it is asked to sign a charter.
type HostView struct {
	Ceremony Ceremony // with the cards that were compared on the telephone
	Own      HostCard // one of its two
	Seed     [32]byte // the digest of the seed that this host keeps
	Now      time.Time
}

// Match refuses a charter that is not about the ceremony that this host held or
// asks something else of it than its card says. It returns the host's role.
func (v HostView) Match(c Charter) (dap.Role, error) {
	refuse := func(message, hint string) (dap.Role, error) { return 0, errs.New(errs.Denied, message, hint) }
	role, err := v.Ceremony.Role(v.Own)
	if err != nil {
		return 0, err
	}
	leader, helper, _, err := c.Cards()
	if err != nil {
		return 0, err
	}
	got, want := Ceremony{Cycle: c.Cycle, Leader: leader, Helper: helper}, v.Ceremony
	own, peer := got.Card(role), got.Card(OtherHost(role))
	switch {
	case got.Cycle != want.Cycle:
		return refuse(fmt.Sprintf("the charter is for the cycle %s and the seed was drawn for %s", errs.Quote(got.Cycle), errs.Quote(want.Cycle)), "ask the coordinator for the charter of this cycle")
	case own != v.Own && peer == v.Own:
		return refuse("the charter has Leader and Helper the other way round", fmt.Sprintf("%s was %s in the ceremony; ask the coordinator to mend the charter", v.Own.Member, role))
	case own != v.Own:
		return refuse("the charter does not name this host as it is: "+difference(own, v.Own), "ask the coordinator to mend the charter with this host's own host-card.json")
	case peer != want.Card(OtherHost(role)):
		return refuse("the charter names another host beside this one than the ceremony was held with: "+difference(peer, want.Card(OtherHost(role))), "call the other host, and compare the words of its card")
	case c.SeedDigest != hex.EncodeToString(v.Seed[:]):
		return refuse("the charter names another seed than the one that both hosts drew", "give the coordinator the seed digest that muster host ceremony finish printed")
	}
	for _, cohort := range c.Cohorts {
		t, err := c.OpenTask(cohort.ID)
		if err != nil {
			return 0, err
		}
		if !t.CountsLayout(c.Layout) {
			return refuse("the task of "+cohort.ID+" does not count the blocks of the layout, one bucket of each", "do not sign; ask the coordinator which program wrote this charter")
		}
		if string(t.Configuration.LeaderAggregatorEndpoint) != leader.URL || string(t.Configuration.HelperAggregatorEndpoint) != helper.URL {
			return refuse("the task of "+cohort.ID+" is served at another url than the hosts' cards say", "ask the coordinator to mend the charter")
		}
	}
	return role, nil
}

// Check refuses a charter that does not match, and one that no host can keep, at
// the time when it is asked to sign. It returns what is legal and worth a second
// look.
func (v HostView) Check(c Charter) (warnings []string, err error) {
	if _, err := v.Match(c); err != nil {
		return nil, err
	}
	switch {
	case !v.Now.Before(time.Unix(c.Deadline, 0)):
		return nil, errs.New(errs.Denied, "the deadline of the charter, "+time.Unix(c.Deadline, 0).UTC().Format(time.RFC3339)+", is past", "ask the coordinator for a charter with later times")
	case c.Wipe-c.Deadline > int64(maxKept/time.Second):
		return nil, errs.New(errs.Denied, "the charter keeps keys for more than three years after the deadline", "ask the coordinator for an earlier wipe")
	}
	if err := c.RequireWitness(); err != nil {
		return nil, err
	}
	for _, cohort := range c.Cohorts {
		warnings = append(warnings, c.thin(cohort)...)
	}
	if open := time.Duration(c.Deadline-c.Opens) * time.Second; open < shortOpen {
		warnings = append(warnings, fmt.Sprintf("members have %s between opening and deadline", inWords(open)))
	}
	if after := time.Duration(c.Wipe-c.Deadline) * time.Second; after < shortAfter {
		warnings = append(warnings, fmt.Sprintf("keys are destroyed %s after the deadline: a release must be out by then", inWords(after)))
	}
	return warnings, nil
}

// thin says so if a cohort is so small that nothing of it can ever be released.
func (c Charter) thin(cohort Cohort) []string {
	others := 0
	for _, m := range cohort.Members {
		if m.ID != c.Leader.Member && m.ID != c.Helper.Member {
			others++
		}
	}
	if others >= cohort.ReleaseMinimum {
		return nil
	}
	return []string{fmt.Sprintf("%s has %d members besides the hosts and a release needs %d: its totals stay with the coordinator", cohort.ID, others, cohort.ReleaseMinimum)}
}

// difference names the first field in which a charter's host differs from a card.
func difference(got, want HostCard) string {
	switch {
	case got.Member != want.Member:
		return fmt.Sprintf("%s where the card says %s", errs.Quote(string(got.Member)), errs.Quote(string(want.Member)))
	case got.URL != want.URL:
		return fmt.Sprintf("the url %s where the card says %s", errs.Quote(got.URL), errs.Quote(want.URL))
	case got.Key != want.Key:
		return "another signing key"
	case got.HPKE != want.HPKE:
		return "another key for submissions (HPKE)"
	case got.Certificate != want.Certificate:
		return "another TLS key"
	}
	return "another kind of card"
}

// inWords returns a duration in whole days or hours.
func inWords(d time.Duration) string {
	if hours := int(d / time.Hour); hours < 48 {
		return fmt.Sprintf("%d hours", hours)
	}
	return fmt.Sprintf("%d days", int(d/(24*time.Hour)))
}
