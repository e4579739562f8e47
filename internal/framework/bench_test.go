package framework_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"muster/internal/framework"
)

// invented returns a pack of that many outcomes, a dozen an area, as long as
// real ones: some 2 kB of text an outcome and language, folded at 110 columns.
func invented(outcomes int, languages ...string) []byte {
	var b bytes.Buffer
	n := 0
	text := func(indent, words int) {
		b.WriteByte('\n')
		for _, language := range languages {
			fmt.Fprintf(&b, "%*s%s: >-\n", indent, "", language)
			for line := 0; words > line*14; line++ {
				n++
				fmt.Fprintf(&b, "%*sIn %s, sentence %d says what an outsider can check, with names, dates and figures.\n", indent+2, "", language, n)
			}
		}
	}
	fmt.Fprintf(&b, "format: muster-pack/1\nid: invented\nversion: 1.0.0\nmarking: TLP:CLEAR\nlicence: Apache-2.0\nlanguages: [%s]\n", strings.Join(languages, ", "))
	b.WriteString("title:")
	text(2, 5)
	b.WriteString("summary:")
	text(2, 50)
	b.WriteString("scale:\n  house_rule:")
	text(4, 40)
	b.WriteString("  levels:\n")
	for range 5 {
		b.WriteString("    -")
		text(6, 8)
	}
	b.WriteString("roll_up:\n  rule: share-of-scope\n  percent: 80\n  text:")
	text(4, 40)
	b.WriteString("crosswalks:\n  csf: {title: Invented framework, version: \"2.0\"}\nareas:\n")
	for o := range outcomes {
		area := o/12 + 1
		if o%12 == 0 {
			fmt.Fprintf(&b, "  - id: A%d\n    title:", area)
			text(6, 5)
			b.WriteString("    summary:")
			text(6, 30)
			b.WriteString("    outcomes:\n")
		}
		fmt.Fprintf(&b, "      - id: A%d.%d\n        title:", area, o%12+1)
		text(10, 5)
		for _, key := range []string{"question", "measure", "evidence", "why"} {
			fmt.Fprintf(&b, "        %s:", key)
			text(10, 35)
		}
		b.WriteString("        descriptors:\n")
		for range 5 {
			b.WriteString("          -")
			text(12, 40)
		}
		fmt.Fprintf(&b, "        crosswalk:\n          csf: [GV.RR-%02d, RS.MA-%02d]\n", o%90, o%70)
	}
	return b.Bytes()
}

// BenchmarkRead measures Read beside the YAML parser's own work on the same
// bytes, in turns, so that a busy machine slows both. The metrics are the ratios
// of the medians and of the fastest runs: the goal is at most 1.3.
func BenchmarkRead(b *testing.B) {
	for _, size := range []struct {
		name string
		data []byte
	}{
		{"36 outcomes", invented(36, "en")},
		{"36 outcomes in 2 languages", invented(36, "en", "fr")},
		{"600 outcomes in 4 languages", invented(600, "en", "fr", "de", "nl")},
	} {
		b.Run(size.name, func(b *testing.B) {
			b.SetBytes(int64(len(size.data)))
			var parse, read []time.Duration
			for b.Loop() {
				start := time.Now()
				var n yaml.Node
				if err := yaml.Unmarshal(size.data, &n); err != nil {
					b.Fatal(err)
				}
				middle := time.Now()
				if _, err := framework.Read("pack.yaml", bytes.NewReader(size.data)); err != nil {
					b.Fatal(err)
				}
				parse, read = append(parse, middle.Sub(start)), append(read, time.Since(middle))
			}
			b.ReportMetric(float64(median(parse).Microseconds()), "yaml-µs")
			b.ReportMetric(float64(median(read).Microseconds()), "read-µs")
			b.ReportMetric(float64(median(read))/float64(median(parse)), "x-yaml")
			b.ReportMetric(float64(slices.Min(read))/float64(slices.Min(parse)), "x-yaml-fastest")
		})
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
