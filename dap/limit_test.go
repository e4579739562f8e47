package dap_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"muster/dap"
)

// Raw encodings, independent of the encoder.

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func u16(n int) []byte    { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
func u32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
func u64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// vec8, vec16 and vec32 prefix b with its length.
func vec8(b []byte) []byte  { return cat([]byte{byte(len(b))}, b) }
func vec16(b []byte) []byte { return cat(u16(len(b)), b) }
func vec32(b []byte) []byte { return cat(u32(uint32(len(b))), b) }

// times joins f(0) to f(n-1).
func times(n int, f func(i int) []byte) []byte {
	var b []byte
	for i := range n {
		b = append(b, f(i)...)
	}
	return b
}

func rawID(i int) []byte { return cat(make([]byte, 12), u32(uint32(i))) }

func rawMetadata(i int) []byte { return cat(rawID(i), u64(2872), u16(0)) }

func rawCiphertext(payload int) []byte {
	return cat([]byte{1}, vec16([]byte{2}), vec32(make([]byte, payload)))
}

// rawReport has 45 bytes and two payloads.
func rawReport(i, payload int) []byte {
	return cat(rawMetadata(i), vec32(nil), rawCiphertext(payload), rawCiphertext(1))
}

func rawVerifyInit(i, payload int) []byte {
	return cat(rawMetadata(i), vec32(nil), rawCiphertext(1), vec32(make([]byte, payload)))
}

// rawExtensions returns a list with n extensions of types from first upwards.
func rawExtensions(n, first int) []byte {
	return vec16(times(n, func(i int) []byte { return cat(u16(first+i), vec16(nil)) }))
}

type rawTask struct {
	info, leader, helper, batchConfig, vdafConfig, extensions []byte
	precision                                                 uint64
	mode                                                      byte
}

// rawTaskConfiguration changes one thing in a valid configuration.
func rawTaskConfiguration(change func(*rawTask)) []byte {
	r := rawTask{
		info: vec8([]byte{1}), leader: vec16([]byte("a")), helper: vec16([]byte("b")), batchConfig: vec16(nil),
		vdafConfig: vec16(nil), extensions: vec16(nil), precision: 1, mode: 1,
	}
	change(&r)
	return cat(r.info, r.leader, r.helper, u64(r.precision), u64(9), []byte{r.mode}, r.batchConfig, u32(1), r.vdafConfig, r.extensions)
}

func rawCollection(aggParam int, extensions []byte) []byte {
	return cat([]byte{2}, vec16(nil), vec32(make([]byte, aggParam)), extensions)
}

func text(n int) []byte { return bytes.Repeat([]byte("a"), n) }

// rawPad returns the padding that makes a message of base(0) bytes plus
// padding as long as size.
func rawPad(size int, base func(pad int) []byte) []byte { return base(size - len(base(1)) + 1) }

// TestLimits has, for every limit and rule, the last message that is accepted
// and the first that is not.
func TestLimits(t *testing.T) {
	t.Parallel()
	byName := map[string]kind{}
	for _, k := range kinds() {
		byName[k.name] = k
	}
	upload := func(pad int) []byte { return cat(rawReport(0, 1), rawReport(1, pad)) }
	jobInit := func(pad int) []byte {
		return cat([]byte{0}, vec32(nil), vec16(nil), rawVerifyInit(0, 1), rawVerifyInit(1, pad))
	}
	jobResp := func(pad int) []byte {
		return cat(rawID(0), []byte{1}, rawID(1), []byte{0}, vec32(make([]byte, pad)))
	}
	jobContinue := func(pad int) []byte { return cat(u16(1), rawID(0), vec32(make([]byte, pad))) }
	plaintext := func(pad int) []byte { return cat(vec16(nil), vec32(make([]byte, pad))) }
	collection := func(pad int) []byte { return rawCollection(pad, vec16(nil)) }
	shareReq := func(pad int) []byte {
		return cat(collection(pad), []byte{2}, vec16(make([]byte, 32)), u64(1), make([]byte, 32))
	}
	cfg := rawTaskConfiguration(func(*rawTask) {})
	inputAad := func(pad int) []byte { return cat(make([]byte, 32), cfg, rawMetadata(0), vec32(make([]byte, pad))) }
	aggregateAad := func(pad int) []byte { return cat(make([]byte, 32), cfg, collection(pad)) }
	configs := func(n, size int) []byte {
		return vec16(times(n, func(i int) []byte { return cat([]byte{byte(i)}, u16(0x20), u16(1), u16(1), vec16(make([]byte, size))) }))
	}
	task := rawTaskConfiguration
	interval := func(start, duration uint64) []byte { return cat(u64(start), u64(duration)) }
	typed := func(t int, data []byte) []byte { return vec16(cat(u16(t), vec16(data))) }

	rows := []struct {
		name, message string
		good, bad     []byte
		kind          error
		field         string
		variant       dap.Variant // 18 unless set
	}{
		{"100 reports", "UploadRequest", times(100, func(i int) []byte { return rawReport(i, 1) }), times(101, func(i int) []byte { return rawReport(i, 1) }), dap.ErrLimit, "reports", 0},
		{"1 report", "UploadRequest", rawReport(0, 1), nil, dap.ErrMalformed, "reports", 0},
		{"1 MiB", "UploadRequest", rawPad(dap.MaxUploadSize, upload), rawPad(dap.MaxUploadSize+1, upload), dap.ErrLimit, "", 0},
		{"100 statuses", "UploadErrors", times(100, func(i int) []byte { return cat(rawID(i), []byte{2}) }), times(101, func(i int) []byte { return cat(rawID(i), []byte{2}) }), dap.ErrLimit, "status", 0},
		{"first error", "ReportUploadStatus", cat(rawID(0), []byte{1}), cat(rawID(0), []byte{0}), dap.ErrMalformed, "error", 0},
		{"last error", "ReportUploadStatus", cat(rawID(0), []byte{11}), cat(rawID(0), []byte{12}), dap.ErrMalformed, "error", 0},
		{"last error of 19", "ReportUploadStatus", cat(rawID(0), []byte{9}), cat(rawID(0), []byte{10}), dap.ErrMalformed, "error", dap.Variant19},

		{"256 inits", "AggregationJobInitReq", cat([]byte{0}, vec32(nil), vec16(nil), times(256, func(i int) []byte { return rawVerifyInit(i, 1) })), cat([]byte{0}, vec32(nil), vec16(nil), times(257, func(i int) []byte { return rawVerifyInit(i, 1) })), dap.ErrLimit, "verify_inits", 0},
		{"1 init", "AggregationJobInitReq", cat([]byte{0}, vec32(nil), vec16(nil), rawVerifyInit(0, 1)), cat([]byte{0}, vec32(nil), vec16(nil)), dap.ErrMalformed, "verify_inits", 0},
		{"distinct inits", "AggregationJobInitReq", cat([]byte{0}, vec32(nil), vec16(nil), rawVerifyInit(3, 1), rawVerifyInit(2, 1)), cat([]byte{0}, vec32(nil), vec16(nil), rawVerifyInit(3, 1), rawVerifyInit(2, 1), rawVerifyInit(3, 1)), dap.ErrMalformed, "verify_inits", 0},
		{"16 MiB of inits", "AggregationJobInitReq", rawPad(dap.MaxJobSize, jobInit), rawPad(dap.MaxJobSize+1, jobInit), dap.ErrLimit, "", 0},
		{"batch id", "AggregationJobInitReq", cat([]byte{0}, vec32(nil), typed(1, make([]byte, 32)), rawVerifyInit(0, 1)), cat([]byte{0}, vec32(nil), typed(1, make([]byte, 31)), rawVerifyInit(0, 1)), dap.ErrExtension, "extensions", 0},
		{"job extensions", "AggregationJobInitReq", cat([]byte{0}, vec32(nil), rawExtensions(16, 2), rawVerifyInit(0, 1)), cat([]byte{0}, vec32(nil), rawExtensions(17, 2), rawVerifyInit(0, 1)), dap.ErrLimit, "extensions", 0},
		{"init payload", "VerifyInit", rawVerifyInit(0, 1), rawVerifyInit(0, 0), dap.ErrMalformed, "payload", 0},
		{"256 answers", "AggregationJobResp", times(256, func(i int) []byte { return cat(rawID(i), []byte{1}) }), times(257, func(i int) []byte { return cat(rawID(i), []byte{1}) }), dap.ErrLimit, "verify_resps", 0},
		{"1 answer", "AggregationJobResp", cat(rawID(0), []byte{1}), nil, dap.ErrMalformed, "verify_resps", 0},
		{"distinct answers", "AggregationJobResp", cat(rawID(0), []byte{1}, rawID(1), []byte{1}), cat(rawID(1), []byte{1}, rawID(1), []byte{1}), dap.ErrMalformed, "verify_resps", 0},
		{"16 MiB of answers", "AggregationJobResp", rawPad(dap.MaxJobSize, jobResp), rawPad(dap.MaxJobSize+1, jobResp), dap.ErrLimit, "", 0},
		{"answer type", "VerifyResp", cat(rawID(0), []byte{2, 6}), cat(rawID(0), []byte{3, 6}), dap.ErrMalformed, "verify_resp_type", 0},
		{"answer payload", "VerifyResp", cat(rawID(0), []byte{0}, vec32([]byte{1})), cat(rawID(0), []byte{0}, vec32(nil)), dap.ErrMalformed, "payload", 0},
		{"256 continuations", "AggregationJobContinueReq", cat(u16(1), times(256, func(i int) []byte { return cat(rawID(i), vec32([]byte{1})) })), cat(u16(1), times(257, func(i int) []byte { return cat(rawID(i), vec32([]byte{1})) })), dap.ErrLimit, "verify_continues", 0},
		{"1 continuation", "AggregationJobContinueReq", jobContinue(1), u16(1), dap.ErrMalformed, "verify_continues", 0},
		{"distinct continuations", "AggregationJobContinueReq", cat(jobContinue(1), rawID(1), vec32([]byte{1})), cat(jobContinue(1), rawID(0), vec32([]byte{1})), dap.ErrMalformed, "verify_continues", 0},
		{"16 MiB of continuations", "AggregationJobContinueReq", rawPad(dap.MaxJobSize, jobContinue), rawPad(dap.MaxJobSize+1, jobContinue), dap.ErrLimit, "", 0},
		{"step", "AggregationJobContinueReq", jobContinue(1), cat(u16(0), rawID(0), vec32([]byte{1})), dap.ErrMalformed, "step", 0},
		{"continuation payload", "VerifyContinue", cat(rawID(0), vec32([]byte{1})), cat(rawID(0), vec32(nil)), dap.ErrMalformed, "payload", 0},

		{"16 public extensions", "ReportMetadata", cat(rawID(0), u64(1), rawExtensions(16, 1)), cat(rawID(0), u64(1), rawExtensions(17, 1)), dap.ErrLimit, "public_extensions", 0},
		{"increasing", "ReportMetadata", cat(rawID(0), u64(1), vec16(cat(u16(1), u16(0), u16(2), u16(0)))), cat(rawID(0), u64(1), vec16(cat(u16(2), u16(0), u16(1), u16(0)))), dap.ErrExtension, "public_extensions", 0},
		{"strictly increasing", "ReportMetadata", cat(rawID(0), u64(1), vec16(cat(u16(1), u16(0), u16(2), u16(0)))), cat(rawID(0), u64(1), vec16(cat(u16(2), u16(0), u16(2), u16(0)))), dap.ErrExtension, "public_extensions", 0},
		{"reserved type", "ReportMetadata", cat(rawID(0), u64(1), rawExtensions(1, 1)), cat(rawID(0), u64(1), rawExtensions(1, 0)), dap.ErrExtension, "public_extensions[0].extension_type", 0},
		{"vector ends with an element", "ReportMetadata", cat(rawID(0), u64(1), vec16(cat(u16(1), u16(1), []byte{9}))), cat(rawID(0), u64(1), u16(4), u16(1), u16(1), []byte{9}), dap.ErrMalformed, "public_extensions[0].extension_data", 0},
		{"16 private extensions", "PlaintextInputShare", cat(rawExtensions(16, 1), vec32([]byte{1})), cat(rawExtensions(17, 1), vec32([]byte{1})), dap.ErrLimit, "private_extensions", 0},
		{"input share payload", "PlaintextInputShare", plaintext(1), plaintext(0), dap.ErrMalformed, "payload", 0},
		{"1 MiB of input share", "PlaintextInputShare", rawPad(dap.MaxMessageSize, plaintext), rawPad(dap.MaxMessageSize+1, plaintext), dap.ErrLimit, "", 0},
		{"declared 4 GiB", "HpkeCiphertext", rawCiphertext(1), cat([]byte{1}, vec16([]byte{2}), u32(math.MaxUint32), []byte{1}), dap.ErrMalformed, "payload", 0},
		{"enc", "HpkeCiphertext", rawCiphertext(1), cat([]byte{1}, vec16(nil), vec32([]byte{1})), dap.ErrMalformed, "enc", 0},
		{"payload", "HpkeCiphertext", rawCiphertext(1), rawCiphertext(0), dap.ErrMalformed, "payload", 0},
		{"public key", "HpkeConfig", cat([]byte{1}, u16(0x20), u16(1), u16(1), vec16([]byte{1})), cat([]byte{1}, u16(0x20), u16(1), u16(1), vec16(nil)), dap.ErrMalformed, "public_key", 0},
		{"1 configuration", "HpkeConfigList", configs(1, 1), configs(0, 1), dap.ErrMalformed, "configs", 0},
		{"256 configurations", "HpkeConfigList", configs(256, 1), configs(257, 1), dap.ErrLimit, "configs", 0},
		{"distinct configurations", "HpkeConfigList", configs(2, 1), vec16(cat(configs(1, 1)[2:], configs(1, 2)[2:])), dap.ErrMalformed, "configs", 0},

		{"no task info", "TaskConfiguration", task(func(*rawTask) {}), task(func(r *rawTask) { r.info = vec8(nil) }), dap.ErrMalformed, "task_info", 0},
		{"empty URL", "TaskConfiguration", task(func(r *rawTask) { r.leader = vec16(text(65535)) }), task(func(r *rawTask) { r.leader = vec16(nil) }), dap.ErrMalformed, "leader_aggregator_endpoint", 0},
		{"URL with space", "TaskConfiguration", task(func(r *rawTask) { r.helper = vec16([]byte("!~")) }), task(func(r *rawTask) { r.helper = vec16([]byte("! ~")) }), dap.ErrMalformed, "helper_aggregator_endpoint", 0},
		{"URL not ASCII", "TaskConfiguration", task(func(*rawTask) {}), task(func(r *rawTask) { r.leader = vec16([]byte("https://é")) }), dap.ErrMalformed, "leader_aggregator_endpoint", 0},
		{"URL with delete", "TaskConfiguration", task(func(*rawTask) {}), task(func(r *rawTask) { r.leader = vec16([]byte("a\x7f")) }), dap.ErrMalformed, "leader_aggregator_endpoint", 0},
		{"precision", "TaskConfiguration", task(func(r *rawTask) { r.precision = 1 }), task(func(r *rawTask) { r.precision = 0 }), dap.ErrMalformed, "time_precision", 0},
		{"no mode", "TaskConfiguration", task(func(r *rawTask) { r.mode = 1 }), task(func(r *rawTask) { r.mode = 0 }), dap.ErrMalformed, "batch_mode", 0},
		{"last mode", "TaskConfiguration", task(func(r *rawTask) { r.mode = 2 }), task(func(r *rawTask) { r.mode = 3 }), dap.ErrMalformed, "batch_mode", 0},
		{"batch configuration", "TaskConfiguration", task(func(*rawTask) {}), task(func(r *rawTask) { r.batchConfig = vec16([]byte{0}) }), dap.ErrMalformed, "batch_config", 0},
		{"16 task extensions", "TaskConfiguration", task(func(r *rawTask) { r.extensions = rawExtensions(16, 2) }), task(func(r *rawTask) { r.extensions = rawExtensions(17, 2) }), dap.ErrLimit, "extensions", 0},
		{"task interval", "TaskConfiguration", task(func(r *rawTask) { r.extensions = typed(1, interval(1, 2)) }), task(func(r *rawTask) { r.extensions = typed(1, interval(1, 2)[:15]) }), dap.ErrExtension, "extensions", 0},
		{"task interval overflows", "TaskConfiguration", task(func(r *rawTask) { r.extensions = typed(1, interval(1, math.MaxUint64-1)) }), task(func(r *rawTask) { r.extensions = typed(1, interval(1, math.MaxUint64)) }), dap.ErrExtension, "extensions", 0},

		{"interval", "Interval", interval(math.MaxUint64, 0), interval(math.MaxUint64, 1), dap.ErrMalformed, "duration", 0},
		{"query interval", "Query", cat([]byte{1}, vec16(interval(1, 2))), cat([]byte{1}, vec16(interval(1, math.MaxUint64))), dap.ErrMalformed, "config", 0},
		{"query mode", "Query", cat([]byte{2}, vec16(nil)), cat([]byte{3}, vec16(nil)), dap.ErrMalformed, "batch_mode", 0},
		{"leader-selected query", "Query", cat([]byte{2}, vec16(nil)), cat([]byte{2}, vec16(make([]byte, 32))), dap.ErrMalformed, "config", 0},
		{"leader-selected selector", "BatchSelector", cat([]byte{2}, vec16(make([]byte, 32))), cat([]byte{2}, vec16(make([]byte, 33))), dap.ErrMalformed, "config", 0},
		{"selector interval", "BatchSelector", cat([]byte{1}, vec16(interval(1, 2))), cat([]byte{1}, vec16(nil)), dap.ErrMalformed, "config", 0},
		{"16 collection extensions", "CollectionJobReq", rawCollection(0, rawExtensions(16, 1)), rawCollection(0, rawExtensions(17, 1)), dap.ErrLimit, "extensions", 0},
		{"1 MiB of collection", "CollectionJobReq", rawPad(dap.MaxMessageSize, collection), rawPad(dap.MaxMessageSize+1, collection), dap.ErrLimit, "", 0},
		{"2 MiB of share request", "AggregateShareReq", rawPad(dap.MaxEnvelopeSize, shareReq), rawPad(dap.MaxEnvelopeSize+1, shareReq), dap.ErrLimit, "", 0},
		{"2 MiB of input share AAD", "InputShareAad", rawPad(dap.MaxEnvelopeSize, inputAad), rawPad(dap.MaxEnvelopeSize+1, inputAad), dap.ErrLimit, "", 0},
		{"2 MiB of aggregate share AAD", "AggregateShareAad", rawPad(dap.MaxEnvelopeSize, aggregateAad), rawPad(dap.MaxEnvelopeSize+1, aggregateAad), dap.ErrLimit, "", 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			k, ok := byName[row.message]
			if !ok {
				t.Fatalf("no message %s", row.message)
			}
			m, err := k.decode(row.variant, row.good)
			if err != nil {
				t.Fatalf("at the limit: %v", err)
			}
			if encoded, err := dap.Encode(row.variant, m); err != nil || !bytes.Equal(encoded, row.good) {
				t.Errorf("at the limit: encodes to %d other bytes, %v", len(encoded), err)
			}
			_, err = k.decode(row.variant, row.bad)
			e, ok := errors.AsType[*dap.FormatError](err)
			if !ok || !errors.Is(err, row.kind) || e.Field != row.field || e.Message != row.message {
				t.Errorf("beyond the limit: %v (%#v), want %v at %q", err, err, row.kind, row.field)
			}
		})
	}
}

