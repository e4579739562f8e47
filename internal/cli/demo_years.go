package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"muster/internal/demo"
	"muster/internal/disclosure/attack"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/ledger"
	"muster/internal/rehearse"
	"muster/internal/verify"
)

// demoPacks are what the members of the demonstration answer, and the last what
// the coalition is asked of itself.
var demoPacks = [...]string{defaultPack, "muster-ports", "muster-ai", "muster-collective"}

// runYears runs the synthetic years and shows what came out of them.
func runYears(ctx context.Context, env Env, f demoFlags) error {
	years, err := inventYears(env, f)
	if err != nil {
		return err
	}
	if !f.terminal() { // an address that is taken is said now, and not after all cycles
		if f.bound, err = listenLoopback(f.listen); err != nil {
			return err
		}
		defer f.bound.Close() // a second time where it was served
	}
	if f.data != "" {
		return yearsInFolder(ctx, env, f, years)
	}
	dir, err := os.MkdirTemp("", "muster-demo-*")
	if err != nil {
		return noScratch(err)
	}
	kept, err := takeYears(ctx, env, f, dir, years)
	var show func(context.Context) error
	if err == nil {
		show, err = showYears(env, f, kept)
	}
	// Before anything is printed: a reader that closes the pipe ends the program.
	if err := errors.Join(placeError(err, filepath.Dir(dir), scratchHint), os.RemoveAll(dir)); err != nil {
		return err
	}
	return show(ctx)
}

// syntheticYears is what a demonstration runs on.
type syntheticYears struct {
	years  []demo.Year
	itself *framework.Pack
}

func inventYears(env Env, f demoFlags) (syntheticYears, error) {
	var packs []*framework.Pack
	for _, id := range demoPacks {
		pack, err := framework.Find(env.Packs, id)
		if err != nil {
			return syntheticYears{}, err
		}
		packs = append(packs, pack)
	}
	last := len(packs) - 1
	years, err := demo.Years(demo.YearsConfig{
		Packs: packs[:last], Itself: packs[last], Allies: f.members, Seed: f.seed, Last: env.Now().Year(),
	})
	return syntheticYears{years, packs[last]}, err
}

// yearsInFolder keeps everything in a new folder. If it breaks or is stopped it
// takes out again what it put there.
func yearsInFolder(ctx context.Context, env Env, f demoFlags, years syntheticYears) error {
	if err := newFolder(f.data); err != nil {
		return err
	}
	made, err := makeFolder(f.data)
	if err != nil {
		return placeError(fmt.Errorf("create the folder: %w", err), f.data, dataHint)
	}
	kept, err := takeYears(ctx, env, f, f.data, years)
	if err != nil {
		err = placeError(err, f.data, dataHint)
		for _, year := range years.years {
			err = errors.Join(err, os.RemoveAll(filepath.Join(f.data, year.Cycle)))
		}
		err = errors.Join(err, os.RemoveAll(filepath.Join(f.data, syntheticFile)))
		removeEmpty(made)
		return err
	}
	say(env, "everything is in %s", errs.Quote(f.data))
	show, err := showYears(env, f, kept)
	if err != nil {
		return err
	}
	return show(ctx)
}

// takeYears takes the years through their cycles, those of the current one with
// hosts that are processes.
func takeYears(ctx context.Context, env Env, f demoFlags, dir string, years syntheticYears) (*demo.Kept, error) {
	if err := realDisk().writeOutput(dir, []outputFile{{syntheticFile, []byte(syntheticNotice), 0o644}}, nil); err != nil {
		return nil, err
	}
	show, done := progressLine(env)
	cfg := demo.RunConfig{
		Years: years.years, Itself: years.itself, Dir: dir, Rand: env.Rand, Now: env.Now,
		Rehearse: func(ctx context.Context, cfg rehearse.Config, current bool) (*rehearse.Result, error) {
			return staging{inProcess: f.inProcess || !current}.run(ctx, env, cfg)
		},
	}
	if show != nil {
		cfg.Progress = func(s demo.Step, p rehearse.Progress) {
			p.Step = fmt.Sprintf("%s, %s, %s: %s", s.Cycle, s.Cohort, s.Pack, p.Step)
			show(p)
		}
	}
	kept, err := demo.Run(ctx, cfg)
	done()
	if err != nil {
		return nil, err
	}
	for _, s := range kept.Surveys {
		if refused := s.Result.Refused; refused != nil {
			say(env, "%s, %s, %s: no release: %s", s.Cycle, s.Cohort, s.Pack, errs.Describe(refused).Message)
		}
	}
	return kept, nil
}

// showYears returns what shows the years: the pages on an address of this machine,
// or the current picture in the terminal. It needs the folder no longer.
func showYears(env Env, f demoFlags, kept *demo.Kept) (func(context.Context) error, error) {
	if f.terminal() {
		current := kept.Current()
		return func(context.Context) error { return showResult(env, current, f.json) }, nil
	}
	var files pictureFlags
	released := make(map[string]bool) // cycles with a release of the allies, who may see what the coalition says of itself
	for _, s := range kept.Surveys {
		if s.Result.Release != nil {
			files.releases = append(files.releases, within(kept.Dir, filepath.Join(s.Folder, "release.json"))...)
			released[s.Cycle] = released[s.Cycle] || s.Cohort == demo.Allies
		}
	}
	for _, name := range kept.Itself {
		if released[filepath.Dir(name)] {
			files.itself = append(files.itself, within(kept.Dir, name)...)
		}
	}
	var err error
	if files.reports, err = checkYears(env, kept); err != nil {
		return nil, err
	}
	files.cascade = cascadeBase
	pages, err := files.read(env)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return serveDemo(ctx, env, pages, f.bound) }, nil
}

// checkYears checks the bundles of the current year, as anybody can: each brings the
// earlier releases that its own reckons with.
func checkYears(env Env, kept *demo.Kept) ([]*verify.Report, error) {
	var reports []*verify.Report
	if len(kept.Surveys) == 0 {
		return nil, nil
	}
	current := kept.Surveys[len(kept.Surveys)-1].Cycle
	for _, s := range kept.Surveys {
		if s.Cycle != current || s.Result.Release == nil {
			continue
		}
		r, err := verify.Folder(context.Background(), ledger.Members(s.Result.Bundle), verify.Config{
			Policy: s.Result.Policy, Now: env.Now(), Packs: env.Packs, Attack: attack.Options{Workers: runtime.GOMAXPROCS(0)},
		})
		if err != nil {
			return nil, err
		}
		reports = append(reports, r)
	}
	return reports, nil
}

// within returns the paths of files in a folder.
func within(dir string, names ...string) []string {
	var paths []string
	for _, name := range names {
		paths = append(paths, filepath.Join(dir, name))
	}
	return paths
}
