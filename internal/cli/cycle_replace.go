package cli

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
)

type replaceFlags struct {
	dir, charter, wiped        string
	lost                       []string
	leader, helper, seedDigest string
	opens, deadline, wipe, out string
	record                     recordFlags
}

func newReplaceHostCmd(env Env) *cobra.Command {
	var f replaceFlags
	cmd := &cobra.Command{
		Use:   "replace-host --dir DIR --charter OLD --lost MEMBER --wiped FILE --leader CARD --helper CARD --seed-digest HEX --out NEW",
		Short: "Put a new charter together where a host is lost for good before the collection",
		Long: `Put a new charter together where a host, or its keys, is lost for good before the
collection: the same coalition, cycle, framework, members, ledger and witnesses, with
new hosts and a new seed. Members seal what they kept again, with one command each.

The host that is left must have wiped the old cycle before (muster host wipe
--cancelled): its attestation is checked. With both halves of one set of answers
under two charters somebody could subtract two totals. Where both hosts are lost,
name both; then nothing is left that could be wiped.

The host that is left begins in a new folder, holds the ceremony with the new one,
and both sign the new charter like any other.`,
		Example: `  muster cycle replace-host --dir coordinator --charter charter.json --lost Calverra --wiped from-ostmere/wipe-attestation.json \
    --leader from-ostmere/host-card.json --helper from-tarn/host-card.json --seed-digest 5e3c… --out new/charter.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var missing []string
			for _, needed := range []struct{ flag, value string }{
				{"--charter", f.charter},
				{"--lost", strings.Join(f.lost, ",")},
				{"--leader", f.leader},
				{"--helper", f.helper},
				{"--seed-digest", f.seedDigest},
				{"--out", f.out},
			} {
				if needed.value == "" {
					missing = append(missing, needed.flag)
				}
			}
			if missing != nil {
				return usageError(cmd, "muster cycle replace-host needs "+strings.Join(missing, ", "))
			}
			return runReplaceHost(env, f)
		},
	}
	dirFlag(cmd, &f.dir, "the coordinator")
	flags := cmd.Flags()
	flags.StringVar(&f.charter, "charter", "", "the charter whose host is lost, its .sig beside it (required)")
	flags.StringSliceVar(&f.lost, "lost", nil, "the member whose host is lost, or both; a name with a comma in quotes (required)")
	flags.StringVar(&f.wiped, "wiped", "", "the wipe-attestation.json of the host that is left")
	flags.StringVar(&f.leader, "leader", "", "the card of the new Leader (required)")
	flags.StringVar(&f.helper, "helper", "", "the card of the new Helper (required)")
	flags.StringVar(&f.seedDigest, "seed-digest", "", "the digest of the seed that the new hosts drew (required)")
	flags.StringVar(&f.opens, "opens", "", "from when on members submit again (default: now)")
	flags.StringVar(&f.deadline, "deadline", "", "until when (default: as in the old charter)")
	flags.StringVar(&f.wipe, "wipe", "", "when the keys of the cycle are destroyed (default: as in the old charter)")
	f.record.register(cmd, " (default: as in the old charter)")
	flags.StringVar(&f.out, "out", "", "the new charter to write (required)")
	return cmd
}

func runReplaceHost(env Env, f replaceFlags) error {
	own, err := openCoordinator(f.dir)
	if err != nil {
		return err
	}
	old, charter, err := openCharter(f.charter)
	if err != nil {
		return err
	}
	if err := own.match(charter); err != nil {
		return err
	}
	if err := own.checkUncollected(charter); err != nil {
		return err
	}
	if err := checkWiped(charter, f); err != nil {
		return err
	}
	proposal, err := replacement(env, charter, f)
	if err != nil {
		return err
	}
	proposal.Coalition, proposal.Collector = own.card.Coalition, own.card
	renewed, err := proposal.Charter()
	if err != nil {
		return err
	}
	signed, err := renewed.Propose(own.signer)
	if err != nil {
		return err
	}
	// First: from here on nobody collects under the old charter with this folder.
	if err := own.markReplaced(old.Digest()); err != nil {
		return err
	}
	other := errs.New(errs.Conflict, fmt.Sprintf("there is another charter at %s", strconv.Quote(f.out)), "give another --out, or move it away if nobody has signed it")
	if err := keepSigned(f.out, coalition.SignedFile(signed), other); err != nil {
		return err
	}
	page, err := newCharterPage(env, signed, renewed)
	if err != nil {
		return err
	}
	if err := page.write(env.Out); err != nil {
		return err
	}
	say(env, "send %s and %s to both hosts, who check and sign it with muster host approve", f.out, f.out+sigExt)
	say(env, "then send it to every member, who seals the answers that it kept again:")
	say(env, "  muster submit seal --dir DIR --charter NEW --answers FILE --out SEALED --instead-of %s --upload", old.Digest())
	return nil
}

// checkUncollected refuses where the totals under a charter were asked for: what
// was collected once is not replaced.
func (o *coordinatorFolder) checkUncollected(c coalition.Charter) error {
	for _, cohort := range c.Cohorts {
		task, err := c.OpenTask(cohort.ID)
		if err != nil {
			return err
		}
		if path := o.collection(task.ID, ".json"); exists(path) {
			return errs.New(errs.Conflict, "the totals under this charter were asked for already; no host is replaced any more", "repeat muster collect run: it asks the same, and gets the same answer; "+strconv.Quote(path)+" is the request")
		}
	}
	return nil
}

// checkWiped wants the word of the host that is left that nothing under the old
// charter can be opened any more.
func checkWiped(c coalition.Charter, f replaceFlags) error {
	left := map[coalition.MemberID]string{c.Leader.Member: "leader", c.Helper.Member: "helper"}
	for _, name := range f.lost {
		id, err := coalition.ParseMemberID(strings.TrimSpace(name))
		if err != nil {
			return err
		}
		if _, ok := left[id]; !ok {
			return errs.New(errs.Invalid, fmt.Sprintf("%s is no host of this charter that could be lost", errs.Quote(string(id))), fmt.Sprintf("its hosts are %s and %s", c.Leader.Member, c.Helper.Member))
		}
		delete(left, id)
	}
	for member, role := range left { // one, or none
		if f.wiped == "" {
			return errs.New(errs.Invalid, fmt.Sprintf("%s still has its halves of what was submitted", member),
				fmt.Sprintf("%s ends the old cycle first, muster host wipe --cancelled, and sends wipe-attestation.json: give it with --wiped", member))
		}
		file, err := readSigned(f.wiped, "wipe attestation")
		if err != nil {
			return err
		}
		a, err := coalition.OpenWipeAttestation(file, c)
		if err != nil {
			return inFile(f.wiped, err)
		}
		if a.Role != role {
			return errs.New(errs.Conflict, fmt.Sprintf("%s is the attestation of the %s, and %s is left", strconv.Quote(f.wiped), a.Role, member), "give the attestation of the host that is left")
		}
		if a.Ending != coalition.EndingCancelled {
			return errs.New(errs.Conflict, fmt.Sprintf("%s wiped a cycle that was over: its totals were collected", member), "a cycle that was collected is not begun again")
		}
		if a.Sum == coalition.SumUnknown {
			return errs.New(errs.Conflict, fmt.Sprintf("%s does not know whether its sum had left before it wiped: its database holds nothing of before the deadline", member),
				fmt.Sprintf("it is lost as well: give --lost %s, too, if nobody at either host has seen a collection", member))
		}
		if a.Sum != coalition.SumKept {
			return errs.New(errs.Conflict, fmt.Sprintf("the sum of %s had left for the coordinator, or may have, before %s wiped", member, member),
				"totals of these answers may be known, and a second collection would show by their difference what single members answered: the cycle is not begun again")
		}
	}
	return nil
}

// replacement is what the new charter says: all that does not depend on the hosts
// is as it was.
func replacement(env Env, c coalition.Charter, f replaceFlags) (coalition.Proposal, error) {
	p := coalition.Proposal{
		Cycle: c.Cycle, Marking: c.Marking, Framework: c.Framework, Layout: c.Layout, Disclosure: c.Disclosure, Witnesses: c.Witnesses, Opens: env.Now().Truncate(time.Second),
	}
	if err := f.record.into(&p.Witnesses); err != nil {
		return p, err
	}
	if len(c.Cohorts) != 1 {
		return p, errs.New(errs.Invalid, fmt.Sprintf("the charter has %d cohorts, and this command writes charters with one", len(c.Cohorts)), "")
	}
	p.Cohort, p.Members = c.Cohorts[0].ID, slices.Clone(c.Cohorts[0].Members)
	var err error
	if p.Variant, err = dap.ParseVariant(c.Cohorts[0].Task.Variant); err != nil {
		return p, err
	}
	p.Deadline, p.Wipe = time.Unix(c.Deadline, 0), time.Unix(c.Wipe, 0)
	for _, day := range []struct {
		flag, text string
		into       *time.Time
	}{{"opens", f.opens, &p.Opens}, {"deadline", f.deadline, &p.Deadline}, {"wipe", f.wipe, &p.Wipe}} {
		if day.text != "" {
			if *day.into, err = parseTime(day.flag, day.text); err != nil {
				return p, err
			}
		}
	}
	if !env.Now().Before(p.Deadline) {
		return p, errs.New(errs.Invalid, "the deadline, "+p.Deadline.UTC().Format(pageTime)+", is past: nobody could submit again", "give a later one with --deadline, and a --wipe after it")
	}
	if p.Leader, _, err = openCard(f.leader); err != nil {
		return p, err
	}
	if p.Helper, _, err = openCard(f.helper); err != nil {
		return p, err
	}
	if err := (coalition.Ceremony{Cycle: p.Cycle, Leader: p.Leader, Helper: p.Helper}).Check(); err != nil {
		return p, err
	}
	digest, err := hex.DecodeString(strings.ToLower(f.seedDigest))
	if err != nil || len(digest) != len(p.Seed) {
		return p, errs.New(errs.Invalid, "--seed-digest is no SHA-256 in 64 hexadecimal digits", "both hosts have it from muster host ceremony finish")
	}
	p.Seed = [32]byte(digest)
	return p, checkNew(c, p)
}

// checkNew refuses hosts and a seed of the old charter: a folder, with its keys,
// serves one charter.
func checkNew(c coalition.Charter, p coalition.Proposal) error {
	if hex.EncodeToString(p.Seed[:]) == c.SeedDigest {
		return errs.New(errs.Conflict, "this is the seed of the old charter", "both hosts hold a new ceremony, in new folders")
	}
	for _, card := range []coalition.HostCard{p.Leader, p.Helper} {
		for _, was := range []coalition.Host{c.Leader, c.Helper} {
			if card.Key == was.Key || card.HPKE == was.HPKE || card.Certificate == was.Certificate {
				return errs.New(errs.Conflict, fmt.Sprintf("the card of %s shows keys of the old charter", card.Member), "a folder serves one charter: muster host init another one, also at the host that is left")
			}
		}
	}
	return nil
}

// replacedFolder holds an empty file for each charter that was replaced, named by
// its digest.
const replacedFolder = "replaced"

func (o *coordinatorFolder) markReplaced(charter string) error {
	err := realDisk().writeOutput(filepath.Join(o.dir, replacedFolder), []outputFile{{charter, nil, 0o600}}, nil)
	return placeError(err, o.dir, "make room there, and repeat the command")
}

// checkReplaced refuses to collect under a charter that was replaced.
func (o *coordinatorFolder) checkReplaced(charter string) error {
	if _, err := os.Lstat(filepath.Join(o.dir, replacedFolder, charter)); err != nil {
		return nil // it is not there
	}
	return errs.New(errs.Conflict, "this charter was replaced, since one of its hosts was lost; nothing is collected under it", "collect under the charter that muster cycle replace-host wrote")
}
