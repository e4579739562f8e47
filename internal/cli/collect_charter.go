package cli

import (
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/exchange"
	"muster/internal/framework"
)

type collectCharterFlags struct {
	dir, framework, members, leader, helper string
	seedDigest                              string
	cycle, opens, deadline, wipe            string
	cohort, variant, marking, out           string
	colluders                               int
	record                                  recordFlags
	lowest, target                          bool
}

// recordFlags name the ledger of a cycle and who has to see it.
type recordFlags struct {
	ledger    string
	witnesses []string
	threshold int
}

// register adds the flags; kept says what holds where none is given.
func (f *recordFlags) register(cmd *cobra.Command, kept string) {
	flags := cmd.Flags()
	flags.StringVar(&f.ledger, "ledger", "", "the key of the ledger, as muster ledger init printed it, or a file with it"+kept)
	flags.StringArrayVar(&f.witnesses, "witness", nil, "the key of a witness, as muster witness init printed it, or a file with it; once for each"+kept)
	flags.IntVar(&f.threshold, "witnesses", 1, "how many of the witnesses must have cosigned")
}

// into puts what was given into a charter's policy.
func (f recordFlags) into(p *coalition.WitnessPolicy) error {
	if f.ledger != "" {
		key, err := readPublicKey(f.ledger, "the ledger")
		if err != nil {
			return err
		}
		p.Log = key
	}
	if f.witnesses == nil {
		return nil
	}
	p.Keys, p.Threshold = nil, f.threshold
	for _, named := range f.witnesses {
		key, err := readPublicKey(named, "a witness")
		if err != nil {
			return err
		}
		p.Keys = append(p.Keys, key)
	}
	return nil
}

