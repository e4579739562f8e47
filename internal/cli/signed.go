package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
)

// maxSignedFile is how large a file with its signature beside it may be: a
// charter of many thousand members.
const maxSignedFile = 32 << 20

// sigExt ends the name of the note that lies beside a signed file.
const sigExt = ".sig"

// readSigned reads the file at path and its signature beside it. what is what
// the file should be, for messages.
func readSigned(path, what string) (coalition.SignedFile, error) {
	body, err := readInput(path, what)
	if err != nil {
		return coalition.SignedFile{}, err
	}
	sig, err := readInput(path+sigExt, "signature of the "+what)
	if errs.KindOf(err) == errs.NotFound {
		return coalition.SignedFile{}, errs.Wrap(err, errs.NotFound, fmt.Sprintf("the signature %s is not beside the %s", strconv.Quote(path+sigExt), what), "ask the sender for both files, NAME and NAME.sig")
	}
	return coalition.SignedFile{Body: body, Signature: sig}, err
}

// readInput reads a file that somebody else may have written.
func readInput(path, what string) ([]byte, error) {
	f, _, err := openRegular(path)
	if _, said := errors.AsType[*errs.Error](err); said {
		return nil, err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errs.Wrap(err, errs.NotFound, fmt.Sprintf("there is no %s at %s", what, strconv.Quote(path)), "")
	}
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the %s %s cannot be read", what, strconv.Quote(path)), err), "")
	}
	defer f.Close() // nothing was written
	body, err := io.ReadAll(io.LimitReader(f, maxSignedFile+1))
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the %s %s cannot be read", what, strconv.Quote(path)), err), "")
	}
	if len(body) > maxSignedFile {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("%s is too large to be a %s", strconv.Quote(path), what), "")
	}
	return body, nil
}

// keepSigned writes a file and its signature if there is none of that name: the
// signature first, so that a file under its own name is complete. If it is there
// already it must have the same bytes; else other says what the refusal is.
func keepSigned(path string, file coalition.SignedFile, other error) error {
	kept, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return errs.Wrap(err, errs.Invalid, because(strconv.Quote(path)+" cannot be read", err), "")
	case !bytes.Equal(kept, file.Body):
		return other
	}
	// One after the other and each durable: also a machine that loses its power
	// leaves no file without its signature.
	dir, name := filepath.Split(path)
	dir = filepath.Clean(dir)
	for _, f := range []outputFile{{name + sigExt, file.Signature, 0o644}, {name, file.Body, 0o644}} {
		if err := realDisk().writeOutput(dir, []outputFile{f}, nil); err != nil {
			return err
		}
		if err := config.SyncFolder(dir); err != nil {
			return err
		}
	}
	return nil
}

// exists reports whether there is a file.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// writeWords prints a fingerprint as it is read out.
func writeWords(w io.Writer, indent string, digest [32]byte) error {
	for _, line := range keys.WordLines(digest) {
		if _, err := fmt.Fprintf(w, "%s%s\n", indent, line); err != nil {
			return err
		}
	}
	return nil
}

// interactive reports whether somebody sits at the terminal.
func interactive(env Env) bool {
	w, ok := env.In.(io.Writer) // a terminal can be written to
	if !ok {
		return false
	}
	_, ok = env.Terminal(w)
	return ok
}

// confirm asks a question on the terminal. Only "yes" is yes.
func confirm(env Env, question string) (bool, error) {
	fmt.Fprintf(env.Err, "muster: %s Type yes or no: ", question)
	var answer []byte
	for b := make([]byte, 1); len(answer) < 100; {
		n, err := env.In.Read(b)
		if n == 1 && b[0] != '\n' {
			answer = append(answer, b[0])
		}
		if n == 1 && b[0] == '\n' || errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return false, fmt.Errorf("read the answer: %w", err)
		}
	}
	return strings.TrimSpace(string(answer)) == "yes", nil
}

// agreed asks whether a page that was printed is agreed to, unless yes says so
// already. done is what did not happen otherwise: "signed".
func agreed(env Env, yes bool, question, done string) (bool, error) {
	if yes {
		return true, nil
	}
	if !interactive(env) {
		return false, errs.New(errs.Invalid, "there is no terminal to ask on; nothing was "+done, "read the page above, and repeat the command with --yes")
	}
	ok, err := confirm(env, question)
	if err == nil && !ok {
		say(env, "nothing was %s", done)
	}
	return ok, err
}

// keyFolder returns the folder of keys in a role's folder.
func keyFolder(dir string) config.KeyFolder { return config.KeyFolder{Dir: filepath.Join(dir, "keys")} }

// checkOwner refuses a folder whose signing key was made under another name.
func checkOwner(dir string, signer *keys.Signer, name, init string) error {
	if got := signer.Public().Name(); got != name {
		return errs.New(errs.Conflict, fmt.Sprintf("the folder %s holds the keys of %s", strconv.Quote(dir), errs.Quote(got)), "give another folder to "+init)
	}
	return nil
}
