package picturetest

import (
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"muster/internal/collective"
	"muster/internal/disclosure"
	"muster/internal/framework"
	"muster/internal/verify"
	"muster/internal/web/coalition"
)

// World is a picture for the storybook, and what is special about it.
type World struct {
	Name   string // as a path writes it
	Note   string
	Config coalition.Config
}

// Worlds returns pictures of every sort that the pages have to draw, from the
// packs in fsys.
func Worlds(fsys fs.FS) ([]World, error) {
	packs, err := Packs(fsys, "muster-core", "muster-ports", "muster-ai")
	if err != nil {
		return nil, err
	}
	itself, err := Packs(fsys, "muster-collective")
	if err != nil {
		return nil, err
	}
	three := Default(packs)
	first := Default(packs[:1])
	first.Cycles, first.Marking = 1, "REHEARSAL"
	revised := Default(packs[:1])
	revised.Revise = true
	few := Default(packs[:1])
	few.Cohorts = []Cohort{{ID: "members", Members: 15, Declined: 1, Hosts: 2}}
	few.Prefer = disclosure.Preference{Lowest: true, Target: true}
	joined := Default(packs[:1])
	joined.Cohorts[0].Joined, joined.Postponed = 2, "two members had elections"
	many := Default(packs[:1])
	many.Cohorts = []Cohort{{ID: "operators", Members: 1850, Declined: 40, Late: 110, Hosts: 0}}
	many.Marking = ""
	ten := Default(packs)
	ten.Cycles = 10
	var worlds []World
	for _, w := range []struct {
		name, note string
		cfg        Config
		itself     []*framework.Pack
	}{
		{"three-cycles", "32 allies and 18 partners over three cycles, every pack", three, itself},
		{"first-cycle", "the first cycle, a rehearsal: nothing to compare with", first, nil},
		{"revised", "the framework was revised before the last cycle", revised, nil},
		{"few", "15 members: much is shown together, some not at all; lowest levels and targets instead of change and gap", few, nil},
		{"joined", "two joined, so no change is shown; the deadline was postponed", joined, nil},
		{"many", "1,850 operators, no marking, a cohort that the pages do not know", many, nil},
		{"ten-cycles", "ten cycles", ten, nil},
	} {
		cfg, err := w.cfg.Picture(w.itself)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		worlds = append(worlds, World{w.name, w.note, cfg})
	}
	return worlds, nil
}

// Picture makes the releases and, from the packs in itself, what the coalition
// says of itself in every cycle.
func (cfg Config) Picture(itself []*framework.Pack) (coalition.Config, error) {
	var picture coalition.Config
	releases, err := Releases(cfg)
	if err != nil {
		return picture, err
	}
	for _, r := range releases {
		s, err := coalition.NewSheet(r)
		if err != nil {
			return picture, err
		}
		picture.Sheets = append(picture.Sheets, s)
	}
	for _, pack := range itself {
		for y := range cfg.Cycles {
			c, err := collectiveOf(cfg, pack, y)
			if err != nil {
				return picture, err
			}
			picture.Itself = append(picture.Itself, c)
		}
	}
	last := picture.Sheets[len(picture.Sheets)-1]
	for _, s := range picture.Sheets {
		if s.Cycle > last.Cycle {
			last = s
		}
	}
	picture.Checks = []*verify.Report{checkOf(last)}
	return picture, nil
}

// checkOf is a report of a run that nobody made: one finding of each verdict.
func checkOf(s *coalition.Sheet) *verify.Report {
	return &verify.Report{
		Coalition: s.Coalition, Cycle: s.Cycle, Charter: s.Charter, Ledger: "ledger.example", Entries: 61, Root: "bm9ib2R5J3M=",
		Findings: []verify.Finding{
			verify.NewFinding(verify.StepBundle, verify.Holds, "", "whole", 61, 12),
			verify.NewFinding(verify.StepConsistency, verify.Unchecked, "", "nothing_seen"),
			verify.NewFinding(verify.StepRelease, verify.Holds, "", "release", "allies", 31, 32),
			verify.NewFinding(verify.StepApproval, verify.Fails, "tile/entries/000.p/61#57", "approval_missing", 1, "allies"),
		},
	}
}

