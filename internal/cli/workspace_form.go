package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/exchange"
)

func newWorkspaceFormCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "form",
		Short: "What bodies depend on, and how long they can go without",
		Long: `The ten-row form "what do you depend on, how long can you go without": filled in on a
page of the workspace or in a workbook (muster workspace export --form), it is kept for
each body. It leaves the workspace only by muster workspace form export, which makes of
it the tables that muster cascade computes with.`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newFormShowCmd(env), newFormExportCmd(env))
	return cmd
}

// formView is what muster workspace form show --json prints of a body.
type formView struct {
	Body  string        `json:"body,omitempty"` // empty for the member as a whole
	Name  string        `json:"name"`
	Known bool          `json:"known"` // false: the body has said nothing
	None  bool          `json:"none"`  // it says that it depends on nothing
	Rows  []assess.Need `json:"rows"`
}

func newFormShowCmd(env Env) *cobra.Command {
	var (
		dir    string
		asJSON bool
		lock   lockFlags
	)
	cmd := &cobra.Command{
		Use:   "show --dir DIR",
		Short: "Print what each body depends on",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			w, err := openWorkspaceDir(cmd.Context(), env, dir, lock)
			if err != nil {
				return err
			}
			defer w.close(&err)
			forms, err := w.forms(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(env.Out).Encode(forms)
			}
			is, err := w.Identity(cmd.Context())
			if err != nil {
				return err
			}
			_, err = io.WriteString(env.Out, markingLine(is.Marking)+formText(forms))
			return err
		},
	}
	dirFlag(cmd, &dir, "the workspace")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	lock.add(cmd)
	return cmd
}

// forms returns what the member and its bodies said.
func (w *openWorkspace) forms(ctx context.Context) ([]formView, error) {
	member, err := w.Member(ctx)
	if err != nil {
		return nil, err
	}
	bodies, err := w.Bodies(ctx, w.person)
	if err != nil {
		return nil, err
	}
	needs, err := w.Needs(ctx, w.person)
	if err != nil {
		return nil, err
	}
	view := func(body, name string) formView {
		said := needs[body].Needs
		return formView{Body: body, Name: name, Known: said.Said(), None: said.None, Rows: append([]assess.Need{}, said.Rows...)}
	}
	all := []formView{view("", string(member))}
	for _, b := range bodies {
		all = append(all, view(b.ID, b.Name))
	}
	return all, nil
}

func formText(forms []formView) string {
	var b strings.Builder
	for _, f := range forms {
		switch {
		case !f.Known && f.Body == "":
			continue
		case !f.Known:
			fmt.Fprintf(&b, "%s: unknown\n", f.Name)
			continue
		case f.None:
			fmt.Fprintf(&b, "%s: depends on nothing\n", f.Name)
			continue
		}
		fmt.Fprintf(&b, "%s:\n", f.Name)
		for _, row := range f.Rows {
			hours := "unknown"
			if row.Known {
				hours = fmt.Sprintf("%d h", row.Hours)
			}
			fmt.Fprintf(&b, "  %s: %s", row.What, hours)
			for _, more := range []struct{ name, text string }{{"supplier", row.Supplier}, {"substitute", row.Substitute}, {"remark", row.Note}} {
				if more.text != "" {
					fmt.Fprintf(&b, "; %s: %s", more.name, strings.ReplaceAll(more.text, "\n", " "))
				}
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

func newFormExportCmd(env Env) *cobra.Command {
	var (
		dir, out string
		lock     lockFlags
	)
	cmd := &cobra.Command{
		Use:   "export --out FOLDER",
		Short: "Write what bodies depend on as the tables that muster cascade takes",
		Long: `Write services.csv and requirements.csv of what was said in the forms. A body is a
service, and so is every supplier and what stands in for one; a supplier that is called
like a body is that body. What the form does not ask is unknown in the tables, and a
body that has said nothing requires something unknown: that is not the same as nothing.`,
		Example: `  muster workspace form export --dir ostmere --out register
  muster cascade check --services register/services.csv --requirements register/requirements.csv`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usageError(cmd, "muster workspace form export needs --out FOLDER")
			}
			return runFormExport(cmd.Context(), env, dir, out, lock)
		},
	}
	dirFlag(cmd, &dir, "the workspace")
	cmd.Flags().StringVar(&out, "out", "", "the folder to write to (required)")
	lock.add(cmd)
	return cmd
}

func runFormExport(ctx context.Context, env Env, dir, out string, lock lockFlags) (err error) {
	w, err := openWorkspaceDir(ctx, env, dir, lock)
	if err != nil {
		return err
	}
	defer w.close(&err)
	d, err := w.dependencies(ctx, env.Now())
	if err != nil {
		return err
	}
	if len(d.Said()) == 0 {
		return errs.New(errs.NotFound, "nobody has said yet what it depends on", "fill in the form on its page, or by workbook: muster workspace export --form")
	}
	if err := checkOutput("--out", out); err != nil {
		return err
	}
	var services, requirements strings.Builder
	left, err := exchange.WriteDependencies(&services, &requirements, d)
	if err != nil {
		return err
	}
	files := []outputFile{{"services.csv", []byte(services.String()), 0o600}, {"requirements.csv", []byte(requirements.String()), 0o600}}
	for _, f := range files {
		if exists(filepath.Join(out, f.name)) {
			return errs.New(errs.Conflict, "there is a file "+errs.Quote(filepath.Join(out, f.name))+" already", "give another folder to --out")
		}
	}
	if err := realDisk().writeOutput(out, files, nil); err != nil {
		return placeError(err, out, "make room there, or give another --out")
	}
	for _, f := range files {
		if _, err := fmt.Fprintln(env.Out, filepath.Join(out, f.name)); err != nil {
			return err
		}
	}
	warnEach(env, left, "substitute was left out", "substitutes were left out")
	if n := len(d.Bodies) - len(slices.DeleteFunc(d.Said(), func(id string) bool { return id == "" })); n > 0 {
		warn(env, "%s: what it depends on is unknown, and not nothing", plural(n, "1 body has said nothing", "%d bodies have said nothing"))
	}
	say(env, "the tables hold what bodies said; they are marked TLP:AMBER+STRICT, and nothing sends them anywhere")
	return nil
}

func (w *openWorkspace) dependencies(ctx context.Context, now time.Time) (exchange.Dependencies, error) {
	d := exchange.Dependencies{AsOf: now.UTC().Format(time.DateOnly), Needs: make(map[string]assess.Needs)}
	is, err := w.Identity(ctx)
	if err != nil {
		return d, err
	}
	d.Member, d.Marking = string(is.Member), is.Marking
	bodies, err := w.Bodies(ctx, w.person)
	if err != nil {
		return d, err
	}
	for _, b := range bodies {
		d.Bodies = append(d.Bodies, b.Body)
	}
	needs, err := w.Needs(ctx, w.person)
	for body, saved := range needs {
		if body == "" || slices.ContainsFunc(d.Bodies, func(b assess.Body) bool { return b.ID == body }) {
			d.Needs[body] = saved.Needs
		}
	}
	return d, err
}
