package workspace_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/errs"
	"muster/internal/release"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// A release is kept byte by byte, also of a survey that is closed, and compares as the
// file itself does.
func TestKeepRelease(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	ctx := t.Context()
	pack := workspacetest.Pack(t, 6, "there")
	id := w.Load(t, pack)
	_, _, err := w.Release(ctx, w.Lead, id)
	refused(t, err, errs.NotFound)
	must(t, w.Close(ctx, w.Lead, id))

	body := workspacetest.ReleaseFile(t, pack, workspacetest.Cycle)
	first, err := w.KeepRelease(ctx, w.Lead, id, body)
	must(t, err)
	again, err := w.KeepRelease(ctx, w.Lead, id, body)
	must(t, err)
	if diff := cmp.Diff(first, again); diff != "" || first.Rev == 0 {
		t.Errorf("the same again has kept something (-first +again):\n%s", diff)
	}
	r, revised, err := w.Release(ctx, workspace.Person{Name: "Rea", Roles: []workspace.Role{workspace.RoleReader}}, id)
	must(t, err)
	got, err := r.Canonical()
	must(t, err)
	if !bytes.Equal(got, body) || revised.Rev != first.Rev {
		t.Error("the release that is read is not the one that was kept")
	}
	if _, err := w.Compare(ctx, w.Lead, id, r); err != nil {
		t.Error(err)
	}

	for _, row := range []struct {
		name string
		who  workspace.Person
		id   workspace.SurveyID
		body []byte
		kind errs.Kind
	}{
		{"another cycle", w.Lead, id, workspacetest.ReleaseFile(t, pack, "2030"), errs.Conflict},
		{"another pack", w.Lead, id, workspacetest.ReleaseFile(t, workspacetest.Pack(t, 6, "elsewhere"), workspacetest.Cycle), errs.Conflict},
		{"no release", w.Lead, id, []byte(`{"kind":"secret-4711"}`), errs.Invalid},
		{"no JSON", w.Lead, id, []byte("secret-4711"), errs.Invalid},
		{"nothing", w.Lead, id, nil, errs.Invalid},
		{"too large", w.Lead, id, append(bytes.Clone(body), bytes.Repeat([]byte(" "), release.MaxSize)...), errs.Invalid},
		{"a changed number", w.Lead, id, bytes.Replace(body, []byte(`"submissions":30`), []byte(`"submissions":29`), 1), errs.Invalid},
		{"a line more", w.Lead, id, append(bytes.Clone(body), '\n'), errs.Invalid},
		{"no such survey", w.Lead, "2031/nothing", body, errs.NotFound},
		{"a contributor", contributor("port"), id, body, errs.Denied},
	} {
		_, err := w.KeepRelease(ctx, row.who, row.id, row.body)
		if errs.KindOf(err) != row.kind {
			t.Errorf("%s: %v, want %v", row.name, err, row.kind)
		}
		if d := errs.Describe(err); strings.Contains(d.Message+d.Hint, "secret-4711") {
			t.Errorf("%s: the refusal quotes the file: %s", row.name, d.Message)
		}
	}
	if _, now, err := w.Release(ctx, w.Lead, id); err != nil || now.Rev != first.Rev {
		t.Errorf("what was refused has changed what is kept: %v %v", now, err)
	}
	_, _, err = w.Release(ctx, contributor("port"), id)
	refused(t, err, errs.Denied)
}

// Another release takes the place of the first, and there is an end to that.
func TestReleaseIsReplaced(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	pack := workspacetest.Pack(t, 2, "there")
	id := w.Load(t, pack)
	r := workspacetest.Release(t, pack, workspacetest.Cycle)
	for i := range workspace.MaxReleases + 1 {
		r.Coalition = "Hithe" + strings.Repeat("e", i)
		body, err := r.Canonical()
		must(t, err)
		_, err = w.KeepRelease(t.Context(), w.Lead, id, body)
		if i == workspace.MaxReleases {
			refused(t, err, errs.Invalid)
			break
		}
		must(t, err)
		if now, _, err := w.Release(t.Context(), w.Lead, id); err != nil || now.Coalition != r.Coalition {
			t.Fatalf("kept %q, %v", r.Coalition, err)
		}
	}
}
