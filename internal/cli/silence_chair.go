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

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/silence"
)

// chairFlags are those that the chair's commands share.
type chairFlags struct {
	dir, procedure string
	asJSON         bool
}

func (f *chairFlags) register(cmd *cobra.Command) {
	dirFlag(cmd, &f.dir, "the chair")
	cmd.Flags().StringVar(&f.procedure, "procedure", "", "the procedure, or the beginning of its id (default: the only one)")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
}

// actFlags are those of the commands that sign a step.
type actFlags struct {
	chairFlags
	stepEntry
}

func (f *actFlags) register(cmd *cobra.Command) {
	f.chairFlags.register(cmd)
	f.stepEntry.register(cmd)
}

// act opens the chair's folder, does one thing to a procedure, writes the files
// that go out, prints where the procedure stands then and enters its steps in the ledger.
func (f *actFlags) act(ctx context.Context, env Env, do func(c *chairFolder, id string) (silence.Procedure, error)) error {
	c, err := openChair(env, f.dir)
	if err != nil {
		return err
	}
	id, err := c.procedure(f.procedure)
	if err != nil {
		return err
	}
	to, err := c.entering(id, f.stepEntry)
	if err != nil {
		return err
	}
	if _, err = do(c, id); err != nil {
		// What was due is settled also where the command is refused.
		if sendErr := c.send(ctx, id); sendErr != nil {
			return sendErr
		}
		return err
	}
	if err := c.report(ctx, env, id, f.asJSON); err != nil {
		return err
	}
	return c.enter(ctx, env, id, to)
}

// report writes the files of a procedure that go out, and prints where it stands.
func (c *chairFolder) report(ctx context.Context, env Env, id string, asJSON bool) error {
	if err := c.send(ctx, id); err != nil {
		return err
	}
	v, err := c.view(ctx, id)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(env.Out).Encode(v)
	}
	if err := v.write(env.Out); err != nil {
		return err
	}
	say(env, "the files for all parties are in %s", c.sendFolder(id))
	return nil
}

func (c *chairFolder) sendFolder(id string) string {
	return filepath.Join(c.dir, silenceFolder, id, "send")
}

// send writes the steps and comments of a procedure as files for its parties. What
// is there already stays.
func (c *chairFolder) send(ctx context.Context, id string) error {
	_, steps, _, err := c.chair.Show(ctx, id)
	if err != nil {
		return err
	}
	comments, err := c.chair.Comments(ctx, id)
	if err != nil {
		return err
	}
	dir := c.sendFolder(id)
	if err := c.store.makeFolder(dir); err != nil {
		return err
	}
	for prefix, files := range map[string][]coalition.SignedFile{"step": steps, "comment": comments} {
		for i, file := range files {
			path := filepath.Join(dir, fmt.Sprintf("%s-%d.json", prefix, i))
			if exists(path) && exists(path+sigExt) {
				continue // whoever changed it fools nobody: it is signed
			}
			if err := keepSigned(path, file, errs.New(errs.Conflict, strconv.Quote(path)+" is another file than was signed", "move it away")); err != nil {
				return placeError(err, dir, "make room there, and run the command again; what was decided is kept")
			}
		}
	}
	return nil
}

// view reads a procedure for people.
func (c *chairFolder) view(ctx context.Context, id string) (*silenceView, error) {
	p, steps, due, err := c.chair.Show(ctx, id)
	if err != nil {
		return nil, err
	}
	comments, err := c.chair.Comments(ctx, id)
	if err != nil {
		return nil, err
	}
	v, err := newSilenceView(c.signer.Public(), p, steps, comments)
	if err == nil {
		v.Due = due
	}
	return v, err
}

type proposeFlags struct {
	chairFlags
	stepEntry
	kind, name, parties, comments, period string
	cohorts                               []string
}

