package coalition_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"muster/internal/web/coalition"
	"muster/internal/web/coalition/picturetest"
	"muster/packs"
)

// This file reads release.json and pages a second time, with nothing of the code
// that draws them: json into structs of its own, and HTML token by token.

type block struct {
	Bands []struct {
		Units []string `json:"units"`
		Count int      `json:"count"`
	} `json:"bands"`
}

type texts map[string]string

type releaseFile struct {
	Marking   string `json:"marking"`
	Coalition string `json:"coalition"`
	Cycle     string `json:"cycle"`
	Cohort    string `json:"cohort"`
	Framework struct {
		ID, Version, Digest string
		Title               texts
	} `json:"framework"`
	Participation struct{ Members, Submissions, Hosts, Declined int }
	Thresholds    struct {
		Batch   int `json:"minimum_batch"`
		Release int `json:"release_minimum"`
	}
	Rule struct {
		Band int `json:"minimum_band"`
	}
	Turnover *struct {
		Since        string
		Joined, Left int
	}
	Calendar struct {
		Deadline  int64
		Postponed []struct {
			Deadline int64
			Reason   string
		}
	}
	HostedBy []string `json:"hosted_by"`
	Status   struct{ Reasons []string }
	Reasons  map[string]texts
	Method   []struct{ Text texts }
	Scale    struct {
		HouseRule texts `json:"house_rule"`
		Levels    []texts
	}
	Charter string `json:"charter_digest"`
	Roster  string `json:"roster_digest"`
	Areas   []struct {
		ID             string
		Title          texts
		Lowest, Change block
		Outcomes       []outcome
	}
	NotShown []notShown `json:"not_shown"`
}

type notShown struct{ Block, Reason string }

type outcome struct {
	ID, Asked                              string
	Title, Question                        texts
	Level, Verified, Target, Gap, Evidence block
}

// shown reports whether a block has a boundary.
func (b block) shown() bool { return len(b.Bands) > 1 }

// sum counts the members in exactly these neighbouring units; false where a band
// holds one of them and something else.
func (b block) sum(units ...string) (int, bool) {
	n, seen := 0, 0
	if !b.shown() {
		return 0, false
	}
	for _, band := range b.Bands {
		inside := 0
		for _, u := range band.Units {
			if slices.Contains(units, u) {
				inside++
			}
		}
		if inside == 0 {
			continue
		}
		if inside != len(band.Units) {
			return 0, false
		}
		n, seen = n+band.Count, seen+inside
	}
	return n, seen == len(units)
}

// all returns every outcome in order.
func (r *releaseFile) all() []outcome {
	var all []outcome
	for _, a := range r.Areas {
		all = append(all, a.Outcomes...)
	}
	return all
}

// stack is a picture of bands as a page draws it.
type stack struct {
	title, desc string
	thin        bool // without any text in it
	parts       []part
}

type part struct {
	class   string
	count   string // with its sign; empty where there is no room
	label   string // below; empty where there is no room
	hatched bool
}

// table is a data table as a page draws it.
type table struct {
	caption string
	heads   []string
	rows    []row
}

type row struct {
	name  string
	cells []cell
}

type cell struct {
	text string
	span int
}

// page is what a reader finds on a page.
type page struct {
	stacks []stack
	bars   []string // titles
	tables []table
	text   string // everything else that is in sight
	hints  []string
}

