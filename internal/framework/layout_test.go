package framework_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/errs"
	"muster/internal/framework"
)

func harbourLayout(t testing.TB) *framework.Layout {
	t.Helper()
	l, err := framework.NewLayout(harbour(t))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestLayoutGolden fixes the layout's meaning and digest: both hosts of a cycle
// must arrive at the same, whatever their version of muster.
func TestLayoutGolden(t *testing.T) {
	t.Parallel()
	l := harbourLayout(t)
	canonical, err := l.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "harbour.layout.json", canonical)
	digest := l.Digest()
	const want = "74b38280c0a8d5b491cf9a705351ff4d38c5b9aaf25a2d14983acf8deb0ed4dd"
	if got := hex.EncodeToString(digest[:]); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
	if digest != sha256.Sum256(canonical) {
		t.Error("the digest is not that of the canonical form")
	}
}

func TestLayoutShape(t *testing.T) {
	t.Parallel()
	l := harbourLayout(t)
	var names []string
	for _, b := range l.Blocks {
		names = append(names, fmt.Sprintf("%s %d", b.Name, len(b.Buckets)))
	}
	want := []string{
		"L1.1/level 7", "L1.2/level 7", "L2.1/level 7", "L1.1/verified 8", "L1.2/verified 8", "L2.1/verified 8",
		"L1.1/target 6", "L1.2/target 6", "L2.1/target 6", "L1.1/gap 3", "L1.2/gap 3", "L2.1/gap 3",
		"L1.1/evidence 5", "L1.2/evidence 5", "L2.1/evidence 5", "L1/lowest 6", "L2/lowest 6", "L1/change 5", "L2/change 5",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("blocks (-want +got):\n%s", diff)
	}
	bits := 0
	for i, size := range l.Sizes() {
		if got := l.Offset(i); got != bits {
			t.Errorf("Offset(%d) = %d, want %d", i, got, bits)
		}
		bits += int(size)
		if got, ok := l.Index(l.Blocks[i].Subject, l.Blocks[i].Kind); got != i || !ok {
			t.Errorf("Index of block %d = %d, %t", i, got, ok)
		}
		for j, bucket := range l.Blocks[i].Buckets {
			if got, ok := l.Blocks[i].Bucket(bucket); got != j || !ok {
				t.Errorf("Bucket(%q) of block %d = %d, %t, want %d", bucket, i, got, ok, j)
			}
		}
	}
	if bits != 109 || l.Bits() != bits {
		t.Errorf("Bits() = %d, sizes sum to %d, want 109", l.Bits(), bits)
	}
	if _, ok := l.Index("L1", framework.KindLevel); ok {
		t.Error("an area has a level")
	}
	if _, ok := l.Blocks[0].Bucket("5"); ok {
		t.Error("there is a bucket for level 5")
	}
}

// TestLayoutLimits asks for layouts around the limits.
func TestLayoutLimits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name            string
		areas, outcomes int // outcomes in all, in the first area
		want            string
	}{
		{"689 outcomes in one area: 19,992 buckets", 1, 689, ""},
		{"690 outcomes in one area: 20,021 buckets", 1, 690, "the layout has 20021 buckets; at most 20000 can be sealed"},
		{"818 outcomes in three areas: too many of both", 4, 818, "the layout has 4098 blocks; at most 4096 can be sealed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := &framework.Pack{ID: "wide", Version: "1.0.0", Areas: make([]framework.Area, test.areas)}
			for i := range p.Areas {
				p.Areas[i].ID = fmt.Sprintf("A%d", i+1)
			}
			for i := range test.outcomes {
				p.Areas[0].Outcomes = append(p.Areas[0].Outcomes, framework.Outcome{ID: fmt.Sprintf("A1.%d", i+1)})
			}
			l, err := framework.NewLayout(p)
			if test.want == "" {
				if err != nil || l.Bits() != 19_992 {
					t.Errorf("err = %v, %d buckets", err, l.Bits())
				}
				return
			}
			if errs.KindOf(err) != errs.Invalid || err.Error() != test.want {
				t.Errorf("err = %v, want %q", err, test.want)
			}
		})
	}
}

