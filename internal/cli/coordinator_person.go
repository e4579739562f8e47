package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/account"
	"muster/internal/cycle"
	"muster/internal/errs"
)

func newCoordinatorPersonCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "person",
		Short: "Say who uses the year's pages, and as what",
		Long: `Say who uses the pages that muster coordinator serve gives, and as what. It is done on
the coordinator's machine; what is changed counts from the next request.

The roles:
  coordinator  runs the year; two of them for what nobody may do alone
  engineer     of a host (--party): approves a release for it
  officer      speaks for a member (--party)
  delegate     speaks for a partner (--party)
  auditor      sees everything and changes nothing`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(
		newCoordinatorInviteCmd(env), newCoordinatorPeopleCmd(env), newCoordinatorRoleCmd(env), newCoordinatorAddressCmd(env),
		newCoordinatorRecoverCmd(env), newCoordinatorSignOutCmd(env), newCoordinatorRemoveCmd(env), newCoordinatorEventsCmd(env),
	)
	return cmd
}

// partyRoles say what somebody is, and for whom.
type partyRoles struct{ roles, parties []string }

func (f *partyRoles) add(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.roles, "role", nil, "coordinator, engineer, officer, delegate or auditor; several with commas (required)")
	cmd.Flags().StringSliceVar(&f.parties, "party", nil, "ids of the members and partners that an engineer, officer or delegate is for")
}

// grants returns the roles, and refuses a party of the wrong kind: an officer is of a
// member, a delegate of a partner.
func (f partyRoles) grants(ctx context.Context, c *coordination) ([]account.Grant, error) {
	parties, err := c.Parties(ctx, c.person)
	if err != nil {
		return nil, err
	}
	kinds := make(map[string]cycle.Kind)
	for _, p := range parties {
		if p.Left.IsZero() {
			kinds[string(p.ID)] = p.Kind
		}
	}
	used := false
	var all []account.Grant
	for _, name := range f.roles {
		grant := account.Grant{Role: name}
		want := cycle.Member
		switch cycle.Role(name) {
		case cycle.RoleDelegate:
			want = cycle.Partner
			fallthrough
		case cycle.RoleEngineer, cycle.RoleOfficer:
			used = true
			grant.Of = f.parties
			for _, id := range f.parties {
				kind, ok := kinds[id]
				if !ok {
					return nil, errs.New(errs.NotFound, "no member or partner is called "+errs.Quote(id), "muster coordinator member list has them all")
				}
				if kind != want {
					return nil, errs.New(errs.Invalid, fmt.Sprintf("%s is a %s, and the role %s is of a %s", id, kind, name, want), "")
				}
			}
		}
		all = append(all, grant)
	}
	if len(f.parties) > 0 && !used {
		return nil, errs.New(errs.Invalid, "--party is for an engineer, an officer or a delegate", "add --role, or leave --party out")
	}
	return all, nil
}

// withPeople opens a coordination and its people for fn.
func withPeople(ctx context.Context, env Env, path string, fn func(*coordination, *account.Service) error) error {
	return coordinate(ctx, env, path, func(c *coordination) error {
		people, err := c.people(env)
		if err != nil {
			return err
		}
		return fn(c, people)
	})
}

// personNamed returns somebody who belongs to the pages, by name.
func personNamed(ctx context.Context, people *account.Service, name string) (account.Member, error) {
	all, err := people.People(ctx)
	if err != nil {
		return account.Member{}, err
	}
	i := slices.IndexFunc(all, func(m account.Member) bool { return m.Active() && m.Name == name })
	if i < 0 {
		return account.Member{}, errs.New(errs.NotFound, "there is nobody called "+errs.Quote(name), "muster coordinator person list has them all")
	}
	return all[i], nil
}

// mailFlags say where somebody is written to.
type mailFlags struct{ address, lang string }

func (f *mailFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.address, "mail", "", "where she is reminded, name@host; nowhere without it")
	cmd.Flags().StringVar(&f.lang, "lang", "en", "in which language: en or fr")
}

