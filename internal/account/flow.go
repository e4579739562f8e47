package account

import (
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"muster/internal/errs"
)

// purpose says what a ceremony is for: what was begun for one purpose ends for none
// other.
type purpose int

const (
	toJoin purpose = iota
	toSignIn
	toAdd
	toSign
	byProvider
)

// flow is a ceremony that has begun: what the answer is checked against. It lives in
// this process only, is used once, and ends soon.
type flow struct {
	purpose purpose
	person  PersonID // of whom it is, where that is known
	token   string   // of the invitation that it uses
	session webauthn.SessionData
	subject []byte // what is signed
	expires time.Time

	state, nonce, verifier string // of a provider
}

// A ceremony is answered within this time.
const flowTime = 5 * time.Minute

// maxFlows bounds how many have begun at the same time.
const maxFlows = 4_096

// flows are those that have begun, by the digest of what names them.
type flows struct {
	mu  sync.Mutex
	all map[string]flow // guarded by mu
}

// begin keeps a flow. Where there are too many, those that are over are forgotten,
// and then whichever ends first.
func (f *flows) begin(name string, one flow, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all == nil {
		f.all = make(map[string]flow)
	}
	if len(f.all) >= maxFlows {
		first := ""
		for key, other := range f.all {
			if !now.Before(other.expires) {
				delete(f.all, key)
			} else if first == "" || other.expires.Before(f.all[first].expires) {
				first = key
			}
		}
		if len(f.all) >= maxFlows {
			delete(f.all, first)
		}
	}
	one.expires = now.Add(flowTime)
	f.all[tokenDigest(name)] = one
}

// end returns a flow, once.
func (f *flows) end(name string, want purpose, now time.Time) (flow, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := tokenDigest(name)
	one, ok := f.all[key]
	delete(f.all, key)
	if !ok || one.purpose != want || !now.Before(one.expires) {
		return flow{}, errs.New(errs.Conflict, "this took too long, or was answered already", "begin again")
	}
	return one, nil
}

// beginFlow keeps a flow and returns what names it.
func (s *Service) beginFlow(one flow) (string, error) {
	name, err := s.token()
	if err == nil {
		s.flows.begin(name, one, s.now())
	}
	return name, err
}
