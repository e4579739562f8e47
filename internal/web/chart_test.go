package web_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/web"
)

// drawn is a part of a stack as an independent reader finds it.
type drawn struct {
	class, from, width string
	texts              []string
	hatched            bool
}

// read returns title, description and parts of a picture; it fails where the
// picture is not well-formed XML.
func read(t interface{ Fatalf(string, ...any) }, picture string) (title, desc string, parts []drawn) {
	dec := xml.NewDecoder(strings.NewReader(picture))
	var path []string
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return title, desc, parts
		}
		if err != nil {
			t.Fatalf("%v in %s", err, picture)
		}
		switch token := token.(type) {
		case xml.StartElement:
			path = append(path, token.Name.Local)
			attr := make(map[string]string)
			for _, a := range token.Attr {
				attr[a.Name.Local] = a.Value
			}
			switch {
			case token.Name.Local == "svg" && len(path) == 2:
				parts = append(parts, drawn{class: attr["class"], from: attr["x"], width: attr["width"]})
			case token.Name.Local == "rect" && attr["fill"] != "":
				parts[len(parts)-1].hatched = true
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			switch path[len(path)-1] {
			case "title":
				title = string(token)
			case "desc":
				desc = string(token)
			case "text":
				parts[len(parts)-1].texts = append(parts[len(parts)-1].texts, string(token))
			}
		}
	}
}

func TestStack(t *testing.T) {
	t.Parallel()
	picture := web.Stack{
		Scale: "level", Title: `A1.1 <"Ports"> & sea`, Desc: "none 4; 0 or 1 12",
		Segments: []web.Segment{
			{First: 0, Last: 0, Count: 4, Label: "–"},
			{First: 1, Last: 2, Count: 12, Label: "0–1"},
			{First: 3, Last: 3, Count: 0, Label: "2"},
			{First: 4, Last: 5, Count: 16, Label: "3–4"},
		},
	}.SVG()
	title, desc, parts := read(t, string(picture))
	if title != `A1.1 <"Ports"> & sea` || desc != "none 4; 0 or 1 12" {
		t.Errorf("title %q, description %q", title, desc)
	}
	want := []drawn{
		{"l00", "0%", "12.5%", []string{"4", "–"}, false},
		{"l12", "12.5%", "37.5%", []string{"12", "0–1"}, true},
		{"l45", "50%", "50%", []string{"16", "3–4"}, true},
	}
	if diff := cmp.Diff(want, parts, cmp.AllowUnexported(drawn{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// The reader's own place is one dot over the middle of its segment, or where the
// segment would begin if nobody is counted in it.
func TestStackWithOwnPlace(t *testing.T) {
	t.Parallel()
	counts := []int{8, 0, 24}
	for own, want := range []string{`<circle cx="12.5%"`, `<circle cx="25%"`, `<circle cx="62.5%"`, ""} {
		stack := web.Stack{Scale: "level"}
		for i, n := range counts {
			stack.Segments = append(stack.Segments, web.Segment{First: i, Last: i, Count: n, Own: i == own})
		}
		picture := string(stack.SVG())
		if want == "" {
			if strings.Contains(picture, "circle") || strings.Contains(picture, "own") {
				t.Errorf("there is a dot of nobody: %s", picture)
			}
			continue
		}
		if strings.Count(picture, "<circle") != 1 || !strings.Contains(picture, want) || !strings.Contains(picture, `class="stack own"`) {
			t.Errorf("segment %d: want %s in %s", own, want, picture)
		}
		read(t, picture)
	}
}

func TestStackWithoutRoom(t *testing.T) {
	t.Parallel()
	_, _, parts := read(t, string(web.Stack{Scale: "state", Segments: []web.Segment{
		{First: 0, Last: 0, Count: 3, Label: "no target", Short: "?"},
		{First: 1, Last: 1, Count: 27, Label: "below"},
		{First: 2, Last: 2, Count: 1970, Label: "met", Sign: "▲ "},
	}}.SVG()))
	want := []drawn{
		{"s00", "0%", "0.2%", nil, false},
		{"s11", "0.2%", "1.3%", nil, false},
		{"s22", "1.5%", "98.5%", []string{"▲ 1970", "met"}, false},
	}
	if diff := cmp.Diff(want, parts, cmp.AllowUnexported(drawn{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// The parts of every stack meet, fill it, and are as wide as their counts.
func TestStackIsInProportion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.SliceOfN(rapid.IntRange(0, 2000), 1, 6).Draw(t, "counts")
		stack := web.Stack{Scale: "level", Title: "x"}
		total := 0
		for i, n := range counts {
			stack.Segments = append(stack.Segments, web.Segment{First: i, Last: i, Count: n})
			total += n
		}
		_, _, parts := read(t, string(stack.SVG()))
		at, sum := 0.0, 0
		for _, p := range parts {
			unit, _ := strconv.Atoi(p.class[1:2])
			from, width := number(t, p.from), number(t, p.width)
			if d := from - at; d > 0.001 || d < -0.001 {
				t.Fatalf("part %d begins at %v, the one before ends at %v", unit, from, at)
			}
			want := 100 * float64(counts[unit]) / float64(total)
			if d := width - want; d > 0.11 || d < -0.11 {
				t.Fatalf("part %d is %v wide, want %v", unit, width, want)
			}
			at, sum = from+width, sum+counts[unit]
		}
		if sum != total || total > 0 && (at < 99.999 || at > 100.001) {
			t.Fatalf("%d of %d drawn, up to %v", sum, total, at)
		}
	})
}

func number(t *rapid.T, percent string) float64 {
	n, err := strconv.ParseFloat(strings.TrimSuffix(percent, "%"), 64)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return n
}

func TestBarAndSteps(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, got, want string }{
		{
			"a bar", string(web.Bar{Title: "12 of 30", Class: "full", Count: 12, AtMost: 12, Of: 30}.SVG()),
			`<svg class="bar" role="img"><title>12 of 30</title><rect class="track" width="100%"/><rect class="full" width="40%"/></svg>`,
		},
		{
			"a bar that is not certain", string(web.Bar{Title: "3 to 6", Class: "full", Count: 3, AtMost: 6, Of: 30}.SVG()),
			`<svg class="bar" role="img"><title>3 to 6</title><rect class="track" width="100%"/><rect class="maybe" width="20%"/><rect class="full" width="10%"/></svg>`,
		},
		{
			"a bar of nobody", string(web.Bar{Title: "0 of 0", Class: "full"}.SVG()),
			`<svg class="bar" role="img"><title>0 of 0</title><rect class="track" width="100%"/></svg>`,
		},
		{
			"steps", string(web.Steps{Title: "level 0, target 1", Steps: 2, At: 0, Target: 1}.SVG()),
			`<svg class="steps" role="img"><title>level 0, target 1</title><svg class="l11" x="0%" width="50%"><rect/></svg><svg class="step" x="50%" width="50%"><rect/><rect class="aim"/></svg></svg>`,
		},
		{"nobody to draw", string(web.Squares{Title: "x"}.SVG()), ""},
		{"too many to draw", string(web.Squares{Title: "x", Groups: []web.SquareGroup{{Class: "took", Count: 97}}}.SVG()), ""},
	} {
		if row.got != row.want {
			t.Errorf("%s: got\n%s\nwant\n%s", row.name, row.got, row.want)
		}
	}
	if n := strings.Count(string(web.Squares{Title: "x", Groups: []web.SquareGroup{{Class: "took", Count: 30}, {Class: "late", Count: 2}}}.SVG()), "<rect"); n != 32 {
		t.Errorf("%d squares for 32 members", n)
	}
}
