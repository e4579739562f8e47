package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/cycle"
)

// shownLine is what muster coordinator record --json prints.
type shownLine struct {
	Number int64         `json:"number"`
	At     time.Time     `json:"at"`
	By     string        `json:"by,omitempty"`
	What   cycle.What    `json:"what"`
	Cycle  cycle.ID      `json:"cycle,omitempty"`
	Party  cycle.PartyID `json:"party,omitempty"`
	Detail string        `json:"detail,omitempty"`
	Digest string        `json:"digest"`
}

func newCoordinatorRecordCmd(env Env) *cobra.Command {
	var path string
	var asJSON bool
	var most int
	cmd := &cobra.Command{
		Use:   "record",
		Short: "Check the whole record, and list what happened, the latest first",
		Long: `Check that every line of the record follows from the one before it, and list the
latest. The digest in which it ends, written down elsewhere, tells later whether the
record was cut.`,
		Example: `  muster coordinator record --config year/coordinator.yaml`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if most < 0 || most > cycle.MaxLines {
				return usageError(cmd, fmt.Sprintf("--most is 0 to %d", cycle.MaxLines))
			}
			return coordinate(cmd.Context(), env, path, func(c *coordination) error {
				n, last, err := c.CheckRecord(cmd.Context(), c.person)
				if err != nil {
					return err
				}
				lines, err := c.Record(cmd.Context(), c.person, most)
				if err != nil {
					return err
				}
				list := make([]shownLine, len(lines))
				for i, l := range lines {
					list[i] = shownLine(l)
				}
				if asJSON {
					return json.NewEncoder(env.Out).Encode(map[string]any{"lines": n, "digest": last, "latest": list})
				}
				for _, l := range list {
					if _, err := fmt.Fprintln(env.Out, l.text()); err != nil {
						return err
					}
				}
				say(env, "the record is whole: %s, to %s", plural(int(n), "1 line", "%d lines"), last)
				return nil
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().IntVar(&most, "most", 100, "how many lines to list at most")
	return cmd
}

func (l shownLine) text() string {
	words := []string{l.At.UTC().Format("2006-01-02 15:04:05 UTC"), string(l.What)}
	for _, more := range []string{string(l.Cycle), string(l.Party), oneLine(l.Detail)} {
		if more != "" {
			words = append(words, more)
		}
	}
	line := words[0] + "  " + strings.Join(words[1:], ", ")
	if l.By != "" {
		line += ", by " + l.By
	}
	return line
}
