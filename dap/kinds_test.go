package dap_test

import (
	"math"

	"pgregory.net/rapid"

	"muster/dap"
)

// The parts of the golden messages.
var (
	goldenTask = dap.TaskID{
		0xf0, 0x16, 0x34, 0x47, 0x36, 0x4c, 0xcf, 0x1b, 0xc0, 0xe3, 0xaf, 0xfc, 0xca, 0x68, 0x73, 0xc9,
		0xc3, 0x81, 0xf6, 0x4a, 0xcd, 0xf9, 0x02, 0x06, 0x62, 0xf8, 0x3f, 0x46, 0xc0, 0x72, 0x19, 0xe7,
	}
	goldenReport1 = dap.ReportID(counting(0, 16))
	goldenReport2 = dap.ReportID(counting(16, 16))
	goldenReport3 = dap.ReportID(counting(32, 16))
	goldenLeader  = dap.HpkeCiphertext{ConfigID: 194, Enc: []byte{0xe1, 0xe2, 0xe3}, Payload: []byte{0xa1, 0xa2, 0xa3, 0xa4}}
	goldenHelper  = dap.HpkeCiphertext{ConfigID: 17, Enc: []byte{0xe4}, Payload: []byte{0xa5, 0xa6}}
	goldenPublic  = []byte{0xb0, 0xb1, 0xb2}
)

// counting returns n bytes that count up from first.
func counting(first byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}

func goldenMetadata() dap.ReportMetadata {
	return dap.ReportMetadata{
		ReportID: goldenReport1, Time: 2872,
		PublicExtensions: []dap.Extension{{Type: 0x17, Data: []byte{1, 2, 3}}, {Type: 0x2a}},
	}
}

func goldenReports() []dap.Report {
	return []dap.Report{{
		ReportMetadata: goldenMetadata(), PublicShare: goldenPublic,
		LeaderEncryptedInputShare: goldenLeader, HelperEncryptedInputShare: goldenHelper,
	}, {
		ReportMetadata:            dap.ReportMetadata{ReportID: goldenReport2, Time: 2873},
		LeaderEncryptedInputShare: goldenLeader, HelperEncryptedInputShare: goldenHelper,
	}}
}

func goldenTaskConfiguration() dap.TaskConfiguration {
	return dap.TaskConfiguration{
		TaskInfo:                 []byte{0xd0, 0xd1},
		LeaderAggregatorEndpoint: "https://a.example/dap",
		HelperAggregatorEndpoint: "https://b.example/",
		TimePrecision:            604800,
		MinBatchSize:             22,
		BatchMode:                dap.BatchModeTimeInterval,
		VdafType:                 0xFFFF0001,
		VdafConfiguration:        []byte{0, 0, 0, 18, 0, 4, 0, 5, 0, 106},
		Extensions: []dap.Extension{{
			Type: dap.TaskExtensionInterval,
			Data: []byte{0, 0, 0, 0, 0, 0, 0x0b, 0x36, 0, 0, 0, 0, 0, 0, 0, 8},
		}},
	}
}

func goldenCollection() dap.CollectionJobReq {
	return dap.CollectionJobReq{
		Query:      dap.Query{BatchMode: dap.BatchModeTimeInterval, Config: []byte{0, 0, 0, 0, 0, 0, 0x0b, 0x38, 0, 0, 0, 0, 0, 0, 0, 5}},
		AggParam:   []byte{0x99},
		Extensions: []dap.Extension{{Type: 0x31, Data: []byte{5}}},
	}
}

func goldenPlaintext() dap.PlaintextInputShare {
	return dap.PlaintextInputShare{
		PrivateExtensions: []dap.Extension{{Type: 0x18, Data: []byte{9}}},
		Payload:           []byte{0xc0, 0xc1, 0xc2, 0xc3},
	}
}

func goldenInputShareAad() dap.InputShareAad {
	return dap.InputShareAad{
		TaskID: goldenTask, TaskConfiguration: goldenTaskConfiguration(),
		ReportMetadata: goldenMetadata(), PublicShare: goldenPublic,
	}
}

func goldenAggregateShareAad() dap.AggregateShareAad {
	return dap.AggregateShareAad{
		TaskID: goldenTask, TaskConfiguration: goldenTaskConfiguration(), CollectionJobReq: goldenCollection(),
	}
}

