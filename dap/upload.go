package dap

import (
	"fmt"
	"log/slog"
)

// ReportMetadata is what both aggregators and everyone on the way may see of a
// report (section 4.4.2).
type ReportMetadata struct {
	ReportID         ReportID
	Time             Time
	PublicExtensions []Extension
}

// A Report is one measurement, shared and sealed for both aggregators.
type Report struct {
	ReportMetadata            ReportMetadata
	PublicShare               []byte // may be empty, as the VDAF says
	LeaderEncryptedInputShare HpkeCiphertext
	HelperEncryptedInputShare HpkeCiphertext
}

// An UploadRequest is the body of a POST to the Leader's reports resource: 1
// to [MaxUploadReports] reports, to the end of the body.
type UploadRequest struct {
	Reports []Report
}

// A ReportUploadStatus says why one report was refused at upload.
type ReportUploadStatus struct {
	ID    ReportID
	Error ReportError
}

// UploadErrors is the Leader's answer when reports of an [UploadRequest] were
// refused: these alone, in the order of the request. It may be empty. The
// numbers of the errors differ between variants.
type UploadErrors struct {
	Status []ReportUploadStatus
}

// A PlaintextInputShare is what is sealed for one aggregator. It is secret, so
// formatting and logging it shows sizes only.
type PlaintextInputShare struct {
	PrivateExtensions []Extension
	Payload           []byte // the VDAF's input share, not empty
}

// Format prints the size of the share, whatever the verb.
func (p PlaintextInputShare) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "PlaintextInputShare(%d extensions, %d bytes)", len(p.PrivateExtensions), len(p.Payload))
}

// LogValue logs the size of the share.
func (p PlaintextInputShare) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("extensions", len(p.PrivateExtensions)), slog.Int("bytes", len(p.Payload)))
}

func (m ReportMetadata) write(w *writer) {
	w.fixed(m.ReportID[:])
	w.u64(uint64(m.Time))
	w.extensions("public_extensions", m.PublicExtensions, 0, nil)
}

func (m *ReportMetadata) read(r *reader) {
	r.fixed("report_id", m.ReportID[:])
	m.Time = Time(r.u64("time"))
	m.PublicExtensions = r.extensions("public_extensions", 0, nil)
}

func (m Report) write(w *writer) {
	w.enter("report_metadata")
	m.ReportMetadata.write(w)
	w.leave()
	w.opaque("public_share", prefix32, 0, m.PublicShare)
	w.ciphertext("leader_encrypted_input_share", m.LeaderEncryptedInputShare)
	w.ciphertext("helper_encrypted_input_share", m.HelperEncryptedInputShare)
}

func (m *Report) read(r *reader) {
	r.enter("report_metadata")
	m.ReportMetadata.read(r)
	r.leave()
	m.PublicShare = r.opaque("public_share", prefix32, 0)
	r.ciphertext("leader_encrypted_input_share", &m.LeaderEncryptedInputShare)
	r.ciphertext("helper_encrypted_input_share", &m.HelperEncryptedInputShare)
}

func (m UploadRequest) write(w *writer) {
	w.notEmpty("reports", len(m.Reports))
	writeList(w, "reports", MaxUploadReports, m.Reports)
}

func (m *UploadRequest) read(r *reader) {
	m.Reports = readList[Report](r, "reports", MaxUploadReports)
	r.notEmpty("reports", len(m.Reports))
}

func (m ReportUploadStatus) write(w *writer) {
	w.fixed(m.ID[:])
	w.reportError("error", m.Error)
}

func (m *ReportUploadStatus) read(r *reader) {
	r.fixed("id", m.ID[:])
	m.Error = r.reportError("error")
}

func (m UploadErrors) write(w *writer) { writeList(w, "status", MaxUploadReports, m.Status) }

func (m *UploadErrors) read(r *reader) {
	m.Status = readList[ReportUploadStatus](r, "status", MaxUploadReports)
}

func (p PlaintextInputShare) write(w *writer) {
	w.extensions("private_extensions", p.PrivateExtensions, 0, nil)
	w.opaque("payload", prefix32, 1, p.Payload)
}

func (p *PlaintextInputShare) read(r *reader) {
	p.PrivateExtensions = r.extensions("private_extensions", 0, nil)
	p.Payload = r.opaque("payload", prefix32, 1)
}

// notEmpty refuses a list without elements.
func (c *cursor) notEmpty(field string, n int) {
	if n == 0 {
		c.fail(ErrMalformed, field, "none; allowed: at least one")
	}
}
