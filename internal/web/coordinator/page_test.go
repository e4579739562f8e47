package coordinator_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"muster/internal/account"
	"muster/internal/coalition"
	"muster/internal/cycle"
	"muster/internal/cycle/cycletest"
)

// folk returns the people of a world.
func folk(t testing.TB, w *cycletest.World) *account.Service {
	t.Helper()
	people, err := account.New(account.Config{Store: w.DB.Accounts(), Now: w.Clock.Now, Rand: rand.Reader, Roles: cycle.AccountRoles(), Command: "muster coordinator"})
	must(t, err)
	return people
}

func has(t testing.TB, what, body string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(body, word) {
			t.Errorf("%s does not say %q", what, word)
		}
	}
}

// The overview says in one screen what is the reader's to do now.
func TestOverview(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	has(t, "an empty one", s.as(t, s.Ada).get(t, "/en/", http.StatusOK), "Nothing is yours to do now", "No cycle is under way")
	id := s.To(t, coalition.Open)
	_, err := s.Ask(t.Context(), s.Ola, id, "Which ports?")
	must(t, err)
	has(t, "the staff's", s.as(t, s.Ada).get(t, "/en/", http.StatusOK), "2 things are yours to do now", "A question about 2027 waits", "14 of 14 have not delivered", "Until 19 October 2026", `href="/en/cycle/2027/questions"`, "SYNTHETIC")
	has(t, "an officer's", s.as(t, s.Ola).get(t, "/fr/", http.StatusOK), "Une chose est à faire par vous maintenant", "Ostmere répond, valide et remet", "responsable d’un membre (ostmere)", "Vous parlez pour Ostmere", "Pas commencé")
	has(t, "an auditor's", s.as(t, s.Audit).get(t, "/en/", http.StatusOK), "Nothing is yours to do now", "Cycle", "14")
	s.Clock.Set(s.Clock.Now().AddDate(0, 2, 0))
	has(t, "a host's", s.as(t, s.Lea).get(t, "/en/", http.StatusOK), "Ostmere compares its list with the other host", "Was due on")
}

// A cycle is moved, postponed and cancelled on its page, and an obstacle is said.
func TestBoard(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.To(t, coalition.Open)
	ada, at := s.as(t, s.Ada), "/en/cycle/"+string(id)
	has(t, "the board", ada.get(t, at, http.StatusOK), "Not yet: Closing", "The deadline is 19 October 2026", `aria-current="step">Open`, "Who stands where", "Vinterhavn", "Takes no part this year", w64(s.Made.Signed.Digest()))
	if rec := ada.do(send(at+"/step", url.Values{"to": {"closing"}})); rec.Code != http.StatusConflict || !strings.Contains(rec.Body.String(), "0 of 14 have delivered or declined") {
		t.Errorf("closing at once: %d %s", rec.Code, rec.Body)
	}
	s.as(t, s.Vera).post(t, at+"/status", url.Values{"party": {"vinterhavn"}, "status": {"declined"}})
	ada.post(t, at+"/deadline", url.Values{"deadline": {"2026-11-01T12:00"}, "reason": {"a storm\r\nat sea"}})
	ada.post(t, at+"/step", url.Values{"to": {"postponed"}, "reason": {"a second storm"}})
	body := s.as(t, s.Vera).get(t, at, http.StatusOK)
	has(t, "an officer's board", body, "Deadline moved from", "a storm\nat sea", "a second storm", "Postponed", "2 more take part whose status is not yours to see", "Say where it stands")
	for _, never := range []string{"Ask for it", "Move the deadline", "Farhaven", `<option value="ostmere">`} {
		if strings.Contains(body, never) {
			t.Errorf("an officer is offered %q", never)
		}
	}
	ada.post(t, at+"/cancel", url.Values{"reason": {"war"}})
	has(t, "after it was asked", ada.get(t, at, http.StatusOK), "Waiting for others", "Waits for another of the staff", "Withdraw")
	bo := s.as(t, s.Bo)
	has(t, "the second's", bo.get(t, at, http.StatusOK), `action="/en/request/15/approve"`)
	if to := bo.post(t, "/en/request/15/approve", nil); to != at {
		t.Errorf("led to %s", to)
	}
	has(t, "the end", ada.get(t, at, http.StatusOK), "Cancelled", "war", "Ada Lindqvist, Bo Marsh")
}

func w64(digest string) string { return digest[:64] }

// A key is enrolled on the pages by two people, the second of whom is not shown the words.
func TestEnrolment(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	key := s.Made.Members["Ostmere"].Public()
	words := cycletest.Words(key)
	s.as(t, s.Ada).post(t, "/en/people/key", url.Values{"party": {"ostmere"}, "key": {" " + string(key) + "\r\n"}})
	bo := s.as(t, s.Bo)
	body := bo.get(t, "/en/people", http.StatusOK)
	has(t, "before", body, "Enrol a key of Ostmere", "The 16 words", "One waits for its second person")
	line, _, _ := strings.Cut(words, "\n")
	if strings.Contains(body, line) || strings.Contains(body, string(key)) {
		t.Error("the second person is shown what she is to compare")
	}
	if rec := bo.do(send("/en/request/1/approve", url.Values{"words": {"any old words"}})); rec.Code != http.StatusUnprocessableEntity {
		t.Errorf("other words: %d", rec.Code)
	}
	if to := bo.post(t, "/en/request/1/approve", url.Values{"words": {words}}); to != "/en/people#party-ostmere" {
		t.Errorf("led to %s", to)
	}
	has(t, "after", s.as(t, s.Ola).get(t, "/en/people", http.StatusOK), line, "Key 1, enrolled on")
}

