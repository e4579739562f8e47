package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/demo"
	"muster/internal/errs"
	"muster/internal/exchange"
	"muster/internal/framework"
	"muster/internal/rehearse"
)

// lateFrom is the size from which the synthetic coalition has a late member.
const lateFrom = 16

// What a demonstration keeps with --data; syntheticNotice is in syntheticFile.
const (
	answersFolder  = "answers"
	previousFolder = "previous"
	resultFolder   = "result"
	syntheticFile  = "SYNTHETIC.txt"
)

// syntheticNotice lies beside the answers, whose format has no place for it.
const syntheticNotice = `SYNTHETIC

Every file in this folder and below is made up: the members, the sea and the answers are
invented. Nothing here says anything about a real country.
`

type demoFlags struct {
	members  int
	seed     uint64
	data     string
	headless bool
	oneCycle bool
	json     bool
	listen   string

	inProcess bool
}

func newDemoCmd(env Env) *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a synthetic coalition through its years",
		Long: `Run a synthetic coalition, invented members with invented answers on an invented
sea, through three yearly cycles: 32 allies and 18 partners, each cohort for
itself, by three packs, under two hosts that change each year; and the coalition
assesses itself. One deadline is postponed, one framework is revised, two allies
join, some members decline or are late, and what was released in one year is
reckoned with in the next. Where too few took part nothing is opened.

It is the same code, cryptography and databases as muster rehearse; each host of
the current year is a process of its own, those of earlier years run in this one.

It serves the picture of all of them in a browser on this machine, until Ctrl-C.
With --headless it prints the current picture of the allies instead. With
--one-cycle it prints that of one cycle of one cohort by muster-core alone, and with --data keeps
answers to rehearse with.

The picture, charter.json, aggregate.json, release.json, collective.json and the
first entry of a record are marked SYNTHETIC. The answers and the roster have no
place for it in their formats: SYNTHETIC.txt, in the folder of --data, says it of
these.`,
		Example: `  muster demo --headless --data synthetic
  muster demo --one-cycle --members 12 --seed 7 --data answers-to-rehearse-with`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.oneCycle {
				return runOneCycle(cmd.Context(), env, f)
			}
			return runYears(cmd.Context(), env, f)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.headless, "headless", false, "print the picture in the terminal and serve nothing")
	flags.BoolVar(&f.oneCycle, "one-cycle", false, "run one cycle of one cohort by muster-core alone")
	flags.IntVar(&f.members, "members", 32, "allies, some of which decline or are late")
	flags.Uint64Var(&f.seed, "seed", 1, "the same seed makes the same coalition")
	flags.StringVar(&f.data, "data", "", "keep everything in this new folder")
	flags.BoolVar(&f.json, "json", false, "print the current release of the allies alone, as JSON")
	flags.StringVar(&f.listen, "listen", pictureAddress, "address of this machine for the picture, with port")
	inProcessFlag(cmd, &f.inProcess)
	return cmd
}

func runOneCycle(ctx context.Context, env Env, f demoFlags) error {
	pack, err := framework.Find(env.Packs, defaultPack)
	if err != nil {
		return err
	}
	late := 0
	if f.members >= lateFrom {
		late = 1
	}
	synthetic, err := demo.Generate(demo.Config{Pack: pack, Members: f.members, Seed: f.seed, Late: late})
	if err != nil {
		return err
	}
	var result *rehearse.Result
	if f.data == "" {
		result, err = demoInScratch(ctx, env, staging{inProcess: f.inProcess}, pack, synthetic)
	} else {
		result, err = demoInFolder(ctx, env, staging{inProcess: f.inProcess}, f.data, pack, synthetic)
	}
	if err != nil {
		return err
	}
	return showResult(env, result, f.json)
}

