package httpd

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// expositionType is the media type of Prometheus' text format, version 0.0.4
// (prometheus.io, "Exposition formats").
const expositionType = "text/plain; version=0.0.4; charset=utf-8"

// family is what all series of one metric share.
type family struct {
	name, kind, help string
}

// The kinds of families that we have.
const (
	counter   = "counter"
	gauge     = "gauge"
	histogram = "histogram"
)

// series names one series: a metric, and pairs of label and value.
func series(name string, labels ...string) string {
	if len(labels) == 0 {
		return name
	}
	escape := strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
	var b strings.Builder
	b.WriteString(name)
	for i := 0; i < len(labels); i += 2 {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(labels[i] + `="` + escape.Replace(labels[i+1]) + `"`)
	}
	b.WriteByte('}')
	return b.String()
}

// sample appends a line of the text format.
func sample(lines *bytes.Buffer, series string, value float64) {
	lines.WriteString(series + " " + strconv.FormatFloat(value, 'g', -1, 64) + "\n")
}

// writeExposition writes lines of the text format, each series once, in groups by
// family, and before each group what the family is. Families that are not listed
// follow without.
func writeExposition(w io.Writer, families []family, lines []byte) error {
	groups := make([]bytes.Buffer, len(families)+1)
	for line := range bytes.Lines(lines) {
		if line[0] == '#' {
			continue
		}
		at := slices.IndexFunc(families, func(f family) bool { return f.holds(string(line)) })
		if at < 0 {
			at = len(families)
		}
		groups[at].Write(line)
	}
	var out bytes.Buffer
	for i, f := range families {
		if groups[i].Len() > 0 {
			fmt.Fprintf(&out, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind)
			out.Write(groups[i].Bytes())
		}
	}
	out.Write(groups[len(families)].Bytes())
	_, err := w.Write(out.Bytes())
	return err
}

// holds says whether a line is of the family: its name ends at a label or a space,
// a histogram's at one of its three suffixes.
func (f family) holds(line string) bool {
	rest, ok := strings.CutPrefix(line, f.name)
	if !ok {
		return false
	}
	if f.kind == histogram {
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if after, ok := strings.CutPrefix(rest, suffix); ok {
				rest = after
				break
			}
		}
	}
	return strings.HasPrefix(rest, "{") || strings.HasPrefix(rest, " ")
}