func newSilenceProposeCmd(env Env) *cobra.Command {
	var f proposeFlags
	cmd := &cobra.Command{
		Use:   "propose TEXT --comments DAY --period 5d",
		Short: "Lay a text before the parties",
		Long: `Lay a text before the parties, for comments until a moment. TEXT is a charter that
its coordinator has signed, or any file with --kind edition or statement. The
parties are the members of the charter, or of the one that --parties names; --cohort
takes some of its cohorts. --period is how long every party has at least to break
the silence once the text is put under it.

Where the coordinator's collect.yaml names a ledger, or --ledger does, this step and
every later one of the procedure is entered there by the command that signs it, and
witnesses are asked to see it: the charter need not be signed by the hosts yet.`,
		Example: `  muster silence propose charter.json --dir coordinator --comments 2026-06-01 --period 5d
  muster silence propose statement.txt --kind statement --parties charter.json --comments 2026-10-02T12:00:00Z --period 24h`,
		Args: oneArg("TEXT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := missingFlags(cmd, "comments", "period"); err != nil {
				return err
			}
			return runSilencePropose(cmd.Context(), env, args[0], f)
		},
	}
	dirFlag(cmd, &f.dir, "the chair")
	flags := cmd.Flags()
	flags.StringVar(&f.kind, "kind", "", "edition or statement, where the text is no charter")
	flags.StringVar(&f.name, "name", "", "what people call the text (default: \"charter CYCLE\", or the name of the file)")
	flags.StringVar(&f.parties, "parties", "", "the charter whose members are the parties, where the text is no charter")
	flags.StringSliceVar(&f.cohorts, "cohort", nil, "a cohort of the charter whose members are parties (default: all)")
	flags.StringVar(&f.comments, "comments", "", "until when comments are heard: a day, which begins in UTC, or RFC 3339 (required)")
	flags.StringVar(&f.period, "period", "", "how long the silence lasts at least: 5d, 72h (required)")
	f.stepEntry.register(cmd)
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
	return cmd
}

func runSilencePropose(ctx context.Context, env Env, path string, f proposeFlags) error {
	c, err := openChair(env, f.dir)
	if err != nil {
		return err
	}
	proposal := silence.Proposal{Recipient: c.config.Recipient}
	if proposal.Comments, err = parseTime("comments", f.comments); err != nil {
		return err
	}
	if proposal.Period, err = parsePeriod("period", f.period); err != nil {
		return err
	}
	var charter coalition.Charter
	if proposal.Subject, charter, err = c.subject(path, f); err != nil {
		return err
	}
	if proposal.Parties, err = charterParties(charter, f.cohorts); err != nil {
		return err
	}
	if f.cycle == "" {
		f.cycle = charter.Cycle
	}
	to, err := c.entering("", f.stepEntry)
	if err != nil {
		return err
	}
	p, err := c.chair.Propose(ctx, proposal)
	if err != nil {
		return err
	}
	if err := c.keepCycle(p.ID, f.cycle); err != nil {
		return err
	}
	if err := c.report(ctx, env, p.ID, f.asJSON); err != nil {
		return err
	}
	return c.enter(ctx, env, p.ID, to)
}

// subject reads the text that is proposed, and the charter whose members decide.
func (c *chairFolder) subject(path string, f proposeFlags) (silence.Subject, coalition.Charter, error) {
	body, err := readInput(path, "text")
	if err != nil {
		return silence.Subject{}, coalition.Charter{}, err
	}
	s := silence.Subject{Digest: keys.Digest(body), Name: f.name}
	if strings.HasPrefix(kindOf(body), "muster charter ") {
		if f.kind != "" && f.kind != string(silence.Charter) || f.parties != "" {
			return s, coalition.Charter{}, errs.New(errs.Invalid, "a charter is adopted by its own members", "leave --kind and --parties out")
		}
		charter, err := c.ownCharter(path)
		if s.Kind = silence.Charter; s.Name == "" {
			s.Name = "charter " + charter.Cycle
		}
		return s, charter, err
	}
	s.Kind = silence.SubjectKind(f.kind)
	if s.Kind != silence.Edition && s.Kind != silence.Statement {
		return s, coalition.Charter{}, errs.New(errs.Invalid, fmt.Sprintf("--kind cannot be %s; allowed: edition, statement", errs.Quote(f.kind)), "a charter is known without it")
	}
	if f.parties == "" {
		return s, coalition.Charter{}, errs.New(errs.Invalid, "it is not said who decides on the text", "name the charter whose members are the parties with --parties")
	}
	if s.Name == "" {
		s.Name = filepath.Base(path)
	}
	charter, err := c.ownCharter(f.parties)
	return s, charter, err
}

