package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"muster/internal/account"
	"muster/internal/config"
	"muster/internal/cycle"
	"muster/internal/errs"
	"muster/internal/store/coalitiondb"
)

func newCoordinatorCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "coordinator",
		Short: "Run the year: who takes part, where the cycle stands, who owes what by when",
		Long: `Run the year of a coalition as its standing staff: members and partners with their
keys, cycles and their phases, the board of who has delivered, questions, reminders,
and the record of it all. serve gives each her pages; the other commands do the same
on the coordinator's machine, and may be used while it serves.

What two people have to want, a member's key, a cancellation, a release, is asked for
by a command or on the pages, and approved on the pages alone, by somebody else.

The keys with which a cycle is collected are those of muster collect, in a folder of
their own.`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(
		newCoordinatorInitCmd(env), newCoordinatorServeCmd(env), newCoordinatorPersonCmd(env), newCoordinatorMemberCmd(env), newCoordinatorCycleCmd(env),
		newCoordinatorQuestionCmd(env), newCoordinatorEditionCmd(env), newCoordinatorRemindCmd(env), newCoordinatorRecordCmd(env), newCoordinatorBackupCmd(env), newCoordinatorRestoreCmd(env),
	)
	return cmd
}

// coordination is the coordinator's database with what stands around it.
type coordination struct {
	*cycle.Service
	cfg    *config.Coordinator
	path   string // of the configuration
	db     *coalitiondb.DB
	person cycle.Person // who runs the command
}

// configFlag names the coordinator's configuration.
func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "config", config.CoordinatorFile, "the coordinator's configuration")
}

// openCoordination opens what a configuration names. It makes no database.
func openCoordination(ctx context.Context, env Env, path string) (*coordination, error) {
	cfg, err := config.ReadCoordinator(path)
	if err != nil {
		return nil, err
	}
	if cfg.SQLite != "" && !exists(cfg.SQLite) {
		return nil, errs.New(errs.NotFound, "this coordinator has no database yet: "+strconv.Quote(cfg.SQLite), "muster coordinator init makes it")
	}
	c, err := openCoordinationDB(ctx, env, cfg, path)
	if err != nil {
		return nil, err
	}
	if _, err := c.Coalition(ctx); err != nil {
		return nil, errors.Join(err, c.db.Close())
	}
	return c, nil
}

func openCoordinationDB(ctx context.Context, env Env, cfg *config.Coordinator, path string) (*coordination, error) {
	db, err := coalitiondb.Open(ctx, coalitiondb.Config{Path: cfg.SQLite, DSNFile: cfg.PostgresDSN})
	if err != nil {
		return nil, placeError(err, filepath.Dir(cfg.SQLite), "make room there, and run the command again")
	}
	return &coordination{Service: cycle.New(cycle.Config{Store: db, Now: env.Now}), cfg: cfg, path: path, db: db, person: cycle.Operator(userName())}, nil
}

// close closes the database and joins what went wrong to err.
func (c *coordination) close(err *error) { *err = errors.Join(*err, c.db.Close()) }

// people returns who uses the pages.
func (c *coordination) people(env Env) (*account.Service, error) {
	return account.New(account.Config{Store: c.db.Accounts(), Now: env.Now, Rand: env.Rand, Roles: cycle.AccountRoles(), Command: "muster coordinator"})
}

// coordinate opens a coordination for fn.
func coordinate(ctx context.Context, env Env, path string, fn func(*coordination) error) (err error) {
	c, err := openCoordination(ctx, env, path)
	if err != nil {
		return err
	}
	defer c.close(&err)
	return fn(c)
}

func newCoordinatorInitCmd(env Env) *cobra.Command {
	var name, address string
	cmd := &cobra.Command{
		Use:   "init DIR --name COALITION --url URL",
		Short: "Make a coordinator's folder: configuration and database",
		Long: `Make a coordinator's folder with its configuration coordinator.yaml and an empty
database. --url is the address under which people will reach the pages; a certificate
for its name goes beside, as tls.crt and tls.key. A command that was interrupted may be
repeated; a configuration that is there is never replaced.

For PostgreSQL change database in coordinator.yaml, and run the command again.`,
		Example: `  muster coordinator init year --name "Sea of Lights" --url https://year.lights.example:8443`,
		Args:    oneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := missingFlags(cmd, "name", "url"); err != nil {
				return err
			}
			return runCoordinatorInit(cmd.Context(), env, args[0], name, address)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the coalition, as its charters have it (required)")
	cmd.Flags().StringVar(&address, "url", "", "where people reach the pages, https://HOST[:PORT] (required)")
	return cmd
}

func runCoordinatorInit(ctx context.Context, env Env, dir, name, address string) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return errs.Wrap(err, errs.Invalid, because("the folder "+strconv.Quote(dir)+" cannot be made", err), "")
	}
	path := filepath.Join(dir, config.CoordinatorFile)
	if !exists(path) {
		if err := realDisk().writeOutput(dir, []outputFile{{config.CoordinatorFile, config.CoordinatorYAML(address), 0o600}}, nil); err != nil {
			return err
		}
	}
	cfg, err := config.ReadCoordinator(path)
	if err != nil {
		return err
	}
	c, err := openCoordinationDB(ctx, env, cfg, path)
	if err != nil {
		return err
	}
	defer c.close(&err)
	if err := c.Begin(ctx, c.person, name); err != nil {
		return err
	}
	say(env, "%s is the coordinator of %s, at %s", dir, name, cfg.URL)
	say(env, "put a certificate for its name beside, %s and %s, then try: muster coordinator serve --config %s --check", filepath.Base(cfg.Certificate), filepath.Base(cfg.Key), path)
	say(env, "begin with the staff, who are two or more: muster coordinator person invite NAME --config %s --role coordinator", path)
	return nil
}
