package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/cycle"
	"muster/internal/edition"
	"muster/internal/errs"
	"muster/internal/pdf"
	"muster/internal/silence"
	yearpage "muster/internal/web/coordinator"
)

func newCoordinatorEditionCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "edition",
		Short: "Make of a release what allies, partners and the public read",
		Long: `Make of a release what each audience reads: the editions allied, partner, public, ports
and ai of a cycle. An edition is a text with a head and commentary in English and
French, in which every figure is a reference such as {A1.2 level 2-4 of}: it comes to
what the edition shows, and to a fault where that says nothing.

take keeps a release with its roster. write keeps a text as the next version, show
prints it with what is wrong. propose tries to work out one member's answer from
everything that was published, and asks a second of the staff, who approves on the
pages. What is for anybody outside the allied circle is then put under silence by its
chair, and hear keeps what the chair's steps say. publish lets whom it is for read it.`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(
		newEditionTakeCmd(env), newEditionListCmd(env), newEditionWriteCmd(env), newEditionShowCmd(env), newEditionProposeCmd(env), newEditionHearCmd(env),
		newEditionPublishCmd(env), newEditionWithdrawCmd(env), newEditionExportCmd(env),
	)
	return cmd
}

// editions returns the editions of a coordination.
func (c *coordination) editions(env Env) *edition.Service {
	return edition.New(edition.ServiceConfig{Store: c.db.Editions(), Year: c.Service, Now: env.Now})
}

// printer returns what prints a page as a tagged PDF, one at a time, or nil where the
// machine has no browser that does.
func printer(scratch string) func(context.Context, []byte) ([]byte, error) {
	browser, err := pdf.Find("")
	if err != nil {
		return nil
	}
	turn := make(chan struct{}, 1)
	return func(ctx context.Context, page []byte) ([]byte, error) {
		select {
		case turn <- struct{}{}:
			defer func() { <-turn }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		file, err := pdf.Print(ctx, pdf.Config{Browser: browser, Scratch: scratch}, page)
		if err != nil {
			return nil, err
		}
		return file.PDF, nil
	}
}

// editionArgs wants CYCLE EDITION and more.
func editionArgs(more ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 2+len(more) {
			return usageError(cmd, cmd.CommandPath()+" needs "+strings.Join(append([]string{"CYCLE", "EDITION"}, more...), " "))
		}
		if !edition.Name(args[1]).Known() {
			return usageError(cmd, fmt.Sprintf("EDITION cannot be %s; allowed: allied, partner, public, ports, ai", errs.Quote(args[1])))
		}
		return nil
	}
}

// withEdition runs fn on the edition that the arguments name.
func withEdition(cmd *cobra.Command, env Env, path string, args []string, fn func(*coordination, *edition.Service, cycle.ID, edition.Name) error) error {
	return coordinate(cmd.Context(), env, path, func(c *coordination) error {
		return fn(c, c.editions(env), cycle.ID(args[0]), edition.Name(args[1]))
	})
}

func newEditionTakeCmd(env Env) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "take FOLDER",
		Short: "Keep the release of a cycle, of which editions are made",
		Long: `Keep the release of a cycle, of which editions are made. FOLDER has release.json with
its signature, and the charter and the roster beside it; the release is the one that
both hosts have approved on the pages.`,
		Example: `  muster coordinator edition take result --config year/coordinator.yaml`,
		Args:    oneArg("FOLDER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := filepath.Join(args[0], releaseFile)
			past, err := readPast(file)
			if err != nil {
				return err
			}
			signed, err := readSigned(file, "release")
			if err != nil {
				return err
			}
			return coordinate(cmd.Context(), env, path, func(c *coordination) error {
				r, err := c.editions(env).Take(cmd.Context(), c.person, signed.Body, past.Members)
				if err == nil {
					say(env, "the release of %s is kept; write an edition of it: muster coordinator edition write %s allied FILE", r.Cycle, r.Cycle)
				}
				return err
			})
		},
	}
	configFlag(cmd, &path)
	return cmd
}