// collectiveOf answers for the coalition: a little better each year.
func collectiveOf(cfg Config, pack *framework.Pack, year int) (*coalition.Collective, error) {
	scale := []framework.Level{framework.Level0, framework.Level1, framework.Level2, framework.Level3, framework.Level4}
	answers := make(map[string]collective.Answer)
	for i, o := range pack.Outcomes() {
		level := min((i*7+year+int(cfg.Seed))%5, 3)
		target := min(level+i%3, 4)
		a := collective.Answer{Level: scale[level], Verified: framework.None, Target: scale[target], Evidence: framework.NoEvidence}
		switch {
		case i == 4:
			a.Level, a.Target = framework.Withheld, framework.None
		case level == 3:
			a.Evidence, a.Verified = framework.E2, framework.Level2
		}
		answers[o.ID] = a
	}
	a, err := collective.New(collective.Config{
		Pack: pack, Marking: cfg.Marking, Coalition: Coalition, Cohort: cfg.Cohorts[0].ID, Cycle: strconv.Itoa(LastCycle - cfg.Cycles + 1 + year), Answers: answers,
	})
	if err != nil {
		return nil, err
	}
	return coalition.NewCollective(a)
}

// Paths returns the paths of one page of every sort in a language, by name.
func (w World) Paths(lang string) []Path {
	s := w.Config.Sheets[0]
	for _, other := range w.Config.Sheets {
		if other.Cohort == s.Cohort && other.Pack == s.Pack && other.Cycle > s.Cycle {
			s = other
		}
	}
	at := "/" + lang + "/" + s.Cohort + "/" + s.Cycle + "/"
	pack := at + "pack/" + s.Pack + "/"
	area := s.Areas[0]
	paths := []Path{
		{"year", at},
		{"outcomes", pack},
		{"outcomes, most help first", pack + "?sort=help"},
		{"outcomes, one area, below target", pack + "?area=" + area.ID + "&show=below"},
		{"outcome", pack + area.Outcomes[0].ID},
		{"method", at + "method"},
		{"check it yourself", at + "check"},
		{"nothing there", at + "nothing"},
	}
	if len(w.Config.Itself) > 0 {
		paths = append(paths, Path{"the coalition itself", at + "itself/" + w.Config.Itself[0].Pack + "/"})
	}
	return paths
}

// Path is a page of a world.
type Path struct{ Name, Path string }

// Storybook serves the worlds, each below its name, with a list of all views.
func Storybook(worlds []World) (http.Handler, error) {
	mux := http.NewServeMux()
	var list strings.Builder
	list.WriteString("<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Storybook</title><h1>Storybook</h1>\n")
	for _, w := range worlds {
		w.Config.Base = "/" + w.Name
		pages, err := coalition.New(w.Config)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.Name, err)
		}
		mux.Handle(w.Config.Base+"/", pages.Handler())
		mux.HandleFunc("GET "+w.Config.Base+"/picture.html", func(rw http.ResponseWriter, _ *http.Request) {
			_ = pages.WriteFile(rw, coalition.FileConfig{}) // an error means that the other side has gone
		})
		fmt.Fprintf(&list, "<h2>%s</h2><p>%s</p><ul>\n", w.Name, w.Note)
		for _, lang := range []string{"en", "fr"} {
			for _, p := range w.Paths(lang) {
				fmt.Fprintf(&list, "<li><a href=%q>%s, %s</a>\n", w.Config.Base+p.Path, p.Name, lang)
			}
		}
		fmt.Fprintf(&list, "<li><a href=%q>one file</a></ul>\n", w.Config.Base+"/picture.html")
	}
	mux.HandleFunc("GET /{$}", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = rw.Write([]byte(list.String())) // an error means that the other side has gone
	})
	return mux, nil
}
