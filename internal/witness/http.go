package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
)

// sizeMedia is the media type of the size that a witness has seen.
const sizeMedia = "text/x.tlog.size"

// Handler serves a witness as C2SP tlog-witness has it:
//
//	POST /add-checkpoint
func Handler(w *Witness, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Cache-Control", "no-store")
		rw.Header().Set("X-Content-Type-Options", "nosniff")
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, ledger.MaxCosignRequest))
		if err != nil {
			http.Error(rw, http.StatusText(http.StatusBadRequest), http.StatusBadRequest)
			return
		}
		line, err := w.Cosign(body)
		if err != nil {
			refuse(rw, r, log, err)
			return
		}
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		rw.Write(line) // an error means that the other side has gone
	})
	return mux
}

func refuse(rw http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	refusal, ok := errors.AsType[*ledger.RefusalError](err)
	if !ok {
		log.LogAttrs(r.Context(), slog.LevelError, "the witness could not answer", slog.Any("cause", err))
		http.Error(rw, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	level := slog.LevelInfo
	if refusal.Refusal == ledger.RefuseSplit || refusal.Refusal == ledger.RefuseInconsistent {
		level = slog.LevelWarn // the ledger signed it: this is worth a look
	}
	log.LogAttrs(r.Context(), level, "a checkpoint was not cosigned", slog.Any("cause", err))
	switch refusal.Refusal {
	case ledger.RefuseUnknown:
		http.Error(rw, http.StatusText(http.StatusNotFound), http.StatusNotFound)
	case ledger.RefuseUnsigned:
		http.Error(rw, http.StatusText(http.StatusForbidden), http.StatusForbidden)
	case ledger.RefuseStale, ledger.RefuseSplit:
		rw.Header().Set("Content-Type", sizeMedia)
		rw.WriteHeader(http.StatusConflict)
		fmt.Fprintf(rw, "%d\n", refusal.Size)
	case ledger.RefuseInconsistent:
		http.Error(rw, http.StatusText(http.StatusUnprocessableEntity), http.StatusUnprocessableEntity)
	default:
		http.Error(rw, http.StatusText(http.StatusBadRequest), http.StatusBadRequest)
	}
}

// Client is a witness as a ledger reaches it. What it answers is not trusted: the
// ledger's policy checks the cosignature.
type Client struct {
	Key  keys.Public
	URL  string // without a slash at its end
	HTTP *http.Client
}

// Ask asks for the cosignature of a checkpoint of a ledger, whose nodes prove that
// it follows from what the witness has seen. It returns the answer's lines.
func (c Client) Ask(ctx context.Context, note []byte, nodes ledger.Nodes) ([]byte, error) {
	// The witness says what it has seen, if that is more than nothing.
	request, old := ledger.CosignRequest{Checkpoint: note}, uint64(0)
	checkpoint, err := ledger.ReadCheckpoint(note)
	if err != nil {
		return nil, err
	}
	for range 3 { // another may ask at the same time
		status, media, body, err := c.post(ctx, request.Encode())
		if err != nil {
			return nil, err
		}
		switch {
		case status == http.StatusOK:
			return body, nil
		case status == http.StatusConflict && media == sizeMedia:
			size, err := strconv.ParseUint(strings.TrimSuffix(string(body), "\n"), 10, 63)
			if err != nil {
				return nil, c.refusal("gives no size that can be read", nil)
			}
			if size > checkpoint.Size {
				return nil, errs.New(errs.Conflict, fmt.Sprintf("the witness %s has seen %d entries, and the ledger has %d", errs.Quote(c.Key.Name()), size, checkpoint.Size), "the ledger was cut, or restored from an old backup: restore one that has all entries")
			}
			if size == old {
				return nil, errs.New(errs.Conflict, fmt.Sprintf("the witness %s has seen another ledger of %d entries", errs.Quote(c.Key.Name()), size), "the ledger was changed: restore it from a backup")
			}
			request.Old, old = size, size
			if request.Proof, err = ledger.ProveConsistency(nodes, size, checkpoint.Size); err != nil {
				return nil, err
			}
		case status == http.StatusNotFound:
			return nil, c.refusal("does not watch this ledger", nil)
		case status == http.StatusForbidden:
			return nil, c.refusal("knows another key of this ledger", nil)
		case status == http.StatusUnprocessableEntity:
			return nil, c.refusal("does not find that the ledger follows from what it has seen", nil)
		default:
			return nil, c.refusal(fmt.Sprintf("answers with status %d", status), nil)
		}
	}
	return nil, c.refusal("has seen something else each time", nil)
}

func (c Client) refusal(what string, cause error) error {
	return errs.Wrap(cause, errs.Unavailable, fmt.Sprintf("the witness %s %s", errs.Quote(c.Key.Name()), what), "ask those who run it")
}

func (c Client) post(ctx context.Context, body []byte) (status int, media string, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/add-checkpoint", bytes.NewReader(body))
	if err != nil {
		return 0, "", nil, err
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return 0, "", nil, c.refusal("cannot be reached", err)
	}
	defer resp.Body.Close() // it was read
	answer, err = io.ReadAll(io.LimitReader(resp.Body, ledger.MaxCheckpoint))
	if err != nil {
		return 0, "", nil, c.refusal("did not answer to the end", err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), answer, nil
}
