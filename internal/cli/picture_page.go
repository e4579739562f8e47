package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/verify"
	"muster/internal/web"
	picturepage "muster/internal/web/coalition"
)

// maxPictureFile is how large the picture in one file may be, in bytes: what a
// mail still takes.
const maxPictureFile = 1_000_000

// pictureFlags are what both commands draw from.
type pictureFlags struct {
	releases    []string
	itself      []string
	coordinator string // its card
	checks      []string
	reports     []*verify.Report // of runs of this process
	cascade     string           // where the cascade's pages lie beside the picture; empty for none
}

func (f *pictureFlags) register(cmd *cobra.Command) {
	flags := cmd.PersistentFlags()
	flags.StringArrayVar(&f.releases, "release", nil, "a release.json; once for each cycle, pack and cohort (required)")
	flags.StringArrayVar(&f.itself, "collective", nil, "a collective.json, its .sig beside it: what the coalition says of itself")
	flags.StringArrayVar(&f.checks, "check", nil, "what muster verify --json printed of a cycle; once for each")
	flags.StringVar(&f.coordinator, "coordinator", "", "the coordinator's card, for the signatures of --collective")
}

func newPictureCmd(env Env) *cobra.Command {
	var f pictureFlags
	var out, cohort, cycle string
	var languages []string
	cmd := &cobra.Command{
		Use:   "picture --release FILE --out FILE",
		Short: "Draw the coalition's picture from its releases",
		Long: `Draw the coalition's picture from one release.json or several: cycles, packs and
cohorts of one coalition, in any order. With several cycles the picture shows
what moved.

With --out it writes one cohort's cycle as a single HTML file that needs no
network, in English and French, and prints its name. muster picture serve shows all of them in a
browser. Nothing else is read: a total that a release holds back is in neither.

--collective adds what the coalition says of itself. Unless it is marked, it is taken
with the coordinator's signature alone: --coordinator says who that is. --check adds
the verdicts of muster verify, on the page that says how everybody checks the cycle.`,
		Example: `  muster picture --release result/release.json --out picture.html`,
		Args:    noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usageError(cmd, "muster picture needs --out FILE")
			}
			pages, err := f.open(cmd, env)
			if err != nil {
				return err
			}
			for _, lang := range languages {
				if !slices.Contains(web.Languages(), lang) {
					return usageError(cmd, fmt.Sprintf("--lang cannot be %s; allowed: %s", errs.Quote(lang), strings.Join(web.Languages(), ", ")))
				}
			}
			return writePicture(env, pages, picturepage.FileConfig{Cohort: cohort, Cycle: cycle, Languages: languages}, out)
		},

		SuggestionsMinimumDistance: 2,
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&out, "out", "", "the file to write, such as picture.html (required)")
	flags.StringVar(&cohort, "cohort", "", "whose picture (default: the largest cohort's)")
	flags.StringVar(&cycle, "cycle", "", "of which cycle (default: the latest)")
	flags.StringSliceVar(&languages, "lang", web.Languages(), "languages of the file, the first in sight")
	cmd.AddCommand(newPictureServeCmd(env, &f))
	return cmd
}

// open reads the files that the flags name.
func (f *pictureFlags) open(cmd *cobra.Command, env Env) (*picturepage.Pages, error) {
	if len(f.releases) == 0 {
		return nil, usageError(cmd, cmd.CommandPath()+" needs --release FILE, a release.json")
	}
	return f.read(env)
}

// read reads the files.
func (f *pictureFlags) read(env Env) (*picturepage.Pages, error) {
	cfg := picturepage.Config{Log: slog.New(slog.NewTextHandler(env.Err, nil)), Cascade: f.cascade}
	for _, path := range f.releases {
		body, err := readInput(path, "release")
		if err != nil {
			return nil, err
		}
		sheet, err := picturepage.ReadSheet(body)
		if err != nil {
			return nil, errs.Wrap(err, errs.Invalid, errs.Quote(path)+": "+errs.Describe(err).Message, "give a release.json as it was written")
		}
		cfg.Sheets = append(cfg.Sheets, sheet)
	}
	for _, path := range f.itself {
		itself, err := f.readCollective(path)
		if err != nil {
			return nil, err
		}
		cfg.Itself = append(cfg.Itself, itself)
	}
	cfg.Checks = f.reports
	for _, path := range f.checks {
		body, err := readInput(path, "report")
		if err != nil {
			return nil, err
		}
		report, err := picturepage.ReadCheck(body)
		if err != nil {
			return nil, inFile(path, err)
		}
		cfg.Checks = append(cfg.Checks, report)
	}
	return picturepage.New(cfg)
}