func goldenVerifyInits() []dap.VerifyInit {
	return []dap.VerifyInit{{
		ReportShare: dap.ReportShare{ReportMetadata: goldenMetadata(), PublicShare: goldenPublic, EncryptedInputShare: goldenHelper},
		Payload:     []byte{0x00, 0xf1},
	}, {
		ReportShare: dap.ReportShare{ReportMetadata: dap.ReportMetadata{ReportID: goldenReport2, Time: 2873}, EncryptedInputShare: goldenHelper},
		Payload:     []byte{0x00, 0xf2, 0xf3},
	}}
}

// one is the usual case: one golden file, named after the type.
func one[T any](name string, m T) map[string]T { return map[string]T{name + ".hex": m} }

func kinds() []kind {
	reports, inits, cfg := goldenReports(), goldenVerifyInits(), goldenTaskConfiguration()
	cfg19 := cfg
	cfg19.TaskInfo, cfg19.Extensions = nil, nil
	reject := dap.VerifyResp{ReportID: goldenReport1, VerifyRespType: dap.VerifyRespReject, ReportError: dap.InvalidMessage}
	batch := counting(0x80, 32)
	return []kind{
		newKind(randomInterval, one("Interval", dap.Interval{Start: 2872, Duration: 5}), 0),
		newKind(randomExtension, one("Extension", dap.Extension{Type: 0x17, Data: []byte{1, 2, 3}}), 0),
		newKind(randomConfig, one("HpkeConfig", dap.HpkeConfig{ID: 194, KemID: 0x20, KdfID: 1, AeadID: 1, PublicKey: counting(0x40, 32)}), 0),
		newKind(randomConfigList, one("HpkeConfigList", dap.HpkeConfigList{
			{ID: 194, KemID: 0x10, KdfID: 1, AeadID: 1, PublicKey: []byte{1, 2, 3, 4}},
			{ID: 17, KemID: 0x647a, KdfID: 1, AeadID: 3, PublicKey: []byte{4, 3, 2, 1}},
		}), 0),
		newKind(randomCiphertext, one("HpkeCiphertext", goldenLeader), 0),
		newKind(randomMetadata, one("ReportMetadata", goldenMetadata()), 0),
		newKind(randomReport, one("Report", reports[0]), 0),
		newKind(randomUpload, one("UploadRequest", dap.UploadRequest{Reports: reports}), 1),
		newKind(randomStatus, one("ReportUploadStatus", dap.ReportUploadStatus{ID: goldenReport1, Error: dap.ReportTooEarly}), 0),
		newKind(randomUploadErrors, map[string]dap.UploadErrors{
			"UploadErrors.hex":        {Status: []dap.ReportUploadStatus{{goldenReport1, dap.ReportTooEarly}, {goldenReport2, dap.OutdatedConfig}}},
			"UploadErrors.dap-19.hex": {Status: []dap.ReportUploadStatus{{goldenReport1, dap.ReportTooEarly}, {goldenReport2, dap.UnknownVerificationKeyID}}},
		}, 2),
		newKind(randomPlaintext, one("PlaintextInputShare", goldenPlaintext()), 0),
		newKind(randomTask, map[string]dap.TaskConfiguration{"TaskConfiguration.hex": cfg, "TaskConfiguration.dap-19.hex": cfg19}, 0),
		newKind(randomInputShareAad, one("InputShareAad", goldenInputShareAad()), 0),
		newKind(randomAggregateShareAad, one("AggregateShareAad", goldenAggregateShareAad()), 0),
		newKind(randomReportShare, one("ReportShare", inits[0].ReportShare), 0),
		newKind(randomVerifyInit, one("VerifyInit", inits[0]), 0),
		newKind(randomJobInit, one("AggregationJobInitReq", dap.AggregationJobInitReq{
			VerificationKeyID: 7, AggParam: []byte{0x99, 0x98},
			Extensions:  []dap.Extension{{Type: dap.JobExtensionBatchID, Data: batch}},
			VerifyInits: inits,
		}), 1),
		newKind(randomVerifyResp, map[string]dap.VerifyResp{"VerifyResp.hex": reject, "VerifyResp.dap-19.hex": reject}, 0),
		newKind(randomJobResp, one("AggregationJobResp", dap.AggregationJobResp{VerifyResps: []dap.VerifyResp{
			{ReportID: goldenReport1, VerifyRespType: dap.VerifyRespContinue, Payload: []byte{0x02, 0xf4}},
			{ReportID: goldenReport2, VerifyRespType: dap.VerifyRespFinish},
			{ReportID: goldenReport3, VerifyRespType: dap.VerifyRespReject, ReportError: dap.VdafVerifyError},
		}}), 2),
		newKind(randomContinue, one("VerifyContinue", dap.VerifyContinue{ReportID: goldenReport1, Payload: []byte{0xf5, 0xf6}}), 0),
		newKind(randomJobContinue, one("AggregationJobContinueReq", dap.AggregationJobContinueReq{Step: 1, VerifyContinues: []dap.VerifyContinue{
			{ReportID: goldenReport1, Payload: []byte{0xf5, 0xf6}}, {ReportID: goldenReport2, Payload: []byte{0xf7}},
		}}), 1),
		newKind(randomQuery, one("Query", goldenCollection().Query), 0),
		newKind(randomSelector, one("BatchSelector", dap.NewLeaderSelectedSelector(dap.BatchID(batch))), 0),
		newKind(randomCollection, one("CollectionJobReq", goldenCollection()), 0),
		newKind(randomCollectionResp, one("CollectionJobResp", dap.CollectionJobResp{
			ReportCount: 31, Interval: dap.Interval{Start: 2873, Duration: 2},
			LeaderEncryptedAggShare: goldenLeader, HelperEncryptedAggShare: goldenHelper,
		}), 0),
		newKind(randomShareReq, one("AggregateShareReq", dap.AggregateShareReq{
			CollectionJobReq: goldenCollection(),
			BatchSelector:    must(dap.NewTimeIntervalSelector(dap.Interval{Start: 2873, Duration: 2})),
			ReportCount:      31, Checksum: dap.Checksum(counting(0x60, 32)),
		}), 0),
		newKind(randomShare, one("AggregateShare", dap.AggregateShare{EncryptedAggregateShare: goldenLeader}), 0),
	}
}

