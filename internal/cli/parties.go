package cli

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"muster/internal/coalition"
	"muster/internal/daphttp"
	"muster/internal/errs"
)

// openCharter reads the charter that a member or the coordinator acts on.
func openCharter(path string) (coalition.SignedCharter, coalition.Charter, error) {
	signed, charter, missing, err := readComplete(path)
	if err == nil && missing != "" {
		err = refused{errs.New(errs.Conflict, "the charter does not count yet: it is not signed by "+missing, "ask the coordinator for the charter and its .sig that all three have signed")}
	}
	return signed, charter, err
}

// readComplete reads a charter, and opens it if all three have signed it; else
// missing names who has not.
func readComplete(path string) (signed coalition.SignedCharter, c coalition.Charter, missing string, err error) {
	if signed, err = readCharter(path); err != nil {
		return signed, c, "", err
	}
	list, err := signed.Signatories()
	if err != nil {
		return signed, c, "", err
	}
	if missing = missingFrom(list); missing != "" {
		return signed, c, missing, nil
	}
	c, err = signed.Open()
	return signed, c, "", err
}

// parties are both hosts of a charter as somebody reaches them.
type parties struct {
	leader *daphttp.LeaderClient
	helper *daphttp.HelperClient
}

// newParties returns clients of both hosts, which show cert; nil for a member.
// wait is for how long a host that does not answer is asked.
func newParties(c coalition.Charter, task coalition.OpenedTask, cert *tls.Certificate, wait time.Duration) (parties, error) {
	var p parties
	leader, err := daphttp.ParsePin(c.Leader.Certificate)
	if err != nil {
		return p, err
	}
	helper, err := daphttp.ParsePin(c.Helper.Certificate)
	if err != nil {
		return p, err
	}
	p.leader, err = daphttp.NewLeaderClient(daphttp.ClientConfig{
		Endpoint: task.Configuration.LeaderAggregatorEndpoint, TLS: daphttp.ClientTLS(cert, leader), Patience: wait,
	})
	if err != nil {
		return p, err
	}
	p.helper, err = daphttp.NewHelperClient(daphttp.ClientConfig{
		Endpoint: task.Configuration.HelperAggregatorEndpoint, TLS: daphttp.ClientTLS(cert, helper), Patience: wait,
	})
	return p, err
}

func (p parties) close() {
	p.leader.Close()
	p.helper.Close()
}

// at says at which host something was refused, keeping kind, hint and cause.
func at(host coalition.MemberID, role string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return errs.Wrap(err, e.Kind, fmt.Sprintf("%s, the %s: %s", host, role, e.Message), e.Hint)
	}
	return fmt.Errorf("%s, the %s: %w", host, role, err)
}
