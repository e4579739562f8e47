package daphttp_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/aggregate/aggregatetest"
	"muster/internal/coalition"
	"muster/internal/daphttp"
	"muster/internal/errs"
)

// TestRosterOverTheNetwork: the coordinator reads what was frozen at both hosts,
// the Leader at the Helper, and nobody else.
func TestRosterOverTheNetwork(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 6})
	n.run(5)
	spoiled := n.Seal(aggregatetest.Member(5), 1, aggregatetest.Answers(5))
	spoiled.Report.HelperEncryptedInputShare.Payload[3] ^= 1
	spoiled.Receipt = n.Sign(spoiled.Member, 1, spoiled.Report)
	must(t, n.Deliver(spoiled))
	ctx, task := t.Context(), n.Task().ID
	if _, err := n.coordinator.FrozenRoster(ctx, task); errs.KindOf(err) != errs.Conflict {
		t.Errorf("before the freeze: %v", err)
	}
	n.Now.Store(aggregatetest.Deadline)
	_, err := n.Leader.Freeze(ctx)
	must(t, err)
	if err := n.Leader.Aggregate(ctx); errs.KindOf(err) != errs.Conflict {
		t.Fatalf("Aggregate: %v", err)
	}
	want, err := n.Leader.Amend(ctx)
	must(t, err)
	for name, read := range map[string]func() (coalition.FrozenRoster, error){
		"coordinator at the Leader": func() (coalition.FrozenRoster, error) { return n.coordinator.FrozenRoster(ctx, task) },
		"coordinator at the Helper": func() (coalition.FrozenRoster, error) { return n.coordinatorAt.FrozenRoster(ctx, task) },
		"Leader at the Helper":      func() (coalition.FrozenRoster, error) { return n.peer.FrozenRoster(ctx, task) },
	} {
		got, err := read()
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if roster, err := got.Open(task, n.Charter.Leader.Key, n.Charter.Helper.Key); err != nil || len(roster.Entries) != 5 {
			t.Errorf("%s: %d entries, %v", name, len(roster.Entries), err)
		}
	}
	for name, client := range map[string]interface {
		FrozenRoster(ctx context.Context, task dap.TaskID) (coalition.FrozenRoster, error)
	}{"a member at the Leader": n.member, "a member at the Helper": n.memberAt} {
		if _, err := client.FrozenRoster(ctx, task); errs.KindOf(err) != errs.Denied {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The coordinator reads at the Helper, and may do nothing else there.
	if _, err := n.coordinatorAt.CosignRoster(ctx, want.Roster); errs.KindOf(err) != errs.Denied {
		t.Errorf("the coordinator proposes a roster: %v", err)
	}
	if _, err := n.coordinatorAt.AggregateShare(ctx, task, nil); errs.KindOf(err) != errs.Denied {
		t.Errorf("the coordinator asks for an aggregate share: %v", err)
	}
}

// TestPostponeOverTheNetwork: anyone may hand over an addendum that all three
// have signed, and nobody another.
func TestPostponeOverTheNetwork(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	ctx, task := t.Context(), n.Task().ID
	later := time.Unix(aggregatetest.Deadline+7*24*3600, 0)
	a, err := n.Charter.Postpone(nil, later, "a storm")
	must(t, err)
	proposed, err := a.Propose(n.Charter, n.Coordinator)
	must(t, err)
	if err := n.member.Postpone(ctx, task, proposed); errs.KindOf(err) != errs.Invalid {
		t.Errorf("not signed by the hosts: %v", err)
	}
	signed, err := a.Sign(n.Coordinator, n.Host[0].Signer, n.Host[1].Signer)
	must(t, err)
	for range 2 {
		must(t, n.member.Postpone(ctx, task, signed))
		must(t, n.memberAt.Postpone(ctx, task, signed))
	}
	n.Now.Store(aggregatetest.Deadline + 1)
	n.run(3)
	n.Now.Store(later.Unix())
	if err := n.Deliver(n.Seal(aggregatetest.Member(0), 2, aggregatetest.Answers(0))); err == nil {
		t.Error("something was taken after the postponed deadline")
	}
	_, err = n.Leader.Freeze(ctx)
	must(t, err)
	a, err = n.Charter.Postpone([]coalition.SignedAddendum{signed}, later.Add(time.Hour), "again")
	must(t, err)
	second, err := a.Sign(n.Coordinator, n.Host[0].Signer, n.Host[1].Signer)
	must(t, err)
	for name, client := range map[string]interface {
		Postpone(ctx context.Context, task dap.TaskID, a coalition.SignedAddendum) error
	}{"Leader": n.member, "Helper": n.memberAt} {
		if err := client.Postpone(ctx, task, second); errs.KindOf(err) != errs.Conflict {
			t.Errorf("after the freeze at the %s: %v", name, err)
		}
		must(t, client.Postpone(ctx, task, signed)) // the same again is no error
	}
}

// TestStrangeHosts: what a host answers may be anything.
func TestStrangeHosts(t *testing.T) {
	t.Parallel()
	var answer atomic.Value
	answer.Store("")
	n := newNetwork(t, setup{
		members: 3,
		front: func(_ string, _ http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(answer.Load().(string)))
			})
		},
		client: func(cfg *daphttp.ClientConfig) { cfg.Attempts = 1 },
	})
	receipt := n.Seal(aggregatetest.Member(0), 1, aggregatetest.Answers(0)).Receipt
	for name, text := range map[string]string{
		"nothing": "", "null": "null", "a list": "[]", "an empty object": "{}", "another member": `{"x":1}`,
		"a negative number": `{"receipt":"` + receipt.Digest() + `","last_seq":-1}`,
		"another receipt":   `{"receipt":"` + strings.Repeat("0", 64) + `","last_seq":1}`,
		"two":               `{"receipt":"` + receipt.Digest() + `","last_seq":1}{}`,
	} {
		answer.Store(text)
		if _, err := n.member.Acknowledge(t.Context(), receipt); errs.KindOf(err) != errs.Invalid {
			t.Errorf("acknowledged with %s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "null": "null", "a list": "[]", "an empty object": "{}",
		"no amendments":      `{"roster":"e30","signature":"x"}`,
		"null as amendments": `{"roster":"e30","signature":"x","amendments":null}`,
		"an empty amendment": `{"roster":"e30","signature":"x","amendments":[{}]}`,
		"null as amendment":  `{"roster":"e30","signature":"x","amendments":[null]}`,
		"a roster as one":    `{"roster":"e30","signature":"x","amendments":[{"roster":"e30","signature":"x"}]}`,
		"no signature":       `{"roster":"e30","amendments":[]}`,
		"no base64url":       `{"roster":"e30=","signature":"x","amendments":[]}`,
		"a receipt besides":  `{"roster":"e30","receipt":"e30","signature":"x","amendments":[]}`,
		"two":                `{"roster":"e30","signature":"x","amendments":[]}{}`,
		"deep":               strings.Repeat(`{"amendments":[`, 20000),
	} {
		answer.Store(text)
		if _, err := n.coordinator.FrozenRoster(t.Context(), n.Task().ID); errs.KindOf(err) != errs.Invalid {
			t.Errorf("a roster of %s: %v", name, err)
		}
	}
}
