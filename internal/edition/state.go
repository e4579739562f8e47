package edition

import (
	"slices"
	"time"

	"muster/internal/audience"
	"muster/internal/coalition"
	"muster/internal/cycle"
)

// State is where a version stands.
type State string

// The states. What is approved and for the allied circle alone is not put under silence.
const (
	IsDraft     State = "draft"
	IsProposed  State = "proposed"
	IsRefused   State = "refused"
	IsApproved  State = "approved"
	IsSilent    State = "under silence"
	IsAdopted   State = "adopted"
	IsReopened  State = "reopened"
	IsPublished State = "published"
	IsReplaced  State = "replaced" // a later version was published
	IsWithdrawn State = "withdrawn"
)

// States returns all of them.
func States() []State {
	return []State{IsDraft, IsProposed, IsRefused, IsApproved, IsSilent, IsAdopted, IsReopened, IsPublished, IsReplaced, IsWithdrawn}
}

// standing is where a version stands, as the acts say it.
type standing struct {
	state     State
	digest    string
	request   int64
	until     time.Time // of a silence
	published time.Time
	withdrawn time.Time
}

// stands follows the acts of an edition and returns where a version stands. approved says
// how a request ended.
func stands(acts []Act, number int, verdict func(request int64) cycle.Verdict) standing {
	s := standing{state: IsDraft}
	for _, a := range acts {
		if a.Number != number {
			if a.Deed == Published && s.state == IsPublished {
				s.state, s.withdrawn = IsReplaced, a.At
			}
			continue
		}
		s.until = a.Until
		switch a.Deed {
		case Proposed:
			s.digest, s.request = a.Digest, a.Request
			switch verdict(a.Request) {
			case cycle.Approved:
				s.state = IsApproved
			case cycle.Open:
				s.state = IsProposed
			default:
				s.state = IsRefused
			}
		case Silent:
			s.state = IsSilent
		case Adopted:
			s.state = IsAdopted
		case Reopened:
			s.state = IsReopened
		case Published:
			s.state, s.published = IsPublished, a.At
		case Withdrawn:
			s.state, s.withdrawn = IsWithdrawn, a.At
		}
	}
	return s
}

// of returns the acts of one edition of a cycle.
func of(acts []Act, id cycle.ID, name Name) []Act {
	return slices.DeleteFunc(slices.Clone(acts), func(a Act) bool { return a.Cycle != id || a.Name != name })
}

// draftSubject is a version before it is proposed: for nobody but who writes it.
func draftSubject() audience.Subject {
	return audience.Subject{TLP: audience.AmberStrict, Work: audience.Coordinator}
}

// atWork is an edition before it is published: for nobody, and seen by staff, auditors and
// the engineers of both hosts for their work.
func atWork(hosts []string) audience.Subject {
	s := audience.Subject{TLP: audience.AmberStrict, Work: audience.Coordinator | audience.Auditor | audience.Engineer}
	for _, host := range hosts {
		if host != "" {
			s.Of = append(s.Of, coalition.MemberID(host))
		}
	}
	return s
}

// silentSubject is an edition that is under silence, or was adopted and is not published:
// allies read what they are asked about.
func silentSubject(hosts []string) audience.Subject {
	s := atWork(hosts)
	s.Circles = audience.Allied
	return s
}

// subject is what a version is to package audience, given where it stands.
func (s standing) subject(d *Document, hosts []string) audience.Subject {
	switch s.state {
	case IsDraft:
		return draftSubject()
	case IsSilent, IsAdopted:
		return silentSubject(hosts)
	case IsPublished, IsWithdrawn:
		if d != nil {
			return d.subject(hosts, s.withdrawn)
		}
	}
	return atWork(hosts)
}
