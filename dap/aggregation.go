package dap

import (
	"bytes"
	"fmt"
	"slices"
)

// A ReportShare is what the Leader passes on to the Helper of a report
// (section 4.5.3.1).
type ReportShare struct {
	ReportMetadata      ReportMetadata
	PublicShare         []byte
	EncryptedInputShare HpkeCiphertext // the Helper's
}

// A VerifyInit begins the verification of one report.
type VerifyInit struct {
	ReportShare ReportShare
	Payload     []byte // the VDAF's ping-pong message, not empty
}

// An AggregationJobInitReq creates an aggregation job at the Helper: 1 to
// [MaxJobReports] reports with distinct ids, to the end of the body.
type AggregationJobInitReq struct {
	VerificationKeyID VerificationKeyID
	AggParam          []byte      // empty for Prio3
	Extensions        []Extension // aggregation-job extensions
	VerifyInits       []VerifyInit
}

// A VerifyRespType says which of its three forms a [VerifyResp] has.
type VerifyRespType uint8

// The forms of a [VerifyResp].
const (
	VerifyRespContinue VerifyRespType = 0 // Payload is the next ping-pong message
	VerifyRespFinish   VerifyRespType = 1 // the Helper has finished and has nothing to say
	VerifyRespReject   VerifyRespType = 2 // ReportError says why
)

// String returns the draft's name.
func (t VerifyRespType) String() string {
	switch t {
	case VerifyRespContinue:
		return "continue"
	case VerifyRespFinish:
		return "finish"
	case VerifyRespReject:
		return "reject"
	}
	return fmt.Sprintf("VerifyRespType(%d)", uint8(t))
}

// A VerifyResp is the Helper's answer for one report. The numbers of
// ReportError differ between variants.
type VerifyResp struct {
	ReportID       ReportID
	VerifyRespType VerifyRespType
	Payload        []byte      // of continue, not empty; else nil
	ReportError    ReportError // of reject; else 0
}

// An AggregationJobResp is the Helper's answer for all reports of a job, in
// the order of the request.
type AggregationJobResp struct {
	VerifyResps []VerifyResp
}

// A VerifyContinue carries the next message for one report. VDAFs of one
// round, such as Prio3, never need it.
type VerifyContinue struct {
	ReportID ReportID
	Payload  []byte // not empty
}

// An AggregationJobContinueReq takes an aggregation job to its next step.
type AggregationJobContinueReq struct {
	Step            uint16 // 1 for the first continuation; 0 is refused
	VerifyContinues []VerifyContinue
}

// BatchID returns the batch that the leader_selected_batch_id extension names,
// and whether it is there.
func (m AggregationJobInitReq) BatchID() (BatchID, bool) {
	data, ok := find(m.Extensions, JobExtensionBatchID)
	if !ok || checkBatchID(data) != nil {
		return BatchID{}, false
	}
	return BatchID(data), true
}

func (m ReportShare) write(w *writer) {
	w.enter("report_metadata")
	m.ReportMetadata.write(w)
	w.leave()
	w.opaque("public_share", prefix32, 0, m.PublicShare)
	w.ciphertext("encrypted_input_share", m.EncryptedInputShare)
}

func (m *ReportShare) read(r *reader) {
	r.enter("report_metadata")
	m.ReportMetadata.read(r)
	r.leave()
	m.PublicShare = r.opaque("public_share", prefix32, 0)
	r.ciphertext("encrypted_input_share", &m.EncryptedInputShare)
}

func (m VerifyInit) write(w *writer) {
	w.enter("report_share")
	m.ReportShare.write(w)
	w.leave()
	w.opaque("payload", prefix32, 1, m.Payload)
}

func (m *VerifyInit) read(r *reader) {
	r.enter("report_share")
	m.ReportShare.read(r)
	r.leave()
	m.Payload = r.opaque("payload", prefix32, 1)
}

func verifyInitID(m *VerifyInit) ReportID         { return m.ReportShare.ReportMetadata.ReportID }
func verifyRespID(m *VerifyResp) ReportID         { return m.ReportID }
func verifyContinueID(m *VerifyContinue) ReportID { return m.ReportID }

func (m AggregationJobInitReq) write(w *writer) {
	w.u8(uint8(m.VerificationKeyID))
	w.opaque("agg_param", prefix32, 0, m.AggParam)
	w.extensions("extensions", m.Extensions, JobExtensionBatchID, checkBatchID)
	w.notEmpty("verify_inits", len(m.VerifyInits))
	writeList(w, "verify_inits", MaxJobReports, m.VerifyInits)
	distinct(&w.cursor, "verify_inits", m.VerifyInits, verifyInitID)
}

