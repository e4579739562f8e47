package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/errs"
	workspacepage "muster/internal/web/workspace"
	"muster/internal/workspace"
)

type workspaceHistoryFlags struct {
	dir, survey, kind, outcome, body, out string
	json                                  bool
	lock                                  lockFlags
}

func newWorkspaceHistoryCmd(env Env) *cobra.Command {
	var f workspaceHistoryFlags
	cmd := &cobra.Command{
		Use:   "history --survey ID",
		Short: "Print who changed what, and when",
		Long: `Print every change of a survey and of what the workspace has for all of them, the
earliest first: answers, contributions of bodies, evidence, comments, findings, the
chain and its decisions, the plan, the forms, bodies, sections and registered keys.
Nothing that was kept is ever overwritten. --out writes the same as CSV.`,
		Example: `  muster workspace history --dir ostmere --survey 2027/muster-core --kind contribution --body port-of-ys
  muster workspace history --dir ostmere --survey 2027/muster-core --out history.csv`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case f.survey == "":
				return usageError(cmd, "muster workspace history needs --survey ID")
			case f.json && f.out != "":
				return usageError(cmd, "--out writes CSV: --json or --out")
			case f.kind != "" && !slices.Contains(workspace.EventKinds(), workspace.Kind(f.kind)):
				return usageError(cmd, fmt.Sprintf("--kind is none of %s", kindNames()))
			}
			return runWorkspaceHistory(cmd.Context(), env, f)
		},
	}
	dirFlag(cmd, &f.dir, "the workspace")
	flags := cmd.Flags()
	flags.StringVar(&f.survey, "survey", "", "the survey, such as 2027/muster-core (required)")
	flags.StringVar(&f.kind, "kind", "", "of these alone: "+kindNames())
	flags.StringVar(&f.outcome, "outcome", "", "about this outcome alone")
	flags.StringVar(&f.body, "body", "", "of this body alone")
	flags.StringVar(&f.out, "out", "", "a CSV file to write")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	f.lock.add(cmd)
	return cmd
}

func kindNames() string {
	var names []string
	for _, kind := range workspace.EventKinds() {
		names = append(names, string(kind))
	}
	return strings.Join(names, ", ")
}

func runWorkspaceHistory(ctx context.Context, env Env, f workspaceHistoryFlags) (err error) {
	if f.out != "" && exists(f.out) {
		return errs.New(errs.Conflict, fmt.Sprintf("there is a file %s already", strconv.Quote(f.out)), "give another --out")
	}
	w, err := openWorkspaceDir(ctx, env, f.dir, f.lock)
	if err != nil {
		return err
	}
	defer w.close(&err)
	id := workspace.SurveyID(f.survey)
	all, err := w.Events(ctx, w.person, id, workspace.EventsOf{Kind: workspace.Kind(f.kind), Outcome: f.outcome, Body: f.body})
	if err != nil {
		return err
	}
	is, err := w.Identity(ctx)
	if err != nil {
		return err
	}
	switch {
	case f.json:
		return json.NewEncoder(env.Out).Encode(newHistoryView(is.Marking, id, all))
	case f.out == "":
		_, err := io.WriteString(env.Out, markingLine(is.Marking)+historyText(all))
		return err
	}
	var b bytes.Buffer
	if err := workspacepage.WriteEvents(&b, is.Marking, id, all); err != nil {
		return err
	}
	dir := filepath.Dir(f.out)
	if err := realDisk().writeOutput(dir, []outputFile{{filepath.Base(f.out), b.Bytes(), 0o600}}, nil); err != nil {
		return placeError(err, dir, "make room there, or give another --out")
	}
	warn(env, "%s holds answers that anyone who has the file can read: keep it where the workspace is", f.out)
	return nil
}

// historyView is what muster workspace history --json prints.
type historyView struct {
	Marking string             `json:"marking,omitempty"`
	Survey  workspace.SurveyID `json:"survey"`
	Events  []historyEvent     `json:"events"`
}

type historyEvent struct {
	Revision workspace.Revision `json:"revision"`
	At       time.Time          `json:"at"`
	By       string             `json:"by"`
	Kind     workspace.Kind     `json:"kind"`
	Outcome  string             `json:"outcome,omitempty"`
	Body     string             `json:"body,omitempty"`
	ID       string             `json:"id,omitempty"`
	Removed  bool               `json:"removed,omitempty"`
	Changes  []historyChange    `json:"changes,omitempty"`
}

type historyChange struct {
	Part   string `json:"part"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

func newHistoryView(marking string, id workspace.SurveyID, all []workspace.Event) historyView {
	v := historyView{Marking: marking, Survey: id, Events: make([]historyEvent, len(all))}
	for i, e := range all {
		v.Events[i] = historyEvent{Revision: e.Rev, At: e.At, By: e.By, Kind: e.Kind, Outcome: e.Outcome, Body: e.Body, ID: e.ID, Removed: e.Removed}
		for _, c := range e.Changes {
			v.Events[i].Changes = append(v.Events[i].Changes, historyChange{c.Field, c.Before, c.After})
		}
	}
	return v
}

func historyText(all []workspace.Event) string {
	var b strings.Builder
	for _, e := range all {
		fmt.Fprintf(&b, "%d  %s  %s: %s", e.Rev, e.At.Format(pageTime), e.By, e.Kind)
		for _, part := range []string{e.Outcome, e.Body, e.ID} {
			if part != "" {
				fmt.Fprintf(&b, " %s", part)
			}
		}
		if e.Removed {
			b.WriteString(", taken out")
		}
		b.WriteString("\n")
		for _, c := range e.Changes {
			shown := func(text string) string {
				return indented(strings.ReplaceAll(text, "\t", "; "))
			}
			if c.Before == "" {
				fmt.Fprintf(&b, "  %s: %s\n", c.Field, shown(c.After))
			} else {
				fmt.Fprintf(&b, "  %s: %s -> %s\n", c.Field, shown(c.Before), shown(c.After))
			}
		}
	}
	return b.String()
}
