package dap_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/dap"
)

// TestRoundTrip encodes and decodes any message of each kind.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				v := rapid.SampledFrom([]dap.Variant{dap.Variant18, dap.Variant19}).Draw(t, "variant")
				m := k.random(t, v)
				data, err := dap.Encode(v, m)
				if err != nil {
					t.Fatalf("encode: %v", err)
				}
				got, err := k.decode(v, data)
				if err != nil {
					t.Fatalf("decode: %v", err)
				}
				if !equal(got, m) {
					t.Fatalf("decoded (-got +want):\n%s", diff(got, m))
				}
				again, err := dap.Encode(v, got)
				if err != nil || !bytes.Equal(again, data) {
					t.Fatalf("encoded again: %x, %v; want %x", again, err, data)
				}
			})
		})
	}
}

// TestDecodeAliasing checks that it decodes as Decode does, out of the caller's
// bytes, and that Decode makes its own.
func TestDecodeAliasing(t *testing.T) {
	t.Parallel()
	want := dap.PlaintextInputShare{Payload: []byte{1, 2, 3}}
	data, err := dap.Encode(dap.Variant18, want)
	if err != nil {
		t.Fatal(err)
	}
	own, err := dap.Decode[dap.PlaintextInputShare](dap.Variant18, data)
	if err != nil {
		t.Fatal(err)
	}
	aliasing, err := dap.DecodeAliasing[dap.PlaintextInputShare](dap.Variant18, data)
	if err != nil || !equal(aliasing, want) {
		t.Fatalf("%v, %v; want %v", aliasing, err, want)
	}
	for i := range data {
		data[i] = 9
	}
	if !equal(own, want) || !bytes.Equal(aliasing.Payload, []byte{9, 9, 9}) {
		t.Errorf("after the bytes were changed: Decode has %v and DecodeAliasing %v", own, aliasing)
	}
	if grown := append(aliasing.Payload, 7); &grown[0] == &aliasing.Payload[0] {
		t.Error("appending to a field writes into the caller's bytes")
	}
	for name, bad := range map[string][]byte{"cut off": {0}, "over the limit": make([]byte, dap.MaxMessageSize+1)} {
		_, err := dap.DecodeAliasing[dap.PlaintextInputShare](dap.Variant18, bad)
		_, same := dap.Decode[dap.PlaintextInputShare](dap.Variant18, bad)
		if err == nil || same == nil || err.Error() != same.Error() {
			t.Errorf("%s: %v and %v", name, err, same)
		}
	}
}

// TestZeroVariant checks that the zero value is dap-18.
func TestZeroVariant(t *testing.T) {
	t.Parallel()
	for _, k := range kinds() {
		data := readHex(t, "golden/"+k.name+".hex", "")
		m, err := k.decode(0, data)
		if err != nil || !equal(m, k.golden[k.name+".hex"]) {
			t.Errorf("%s: %v, %v", k.name, m, err)
			continue
		}
		if encoded, err := dap.Encode(0, m); err != nil || !bytes.Equal(encoded, data) {
			t.Errorf("%s: encoded %x, %v", k.name, encoded, err)
		}
	}
}

// fuzz feeds a decoder of kind T. What it accepts must encode to the same
// bytes; what it refuses must be refused with a FormatError.
func fuzz[T any, P dap.Decodable[T]](f *testing.F) {
	f.Helper()
	name := newKind[T, P](nil, nil, 0).name
	files, err := filepath.Glob("testdata/golden/" + name + ".*")
	if err != nil {
		f.Fatal(err)
	}
	if len(files) == 0 {
		f.Fatalf("no seeds for %s", name)
	}
	for _, file := range files {
		f.Add(variantOf(file) == dap.Variant19, readHex(f, strings.TrimPrefix(filepath.ToSlash(file), "testdata/"), ""))
	}
	f.Fuzz(func(t *testing.T, is19 bool, data []byte) {
		v := dap.Variant18
		if is19 {
			v = dap.Variant19
		}
		m, err := dap.Decode[T, P](v, data)
		if err != nil {
			e, ok := errors.AsType[*dap.FormatError](err)
			if !ok || e.Message != name || e.Offset < 0 || e.Offset > len(data) || e.Reason == "" ||
				!errors.Is(err, dap.ErrMalformed) && !errors.Is(err, dap.ErrLimit) && !errors.Is(err, dap.ErrExtension) {
				t.Fatalf("refused with %#v", err)
			}
			return
		}
		encoded, err := dap.Encode(v, message(m))
		if err != nil {
			t.Fatalf("accepted, but does not encode: %v", err)
		}
		if !bytes.Equal(encoded, data) {
			t.Fatalf("accepted\n%x\nencodes to\n%x", data, encoded)
		}
	})
}

func FuzzInterval(f *testing.F)                  { fuzz[dap.Interval](f) }
func FuzzExtension(f *testing.F)                 { fuzz[dap.Extension](f) }
func FuzzHpkeConfig(f *testing.F)                { fuzz[dap.HpkeConfig](f) }
func FuzzHpkeConfigList(f *testing.F)            { fuzz[dap.HpkeConfigList](f) }
func FuzzHpkeCiphertext(f *testing.F)            { fuzz[dap.HpkeCiphertext](f) }
func FuzzReportMetadata(f *testing.F)            { fuzz[dap.ReportMetadata](f) }
func FuzzReport(f *testing.F)                    { fuzz[dap.Report](f) }
func FuzzUploadRequest(f *testing.F)             { fuzz[dap.UploadRequest](f) }
func FuzzReportUploadStatus(f *testing.F)        { fuzz[dap.ReportUploadStatus](f) }
func FuzzUploadErrors(f *testing.F)              { fuzz[dap.UploadErrors](f) }
func FuzzPlaintextInputShare(f *testing.F)       { fuzz[dap.PlaintextInputShare](f) }
func FuzzTaskConfiguration(f *testing.F)         { fuzz[dap.TaskConfiguration](f) }
func FuzzInputShareAad(f *testing.F)             { fuzz[dap.InputShareAad](f) }
func FuzzAggregateShareAad(f *testing.F)         { fuzz[dap.AggregateShareAad](f) }
func FuzzReportShare(f *testing.F)               { fuzz[dap.ReportShare](f) }
func FuzzVerifyInit(f *testing.F)                { fuzz[dap.VerifyInit](f) }
func FuzzAggregationJobInitReq(f *testing.F)     { fuzz[dap.AggregationJobInitReq](f) }
func FuzzVerifyResp(f *testing.F)                { fuzz[dap.VerifyResp](f) }
func FuzzAggregationJobResp(f *testing.F)        { fuzz[dap.AggregationJobResp](f) }
func FuzzVerifyContinue(f *testing.F)            { fuzz[dap.VerifyContinue](f) }
func FuzzAggregationJobContinueReq(f *testing.F) { fuzz[dap.AggregationJobContinueReq](f) }
func FuzzQuery(f *testing.F)                     { fuzz[dap.Query](f) }
func FuzzBatchSelector(f *testing.F)             { fuzz[dap.BatchSelector](f) }
func FuzzCollectionJobReq(f *testing.F)          { fuzz[dap.CollectionJobReq](f) }
func FuzzCollectionJobResp(f *testing.F)         { fuzz[dap.CollectionJobResp](f) }
func FuzzAggregateShareReq(f *testing.F)         { fuzz[dap.AggregateShareReq](f) }
func FuzzAggregateShare(f *testing.F)            { fuzz[dap.AggregateShare](f) }