// readPage reads a page. It fails where the page is not well-formed or an id
// occurs twice.
func readPage(t testing.TB, body string) page {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(body))
	dec.Strict, dec.AutoClose, dec.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var (
		p    page
		path []string
		text strings.Builder
		ids  = make(map[string]bool)
	)
	inside := func(name string) bool { return slices.Contains(path, name) }
	kind := ""     // of the picture that is being read
	label := false // what comes next is a label
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			p.text = strings.Join(strings.Fields(text.String()), " ")
			return p
		}
		if err != nil {
			t.Fatalf("the page is not well-formed: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			attr := make(map[string]string)
			for _, a := range token.Attr {
				attr[a.Name.Local] = a.Value
				if a.Name.Local == "title" || a.Name.Local == "aria-label" {
					p.hints = append(p.hints, a.Value)
				}
			}
			if id := attr["id"]; id != "" {
				if ids[id] {
					t.Errorf("the id %q occurs twice", id)
				}
				ids[id] = true
			}
			switch {
			case name == "svg" && !inside("svg"):
				if kind, _, _ = strings.Cut(attr["class"], " "); kind == "stack" {
					p.stacks = append(p.stacks, stack{thin: strings.HasSuffix(attr["class"], " thin")})
				}
			case name == "svg" && kind == "stack":
				last := &p.stacks[len(p.stacks)-1]
				last.parts = append(last.parts, part{class: attr["class"]})
			case name == "text":
				label = attr["class"] == "u"
			case name == "rect" && kind == "stack" && attr["fill"] != "":
				last := &p.stacks[len(p.stacks)-1]
				last.parts[len(last.parts)-1].hatched = true
			case name == "table":
				p.tables = append(p.tables, table{})
			case name == "tr":
				last := &p.tables[len(p.tables)-1]
				last.rows = append(last.rows, row{})
			case name == "td":
				rows := p.tables[len(p.tables)-1].rows
				span, _ := strconv.Atoi(attr["colspan"])
				rows[len(rows)-1].cells = append(rows[len(rows)-1].cells, cell{span: max(span, 1)})
			}
			path = append(path, name)
		case xml.EndElement:
			path = path[:len(path)-1]
			text.WriteString(" ")
		case xml.CharData:
			p.add(path, kind, label, string(token), &text)
		}
	}
}

// add puts a piece of text where it belongs.
func (p *page) add(path []string, kind string, label bool, s string, text *strings.Builder) {
	if strings.TrimSpace(s) == "" {
		return
	}
	s = strings.ReplaceAll(s, "\u00a0", " ")
	at, inside := path[len(path)-1], func(name string) bool { return slices.Contains(path, name) }
	switch {
	case inside("head"):
	case inside("svg") && kind == "stack":
		last := &p.stacks[len(p.stacks)-1]
		switch at {
		case "title":
			last.title = s
		case "desc":
			last.desc = s
		case "text":
			if part := &last.parts[len(last.parts)-1]; label {
				part.label = s
			} else {
				part.count = s
			}
		}
	case inside("svg"):
		if at == "title" {
			p.bars = append(p.bars, s)
		}
	case inside("table"):
		last := &p.tables[len(p.tables)-1]
		switch {
		case inside("caption"):
			last.caption += s
		case inside("thead"):
			last.heads = append(last.heads, s)
		case inside("td"):
			cells := last.rows[len(last.rows)-1].cells
			cells[len(cells)-1].text += s
		case inside("tr"):
			last.rows[len(last.rows)-1].name += s
		}
	default:
		text.WriteString(s + " ")
	}
}

// world is a picture, its releases as files, and its pages.
type world struct {
	picturetest.World
	handler  http.Handler
	pages    *coalition.Pages
	releases []*releaseFile
}

// worlds makes the storybook's worlds once for all tests.
var worlds = sync.OnceValues(func() (map[string]*world, error) {
	all, err := picturetest.Worlds(packs.FS())
	if err != nil {
		return nil, err
	}
	made := make(map[string]*world)
	for _, w := range all {
		pages, err := coalition.New(w.Config)
		if err != nil {
			return nil, err
		}
		made[w.Name] = &world{World: w, handler: pages.Handler(), pages: pages}
	}
	return made, nil
})

// open returns a world with its releases, read as the pages offer them.
func open(t testing.TB, name string) *world {
	t.Helper()
	all, err := worlds()
	if err != nil {
		t.Fatal(err)
	}
	shared, ok := all[name]
	if !ok {
		t.Fatalf("there is no world %s", name)
	}
	w := *shared
	for _, s := range w.Config.Sheets {
		body := w.get(t, fmt.Sprintf("/en/%s/%s/file/%s.json", s.Cohort, s.Cycle, s.Pack), http.StatusOK)
		var r releaseFile
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			t.Fatal(err)
		}
		w.releases = append(w.releases, &r)
	}
	return &w
}

// get returns the body of a page.
func (w *world) get(t testing.TB, path string, status int) string {
	t.Helper()
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
	if rec.Code != status {
		t.Fatalf("%s: answered %d, want %d", path, rec.Code, status)
	}
	return rec.Body.String()
}

// release returns the release of a pack.
func (w *world) release(cohort, cycle, pack string) *releaseFile {
	for _, r := range w.releases {
		if r.Cohort == cohort && r.Cycle == cycle && r.Framework.ID == pack {
			return r
		}
	}
	return nil
}
