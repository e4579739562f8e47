package cli

import (
	"bytes"
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
)

// What the folder of a rehearsal holds.
const (
	drillMembers     = "members" // the folder of each test member, as muster submit init makes it
	drillAnswers     = "answers" // what counts in the end
	drillFirst       = "first"   // what one member sends first and then replaces
	drillPrevious    = previousFolder
	drillCoordinator = "coordinator" // the coordinator's, as muster collect init makes it
	drillMembersFile = "members.csv"
	drillNotice      = "REHEARSAL.txt"
)

// drillNoticeText lies beside the answers, whose format has no place for it.
const drillNoticeText = `REHEARSAL

Every member in this folder and below is a test member and every answer is made up.
Nothing here says anything about a real member. The keys are of the rehearsal alone.
`

// minDrill is the least number of test members: of fewer no release could be made,
// one of them being late.
const minDrill = coalition.ReleaseMinimum + 1

// maxDrill is how many can upload from one address within an hour, as a host
// limits it where its configuration says nothing else.
const maxDrill = 300

type prepareFlags struct {
	name, framework, suite string
	members                int
	seed                   uint64
}

func newRehearsalPrepareCmd(env Env) *cobra.Command {
	var f prepareFlags
	cmd := &cobra.Command{
		Use:   "prepare DIR --name COALITION",
		Short: "Make test members, their answers and the coordinator's keys",
		Long: `Make a new folder with test members, made-up answers, members.csv, and the
coordinator's keys and card, all for one rehearsal alone, and say what comes next.`,
		Example: `  muster cycle rehearsal prepare rehearsal --name "Sea of Lights"`,
		Args:    oneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.name == "" {
				return usageError(cmd, "muster cycle rehearsal prepare needs --name COALITION")
			}
			if f.members < minDrill || f.members > maxDrill {
				return usageError(cmd, fmt.Sprintf("--members cannot be %d; allowed: %d to %d", f.members, minDrill, maxDrill))
			}
			return runPrepare(env, args[0], f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.name, "name", "", "the coalition (required)")
	flags.StringVar(&f.framework, "framework", defaultPack, "id or path of the framework pack")
	flags.StringVar(&f.suite, "suite", "x25519", "how the totals are sealed for the coordinator: x25519, or hybrid")
	flags.IntVar(&f.members, "members", 12, "how many test members")
	flags.Uint64Var(&f.seed, "seed", 1, "the same seed makes the same answers")
	return cmd
}

func runPrepare(env Env, dir string, f prepareFlags) error {
	pack, err := openPack(env, f.framework)
	if err != nil {
		return err
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		return errs.New(errs.Invalid, fmt.Sprintf("the folder %s is not empty", errs.Quote(dir)), "give a new folder: a rehearsal is prepared once")
	}
	if err := checkOutput("DIR", dir); err != nil {
		return err
	}
	if err := writeDrillAnswers(dir, pack, f); err != nil {
		return err
	}
	quiet := env
	quiet.Err = new(bytes.Buffer)
	members := new(bytes.Buffer)
	members.WriteString("member,key\n")
	quiet.Out = members
	for _, name := range drillNames(f.members) {
		if err := runSubmitInit(quiet, filepath.Join(dir, drillMembers, name), name); err != nil {
			return err
		}
	}
	if err := runCollectInit(env, filepath.Join(dir, drillCoordinator), f.name, f.suite); err != nil {
		return err
	}
	err = realDisk().writeOutput(dir, []outputFile{{drillMembersFile, members.Bytes(), 0o644}}, nil)
	if err != nil {
		return placeError(err, dir, "make room there, and begin again with another folder")
	}
	return sayPrepared(env, dir, f)
}

// drillNames are the test members. The first replaces its submission, the last is
// late.
func drillNames(n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("test %03d", i+1))
	}
	return names
}

// writeDrillAnswers writes what the test members answer: those of an invented
// coalition under other names.
func writeDrillAnswers(dir string, pack *framework.Pack, f prepareFlags) error {
	// One of an invented coalition declines, and one set of answers is replaced.
	invented, err := demo.Generate(demo.Config{Pack: pack, Members: f.members + 2, Seed: f.seed})
	if err != nil {
		return err
	}
	folders := make(map[string][]outputFile)
	add := func(folder, name string, a *assess.Assessment) error {
		if a == nil {
			return nil
		}
		var b bytes.Buffer
		if err := exchange.WriteAnswers(&b, pack, a.Answers); err != nil {
			return err
		}
		folders[folder] = append(folders[folder], outputFile{name + ".csv", b.Bytes(), 0o644})
		return nil
	}
	names := drillNames(f.members)
	at := 0
	for _, m := range invented.Members {
		switch {
		case m.Now == nil:
			continue
		case at < len(names):
			err = add(drillAnswers, names[at], m.Now)
			if err == nil {
				err = add(drillPrevious, names[at], m.Before)
			}
		case at == len(names):
			err = add(drillFirst, names[0], m.Now)
		}
		if err != nil {
			return err
		}
		at++
	}
	folders[""] = []outputFile{{drillNotice, []byte(drillNoticeText), 0o644}}
	for folder, files := range folders {
		if err := realDisk().writeOutput(filepath.Join(dir, folder), files, nil); err != nil {
			return placeError(err, dir, "make room there, and begin again with another folder")
		}
	}
	return nil
}

// sayPrepared says what comes next, with the commands.
func sayPrepared(env Env, dir string, f prepareFlags) error {
	at := func(name string) string { return shellWord(filepath.Join(dir, name)) }
	pack := ""
	if f.framework != defaultPack {
		pack = " --framework " + shellWord(f.framework)
	}
	_, err := fmt.Fprintf(env.Out, `
%d test members are ready in %s. What comes next:

1. Each host makes a folder for the rehearsal, with the url that it will serve at:
     muster host init FOLDER --member NAME --url URL
   and both hold the key ceremony in these folders, for a cycle of its own name:
     muster host ceremony commit --dir FOLDER --cycle rehearsal ...

2. The coordinator writes the charter, with times that suit all three:
     muster collect charter --dir %s --members %s%s \
       --leader CARD --helper CARD --seed-digest DIGEST --cycle rehearsal \
       --marking REHEARSAL --opens TIME --deadline TIME --wipe TIME --out %s

3. Both hosts sign it, put it into their folders, and serve:
     muster host approve charter.json --dir FOLDER
     muster host serve --config FOLDER/host.yaml

4. The coordinator runs the rehearsal. It waits for the deadline, and then for
   the Leader to freeze (muster host freeze --dir FOLDER, or freeze: at_deadline
   in its host.yaml); it may be stopped and repeated:
     muster cycle rehearsal run %s --charter %s%s
`, f.members, strconv.Quote(dir), at(drillCoordinator), at(drillMembersFile), pack, at("charter.json"), shellWord(dir), at("charter.json"), pack)
	return err
}

// shellWord returns a word of a command as a shell reads it.
func shellWord(s string) string {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '/' || r == '.' || r == '-' || r == '_' || r == ':' || r == '\\') {
			return strconv.Quote(s)
		}
	}
	return s
}
