package cycle_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/coalition"
	"muster/internal/cycle"
	"muster/internal/cycle/cycletest"
)

// Whatever anybody does in whatever order: a cycle goes along the table alone, is
// cancelled by two of the staff and released by an engineer of each host, nobody's
// request is approved by herself, and the record is whole and as long as it was or
// longer.
func TestWhateverAnybodyDoes(t *testing.T) {
	t.Parallel()
	w := cycletest.New(t)
	id := w.To(t, coalition.Closed)
	ctx := t.Context()
	var lines int64
	years := 0
	rapid.Check(t, func(t *rapid.T) {
		everybody := []cycle.Person{w.Ada, w.Bo, w.Lea, w.Hal, w.Ola, w.Vera, w.Dan, w.Audit, cycle.Operator("the operator")}
		phases := []coalition.Phase{coalition.Aggregated, coalition.Review, coalition.Released, coalition.Cancelled, coalition.Postponed, coalition.Conference, coalition.Consultation, coalition.Draft}
		years++
		draft := cycle.ID(fmt.Sprintf("draft-%d", years))
		if err := w.Make(ctx, w.Ada, draft, cycle.Plan{}); err != nil && !strings.Contains(err.Error(), "no more are") {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 12).Draw(t, "how many") {
			who := rapid.SampledFrom(everybody).Draw(t, "who")
			of := rapid.SampledFrom([]cycle.ID{id, draft}).Draw(t, "of")
			open, err := w.Requests(ctx, w.Audit)
			if err != nil {
				t.Fatal(err)
			}
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				_ = w.Step(ctx, who, of, rapid.SampledFrom(phases).Draw(t, "to"), "because") // a refusal is as good
			case 1:
				_, _ = w.AskCancellation(ctx, who, of, "because")
			case 2:
				_, _ = w.AskRelease(ctx, who, of, strings.Repeat("0f", 32))
			case 3, 4:
				if len(open) > 0 {
					_, _ = w.Approve(ctx, who, rapid.SampledFrom(open).Draw(t, "request").Number, "")
				}
			default:
				if len(open) > 0 {
					_ = w.Refuse(ctx, who, rapid.SampledFrom(open).Draw(t, "request").Number, "because")
				}
			}
		}
		for _, of := range []cycle.ID{id, draft} {
			v, err := w.Cycle(ctx, w.Audit, of)
			if err != nil {
				continue
			}
			at := coalition.Draft
			for _, s := range v.Steps {
				if s.From != at || coalition.Step(s.From, s.To, s.Reason) != nil {
					t.Fatalf("%s went from %s by %+v", of, at, s)
				}
				at = s.To
			}
			if at != v.Phase {
				t.Fatalf("%s is %s after steps to %s", of, v.Phase, at)
			}
			checkApprovals(t, w, v)
		}
		n, _, err := w.CheckRecord(ctx, w.Audit)
		if err != nil || n < lines {
			t.Fatalf("the record has %d lines after %d: %v", n, lines, err)
		}
		lines = n
		w.Clock.Set(w.Clock.Now().Add(time.Minute))
	})
}

// checkApprovals holds that what two have to want was wanted by two.
func checkApprovals(t *rapid.T, w *cycletest.World, v cycle.View) {
	var requests []cycle.Request
	err := w.DB.View(t.Context(), "look", func(r cycle.Reader) (err error) {
		requests, err = r.RequestsOf(v.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	roles := map[string]cycle.Person{}
	for _, p := range w.People() {
		roles[p.ID] = p
	}
	cancelled, released := false, false
	for _, q := range requests {
		for _, a := range q.Approvals {
			if a.Person == q.Asker || a.By == q.By {
				t.Fatalf("%s approved her own request %d", a.By, q.Number)
			}
			if q.Kind == cycle.Cancellation && !roles[a.Person].Is(cycle.RoleCoordinator) {
				t.Fatalf("%s approved a cancellation", a.By)
			}
		}
		if q.Verdict != cycle.Approved {
			continue
		}
		switch q.Kind {
		case cycle.Cancellation:
			cancelled = len(q.Approvals) == 1
		case cycle.Releasing:
			released = len(q.Approvals) == 2 && roles[q.Approvals[0].Person].For(cycle.RoleEngineer, v.Hosts[map[string]int{"leader": 0, "helper": 1}[q.Approvals[0].Slot]]) && q.Approvals[0].Person != q.Approvals[1].Person
		}
	}
	if v.Phase == coalition.Cancelled && !cancelled || v.Release != "" && !released {
		t.Fatalf("%s is %s with the requests %+v", v.ID, v.Phase, requests)
	}
}
