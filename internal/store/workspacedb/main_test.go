package workspacedb_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"muster/internal/assess"
	"muster/internal/framework"
	"muster/internal/store"
	"muster/internal/store/workspacedb"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// The environment of a test binary that is to work in a workspace until it is killed.
const (
	envPath  = "MUSTER_TEST_WORKSPACE"    // the database
	envRound = "MUSTER_TEST_ROUND"        // distinguishes what it writes
	envFault = "MUSTER_TEST_KILLED_AT"    // "before commit" or "after commit"; empty: its parent kills it
	envCount = "MUSTER_TEST_KILLED_AFTER" // at the commit with that number
)

// songbird is in everything that the killed process writes, and in no file by chance.
const songbird = "the-songbird-sings-at-noon"

func TestMain(m *testing.M) {
	if path := os.Getenv(envPath); path != "" {
		if err := workUntilKilled(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// savers is how many save at the same time in a process that is killed.
const savers = 4

// workUntilKilled saves, imports and contributes, and prints a line for whatever was
// acknowledged: "saved OUTCOME REVISION NOTE", "imported NOTE".
func workUntilKilled(path string) error {
	ctx := context.Background()
	cfg := workspacedb.Config{Path: path, Key: workspacetest.Key()}
	if at := os.Getenv(envFault); at != "" {
		left, err := strconv.Atoi(os.Getenv(envCount))
		if err != nil {
			return err
		}
		var mu sync.Mutex
		cfg.Fault = func(_ string, point store.FaultPoint) error {
			mu.Lock()
			defer mu.Unlock()
			if string(point) != at {
				return nil
			}
			if left--; left > 0 {
				return nil
			}
			self, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = self.Kill()
			}
			time.Sleep(time.Minute) // nothing more is done by who was killed
			return err
		}
	}
	db, err := workspacedb.Open(ctx, cfg)
	if err != nil {
		return err
	}
	s := workspace.New(workspace.Config{Store: db, Now: time.Now})
	lead := workspace.Lead("Asta Lind")
	id := workspace.NewSurveyID(workspacetest.Cycle, "invented")
	round := os.Getenv(envRound)
	failed := make(chan error, savers)
	var out sync.Mutex
	say := func(format string, args ...any) {
		out.Lock()
		defer out.Unlock()
		fmt.Printf(format+"\n", args...) // one write: a line is whole or not there
	}
	for p := range savers {
		go func() { failed <- work(ctx, s, lead, id, p, round, say) }()
	}
	return <-failed
}

func work(ctx context.Context, s *workspace.Service, lead workspace.Person, id workspace.SurveyID, p int, round string, say func(string, ...any)) error {
	for n := 0; ; n++ {
		note := fmt.Sprintf("%s-%s-%d-%d", songbird, round, p, n)
		if n%5 == 4 { // an import: all of one area, or nothing
			var saves []workspace.Save
			for i := range 6 {
				outcome := fmt.Sprintf("A%d.%d", savers+1+p, i+1)
				was, err := s.Entry(ctx, lead, id, outcome)
				if err != nil {
					return err
				}
				saves = append(saves, workspace.Save{Outcome: outcome, Base: was.Rev, Mine: assess.Entry{Level: framework.Level1, Note: note}})
			}
			if _, err := s.SaveAll(ctx, lead, id, saves); err != nil {
				return err
			}
			say("imported %d %s", savers+1+p, note)
			continue
		}
		outcome := fmt.Sprintf("A%d.%d", p+1, n%6+1)
		was, err := s.Entry(ctx, lead, id, outcome)
		if err != nil {
			return err
		}
		saved, conflict, err := s.Save(ctx, lead, id, outcome, was.Rev, assess.Entry{Level: framework.Level2, Note: note})
		if err != nil {
			return err
		}
		if conflict != nil {
			return fmt.Errorf("a conflict about %v", conflict.Fields)
		}
		say("saved %s %d %s", outcome, saved.Rev, note)
	}
}
