package dap

import (
	"fmt"
)

// A Role is a participant's part in the protocol (section 4.1).
type Role uint8

// The roles.
const (
	RoleCollector Role = 0
	RoleClient    Role = 1
	RoleLeader    Role = 2
	RoleHelper    Role = 3
)

// String returns the draft's name.
func (r Role) String() string {
	switch r {
	case RoleCollector:
		return "collector"
	case RoleClient:
		return "client"
	case RoleLeader:
		return "leader"
	case RoleHelper:
		return "helper"
	}
	return fmt.Sprintf("Role(%d)", uint8(r))
}

func (r Role) checkAggregator() error {
	if r != RoleLeader && r != RoleHelper {
		return fmt.Errorf("dap: role %s; allowed: leader, helper", r)
	}
	return nil
}

// An InputShareAad is what an input share is bound to: not sent, but known to
// both sides (section 4.4.2.1).
type InputShareAad struct {
	TaskID            TaskID
	TaskConfiguration TaskConfiguration
	ReportMetadata    ReportMetadata
	PublicShare       []byte
}

// An AggregateShareAad is what an aggregate share is bound to (section 4.6.7).
type AggregateShareAad struct {
	TaskID            TaskID
	TaskConfiguration TaskConfiguration
	CollectionJobReq  CollectionJobReq
}

// SealInputShare seals an input share from the client for an aggregator of
// that role. To seal both shares of a report, or shares of many reports, go
// through [NewTaskAad]: it encodes the common parts once.
func SealInputShare(v Variant, to HpkeConfig, role Role, aad InputShareAad, p PlaintextInputShare) (HpkeCiphertext, error) {
	encoded, err := Encode(v, aad)
	if err != nil {
		return HpkeCiphertext{}, err
	}
	return (&ReportAad{variant: v, aad: encoded}).Seal(to, role, p)
}

// OpenInputShare opens what [SealInputShare] sealed for an aggregator of that
// role. The error is [ErrUnknownConfigID], [ErrDecrypt] or, of a plaintext that
// is none, a [FormatError].
func (k *HpkeKeypair) OpenInputShare(v Variant, role Role, aad InputShareAad, c HpkeCiphertext) (PlaintextInputShare, error) {
	encoded, err := Encode(v, aad)
	if err != nil {
		return PlaintextInputShare{}, err
	}
	return (&ReportAad{variant: v, aad: encoded}).Open(k, role, c)
}

// SealAggregateShare seals the aggregate share of an aggregator of that role
// for the Collector.
func SealAggregateShare(v Variant, to HpkeConfig, sender Role, aad AggregateShareAad, share []byte) (HpkeCiphertext, error) {
	encoded, err := Encode(v, aad)
	if err != nil {
		return HpkeCiphertext{}, err
	}
	return (&CollectionAad{variant: v, aad: encoded}).Seal(to, sender, share)
}

// OpenAggregateShare opens what [SealAggregateShare] sealed. The error is
// [ErrUnknownConfigID] or [ErrDecrypt].
func (k *HpkeKeypair) OpenAggregateShare(v Variant, sender Role, aad AggregateShareAad, c HpkeCiphertext) ([]byte, error) {
	encoded, err := Encode(v, aad)
	if err != nil {
		return nil, err
	}
	return (&CollectionAad{variant: v, aad: encoded}).Open(k, sender, c)
}

// A TaskAad is the beginning that all associated data of a task have in
// common: task id and configuration, encoded once. It is immutable and safe for
// concurrent use.
type TaskAad struct {
	variant Variant
	id      TaskID
	prefix  []byte
}

// NewTaskAad encodes id and cfg. It returns a [FormatError] if cfg has no
// encoding in v.
func NewTaskAad(v Variant, id TaskID, cfg TaskConfiguration) (*TaskAad, error) {
	prefix, err := Append(v, id[:], cfg)
	if err != nil {
		return nil, err
	}
	return &TaskAad{variant: v, id: id, prefix: prefix}, nil
}

// Variant returns the variant of the task.
func (t *TaskAad) Variant() Variant { return t.variant.orDefault() }

// TaskID returns the id of the task.
func (t *TaskAad) TaskID() TaskID { return t.id }

// A ReportAad is an encoded [InputShareAad]: the same for both shares of a
// report. It is immutable and safe for concurrent use.
type ReportAad struct {
	variant Variant
	aad     []byte
}

// Report returns the associated data of one report of the task. It encodes as
// [InputShareAad] does.
func (t *TaskAad) Report(m ReportMetadata, publicShare []byte) (*ReportAad, error) {
	aad, err := t.append(reportAadTail{m, publicShare})
	if err != nil {
		return nil, err
	}
	return &ReportAad{variant: t.variant, aad: aad}, nil
}

// A CollectionAad is an encoded [AggregateShareAad]: the same for the shares of
// both aggregators. It is immutable and safe for concurrent use.
type CollectionAad struct {
	variant Variant
	aad     []byte
}

