package workspacedb_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"muster/internal/assess"
	"muster/internal/framework"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// people is how many save at the same time.
const people = 20

// BenchmarkAutosave has twenty people save as fast as they are answered, each an
// answer that is durable when it is acknowledged, and reports how long a save took:
// the goal is a p95 of less than 20 ms. Beside it, in the same run and the same
// folder, is what the disk takes for as many bytes: one that is written and synced
// after the other.
func BenchmarkAutosave(b *testing.B) {
	b.Run("workspace", func(b *testing.B) {
		w := workspacetest.New(b)
		id := w.Load(b, workspacetest.Pack(b, 300, "there"))
		pack, err := w.Pack(b.Context(), w.Lead, id)
		must(b, err)
		outcomes := pack.Outcomes()
		revisions := make([]workspace.Revision, len(outcomes))
		var mu sync.Mutex
		report(b, people, func(person, n int) error {
			i := (person + n*people) % len(outcomes) // each person her own outcomes
			level, _ := framework.LevelOf(n % 5)
			mu.Lock()
			base := revisions[i]
			mu.Unlock()
			saved, conflict, err := w.Save(context.Background(), w.Lead, id, outcomes[i].ID, base, assess.Entry{Level: level, Note: fmt.Sprint("note ", n)})
			if err == nil && conflict != nil {
				err = fmt.Errorf("a conflict about %v", conflict.Fields)
			}
			mu.Lock()
			revisions[i] = saved.Rev
			mu.Unlock()
			return err
		})
	})
	b.Run("disk", func(b *testing.B) {
		f, err := os.Create(filepath.Join(b.TempDir(), "log"))
		must(b, err)
		defer f.Close()
		var mu sync.Mutex
		pages := make([]byte, 5*4096) // some five pages of the log a save
		report(b, people, func(int, int) error {
			mu.Lock()
			defer mu.Unlock()
			if _, err := f.Write(pages); err != nil {
				return err
			}
			return f.Sync()
		})
	})
}

// report runs fn b.N times, so many at the same time, and reports the 95th
// percentile.
func report(b *testing.B, people int, fn func(person, n int) error) {
	b.Helper()
	took := make([][]time.Duration, people)
	var group sync.WaitGroup
	b.ResetTimer()
	for p := range people {
		group.Go(func() {
			for n := p; n < b.N; n += people {
				start := time.Now()
				if err := fn(p, n/people); err != nil {
					b.Error(err)
					return
				}
				took[p] = append(took[p], time.Since(start))
			}
		})
	}
	group.Wait()
	b.StopTimer()
	all := slices.Concat(took...)
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)*95/100])/1e6, "p95-ms")
	b.ReportMetric(float64(all[len(all)/2])/1e6, "median-ms")
}

// BenchmarkPage reads what a page of 300 outcomes needs: entries, proposals, what
// blocks, while somebody saves; the goal for the whole page is a p95 of 50 ms.
func BenchmarkPage(b *testing.B) {
	w := workspacetest.New(b)
	id := w.Load(b, workspacetest.Pack(b, 300, "there"))
	pack, err := w.Pack(b.Context(), w.Lead, id)
	must(b, err)
	ctx := b.Context()
	_, err = w.PutBody(ctx, w.Lead, 0, assess.Body{ID: "port", Name: "The port"})
	must(b, err)
	var saves []workspace.Save
	for _, o := range pack.Outcomes() {
		saves = append(saves, workspace.Save{Outcome: o.ID, Mine: assess.Entry{Level: framework.Level2, Note: "some two lines of text that somebody wrote down about what they found there, as people do", Assignee: "Bo"}})
		_, err := w.Contribute(ctx, w.Lead, id, o.ID, 0, assess.Contribution{Body: "port", Level: framework.Level2})
		must(b, err)
	}
	_, err = w.SaveAll(ctx, w.Lead, id, saves)
	must(b, err)
	for name, read := range map[string]func() error{
		"entries":  func() error { _, err := w.Entries(ctx, w.Lead, id); return err },
		"sealable": func() error { _, err := w.Sealable(ctx, w.Lead, id); return err },
	} {
		b.Run(name, func(b *testing.B) {
			stop, stopped := make(chan struct{}), make(chan error, 1)
			go func() { // one who saves all the time
				for n := 0; ; n++ {
					select {
					case <-stop:
						stopped <- nil
						return
					default:
					}
					was, err := w.Entry(ctx, w.Lead, id, "A1.1")
					if err == nil {
						_, _, err = w.Save(ctx, w.Lead, id, "A1.1", was.Rev, assess.Entry{Level: framework.Level1, Note: fmt.Sprint(n)})
					}
					if err != nil {
						stopped <- err
						return
					}
				}
			}()
			report(b, 1, func(int, int) error { return read() })
			close(stop)
			must(b, <-stopped)
		})
	}
}
