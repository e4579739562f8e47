package workspace

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"muster/internal/errs"
	"muster/internal/workspace"
)

// readings are the last readings of evidence of this run, one a survey. What they found
// is kept, too, and that they were begun: a program that ends before they do says so when
// it is started again.
type readings struct {
	mu  sync.Mutex
	all map[workspace.SurveyID]*reading // guarded by mu
}

// reading is one reading of all evidence of a survey, under way or over. mu guards
// the rest.
type reading struct {
	mu          sync.Mutex
	total, done int
	read, bytes int64 // of the piece that is being read
	faults      map[string]workspace.Fault
	failed      bool
	ended       time.Time // zero while it is under way
}

// last returns the last reading of a survey, or nil.
func (r *readings) last(id workspace.SurveyID) *reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[id]
}

// start returns a new reading, or nil if one is under way.
func (r *readings) start(id workspace.SurveyID, total int) *reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	if was := r.all[id]; was != nil {
		was.mu.Lock()
		over := !was.ended.IsZero()
		was.mu.Unlock()
		if !over {
			return nil
		}
	}
	one := &reading{total: total, faults: make(map[string]workspace.Fault)}
	r.all[id] = one
	return one
}

// forget takes out what was found of a reference: its digest is another by now.
func (r *readings) forget(id workspace.SurveyID, ref workspace.SavedReference) {
	if one := r.last(id); one != nil {
		one.mu.Lock()
		defer one.mu.Unlock()
		delete(one.faults, referenceID(ref))
	}
}

func referenceID(ref workspace.SavedReference) string { return ref.Outcome + "/" + ref.ID }

// fault returns what was found of a reference, if anything. r may be nil.
func (r *reading) fault(ref workspace.SavedReference) (workspace.Fault, bool) {
	if r == nil {
		return "", false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	fault, ok := r.faults[referenceID(ref)]
	return fault, ok
}

// wholeReading is how long all evidence of a survey may take to be read.
const wholeReading = time.Hour

// begin begins to read all evidence of a survey in the background, unless somebody
// has begun already. [Pages.Close] ends it.
func (p *Pages) begin(ctx context.Context, v *visit) error {
	if err := p.service.MayMeasure(v.person); err != nil {
		return err
	}
	references, err := p.service.References(ctx, v.person, v.survey.ID, "")
	if err != nil {
		return err
	}
	settings, _, err := p.service.Settings(ctx, v.person)
	if err != nil {
		return err
	}
	var paths []workspace.SavedReference
	for _, ref := range references {
		if !ref.Address() {
			paths = append(paths, ref)
		}
	}
	one := p.readings.start(v.survey.ID, len(paths))
	if one == nil {
		return nil
	}
	id, person := v.survey.ID, v.person
	if err := p.service.PutLook(ctx, person, id, workspace.Look{Of: len(paths)}); err != nil {
		one.end(p.now(), true)
		return err
	}
	p.working.Go(func() {
		ctx, cancel := context.WithTimeout(p.ending, wholeReading)
		defer cancel()
		p.readAll(ctx, person, id, settings.Evidence, paths, one)
	})
	return nil
}

// readAll reads pieces one after the other. What has no digest yet gets it, if the
// person may answer; what has one is compared.
func (p *Pages) readAll(ctx context.Context, person workspace.Person, id workspace.SurveyID, folder string, paths []workspace.SavedReference, one *reading) {
	failed := false
	for _, ref := range paths {
		if ctx.Err() != nil {
			failed = true
			break
		}
		read, err := workspace.ReadPiece(ctx, workspace.ReadConfig{
			Pieces: p.pieces, Folder: folder, Progress: func(read, total int64) {
				one.mu.Lock()
				one.read, one.bytes = read, total
				one.mu.Unlock()
			},
		}, ref.Place)
		fault := workspace.Fault("")
		switch {
		case errs.KindOf(err) == errs.NotFound:
			fault = workspace.FaultGone
		case err != nil:
			fault = workspace.FaultUnreadable
		case ref.SHA256 == "":
			if _, err := p.service.Measured(ctx, person, id, ref.Outcome, ref.ID, ref.Rev, read); err != nil && errs.KindOf(err) == errs.Internal {
				p.log.Error("evidence", slog.Any("cause", err))
				failed = true
			}
		case read.SHA256 != ref.SHA256 || read.Bytes != ref.Bytes:
			fault = workspace.FaultChanged
		}
		one.mu.Lock()
		if one.done, one.read, one.bytes = one.done+1, 0, 0; fault != "" {
			one.faults[referenceID(ref)] = fault
		}
		one.mu.Unlock()
	}
	look := one.end(p.now(), failed)
	if err := p.service.PutLook(context.WithoutCancel(ctx), person, id, look); err != nil {
		p.log.Error("evidence", slog.Any("cause", err))
	}
}

// end ends a reading, and returns it as it is kept.
func (r *reading) end(now time.Time, failed bool) workspace.Look {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended, r.failed = now, failed
	now = now.UTC()
	return workspace.Look{Of: r.total, Ended: &now, Failed: failed, Faults: maps.Clone(r.faults)}
}

// looked returns the last reading of a survey: of this run, else as it was kept. cut is
// who began one of which nobody knows the end, for the program ended before it.
func (p *Pages) looked(ctx context.Context, v *visit, references []workspace.SavedReference) (last *reading, cut *workspace.Revised, err error) {
	if last := p.readings.last(v.survey.ID); last != nil {
		return last, nil, nil
	}
	look, revised, err := p.service.LastLook(ctx, v.person, v.survey.ID)
	switch {
	case err != nil || revised.Rev == 0:
		return nil, nil, err
	case look.Ended == nil:
		return nil, &revised, nil
	}
	last = &reading{total: look.Of, done: look.Of, faults: make(map[string]workspace.Fault), failed: look.Failed, ended: *look.Ended}
	for _, ref := range references { // what changed since was found of something else
		if fault, ok := look.Faults[referenceID(ref)]; ok && ref.Rev < revised.Rev {
			last.faults[referenceID(ref)] = fault
		}
	}
	return last, nil, nil
}

// Close ends what is being read in the background, and waits for it.
func (p *Pages) Close() {
	p.end()
	p.working.Wait()
}
