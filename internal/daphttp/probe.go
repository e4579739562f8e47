package daphttp

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"time"

	"muster/dap"
	"muster/internal/errs"
)

// Probe is what a look at a host shows, whose key was found to be the pinned one.
type Probe struct {
	Address   string // that the connection went to, IP and port
	Pin       Pin
	TLS       string // "TLS 1.3"
	Cipher    string
	Protocol  string        // "h2"
	RoundTrip time.Duration // of a small request on an open connection
	Offset    time.Duration // of the host's clock against this one, to some half a second; positive: it is ahead
}

// Probe looks at the Leader.
func (c *LeaderClient) Probe(ctx context.Context) (Probe, error) { return c.probe(ctx) }

// Probe looks at the Helper.
func (c *HelperClient) Probe(ctx context.Context) (Probe, error) { return c.probe(ctx) }

// probe asks twice for what everyone may have: once to connect, once to measure.
func (c *client) probe(ctx context.Context) (Probe, error) {
	if _, err := c.hpkeConfigs(ctx); err != nil {
		return Probe{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	var p Probe
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { p.Address = info.Conn.RemoteAddr().String() },
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.at(pathHpkeConfig, dap.TaskID{}).String(), nil)
	if err != nil {
		return Probe{}, err
	}
	began := c.cfg.Now()
	resp, err := c.http.Do(req)
	if err != nil {
		if again, ok := errors.AsType[*transient](c.lost(ctx, err)); ok {
			return Probe{}, c.unwrap(again)
		}
		return Probe{}, c.lost(ctx, err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, dap.MaxMessageSize)); err != nil {
		return Probe{}, errs.Wrap(err, errs.Unavailable, "the answer of "+c.base.Host+" broke off", "the same request again does no harm")
	}
	p.RoundTrip = c.cfg.Now().Sub(began)
	clock, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil || resp.TLS == nil || len(resp.TLS.PeerCertificates) == 0 {
		return Probe{}, c.odd("answered without saying what time it is")
	}
	// The header is cut to whole seconds, and was written half-way.
	p.Offset = clock.Add(time.Second / 2).Sub(began.Add(p.RoundTrip / 2))
	p.Pin = PinOf(resp.TLS.PeerCertificates[0])
	p.TLS, p.Cipher, p.Protocol = tls.VersionName(resp.TLS.Version), tls.CipherSuiteName(resp.TLS.CipherSuite), resp.TLS.NegotiatedProtocol
	return p, nil
}
