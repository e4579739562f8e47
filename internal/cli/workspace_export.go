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

	"muster/internal/assess"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/exchange/workbook"
	"muster/internal/framework"
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
	book := workbook.Book{Languages: f.languages}
	if book.Password, err = passwordFile(f.password); err != nil {
		return err
	}
	w, err := openWorkspaceDir(ctx, env, f.dir, f.lock)
	if err != nil {
		return err
	}
	defer w.close(&err)
	if err := w.fillBook(ctx, &book, f); err != nil {
		return err
	}
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
	if book.Password == "" {
		warn(env, "%s holds answers that anyone who has the file can read: keep it where the workspace is", f.out)
	} else {
		say(env, "%s opens with the password alone: tell it by another way than the file goes", f.out)
	}
	say(env, "it comes back with: muster workspace import %s --dir %s", f.out, f.dir)
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

// fillBook puts what the workspace has of the surveys into a book.
func (w *openWorkspace) fillBook(ctx context.Context, book *workbook.Book, f workspaceExportFlags) error {
	is, err := w.Identity(ctx)
	if err != nil {
		return err
	}
	book.Member, book.Marking = string(is.Member), is.Marking
	if f.body != "" {
		if book.Body, err = w.body(ctx, f.body); err != nil {
			return err
		}
	}
	if f.form {
		needs, err := w.Needs(ctx, w.person)
		if err != nil {
			return err
		}
		book.Needs = append([]workbook.Need{}, needs[f.body].Needs.Rows...)
		book.NeedsRevision = int64(needs[f.body].Rev)
	}
	for _, id := range f.surveys {
		survey, err := w.Survey(ctx, w.person, workspace.SurveyID(id))
		if err != nil {
			return err
		}
		s := workbook.Survey{Cycle: survey.Cycle, Saved: make(map[string]workbook.Saved)}
		if s.Pack, err = w.Pack(ctx, w.person, survey.ID); err != nil {
			return err
		}
		if f.body == "" {
			entries, err := w.Entries(ctx, w.person, survey.ID)
			if err != nil {
				return err
			}
			for outcome, saved := range entries {
				s.Saved[outcome] = workbook.Saved{Entry: saved.Entry, Revision: int64(saved.Rev)}
			}
			book.Surveys = append(book.Surveys, s)
			continue
		}
		asked, err := w.Asked(ctx, w.person, survey.ID)
		if err != nil {
			return err
		}
		s.Outcomes = asked[f.body]
		if len(s.Outcomes) == 0 {
			return errs.New(errs.NotFound, fmt.Sprintf("no section of %s lists the body %s", survey.ID, errs.Quote(f.body)), "list it in a section first, on the page of bodies and sections: muster workspace serve")
		}
		contributions, err := w.Contributions(ctx, w.person, survey.ID, "")
		if err != nil {
			return err
		}
		for _, c := range contributions {
			if c.Body == f.body {
				s.Saved[c.Outcome] = workbook.Saved{Entry: c.Entry(), Revision: int64(c.Rev)}
			}
		}
		if s.Last, err = w.lastYear(ctx, survey.ID, f.body); err != nil {
			return err
		}
		book.Surveys = append(book.Surveys, s)
	}
	return nil
}

// lastYear returns what a body gave in the cycle before, by outcome.
func (w *openWorkspace) lastYear(ctx context.Context, id workspace.SurveyID, body string) (map[string]framework.Level, error) {
	before, err := w.ContributionsBefore(ctx, w.person, id)
	last := make(map[string]framework.Level)
	for _, c := range before {
		if c.Body == body && c.Given() != framework.None {
			last[c.Outcome] = c.Level
		}
	}
	return last, err
}

// body returns a body by its id.
func (w *openWorkspace) body(ctx context.Context, id string) (*assess.Body, error) {
	bodies, err := w.Bodies(ctx, w.person)
	if err != nil {
		return nil, err
	}
	for _, b := range bodies {
		if b.ID == id {
			return &b.Body, nil
		}
	}
	return nil, errs.New(errs.NotFound, "there is no body "+errs.Quote(id), "bodies are listed on a page of the workspace: muster workspace serve")
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
