package cli

import (
	"bytes"
	"context"
	"log/slog"
	"time"

	"muster/internal/errs"
)

// How long a ledger that is served waits before it asks again for cosignatures that
// are missing: longer each time that none came.
const (
	againFirst   = time.Second
	againLongest = 5 * time.Minute
	againWait    = 10 * time.Second // for one witness
)

// askAgain asks the witnesses whose cosignature on the newest checkpoint is missing,
// from time to time, until ctx ends. It begins anew with each checkpoint, and stands
// back where another process writes the ledger.
func (f *ledgerFolder) askAgain(ctx context.Context, env Env, log *slog.Logger) error {
	pause := againFirst
	var last []byte
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		note, missed, err := f.askMissing(ctx, env)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			log.LogAttrs(ctx, slog.LevelWarn, "the witnesses could not be asked again", slog.Any("cause", err))
		}
		for name, err := range missed {
			log.LogAttrs(ctx, slog.LevelInfo, "a witness has not cosigned", slog.String("witness", name), slog.Any("cause", err))
		}
		if !bytes.Equal(note, last) || err == nil && len(missed) == 0 {
			pause = againFirst
		} else {
			pause = min(2*pause, againLongest)
		}
		last = note
	}
}

// askMissing asks each witness once that is reached over the network and has not
// cosigned the checkpoint that waits, or, if none does, the newest that was published.
// It returns that checkpoint as it found it, and who did not cosign, and why.
func (f *ledgerFolder) askMissing(ctx context.Context, env Env) (note []byte, missed map[string]error, err error) {
	folder := f.folder()
	if note, err = folder.Pending(); err == nil && note == nil {
		note, err = folder.Published()
	}
	if errs.KindOf(err) == errs.NotFound {
		return nil, nil, nil // nothing was entered yet
	}
	if err != nil {
		return nil, nil, err
	}
	w, err := f.policy.Read(note, env.Now())
	if err != nil {
		return note, nil, err
	}
	ask := f.asker(folder.Source(), againWait)
	missed = make(map[string]error)
	for i, witness := range w.Witnesses {
		if witness.Signed || f.cfg.Witnesses[i].URL == "" {
			continue
		}
		lines, err := ask(ctx, i, note)
		if err == nil {
			_, err = folder.Join(f.policy, lines, env.Now())
		}
		// One that is not enough by itself is kept all the same.
		if err != nil && errs.KindOf(err) != errs.Unavailable || lines == nil {
			missed[f.policy.Witnesses[i].KeyName()] = err
		}
	}
	return note, missed, nil
}
