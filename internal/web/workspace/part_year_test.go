package workspace_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"muster/internal/assess"
	"muster/internal/framework"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// In a second year a body is shown what it gave, and one press confirms it; the lead is
// told how many have not, and not that they count as 0.
func TestContributorsSecondYear(t *testing.T) {
	t.Parallel()
	s := shared(t)
	ctx := t.Context()
	if _, err := s.Contribute(ctx, s.Lead, s.survey, "A1.2", 0, assess.Contribution{Body: "grid", Level: framework.Level1}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Contribute(ctx, s.Lead, s.survey, "A1.2", 0, assess.Contribution{Body: "port", Level: framework.Level1}); err != nil {
		t.Fatal(err)
	}
	second, err := s.Service.Load(ctx, s.Lead, workspace.LoadConfig{Pack: s.pack, Cycle: "2032", Before: s.survey})
	if err != nil {
		t.Fatal(err)
	}
	const base = "/en/survey/2032/invented/"
	cara, lead := s.as(t, people()['c']), s.as(t, s.Lead)
	has := func(page string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("the page does not have %q", want)
			}
		}
	}
	has(cara.get(t, base+"part", http.StatusOK), "to confirm")
	has(cara.get(t, base+"part/area/A1", http.StatusOK), "Last year", "Looks unchanged since last year", base+"part/outcome/A1.2/port/confirm", `class="question carried" id="o-A1.2-port"`)
	has(lead.get(t, base+"area/A1", http.StatusOK), "2 of 2 bodies have not confirmed last year&#39;s answer yet", "from last year, not confirmed")
	has(lead.get(t, base+"bodies?area=A1", http.StatusOK), "2 of 2 bodies have not confirmed", "1, from last year")
	if at := cara.send(t, base+"part/outcome/A1.2/port/confirm", url.Values{}); at != base+"part/area/A1#o-A1.3-port" {
		t.Errorf("led to %s", at)
	}
	all, err := s.Contributions(ctx, s.Lead, second.ID, "A1.2")
	if err != nil || len(all) != 2 || !all[0].Carried || all[1].Carried || all[1].Level != framework.Level1 || all[1].By != "Cara Contributor" {
		t.Errorf("kept %+v: %v", all, err)
	}
	if page := cara.get(t, base+"part/area/A1", http.StatusOK); strings.Count(page, "Looks unchanged") != 1 { // A1.1 is left
		t.Error("what is confirmed is still to be confirmed")
	}
	has(lead.get(t, base+"area/A1", http.StatusOK), "1 of 2 bodies has not confirmed")
	has(strings.ReplaceAll(lead.get(t, "/fr/survey/2032/invented/area/A1", http.StatusOK), "\u00a0", " "), "1 organisme sur 2")

	// Who decides without a body says why, and Completeness and the decision sheet name it.
	kept, err := s.Entry(ctx, s.Lead, second.ID, "A1.2")
	if err != nil {
		t.Fatal(err)
	}
	lead.send(t, base+"outcome/A1.2", url.Values{"rev": {itoa(int64(kept.Rev))}, "level": {"1"}})
	has(lead.get(t, base+"check", http.StatusOK), "1 answer does not wait for all bodies, without a reason", "not confirmed by The grid")
	has(strings.ReplaceAll(lead.get(t, "/fr/survey/2032/invented/check", http.StatusOK), "\u00a0", " "), "non confirmé par The grid")
	has(lead.get(t, base+"signoff/sheet", http.StatusOK), "decided without: The grid")
	has(lead.get(t, base+"area/A1", http.StatusOK), `<p class="field reason shown"><label for="reason-A1.2">`)
	if kept, err = s.Entry(ctx, s.Lead, second.ID, "A1.2"); err != nil {
		t.Fatal(err)
	}
	said := url.Values{"rev": {itoa(int64(kept.Rev))}, "level": {"1"}, "reason": {"it is being sold"}}
	lead.send(t, base+"outcome/A1.2", said)
	if page := lead.get(t, base+"check", http.StatusOK); strings.Contains(page, "does not wait for all bodies") || !strings.Contains(page, "decided without The grid, with a reason") {
		t.Error("a reason that is stated does not do")
	}

	// The grid confirms and gives less: the same words hold when she says that they do.
	grid, err := s.ConfirmContribution(ctx, s.Lead, second.ID, "A1.2", "grid")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Contribute(ctx, s.Lead, second.ID, "A1.2", grid.Rev, assess.Contribution{Body: "grid", Level: framework.Level0}); err != nil {
		t.Fatal(err)
	}
	has(lead.get(t, base+"check", http.StatusOK), "1 reason was written about another proposal")
	has(lead.get(t, base+"area/A1", http.StatusOK), "The reason was written when the bodies gave something else.", `name="holds" value="0/0/2/2"`)
	if kept, err = s.Entry(ctx, s.Lead, second.ID, "A1.2"); err != nil {
		t.Fatal(err)
	}
	said.Set("rev", itoa(int64(kept.Rev)))
	said.Set("holds", "2/2/2/2") // that another page showed
	if rec := lead.do(post(base+"outcome/A1.2", said)); rec.Code != http.StatusConflict {
		t.Errorf("a reason holds of what is proposed no longer: %d", rec.Code)
	}
	said.Set("holds", "0/0/2/2")
	lead.send(t, base+"outcome/A1.2", said)
	if page := lead.get(t, base+"check", http.StatusOK); strings.Contains(page, "about another proposal") {
		t.Error("a reason that holds still blocks")
	}

	// The script sends the whole form: a note alone confirms nothing.
	if _, err := s.Contribute(ctx, s.Lead, s.survey, "A1.4", 0, assess.Contribution{Body: "port", Level: framework.Level1}); err != nil {
		t.Fatal(err)
	}
	third, err := s.Service.Load(ctx, s.Lead, workspace.LoadConfig{Pack: s.pack, Cycle: "2033", Before: s.survey})
	if err != nil {
		t.Fatal(err)
	}
	all, err = s.Contributions(ctx, s.Lead, third.ID, "A1.4")
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v %v", all, err)
	}
	form := url.Values{"rev": {itoa(int64(all[0].Rev))}, "level": {"1"}, "note": {"more"}, "carried": {"1"}}
	for _, row := range []struct{ carried, state string }{{"1", "carried"}, {"", "done"}} {
		form.Set("carried", row.carried)
		r := post("/en/survey/2033/invented/part/outcome/A1.4/port", form)
		r.Header.Set("Accept", "application/json")
		if rec := cara.do(r); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `"state":"`+row.state+`"`) {
			t.Errorf("carried %q: the script is told %d %s", row.carried, rec.Code, rec.Body)
		}
	}
}

