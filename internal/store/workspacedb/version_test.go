package workspacedb_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/account"
	"muster/internal/account/accounttest"
	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/store/workspacedb"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// A workspace of each schema is kept in testdata, as the program of that time wrote
// it, with what it showed. -keep writes those of the newest schema, once.
var keep = flag.Bool("keep", false, "keep a workspace of the newest schema in testdata")

// Any later version opens every earlier workspace and shows what it showed.
func TestEveryVersionOpens(t *testing.T) {
	t.Parallel()
	migrations, err := fs.Glob(workspacedb.Migrations, "sqlite/*.sql")
	must(t, err)
	for _, name := range migrations {
		version, _, _ := strings.Cut(filepath.Base(name), "_")
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join("testdata", version+".db")
			if _, err := os.Stat(file); os.IsNotExist(err) && *keep && name == migrations[len(migrations)-1] {
				keepVersion(t, file)
			}
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v; keep one: go test -run EveryVersion -keep, before anything is released with this schema", err)
			}
			for _, text := range []string{"Asta Lind", "SQLite format 3", "A1.1"} {
				if bytes.Contains(body, []byte(text)) {
					t.Errorf("%s holds %q in clear", file, text)
				}
			}
			path := filepath.Join(t.TempDir(), "workspace.db")
			must(t, os.WriteFile(path, body, 0o600))
			w := workspacetest.Open(t, workspacedb.Config{Path: path, Key: workspacetest.Key()})
			if _, err := w.DB.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(filepath.Join("testdata", version+".json"))
			must(t, err)
			if diff := cmp.Diff(string(want), shown(t, w)); diff != "" {
				t.Errorf("shown (-then +now):\n%s", diff)
			}
			// And it goes on: what is there can be changed.
			entries, err := w.Entries(t.Context(), w.Lead, "2032/invented")
			must(t, err)
			for outcome, saved := range entries {
				saved.Entry.Note += " and on"
				if _, conflict, err := w.Save(t.Context(), w.Lead, "2032/invented", outcome, saved.Rev, saved.Entry); err != nil || conflict != nil {
					t.Errorf("%s: %v, %v", outcome, conflict, err)
				}
			}
		})
	}
}

// shown is everything that the service shows of a workspace, as indented JSON.
func shown(t *testing.T, w *workspacetest.Workspace) string {
	t.Helper()
	ctx := t.Context()
	all := make(map[string]any)
	keep := func(name string, value any, err error) {
		t.Helper()
		must(t, err)
		all[name] = value
	}
	member, err := w.Member(ctx)
	keep("member", member, err)
	bodies, err := w.Bodies(ctx, w.Lead)
	keep("bodies", bodies, err)
	surveys, err := w.Surveys(ctx, w.Lead)
	keep("surveys", surveys, err)
	for _, s := range surveys {
		in := func(what string) string { return string(s.ID) + " " + what }
		pack, err := w.Pack(ctx, w.Lead, s.ID)
		keep(in("pack"), pack.String(), err)
		entries, err := w.Entries(ctx, w.Lead, s.ID)
		keep(in("entries"), entries, err)
		for _, o := range pack.Outcomes() {
			history, err := w.History(ctx, w.Lead, s.ID, o.ID)
			keep(in(o.ID+" history"), history, err)
			comments, err := w.Comments(ctx, w.Lead, s.ID, o.ID)
			keep(in(o.ID+" comments"), comments, err)
		}
		contributions, err := w.Contributions(ctx, w.Lead, s.ID, "")
		keep(in("contributions"), contributions, err)
		proposals, err := w.Proposals(ctx, w.Lead, s.ID)
		keep(in("proposals"), proposals, err)
		sections, err := w.Sections(ctx, w.Lead, s.ID)
		keep(in("sections"), sections, err)
		references, err := w.References(ctx, w.Lead, s.ID, "")
		keep(in("references"), references, err)
		findings, err := w.Findings(ctx, w.Lead, s.ID)
		keep(in("findings"), findings, err)
		if opinion, holds, err := w.Opinion(ctx, w.Lead, s.ID); err == nil {
			keep(in("opinion"), []any{opinion, holds}, nil)
		}
		so, err := w.SignOff(ctx, w.Lead, s.ID)
		keep(in("sign-off"), so, err)
		sealings, err := w.Sealings(ctx, w.Lead, s.ID)
		keep(in("sealings"), sealings, err)
		actions, err := w.Actions(ctx, w.Lead, s.ID)
		keep(in("actions"), actions, err)
		if r, revised, err := w.Release(ctx, w.Lead, s.ID); err == nil {
			keep(in("release"), []any{r, revised}, nil)
			comparison, err := w.Compare(ctx, w.Lead, s.ID, r)
			keep(in("comparison"), comparison, err)
		}
		if words, revised, err := w.Words(ctx, w.Lead, s.ID, "en"); err == nil {
			keep(in("speaking points"), []any{words, revised}, nil)
		}
		if books, err := w.Workbooks(ctx, w.Lead, s.ID); err != nil || len(books) > 0 {
			keep(in("workbooks"), books, err)
		}
		blockers, err := w.Blockers(ctx, w.Lead, s.ID)
		keep(in("blockers"), blockers, err)
		copies, err := w.Copies(ctx, w.Lead, s.ID)
		must(t, err)
		for place, revised := range copies {
			outcome, id, _ := strings.Cut(place, "/")
			_, body, err := w.Copy(ctx, w.Lead, s.ID, outcome, id)
			keep(in("copy "+place), []any{revised, string(body)}, err)
		}
	}
	// What earlier workspaces cannot have is not in what they showed.
	if approvers, err := w.Approvers(ctx, w.Lead); err != nil || len(approvers) > 0 {
		keep("registered keys", approvers, err)
	}
	if needs, err := w.Needs(ctx, w.Lead); err != nil || len(needs) > 0 {
		keep("needs", needs, err)
	}
	if settings, revised, err := w.Settings(ctx, w.Lead); err != nil || revised.Rev != 0 {
		keep("settings", []any{settings, revised}, err)
	}
	team := newPeople(t, w)
	people, err := team.People(ctx)
	must(t, err)
	if len(people) > 0 { // there are none before the schema that knows them
		events, err := team.Events(ctx, 100)
		keep("people", people, err)
		keep("events", events, err)
	}
	body, err := json.MarshalIndent(all, "", "\t")
	must(t, err)
	return string(body) + "\n"
}

