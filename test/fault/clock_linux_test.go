package fault_test

import (
	"testing"
	"time"
)

// TestClocks sets one party's clock ten minutes wrong. Around the deadline that
// is a refusal with the reason; who delivers in these minutes has delivered at
// one host or at none, and is named; the release is the same.
func TestClocks(t *testing.T) {
	t.Parallel()
	l, cases := newLane(t), newTally(t)
	const (
		notDelivered  = "was not delivered: ostmere, the Leader: submissions closed at"
		halfDelivered = "is half delivered and does not count yet: ostmere has it; calverra, the Helper: submissions closed at"
		notOver       = "the roster is frozen after the deadline"
	)
	for _, row := range []struct {
		who    string
		ahead  bool
		freeze string // what is said of a freeze in these minutes
		upload string // and of an upload
		sample bool
	}{
		{who: leaderHost, ahead: true, freeze: notOver, upload: notDelivered, sample: true},
		{who: leaderHost, ahead: false, freeze: notOver, upload: halfDelivered, sample: true},
		{who: helperHost, ahead: true, freeze: notOver, upload: halfDelivered},
		{who: helperHost, ahead: false, freeze: notOver, upload: notDelivered, sample: true},
		{who: "coordinator", ahead: true},
		{who: "coordinator", ahead: false, sample: true},
		{who: "members", ahead: true},
		{who: "members", ahead: false},
	} {
		if !row.sample && !long() {
			continue
		}
		const wrong = 10 * time.Minute
		sign := time.Duration(-1)
		if row.ahead {
			sign = 1
		}
		cases.run(t, row.who+" "+(sign*wrong).String(), func(t *testing.T) {
			w := l.newWorld(t, onSQLite)
			w.skew[row.who] = sign * wrong
			w.setClock(0)
			w.open()
			w.deliver()
			// One that is ahead is over the deadline five minutes before it, and one
			// that is behind is not five minutes after it.
			w.setClock(cycleRun - sign*wrong/2)
			if row.upload != "" {
				w.refused(1, row.upload, "upload", "submit", "upload", w.at("sealed", "m11.json"), "--charter", w.at("charter.json"))
			}
			if row.freeze != "" {
				w.refused(1, row.freeze, "freeze", "host", "freeze", "--dir", w.at(leaderHost))
			}
			if row.upload == halfDelivered {
				w.setClock(cycleRun + time.Hour)
				w.refused(1, "the hosts' lists differ: m11 is missing at the Helper; nothing was opened", "freeze", "host", "freeze", "--dir", w.at(leaderHost))
				w.until(0, "will count for nothing", "set-aside", "host", "set-aside", "m11", "1", "--dir", w.at(leaderHost), "--yes")
				w.entered[leaderHost] = "charter, submission set aside, roster, amendment, aggregate share"
				w.entered[helperHost] = "charter, disagreement, roster, amendment, aggregate share"
			}
			w.finish()
			w.verify()
		})
	}
}
