package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/evidence"
	"muster/internal/rehearse"
	"muster/internal/workspace"
)

func newWorkspaceEvidenceCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "evidence",
		Short: "References to evidence: where it lies, and whether it is still the same",
		Long: `Evidence stays where it is. The workspace keeps its place, and of a file on this machine
the SHA-256 that was computed here, so that it shows later whether it is still the same.
An address is kept and never asked. A copy is kept only where somebody asks for it.`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newEvidenceAddCmd(env), newEvidenceCheckCmd(env), newEvidenceListCmd(env), newEvidenceFolderCmd(env), newEvidenceExportCmd(env))
	return cmd
}

// readingTime is how long one piece of evidence may take to be read.
const readingTime = 15 * time.Minute

// piece reads a piece of evidence with a line of progress.
func (w *openWorkspace) piece(ctx context.Context, env Env, folder, place string, keep bool) (workspace.Reading, error) {
	ctx, cancel := context.WithTimeout(ctx, readingTime)
	defer cancel()
	cfg := workspace.ReadConfig{Pieces: evidence.New(evidence.Config{}), Folder: folder, Copy: keep}
	show, done := progressLine(env)
	defer done()
	if show != nil {
		cfg.Progress = func(read, total int64) {
			show(rehearse.Progress{Step: fmt.Sprintf("read evidence, %d of %d MiB", read>>20, total>>20)})
		}
	}
	return workspace.ReadPiece(ctx, cfg, place)
}

type evidenceAddFlags struct {
	dir, survey, outcome, title string
	keep, unread                bool
	lock                        lockFlags
}

func newEvidenceAddCmd(env Env) *cobra.Command {
	var f evidenceAddFlags
	cmd := &cobra.Command{
		Use:   "add PLACE --survey ID --outcome ID",
		Short: "Keep where a piece of evidence lies, and its digest",
		Long: `Keep the place of a piece of evidence: the path of a file, of which the digest is
computed here, or an https address, which is never asked. A file in the workspace's
folder of evidence is kept by its path from there.

--keep-copy keeps a copy of a file of up to 10 MiB in the encrypted workspace.`,
		Example: `  muster workspace evidence add decree.pdf --dir ostmere --survey 2027/muster-core --outcome A1.1 --title "the decree"`,
		Args:    oneArg("PLACE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.survey == "" || f.outcome == "" {
				return usageError(cmd, "muster workspace evidence add needs --survey ID and --outcome ID")
			}
			return runEvidenceAdd(cmd.Context(), env, args[0], f)
		},
	}
	dirFlag(cmd, &f.dir, "the workspace")
	flags := cmd.Flags()
	flags.StringVar(&f.survey, "survey", "", "the survey, such as 2027/muster-core (required)")
	flags.StringVar(&f.outcome, "outcome", "", "the outcome, such as A1.1 (required)")
	flags.StringVar(&f.title, "title", "", "what it is")
	flags.BoolVar(&f.keep, "keep-copy", false, "keep a copy in the workspace, too")
	flags.BoolVar(&f.unread, "unread", false, "keep the place of a file that cannot be read from here")
	f.lock.add(cmd)
	return cmd
}

func runEvidenceAdd(ctx context.Context, env Env, place string, f evidenceAddFlags) (err error) {
	w, err := openWorkspaceDir(ctx, env, f.dir, f.lock)
	if err != nil {
		return err
	}
	defer w.close(&err)
	id := workspace.SurveyID(f.survey)
	settings, _, err := w.Settings(ctx, w.person)
	if err != nil {
		return err
	}
	ref := assess.Reference{Outcome: f.outcome, Place: place, Title: f.title}
	address := strings.Contains(place, "://")
	if address && f.keep {
		return errs.New(errs.Invalid, "an address is never asked, so there is nothing to copy", "save the piece, and give its path")
	}
	var read workspace.Reading
	if !address {
		if ref.Place, err = placeFrom(settings.Evidence, place); err != nil {
			return err
		}
		if !f.unread {
			if read, err = w.piece(ctx, env, settings.Evidence, ref.Place, f.keep); err != nil {
				d := errs.Describe(err)
				return errs.Wrap(err, d.Kind, d.Message, cmp.Or(d.Hint, "--unread keeps the place without a digest"))
			}
			ref.SHA256, ref.Bytes = read.SHA256, read.Bytes
		}
	}
	saved, err := w.AddReference(ctx, w.person, id, ref)
	if err != nil {
		return err
	}
	if f.keep {
		if err := w.KeepCopy(ctx, w.person, id, f.outcome, saved.ID, read); err != nil {
			return err
		}
	}
	if ref.SHA256 != "" {
		_, err = fmt.Fprintf(env.Out, "%s %s\n", ref.SHA256, saved.ID)
		return err
	}
	say(env, "its place is kept, without a digest: whether it changes cannot be known from here")
	return nil
}

