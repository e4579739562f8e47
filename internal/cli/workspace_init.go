package cli

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/exchange"
)

func newWorkspaceInitCmd(env Env) *cobra.Command {
	var (
		member, name string
		lock         lockFlags
	)
	cmd := &cobra.Command{
		Use:   "init DIR --member NAME",
		Short: "Make a member's workspace",
		Long: `Make a folder with a member's workspace: an encrypted database, the key that opens
it, locked with a passphrase or for an age key file, and the member's signing key,
as muster submit init makes it. The line with its public part is for the
coordinator's file of members.

Nobody can open a workspace without its passphrase or key file: keep it where it is
found by who has to find it. --name is whose name stands in the history where one person
uses the workspace; it is asked for on the first page otherwise. A command that was interrupted may be repeated; keys
that are there are never replaced.`,
		Example: `  muster workspace init ostmere --member Ostmere --name "Ada Lindqvist"`,
		Args:    oneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if member == "" {
				return usageError(cmd, "muster workspace init needs --member NAME")
			}
			return runWorkspaceInit(cmd.Context(), env, args[0], member, name, lock)
		},
	}
	cmd.Flags().StringVar(&member, "member", "", "the member (required)")
	cmd.Flags().StringVar(&name, "name", "", "your name, as the history shows it")
	lock.addLock(cmd)
	return cmd
}

func runWorkspaceInit(ctx context.Context, env Env, dir, memberName, name string, f lockFlags) (err error) {
	member, err := coalition.ParseMemberID(memberName)
	if err != nil {
		return err
	}
	folder := config.Workspace{Dir: dir}
	there := exists(folder.Database())
	lock, err := f.lock(ctx, env, !there)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the folder %s cannot be made", strconv.Quote(dir)), err), "")
	}
	signer, err := folder.Keys().MakeSigner(env.Rand, string(member))
	if err != nil {
		return err
	}
	if err := checkOwner(dir, signer, string(member), "muster workspace init"); err != nil {
		return err
	}
	key, err := folder.MakeKey(env.Rand, lock)
	if err != nil {
		return err
	}
	w, err := openWorkspaceKey(ctx, env, folder, lock, key, name)
	if err != nil {
		return err
	}
	defer w.close(&err)
	if err := w.Begin(ctx, w.person, member); err != nil {
		return err
	}
	if name != "" {
		if err := w.SetName(ctx, w.person, name); err != nil {
			return err
		}
	}
	if err := exchange.WriteMember(env.Out, coalition.Member{ID: member, Key: signer.Public()}); err != nil {
		return err
	}
	if there {
		say(env, "%s is the workspace of %s already; nothing was replaced", dir, member)
	} else {
		say(env, "%s is the workspace of %s: nobody opens it without the passphrase or key file, and nobody can bring it back", dir, member)
	}
	say(env, "send the line above to the coordinator, by any way, and read these words out to the coordinator on the telephone:")
	if err := writeWords(env.Err, "muster:   ", signer.Public().Digest()); err != nil {
		return err
	}
	say(env, "next: muster workspace load --dir %s --charter FILE, or --framework and --cycle where there is no charter yet", dir)
	return nil
}
