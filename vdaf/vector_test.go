package vdaf_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/vdaf"
)

// vector is a test vector in the schema of VDAF-20 appendix C, with the parameters of all types.
type vector struct {
	Shares         uint8      `json:"shares"`
	Length         uint32     `json:"length"`
	ChunkLength    uint32     `json:"chunk_length"`
	MaxMeasurement uint64     `json:"max_measurement"`
	MaxWeight      uint64     `json:"max_weight"`
	Blocks         []uint16   `json:"blocks"`
	Ctx            hexBytes   `json:"ctx"`
	VerifyKey      hexBytes   `json:"verify_key"`
	AggParam       hexBytes   `json:"agg_param"`
	AggShares      []hexBytes `json:"agg_shares"`
	AggResult      numbers    `json:"agg_result"`
	Reports        []struct {
		Measurement      numbers      `json:"measurement"`
		Nonce            hexBytes     `json:"nonce"`
		Rand             hexBytes     `json:"rand"`
		PublicShare      hexBytes     `json:"public_share"`
		InputShares      []hexBytes   `json:"input_shares"`
		VerifierShares   [][]hexBytes `json:"verifier_shares"`
		VerifierMessages []hexBytes   `json:"verifier_messages"`
		OutShares        []hexBytes   `json:"out_shares"`
	} `json:"reports"`
	Operations []struct {
		Operation    string `json:"operation"`
		AggregatorID uint8  `json:"aggregator_id"`
		ReportIndex  int    `json:"report_index"`
		Round        int    `json:"round"`
		Success      bool   `json:"success"`
	} `json:"operations"`
}

type hexBytes []byte

func (b *hexBytes) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	raw, err := hex.DecodeString(s)
	*b = raw
	return err
}

// numbers is a measurement or a result: a number, a truth value, or a list of them.
type numbers []uint64

func (n *numbers) UnmarshalJSON(text []byte) error {
	*n = nil
	if string(text) == "null" {
		return nil
	}
	list := []json.RawMessage{text}
	if bytes.HasPrefix(text, []byte("[")) {
		if err := json.Unmarshal(text, &list); err != nil {
			return err
		}
	}
	for _, item := range list {
		switch string(item) {
		case "false":
			*n = append(*n, 0)
		case "true":
			*n = append(*n, 1)
		default:
			var x uint64
			if err := json.Unmarshal(item, &x); err != nil {
				return err
			}
			*n = append(*n, x)
		}
	}
	return nil
}

// newPrio3 returns the VDAF that a vector is for. name is the file's name.
func (v *vector) newPrio3(name string) (*vdaf.Prio3, error) {
	switch kind, _, _ := strings.Cut(name, "_"); kind {
	case "Prio3Count":
		return vdaf.NewCount(v.Shares)
	case "Prio3Sum":
		return vdaf.NewSum(v.Shares, v.MaxMeasurement)
	case "Prio3SumVec":
		return vdaf.NewSumVec(v.Shares, v.Length, v.MaxMeasurement, v.ChunkLength)
	case "Prio3Histogram":
		return vdaf.NewHistogram(v.Shares, v.Length, v.ChunkLength)
	case "Prio3MultihotCountVec":
		return vdaf.NewMultihotCountVec(v.Shares, v.Length, v.MaxWeight, v.ChunkLength)
	case "Prio3OneHotBlocks":
		return vdaf.NewOneHotBlocks(v.Shares, v.Blocks, v.ChunkLength)
	case "Prio3SumVecWithMultiproof":
		// Neither the field nor the number of proofs is in the file. Both show in the length of the
		// Leader's share.
		for proofs := uint8(1); proofs > 0; proofs++ {
			for _, newVDAF := range []func(uint8, uint32, uint64, uint32, uint8) (*vdaf.Prio3, error){
				vdaf.NewSumVecWithMultiproof64, vdaf.NewSumVecWithMultiproof128,
			} {
				p, err := newVDAF(v.Shares, v.Length, v.MaxMeasurement, v.ChunkLength, proofs)
				if err == nil && p.InputShareSize(0) == len(v.Reports[0].InputShares[0]) &&
					(len(v.AggShares) == 0 || p.AggregateSize() == len(v.AggShares[0])) {
					return p, nil
				}
			}
		}
		return nil, fmt.Errorf("no field and number of proofs gives a share of %d bytes", len(v.Reports[0].InputShares[0]))
	default:
		return nil, fmt.Errorf("unknown type %q", kind)
	}
}

