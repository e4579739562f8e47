package cli

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/errs"
	"muster/internal/pdf"
	"muster/internal/web"
	workspacepage "muster/internal/web/workspace"
	"muster/internal/workspace"
)

type workspaceBriefFlags struct {
	dir, survey, language, marking, out, browser string
	lock                                         lockFlags
}

func newWorkspaceBriefCmd(env Env) *cobra.Command {
	var f workspaceBriefFlags
	cmd := &cobra.Command{
		Use:   "brief --survey ID --out FILE",
		Short: "Write the national brief: two pages for your own minister",
		Long: `Write the national brief of a survey, two pages of A4: where the member stands beside
the coalition, its three most urgent gaps, what moved, what became of last year's
promises, the plan's money, what to say, and what of it may be said in public. It
holds the member's own answers, and is marked TLP:RED.

The ending of the file says what is written: .html for any browser, .docx for a word
processor, .pdf tagged for who reads by ear, printed by the Chromium, Chrome or Edge
of this machine. Speaking points are drafted from the figures; the page of the brief,
in muster workspace serve, is where a person makes them her own.`,
		Example: `  muster workspace brief --dir ostmere --survey 2027/muster-core --lang fr --out brief.docx`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.survey == "" || f.out == "" {
				return usageError(cmd, "muster workspace brief needs --survey ID and --out FILE")
			}
			return runWorkspaceBrief(cmd.Context(), env, f)
		},
	}
	dirFlag(cmd, &f.dir, "the workspace")
	flags := cmd.Flags()
	flags.StringVar(&f.survey, "survey", "", "the survey, such as 2027/muster-core (required)")
	flags.StringVar(&f.language, "lang", web.Languages()[0], "language: "+strings.Join(web.Languages(), " or "))
	flags.StringVar(&f.marking, "marking", workspacepage.BriefMarkings()[0], "marking: "+strings.Join(workspacepage.BriefMarkings(), " or "))
	flags.StringVar(&f.out, "out", "", "the file to write, .html, .pdf or .docx (required)")
	flags.StringVar(&f.browser, "browser", "", "the Chromium, Chrome or Edge that prints a .pdf (default: the first that is found)")
	f.lock.add(cmd)
	return cmd
}

// briefPages is how many pages a brief has.
const briefPages = 2

func runWorkspaceBrief(ctx context.Context, env Env, f workspaceBriefFlags) (err error) {
	ending := strings.ToLower(filepath.Ext(f.out))
	if !slices.Contains([]string{".html", ".pdf", ".docx"}, ending) {
		return errs.New(errs.Invalid, fmt.Sprintf("%s ends in none of .html, .pdf and .docx", strconv.Quote(f.out)), "a page is .html, a document for a word processor .docx, and .pdf is to print")
	}
	if exists(f.out) {
		return errs.New(errs.Conflict, fmt.Sprintf("there is a file %s already", strconv.Quote(f.out)), "give another --out: somebody may have gone on with it")
	}
	var browser string
	if ending == ".pdf" { // before the passphrase is asked
		if browser, err = pdf.Find(f.browser); err != nil {
			return err
		}
	}
	w, err := openWorkspaceDir(ctx, env, f.dir, f.lock)
	if err != nil {
		return err
	}
	defer w.close(&err)
	pages, err := workspacepage.New(workspacepage.Config{Service: w.Service, Now: env.Now, Rand: env.Rand})
	if err != nil {
		return err
	}
	cfg := workspacepage.BriefConfig{Person: w.person, Survey: workspace.SurveyID(f.survey), Language: f.language, Marking: f.marking}
	var b bytes.Buffer
	if ending == ".docx" {
		err = pages.WriteBriefDocument(ctx, &b, cfg)
	} else {
		err = pages.WriteBrief(ctx, &b, cfg)
	}
	if err != nil {
		return err
	}
	body := b.Bytes()
	if ending == ".pdf" {
		// The browser's folder is in that of the workspace, and nowhere else.
		file, err := pdf.Print(ctx, pdf.Config{Browser: browser, Scratch: f.dir}, body)
		if err != nil {
			return err
		}
		if body = file.PDF; file.Pages != briefPages {
			warn(env, "the brief has %s and not %d: shorten the speaking points, or the plan's lines", plural(file.Pages, "1 page", "%d pages"), briefPages)
		}
	}
	dir := filepath.Dir(f.out)
	if err := realDisk().writeOutput(dir, []outputFile{{filepath.Base(f.out), body, 0o600}}, nil); err != nil {
		return placeError(err, dir, "make room there, or give another --out")
	}
	warn(env, "%s holds answers that anyone who has the file can read: it is %s, and for those to whom it is handed", f.out, f.marking)
	_, err = fmt.Fprintln(env.Out, f.out)
	return err
}
