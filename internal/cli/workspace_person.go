package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/account"
	"muster/internal/config"
	"muster/internal/errs"
	webaccount "muster/internal/web/account"
	"muster/internal/workspace"
)

func newWorkspacePersonCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "person",
		Short: "Say who uses a workspace that several share",
		Long: `Say who uses a workspace that is served with muster workspace serve --team, and as
what. It is done on the machine of the workspace, by who can open it; the workspace
may be served meanwhile, and what is changed counts from the next request.

The roles:
  lead         does everything but to verify and to sign off
  contributor  answers for bodies (--body), in the sections that list them
  verifier     looks at a sample, and gives an opinion
  approver     decides at steps of the sign-off (--step)
  reader       sees everything and changes nothing`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newPersonInviteCmd(env), newPersonListCmd(env), newPersonRoleCmd(env), newPersonRecoverCmd(env), newPersonSignOutCmd(env), newPersonRemoveCmd(env), newPersonHistoryCmd(env))
	return cmd
}

// roleFlags say what somebody is.
type roleFlags struct{ roles, bodies, steps []string }

func (f *roleFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.roles, "role", nil, "lead, contributor, verifier, approver or reader; several with commas (required)")
	flags.StringSliceVar(&f.bodies, "body", nil, "ids of the bodies that a contributor answers for")
	flags.StringSliceVar(&f.steps, "step", nil, "ids of the steps at which an approver decides")
}

// grants returns the roles. Bodies and steps without their role are a mistake that
// would give somebody less than was meant.
func (f roleFlags) grants() ([]account.Grant, error) {
	var all []account.Grant
	seen := make(map[string]bool)
	for _, name := range f.roles {
		grant := account.Grant{Role: name}
		switch workspace.Role(name) {
		case workspace.RoleContributor:
			grant.Of = f.bodies
		case workspace.RoleApprover:
			grant.Of = f.steps
		}
		seen[name] = true
		all = append(all, grant)
	}
	if len(f.bodies) > 0 && !seen[string(workspace.RoleContributor)] {
		return nil, errs.New(errs.Invalid, "--body is for a contributor", "add --role contributor, or leave --body out")
	}
	if len(f.steps) > 0 && !seen[string(workspace.RoleApprover)] {
		return nil, errs.New(errs.Invalid, "--step is for an approver", "add --role approver, or leave --step out")
	}
	return all, nil
}

// people opens the people of a workspace.
func (w *openWorkspace) people(env Env) (*account.Service, error) {
	return account.New(account.Config{Store: w.db.Accounts(), Now: env.Now, Rand: env.Rand, Roles: workspace.AccountRoles()})
}

// personFlags are what all commands about people have.
type personFlags struct {
	dir  string
	lock lockFlags
}

func (f *personFlags) add(cmd *cobra.Command) {
	dirFlag(cmd, &f.dir, "the workspace")
	f.lock.add(cmd)
}

// with opens a workspace and its people for fn.
func (f personFlags) with(ctx context.Context, env Env, fn func(*openWorkspace, *account.Service) error) (err error) {
	w, err := openWorkspaceDir(ctx, env, f.dir, f.lock)
	if err != nil {
		return err
	}
	defer w.close(&err)
	people, err := w.people(env)
	if err != nil {
		return err
	}
	return fn(w, people)
}

func newPersonInviteCmd(env Env) *cobra.Command {
	var (
		f     personFlags
		roles roleFlags
		team  string
		valid time.Duration
	)
	cmd := &cobra.Command{
		Use:   "invite NAME --role ROLE --team FILE",
		Short: "Invite somebody, and print the address that lets her in once",
		Long: `Invite somebody to a workspace and print the address of the invitation. It lets one
browser in, once, in which a passkey is registered or the identity at the
organisation's provider is bound: give it to nobody but that person, by a way that
others do not read.`,
		Example: `  muster workspace person invite "Ines Calloway" --dir ostmere --team ostmere/team.yaml --role contributor --body interior`,
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config.ReadTeam(team)
			if err != nil {
				return err
			}
			grants, err := roles.grants()
			if err != nil {
				return err
			}
			return f.with(cmd.Context(), env, func(w *openWorkspace, people *account.Service) error {
				if err := w.known(cmd.Context(), env, roles); err != nil {
					return err
				}
				token, err := people.Invite(cmd.Context(), w.person.Name, account.Invitee{Name: args[0], Grants: grants, Valid: valid})
				if err != nil {
					return err
				}
				return printInvitation(env, cfg, args[0], token, valid)
			})
		},
	}
	f.add(cmd)
	roles.add(cmd)
	teamFlag(cmd, &team)
	validFlag(cmd, &valid)
	return cmd
}

