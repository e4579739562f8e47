// Package cli is muster's command line: one file a command, and the one place
// where errors become words on a terminal.
//
// Messages go to the error stream and begin with the program's name; data go to
// the output stream. Exit codes: 0 done, 1 something broke or was stopped, 2 the
// input or the call is wrong, 3 a threshold refuses, so that a script can tell
// them apart.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"muster/internal/errs"
)

// The exit codes.
const (
	exitOK      = 0
	exitBroken  = 1
	exitInput   = 2
	exitRefused = 3
)

// Env is the world around a command.
type Env struct {
	In       io.Reader
	Out      io.Writer
	Err      io.Writer
	Rand     io.Reader
	Now      func() time.Time
	Getenv   func(string) string
	Packs    fs.FS                       // the embedded packs
	Terminal func(io.Writer) (int, bool) // width in columns, and whether it is a terminal
	Program  func() (string, error)      // the path of muster, for the processes of a rehearsal's hosts

	// Secret asks for a passphrase on the terminal; nil where there is none.
	Secret func(ctx context.Context, prompt string) (string, error)
}

// refused is the error of a command that did its work and stops at a
// threshold, which is no fault of the input.
type refused struct{ error }

func (r refused) Unwrap() error { return r.error }

// usageError returns the error of a wrong call: an unknown flag, a missing
// argument.
func usageError(cmd *cobra.Command, message string) error {
	return errs.New(errs.Invalid, message, "see "+cmd.CommandPath()+" --help")
}

// Run executes a command line without the program's name and returns the exit code.
func Run(ctx context.Context, args []string, env Env) int {
	root := newRootCmd(env)
	root.SetArgs(args)
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	return report(ctx, env, root.ExecuteContext(ctx))
}

