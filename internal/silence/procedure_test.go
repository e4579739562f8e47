package silence_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/coalition"
	"muster/internal/keys"
	"muster/internal/silence"
)

// TestProcedure lives through random years of a chair whose disk, record, clock
// and process fail, and then holds everything to what members hold in their hands.
func TestProcedure(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, "Aldmark", "Birkland", "Corvia")
		type held struct {
			round string
			file  coalition.SignedFile
		}
		var acknowledgements []held
		ctx := context.Background()
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) { w.t = t },
			"time": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(-3, 8).Draw(t, "half days")) * day / 2)
			},
			"restart": func(*rapid.T) { w.restart() },
			"disk":    func(t *rapid.T) { w.store.fail = rapid.SampledFrom([]string{"before", "after"}).Draw(t, "fail") },
			"record":  func(*rapid.T) { w.record.fail = true },
			"put": func(t *rapid.T) {
				digest := rapid.SampledFrom([]string{"", text("two"), text("three")}).Draw(t, "text")
				w.chair.Put(ctx, w.id, digest, w.now.Add(time.Duration(rapid.IntRange(3, 9).Draw(t, "days"))*day))
			},
			"extend": func(*rapid.T) { w.chair.Extend(ctx, w.id, w.now.Add(6*day), "a holiday") },
			"reopen": func(*rapid.T) { w.chair.Reopen(ctx, w.id) },
			"settle": func(*rapid.T) { w.chair.Settle(ctx, w.id) },
			"withdraw": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "rarely") == 0 {
					w.chair.Withdraw(ctx, w.id, "superseded")
				}
			},
			"break": func(t *rapid.T) {
				p := w.procedure()
				round := p.Round()
				if round == nil {
					t.Skip("not under silence")
				}
				file := w.breakFile(rapid.SampledFrom([]coalition.MemberID{"Aldmark", "Birkland", "Corvia"}).Draw(t, "member"))
				if acknowledged, err := w.chair.Break(ctx, w.id, file); err == nil {
					acknowledgements = append(acknowledgements, held{round.Step, acknowledged})
				}
			},
		})
		w.t, w.store.fail, w.record.fail = t, "", false
		w.settle()
		p := w.procedure()
		broken := make(map[string]bool)
		for _, h := range acknowledgements {
			if err := p.CheckAcknowledgement(w.key.Public(), h.file); err != nil {
				t.Fatal(err)
			}
			a, err := silence.ReadAcknowledgement(h.file, w.key.Public())
			if err != nil {
				t.Fatal(err)
			}
			broken[h.round] = broken[h.round] || a.Counts == silence.InTime
		}
		for _, round := range p.Rounds {
			if broken[round.Step] && round.Ended == silence.Adopt {
				t.Fatalf("adopted although the silence was broken: %+v", round)
			}
			if round.Ended == silence.Adopt && round.At < round.Until {
				t.Fatalf("adopted early: %+v", round)
			}
		}
		if len(w.record.entries) != p.Steps {
			t.Fatalf("%d entries of %d steps", len(w.record.entries), p.Steps)
		}
		for _, m := range []coalition.MemberID{"Aldmark", "Birkland", "Corvia"} {
			w.nobodyIsNamed(m)
		}
	})
}

func FuzzReadStep(f *testing.F) {
	w := newWorld(f, "Aldmark")
	for _, file := range w.store.steps[w.id] {
		f.Add(file.Body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		note, err := keys.Sign(keys.KindSilenceStep, body, w.key)
		if err != nil {
			t.Skip()
		}
		s, err := silence.ReadStep(coalition.SignedFile{Body: body, Signature: note}, w.key.Public())
		if err != nil {
			return
		}
		again, err := keys.Canonical(s)
		if err != nil || !bytes.Equal(again, body) {
			t.Errorf("%s is taken and written as %s, %v", body, again, err)
		}
	})
}