func teamFlag(cmd *cobra.Command, team *string) {
	cmd.Flags().StringVar(team, "team", "team.yaml", "the configuration with which the workspace is served")
}

func validFlag(cmd *cobra.Command, valid *time.Duration) {
	cmd.Flags().DurationVar(valid, "valid", account.DefaultValid, "how long the invitation is good")
}

// known says which bodies and steps are not there yet: they may come, but are more
// often misspelled.
func (w *openWorkspace) known(ctx context.Context, env Env, f roleFlags) error {
	if len(f.bodies) == 0 && len(f.steps) == 0 {
		return nil
	}
	there := make(map[string]bool)
	bodies, err := w.Bodies(ctx, w.person)
	if err != nil {
		return err
	}
	for _, b := range bodies {
		there["body "+b.ID] = true
	}
	surveys, err := w.Surveys(ctx, w.person)
	if err != nil {
		return err
	}
	for _, s := range surveys {
		so, err := w.SignOff(ctx, w.person, s.ID)
		if err != nil {
			return err
		}
		for _, step := range so.Chain {
			there["step "+step.ID] = true
		}
	}
	for _, body := range f.bodies {
		if !there["body "+body] {
			warn(env, "the workspace lists no body %s yet", errs.Quote(body))
		}
	}
	for _, step := range f.steps {
		if !there["step "+step] {
			warn(env, "no chain of the workspace has a step %s yet", errs.Quote(step))
		}
	}
	return nil
}

// invitationAddress returns the address that lets somebody in.
func invitationAddress(cfg *config.Team, token string) string {
	return cfg.URL + webaccount.Base + "/en/join?" + url.Values{"invitation": {token}}.Encode()
}

func printInvitation(env Env, cfg *config.Team, name, token string, valid time.Duration) error {
	if _, err := fmt.Fprintln(env.Out, invitationAddress(cfg, token)); err != nil {
		return err
	}
	say(env, "this address lets %s in, once, until %s; it is not shown again", name, env.Now().Add(valid).UTC().Format("2006-01-02 15:04 UTC"))
	return nil
}

// personStatus is a person as muster workspace person list --json prints her.
type personStatus struct {
	Name     string          `json:"name"`
	Grants   []account.Grant `json:"grants"`
	State    string          `json:"state"` // invited, expired, joined, removed
	Passkeys int             `json:"passkeys"`
	Provider bool            `json:"provider"`
	Invited  *time.Time      `json:"invited_until,omitempty"`
	Seen     *time.Time      `json:"signed_in,omitempty"` // last
}

func statusOf(m account.Member) personStatus {
	s := personStatus{Name: m.Name, Grants: m.Grants, State: "joined"}
	for _, c := range m.Credentials {
		if c.Kind == account.KindPasskey {
			s.Passkeys++
		} else {
			s.Provider = true
		}
	}
	if !m.Invited.IsZero() {
		s.Invited = &m.Invited
	}
	if !m.Seen.IsZero() {
		s.Seen = &m.Seen
	}
	switch {
	case !m.Active():
		s.State = "removed"
	case s.Invited != nil:
		s.State = "invited"
	case len(m.Credentials) == 0:
		s.State = "expired"
	}
	return s
}

