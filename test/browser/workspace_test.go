package browser_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"muster/internal/assess"
	"muster/internal/demo"
	"muster/internal/framework"
	"muster/internal/store"
	"muster/internal/store/workspacedb"
	"muster/internal/web"
	page "muster/internal/web/workspace"
	"muster/internal/workspace"
	"muster/packs"
)

// A member's workspace in a browser: the demonstration, a first year with nothing
// answered, and a second year in which everything looks unchanged.
func TestWorkspacePages(t *testing.T) {
	t.Parallel()
	tools := need(t)
	pack, err := framework.Find(packs.FS(), "muster-core")
	if err != nil {
		t.Fatal(err)
	}
	lead := workspace.Lead("Ada Lindqvist")
	filled := newWorkspace(t)
	if err := demo.FillWorkspace(t.Context(), demo.WorkspaceConfig{Store: filled, Packs: []*framework.Pack{pack}, Seed: 1, Now: time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC), Lead: lead}); err != nil {
		t.Fatal(err)
	}
	first, second := newWorkspace(t), newWorkspace(t)
	for _, db := range []*workspacedb.DB{first, second} {
		service := workspace.New(workspace.Config{Store: db, Now: time.Now})
		if err := service.Begin(t.Context(), lead, demo.WorkspaceMember); err != nil {
			t.Fatal(err)
		}
		survey, err := service.Load(t.Context(), lead, workspace.LoadConfig{Pack: pack, Cycle: "2026"})
		if err != nil {
			t.Fatal(err)
		}
		if db == first {
			continue
		}
		var saves []workspace.Save
		for _, o := range pack.Outcomes() {
			saves = append(saves, workspace.Save{Outcome: o.ID, Mine: assess.Entry{Level: framework.Level2}})
		}
		if _, err := service.SaveAll(t.Context(), lead, survey.ID, saves); err != nil {
			t.Fatal(err)
		}
		if _, err := service.Load(t.Context(), lead, workspace.LoadConfig{Pack: pack, Cycle: "2027", Before: survey.ID}); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"workspace.mjs", tools.modules, tools.chromium, nextRelease(t, filled, lead)}
	for _, db := range []*workspacedb.DB{filled, first, second} {
		args = append(args, serveWorkspace(t, db, lead))
	}
	args = append(args, serveWorkspace(t, filled, workspace.Person{Name: "Ines Calloway", Roles: []workspace.Role{workspace.RoleReader}}))
	cmd := exec.CommandContext(t.Context(), tools.node, args...)
	var out, broken bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &broken
	if err := cmd.Run(); err != nil {
		t.Errorf("workspace.mjs: %v\n%s", err, &broken)
	}
	checks := 0
	for lines := bufio.NewScanner(&out); lines.Scan(); {
		var check struct {
			Name   string
			Faults []string
			Says   string
		}
		if err := json.Unmarshal(lines.Bytes(), &check); err != nil {
			t.Fatalf("workspace.mjs says %q", lines.Text())
		}
		checks++
		t.Run(check.Name, func(t *testing.T) {
			if check.Says != "" {
				t.Log(check.Says)
			}
			for _, fault := range check.Faults {
				t.Error(fault)
			}
		})
	}
	if checks < 71 {
		t.Errorf("only %d checks ran", checks)
	}
	// All of the first year was answered, by keys alone, and every second one confirmed.
	for name, db := range map[string]*workspacedb.DB{"first": first, "second": second} {
		service := workspace.New(workspace.Config{Store: db, Now: time.Now})
		surveys, err := service.Surveys(t.Context(), lead)
		if err != nil {
			t.Fatal(err)
		}
		if p := surveys[0].Progress; p.Open() != 0 {
			t.Errorf("%s year: %d of %d are open after the keys", name, p.Open(), p.Of)
		}
	}
}

// nextRelease writes the release that the demonstration has of its closed year as one
// of the year after, and returns its place.
func nextRelease(t *testing.T, filled *workspacedb.DB, lead workspace.Person) string {
	t.Helper()
	r, _, err := workspace.New(workspace.Config{Store: filled, Now: time.Now}).Release(t.Context(), lead, "2025/muster-core")
	if err != nil {
		t.Fatal(err)
	}
	r.Cycle = "2026"
	body, err := r.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "release.json")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newWorkspace(t *testing.T) *workspacedb.DB {
	t.Helper()
	key, err := store.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	db, err := workspacedb.Open(t.Context(), workspacedb.Config{Path: filepath.Join(t.TempDir(), "workspace.db"), Key: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// serveWorkspace serves a workspace as the command does to a person and returns the address with
// its token.
func serveWorkspace(t *testing.T, db *workspacedb.DB, person workspace.Person) string {
	t.Helper()
	door, err := web.NewDoor(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := page.New(page.Config{
		Service: workspace.New(workspace.Config{Store: db, Now: time.Now}), Person: func(*http.Request) workspace.Person { return person },
		Now: time.Now, Rand: rand.Reader, Marking: demo.Synthetic, Base: door.Base(),
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(ctx, l, door.Guard(l.Addr(), pages.Handler())) }() // waited for below
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return door.Address(l.Addr())
}
