package collect_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/collect"
	"muster/internal/errs"
	"muster/internal/framework"
)

func TestNewAggregate(t *testing.T) {
	t.Parallel()
	const n = 9
	l := newLayout(t, "sample", 2, 1)
	cells := totals(l, n, rand.New(rand.NewPCG(7, 8)))
	if _, err := collect.NewAggregate(l, n, cells); err != nil {
		t.Fatal(err)
	}
	blockOf := make([]int, len(cells))
	for i, b := range l.Blocks {
		for j := range b.Buckets {
			blockOf[l.Offset(i)+j] = i
		}
	}
	refused := func(what string, count uint64, changed []uint64, block int) {
		t.Helper()
		_, err := collect.NewAggregate(l, count, changed)
		want := fmt.Sprintf("the counts of %s do not sum to the %d submissions", l.Blocks[block].Name, count)
		if d := errs.Describe(err); err == nil || d.Kind != errs.Conflict || d.Message != want || d.Hint == "" {
			t.Errorf("%s: %v; want %q", what, err, want)
		}
	}
	for i := range cells {
		changed := slices.Clone(cells)
		changed[i]++
		refused(fmt.Sprintf("cell %d and 1", i), n, changed, blockOf[i])
		changed[i] = cells[i] - 1 // also below zero, which is a very large number
		refused(fmt.Sprintf("cell %d less 1", i), n, changed, blockOf[i])
		changed[i] = math.MaxUint64
		refused(fmt.Sprintf("cell %d at its largest", i), n, changed, blockOf[i])
		if cells[i] == 0 {
			continue
		}
		for j := range cells {
			if blockOf[j] == blockOf[i] {
				continue
			}
			changed := slices.Clone(cells)
			changed[i]--
			changed[j]++
			refused(fmt.Sprintf("one from cell %d to cell %d", i, j), n, changed, min(blockOf[i], blockOf[j]))
		}
	}
	// A sum that comes right only because it overflows.
	changed := slices.Clone(cells)
	changed[0], changed[1], changed[2] = math.MaxUint64, n+1, 0
	for i := 3; i < len(l.Blocks[0].Buckets); i++ {
		changed[i] = 0
	}
	refused("an overflow", n, changed, 0)
	refused("another count", n+1, cells, 0)
	refused("no count", 0, cells, 0)
	for name, changed := range map[string][]uint64{"a cell less": cells[1:], "a cell more": append(slices.Clone(cells), 0), "none": nil} {
		if _, err := collect.NewAggregate(l, n, changed); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := collect.NewAggregate(l, 0, make([]uint64, len(cells))); err != nil {
		t.Errorf("nobody at all: %v", err)
	}
}

// The file has the form that others read: every bucket, zeros included.
func TestMarshalJSON(t *testing.T) {
	t.Parallel()
	l := newLayout(t, "sample", 1)
	cells := make([]uint64, l.Bits())
	for i := range l.Blocks {
		cells[l.Offset(i)+i%3] = 12
	}
	a, err := collect.NewAggregate(l, 12, cells)
	must(t, err)
	got, err := json.MarshalIndent(a, "", "  ")
	must(t, err)
	const want = `{
  "marking": "BEFORE DISCLOSURE CONTROL: single members can be recognised in these numbers; for the coordinator alone",
  "count": 12,
  "outcomes": {
    "A1.1": {
      "evidence": {"E0": 0, "E1": 12, "E2": 0, "E3": 0, "none": 0},
      "gap": {"below": 12, "met": 0, "unknown": 0},
      "level": {"0": 12, "1": 0, "2": 0, "3": 0, "4": 0, "na": 0, "withheld": 0},
      "target": {"0": 0, "1": 0, "2": 12, "3": 0, "4": 0, "none": 0},
      "verified": {"0": 0, "1": 12, "2": 0, "3": 0, "4": 0, "na": 0, "withheld": 0, "none": 0}
    }
  },
  "areas": {
    "A1": {
      "change": {"worse": 12, "mixed": 0, "same": 0, "better": 0, "not_comparable": 0},
      "lowest": {"0": 0, "1": 0, "2": 12, "3": 0, "4": 0, "none": 0}
    }
  }
}`
	var wantValue, gotValue any
	must(t, json.Unmarshal([]byte(want), &wantValue))
	must(t, json.Unmarshal(got, &gotValue))
	if diff := cmp.Diff(wantValue, gotValue); diff != "" {
		t.Errorf("aggregate.json (-want +got):\n%s", diff)
	}

	a.CycleMarking = "SYNTHETIC"
	got, err = json.Marshal(a)
	must(t, err)
	if want := `{"marking":"SYNTHETIC; ` + collect.Marking + `",`; !strings.HasPrefix(string(got), want) {
		t.Errorf("got %.120s…, want %s", got, want)
	}

	none, err := collect.NewAggregate(l, 0, make([]uint64, l.Bits()))
	must(t, err)
	b, err := json.Marshal(none)
	must(t, err)
	if got, want := strings.Count(string(b), ":0"), l.Bits()+1; got != want {
		t.Errorf("an aggregate of nobody has %d zeros; want %d", got, want)
	}
}

// Every cell of a layout of any shape is in the file once, in its place.
func TestMarshalJSONHasEveryCell(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		l := newLayout(t, "sample", rapid.SliceOfN(rapid.IntRange(1, 4), 1, 4).Draw(rt, "outcomes")...)
		n := rapid.Uint64Range(0, 300).Draw(rt, "members")
		cells := totals(l, n, rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)))
		a, err := collect.NewAggregate(l, n, cells)
		if err != nil {
			rt.Fatal(err)
		}
		b, err := json.Marshal(a)
		if err != nil {
			rt.Fatal(err)
		}
		type counts map[string]map[framework.Kind]map[string]uint64
		var file struct {
			Marking         string
			Count           uint64
			Outcomes, Areas counts
		}
		decoder := json.NewDecoder(bytes.NewReader(b))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&file); err != nil {
			rt.Fatal(err)
		}
		if file.Marking != collect.Marking || file.Count != n {
			rt.Fatalf("marking %q, count %d", file.Marking, file.Count)
		}
		found := 0
		for _, of := range []counts{file.Outcomes, file.Areas} {
			for subject, kinds := range of {
				for kind, buckets := range kinds {
					i, ok := l.Index(subject, kind)
					if !ok {
						rt.Fatalf("%s/%s is not in the layout", subject, kind)
					}
					for bucket, count := range buckets {
						j, ok := l.Blocks[i].Bucket(bucket)
						if !ok || cells[l.Offset(i)+j] != count {
							rt.Fatalf("%s/%s/%s is %d", subject, kind, bucket, count)
						}
						found++
					}
				}
			}
		}
		if found != l.Bits() {
			rt.Fatalf("%d cells of %d", found, l.Bits())
		}
		for subject := range file.Areas {
			if strings.Contains(subject, ".") {
				rt.Fatalf("the outcome %s stands among the areas", subject)
			}
		}
	})
}