// ownCharter reads a charter that this chair, as the coordinator, has signed, or
// that is complete.
func (c *chairFolder) ownCharter(path string) (coalition.Charter, error) {
	_, charter, err := readSignedCharter(path)
	if err != nil {
		return charter, err
	}
	if charter.Coalition != c.config.Coalition {
		return charter, errs.New(errs.Conflict, fmt.Sprintf("the charter %s is of the coalition %s, and this folder is of the chair of %s", strconv.Quote(path), errs.Quote(charter.Coalition), errs.Quote(c.config.Coalition)), "")
	}
	return charter, nil
}

// charterParties returns the members of cohorts, or of all, each once.
func charterParties(charter coalition.Charter, cohorts []string) ([]silence.Party, error) {
	known := make(map[coalition.MemberID]keys.Public)
	var parties []silence.Party
	for _, id := range cohorts {
		if _, err := chooseCohort(charter, id); err != nil {
			return nil, err
		}
	}
	for _, cohort := range charter.Cohorts {
		if cohorts != nil && !slices.Contains(cohorts, cohort.ID) {
			continue
		}
		for _, m := range cohort.Members {
			if key, there := known[m.ID]; there {
				if key != m.Key {
					return nil, errs.New(errs.Invalid, fmt.Sprintf("%s has two keys in the charter", m.ID), "say with --cohort in which cohort its key counts")
				}
				continue
			}
			known[m.ID] = m.Key
			parties = append(parties, silence.Party{Member: m.ID, Key: m.Key})
		}
	}
	return parties, nil
}

func newSilencePutCmd(env Env) *cobra.Command {
	var f actFlags
	var until, amended string
	cmd := &cobra.Command{
		Use:   "put --until DAY",
		Short: "Put the text under silence",
		Long: `Put the text under silence until a moment: a round. If nobody has broken the silence
by then, the text is adopted. --amended gives the text as it was changed since; it
keeps its kind and name. A charter whose members are not all parties is refused:
admit them first.`,
		Example: `  muster silence put --dir coordinator --until 2026-06-08
  muster silence put --dir coordinator --amended charter-2.json --until 2026-06-20`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := missingFlags(cmd, "until"); err != nil {
				return err
			}
			end, err := parseTime("until", until)
			if err != nil {
				return err
			}
			return f.act(cmd.Context(), env, func(c *chairFolder, id string) (silence.Procedure, error) {
				digest, err := c.amendment(cmd.Context(), id, amended)
				if err != nil {
					return silence.Procedure{}, err
				}
				return c.chair.Put(cmd.Context(), id, digest, end)
			})
		},
	}
	f.register(cmd)
	cmd.Flags().StringVar(&until, "until", "", "the end of the silence: a day, which begins in UTC, or RFC 3339 (required)")
	cmd.Flags().StringVar(&amended, "amended", "", "the text as it is now, where it was changed")
	return cmd
}

// amendment returns the digest of an amended text, or "" for none.
func (c *chairFolder) amendment(ctx context.Context, id, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	p, _, _, err := c.chair.Show(ctx, id)
	if err != nil {
		return "", err
	}
	if p.Subject.Kind == silence.Charter {
		charter, err := c.ownCharter(path)
		if err != nil {
			return "", err
		}
		parties, err := charterParties(charter, nil)
		if err != nil {
			return "", err
		}
		for _, party := range parties {
			if key, there := p.Party(party.Member); !there || key != party.Key {
				return "", errs.New(errs.Conflict, fmt.Sprintf("%s is a member of the amended charter, and with its key no party of the procedure", party.Member), "muster silence admit entitles who joined; for another key, withdraw the text and propose it anew")
			}
		}
	}
	return fileDigest(path)
}

