package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/exchange/intake"
	"muster/internal/exchange/workbook"
	"muster/internal/workspace"
)

type workspaceExportFlags struct {
	dir, out, body, password string
	surveys, languages       []string
	form                     bool
	lock                     lockFlags
}

func newWorkspaceExportCmd(env Env) *cobra.Command {
	var f workspaceExportFlags
	cmd := &cobra.Command{
		Use:   "export --survey ID --out FILE",
		Short: "Write a survey as a workbook for a spreadsheet, or as CSV",
		Long: `Write the questions of a survey and what the workspace has of them to a workbook
(.xlsx), which Excel and LibreOffice open, or to CSV (.csv). Whatever a spreadsheet
makes of it, muster workspace import takes it back. --survey may be given several
times for a workbook: a sheet each.

With --body the workbook is that body's: the outcomes of its sections, and what it
contributed. It is locked with the password of --password-file, for it goes to
others.

--form adds the form "what do you depend on", of that body or of the member as a whole;
without --survey the file is the form alone.`,
		Example: `  muster workspace export --dir ostmere --survey 2027/muster-core --language en,fr --out answers.xlsx
  muster workspace export --dir ostmere --survey 2027/muster-core --body port-of-ys --password-file password --out port-of-ys.xlsx`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(f.surveys) == 0 && !f.form || f.out == "" {
				return usageError(cmd, "muster workspace export needs --survey ID or --form, and --out FILE")
			}
			return runWorkspaceExport(cmd.Context(), env, f)
		},
	}
	dirFlag(cmd, &f.dir, "the workspace")
	flags := cmd.Flags()
	flags.StringArrayVar(&f.surveys, "survey", nil, "the survey, such as 2027/muster-core (required)")
	flags.StringVar(&f.out, "out", "", "the file to write, .xlsx or .csv (required)")
	flags.BoolVar(&f.form, "form", false, "the form of what a body depends on, too")
	flags.StringSliceVar(&f.languages, "language", nil, "one or two languages, such as en,fr (default: the pack's first)")
	flags.StringVar(&f.body, "body", "", "the id of a body: a workbook of its own")
	flags.StringVar(&f.password, "password-file", "", "a file of mode 0600 with a password for the workbook")
	f.lock.add(cmd)
	return cmd
}

// format returns the ending of the file, and refuses what does not go with it.
func (f workspaceExportFlags) format() (string, error) {
	ending := strings.ToLower(filepath.Ext(f.out))
	switch {
	case ending != ".xlsx" && ending != ".csv":
		return "", errs.New(errs.Invalid, fmt.Sprintf("%s ends in neither .xlsx nor .csv", strconv.Quote(f.out)), "a workbook is .xlsx; .csv is for programs")
	case ending == ".csv" && (len(f.surveys) > 1 || f.form && len(f.surveys) > 0):
		return "", errs.New(errs.Invalid, "a CSV file holds one survey, or the form", "give one --survey, or write an .xlsx")
	case ending == ".csv" && f.password != "":
		return "", errs.New(errs.Invalid, "a CSV file has no password", "write an .xlsx")
	case ending == ".csv" && f.body != "":
		return "", errs.New(errs.Invalid, "a body's file goes to others, and a CSV file has no password", "write an .xlsx")
	case f.body != "" && f.password == "":
		return "", errs.New(errs.Invalid, "a body's workbook goes to others and needs a password", "give a file of mode 0600 with --password-file, and tell the password by another way than the workbook goes")
	}
	return ending, nil
}

func runWorkspaceExport(ctx context.Context, env Env, f workspaceExportFlags) (err error) {
	ending, err := f.format()
	if err != nil {
		return err
	}
	if exists(f.out) {
		return errs.New(errs.Conflict, fmt.Sprintf("there is a file %s already", strconv.Quote(f.out)), "give another --out: somebody may have typed into it")
	}
	password, err := passwordFile(f.password)
	if err != nil {
		return err
	}
	w, err := openWorkspaceDir(ctx, env, f.dir, f.lock)
	if err != nil {
		return err
	}
	defer w.close(&err)
	out := intake.Out{Service: w.Service, Person: w.person, Body: f.body, Form: f.form, Languages: f.languages}
	for _, id := range f.surveys {
		out.Surveys = append(out.Surveys, workspace.SurveyID(id))
	}
	book, err := intake.Book(ctx, out)
	if err != nil {
		return err
	}
	book.Password = password
	var b bytes.Buffer
	if ending == ".csv" {
		err = workbook.WriteCSV(&b, book, workbook.CSVStyle{Mark: true})
	} else {
		err = workbook.Write(&b, book)
	}
	if err != nil {
		return err
	}
	dir := filepath.Dir(f.out)
	if err := realDisk().writeOutput(dir, []outputFile{{filepath.Base(f.out), b.Bytes(), 0o600}}, nil); err != nil {
		return placeError(err, dir, "make room there, or give another --out")
	}
	if err := w.gaveOut(ctx, book, f.body); err != nil {
		return err
	}
	if book.Password == "" {
		warn(env, "%s holds answers that anyone who has the file can read: keep it where the workspace is", f.out)
	} else {
		say(env, "%s opens with the password alone: tell it by another way than the file goes", f.out)
	}
	if book.Marking != "" {
		say(env, "the file is of an invented member: %s", book.Marking)
	}
	say(env, "it comes back with: muster workspace import %s --dir %s", f.out, f.dir)
	return nil
}

// gaveOut keeps that a workbook was given out, for the pages that say who has one. What
// is closed is asked of nobody any more.
func (w *openWorkspace) gaveOut(ctx context.Context, book workbook.Book, body string) error {
	for _, s := range book.Surveys {
		id := workspace.SurveyID(s.ID())
		survey, err := w.Survey(ctx, w.person, id)
		if err != nil {
			return err
		}
		if survey.State == workspace.StateClosed {
			continue
		}
		if err := w.GiveWorkbooks(ctx, w.person, id, map[string]int{body: s.Rows()}); err != nil {
			return err
		}
	}
	return nil
}

// passwordFile reads a workbook's password. No name is no password.
func passwordFile(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	body, err := config.ReadSecret(path)
	if err != nil {
		return "", err
	}
	password := strings.TrimRight(string(body), "\r\n")
	if password == "" {
		return "", errs.New(errs.Invalid, strconv.Quote(path)+" holds no password", "")
	}
	return password, nil
}

// openSheet opens a file that a spreadsheet wrote, and returns its size.
func openSheet(path string) (*os.File, int64, error) {
	f, info, err := openRegular(path)
	if _, said := errors.AsType[*errs.Error](err); said {
		return nil, 0, err
	}
	if err != nil {
		return nil, 0, errs.Wrap(err, errs.NotFound, because(fmt.Sprintf("the file %s cannot be read", strconv.Quote(path)), err), "")
	}
	if info.Size() > workbook.MaxSize {
		f.Close()
		return nil, 0, errs.New(errs.Invalid, fmt.Sprintf("%s has %d bytes, and a workbook no more than %d", strconv.Quote(path), info.Size(), workbook.MaxSize), "nothing was read of it; give the file that muster workspace export wrote")
	}
	return f, info.Size(), nil
}
