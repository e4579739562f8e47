package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
)

// Link is a place to go to.
type Link struct {
	Text    string
	Lang    string // of Text where it is another than the page's
	Href    string
	Current bool   // the reader is there
	Title   string // says more than Text where that is short
}

// Switch is a choice between versions of the same page.
type Switch struct {
	Label string
	Links []Link
}

// Page is what the layout draws around a page's own part. A page's view embeds it.
type Page struct {
	*Printer
	Assets   *Assets
	Title    string          // of the window; the marking and the brand are added
	Brand    string          // whose page it is
	Home     string          // where the brand leads
	Marking  string          // "SYNTHETIC", "REHEARSAL" or what the charter says; empty for none
	Meaning  string          // of the marking, in a sentence
	Notices  []template.HTML // what every reader has to know first; may be empty
	Nav      []Link          // the pages
	Switches []Switch        // languages, cycles and so on
	Source   string          // the line at the foot of the page
	Script   string          // path of the page's script; empty for none
}

// WindowTitle returns the title with what the reader of a list of windows needs.
func (p Page) WindowTitle() string {
	title := p.Title
	if p.Brand != "" && p.Brand != p.Title {
		title += " · " + p.Brand
	}
	if p.Marking != "" {
		title = p.Marking + " · " + title
	}
	return title
}

// MarkingClass returns the class that puts the marking on every printed page, by
// the markings that the stylesheet knows; the others stand in the page alone.
func (p Page) MarkingClass() string {
	switch p.Marking {
	case "SYNTHETIC":
		return "synthetic"
	case "REHEARSAL":
		return "rehearsal"
	case "PRIVATE", "PRIVATE · SYNTHETIC", "PRIVATE · REHEARSAL":
		return "private"
	}
	return ""
}

// Defs returns what the page's pictures refer to.
func (p Page) Defs() template.HTML { return Defs() }

// Render writes a page. A fault while drawing becomes an answer of 500 that says
// nothing of its cause; the cause is returned for the log.
func Render(w http.ResponseWriter, status int, t *template.Template, view any) error {
	var b bytes.Buffer
	if err := Draw(&b, t, view); err != nil {
		plain(w, http.StatusInternalServerError, "this page cannot be drawn")
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // an error means that the other side has gone
	return nil
}

// Draw writes a page to b.
func Draw(b *bytes.Buffer, t *template.Template, view any) error {
	if t == nil {
		return fmt.Errorf("there is no such template")
	}
	return t.ExecuteTemplate(b, "layout", view)
}