// TestVectors runs every Prio3*.json of the folder named by MUSTER_VECTORS, by default
// vectors/vdaf-20 below the folder named by MUSTER_SHARED, by default ../shared beside the
// repository. A relative name may also start from the module's root.
func TestVectors(t *testing.T) {
	t.Parallel()
	dir, named := os.LookupEnv("MUSTER_VECTORS")
	if !named {
		var shared string
		if shared, named = os.LookupEnv("MUSTER_SHARED"); !named {
			shared = filepath.Join("..", "..", "shared")
		}
		dir = filepath.Join(shared, "vectors", "vdaf-20")
	}
	if named {
		dir = fromModule(t, dir)
	}
	if _, err := os.Stat(dir); os.IsNotExist(err) && !named {
		t.Skipf("the official vectors are not at %s, and neither MUSTER_VECTORS nor MUSTER_SHARED names a folder", dir)
	}
	runVectors(t, dir)
}

// fromModule returns dir, or if there is no such folder and it is relative, dir from the
// module's root: go test runs a test in its package's folder, and who sets a variable for
// it sits at the root.
func fromModule(t *testing.T, dir string) string {
	t.Helper()
	if _, err := os.Stat(dir); err == nil || filepath.IsAbs(dir) {
		return dir
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			return dir
		}
		root = filepath.Dir(root)
	}
	if _, err := os.Stat(filepath.Join(root, dir)); err != nil {
		return dir // a message is about what was given
	}
	return filepath.Join(root, dir)
}

func TestFromModule(t *testing.T) {
	t.Parallel()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	rows := []struct{ name, dir, want string }{
		{"as given", "testdata/vectors", "testdata/vectors"},
		{"from the root", "vdaf/testdata/vectors", filepath.Join(here, "testdata/vectors")},
		{"beside the root", "../" + filepath.Base(filepath.Dir(here)) + "/vdaf/testdata", filepath.Join(here, "testdata")},
		{"absolute", here, here},
		{"nowhere", "no/such/folder", "no/such/folder"},
		{"nowhere, absolute", filepath.Join(here, "no"), filepath.Join(here, "no")},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := fromModule(t, row.dir); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

// TestOwnVectors runs the vectors of this repository. They were made by the reference implementation
// of the draft, with a circuit for OneHotBlocks written against its framework.
func TestOwnVectors(t *testing.T) {
	t.Parallel()
	runVectors(t, "testdata/vectors")
}

func runVectors(t *testing.T, dir string) {
	files, err := filepath.Glob(filepath.Join(dir, "Prio3*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no Prio3*.json in %q", dir)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var v vector
			if err := json.Unmarshal(text, &v); err != nil {
				t.Fatal(err)
			}
			v.run(t, name)
		})
	}
}

