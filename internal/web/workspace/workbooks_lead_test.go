package workspace_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"muster/internal/framework"
	page "muster/internal/web/workspace"
	"muster/internal/workspace"
)

// Who is no lead gives out and takes back nothing; a file waits for who looked at it,
// for half an hour.
func TestWorkbooksAreTheLeads(t *testing.T) {
	t.Parallel()
	s := shared(t)
	file, passwords := s.giveOut(t, nil, "port")
	back := typed(t, file, passwords[0], map[string]map[string]any{"A1.2": {"level": 3}})
	fields := map[string]string{"body": "port", "password": passwords[0]}
	before := revisions(t, s)
	for letter, person := range people() {
		if letter == 'l' {
			continue
		}
		as := s.as(t, person)
		for _, r := range []*http.Request{
			post(books+"/give", url.Values{"body": {"port"}}), post(books+"/file", url.Values{"body": {"port"}, "password": passwords}),
			sendFile(t, books+"/read", fields, back), post(books+"/take", url.Values{"id": {"x"}}),
		} {
			path := r.URL.Path
			if rec := as.do(r); rec.Code != http.StatusForbidden {
				t.Errorf("%s at %s: %d", person.Name, path, rec.Code)
			}
		}
		if letter != 'c' {
			if body := as.get(t, books, http.StatusOK); strings.Contains(body, "<form") || !strings.Contains(body, "is out") {
				t.Errorf("%s sees\n%s", person.Name, body)
			}
		}
	}
	now, who := today(), s.Lead
	pages, err := page.New(page.Config{Service: s.Service, Person: func(*http.Request) workspace.Person { return who }, Now: func() time.Time { return now }, Rand: &counting{}})
	if err != nil {
		t.Fatal(err)
	}
	s.handler = pages.Handler()
	_, id := s.look(t, fields, back)
	who = workspace.Lead("Ebba Ros")
	if rec := s.do(post(books+"/take", url.Values{"id": {id}})); rec.Code != http.StatusNotFound {
		t.Errorf("another lead: %d", rec.Code)
	}
	who, now = s.Lead, now.Add(31*time.Minute)
	if rec := s.do(post(books+"/take", url.Values{"id": {id}})); rec.Code != http.StatusNotFound {
		t.Errorf("half an hour later: %d", rec.Code)
	}
	_, first := s.look(t, fields, back)
	_, second := s.look(t, fields, back)
	if rec := s.do(post(books+"/take", url.Values{"id": {first}})); rec.Code != http.StatusNotFound {
		t.Errorf("the one before: %d", rec.Code)
	}
	if after := revisions(t, s); after != before {
		t.Error("something was saved")
	}
	if rec := s.do(post(books+"/take", url.Values{"id": {second}})); rec.Code != http.StatusOK || s.level(t, "A1.2", "port") != framework.Level3 {
		t.Errorf("the last: %d", rec.Code)
	}
	if err := s.Close(t.Context(), s.Lead, s.survey); err != nil {
		t.Fatal(err)
	}
	if body := s.get(t, books, http.StatusOK); strings.Contains(body, "<form") || !strings.Contains(body, "The survey is closed") {
		t.Errorf("a closed survey still gives out\n%s", body)
	}
	if rec := s.do(post(books+"/give", url.Values{"body": {"port"}})); rec.Code != http.StatusConflict {
		t.Errorf("a closed survey: %d", rec.Code)
	}
}

// The workbooks of an invented member are marked, in their names and inside.
func TestWorkbookIsMarked(t *testing.T) {
	t.Parallel()
	s := shared(t)
	if err := s.Mark(t.Context(), s.Lead, "SYNTHETIC"); err != nil {
		t.Fatal(err)
	}
	file, passwords := s.giveOut(t, url.Values{"form": {"1"}}, "port")
	f, err := excelize.OpenReader(bytes.NewReader(file), excelize.Options{Password: passwords[0]})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, sheet := range f.GetSheetList() {
		if sheet == "_muster" {
			continue
		}
		rows, err := f.GetRows(sheet)
		if err != nil || !strings.Contains(fmt.Sprint(rows[:1]), "SYNTHETIC") {
			t.Errorf("%s is not marked: %v %v", sheet, rows[:1], err)
		}
	}
	says(t, "the page of passwords", s.do(post(books+"/give", url.Values{"body": {"port"}})).Body.String(), "SYNTHETIC", "muster-2031-invented-port-synthetic.xlsx")
	if _, id := s.look(t, map[string]string{"body": "port", "password": passwords[0]}, file); id == "" {
		t.Error("a marked workbook does not come back")
	}
}
