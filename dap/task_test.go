package dap_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
)

// TestDeriveTaskID has a value computed by another program.
func TestDeriveTaskID(t *testing.T) {
	t.Parallel()
	digest := sha256.Sum256(counting(0, 32))
	id, err := dap.DeriveTaskID(digest, goldenTaskConfiguration())
	if err != nil || hex.EncodeToString(id[:]) != "17fa37064b663ebe81b900583bb7e3fb8fecc3c979392570114aab6a14b7707e" {
		t.Errorf("got %x, %v", id, err)
	}
	seen := map[dap.TaskID]string{id: "unchanged"}
	for _, change := range taskChanges(t) {
		cfg := goldenTaskConfiguration()
		change.apply(&cfg)
		if len(cfg.BatchConfig) > 0 {
			continue // has no encoding
		}
		other, err := dap.DeriveTaskID(digest, cfg)
		if err != nil {
			t.Errorf("%s: %v", change.name, err)
		}
		if same, ok := seen[other]; ok {
			t.Errorf("%s has the id of %s", change.name, same)
		}
		seen[other] = change.name
	}
	digest[31] ^= 1
	if other, err := dap.DeriveTaskID(digest, goldenTaskConfiguration()); err != nil || other == id {
		t.Errorf("another seed: %v, %v", other, err)
	}
	if _, err := dap.DeriveTaskID(digest, dap.TaskConfiguration{}); !errors.Is(err, dap.ErrMalformed) {
		t.Errorf("empty configuration: %v", err)
	}
}

// TestVerifyKey has a value computed by another program.
func TestVerifyKey(t *testing.T) {
	t.Parallel()
	key, err := dap.VerifyKey(counting(0, 32), goldenTask)
	if err != nil || hex.EncodeToString(key[:]) != "1192dc67ffc289fd95d6fcb399ddd01fc039a1e5645f7fd6a8e0704fcd86d736" {
		t.Errorf("got %x, %v", key, err)
	}
	if other, err := dap.VerifyKey(counting(0, 32), dap.TaskID{}); err != nil || other == key {
		t.Errorf("another task: %x, %v", other, err)
	}
	if other, err := dap.VerifyKey(counting(1, 32), goldenTask); err != nil || other == key {
		t.Errorf("another seed: %x, %v", other, err)
	}
	if other, err := dap.VerifyKey(counting(0, 31), goldenTask); err == nil || other != [32]byte{} {
		t.Errorf("a short seed: %x, %v", other, err)
	}
}

func TestTaskInterval(t *testing.T) {
	t.Parallel()
	cfg := goldenTaskConfiguration()
	if i, ok := cfg.TaskInterval(); !ok || i != (dap.Interval{Start: 2870, Duration: 8}) {
		t.Errorf("%v, %v", i, ok)
	}
	cfg.Extensions = nil
	if i, ok := cfg.TaskInterval(); ok {
		t.Errorf("without extension: %v", i)
	}
	cfg.Extensions = []dap.Extension{{Type: dap.TaskExtensionInterval, Data: make([]byte, 15)}}
	if i, ok := cfg.TaskInterval(); ok {
		t.Errorf("with a short extension: %v", i)
	}
	if _, err := dap.NewTaskInterval(dap.Interval{Start: 1, Duration: math.MaxUint64}); !errors.Is(err, dap.ErrMalformed) {
		t.Errorf("overflow: %v", err)
	}
}

func TestExtensionHelpers(t *testing.T) {
	t.Parallel()
	list := []dap.Extension{{Type: 1}, {Type: 23}, {Type: 42}}
	if got := dap.UnknownExtensions(list, 1, 42); !cmp.Equal(got, []dap.ExtensionType{23}) {
		t.Errorf("unknown: %v", got)
	}
	if got := dap.UnknownExtensions(list); len(got) != 3 {
		t.Errorf("unknown: %v", got)
	}
	if got := dap.UnknownExtensions(nil, 1); got != nil {
		t.Errorf("unknown: %v", got)
	}
	if got, ok := dap.SharedExtension(list, []dap.Extension{{Type: 2}, {Type: 42}}); !ok || got != 42 {
		t.Errorf("shared: %d, %v", got, ok)
	}
	if got, ok := dap.SharedExtension(list, []dap.Extension{{Type: 2}, {Type: 43}}); ok {
		t.Errorf("shared: %d", got)
	}
	batch := dap.BatchID(counting(1, 32))
	job := dap.AggregationJobInitReq{Extensions: []dap.Extension{dap.NewJobBatchID(batch)}}
	if got, ok := job.BatchID(); !ok || got != batch {
		t.Errorf("batch %s, %v", got, ok)
	}
	job.Extensions[0].Data = job.Extensions[0].Data[1:]
	if got, ok := job.BatchID(); ok {
		t.Errorf("batch %s of 31 bytes", got)
	}
	if got, ok := (dap.AggregationJobInitReq{}).BatchID(); ok {
		t.Errorf("batch %s of nothing", got)
	}
}

func TestBatchSelector(t *testing.T) {
	t.Parallel()
	query := func(start dap.Time, d dap.Duration) dap.Query {
		return must(dap.NewTimeIntervalQuery(dap.Interval{Start: start, Duration: d}))
	}
	selector := func(start dap.Time, d dap.Duration) dap.BatchSelector {
		return must(dap.NewTimeIntervalSelector(dap.Interval{Start: start, Duration: d}))
	}
	batch := dap.BatchID(counting(1, 32))
	next, chosen := dap.Query{BatchMode: dap.BatchModeLeaderSelected}, dap.NewLeaderSelectedSelector(batch)
	for _, test := range []struct {
		name     string
		selector dap.BatchSelector
		query    dap.Query
		want     bool
	}{
		{"equal", selector(10, 5), query(10, 5), true},
		{"within", selector(11, 3), query(10, 5), true},
		{"before", selector(9, 3), query(10, 5), false},
		{"beyond", selector(11, 5), query(10, 5), false},
		{"chosen", chosen, next, true},
		{"modes", selector(10, 5), next, false},
		{"modes the other way", chosen, query(10, 5), false},
		{"none", dap.BatchSelector{}, dap.Query{}, false},
		{"no interval", dap.BatchSelector{BatchMode: dap.BatchModeTimeInterval}, query(10, 5), false},
	} {
		if got := test.selector.ConsistentWith(test.query); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
	if i, ok := query(10, 5).BatchInterval(); !ok || i != (dap.Interval{Start: 10, Duration: 5}) {
		t.Errorf("%v, %v", i, ok)
	}
	if _, ok := next.BatchInterval(); ok {
		t.Error("an interval in leader-selected mode")
	}
	if id, ok := chosen.BatchID(); !ok || id != batch {
		t.Errorf("%s, %v", id, ok)
	}
	if id, ok := selector(1, 1).BatchID(); ok {
		t.Errorf("batch %s in time-interval mode", id)
	}
	if _, err := dap.NewTimeIntervalQuery(dap.Interval{Start: 1, Duration: math.MaxUint64}); err == nil {
		t.Error("a query for an interval that overflows")
	}
	if _, err := dap.NewTimeIntervalSelector(dap.Interval{Start: 1, Duration: math.MaxUint64}); err == nil {
		t.Error("a selector of an interval that overflows")
	}
}