// placeFrom returns the path that is kept of one that was typed here: from the folder
// of evidence where it lies in it, else whole.
func placeFrom(folder, path string) (string, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return "", errs.Wrap(err, errs.Invalid, "the path cannot be understood", "give the whole path")
	}
	if folder == "" {
		return whole, nil
	}
	rest, err := filepath.Rel(folder, whole)
	if err != nil || rest == ".." || strings.HasPrefix(rest, ".."+string(filepath.Separator)) {
		return whole, nil
	}
	return rest, nil
}

// brokenView is a line of muster workspace evidence check --json.
type brokenView struct {
	Outcome string          `json:"outcome"`
	ID      string          `json:"id"`
	Place   string          `json:"place"`
	Fault   workspace.Fault `json:"fault"`
}

// evidenceCheck is what muster workspace evidence check --json prints.
type evidenceCheck struct {
	Survey    workspace.SurveyID `json:"survey"`
	Checked   int                `json:"checked"`
	Addresses int                `json:"addresses"` // which are never asked
	Unread    int                `json:"unread"`    // paths without a digest
	Broken    []brokenView       `json:"broken"`
}

func newEvidenceCheckCmd(env Env) *cobra.Command {
	var (
		dir, survey string
		asJSON      bool
		lock        lockFlags
	)
	cmd := &cobra.Command{
		Use:   "check --survey ID",
		Short: "Read the evidence where it lies, and say what is missing or changed",
		Long: `Read every file of evidence that has a digest, and say which of them are gone, changed
or cannot be read from here. Addresses are never asked. Exit code 3: something is
broken. It prints places, and nothing of an answer.`,
		Example: `  muster workspace evidence check --dir ostmere --survey 2027/muster-core`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if survey == "" {
				return usageError(cmd, "muster workspace evidence check needs --survey ID")
			}
			return runEvidenceCheck(cmd.Context(), env, dir, workspace.SurveyID(survey), asJSON, lock)
		},
	}
	dirFlag(cmd, &dir, "the workspace")
	cmd.Flags().StringVar(&survey, "survey", "", "the survey, such as 2027/muster-core (required)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	lock.add(cmd)
	return cmd
}

func runEvidenceCheck(ctx context.Context, env Env, dir string, id workspace.SurveyID, asJSON bool, lock lockFlags) (err error) {
	w, err := openWorkspaceDir(ctx, env, dir, lock)
	if err != nil {
		return err
	}
	defer w.close(&err)
	settings, _, err := w.Settings(ctx, w.person)
	if err != nil {
		return err
	}
	references, err := w.References(ctx, w.person, id, "")
	if err != nil {
		return err
	}
	c := evidenceCheck{Survey: id, Broken: []brokenView{}}
	for _, ref := range references {
		switch {
		case ref.Address():
			c.Addresses++
		case ref.SHA256 == "":
			c.Unread++
		default:
			c.Checked++
		}
	}
	broken, err := w.BrokenReferences(ctx, w.person, id, func(ctx context.Context, place string) (string, int64, error) {
		read, err := w.piece(ctx, env, settings.Evidence, place, false)
		return read.SHA256, read.Bytes, err
	})
	if err != nil {
		return err
	}
	for _, b := range broken {
		c.Broken = append(c.Broken, brokenView{b.Reference.Outcome, b.Reference.ID, b.Reference.Place, b.Fault})
	}
	if asJSON {
		err = json.NewEncoder(env.Out).Encode(c)
	} else {
		_, err = io.WriteString(env.Out, c.text())
	}
	if err == nil && len(c.Broken) > 0 {
		err = refused{errs.New(errs.Conflict, plural(len(c.Broken), "1 reference does not lead to what it was made for", "%d references do not lead to what they were made for"), "put the pieces back, or on the page of evidence take the digest of what lies there now")}
	}
	return err
}

func (c evidenceCheck) text() string {
	var b strings.Builder
	for _, broken := range c.Broken {
		words := map[workspace.Fault]string{
			workspace.FaultGone: "nothing is there any more", workspace.FaultChanged: "it is another piece than the one that was hashed", workspace.FaultUnreadable: "it cannot be read from here",
		}
		fmt.Fprintf(&b, "%s %s: %s: %s\n", broken.Outcome, broken.ID, words[broken.Fault], broken.Place)
	}
	fmt.Fprintf(&b, "%s of %s, %d broken; not asked: %s, %s\n", plural(c.Checked, "1 piece was read", "%d pieces were read"), c.Survey, len(c.Broken),
		plural(c.Addresses, "1 address", "%d addresses"), plural(c.Unread, "1 path without a digest", "%d paths without a digest"))
	return b.String()
}