func newCoordinatorInviteCmd(env Env) *cobra.Command {
	var (
		path  string
		roles partyRoles
		mail  mailFlags
		valid time.Duration
	)
	cmd := &cobra.Command{
		Use:   "invite NAME --role ROLE",
		Short: "Invite somebody, and print the address that lets her in once",
		Long: `Invite somebody to the pages and print the address of the invitation. It lets one
browser in, once, in which a passkey is registered or the identity at the
organisation's provider is bound: give it to nobody but that person, by a way that
others do not read.`,
		Example: `  muster coordinator person invite "Ola Quist" --config year/coordinator.yaml --role officer --party ostmere --mail ola@ostmere.example`,
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return withPeople(ctx, env, path, func(c *coordination, people *account.Service) error {
				grants, err := roles.grants(ctx, c)
				if err != nil {
					return err
				}
				token, err := people.Invite(ctx, c.person.Name, account.Invitee{Name: args[0], Grants: grants, Valid: valid})
				if err != nil {
					return err
				}
				if mail.address != "" {
					m, err := personNamed(ctx, people, args[0])
					if err == nil {
						err = c.SetContact(ctx, c.person, cycle.Contact{Person: string(m.ID), Address: mail.address, Lang: mail.lang}, m.Name)
					}
					if err != nil {
						warn(env, "the address of mail was not kept: %s; say it with muster coordinator person address", errs.Describe(err).Message)
					}
				}
				return printInvitation(env, &c.cfg.Team, args[0], token, valid)
			})
		},
	}
	configFlag(cmd, &path)
	roles.add(cmd)
	mail.add(cmd)
	validFlag(cmd, &valid)
	return cmd
}

// listedPerson is what muster coordinator person list --json prints.
type listedPerson struct {
	personStatus
	Mail string `json:"mail,omitempty"`
	Lang string `json:"lang,omitempty"`
}

