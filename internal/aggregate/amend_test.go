package aggregate_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/store"
)

// spoiledWorld has n members, the last of which sends what does not verify,
// and stands where Aggregate has refused.
func spoiledWorld(t *testing.T, n int) (*world, [][]uint64) {
	t.Helper()
	w := newWorld(t, n)
	must(t, w.StartUp())
	all := w.run(n - 1)
	must(t, w.Deliver(w.spoiled(member(n-1), func(shares [][]byte) { shares[0][3] ^= 1 })))
	w.Now.Store(deadline)
	_, err := w.Leader.Freeze(t.Context())
	must(t, err)
	if err := w.Leader.Aggregate(t.Context()); errs.KindOf(err) != errs.Conflict {
		t.Fatalf("Aggregate: %v", err)
	}
	return w, all
}

func TestAmendment(t *testing.T) {
	t.Parallel()
	w, all := spoiledWorld(t, 6)
	frozen, err := w.Leader.Amend(t.Context())
	must(t, err)
	roster, err := frozen.Open(w.Task().ID, w.Charter.Leader.Key, w.Charter.Helper.Key)
	must(t, err)
	if len(frozen.Amendments) != 1 || len(roster.Entries) != 5 {
		t.Fatalf("%d amendments, %d submissions left", len(frozen.Amendments), len(roster.Entries))
	}
	if strings.Contains(string(frozen.Amendments[0].Body), "fault") {
		t.Error("an amendment speaks of fault")
	}
	again, err := w.Leader.Amend(t.Context())
	must(t, err)
	if diff := cmp.Diff(frozen, again); diff != "" {
		t.Errorf("amended twice: %s", diff)
	}
	must(t, w.Leader.Aggregate(t.Context()))
	count, cells, err := w.Collected()
	must(t, err)
	if count != 5 {
		t.Errorf("got %d submissions, want 5", count)
	}
	if diff := cmp.Diff(plain(all), cells); diff != "" {
		t.Error(diff)
	}
	for _, e := range w.Log.Entries() {
		if text := fmt.Sprint(e); strings.Contains(text, "m005") {
			t.Errorf("the record names a member: %s", text)
		}
	}
}

