package cli

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/rehearse"
)

// TestProgressLine takes steps at times of a fake clock and looks at what a
// terminal of 30 columns got.
func TestProgressLine(t *testing.T) {
	t.Parallel()
	line := func(text string) string { return fmt.Sprintf("\r%-29.29s", text) }
	gone := line("") + "\r"
	rows := []struct {
		name  string
		steps map[time.Duration]rehearse.Progress
		ends  time.Duration
		want  string
	}{
		{"quick work", map[time.Duration]rehearse.Progress{0: {Step: "seal", Total: 2}, 900 * time.Millisecond: {Step: "collect"}}, 990 * time.Millisecond, ""},
		{
			"one long step",
			map[time.Duration]rehearse.Progress{0: {Step: "verify and add up", Total: 1}},
			5 * time.Second,
			line("muster: verify and add up") + gone,
		},
		{
			"steps before and after the first second",
			map[time.Duration]rehearse.Progress{
				0: {Step: "seal", Total: 3}, 600 * time.Millisecond: {Step: "seal", Done: 1, Total: 3}, 1200 * time.Millisecond: {Step: "seal", Done: 2, Total: 3},
			},
			2 * time.Second,
			line("muster: seal 2/3") + line("muster: seal 3/3") + gone,
		},
		{"a step that is longer than the line", map[time.Duration]rehearse.Progress{0: {Step: strings.Repeat("x", 50)}}, 2 * time.Second, line("muster: "+strings.Repeat("x", 50)) + gone},
		{"no step", nil, 2 * time.Second, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var out strings.Builder
				show, done := progressLine(Env{Err: &out, Terminal: func(io.Writer) (int, bool) { return 30, true }})
				for at := time.Duration(0); at < row.ends; at += 10 * time.Millisecond {
					if p, ok := row.steps[at]; ok {
						show(p)
					}
					time.Sleep(10 * time.Millisecond)
				}
				done()
				show(rehearse.Progress{Step: "late"})
				time.Sleep(5 * time.Second)
				if got := out.String(); got != row.want {
					t.Errorf("got %q, want %q", got, row.want)
				}
			})
		})
	}
}
