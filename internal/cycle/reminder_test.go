package cycle_test

import (
	"strings"
	"testing"
	"time"

	"muster/internal/account"
	"muster/internal/coalition"
	"muster/internal/cycle"
	"muster/internal/cycle/cycletest"
	"muster/internal/errs"
)

// Who has not delivered is reminded at 28 days, 7 days and one day before the deadline,
// once each, and anew when the deadline moves; nobody else is, and nobody whose address
// is not kept.
func TestReminders(t *testing.T) {
	t.Parallel()
	w := cycletest.New(t)
	ctx := t.Context()
	id := w.To(t, coalition.Open)
	for _, who := range []cycle.Person{w.Ada, w.Ola, w.Vera, w.Dan, w.Lea, w.Audit} {
		must(t, w.SetContact(ctx, w.Ada, cycle.Contact{Person: who.ID, Address: "a@b.example", Lang: "fr"}, who.Name))
	}
	must(t, w.SetContact(ctx, w.Ada, cycle.Contact{Person: w.Dan.ID, Lang: "en"}, w.Dan.Name)) // forgotten again
	var people []account.Person
	must(t, w.DB.Accounts().View(ctx, "list", func(r account.Reader) (err error) {
		people, err = r.People()
		return err
	}))
	must(t, w.Say(ctx, w.Ola, id, "ostmere", cycle.Delivered))
	send := func() string {
		t.Helper()
		list, err := w.Reminders(ctx, w.Ada, people)
		must(t, err)
		var all []string
		for _, r := range list {
			all = append(all, r.Person.Name+": "+r.Sending.Topic)
			must(t, w.Reminded(ctx, w.Ada, r))
			must(t, w.Reminded(ctx, w.Ada, r)) // the same again is no second one
		}
		return strings.Join(all, "; ")
	}
	v, err := w.Cycle(ctx, w.Ada, id)
	must(t, err)
	deadline := v.Deadline
	want := func(before time.Duration, words string) {
		t.Helper()
		w.Clock.Set(deadline.Add(-before))
		got := send()
		if words == "" && got != "" || !strings.Contains(got, words) || strings.Count(got, ";") > 0 {
			t.Errorf("%s before: %q, want %q", before, got, words)
		}
		if again := send(); again != "" {
			t.Errorf("%s before, again: %q", before, again)
		}
	}
	const day = 24 * time.Hour
	want(28*day, "Vera Holm: deliver vinterhavn 28d before ")
	want(10*day, "")
	want(7*day, "Vera Holm: deliver vinterhavn 7d before ")
	want(2*day, "")
	must(t, w.Extend(ctx, w.Ada, id, deadline.AddDate(0, 0, 3), "a storm"))
	want(2*day, "Vera Holm: deliver vinterhavn 7d before "+deadline.AddDate(0, 0, 3).Format("2006-01-02"))
	want(-2*day, "Vera Holm: deliver vinterhavn 1d before ")
	want(-3*day, "Lea Torrent: freeze ostmere")
	_, err = w.Reminders(ctx, w.Ola, people)
	wantKind(t, "an officer reminds", errs.Denied, err)
	for _, address := range []string{"nobody", "a@b@c", "a b@c", "a@b>\r\nBcc: c@d", "@b", "a@"} {
		err := w.SetContact(ctx, w.Ada, cycle.Contact{Person: w.Ola.ID, Address: address, Lang: "en"}, w.Ola.Name)
		wantKind(t, address, errs.Invalid, err)
	}
	wantKind(t, "another language", errs.Invalid, w.SetContact(ctx, w.Ada, cycle.Contact{Person: w.Ola.ID, Address: "a@b", Lang: "de"}, w.Ola.Name))
}
