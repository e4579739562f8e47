package daphttp_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"muster/dap"
	"muster/internal/aggregate/aggregatetest"
	"muster/internal/coalition"
)

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// TestCanaries feeds marked bytes into every route, in every place where a
// sender can put something, and a whole cycle besides; then it looks for them in
// both hosts' logs and in every answer.
func TestCanaries(t *testing.T) {
	t.Parallel()
	const canary = "CANARYcanary7319"
	n := newNetwork(t, setup{members: 4})
	var answers bytes.Buffer
	keep := func(r response) {
		for name, values := range r.header {
			fmt.Fprintln(&answers, name, values)
		}
		answers.Write(r.body)
	}
	for _, r := range resources {
		for method := range r.methods {
			media := string(r.methods[method].media)
			for _, body := range []string{
				canary, `{"receipt":"` + canary + `","signature":"` + canary + `"}`,
				`{"` + canary + `":1}`,
				`{"receipt":"` + base64url([]byte(`{"`+canary+`":"x"}`)) + `","signature":"` + canary + `"}`,
				`{"roster":"` + base64url([]byte(canary)) + `","signature":"` + canary + `"}`,
				`{"amendment":"` + base64url([]byte(canary)) + `","signature":"` + canary + `"}`,
				strings.Repeat(canary, 10),
			} {
				for _, header := range []http.Header{
					{"Content-Type": {media}, "Authorization": {"Bearer " + canary}, "Cookie": {canary}, "User-Agent": {canary}, "X-Request-Id": {canary}},
					{"Content-Type": {"text/" + canary}},
					{"Content-Type": {media}, "Content-Encoding": {canary}},
				} {
					got, err := n.raw(exchange{method: method, url: n.url(r) + "?" + canary + "=" + canary, header: header, body: strings.NewReader(body), cert: n.cert(r.who)})
					must(t, err)
					keep(got)
				}
			}
			for _, u := range []string{n.url(r) + "/" + canary, strings.Replace(n.url(r), n.Task().ID.String(), canary, 1), strings.Replace(n.url(r), dap.AggregationJobID{1, 2, 3}.String(), canary, 1)} {
				got, err := n.raw(exchange{method: method, url: u, cert: n.cert(r.who)})
				must(t, err)
				keep(got)
			}
			got, err := n.raw(exchange{method: canary, url: n.url(r), cert: n.cert(r.who)})
			must(t, err)
			keep(got)
		}
	}
	// A whole cycle: nothing of a submission, of a receipt or of a key is logged.
	var sealed []aggregatetest.Submission
	for i := range 4 {
		sealed = append(sealed, n.Seal(aggregatetest.Member(i), 1, aggregatetest.Answers(i)))
		must(t, n.Deliver(sealed[i]))
	}
	_, _, err := n.Finish()
	must(t, err)
	log := n.log.String()
	if !strings.Contains(log, `"route":"POST /tasks/{task}/reports"`) || !strings.Contains(log, `"peer":"the coordinator"`) {
		t.Fatalf("nothing was logged: %s", log)
	}
	for where, text := range map[string]string{"log": log, "answers": answers.String()} {
		for form, found := range forms([]byte(canary)) {
			if strings.Contains(text, found) {
				i := strings.Index(text, found)
				t.Errorf("the canary is in the %s as %s: …%s…", where, form, text[max(0, i-200):min(len(text), i+100)])
			}
		}
	}
	secrets := map[string][]byte{"seed": n.Seed[:]}
	for i, s := range sealed {
		name := fmt.Sprintf("submission %d: ", i)
		secrets[name+"Leader's ciphertext"] = s.Report.LeaderEncryptedInputShare.Payload[:32]
		secrets[name+"Helper's ciphertext"] = s.Report.HelperEncryptedInputShare.Payload[:32]
		secrets[name+"public share"] = s.Report.PublicShare[:32]
		secrets[name+"report id"] = s.Report.ReportMetadata.ReportID[:]
		secrets[name+"receipt"] = s.Receipt.Body
		secrets[name+"receipt's signature"] = s.Receipt.Signature
		secrets[name+"member"] = []byte(s.Member)
	}
	for name, secret := range secrets {
		for form, found := range forms(secret) {
			if strings.Contains(log, found) {
				t.Errorf("%s is in the log as %s", name, form)
			}
		}
	}
}

// forms are the ways in which bytes could be written into a log.
func forms(b []byte) map[string]string {
	quoted, _ := json.Marshal(string(b))
	return map[string]string{
		"text": string(b), "quoted": strings.Trim(string(quoted), `"`), "hex": hex.EncodeToString(b),
		"base64": base64.RawStdEncoding.EncodeToString(b)[:len(b)], "base64url": base64url(b)[:len(b)], "numbers": strings.Trim(fmt.Sprint(b), "[]"),
	}
}

// TestLogLines: one line for each request, with what an operator needs.
func TestLogLines(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	must(t, n.Deliver(n.Seal("m000", 1, aggregatetest.Answers(0))))
	if err := n.member.PutReceipt(t.Context(), coalition.SignedReceipt{Body: []byte(`{"task_id":"` + n.Task().ID.String() + `"}`)}); err == nil {
		t.Error("accepted")
	}
	type line struct {
		Level, Msg, Request, Method, Route, Task, Problem, Kind string
		Status, BytesIn, BytesOut                               int
		Duration                                                int64
	}
	var lines []line
	for text := range strings.Lines(n.log.String()) {
		var raw map[string]any
		must(t, json.Unmarshal([]byte(text), &raw))
		if raw["msg"] != "request" {
			continue
		}
		l := line{Level: raw["level"].(string), Request: raw["request"].(string), Method: raw["method"].(string), Route: raw["route"].(string)}
		l.Task, _ = raw["task"].(string)
		l.Problem, _ = raw["problem"].(string)
		l.Status, l.BytesIn, l.Duration = int(raw["status"].(float64)), int(raw["bytes_in"].(float64)), int64(raw["duration"].(float64))
		if len(l.Request) != 16 || l.Method != "POST" || l.Task != n.Task().ID.String() || l.BytesIn == 0 || l.Duration <= 0 || l.Level != "INFO" {
			t.Errorf("a line reads %s", text)
		}
		lines = append(lines, l)
	}
	if len(lines) != 4 || lines[3].Status != 400 || lines[3].Problem != "about:blank" {
		t.Errorf("%d lines: %+v", len(lines), lines)
	}
}