// must is for values that cannot fail.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// Generators of any valid message. Vectors are short; limit_test.go has the
// long ones.

func draw[T any](t *rapid.T, label string, g *rapid.Generator[T]) T { return g.Draw(t, label) }

func randomBytes(t *rapid.T, label string, least int) []byte {
	return draw(t, label, rapid.SliceOfN(rapid.Byte(), least, 40))
}

func randomReportID(t *rapid.T) dap.ReportID {
	return dap.ReportID(draw(t, "report id", rapid.SliceOfN(rapid.Byte(), 16, 16)))
}

func randomInterval(t *rapid.T, _ dap.Variant) dap.Interval {
	start := draw(t, "start", rapid.Uint64())
	return dap.Interval{Start: dap.Time(start), Duration: dap.Duration(draw(t, "duration", rapid.Uint64Max(math.MaxUint64-start)))}
}

func randomExtension(t *rapid.T, _ dap.Variant) dap.Extension {
	return dap.Extension{Type: dap.ExtensionType(draw(t, "type", rapid.Uint16Min(1))), Data: randomBytes(t, "data", 0)}
}

// randomExtensions returns a sorted list without type 1, whose content is
// prescribed in two of the four kinds of list.
func randomExtensions(t *rapid.T) []dap.Extension {
	var list []dap.Extension
	next := uint16(2)
	for range draw(t, "extensions", rapid.IntRange(0, dap.MaxExtensions)) {
		next += draw(t, "gap", rapid.Uint16Max(1000))
		list = append(list, dap.Extension{Type: dap.ExtensionType(next), Data: randomBytes(t, "data", 0)})
		next++
	}
	return list
}

func randomConfig(t *rapid.T, _ dap.Variant) dap.HpkeConfig {
	return dap.HpkeConfig{
		ID:    draw(t, "id", rapid.Byte()),
		KemID: draw(t, "kem", rapid.Uint16()), KdfID: draw(t, "kdf", rapid.Uint16()), AeadID: draw(t, "aead", rapid.Uint16()),
		PublicKey: randomBytes(t, "public key", 1),
	}
}

func randomConfigList(t *rapid.T, v dap.Variant) dap.HpkeConfigList {
	return draw(t, "configs", rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) dap.HpkeConfig {
		return randomConfig(t, v)
	}), 1, 5, func(c dap.HpkeConfig) uint8 { return c.ID }))
}

func randomCiphertext(t *rapid.T, _ dap.Variant) dap.HpkeCiphertext {
	return dap.HpkeCiphertext{ConfigID: draw(t, "config", rapid.Byte()), Enc: randomBytes(t, "enc", 1), Payload: randomBytes(t, "payload", 1)}
}

