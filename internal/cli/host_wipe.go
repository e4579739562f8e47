package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/store/hostdb"
)

// attestationFile is what a wipe leaves in a host's folder.
const attestationFile = "wipe-attestation.json"

type hostWipeFlags struct {
	dir       string
	cancelled bool
	reason    string
	yes       bool
}

func newHostWipeCmd(env Env) *cobra.Command {
	var f hostWipeFlags
	cmd := &cobra.Command{
		Use:   "wipe --dir DIR [--cancelled --reason TEXT]",
		Short: "End the cycle at this host: delete submissions and the keys that open them",
		Long: `End the cycle at this host, from the charter's day of wiping on: delete the
submissions, this host's sum and its answers from the database, then destroy the
cycle key, the HPKE keys, the seed and this host's part of it, and sign
wipe-attestation.json. What stays is the roster with its amendments, the record,
and the signing key.

A host that still serves ends by itself. It is stated, not proven: copies of the
keys elsewhere, in a safe for instance, are for you to destroy. It may be
interrupted and repeated.

With --cancelled it ends a cycle that the coalition has cancelled, at any time:
what was not collected before can never be collected.`,
		Example: `  muster host wipe --dir ostmere`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.cancelled != (strings.TrimSpace(f.reason) != "") {
				return usageError(cmd, "--cancelled and --reason TEXT belong together: the record says why a cycle was cancelled")
			}
			return runHostWipe(cmd.Context(), env, f)
		},
	}
	dirFlag(cmd, &f.dir, "this host")
	cmd.Flags().BoolVar(&f.cancelled, "cancelled", false, "the coalition has cancelled the cycle")
	cmd.Flags().StringVar(&f.reason, "reason", "", "why, for the record; without members' names")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "wipe without asking: the page has been read")
	return cmd
}

func runHostWipe(ctx context.Context, env Env, f hostWipeFlags) (err error) {
	k, err := readHost(f.dir)
	if err != nil {
		return err
	}
	signer, err := k.cfg.KeyFolder().Signer()
	if err != nil {
		return err
	}
	if signer.Public() != keyOf(k.charter, k.role) {
		return errs.New(errs.Conflict, "the signing key in "+errs.Quote(k.cfg.Keys)+" is not the one that the charter names for this host", "give the folder that serves this charter")
	}
	// Without a database there may be keys all the same: it is made, so that
	// the cycle cannot begin afterwards.
	db, err := hostdb.Open(ctx, hostdb.Config{Path: k.cfg.SQLite, DSNFile: k.cfg.PostgresDSN})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := k.writeWipePage(env, f); err != nil {
		return err
	}
	if ok, err := agreed(env, f.yes, fmt.Sprintf("Does %s wipe the cycle %s?", k.cfg.Member, k.charter.Cycle), "wiped"); err != nil || !ok {
		return err
	}
	remembers, err := k.remembers(ctx, env, db)
	if err != nil {
		return err
	}
	if err := k.wipe(ctx, env, db, db.Record(signer), f); err != nil {
		return err
	}
	destroyed, err := k.cfg.KeyFolder().DestroyCycle()
	if err != nil {
		return err
	}
	for _, name := range destroyed {
		say(env, "destroyed %s in %s", name, k.cfg.Keys)
	}
	sum, err := k.sum(ctx, db)
	if err != nil {
		return err
	}
	if sum == coalition.SumKept && !remembers {
		sum = coalition.SumUnknown
		warn(env, "this host's database holds nothing of before the deadline: whether its sum has left it does not know, and the attestation says so")
	}
	if f.cancelled && sum == coalition.SumLeft {
		warn(env, "this host's sum had left for the coordinator, or may have, before the cycle was cancelled; the attestation says so")
	}
	return k.attest(ctx, env, db.Record(signer), signer, sum, f)
}

// remembers reports whether the database would know of a sum that has left: it
// holds a roster or receipts, or there has been no deadline yet and so no sum. One
// that holds nothing may be new, in the place of one that was lost.
func (k *knownHost) remembers(ctx context.Context, env Env, db *hostdb.DB) (remembers bool, err error) {
	if env.Now().Before(time.Unix(k.charter.Deadline, 0)) {
		return true, nil
	}
	err = db.InTx(ctx, "look what is remembered", func(tx aggregate.Tx) error {
		remembers = true
		for _, cohort := range k.charter.Cohorts {
			task, err := k.charter.OpenTask(cohort.ID)
			if err != nil {
				return err
			}
			_, frozen, err := tx.Roster(task.ID)
			if err != nil {
				return err
			}
			receipts, err := tx.LastReceipts(task.ID)
			if err != nil {
				return err
			}
			remembers = remembers && (frozen || len(receipts) > 0)
		}
		return nil
	})
	return remembers, err
}