func (v *vector) run(t *testing.T, name string) {
	if len(v.Reports) == 0 || len(v.Operations) == 0 {
		t.Fatal("the vector has no reports or no operations")
	}
	p, err := v.newPrio3(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.AggParam) > 0 {
		t.Fatalf("aggregation parameter %x; Prio3 has none", v.AggParam)
	}
	type key struct {
		report     int
		aggregator uint8
	}
	states := make(map[key]*vdaf.State)
	verifiers := make([]*vdaf.Verifier, p.Shares())
	for j := range verifiers {
		if verifiers[j], err = p.NewVerifier((*[32]byte)(v.VerifyKey), v.Ctx, uint8(j)); err != nil {
			t.Fatal(err)
		}
	}
	for i, op := range v.Operations {
		if op.ReportIndex < 0 || op.ReportIndex >= len(v.Reports) || op.AggregatorID >= p.Shares() {
			t.Fatalf("operation %d (%s): report %d, aggregator %d are not in the vector", i, op.Operation, op.ReportIndex, op.AggregatorID)
		}
		report := &v.Reports[op.ReportIndex]
		id := key{op.ReportIndex, op.AggregatorID}
		same := func(what string, got []byte, want []hexBytes, j int) error {
			if j >= len(want) || !bytes.Equal(got, want[j]) {
				return fmt.Errorf("%s %d: got %x, want %x", what, j, got, want)
			}
			return nil
		}
		// failed is what the operation says; mismatch is a result that is not the vector's.
		var failed, mismatch error
		switch op.Operation {
		case "shard":
			public, inputs, err := p.Shard(v.Ctx, report.Measurement, (*[16]byte)(report.Nonce), report.Rand)
			if failed = err; err != nil {
				break
			}
			mismatch = same("public share", public, []hexBytes{report.PublicShare}, 0)
			if len(inputs) != len(report.InputShares) {
				t.Fatalf("%d input shares, want %d", len(inputs), len(report.InputShares))
			}
			for j := range inputs {
				if mismatch == nil {
					mismatch = same("input share", inputs[j], report.InputShares, j)
				}
			}
		case "verify_init":
			states[id] = new(vdaf.State)
			share, err := verifiers[op.AggregatorID].Init(states[id], (*[16]byte)(report.Nonce),
				report.PublicShare, report.InputShares[op.AggregatorID], nil)
			if failed = err; err == nil {
				mismatch = same("verifier share", share, report.VerifierShares[0], int(op.AggregatorID))
			}
		case "verifier_shares_to_message":
			var shares [][]byte
			for _, share := range report.VerifierShares[op.Round] {
				shares = append(shares, share)
			}
			message, err := p.VerifierSharesToMessage(v.Ctx, shares)
			if failed = err; err == nil {
				mismatch = same("verifier message", message, report.VerifierMessages, op.Round)
			}
		case "verify_next":
			state := states[id]
			if state == nil {
				t.Fatalf("operation %d: verify_next before verify_init", i)
			}
			failed = state.Next(report.VerifierMessages[op.Round-1])
			if failed == nil {
				mismatch = same("output share", state.OutputShare(), report.OutShares, int(op.AggregatorID))
			}
		case "aggregate":
			a, err := v.aggregate(p, func(report int) *vdaf.State { return states[key{report, op.AggregatorID}] })
			if failed = err; err == nil {
				mismatch = same("aggregate share", a, v.AggShares, int(op.AggregatorID))
			}
		case "unshard":
			shares := make([]*vdaf.Aggregate, len(v.AggShares))
			for j := range shares {
				if shares[j], err = p.DecodeAggregate(v.AggShares[j]); err != nil {
					t.Fatal(err)
				}
			}
			result, err := p.Unshard(shares, uint64(len(v.Reports)))
			if failed = err; err == nil && !reflect.DeepEqual(result, []uint64(v.AggResult)) {
				mismatch = fmt.Errorf("result differs (-want +got):\n%s", cmp.Diff([]uint64(v.AggResult), result))
			}
		default:
			t.Fatalf("operation %d: unknown operation %q", i, op.Operation)
		}
		if (failed == nil) != op.Success {
			t.Fatalf("operation %d (%s of report %d by aggregator %d): error %v, want success %v",
				i, op.Operation, op.ReportIndex, op.AggregatorID, failed, op.Success)
		}
		if mismatch != nil {
			t.Fatalf("operation %d (%s of report %d by aggregator %d): %v", i, op.Operation, op.ReportIndex, op.AggregatorID, mismatch)
		}
	}
}

func (v *vector) aggregate(p *vdaf.Prio3, state func(report int) *vdaf.State) ([]byte, error) {
	a := p.NewAggregate()
	for i := range v.Reports {
		s := state(i)
		if s == nil {
			return nil, fmt.Errorf("report %d was not verified", i)
		}
		if err := a.Add(s); err != nil {
			return nil, err
		}
	}
	return a.MarshalBinary()
}
