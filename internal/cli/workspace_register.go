package cli

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/spf13/cobra"

	"muster/internal/errs"
	"muster/internal/web"
	cascadepage "muster/internal/web/cascade"
	workspacepage "muster/internal/web/workspace"
)

// besideWorkspace are the pages of what falls together beside those of a workspace.
type besideWorkspace struct {
	http.Handler
	close func()
}

// beside returns the pages beside a workspace's, which lie below base.
type beside func(base string) (*besideWorkspace, error)

func nothingBeside(string) (*besideWorkspace, error) { return &besideWorkspace{close: func() {}}, nil }

// besides returns the pages of the register in a folder, with what the workspace knows;
// nothing where there is no folder. base is where the workspace's own pages lie, log
// where faults go.
func besides(cmd *cobra.Command, env Env, w *openWorkspace, dir, base string) (*besideWorkspace, error) {
	if dir == "" {
		return nothingBeside(base)
	}
	files, err := registerFolder(dir)
	if err != nil {
		return nil, err
	}
	files.around.opened = w
	cfg, err := readCascadePages(cmd, env, files)
	if err != nil {
		return nil, err
	}
	member, err := w.Member(cmd.Context())
	if err != nil {
		return nil, err
	}
	cfg.Brand, cfg.Base, cfg.Threads = string(member), base+workspacepage.BesidePath[:len(workspacepage.BesidePath)-1], runtime.GOMAXPROCS(0)
	cfg.Log = slog.New(slog.NewTextHandler(env.Err, nil))
	cfg.Home = func(lang string) web.Link {
		return web.Link{Text: map[string]string{"en": "Workspace", "fr": "Espace de travail"}[lang], Href: base + "/" + lang + "/"}
	}
	pages, err := cascadepage.New(cfg)
	if err != nil {
		return nil, err
	}
	return &besideWorkspace{pages.Handler(), pages.Close}, nil
}

// registerFolder names the files of a register in a folder, as muster cascade generate
// writes them, and what of the member's own may lie beside.
func registerFolder(dir string) (files cascadeFiles, err error) {
	find := func(name string, endings ...string) string {
		for _, end := range endings {
			if path := filepath.Join(dir, name+end); exists(path) {
				return path
			}
		}
		return ""
	}
	tables := []string{".csv", ".yaml", ".yml"}
	files.register.services, files.register.requirements = find("services", tables...), find("requirements", tables...)
	if files.register.services == "" || files.register.requirements == "" {
		return files, errs.New(errs.NotFound, errs.Quote(dir)+" has no register", "it holds services.csv, requirements.csv and a folder scenarios, as muster cascade generate writes them")
	}
	entries, err := os.ReadDir(filepath.Join(dir, "scenarios"))
	if err != nil && !os.IsNotExist(err) {
		return files, err
	}
	for _, e := range entries {
		if slices.Contains(tables, filepath.Ext(e.Name())) {
			files.scenarios = append(files.scenarios, filepath.Join(dir, "scenarios", e.Name()))
		}
	}
	if len(files.scenarios) == 0 {
		return files, errs.New(errs.NotFound, errs.Quote(dir)+" has no scenario", "put one or more into its folder scenarios")
	}
	files.measures, files.places = find("measures", ".yaml", ".yml"), find("places", ".csv")
	files.around.release = find("release", ".json")
	files.around.services, files.around.requirements = find("own-services", tables...), find("own-requirements", tables...)
	if (files.around.services == "") != (files.around.requirements == "") {
		return files, errs.New(errs.NotFound, errs.Quote(dir)+" has one of own-services and own-requirements", "put both there, or neither")
	}
	files.uncertain.parameters = "default"
	if path := find("parameters", ".yaml", ".yml"); path != "" {
		files.uncertain.parameters = path
	}
	files.uncertain.levels = find("levels", ".csv")
	files.uncertain.coordinator = find("coordinator-card", ".json")
	return files, nil
}
