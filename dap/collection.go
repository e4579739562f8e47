package dap

import (
	"fmt"
)

// A BatchMode says how reports are put together in batches (section 5).
type BatchMode uint8

// The batch modes.
const (
	BatchModeTimeInterval   BatchMode = 1 // the Collector asks for an interval of time
	BatchModeLeaderSelected BatchMode = 2 // the Leader chooses
)

// String returns the draft's name.
func (m BatchMode) String() string {
	switch m {
	case BatchModeTimeInterval:
		return "time_interval"
	case BatchModeLeaderSelected:
		return "leader_selected"
	}
	return fmt.Sprintf("BatchMode(%d)", uint8(m))
}

// A Query is what a Collector asks for. Config is an encoded [Interval] in
// time-interval mode and empty in leader-selected mode.
type Query struct {
	BatchMode BatchMode
	Config    []byte
}

// A BatchSelector is the batch that the Leader asks the Helper for. Config is
// an encoded [Interval] in time-interval mode and a [BatchID] in
// leader-selected mode.
type BatchSelector struct {
	BatchMode BatchMode
	Config    []byte
}

// A CollectionJobReq creates a collection job at the Leader (section 4.6.1).
// Its bytes are bound into the aggregate shares.
type CollectionJobReq struct {
	Query      Query
	AggParam   []byte      // empty for Prio3
	Extensions []Extension // collection-job extensions
}

// A CollectionJobResp is the finished collection: both aggregate shares,
// sealed for the Collector.
type CollectionJobResp struct {
	ReportCount             uint64
	Interval                Interval // the smallest that contains the times of all reports
	LeaderEncryptedAggShare HpkeCiphertext
	HelperEncryptedAggShare HpkeCiphertext
}

// An AggregateShareReq asks the Helper for its aggregate share (section 4.6.4).
type AggregateShareReq struct {
	CollectionJobReq CollectionJobReq
	BatchSelector    BatchSelector
	ReportCount      uint64
	Checksum         Checksum
}

// An AggregateShare is the Helper's aggregate share, sealed for the Collector.
type AggregateShare struct {
	EncryptedAggregateShare HpkeCiphertext
}

// NewTimeIntervalQuery returns the query for the reports within i.
func NewTimeIntervalQuery(i Interval) (Query, error) {
	config, err := i.MarshalBinary()
	return Query{BatchMode: BatchModeTimeInterval, Config: config}, err
}

// NewTimeIntervalSelector returns the selector of the reports within i.
func NewTimeIntervalSelector(i Interval) (BatchSelector, error) {
	config, err := i.MarshalBinary()
	return BatchSelector{BatchMode: BatchModeTimeInterval, Config: config}, err
}

// NewLeaderSelectedSelector returns the selector of that batch.
func NewLeaderSelectedSelector(id BatchID) BatchSelector {
	return BatchSelector{BatchMode: BatchModeLeaderSelected, Config: id[:]}
}

// BatchInterval returns the interval of a query in time-interval mode, and
// false in another mode.
func (q Query) BatchInterval() (Interval, bool) {
	i, err := decodeInterval(q.Config)
	return i, err == nil && q.BatchMode == BatchModeTimeInterval
}

// BatchInterval returns the interval of a selector in time-interval mode, and
// false in another mode.
func (s BatchSelector) BatchInterval() (Interval, bool) {
	i, err := decodeInterval(s.Config)
	return i, err == nil && s.BatchMode == BatchModeTimeInterval
}

// BatchID returns the batch of a selector in leader-selected mode, and false
// in another mode.
func (s BatchSelector) BatchID() (BatchID, bool) {
	if s.BatchMode != BatchModeLeaderSelected || checkBatchID(s.Config) != nil {
		return BatchID{}, false
	}
	return BatchID(s.Config), true
}

// ConsistentWith says whether the selector may answer the query: they have the
// same mode and, in time-interval mode, the selector's interval lies within the
// query's (section 5.1.2).
func (s BatchSelector) ConsistentWith(q Query) bool {
	if s.BatchMode != q.BatchMode {
		return false
	}
	if s.BatchMode == BatchModeLeaderSelected {
		return true
	}
	selected, ok1 := s.BatchInterval()
	asked, ok2 := q.BatchInterval()
	return ok1 && ok2 && asked.ContainsInterval(selected)
}

