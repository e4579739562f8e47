package logserver

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"muster/internal/errs"
	"muster/internal/ledger"
)

// Client is the [ledger.Source] of a ledger that is served as C2SP tlog-tiles has it.
// The server is not trusted: what it gives is read up to a limit, and checked by whoever
// asks for it against a checkpoint that the reader's policy accepts. HTTP must not follow
// redirects, and must end a request that takes too long.
type Client struct {
	URL  string // without a slash at its end
	HTTP *http.Client
}

// Resource reads one resource.
func (c Client) Resource(ctx context.Context, name string, limit int) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+"/"+name, nil)
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, errs.Quote(c.URL)+" is no address of a ledger", "")
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, c.refusal(name, "cannot be reached", err)
	}
	defer resp.Body.Close() // it was read, or is not wanted
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return nil, errs.New(errs.NotFound, fmt.Sprintf("%s is not at the ledger", errs.Quote(name)), "before anything was published there is nothing to read")
	case resp.StatusCode != http.StatusOK:
		return nil, c.refusal(name, fmt.Sprintf("answers with status %d", resp.StatusCode), nil)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(limit)+1))
	if err != nil {
		return nil, c.refusal(name, "did not answer to the end", err)
	}
	if len(body) > limit {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("%s of the ledger is longer than %d bytes", errs.Quote(name), limit), "this is no ledger, or one that means harm")
	}
	return body, nil
}

func (c Client) refusal(name, what string, cause error) error {
	return errs.Wrap(cause, errs.Unavailable, fmt.Sprintf("the ledger at %s %s (%s)", errs.Quote(c.URL), what, name), "is the address right, and its server running?")
}

var _ ledger.Source = Client{}
