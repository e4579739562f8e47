package daphttp

import (
	"context"
	"net/http"
	"strconv"

	"muster/dap"
	"muster/internal/coalition"
)

// Helper is the Helper of one task as it is served. Its methods may be called
// concurrently, and the same call again has the same answer.
type Helper interface {
	Cosigner
	Aggregator
}

// Cosigner is the part of a [Helper] that is beside DAP: receipts, and what the
// hosts sign together.
type Cosigner interface {
	Host
	// CosignRoster returns the Leader's roster with both signatures, or refuses
	// in words if the hosts' lists differ.
	CosignRoster(ctx context.Context, r coalition.SignedRoster) (coalition.SignedRoster, error)
	// CosignAmendment does the same with an amendment.
	CosignAmendment(ctx context.Context, a coalition.SignedAmendment) (coalition.SignedAmendment, error)
}

// Aggregator is the part of a [Helper] that is DAP's. Ids are those of
// [dap.JobID] over the body of the request.
type Aggregator interface {
	// AggregationJob takes an AggregationJobInitReq and returns the AggregationJobResp.
	AggregationJob(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error)
	AggregationJobResponse(ctx context.Context, task dap.TaskID, id dap.AggregationJobID) ([]byte, error)
	// ForgetAggregationJob drops the answer, and nothing that keeps a report
	// from being added up twice.
	ForgetAggregationJob(ctx context.Context, task dap.TaskID, id dap.AggregationJobID) error
	// AggregateShare takes an AggregateShareReq and returns the AggregateShare.
	AggregateShare(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error)
	AggregateShareResponse(ctx context.Context, task dap.TaskID, id dap.AggregateShareID) ([]byte, error)
}

// HelperTask is one task that a Helper serves.
type HelperTask struct {
	Helper Helper
	Leader Pin // who may aggregate, collect, and propose rosters and amendments

	Coordinator Pin // who may read the roster, as the Leader may
}

// HelperConfig is a Helper's surface.
type HelperConfig struct {
	Config
	Tasks map[dap.TaskID]HelperTask
}

// NewHelper returns the handler of a Helper. It takes requests from a server
// that [Serve] runs with [ServerTLS]; over anything else nobody is let into what
// is the Leader's.
func NewHelper(cfg HelperConfig) (http.Handler, error) {
	tasks := make(map[dap.TaskID]task[Helper], len(cfg.Tasks))
	for id, t := range cfg.Tasks {
		tasks[id] = task[Helper]{host: t.Helper, pins: map[party]Pin{leader: t.Leader, coordinator: t.Coordinator}}
	}
	configs, err := hpkeConfigs[Helper](cfg.HPKE)
	if err != nil {
		return nil, err
	}
	return newSurface(cfg.Config, tasks, helperRoutes(configs))
}

// helperRoutes is everything that a Helper serves; configs answers with its HPKE
// configurations.
func helperRoutes(configs func(context.Context, request[Helper]) (answer, error)) []route[Helper] {
	return []route[Helper]{
		// HPKE configurations (DAP-18 4.4.1)
		{method: "GET", path: pathHpkeConfig, do: configs},

		// Receipts, addenda, rosters and amendments, beside DAP
		{method: "POST", path: pathReceipts, body: content{mediaJSON, maxReceiptEnvelope}, do: putReceipt[Helper]},
		{method: "POST", path: pathAddenda, body: content{mediaJSON, maxAddendumEnvelope}, do: postpone[Helper]},
		{method: "GET", path: pathAddenda, who: leader | coordinator, do: readAddenda[Helper]},
		{method: "GET", path: pathReceipt, who: leader, do: readReceipt[Helper]},
		{method: "GET", path: pathRoster, who: leader | coordinator, do: readRoster[Helper]},
		{method: "GET", path: pathStanding, who: leader | coordinator, do: readStanding[Helper]},
		{method: "POST", path: pathRoster, who: leader, body: content{mediaJSON, maxListEnvelope}, do: cosignRoster},
		{method: "POST", path: pathAmendments, who: leader, body: content{mediaJSON, maxListEnvelope}, do: cosignAmendment},

		// Aggregation jobs (DAP-18 4.5)
		{method: "POST", path: pathAggregationJobs, who: leader, body: content{dap.MediaAggregationJobInitReq, dap.MaxJobSize}, heavy: true, do: createJob},
		{method: "POST", path: pathAggregationJob, who: leader, body: content{dap.MediaAggregationJobContinueReq, dap.MaxJobSize}, do: continueJob},
		{method: "GET", path: pathAggregationJob, who: leader, do: readJob},
		{method: "DELETE", path: pathAggregationJob, who: leader, do: deleteJob},

		// Aggregate shares (DAP-18 4.6.4)
		{method: "POST", path: pathAggregateShares, who: leader, body: content{dap.MediaAggregateShareReq, dap.MaxEnvelopeSize}, heavy: true, do: createShare},
		{method: "GET", path: pathAggregateShare, who: leader, do: readShare},
		{method: "DELETE", path: pathAggregateShare, who: leader, do: deleteShare},
	}
}

