package workspace_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// load opens a survey in another cycle.
func load(t testing.TB, w *workspacetest.Workspace, cfg workspace.LoadConfig) workspace.Survey {
	t.Helper()
	s, err := w.Service.Load(t.Context(), w.Lead, cfg)
	must(t, err)
	return s
}

func TestBegin(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	member, err := w.Member(t.Context())
	must(t, err)
	if member != workspacetest.Member {
		t.Errorf("member %q", member)
	}
	must(t, w.Begin(t.Context(), w.Lead, workspacetest.Member))
	refused(t, w.Begin(t.Context(), w.Lead, "Calverra"), errs.Conflict)
	refused(t, w.Begin(t.Context(), w.Lead, "a\nb"), errs.Invalid)
}

func TestLoad(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	pack := workspacetest.Pack(t, 3, "there")
	deadline := time.Date(2031, 9, 1, 0, 0, 0, 0, time.UTC)
	s := load(t, w, workspace.LoadConfig{Pack: pack, Cycle: "2031", Deadline: deadline})
	want := workspace.Survey{
		ID: "2031/invented", Cycle: "2031", Pack: pack.Ref(), Deadline: deadline, Loaded: s.Loaded, State: workspace.StateOpen,
		Progress: assess.Progress{Of: 3}, Digest: s.Digest,
	}
	if diff := cmp.Diff(want, s); diff != "" || s.Loaded.Rev == 0 || s.Loaded.By != w.Lead.Name || len(s.Digest) != 64 {
		t.Errorf("loaded %+v (-want +got):\n%s", s.Loaded, diff)
	}
	again := load(t, w, workspace.LoadConfig{Pack: pack, Cycle: "2031"})
	if diff := cmp.Diff(s, again); diff != "" {
		t.Errorf("loaded again (-first +second):\n%s", diff)
	}
	kept, err := w.Pack(t.Context(), w.Lead, s.ID)
	must(t, err)
	if diff := cmp.Diff(pack, kept); diff != "" {
		t.Errorf("the pack that is kept (-want +got):\n%s", diff)
	}
	other := workspacetest.Pack(t, 3, "elsewhere")
	_, err = w.Service.Load(t.Context(), w.Lead, workspace.LoadConfig{Pack: other, Cycle: "2031"})
	refused(t, err, errs.Conflict)
	for name, row := range map[string]struct {
		cfg  workspace.LoadConfig
		kind errs.Kind
	}{
		"no pack":             {workspace.LoadConfig{Cycle: "2031"}, errs.Invalid},
		"no cycle":            {workspace.LoadConfig{Pack: pack}, errs.Invalid},
		"a cycle with a path": {workspace.LoadConfig{Pack: pack, Cycle: "20/31"}, errs.Invalid},
		"after none":          {workspace.LoadConfig{Pack: pack, Cycle: "2032", Before: "2030/invented"}, errs.NotFound},
		"after itself":        {workspace.LoadConfig{Pack: pack, Cycle: "2031", Before: "2031/invented"}, errs.Conflict},
	} {
		_, err := w.Service.Load(t.Context(), w.Lead, row.cfg)
		if errs.KindOf(err) != row.kind {
			t.Errorf("%s: %v, want kind %v", name, err, row.kind)
		}
	}
}

