package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/silence"
)

// What the chair's folder holds of its procedures, in silence/: chair.json, and
// a folder for each procedure.
const (
	silenceFolder = "silence"
	chairFile     = "chair.json"
	chairKind     = "muster silence chair v1"
)

func newSilenceCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "silence",
		Short: "Adopt a text without a vote: the silence procedure",
		Long: `Adopt a charter, an edition or a statement by silence procedure. The chair lays the
text before the parties and hears comments, then puts it under silence until a
moment; if nobody breaks the silence it is adopted, else it is open again. Nobody
but the chair learns who broke it.

The chair works in its folder with init, propose, put, extend, admit, reopen,
withdraw, settle, take, breaks and show; a party says its word with comment and
break; anyone who has the steps checks them with check. All of it travels as files.`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(
		newSilenceInitCmd(env), newSilenceProposeCmd(env), newSilencePutCmd(env), newSilenceExtendCmd(env), newSilenceAdmitCmd(env),
		newSilenceReopenCmd(env), newSilenceWithdrawCmd(env), newSilenceSettleCmd(env), newSilenceTakeCmd(env), newSilenceBreaksCmd(env),
		newSilenceShowCmd(env), newSilenceCommentCmd(env), newSilenceBreakCmd(env), newSilenceCheckCmd(env),
	)
	return cmd
}

// chairConfig is chair.json.
type chairConfig struct {
	Kind      string `json:"kind"`
	Coalition string `json:"coalition"`
	Recipient string `json:"recipient"` // the age recipient to which breaks are sealed
}

// chairFolder is a folder as muster silence init made it.
type chairFolder struct {
	dir    string
	config chairConfig
	signer *keys.Signer
	store  silenceStore
	chair  *silence.Chair
}