func newCoordinatorPeopleCmd(env Env) *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List who uses the pages, and as what",
		Example: `  muster coordinator person list --config year/coordinator.yaml`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return withPeople(ctx, env, path, func(c *coordination, people *account.Service) error {
				all, err := people.People(ctx)
				if err != nil {
					return err
				}
				contacts, err := c.Contacts(ctx, c.person)
				if err != nil {
					return err
				}
				list := make([]listedPerson, len(all))
				for i, m := range all {
					list[i].personStatus = statusOf(m)
					for _, contact := range contacts {
						if contact.Person == string(m.ID) {
							list[i].Mail, list[i].Lang = contact.Address, contact.Lang
						}
					}
				}
				if asJSON {
					return json.NewEncoder(env.Out).Encode(map[string]any{"people": list})
				}
				if len(list) == 0 {
					say(env, "nobody was invited yet; begin with the staff: muster coordinator person invite NAME --role coordinator")
				}
				for _, p := range list {
					line := fmt.Sprintf("%s: %s; %s", p.Name, rolesText(p.Grants), stateText(p.personStatus, "muster coordinator"))
					if p.Mail != "" {
						line += "; " + p.Mail
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

func newCoordinatorRoleCmd(env Env) *cobra.Command {
	var path string
	var roles partyRoles
	cmd := &cobra.Command{
		Use:     "role NAME --role ROLE",
		Short:   "Give somebody other roles, from her next request on",
		Example: `  muster coordinator person role "Ola Quist" --config year/coordinator.yaml --role officer,engineer --party ostmere`,
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return withPeople(ctx, env, path, func(c *coordination, people *account.Service) error {
				grants, err := roles.grants(ctx, c)
				if err != nil {
					return err
				}
				p, err := people.SetGrants(ctx, c.person.Name, args[0], grants)
				if err == nil {
					say(env, "%s is now: %s", p.Name, rolesText(p.Grants))
				}
				return err
			})
		},
	}
	configFlag(cmd, &path)
	roles.add(cmd)
	return cmd
}

func newCoordinatorAddressCmd(env Env) *cobra.Command {
	var path string
	var mail mailFlags
	cmd := &cobra.Command{
		Use:     "address NAME --mail ADDRESS",
		Short:   "Say where somebody is reminded; without --mail nowhere any more",
		Example: `  muster coordinator person address "Ola Quist" --config year/coordinator.yaml --mail ola@ostmere.example --lang fr`,
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return withPeople(ctx, env, path, func(c *coordination, people *account.Service) error {
				m, err := personNamed(ctx, people, args[0])
				if err != nil {
					return err
				}
				if err := c.SetContact(ctx, c.person, cycle.Contact{Person: string(m.ID), Address: mail.address, Lang: mail.lang}, m.Name); err != nil {
					return err
				}
				if mail.address == "" {
					say(env, "%s is reminded nowhere any more", m.Name)
				} else {
					say(env, "%s is reminded at %s", m.Name, mail.address)
				}
				return nil
			})
		},
	}
	configFlag(cmd, &path)
	mail.add(cmd)
	return cmd
}

func newCoordinatorRecoverCmd(env Env) *cobra.Command {
	var path string
	var valid time.Duration
	cmd := &cobra.Command{
		Use:   "recover NAME",
		Short: "Invite somebody again who has lost her passkey or her invitation",
		Long: `Take everything from somebody that she signed in with, end her sessions, and print
the address of a new invitation. It is written down for all of the staff and auditors
to read. There is no other way back in: be sure that it is she who asks, by a voice
that you know and not by a message.`,
		Example: `  muster coordinator person recover "Ola Quist" --config year/coordinator.yaml`,
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withPeople(cmd.Context(), env, path, func(c *coordination, people *account.Service) error {
				token, err := people.Recover(cmd.Context(), c.person.Name, args[0], valid)
				if err != nil {
					return err
				}
				say(env, "what %s signed in with is good no more", args[0])
				return printInvitation(env, &c.cfg.Team, args[0], token, valid)
			})
		},
	}
	configFlag(cmd, &path)
	validFlag(cmd, &valid)
	return cmd
}

func newCoordinatorSignOutCmd(env Env) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:     "sign-out NAME",
		Short:   "End all sessions of somebody",
		Example: `  muster coordinator person sign-out "Ola Quist" --config year/coordinator.yaml`,
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withPeople(cmd.Context(), env, path, func(c *coordination, people *account.Service) error {
				n, err := people.SignOutNamed(cmd.Context(), c.person.Name, args[0])
				if err == nil {
					say(env, "%s of %s ended", plural(n, "1 session", "%d sessions"), args[0])
				}
				return err
			})
		},
	}
	configFlag(cmd, &path)
	return cmd
}

func newCoordinatorRemoveCmd(env Env) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "End that somebody uses the pages",
		Long: `End that somebody uses the pages: she is signed out at once, and nothing that she
signed in with is good any more. What she did stays under her name, and nobody else
gets it.`,
		Example: `  muster coordinator person remove "Ola Quist" --config year/coordinator.yaml`,
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withPeople(cmd.Context(), env, path, func(c *coordination, people *account.Service) error {
				if err := people.Remove(cmd.Context(), c.person.Name, args[0]); err != nil {
					return err
				}
				say(env, "%s was removed, and is signed out", args[0])
				return nil
			})
		},
	}
	configFlag(cmd, &path)
	return cmd
}

func newCoordinatorEventsCmd(env Env) *cobra.Command {
	var path string
	var asJSON bool
	var most int
	cmd := &cobra.Command{
		Use:     "history",
		Short:   "List what happened to the people, the latest first",
		Example: `  muster coordinator person history --config year/coordinator.yaml`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if most < 1 || most > account.MaxEvents {
				return usageError(cmd, fmt.Sprintf("--most is 1 to %d", account.MaxEvents))
			}
			return withPeople(cmd.Context(), env, path, func(_ *coordination, people *account.Service) error {
				return printEvents(cmd.Context(), env, people, most, asJSON)
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().IntVar(&most, "most", 100, "how many at most")
	return cmd
}