func TestLoadCharter(t *testing.T) {
	t.Parallel()
	pack := workspacetest.Pack(t, 3, "there")
	layout, err := framework.NewLayout(pack)
	must(t, err)
	body, err := layout.Canonical()
	must(t, err)
	make := func(members ...coalition.MemberID) coalition.SignedCharter {
		c := coalitiontest.New(t, coalitiontest.Config{Members: members, Layout: body, Sizes: layout.Sizes()})
		charter := c.Charter
		ref := pack.Ref()
		charter.Framework = coalition.FrameworkRef{ID: ref.ID, Version: ref.Version, Digest: ref.Digest}
		signed, err := charter.Sign(c.Coordinator, c.Leader, c.Helper)
		must(t, err)
		return signed
	}
	mine, others := make("Ostmere", "Calverra", "Norvik"), make("Calverra", "Norvik")
	charter, err := mine.Open()
	must(t, err)

	w := workspacetest.New(t)
	_, err = w.Service.Load(t.Context(), w.Lead, workspace.LoadConfig{Pack: pack, Charter: &others})
	refused(t, err, errs.Denied)
	_, err = w.Service.Load(t.Context(), w.Lead, workspace.LoadConfig{Pack: workspacetest.Pack(t, 3, "elsewhere"), Charter: &mine})
	refused(t, err, errs.Conflict)
	_, err = w.Service.Load(t.Context(), w.Lead, workspace.LoadConfig{Pack: pack, Charter: &mine, Cycle: "1999"})
	refused(t, err, errs.Conflict)
	broken := mine
	broken.Signature = others.Signature
	if _, err = w.Service.Load(t.Context(), w.Lead, workspace.LoadConfig{Pack: pack, Charter: &broken}); err == nil {
		t.Error("a charter with other signatures is taken")
	}

	// First without, then with the charter.
	first := load(t, w, workspace.LoadConfig{Pack: pack, Cycle: charter.Cycle})
	_, err = w.Charter(t.Context(), w.Lead, first.ID)
	refused(t, err, errs.NotFound)
	then := load(t, w, workspace.LoadConfig{Pack: pack, Charter: &mine})
	if then.ID != first.ID || then.Charter != mine.Digest() || !then.Deadline.Equal(time.Unix(charter.Deadline, 0)) {
		t.Errorf("with the charter: %+v", then)
	}
	kept, err := w.Charter(t.Context(), w.Lead, first.ID)
	must(t, err)
	if diff := cmp.Diff(mine, kept); diff != "" {
		t.Errorf("the charter that is kept (-want +got):\n%s", diff)
	}

	// Another one only in place of the one that is there, by its digest.
	later := make("Ostmere", "Calverra", "Norvik", "Westmark")
	for _, insteadOf := range []string{"", later.Digest(), others.Digest()} {
		_, err = w.Service.Load(t.Context(), w.Lead, workspace.LoadConfig{Pack: pack, Charter: &later, InsteadOf: insteadOf})
		refused(t, err, errs.Conflict)
	}
	then = load(t, w, workspace.LoadConfig{Pack: pack, Charter: &later, InsteadOf: mine.Digest()})
	if kept, err = w.Charter(t.Context(), w.Lead, first.ID); err != nil || then.Charter != later.Digest() || kept.Digest() != later.Digest() {
		t.Errorf("in place of the one that was withdrawn: %+v, %v", then, err)
	}
}