func randomMetadata(t *rapid.T, _ dap.Variant) dap.ReportMetadata {
	return dap.ReportMetadata{ReportID: randomReportID(t), Time: dap.Time(draw(t, "time", rapid.Uint64())), PublicExtensions: randomExtensions(t)}
}

func randomReport(t *rapid.T, v dap.Variant) dap.Report {
	return dap.Report{
		ReportMetadata: randomMetadata(t, v), PublicShare: randomBytes(t, "public share", 0),
		LeaderEncryptedInputShare: randomCiphertext(t, v), HelperEncryptedInputShare: randomCiphertext(t, v),
	}
}

// randomList returns 1 to 4 elements with distinct ids.
func randomList[T any](t *rapid.T, v dap.Variant, element func(*rapid.T, dap.Variant) T, id func(T) dap.ReportID) []T {
	return draw(t, "list", rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) T { return element(t, v) }), 1, 4, id))
}

func randomUpload(t *rapid.T, v dap.Variant) dap.UploadRequest {
	return dap.UploadRequest{Reports: randomList(t, v, randomReport, func(r dap.Report) dap.ReportID { return r.ReportMetadata.ReportID })}
}

func randomReportError(t *rapid.T, v dap.Variant) dap.ReportError {
	codes := map[dap.Variant]uint8{dap.Variant18: 11, dap.Variant19: 9}
	e, _ := dap.ReportErrorFromCode(v, draw(t, "error", rapid.Uint8Range(1, codes[v])))
	return e
}

func randomStatus(t *rapid.T, v dap.Variant) dap.ReportUploadStatus {
	return dap.ReportUploadStatus{ID: randomReportID(t), Error: randomReportError(t, v)}
}

func randomUploadErrors(t *rapid.T, v dap.Variant) dap.UploadErrors {
	return dap.UploadErrors{Status: draw(t, "status", rapid.SliceOfN(rapid.Custom(func(t *rapid.T) dap.ReportUploadStatus {
		return randomStatus(t, v)
	}), 0, 4))}
}

func randomPlaintext(t *rapid.T, _ dap.Variant) dap.PlaintextInputShare {
	return dap.PlaintextInputShare{PrivateExtensions: randomExtensions(t), Payload: randomBytes(t, "payload", 1)}
}

func randomTask(t *rapid.T, v dap.Variant) dap.TaskConfiguration {
	least := 1
	if v == dap.Variant19 {
		least = 0
	}
	url := rapid.StringMatching(`https://[!-~]{1,20}`)
	cfg := dap.TaskConfiguration{
		TaskInfo:                 randomBytes(t, "task info", least),
		LeaderAggregatorEndpoint: dap.URL(draw(t, "leader", url)), HelperAggregatorEndpoint: dap.URL(draw(t, "helper", url)),
		TimePrecision: draw(t, "precision", rapid.Uint64Min(1)), MinBatchSize: draw(t, "minimum", rapid.Uint64()),
		BatchMode: dap.BatchMode(draw(t, "mode", rapid.Uint8Range(1, 2))),
		VdafType:  draw(t, "vdaf", rapid.Uint32()), VdafConfiguration: randomBytes(t, "vdaf configuration", 0),
		Extensions: randomExtensions(t),
	}
	if len(cfg.Extensions) < dap.MaxExtensions && draw(t, "task interval", rapid.Bool()) {
		cfg.Extensions = append([]dap.Extension{must(dap.NewTaskInterval(randomInterval(t, v)))}, cfg.Extensions...)
	}
	return cfg
}

func randomTaskID(t *rapid.T) dap.TaskID {
	return dap.TaskID(draw(t, "task id", rapid.SliceOfN(rapid.Byte(), 32, 32)))
}

func randomInputShareAad(t *rapid.T, v dap.Variant) dap.InputShareAad {
	return dap.InputShareAad{
		TaskID: randomTaskID(t), TaskConfiguration: randomTask(t, v),
		ReportMetadata: randomMetadata(t, v), PublicShare: randomBytes(t, "public share", 0),
	}
}

func randomAggregateShareAad(t *rapid.T, v dap.Variant) dap.AggregateShareAad {
	return dap.AggregateShareAad{TaskID: randomTaskID(t), TaskConfiguration: randomTask(t, v), CollectionJobReq: randomCollection(t, v)}
}

