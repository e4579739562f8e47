package rehearse

import (
	"fmt"
	"slices"
	"time"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

const reportKind = "muster rehearsal report v1"

// maxReport bounds a report that is read, in bytes.
const maxReport = 256 << 10

// Report says how a rehearsal on the machines of a coalition went: step by step,
// with what was found at the hosts and what is to be done next. It names test
// members only, and holds no secret.
type Report struct {
	Kind        string      `json:"kind"`
	Marking     string      `json:"marking"` // the charter's
	Coalition   string      `json:"coalition"`
	Cycle       string      `json:"cycle"`
	Charter     string      `json:"charter"` // hex SHA-256
	Program     string      `json:"program"` // which muster the coordinator ran
	Passed      bool        `json:"passed"`
	Hosts       []HostFound `json:"hosts"`
	Members     int         `json:"members"`
	Submissions int         `json:"submissions"` // that were added up, or zero
	Steps       []Step      `json:"steps"`
	Next        []Next      `json:"next"`
}

// HostFound is what the coordinator found at a host.
type HostFound struct {
	Role      string             `json:"role"` // "Leader" or "Helper"
	Member    coalition.MemberID `json:"member"`
	URL       string             `json:"url"`
	Address   string             `json:"address"` // IP and port that the url led to
	Pin       string             `json:"pin"`     // of its TLS key, as the charter has it
	TLS       string             `json:"tls"`
	Cipher    string             `json:"cipher"`
	Protocol  string             `json:"protocol"`
	RoundTrip int64              `json:"round_trip_us"`   // microseconds
	Offset    int64              `json:"clock_offset_ms"` // of its clock against the coordinator's, to some half a second
}

// Step is one step of a rehearsal.
type Step struct {
	Name  string   `json:"name"`
	Began int64    `json:"began"`   // seconds since 1970
	Took  int64    `json:"took_ms"` // milliseconds
	Good  bool     `json:"good"`
	Found []string `json:"found"` // in words
}

// Next is what somebody has to do next.
type Next struct {
	Who  string   `json:"who"`
	What []string `json:"what"` // in words, or a command
}

// NewReport begins the report of a rehearsal under a charter, which must be
// marked as one.
func NewReport(c coalition.Charter, program string) (*Report, error) {
	if c.Marking != coalition.MarkingRehearsal {
		return nil, errs.New(errs.Denied, "the charter is not marked REHEARSAL: nothing is rehearsed under it", "make a charter for the rehearsal alone: muster collect charter --marking REHEARSAL")
	}
	digest, err := c.Digest()
	if err != nil {
		return nil, err
	}
	members := 0
	for _, cohort := range c.Cohorts {
		members += len(cohort.Members)
	}
	return &Report{
		Kind: reportKind, Marking: c.Marking, Coalition: c.Coalition, Cycle: c.Cycle, Charter: digest, Program: program, Members: members,
		Hosts: []HostFound{}, Steps: []Step{}, Next: []Next{},
	}, nil
}

// Done reports whether a step was taken and was good.
func (r *Report) Done(name string) bool {
	return slices.ContainsFunc(r.Steps, func(s Step) bool { return s.Name == name && s.Good })
}

// Put enters a step in place of an earlier attempt at it.
func (r *Report) Put(step Step) {
	if step.Found == nil {
		step.Found = []string{}
	}
	r.Steps = slices.DeleteFunc(r.Steps, func(s Step) bool { return s.Name == step.Name })
	r.Steps = append(r.Steps, step)
}

// Sign returns the report signed by the coordinator.
func (r *Report) Sign(coordinator *keys.Signer) (coalition.SignedFile, error) {
	body, err := keys.Canonical(r)
	if err != nil {
		return coalition.SignedFile{}, err
	}
	sig, err := keys.Sign(keys.KindRehearsal, body, coordinator)
	return coalition.SignedFile{Body: body, Signature: sig}, err
}

// OpenReport reads the report of a rehearsal under a charter, and checks that
// the charter's coordinator has signed it.
func OpenReport(file coalition.SignedFile, c coalition.Charter) (*Report, error) {
	r, err := ParseReport(file.Body)
	if err != nil {
		return nil, err
	}
	digest, err := c.Digest()
	if err != nil {
		return nil, err
	}
	if r.Charter != digest || r.Marking != c.Marking || r.Coalition != c.Coalition || r.Cycle != c.Cycle {
		return nil, errs.New(errs.Conflict, "the report is of a rehearsal under another charter", "give the charter that was rehearsed under")
	}
	return r, keys.Verify(keys.KindRehearsal, file.Body, file.Signature, c.Coordinator.Key)
}

// ParseReport reads a report without asking who signed it.
func ParseReport(body []byte) (*Report, error) {
	var r Report
	if len(body) > maxReport {
		return nil, errs.New(errs.Invalid, "the file is too large to be a rehearsal report", "")
	}
	if err := keys.DecodeCanonical(body, &r); err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "this is no rehearsal report as muster wrote it", "ask the coordinator for the file and its .sig again, unchanged")
	}
	switch {
	case r.Kind != reportKind:
		return nil, errs.New(errs.Invalid, "the rehearsal report is of kind "+errs.Quote(r.Kind), "")
	case r.Marking != coalition.MarkingRehearsal:
		return nil, errs.New(errs.Invalid, "the rehearsal report is not marked REHEARSAL", "")
	case r.Hosts == nil || r.Steps == nil || r.Next == nil:
		return nil, errs.New(errs.Invalid, "the rehearsal report has lists that are null", "")
	case r.Passed && slices.ContainsFunc(r.Steps, func(s Step) bool { return !s.Good }):
		return nil, errs.New(errs.Invalid, "the rehearsal report says passed, and has a step that is not good", "")
	}
	return &r, nil
}

// MaxOffset is how far a host's clock may differ before a rehearsal fails; at
// MuchOffset it is worth a second look.
const (
	MaxOffset  = 300 * time.Second // what hosts allow each other, DAP's skew
	MuchOffset = 10 * time.Second
)

// Clock says in words how a host's clock goes, and whether it can serve.
func (h HostFound) Clock() (words string, ok bool) {
	offset := time.Duration(h.Offset) * time.Millisecond
	if offset.Abs() < 2*time.Second {
		return "its clock agrees with the coordinator's, to two seconds", true
	}
	way := "ahead of"
	if offset < 0 {
		way = "behind"
	}
	words = fmt.Sprintf("its clock is %v %s the coordinator's", offset.Abs().Round(time.Second), way)
	if offset.Abs() > MuchOffset {
		words += ": set both from a time server"
	}
	return words, offset.Abs() <= MaxOffset
}
