package cli

import (
	"io"
	"strings"
	"testing"
	"time"

	"muster/internal/coalition"
	"muster/internal/errs"
)

// A host of a rehearsal goes by the times that its parent writes, and ends when
// the parent does.
func TestServeUnderParent(t *testing.T) {
	t.Parallel()
	in, parent := io.Pipe()
	first := time.Date(2090, 9, 1, 8, 0, 0, 0, time.UTC)
	go func() {
		for _, line := range []string{"good morning", "2090-13-01", "", first.Format(time.RFC3339Nano)} {
			_, _ = io.WriteString(parent, line+"\n")
		}
	}()
	ctx, env, stop, err := serveMode{rehearsal: true}.enter(t.Context(), Env{In: in, Now: time.Now}, coalition.Charter{Marking: coalition.MarkingRehearsal})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	wantClock := func(at time.Time) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			if since := env.Now().Sub(at); since >= 0 && since < time.Minute {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("the clock says %v, want %v", env.Now(), at)
			}
		}
	}
	wantClock(first)
	later := first.AddDate(0, 1, 0)
	if _, err := io.WriteString(parent, later.Format(time.RFC3339Nano)+"\n"); err != nil {
		t.Fatal(err)
	}
	wantClock(later)
	if was := env.Now(); !env.Now().After(was.Add(-1)) {
		t.Error("the clock goes back")
	}
	if ctx.Err() != nil {
		t.Fatal("it ends before its parent")
	}
	if err := parent.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
		t.Error("it does not end with its parent")
	}
}

func TestServeUnderParentRefuses(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		input   string
		marking string
		want    string
	}{
		"a charter without marking": {"2090-09-01T08:00:00Z\n", "", "the charter has no marking"},
		"no time":                   {"", coalition.MarkingSynthetic, "the standard input ended before it said what time it is"},
		"no time in it":             {"now\n", coalition.MarkingRehearsal, "the standard input ended before it said what time it is"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, _, err := serveMode{rehearsal: true}.enter(t.Context(), Env{In: strings.NewReader(row.input), Now: time.Now}, coalition.Charter{Marking: row.marking})
			if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

// Who serves a cycle keeps the clock of the machine, whatever the input says.
func TestServeKeepsTheClock(t *testing.T) {
	t.Parallel()
	called := false
	ctx, env, stop, err := serveMode{}.enter(t.Context(), Env{In: strings.NewReader("2090-09-01T08:00:00Z\n"), Now: func() time.Time { called = true; return time.Time{} }}, coalition.Charter{})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if env.Now(); !called || ctx.Err() != nil {
		t.Errorf("clock of the machine: %v; context: %v", called, ctx.Err())
	}
}