func newRootCmd(env Env) *cobra.Command {
	var version bool
	root := &cobra.Command{
		Use:   "muster",
		Short: "Run a coalition's yearly cyber-resilience review",
		Long: `muster runs a coalition's yearly cyber-resilience review. Every member assesses
itself on its own computers; two hosting members add up locked answers that
neither can read alone; all see where the coalition stands.

Exit codes: 0 done, 1 something broke or was stopped, 2 the input or the call is
wrong, 3 too few members took part or have signed, what would be published, or was,
could point at someone, or something that was checked fails.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version {
				_, err := fmt.Fprintln(env.Out, readVersion())
				return err
			}
			return cmd.Help()
		},

		SuggestionsMinimumDistance: 2,
	}
	root.Flags().BoolVar(&version, "version", false, "print the version")
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(newHelpCmd())
	root.AddCommand(
		newRehearseCmd(env), newDemoCmd(env), newFrameworkCmd(env), newVersionCmd(env),
		newHostCmd(env), newCollectCmd(env), newSubmitCmd(env), newWorkspaceCmd(env), newCharterCmd(env), newDisclosureCmd(env), newCycleCmd(env), newPictureCmd(env), newCascadeCmd(env), newLedgerCmd(env), newWitnessCmd(env), newSilenceCmd(env), newVerifyCmd(env), newCoordinatorCmd(env),
	)
	return root
}

// newHelpCmd is cobra's help command, but that an unknown command is an error.
func newHelpCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Explain a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return noSubcommand(found, rest)
			}
			found.InitDefaultHelpFlag() // as it is there when the command itself is asked
			return found.Help()
		},
	}
}

// flagError says what is wrong with a flag without the words of the parser that
// found it.
func flagError(cmd *cobra.Command, err error) error {
	invalid, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return usageError(cmd, err.Error())
	}
	kinds := map[string]string{"int": "a whole number", "uint64": "a whole number, not negative", "stringSlice": "names with commas between them; a name that has a comma in quotes"}
	flag := invalid.GetFlag()
	message := fmt.Sprintf("--%s cannot be %s", flag.Name, errs.Quote(invalid.GetValue()))
	if kind, ok := kinds[flag.Value.Type()]; ok {
		message += "; allowed: " + kind
	}
	return usageError(cmd, message)
}

// report prints an error for a person and returns the exit code. The text of
// an internal error is printed too: on a command line the person is the log.
func report(ctx context.Context, env Env, err error) int {
	if err == nil {
		return exitOK
	}
	if ctx.Err() != nil { // whatever broke, broke because it was stopped
		fmt.Fprintln(env.Err, "muster: stopped")
		return exitBroken
	}
	if faults, ok := errors.AsType[errs.Faults](err); ok {
		printFaults(env.Err, faults)
		return exitInput
	}
	d := errs.Describe(err)
	if d.Kind == errs.Internal {
		fmt.Fprintf(env.Err, "muster: error: %v\n", err)
	} else {
		fmt.Fprintf(env.Err, "muster: error: %s\n", d.Message)
		if d.Hint != "" {
			fmt.Fprintf(env.Err, "muster: hint: %s\n", d.Hint)
		}
	}
	if _, ok := errors.AsType[refused](err); ok {
		return exitRefused
	}
	if d.Kind == errs.Invalid || d.Kind == errs.NotFound {
		return exitInput
	}
	return exitBroken
}

func printFaults(w io.Writer, faults errs.Faults) {
	perFile := make(map[string]int)
	full := false
	for _, f := range faults {
		fmt.Fprintf(w, "muster: error: %s\n", f)
		perFile[f.File]++
		full = full || perFile[f.File] == errs.MaxFaults
	}
	hint := plural(len(faults), "mend this place", "mend these %d places") + " and run the command again; nothing was written"
	if full {
		hint += fmt.Sprintf("; of one file no more than %d are listed", errs.MaxFaults)
	}
	fmt.Fprintf(w, "muster: hint: %s\n", hint)
}

// plural returns one if n is 1, else many with n in it.
func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf(many, n)
}

func warn(env Env, format string, args ...any) {
	fmt.Fprintf(env.Err, "muster: warning: "+format+"\n", args...)
}

// maxWarnings is how many warnings of one kind are printed before the rest is
// counted: more would push what matters off the screen.
const maxWarnings = 10

// warnEach prints the warnings of one kind, one a line, and counts those beyond
// maxWarnings as one or many more.
func warnEach(env Env, lines []string, one, many string) {
	for i, line := range lines {
		if i == maxWarnings {
			warn(env, "%s", plural(len(lines)-i, "and 1 more "+one, "and %d more "+many))
			return
		}
		warn(env, "%s", line)
	}
}

// say tells a person something that is neither an error nor data.
func say(env Env, format string, args ...any) {
	fmt.Fprintf(env.Err, "muster: "+format+"\n", args...)
}

// because adds to a message what the operating system said, without the call
// and the path that its errors carry.
func because(message string, err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		err = link.Err
	}
	return message + ": " + err.Error()
}

// noArgs is cobra.NoArgs in our words.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError(cmd, fmt.Sprintf("%s takes no argument, got %s", cmd.CommandPath(), errs.Quote(args[0])))
	}
	return nil
}

// noSubcommand is for commands that only hold others: what is left of the line
// was meant to be one of them.
func noSubcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	message := fmt.Sprintf("unknown command %s for %s", errs.Quote(args[0]), errs.Quote(cmd.CommandPath()))
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return errs.New(errs.Invalid, message, "did you mean "+cmd.CommandPath()+" "+near[0]+"?")
	}
	return usageError(cmd, message)
}

// oneArg wants one argument and names it.
func oneArg(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usageError(cmd, fmt.Sprintf("%s needs %s", cmd.CommandPath(), name))
		}
		return atMostOneArg(name)(cmd, args)
	}
}

// atMostOneArg takes one argument or none, and names it.
func atMostOneArg(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= 1 {
			return nil
		}
		return usageError(cmd, fmt.Sprintf("%s takes one %s, got %s as well", cmd.CommandPath(), name, errs.Quote(args[1])))
	}
}
