package port_test

import (
	"testing"

	"muster/internal/demo"
	"muster/internal/demo/port"
	"muster/internal/web/cascade"
)

// TestPages: what the pages are drawn from is marked, whole and in both languages, and
// every place on the map is a port on its drawing.
func TestPages(t *testing.T) {
	t.Parallel()
	c, err := port.New(demo.Names(port.Members))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := c.Pages(demo.Sea)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Marking != demo.Synthetic || cfg.Chart.Real || len(cfg.Scenarios) != 7 || len(cfg.Measures) != len(c.Measures.Measures) {
		t.Errorf("marked %q, real %v, %d scenarios, %d measures", cfg.Marking, cfg.Chart.Real, len(cfg.Scenarios), len(cfg.Measures))
	}
	known := make(map[string]bool)
	for i, s := range cfg.Register.Graph.Services() {
		known[s.ID] = true
		if name := cfg.Register.Names[i]; name.In["en"] == "" || s.Mission && (name.In["fr"] == "" || name.In["fr"] == name.In["en"]) {
			t.Errorf("%s is called %v", s.ID, name)
		}
	}
	for _, s := range cfg.Scenarios {
		if s.Title.In["en"] == "" || s.Title.In["fr"] == "" || s.Source == "" || len(s.Outlook.Owner) != len(known) {
			t.Errorf("%s: %+v", s.ID, s.Title)
		}
	}
	if len(cfg.Chart.Spots) != 16 {
		t.Errorf("%d places", len(cfg.Chart.Spots))
	}
	for _, spot := range cfg.Chart.Spots {
		if !known[spot.Service] || spot.X < 0 || spot.X > cfg.Chart.Width || spot.Y < 0 || spot.Y > cfg.Chart.Height {
			t.Errorf("%+v", spot)
		}
	}
	pages, err := cascade.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	pages.Close()
}
