package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
)

// The files of a host's folder besides its configuration. Those in its root are
// for others to have; what came from others is in the folder of the ceremony.
const (
	hostCardFile   = "host-card.json"
	commitmentFile = "commitment.json"
	revealFile     = "reveal.json"

	ceremonyFolder     = "ceremony"
	leaderCardFile     = "leader-card.json"
	helperCardFile     = "helper-card.json"
	peerCommitmentFile = "peer-commitment.json"
	peerRevealFile     = "peer-reveal.json"
	approvedFile       = "approved.json"
)

func newHostCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "host",
		Short: "Run one of the two hosts of a cycle",
		Long: `Run one of the two hosts of a cycle. A host's folder holds its configuration and
its keys, and serves one cycle.

Before a cycle opens: init makes the keys, ceremony draws the seed together with
the other host, approve signs the charter. All of it works with files that may be
carried by anyone, and words that the two hosts read out to each other. Then serve
takes submissions, and beside it status says where the host stands.

After the deadline freeze, at the Leader, has both hosts sign one list, verifies
and adds up. The coordinator collects.`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(
		newHostInitCmd(env), newHostShowCmd(env), newHostCeremonyCmd(env), newHostApproveCmd(env), newHostServeCmd(env),
		newHostStatusCmd(env), newHostFreezeCmd(env), newHostAmendCmd(env), newHostSetAsideCmd(env),
		newHostRecordCmd(env), newHostBackupCmd(env), newHostRestoreCmd(env), newHostWipeCmd(env), newHostAccreditCmd(env),
	)
	return cmd
}

// hostFolder is a host's folder as muster host init made it.
type hostFolder struct {
	dir    string
	cfg    *config.Host
	signer *keys.Signer
	card   coalition.HostCard
}

// openHost opens a host's folder and checks that card and keys belong together.
func openHost(dir string) (*hostFolder, error) {
	return openHostAt(filepath.Join(dir, config.HostFile))
}

// openHostAt does the same with the path of the configuration.
func openHostAt(path string) (*hostFolder, error) {
	dir := filepath.Dir(path)
	cfg, err := config.ReadHost(path)
	if errs.KindOf(err) == errs.NotFound {
		return nil, noHostFolder(dir, filepath.Base(path), err)
	}
	if err != nil {
		return nil, err
	}
	h := &hostFolder{dir: dir, cfg: cfg}
	if h.signer, err = cfg.KeyFolder().Signer(); err != nil {
		return nil, err
	}
	file, err := readSigned(h.path(hostCardFile), "host card")
	if err != nil {
		return nil, err
	}
	if h.card, err = coalition.OpenHostCard(file); err != nil {
		return nil, err
	}
	card, err := newHostCard(cfg.Member, cfg.URL, cfg.KeyFolder())
	if err != nil {
		return nil, err
	}
	if card != h.card {
		return nil, errs.New(errs.Conflict, fmt.Sprintf("the keys or the configuration in %s changed since its card was made", strconv.Quote(dir)),
			"restore them from a backup; or begin in a new folder and send its card to everyone")
	}
	return h, nil
}

// newHostCard returns the card that a configuration and a folder of keys give.
func newHostCard(member coalition.MemberID, address string, folder config.KeyFolder) (coalition.HostCard, error) {
	signer, err := folder.Signer()
	if err != nil {
		return coalition.HostCard{}, err
	}
	pairs, err := folder.HPKE()
	if err != nil {
		return coalition.HostCard{}, err
	}
	cert, err := folder.Certificate()
	if err != nil {
		return coalition.HostCard{}, err
	}
	var configs dap.HpkeConfigList
	for _, pair := range pairs {
		configs = append(configs, pair.Config())
	}
	return coalition.NewHostCard(member, address, signer.Public(), configs, coalition.Pin(cert.Leaf.RawSubjectPublicKeyInfo))
}

func (h *hostFolder) path(name string) string { return filepath.Join(h.dir, name) }

func (h *hostFolder) received(name string) string { return filepath.Join(h.dir, ceremonyFolder, name) }

// ceremony returns the ceremony that this host has committed to and its role in
// it. It is NotFound if it has not.
func (h *hostFolder) ceremony() (coalition.Ceremony, dap.Role, error) {
	var c coalition.Ceremony
	own, err := readSigned(h.path(commitmentFile), "commitment of this host")
	if err != nil {
		return c, 0, errs.Wrap(err, errs.Conflict, "this host has not committed itself yet", "muster host ceremony commit comes first")
	}
	for _, card := range []struct {
		file string
		card *coalition.HostCard
	}{{leaderCardFile, &c.Leader}, {helperCardFile, &c.Helper}} {
		file, err := readSigned(h.received(card.file), "card")
		if err != nil {
			return c, 0, err
		}
		if *card.card, err = coalition.OpenHostCard(file); err != nil {
			return c, 0, err
		}
	}
	if c.Cycle, err = coalition.CommittedCycle(own); err != nil {
		return c, 0, err
	}
	role, err := c.Role(h.card)
	if err != nil {
		return c, 0, err
	}
	if _, err := c.OpenCommitment(role, own); err != nil {
		return c, 0, fmt.Errorf("this host's own commitment: %w", err)
	}
	return c, role, nil
}

// commitments reads both hosts' commitments; the peer's must have been taken.
func (h *hostFolder) commitments(role dap.Role) (coalition.SeedCommitments, error) {
	own, err := readSigned(h.path(commitmentFile), "commitment of this host")
	if err != nil {
		return coalition.SeedCommitments{}, err
	}
	peer, err := readSigned(h.received(peerCommitmentFile), "commitment of the other host")
	if err != nil {
		return coalition.SeedCommitments{}, err
	}
	if role == dap.RoleLeader {
		return coalition.SeedCommitments{Leader: own, Helper: peer}, nil
	}
	return coalition.SeedCommitments{Leader: peer, Helper: own}, nil
}

// openCard reads a host's card.
func openCard(path string) (coalition.HostCard, coalition.SignedFile, error) {
	file, err := readSigned(path, "host card")
	if err != nil {
		return coalition.HostCard{}, file, err
	}
	card, err := coalition.OpenHostCard(file)
	if e, ok := errors.AsType[*errs.Error](err); ok {
		err = errs.Wrap(err, e.Kind, strconv.Quote(path)+": "+e.Message, e.Hint)
	}
	return card, file, err
}