// TestLayoutDigestCoversEverything changes each part of a layout in turn.
func TestLayoutDigestCoversEverything(t *testing.T) {
	t.Parallel()
	want := harbourLayout(t).Digest()
	for name, change := range map[string]func(*framework.Layout){
		"framework id":      func(l *framework.Layout) { l.Framework.ID = "other" },
		"framework version": func(l *framework.Layout) { l.Framework.Version = "9.0.0" },
		"framework digest":  func(l *framework.Layout) { l.Framework.Digest = strings.Repeat("0", 64) },
		"format":            func(l *framework.Layout) { l.Format = "muster-layout/2" },
		"name":              func(l *framework.Layout) { l.Blocks[0].Name = "x" },
		"subject":           func(l *framework.Layout) { l.Blocks[0].Subject = "x" },
		"kind":              func(l *framework.Layout) { l.Blocks[0].Kind = "x" },
		"a bucket's name":   func(l *framework.Layout) { l.Blocks[0].Buckets[0] = "x" },
		"order of buckets": func(l *framework.Layout) {
			b := l.Blocks[0].Buckets
			b[0], b[1] = b[1], b[0]
		},
		"order of blocks": func(l *framework.Layout) { l.Blocks[0], l.Blocks[1] = l.Blocks[1], l.Blocks[0] },
		"number of blocks": func(l *framework.Layout) {
			l.Blocks = l.Blocks[1:]
		},
	} {
		l := harbourLayout(t)
		change(l)
		if l.Digest() == want {
			t.Errorf("a change of %s leaves the digest", name)
		}
		if err := l.Check(); name == "kind" && err == nil {
			t.Error("Check passes an unknown kind")
		}
	}
}

// TestLayoutCheck refuses what a charter could hold and this version cannot seal.
func TestLayoutCheck(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*framework.Layout)
		want   string
	}{
		{"unchanged", func(*framework.Layout) {}, ""},
		{"format", func(l *framework.Layout) { l.Format = "" }, `layout format "" is unknown`},
		{"digest", func(l *framework.Layout) { l.Framework.Digest = "AB" }, "the layout's framework digest is not 64 lower-case hexadecimal digits"},
		{"empty", func(l *framework.Layout) { l.Blocks = nil }, "the layout has no blocks"},
		{"name", func(l *framework.Layout) { l.Blocks[3].Name = "L1.1/level" }, `block "L1.1/level" is not named after its subject and kind`},
		{"twice", func(l *framework.Layout) { l.Blocks[1] = l.Blocks[0] }, `block "L1.1/level" appears twice`},
		{"kind", func(l *framework.Layout) { l.Blocks[0].Kind, l.Blocks[0].Name = "mood", "L1.1/mood" }, `block "L1.1/mood" is of a kind that this version does not know`},
		{"buckets", func(l *framework.Layout) { l.Blocks[0].Buckets = l.Blocks[0].Buckets[:6] }, `the buckets of block "L1.1/level" are not those of its kind`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := harbourLayout(t)
			text, err := json.Marshal(l)
			if err != nil {
				t.Fatal(err)
			}
			var read framework.Layout
			if err := json.Unmarshal(text, &read); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(l, &read); diff != "" {
				t.Fatalf("JSON loses (-before +after):\n%s", diff)
			}
			test.change(&read)
			err = read.Check()
			if test.want == "" && err != nil || test.want != "" && (err == nil || err.Error() != test.want || errs.KindOf(err) != errs.Invalid) {
				t.Errorf("err = %v, want %q", err, test.want)
			}
		})
	}
}

// TestWrongSum compares with sums of numbers that cannot overflow.
func TestWrongSum(t *testing.T) {
	t.Parallel()
	l := harbourLayout(t)
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.OneOf(rapid.Uint64Range(0, 40), rapid.Uint64()).Draw(t, "count")
		cells := make([]uint64, l.Bits())
		for i, b := range l.Blocks {
			cells[l.Offset(i)+rapid.IntRange(0, len(b.Buckets)-1).Draw(t, "bucket")] = count
		}
		if b, wrong := l.WrongSum(cells, count); wrong {
			t.Fatalf("every block has %d members, and %s is wrong", count, b.Name)
		}
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			cells[rapid.IntRange(0, len(cells)-1).Draw(t, "cell")] += rapid.SampledFrom([]uint64{1, math.MaxUint64, 1 << 63}).Draw(t, "by")
		}
		want := ""
		for i, b := range l.Blocks {
			sum := new(big.Int)
			for _, n := range cells[l.Offset(i):][:len(b.Buckets)] {
				sum.Add(sum, new(big.Int).SetUint64(n))
			}
			if want == "" && sum.Cmp(new(big.Int).SetUint64(count)) != 0 {
				want = b.Name
			}
		}
		if b, wrong := l.WrongSum(cells, count); wrong != (want != "") || b.Name != want {
			t.Fatalf("%v of %d: wrong is %q, want %q", cells, count, b.Name, want)
		}
	})
}
