package dap

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

// A URL is the base of an aggregator's resources, as the bytes that all
// participants agreed on: printable ASCII, never parsed or encoded again,
// because it is bound into the cryptography byte by byte.
type URL string

// A TaskConfiguration is everything that all participants of a task must agree
// on. Its encoding is bound into every report and every aggregate share, so one
// changed bit makes decryption fail (section 4.2).
type TaskConfiguration struct {
	TaskInfo                 []byte // 1 to 255 bytes; in dap-19 it may be empty
	LeaderAggregatorEndpoint URL
	HelperAggregatorEndpoint URL
	TimePrecision            uint64 // seconds, not 0: the unit of every Time and Duration
	MinBatchSize             uint64 // reports
	BatchMode                BatchMode
	BatchConfig              []byte // empty in both batch modes
	VdafType                 uint32
	VdafConfiguration        []byte      // as the VDAF says, at most 65,535 bytes
	Extensions               []Extension // task extensions
}

// TaskInterval returns the interval of the task_interval extension, and
// whether it is there and valid.
func (c TaskConfiguration) TaskInterval() (Interval, bool) {
	data, ok := find(c.Extensions, TaskExtensionInterval)
	if !ok {
		return Interval{}, false
	}
	i, err := decodeInterval(data)
	return i, err == nil
}

// DeriveTaskID returns SHA-256("muster task v1" || seedDigest || cfg encoded).
// The seed is that of [VerifyKey] and its digest is SHA-256(seed), so that the
// id fixes the verification key without revealing it. The encoding, and hence
// the id, is the same in all variants. It returns an error if cfg has no
// encoding in any of them.
func DeriveTaskID(seedDigest [32]byte, cfg TaskConfiguration) (TaskID, error) {
	// dap-19 allows all that dap-18 does.
	encoded, err := Encode(Variant19, cfg)
	if err != nil {
		return TaskID{}, err
	}
	h := sha256.New()
	h.Write([]byte("muster task v1"))
	h.Write(seedDigest[:])
	h.Write(encoded)
	return TaskID(h.Sum(nil)), nil
}

// MinSeedSize is how many bytes the seed of [VerifyKey] must have at least.
const MinSeedSize = 32

// VerifyKey derives the VDAF's verification key of a task from a seed that
// only the two aggregators know: HKDF-SHA256 with salt "verify_key" and the
// task id as info (section 8.6.2). It refuses a seed shorter than
// [MinSeedSize]: whoever guesses it can forge reports.
func VerifyKey(seed []byte, id TaskID) ([32]byte, error) {
	if len(seed) < MinSeedSize {
		return [32]byte{}, fmt.Errorf("dap: verification key seed of %d bytes; allowed: at least %d", len(seed), MinSeedSize)
	}
	key, err := hkdf.Key(sha256.New, seed, []byte("verify_key"), string(id[:]), 32)
	if err != nil {
		return [32]byte{}, fmt.Errorf("dap: verification key: %w", err)
	}
	return [32]byte(key), nil
}

func (w *writer) url(field string, u URL) {
	w.checkURL(field, []byte(u))
	w.opaque(field, prefix16, 1, []byte(u))
}

func (r *reader) url(field string) URL {
	u := r.opaque(field, prefix16, 1)
	r.checkURL(field, u)
	return URL(u)
}

func (c *cursor) checkURL(field string, u []byte) {
	for i, b := range u {
		if b <= ' ' || b > '~' {
			c.fail(ErrMalformed, field, "byte %d is not printable ASCII", i)
			return
		}
	}
}

// minTaskInfo returns how long task_info must be.
func (c *cursor) minTaskInfo() int {
	if c.variant == Variant19 {
		return 0
	}
	return 1
}

func (c *cursor) checkTask(t *TaskConfiguration) {
	if t.TimePrecision == 0 {
		c.fail(ErrMalformed, "time_precision", "0; allowed: at least 1")
	}
	if t.BatchMode != BatchModeTimeInterval && t.BatchMode != BatchModeLeaderSelected {
		c.fail(ErrMalformed, "batch_mode", "%d is unknown", uint8(t.BatchMode))
	}
	if len(t.BatchConfig) > 0 {
		c.fail(ErrMalformed, "batch_config", "%d bytes; allowed: 0", len(t.BatchConfig))
	}
}

func (c TaskConfiguration) write(w *writer) {
	w.checkTask(&c)
	w.opaque("task_info", prefix8, w.minTaskInfo(), c.TaskInfo)
	w.url("leader_aggregator_endpoint", c.LeaderAggregatorEndpoint)
	w.url("helper_aggregator_endpoint", c.HelperAggregatorEndpoint)
	w.u64(c.TimePrecision)
	w.u64(c.MinBatchSize)
	w.u8(uint8(c.BatchMode))
	w.opaque("batch_config", prefix16, 0, c.BatchConfig)
	w.u32(c.VdafType)
	w.opaque("vdaf_configuration", prefix16, 0, c.VdafConfiguration)
	w.extensions("extensions", c.Extensions, TaskExtensionInterval, checkInterval)
}

func (c *TaskConfiguration) read(r *reader) {
	c.TaskInfo = r.opaque("task_info", prefix8, r.minTaskInfo())
	c.LeaderAggregatorEndpoint = r.url("leader_aggregator_endpoint")
	c.HelperAggregatorEndpoint = r.url("helper_aggregator_endpoint")
	c.TimePrecision = r.u64("time_precision")
	c.MinBatchSize = r.u64("min_batch_size")
	c.BatchMode = BatchMode(r.u8("batch_mode"))
	c.BatchConfig = r.opaque("batch_config", prefix16, 0)
	c.VdafType = r.u32("vdaf_type")
	c.VdafConfiguration = r.opaque("vdaf_configuration", prefix16, 0)
	c.Extensions = r.extensions("extensions", TaskExtensionInterval, checkInterval)
	r.checkTask(c)
}
