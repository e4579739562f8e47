package cli

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/text/unicode/norm"

	"muster/internal/coalition"
	"muster/internal/cycle"
	"muster/internal/errs"
	"muster/internal/exchange"
	"muster/internal/keys"
)

func newCoordinatorMemberCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "member",
		Short: "Say who the members and partners are, and ask for their keys to be enrolled",
		Long: `Say who the members and partners are, and ask for their keys to be enrolled. A key
counts when a second person has approved it on the pages, with its words as the member
read them out to her.`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newMemberAddCmd(env), newMemberImportCmd(env), newMemberKeyCmd(env), newMemberListCmd(env), newMemberLeaveCmd(env))
	return cmd
}

// kindOfParty is a member, or a partner where the flag says so.
func kindOfParty(partner bool) cycle.Kind {
	if partner {
		return cycle.Partner
	}
	return cycle.Member
}

func newMemberAddCmd(env Env) *cobra.Command {
	var path, id string
	var partner bool
	cmd := &cobra.Command{
		Use:     "add NAME",
		Short:   "Add a member or a partner",
		Example: `  muster coordinator member add Ostmere --config year/coordinator.yaml`,
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return coordinate(cmd.Context(), env, path, func(c *coordination) error {
				party := cycle.PartyID(id)
				if id == "" {
					party = idOf(args[0])
				}
				if err := c.AddParty(cmd.Context(), c.person, party, args[0], kindOfParty(partner)); err != nil {
					return err
				}
				say(env, "%s is a %s, and called %s in commands and addresses", args[0], kindOfParty(partner), party)
				return nil
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&id, "id", "", "what it is called in commands and addresses; made from the name without it")
	cmd.Flags().BoolVar(&partner, "partner", false, "a partner, which is a guest")
	return cmd
}

// idOf makes an id from a name: its letters without marks, small, with hyphens between
// words. What cannot be one is refused when it is used.
func idOf(name string) cycle.PartyID {
	var b strings.Builder
	for _, r := range strings.ToLower(norm.NFD.String(name)) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == 'ø':
			b.WriteByte('o')
		case r == 'ß':
			b.WriteString("ss")
		case r == 'æ':
			b.WriteString("ae")
		case r == ' ' || r == '-' || r == '\'' || r == '’':
			b.WriteByte('-')
		}
	}
	return cycle.PartyID(strings.Trim(b.String(), "-"))
}

