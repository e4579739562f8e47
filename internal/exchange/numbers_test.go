package exchange_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"muster/internal/errs"
	"muster/internal/exchange"
)

// TestNumbersThatAreNone: wherever a register, a scenario, measures, parameters or
// levels take a number, what is none is refused by the name of its field.
func TestNumbersThatAreNone(t *testing.T) {
	t.Parallel()
	const (
		service     = "a,A,A,,x,%[1]s,%[2]s,%[3]s,%[4]s,%[5]s,,,clear,high,x,\nb,B,B,,x,3,1,1d,0,0h,,,clear,high,x,\n"
		requirement = "a,one,%[1]s,b,%[2]s,%[3]s,clear,high,x\n"
		scenario    = "format: muster scenario v1\nid: x\ntitle: {en: x, fr: x}\nsource: x\ncontrols: %[1]s\nrepair: %[2]s\nspread: %[3]s\nexposed:\n  - {select: all, hit: %[4]s}\n"
		measures    = "format: muster measures v1\nsource: x\nmeasures:\n  - {id: x, title: {en: x, fr: x}, cost: %[1]s, actions: [{do: fewer-hits, select: all, odds: %[2]s}, {do: faster-repair, select: all, share: %[3]s}, {do: fallback, select: all, severity: %[4]s}, {do: longer-buffer, select: all, buffer: %[5]s}]}\n"
	)
	var parameters strings.Builder
	parameters.WriteString("format: muster cascade parameters v1\nversion: x\nparameters:\n")
	for i, name := range []string{"base-odds", "total-odds-ratio", "controls", "recovery-ratio", "repair-time", "binding-odds", "buffer-length", "restart-lag", "unknown-level"} {
		median, low, high := "0.5", "0.4", "0.6"
		if i == 0 {
			median, low, high = "%[1]s", "%[2]s", "%[3]s"
		}
		fmt.Fprintf(&parameters, "  - {name: %s, law: lognormal, median: %s, low: %s, high: %s, evidence: none, source: x}\n", name, median, low, high)
	}
	register := func(services, requirements string) (*exchange.Register, error) {
		return exchange.ReadRegister("s.csv", strings.NewReader(services), "r.csv", strings.NewReader(requirements))
	}
	good, err := register(exchange.ServicesHeader+"\n"+fmt.Sprintf(service, "3", "1", "1d", "0", "0h"), exchange.RequirementsHeader+"\n"+fmt.Sprintf(requirement, "1", "1", "0h"))
	if err != nil {
		t.Fatal(err)
	}
	g, err := good.Graph()
	if err != nil {
		t.Fatal(err)
	}
	s, err := good.ReadScenario("x.csv", strings.NewReader("select,value,hit\nall,,0.5\n"))
	if err != nil {
		t.Fatal(err)
	}
	files := []struct {
		name, text string
		fields     []string // by their number in the text
		values     []string // that are good
		read       func(text string) error
	}{
		{"services", exchange.ServicesHeader + "\n" + service, []string{"criticality", "severity", "repair", "spread", "restart"}, []string{"3", "1", "1d", "0", "0h"}, func(text string) error {
			_, err := register(text, exchange.RequirementsHeader+"\n"+fmt.Sprintf(requirement, "1", "1", "0h"))
			return err
		}},
		{"requirements", exchange.RequirementsHeader + "\n" + requirement, []string{"need", "binding", "buffer"}, []string{"1", "0.5", "0h"}, func(text string) error {
			_, err := register(exchange.ServicesHeader+"\n"+fmt.Sprintf(service, "3", "1", "1d", "0", "0h"), text)
			return err
		}},
		{"scenario", scenario, []string{"controls", "repair", "spread", "hit"}, []string{"0.5", "1d", "0", "0.5"}, func(text string) error {
			_, err := good.ReadScenario("x.yaml", strings.NewReader(text))
			return err
		}},
		{"measures", measures, []string{"cost", "odds", "share", "severity", "buffer"}, []string{"2", "2", "0.5", "0.5", "1d"}, func(text string) error {
			_, err := good.ReadMeasures("x.yaml", strings.NewReader(text))
			return err
		}},
		{"parameters", parameters.String(), []string{"median", "low", "high"}, []string{"0.5", "0.4", "0.6"}, func(text string) error {
			_, err := exchange.ReadParameters("x.yaml", strings.NewReader(text))
			return err
		}},
		{"levels", exchange.LevelsHeader + "\nA,%[1]s,%[2]s\n", []string{"resistance", "recovery"}, []string{"0.5", "0.5"}, func(text string) error {
			_, err := good.Outlook(g, s, "x.csv", strings.NewReader(text))
			return err
		}},
	}
	for _, f := range files {
		with := func(at int, value string) string {
			values := make([]any, len(f.values))
			for i, v := range f.values {
				values[i] = v
				if i == at {
					values[i] = value
				}
			}
			return fmt.Sprintf(f.text, values...)
		}
		if err := f.read(with(-1, "")); err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		for i, field := range f.fields {
			instead := field + ": "
			if f.name == "parameters" {
				instead = "is no range" // the three make one
			}
			for _, number := range []string{"NaN", "nan", "Inf", "-Inf", "+Inf", "infinity", "-1", "1e999", "1e300", "one", "x"} {
				for _, unit := range []string{"", "h"} {
					if timed := strings.ContainsAny(f.values[i], "hd"); !timed && unit != "" {
						continue
					}
					err := f.read(with(i, number+unit))
					if err == nil || errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), field+": ") && !strings.Contains(err.Error(), instead) {
						t.Errorf("%s, %s of %s: %v", f.name, field, number+unit, err)
					}
				}
			}
		}
	}
}

// TestRubbishRequirements: ten million rows that name nothing, or random bytes, are
// refused after as many faults as are kept, without reading on.
func TestRubbishRequirements(t *testing.T) {
	t.Parallel()
	services := exchange.ServicesHeader + "\na,A,A,,x,3,1,1d,0,0h,,,clear,high,x,\n"
	dangling := &repeated{begin: exchange.RequirementsHeader + "\n", row: "a,one,1,nobody,always,0h,clear,high,x\n"}
	r := rand.New(rand.NewPCG(1, 1))
	var random strings.Builder
	for range 4000 {
		random.WriteByte(byte(r.Uint32()))
	}
	for name, in := range map[string]*repeated{
		"dangling": dangling, "bytes": {begin: exchange.RequirementsHeader + "\n", row: random.String()}, "bytes at once": {row: random.String()},
		"empty lines": {begin: exchange.RequirementsHeader + "\n" + strings.Repeat("\n", 1000) + "x\n", row: ",,,,,,,,\n"},
	} {
		_, err := exchange.ReadRegister("s.csv", strings.NewReader(services), "r.csv", in)
		if errs.KindOf(err) != errs.Invalid || !strings.HasPrefix(err.Error(), "r.csv:") || in.read > 8<<20 {
			t.Errorf("%s: %d bytes were read, and the error is %.200v", name, in.read, err)
		}
	}
}
