package cli

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/silence"
)

// partyFlags are those with which a party says its word.
type partyFlags struct {
	dir, chair, text, words, wordsFile, out string
}

func (f *partyFlags) register(cmd *cobra.Command, what string) {
	dirFlag(cmd, &f.dir, "the member")
	flags := cmd.Flags()
	flags.StringVar(&f.chair, "chair", "", "the chair's key, or a file that has it: the coordinator's card, a charter (required)")
	flags.StringVar(&f.text, "text", "", "the text that is to be adopted, to see that it is the one")
	flags.StringVar(&f.words, what, "", "the "+what+", in words")
	flags.StringVar(&f.wordsFile, what+"-file", "", "a file with the "+what)
	flags.StringVar(&f.out, "out", "", "the file to write (required)")
}

func newSilenceCommentCmd(env Env) *cobra.Command {
	var f partyFlags
	cmd := &cobra.Command{
		Use:   "comment STEPS... --chair KEY --comment TEXT --out FILE",
		Short: "Comment on a text, for all parties to read",
		Long: `Write a comment on a proposed text, signed by a party, for all parties to read. STEPS
is the folder of steps that the chair sent, or its files. Send the file and its .sig
to the chair.`,
		Example: `  muster silence comment from-chair --dir member --chair coordinator-card.json --comment "the deadline falls on a holiday" --out comment.json`,
		Args:    someArgs("STEPS"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := missingFlags(cmd, "chair", "out"); err != nil {
				return err
			}
			m, p, words, err := f.open(args)
			if err != nil {
				return err
			}
			file, err := silence.NewComment(&p, m.member, words, m.signer)
			if err != nil {
				return err
			}
			other := errs.New(errs.Conflict, strconv.Quote(f.out)+" is another file", "give another --out")
			if err := keepSigned(f.out, file, other); err != nil {
				return placeError(err, filepath.Dir(f.out), "make room there, or give another --out")
			}
			say(env, "send %s and %s to the chair: all parties will read the comment, and from whom it is", f.out, f.out+sigExt)
			return nil
		},
	}
	f.register(cmd, "comment")
	return cmd
}

func newSilenceBreakCmd(env Env) *cobra.Command {
	var f partyFlags
	cmd := &cobra.Command{
		Use:   "break STEPS... --chair KEY --out FILE",
		Short: "Break the silence, for the chair alone to read",
		Long: `Say that a party does not agree, in the round under way. STEPS is the folder of steps
that the chair sent, or its files. The file is signed, and sealed so that the chair
alone can read it, whoever carries it; a reason is for the chair, too, and may be
left out. A copy stays in the member's folder.

The chair answers with an acknowledgement, which names nobody. Keep it: it
contradicts an adoption that ignored the break, see muster silence check.`,
		Example: `  muster silence break from-chair --dir member --chair coordinator-card.json --reason "we need the addendum first" --out break.age`,
		Args:    someArgs("STEPS"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := missingFlags(cmd, "chair", "out"); err != nil {
				return err
			}
			return runSilenceBreak(env, args, f)
		},
	}
	f.register(cmd, "reason")
	return cmd
}

// someArgs wants at least one argument and names it.
func someArgs(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usageError(cmd, cmd.CommandPath()+" needs "+name)
		}
		return nil
	}
}

// open reads what a party acts with, and checks that it may.
func (f *partyFlags) open(paths []string) (*memberFolder, silence.Procedure, string, error) {
	var p silence.Procedure
	m, err := openMember(f.dir)
	if err != nil {
		return nil, p, "", err
	}
	chair, err := readChairKey(f.chair)
	if err != nil {
		return nil, p, "", err
	}
	travelled, err := readTravelled(paths)
	if err != nil {
		return nil, p, "", err
	}
	if p, err = silence.Replay(chair, travelled.steps); err != nil {
		return nil, p, "", err
	}
	switch key, entitled := p.Party(m.member); {
	case !entitled:
		return nil, p, "", errs.New(errs.Denied, fmt.Sprintf("%s is not a party of this procedure", m.member), "ask the chair, who can admit it")
	case key != m.signer.Public():
		return nil, p, "", errs.New(errs.Denied, fmt.Sprintf("the procedure knows %s by another key than that in %s", m.member, strconv.Quote(f.dir)), "give the folder whose key the chair has with --dir")
	}
	if f.text != "" {
		digest, err := fileDigest(f.text)
		if err != nil {
			return nil, p, "", err
		}
		if digest != p.Subject.Digest {
			return nil, p, "", errs.New(errs.Conflict, fmt.Sprintf("%s is not the text that is %s: %s", strconv.Quote(f.text), p.State, errs.Quote(p.Subject.Name)), "ask the chair for the text")
		}
	}
	words, err := readText(f.words, f.wordsFile)
	return m, p, words, err
}