func newCollectCharterCmd(env Env) *cobra.Command {
	var f collectCharterFlags
	cmd := &cobra.Command{
		Use:   "charter --dir DIR --members FILE --leader CARD --helper CARD --seed-digest HEX --opens DAY --deadline DAY --wipe DAY --out FILE",
		Short: "Put a charter together and sign it as the coordinator",
		Long: `Put a charter together and sign it as the coordinator. The hosts sign it next, with
muster host approve.

The members are a CSV file with the header member,key and one row for each member:
the line that muster submit init printed for it. The seed digest is what both
hosts' ceremony finish printed. Times are days, which begin in UTC, or RFC 3339.

The ledger's key is what muster ledger init printed, and a witness's what muster
witness init printed for the member that runs it. A charter that is not marked names
one at least: else nobody but the coordinator would have to see the record.`,
		Example: `  muster collect charter --dir coordinator --framework muster-core --members members.csv \
    --leader ostmere/host-card.json --helper calverra/host-card.json --seed-digest 5e3c… \
    --opens 2026-09-01 --deadline 2026-09-30 --wipe 2027-09-30 \
    --ledger ledger.example.org+5b21… --witness witness.ostmere.example+9a0b… --out charter.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var missing []string
			for _, needed := range []struct{ flag, value string }{
				{"--members", f.members},
				{"--leader", f.leader},
				{"--helper", f.helper},
				{"--seed-digest", f.seedDigest},
				{"--opens", f.opens},
				{"--deadline", f.deadline},
				{"--wipe", f.wipe},
				{"--out", f.out},
			} {
				if needed.value == "" {
					missing = append(missing, needed.flag)
				}
			}
			if missing != nil {
				return usageError(cmd, "muster collect charter needs "+strings.Join(missing, ", "))
			}
			return runCollectCharter(env, f)
		},
	}
	dirFlag(cmd, &f.dir, "the coordinator")
	flags := cmd.Flags()
	flags.StringVar(&f.framework, "framework", "muster-core", "id or path of the framework pack")
	flags.StringVar(&f.members, "members", "", "the members and their keys, a CSV file (required)")
	flags.StringVar(&f.leader, "leader", "", "the card of the Leader (required)")
	flags.StringVar(&f.helper, "helper", "", "the card of the Helper (required)")
	flags.StringVar(&f.seedDigest, "seed-digest", "", "the digest of the hosts' seed (required)")
	flags.StringVar(&f.cycle, "cycle", "", "the name of the cycle (default: the year of --opens)")
	flags.StringVar(&f.opens, "opens", "", "from when on members submit (required)")
	flags.StringVar(&f.deadline, "deadline", "", "until when (required)")
	flags.StringVar(&f.wipe, "wipe", "", "when the keys of the cycle are destroyed (required)")
	flags.StringVar(&f.cohort, "cohort", "allies", "the name of the cohort")
	flags.StringVar(&f.variant, "variant", dap.Variant18.Tag(), "the version of DAP: dap-18, or dap-19, which is unconfirmed")
	flags.StringVar(&f.marking, "marking", "", "REHEARSAL or SYNTHETIC, where that is so")
	flags.IntVar(&f.colluders, "colluders", 0, "how many members may tell each other everything: groups that are shown are larger by as many")
	flags.BoolVar(&f.lowest, "show-lowest", false, "show the lowest level of an area instead of its change")
	flags.BoolVar(&f.target, "show-target", false, "show targets instead of levels against targets")
	f.record.register(cmd, "")
	flags.StringVar(&f.out, "out", "", "the charter to write (required)")
	return cmd
}

func runCollectCharter(env Env, f collectCharterFlags) error {
	own, err := openCoordinator(f.dir)
	if err != nil {
		return err
	}
	proposal, err := readProposal(env, f)
	if err != nil {
		return err
	}
	proposal.Coalition, proposal.Collector = own.card.Coalition, own.card
	charter, err := proposal.Charter()
	if err != nil {
		return err
	}
	if err := disclosure.RequireSafe(charter); err != nil {
		return err
	}
	signed, err := charter.Propose(own.signer)
	if err != nil {
		return err
	}
	if kept, err := readCharter(f.out); err == nil && string(kept.Body) == string(signed.Body) {
		// It may have more signatures by now: none is lost.
		if signed, err = kept.Join(signed.Signature); err != nil {
			return err
		}
	}
	other := errs.New(errs.Conflict, fmt.Sprintf("there is another charter at %s", strconv.Quote(f.out)), "give another --out, or move it away if nobody has signed it")
	if err := keepSigned(f.out, coalition.SignedFile(signed), other); err != nil {
		return err
	}
	page, err := newCharterPage(env, signed, charter)
	if err != nil {
		return err
	}
	if err := page.write(env.Out); err != nil {
		return err
	}
	say(env, "compare every member's key with the member, by the words of: muster charter show %s --members", f.out)
	say(env, "then send %s and %s to both hosts, who check and sign it with muster host approve", f.out, f.out+sigExt)
	return nil
}

// readProposal reads everything that the flags name.
func readProposal(env Env, f collectCharterFlags) (coalition.Proposal, error) {
	p := coalition.Proposal{
		Cycle: f.cycle, Cohort: f.cohort, Marking: f.marking,
		Disclosure: coalition.Disclosure{Colluders: f.colluders, Lowest: f.lowest, Target: f.target},
	}
	if err := f.record.into(&p.Witnesses); err != nil {
		return p, err
	}
	var err error
	if p.Opens, err = parseTime("opens", f.opens); err != nil {
		return p, err
	}
	if p.Deadline, err = parseTime("deadline", f.deadline); err != nil {
		return p, err
	}
	if p.Wipe, err = parseTime("wipe", f.wipe); err != nil {
		return p, err
	}
	if p.Cycle == "" {
		p.Cycle = strconv.Itoa(p.Opens.UTC().Year())
	}
	if p.Marking != "" && p.Marking != coalition.MarkingRehearsal && p.Marking != coalition.MarkingSynthetic {
		return p, errs.New(errs.Invalid, "--marking cannot be "+errs.Quote(p.Marking)+"; allowed: REHEARSAL, SYNTHETIC", "")
	}
	if p.Variant, err = dap.ParseVariant(f.variant); err != nil {
		return p, errs.Wrap(err, errs.Invalid, "--variant cannot be "+errs.Quote(f.variant)+"; allowed: dap-18, dap-19", "")
	}
	digest, err := hex.DecodeString(strings.ToLower(f.seedDigest))
	if err != nil || len(digest) != len(p.Seed) {
		return p, errs.New(errs.Invalid, "--seed-digest is no SHA-256 in 64 hexadecimal digits", "both hosts have it from muster host ceremony finish")
	}
	p.Seed = [32]byte(digest)
	if p.Leader, _, err = openCard(f.leader); err != nil {
		return p, err
	}
	if p.Helper, _, err = openCard(f.helper); err != nil {
		return p, err
	}
	if err := (coalition.Ceremony{Cycle: p.Cycle, Leader: p.Leader, Helper: p.Helper}).Check(); err != nil {
		return p, err
	}
	pack, err := openPack(env, f.framework)
	if err != nil {
		return p, err
	}
	layout, err := framework.NewLayout(pack)
	if err != nil {
		return p, err
	}
	if p.Layout, err = layout.Canonical(); err != nil {
		return p, err
	}
	ref := pack.Ref()
	p.Framework = coalition.FrameworkRef{ID: ref.ID, Version: ref.Version, Digest: ref.Digest}
	members, err := os.Open(f.members)
	if err != nil {
		return p, errs.Wrap(err, errs.NotFound, because(fmt.Sprintf("the file of members %s cannot be read", strconv.Quote(f.members)), err), "")
	}
	defer members.Close() // nothing was written
	p.Members, err = exchange.ReadMembers(f.members, members)
	return p, err
}
