package daphttp

import (
	"context"
	"net/http"

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
	return c.putReceipt(ctx, r)
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
	return c.putReceipt(ctx, r)
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

func (c *client) putReceipt(ctx context.Context, r coalition.SignedReceipt) error {
	_, _, err := c.send(ctx, "receipt", pathReceipts, r.Body, r.Signature, maxReceiptEnvelope)
	return err
}

// cosign sends a signed file and returns it as it comes back.
func (c *client) cosign(ctx context.Context, name, pattern string, body, signature []byte) ([]byte, []byte, error) {
	r, ok, err := c.send(ctx, name, pattern, body, signature, maxListEnvelope)
	if err != nil {
		return nil, nil, err
	}
	if !ok {
		return nil, nil, c.odd("answered without the signed " + name)
	}
	body, signature, err = unseal(name, r)
	if err != nil {
		return nil, nil, c.odd("answered with a " + name + " that cannot be read")
	}
	return body, signature, nil
}

// send posts a signed file to the resource of the task that it belongs to. ok
// says that the answer has a body.
func (c *client) send(ctx context.Context, name, pattern string, body, signature []byte, limit int64) (answer []byte, ok bool, err error) {
	task, err := taskOf(body)
	if err != nil {
		return nil, false, err
	}
	document, err := seal(name, body, signature)
	if err != nil {
		return nil, false, err
	}
	r, err := c.do(ctx, call{
		method: http.MethodPost, url: c.at(pattern, task), media: mediaJSON, body: document, answers: mediaJSON, limit: limit,
	})
	return r.body, len(r.body) > 0, err
}
