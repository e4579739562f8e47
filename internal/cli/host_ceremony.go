package cli

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
)

func newHostCeremonyCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ceremony",
		Short: "Draw the seed of a cycle together with the other host",
		Long: `Draw the seed of a cycle together with the other host, so that neither chooses
it and nobody else learns it. Three steps, each at both hosts:

  commit   with both cards: writes commitment.json
  reveal   with the other's commitment: writes reveal.json, sealed for the other
  finish   with the other's reveal: keeps the seed and prints its fingerprint

The files, each with its .sig, may be carried by anyone. Compare the words of the
cards before, and the words of the seed afterwards, on the telephone. Every step
may be repeated and gives the same files.`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newCeremonyCommitCmd(env), newCeremonyRevealCmd(env), newCeremonyFinishCmd(env))
	return cmd
}

// dirFlag adds the flag that names a role's folder.
func dirFlag(cmd *cobra.Command, dir *string, of string) {
	cmd.Flags().StringVar(dir, "dir", ".", "the folder of "+of)
}

type commitFlags struct {
	dir, cycle, leader, helper string
}

func newCeremonyCommitCmd(env Env) *cobra.Command {
	var f commitFlags
	cmd := &cobra.Command{
		Use:     "commit --dir DIR --cycle NAME --leader CARD --helper CARD",
		Short:   "Draw this host's part and commit to it",
		Example: `  muster host ceremony commit --dir ostmere --cycle 2026 --leader ostmere/host-card.json --helper calverra/host-card.json`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.cycle == "" || f.leader == "" || f.helper == "" {
				return usageError(cmd, "muster host ceremony commit needs --cycle NAME, --leader CARD and --helper CARD")
			}
			return runCommit(env, f)
		},
	}
	dirFlag(cmd, &f.dir, "this host")
	flags := cmd.Flags()
	flags.StringVar(&f.cycle, "cycle", "", "the name of the cycle, such as 2026 (required)")
	flags.StringVar(&f.leader, "leader", "", "the card of the host that will be Leader (required)")
	flags.StringVar(&f.helper, "helper", "", "the card of the host that will be Helper (required)")
	return cmd
}

func runCommit(env Env, f commitFlags) error {
	h, err := openHost(f.dir)
	if err != nil {
		return err
	}
	leader, leaderFile, err := openCard(f.leader)
	if err != nil {
		return err
	}
	helper, helperFile, err := openCard(f.helper)
	if err != nil {
		return err
	}
	c := coalition.Ceremony{Cycle: f.cycle, Leader: leader, Helper: helper}
	role, err := c.Role(h.card)
	if err != nil {
		return err
	}
	if err := c.Check(); err != nil {
		return err
	}
	if exists(h.path(commitmentFile)) {
		kept, _, err := h.ceremony()
		if err != nil {
			return err
		}
		if kept != c {
			return errs.New(errs.Conflict, fmt.Sprintf("this host has committed itself already: for the cycle %s, Leader %s, Helper %s", errs.Quote(kept.Cycle), kept.Leader.Member, kept.Helper.Member),
				"a folder commits once; for another ceremony make a new one: muster host init")
		}
	}
	part, err := h.cfg.KeyFolder().MakeSeedPart(env.Rand)
	if err != nil {
		return err
	}
	file, err := c.Commit(role, part, h.signer)
	if err != nil {
		return err
	}
	// Until the commitment is there nothing was sent, so cards of an interrupted
	// attempt may be replaced.
	err = realDisk().writeOutput(h.received(""), []outputFile{
		{leaderCardFile + sigExt, leaderFile.Signature, 0o644},
		{leaderCardFile, leaderFile.Body, 0o644},
		{helperCardFile + sigExt, helperFile.Signature, 0o644},
		{helperCardFile, helperFile.Body, 0o644},
	}, nil)
	if err != nil {
		return err
	}
	path := h.path(commitmentFile)
	if err := keepSigned(path, file, errs.New(errs.Conflict, "this host has committed itself already, to another part", "a folder commits once; begin in a new one")); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(env.Out, "Cycle %s, this host is the %s.\n", c.Cycle, roleName(role)); err != nil {
		return err
	}
	for _, r := range []dap.Role{dap.RoleLeader, dap.RoleHelper} {
		if _, err := fmt.Fprintf(env.Out, "\nThe card of the %s, %s:\n\n", roleName(r), c.Card(r).Member); err != nil {
			return err
		}
		if err := writeWords(env.Out, "  ", c.Card(r).Digest()); err != nil {
			return err
		}
	}
	say(env, "compare these words with %s on the telephone before you go on", c.Card(coalition.OtherHost(role)).Member)
	say(env, "send %s and %s to the other host", path, path+sigExt)
	return nil
}

// roleName is a host's role as people write it.
func roleName(role dap.Role) string {
	if role == dap.RoleLeader {
		return "Leader"
	}
	return "Helper"
}

