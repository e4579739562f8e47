package main

import (
	"strings"
	"testing"
)

func TestRender(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		events  string
		out     string
		verdict string // part of it; empty: none
	}{
		{
			name: "green",
			events: `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"--- PASS: TestA (0.00s)\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}`,
			out: "ok  \tp\t0.1s\n",
		},
		{
			name: "skipped",
			events: `{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestB","Output":"=== RUN   TestB\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:7: no database here\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}`,
			out:     "ok  \tp\t0.1s\n",
			verdict: "p TestB: b_test.go:7: no database here",
		},
		{
			name: "failed",
			events: `{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:7: wrong\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"--- FAIL: TestB (0.00s)\n"}
{"Action":"fail","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}`,
			out:     "    b_test.go:7: wrong\n--- FAIL: TestB (0.00s)\nFAIL\tp\t0.1s\n",
			verdict: "no test ran",
		},
		{
			name: "panicked",
			events: `{"Action":"output","Package":"p","Test":"TestB","Output":"panic: no\n"}
{"Action":"output","Package":"q","Test":"TestC","Output":"=== RUN\n"}
{"Action":"fail","Package":"p"}`,
			out:     "panic: no\n",
			verdict: "no test ran",
		},
		{
			name:    "not built",
			events:  `{"Action":"build-output","ImportPath":"p","Output":"p.go:1: undefined: x\n"}` + "\n" + `{"Action":"build-fail","ImportPath":"p"}`,
			out:     "p.go:1: undefined: x\n",
			verdict: "no test ran",
		},
		{name: "nothing", verdict: "no test ran"},
		{
			// A package without tests is skipped as a package, which is no skipped test.
			name: "no test files",
			events: `{"Action":"pass","Package":"q","Test":"TestA"}
{"Action":"output","Package":"p","Output":"?   \tp\t[no test files]\n"}
{"Action":"skip","Package":"p"}`,
			out: "?   \tp\t[no test files]\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			sum, err := render(strings.NewReader(tt.events), &out)
			if err != nil {
				t.Fatal(err)
			}
			if out.String() != tt.out {
				t.Errorf("printed\n%q, want\n%q", out.String(), tt.out)
			}
			verdict := ""
			if err := sum.verdict(); err != nil {
				verdict = err.Error()
			}
			if (verdict == "") != (tt.verdict == "") || !strings.Contains(verdict, tt.verdict) {
				t.Errorf("verdict %q, want %q", verdict, tt.verdict)
			}
		})
	}
}

func TestRenderRefusesOtherText(t *testing.T) {
	t.Parallel()
	if _, err := render(strings.NewReader("ok  \tp\t0.1s\n"), new(strings.Builder)); err == nil {
		t.Error("text that is not JSON was taken for a green run")
	}
}
