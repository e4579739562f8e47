package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/store/hostdb"
)

// knownHost is what can be known of a host without its keys: its configuration,
// the charter, its role. It is for commands that read, and for those that go on
// when keys are destroyed.
type knownHost struct {
	dir     string
	cfg     *config.Host
	signed  coalition.SignedCharter
	charter coalition.Charter
	role    dap.Role
}

// readHost reads a host's configuration and its charter, which all three must
// have signed.
func readHost(dir string) (*knownHost, error) {
	cfg, err := config.ReadHost(filepath.Join(dir, config.HostFile))
	if errs.KindOf(err) == errs.NotFound {
		return nil, noHostFolder(dir, config.HostFile, err)
	}
	if err != nil {
		return nil, err
	}
	k := &knownHost{dir: dir, cfg: cfg}
	if k.signed, k.charter, err = openSignedCharter(cfg.Charter); err != nil {
		return nil, err
	}
	switch cfg.Member {
	case k.charter.Leader.Member:
		k.role = dap.RoleLeader
	case k.charter.Helper.Member:
		k.role = dap.RoleHelper
	default:
		return nil, errs.New(errs.Conflict, fmt.Sprintf("the charter %s does not name %s as a host", strconv.Quote(cfg.Charter), cfg.Member), "put the charter of this cycle in its place")
	}
	return k, nil
}

func noHostFolder(dir, file string, err error) error {
	return errs.Wrap(err, errs.NotFound, fmt.Sprintf("%s is no host's folder: it has no %s", strconv.Quote(dir), file), "give the folder that muster host init made with --dir")
}

// openSignedCharter reads the charter that a host serves.
func openSignedCharter(path string) (coalition.SignedCharter, coalition.Charter, error) {
	signed, charter, missing, err := readComplete(path)
	if err == nil && missing != "" {
		err = errs.New(errs.Conflict, "the charter is not signed by "+missing, "a host serves under a charter that all three have signed")
	}
	return signed, charter, err
}

func (k *knownHost) path(name string) string { return filepath.Join(k.dir, name) }

// peer returns the other host.
func (k *knownHost) peer() coalition.MemberID {
	if k.role == dap.RoleLeader {
		return k.charter.Helper.Member
	}
	return k.charter.Leader.Member
}

// database opens the database without the cycle key: what is sealed in it stays
// so. It refuses to make one where there is none.
func (k *knownHost) database(ctx context.Context) (*hostdb.DB, error) {
	if k.cfg.SQLite != "" {
		if _, err := os.Stat(k.cfg.SQLite); errors.Is(err, fs.ErrNotExist) {
			return nil, errs.New(errs.NotFound, "this host has no database yet: "+strconv.Quote(k.cfg.SQLite), "muster host serve makes it")
		}
	}
	return hostdb.Open(ctx, hostdb.Config{Path: k.cfg.SQLite, DSNFile: k.cfg.PostgresDSN})
}

// status returns where the host stands with a cohort.
func (k *knownHost) status(ctx context.Context, env Env, db *hostdb.DB, cohort string) (aggregate.Status, error) {
	return aggregate.ReadStatus(ctx, aggregate.StatusConfig{Charter: k.charter, Cohort: cohort, Store: db, Now: env.Now})
}
