package aggregate

import (
	"context"
	"time"

	"muster/dap"
	"muster/internal/coalition"
)

// Store keeps one host's state of its tasks.
type Store interface {
	// InTx runs fn in one transaction that is durable when InTx returns nil.
	// fn may run more than once; name is for errors, metrics and faults.
	InTx(ctx context.Context, name string, fn func(Tx) error) error
	// Erase sees to it that nothing that was deleted is left in the files of
	// the tables. It may take long, and nothing else happens meanwhile.
	Erase(ctx context.Context) error
}

// Tx is what a host may do within one transaction. Every method is about one
// task, which exists after [PhaseTx.CreateTask].
type Tx interface {
	PhaseTx
	AddendumTx
	ReceiptTx
	DisputeTx
	RosterTx
	ReportTx
	JobTx
	BatchTx
	LeaseTx
	WipeTx
	StatusTx
}

// PhaseTx keeps the phase of a task.
type PhaseTx interface {
	// CreateTask records a task as open; it does nothing if the task exists
	// in the same role, and refuses another role.
	CreateTask(task dap.TaskID, role dap.Role) error
	Phase(task dap.TaskID) (Phase, error)
	// Advance moves the task from one phase to the next. It refuses, with an
	// error of kind Conflict, if the task is not in phase from.
	Advance(task dap.TaskID, from, to Phase) error
	// SumLeft reports whether the task was ever collected, also where it is
	// wiped since.
	SumLeft(task dap.TaskID) (bool, error)
}

// AddendumTx keeps the addenda by which a deadline was postponed.
type AddendumTx interface {
	// PutAddendum stores the addendum with the number that follows the last
	// one stored.
	PutAddendum(task dap.TaskID, number int, a coalition.SignedAddendum) error
	// Addenda returns the addenda in order.
	Addenda(task dap.TaskID) ([]coalition.SignedAddendum, error)
}

// StoredReceipt is a receipt with the fields that a host looks for.
type StoredReceipt struct {
	Receipt coalition.Receipt
	Signed  coalition.SignedReceipt
}

// ReceiptTx keeps receipts.
type ReceiptTx interface {
	// PutReceipt stores a receipt. The same bytes again are no error; another
	// receipt with that member and sequence number, or for that report, is
	// refused with an error of kind Conflict.
	PutReceipt(task dap.TaskID, r StoredReceipt) error
	// HasReceipt reports whether a receipt is stored, byte for byte.
	HasReceipt(task dap.TaskID, r StoredReceipt) (bool, error)
	// LastSequence returns the highest sequence number of a member's receipts
	// that are not set aside, or zero.
	LastSequence(task dap.TaskID, member coalition.MemberID) (uint64, error)
	// Receipt returns the receipt for a report, or ok false.
	Receipt(task dap.TaskID, report dap.ReportID) (r StoredReceipt, ok bool, err error)
	// LastReceipts returns each member's receipt with the highest sequence
	// number of those not set aside, sorted by member.
	LastReceipts(task dap.TaskID) ([]StoredReceipt, error)
}

// DisputeTx keeps what the hosts decided about receipts that kept their lists
// from agreeing.
type DisputeTx interface {
	// SetAside makes a receipt count for nothing, for good. It returns the
	// receipt's digest, or an error of kind NotFound.
	SetAside(task dap.TaskID, member coalition.MemberID, sequence uint64) (digest string, err error)
	// WithdrawRoster takes back the roster of a task that is closing and opens
	// the task again; of a task in another phase it changes nothing.
	WithdrawRoster(task dap.TaskID) error
	// ReceiptCount returns how many receipts of a member are stored.
	ReceiptCount(task dap.TaskID, member coalition.MemberID) (int, error)
	// ReportCount returns how many uploaded reports are stored.
	ReportCount(task dap.TaskID) (int, error)
}

