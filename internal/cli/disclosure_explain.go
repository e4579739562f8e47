package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/release"
)

type explainFlags struct {
	language string
	json     bool
}

func newExplainCmd(env Env) *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain RELEASE",
		Short: "Say for each outcome of a release what was merged or not shown, and why",
		Long: `Say for each outcome of a release what is shown together or not at all, and why,
in plain words, English or French.

What is said follows from the release alone. A reason never says more than the
numbers beside it: whether a group of levels is one member or five away from
being shown is not in the file.`,
		Example: `  muster disclosure explain result/release.json
  muster disclosure explain result/release.json --language fr`,
		Args: oneArg("RELEASE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.language != "en" && f.language != "fr" {
				return usageError(cmd, "--language cannot be "+errs.Quote(f.language)+"; allowed: en, fr")
			}
			return runExplain(env, args[0], f)
		},
	}
	cmd.Flags().StringVar(&f.language, "language", "en", "en or fr")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one object for each block, as a JSON list")
	return cmd
}

func runExplain(env Env, path string, f explainFlags) error {
	r, err := readRelease(path)
	if err != nil {
		return err
	}
	explained := r.Explain()
	if f.json {
		return writeJSON(env.Out, explained)
	}
	w := &explainer{r: r, language: f.language}
	w.write(explained)
	_, err = io.WriteString(env.Out, w.out.String())
	return err
}

// readRelease reads one release.json. Whose signature it has is another question.
func readRelease(path string) (*release.Release, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, errs.Wrap(err, errs.NotFound, because(fmt.Sprintf("the release %s cannot be read", errs.Quote(path)), err), "")
	}
	r, err := release.Parse(b)
	if err != nil {
		d := errs.Describe(err)
		return nil, errs.Wrap(err, errs.Invalid, fmt.Sprintf("%s: %s", errs.Quote(path), d.Message), d.Hint)
	}
	return r, nil
}

// writeJSON prints data for a program, one value with a line end.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// explainer writes explanations as text.
type explainer struct {
	r        *release.Release
	language string
	out      strings.Builder
}

// of returns a text in the language asked for, or in the first of the framework
// where the pack does not have it.
func (w *explainer) of(text framework.Text) string {
	if s := text.In(w.language); s != "" {
		return s
	}
	return text.In(w.r.Framework.Languages[0])
}

// say returns one of muster's own sentences.
func (w *explainer) say(en, fr string) string {
	if w.language == "fr" {
		return fr
	}
	return en
}

func (w *explainer) paragraph(indent int, text string) {
	for _, line := range wrap(text, maxProse-indent) {
		w.out.WriteString(strings.Repeat(" ", indent) + line + "\n")
	}
}

func (w *explainer) write(explained []release.Explanation) {
	r := w.r
	head := r.Coalition + ", " + r.Cycle + ", " + r.Cohort
	if r.Marking != "" {
		head = r.Marking + " · " + head
	}
	w.paragraph(0, head)
	w.paragraph(0, w.of(r.Framework.Title))
	w.out.WriteString("\n")
	full, merged, silent := 0, 0, 0
	for _, e := range explained {
		switch {
		case e.Words == nil:
			full++
		case len(e.Merged) > 0:
			merged++
		default:
			silent++
		}
	}
	if w.language == "fr" {
		w.paragraph(0, fmt.Sprintf("Décomptes : %d. Montrés en entier : %d ; avec des niveaux réunis : %d ; non montrés : %d.", len(explained), full, merged, silent))
	} else {
		w.paragraph(0, fmt.Sprintf("Counts: %d. Shown in full: %d; with levels taken together: %d; not shown: %d.", len(explained), full, merged, silent))
	}
	if merged+silent > 0 {
		w.paragraph(0, w.say("Why: ", "Pourquoi : ")+w.of(release.TooFew.Words()))
	}
	for _, statement := range r.Method {
		if statement.ID == "bands" || statement.ID == "turnover" {
			w.paragraph(0, w.of(statement.Text))
		}
	}
	subject, whole := "", true
	end := func() {
		if subject != "" && whole {
			w.paragraph(2, w.say("Everything is shown.", "Tout est montré."))
		}
	}
	for _, e := range explained {
		if e.Subject != subject {
			end()
			subject, whole = e.Subject, true
			w.out.WriteString("\n")
			w.paragraph(0, e.Subject+"  "+w.of(e.Title))
		}
		if e.Words == nil {
			continue
		}
		whole = false
		text := w.of(release.KindWords(e.Kind)) + w.say(": ", " : ") + w.of(e.Words)
		if e.Reason != release.TooFew && e.Reason != "" {
			text += " " + w.of(e.Why)
		}
		w.paragraph(2, text)
	}
	end()
}