// demoInScratch keeps nothing.
func demoInScratch(ctx context.Context, env Env, hosts staging, pack *framework.Pack, synthetic *demo.Coalition) (_ *rehearse.Result, err error) {
	dir, err := os.MkdirTemp("", "muster-demo-*")
	if err != nil {
		return nil, noScratch(err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return throughFiles(ctx, env, hosts, dir, "", pack, synthetic)
}

// demoInFolder keeps answers and result in a new folder. If it breaks or is
// stopped it takes out again what it put there: half of it is of no use, and would
// be in the way of the next demonstration.
func demoInFolder(ctx context.Context, env Env, hosts staging, dir string, pack *framework.Pack, synthetic *demo.Coalition) (*rehearse.Result, error) {
	if err := newFolder(dir); err != nil {
		return nil, err
	}
	made, err := makeFolder(dir)
	if err != nil {
		return nil, placeError(fmt.Errorf("create the folder: %w", err), dir, dataHint)
	}
	result, err := throughFiles(ctx, env, hosts, dir, filepath.Join(dir, resultFolder), pack, synthetic)
	if err == nil {
		return result, nil
	}
	for _, name := range []string{answersFolder, previousFolder, resultFolder, syntheticFile} {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, name)))
	}
	removeEmpty(made)
	return nil, err
}

// throughFiles writes the coalition's answers as members would, reads them back
// the way that muster rehearse does, and runs the cycle.
func throughFiles(ctx context.Context, env Env, hosts staging, dir, out string, pack *framework.Pack, synthetic *demo.Coalition) (*rehearse.Result, error) {
	if err := realDisk().writeSynthetic(dir, pack, synthetic); err != nil {
		if out == "" {
			return nil, placeError(err, filepath.Dir(dir), scratchHint)
		}
		return nil, placeError(err, dir, dataHint)
	}
	members, err := readSynthetic(env, dir, pack, synthetic)
	if err != nil {
		return nil, err
	}
	return rehearseInto(ctx, env, rehearse.Config{
		Coalition: "Coalition of the invented sea", Cycle: strconv.Itoa(env.Now().Year()), Marking: demo.Synthetic,
		Pack: pack, Members: members,
		Hosts: [2]coalition.MemberID{coalition.MemberID(synthetic.Hosts[0]), coalition.MemberID(synthetic.Hosts[1])},
	}, hosts, out)
}

// newFolder refuses a folder with anything in it: answers of another run would
// be read with these.
func newFolder(dir string) error {
	// What cannot be read is checkOutput's to refuse.
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		return errs.New(errs.Invalid, fmt.Sprintf("the folder %s is not empty", errs.Quote(dir)), "give a new folder to --data")
	}
	return checkOutput("--data", dir)
}

const dataHint = "make room there, or give another folder to --data"

// writeSynthetic writes this year's and last year's answers as members would.
func (d disk) writeSynthetic(dir string, pack *framework.Pack, synthetic *demo.Coalition) error {
	for name, assessments := range map[string][]*assess.Assessment{answersFolder: synthetic.Now(), previousFolder: synthetic.Before()} {
		var files []outputFile
		for _, a := range assessments {
			var b bytes.Buffer
			if err := exchange.WriteAnswers(&b, pack, a.Answers); err != nil {
				return err
			}
			files = append(files, outputFile{a.Member + ".csv", b.Bytes(), 0o644})
		}
		if err := d.writeOutput(filepath.Join(dir, name), files, nil); err != nil {
			return err
		}
	}
	return d.writeOutput(dir, []outputFile{{syntheticFile, []byte(syntheticNotice), 0o644}}, nil)
}

// readSynthetic reads the answers back.
func readSynthetic(env Env, dir string, pack *framework.Pack, synthetic *demo.Coalition) ([]rehearse.Member, error) {
	now, err := readAnswers(env, filepath.Join(dir, answersFolder), pack)
	if err != nil {
		return nil, err
	}
	before, err := readPrevious(env, filepath.Join(dir, previousFolder), pack)
	if err != nil {
		return nil, err
	}
	members, err := cohort(now, before, len(now), nil)
	if err != nil {
		return nil, err
	}
	for _, m := range synthetic.Members {
		if m.State != demo.Answered {
			members = append(members, rehearse.Member{ID: coalition.MemberID(m.Name), Declined: m.State == demo.Declined})
		}
	}
	return members, nil
}
