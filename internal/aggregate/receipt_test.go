package aggregate_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/errs"
)

type acknowledger interface {
	Acknowledge(ctx context.Context, r coalition.SignedReceipt) (coalition.Acknowledgement, error)
}

// A member learns from the acknowledgement whether what it sent is what counts.
func TestAcknowledgement(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	must(t, w.StartUp())
	w.run(4)
	want := func(host acknowledger, r coalition.SignedReceipt, last uint64) {
		t.Helper()
		got, err := host.Acknowledge(t.Context(), r)
		must(t, err)
		if got.Receipt != r.Digest() || got.Last != last {
			t.Errorf("acknowledgement of %s: %+v", r.Digest(), got)
		}
		if again, err := host.Acknowledge(t.Context(), r); err != nil || again != got {
			t.Errorf("the same again is acknowledged by other bytes: %+v, %v", again, err)
		}
		// A host is held to what it signed; what it has set aside it does not sign.
		receipt, err := r.Open(w.Task().ID, w.Task().MemberKey)
		must(t, err)
		file, signed, err := got.Signed()
		must(t, err)
		if signed != (last >= receipt.Sequence) {
			t.Fatalf("submission %d, of which %d counts, is acknowledged with a signature: %t", receipt.Sequence, last, signed)
		}
		if !signed {
			return
		}
		held, err := w.Charter.OpenHeld(file, receipt, r.Digest())
		must(t, err)
		if held.Host != map[acknowledger]string{w.Leader: "leader", w.Helper: "helper"}[host] {
			t.Errorf("it is the word of the %s", held.Host)
		}
	}
	second, third := w.Seal(member(0), 2, answers(1)), w.Seal(member(0), 3, answers(2))
	must(t, w.Upload(second.Report, third.Report))
	for _, host := range []acknowledger{w.Leader, w.Helper} {
		want(host, third.Receipt, 3)
		want(host, second.Receipt, 3) // it came late and was replaced
		want(host, third.Receipt, 3)
	}
	must(t, w.Leader.SetAside(t.Context(), member(0), 3))
	want(w.Leader, third.Receipt, 2)
	want(w.Helper, third.Receipt, 3)
}

// What a host holds it knows again after the deadline, also when it takes nothing
// new any more.
func TestWhatIsThereIsKnownAfterTheDeadline(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	must(t, w.StartUp())
	w.run(3)
	s := w.Seal(member(3), 1, answers(3))
	must(t, w.Deliver(s))
	late := w.Seal(member(3), 2, answers(0))
	again := func(when string) {
		t.Helper()
		if err := w.Deliver(s); err != nil {
			t.Errorf("%s: %v", when, err)
		}
		if err := w.Upload(late.Report); err == nil {
			t.Errorf("%s: a late report was taken", when)
		}
		for name, host := range map[string]acknowledger{"Leader": w.Leader, "Helper": w.Helper} {
			if _, err := host.Acknowledge(t.Context(), late.Receipt); errs.KindOf(err) != errs.Conflict {
				t.Errorf("%s: a late receipt at the %s: %v", when, name, err)
			}
		}
	}
	w.Now.Store(deadline)
	again("after the deadline")
	_, _, err := w.Finish()
	must(t, err)
	again("after the collection")
	// The same id with other bytes is not the same.
	changed := s
	changed.Report.LeaderEncryptedInputShare = late.Report.LeaderEncryptedInputShare
	if err := w.Upload(changed.Report); err == nil {
		t.Error("another report with a known id was taken")
	}
}

func TestFrozenRoster(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	must(t, w.StartUp())
	w.run(4)
	read := func() (list [2]coalition.FrozenRoster, failed [2]error) {
		list[0], failed[0] = w.Leader.FrozenRoster(t.Context(), w.Task().ID)
		list[1], failed[1] = w.Helper.FrozenRoster(t.Context(), w.Task().ID)
		return list, failed
	}
	refused := func(when string) {
		t.Helper()
		_, failed := read()
		for _, err := range failed {
			if errs.KindOf(err) != errs.Conflict {
				t.Errorf("%s: %v", when, err)
			}
		}
	}
	refused("open")
	w.Now.Store(deadline)
	roster, err := w.Leader.Freeze(t.Context())
	must(t, err)
	same := func(when string) {
		t.Helper()
		list, failed := read()
		for i, err := range failed {
			must(t, err)
			if diff := cmp.Diff(coalition.FrozenRoster{Roster: roster}, list[i]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
	}
	same("frozen")
	_, _, err = w.Finish()
	must(t, err)
	same("collected")
	must(t, w.Leader.Wipe(t.Context(), aggregate.CycleCancelled))
	must(t, w.Helper.Wipe(t.Context(), aggregate.CycleCancelled))
	same("wiped")
	if _, err := w.Leader.FrozenRoster(t.Context(), [32]byte{1}); err == nil {
		t.Error("another task has a roster")
	}

	cancelled := newWorld(t, 4)
	must(t, cancelled.StartUp())
	must(t, cancelled.Leader.Wipe(t.Context(), aggregate.CycleCancelled))
	if _, err := cancelled.Leader.FrozenRoster(t.Context(), cancelled.Task().ID); errs.KindOf(err) != errs.Conflict {
		t.Errorf("a cancelled cycle has a roster: %v", err)
	}
}