func randomReportShare(t *rapid.T, v dap.Variant) dap.ReportShare {
	return dap.ReportShare{ReportMetadata: randomMetadata(t, v), PublicShare: randomBytes(t, "public share", 0), EncryptedInputShare: randomCiphertext(t, v)}
}

func randomVerifyInit(t *rapid.T, v dap.Variant) dap.VerifyInit {
	return dap.VerifyInit{ReportShare: randomReportShare(t, v), Payload: randomBytes(t, "payload", 1)}
}

func randomJobInit(t *rapid.T, v dap.Variant) dap.AggregationJobInitReq {
	m := dap.AggregationJobInitReq{
		VerificationKeyID: dap.VerificationKeyID(draw(t, "key", rapid.Byte())), AggParam: randomBytes(t, "agg param", 0),
		Extensions:  randomExtensions(t),
		VerifyInits: randomList(t, v, randomVerifyInit, func(i dap.VerifyInit) dap.ReportID { return i.ReportShare.ReportMetadata.ReportID }),
	}
	if len(m.Extensions) < dap.MaxExtensions && draw(t, "batch id", rapid.Bool()) {
		m.Extensions = append([]dap.Extension{dap.NewJobBatchID(dap.BatchID(randomTaskID(t)))}, m.Extensions...)
	}
	return m
}

func randomVerifyResp(t *rapid.T, v dap.Variant) dap.VerifyResp {
	m := dap.VerifyResp{ReportID: randomReportID(t), VerifyRespType: dap.VerifyRespType(draw(t, "type", rapid.Uint8Max(2)))}
	switch m.VerifyRespType {
	case dap.VerifyRespContinue:
		m.Payload = randomBytes(t, "payload", 1)
	case dap.VerifyRespReject:
		m.ReportError = randomReportError(t, v)
	}
	return m
}

func randomJobResp(t *rapid.T, v dap.Variant) dap.AggregationJobResp {
	return dap.AggregationJobResp{VerifyResps: randomList(t, v, randomVerifyResp, func(r dap.VerifyResp) dap.ReportID { return r.ReportID })}
}

func randomContinue(t *rapid.T, _ dap.Variant) dap.VerifyContinue {
	return dap.VerifyContinue{ReportID: randomReportID(t), Payload: randomBytes(t, "payload", 1)}
}

func randomJobContinue(t *rapid.T, v dap.Variant) dap.AggregationJobContinueReq {
	return dap.AggregationJobContinueReq{
		Step:            draw(t, "step", rapid.Uint16Min(1)),
		VerifyContinues: randomList(t, v, randomContinue, func(r dap.VerifyContinue) dap.ReportID { return r.ReportID }),
	}
}

func randomQuery(t *rapid.T, v dap.Variant) dap.Query {
	if draw(t, "leader selected", rapid.Bool()) {
		return dap.Query{BatchMode: dap.BatchModeLeaderSelected}
	}
	return must(dap.NewTimeIntervalQuery(randomInterval(t, v)))
}

func randomSelector(t *rapid.T, v dap.Variant) dap.BatchSelector {
	if draw(t, "leader selected", rapid.Bool()) {
		return dap.NewLeaderSelectedSelector(dap.BatchID(randomTaskID(t)))
	}
	return must(dap.NewTimeIntervalSelector(randomInterval(t, v)))
}

func randomCollection(t *rapid.T, v dap.Variant) dap.CollectionJobReq {
	return dap.CollectionJobReq{Query: randomQuery(t, v), AggParam: randomBytes(t, "agg param", 0), Extensions: randomExtensions(t)}
}

func randomCollectionResp(t *rapid.T, v dap.Variant) dap.CollectionJobResp {
	return dap.CollectionJobResp{
		ReportCount: draw(t, "count", rapid.Uint64()), Interval: randomInterval(t, v),
		LeaderEncryptedAggShare: randomCiphertext(t, v), HelperEncryptedAggShare: randomCiphertext(t, v),
	}
}

func randomShareReq(t *rapid.T, v dap.Variant) dap.AggregateShareReq {
	return dap.AggregateShareReq{
		CollectionJobReq: randomCollection(t, v), BatchSelector: randomSelector(t, v),
		ReportCount: draw(t, "count", rapid.Uint64()), Checksum: dap.Checksum(randomTaskID(t)),
	}
}

func randomShare(t *rapid.T, v dap.Variant) dap.AggregateShare {
	return dap.AggregateShare{EncryptedAggregateShare: randomCiphertext(t, v)}
}
