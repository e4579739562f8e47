package dap_test

import (
	"crypto/ecdh"
	"crypto/hpke"
	"testing"

	"muster/dap"
)

// shareSize is about the size of a Leader's input share of a framework of 36
// outcomes.
const shareSize = 20_000

func sealedShare(tb testing.TB, suite dap.Suite) (*dap.HpkeKeypair, *dap.ReportAad, dap.HpkeCiphertext) {
	tb.Helper()
	k := keypair(tb, 1, suite)
	task := must(dap.NewTaskAad(dap.Variant18, goldenTask, goldenTaskConfiguration()))
	report := must(task.Report(goldenMetadata(), make([]byte, 64)))
	c := must(report.Seal(k.Config(), dap.RoleLeader, dap.PlaintextInputShare{Payload: make([]byte, shareSize)}))
	return k, report, c
}

// fullJob returns an aggregation job of 256 reports with the Helper's shares
// and verifier shares as long as those of a framework of 36 outcomes.
func fullJob(tb testing.TB) []byte {
	tb.Helper()
	req := dap.AggregationJobInitReq{}
	for i := range dap.MaxJobReports {
		id := dap.ReportID{byte(i), byte(i * 31)}
		req.VerifyInits = append(req.VerifyInits, dap.VerifyInit{
			ReportShare: dap.ReportShare{
				ReportMetadata:      dap.ReportMetadata{ReportID: id, Time: 2872},
				PublicShare:         make([]byte, 64),
				EncryptedInputShare: dap.HpkeCiphertext{ConfigID: 1, Enc: make([]byte, 32), Payload: make([]byte, 86)},
			},
			Payload: make([]byte, 1200),
		})
	}
	return must(dap.Encode(dap.Variant18, req))
}

func BenchmarkSeal(b *testing.B) {
	for _, suite := range suites {
		k, report, _ := sealedShare(b, suite)
		config, plaintext := k.Config(), dap.PlaintextInputShare{Payload: make([]byte, shareSize)}
		b.Run(suite.String(), func(b *testing.B) {
			b.SetBytes(shareSize)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := report.Seal(config, dap.RoleLeader, plaintext); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, suite := range suites {
		k, report, c := sealedShare(b, suite)
		b.Run(suite.String(), func(b *testing.B) {
			b.SetBytes(shareSize)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := report.Open(k, dap.RoleLeader, c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReportAad compares the precomputed prefix with encoding everything.
func BenchmarkReportAad(b *testing.B) {
	aad := goldenInputShareAad()
	task := must(dap.NewTaskAad(dap.Variant18, aad.TaskID, aad.TaskConfiguration))
	b.Run("prefix", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := task.Report(aad.ReportMetadata, aad.PublicShare); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("whole", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := dap.Encode(dap.Variant18, aad); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeJob(b *testing.B) {
	data := fullJob(b)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := dap.Decode[dap.AggregationJobInitReq](dap.Variant18, data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeJob(b *testing.B) {
	data := fullJob(b)
	req := must(dap.Decode[dap.AggregationJobInitReq](dap.Variant18, data))
	dst := make([]byte, 0, len(data))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := dap.Append(dap.Variant18, dst, req); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAllocations bounds what the hot paths allocate, whatever the size, beyond
// what crypto/hpke does. It does not run in parallel: AllocsPerRun counts
// everybody's.
func TestAllocations(t *testing.T) {
	data := fullJob(t)
	req := must(dap.Decode[dap.AggregationJobInitReq](dap.Variant18, data))
	dst := make([]byte, 0, len(data))
	k, report, c := sealedShare(t, dap.SuiteX25519)
	private := must(hpke.DHKEM(ecdh.X25519()).NewPrivateKey(must(k.PrivateBytes())))
	task := must(dap.NewTaskAad(dap.Variant18, goldenTask, goldenTaskConfiguration()))
	metadata := dap.ReportMetadata{ReportID: goldenReport1, Time: 2872}
	public := make([]byte, 64)
	info, aad := []byte("dap-18 input share\x01\x02"), goldenInputShareAad()
	aad.PublicShare = public
	encodedAad := must(aad.MarshalBinary())

	count := func(run func() error) float64 {
		t.Helper()
		return testing.AllocsPerRun(20, func() {
			if err := run(); err != nil {
				t.Error(err)
			}
		})
	}
	bare := count(func() error {
		r, err := hpke.NewRecipient(c.Enc, private, hpke.HKDFSHA256(), hpke.AES128GCM(), info)
		if err != nil {
			return err
		}
		return second(r.Open(encodedAad, c.Payload))
	})
	for _, test := range []struct {
		name string
		most float64
		run  func() error
	}{
		{"decode a job of 256", 10, func() error { return second(dap.Decode[dap.AggregationJobInitReq](dap.Variant18, data)) }},
		{"encode a job of 256", 4, func() error { return second(dap.Append(dap.Variant18, dst, req)) }},
		{"associated data", 4, func() error { return second(task.Report(metadata, public)) }},
		{"open an input share", bare + 4, func() error { return second(report.Open(k, dap.RoleLeader, c)) }},
	} {
		got := count(test.run)
		if got > test.most {
			t.Errorf("%s: %.0f allocations; want at most %.0f", test.name, got, test.most)
		}
		t.Logf("%s: %.0f allocations of at most %.0f", test.name, got, test.most)
	}
}
