package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/cascade"
	"muster/internal/coalition"
	"muster/internal/demo"
	"muster/internal/demo/port"
	"muster/internal/errs"
	"muster/internal/exchange"
	"muster/internal/exchange/register"
	"muster/internal/web"
	cascadepage "muster/internal/web/cascade"
	picturepage "muster/internal/web/coalition"
)

// cascadeBase is the path of the cascade's pages beside the coalition's picture.
const cascadeBase = "/cascade"

func newCascadeServeCmd(env Env) *cobra.Command {
	var (
		f         registerFlags
		scenarios []string
		measures  string
		u         uncertainFlags
		address   string
		places    string
		join      []string
		community bool
		around    aroundFlags
	)
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve pages of what falls together on this machine, until Ctrl-C",
		Long: `Serve pages of what falls together on this machine, in English and French, until
Ctrl-C: of each scenario one page for who decides, with what falls together, what
first and what it is worth together; runs and comparisons; every measure; what moves
the result; a graph of who depends on what. The address is printed.

Nothing leaves the machine, and nothing is written. One thing is computed at a time,
and what it found stays until the program ends. With --levels or --release owners
stand as in muster cascade run: in runs and comparisons at the median of every
parameter. With --workspace a member looks at the same on its own machine, as in
muster cascade run: its answers are read once, pages are marked, and only the first
browser that opens the address that is printed reads them. With --port the register is
that of an invented port community, with a map of its sea.`,
		Example: `  muster cascade serve --port
  muster cascade serve --services services.csv --requirements requirements.csv --scenario a.yaml --scenario b.yaml --measures measures.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var (
				cfg cascadepage.Config
				err error
			)
			if err := cmp.Or(u.check(cmd, around), around.check(cmd, false)); err != nil {
				return err
			}
			if community {
				if f.services != "" || f.requirements != "" || len(scenarios) > 0 || measures != "" || places != "" || u.levels != "" || around.wanted() {
					return usageError(cmd, "--port brings its own register, scenarios, measures and map")
				}
				cfg, err = portPages()
			} else {
				cfg, err = readCascadePages(cmd, env, cascadeFiles{f, scenarios, measures, places, join, u, around})
			}
			if err != nil {
				return err
			}
			l, err := listenLoopback(address)
			if err != nil {
				return err
			}
			return serveCascade(cmd.Context(), env, cfg, l)
		},
	}
	f.add(cmd)
	cmd.Flags().StringArrayVar(&scenarios, "scenario", nil, "who is hit, YAML or CSV; once for each")
	cmd.Flags().StringVar(&measures, "measures", "", "what could be done, a YAML file")
	u.addKnown(cmd, "default", "a file of parameters, or default for that of muster")
	around.addKnown(cmd)
	cmd.Flags().StringVar(&places, "places", "", "where services lie, a CSV file, for a map of real countries")
	cmd.Flags().StringArrayVar(&join, "join", nil, "a part of the map to draw as one with a country, by their codes, such as XKX:SRB")
	cmd.Flags().BoolVar(&community, "port", false, "serve the invented port community")
	cmd.Flags().StringVar(&address, "listen", pictureAddress, "address of this machine, with port")
	return cmd
}

// portPages is the invented port community.
func portPages() (cascadepage.Config, error) {
	c, err := port.New(demo.Names(port.Members))
	if err != nil {
		return cascadepage.Config{}, err
	}
	return c.Pages(demo.Sea)
}

// cascadeFiles are the files that the flags name.
type cascadeFiles struct {
	register  registerFlags
	scenarios []string
	measures  string
	places    string
	join      []string
	uncertain uncertainFlags
	around    aroundFlags
}

// readCascadePages reads the files that the flags name.
func readCascadePages(cmd *cobra.Command, env Env, f cascadeFiles) (cfg cascadepage.Config, err error) {
	if len(f.scenarios) == 0 {
		return cfg, usageError(cmd, cmd.CommandPath()+" needs --scenario, once or more, or --port")
	}
	r, g, err := f.register.read(cmd, env)
	if err != nil {
		return cfg, err
	}
	in := &inputs{register: r, graph: g, invented: r.Synthetic}
	owners, err := readOwners(cmd.Context(), env, in, f.register, f.uncertain, f.around)
	if err != nil {
		return cfg, err
	}
	r = in.register // with what a member has of its own
	var scenarios []*exchange.Scenario
	var names []string
	for _, path := range f.scenarios {
		s, err := readScenario(r, path)
		if err != nil {
			return cfg, err
		}
		scenarios = append(scenarios, s)
		names = append(names, strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
	}
	var m *exchange.Measures
	if f.measures != "" {
		if m, err = readMeasures(r, f.measures); err != nil {
			return cfg, err
		}
	}
	var known *cascade.Outlook
	if f.uncertain.levels != "" || f.around.wanted() {
		in.scenario = scenarios[0] // how owners stand is the same in all
		o, err := owners.outlook(in)
		if err != nil {
			return cfg, err
		}
		known = &o
	}
	if cfg, err = register.Pages(r, scenarios, names, m, owners.parameters, known); in.invented {
		cfg.Marking = coalition.MarkingSynthetic
	}
	cfg.Private, cfg.StandBy = in.private, in.standBy
	if err != nil || f.places == "" {
		return cfg, err
	}
	cfg.Chart, err = f.chart(cmd, r)
	return cfg, err
}

// chart reads where services lie.
func (f *cascadeFiles) chart(cmd *cobra.Command, r *exchange.Register) (*cascadepage.Chart, error) {
	in, err := openTable(f.places)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	places, err := r.ReadPlaces(f.places, in)
	if err != nil {
		return nil, err
	}
	var join [][2]string
	for _, pair := range f.join {
		part, whole, ok := strings.Cut(pair, ":")
		if !ok {
			return nil, usageError(cmd, fmt.Sprintf("--join cannot be %s; allowed: two codes of three letters, such as XKX:SRB", errs.Quote(pair)))
		}
		join = append(join, [2]string{part, whole})
	}
	return register.Map(r, places, join)
}

// serveCascade serves the pages alone: to whoever uses the machine, or, what only a
// member knows, to one browser.
func serveCascade(ctx context.Context, env Env, cfg cascadepage.Config, l net.Listener) error {
	cfg.Brand, cfg.Threads, cfg.Prepare, cfg.Log = "muster", runtime.GOMAXPROCS(0), true, slog.New(slog.NewTextHandler(env.Err, nil))
	door, err := web.NewDoor(env.Rand)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	address, whose := "http://"+l.Addr().String()+"/", ""
	if cfg.Private {
		cfg.Base, address, whose = door.Base(), door.Address(l.Addr()), ", to the first browser that opens this address"
	}
	pages, err := cascadepage.New(cfg)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer pages.Close()
	handler := web.LoopbackForms(l.Addr(), pages.Handler())
	if cfg.Private {
		handler = door.Guard(l.Addr(), pages.Handler())
	}
	if _, err := fmt.Fprintln(env.Out, address); err != nil {
		return errors.Join(err, l.Close())
	}
	say(env, "the pages are served on this machine%s; end it with Ctrl-C", whose)
	return web.Serve(ctx, l, handler)
}

// serveDemo serves the coalition's picture, which changes nothing, and below a path
// of their own the cascade's pages of the invented port community.
func serveDemo(ctx context.Context, env Env, picture *picturepage.Pages, l net.Listener) error {
	cfg, err := portPages()
	if err != nil {
		return errors.Join(err, l.Close())
	}
	cfg.Brand, cfg.Base, cfg.Threads, cfg.Prepare = picture.Coalition(), cascadeBase, runtime.GOMAXPROCS(0), true
	cfg.Log = slog.New(slog.NewTextHandler(env.Err, nil))
	cfg.Home = func(lang string) web.Link {
		return web.Link{Text: map[string]string{"en": "The year", "fr": "L'année"}[lang], Href: "/"}
	}
	pages, err := cascadepage.New(cfg)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer pages.Close()
	mux := http.NewServeMux()
	mux.Handle("/", web.Loopback(l.Addr(), picture.Handler()))
	mux.Handle(cascadeBase+"/", web.LoopbackForms(l.Addr(), pages.Handler()))
	if _, err := fmt.Fprintf(env.Out, "http://%s/\n", l.Addr()); err != nil {
		return errors.Join(err, l.Close())
	}
	say(env, "the picture is served on this machine; end it with Ctrl-C")
	return web.Serve(ctx, l, mux)
}
