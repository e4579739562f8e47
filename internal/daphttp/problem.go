package daphttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"

	"muster/dap"
	"muster/internal/errs"
)

// retryLater is what a host tells those whom it puts off.
const retryLater = 2 * time.Second

// statusOf and kindOf are each other's inverse over the kinds of refusal.
func statusOf(kind errs.Kind) int {
	switch kind {
	case errs.NotFound:
		return http.StatusNotFound
	case errs.Conflict:
		return http.StatusConflict
	case errs.Invalid:
		return http.StatusBadRequest
	case errs.Denied:
		return http.StatusForbidden
	case errs.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// kindOf returns the kind of a status; one that we do not send is taken as the
// most general of its class (DAP-18 3.3).
func kindOf(status int) errs.Kind {
	switch status {
	case http.StatusNotFound:
		return errs.NotFound
	case http.StatusConflict:
		return errs.Conflict
	case http.StatusUnauthorized, http.StatusForbidden:
		return errs.Denied
	case http.StatusTooManyRequests, http.StatusRequestTimeout:
		return errs.Unavailable
	}
	if status/100 == 4 {
		return errs.Invalid
	}
	return errs.Unavailable
}

// refusal is an error of this package's own, with a status that no kind has.
type refusal struct {
	status int
	detail string
	retry  time.Duration // Retry-After, or zero
	allow  string        // the methods that a 405 names
}

func (r *refusal) Error() string { return fmt.Sprintf("%d: %s", r.status, r.detail) }

// document is a problem as it is sent: RFC 9457, with the member "hint" added.
type document struct {
	problem dap.Problem
	hint    string
	retry   time.Duration
	allow   string
}

// documentOf is the one place where errors become answers. An internal error
// shows the id of its request, by which the log is found, and nothing else.
func documentOf(err error, request string, task *dap.TaskID) document {
	var d document
	known, isProblem := errors.AsType[*dap.Problem](err)
	own, isOwn := errors.AsType[*refusal](err)
	switch described := errs.Describe(err); {
	case isOwn:
		d.problem = dap.Problem{Type: dap.ProblemBlank, Title: http.StatusText(own.status), Status: own.status, Detail: own.detail}
		d.retry, d.allow = own.retry, own.allow
	case isProblem && described.Kind == errs.Internal:
		d.problem = *known
		if d.problem.Status < 400 || d.problem.Status > 599 {
			d.problem.Status = http.StatusBadRequest
		}
	case isProblem:
		d.problem, d.hint = *known, described.Hint
		d.problem.Status, d.problem.Detail = statusOf(described.Kind), described.Message
	default:
		status := statusOf(described.Kind)
		d.problem = dap.Problem{Type: dap.ProblemBlank, Title: http.StatusText(status), Status: status, Detail: described.Message}
		d.hint = described.Hint
		if described.Kind == errs.Internal {
			d.hint = "" // it speaks of a log that the sender cannot read
		}
		if described.Kind == errs.Unavailable {
			d.retry = retryLater
		}
	}
	d.problem.Instance = request
	if d.problem.TaskID == nil {
		d.problem.TaskID = task
	}
	return d
}

// encode returns the JSON of the document.
func (d document) encode() ([]byte, error) {
	b, err := json.Marshal(d.problem)
	if err != nil || d.hint == "" {
		return b, err
	}
	hint, err := json.Marshal(d.hint)
	if err != nil {
		return nil, err
	}
	// A problem always has members, a type and a status at least.
	return append(append(append(b[:len(b)-1], `,"hint":`...), hint...), '}'), nil
}

// The limits of what is shown of a peer's words.
const (
	maxDetail = 2000 // characters; a roster's differences name members
	maxHint   = 500
)

// refused turns a refusal that came over the network back into the error that
// the host had: the same kind, the same words, the problem as its cause. host
// names who answered.
func refused(host string, status int, body []byte) error {
	p, err := dap.ParseProblem(body)
	if err != nil {
		p = &dap.Problem{Type: dap.ProblemBlank}
	}
	var extra struct {
		Hint string `json:"hint"`
	}
	if json.Unmarshal(body, &extra) != nil {
		extra.Hint = ""
	}
	e := &errs.Error{Kind: kindOf(status), Message: clean(p.Detail, maxDetail), Hint: clean(extra.Hint, maxHint)}
	if p.Type.Title() != "" {
		e.Cause = &dap.Problem{
			Type: p.Type, Title: p.Type.Title(), Status: status, Detail: e.Message, TaskID: p.TaskID, UnsupportedExtensions: p.UnsupportedExtensions,
		}
	}
	switch {
	case status/100 == 3:
		return errs.New(errs.Invalid, host+" answered with a redirect, and none is followed", "the charter has the host's address")
	case status == http.StatusInternalServerError:
		e.Message, e.Hint = host+" had an internal error", ""
		if id := clean(p.Instance, 64); id != "" {
			e.Hint = "the log there has its cause under " + errs.Quote(id)
		}
	case e.Message == "" && p.Type.Title() != "":
		e.Message = p.Type.Title()
	case e.Message == "":
		e.Message = fmt.Sprintf("%s answered %d %s", host, status, http.StatusText(status))
	}
	return e
}

// clean returns text that a peer sent as it may be shown: one line, graphic
// characters, at most limit of them.
func clean(s string, limit int) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		if n++; n > limit {
			b.WriteRune('…')
			break
		}
		if !unicode.IsGraphic(r) {
			r = '\uFFFD'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// unavailable replaces what broke because the time for a request was over.
func unavailable(ctx context.Context, err error) error {
	if ctx.Err() == nil || err == nil {
		return err
	}
	return errs.Wrap(err, errs.Unavailable, "this took too long", "the same request again goes on where this one stopped")
}
