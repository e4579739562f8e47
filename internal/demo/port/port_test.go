package port_test

import (
	"bytes"
	"strings"
	"testing"

	"muster/internal/cascade"
	"muster/internal/demo"
	"muster/internal/demo/port"
	"muster/internal/exchange"
)

// read reads the community as a user would.
func read(t *testing.T) (*port.Community, *exchange.Register) {
	t.Helper()
	c, err := port.New(demo.Names(port.Members))
	if err != nil {
		t.Fatal(err)
	}
	var services, requirements bytes.Buffer
	if err := exchange.Services.WriteCSV(&services, c.Services); err != nil {
		t.Fatal(err)
	}
	if err := exchange.Requirements.WriteCSV(&requirements, c.Requirements); err != nil {
		t.Fatal(err)
	}
	r, err := exchange.ReadRegister("services.csv", &services, "requirements.csv", &requirements)
	if err != nil {
		t.Fatal(err)
	}
	return c, r
}

// TestShape: the sizes that were asked for, everybody in it, and the mark on every
// row.
func TestShape(t *testing.T) {
	t.Parallel()
	c, r := read(t)
	if n := len(c.Services); n < 380 || n > 440 {
		t.Errorf("%d services, want about 400", n)
	}
	if n := len(c.Requirements); n < 2300 || n > 2700 {
		t.Errorf("%d rows of requirements, want about 2,500", n)
	}
	if len(r.Unknown) != 0 {
		t.Errorf("unknown: %v", r.Unknown)
	}
	missions, harbours := 0, 0
	owners := make(map[string]bool)
	for i, s := range r.Services {
		owners[r.Owner(i)] = true
		if s.Mission {
			missions++
		}
		if strings.HasPrefix(s.ID, "port-") || strings.HasPrefix(s.ID, "terminal-") {
			harbours++
		}
	}
	if missions != 6 || harbours != 40 {
		t.Errorf("%d missions, %d ports and terminals; want 6 and 40", missions, harbours)
	}
	for _, name := range demo.Names(port.Members) {
		if !owners[name] {
			t.Errorf("%s has no service", name)
		}
	}
	for _, rows := range [][][]string{c.Services, c.Requirements} {
		for _, row := range rows {
			if !strings.Contains(strings.Join(row, ","), demo.Synthetic) {
				t.Errorf("not marked: %v", row)
			}
		}
	}
	g, err := r.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if cycles := g.ZeroDelayCycles(); len(cycles) > 0 {
		t.Errorf("%d cycles without a buffer", len(cycles))
	}
	if cycles := g.LaggingCycles(); len(cycles) > 0 {
		t.Errorf("%d cycles that never come back", len(cycles))
	}
}

// TestScenarios: each of the seven hits somebody, brings down more than it hits in
// some trials and less than everything, and most of what is lost comes back.
func TestScenarios(t *testing.T) {
	t.Parallel()
	c, r := read(t)
	g, err := r.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Scenarios) != 7 {
		t.Errorf("%d scenarios, want 7", len(c.Scenarios))
	}
	for _, file := range c.Scenarios {
		t.Run(file.ID, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			if err := file.Write(&b); err != nil {
				t.Fatal(err)
			}
			s, err := r.ReadScenario(file.ID+".yaml", &b)
			if err != nil {
				t.Fatal(err)
			}
			if !s.Synthetic || s.Title["en"] == "" || s.Title["fr"] == "" || s.Exposed == 0 {
				t.Errorf("%+v", s)
			}
			got, err := cascade.Run(t.Context(), g, s.Scenario, cascade.Options{Trials: 2048, Seed: 1, Threads: 2, Horizon: 60 * 24 * 60})
			if err != nil {
				t.Fatal(err)
			}
			if got.Worst.Mean < 0.001 || got.Worst.Mean > 0.3 {
				t.Errorf("a share of %v is lost", got.Worst.Mean)
			}
			if got.Restored.Never > 0.05 {
				t.Errorf("a share of %v of the trials is never restored", got.Restored.Never)
			}
			fails := 0.0
			for _, m := range got.Missions {
				fails = max(fails, m.Fails)
			}
			if fails == 0 {
				t.Error("no mission ever fails")
			}
		})
	}
}

func TestOtherSizes(t *testing.T) {
	t.Parallel()
	if _, err := port.New(demo.Names(5)); err == nil {
		t.Error("a community of 5 members was made")
	}
}
