package cli

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/cascade"
	"muster/internal/errs"
)

func newCascadeReplayCmd(env Env) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Documented outages told by the model, which is calibrated on them",
		Long: `Tell documented outages by the model: what was reported beside what it computes.
Buffers and restart lags were taken from the reports: the model is calibrated on
them and predicted none. They show that its constructs are enough, and nothing of
how likely anything is.`,
		Example: `  muster cascade replay`,
		Args:    noArgs,
		RunE: func(_ *cobra.Command, _ []string) error {
			type told struct {
				Name     string                    `json:"name"`
				Source   string                    `json:"calibrated_on"`
				Computed map[string][]cascade.Span `json:"computed_minutes"`
				Reported map[string][]cascade.Span `json:"reported_minutes"`
			}
			var all []told
			differ := 0
			for _, r := range cascade.Replays() {
				down, err := r.Run()
				if err != nil {
					return err
				}
				t := told{r.Name, r.Source, make(map[string][]cascade.Span), make(map[string][]cascade.Span)}
				if !asJSON {
					fmt.Fprintf(env.Out, "%s\n", r.Name)
				}
				for i, s := range r.Services {
					t.Computed[s.ID], t.Reported[s.ID] = down[i], r.Reported[i]
					if !reflect.DeepEqual(down[i], r.Reported[i]) {
						differ++
					}
					if !asJSON {
						fmt.Fprintf(env.Out, "  %-24s reported %s, computed %s\n", s.ID, spansText(r.Reported[i]), spansText(down[i]))
					}
				}
				if !asJSON {
					fmt.Fprintf(env.Out, "  calibrated on: %s\n", r.Source)
				}
				all = append(all, t)
			}
			if asJSON {
				if err := writeJSON(env.Out, all); err != nil {
					return err
				}
			}
			if differ > 0 {
				return errs.New(errs.Internal, fmt.Sprintf("%d services differ from what was reported", differ), "")
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

func spansText(spans []cascade.Span) string {
	if len(spans) == 0 {
		return "up"
	}
	var parts []string
	for _, s := range spans {
		parts = append(parts, fmt.Sprintf("down from %.4g to %.4g h", s.From.Hours(), s.To.Hours()))
	}
	return strings.Join(parts, ", ")
}