// referenceRow is a line of muster workspace evidence list --json.
type referenceRow struct {
	Outcome string    `json:"outcome"`
	ID      string    `json:"id"`
	Place   string    `json:"place"`
	Title   string    `json:"title,omitempty"`
	SHA256  string    `json:"sha256,omitempty"`
	Bytes   int64     `json:"bytes,omitempty"`
	Copy    bool      `json:"copy"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
}

func newEvidenceListCmd(env Env) *cobra.Command {
	var (
		dir, survey string
		asJSON      bool
		lock        lockFlags
	)
	cmd := &cobra.Command{
		Use:   "list --survey ID",
		Short: "List where the evidence lies",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if survey == "" {
				return usageError(cmd, "muster workspace evidence list needs --survey ID")
			}
			w, err := openWorkspaceDir(cmd.Context(), env, dir, lock)
			if err != nil {
				return err
			}
			defer w.close(&err)
			rows, err := w.referenceRows(cmd.Context(), workspace.SurveyID(survey))
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(env.Out).Encode(rows)
			}
			for _, r := range rows {
				copied := ""
				if r.Copy {
					copied = " (copy kept)"
				}
				if _, err := fmt.Fprintf(env.Out, "%s %s %s %s%s\n", r.Outcome, r.ID, cmp.Or(r.SHA256, "-"), r.Place, copied); err != nil {
					return err
				}
			}
			return nil
		},
	}
	dirFlag(cmd, &dir, "the workspace")
	cmd.Flags().StringVar(&survey, "survey", "", "the survey, such as 2027/muster-core (required)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	lock.add(cmd)
	return cmd
}

func (w *openWorkspace) referenceRows(ctx context.Context, id workspace.SurveyID) ([]referenceRow, error) {
	references, err := w.References(ctx, w.person, id, "")
	if err != nil {
		return nil, err
	}
	copies, err := w.Copies(ctx, w.person, id)
	if err != nil {
		return nil, err
	}
	rows := make([]referenceRow, len(references))
	for i, r := range references {
		_, copied := copies[r.Outcome+"/"+r.ID]
		rows[i] = referenceRow{r.Outcome, r.ID, r.Place, r.Title, r.SHA256, r.Bytes, copied, r.By, r.At}
	}
	return rows, nil
}

func newEvidenceFolderCmd(env Env) *cobra.Command {
	var (
		dir  string
		lock lockFlags
	)
	cmd := &cobra.Command{
		Use:   "folder [FOLDER] --dir DIR",
		Short: "Say in which folder paths of evidence begin, or set it",
		Args:  atMostOneArg("FOLDER"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			w, err := openWorkspaceDir(cmd.Context(), env, dir, lock)
			if err != nil {
				return err
			}
			defer w.close(&err)
			settings, revised, err := w.Settings(cmd.Context(), w.person)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				_, err = fmt.Fprintln(env.Out, cmp.Or(settings.Evidence, "none"))
				return err
			}
			if settings.Evidence, err = filepath.Abs(args[0]); err != nil {
				return errs.Wrap(err, errs.Invalid, "the folder cannot be understood", "give the whole path")
			}
			_, err = w.PutSettings(cmd.Context(), w.person, revised.Rev, settings)
			return err
		},
	}
	dirFlag(cmd, &dir, "the workspace")
	lock.add(cmd)
	return cmd
}

func newEvidenceExportCmd(env Env) *cobra.Command {
	var (
		dir, survey, out string
		lock             lockFlags
	)
	cmd := &cobra.Command{
		Use:   "export --survey ID --out FOLDER",
		Short: "Write the copies of evidence that the workspace keeps",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if survey == "" || out == "" {
				return usageError(cmd, "muster workspace evidence export needs --survey ID and --out FOLDER")
			}
			return runEvidenceExport(cmd.Context(), env, dir, workspace.SurveyID(survey), out, lock)
		},
	}
	dirFlag(cmd, &dir, "the workspace")
	cmd.Flags().StringVar(&survey, "survey", "", "the survey, such as 2027/muster-core (required)")
	cmd.Flags().StringVar(&out, "out", "", "the folder to write to (required)")
	lock.add(cmd)
	return cmd
}

func runEvidenceExport(ctx context.Context, env Env, dir string, id workspace.SurveyID, out string, lock lockFlags) (err error) {
	w, err := openWorkspaceDir(ctx, env, dir, lock)
	if err != nil {
		return err
	}
	defer w.close(&err)
	rows, err := w.referenceRows(ctx, id)
	if err != nil {
		return err
	}
	if err := checkOutput("--out", out); err != nil {
		return err
	}
	n := 0
	for _, r := range rows {
		if !r.Copy {
			continue
		}
		ref, body, err := w.Copy(ctx, w.person, id, r.Outcome, r.ID)
		if err != nil {
			return err
		}
		name := workspace.CopyName(ref)
		if exists(filepath.Join(out, name)) {
			return errs.New(errs.Conflict, "a file of that name is there already: "+errs.Quote(name), "give another folder to --out")
		}
		if err := realDisk().writeOutput(out, []outputFile{{name, body, 0o600}}, nil); err != nil {
			return placeError(err, out, "make room there, or give another --out")
		}
		if _, err := fmt.Fprintf(env.Out, "%s\n", filepath.Join(out, name)); err != nil {
			return err
		}
		n++
	}
	if n == 0 {
		say(env, "no copy of evidence is kept for %s", id)
		return nil
	}
	warn(env, "what was written can be read by anyone who has the folder")
	return nil
}
