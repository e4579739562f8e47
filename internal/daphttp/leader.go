package daphttp

import (
	"context"
	"net/http"
	"time"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
)

// Host is what both hosts of one task serve beside DAP.
type Host interface {
	// Acknowledge takes a member's receipt; a nil error acknowledges it.
	Acknowledge(ctx context.Context, r coalition.SignedReceipt) (coalition.Acknowledgement, error)
	// Postpone takes an addendum that all three have signed.
	Postpone(ctx context.Context, a coalition.SignedAddendum) error
	// Addenda returns the addenda that the host has taken, in order.
	Addenda(ctx context.Context, task dap.TaskID) ([]coalition.SignedAddendum, error)
	// FrozenRoster returns the roster that both hosts signed with its
	// amendments; while there is none it refuses with kind Conflict.
	FrozenRoster(ctx context.Context, task dap.TaskID) (coalition.FrozenRoster, error)
	// Standing says how far the host is.
	Standing(ctx context.Context, task dap.TaskID) (coalition.Standing, error)
	// ReceiptOf returns the receipt for a report; it is refused as not found if
	// there is none.
	ReceiptOf(ctx context.Context, task dap.TaskID, report dap.ReportID) (coalition.SignedReceipt, error)
}

// Leader is the Leader of one task as it is served. Its methods may be called
// concurrently, and the same call again has the same answer.
type Leader interface {
	Host
	// Upload takes an UploadRequest and returns nothing or an UploadErrors.
	Upload(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error)
	// CollectionJob takes a CollectionJobReq and returns the CollectionJobResp.
	CollectionJob(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error)
	// CollectionResponse returns the answer to the request with that id
	// ([dap.JobID]) again, or nil while there is none yet.
	CollectionResponse(ctx context.Context, task dap.TaskID, id dap.CollectionJobID) ([]byte, error)
}

// LeaderTask is one task that a Leader serves.
type LeaderTask struct {
	Leader      Leader
	Coordinator Pin // who may collect
	Helper      Pin // who may read addenda, roster, receipts and standing; nobody if it is zero
}

// LeaderConfig is a Leader's surface.
type LeaderConfig struct {
	Config
	Tasks map[dap.TaskID]LeaderTask
}

// NewLeader returns the handler of a Leader. It takes requests from a server
// that [Serve] runs with [ServerTLS]; over anything else nobody is let into what
// is the coordinator's.
func NewLeader(cfg LeaderConfig) (http.Handler, error) {
	tasks := make(map[dap.TaskID]task[Leader], len(cfg.Tasks))
	for id, t := range cfg.Tasks {
		tasks[id] = task[Leader]{host: t.Leader, pins: map[party]Pin{coordinator: t.Coordinator}}
		if t.Helper != (Pin{}) {
			tasks[id].pins[helper] = t.Helper
		}
	}
	configs, err := hpkeConfigs[Leader](cfg.HPKE)
	if err != nil {
		return nil, err
	}
	return newSurface(cfg.Config, tasks, leaderRoutes(configs))
}

// leaderRoutes is everything that a Leader serves; configs answers with its HPKE
// configurations.
func leaderRoutes(configs func(context.Context, request[Leader]) (answer, error)) []route[Leader] {
	return []route[Leader]{
		// HPKE configurations (DAP-18 4.4.1)
		{method: "GET", path: pathHpkeConfig, do: configs},

		// Reports (DAP-18 4.4.2)
		{method: "POST", path: pathReports, body: content{dap.MediaUploadRequest, dap.MaxUploadSize}, metered: true, do: upload},

		// Receipts, addenda and the roster, beside DAP
		{method: "POST", path: pathReceipts, body: content{mediaJSON, maxReceiptEnvelope}, do: putReceipt[Leader]},
		{method: "POST", path: pathAddenda, body: content{mediaJSON, maxAddendumEnvelope}, do: postpone[Leader]},
		{method: "GET", path: pathAddenda, who: helper | coordinator, do: readAddenda[Leader]},
		{method: "GET", path: pathReceipt, who: helper, do: readReceipt[Leader]},
		{method: "GET", path: pathRoster, who: helper | coordinator, do: readRoster[Leader]},
		{method: "GET", path: pathStanding, who: helper | coordinator, do: readStanding[Leader]},

		// Collection jobs (DAP-18 4.6)
		{method: "POST", path: pathCollectionJobs, who: coordinator, body: content{dap.MediaCollectionJobReq, dap.MaxMessageSize}, heavy: true, do: createCollection},
		{method: "GET", path: pathCollectionJob, who: coordinator, do: readCollection},
		{method: "DELETE", path: pathCollectionJob, who: coordinator, do: deleteCollection},
	}
}

// cacheHpke is how long clients may keep a host's HPKE configurations. They
// hold for a whole cycle, and the charter has them too.
const cacheHpke = 3 * 24 * time.Hour

func hpkeConfigs[H any](list dap.HpkeConfigList) (func(context.Context, request[H]) (answer, error), error) {
	b, err := list.MarshalBinary()
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the host's HPKE configurations cannot be encoded", "")
	}
	return func(context.Context, request[H]) (answer, error) {
		return answer{media: dap.MediaHpkeConfigList, body: b, cache: cacheHpke}, nil
	}, nil
}

func upload(ctx context.Context, r request[Leader]) (answer, error) {
	failed, err := r.host.Upload(ctx, r.task, r.body)
	return answer{media: dap.MediaUploadErrors, body: failed}, err
}

// otherHost is how long the Leader asks the Helper for its share while the
// coordinator waits: not until the coordinator has given up, who would then not
// learn what the Helper says.
const otherHost = 10 * time.Second

func createCollection(ctx context.Context, r request[Leader]) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, otherHost)
	defer cancel()
	response, err := r.host.CollectionJob(ctx, r.task, r.body)
	return answer{
		media: dap.MediaCollectionJobResp, body: response,
		location: expand(pathCollectionJob, r.task, dap.CollectionJobID(dap.JobID(r.body)).String()),
	}, err
}

// readCollection returns the answer of a collection. While there is none, it
// says so as DAP wants it: success, no body, where and when to ask again.
func readCollection(ctx context.Context, r request[Leader]) (answer, error) {
	id, err := dap.ParseCollectionJobID(r.http.PathValue("id"))
	if err != nil {
		return answer{}, errNoResource()
	}
	response, err := r.host.CollectionResponse(ctx, r.task, id)
	if err == nil && response == nil {
		return answer{status: http.StatusAccepted, location: expand(pathCollectionJob, r.task, id.String()), retry: retryLater}, nil
	}
	return answer{media: dap.MediaCollectionJobResp, body: response}, err
}

// deleteCollection accepts that nobody will ask again, and keeps everything: a
// batch is collected once, and what shows it stays until the wipe. Hence 202:
// the deletion will come, with the wipe, and has not happened.
func deleteCollection(ctx context.Context, r request[Leader]) (answer, error) {
	_, err := readCollection(ctx, r)
	return answer{status: http.StatusAccepted}, err
}