// sum says whether this host's sum has left, for the attestation. A host that was
// restored and has not asked the other one since does not know what it did after
// the backup: then it may have, but where the coordinator denied it.
func (k *knownHost) sum(ctx context.Context, db *hostdb.DB) (string, error) {
	pending, ok, err := db.PendingRestoration(ctx)
	if err != nil {
		return "", err
	}
	left := ok && pending.Statement != hostdb.NotCollected
	err = db.InTx(ctx, "look whether the sum has left", func(tx aggregate.Tx) error {
		for _, cohort := range k.charter.Cohorts {
			task, err := k.charter.OpenTask(cohort.ID)
			if err != nil {
				return err
			}
			one, err := tx.SumLeft(task.ID)
			if err != nil {
				return err
			}
			left = left || one
		}
		return nil
	})
	if left {
		return coalition.SumLeft, err
	}
	return coalition.SumKept, err
}

func (k *knownHost) writeWipePage(env Env, f hostWipeFlags) error {
	why := "its day has come"
	if f.cancelled {
		why = "it was cancelled: " + oneLine(f.reason)
	}
	_, err := fmt.Fprintf(env.Out, `The cycle %s ends at %s, its %s: %s.

  destroyed  the submissions, this host's sum and its answers; the cycle key, the
             HPKE keys, the seed and this host's part of it
  stays      the roster with its amendments, the record, the signing key

Nothing of this cycle can be opened afterwards, by nobody's mistake and by
nobody's order. Copies of the keys that lie elsewhere are yours to destroy.
`, k.charter.Cycle, k.cfg.Member, roleName(k.role), why)
	return err
}

// wipe deletes what the database holds of every task.
func (k *knownHost) wipe(ctx context.Context, env Env, db *hostdb.DB, record *hostdb.Record, f hostWipeFlags) error {
	why := aggregate.CycleOver
	if f.cancelled {
		why = aggregate.CycleCancelled
	}
	for _, cohort := range k.charter.Cohorts {
		err := aggregate.Wipe(ctx, aggregate.WipeConfig{Charter: k.charter, Cohort: cohort.ID, Role: k.role, Store: db, Log: record, Now: env.Now}, why)
		if err != nil {
			return err
		}
	}
	if !f.cancelled {
		return nil
	}
	err := record.Append(ctx, ledger.Entry{
		ID: "cancellation " + k.charter.Cycle, Kind: "cancellation", Data: map[string]string{"charter": k.signed.Digest(), "reason": f.reason},
	})
	if errs.KindOf(err) == errs.Conflict {
		return nil // it was interrupted, and the reason given again in other words
	}
	return err
}

// destroyedByHost is what a host's attestation says.
var destroyedByHost = [...]string{"submissions", "cycle key", "HPKE keys", "seed", "seed part"}

// attest signs the attestation, or shows the one that is there.
func (k *knownHost) attest(ctx context.Context, env Env, record *hostdb.Record, signer *keys.Signer, sum string, f hostWipeFlags) error {
	path := k.path(attestationFile)
	if !exists(path) {
		ending := coalition.EndingOver
		if f.cancelled {
			ending = coalition.EndingCancelled
		}
		a, err := coalition.NewWipeAttestation(k.charter, strings.ToLower(roleName(k.role)), ending, sum, destroyedByHost[:], env.Now())
		if err != nil {
			return err
		}
		file, err := a.Sign(signer)
		if err != nil {
			return err
		}
		if err := keepSigned(path, file, errs.New(errs.Conflict, errs.Quote(path)+" is there already", "")); err != nil {
			return err
		}
	}
	file, err := readSigned(path, "wipe attestation")
	if err != nil {
		return err
	}
	a, err := coalition.OpenWipeAttestation(file, k.charter)
	if err != nil {
		return err
	}
	err = record.Append(ctx, ledger.Entry{
		ID: "wipe attestation " + keys.Digest(file.Body), Kind: "wipe attestation", Data: map[string]string{"attestation": keys.Digest(file.Body), "ending": a.Ending},
	})
	if err != nil {
		return err
	}
	if err := writeAttestation(env, a, file); err != nil {
		return err
	}
	say(env, "%s and its .sig go to the coordinator and to the other host", path)
	say(env, "destroy the copies of %s that lie elsewhere; backups of the database hold ciphertexts under keys that are gone", k.cfg.Keys)
	return nil
}

func writeAttestation(env Env, a coalition.WipeAttestation, file coalition.SignedFile) error {
	of := map[string]string{
		coalition.SumLeft:    "\nIts sum had left for the coordinator before, or may have.",
		coalition.SumKept:    "\nIts sum has not left.",
		coalition.SumUnknown: "\nWhether its sum had left it does not know: its database holds nothing of before\nthe deadline.",
	}[a.Sum]
	_, err := fmt.Fprintf(env.Out, "\n%s, %s of the cycle %s, states that it has destroyed its\n%s at %s.%s\nIt is stated, not proven.\n\n  digest  %s\n",
		a.Name, a.Role, a.Cycle, strings.Join(a.Destroyed, ", "), dayText(time.Unix(a.Time, 0)), of, keys.Digest(file.Body))
	return err
}