// Both hosts approve exactly the file that the staff named.
func TestRelease(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.To(t, coalition.Review)
	at := "/en/cycle/" + string(id)
	digest := strings.Repeat("ab", 32)
	s.as(t, s.Ada).post(t, at+"/release", url.Values{"digest": {digest}})
	for i, engineer := range []cycle.Person{s.Lea, s.Hal} {
		page := s.as(t, engineer)
		has(t, "an engineer's overview", page.get(t, "/en/", http.StatusOK), "The release of 2027 waits for your host")
		has(t, "an engineer's board", page.get(t, at, http.StatusOK), digest, "Approve")
		page.post(t, "/en/request/15/approve", nil)
		if i == 0 {
			has(t, "between", s.as(t, s.Ada).get(t, at, http.StatusOK), "Approved by Lea Torrent", "Waits for an engineer of Brennholm")
		}
	}
	has(t, "after", s.as(t, s.Dan).get(t, at, http.StatusOK), "Released", digest)
}

func TestQuestions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.To(t, coalition.Open)
	at := "/en/cycle/" + string(id) + "/questions"
	s.as(t, s.Ola).post(t, at, url.Values{"text": {"Does <b>our</b> port count?"}})
	has(t, "her own", s.as(t, s.Ola).get(t, at, http.StatusOK), "Does &lt;b&gt;our&lt;/b&gt; port count?", "yours")
	ada := s.as(t, s.Ada)
	has(t, "the staff's", ada.get(t, at, http.StatusOK), "Answer to all")
	ada.post(t, at+"/1/answer", url.Values{"wording": {"Does one port count?"}, "answer": {"Yes,\nit does."}})
	body := s.as(t, s.Dan).get(t, at, http.StatusOK)
	has(t, "a guest's", body, "Does one port count?", "Yes,\nit does.", "Answered by Ada Lindqvist")
	if strings.Contains(body, "our") && strings.Contains(body, "&lt;b&gt;") {
		t.Error("a guest reads how it was asked")
	}
}

// The record is checked when somebody asks for it, and says who entered.
func TestRecordPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.To(t, coalition.Consultation)
	audit := s.as(t, s.Audit)
	if body := audit.get(t, "/en/record", http.StatusOK); strings.Contains(body, "The record is whole") {
		t.Error("it was read without being asked for")
	}
	n, last, err := s.CheckRecord(t.Context(), s.Audit)
	must(t, err)
	has(t, "whole", audit.get(t, "/en/record?check=1", http.StatusOK), "The record is whole: ", last, "Key enrolled")
	must(t, s.DB.InTx(context.Background(), "forge", func(tx cycle.Tx) error {
		return tx.AddLine(cycle.Line{Number: n + 1, At: s.Clock.Now(), By: "x", What: cycle.StatusSet, Digest: strings.Repeat("0", 64)})
	}))
	has(t, "forged", audit.get(t, "/en/record?check=1", http.StatusOK), "The record is not whole: line ")
	if body := s.as(t, s.Vera).get(t, "/en/record?check=1", http.StatusOK); strings.Contains(body, "Ostmere") || strings.Contains(body, "not whole") {
		t.Error("an officer reads of others")
	}
}

func TestCalendar(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.To(t, coalition.Open)
	rec := s.as(t, s.Dan).do(httptest.NewRequest(http.MethodGet, "/fr/calendar.ics", nil))
	if got := rec.Header().Get("Content-Type"); got != "text/calendar; charset=utf-8" {
		t.Errorf("type %s", got)
	}
	has(t, "the calendar", rec.Body.String(), "BEGIN:VCALENDAR", "DTSTART;VALUE=DATE:20261019", "SUMMARY:Sea of Lights", "échéance du cycle 2027", "END:VCALENDAR")
}

// What is broken says so in both languages, and nothing of it.
func TestFaults(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.To(t, coalition.Open)
	ada := s.as(t, s.Ada)
	for path, want := range map[string]int{"/en/cycle/2099": 404, "/de/": 404, "/en/request/1": 404, "/fr/cycle/%2e%2e": 404} {
		if rec := ada.do(httptest.NewRequest(http.MethodGet, path, nil)); rec.Code != want && rec.Code != http.StatusTemporaryRedirect {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
	for name, form := range map[string]url.Values{"no day": {"deadline": {"tomorrow"}, "reason": {"x"}}, "no reason": {"deadline": {"2026-11-01T12:00"}}} {
		if rec := ada.do(send("/en/cycle/2027/deadline", form)); rec.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, rec.Code)
		}
	}
	if rec := ada.do(send("/en/cycle/2027/questions", url.Values{"text": {strings.Repeat("x", 70_000)}})); rec.Code != http.StatusUnprocessableEntity {
		t.Errorf("too large: %d", rec.Code)
	}
	rec := ada.do(httptest.NewRequest(http.MethodGet, "/en/", nil))
	if policy := rec.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(rec.Body.String(), "<script") {
		t.Errorf("policy %q", policy)
	}
}
