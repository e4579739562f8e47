package cli

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/term"

	"muster/internal/errs"
)

// TerminalSecret asks for a secret on this process's terminal, without showing what
// is typed. It is what [Env] has outside of tests.
func TerminalSecret(ctx context.Context, prompt string) (string, error) {
	tty := os.Stdin
	if !term.IsTerminal(int(tty.Fd())) { // it may bring data
		opened, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
		if err != nil {
			return "", noTerminal()
		}
		defer opened.Close() // nothing was written that is missed
		tty = opened
	}
	fd := int(tty.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", noTerminal()
	}
	fmt.Fprint(os.Stderr, "muster: "+prompt)
	type answer struct {
		text []byte
		err  error
	}
	answered := make(chan answer, 1)
	go func() { // it ends with the process if nobody answers
		text, err := term.ReadPassword(fd)
		answered <- answer{text, err}
	}()
	select {
	case a := <-answered:
		fmt.Fprintln(os.Stderr)
		if a.err != nil {
			return "", errs.Wrap(a.err, errs.Invalid, "nothing was typed", "")
		}
		return string(a.text), nil
	case <-ctx.Done(): // a terminal that shows nothing any more would be left behind
		fmt.Fprintln(os.Stderr)
		return "", fmt.Errorf("%w: %w", ctx.Err(), term.Restore(fd, before))
	}
}

func noTerminal() error {
	return errs.New(errs.Invalid, "there is no terminal on which to ask for the passphrase", "give a file of mode 0600 with --passphrase-file, or an age key file with --identity")
}
