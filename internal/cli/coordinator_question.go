package cli

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/cycle"
)

func newCoordinatorQuestionCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "question",
		Short: "Read what was asked about a cycle, and answer it to all",
		Long: `Read what was asked about a cycle, and answer it to all who take part. Who asked is not
told: neither here nor to anybody else.`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newQuestionListCmd(env), newQuestionAnswerCmd(env))
	return cmd
}

// listedQuestion is what muster coordinator question list --json prints.
type listedQuestion struct {
	Number   int64      `json:"number"`
	Asked    time.Time  `json:"asked"`
	Text     string     `json:"text"` // as it was asked, or as all read it
	Answer   string     `json:"answer,omitempty"`
	By       string     `json:"by,omitempty"`
	Answered *time.Time `json:"answered,omitempty"`
}

func newQuestionListCmd(env Env) *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list CYCLE",
		Short:   "List the questions about a cycle",
		Example: `  muster coordinator question list 2031 --config year/coordinator.yaml`,
		Args:    oneArg("CYCLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return coordinate(cmd.Context(), env, path, func(c *coordination) error {
				all, err := c.Questions(cmd.Context(), c.person, cycle.ID(args[0]))
				if err != nil {
					return err
				}
				list := make([]listedQuestion, len(all))
				for i, q := range all {
					list[i] = listedQuestion{Number: q.Number, Asked: q.Asked, Text: q.Text, Answer: q.Answer, By: q.By}
					if q.Answered() {
						list[i].Text, list[i].Answered = q.Wording, &q.At
					}
				}
				if asJSON {
					return json.NewEncoder(env.Out).Encode(map[string]any{"questions": list})
				}
				for _, q := range list {
					answer := "waits for its answer"
					if q.Answered != nil {
						answer = oneLine(q.Answer)
					}
					if _, err := fmt.Fprintf(env.Out, "%d: %s\n   %s\n", q.Number, oneLine(q.Text), answer); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newQuestionAnswerCmd(env Env) *cobra.Command {
	var path, wording, answer string
	cmd := &cobra.Command{
		Use:   "answer NUMBER --wording TEXT --answer TEXT",
		Short: "Answer a question to all, worded so that it does not say who asked",
		Example: `  muster coordinator question answer 3 --config year/coordinator.yaml --wording "Does one port count?" \
      --answer "Yes, if others depend on it."`,
		Args: oneArg("NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return usageError(cmd, "NUMBER is that of muster coordinator question list")
			}
			if err := missingFlags(cmd, "wording", "answer"); err != nil {
				return err
			}
			return coordinate(cmd.Context(), env, path, func(c *coordination) error {
				if err := c.Answer(cmd.Context(), c.person, number, wording, answer); err != nil {
					return err
				}
				say(env, "all who take part read the answer to question %d", number)
				return nil
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&wording, "wording", "", "the question as all read it (required)")
	cmd.Flags().StringVar(&answer, "answer", "", "the answer (required)")
	return cmd
}
