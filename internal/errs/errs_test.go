package errs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/errs"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	secret := errors.New("pq: password=hunter2")
	faults := errs.Faults{{File: "a.csv", Line: 2, Column: 3, Field: "level", Message: `"5" is not a level`, Allowed: "0 to 4"}}
	rows := []struct {
		name string
		err  error
		want errs.Description
	}{
		{"refusal", errs.New(errs.Conflict, "it is frozen", "ask"), errs.Description{Kind: errs.Conflict, Message: "it is frozen", Hint: "ask"}},
		{"with a cause", errs.Wrap(secret, errs.Unavailable, "not now", ""), errs.Description{Kind: errs.Unavailable, Message: "not now"}},
		{"wrapped", fmt.Errorf("freeze: %w", errs.New(errs.Denied, "you may not", "")), errs.Description{Kind: errs.Denied, Message: "you may not"}},
		{"internal", fmt.Errorf("read: %w", secret), errs.Description{Kind: errs.Internal, Message: "internal error", Hint: "the log has the cause"}},
		{"faults", fmt.Errorf("read: %w", faults), errs.Description{Kind: errs.Invalid, Message: `a.csv:2:3: level: "5" is not a level; allowed: 0 to 4`, Faults: faults}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := errs.Describe(row.err)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
			if errs.KindOf(row.err) != row.want.Kind {
				t.Errorf("KindOf is %v", errs.KindOf(row.err))
			}
			if strings.Contains(fmt.Sprint(got), "hunter2") {
				t.Error("the cause is shown")
			}
		})
	}
	if wrapped := errs.Wrap(secret, errs.Invalid, "m", ""); !errors.Is(wrapped, secret) || !strings.Contains(wrapped.Error(), "hunter2") {
		t.Error("the log loses the cause")
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	if err := (errs.Faults{}).Err(); err != nil {
		t.Errorf("no fault is an error: %v", err)
	}
	err := errs.Faults{
		{File: "b", Message: "the file is empty"},
		{File: "a", Line: 3, Message: "a row too many"},
		{File: "a", Line: 2, Column: 7, Message: "x"},
		{File: "a", Line: 2, Column: 1, Message: "y"},
	}.Err()
	got, ok := errors.AsType[errs.Faults](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	var lines []string
	for _, f := range got {
		lines = append(lines, f.String())
	}
	want := []string{"a:2:1: y", "a:2:7: x", "a:3: a row too many", "b: the file is empty"}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if want := "a:2:1: y (and 3 more)"; err.Error() != want {
		t.Errorf("got %s, want %s", err, want)
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	rows := []struct{ name, in, want string }{
		{"plain", "5", `"5"`},
		{"escape sequence", "\x1b[2J", `"\x1b[2J"`},
		{"direction override", "a\u202eb", `"a\u202eb"`},
		{"not UTF-8", "a\xffb", `"a\xffb"`},
		{"long", strings.Repeat("é", 50), `"` + strings.Repeat("é", 40) + `"…`},
	}
	for _, row := range rows {
		if got := errs.Quote(row.in); got != row.want {
			t.Errorf("%s: got %s, want %s", row.name, got, row.want)
		}
	}
}

func TestKindString(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for k := errs.Internal; k <= errs.Unavailable; k++ {
		if name := k.String(); seen[name] || strings.Contains(name, "Kind(") {
			t.Errorf("kind %d is named %s", k, name)
		} else {
			seen[name] = true
		}
	}
	if got := errs.Kind(99).String(); got != "errs.Kind(99)" {
		t.Error(got)
	}
}
