package exchange_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/cascade"
	"muster/internal/errs"
	"muster/internal/exchange"
)

// TestTablesLoseNothing: whatever the cells say, CSV to YAML and back is the same,
// and so is every second writing.
func TestTablesLoseNothing(t *testing.T) {
	t.Parallel()
	cell := rapid.OneOf(
		rapid.SampledFrom([]string{"", "null", "~", "unknown", "yes", "true", "1", "0.5", "48h", "2031-05-01", "a: b", "- a", "#a", "a #b", `"`, `\`, "'", " a ", "é\u2028\u0085", "\U0001F6A2", "<<", "=", "\t", "a\rb", "vendor:a region:b", "%", "a,b", "\ufeff"}),
		rapid.String().Filter(func(s string) bool { return !strings.Contains(s, "\n") }),
	)
	rapid.Check(t, func(t *rapid.T) {
		table, columns := exchange.Services, 16
		if rapid.Bool().Draw(t, "requirements") {
			table, columns = exchange.Requirements, rapid.SampledFrom([]int{9, 10, 13}).Draw(t, "columns")
		}
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, columns, columns), 1, 5).Draw(t, "rows")
		if table == exchange.Requirements && columns > 9 {
			rows[0][columns-1] = "disputed" // columns that no row uses are left out
		}
		var csv, yaml bytes.Buffer
		if err := errors.Join(table.WriteCSV(&csv, rows), table.WriteYAML(&yaml, rows)); err != nil {
			t.Fatal(err)
		}
		fromCSV, err := table.Rows("a.csv", bytes.NewReader(csv.Bytes()))
		if err != nil {
			t.Fatalf("%v in\n%s", err, &csv)
		}
		fromYAML, err := table.Rows("a.yaml", bytes.NewReader(yaml.Bytes()))
		if err != nil {
			t.Fatalf("%v in\n%s", err, &yaml)
		}
		if diff := cmp.Diff(rows, fromCSV); diff != "" {
			t.Fatalf("CSV (-written +read):\n%s", diff)
		}
		if diff := cmp.Diff(rows, fromYAML); diff != "" {
			t.Fatalf("YAML (-written +read):\n%s\n%s", diff, &yaml)
		}
	})
}

// convert returns a table in the other form.
func convert(t testing.TB, table exchange.Table, text string) string {
	t.Helper()
	rows, err := table.Rows("a.csv", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := table.WriteYAML(&b, rows); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReadRegisterYAML(t *testing.T) {
	t.Parallel()
	r, err := exchange.ReadRegister(
		"s.yaml", strings.NewReader(convert(t, exchange.Services, registerServices)),
		"r.yml", strings.NewReader(convert(t, exchange.Requirements, registerRequirements)))
	if err != nil {
		t.Fatal(err)
	}
	want := fresh(t)
	if diff := cmp.Diff(want.Services, r.Services); diff != "" {
		t.Errorf("services (-csv +yaml):\n%s", diff)
	}
	if diff := cmp.Diff(want.Requirements, r.Requirements); diff != "" {
		t.Errorf("requirements (-csv +yaml):\n%s", diff)
	}
	if diff := cmp.Diff(want.Unknown, r.Unknown); diff != "" {
		t.Errorf("unknown (-csv +yaml):\n%s", diff)
	}
}

// TestFaultsOfYAML: every fault has its own line and column.
func TestFaultsOfYAML(t *testing.T) {
	t.Parallel()
	const services = `format: muster services v1
services:
  - id: a
    criticality: 9
    severity: 1
    repair: 48
    spread: 0.5
    restart: 0h
    tlp: clear
    confidence: high
`
	rows := []struct{ name, text, want string }{
		{"cell", services, `s.yaml:4:18: criticality: the criticality is "9"; allowed: 1 to 5`},
		{"unit", strings.Replace(services, "9", "3", 1), `s.yaml:6:13: repair: "48" has no unit; allowed: a number and min, h or d, such as 48h, or unknown`},
		{"key", strings.Replace(services, "spread", "spraed", 1), `s.yaml:7:5: services: unknown key "spraed"; allowed: id, owner`},
		{"absent key", strings.Replace(services, "    tlp: clear\n", "", 1), `s.yaml:3:5: tlp: "" is not one of them`},
		{"twice", services + "    id: b\n", `s.yaml:11:5: services: key "id" stands there twice`},
		{"null", strings.Replace(services, "high", "~", 1), `s.yaml:10:17: confidence: nothing where text is wanted`},
		{"alias", strings.Replace(services, "id: a", "id: &x a", 1), `s.yaml:3:9: id: an anchor or an alias`},
		{"tag", strings.Replace(services, "id: a", "id: !!str a", 1), `s.yaml:3:9: id: a tag`},
		{"list", strings.Replace(services, "id: a", "id: [a]", 1), `s.yaml:3:9: id: a list where text is wanted`},
		{"no list", "format: muster services v1\nservices: 3\n", `s.yaml:2:11: services: text where a list is wanted`},
		{"other file", strings.Replace(services, "services v1", "requirements v1", 1), `s.yaml:1:9: format: "muster requirements v1" is not known; allowed: muster services v1`},
		{"no YAML", "format: [\n", `s.yaml:1: not YAML: `},
		{"empty", "", `s.yaml:1:1: the file is empty`},
		{"comments", "# nothing\n", `s.yaml:1:1: the file has nothing but comments`},
		{"second document", services + "---\na: 1\n", `s.yaml:11:1: a second document`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := exchange.ReadRegister("s.yaml", strings.NewReader(row.text), "r.csv", strings.NewReader(registerRequirements))
			faults, ok := errors.AsType[errs.Faults](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			for _, f := range faults {
				if strings.HasPrefix(f.String(), row.want) {
					return
				}
			}
			t.Errorf("got %v; want %s", faults, row.want)
		})
	}
}

// TestRubbishTablesAreRefusedEarly: ten million rows of rubbish are not read to their end.
func TestRubbishTablesAreRefusedEarly(t *testing.T) {
	t.Parallel()
	rubbish := &repeated{begin: exchange.ServicesHeader + "\n", row: "a,b,c\n"}
	_, err := exchange.ReadRegister("s.csv", rubbish, "r.csv", strings.NewReader(registerRequirements))
	faults, ok := errors.AsType[errs.Faults](err)
	if !ok || len(faults) == 0 || rubbish.read > 1<<20 {
		t.Errorf("%d bytes were read, and the error is %v", rubbish.read, err)
	}
	long := &repeated{begin: exchange.ServicesHeader + "\n", row: "a"}
	_, err = exchange.ReadRegister("s.csv", long, "r.csv", strings.NewReader(registerRequirements))
	if err == nil || !strings.Contains(err.Error(), "s.csv:2:1: the line is longer than 65536 bytes") || long.read > 1<<20 {
		t.Errorf("%d bytes were read, and the error is %v", long.read, err)
	}
}

// repeated is a reader without an end.
type repeated struct {
	begin, row string
	rest       string
	read       int
}

func (e *repeated) Read(p []byte) (int, error) {
	if e.begin != "" {
		e.rest, e.begin = e.begin, ""
	}
	if e.rest == "" {
		e.rest = strings.Repeat(e.row, 1000)
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	e.read += n
	return n, nil
}

const scenarioYAML = `format: muster scenario v1
id: test
synthetic: true
title:
  en: A test
  fr: Un essai
source: SYNTHETIC
controls: 0.5
repair: 3d
exposed:
  - select: tag
    value: vendor:a
    hit: 0.5
  - select: id
    value: pumps
    hit: 0.75
    controls: 0.25
    repair: 5h
    spread: 0.5
`

func TestReadScenarioYAML(t *testing.T) {
	t.Parallel()
	s, err := fresh(t).ReadScenario("s.yaml", strings.NewReader(scenarioYAML))
	if err != nil {
		t.Fatal(err)
	}
	const one = cascade.Always
	want := &exchange.Scenario{
		ID: "test", Title: exchange.Words{"en": "A test", "fr": "Un essai"}, Source: "SYNTHETIC", Synthetic: true,
		Scenario: cascade.Scenario{
			Hits:   []cascade.Probability{one / 2, 0, one * 3 / 4},
			Repair: []cascade.Repair{{Median: 3 * 1440, Spread: 1 << 15}, {}, {Median: 300, Spread: 1 << 15}},
		},
		Controls: []cascade.Probability{one / 2, 0, one / 4}, Exposed: 2,
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	rows := []struct{ name, from, to, want string }{
		{"controls", "controls: 0.5", "controls: 0", `s.yaml:8:11: controls: "0" is no such share; allowed: a number above 0, at most 1`},
		{"not a number", "hit: 0.5", "hit: NaN", `s.yaml:13:10: exposed.hit: "NaN" is no such share`},
		{"nobody", "vendor:a", "vendor:z", `s.yaml:12:12: value: no service has the tag "vendor:z"`},
		{"kind", "select: tag", "select: tga", `s.yaml:11:13: select: "tga" selects nothing; allowed: all, tag`},
		{"no source", "source: SYNTHETIC\n", "", `s.yaml:1:1: key "source" is missing`},
		{"one language", "  fr: Un essai\n", "", `s.yaml:5:3: title: key "fr" is missing`},
		{"spread alone", "repair: 3d\n", "spread: 1\n", `s.yaml:9:9: spread: a spread without a repair`},
		{"no time", "repair: 3d", "repair: 0h", `s.yaml:9:9: repair: "0h" is too short; allowed: 1min or longer`},
		{"mark", "synthetic: true", "synthetic: yes", `s.yaml:3:12: synthetic: "yes" is neither; allowed: true, false`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := fresh(t).ReadScenario("s.yaml", strings.NewReader(strings.Replace(scenarioYAML, row.from, row.to, 1)))
			if err == nil || !strings.HasPrefix(err.Error(), row.want) {
				t.Errorf("got %v; want %s", err, row.want)
			}
		})
	}
}

// TestGraphML reads what is written with the standard decoder: nothing of the
// graph is missing.
func TestGraphML(t *testing.T) {
	t.Parallel()
	type data struct {
		Key  string `xml:"key,attr"`
		Text string `xml:",chardata"`
	}
	var got struct {
		XMLName xml.Name `xml:"http://graphml.graphdrawing.org/xmlns graphml"`
		Keys    []struct {
			ID string `xml:"id,attr"`
		} `xml:"key"`
		Graph struct {
			Nodes []struct {
				ID   string `xml:"id,attr"`
				Data []data `xml:"data"`
			} `xml:"node"`
			Edges []struct {
				Source string `xml:"source,attr"`
				Target string `xml:"target,attr"`
				Data   []data `xml:"data"`
			} `xml:"edge"`
		} `xml:"graph"`
	}
	r, err := readRegister(t, strings.ReplaceAll(registerServices, "Brevik,Pumps", `Brevik,"Pumps, <""and"" & more>"`), registerRequirements)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.WriteGraphML(&b); err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v in\n%s", err, &b)
	}
	known := make(map[string]bool)
	for _, k := range got.Keys {
		known[k.ID] = true
	}
	values := func(all []data) map[string]string {
		m := make(map[string]string)
		for _, d := range all {
			if !known[d.Key] {
				t.Errorf("key %s is not declared", d.Key)
			}
			m[d.Key] = d.Text
		}
		return m
	}
	if name := values(got.Graph.Nodes[2].Data)["label"]; name != `Pumps, <"and" & more>` {
		t.Errorf("the label is %q", name)
	}
	var services []cascade.Service
	index := make(map[string]int32)
	for i, n := range got.Graph.Nodes {
		index[n.ID] = int32(i)
		v := values(n.Data)
		services = append(services, cascade.Service{
			ID: n.ID, Weight: uint32(whole(t, v["weight"])), Severity: share(t, v["severity"]), Mission: v["mission"] == "true",
			Repair:  cascade.Repair{Median: cascade.Minutes(whole(t, v["repair_minutes"])), Spread: cascade.Spread(share(t, v["spread"]))},
			Restart: cascade.Minutes(whole(t, v["restart_minutes"])),
		})
	}
	if diff := cmp.Diff(r.Services, services); diff != "" {
		t.Errorf("services (-register +GraphML):\n%s", diff)
	}
	var requirements []cascade.Requirement
	at := make(map[string]int)
	for _, e := range got.Graph.Edges {
		v := values(e.Data)
		key := fmt.Sprint(e.Source, "\x00", v["group"])
		if _, ok := at[key]; !ok {
			at[key] = len(requirements)
			requirements = append(requirements, cascade.Requirement{
				Service: index[e.Source], Name: v["group"], Need: int32(whole(t, v["need"])),
				Binding: share(t, v["binding"]), Buffer: cascade.Minutes(whole(t, v["buffer_minutes"])),
			})
		}
		q := &requirements[at[key]]
		q.Suppliers = append(q.Suppliers, index[e.Target])
	}
	if diff := cmp.Diff(r.Requirements, requirements); diff != "" {
		t.Errorf("requirements (-register +GraphML):\n%s", diff)
	}
}

func whole(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func share(t *testing.T, text string) cascade.Probability {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return cascade.Probability(x * float64(cascade.Always))
}
