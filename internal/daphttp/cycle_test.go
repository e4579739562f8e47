package daphttp_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/aggregate/aggregatetest"
)

func TestCycleIsThePlainSum(t *testing.T) {
	t.Parallel()
	const members = 32
	n := newNetwork(t, setup{members: members})
	began := time.Now()
	all := n.run(members)
	count, cells, err := n.Finish()
	must(t, err)
	t.Logf("%d members over loopback: %v", members, time.Since(began).Round(time.Millisecond))
	if count != members {
		t.Errorf("got %d submissions, want %d", count, members)
	}
	if diff := cmp.Diff(aggregatetest.Plain(all), cells); diff != "" {
		t.Error(diff)
	}
}