func cosignRoster(ctx context.Context, r request[Helper]) (answer, error) {
	body, signature, err := unseal("roster", r.body)
	if err != nil {
		return answer{}, err
	}
	signed, err := r.host.CosignRoster(ctx, coalition.SignedRoster{Body: body, Signature: signature})
	if err != nil {
		return answer{}, err
	}
	out, err := seal("roster", signed.Body, signed.Signature)
	return answer{media: mediaJSON, body: out}, err
}

func cosignAmendment(ctx context.Context, r request[Helper]) (answer, error) {
	body, signature, err := unseal("amendment", r.body)
	if err != nil {
		return answer{}, err
	}
	signed, err := r.host.CosignAmendment(ctx, coalition.SignedAmendment{Body: body, Signature: signature})
	if err != nil {
		return answer{}, err
	}
	out, err := seal("amendment", signed.Body, signed.Signature)
	return answer{media: mediaJSON, body: out}, err
}

func createJob(ctx context.Context, r request[Helper]) (answer, error) {
	response, err := r.host.AggregationJob(ctx, r.task, r.body)
	return answer{
		media: dap.MediaAggregationJobResp, body: response,
		location: expand(pathAggregationJob, r.task, dap.AggregationJobID(dap.JobID(r.body)).String()),
	}, err
}

// continueJob refuses: Prio3 ends in one round, so no job has a report that
// could be continued. The checks are in the draft's order (DAP-18 4.5.4.2).
func continueJob(ctx context.Context, r request[Helper]) (answer, error) {
	id, err := jobID(r)
	if err != nil {
		return answer{}, err
	}
	if _, err := r.host.AggregationJobResponse(ctx, r.task, id); err != nil {
		return answer{}, err
	}
	return answer{}, dap.NewProblem(dap.ProblemInvalidMessage, "the job was finished in one round and is not continued").ForTask(r.task)
}

// readJob wants the step in the query, as DAP-18 4.5.3.2 does. There is one.
func readJob(ctx context.Context, r request[Helper]) (answer, error) {
	id, err := jobID(r)
	if err != nil {
		return answer{}, err
	}
	step, err := strconv.ParseUint(r.http.URL.Query().Get("step"), 10, 16)
	if err != nil {
		return answer{}, dap.NewProblem(dap.ProblemInvalidMessage, "the query has no step").ForTask(r.task)
	}
	response, err := r.host.AggregationJobResponse(ctx, r.task, id)
	if err == nil && step != 0 {
		return answer{}, dap.NewProblem(dap.ProblemStepMismatch, "the job has step 0 alone").ForTask(r.task)
	}
	return answer{media: dap.MediaAggregationJobResp, body: response}, err
}

func deleteJob(ctx context.Context, r request[Helper]) (answer, error) {
	id, err := jobID(r)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, r.host.ForgetAggregationJob(ctx, r.task, id)
}

func jobID(r request[Helper]) (dap.AggregationJobID, error) {
	id, err := dap.ParseAggregationJobID(r.http.PathValue("id"))
	if err != nil {
		return id, dap.NewProblem(dap.ProblemUnrecognizedAggregationJob, "the path names no job id").ForTask(r.task)
	}
	return id, nil
}

func createShare(ctx context.Context, r request[Helper]) (answer, error) {
	response, err := r.host.AggregateShare(ctx, r.task, r.body)
	return answer{
		media: dap.MediaAggregateShare, body: response,
		location: expand(pathAggregateShare, r.task, dap.AggregateShareID(dap.JobID(r.body)).String()),
	}, err
}

func readShare(ctx context.Context, r request[Helper]) (answer, error) {
	id, err := dap.ParseAggregateShareID(r.http.PathValue("id"))
	if err != nil {
		return answer{}, errNoResource()
	}
	response, err := r.host.AggregateShareResponse(ctx, r.task, id)
	return answer{media: dap.MediaAggregateShare, body: response}, err
}

// deleteShare keeps everything, see [deleteCollection].
func deleteShare(ctx context.Context, r request[Helper]) (answer, error) {
	_, err := readShare(ctx, r)
	return answer{status: http.StatusAccepted}, err
}
