package dap_test

import (
	"strings"
	"testing"

	"muster/dap"
)

func TestVariant(t *testing.T) {
	t.Parallel()
	for v, tag := range map[dap.Variant]string{0: "dap-18", dap.Variant18: "dap-18", dap.Variant19: "dap-19"} {
		if v.Tag() != tag || v.String() != tag {
			t.Errorf("%d: %s", uint8(v), v.Tag())
		}
		if got := string(v.VdafContext(goldenTask)); got != tag+string(goldenTask[:]) {
			t.Errorf("context %q", got)
		}
		if got, err := dap.ParseVariant(tag); err != nil || got.Tag() != tag || got == 0 {
			t.Errorf("ParseVariant(%s) = %d, %v", tag, uint8(got), err)
		}
	}
	for _, tag := range []string{"", "dap-17", "dap-0", "DAP-18", "dap-18 ", "18"} {
		if got, err := dap.ParseVariant(tag); err == nil {
			t.Errorf("%q is accepted as %s", tag, got)
		}
	}
}

// TestReportErrorCodes has both variants' numbers.
func TestReportErrorCodes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err            dap.ReportError
		name           string
		code18, code19 uint8           // 0 where the variant lacks it
		in18, in19     dap.ReportError // what the variant says instead
	}{
		{dap.BatchCollected, "batch_collected", 1, 1, dap.BatchCollected, dap.BatchCollected},
		{dap.ReportReplayed, "report_replayed", 2, 2, dap.ReportReplayed, dap.ReportReplayed},
		{dap.ReportDropped, "report_dropped", 3, 3, dap.ReportDropped, dap.ReportDropped},
		{dap.HpkeUnknownConfigID, "hpke_unknown_config_id", 4, 4, dap.HpkeUnknownConfigID, dap.HpkeUnknownConfigID},
		{dap.HpkeDecryptError, "hpke_decrypt_error", 5, 5, dap.HpkeDecryptError, dap.HpkeDecryptError},
		{dap.VdafVerifyError, "vdaf_verify_error", 6, 6, dap.VdafVerifyError, dap.VdafVerifyError},
		{dap.TaskExpired, "task_expired", 7, 0, dap.TaskExpired, dap.ReportDropped},
		{dap.InvalidMessage, "invalid_message", 8, 7, dap.InvalidMessage, dap.InvalidMessage},
		{dap.ReportTooEarly, "report_too_early", 9, 8, dap.ReportTooEarly, dap.ReportTooEarly},
		{dap.TaskNotStarted, "task_not_started", 10, 0, dap.TaskNotStarted, dap.ReportDropped},
		{dap.OutdatedConfig, "outdated_config", 11, 0, dap.OutdatedConfig, dap.HpkeUnknownConfigID},
		{dap.UnknownVerificationKeyID, "unknown_verification_key_id", 0, 9, dap.ReportDropped, dap.UnknownVerificationKeyID},
	}
	seen := map[dap.Variant]int{}
	for _, test := range tests {
		if test.err.String() != test.name {
			t.Errorf("%s is called %s", test.name, test.err)
		}
		if got, err := dap.ParseReportError(test.name); err != nil || got != test.err {
			t.Errorf("ParseReportError(%s) = %s, %v", test.name, got, err)
		}
		for v, want := range map[dap.Variant]uint8{dap.Variant18: test.code18, dap.Variant19: test.code19, 0: test.code18} {
			code, ok := test.err.Code(v)
			if code != want || ok != (want != 0) {
				t.Errorf("%s in %s: %d, %v", test.name, v, code, ok)
			}
			if ok {
				seen[v]++
				if back, ok := dap.ReportErrorFromCode(v, code); !ok || back != test.err {
					t.Errorf("%d in %s is %s", code, v, back)
				}
			}
		}
		if a, b := test.err.In(dap.Variant18), test.err.In(dap.Variant19); a != test.in18 || b != test.in19 {
			t.Errorf("%s is said as %s and %s", test.name, a, b)
		}
	}
	for v, n := range map[dap.Variant]int{dap.Variant18: 11, dap.Variant19: 9} {
		if seen[v] != n {
			t.Errorf("%s: %d errors tested, want %d", v, seen[v], n)
		}
		for code := range 256 {
			if _, ok := dap.ReportErrorFromCode(v, uint8(code)); ok != (code >= 1 && code <= n) {
				t.Errorf("%s: code %d: %v", v, code, ok)
			}
		}
	}
	for _, e := range []dap.ReportError{0, 13, 255} {
		if _, ok := e.Code(dap.Variant18); ok || e.In(dap.Variant19) != e || !strings.HasPrefix(e.String(), "ReportError(") {
			t.Errorf("%s has a code", e)
		}
	}
	if _, ok := dap.ReportDropped.Code(20); ok {
		t.Error("a code in an unknown variant")
	}
	for _, name := range []string{"", "reserved", "BATCH_COLLECTED"} {
		if e, err := dap.ParseReportError(name); err == nil {
			t.Errorf("%q is accepted as %s", name, e)
		}
	}
}

// TestStrings has the draft's names, and that unknown values show themselves.
func TestStrings(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		dap.RoleCollector.String(): "collector", dap.RoleClient.String(): "client",
		dap.RoleLeader.String(): "leader", dap.RoleHelper.String(): "helper", dap.Role(4).String(): "Role(4)",
		dap.BatchModeTimeInterval.String(): "time_interval", dap.BatchModeLeaderSelected.String(): "leader_selected",
		dap.BatchMode(0).String():        "BatchMode(0)",
		dap.VerifyRespContinue.String():  "continue",
		dap.VerifyRespFinish.String():    "finish",
		dap.VerifyRespReject.String():    "reject",
		dap.VerifyRespType(3).String():   "VerifyRespType(3)",
		dap.SuiteX25519.String():         "X25519-HKDF-SHA256-AES-128-GCM",
		dap.SuiteMLKEM768X25519.String(): "MLKEM768X25519-HKDF-SHA256-AES-128-GCM",
		dap.Suite(0).String():            "Suite(0)",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
