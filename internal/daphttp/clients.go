package daphttp

import (
	"context"
	"net/http"
	"net/url"

	"muster/dap"
	"muster/internal/coalition"
)

// LeaderClient reaches a Leader: for members, who upload and hand over
// receipts, and with the coordinator's certificate for the coordinator, who
// collects. It may be used concurrently.
type LeaderClient struct {
	*client
}

// NewLeaderClient returns a client of the Leader at cfg.Endpoint.
func NewLeaderClient(cfg ClientConfig) (*LeaderClient, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	return &LeaderClient{c}, nil
}

// HpkeConfigs returns what the Leader offers to seal for (DAP-18 4.4.1). What
// counts for a cycle is the list in its charter.
func (c *LeaderClient) HpkeConfigs(ctx context.Context) (dap.HpkeConfigList, error) {
	return c.hpkeConfigs(ctx)
}

// Upload sends an UploadRequest and returns nothing or an UploadErrors.
func (c *LeaderClient) Upload(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	r, err := c.do(ctx, call{
		method: http.MethodPost, url: c.at(pathReports, task), media: dap.MediaUploadRequest, body: body,
		answers: dap.MediaUploadErrors, limit: dap.MaxMessageSize,
	})
	return r.body, err
}

// PutReceipt hands over a member's receipt. It is acknowledged when PutReceipt
// returns nil.
func (c *LeaderClient) PutReceipt(ctx context.Context, r coalition.SignedReceipt) error {
	_, err := c.acknowledge(ctx, r)
	return err
}

// Acknowledge hands over a member's receipt and returns the host's word on it.
func (c *LeaderClient) Acknowledge(ctx context.Context, r coalition.SignedReceipt) (coalition.Acknowledgement, error) {
	return c.acknowledge(ctx, r)
}

// Postpone hands over an addendum that all three have signed.
func (c *LeaderClient) Postpone(ctx context.Context, task dap.TaskID, a coalition.SignedAddendum) error {
	return c.postpone(ctx, task, a)
}

// FrozenRoster returns the roster that both hosts signed with its amendments, as
// this host has them. It is for the coordinator; whoever uses it
// opens it.
func (c *LeaderClient) FrozenRoster(ctx context.Context, task dap.TaskID) (coalition.FrozenRoster, error) {
	return c.frozenRoster(ctx, task)
}

// Standing, and Addenda and Receipt below, are for the Helper whose database was
// restored from a backup; Standing and Addenda are for the coordinator, too.
func (c *LeaderClient) Standing(ctx context.Context, task dap.TaskID) (coalition.Standing, error) {
	return c.standing(ctx, task)
}

// Addenda returns the postponements that the Leader has taken, in order; whoever
// uses them checks their signatures.
func (c *LeaderClient) Addenda(ctx context.Context, task dap.TaskID) ([]coalition.SignedAddendum, error) {
	return c.addenda(ctx, task)
}

// Receipt returns the Leader's receipt for a report; whoever uses it opens it.
func (c *LeaderClient) Receipt(ctx context.Context, task dap.TaskID, report dap.ReportID) (coalition.SignedReceipt, error) {
	return c.receipt(ctx, task, report)
}

// CollectionJob sends a CollectionJobReq and returns the CollectionJobResp.
func (c *LeaderClient) CollectionJob(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	return c.create(ctx, call{
		url: c.at(pathCollectionJobs, task), media: dap.MediaCollectionJobReq, body: body,
		answers: dap.MediaCollectionJobResp, limit: dap.MaxMessageSize,
	})
}

// HelperClient reaches a Helper: for the Leader, with its certificate, and for
// members, who hand over receipts. It may be used concurrently.
type HelperClient struct {
	*client
}

// NewHelperClient returns a client of the Helper at cfg.Endpoint.
func NewHelperClient(cfg ClientConfig) (*HelperClient, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	return &HelperClient{c}, nil
}

// HpkeConfigs returns what the Helper offers to seal for, see
// [LeaderClient.HpkeConfigs].
func (c *HelperClient) HpkeConfigs(ctx context.Context) (dap.HpkeConfigList, error) {
	return c.hpkeConfigs(ctx)
}

