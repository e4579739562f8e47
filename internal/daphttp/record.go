package daphttp

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"muster/dap"
	"muster/internal/errs"
)

// A recorder is a response with what is logged of it. Nothing of it comes from
// the sender but the method and the id of a task that is known here: no body,
// no header, no query, no address.
type recorder struct {
	http.ResponseWriter
	id     string
	method string
	route  string // the pattern, not the path
	task   *dap.TaskID
	peer   string // whom the certificate shows, where one is needed
	in     int    // bytes of the body that was read
	out    int
	status int // zero until the answer begins

	limited bool // see [Observation]

	problem dap.ProblemType
	kind    string // of a refusal
	cause   error  // of what is not the sender's doing alone
}

// send writes the whole answer.
func (r *recorder) send(status int, body []byte) {
	h := r.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Request-Id", r.id)
	if status != http.StatusNoContent {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	r.status = status
	r.WriteHeader(status)
	if r.method != http.MethodHead && len(body) > 0 {
		// An error here means that the other side has gone; it will ask again.
		r.out, _ = r.Write(body)
	}
}

// fault notes why a request was refused. The words of a refusal may quote what
// was sent, so only its kind is kept; the cause of an internal error holds no
// bytes of a message.
func (r *recorder) fault(err error, p dap.Problem) {
	r.problem = p.Type
	if p.Status >= http.StatusInternalServerError {
		r.cause = err
	}
	if kind := errs.KindOf(err); kind != errs.Internal {
		r.kind = kind.String()
	}
}

// log writes the one line of a request.
func (r *recorder) log(ctx context.Context, l *slog.Logger, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("request", r.id), slog.String("method", knownMethod(r.method)), slog.String("route", r.route),
		slog.Int("status", r.status), slog.Duration("duration", took), slog.Int("bytes_in", r.in), slog.Int("bytes_out", r.out),
	}
	if r.task != nil {
		attrs = append(attrs, slog.String("task", r.task.String()))
	}
	if r.peer != "" {
		attrs = append(attrs, slog.String("peer", r.peer))
	}
	if r.problem != "" {
		attrs = append(attrs, slog.String("problem", string(r.problem)))
	}
	if r.kind != "" {
		attrs = append(attrs, slog.String("kind", r.kind))
	}
	level := slog.LevelInfo
	switch {
	case r.status == http.StatusInternalServerError:
		level = slog.LevelError
	case r.status > http.StatusInternalServerError:
		level = slog.LevelWarn
	}
	if r.cause != nil {
		attrs = append(attrs, slog.Any("cause", r.cause))
	}
	l.LogAttrs(ctx, level, "request", attrs...)
}

// knownMethod keeps a sender from writing into the log by its method.
func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return m
	}
	return "other"
}