func newSilenceExtendCmd(env Env) *cobra.Command {
	var f actFlags
	var until, reason string
	cmd := &cobra.Command{
		Use:     "extend --until DAY --reason TEXT",
		Short:   "Move the end of comments or of silence to a later moment",
		Example: `  muster silence extend --dir coordinator --until 2026-06-12 --reason "a holiday in between"`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := missingFlags(cmd, "until", "reason"); err != nil {
				return err
			}
			end, err := parseTime("until", until)
			if err != nil {
				return err
			}
			return f.act(cmd.Context(), env, func(c *chairFolder, id string) (silence.Procedure, error) {
				return c.chair.Extend(cmd.Context(), id, end, reason)
			})
		},
	}
	f.register(cmd)
	cmd.Flags().StringVar(&until, "until", "", "the new end: a day, which begins in UTC, or RFC 3339 (required)")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for all parties to read (required)")
	return cmd
}

func newSilenceAdmitCmd(env Env) *cobra.Command {
	var f actFlags
	var key string
	cmd := &cobra.Command{
		Use:   "admit MEMBER --key KEY",
		Short: "Entitle a party that joined late",
		Long: `Entitle a party that joined late. Under silence it has as long as everyone was
promised; where less is left, extend the silence first.`,
		Example: `  muster silence admit Nordhavn --dir coordinator --key Nordhavn+1f2e…`,
		Args:    oneArg("MEMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := missingFlags(cmd, "key"); err != nil {
				return err
			}
			member, err := coalition.ParseMemberID(args[0])
			if err != nil {
				return err
			}
			if err := keys.Public(key).Check(); err != nil {
				return err
			}
			return f.act(cmd.Context(), env, func(c *chairFolder, id string) (silence.Procedure, error) {
				return c.chair.Admit(cmd.Context(), id, silence.Party{Member: member, Key: keys.Public(key)})
			})
		},
	}
	f.register(cmd)
	cmd.Flags().StringVar(&key, "key", "", "its public key, as muster submit init printed it (required)")
	return cmd
}

func newSilenceReopenCmd(env Env) *cobra.Command {
	var f actFlags
	cmd := &cobra.Command{
		Use:   "reopen",
		Short: "Open a text again before its time is over",
		Long: `Open a text under silence again before its time is over. It needs no break, and says
nothing of one: whether somebody broke the silence shows when the time is over.`,
		Example: `  muster silence reopen --dir coordinator`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.act(cmd.Context(), env, func(c *chairFolder, id string) (silence.Procedure, error) {
				return c.chair.Reopen(cmd.Context(), id)
			})
		},
	}
	f.register(cmd)
	return cmd
}

func newSilenceWithdrawCmd(env Env) *cobra.Command {
	var f actFlags
	var reason string
	cmd := &cobra.Command{
		Use:     "withdraw --reason TEXT",
		Short:   "Take a text back",
		Example: `  muster silence withdraw --dir coordinator --reason "superseded"`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := missingFlags(cmd, "reason"); err != nil {
				return err
			}
			return f.act(cmd.Context(), env, func(c *chairFolder, id string) (silence.Procedure, error) {
				return c.chair.Withdraw(cmd.Context(), id, reason)
			})
		},
	}
	f.register(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why, for all parties to read (required)")
	return cmd
}

func newSilenceSettleCmd(env Env) *cobra.Command {
	var f actFlags
	cmd := &cobra.Command{
		Use:   "settle",
		Short: "State the outcome of a silence that is over",
		Long: `State the outcome of a silence whose time is over: adopted if nobody broke it, else
reopened. Before that it changes nothing, and it may be repeated.`,
		Example: `  muster silence settle --dir coordinator`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.act(cmd.Context(), env, func(c *chairFolder, id string) (silence.Procedure, error) {
				return c.chair.Settle(cmd.Context(), id)
			})
		},
	}
	f.register(cmd)
	return cmd
}

// momentText says a moment of a procedure, or that there is none.
func momentText(seconds int64) string { return dayText(time.Unix(seconds, 0)) }