// newPeople returns the people of a workspace.
func newPeople(t *testing.T, w *workspacetest.Workspace) *account.Service {
	t.Helper()
	now := workspacetest.Clock(time.Date(2031, 3, 2, 9, 0, 0, 0, time.UTC))
	team, err := account.New(account.Config{
		Store: w.DB.Accounts(), Now: now, Rand: rand.Reader, Roles: workspace.AccountRoles(),
		Site: account.Site{Name: "Ostmere", Host: "answers.example", Origin: "https://answers.example"},
	})
	must(t, err)
	return team
}

// keepVersion makes a workspace with something of every kind in it, all of it
// invented.
func keepVersion(t *testing.T, file string) {
	t.Helper()
	ctx := t.Context()
	w := workspacetest.New(t)
	pack := workspacetest.Pack(t, 2, "there")
	id := w.Load(t, pack)
	save := func(id workspace.SurveyID, outcome string, e assess.Entry) {
		was, err := w.Entry(ctx, w.Lead, id, outcome)
		must(t, err)
		_, _, err = w.Save(ctx, w.Lead, id, outcome, was.Rev, e)
		must(t, err)
	}
	save(id, "A1.1", assess.Entry{Level: framework.Level1})
	save(id, "A1.1", assess.Entry{Level: framework.Level2, Target: framework.Level3, TargetDate: "2032-06-30", Note: "Schrift, texte\nand text", Assignee: "Bo", Flagged: true})
	save(id, "A1.2", assess.Entry{Level: framework.NotApplicable, Reason: "no coast"})
	_, err := w.PutBody(ctx, w.Lead, 0, assess.Body{ID: "port", Name: "The port", Kind: "facility", Scope: "two quays"})
	must(t, err)
	_, err = w.PutSection(ctx, w.Lead, id, 0, workspace.Section{ID: "works", Title: "Works", Areas: []string{"A1"}, Bodies: []string{"port"}, Due: "2031-02-01", Contact: "the works"})
	must(t, err)
	_, err = w.Contribute(ctx, w.Lead, id, "A1.1", 0, assess.Contribution{Body: "port", Level: framework.Level2, Note: "counted"})
	must(t, err)
	must(t, w.GiveWorkbooks(ctx, w.Lead, id, map[string]int{"port": 2}))
	_, err = w.SaveBatch(ctx, w.Lead, workspace.Batch{Back: []workspace.BatchBack{{Survey: id, Body: "port", Workbook: workspace.Workbook{Asked: 2, Held: 1}}}})
	must(t, err)
	_, err = w.Comment(ctx, w.Lead, id, "A1.1", "port", "which quay?")
	must(t, err)
	const piece = "the list itself"
	reference, err := w.AddReference(ctx, w.Lead, id, assess.Reference{Outcome: "A1.1", Place: "/srv/list.pdf", Title: "The list", SHA256: keys.Digest([]byte(piece)), Bytes: int64(len(piece))})
	must(t, err)
	must(t, w.KeepCopy(ctx, w.Lead, id, "A1.1", reference.ID, workspace.Reading{SHA256: keys.Digest([]byte(piece)), Bytes: int64(len(piece)), Body: []byte(piece)}))
	_, err = w.PutSettings(ctx, w.Lead, 0, workspace.Settings{Evidence: "/srv"})
	must(t, err)
	_, err = w.PutNeeds(ctx, w.Lead, "port", 0, assess.Needs{Rows: []assess.Need{{What: "Power", Supplier: "The grid", Hours: 4, Known: true, Substitute: "Diesel", Note: "tested"}, {What: "Pilots"}}})
	must(t, err)
	found, err := w.PutFinding(ctx, w.Lead, id, 0, assess.Finding{Outcome: "A1.1", Seen: "the list", Found: "complete", Verified: framework.Level2, Claimed: framework.Level2})
	must(t, err)
	_, err = w.Reply(ctx, w.Lead, id, "A1.1", found.Rev, "thank you")
	must(t, err)
	digest, err := w.FindingsDigest(ctx, w.Lead, id)
	must(t, err)
	must(t, w.PutOpinion(ctx, w.Lead, id, workspace.Opinion{Text: "fair", Digest: digest, By: "Vera", Signature: []byte("signed")}))
	must(t, w.SetChain(ctx, w.Lead, id, []assess.Step{{ID: "head", Name: "The head"}, {ID: "minister", Name: "The minister", Signed: true}}))
	sealable, err := w.Sealable(ctx, w.Lead, id)
	must(t, err)
	_, err = w.Decide(ctx, w.Lead, id, assess.Decision{Step: "head", Digest: sealable.Digest, Approved: true, By: "Hedda", Signature: []byte("signed")})
	must(t, err)
	minna, err := keys.Generate(rand.Reader, "Minna")
	must(t, err)
	_, err = w.PutApprover(ctx, w.Lead, 0, workspace.Approver{ID: "minna", Key: minna.Public(), Steps: []string{"minister"}})
	must(t, err)
	request, err := w.RequestApproval(ctx, w.Lead, id, "minister")
	must(t, err)
	approval, err := request.Approve(minna.Public(), true, "", time.Unix(1_900_000_000, 0)).Sign(minna)
	must(t, err)
	_, _, err = w.AcceptApproval(ctx, w.Lead, approval)
	must(t, err)
	_, err = w.Sealed(ctx, w.Lead, id, workspace.Sealing{
		Sequence: 1, Digest: sealable.Digest, File: strings.Repeat("b2", 32), Receipt: coalition.SignedReceipt{Body: []byte("receipt"), Signature: []byte("signed")},
	})
	must(t, err)
	action, err := w.PutAction(ctx, w.Lead, id, "", 0, assess.Action{Outcome: "A1.1", Text: "count the other quay", Owner: "Bo", Due: "2032-06-30", Cost: "two posts", Funding: assess.FundedInPart})
	must(t, err)
	must(t, w.RemoveAction(ctx, w.Lead, id, "A1.1", action.ID, action.Rev))
	_, err = w.PutAction(ctx, w.Lead, id, "", 0, assess.Action{Outcome: "A1.2", Nothing: true, Text: "no coast"})
	must(t, err)
	must(t, w.Close(ctx, w.Lead, id))
	_, err = w.KeepRelease(ctx, w.Lead, id, workspacetest.ReleaseFile(t, pack, workspacetest.Cycle))
	must(t, err)
	_, err = w.PutWords(ctx, w.Lead, id, "en", 0, workspace.Words{Points: []workspace.Point{{Rule: "targets", Text: "We meet {targets.met} of {targets}.", Public: true}}})
	must(t, err)
	_, err = w.Service.Load(ctx, w.Lead, workspace.LoadConfig{Pack: pack, Cycle: "2032", Before: id})
	must(t, err)
	_, err = w.Confirm(ctx, w.Lead, "2032/invented", "A1.2")
	must(t, err)

	team := newPeople(t, w)
	for _, who := range []account.Invitee{
		{Name: "Ines", Grants: []account.Grant{{Role: "contributor", Of: []string{"port"}}}}, {Name: "Bo", Grants: []account.Grant{{Role: "reader"}}},
	} {
		token, err := team.Invite(ctx, w.Lead.Name, who)
		must(t, err)
		if who.Name == "Bo" {
			continue
		}
		ceremony, err := team.BeginJoin(ctx, token, "192.0.2.1")
		must(t, err)
		_, err = team.FinishJoin(ctx, ceremony.Flow, "laptop", accounttest.New("https://answers.example", rand.Reader).Create(t, ceremony.Options), "192.0.2.1")
		must(t, err)
	}
	must(t, team.Remove(ctx, w.Lead.Name, "Bo"))

	must(t, os.MkdirAll(filepath.Dir(file), 0o755))
	must(t, w.DB.Snapshot(ctx, file))
	must(t, os.WriteFile(fmt.Sprintf("%s.json", strings.TrimSuffix(file, ".db")), []byte(shown(t, w)), 0o644))
}
