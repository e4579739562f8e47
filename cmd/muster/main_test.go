package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"muster/internal/store/pgtest"
)

// TestMain makes this test binary the command muster of the stories, and of the
// hosts that a rehearsal starts where a test calls run itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		storyMain()
	}
	testscript.Main(onPostgres{m}, map[string]func(){"muster": storyMain})
}

// onPostgres stops the PostgreSQL of the tests when they have run.
type onPostgres struct{ m *testing.M }

func (p onPostgres) Run() int { return pgtest.Run(p.m) }

// TestStory runs the command-line stories, one file each. Their own commands are
// in script_test.go. A story finds a small pack of two areas and three outcomes
// (L1.1, L1.2, L2.1) in $SMALL and the core pack's file in $CORE.
func TestStory(t *testing.T) {
	t.Parallel()
	pack, err := os.ReadFile(filepath.Join("testdata", "lights.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	core, err := filepath.Abs(filepath.Join("..", "..", "packs", "muster-core", "pack.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	docs, err := filepath.Abs(filepath.Join("..", "..", "docs", "ops"))
	if err != nil {
		t.Fatal(err)
	}
	commands := storyCommands()
	maps.Copy(commands, hostCommands())
	maps.Copy(commands, cycleCommands())
	maps.Copy(commands, drillCommands())
	maps.Copy(commands, teamCommands())
	maps.Copy(commands, coordinatorCommands())
	maps.Copy(commands, documentCommands())
	maps.Copy(commands, silenceCommands())
	maps.Copy(commands, verifyCommands())
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                commands,
		Condition: func(name string) (bool, error) {
			switch name {
			case "posix": // modes, named pipes and signals are as POSIX has them
				return runtime.GOOS != "windows", nil
			case "modes": // and modes hold this user back
				return runtime.GOOS != "windows" && os.Geteuid() != 0, nil
			}
			return false, exec.ErrNotFound
		},
		Setup: func(env *testscript.Env) error {
			path := filepath.Join(env.WorkDir, "lights.yaml")
			env.Setenv("SMALL", path)
			env.Setenv("CORE", core)
			env.Setenv("DOCS", docs)
			return os.WriteFile(path, pack, 0o644)
		},
	})
}