func (m *AggregationJobInitReq) read(r *reader) {
	m.VerificationKeyID = VerificationKeyID(r.u8("verification_key_id"))
	m.AggParam = r.opaque("agg_param", prefix32, 0)
	m.Extensions = r.extensions("extensions", JobExtensionBatchID, checkBatchID)
	m.VerifyInits = readList[VerifyInit](r, "verify_inits", MaxJobReports)
	r.notEmpty("verify_inits", len(m.VerifyInits))
	distinct(&r.cursor, "verify_inits", m.VerifyInits, verifyInitID)
}

func (m VerifyResp) write(w *writer) {
	w.fixed(m.ReportID[:])
	w.u8(uint8(m.VerifyRespType))
	if m.VerifyRespType != VerifyRespContinue && len(m.Payload) > 0 {
		w.fail(ErrMalformed, "payload", "present in %s", m.VerifyRespType)
	}
	if m.VerifyRespType != VerifyRespReject && m.ReportError != 0 {
		w.fail(ErrMalformed, "report_error", "present in %s", m.VerifyRespType)
	}
	switch m.VerifyRespType {
	case VerifyRespContinue:
		w.opaque("payload", prefix32, 1, m.Payload)
	case VerifyRespFinish:
	case VerifyRespReject:
		w.reportError("report_error", m.ReportError)
	default:
		w.fail(ErrMalformed, "verify_resp_type", "%d is unknown", uint8(m.VerifyRespType))
	}
}

func (m *VerifyResp) read(r *reader) {
	r.fixed("report_id", m.ReportID[:])
	m.VerifyRespType = VerifyRespType(r.u8("verify_resp_type"))
	switch m.VerifyRespType {
	case VerifyRespContinue:
		m.Payload = r.opaque("payload", prefix32, 1)
	case VerifyRespFinish:
	case VerifyRespReject:
		m.ReportError = r.reportError("report_error")
	default:
		r.fail(ErrMalformed, "verify_resp_type", "%d is unknown", uint8(m.VerifyRespType))
	}
}

func (m AggregationJobResp) write(w *writer) {
	w.notEmpty("verify_resps", len(m.VerifyResps))
	writeList(w, "verify_resps", MaxJobReports, m.VerifyResps)
	distinct(&w.cursor, "verify_resps", m.VerifyResps, verifyRespID)
}

func (m *AggregationJobResp) read(r *reader) {
	m.VerifyResps = readList[VerifyResp](r, "verify_resps", MaxJobReports)
	r.notEmpty("verify_resps", len(m.VerifyResps))
	distinct(&r.cursor, "verify_resps", m.VerifyResps, verifyRespID)
}

func (m VerifyContinue) write(w *writer) {
	w.fixed(m.ReportID[:])
	w.opaque("payload", prefix32, 1, m.Payload)
}

func (m *VerifyContinue) read(r *reader) {
	r.fixed("report_id", m.ReportID[:])
	m.Payload = r.opaque("payload", prefix32, 1)
}

func (m AggregationJobContinueReq) write(w *writer) {
	w.checkStep(m.Step)
	w.u16(m.Step)
	w.notEmpty("verify_continues", len(m.VerifyContinues))
	writeList(w, "verify_continues", MaxJobReports, m.VerifyContinues)
	distinct(&w.cursor, "verify_continues", m.VerifyContinues, verifyContinueID)
}

func (m *AggregationJobContinueReq) read(r *reader) {
	m.Step = r.u16("step")
	r.checkStep(m.Step)
	m.VerifyContinues = readList[VerifyContinue](r, "verify_continues", MaxJobReports)
	r.notEmpty("verify_continues", len(m.VerifyContinues))
	distinct(&r.cursor, "verify_continues", m.VerifyContinues, verifyContinueID)
}

func (c *cursor) checkStep(step uint16) {
	if step == 0 {
		c.fail(ErrMalformed, "step", "0; allowed: at least 1")
	}
}

// distinct refuses two elements with the same report id (section 4.5.3.2).
func distinct[T any](c *cursor, field string, list []T, id func(*T) ReportID) {
	if c.err != nil {
		return
	}
	var buffer [MaxJobReports]ReportID
	ids := buffer[:0]
	for i := range list {
		ids = append(ids, id(&list[i]))
	}
	slices.SortFunc(ids, func(a, b ReportID) int { return bytes.Compare(a[:], b[:]) })
	for i := 1; i < len(ids); i++ {
		if ids[i] == ids[i-1] {
			c.fail(ErrMalformed, field, "report %s twice", ids[i])
			return
		}
	}
}
