package workspace_test

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// fields are the parts of a body, for a property test.
func fields(b *assess.Body) []*string { return []*string{&b.Name, &b.Kind, &b.Scope} }

// Of two people who change the same body, whatever they change: a part that one of them
// changed has that one's value, a part that both changed to the same has it, and where
// they changed a part differently nothing is kept and each is shown what the other made
// of it. Nothing that was kept is lost.
func TestMergeProperty(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		word := rapid.SampledFrom([]string{"a", "b", "c"})
		draw := func(label string) assess.Body {
			return assess.Body{ID: fmt.Sprintf("body-%d", n%300), Name: word.Draw(rt, label+" name"), Kind: word.Draw(rt, label+" kind"), Scope: word.Draw(rt, label+" scope")}
		}
		base, theirs, mine := draw("base"), draw("theirs"), draw("mine")
		all, err := w.Bodies(t.Context(), w.Lead)
		must(t, err)
		rev := workspace.Revision(0)
		for _, b := range all {
			if b.ID == base.ID {
				rev = b.Rev
			}
		}
		began, err := w.PutBody(t.Context(), w.Lead, rev, base)
		must(t, err)
		_, err = w.PutBody(t.Context(), w.Lead, began.Rev, theirs)
		must(t, err)
		saved, err := w.PutBody(t.Context(), w.Lead, began.Rev, mine)

		var clashing int
		var want assess.Body
		want.ID = base.ID
		for i := range fields(&want) {
			b, th, m := *fields(&base)[i], *fields(&theirs)[i], *fields(&mine)[i]
			switch {
			case th == b:
				*fields(&want)[i] = m
			case m == b || m == th:
				*fields(&want)[i] = th
			default:
				clashing++
				*fields(&want)[i] = th
			}
		}
		if clashing == 0 {
			if err != nil || saved.Body != want {
				rt.Fatalf("%+v, %v, want %+v", saved.Body, err, want)
			}
			return
		}
		clash, ok := errors.AsType[*workspace.Clash[assess.Body]](err)
		if !ok || errs.KindOf(err) != errs.Conflict {
			rt.Fatalf("%v, want a clash", err)
		}
		if len(clash.Parts) != clashing || clash.Base != base || clash.Theirs != theirs || clash.Mine != mine || clash.Merged != want {
			rt.Fatalf("clash %+v, want %d parts and %+v", clash, clashing, want)
		}
	})
}

// What was removed, and a base that never was, are conflicts without a merge.
func TestMergeWithNothing(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	ctx := t.Context()
	first, err := w.PutBody(ctx, w.Lead, 0, assess.Body{ID: "a", Name: "A"})
	must(t, err)
	second, err := w.PutBody(ctx, w.Lead, first.Rev, assess.Body{ID: "a", Name: "B"})
	must(t, err)
	for _, base := range []workspace.Revision{0, 99_999, -1} {
		_, err := w.PutBody(ctx, w.Lead, base, assess.Body{ID: "a", Name: "B", Kind: "port"})
		refused(t, err, errs.Conflict)
		if _, ok := errors.AsType[*workspace.Clash[assess.Body]](err); ok {
			t.Errorf("base %d: a clash with what never was", base)
		}
	}
	must(t, w.RemoveBody(ctx, w.Lead, second.Rev, "a"))
	_, err = w.PutBody(ctx, w.Lead, second.Rev, assess.Body{ID: "a", Name: "C"})
	refused(t, err, errs.Conflict)
}

func TestNeeds(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	ctx := t.Context()
	for _, id := range []string{"grid", "port"} {
		_, err := w.PutBody(ctx, w.Lead, 0, assess.Body{ID: id, Name: id})
		must(t, err)
	}
	gert := contributor("grid")
	needs := func(what ...string) assess.Needs {
		var n assess.Needs
		for _, w := range what {
			n.Rows = append(n.Rows, assess.Need{What: w})
		}
		return n
	}
	first, err := w.PutNeeds(ctx, gert, "grid", 0, needs("power", "water"))
	must(t, err)
	_, err = w.PutNeeds(ctx, gert, "port", 0, needs("power"))
	refused(t, err, errs.Denied)
	_, err = w.PutNeeds(ctx, gert, "", 0, needs("power"))
	refused(t, err, errs.Denied)
	_, err = w.PutNeeds(ctx, w.Lead, "nobody", 0, needs("power"))
	refused(t, err, errs.NotFound)
	_, err = w.PutNeeds(ctx, w.Lead, "", 0, assess.Needs{None: true})
	must(t, err)
	same, err := w.PutNeeds(ctx, gert, "grid", 0, needs("power", "water"))
	must(t, err)
	if same.Rev != first.Rev {
		t.Errorf("the same again is revision %d, want %d", same.Rev, first.Rev)
	}
	// Others change other rows, add some and take some out.
	_, err = w.PutNeeds(ctx, w.Lead, "grid", first.Rev, needs("power", "water", "clocks"))
	must(t, err)
	merged, err := w.PutNeeds(ctx, gert, "grid", first.Rev, needs("electricity", "water"))
	must(t, err)
	if got := merged.Needs.Rows; len(got) != 3 || got[0].What != "electricity" || got[2].What != "clocks" {
		t.Errorf("merged %+v", got)
	}
	_, err = w.PutNeeds(ctx, gert, "grid", first.Rev, needs("gas", "water"))
	refused(t, err, errs.Conflict)
	emptied, err := w.PutNeeds(ctx, gert, "grid", merged.Rev, assess.Needs{})
	must(t, err)
	if emptied.Needs.Said() {
		t.Errorf("emptied %+v", emptied.Needs)
	}
	own, err := w.Needs(ctx, gert)
	must(t, err)
	if _, ok := own[""]; ok || len(own) != 1 {
		t.Errorf("a contributor sees %+v", own)
	}
	history, err := w.NeedsHistory(ctx, gert, "grid")
	must(t, err)
	if len(history) != 4 {
		t.Errorf("%d revisions", len(history))
	}
	_, err = w.NeedsHistory(ctx, gert, "port")
	refused(t, err, errs.Denied)
	for name, bad := range map[string]assess.Needs{
		"no name":        {Rows: []assess.Need{{Supplier: "x"}}},
		"hours unknown":  {Rows: []assess.Need{{What: "x", Hours: 3}}},
		"below none":     {Rows: []assess.Need{{What: "x", Hours: -1, Known: true}}},
		"too long":       {Rows: []assess.Need{{What: "x", Hours: assess.MaxHours + 1, Known: true}}},
		"too many":       {Rows: make([]assess.Need, assess.MaxNeeds+1)},
		"unprintable":    {Rows: []assess.Need{{What: "x\x07"}}},
		"none, and rows": {None: true, Rows: []assess.Need{{What: "x"}}},
	} {
		if _, err := w.PutNeeds(ctx, w.Lead, "grid", emptied.Rev, bad); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