func runSilenceBreak(env Env, paths []string, f partyFlags) error {
	m, p, reason, err := f.open(paths)
	if err != nil {
		return err
	}
	file, err := m.keepBreak(env, &p, reason)
	if err != nil {
		return err
	}
	out, err := silence.EncodeBreak(file)
	if err != nil {
		return err
	}
	if p.Recipient != "" {
		if out, err = ageVault(p.Recipient).Seal(out); err != nil {
			return err
		}
	} else {
		warn(env, "the chair named no key to seal to: whoever carries the file can read who breaks the silence")
	}
	if err := realDisk().writeOutput(filepath.Dir(f.out), []outputFile{{filepath.Base(f.out), out, 0o600}}, nil); err != nil {
		return placeError(err, filepath.Dir(f.out), "make room there, or give another --out")
	}
	say(env, "send %s to the chair before %s, and keep the acknowledgement that comes back", f.out, momentText(p.Until))
	say(env, "it counts when the chair has it; nobody but the chair will know from whom it came")
	return nil
}

// keepBreak returns the member's break of the round under way: the one that its
// folder keeps, or a new one.
func (m *memberFolder) keepBreak(env Env, p *silence.Procedure, reason string) (coalition.SignedFile, error) {
	var nonce [16]byte
	if _, err := io.ReadFull(env.Rand, nonce[:]); err != nil {
		return coalition.SignedFile{}, fmt.Errorf("draw a nonce: %w", err)
	}
	file, err := silence.NewBreak(p, m.member, reason, nonce, m.signer)
	if err != nil {
		return file, err
	}
	body, err := silence.EncodeBreak(file)
	if err != nil {
		return file, err
	}
	dir := filepath.Join(m.dir, silenceFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return file, errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the folder %s cannot be made", strconv.Quote(dir)), err), "")
	}
	path := filepath.Join(dir, fmt.Sprintf("%s-%s.break", p.ID, p.Round().Step[:16]))
	err = config.CreateSecret(path, body)
	if errs.KindOf(err) != errs.Conflict {
		return file, placeError(err, dir, "make room there, and run the command again")
	}
	kept, err := readInput(path, "kept break")
	if err != nil {
		return file, err
	}
	if file, err = silence.DecodeBreak(kept); err != nil {
		return file, inFile(path, err)
	}
	b, err := silence.ReadBreak(file, p)
	if err != nil {
		return file, inFile(path, err)
	}
	if b.Reason != reason {
		return file, errs.New(errs.Conflict, "this folder has broken the silence of this round already, with another reason", fmt.Sprintf("that one counts as well; repeat the command with its reason, or move %s away", strconv.Quote(path)))
	}
	return file, nil
}

// travelled are the files of a procedure as they reached somebody.
type travelled struct {
	steps, comments []coalition.SignedFile
}

// readTravelled reads steps and comments: the files named, and those in folders.
func readTravelled(paths []string) (travelled, error) {
	var t travelled
	byNumber := make(map[int]coalition.SignedFile)
	add := func(path string) error {
		file, err := readSigned(path, "step")
		if err != nil {
			return err
		}
		number, isStep, err := silence.Number(file.Body)
		if err != nil {
			return inFile(path, err)
		}
		if !isStep {
			t.comments = append(t.comments, file)
			return nil
		}
		if other, there := byNumber[number]; there && keys.Digest(other.Body) != keys.Digest(file.Body) {
			return errs.New(errs.Conflict, fmt.Sprintf("%s is another step %d than one before it", strconv.Quote(path), number), "give the steps of one procedure; if both are of one, the chair signed two: show the coalition both")
		}
		byNumber[number] = file
		return nil
	}
	for _, path := range paths {
		files := []string{path}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			if files, err = signedIn(path); err != nil {
				return t, err
			}
		}
		for _, file := range files {
			if err := add(file); err != nil {
				return t, err
			}
		}
	}
	for number := 0; len(t.steps) < len(byNumber); number++ {
		file, there := byNumber[number]
		if !there {
			return t, errs.New(errs.NotFound, fmt.Sprintf("step %d of the silence procedure is missing", number), "ask the chair for all steps")
		}
		t.steps = append(t.steps, file)
	}
	return t, nil
}

// stepFiles returns the files of steps among what is named, or in the folders that are.
func stepFiles(paths []string) ([]string, error) {
	var steps []string
	for _, path := range paths {
		files := []string{path}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			if files, err = signedIn(path); err != nil {
				return nil, err
			}
		}
		for _, file := range files {
			body, err := readInput(file, "step")
			if err != nil {
				return nil, err
			}
			if _, isStep, err := silence.Number(body); err == nil && isStep {
				steps = append(steps, file)
			}
		}
	}
	return steps, nil
}

// signedIn returns the files of a folder that have a signature beside them and are
// steps or comments by their name.
func signedIn(dir string) ([]string, error) {
	var files []string
	for _, pattern := range []string{"step-*.json", "comment-*.json"} {
		found, err := fs.Glob(os.DirFS(dir), pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range found {
			files = append(files, filepath.Join(dir, name))
		}
	}
	if len(files) == 0 {
		return nil, errs.New(errs.NotFound, fmt.Sprintf("the folder %s has no step of a silence procedure", strconv.Quote(dir)), "steps are named step-0.json and so on, each with its .sig")
	}
	return files, nil
}