// PutReceipt hands over a member's receipt. It is acknowledged when PutReceipt
// returns nil.
func (c *HelperClient) PutReceipt(ctx context.Context, r coalition.SignedReceipt) error {
	_, err := c.acknowledge(ctx, r)
	return err
}

// Acknowledge hands over a member's receipt and returns the host's word on it.
func (c *HelperClient) Acknowledge(ctx context.Context, r coalition.SignedReceipt) (coalition.Acknowledgement, error) {
	return c.acknowledge(ctx, r)
}

// Postpone hands over an addendum that all three have signed.
func (c *HelperClient) Postpone(ctx context.Context, task dap.TaskID, a coalition.SignedAddendum) error {
	return c.postpone(ctx, task, a)
}

// FrozenRoster returns the roster that both hosts signed with its amendments, as
// this host has them. It is for the coordinator, and for the Leader; whoever uses it
// opens it.
func (c *HelperClient) FrozenRoster(ctx context.Context, task dap.TaskID) (coalition.FrozenRoster, error) {
	return c.frozenRoster(ctx, task)
}

// Standing, and Addenda and Receipt below, are for the Leader whose database was
// restored from a backup; Standing and Addenda are for the coordinator, too.
func (c *HelperClient) Standing(ctx context.Context, task dap.TaskID) (coalition.Standing, error) {
	return c.standing(ctx, task)
}

// Addenda returns the postponements that the Helper has taken, in order; whoever
// uses them checks their signatures.
func (c *HelperClient) Addenda(ctx context.Context, task dap.TaskID) ([]coalition.SignedAddendum, error) {
	return c.addenda(ctx, task)
}

// Receipt returns the Helper's receipt for a report; whoever uses it opens it.
func (c *HelperClient) Receipt(ctx context.Context, task dap.TaskID, report dap.ReportID) (coalition.SignedReceipt, error) {
	return c.receipt(ctx, task, report)
}

// CosignRoster hands over the Leader's roster and returns it with both
// signatures, or the Helper's words on where the lists differ.
func (c *HelperClient) CosignRoster(ctx context.Context, r coalition.SignedRoster) (coalition.SignedRoster, error) {
	body, signature, err := c.cosign(ctx, "roster", pathRoster, r.Body, r.Signature)
	return coalition.SignedRoster{Body: body, Signature: signature}, err
}

// CosignAmendment does the same with an amendment to the roster.
func (c *HelperClient) CosignAmendment(ctx context.Context, a coalition.SignedAmendment) (coalition.SignedAmendment, error) {
	body, signature, err := c.cosign(ctx, "amendment", pathAmendments, a.Body, a.Signature)
	return coalition.SignedAmendment{Body: body, Signature: signature}, err
}

// AggregationJob sends an AggregationJobInitReq and returns the AggregationJobResp.
func (c *HelperClient) AggregationJob(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	return c.create(ctx, call{
		url: c.at(pathAggregationJobs, task), media: dap.MediaAggregationJobInitReq, body: body,
		answers: dap.MediaAggregationJobResp, limit: dap.MaxJobSize,
	})
}

// AggregateShare sends an AggregateShareReq and returns the AggregateShare.
func (c *HelperClient) AggregateShare(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	return c.create(ctx, call{
		url: c.at(pathAggregateShares, task), media: dap.MediaAggregateShareReq, body: body,
		answers: dap.MediaAggregateShare, limit: dap.MaxMessageSize,
	})
}

func (c *client) hpkeConfigs(ctx context.Context) (dap.HpkeConfigList, error) {
	r, err := c.do(ctx, call{
		method: http.MethodGet, url: c.at(pathHpkeConfig, dap.TaskID{}), answers: dap.MediaHpkeConfigList, limit: dap.MaxMessageSize,
	})
	if err != nil {
		return nil, err
	}
	var list dap.HpkeConfigList
	if err := list.UnmarshalBinary(r.body); err != nil {
		return nil, c.odd("answered with HPKE configurations that cannot be read")
	}
	return list, nil
}