func newMemberImportCmd(env Env) *cobra.Command {
	var path string
	var partner bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Add all of a file of members, and ask for their keys to be enrolled",
		Long: `Add all of a CSV file with the header member,key that are not there yet, and ask for
every key that is not enrolled yet. The file is that which muster collect charter takes
with --members. Nothing is taken out of the coalition by it.`,
		Example: `  muster coordinator member import members.csv --config year/coordinator.yaml`,
		Args:    oneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return coordinate(cmd.Context(), env, path, func(c *coordination) error {
				return c.importMembers(cmd.Context(), env, args[0], kindOfParty(partner))
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&partner, "partner", false, "partners, who are guests")
	return cmd
}

func (c *coordination) importMembers(ctx context.Context, env Env, path string, kind cycle.Kind) error {
	f, err := os.Open(path)
	if err != nil {
		return errs.Wrap(err, errs.NotFound, because(fmt.Sprintf("the file of members %s cannot be read", strconv.Quote(path)), err), "")
	}
	defer f.Close() // nothing was written
	members, err := exchange.ReadMembers(path, f)
	if err != nil {
		return err
	}
	there, err := c.Parties(ctx, c.person)
	if err != nil {
		return err
	}
	ids := make(map[coalition.MemberID]cycle.Enrolled)
	for _, p := range there {
		ids[p.Name] = p
	}
	added, asked := 0, 0
	for _, m := range members {
		p, ok := ids[m.ID]
		if !ok {
			p.ID = idOf(string(m.ID))
			if err := c.AddParty(ctx, c.person, p.ID, string(m.ID), kind); err != nil {
				return fmt.Errorf("%s: %w", m.ID, err)
			}
			added++
		}
		if p.Key.Public.Same(m.Key) && p.Key.Number > 0 || p.Pending.Number > 0 && keys.Public(p.Pending.Subject).Same(m.Key) {
			continue
		}
		if _, err := c.AskEnrolment(ctx, c.person, p.ID, m.Key); err != nil {
			return fmt.Errorf("%s: %w", m.ID, err)
		}
		asked++
	}
	say(env, "%s added, %s to be enrolled by a second person", plural(added, "1 "+string(kind)+" was", "%d "+string(kind)+"s were"), plural(asked, "1 key waits", "%d keys wait"))
	return nil
}

func newMemberKeyCmd(env Env) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "key ID KEY",
		Short: "Ask for a key to be enrolled",
		Long: `Ask for a member's key to be enrolled: KEY is the line that the member sent, or a file
with it. Print its words, to compare them with the member by voice. A second person
does the same, from the member and not from here, when she approves it on the pages.`,
		Example: `  muster coordinator member key ostmere ostmere-key.txt --config year/coordinator.yaml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError(cmd, "muster coordinator member key needs ID and KEY")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return coordinate(cmd.Context(), env, path, func(c *coordination) error {
				key, err := sentKey(args[1])
				if err != nil {
					return err
				}
				number, err := c.AskEnrolment(cmd.Context(), c.person, cycle.PartyID(args[0]), key)
				if err != nil {
					return err
				}
				if err := writeWords(env.Out, "", key.Digest()); err != nil {
					return err
				}
				say(env, "request %d waits for a second person on the pages; compare these words with the member by voice now", number)
				return nil
			})
		},
	}
	configFlag(cmd, &path)
	return cmd
}

// sentKey returns the key that a member sent: itself, or a file with it, alone or behind
// the member's name as muster submit init prints it.
func sentKey(named string) (keys.Public, error) {
	if key := keys.Public(named); key.Check() == nil {
		return key, nil
	}
	body, err := readInput(named, "key")
	if err != nil {
		return "", err
	}
	row, err := csv.NewReader(strings.NewReader(strings.TrimSpace(string(body)))).Read()
	if err != nil {
		return "", errs.Wrap(err, errs.Invalid, strconv.Quote(named)+" holds no key", "the line that muster submit init printed, as the member sent it")
	}
	key := keys.Public(row[len(row)-1])
	return key, key.Check()
}

// listedMember is what muster coordinator member list --json prints.
type listedMember struct {
	ID      cycle.PartyID      `json:"id"`
	Name    coalition.MemberID `json:"name"`
	Kind    cycle.Kind         `json:"kind"`
	Left    *time.Time         `json:"left,omitempty"`
	Key     keys.Public        `json:"key,omitempty"`
	Words   []string           `json:"words,omitempty"`
	Pending int64              `json:"pending_request,omitempty"`
}

func newMemberListCmd(env Env) *cobra.Command {
	var path string
	var asJSON, asCSV bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List members and partners, and whose key is enrolled",
		Long: `List members and partners, and whose key is enrolled. With --csv it is those with a key
that belong to the coalition, as muster collect charter takes them with --members: so
that a charter has the keys that two people compared, and no other.`,
		Example: `  muster coordinator member list --config year/coordinator.yaml`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON && asCSV {
				return usageError(cmd, "--json and --csv exclude each other")
			}
			return coordinate(cmd.Context(), env, path, func(c *coordination) error {
				all, err := c.Parties(cmd.Context(), c.person)
				if err != nil {
					return err
				}
				if asCSV {
					return writeEnrolled(env, all)
				}
				list := make([]listedMember, len(all))
				for i, e := range all {
					list[i] = listedMember{ID: e.ID, Name: e.Name, Kind: e.Kind, Key: e.Key.Public, Words: e.Words, Pending: e.Pending.Number}
					if !e.Left.IsZero() {
						list[i].Left = &e.Left
					}
				}
				if asJSON {
					return json.NewEncoder(env.Out).Encode(map[string]any{"members": list})
				}
				for _, m := range list {
					if _, err := fmt.Fprintln(env.Out, m.text()); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&asCSV, "csv", false, "print the enrolled keys, for muster collect charter")
	return cmd
}

// writeEnrolled prints the enrolled keys.
func writeEnrolled(env Env, all []cycle.Enrolled) error {
	w := csv.NewWriter(env.Out)
	err := w.Write([]string{"member", "key"})
	for _, e := range all {
		if e.Key.Number > 0 && e.Left.IsZero() {
			err = errors.Join(err, w.Write([]string{string(e.Name), string(e.Key.Public)}))
		}
	}
	w.Flush()
	return errors.Join(err, w.Error())
}

func (m listedMember) text() string {
	line := fmt.Sprintf("%s: %s, %s; ", m.ID, m.Name, m.Kind)
	switch {
	case m.Left != nil:
		line += "left on " + m.Left.UTC().Format(time.DateOnly)
	case m.Key != "":
		line += "key enrolled, " + strings.Join(m.Words[:1], "") + " ..."
	default:
		line += "no key"
	}
	if m.Pending > 0 {
		line += fmt.Sprintf("; request %d waits for a second person", m.Pending)
	}
	return line
}

func newMemberLeaveCmd(env Env) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:     "leave ID",
		Short:   "Say that a member or partner left; what it did stays",
		Example: `  muster coordinator member leave ostmere --config year/coordinator.yaml`,
		Args:    oneArg("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return coordinate(cmd.Context(), env, path, func(c *coordination) error {
				if err := c.Leave(cmd.Context(), c.person, cycle.PartyID(args[0])); err != nil {
					return err
				}
				say(env, "%s is invited to no cycle from now on", args[0])
				return nil
			})
		},
	}
	configFlag(cmd, &path)
	return cmd
}
