package cli

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"muster/internal/demo"
	"muster/internal/demo/port"
	"muster/internal/exchange"
)

func newCascadeGenerateCmd(env Env) *cobra.Command {
	var (
		services  int
		seed      uint64
		out       string
		community bool
	)
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Write a synthetic register and scenarios for it",
		Long: `Write a synthetic register of any size, marked SYNTHETIC, and scenarios for it:
services.csv, requirements.csv and a folder of scenarios. A small core of energy,
telecom and cloud is cyclic, everything else is not. One seed gives the same files.

With --port it is that of an invented port community on an invented sea, with
names, seven scenarios and measures: the one to learn from.`,
		Example: `  muster cascade generate --services 400 --seed 1 --out register
  muster cascade generate --port --out port`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if community && (cmd.Flags().Changed("services") || cmd.Flags().Changed("seed")) {
				return usageError(cmd, "--port has a size and no seed")
			}
			if services < 12 || services > exchange.MaxGenerated {
				return usageError(cmd, fmt.Sprintf("--services cannot be %d; allowed: 12 to %d", services, exchange.MaxGenerated))
			}
			if out == "" {
				return usageError(cmd, cmd.CommandPath()+" needs --out")
			}
			if err := checkOutput("--out", out); err != nil {
				return err
			}
			if community {
				return writePort(out)
			}
			return writeSynthetic(out, exchange.NewSynthetic(services, seed))
		},
	}
	cmd.Flags().IntVar(&services, "services", 400, "how many services")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "what the register follows from")
	cmd.Flags().BoolVar(&community, "port", false, "write the invented port community instead")
	cmd.Flags().StringVar(&out, "out", "", "the folder to write to")
	return cmd
}

// written is a file by what writes it.
type written struct {
	name  string
	write func(io.Writer) error
}

// writeAll writes files to a folder, and those of scenarios to the one in it.
func writeAll(dir string, files, scenarios []written) error {
	for _, group := range []struct {
		dir   string
		files []written
	}{{filepath.Join(dir, "scenarios"), scenarios}, {dir, files}} {
		if len(group.files) == 0 {
			continue
		}
		var output []outputFile
		for _, f := range group.files {
			var b bytes.Buffer
			if err := f.write(&b); err != nil {
				return err
			}
			output = append(output, outputFile{f.name, b.Bytes(), 0o644})
		}
		if err := realDisk().writeOutput(group.dir, output, nil); err != nil {
			return err
		}
	}
	return nil
}

func writeSynthetic(out string, s exchange.Synthetic) error {
	var scenarios []written
	for _, name := range s.ScenarioNames() {
		scenarios = append(scenarios, written{name + ".yaml", func(w io.Writer) error { return s.WriteScenario(w, name) }})
	}
	return writeAll(out, []written{{"services.csv", s.WriteServices}, {"requirements.csv", s.WriteRequirements}}, scenarios)
}

func writePort(out string) error {
	c, err := port.New(demo.Names(port.Members))
	if err != nil {
		return err
	}
	table := func(t exchange.Table, rows [][]string) func(io.Writer) error {
		return func(w io.Writer) error { return t.WriteCSV(w, rows) }
	}
	files := []written{
		{"services.csv", table(exchange.Services, c.Services)},
		{"requirements.csv", table(exchange.Requirements, c.Requirements)},
		{"measures.yaml", c.Measures.Write},
	}
	var scenarios []written
	for _, s := range c.Scenarios {
		scenarios = append(scenarios, written{s.ID + ".yaml", s.Write})
	}
	return writeAll(out, files, scenarios)
}
