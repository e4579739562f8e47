package cli

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"muster/internal/daphttp"
	"muster/internal/errs"
	"muster/internal/ledger"
	"muster/internal/logserver"
)

// How long a ledger over the network is waited for: one resource, and all of it.
const (
	remoteWait = 30 * time.Second
	remoteAll  = 10 * time.Minute
)

// remoteFlags say how a ledger over the network is reached, and whom its reader trusts.
type remoteFlags struct {
	policy, log, certificate string
	witnesses                []string
}

// given reports whether any of it was.
func (f remoteFlags) given() bool {
	return f.policy != "" || f.log != "" || f.certificate != "" || f.witnesses != nil
}

// isAddress reports whether a path is an address of the network.
func isAddress(path string) bool {
	return strings.HasPrefix(path, "https://") || strings.HasPrefix(path, "http://")
}

// readRemote reads a whole ledger over the network, every byte compared with a
// checkpoint that the reader's policy accepts.
func readRemote(ctx context.Context, env Env, address string, f remoteFlags) ([]ledger.Statement, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errs.Wrap(err, errs.Invalid, errs.Quote(address)+" is no address of a ledger", "give https://HOST[:PORT], and a path where it is under one")
	}
	policy, err := (&verifyFlags{policy: f.policy, log: f.log, witnesses: f.witnesses}).readPolicy()
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{ForceAttemptHTTP2: true, ResponseHeaderTimeout: remoteWait, MaxResponseHeaderBytes: 64 << 10}
	defer transport.CloseIdleConnections()
	if f.certificate != "" {
		pin, err := daphttp.ParsePin(f.certificate)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig = daphttp.ClientTLS(nil, pin)
	}
	ctx, cancel := context.WithTimeout(ctx, remoteAll)
	defer cancel()
	source := logserver.Client{URL: strings.TrimSuffix(address, "/"), HTTP: &http.Client{
		Transport: transport, Timeout: remoteWait,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	note, err := source.Resource(ctx, ledger.CheckpointName, ledger.MaxCheckpoint)
	if err != nil {
		return nil, err
	}
	c, err := policy.Verify(note, env.Now())
	if err != nil {
		return nil, err
	}
	view, err := ledger.ReadView(ctx, source, c.Checkpoint)
	if err != nil {
		return nil, err
	}
	return view.Statements()
}
