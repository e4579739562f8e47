package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"muster/internal/demo"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/rehearse"
	picturepage "muster/internal/web/coalition"
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
	if f.data != "" {
		return yearsInFolder(ctx, env, f, years)
	}
	dir, err := os.MkdirTemp("", "muster-demo-*")
	if err != nil {
		return noScratch(err)
	}
	kept, err := takeYears(ctx, env, f, dir, years)
	var show func() error
	if err == nil {
		show, err = showYears(ctx, env, f, kept)
	}
	// Before anything is printed: a reader that closes the pipe ends the program.
	if err := errors.Join(placeError(err, filepath.Dir(dir), scratchHint), os.RemoveAll(dir)); err != nil {
		return err
	}
	return show()
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
	show, err := showYears(ctx, env, f, kept)
	if err != nil {
		return err
	}
	return show()
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

// showYears returns what shows the picture, which needs the folder no longer: it
// serves all years, or prints the current one.
func showYears(ctx context.Context, env Env, f demoFlags, kept *demo.Kept) (func() error, error) {
	if current := kept.Current(); f.headless || f.json || current == nil || current.Release == nil {
		return func() error { return showResult(env, current, f.json) }, nil
	}
	pages, err := yearsPicture(env, kept)
	if err != nil {
		return nil, err
	}
	return func() error { return servePictures(ctx, env, pages, f.listen) }, nil
}

// yearsPicture draws every release of the years, and what the coalition says of
// itself.
func yearsPicture(env Env, kept *demo.Kept) (*picturepage.Pages, error) {
	cfg := picturepage.Config{Log: slog.New(slog.NewTextHandler(env.Err, nil))}
	for _, s := range kept.Surveys {
		if s.Result.Release == nil {
			continue
		}
		sheet, err := picturepage.ReadSheet(s.Result.Release.Body)
		if err != nil {
			return nil, err
		}
		cfg.Sheets = append(cfg.Sheets, sheet)
	}
	for _, name := range kept.Itself {
		body, err := os.ReadFile(filepath.Join(kept.Dir, name))
		if err != nil {
			return nil, fmt.Errorf("read what the coalition says of itself: %w", err)
		}
		itself, err := picturepage.ReadCollective(body)
		if err != nil {
			return nil, err
		}
		cfg.Itself = append(cfg.Itself, itself)
	}
	return picturepage.New(cfg)
}
