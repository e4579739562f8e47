package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// assetPath is where the assets of every surface lie.
const assetPath = "/asset/"

// Assets are the files that pages refer to, under names that hold a digest of
// their bytes: a browser may keep them for ever.
type Assets struct {
	served map[string]asset  // by name with digest
	Style  string            // path of the stylesheet
	Icon   string            // path of the icon
	Script string            // path of the one script of these pages; empty where there is none
	more   map[string]string // paths of further files, by their names without .gz
	inline template.CSS      // the stylesheet with the font in it
	base   string            // before assetPath
	digest string            // of inline, as a policy names it
}

type asset struct {
	body   []byte
	kind   string
	packed bool // body is compressed by gzip
}

// The stylesheet's parts, in order.
var styles = []string{"base.css", "layout.css", "chart.css", "print.css"}

const fontName = "public-sans.woff2"

// newAssets reads the kit's own files and, from more, what a surface adds to them:
// *.css at the end of the stylesheet, by name, at most one *.js, and scripts of others
// that it loads when they are needed, *.mjs.gz.
func newAssets(base string, more fs.FS) (*Assets, error) {
	fsys, err := fs.Sub(Files(archive), "asset")
	if err != nil {
		return nil, err
	}
	a := &Assets{served: make(map[string]asset), more: make(map[string]string), base: base}
	font, err := fs.ReadFile(fsys, "font/"+fontName)
	if err != nil {
		return nil, err
	}
	icon, err := fs.ReadFile(fsys, "icon.svg")
	if err != nil {
		return nil, err
	}
	var css bytes.Buffer
	css.WriteString(paletteCSS())
	for _, name := range styles {
		part, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		css.Write(part)
	}
	if more != nil {
		if err := a.addMore(more, &css); err != nil {
			return nil, err
		}
	}
	const place = "FONT-PUBLIC-SANS"
	if strings.Count(css.String(), place) != 1 {
		return nil, fmt.Errorf("the stylesheet names %s not exactly once", place)
	}
	withFont := func(url string) []byte { return bytes.ReplaceAll(css.Bytes(), []byte(place), []byte(url)) }
	a.Icon = a.add("icon.svg", "image/svg+xml", icon)
	a.Style = a.add("muster.css", "text/css; charset=utf-8", withFont(a.add(fontName, "font/woff2", font)))
	inline := withFont("data:font/woff2;base64," + base64.StdEncoding.EncodeToString(font))
	sum := sha256.Sum256(inline)
	a.inline, a.digest = template.CSS(inline), base64.StdEncoding.EncodeToString(sum[:])
	return a, nil
}

func (a *Assets) addMore(more fs.FS, css *bytes.Buffer) error {
	names, err := fs.Glob(more, "*")
	if err != nil {
		return err
	}
	for _, name := range names {
		body, err := fs.ReadFile(more, name)
		if err != nil {
			return err
		}
		switch path.Ext(name) {
		case ".css":
			css.Write(body)
		case ".js":
			if a.Script != "" {
				return fmt.Errorf("%s is a second script; a surface has one", name)
			}
			a.Script = a.add(name, "text/javascript; charset=utf-8", body)
		case ".gz":
			name := strings.TrimSuffix(name, ".gz")
			if path.Ext(name) != ".mjs" {
				return fmt.Errorf("%s.gz is no script", name)
			}
			a.more[name] = a.keep(name, asset{body, "text/javascript; charset=utf-8", true})
		}
	}
	return nil
}

// add keeps the asset and returns the path that it is served at.
func (a *Assets) add(name, kind string, body []byte) string {
	return a.keep(name, asset{body, kind, false})
}

func (a *Assets) keep(name string, kept asset) string {
	sum := sha256.Sum256(kept.body)
	ext := path.Ext(name)
	full := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:8]) + ext
	a.served[full] = kept
	return a.base + assetPath + full
}

// More returns the path of a script of somebody else's by its name, such as
// "cytoscape.esm.min.mjs", or nothing where these pages have none.
func (a *Assets) More(name string) string { return a.more[name] }

// Inline returns the stylesheet for a page that has to stand alone, with its font.
func (a *Assets) Inline() template.CSS { return a.inline }

// InlinePolicy returns the content security policy of a page that stands alone:
// its own stylesheet, the font in it, and nothing else.
func (a *Assets) InlinePolicy() string {
	return "default-src 'none'; style-src 'sha256-" + a.digest + "'; font-src data:; img-src data:; form-action 'none'; base-uri 'none'"
}

// Register serves the assets on mux, which sees paths without the base.
func (a *Assets) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET "+assetPath+"{name}", func(w http.ResponseWriter, r *http.Request) {
		asset, ok := a.served[r.PathValue("name")]
		if !ok {
			plain(w, http.StatusNotFound, "there is no such file")
			return
		}
		w.Header().Set("Content-Type", asset.kind)
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		if asset.packed {
			asset.write(w, r)
			return
		}
		_, _ = w.Write(asset.body) // an error means that the other side has gone
	})
}

// write sends what is compressed as it is to who takes it so, and unpacked to others.
func (a asset) write(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept-Encoding")
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.TrimSpace(name) == "gzip" && strings.ReplaceAll(weight, " ", "") != "q=0" {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(a.body) // an error means that the other side has gone
			return
		}
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(a.body))
	if err != nil { // the file is embedded and a test reads it
		panic(err)
	}
	_, _ = io.Copy(w, unpacked) // an error means that the other side has gone
}
