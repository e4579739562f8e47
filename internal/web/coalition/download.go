package coalition

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"muster/internal/exchange/cells"
)

// allName is the file that holds every cycle of a cohort.
const allName = "all.csv"

// outcomeFile names the file that holds an outcome over the cycles.
func outcomeFile(pack, outcome string) string { return pack + "." + outcome + ".csv" }

// itself returns the coalition's answers to a pack, or nil.
func (c *Cycle) itself(pack string) *Collective {
	for _, itself := range c.Itself {
		if itself.Pack == pack {
			return itself
		}
	}
	return nil
}

// serveFile serves the numbers of the pages as files.
func (p *Pages) serveFile(w http.ResponseWriter, r *http.Request, d *drawing) {
	body, kind, ok := d.download(r.PathValue("name"))
	if !ok {
		p.notFound(w, d)
		return
	}
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, strings.Join([]string{d.cohort.ID, d.cycle.ID, r.PathValue("name")}, "-"))
	if marking := d.picture.Marking; marking != "" {
		name = strings.Map(safe, marking) + "-" + name
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = w.Write(body) // an error means that the other side has gone
}

func safe(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
		return r
	}
	return '-'
}

// download returns the file with that name.
func (d *drawing) download(name string) (body []byte, kind string, ok bool) {
	const asCSV, asJSON = "text/csv; charset=utf-8; header=present", "application/json"
	if name == allName {
		t := d.bands()
		for _, cycle := range d.cohort.Cycles {
			for _, s := range cycle.Sheets {
				t.sheet(s, "")
			}
		}
		return t.bytes(), asCSV, true
	}
	for _, s := range d.cycle.Sheets {
		switch rest, found := strings.CutPrefix(name, s.Pack+"."); {
		case !found:
		case rest == "json":
			return s.body, asJSON, true
		case rest == "csv":
			t := d.bands()
			t.sheet(s, "")
			return t.bytes(), asCSV, true
		default:
			id := strings.TrimSuffix(rest, ".csv")
			if _, _, known := s.Outcome(id); !known || outcomeFile(s.Pack, id) != name {
				continue
			}
			t := d.bands()
			for _, cycle := range d.cohort.Cycles {
				if sheet := cycle.sheet(s.Pack); sheet != nil {
					t.sheet(sheet, id)
				}
			}
			return t.bytes(), asCSV, true
		}
	}
	for _, c := range d.cycle.Itself {
		switch name {
		case c.Pack + ".json":
			return c.body, asJSON, true
		case c.Pack + ".csv":
			return d.answers(c), asCSV, true
		}
	}
	return nil, "", false
}

// table is a CSV file under way. Its columns and the words of its columns are the
// same in every language, but for the titles.
type table struct {
	d *drawing
	b bytes.Buffer
	w *csv.Writer
}

func (d *drawing) newTable(columns ...string) *table {
	t := &table{d: d}
	t.b.WriteString("\ufeff") // by which Excel knows UTF-8
	t.w = csv.NewWriter(&t.b)
	t.row(columns...)
	return t
}

// bands begins a file of bands.
func (d *drawing) bands() *table {
	return d.newTable("marking", "coalition", "cohort", "cycle", "pack", "pack_version", "area", "outcome", "title", "counted", "from", "to", "members", "of", "not_shown_because")
}

// row writes a row. Nothing that a spreadsheet would take for a formula leaves
// here: titles and names come from files that others wrote.
func (t *table) row(fields ...string) {
	for i, f := range fields {
		fields[i] = cells.Guard(f)
	}
	_ = t.w.Write(fields) // into memory
}

func (t *table) bytes() []byte {
	t.w.Flush()
	return t.b.Bytes()
}

// sheet writes the bands of a sheet, of one outcome where one is named.
func (t *table) sheet(s *Sheet, outcome string) {
	for i := range s.Areas {
		a := &s.Areas[i]
		if outcome == "" {
			title := t.d.Plain(a.Title)
			t.block(s, a.ID, "", title, "lowest", a.Lowest)
			t.block(s, a.ID, "", title, "change", a.Change)
		}
		for j := range a.Outcomes {
			o := &a.Outcomes[j]
			if outcome != "" && o.ID != outcome {
				continue
			}
			title := t.d.Plain(o.Title)
			t.block(s, a.ID, o.ID, title, "level", o.Level)
			t.block(s, a.ID, o.ID, title, "verified", o.Verified)
			t.block(s, a.ID, o.ID, title, "target", o.Target)
			t.block(s, a.ID, o.ID, title, "gap", o.State)
			t.block(s, a.ID, o.ID, title, "evidence", o.Evidence)
		}
	}
}

func (t *table) block(s *Sheet, area, outcome, title, counted string, b Block) {
	lead := []string{s.Marking, s.Coalition, s.Cohort, s.Cycle, s.Pack, s.Version, area, outcome, title, counted}
	of := strconv.Itoa(s.Submissions)
	if !b.Shown() {
		t.row(append(slices.Clone(lead), "", "", "", of, t.d.Plain(b.Reason))...)
		return
	}
	for _, band := range b.Bands {
		t.row(append(slices.Clone(lead), b.Chain.Units[band.First], b.Chain.Units[band.Last], strconv.Itoa(band.Count), of, "")...)
	}
}

// answers writes what the coalition says of itself.
func (d *drawing) answers(c *Collective) []byte {
	t := d.newTable("marking", "coalition", "cycle", "pack", "pack_version", "area", "outcome", "title", "level", "verified", "target", "evidence")
	number := func(n int) string {
		if n < 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	for _, a := range c.Areas {
		for _, o := range a.Outcomes {
			t.row(c.Marking, c.Coalition, c.Cycle, c.Pack, c.Version, a.ID, o.ID, d.Plain(o.Title), number(o.Level), number(o.Verified), number(o.Target), o.Evidence)
		}
	}
	return t.bytes()
}