// listedEdition is what muster coordinator edition list --json prints.
type listedEdition struct {
	Cycle   cycle.ID      `json:"cycle"`
	Edition edition.Name  `json:"edition"`
	Version int           `json:"version"`
	State   edition.State `json:"state"`
	TLP     string        `json:"tlp,omitempty"`
	For     []string      `json:"for,omitempty"`
	Title   string        `json:"title,omitempty"`
	Embargo *time.Time    `json:"embargo,omitempty"`
	Until   *time.Time    `json:"silence_until,omitempty"`
}

func newEditionListCmd(env Env) *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the editions and where they stand",
		Example: `  muster coordinator edition list --config year/coordinator.yaml`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return coordinate(cmd.Context(), env, path, func(c *coordination) error {
				all, err := c.editions(env).List(cmd.Context(), c.person)
				if err != nil {
					return err
				}
				list := make([]listedEdition, len(all))
				for i, e := range all {
					list[i] = listedEdition{Cycle: e.Cycle, Edition: e.Name, Version: e.Number, State: e.State}
					if !e.Until.IsZero() {
						list[i].Until = &e.Until
					}
					if d := e.Document; d != nil {
						list[i].TLP, list[i].For, list[i].Title = d.TLP, d.For, d.Title.In("en")
						if d.Embargo > 0 {
							embargo := time.Unix(d.Embargo, 0).UTC()
							list[i].Embargo = &embargo
						}
					}
				}
				if asJSON {
					return json.NewEncoder(env.Out).Encode(map[string]any{"editions": list})
				}
				for _, e := range list {
					line := fmt.Sprintf("%s %s, version %d: %s", e.Cycle, e.Edition, e.Version, e.State)
					if e.Until != nil {
						line += " until " + e.Until.UTC().Format("2006-01-02 15:04 UTC")
					}
					if e.TLP != "" {
						line += "; " + e.TLP + " for " + strings.Join(e.For, ", ") + "; " + oneLine(e.Title)
					}
					if _, err := fmt.Fprintln(env.Out, line); err != nil {
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

func newEditionWriteCmd(env Env) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "write CYCLE EDITION FILE",
		Short: "Keep a text as the next version of an edition",
		Long: `Keep a text as the next version of an edition, also where it has faults: each is named
with its line and column. A number that somebody typed where a reference could stand is
warned of. show prints the text that an edition begins with.`,
		Example: `  muster coordinator edition write 2031 partner partner.txt --config year/coordinator.yaml`,
		Args:    editionArgs("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readInput(args[2], "edition")
			if err != nil {
				return err
			}
			return withEdition(cmd, env, path, args, func(c *coordination, s *edition.Service, id cycle.ID, name edition.Name) error {
				w, err := s.Write(cmd.Context(), c.person, id, name, string(text))
				if err != nil {
					return err
				}
				sayFaults(env, args[2], w.Made)
				say(env, "version %d of the edition %s is kept, with %s and %s", w.Number, name, plural(len(w.Faults), "1 fault", "%d faults"), plural(len(w.Warnings), "1 warning", "%d warnings"))
				return nil
			})
		},
	}
	configFlag(cmd, &path)
	return cmd
}

// sayFaults names what is wrong with a text.
func sayFaults(env Env, file string, made edition.Made) {
	for _, f := range made.Faults {
		f.File = file
		say(env, "fault: %s", f)
	}
	for _, f := range made.Warnings {
		f.File = file
		warn(env, "%s", f)
	}
}

func newEditionShowCmd(env Env) *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show CYCLE EDITION",
		Short:   "Print the text of an edition, and say where it stands",
		Example: `  muster coordinator edition show 2031 partner --config year/coordinator.yaml > partner.txt`,
		Args:    editionArgs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withEdition(cmd, env, path, args, func(c *coordination, s *edition.Service, id cycle.ID, name edition.Name) error {
				d, err := s.Draft(cmd.Context(), c.person, id, name)
				if err != nil {
					return err
				}
				if asJSON {
					faults := func(all errs.Faults) []string {
						list := make([]string, len(all))
						for i, f := range all {
							list[i] = f.String()
						}
						return list
					}
					return json.NewEncoder(env.Out).Encode(map[string]any{
						"version": d.Number, "state": d.State, "digest": d.Digest, "text": d.Text, "faults": faults(d.Faults), "warnings": faults(d.Warnings), "request": d.Request,
					})
				}
				sayFaults(env, string(name), d.Made)
				say(env, "version %d, %s", d.Number, d.State)
				_, err = fmt.Fprint(env.Out, d.Text)
				return err
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newEditionProposeCmd(env Env) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "propose CYCLE EDITION",
		Short: "Ask a second of the staff to approve the last version",
		Long: `Ask a second of the staff to approve the last version of an edition, on the pages. First
the attack runs over everything that was ever released and published, with this edition:
where it could work out an answer nothing is asked.`,
		Example: `  muster coordinator edition propose 2031 partner --config year/coordinator.yaml`,
		Args:    editionArgs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withEdition(cmd, env, path, args, func(c *coordination, s *edition.Service, id cycle.ID, name edition.Name) error {
				d, number, err := s.Propose(cmd.Context(), c.person, id, name)
				if err == nil {
					say(env, "nothing could be worked out; request %d, of version %d of the edition %s, waits for a second of the staff on the pages", number, d.Number, name)
				}
				return err
			})
		},
	}
	configFlag(cmd, &path)
	return cmd
}

func newEditionHearCmd(env Env) *cobra.Command {
	var path, charter string
	var steps []string
	cmd := &cobra.Command{
		Use:   "hear CYCLE EDITION --charter FILE --steps FOLDER",
		Short: "Keep what the chair of the silence procedure said about an edition",
		Long: `Keep what the chair of the silence procedure said about the last version of an edition:
that it is under silence and until when, that it was adopted, or reopened. The chair
signs with the key in the cycle's charter, and has to have asked every member.`,
		Example: `  muster coordinator edition hear 2031 partner --config year/coordinator.yaml --charter charter.json --steps from-chair`,
		Args:    editionArgs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := missingFlags(cmd, "charter", "steps"); err != nil {
				return err
			}
			signed, _, err := openCharter(charter)
			if err != nil {
				return err
			}
			t, err := readTravelled(steps)
			if err != nil {
				return err
			}
			return withEdition(cmd, env, path, args, func(c *coordination, s *edition.Service, id cycle.ID, name edition.Name) error {
				p, err := s.Hear(cmd.Context(), c.person, id, name, signed, t.steps)
				if err != nil {
					return err
				}
				until := ""
				if p.State == silence.UnderSilence {
					until = " until " + time.Unix(p.Until, 0).UTC().Format("2006-01-02 15:04 UTC")
				}
				say(env, "the edition %s is %s%s", name, p.State, until)
				return nil
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&charter, "charter", "", "the charter of the cycle (required)")
	cmd.Flags().StringArrayVar(&steps, "steps", nil, "the steps of the silence procedure, a folder or files; may be repeated (required)")
	return cmd
}

func newEditionPublishCmd(env Env) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:     "publish CYCLE EDITION",
		Short:   "Let whom an edition is for read it, once its embargo ends",
		Example: `  muster coordinator edition publish 2031 partner --config year/coordinator.yaml`,
		Args:    editionArgs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withEdition(cmd, env, path, args, func(c *coordination, s *edition.Service, id cycle.ID, name edition.Name) error {
				d, err := s.Publish(cmd.Context(), c.person, id, name)
				if err != nil {
					return err
				}
				when := "now"
				if at := time.Unix(d.Embargo, 0); at.After(env.Now()) {
					when = "from " + at.UTC().Format("2006-01-02 15:04 UTC") + " on"
				}
				say(env, "version %d of the edition %s is published: it is read %s by %s", d.Number, name, when, strings.Join(d.For, ", "))
				say(env, "enter it in the ledger: muster ledger add --edition %s=FILE, with what muster coordinator edition export --as-approved writes", name)
				return nil
			})
		},
	}
	configFlag(cmd, &path)
	return cmd
}

