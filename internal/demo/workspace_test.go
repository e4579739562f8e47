package demo_test

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"muster/internal/assess"
	"muster/internal/demo"
	"muster/internal/disclosure"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/store/workspacedb"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
	"muster/packs"
)

// The workspace of the demonstration has the release of the closed year, in which the
// member can be one of those who are counted: its dot is never where nobody is.
func TestWorkspaceHasRelease(t *testing.T) {
	t.Parallel()
	pack, err := framework.Find(packs.FS(), demo.Core)
	if err != nil {
		t.Fatal(err)
	}
	w := workspacetest.Open(t, workspacedb.Config{Path: filepath.Join(t.TempDir(), "workspace.db"), Key: workspacetest.Key()})
	now := time.Date(2031, 3, 1, 9, 0, 0, 0, time.UTC)
	start := time.Now()
	if err := demo.FillWorkspace(t.Context(), demo.WorkspaceConfig{Store: w.DB, Packs: []*framework.Pack{pack}, Seed: 1, Now: now, Lead: w.Lead}); err != nil {
		t.Fatal(err)
	}
	t.Logf("filled in %v", time.Since(start))
	if who, err := w.Named(t.Context(), "root"); err != nil || who.Name != w.Lead.Name {
		t.Errorf("it is used by %q, %v: nothing would be assigned to her", who.Name, err)
	}
	id := workspace.NewSurveyID("2030", pack.ID)
	r, _, err := w.Release(t.Context(), w.Lead, id)
	if err != nil {
		t.Fatal(err)
	}
	if r.Marking != demo.Synthetic {
		t.Errorf("the release is marked %q", r.Marking)
	}
	c, err := w.Compare(t.Context(), w.Lead, id, r)
	if err != nil {
		t.Fatal(err)
	}
	dots := 0
	for _, s := range c.Standings {
		if s.Band < 0 {
			continue
		}
		dots++
		if s.Answer.Level.Given() && s.Same == 0 {
			t.Errorf("%s: the member is where nobody is", s.Outcome)
		}
	}
	if dots < 20 || len(c.Urgent) < 3 {
		t.Errorf("%d dots and %d gaps of %d outcomes: there is nothing to look at", dots, len(c.Urgent), len(c.Standings))
	}
	t.Logf("%d dots, %d gaps of %d outcomes", dots, len(c.Urgent), len(c.Standings))
}

// One survey of the demonstration is answered under a charter and waits for one step:
// once that is approved, it can be sealed. The same seed and day give the same charter.
func TestWorkspaceIsChartered(t *testing.T) {
	t.Parallel()
	pack, err := framework.Find(packs.FS(), "muster-ai")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := keys.Generate(rand.NewChaCha8([32]byte{1}), string(demo.WorkspaceMember))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2031, 3, 1, 9, 0, 0, 0, time.UTC)
	var digests []string
	for _, seed := range []uint64{1, 1, 2} {
		w := workspacetest.Open(t, workspacedb.Config{Path: filepath.Join(t.TempDir(), "workspace.db"), Key: workspacetest.Key()})
		if err := demo.FillWorkspace(t.Context(), demo.WorkspaceConfig{Store: w.DB, Seed: seed, Now: now, Lead: w.Lead, Chartered: pack, Member: signer.Public()}); err != nil {
			t.Fatal(err)
		}
		id := workspace.NewSurveyID("2031", pack.ID)
		signed, err := w.Charter(t.Context(), w.Lead, id)
		if err != nil {
			t.Fatal(err)
		}
		charter, err := signed.Open()
		if err != nil || charter.Marking != demo.Synthetic {
			t.Fatalf("the charter is marked %q, %v", charter.Marking, err)
		}
		if err := disclosure.RequireSafe(charter); err != nil {
			t.Error(err)
		}
		digests = append(digests, signed.Digest())
		sealable, err := w.Sealable(t.Context(), w.Lead, id)
		if err != nil {
			t.Fatal(err)
		}
		if len(sealable.Blockers) != 1 || sealable.Blockers[0].Kind != assess.BlockerSignOff {
			t.Fatalf("seed %d: waits for %+v, want the sign-off alone", seed, sealable.Blockers)
		}
		if _, err := w.Decide(t.Context(), w.Lead, id, assess.Decision{Step: "head", Digest: sealable.Digest, Approved: true, By: w.Lead.Name}); err != nil {
			t.Fatal(err)
		}
		if sealable, err = w.Sealable(t.Context(), w.Lead, id); err != nil || len(sealable.Blockers) > 0 {
			t.Errorf("seed %d: approved, and waits for %+v, %v", seed, sealable.Blockers, err)
		}
	}
	if digests[0] != digests[1] || digests[0] == digests[2] {
		t.Errorf("charters %q", digests)
	}
}
