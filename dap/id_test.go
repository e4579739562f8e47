package dap_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/dap"
)

// TestIDText has the ids of the draft's example in section 3.
func TestIDText(t *testing.T) {
	t.Parallel()
	if got := goldenTask.String(); got != "8BY0RzZMzxvA46_8ymhzycOB9krN-QIGYvg_RsByGec" {
		t.Errorf("task id %s", got)
	}
	job := dap.AggregationJobID{0x95, 0xce, 0xda, 0x51, 0xe1, 0xa9, 0x75, 0x23, 0x68, 0xb0, 0xd9, 0x61, 0xf9, 0x46, 0x61, 0x28}
	if got := job.String(); got != "lc7aUeGpdSNosNlh-UZhKA" {
		t.Errorf("aggregation job id %s", got)
	}
}

// An idType is one of the types of ids.
type idType struct {
	name  string
	size  int
	parse func(s string) (fmt.Stringer, error)
	fill  func(b []byte) fmt.Stringer
}

func idTypes() []idType {
	return []idType{
		{"TaskID", 32, func(s string) (fmt.Stringer, error) { return dap.ParseTaskID(s) }, func(b []byte) fmt.Stringer { return dap.TaskID(b) }},
		{"ReportID", 16, func(s string) (fmt.Stringer, error) { return dap.ParseReportID(s) }, func(b []byte) fmt.Stringer { return dap.ReportID(b) }},
		{"AggregationJobID", 16, func(s string) (fmt.Stringer, error) { return dap.ParseAggregationJobID(s) }, func(b []byte) fmt.Stringer { return dap.AggregationJobID(b) }},
		{"CollectionJobID", 16, func(s string) (fmt.Stringer, error) { return dap.ParseCollectionJobID(s) }, func(b []byte) fmt.Stringer { return dap.CollectionJobID(b) }},
		{"AggregateShareID", 16, func(s string) (fmt.Stringer, error) { return dap.ParseAggregateShareID(s) }, func(b []byte) fmt.Stringer { return dap.AggregateShareID(b) }},
		{"BatchID", 32, func(s string) (fmt.Stringer, error) { return dap.ParseBatchID(s) }, func(b []byte) fmt.Stringer { return dap.BatchID(b) }},
	}
}

func TestIDRoundTrip(t *testing.T) {
	t.Parallel()
	for _, typ := range idTypes() {
		t.Run(typ.name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				id := typ.fill(rapid.SliceOfN(rapid.Byte(), typ.size, typ.size).Draw(t, "id"))
				got, err := typ.parse(id.String())
				if err != nil || got != id {
					t.Fatalf("%s: %v, %v", id, got, err)
				}
			})
			valid := typ.fill(make([]byte, typ.size)).String()
			last := len(valid) - 1
			for name, text := range map[string]string{
				"empty": "", "short": valid[1:], "long": valid + "A", "padded": valid + "=", "padding inside": valid[:last] + "=",
				"standard alphabet": "+" + valid[1:], "slash": "/" + valid[1:], "space": " " + valid[1:],
				"line break": valid[:4] + "\n" + valid[5:], "line break added": valid + "\n", "carriage return": "\r" + valid[1:],
				"spare bits": valid[:last] + "B", "not ASCII": "é" + valid[2:], "NUL": "\x00" + valid[1:],
			} {
				if got, err := typ.parse(text); err == nil {
					t.Errorf("%s: %q is accepted as %s", name, text, got)
				}
			}
		})
	}
}

// FuzzTaskID: what is accepted prints as it was.
func FuzzTaskID(f *testing.F) {
	f.Add(goldenTask.String())
	f.Add(strings.Repeat("_", 43))
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := dap.ParseTaskID(text); err == nil && id.String() != text {
			t.Fatalf("%q prints as %s", text, id)
		}
	})
}

func TestIDJSON(t *testing.T) {
	t.Parallel()
	type record struct {
		Task    dap.TaskID
		Report  dap.ReportID
		Variant dap.Variant
	}
	want := record{goldenTask, goldenReport2, dap.Variant19}
	text := must(json.Marshal(want))
	const expected = `{"Task":"8BY0RzZMzxvA46_8ymhzycOB9krN-QIGYvg_RsByGec","Report":"EBESExQVFhcYGRobHB0eHw","Variant":"dap-19"}`
	if string(text) != expected {
		t.Errorf("got %s", text)
	}
	var got record
	if err := json.Unmarshal(text, &got); err != nil || got != want {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{`{"Task":"8BY0"}`, `{"Report":"8BY0"}`, `{"Variant":"dap-17"}`, `{"Variant":18}`} {
		kept := want
		if err := json.Unmarshal([]byte(bad), &kept); err == nil || kept != want {
			t.Errorf("%s: %v, %v", bad, kept, err)
		}
	}
	if _, err := json.Marshal(dap.Variant(7)); err == nil {
		t.Error("an unknown variant is written")
	}
}

func TestJobID(t *testing.T) {
	t.Parallel()
	// SHA-256("abc") of FIPS 180-4.
	want := dap.AggregationJobID{0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23}
	if got := dap.AggregationJobID(dap.JobID([]byte("abc"))); got != want {
		t.Errorf("got %x", got)
	}
}

func TestChecksum(t *testing.T) {
	t.Parallel()
	a, b := goldenReport1.Checksum(), goldenReport2.Checksum()
	if a != sha256.Sum256(goldenReport1[:]) {
		t.Errorf("checksum of one report %x", a)
	}
	var sum dap.Checksum
	sum = sum.Xor(a).Xor(b)
	if sum != b.Xor(a) || sum == a || sum.Xor(b) != a || sum.Xor(sum) != (dap.Checksum{}) {
		t.Errorf("checksums %x, %x, %x", a, b, sum)
	}
}