func newSilenceInitCmd(env Env) *cobra.Command {
	var name, identity, recipient string
	cmd := &cobra.Command{
		Use:   "init DIR (--identity FILE | --recipient AGE1...)",
		Short: "Make a folder the chair's",
		Long: `Make DIR, which may be the coordinator's folder, that of a chair: steps are signed
with its signing key, and breaks are sealed to an age key, so that whoever reads the
folder, a backup of it or a file on its way learns of nobody that it broke the
silence. --identity names the age key file that opens them, which is made if there
is none; keep it away from the folder. --recipient names only the public half, where
the key file is on another machine.`,
		Example: `  muster silence init coordinator --identity chair-identity.txt
  muster silence init chair --name "Sea of Lights" --recipient age1…`,
		Args: oneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (identity == "") == (recipient == "") {
				return usageError(cmd, "muster silence init needs one of --identity FILE and --recipient AGE1...")
			}
			return runSilenceInit(env, args[0], name, identity, recipient)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the coalition (default: that of the coordinator's card in DIR)")
	cmd.Flags().StringVar(&identity, "identity", "", "the age key file that opens breaks; made if there is none")
	cmd.Flags().StringVar(&recipient, "recipient", "", "the age recipient to which breaks are sealed")
	return cmd
}

func runSilenceInit(env Env, dir, name, identity, recipient string) error {
	if exists(filepath.Join(dir, coordinatorCardFile)) {
		own, err := openCoordinator(dir)
		if err != nil {
			return err
		}
		if name != "" && name != own.card.Coalition {
			return errs.New(errs.Conflict, fmt.Sprintf("%s is the folder of the coordinator of %s", strconv.Quote(dir), errs.Quote(own.card.Coalition)), "leave --name out, or give another folder")
		}
		name = own.card.Coalition
	}
	if fault := coalition.NameFault(name); fault != "" {
		return errs.New(errs.Invalid, "the name of the coalition, "+errs.Quote(name)+", "+fault, "give it with --name")
	}
	if identity != "" {
		made, err := config.MakeIdentityFile(identity)
		if err != nil {
			return placeError(err, filepath.Dir(identity), "give another --identity")
		}
		recipient = made
	}
	if _, err := age.ParseRecipients(strings.NewReader(recipient)); err != nil {
		return errs.New(errs.Invalid, "--recipient cannot be "+errs.Quote(recipient), "an age recipient begins with age1; age-keygen -y prints that of a key file")
	}
	signer, err := keyFolder(dir).MakeSigner(env.Rand, "chair "+name)
	if err != nil {
		return err
	}
	want := chairConfig{chairKind, name, recipient}
	body, err := keys.Canonical(want)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, silenceFolder, chairFile)
	if _, err := makeFolder(filepath.Dir(path)); err != nil {
		return errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the folder %s cannot be made", strconv.Quote(filepath.Dir(path))), err), "")
	}
	if err := config.CreateSecret(path, body); err != nil && errs.KindOf(err) != errs.Conflict {
		return placeError(err, filepath.Dir(path), "make room there, and run the command again")
	}
	chair, err := openChair(env, dir)
	if err != nil {
		return err
	}
	if chair.config != want {
		return errs.New(errs.Conflict, fmt.Sprintf("%s is the folder of a chair already, with another coalition or recipient", strconv.Quote(dir)), "procedures under way seal to the one that is there; begin in a new folder")
	}
	if _, err := fmt.Fprintln(env.Out, signer.Public()); err != nil {
		return err
	}
	say(env, "breaks are sealed to %s", recipient)
	if identity != "" {
		say(env, "%s opens them: keep it where the folder %s and its backups are not", identity, dir)
	}
	say(env, "the line above is the chair's key; parties check steps with it. Read these words out to them on the telephone:")
	return writeWords(env.Err, "muster:   ", signer.Public().Digest())
}

// openChair opens the chair's folder.
func openChair(env Env, dir string) (*chairFolder, error) {
	path := filepath.Join(dir, silenceFolder, chairFile)
	body, err := config.ReadSecret(path)
	if errs.KindOf(err) == errs.NotFound {
		return nil, errs.Wrap(err, errs.NotFound, strconv.Quote(dir)+" is no chair's folder", "muster silence init makes one; give its folder with --dir")
	}
	if err != nil {
		return nil, err
	}
	c := &chairFolder{dir: dir}
	if err := keys.DecodeCanonical(body, &c.config); err != nil || c.config.Kind != chairKind {
		return nil, errs.Wrap(err, errs.Invalid, strconv.Quote(path)+" is not as muster wrote it", "restore it from a backup")
	}
	if c.signer, err = keyFolder(dir).Signer(); err != nil {
		return nil, err
	}
	c.store = silenceStore{filepath.Join(dir, silenceFolder), config.CreateSecret}
	c.chair = silence.New(silence.Config{
		Coalition: c.config.Coalition, Signer: c.signer, Store: c.store, Vault: ageVault(c.config.Recipient), Now: env.Now, Rand: env.Rand,
	})
	return c, nil
}

// procedure returns the id of the procedure that a flag names by its beginning, or
// of the only one.
func (c *chairFolder) procedure(named string) (string, error) {
	ids, err := c.store.procedures()
	if err != nil {
		return "", err
	}
	var fit []string
	for _, id := range ids {
		if strings.HasPrefix(id, named) {
			fit = append(fit, id)
		}
	}
	switch {
	case len(fit) == 1:
		return fit[0], nil
	case len(ids) == 0:
		return "", errs.New(errs.NotFound, fmt.Sprintf("the folder %s has no procedure", strconv.Quote(c.dir)), "muster silence propose begins one")
	case len(fit) == 0:
		return "", errs.New(errs.NotFound, fmt.Sprintf("the folder %s has no procedure %s", strconv.Quote(c.dir), errs.Quote(named)), "muster silence show lists them")
	}
	return "", errs.New(errs.Invalid, fmt.Sprintf("the folder %s has %d procedures that this may be", strconv.Quote(c.dir), len(fit)), "say which with --procedure; muster silence show lists them")
}

// ageVault seals to an age recipient, which its holder cannot open.
type ageVault string

// Seal implements [silence.Vault].
func (v ageVault) Seal(plain []byte) ([]byte, error) {
	to, err := age.ParseRecipients(strings.NewReader(string(v)))
	if err != nil {
		return nil, errs.New(errs.Invalid, "the recipient of breaks, "+errs.Quote(string(v))+", is no age recipient", "ask the chair")
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, to...)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(plain)
	err = errors.Join(err, w.Close())
	return sealed.Bytes(), err
}

// openSealed opens what was sealed to an age key file.
func openSealed(identity string) (func(sealed []byte) ([]byte, error), error) {
	lock, err := config.IdentityFileLock(identity)
	if err != nil {
		return nil, err
	}
	return func(sealed []byte) ([]byte, error) {
		plain, err := lock.Decrypt(bytes.NewReader(sealed))
		if err != nil {
			return nil, errs.Wrap(err, errs.Denied, "the break does not open with "+strconv.Quote(identity), "give the key file that muster silence init was given; a changed file does not open either")
		}
		body, err := io.ReadAll(io.LimitReader(plain, maxSignedFile))
		if err != nil {
			return nil, errs.Wrap(err, errs.Invalid, "the break was changed, or is cut off", "ask the party for the file again")
		}
		return body, nil
	}, nil
}

// readChairKey returns the key of a chair that a flag gives: the key itself, or a
// file with it, the coordinator's card, or a charter.
func readChairKey(named string) (keys.Public, error) {
	const hint = "give the line that muster silence init printed, a file with it, the coordinator's card or a charter"
	if key := keys.Public(named); key.Check() == nil {
		return key, nil
	}
	body, err := readInput(named, "key of the chair")
	if err != nil {
		return "", err
	}
	switch kind := kindOf(body); {
	case strings.HasPrefix(kind, "muster charter "):
		_, c, err := readSignedCharter(named)
		return c.Coordinator.Key, err
	case kind != "":
		file, err := readSigned(named, "coordinator card")
		if err != nil {
			return "", err
		}
		card, err := coalition.OpenCoordinatorCard(file)
		return card.Key, inFileIf(named, err)
	}
	key := keys.Public(strings.TrimRight(string(body), "\r\n"))
	if err := key.Check(); err != nil {
		return "", errs.Wrap(err, errs.Invalid, strconv.Quote(named)+" holds no key of a chair", hint)
	}
	return key, nil
}

// inFileIf is inFile where there is an error.
func inFileIf(path string, err error) error {
	if err == nil {
		return nil
	}
	return inFile(path, err)
}

// readSignedCharter reads a charter that at least its coordinator has signed.
func readSignedCharter(path string) (coalition.SignedCharter, coalition.Charter, error) {
	signed, err := readCharter(path)
	if err != nil {
		return signed, coalition.Charter{}, err
	}
	c, err := signed.Read()
	if err != nil {
		return signed, c, inFile(path, err)
	}
	list, err := signed.Signatories()
	if err != nil {
		return signed, c, inFile(path, err)
	}
	if !list[0].Signed {
		return signed, c, errs.New(errs.Invalid, fmt.Sprintf("the charter %s is not signed by its coordinator", strconv.Quote(path)), "ask the coordinator for the charter and its .sig")
	}
	return signed, c, nil
}

// parsePeriod reads a length of time: days, or what Go writes for hours.
func parsePeriod(flag, text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 3660 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	} else if d, err := time.ParseDuration(text); err == nil && d >= time.Second && d%time.Second == 0 {
		return d, nil
	}
	return 0, errs.New(errs.Invalid, fmt.Sprintf("--%s cannot be %s", flag, errs.Quote(text)), "give days such as 5d, or hours such as 72h")
}

// missingFlags returns the error of a call without flags that it needs, or nil.
func missingFlags(cmd *cobra.Command, flags ...string) error {
	var missing []string
	for _, name := range flags {
		if !cmd.Flags().Changed(name) || cmd.Flags().Lookup(name).Value.String() == "" {
			missing = append(missing, "--"+name)
		}
	}
	if missing == nil {
		return nil
	}
	return usageError(cmd, cmd.CommandPath()+" needs "+strings.Join(missing, ", "))
}

// readText reads a text of a party: from a file, or as it was given.
func readText(given, path string) (string, error) {
	if path == "" {
		return given, nil
	}
	body, err := readInput(path, "text")
	return strings.TrimRight(strings.ReplaceAll(string(body), "\r\n", "\n"), "\n"), err
}

// isAge reports whether a file was sealed by age.
func isAge(body []byte) bool { return bytes.HasPrefix(body, []byte("age-encryption.org/")) }

// fileDigest returns the hex SHA-256 of a text.
func fileDigest(path string) (string, error) {
	body, err := readInput(path, "text")
	return keys.Digest(body), err
}
