package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/account"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/mail"
	yearpage "muster/internal/web/coordinator"
)

func newCoordinatorRemindCmd(env Env) *cobra.Command {
	var path string
	var send bool
	cmd := &cobra.Command{
		Use:   "remind",
		Short: "List who is to be reminded of what now; with --send, remind them by mail",
		Long: `List who is to be reminded of what now: members that have not delivered, 28 days, 7
days and one day before the deadline; whose key is missing; who has to comment, to
approve, or to freeze. With --send each is written to, by the server in the
configuration, and nobody gets the same letter twice. A timer runs it once a day.

A letter says what is to be done, by when and where, and nothing that an answer could
be read from.`,
		Example: `  muster coordinator remind --config year/coordinator.yaml
  muster coordinator remind --config year/coordinator.yaml --send`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withPeople(cmd.Context(), env, path, func(c *coordination, people *account.Service) error {
				return c.remind(cmd.Context(), env, people, send)
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&send, "send", false, "write to them")
	return cmd
}

// newSender returns what sends mail, or nil if the configuration names no server.
func newSender(env Env, cfg *config.Coordinator) (*mail.Sender, error) {
	m := cfg.Mail
	if m == nil {
		return nil, nil
	}
	c := mail.Config{Server: m.Server, From: m.From, User: m.User, Now: env.Now, Rand: env.Rand}
	if m.Password != "" {
		secret, err := config.ReadSecret(m.Password)
		if err != nil {
			return nil, fmt.Errorf("the password of the mail server: %w", err)
		}
		c.Password = strings.TrimRight(string(secret), "\r\n")
	}
	var err error
	if c.Authorities, err = (&config.Provider{Authorities: m.Authorities}).Pool(); err != nil {
		return nil, err
	}
	return mail.New(c)
}

// remind lists or sends the reminders. One that cannot be sent is said, and the others
// go out; it is tried again the next time.
func (c *coordination) remind(ctx context.Context, env Env, people *account.Service, send bool) error {
	sender, err := newSender(env, c.cfg)
	if err != nil {
		return err
	}
	if send && sender == nil {
		return errs.New(errs.Conflict, "the configuration names no mail server", "add mail to "+c.path+", or leave --send out")
	}
	members, err := people.People(ctx)
	if err != nil {
		return err
	}
	all := make([]account.Person, len(members))
	for i, m := range members {
		all[i] = m.Person
	}
	reminders, err := c.Reminders(ctx, c.person, all)
	if err != nil {
		return err
	}
	pages, err := yearpage.New(yearpage.Config{Service: c.Service, People: people, Now: env.Now})
	if err != nil {
		return err
	}
	name, err := c.Coalition(ctx)
	if err != nil {
		return err
	}
	var failed []error
	sent := 0
	for _, r := range reminders {
		letter := pages.Letter(name, c.cfg.URL, r)
		if _, err := fmt.Fprintf(env.Out, "%s: %s\n", r.Person.Name, letter.Says); err != nil {
			return err
		}
		if !send {
			continue
		}
		err := sender.Send(ctx, mail.Letter{To: r.Contact.Address, Lang: r.Contact.Lang, Subject: letter.Subject, Body: letter.Body, Calendar: letter.Calendar})
		if err == nil {
			err = c.Reminded(ctx, c.person, r)
			sent++
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", r.Person.Name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	if send {
		say(env, "%s sent", plural(sent, "1 letter was", "%d letters were"))
	} else if len(reminders) > 0 {
		say(env, "nothing was sent; with --send these go out")
	}
	return errors.Join(failed...)
}
