package dap

import (
	"fmt"
)

// A Variant is a version of the protocol that this package speaks. The zero
// value is [Variant18].
//
// The structures are the same in all variants. They differ in the tag that
// separates their cryptography, in whether [TaskConfiguration].TaskInfo may be
// empty, and in the numbers of [ReportError].
type Variant uint8

// The variants.
const (
	// Variant18 is draft-ietf-ppm-dap-18, the default.
	Variant18 Variant = 18
	// Variant19 is draft-ietf-ppm-dap-19. It is unconfirmed: its differences
	// come from the changes proposed for it, not from its text, and nobody
	// else's implementation of it was met.
	Variant19 Variant = 19
)

func (v Variant) valid() bool { return v == 0 || v == Variant18 || v == Variant19 }

// orDefault replaces the zero value by the default.
func (v Variant) orDefault() Variant {
	if v == 0 {
		return Variant18
	}
	return v
}

// Tag returns the string that separates this variant's cryptography from that
// of others, such as "dap-18".
func (v Variant) Tag() string {
	switch v {
	case 0, Variant18:
		return "dap-18"
	case Variant19:
		return "dap-19"
	}
	return fmt.Sprintf("dap-unknown-%d", uint8(v))
}

// String returns the tag.
func (v Variant) String() string { return v.Tag() }

// ParseVariant returns the variant with that tag.
func ParseVariant(tag string) (Variant, error) {
	for _, v := range []Variant{Variant18, Variant19} {
		if tag == v.Tag() {
			return v, nil
		}
	}
	return 0, fmt.Errorf("dap: unknown variant %.20q; allowed: %s, %s", tag, Variant18, Variant19)
}

// MarshalText returns the tag.
func (v Variant) MarshalText() ([]byte, error) {
	if !v.valid() {
		return nil, fmt.Errorf("dap: unknown variant %d", uint8(v))
	}
	return []byte(v.Tag()), nil
}

// UnmarshalText accepts what [ParseVariant] accepts.
func (v *Variant) UnmarshalText(text []byte) error {
	parsed, err := ParseVariant(string(text))
	if err == nil {
		*v = parsed
	}
	return err
}

// VdafContext returns the application context that DAP gives to the VDAF: the
// variant's tag and the task's id (section 4.4.2).
func (v Variant) VdafContext(id TaskID) []byte {
	return append([]byte(v.Tag()), id[:]...)
}

// A ReportError says why a single report was refused. Its values are this
// package's own and the same in all variants; [ReportError.Code] gives the
// number on the wire. The zero value is no error and has no encoding.
type ReportError uint8

// The report errors, in the draft's words.
const (
	BatchCollected           ReportError = iota + 1 // the report's batch has been collected
	ReportReplayed                                  // a report with this id was seen before
	ReportDropped                                   // not processed, for a reason that is not the report's fault
	HpkeUnknownConfigID                             // sealed for a key that the aggregator does not have
	HpkeDecryptError                                // does not decrypt
	VdafVerifyError                                 // the proof does not hold
	TaskExpired                                     // dap-18: the report's time is after the task's interval
	InvalidMessage                                  // what was sealed cannot be used
	ReportTooEarly                                  // the report's time is in the future; may be tried again
	TaskNotStarted                                  // dap-18: the report's time is before the task's interval
	OutdatedConfig                                  // dap-18: at upload, sealed for a key that the Leader does not have
	UnknownVerificationKeyID                        // dap-19: the job names a verification key that the Helper does not have
)

// reportErrors maps the stable value to its name and its number in each
// variant, 0 where the variant lacks it.
var reportErrors = [...]struct {
	name         string
	code18       uint8
	code19       uint8
	substitute19 ReportError // what dap-19 says instead
}{
	BatchCollected:           {name: "batch_collected", code18: 1, code19: 1},
	ReportReplayed:           {name: "report_replayed", code18: 2, code19: 2},
	ReportDropped:            {name: "report_dropped", code18: 3, code19: 3},
	HpkeUnknownConfigID:      {name: "hpke_unknown_config_id", code18: 4, code19: 4},
	HpkeDecryptError:         {name: "hpke_decrypt_error", code18: 5, code19: 5},
	VdafVerifyError:          {name: "vdaf_verify_error", code18: 6, code19: 6},
	TaskExpired:              {name: "task_expired", code18: 7, substitute19: ReportDropped},
	InvalidMessage:           {name: "invalid_message", code18: 8, code19: 7},
	ReportTooEarly:           {name: "report_too_early", code18: 9, code19: 8},
	TaskNotStarted:           {name: "task_not_started", code18: 10, substitute19: ReportDropped},
	OutdatedConfig:           {name: "outdated_config", code18: 11, substitute19: HpkeUnknownConfigID},
	UnknownVerificationKeyID: {name: "unknown_verification_key_id", code19: 9},
}

// String returns the draft's name, such as "report_replayed".
func (e ReportError) String() string {
	if e == 0 || int(e) >= len(reportErrors) {
		return fmt.Sprintf("ReportError(%d)", uint8(e))
	}
	return reportErrors[e].name
}

// ParseReportError returns the error with the draft's name.
func ParseReportError(name string) (ReportError, error) {
	for e := range reportErrors {
		if e != 0 && reportErrors[e].name == name {
			return ReportError(e), nil
		}
	}
	return 0, fmt.Errorf("dap: unknown report error %.40q", name)
}

// Code returns the number of e on the wire of variant v, and false if v has no
// such error.
func (e ReportError) Code(v Variant) (uint8, bool) {
	if e == 0 || int(e) >= len(reportErrors) || !v.valid() {
		return 0, false
	}
	code := reportErrors[e].code18
	if v == Variant19 {
		code = reportErrors[e].code19
	}
	return code, code != 0
}

// In returns the error by which variant v says e: e itself where v has it,
// else the nearest that v has. UnknownVerificationKeyID fails the whole job in
// dap-18, so there it becomes ReportDropped.
func (e ReportError) In(v Variant) ReportError {
	if _, ok := e.Code(v); ok || e == 0 || int(e) >= len(reportErrors) {
		return e
	}
	if s := reportErrors[e].substitute19; v == Variant19 && s != 0 {
		return s
	}
	return ReportDropped
}

// ReportErrorFromCode returns the error with that number on the wire of
// variant v, and false for the reserved and the unknown.
func ReportErrorFromCode(v Variant, code uint8) (ReportError, bool) {
	for e := range reportErrors {
		if c, ok := ReportError(e).Code(v); ok && c == code {
			return ReportError(e), true
		}
	}
	return 0, false
}

func (w *writer) reportError(field string, e ReportError) {
	code, ok := e.Code(w.variant)
	if !ok {
		w.fail(ErrMalformed, field, "%s has no number in %s", e, w.variant)
	}
	w.u8(code)
}

func (r *reader) reportError(field string) ReportError {
	code := r.u8(field)
	e, ok := ReportErrorFromCode(r.variant, code)
	if !ok && r.err == nil {
		r.fail(ErrMalformed, field, "%d is no report error of %s", code, r.variant)
	}
	return e
}