// Collection returns the associated data of one collection of the task. It
// encodes as [AggregateShareAad] does.
func (t *TaskAad) Collection(req CollectionJobReq) (*CollectionAad, error) {
	aad, err := t.append(req)
	if err != nil {
		return nil, err
	}
	return &CollectionAad{variant: t.variant, aad: aad}, nil
}

// append returns the prefix followed by the rest.
func (t *TaskAad) append(rest interface{ write(w *writer) }) ([]byte, error) {
	w := writer{cursor: cursor{variant: t.variant}, b: append(make([]byte, 0, len(t.prefix)+256), t.prefix...)}
	rest.write(&w)
	if w.err == nil && len(w.b) > MaxEnvelopeSize {
		w.fail(ErrLimit, "", "%d bytes; allowed: at most %d", len(w.b), MaxEnvelopeSize)
	}
	if w.err != nil {
		w.err.Message, w.err.Offset = "associated data", -1
		return nil, w.err
	}
	return w.b, nil
}

// inputShareInfo is the HPKE info of an input share: the client is the sender
// (section 4.4.2.1).
func inputShareInfo(v Variant, recipient Role) []byte {
	return info(v, " input share", RoleClient, recipient)
}

// aggregateShareInfo is the HPKE info of an aggregate share: the Collector is
// the recipient (section 4.6.7).
func aggregateShareInfo(v Variant, sender Role) []byte {
	return info(v, " aggregate share", sender, RoleCollector)
}

func info(v Variant, what string, sender, recipient Role) []byte {
	b := make([]byte, 0, 32)
	b = append(append(b, v.Tag()...), what...)
	return append(b, byte(sender), byte(recipient))
}

// Seal seals an input share from the client for an aggregator of that role.
func (a *ReportAad) Seal(to HpkeConfig, role Role, p PlaintextInputShare) (HpkeCiphertext, error) {
	if err := role.checkAggregator(); err != nil {
		return HpkeCiphertext{}, err
	}
	plaintext, err := Encode(a.variant, p)
	if err != nil {
		return HpkeCiphertext{}, err
	}
	return seal(to, inputShareInfo(a.variant, role), a.aad, plaintext)
}

// Open opens the input share of an aggregator of that role. The error is
// [ErrUnknownConfigID], [ErrDecrypt] or, of a plaintext that is none, a
// [FormatError].
func (a *ReportAad) Open(k *HpkeKeypair, role Role, c HpkeCiphertext) (PlaintextInputShare, error) {
	if err := role.checkAggregator(); err != nil {
		return PlaintextInputShare{}, err
	}
	plaintext, err := k.open(inputShareInfo(a.variant, role), a.aad, c)
	if err != nil {
		return PlaintextInputShare{}, err
	}
	return decodeOwned[PlaintextInputShare](a.variant, plaintext)
}

// Seal seals the aggregate share of an aggregator of that role for the
// Collector.
func (a *CollectionAad) Seal(to HpkeConfig, sender Role, share []byte) (HpkeCiphertext, error) {
	if err := sender.checkAggregator(); err != nil {
		return HpkeCiphertext{}, err
	}
	return seal(to, aggregateShareInfo(a.variant, sender), a.aad, share)
}

// Open opens the aggregate share of an aggregator of that role. The error is
// [ErrUnknownConfigID] or [ErrDecrypt].
func (a *CollectionAad) Open(k *HpkeKeypair, sender Role, c HpkeCiphertext) ([]byte, error) {
	if err := sender.checkAggregator(); err != nil {
		return nil, err
	}
	return k.open(aggregateShareInfo(a.variant, sender), a.aad, c)
}

// reportAadTail is what follows the task in an InputShareAad.
type reportAadTail struct {
	metadata    ReportMetadata
	publicShare []byte
}

func (t reportAadTail) write(w *writer) {
	w.enter("report_metadata")
	t.metadata.write(w)
	w.leave()
	w.opaque("public_share", prefix32, 0, t.publicShare)
}

func (a InputShareAad) write(w *writer) {
	w.fixed(a.TaskID[:])
	w.enter("task_configuration")
	a.TaskConfiguration.write(w)
	w.leave()
	reportAadTail{a.ReportMetadata, a.PublicShare}.write(w)
}

func (a *InputShareAad) read(r *reader) {
	r.fixed("task_id", a.TaskID[:])
	r.enter("task_configuration")
	a.TaskConfiguration.read(r)
	r.leave()
	r.enter("report_metadata")
	a.ReportMetadata.read(r)
	r.leave()
	a.PublicShare = r.opaque("public_share", prefix32, 0)
}

func (a AggregateShareAad) write(w *writer) {
	w.fixed(a.TaskID[:])
	w.enter("task_configuration")
	a.TaskConfiguration.write(w)
	w.leave()
	w.enter("collection_job_req")
	a.CollectionJobReq.write(w)
	w.leave()
}

func (a *AggregateShareAad) read(r *reader) {
	r.fixed("task_id", a.TaskID[:])
	r.enter("task_configuration")
	a.TaskConfiguration.read(r)
	r.leave()
	r.enter("collection_job_req")
	a.CollectionJobReq.read(r)
	r.leave()
}