// A second year: what looks unchanged is carried over, counts for nothing, and is an
// answer once it is confirmed; the rest begins empty.
func TestSecondYear(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	ctx := t.Context()
	pack := workspacetest.Pack(t, 8, "there")
	before := w.Load(t, pack)
	settled := assess.Entry{Level: framework.Level2, Target: framework.Level3, TargetDate: "2032-06-30", Note: "as ever", Assignee: "Bo"}
	for outcome, e := range map[string]assess.Entry{
		"A1.1": settled,
		"A1.2": {Level: framework.Level2, Flagged: true, Assignee: "Cleo"},
		"A1.3": {Level: framework.Withheld},
		"A1.4": {Level: framework.Level4, Evidence: framework.E1},
		"A1.5": {Level: framework.Level3, Evidence: framework.E3},
		"A1.6": {Level: framework.NotApplicable, Reason: "no coast"},
		"A2.1": {Note: "not yet"},
	} {
		save(t, w, before, outcome, e)
	}
	must(t, w.SetChain(ctx, w.Lead, before, []assess.Step{{ID: "head", Name: "The head"}}))
	_, err := w.PutBody(ctx, w.Lead, 0, assess.Body{ID: "port", Name: "The port"})
	must(t, err)
	_, err = w.PutSection(ctx, w.Lead, before, 0, workspace.Section{ID: "first", Title: "First", Areas: []string{"A1"}, Bodies: []string{"port"}, Due: "2031-05-01"})
	must(t, err)

	s := load(t, w, workspace.LoadConfig{Pack: pack, Cycle: "2032", Before: before})
	if s.Progress != (assess.Progress{Carried: 3, Of: 8}) {
		t.Errorf("progress %+v", s.Progress)
	}
	entries, err := w.Entries(ctx, w.Lead, s.ID)
	must(t, err)
	got := make(map[string]assess.Entry)
	for outcome, saved := range entries {
		got[outcome] = saved.Entry
	}
	carried := settled
	carried.Carried = true
	want := map[string]assess.Entry{
		"A1.1": carried,
		"A1.2": {Assignee: "Cleo"},
		"A1.5": {Level: framework.Level3, Evidence: framework.E3, Carried: true},
		"A1.6": {Level: framework.NotApplicable, Reason: "no coast", Carried: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("carried (-want +got):\n%s", diff)
	}
	sections, err := w.Sections(ctx, w.Lead, s.ID)
	must(t, err)
	so, err := w.SignOff(ctx, w.Lead, s.ID)
	must(t, err)
	if len(sections) != 1 || sections[0].Due != "" || len(so.Chain) != 1 {
		t.Errorf("sections %+v, chain %+v", sections, so.Chain)
	}

	// A note does not confirm; another level does; so does giving the same.
	note := got["A1.1"]
	note.Note = "seen"
	if saved := save(t, w, s.ID, "A1.1", note); !saved.Entry.Carried {
		t.Error("a note confirms")
	}
	rev := entries["A1.5"].Rev
	confirmed, err := w.Confirm(ctx, w.Lead, s.ID, "A1.1", "A1.5", "A2.2")
	must(t, err)
	if confirmed["A1.1"].Entry.Carried || confirmed["A1.1"].Entry.Note != "seen" || confirmed["A1.5"].Rev <= rev || confirmed["A2.2"].Rev != 0 {
		t.Errorf("confirmed %+v", confirmed)
	}
	again, err := w.Confirm(ctx, w.Lead, s.ID, "A1.1", "A1.5", "A2.2")
	must(t, err)
	if diff := cmp.Diff(confirmed, again); diff != "" {
		t.Errorf("confirmed again (-first +second):\n%s", diff)
	}
	lower := want["A1.6"]
	lower.Level, lower.Reason = framework.Level0, ""
	if saved := save(t, w, s.ID, "A1.6", lower); saved.Entry.Carried {
		t.Error("another level is still carried over")
	}
	_, err = w.Confirm(ctx, w.Lead, s.ID, "A1.1", "A9.9")
	refused(t, err, errs.NotFound)

	// Nobody claims that an answer was carried over.
	forged := save(t, w, s.ID, "A2.1", assess.Entry{Level: framework.Level1, Carried: true})
	if forged.Entry.Carried {
		t.Error("an answer is marked as carried over")
	}
}

// An outcome that asks something else by now begins empty, and is not compared.
func TestSecondYearAsksElse(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	before := w.Load(t, workspacetest.Pack(t, 2, "there"))
	for _, outcome := range []string{"A1.1", "A1.2"} {
		save(t, w, before, outcome, assess.Entry{Level: framework.Level1})
	}
	s := load(t, w, workspace.LoadConfig{Pack: workspacetest.Pack(t, 2, "elsewhere"), Cycle: "2032", Before: before})
	if s.Progress != (assess.Progress{Of: 2}) {
		t.Errorf("progress %+v", s.Progress)
	}
	sealable, err := w.Sealable(t.Context(), w.Lead, s.ID)
	must(t, err)
	if sealable.Before == nil || len(sealable.Before.Answers) != 0 {
		t.Errorf("before: %+v", sealable.Before)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	ctx := t.Context()
	id := w.Load(t, workspacetest.Pack(t, 2, "there"))
	save(t, w, id, "A1.1", assess.Entry{Level: framework.Level1})
	must(t, w.Close(ctx, w.Lead, id))
	must(t, w.Close(ctx, w.Lead, id))
	_, _, err := w.Save(ctx, w.Lead, id, "A1.2", 0, assess.Entry{Level: framework.Level1})
	refused(t, err, errs.Conflict)
	_, err = w.Comment(ctx, w.Lead, id, "A1.1", "", "late")
	refused(t, err, errs.Conflict)
	s, err := w.Survey(ctx, w.Lead, id)
	must(t, err)
	if s.State != workspace.StateClosed {
		t.Errorf("state %s", s.State)
	}
	must(t, w.Reopen(ctx, w.Lead, id))
	save(t, w, id, "A1.2", assess.Entry{Level: framework.Level1})
}

// What somebody wrote stands in no error, whatever is refused.
func TestErrorsHideWhatWasWritten(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	ctx := t.Context()
	id := w.Load(t, workspacetest.Pack(t, 2, "there"))
	const secret = "the-songbird"
	bad := secret + "\x1b"
	who := workspace.Person{Name: secret}
	var all []error
	keep := func(_ any, err error) { all = append(all, err) }
	entry := func(e assess.Entry) {
		_, _, err := w.Save(ctx, w.Lead, id, "A1.1", 0, e)
		all = append(all, err)
	}
	entry(assess.Entry{Note: bad})
	entry(assess.Entry{Reason: bad})
	entry(assess.Entry{Assignee: bad})
	entry(assess.Entry{Note: strings.Repeat(secret, assess.MaxNote)})
	keep(w.Entries(ctx, who, id))
	keep(w.PutBody(ctx, w.Lead, 0, assess.Body{ID: bad, Name: bad, Kind: bad, Scope: bad}))
	keep(w.PutBody(ctx, w.Lead, 7, assess.Body{ID: "a", Name: secret}))
	keep(w.Contribute(ctx, w.Lead, id, "A1.1", 0, assess.Contribution{Body: "none", Note: bad}))
	keep(w.Comment(ctx, w.Lead, id, "A1.1", "", bad))
	keep(w.AddReference(ctx, w.Lead, id, assess.Reference{Outcome: "A1.1", Place: bad}))
	keep(w.AddReference(ctx, w.Lead, id, assess.Reference{Outcome: "A1.1", Place: "http://" + secret}))
	keep(w.AddReference(ctx, w.Lead, id, assess.Reference{Outcome: "A1.1", Place: "x", SHA256: secret}))
	keep(w.PutFinding(ctx, w.Lead, id, 0, assess.Finding{Outcome: "A1.1", Seen: bad}))
	keep(w.PutAction(ctx, w.Lead, id, "", 0, assess.Action{Outcome: "A1.1", Text: bad, Owner: "x"}))
	keep(w.PutSection(ctx, w.Lead, id, 0, workspace.Section{ID: "a", Title: bad, Contact: bad}))
	keep(w.Decide(ctx, w.Lead, id, assess.Decision{Step: "x", Reason: bad, By: bad}))
	all = append(all, w.SetChain(ctx, w.Lead, id, []assess.Step{{ID: "a", Name: bad}}), w.PutOpinion(ctx, w.Lead, id, workspace.Opinion{Text: bad, By: bad}))
	for i, err := range all {
		if err == nil {
			t.Errorf("%d: not refused", i)
		} else if strings.Contains(err.Error(), secret) || strings.Contains(errs.Describe(err).Message, secret) {
			t.Errorf("%d: %v holds what was written", i, err)
		} else if errs.KindOf(err) == errs.Internal {
			t.Errorf("%d: %v is of no kind", i, err)
		}
	}
}
