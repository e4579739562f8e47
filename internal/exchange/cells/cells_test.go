package cells_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/exchange/cells"
)

// TestGuard: no cell is calculated, wherever a file is cut, and taking the apostrophes
// off gives the text that was written.
func TestGuard(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                  "",
		"Ports":             "Ports",
		"=1+1":              "'=1+1",
		" =1+1":             "' =1+1",
		"＝1+1":              "'＝1+1",
		"'quoted":           "''quoted",
		"Ports;=1+1":        "Ports;'=1+1",
		"Ports, +1\t@b\n-c": "Ports,' +1\t'@b\n'-c",
	} {
		if got := cells.Guard(text); got != want {
			t.Errorf("Guard(%q) = %q, want %q", text, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("ab=+-@＝' \"\t\n,;1"))).Draw(t, "text")
		guarded := cells.Guard(text)
		for _, ends := range []string{"", ",", ";", "\t", "\n", ",;\t\n"} {
			for _, cell := range strings.FieldsFunc(guarded, func(r rune) bool { return strings.ContainsRune(ends, r) }) {
				begins := strings.TrimLeft(cell, " \t\n\"") // a spreadsheet may take these off
				if begins != "" && strings.ContainsRune("=+-@＝", []rune(begins)[0]) {
					t.Fatalf("%q, cut at %q, has %q", guarded, ends, cell)
				}
			}
		}
		if again, ok := cells.Unguard(guarded); !ok || again != text {
			t.Fatalf("%q came back as %q, %t", text, again, ok)
		}
	})
}
