package cli

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/cascade"
	"muster/internal/errs"
	"muster/internal/exchange"
)

// benchView is what muster cascade bench --json prints.
type benchView struct {
	Version string     `json:"go"`
	System  string     `json:"system"`
	Threads int        `json:"threads"`
	Copy    float64    `json:"memory_copy_gb_per_s"`
	Words   float64    `json:"random_words_per_s"`
	Runs    []benchRun `json:"runs"`
	Others  []benchRun `json:"others"`
}

// benchRun is one rate.
type benchRun struct {
	Name         string  `json:"name"`
	Services     int     `json:"services"`
	Dependencies int     `json:"dependencies"`
	Unit         string  `json:"unit"`
	Rate         float64 `json:"rate"`
	Limit        float64 `json:"limit,omitempty"` // trials per second if nothing but random bits were drawn, measured between the parts of the run
}

func newCascadeBenchCmd(env Env) *cobra.Command {
	var (
		threads int
		seconds float64
		large   bool
		only    string
		asJSON  bool
	)
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "How fast this machine computes cascades, beside what it could at most",
		Long: `Run the graphs that docs/design/cascade.md reports of on this machine, and print
trials a second. Beside each stands its limit, measured between the parts of the same
run on as many threads: how many trials were possible if nothing were done but to draw
their random bits. Other work on the machine lowers both, so compare the shares.

With --large also a million services with ten million dependencies, which take 2.1 GB
of memory and a minute.`,
		Example: `  muster cascade bench --threads 2`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if threads < 1 || threads > cascade.MaxThreads {
				return usageError(cmd, fmt.Sprintf("--threads cannot be %d; allowed: 1 to %d", threads, cascade.MaxThreads))
			}
			if !(seconds > 0 && seconds <= 600) {
				return usageError(cmd, fmt.Sprintf("--seconds cannot be %g; allowed: above 0, at most 600", seconds))
			}
			graphs := cascade.Benchmarks()
			if !large {
				graphs = graphs[:len(graphs)-1]
			}
			if only != "" {
				graphs = slices.DeleteFunc(cascade.Benchmarks(), func(m cascade.Benchmark) bool { return m.Name != only })
			}
			if len(graphs) == 0 {
				return usageError(cmd, "--only cannot be "+errs.Quote(only)+"; allowed: the name of a graph that muster cascade bench prints, such as event-2k")
			}
			b := &bench{ctx: cmd.Context(), env: env, threads: threads, least: time.Duration(seconds * float64(time.Second))}
			view, err := b.run(graphs, only == "", !asJSON)
			if err != nil || !asJSON {
				return err
			}
			return writeJSON(env.Out, view)
		},
	}
	cmd.Flags().IntVar(&threads, "threads", runtime.GOMAXPROCS(0), "how many threads")
	cmd.Flags().Float64Var(&seconds, "seconds", 1, "how long each graph runs at least")
	cmd.Flags().BoolVar(&large, "large", false, "also run a million services")
	cmd.Flags().StringVar(&only, "only", "", "run this graph and nothing else")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the rates as JSON")
	return cmd
}

// bench measures rates. Times are those of a clock on the wall: only a host's own.
type bench struct {
	ctx     context.Context
	env     Env
	threads int
	least   time.Duration
}

// timed returns how long something takes.
func timed(do func() error) (time.Duration, error) {
	begin := time.Now()
	err := do()
	return time.Since(begin), err
}

// limitWords is how many words a thread draws between the parts of a run.
const limitWords = 1 << 22

// words measures random words a second on all threads.
func (b *bench) words() (words float64, took time.Duration) {
	var wait sync.WaitGroup
	took, _ = timed(func() error {
		for range b.threads {
			wait.Go(func() { _ = cascade.RandomWords(limitWords) })
		}
		wait.Wait()
		return nil
	})
	return float64(b.threads * limitWords), took
}

// copied measures how many bytes a second are copied, by one thread.
func (b *bench) copied() float64 {
	const size, times = 64 << 20, 8
	from, to := make([]byte, size), make([]byte, size)
	copy(to, from) // so that the memory is there
	took, _ := timed(func() error {
		for range times {
			copy(to, from)
		}
		return nil
	})
	return float64(size*times) / took.Seconds()
}

// rate repeats a piece of work for as long as is wanted, with its limit between.
func (b *bench) rate(work func() (float64, error)) (rate, words float64, err error) {
	var done, drawn float64
	var working, drawing time.Duration
	for working < b.least {
		n, took := b.words()
		drawn, drawing = drawn+n, drawing+took
		var part float64
		took, err = timed(func() (err error) {
			part, err = work()
			return err
		})
		if err == nil {
			err = b.ctx.Err()
		}
		if err != nil {
			return 0, 0, err
		}
		done, working = done+part, working+took
	}
	return done / working.Seconds(), drawn / drawing.Seconds(), nil
}