// The filter, the list of what deserves a second look and the page of evidence agree
// about a 3 or 4 of which nothing says where its evidence lies.
func TestBareLevels(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 12, "kept"))
	ctx := t.Context()
	for outcome, level := range map[string]framework.Level{"A1.1": framework.Level3, "A1.2": framework.Level4, "A1.3": framework.Level2} {
		if _, _, err := s.Save(ctx, s.Lead, s.survey, outcome, 0, assess.Entry{Level: level, Evidence: framework.E3}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.AddReference(ctx, s.Lead, s.survey, assess.Reference{Outcome: "A1.2", Place: "https://example.org/list"}); err != nil {
		t.Fatal(err)
	}
	overview := s.get(t, base+"?show=unproven", http.StatusOK)
	if !strings.Contains(overview, "no piece is named") || !strings.Contains(overview, "#o-A1.1") || strings.Contains(overview, "#o-A1.2") || strings.Contains(overview, "#o-A1.3") {
		t.Error("the filter does not show what the page of evidence misses")
	}
	check := s.get(t, base+"check", http.StatusOK)
	if strings.Count(check, "nothing says where the evidence lies") != 1 {
		t.Error("the check does not name what the page of evidence misses")
	}
	if page := s.get(t, base+"evidence", http.StatusOK); strings.Count(page, "Nothing is named yet.") != 1 {
		t.Error("the page of evidence does not agree")
	}
	if page := s.get(t, base+"verification", http.StatusOK); strings.Count(page, "3 or 4, and nothing says where the evidence lies") != 1 {
		t.Error("the sample does not agree")
	}
}

// A body says where its evidence lies and why an outcome does not apply; the lead reads it
// beside the others, and who decides about a clash loses nothing of it.
func TestContributorsEvidence(t *testing.T) {
	t.Parallel()
	s := shared(t)
	cara, lead := s.as(t, people()['c']), s.as(t, s.Lead)
	form := url.Values{"rev": {"0"}, "level": {"3"}, "evidence": {"E2"}, "place": {"https://example.org/list"}, "note": {"counted"}}
	cara.send(t, base+"part/outcome/A1.2/port", form)
	cara.send(t, base+"part/outcome/A1.3/port", url.Values{"rev": {"0"}, "level": {"na"}, "reason": {"no such quay"}})
	cara.send(t, base+"part/outcome/A1.4/port", url.Values{"rev": {"0"}, "level": {"na"}})
	page := cara.get(t, base+"part/area/A1", http.StatusOK)
	for _, want := range []string{`value="https://example.org/list"`, `<option value="E2" selected>`, "no such quay", `class="question open" id="o-A1.4-port"`, `class="question done" id="o-A1.3-port"`} {
		if !strings.Contains(page, want) {
			t.Errorf("her page does not have %q", want)
		}
	}
	page = lead.get(t, base+"area/A1", http.StatusOK)
	for _, want := range []string{"evidence E2 · https://example.org/list", "no such quay", "not applicable without a reason"} {
		if !strings.Contains(page, want) {
			t.Errorf("the lead is not shown %q", want)
		}
	}
	all, err := s.Contributions(t.Context(), s.Lead, s.survey, "A1.2")
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v %v", all, err)
	}
	rev := itoa(int64(all[0].Rev))
	form.Set("rev", rev)
	form.Set("note", "counted twice")
	cara.send(t, base+"part/outcome/A1.2/port", form)
	form.Set("note", "counted by hand")
	rec := cara.do(post(base+"part/outcome/A1.2/port", form))
	for _, want := range []string{`name="place" value="https://example.org/list"`, `name="evidence" value="E2"`, `name="level" value="3"`, "counted twice", "counted by hand"} {
		if rec.Code != http.StatusConflict || !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%d, the clash does not have %q", rec.Code, want)
		}
	}
}
