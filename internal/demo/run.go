package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"muster/internal/coalition"
	"muster/internal/collective"
	"muster/internal/exchange"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/rehearse"
	"muster/internal/release"
)

// Name is what the invented coalition is called.
const Name = "Coalition of the " + Sea

// moved is by how much a deadline is postponed.
const moved = 21 * 24 * time.Hour

// RunConfig says how to take invented years through their cycles.
type RunConfig struct {
	Years  []Year
	Itself *framework.Pack  // that of the years' Collective
	Dir    string           // an empty folder, for what comes out
	Rand   io.Reader        // for concurrent use
	Now    func() time.Time // likewise

	// Rehearse runs one cycle; nil: in this process. It is told which are of the
	// current year. It is called for several packs at a time.
	Rehearse func(ctx context.Context, cfg rehearse.Config, current bool) (*rehearse.Result, error)
	Progress func(Step, rehearse.Progress) // may be nil; for concurrent use
}

// Step names one survey.
type Step struct{ Cycle, Cohort, Pack string }

// Kept says what lies where in the folder of a run.
type Kept struct {
	Dir     string
	Surveys []KeptSurvey // in the order in which they were released
	Itself  []string     // files in which the coalition speaks of itself, below Dir
}

// KeptSurvey is what became of one survey.
type KeptSurvey struct {
	Step
	Folder string           // below Dir; it has release.json if there is a release
	Result *rehearse.Result // where it has no Release it says why

	survey Survey
}

// Current returns what came of the last survey of allies by the core, or nil.
func (k *Kept) Current() *rehearse.Result {
	for _, s := range slices.Backward(k.Surveys) {
		if s.Cohort == Allies && s.Pack == Core {
			return s.Result
		}
	}
	return nil
}

// Run takes every survey of every year through a cycle of its own, the earliest
// year first: what was released before, of all cohorts, is the history of what
// comes later, and the disclosure gate looks at all of it. Within a year the packs
// are released at the same time, each first to the largest cohort. Where there is
// no release refused.txt says why.
//
// It writes YEAR/COHORT/PACK/ with charter, addenda, roster, record, the bundle
// of its ledger, the answers, the totals before disclosure control and release.json, and YEAR/collective.json;
// signatures lie beside. One coordinator signs all of it; its key is thrown away.
func Run(ctx context.Context, cfg RunConfig) (*Kept, error) {
	if cfg.Rehearse == nil {
		cfg.Rehearse = func(ctx context.Context, c rehearse.Config, _ bool) (*rehearse.Result, error) {
			return rehearse.Run(ctx, c)
		}
	}
	coordinator, err := keys.Generate(cfg.Rand, "coordinator")
	if err != nil {
		return nil, err
	}
	r := &run{RunConfig: cfg, coordinator: coordinator, kept: &Kept{Dir: cfg.Dir}, bodies: make(map[string][]byte)}
	for y := range cfg.Years {
		if err := r.year(ctx, y); err != nil {
			return nil, err
		}
	}
	return r.kept, nil
}

// run is a run under way.
type run struct {
	RunConfig
	coordinator *keys.Signer
	history     []release.Past
	bodies      map[string][]byte // of the releases and rosters behind it, by digest
	kept        *Kept
}