// readCollective reads what the coalition says of itself, and sees to it that the
// coordinator signed it: always where its card is given, and never without where
// it is no rehearsal.
func (f *pictureFlags) readCollective(path string) (*picturepage.Collective, error) {
	const what = "assessment of the coalition itself"
	inPath := func(err error, hint string) error {
		return errs.Wrap(err, errs.Invalid, errs.Quote(path)+": "+errs.Describe(err).Message, hint)
	}
	body, err := readInput(path, what)
	if err != nil {
		return nil, err
	}
	itself, err := picturepage.ReadCollective(body)
	switch {
	case err != nil:
		return nil, inPath(err, "give a collective.json as it was written")
	case f.coordinator == "" && itself.Marking == "":
		return nil, errs.New(errs.Invalid, "whether the coordinator signed "+errs.Quote(path)+" is not known", "give the coordinator's card with --coordinator")
	case f.coordinator == "":
		return itself, nil
	}
	file, err := readSigned(f.coordinator, "coordinator card")
	if err != nil {
		return nil, err
	}
	card, err := coalition.OpenCoordinatorCard(file)
	if err != nil {
		return nil, err
	}
	if card.Coalition != itself.Coalition {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("%s is of %s, and the card of %s", errs.Quote(path), errs.Quote(itself.Coalition), errs.Quote(card.Coalition)), "give the card of that coalition's coordinator")
	}
	signed, err := readSigned(path, what)
	if err != nil {
		return nil, err
	}
	if err := keys.Verify(keys.KindCollective, body, signed.Signature, card.Key); err != nil {
		return nil, inPath(err, "ask the coordinator for both files again, NAME and NAME.sig")
	}
	return itself, nil
}

// writePicture writes the picture in one file.
func writePicture(env Env, pages *picturepage.Pages, cfg picturepage.FileConfig, out string) error {
	var b bytes.Buffer
	if err := pages.WriteFile(&b, cfg); err != nil {
		return err
	}
	dir, name := filepath.Split(out)
	dir = filepath.Clean(dir)
	if name == "" {
		return errs.New(errs.Invalid, errs.Quote(out)+" is a folder", "name a file in it, such as picture.html")
	}
	if err := checkOutput("--out", dir); err != nil {
		return err
	}
	if err := realDisk().writeOutput(dir, []outputFile{{name, b.Bytes(), 0o644}}, nil); err != nil {
		return placeError(err, dir, "make room there, or give another file to --out")
	}
	if b.Len() > maxPictureFile {
		warn(env, "the picture has %d bytes, more than many mail servers take; --lang en halves it", b.Len())
	}
	_, err := fmt.Fprintln(env.Out, out)
	return err
}

// servePictures serves the pages on this machine until ctx ends.
func servePictures(ctx context.Context, env Env, pages *picturepage.Pages, address string) error {
	l, err := listenLoopback(address)
	if err != nil {
		return err
	}
	return serveAt(ctx, env, pages, l)
}

// serveAt serves the pages at an address that is bound already, and closes it.
func serveAt(ctx context.Context, env Env, pages *picturepage.Pages, l net.Listener) error {
	if _, err := fmt.Fprintf(env.Out, "http://%s/\n", l.Addr()); err != nil {
		return errors.Join(err, l.Close())
	}
	say(env, "the picture is served on this machine; end it with Ctrl-C")
	return web.Serve(ctx, l, web.Loopback(l.Addr(), pages.Handler()))
}

// listenLoopback refuses every address but this machine's own: the pages have no
// accounts, so who reaches them reads them.
func listenLoopback(address string) (net.Listener, error) {
	if err := loopbackAddress(address); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, errs.Wrap(err, errs.Unavailable, fmt.Sprintf("the address %s cannot be used", strconv.Quote(address)), "is it served already? "+loopbackHint)
	}
	return l, nil
}

const loopbackHint = "an address of this machine alone, such as 127.0.0.1:8337, or 127.0.0.1:0 for any free port"

func loopbackAddress(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().IsLoopback() {
		return errs.New(errs.Invalid, "nothing is served at "+strconv.Quote(address), loopbackHint)
	}
	return nil
}