func (c *client) acknowledge(ctx context.Context, r coalition.SignedReceipt) (coalition.Acknowledgement, error) {
	task, err := taskOf(r.Body)
	if err != nil {
		return coalition.Acknowledgement{}, err
	}
	answer, err := c.send(ctx, "receipt", c.at(pathReceipts, task), r.Body, r.Signature, maxReceiptEnvelope)
	if err != nil {
		return coalition.Acknowledgement{}, err
	}
	ack, err := unsealAcknowledgement(answer)
	if err != nil || ack.Receipt != r.Digest() {
		return coalition.Acknowledgement{}, c.odd("acknowledged another receipt than was sent")
	}
	return ack, nil
}

func (c *client) postpone(ctx context.Context, task dap.TaskID, a coalition.SignedAddendum) error {
	_, err := c.send(ctx, "addendum", c.at(pathAddenda, task), a.Body, a.Signature, maxAddendumEnvelope)
	return err
}

func (c *client) addenda(ctx context.Context, task dap.TaskID) ([]coalition.SignedAddendum, error) {
	r, err := c.do(ctx, call{method: http.MethodGet, url: c.at(pathAddenda, task), answers: mediaJSON, limit: maxListEnvelope})
	if err != nil {
		return nil, err
	}
	list, err := unsealAddenda(r.body)
	if err != nil {
		return nil, c.odd("answered with postponements that cannot be read")
	}
	return list, nil
}

func (c *client) frozenRoster(ctx context.Context, task dap.TaskID) (coalition.FrozenRoster, error) {
	r, err := c.do(ctx, call{method: http.MethodGet, url: c.at(pathRoster, task), answers: mediaJSON, limit: maxFrozenEnvelope})
	if err != nil {
		return coalition.FrozenRoster{}, err
	}
	frozen, err := unsealFrozen(r.body)
	if err != nil {
		return coalition.FrozenRoster{}, c.odd("answered with a roster that cannot be read")
	}
	return frozen, nil
}

// cosign sends a signed file and returns it as it comes back.
func (c *client) cosign(ctx context.Context, name, pattern string, body, signature []byte) ([]byte, []byte, error) {
	task, err := taskOf(body)
	if err != nil {
		return nil, nil, err
	}
	answer, err := c.send(ctx, name, c.at(pattern, task), body, signature, maxListEnvelope)
	if err != nil {
		return nil, nil, err
	}
	if len(answer) == 0 {
		return nil, nil, c.odd("answered without the signed " + name)
	}
	body, signature, err = unseal(name, answer)
	if err != nil {
		return nil, nil, c.odd("answered with a " + name + " that cannot be read")
	}
	return body, signature, nil
}

// send posts a signed file and returns the body of the answer, which may be empty.
func (c *client) send(ctx context.Context, name string, to *url.URL, body, signature []byte, limit int64) ([]byte, error) {
	document, err := seal(name, body, signature)
	if err != nil {
		return nil, err
	}
	r, err := c.do(ctx, call{method: http.MethodPost, url: to, media: mediaJSON, body: document, answers: mediaJSON, limit: limit})
	return r.body, err
}

func (c *client) standing(ctx context.Context, task dap.TaskID) (coalition.Standing, error) {
	r, err := c.do(ctx, call{method: http.MethodGet, url: c.at(pathStanding, task), answers: mediaJSON, limit: maxReceiptEnvelope})
	if err != nil {
		return coalition.Standing{}, err
	}
	var s coalition.Standing
	if err := decodeJSON(r.body, &s); err != nil || s.Phase == "" || s.Collection == "" {
		return coalition.Standing{}, c.odd("answered with a standing that cannot be read")
	}
	return s, nil
}

func (c *client) receipt(ctx context.Context, task dap.TaskID, report dap.ReportID) (coalition.SignedReceipt, error) {
	u := *c.base
	u.Path = basePath(c.base) + expand(pathReceipt, task, report.String())
	r, err := c.do(ctx, call{method: http.MethodGet, url: &u, answers: mediaJSON, limit: maxReceiptEnvelope})
	if err != nil {
		return coalition.SignedReceipt{}, err
	}
	body, signature, err := unseal("receipt", r.body)
	if err != nil {
		return coalition.SignedReceipt{}, c.odd("answered with a receipt that cannot be read")
	}
	return coalition.SignedReceipt{Body: body, Signature: signature}, nil
}
