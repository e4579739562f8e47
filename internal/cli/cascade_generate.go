package cli

import (
	"bytes"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"muster/internal/exchange"
)

func newCascadeGenerateCmd(env Env) *cobra.Command {
	var (
		services int
		seed     uint64
		out      string
	)
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Write a synthetic register of any size, and a scenario for it",
		Long: `Write a synthetic register of any size, marked SYNTHETIC, and a scenario for it:
services.csv, requirements.csv and scenario.csv. A small core of energy, telecom
and cloud is cyclic, everything else is not. One seed gives the same files.`,
		Example: `  muster cascade generate --services 400 --seed 1 --out register`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if services < 12 || services > exchange.MaxGenerated {
				return usageError(cmd, fmt.Sprintf("--services cannot be %d; allowed: 12 to %d", services, exchange.MaxGenerated))
			}
			if out == "" {
				return usageError(cmd, cmd.CommandPath()+" needs --out")
			}
			if err := checkOutput("--out", out); err != nil {
				return err
			}
			s := exchange.NewSynthetic(services, seed)
			var files []outputFile
			for _, f := range []struct {
				name  string
				write func(io.Writer) error
			}{{"services.csv", s.WriteServices}, {"requirements.csv", s.WriteRequirements}, {"scenario.csv", s.WriteScenario}} {
				var b bytes.Buffer
				if err := f.write(&b); err != nil {
					return err
				}
				files = append(files, outputFile{f.name, b.Bytes(), 0o644})
			}
			return realDisk().writeOutput(out, files, nil)
		},
	}
	cmd.Flags().IntVar(&services, "services", 400, "how many services")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "what the register follows from")
	cmd.Flags().StringVar(&out, "out", "", "the folder to write to")
	return cmd
}