func newPersonListCmd(env Env) *cobra.Command {
	var (
		f      personFlags
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List who uses a workspace, and as what",
		Example: `  muster workspace person list --dir ostmere`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd.Context(), env, func(_ *openWorkspace, people *account.Service) error {
				all, err := people.People(cmd.Context())
				if err != nil {
					return err
				}
				list := make([]personStatus, len(all))
				for i, m := range all {
					list[i] = statusOf(m)
				}
				if asJSON {
					return json.NewEncoder(env.Out).Encode(map[string]any{"people": list})
				}
				if len(list) == 0 {
					say(env, "nobody was invited yet; begin with yourself: muster workspace person invite NAME --role lead")
				}
				for _, s := range list {
					if _, err := fmt.Fprintf(env.Out, "%s: %s; %s\n", s.Name, rolesText(s.Grants), stateText(s, "muster workspace")); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func rolesText(grants []account.Grant) string {
	words := make([]string, len(grants))
	for i, g := range grants {
		words[i] = g.Role
		if len(g.Of) > 0 {
			words[i] += " (" + strings.Join(g.Of, ", ") + ")"
		}
	}
	return strings.Join(words, ", ")
}

// stateText says how somebody enters. command has the commands about people.
func stateText(s personStatus, command string) string {
	switch s.State {
	case "removed":
		return "removed"
	case "invited":
		return "invited until " + s.Invited.Format("2006-01-02 15:04 UTC")
	case "expired":
		return "the invitation has expired: " + command + " person recover makes another one"
	}
	ways := plural(s.Passkeys, "1 passkey", "%d passkeys")
	if s.Provider {
		ways = "the provider"
		if s.Passkeys > 0 {
			ways += " and " + plural(s.Passkeys, "1 passkey", "%d passkeys")
		}
	}
	return "signs in with " + ways
}

func newPersonRoleCmd(env Env) *cobra.Command {
	var (
		f     personFlags
		roles roleFlags
	)
	cmd := &cobra.Command{
		Use:     "role NAME --role ROLE",
		Short:   "Give somebody other roles, from her next request on",
		Example: `  muster workspace person role "Ines Calloway" --dir ostmere --role verifier`,
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			grants, err := roles.grants()
			if err != nil {
				return err
			}
			return f.with(cmd.Context(), env, func(w *openWorkspace, people *account.Service) error {
				if err := w.known(cmd.Context(), env, roles); err != nil {
					return err
				}
				p, err := people.SetGrants(cmd.Context(), w.person.Name, args[0], grants)
				if err == nil {
					say(env, "%s is now: %s", p.Name, rolesText(p.Grants))
				}
				return err
			})
		},
	}
	f.add(cmd)
	roles.add(cmd)
	return cmd
}

func newPersonRecoverCmd(env Env) *cobra.Command {
	var (
		f     personFlags
		team  string
		valid time.Duration
	)
	cmd := &cobra.Command{
		Use:   "recover NAME --team FILE",
		Short: "Invite somebody again who has lost her passkey or her invitation",
		Long: `Take everything from somebody that she signed in with, end her sessions, and print
the address of a new invitation. It is written in the history of the workspace. There
is no other way back in: be sure that it is she who asks, by a voice that you know and
not by a message.`,
		Example: `  muster workspace person recover "Ines Calloway" --dir ostmere --team ostmere/team.yaml`,
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config.ReadTeam(team)
			if err != nil {
				return err
			}
			return f.with(cmd.Context(), env, func(w *openWorkspace, people *account.Service) error {
				token, err := people.Recover(cmd.Context(), w.person.Name, args[0], valid)
				if err != nil {
					return err
				}
				say(env, "what %s signed in with is good no more", args[0])
				return printInvitation(env, cfg, args[0], token, valid)
			})
		},
	}
	f.add(cmd)
	teamFlag(cmd, &team)
	validFlag(cmd, &valid)
	return cmd
}

func newPersonSignOutCmd(env Env) *cobra.Command {
	var f personFlags
	cmd := &cobra.Command{
		Use:     "sign-out NAME",
		Short:   "End all sessions of somebody",
		Example: `  muster workspace person sign-out "Ines Calloway" --dir ostmere`,
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd.Context(), env, func(w *openWorkspace, people *account.Service) error {
				n, err := people.SignOutNamed(cmd.Context(), w.person.Name, args[0])
				if err == nil {
					say(env, "%s of %s ended", plural(n, "1 session", "%d sessions"), args[0])
				}
				return err
			})
		},
	}
	f.add(cmd)
	return cmd
}

func newPersonRemoveCmd(env Env) *cobra.Command {
	var f personFlags
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "End that somebody belongs to a workspace",
		Long: `End that somebody belongs to a workspace: she is signed out at once, and nothing that
she signed in with is good any more. What she did stays in the history under her
name, and nobody else gets it.`,
		Example: `  muster workspace person remove "Ines Calloway" --dir ostmere`,
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd.Context(), env, func(w *openWorkspace, people *account.Service) error {
				if err := people.Remove(cmd.Context(), w.person.Name, args[0]); err != nil {
					return err
				}
				say(env, "%s was removed, and is signed out", args[0])
				return nil
			})
		},
	}
	f.add(cmd)
	return cmd
}

func newPersonHistoryCmd(env Env) *cobra.Command {
	var (
		f      personFlags
		asJSON bool
		most   int
	)
	cmd := &cobra.Command{
		Use:     "history",
		Short:   "List what happened to the people of a workspace, the latest first",
		Example: `  muster workspace person history --dir ostmere`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if most < 1 || most > account.MaxEvents {
				return usageError(cmd, fmt.Sprintf("--most is 1 to %d", account.MaxEvents))
			}
			return f.with(cmd.Context(), env, func(_ *openWorkspace, people *account.Service) error {
				return printEvents(cmd.Context(), env, people, most, asJSON)
			})
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().IntVar(&most, "most", 100, "how many at most")
	return cmd
}