func (b *bench) run(graphs []cascade.Benchmark, others, print bool) (*benchView, error) {
	v := &benchView{Others: []benchRun{}, Version: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, Threads: b.threads, Copy: b.copied() / 1e9}
	n, took := b.words()
	v.Words = n / took.Seconds()
	out := func(format string, args ...any) {
		if print {
			fmt.Fprintf(b.env.Out, format, args...)
		}
	}
	out("%s on %s, %s; memory copied at %.1f GB/s by one, random words at %.0f million/s by all\n",
		v.Version, v.System, plural(v.Threads, "1 thread", "%d threads"), v.Copy, v.Words/1e6)
	out("%-20s %9s %13s %12s %12s %9s\n", "graph", "services", "dependencies", "trials/s", "limit", "of limit")
	var alliance, sketched cascade.Case
	for _, m := range graphs {
		c, err := m.Case()
		if err != nil {
			return nil, err
		}
		switch {
		case m.Engine == cascade.Event && alliance.Graph == nil:
			alliance = c
		case m.Engine == cascade.Static && sketched.Graph == nil:
			sketched = c
		}
		seed := uint64(0)
		rate, words, err := b.rate(func() (float64, error) {
			seed++
			r, err := cascade.Run(b.ctx, c.Graph, c.Scenario, cascade.Options{Trials: m.Trials * b.threads, Seed: seed, Engine: m.Engine, Threads: b.threads})
			if err != nil {
				return 0, err
			}
			return float64(r.Trials), nil
		})
		if err != nil {
			return nil, err
		}
		r := benchRun{Name: m.Name, Services: m.Services, Dependencies: c.Graph.Dependencies(), Unit: "trials/s", Rate: rate, Limit: words / cascade.WordsOf(c.Graph)}
		v.Runs = append(v.Runs, r)
		out("%-20s %9d %13d %12.0f %12.0f %7.0f %%\n", r.Name, r.Services, r.Dependencies, r.Rate, r.Limit, 100*r.Rate/r.Limit)
	}
	if !others {
		return v, nil
	}
	var err error
	if v.Others, err = b.others(alliance, sketched); err != nil {
		return nil, err
	}
	for _, r := range v.Others {
		out("%-34s %9d %13d %12.4g %s\n", r.Name, r.Services, r.Dependencies, r.Rate, r.Unit)
	}
	return v, nil
}

// others measures what is not trials: a look at what is uncertain, and sketches.
func (b *bench) others(alliance, c cascade.Case) ([]benchRun, error) {
	p, err := exchange.ReadParameters("default", strings.NewReader(exchange.DefaultParameters()))
	if err != nil {
		return nil, err
	}
	g := alliance.Graph
	took, err := timed(func() error {
		v, err := cascade.Uncertainty(b.ctx, cascade.Outlook{Case: alliance}, p.Laws, cascade.UncertainOptions{Options: cascade.Options{Threads: b.threads}})
		if err == nil && !v.Complete {
			return b.ctx.Err()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	all := []benchRun{{Name: "200 draws of 512 trials, tornado", Services: len(g.Services()), Dependencies: g.Dependencies(), Unit: "s", Rate: took.Seconds()}}
	for _, n := range []int{20_000, 100_000} {
		var s *cascade.Sketches
		took, err := timed(func() (err error) {
			s, err = cascade.NewSketches(c, n, 1)
			return err
		})
		if err != nil {
			return nil, err
		}
		candidates := benchCandidates(c)
		e := s.Evaluator()
		rate, _, err := b.rate(func() (float64, error) {
			for _, hits := range candidates {
				e.Gain(hits)
			}
			return float64(len(candidates)), nil
		})
		if err != nil {
			return nil, err
		}
		size := benchRun{Services: len(c.Graph.Services()), Dependencies: c.Graph.Dependencies()}
		draw, value := size, size
		draw.Name, draw.Unit, draw.Rate = fmt.Sprintf("%d sketches, one thread", n), "s", took.Seconds()
		value.Name, value.Unit, value.Rate = fmt.Sprintf("measures valued on %d", n), "/s, one thread", rate
		all = append(all, draw, value)
	}
	return all, nil
}

// benchCandidates are measures of a thirty-second of all services each, as those of
// one of 32 members.
func benchCandidates(c cascade.Case) [][]cascade.Hit {
	r := rand.New(rand.NewPCG(1, 1))
	var all [][]cascade.Hit
	for range 64 {
		var hits []cascade.Hit
		for v := r.IntN(32); v < len(c.Scenario.Hits); v += 32 {
			hits = append(hits, cascade.Hit{Service: int32(v), Chance: c.Scenario.Hits[v] * 4 / 5})
		}
		all = append(all, hits)
	}
	return all
}
