package cli

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/errs"
	"muster/internal/exchange/intake"
	"muster/internal/exchange/workbook"
)

type workspaceImportFlags struct {
	dir, password, body       string
	blanksClear, dryRun, json bool
	several                   bool
	lock                      lockFlags
}

func newWorkspaceImportCmd(env Env) *cobra.Command {
	var f workspaceImportFlags
	cmd := &cobra.Command{
		Use:   "import FILE --dir DIR",
		Short: "Take a workbook or CSV file back, and say what became of each cell",
		Long: `Take back a workbook or CSV file that muster workspace export wrote, whatever a
spreadsheet made of it meanwhile. What the file changed is merged into what the
workspace has by now, cell by cell, and the report says of each what became of it:
taken, same, kept, in conflict or refused. Of a row with a conflict nothing is
saved. Everything else is saved together, or, after an error, nothing.

A body's workbook becomes what that body contributes, and its form what it depends
on. It speaks for that body alone, in the sections that list it: any other row
refuses the whole file. With --body whose file it has to be is said here, and not
believed of the file; a file that comes from somebody else is read so. Rows of
several bodies are taken from a file of none, and with --several-bodies only.

An empty cell says nothing unless --blanks-clear is given. The report holds answers;
it goes to standard output. Exit code 3: something is in conflict or was refused,
and everything else was saved.`,
		Example: `  muster workspace import answers.xlsx --dir ostmere --dry-run
  muster workspace import answers.xlsx --dir ostmere
  muster workspace import back.xlsx --dir ostmere --body port-of-ys --password-file password`,
		Args: oneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.body != "" && f.several {
				return usageError(cmd, "the file is of one body, or of several: --body or --several-bodies")
			}
			return runWorkspaceImport(cmd.Context(), env, args[0], f)
		},
	}
	dirFlag(cmd, &f.dir, "the workspace")
	flags := cmd.Flags()
	flags.StringVar(&f.password, "password-file", "", "a file of mode 0600 with the workbook's password")
	flags.StringVar(&f.body, "body", "", "the body whose file it has to be")
	flags.BoolVar(&f.several, "several-bodies", false, "take rows of bodies from a file that is of none")
	flags.BoolVar(&f.blanksClear, "blanks-clear", false, "an empty cell empties what was there")
	flags.BoolVar(&f.dryRun, "dry-run", false, "report, and save nothing")
	flags.BoolVar(&f.json, "json", false, "print the report as JSON")
	f.lock.add(cmd)
	return cmd
}

func runWorkspaceImport(ctx context.Context, env Env, path string, f workspaceImportFlags) (err error) {
	password, err := passwordFile(f.password)
	if err != nil {
		return err
	}
	file, size, err := openSheet(path)
	if err != nil {
		return err
	}
	defer file.Close() // nothing is written to it
	w, err := openWorkspaceDir(ctx, env, f.dir, f.lock)
	if err != nil {
		return err
	}
	defer w.close(&err)
	if f.body != "" {
		if _, err := intake.BodyOf(ctx, w.Service, w.person, f.body); err != nil {
			return err
		}
	}
	blanks := workbook.BlanksKeep
	if f.blanksClear {
		blanks = workbook.BlanksClear
	}
	result, err := intake.Take(ctx, intake.Config{
		Service: w.Service, Person: w.person, Name: filepath.Base(path), Password: password,
		Body: f.body, Several: f.several, Blanks: blanks, DryRun: f.dryRun,
	}, file, size)
	if err != nil {
		return err
	}
	if len(result.Ignored) > 0 {
		warn(env, "left aside, for they are not muster's: %s", someOf(result.Ignored))
	}
	write := result.Report.WriteText
	if f.json {
		write = result.Report.WriteJSON
	}
	if err := write(env.Out); err != nil {
		return err
	}
	return imported(env, result, f)
}

// imported says what was saved, and refuses what was not.
func imported(env Env, result *intake.Result, f workspaceImportFlags) error {
	switch {
	case result.Body != "":
		say(env, "the file speaks for the body %s alone", result.Body)
	case f.password != "":
		say(env, "the file speaks for the member as a whole; one that came back from a body is read with --body ID")
	}
	if f.dryRun {
		say(env, "this is a dry run: %s would be saved", plural(result.Saved, "1 row", "%d rows"))
	} else {
		say(env, "%s saved", plural(result.Saved, "1 row was", "%d rows were"))
	}
	sayForm(env, result, f.dryRun)
	var left []string
	if result.Held > 0 {
		left = append(left, plural(result.Held, "1 row is", "%d rows are")+" in conflict")
	}
	if n := result.Report.Count(workbook.Refused); n > 0 {
		left = append(left, plural(n, "1 cell was", "%d cells were")+" refused")
	}
	if rows := formConflicts(result.Report); rows > 0 {
		left = append(left, plural(rows, "1 row of the form is", "%d rows of the form are")+" in conflict")
	}
	if left == nil {
		return nil
	}
	return refused{errs.New(errs.Conflict, strings.Join(left, ", and "), "the report says which, with what the workspace has now; decide on the pages of the workspace, or export again and change it there")}
}

// sayForm says what became of the form.
func sayForm(env Env, result *intake.Result, dry bool) {
	switch result.Form {
	case intake.FormSame:
		say(env, "the form is as it was")
	case intake.FormKept:
		say(env, "the form of the file is empty, and what was there stays; --blanks-clear empties it")
	case intake.FormSaved:
		if dry {
			say(env, "this is a dry run: the form would be saved: %s", plural(result.Needs, "1 row", "%d rows"))
		} else {
			say(env, "the form was saved: %s", plural(result.Needs, "1 row", "%d rows"))
		}
	}
}

// formConflicts counts the rows of the form that are in conflict.
func formConflicts(report *workbook.Report) int {
	rows := make(map[string]bool)
	for _, c := range report.Form {
		if c.State == workbook.Conflict {
			rows[c.Row] = true
		}
	}
	return len(rows)
}
