package cycletest

import (
	"testing"

	"muster/internal/coalition"
	"muster/internal/cycle"
)

// Busy takes a world to where every page has something on it: a cycle that is open, with
// statuses of every kind and a deadline that moved; a draft; questions that wait and
// that are answered; a key, a cancellation that wait for their second person. It returns
// the cycle that is open.
func (w *World) Busy(t testing.TB) cycle.ID {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	id := w.To(t, coalition.Open)
	for party, status := range map[cycle.PartyID]cycle.Status{
		"ostmere": cycle.SignedOff, "brennholm": cycle.Delivered, "calder-reach": cycle.Delivered, "dunmark": cycle.UnderWay, "eskfjord": cycle.Declined, "isenport": cycle.Delivered, "farhaven": cycle.UnderWay,
	} {
		must(w.Say(ctx, w.Ada, id, party, status))
	}
	v, err := w.Cycle(ctx, w.Ada, id)
	must(err)
	must(w.Extend(ctx, w.Ada, id, v.Deadline.AddDate(0, 0, 7), "Two members lost a week to a storm at sea."))
	number, err := w.Ask(ctx, w.Ola, id, "We run one port, and others depend on it. Does it count as one service or as many?")
	must(err)
	must(w.Answer(ctx, w.Ada, number, "Does a port on which others depend count as one service or as many?", "As one, with one requirement for each who depends on it."))
	_, err = w.Ask(ctx, w.Dan, id, "Until when may a partner still say that it takes no part?")
	must(err)
	must(w.AddParty(ctx, w.Ada, "vestrand", "Vestrand", cycle.Member))
	_, err = w.AskEnrolment(ctx, w.Ada, "vestrand", w.Made.Leader.Public())
	must(err)
	must(w.Make(ctx, w.Ada, "2028", cycle.Plan{Leader: "calder-reach"}))
	_, err = w.Invite(ctx, w.Ada, "2028", []cycle.PartyID{"ostmere", "vestrand"})
	must(err)
	_, err = w.AskCancellation(ctx, w.Ada, "2028", "Begun by mistake: the members have not met yet.")
	must(err)
	return id
}