func newEditionWithdrawCmd(env Env) *cobra.Command {
	var path, reason string
	cmd := &cobra.Command{
		Use:     "withdraw CYCLE EDITION --reason TEXT",
		Short:   "Take back the version of an edition that is published",
		Example: `  muster coordinator edition withdraw 2031 partner --config year/coordinator.yaml --reason "a wrong title"`,
		Args:    editionArgs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := missingFlags(cmd, "reason"); err != nil {
				return err
			}
			return withEdition(cmd, env, path, args, func(c *coordination, s *edition.Service, id cycle.ID, name edition.Name) error {
				err := s.Withdraw(cmd.Context(), c.person, id, name, reason)
				if err == nil {
					say(env, "the edition %s is withdrawn; copies that were taken are where they are", name)
				}
				return err
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&reason, "reason", "", "why, as whom it was for may be told (required)")
	return cmd
}

// editionExportFlags say how an edition is written.
type editionExportFlags struct {
	out, language, recipient string
	asApproved               bool
}

func newEditionExportCmd(env Env) *cobra.Command {
	var path string
	var f editionExportFlags
	cmd := &cobra.Command{
		Use:   "export CYCLE EDITION --out FILE",
		Short: "Write an edition as a file for somebody",
		Long: `Write an edition as a file: a page (.html), a tagged PDF (.pdf), a document for a word
processor (.docx), a workbook (.xlsx), .csv or .json. --for says whose copy it is, and
stands in the file.

With --as-approved it is exactly the file that was proposed, whose digest is approved,
put under silence and entered in the ledger.`,
		Example: `  muster coordinator edition export 2031 partner --config year/coordinator.yaml --out partner.docx --for "Dan Okafor, Farhaven"
  muster coordinator edition export 2031 partner --config year/coordinator.yaml --out edition.json --as-approved`,
		Args: editionArgs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := missingFlags(cmd, "out"); err != nil {
				return err
			}
			return withEdition(cmd, env, path, args, func(c *coordination, s *edition.Service, id cycle.ID, name edition.Name) error {
				return c.exportEdition(cmd.Context(), env, s, id, name, f)
			})
		},
	}
	configFlag(cmd, &path)
	flags := cmd.Flags()
	flags.StringVar(&f.out, "out", "", "the file to write (required)")
	flags.StringVar(&f.language, "lang", "en", "en or fr")
	flags.StringVar(&f.recipient, "for", "", "whose copy it is")
	flags.BoolVar(&f.asApproved, "as-approved", false, "the file as it was proposed, byte for byte")
	return cmd
}

func (c *coordination) exportEdition(ctx context.Context, env Env, s *edition.Service, id cycle.ID, name edition.Name, f editionExportFlags) error {
	format := strings.TrimPrefix(strings.ToLower(filepath.Ext(f.out)), ".")
	switch {
	case !slices.Contains([]string{"html", "pdf", "docx", "xlsx", "csv", "json"}, format) || f.asApproved && format != "json":
		return errs.New(errs.Invalid, strconv.Quote(f.out)+" does not end as an edition is written", "html, pdf, docx, xlsx, csv, json; with --as-approved json alone")
	case f.language != "en" && f.language != "fr":
		return errs.New(errs.Invalid, "--lang cannot be "+errs.Quote(f.language)+"; allowed: en, fr", "")
	case exists(f.out):
		return errs.New(errs.Conflict, fmt.Sprintf("there is a file %s already", strconv.Quote(f.out)), "give another --out")
	}
	e, body, err := s.File(ctx, c.person, id, name, 0)
	if err != nil {
		return err
	}
	if !f.asApproved {
		cfg := yearpage.Config{Service: c.Service, Editions: s, Now: env.Now}
		if format == "pdf" {
			if _, err := pdf.Find(""); err != nil {
				return err
			}
			cfg.Print = printer(filepath.Dir(c.path))
		}
		pages, err := yearpage.New(cfg)
		if err != nil {
			return err
		}
		if body, err = pages.Export(ctx, yearpage.Export{Document: e.Document, Lang: f.language, For: f.recipient, Format: format}); err != nil {
			return err
		}
	}
	dir := filepath.Dir(f.out)
	if err := realDisk().writeOutput(dir, []outputFile{{filepath.Base(f.out), body, 0o600}}, nil); err != nil {
		return placeError(err, dir, "make room there, or give another --out")
	}
	say(env, "version %d of the edition %s, %s, %s, is in %s", e.Number, name, e.State, e.Document.TLP, f.out)
	return nil
}