// TestTaskInfo19 accepts in dap-19 what dap-18 refuses.
func TestTaskInfo19(t *testing.T) {
	t.Parallel()
	raw := rawTaskConfiguration(func(r *rawTask) { r.info = vec8(nil) })
	if _, err := dap.Decode[dap.TaskConfiguration](dap.Variant19, raw); err != nil {
		t.Errorf("dap-19: %v", err)
	}
	if _, err := dap.Decode[dap.TaskConfiguration](dap.Variant18, raw); !errors.Is(err, dap.ErrMalformed) {
		t.Errorf("dap-18: %v", err)
	}
}

// TestEncodeRefuses has one message for each rule that no bytes could follow.
func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	long := func(n int) []byte { return make([]byte, n) }
	extensions := func(types ...dap.ExtensionType) (list []dap.Extension) {
		for _, t := range types {
			list = append(list, dap.Extension{Type: t})
		}
		return list
	}
	task := func(change func(*dap.TaskConfiguration)) dap.TaskConfiguration {
		cfg := goldenTaskConfiguration()
		change(&cfg)
		return cfg
	}
	init := func(change func(*dap.AggregationJobInitReq)) dap.AggregationJobInitReq {
		m := dap.AggregationJobInitReq{VerifyInits: goldenVerifyInits()}
		change(&m)
		return m
	}
	metadata := func(list []dap.Extension) dap.ReportMetadata { return dap.ReportMetadata{PublicExtensions: list} }
	resp := func(t dap.VerifyRespType, payload []byte, e dap.ReportError) dap.VerifyResp {
		return dap.VerifyResp{VerifyRespType: t, Payload: payload, ReportError: e}
	}
	overflow := dap.Interval{Start: 1, Duration: math.MaxUint64}
	tooMany := make([]dap.Extension, dap.MaxExtensions+1)
	for i := range tooMany {
		tooMany[i].Type = dap.ExtensionType(i + 1)
	}
	configs := make(dap.HpkeConfigList, 257)
	for i := range configs {
		configs[i] = dap.HpkeConfig{ID: uint8(i), PublicKey: []byte{1}}
	}
	tests := []struct {
		name    string
		message dap.Message
		kind    error
		field   string
	}{
		{"no reports", dap.UploadRequest{}, dap.ErrMalformed, "reports"},
		{"101 reports", dap.UploadRequest{Reports: make([]dap.Report, 101)}, dap.ErrLimit, "reports"},
		{"upload over 1 MiB", dap.UploadRequest{Reports: []dap.Report{{
			PublicShare: long(dap.MaxUploadSize), LeaderEncryptedInputShare: goldenLeader, HelperEncryptedInputShare: goldenHelper,
		}}}, dap.ErrLimit, ""},
		{"input share of 1 MiB and 1 byte", dap.PlaintextInputShare{Payload: long(dap.MaxMessageSize - 5)}, dap.ErrLimit, ""},
		{"public share over every limit", dap.Report{PublicShare: long(dap.MaxJobSize + 1)}, dap.ErrLimit, "public_share"},
		{"no ciphertext", dap.Report{LeaderEncryptedInputShare: goldenLeader}, dap.ErrMalformed, "helper_encrypted_input_share.enc"},
		{"101 statuses", dap.UploadErrors{Status: make([]dap.ReportUploadStatus, 101)}, dap.ErrLimit, "status"},
		{"no error", dap.UploadErrors{Status: []dap.ReportUploadStatus{{}}}, dap.ErrMalformed, "status[0].error"},
		{"error of dap-19", dap.ReportUploadStatus{Error: dap.UnknownVerificationKeyID}, dap.ErrMalformed, "error"},
		{"unknown error", dap.ReportUploadStatus{Error: 200}, dap.ErrMalformed, "error"},
		{"no inits", init(func(m *dap.AggregationJobInitReq) { m.VerifyInits = nil }), dap.ErrMalformed, "verify_inits"},
		{"257 inits", init(func(m *dap.AggregationJobInitReq) { m.VerifyInits = make([]dap.VerifyInit, 257) }), dap.ErrLimit, "verify_inits"},
		{"a report twice", init(func(m *dap.AggregationJobInitReq) { m.VerifyInits = append(m.VerifyInits, m.VerifyInits[0]) }), dap.ErrMalformed, "verify_inits"},
		{"short batch id", init(func(m *dap.AggregationJobInitReq) {
			m.Extensions = []dap.Extension{{Type: dap.JobExtensionBatchID, Data: long(31)}}
		}), dap.ErrExtension, "extensions"},
		{"no answers", dap.AggregationJobResp{}, dap.ErrMalformed, "verify_resps"},
		{"an answer twice", dap.AggregationJobResp{VerifyResps: []dap.VerifyResp{resp(1, nil, 0), resp(1, nil, 0)}}, dap.ErrMalformed, "verify_resps"},
		{"unknown answer", resp(3, nil, 0), dap.ErrMalformed, "verify_resp_type"},
		{"finish with payload", resp(dap.VerifyRespFinish, []byte{1}, 0), dap.ErrMalformed, "payload"},
		{"finish with error", resp(dap.VerifyRespFinish, nil, dap.ReportDropped), dap.ErrMalformed, "report_error"},
		{"continue with error", resp(dap.VerifyRespContinue, []byte{1}, dap.ReportDropped), dap.ErrMalformed, "report_error"},
		{"continue without payload", resp(dap.VerifyRespContinue, nil, 0), dap.ErrMalformed, "payload"},
		{"reject with payload", resp(dap.VerifyRespReject, []byte{1}, dap.ReportDropped), dap.ErrMalformed, "payload"},
		{"reject without error", resp(dap.VerifyRespReject, nil, 0), dap.ErrMalformed, "report_error"},
		{"step 0", dap.AggregationJobContinueReq{VerifyContinues: []dap.VerifyContinue{{Payload: []byte{1}}}}, dap.ErrMalformed, "step"},
		{"no continuations", dap.AggregationJobContinueReq{Step: 1}, dap.ErrMalformed, "verify_continues"},
		{"17 extensions", metadata(tooMany), dap.ErrLimit, "public_extensions"},
		{"extensions out of order", metadata(extensions(2, 1)), dap.ErrExtension, "public_extensions"},
		{"extension twice", metadata(extensions(2, 2)), dap.ErrExtension, "public_extensions"},
		{"extension 0", metadata(extensions(0)), dap.ErrExtension, "public_extensions[0].extension_type"},
		{"extension of 65,536 bytes", dap.Extension{Type: 1, Data: long(65536)}, dap.ErrMalformed, "extension_data"},
		{"list of 65,536 bytes", metadata([]dap.Extension{{Type: 1, Data: long(65532)}}), dap.ErrMalformed, "public_extensions"},
		{"task info of 256 bytes", task(func(c *dap.TaskConfiguration) { c.TaskInfo = long(256) }), dap.ErrMalformed, "task_info"},
		{"no task info", task(func(c *dap.TaskConfiguration) { c.TaskInfo = nil }), dap.ErrMalformed, "task_info"},
		{"no URL", task(func(c *dap.TaskConfiguration) { c.LeaderAggregatorEndpoint = "" }), dap.ErrMalformed, "leader_aggregator_endpoint"},
		{"URL with line break", task(func(c *dap.TaskConfiguration) { c.HelperAggregatorEndpoint = "a\n" }), dap.ErrMalformed, "helper_aggregator_endpoint"},
		{"URL of 65,536 bytes", task(func(c *dap.TaskConfiguration) { c.HelperAggregatorEndpoint = dap.URL(text(65536)) }), dap.ErrMalformed, "helper_aggregator_endpoint"},
		{"no precision", task(func(c *dap.TaskConfiguration) { c.TimePrecision = 0 }), dap.ErrMalformed, "time_precision"},
		{"no mode", task(func(c *dap.TaskConfiguration) { c.BatchMode = 0 }), dap.ErrMalformed, "batch_mode"},
		{"batch configuration", task(func(c *dap.TaskConfiguration) { c.BatchConfig = long(1) }), dap.ErrMalformed, "batch_config"},
		{"VDAF configuration of 65,536 bytes", task(func(c *dap.TaskConfiguration) { c.VdafConfiguration = long(65536) }), dap.ErrMalformed, "vdaf_configuration"},
		{"nested", dap.InputShareAad{TaskConfiguration: task(func(c *dap.TaskConfiguration) { c.TimePrecision = 0 })}, dap.ErrMalformed, "task_configuration.time_precision"},
		{"no payload", dap.PlaintextInputShare{}, dap.ErrMalformed, "payload"},
		{"no configurations", dap.HpkeConfigList{}, dap.ErrMalformed, "configs"},
		{"configuration twice", dap.HpkeConfigList{configs[0], configs[0]}, dap.ErrMalformed, "configs"},
		{"list of configurations of 65,536 bytes", dap.HpkeConfigList{{PublicKey: long(65535 - 8)}}, dap.ErrMalformed, "configs"},
		{"no key", dap.HpkeConfig{}, dap.ErrMalformed, "public_key"},
		{"no enc", dap.HpkeCiphertext{Payload: []byte{1}}, dap.ErrMalformed, "enc"},
		{"enc of 65,536 bytes", dap.HpkeCiphertext{Enc: long(65536), Payload: []byte{1}}, dap.ErrMalformed, "enc"},
		{"interval overflows", overflow, dap.ErrMalformed, "duration"},
		{"query without mode", dap.Query{}, dap.ErrMalformed, "batch_mode"},
		{"query without interval", dap.Query{BatchMode: dap.BatchModeTimeInterval}, dap.ErrMalformed, "config"},
		{"query with batch id", dap.Query{BatchMode: dap.BatchModeLeaderSelected, Config: long(32)}, dap.ErrMalformed, "config"},
		{"selector without batch id", dap.BatchSelector{BatchMode: dap.BatchModeLeaderSelected}, dap.ErrMalformed, "config"},
		{"response", dap.CollectionJobResp{Interval: overflow}, dap.ErrMalformed, "interval.duration"},
		{"request", dap.AggregateShareReq{CollectionJobReq: goldenCollection()}, dap.ErrMalformed, "batch_selector.batch_mode"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			before := []byte("before")
			got, err := dap.Append(dap.Variant18, before, test.message)
			e, ok := errors.AsType[*dap.FormatError](err)
			if !ok || !errors.Is(err, test.kind) || e.Field != test.field || e.Offset != -1 {
				t.Errorf("error %v (%#v), want %v at %q", err, err, test.kind, test.field)
			}
			if string(got) != "before" {
				t.Errorf("dst is now %.40q", got)
			}
			if ok && !strings.HasPrefix(e.Error(), "dap: encode "+e.Message+": ") {
				t.Errorf("text %q", e.Error())
			}
		})
	}
	if _, err := dap.Encode(20, goldenLeader); !errors.Is(err, dap.ErrMalformed) {
		t.Errorf("unknown variant: %v", err)
	}
}