func (r *run) year(ctx context.Context, y int) error {
	year := r.Years[y]
	if err := os.Mkdir(filepath.Join(r.Dir, year.Cycle), 0o755); err != nil {
		return fmt.Errorf("make the folder of a year: %w", err)
	}
	byPack := make(map[string][]*KeptSurvey)
	kept := make([]KeptSurvey, len(year.Surveys))
	for i, s := range year.Surveys {
		kept[i] = KeptSurvey{Step: Step{year.Cycle, s.Cohort, s.Pack.ID}, Folder: filepath.Join(year.Cycle, s.Cohort, s.Pack.ID), survey: s}
		byPack[s.Pack.ID] = append(byPack[s.Pack.ID], &kept[i])
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var packs sync.WaitGroup
	for _, surveys := range byPack {
		packs.Go(func() {
			if err := r.pack(ctx, y, surveys); err != nil {
				stop(err) // the first says why; what the others say follows from it
			}
		})
	}
	packs.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	for _, k := range kept {
		r.history = append(r.history, k.past()...)
		k.keep(r.bodies)
	}
	r.kept.Surveys = append(r.kept.Surveys, kept...)
	return r.itself(year)
}

// pack takes the surveys of one year by one pack through their cycles, one after
// the other.
func (r *run) pack(ctx context.Context, y int, surveys []*KeptSurvey) error {
	history, bodies := slices.Clone(r.history), maps.Clone(r.bodies)
	for _, k := range surveys {
		if err := r.survey(ctx, y, history, bodies, k); err != nil {
			return fmt.Errorf("%s, %s of %s: %w", k.Cycle, k.Pack, k.Cohort, err)
		}
		history = append(history, k.past()...)
		k.keep(bodies)
	}
	return nil
}

// keep puts what is behind a release by its digests, as [ledger.Bundle.PutHistory] wants
// it.
func (k *KeptSurvey) keep(bodies map[string][]byte) {
	if k.Result.Release != nil {
		bodies[keys.Digest(k.Result.Release.Body)] = k.Result.Release.Body
		bodies[k.Result.Roster.Digest()] = k.Result.Roster.Body
	}
}

func (r *run) survey(ctx context.Context, y int, history []release.Past, bodies map[string][]byte, k *KeptSurvey) error {
	dir := filepath.Join(r.Dir, k.Folder)
	if err := writeAnswers(dir, k.survey); err != nil {
		return err
	}
	cfg := r.config(y, k.survey)
	cfg.History, cfg.Kept = history, bodies
	var err error
	if k.Result, err = r.rehearse(ctx, cfg, y == len(r.Years)-1); err != nil {
		return err
	}
	return writeResult(dir, k.Result)
}

// past returns the release as history, or nothing where there is none.
func (k *KeptSurvey) past() []release.Past {
	signed := k.Result.Release
	if signed == nil {
		return nil
	}
	past := release.Past{Release: signed.Release, Digest: keys.Digest(signed.Body)}
	for _, m := range k.survey.Members {
		if m.Now != nil {
			past.Members = append(past.Members, coalition.MemberID(m.Name))
		}
	}
	return []release.Past{past}
}

// config returns the cycle in which a survey is taken. Cycles are a year apart,
// the last opens now.
func (r *run) config(y int, s Survey) rehearse.Config {
	year := r.Years[y]
	cfg := rehearse.Config{
		Coalition: Name, Cycle: year.Cycle, Marking: Synthetic, Pack: s.Pack, Cohort: s.Cohort,
		Hosts:  [2]coalition.MemberID{coalition.MemberID(year.Hosts[0]), coalition.MemberID(year.Hosts[1])},
		Guests: s.Cohort != Allies, Signer: r.coordinator, Rand: r.Rand,
		Now: func() time.Time { return r.Now().AddDate(y-len(r.Years)+1, 0, 0) },
	}
	if year.Postponed != "" {
		cfg.Postponed = []rehearse.Postponement{{By: moved, Reason: year.Postponed}}
	}
	for _, m := range s.Members {
		cfg.Members = append(cfg.Members, rehearse.Member{
			ID: coalition.MemberID(m.Name), Now: m.Now, Before: m.Before, Declined: m.State == Declined,
		})
	}
	if r.Progress != nil {
		cfg.Progress = func(p rehearse.Progress) { r.Progress(Step{year.Cycle, s.Cohort, s.Pack.ID}, p) }
	}
	return cfg
}

// rehearse runs the cycle with its databases in a folder that is gone afterwards.
func (r *run) rehearse(ctx context.Context, cfg rehearse.Config, current bool) (_ *rehearse.Result, err error) {
	if cfg.Dir, err = os.MkdirTemp("", "muster-demo-*"); err != nil {
		return nil, fmt.Errorf("make a scratch folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(cfg.Dir)) }()
	return r.Rehearse(ctx, cfg, current)
}

// itself signs and writes what the coalition says of itself.
func (r *run) itself(year Year) error {
	assessment, err := collective.New(collective.Config{
		Coalition: Name, Cycle: year.Cycle, Cohort: Allies, Marking: Synthetic, Pack: r.Itself, Answers: year.Collective,
	})
	if err != nil {
		return err
	}
	body, err := assessment.Canonical()
	if err != nil {
		return err
	}
	sig, err := keys.Sign(keys.KindCollective, body, r.coordinator)
	if err != nil {
		return err
	}
	name := filepath.Join(year.Cycle, "collective.json")
	r.kept.Itself = append(r.kept.Itself, name)
	return write(filepath.Join(r.Dir, year.Cycle), file{"collective.json", body, 0o644}, file{"collective.json.sig", sig, 0o644})
}

// file is one file to write.
type file struct {
	name string
	body []byte
	mode os.FileMode
}

func write(dir string, files ...file) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.name), f.body, f.mode); err != nil {
			return fmt.Errorf("write %s: %w", f.name, err)
		}
	}
	return nil
}

// writeAnswers writes what each member answers, as it would itself.
func writeAnswers(dir string, s Survey) error {
	var files []file
	for _, m := range s.Members {
		if m.Now == nil {
			continue
		}
		var b bytes.Buffer
		if err := exchange.WriteAnswers(&b, s.Pack, m.Now.Answers); err != nil {
			return err
		}
		files = append(files, file{m.Name + ".csv", b.Bytes(), 0o600})
	}
	return write(filepath.Join(dir, "answers"), files...)
}

// writeResult writes what came out of a cycle.
func writeResult(dir string, r *rehearse.Result) error {
	bundle, err := ledger.EncodeArchive(r.Bundle)
	if err != nil {
		return err
	}
	policy, err := keys.Canonical(r.Policy)
	if err != nil {
		return err
	}
	files := []file{
		{"bundle.tar", bundle, 0o600},
		{"ledger-policy.json", policy, 0o644},
		{"charter.json", r.Charter.Body, 0o644},
		{"charter.json.sig", r.Charter.Signature, 0o644},
		{"roster.json", r.Roster.Body, 0o644},
		{"roster.json.sig", r.Roster.Signature, 0o644},
		{"ledger.jsonl", r.Ledger, 0o644},
	}
	for _, record := range r.Records {
		files = append(files, file{record.Keeper + "-record.jsonl", record.Body, 0o644})
	}
	for i, a := range r.Addenda {
		name := fmt.Sprintf("addendum-%d.json", i+1)
		files = append(files, file{name, a.Body, 0o644}, file{name + ".sig", a.Signature, 0o644})
	}
	if r.Aggregate != nil {
		body, err := keys.Canonical(r.Aggregate)
		if err != nil {
			return err
		}
		files = append(files, file{"aggregate.json", body, 0o600})
	}
	if r.Release != nil {
		files = append(files, file{"release.json", r.Release.Body, 0o644}, file{"release.json.sig", r.Release.Signature, 0o644})
	}
	if r.Refused != nil {
		files = append(files, file{"refused.txt", []byte(Synthetic + "\n\n" + r.Refused.Error() + "\n"), 0o644})
	}
	return write(dir, files...)
}
