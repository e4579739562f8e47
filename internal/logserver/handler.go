package logserver

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"muster/internal/errs"
	"muster/internal/ledger"
)

// Handler serves a ledger's folder as C2SP tlog-tiles has it: the newest published
// checkpoint, and the tiles and entries up to it. It reads and never writes, so it
// may run beside the process that does.
//
//	GET /checkpoint
//	GET /tile/<L>/<N>[.p/<W>]
//	GET /tile/entries/<N>[.p/<W>]
func Handler(folder Folder, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	h := handler{folder, log}
	mux.HandleFunc("GET /checkpoint", h.checkpoint)
	mux.HandleFunc("GET /tile/", h.tile)
	return mux
}

type handler struct {
	folder Folder
	log    *slog.Logger
}

func (h handler) checkpoint(w http.ResponseWriter, r *http.Request) {
	note, err := h.folder.Published()
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	// It changes with the next entry; what it names never does.
	w.Header().Set("Cache-Control", "no-cache")
	h.answer(w, "text/plain; charset=utf-8", note)
}

func (h handler) tile(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	note, err := h.folder.Published()
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	c, err := ledger.ReadCheckpoint(note)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	limit := ledger.MaxTile
	if strings.HasPrefix(name, "tile/entries/") {
		limit = ledger.MaxEntries
	}
	// Only what a published checkpoint covers: nothing is shown before witnesses
	// have seen it.
	if !ledger.Within(name, c.Size) {
		h.refuse(w, r, errs.New(errs.NotFound, "there is no such resource", ""))
		return
	}
	body, err := h.folder.Source().Resource(r.Context(), name, limit)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	h.answer(w, "application/octet-stream", body)
}

func (h handler) answer(w http.ResponseWriter, media string, body []byte) {
	header := w.Header()
	header.Set("Content-Type", media)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Access-Control-Allow-Origin", "*") // everybody may read it, pages too
	w.Write(body)                                  // an error means that the other side has gone
}

func (h handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	if errs.KindOf(err) == errs.NotFound {
		status = http.StatusNotFound
	} else {
		h.log.LogAttrs(r.Context(), slog.LevelError, "a resource of the ledger cannot be served", slog.Any("cause", err))
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, http.StatusText(status), status)
}