func newCeremonyRevealCmd(env Env) *cobra.Command {
	var dir, commitment string
	cmd := &cobra.Command{
		Use:     "reveal --dir DIR --commitment FILE",
		Short:   "Take the other host's commitment and reveal this host's part to it",
		Example: `  muster host ceremony reveal --dir ostmere --commitment calverra/commitment.json`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if commitment == "" {
				return usageError(cmd, "a part is revealed when the other host's commitment is there: give --commitment FILE")
			}
			return runReveal(env, dir, commitment)
		},
	}
	dirFlag(cmd, &dir, "this host")
	cmd.Flags().StringVar(&commitment, "commitment", "", "the other host's commitment.json (required)")
	return cmd
}

func runReveal(env Env, dir, commitment string) error {
	h, err := openHost(dir)
	if err != nil {
		return err
	}
	c, role, err := h.ceremony()
	if err != nil {
		return err
	}
	file, err := readSigned(commitment, "commitment of the other host")
	if err != nil {
		return err
	}
	peer := coalition.OtherHost(role)
	if _, err := c.OpenCommitment(peer, file); err != nil {
		return err
	}
	second := errs.New(errs.Conflict, fmt.Sprintf("%s sent a second commitment, other than the one that was taken", c.Card(peer).Member),
		"somebody may be trying parts until the seed suits them: call the other host, and begin again in new folders")
	if err := keepSigned(h.received(peerCommitmentFile), file, second); err != nil {
		return err
	}
	path := h.path(revealFile)
	if !exists(path) {
		files, err := h.commitments(role)
		if err != nil {
			return err
		}
		part, err := h.cfg.KeyFolder().SeedPart()
		if err != nil {
			return err
		}
		reveal, err := c.Reveal(role, part, files, h.signer)
		if err != nil {
			return err
		}
		if err := keepSigned(path, reveal, errs.New(errs.Conflict, "this host revealed its part at the same time in another call", "repeat the command")); err != nil {
			return err
		}
	}
	say(env, "send %s and %s to the other host; it is sealed for %s and says nothing to anyone else", path, path+sigExt, c.Card(peer).Member)
	return nil
}

func newCeremonyFinishCmd(env Env) *cobra.Command {
	var dir, reveal string
	cmd := &cobra.Command{
		Use:     "finish --dir DIR --reveal FILE",
		Short:   "Take the other host's part, keep the seed and print its fingerprint",
		Example: `  muster host ceremony finish --dir ostmere --reveal calverra/reveal.json`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if reveal == "" {
				return usageError(cmd, "muster host ceremony finish needs --reveal FILE, the other host's reveal.json")
			}
			return runFinish(env, dir, reveal)
		},
	}
	dirFlag(cmd, &dir, "this host")
	cmd.Flags().StringVar(&reveal, "reveal", "", "the other host's reveal.json (required)")
	return cmd
}

func runFinish(env Env, dir, reveal string) error {
	h, err := openHost(dir)
	if err != nil {
		return err
	}
	c, role, err := h.ceremony()
	if err != nil {
		return err
	}
	peer := c.Card(coalition.OtherHost(role))
	if !exists(h.path(revealFile)) {
		return errs.New(errs.Conflict, "this host has not revealed its part yet: whoever learns the seed first could walk away from it", "muster host ceremony reveal comes first")
	}
	files, err := h.commitments(role)
	if err != nil {
		return err
	}
	file, err := readSigned(reveal, "reveal of the other host")
	if err != nil {
		return err
	}
	if kept, err := os.ReadFile(h.received(peerRevealFile)); err == nil && !bytes.Equal(kept, file.Body) {
		return errs.New(errs.Conflict, fmt.Sprintf("%s sent a second reveal, other than the one that was taken", peer.Member), "the first one counts; call the other host and ask why there are two")
	}
	folder := h.cfg.KeyFolder()
	part, err := folder.SeedPart()
	if err != nil {
		return err
	}
	pairs, err := folder.HPKE()
	if err != nil {
		return err
	}
	seed, err := c.Finish(role, part, files, file, pairs)
	if err != nil {
		return err
	}
	if err := keepSigned(h.received(peerRevealFile), file, errs.New(errs.Conflict, "another reveal was taken at the same time", "")); err != nil {
		return err
	}
	if err := folder.PutSeed(seed); err != nil {
		return err
	}
	digest := seed.Digest()
	if _, err := fmt.Fprintf(env.Out, "The seed of the cycle %s, drawn by %s (Leader) and %s (Helper), has the digest\n\n  %s\n\n", c.Cycle, c.Leader.Member, c.Helper.Member, hex.EncodeToString(digest[:])); err != nil {
		return err
	}
	if err := writeWords(env.Out, "  ", digest); err != nil {
		return err
	}
	say(env, "compare these words with %s on the telephone; then each host gives the digest to the coordinator for the charter", peer.Member)
	say(env, "the seed is in %s; it never leaves this host", strconv.Quote(folder.Dir))
	return nil
}