func TestAmendmentCrashes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"propose amendment", "cosign amendment", "store amendment"} {
		for _, point := range []store.FaultPoint{store.BeforeCommit, store.AfterCommit} {
			t.Run(name+" "+string(point), func(t *testing.T) {
				t.Parallel()
				w, all := spoiledWorld(t, 6)
				crashed := false
				w.Fault = func(at string, p store.FaultPoint) error {
					if at == name && p == point && !crashed {
						crashed = true
						return errCrash
					}
					return nil
				}
				must(t, w.StartUp())
				if _, err := w.Leader.Amend(t.Context()); !errors.Is(err, errCrash) {
					t.Fatalf("no crash: %v", err)
				}
				must(t, w.StartUp())
				frozen, err := w.Leader.Amend(t.Context())
				must(t, err)
				if len(frozen.Amendments) != 1 {
					t.Errorf("%d amendments", len(frozen.Amendments))
				}
				_, cells, err := w.Finish()
				must(t, err)
				if diff := cmp.Diff(plain(all), cells); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestAmendmentLeavesTooFew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 6) // four are needed
	must(t, w.StartUp())
	w.run(3)
	must(t, w.Deliver(w.spoiled(member(3), func(shares [][]byte) { shares[1][0] ^= 1 })))
	w.Now.Store(deadline)
	_, err := w.Leader.Freeze(t.Context())
	must(t, err)
	if err := w.Leader.Aggregate(t.Context()); err == nil {
		t.Fatal("accepted")
	}
	if _, err := w.Leader.Amend(t.Context()); !errors.Is(err, &dap.Problem{Type: dap.ProblemInvalidBatchSize}) {
		t.Errorf("got %v", err)
	}
	if _, _, err := w.Finish(); errs.KindOf(err) != errs.Conflict {
		t.Errorf("got %v", err)
	}
}

// TestHelperRefusesAmendments: what a dishonest Leader might want struck.
func TestHelperRefusesAmendments(t *testing.T) {
	t.Parallel()
	w, _ := spoiledWorld(t, 6)
	frozen, err := w.Leader.Freeze(t.Context())
	must(t, err)
	roster, err := coalition.ParseRoster(frozen.Body, w.Task().ID)
	must(t, err)
	strike := func(i int) coalition.Strike {
		return coalition.Strike{Member: roster.Entries[i].Member, Report: roster.Entries[i].Report, Reason: "vdaf_verify_error"}
	}
	propose := func(change func(a *coalition.Amendment), struck ...coalition.Strike) error {
		a := coalition.NewAmendment(w.Task().ID, frozen, nil, struck)
		if change != nil {
			change(&a)
		}
		body, err := keys.Canonical(a)
		must(t, err)
		sig, err := keys.Sign(keys.KindAmendment, body, w.Host[0].Signer)
		must(t, err)
		_, err = w.Helper.CosignAmendment(t.Context(), coalition.SignedAmendment{Body: body, Signature: sig})
		return err
	}
	rows := []struct {
		name string
		err  error
		want errs.Kind
	}{
		{"what was added up", propose(nil, strike(0)), errs.Conflict},
		{"what is not on the roster", propose(nil, coalition.Strike{Member: "m999", Report: strike(5).Report}), errs.Invalid},
		{"another member's report", propose(nil, coalition.Strike{Member: "m001", Report: strike(5).Report}), errs.Invalid},
		{"one twice", propose(nil, strike(5), strike(5)), errs.Invalid},
		{"with words in place of a reason", propose(nil, coalition.Strike{Member: strike(5).Member, Report: strike(5).Report, Reason: "your fault"}), errs.Invalid},
		{"nothing", propose(nil), errs.Invalid},
		{"another roster", propose(func(a *coalition.Amendment) { a.Roster = "00" }, strike(5)), errs.Invalid},
		{"number two first", propose(func(a *coalition.Amendment) { a.Number = 2 }, strike(5)), errs.Invalid},
	}
	for _, row := range rows {
		if errs.KindOf(row.err) != row.want {
			t.Errorf("%s: got %v, want kind %v", row.name, row.err, row.want)
		}
	}
	must(t, propose(nil, strike(5)))
}

// TestHelperStrikesNothingUnverified: before the jobs are done nobody knows what
// failed, and a Leader could strike whom it likes.
func TestHelperStrikesNothingUnverified(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 6)
	must(t, w.StartUp())
	w.run(6)
	w.Now.Store(deadline)
	frozen, err := w.Leader.Freeze(t.Context())
	must(t, err)
	roster, err := coalition.ParseRoster(frozen.Body, w.Task().ID)
	must(t, err)
	body, err := keys.Canonical(coalition.NewAmendment(w.Task().ID, frozen, nil,
		[]coalition.Strike{{Member: roster.Entries[0].Member, Report: roster.Entries[0].Report, Reason: "vdaf_verify_error"}}))
	must(t, err)
	sig, err := keys.Sign(keys.KindAmendment, body, w.Host[0].Signer)
	must(t, err)
	_, err = w.Helper.CosignAmendment(t.Context(), coalition.SignedAmendment{Body: body, Signature: sig})
	if errs.KindOf(err) != errs.Unavailable || !strings.Contains(err.Error(), "not yet verified") {
		t.Errorf("got %v", err)
	}
}

func TestNoAmendmentAfterTheCollection(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 6)
	must(t, w.StartUp())
	w.run(6)
	_, _, err := w.Finish()
	must(t, err)
	frozen, err := w.Leader.Freeze(t.Context())
	must(t, err)
	roster, err := coalition.ParseRoster(frozen.Body, w.Task().ID)
	must(t, err)
	body, err := keys.Canonical(coalition.NewAmendment(w.Task().ID, frozen, nil,
		[]coalition.Strike{{Member: roster.Entries[0].Member, Report: roster.Entries[0].Report}}))
	must(t, err)
	sig, err := keys.Sign(keys.KindAmendment, body, w.Host[0].Signer)
	must(t, err)
	_, err = w.Helper.CosignAmendment(t.Context(), coalition.SignedAmendment{Body: body, Signature: sig})
	if errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "the batch was collected") {
		t.Errorf("got %v", err)
	}
}
