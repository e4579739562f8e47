package daphttp_test

import (
	"strings"
	"testing"
	"time"

	"muster/internal/daphttp"
	"muster/internal/errs"
)

// A look at a host shows which key it has, how the connection is made, and how
// far its clock is from this one.
func TestProbe(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{"right": 0, "ahead": 10 * time.Minute, "behind": -10 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, setup{members: 3, surface: func(c *daphttp.Config) { c.Now = func() time.Time { return time.Now().Add(off) } }})
			leader, err := n.coordinator.Probe(t.Context())
			must(t, err)
			helper, err := n.memberAt.Probe(t.Context())
			must(t, err)
			if leader.Pin != pin(n.leaderCert) || helper.Pin != pin(n.helperCert) {
				t.Errorf("pins %v, %v", leader.Pin, helper.Pin)
			}
			for i, p := range []daphttp.Probe{leader, helper} {
				if p.TLS != "TLS 1.3" || p.Protocol != "h2" || !strings.HasPrefix(p.Cipher, "TLS_") || p.Address != n.listeners[i].Addr().String() {
					t.Errorf("got %+v", p)
				}
				// The header has whole seconds; a busy machine adds its own.
				if wrong := (p.Offset - off).Abs(); wrong > 600*time.Millisecond+p.RoundTrip || p.RoundTrip <= 0 {
					t.Errorf("the clock is %v off, found %v in %v", off, p.Offset, p.RoundTrip)
				}
			}
		})
	}
}

// Whoever has another key is not looked at.
func TestProbeOfAnother(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	other, err := daphttp.NewLeaderClient(daphttp.ClientConfig{Endpoint: n.leaderURL, TLS: daphttp.ClientTLS(nil, pin(n.helperCert))})
	must(t, err)
	if _, err := other.Probe(t.Context()); errs.KindOf(err) != errs.Denied {
		t.Errorf("got %v", err)
	}
}
