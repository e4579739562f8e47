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

	"muster/internal/account"
	"muster/internal/cycle"
	"muster/internal/cycle/cycletest"
	"muster/internal/edition"
	"muster/internal/edition/editiontest"
	"muster/internal/web"
	page "muster/internal/web/coordinator"
)

// A coordinator's pages in a browser, as each of its people sees them.
func TestCoordinatorPages(t *testing.T) {
	t.Parallel()
	tools := need(t)
	w := cycletest.New(t)
	id := w.Busy(t)
	editions := editiontest.New(t)
	editions.Busy(t)
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), tools.node, "coordinator.mjs", tools.modules, tools.chromium, serveCoordinator(t, w, editions), string(id), string(editions.Cycle), dir)
	var out, broken bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &broken
	if err := cmd.Run(); err != nil {
		t.Errorf("coordinator.mjs: %v\n%s", err, &broken)
	}
	checks := 0
	for lines := bufio.NewScanner(&out); lines.Scan(); {
		var check struct {
			Name   string
			Faults []string
		}
		if err := json.Unmarshal(lines.Bytes(), &check); err != nil {
			t.Fatalf("coordinator.mjs says %q", lines.Text())
		}
		checks++
		t.Run(check.Name, func(t *testing.T) {
			for _, fault := range check.Faults {
				t.Error(fault)
			}
		})
	}
	if checks < 40 {
		t.Errorf("only %d checks ran", checks)
	}
	t.Run("printed", func(t *testing.T) {
		body, err := os.ReadFile(filepath.Join(dir, "board.pdf"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := exec.CommandContext(t.Context(), tools.pdftotext, "-layout", filepath.Join(dir, "board.pdf"), "-").Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"SYNTHETIC", "Who stands where", "Vinterhavn", "storm at sea"} {
			if !bytes.Contains(text, []byte(want)) {
				t.Errorf("the print does not say %q", want)
			}
		}
		if !bytes.Contains(body, []byte("/StructTreeRoot")) || bytes.Contains(text, []byte("Move the deadline")) {
			t.Error("the print is not tagged, or has forms on it")
		}
	})
	// What was typed without a script was kept.
	list, err := w.Questions(t.Context(), w.Vera, id)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || list[1].Text != "Asked in a browser?" {
		t.Errorf("the question was not kept: %+v", list)
	}
	v, err := w.Cycle(t.Context(), w.Vera, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range v.Board {
		if s.ID == "vinterhavn" && s.Participation.Status != cycle.SignedOff {
			t.Errorf("the status was not kept: %s", s.Participation.Status)
		}
	}
}

// serveCoordinator serves the pages on loopback, each person below a path of her own.
func serveCoordinator(t *testing.T, w *cycletest.World, e *editiontest.World) string {
	t.Helper()
	mux := http.NewServeMux()
	serve := func(w *cycletest.World, name string, person cycle.Person, editions *edition.Service) {
		people, err := account.New(account.Config{Store: w.DB.Accounts(), Now: w.Clock.Now, Rand: rand.Reader, Roles: cycle.AccountRoles()})
		if err != nil {
			t.Fatal(err)
		}
		pages, err := page.New(page.Config{Service: w.Service, Editions: editions, People: people, Person: func(*http.Request) cycle.Person { return person }, Now: w.Clock.Now, Marking: "SYNTHETIC", Base: "/" + name})
		if err != nil {
			t.Fatal(err)
		}
		mux.Handle("/"+name+"/", pages.Handler())
	}
	for name, person := range w.People() {
		serve(w, name, person, nil)
	}
	for name, person := range map[string]cycle.Person{"editor": e.Ada, "reader": e.Ola, "guest": e.Dan} {
		serve(e.World, name, person, e.Editions)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(ctx, l, mux) }() // waited for below
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}