// RosterTx keeps the roster of a task and its amendments.
type RosterTx interface {
	// PutRoster stores the roster. A roster with other content than a stored
	// one is refused with an error of kind Conflict; its signature may grow.
	PutRoster(task dap.TaskID, r coalition.SignedRoster) error
	// Roster returns the roster, or ok false if there is none yet.
	Roster(task dap.TaskID) (r coalition.SignedRoster, ok bool, err error)
	// PutAmendment stores the amendment with the number that follows the last
	// one stored.
	PutAmendment(task dap.TaskID, number int, a coalition.SignedAmendment) error
	// Amendments returns the amendments in order.
	Amendments(task dap.TaskID) ([]coalition.SignedAmendment, error)
}

// ReportTx keeps uploaded reports (Leader) and what became of each (both).
type ReportTx interface {
	// PutReport stores an uploaded report. It returns false, without error, if
	// a report of that id with other bytes is stored.
	PutReport(task dap.TaskID, id dap.ReportID, body []byte) (bool, error)
	// Claimed returns those of the ids that a receipt names.
	Claimed(task dap.TaskID, ids []dap.ReportID) (map[dap.ReportID]bool, error)
	// Reports returns the stored bytes of those of the ids that were uploaded.
	Reports(task dap.TaskID, ids []dap.ReportID) (map[dap.ReportID][]byte, error)
	// Settle records once and for all what became of reports, and returns
	// those that were not settled before. One that was stays as it is; of one
	// that is listed twice the first counts.
	Settle(task dap.TaskID, reports []Settlement) (fresh map[dap.ReportID]bool, err error)
	// Settled returns what became of every report of the task.
	Settled(task dap.TaskID) (map[dap.ReportID]Outcome, error)
}

// Outcome is what became of a report: whether it was added up and, if not, why.
type Outcome struct {
	Accepted bool
	Error    dap.ReportError // zero if accepted
}

// Settlement is a report and what became of it.
type Settlement struct {
	Report  dap.ReportID
	Outcome Outcome
}

// Job is one aggregation job of the Leader.
type Job struct {
	Number  int
	Reports []dap.ReportID
	Request []byte // what fixes the AggregationJobInitReq, once it was computed
	Done    bool   // the response was committed
}

// JobTx keeps aggregation jobs: the Leader's plan, and the Helper's responses.
type JobTx interface {
	// PlanJobs stores the whole plan at once; a report is in one job only.
	PlanJobs(task dap.TaskID, jobs []Job) error
	// Jobs returns the plan in order, without requests.
	Jobs(task dap.TaskID) ([]Job, error)
	// Job returns a job without its reports.
	Job(task dap.TaskID, number int) (Job, error)
	// JobReports calls each with the reports of a job in their order and the
	// stored bytes, nil of one that was not uploaded. The bytes are each's until
	// it returns; it must not use the transaction.
	JobReports(task dap.TaskID, number int, each func(id dap.ReportID, body []byte) error) error
	// PutJobRequest keeps, once, what fixes the bytes that the Leader sends,
	// however often. The store does not know what that is.
	PutJobRequest(task dap.TaskID, number int, request []byte) error
	FinishJob(task dap.TaskID, number int) error
	// PutResponse stores a response under the id of its request.
	PutResponse(task dap.TaskID, id string, response []byte) error
	// Response returns a stored response, or ok false.
	Response(task dap.TaskID, id string) (response []byte, ok bool, err error)
	// ForgetResponse drops a stored response and nothing else. It returns
	// false, without error, if there is none.
	ForgetResponse(task dap.TaskID, id string) (bool, error)
}

// Bucket is what a host has added up over one unit of time.
type Bucket struct {
	Start    dap.Time
	Share    []byte // an aggregate share, encoded; a store seals it
	Count    uint64
	Checksum dap.Checksum
}

// Collection is the one collection of a task's batch.
type Collection struct {
	Request  []byte // the CollectionJobReq (Leader) or AggregateShareReq (Helper)
	Response []byte // nil until the host has its answer
}

