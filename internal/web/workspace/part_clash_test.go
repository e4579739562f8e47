package workspace_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"muster/internal/assess"
	"muster/internal/framework"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

var hiddenInput = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// hiddenIn returns what the form that begins with a mark sends by itself.
func hiddenIn(t testing.TB, page, mark string) url.Values {
	t.Helper()
	_, form, found := strings.Cut(page, mark)
	form, _, ended := strings.Cut(form, "</form>")
	if !found || !ended {
		t.Fatalf("the page has no form %q", mark)
	}
	values := url.Values{}
	for _, m := range hiddenInput.FindAllStringSubmatch(form, -1) {
		values.Add(m[1], m[2])
	}
	return values
}

// Who decides whose note counts, and who writes another note, has not confirmed the level
// that was carried over.
func TestClashConfirmsNothing(t *testing.T) {
	t.Parallel()
	s := shared(t)
	ctx := t.Context()
	for _, outcome := range []string{"A1.2", "A1.3", "A1.4"} {
		if _, err := s.Contribute(ctx, s.Lead, s.survey, outcome, 0, assess.Contribution{Body: "port", Level: framework.Level1, Note: "counted"}); err != nil {
			t.Fatal(err)
		}
	}
	second, err := s.Service.Load(ctx, s.Lead, workspace.LoadConfig{Pack: s.pack, Cycle: "2032", Before: s.survey})
	if err != nil {
		t.Fatal(err)
	}
	const base = "/en/survey/2032/invented/"
	cara, lead := s.as(t, people()['c']), s.as(t, s.Lead)
	kept := func(outcome string) workspace.SavedContribution {
		t.Helper()
		all, err := s.Contributions(ctx, s.Lead, second.ID, outcome)
		if err != nil || len(all) != 1 {
			t.Fatalf("%+v %v", all, err)
		}
		return all[0]
	}
	for _, row := range []struct {
		who     *site
		outcome string
		path    string
	}{
		{cara, "A1.2", "part/outcome/A1.2/port"},
		{lead, "A1.3", "outcome/A1.3/contribution"},
	} {
		form := url.Values{"rev": {itoa(int64(kept(row.outcome).Rev))}, "body": {"port"}, "level": {"1"}, "carried": {"1"}, "note": {"theirs"}}
		row.who.send(t, base+row.path, form)
		form.Set("note", "mine")
		rec := row.who.do(post(base+row.path, form))
		if rec.Code != http.StatusConflict {
			t.Fatalf("%s: %d", row.path, rec.Code)
		}
		again := hiddenIn(t, rec.Body.String(), `<form class="conflict"`)
		again.Set("take-0", "mine")
		row.who.send(t, base+row.path, again)
		if c := kept(row.outcome); c.Note != "mine" || c.Level != framework.Level1 || !c.Carried {
			t.Errorf("%s: after the clash %+v is kept", row.path, c.Contribution)
		}
	}

	// The form of the lead.
	at := base + "bodies?area=A1&edit=A1.4&body=port"
	form := hiddenIn(t, lead.get(t, at, http.StatusOK), `<form method="post" action="`+base+`outcome/A1.4/contribution"`)
	form.Set("level", "1")
	form.Set("note", "another")
	lead.send(t, base+"outcome/A1.4/contribution", form)
	if c := kept("A1.4"); c.Note != "another" || !c.Carried {
		t.Errorf("after a note of the lead %+v is kept", c.Contribution)
	}
	page := lead.get(t, at, http.StatusOK)
	form = hiddenIn(t, page, `<form method="post" action="`+base+`outcome/A1.4/contribution"`)
	if !strings.Contains(page, `name="confirm" value="1"`) {
		t.Error("the lead cannot confirm for a body")
	}
	form.Set("level", "1")
	form.Set("note", "another")
	form.Set("confirm", "1")
	lead.send(t, base+"outcome/A1.4/contribution", form)
	if c := kept("A1.4"); c.Carried {
		t.Error("the lead confirms, and nothing is confirmed")
	}
	if page := lead.get(t, at, http.StatusOK); strings.Contains(page, `name="confirm"`) {
		t.Error("what is confirmed is to be confirmed again")
	}
}

// A finding is about the level that the verifier was shown.
func TestFindingIsAboutWhatWasShown(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 6, "kept"))
	s.send(t, base+"outcome/A1.1", url.Values{"rev": {"0"}, "level": {"1"}})
	form := hiddenIn(t, s.get(t, base+"verification", http.StatusOK), `<form class="lines" method="post" action="`+base+`verification/finding"`)
	form.Set("seen", "the paper")
	form.Set("verified", "1")
	now, err := s.Entry(t.Context(), s.Lead, s.survey, "A1.1")
	if err != nil {
		t.Fatal(err)
	}
	s.send(t, base+"outcome/A1.1", url.Values{"rev": {itoa(int64(now.Rev))}, "level": {"3"}})
	rec := s.do(post(base+"verification/finding", form))
	if rec.Code == http.StatusSeeOther {
		t.Fatal("what was found of level 1 is kept of level 3")
	}
	refusedAs(t, rec, http.StatusConflict, "has another level by now")
	form.Del("claimed")
	refusedAs(t, s.do(post(base+"verification/finding", form)), http.StatusUnprocessableEntity, "does not say")
	form = hiddenIn(t, s.get(t, base+"verification", http.StatusOK), `<form class="lines" method="post" action="`+base+`verification/finding"`)
	form.Set("seen", "the paper")
	form.Set("verified", "1")
	s.send(t, base+"verification/finding", form)
}

func refusedAs(t testing.TB, rec *httptest.ResponseRecorder, code int, says string) {
	t.Helper()
	if rec.Code != code || !strings.Contains(rec.Body.String(), says) {
		t.Errorf("refused with %d, want %d and %q", rec.Code, code, says)
	}
}
