package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"

	"muster/internal/cascade"
	"muster/internal/coalition"
	"muster/internal/exchange"
	"muster/internal/rehearse"
)

// caseFlags name a register and a scenario, and say how to run them.
type caseFlags struct {
	register registerFlags
	scenario string
	trials   int
	seed     uint64
	threads  int
	days     int
	engine   string
	json     bool
}

func (f *caseFlags) add(cmd *cobra.Command, trials int) {
	f.register.add(cmd)
	cmd.Flags().StringVar(&f.scenario, "scenario", "", "who is hit, YAML or CSV")
	cmd.Flags().IntVar(&f.trials, "trials", trials, "how many trials; whole blocks of 512 are done")
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, "what the random bits follow from")
	cmd.Flags().IntVar(&f.threads, "threads", runtime.GOMAXPROCS(0), "how many threads; the result is the same")
	cmd.Flags().IntVar(&f.days, "days", 30, "how far to look")
	cmd.Flags().StringVar(&f.engine, "engine", "", "event or grid, or static where no time is asked for; else a pilot run chooses")
	cmd.Flags().BoolVar(&f.json, "json", false, "print the result as JSON")
}

// inputs is what the flags name.
type inputs struct {
	register *exchange.Register
	graph    *cascade.Graph
	scenario *exchange.Scenario
	options  cascade.Options
	invented bool     // some of it, so that the result is marked SYNTHETIC
	private  bool     // some of it is known to one member alone, and so is the result
	standBy  []string // what says how owners stand: release, workspace, levels
}

// read reads register and scenario.
func (f *caseFlags) read(cmd *cobra.Command, env Env) (*inputs, error) {
	in, err := f.readRegister(cmd, env)
	if err != nil {
		return nil, err
	}
	return in, f.readScenario(in)
}

// readRegister reads everything but the scenario.
func (f *caseFlags) readRegister(cmd *cobra.Command, env Env) (*inputs, error) {
	if f.scenario == "" {
		return nil, usageError(cmd, cmd.CommandPath()+" needs --scenario")
	}
	if f.days < 1 || f.days > 1000 {
		return nil, usageError(cmd, fmt.Sprintf("--days cannot be %d; allowed: 1 to 1000", f.days))
	}
	register, g, err := f.register.read(cmd, env)
	if err != nil {
		return nil, err
	}
	return &inputs{register: register, graph: g, options: cascade.Options{
		Trials: f.trials, Seed: f.seed, Threads: f.threads, Engine: cascade.Engine(f.engine),
		Horizon: cascade.Minutes(f.days) * 24 * 60,
	}, invented: register.Synthetic}, nil
}

func (f *caseFlags) readScenario(in *inputs) (err error) {
	if in.scenario, err = readScenario(in.register, f.scenario); err != nil {
		return err
	}
	in.invented = in.invented || in.scenario.Synthetic || in.register.Synthetic
	return nil
}

// privateMark stands before what only one member may see.
const privateMark = "PRIVATE: holds what only this member knows; it is not for sending"

// print writes a result as JSON or in words, with its mark if it is of something
// invented, or of what only one member knows.
func (f *caseFlags) print(env Env, in *inputs, result any, words string) error {
	if !f.json {
		words += suppliersText(in.register)
		if in.invented {
			words = coalition.MarkingSynthetic + ": services or a scenario that somebody invented; nothing here is about anyone\n" + words
		}
		if in.private {
			words = privateMark + "\n" + words
		}
		_, err := io.WriteString(env.Out, words)
		return err
	}
	marks := ""
	if in.private {
		marks += fmt.Sprintf("%q:%q,", "private", privateMark)
	}
	if in.invented {
		marks += fmt.Sprintf("%q:%q,", "marking", coalition.MarkingSynthetic)
	}
	if in.register.Confirmation.Asked {
		said, err := json.Marshal(newSuppliersView(in.register))
		if err != nil {
			return err
		}
		marks += fmt.Sprintf("%q:%s,", "suppliers_say", said)
	}
	if len(in.standBy) > 0 {
		by, err := json.Marshal(in.standBy)
		if err != nil {
			return err
		}
		marks += fmt.Sprintf("%q:%s,", "owners_stand_by", by)
	}
	unknown, err := json.Marshal(in.register.Unknown) // by column, as check says them
	if err != nil {
		return err
	}
	marks += fmt.Sprintf("%q:%s,", "unknown", unknown)
	body, err := json.Marshal(result)
	if err != nil {
		return err
	}
	return writeJSON(env.Out, json.RawMessage("{"+marks+string(body[1:])))
}

func readScenario(register *exchange.Register, path string) (*exchange.Scenario, error) {
	in, err := openTable(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return register.ReadScenario(path, in)
}

func readMeasures(register *exchange.Register, path string) (*exchange.Measures, error) {
	in, err := openTable(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return register.ReadMeasures(path, in)
}

// watched draws the progress of a run until the function that it returns is called.
func watched(env Env, o *cascade.Options, step string) (done func()) {
	show, done := progressLine(env)
	if show != nil {
		o.Progress = func(done, planned int) {
			show(rehearse.Progress{Step: step, Done: done - 1, Total: planned})
		}
	}
	return done
}
