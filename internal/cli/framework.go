package cli

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/errs"
	"muster/internal/framework"
)

func newFrameworkCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "framework",
		Short: "Show, print and check framework packs",
		Args:  noSubcommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newFrameworkShowCmd(env), newFrameworkRenderCmd(env), newFrameworkCheckCmd(env))
	return cmd
}

func newFrameworkShowCmd(env Env) *cobra.Command {
	var asJSON bool
	var lang string
	cmd := &cobra.Command{
		Use:   "show [PACK]",
		Short: "Print a pack as a readable document",
		Long: `Print a pack as a readable document. PACK is the id of a pack that comes with
muster, or the path of a pack file or of its folder; without it muster-core.`,
		Args: atMostOneArg("PACK"),
		RunE: func(_ *cobra.Command, args []string) error {
			pack, err := openPack(env, packArg(args))
			if err != nil {
				return err
			}
			if asJSON {
				return framework.WriteJSON(env.Out, pack)
			}
			if lang == "" {
				lang = pack.Languages[0]
			}
			return framework.WriteText(env.Out, pack, lang, documentWidth(env))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringVar(&lang, "lang", "", "language (default: the pack's first)")
	return cmd
}

func newFrameworkCheckCmd(env Env) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check [PACK]",
		Short: "Check a pack and list every fault with its place",
		Long: `Check a pack, list every fault with its place, and print one line about a pack
without faults. Faults (an id or a descriptor twice, a text that is missing in a
declared language) make a pack unusable. Warnings are for its authors: a text that
is the same in two languages, figures that differ between languages, a descriptor
that repeats another but for its punctuation, an outcome without descriptors. PACK
is as for muster framework show. With --json the output is the pack's id, version,
areas, outcomes, languages, digest and warnings, or, with exit code 2, the list of
faults; each of both with file, line, column, field, message and allowed.`,
		Args: atMostOneArg("PACK"),
		RunE: func(_ *cobra.Command, args []string) error {
			pack, warnings, err := checkPack(env, packArg(args))
			faults, _ := errors.AsType[errs.Faults](err)
			for _, w := range warnings {
				warn(env, "%s", w)
			}
			switch {
			case asJSON && faults != nil:
				return errors.Join(err, json.NewEncoder(env.Out).Encode(faultList(faults)))
			case err != nil:
				return err
			case asJSON:
				return writePackSummary(env.Out, pack, warnings)
			}
			_, err = fmt.Fprintln(env.Out, pack)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// packArg returns the pack that a command's arguments name, or the core pack.
func packArg(args []string) string {
	if len(args) == 0 {
		return defaultPack
	}
	return args[0]
}

// defaultPack is the id of the pack that commands take if none is named.
const defaultPack = "muster-core"

func writePackSummary(w io.Writer, pack *framework.Pack, warnings errs.Faults) error {
	return json.NewEncoder(w).Encode(struct {
		ID        string      `json:"id"`
		Version   string      `json:"version"`
		Areas     int         `json:"areas"`
		Outcomes  int         `json:"outcomes"`
		Languages []string    `json:"languages"`
		Digest    string      `json:"digest"`
		Warnings  []jsonFault `json:"warnings"`
	}{
		pack.ID, pack.Version, len(pack.Areas), len(pack.Outcomes()), pack.Languages,
		hex.EncodeToString(pack.Digest[:]), faultList(warnings),
	})
}

// jsonFault is a fault or warning for programs. A line or column of 0 is the whole
// file's or line's.
type jsonFault struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Field   string `json:"field"`
	Message string `json:"message"`
	Allowed string `json:"allowed"`
}

// faultList is never nil: a program reads an empty list, not null.
func faultList(faults errs.Faults) []jsonFault {
	list := make([]jsonFault, 0, len(faults))
	for _, f := range faults {
		list = append(list, jsonFault{f.File, f.Line, f.Column, f.Field, f.Message, f.Allowed}) // no workbook: no cell
	}
	return list
}

// documentWidth is the width of running text: that of the terminal, within reason.
func documentWidth(env Env) int {
	if width, ok := env.Terminal(env.Out); ok {
		return max(40, min(width, 100))
	}
	return 100
}

// openPack opens a pack by its id among the embedded ones, or by path. What
// looks like a path is one: it has a separator. Of the rest an embedded pack
// comes before a file or folder of the same name.
func openPack(env Env, name string) (*framework.Pack, error) {
	shown, file, err := findPack(env, name)
	if err != nil {
		return nil, err
	}
	defer file.Close() // nothing was written
	return framework.Read(shown, file)
}

// checkPack opens a pack as openPack does and returns its warnings too.
func checkPack(env Env, name string) (*framework.Pack, errs.Faults, error) {
	shown, file, err := findPack(env, name)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close() // nothing was written
	return framework.Check(shown, file)
}

// findPack returns the file of a pack and its path, for faults.
func findPack(env Env, name string) (shown string, file fs.File, err error) {
	notFound := error(nil)
	if !strings.ContainsAny(name, `/\`) {
		shown, file, err := framework.Locate(env.Packs, name)
		if errs.KindOf(err) != errs.NotFound {
			return shown, file, err
		}
		notFound = err // it says which packs there are
	}
	path := name
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		path = filepath.Join(path, framework.File)
		info, err = os.Stat(path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && path != name:
		return "", nil, errs.Wrap(err, errs.NotFound, fmt.Sprintf("the folder %s has no %s", errs.Quote(name), framework.File), "give a pack's file, or the folder that holds its "+framework.File)
	case errors.Is(err, fs.ErrNotExist) && notFound != nil:
		return "", nil, notFound
	case errors.Is(err, fs.ErrNotExist):
		return "", nil, errs.Wrap(err, errs.NotFound, "there is no pack at "+errs.Quote(name), "give a pack's id, its file, or the folder that holds its "+framework.File)
	case err != nil:
		return "", nil, errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the pack %s cannot be read", errs.Quote(path)), err), "")
	case !info.Mode().IsRegular():
		return "", nil, errs.New(errs.Invalid, fmt.Sprintf("%s is not a regular file", errs.Quote(path)), "give a pack's file, or the folder that holds its "+framework.File)
	}
	opened, err := os.Open(path)
	if err != nil {
		return "", nil, errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the pack %s cannot be read", errs.Quote(path)), err), "")
	}
	return path, opened, nil
}