func (q Query) write(w *writer) {
	w.checkBatch(q.BatchMode, q.Config, 0)
	w.u8(uint8(q.BatchMode))
	w.opaque("config", prefix16, 0, q.Config)
}

func (q *Query) read(r *reader) {
	q.BatchMode = BatchMode(r.u8("batch_mode"))
	q.Config = r.opaque("config", prefix16, 0)
	r.checkBatch(q.BatchMode, q.Config, 0)
}

func (s BatchSelector) write(w *writer) {
	w.checkBatch(s.BatchMode, s.Config, len(BatchID{}))
	w.u8(uint8(s.BatchMode))
	w.opaque("config", prefix16, 0, s.Config)
}

func (s *BatchSelector) read(r *reader) {
	s.BatchMode = BatchMode(r.u8("batch_mode"))
	s.Config = r.opaque("config", prefix16, 0)
	r.checkBatch(s.BatchMode, s.Config, len(BatchID{}))
}

// checkBatch requires the content that the mode has; leaderSelected is its
// size in leader-selected mode.
func (c *cursor) checkBatch(mode BatchMode, config []byte, leaderSelected int) {
	if c.err != nil {
		return
	}
	switch mode {
	case BatchModeTimeInterval:
		if checkInterval(config) != nil {
			c.fail(ErrMalformed, "config", "%d bytes that are no interval", len(config))
		}
	case BatchModeLeaderSelected:
		if len(config) != leaderSelected {
			c.fail(ErrMalformed, "config", "%d bytes; allowed: %d", len(config), leaderSelected)
		}
	default:
		c.fail(ErrMalformed, "batch_mode", "%d is unknown", uint8(mode))
	}
}

func (m CollectionJobReq) write(w *writer) {
	w.enter("query")
	m.Query.write(w)
	w.leave()
	w.opaque("agg_param", prefix32, 0, m.AggParam)
	w.extensions("extensions", m.Extensions, 0, nil)
}

func (m *CollectionJobReq) read(r *reader) {
	r.enter("query")
	m.Query.read(r)
	r.leave()
	m.AggParam = r.opaque("agg_param", prefix32, 0)
	m.Extensions = r.extensions("extensions", 0, nil)
}

func (m CollectionJobResp) write(w *writer) {
	w.u64(m.ReportCount)
	w.enter("interval")
	m.Interval.write(w)
	w.leave()
	w.ciphertext("leader_encrypted_agg_share", m.LeaderEncryptedAggShare)
	w.ciphertext("helper_encrypted_agg_share", m.HelperEncryptedAggShare)
}

func (m *CollectionJobResp) read(r *reader) {
	m.ReportCount = r.u64("report_count")
	r.enter("interval")
	m.Interval.read(r)
	r.leave()
	r.ciphertext("leader_encrypted_agg_share", &m.LeaderEncryptedAggShare)
	r.ciphertext("helper_encrypted_agg_share", &m.HelperEncryptedAggShare)
}

func (m AggregateShareReq) write(w *writer) {
	w.enter("collection_job_req")
	m.CollectionJobReq.write(w)
	w.leave()
	w.enter("batch_selector")
	m.BatchSelector.write(w)
	w.leave()
	w.u64(m.ReportCount)
	w.fixed(m.Checksum[:])
}

func (m *AggregateShareReq) read(r *reader) {
	r.enter("collection_job_req")
	m.CollectionJobReq.read(r)
	r.leave()
	r.enter("batch_selector")
	m.BatchSelector.read(r)
	r.leave()
	m.ReportCount = r.u64("report_count")
	r.fixed("checksum", m.Checksum[:])
}

func (m AggregateShare) write(w *writer) {
	w.ciphertext("encrypted_aggregate_share", m.EncryptedAggregateShare)
}

func (m *AggregateShare) read(r *reader) {
	r.ciphertext("encrypted_aggregate_share", &m.EncryptedAggregateShare)
}
