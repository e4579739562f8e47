package aggregate_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/aggregate"
	"muster/internal/aggregate/aggregatetest"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
)

// addendum returns a postponement signed by all three.
func (w *world) addendum(earlier []coalition.SignedAddendum, to int64, reason string) coalition.SignedAddendum {
	w.t.Helper()
	a, err := w.Charter.Postpone(earlier, time.Unix(to, 0), reason)
	must(w.t, err)
	signed, err := a.Sign(w.Coordinator, w.Host[0].Signer, w.Host[1].Signer)
	must(w.t, err)
	return signed
}

func TestPostponement(t *testing.T) {
	t.Parallel()
	const week = 7 * 24 * 3600
	w := newWorld(t, 4)
	must(t, w.StartUp())
	w.run(3)
	first := w.addendum(nil, deadline+week, "two members asked for it")
	second := w.addendum([]coalition.SignedAddendum{first}, deadline+2*week, "and a third")
	if err := w.Leader.Postpone(t.Context(), second); errs.KindOf(err) != errs.Invalid {
		t.Errorf("the second addendum first: %v", err)
	}
	for _, a := range []coalition.SignedAddendum{first, first, second} { // the same again is the same
		must(t, w.Leader.Postpone(t.Context(), a))
		must(t, w.Helper.Postpone(t.Context(), a))
	}
	must(t, w.StartUp()) // it outlives a restart
	w.Now.Store(deadline + 2*week - 1)
	must(t, w.Deliver(w.Seal(member(3), 1, answers(3))))
	if _, err := w.Leader.Freeze(t.Context()); errs.KindOf(err) != errs.Conflict {
		t.Errorf("froze before the new deadline: %v", err)
	}
	w.Now.Store(deadline + 2*week)
	if err := w.Deliver(w.Seal(member(2), 2, answers(3))); err == nil {
		t.Error("a submission was taken after the new deadline")
	}
	roster, err := w.Leader.Freeze(t.Context())
	must(t, err)
	opened, err := coalition.ParseRoster(roster.Body, w.Task().ID)
	must(t, err)
	if len(opened.Entries) != 4 {
		t.Errorf("the roster has %d entries, want 4", len(opened.Entries))
	}
	third := w.addendum([]coalition.SignedAddendum{first, second}, deadline+3*week, "too late")
	if err := w.Helper.Postpone(t.Context(), third); errs.KindOf(err) != errs.Conflict {
		t.Errorf("postponed after the freeze: %v", err)
	}
	if !slices.ContainsFunc(w.Log.Entries(), func(e ledger.Entry) bool { return e.ID == "addendum 2 "+w.Task().ID.String() }) {
		t.Error("the record lacks the postponement")
	}
}

// TestPostponedAtOneHostOnly: nobody freezes early by it.
func TestPostponedAtOneHostOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	must(t, w.StartUp())
	w.run(4)
	must(t, w.Helper.Postpone(t.Context(), w.addendum(nil, deadline+1000, "a reason")))
	w.Now.Store(deadline)
	_, err := w.Leader.Freeze(t.Context())
	if errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "frozen after the deadline") {
		t.Errorf("got %v", err)
	}
}

func TestPostponeRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	for name, err := range map[string]error{
		"to an earlier time": second(w.Charter.Postpone(nil, time.Unix(deadline, 0), "r")),
		"behind the wipe":    second(w.Charter.Postpone(nil, time.Unix(w.Charter.Wipe, 0), "r")),
		"without a reason":   second(w.Charter.Postpone(nil, time.Unix(deadline+1, 0), " ")),
	} {
		if errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, w.StartUp())
	a, err := w.Charter.Postpone(nil, time.Unix(deadline+1, 0), "r")
	must(t, err)
	signed, err := a.Sign(w.Coordinator, w.Host[0].Signer, w.Host[0].Signer)
	if err == nil { // the Helper's signature is missing
		err = w.Leader.Postpone(t.Context(), signed)
	}
	if err == nil {
		t.Error("an addendum without the Helper's signature was taken")
	}
}

func second[T any](_ T, err error) error { return err }

// TestRestoredHostTakesOverPostponements: both that came after the backup, in order,
// once, with their entries in the record; then it takes members until the new
// deadline and freezes no sooner.
func TestRestoredHostTakesOverPostponements(t *testing.T) {
	t.Parallel()
	const week = 7 * 24 * 3600
	for host, name := range []string{"Leader", "Helper"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 3)
			must(t, w.StartUp())
			first := w.addendum(nil, deadline+week, "two members asked for it")
			second := w.addendum([]coalition.SignedAddendum{first}, deadline+2*week, "and a third")
			for _, a := range []coalition.SignedAddendum{first, second} {
				must(t, w.Leader.Postpone(t.Context(), a))
				must(t, w.Helper.Postpone(t.Context(), a))
			}
			w.Log = aggregatetest.NewLog()
			w.forget(host)
			reconcile := func(change func(*[]coalition.SignedAddendum)) (aggregate.Reconciled, error) {
				if host == 0 {
					return w.Leader.Reconcile(t.Context(), other{standingHost: w.Helper, addenda: change})
				}
				return w.Helper.Reconcile(t.Context(), other{standingHost: w.Leader, addenda: change})
			}
			// What the other hands over is not believed.
			single := second
			var err error
			single.Signature, err = keys.Sign(keys.KindAddendum, second.Body, w.Coordinator, w.Host[1-host].Signer)
			must(t, err)
			for name, change := range map[string]func(*[]coalition.SignedAddendum){
				"not signed by all":   func(list *[]coalition.SignedAddendum) { *list = []coalition.SignedAddendum{first, single} },
				"one that is missing": func(list *[]coalition.SignedAddendum) { *list = []coalition.SignedAddendum{second} },
			} {
				if got, err := reconcile(change); errs.KindOf(err) != errs.Invalid || got.Addenda != 0 {
					t.Errorf("%s: %+v, %v", name, got, err)
				}
			}
			if n := len(w.Log.Entries()); n != 0 {
				t.Errorf("the record has %d entries of what was refused", n)
			}
			for i, want := range []aggregate.Reconciled{{Addenda: 2}, {}} {
				got, err := reconcile(nil)
				must(t, err)
				if got != want {
					t.Errorf("time %d: %+v, want %+v", i, got, want)
				}
			}
			var entered []string
			for _, e := range w.Log.Entries() {
				entered = append(entered, e.ID)
			}
			if want := []string{"addendum 1 " + w.Task().ID.String(), "addendum 2 " + w.Task().ID.String()}; !slices.Equal(entered, want) {
				t.Errorf("the record has %q, want %q", entered, want)
			}
			another := w.addendum(nil, deadline+week+1, "and another first one")
			if _, err := reconcile(func(list *[]coalition.SignedAddendum) { *list = []coalition.SignedAddendum{another} }); errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "the other host has another postponement 1 than this backup") {
				t.Errorf("got %v", err)
			}
			w.Now.Store(deadline + 2*week - 1)
			w.run(3)
			if _, err := w.Leader.Freeze(t.Context()); errs.KindOf(err) != errs.Conflict {
				t.Errorf("froze before the new deadline: %v", err)
			}
			w.Now.Store(deadline + 2*week)
			_, err = w.Leader.Freeze(t.Context())
			must(t, err)
			if got, err := reconcile(nil); err != nil || got != (aggregate.Reconciled{}) {
				t.Errorf("after the freeze: %+v, %v", got, err)
			}
		})
	}
}