// BatchTx keeps the batch of a task.
type BatchTx interface {
	// Bucket returns a bucket, or ok false if nothing was added to it.
	Bucket(task dap.TaskID, start dap.Time) (b Bucket, ok bool, err error)
	PutBucket(task dap.TaskID, b Bucket) error
	Buckets(task dap.TaskID) ([]Bucket, error)
	// PutCollection stores the collection. A second one with another request
	// is refused with an error of kind Conflict; a stored response is never
	// replaced.
	PutCollection(task dap.TaskID, c Collection) error
	Collection(task dap.TaskID) (c Collection, ok bool, err error)
}

// LeaseDrift is how far the clocks of two processes may differ that want to
// drive one task: a lease passes to another holder this long after it ended.
const LeaseDrift = 60 * time.Second

// StoredLease says which process drives a task, and until when.
type StoredLease struct {
	Holder  string
	Token   int64 // from 1; grows whenever the lease changes hands
	Expires time.Time
}

// LeaseTx keeps the lease by which at most one process drives a task.
type LeaseTx interface {
	// AcquireLease gives the lease to holder until now+ttl. A holder that has
	// it keeps its token; every other change gives a new one, and comes at the
	// earliest [LeaseDrift] after the lease ended. ok is false, and l the other's
	// lease, if another has it.
	AcquireLease(task dap.TaskID, holder string, now time.Time, ttl time.Duration) (l StoredLease, ok bool, err error)
	// RenewLease extends the lease to now+ttl, and returns false, without
	// error, if it has ended or has another token. Until the transaction ends
	// no other can take the lease.
	RenewLease(task dap.TaskID, token int64, now time.Time, ttl time.Duration) (bool, error)
	// ReleaseLease gives the lease back, so that another may have it at once.
	// With a token that is not the lease's it does nothing.
	ReleaseLease(task dap.TaskID, token int64) error
}

// WipeTx deletes what is not to be kept.
type WipeTx interface {
	// Wipe deletes, of each kind at most so many at a time, the task's reports,
	// receipts, jobs, responses, buckets and collection, and returns whether
	// some are left. It keeps phase, roster, amendments, addenda, the lease and
	// what became of each report.
	Wipe(task dap.TaskID, atMost int) (left bool, err error)
}

// Counts says how much a host holds of a task.
type Counts struct {
	Receipts  int // that members have handed over, those set aside included
	Members   int // with a receipt that counts
	Complete  int // of these, whose last receipt has its report here: at a Leader, which alone stores reports
	Reports   int // that were uploaded
	Unclaimed int // of these, those that no receipt names
	SetAside  int // receipts
	Jobs      int // that are planned
	JobsDone  int
	Accepted  int // reports that were added up
	Rejected  int // reports that were settled and not added up
}

// Delivery is the last submission of a member that counts.
type Delivery struct {
	Member   coalition.MemberID
	Sequence uint64
	Report   bool // whether its report is stored here
}

// SetAsideReceipt is a receipt that counts for nothing.
type SetAsideReceipt struct {
	Member   coalition.MemberID
	Sequence uint64
}

// StatusTx reads what an operator is shown. It changes nothing.
type StatusTx interface {
	Counts(task dap.TaskID) (Counts, error)
	// Deliveries returns what each member has delivered last, sorted by member.
	Deliveries(task dap.TaskID) ([]Delivery, error)
	// SetAsides returns the receipts that were set aside, by member and sequence number.
	SetAsides(task dap.TaskID) ([]SetAsideReceipt, error)
	// Rejected returns the reports that were settled and not added up.
	Rejected(task dap.TaskID) (map[dap.ReportID]dap.ReportError, error)
	// Lease returns the lease as it is stored, or ok false if none was ever given.
	Lease(task dap.TaskID) (l StoredLease, ok bool, err error)
}
