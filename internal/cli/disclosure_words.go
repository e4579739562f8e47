package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"muster/internal/disclosure/attack"
)

// maxNamed is how many members a line names before it counts the rest.
const maxNamed = 4

// write prints a report for a person.
func (r attackReport) write(w io.Writer) error {
	var b strings.Builder
	p := func(indent int, format string, args ...any) {
		for _, line := range wrap(fmt.Sprintf(format, args...), maxProse-indent) {
			b.WriteString(strings.Repeat(" ", indent) + line + "\n")
		}
	}
	p(0, "Tried: %s of %s, with what %s say.", plural(r.Members, "1 member", "%d members"), cyclesInWords(r.Cycles), plural(r.Statements, "1 statement", "%d statements"))
	more := plural(r.Colluders, "1 member", "%d members")
	switch {
	case len(r.Known) > 0 && r.Colluders > 0:
		p(0, "The attacker knows answers of %s, and all those of %s more, whatever they are.", namesInWords(r.Known), more)
	case len(r.Known) > 0:
		p(0, "The attacker knows answers of %s.", namesInWords(r.Known))
	case r.Colluders > 0:
		p(0, "The attacker knows all answers of %s, whatever they are.", more)
	default:
		p(0, "The attacker knows nobody's answers.")
	}
	for _, section := range []struct {
		kind  attack.Kind
		title string
	}{
		{attack.Learnt, "Learnt"},
		{attack.Narrowed, "Narrowed"},
		{attack.Pointed, "Pointed at"},
	} {
		first := true
		for _, f := range r.Findings {
			if f.Kind != section.kind || r.said(f) {
				continue
			}
			if first {
				p(0, "")
				p(0, "%s:", section.title)
				first = false
			}
			p(2, "%s", findingInWords(f))
			if from := sourcesInWords(f.From); from != "" {
				p(4, "from %s", from)
			}
		}
	}
	if len(r.Open) > 0 {
		p(0, "")
		p(0, "Not decided, and so not safe:")
		for _, o := range r.Open {
			p(2, "%s: whether %s answered %s", o.Block, namesInWords(o.Members), o.Unit)
		}
	}
	if len(r.Bounds) > 0 {
		p(0, "")
		p(0, "Between which numbers each count lies:")
		for _, c := range r.Bounds {
			between := fmt.Sprintf("%d to %d", c.Least, c.Most)
			if c.Least == c.Most {
				between = fmt.Sprint(c.Least)
			}
			p(2, "%s at %s, %s: %s", c.Block, c.Unit, namesInWords(c.Members), between)
		}
	}
	p(0, "")
	if r.Safe {
		p(0, "We tried to work out one member's answer from everything published, and could not: %s.",
			plural(r.Examined, "1 question was put", "%d questions were put"))
	} else {
		p(0, "Nothing else could be learnt: %s.", plural(r.Examined, "1 question was put", "%d questions were put"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// said reports whether a finding that points at members says no more than that
// their answer is learnt.
func (r attackReport) said(f attack.Finding) bool {
	return f.Kind == attack.Pointed && slices.ContainsFunc(r.Findings, func(other attack.Finding) bool {
		return other.Kind == attack.Learnt && other.Block == f.Block && slices.Equal(other.Members, f.Members)
	})
}

func cyclesInWords(cycles []string) string {
	if len(cycles) == 1 {
		return "cycle " + cycles[0]
	}
	return fmt.Sprintf("%d cycles, %s to %s", len(cycles), cycles[0], cycles[len(cycles)-1])
}

// findingInWords says what is known of whom.
func findingInWords(f attack.Finding) string {
	who := namesInWords(f.Members)
	switch f.Kind {
	case attack.Learnt:
		return fmt.Sprintf("%s: %s answered %s", f.Block, who, f.Left[0])
	case attack.Pointed:
		return fmt.Sprintf("%s: of %s, one or two answered %s", f.Block, who, f.Left[0])
	}
	return fmt.Sprintf("%s: %s answered %s; the numbers by themselves leave %s", f.Block, who, either(f.Left), either(f.Bands))
}

func namesInWords(names []string) string {
	if len(names) <= maxNamed {
		return listInWords(names)
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), len(names)-maxNamed)
}

func listInWords(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// sourcesInWords names where the numbers are from that together say it.
func sourcesInWords(from []attack.Statement) string {
	var sources []string
	for _, s := range from {
		source := s.Source
		if s.Implied {
			source = "the rule of " + source
		}
		if !slices.Contains(sources, source) {
			sources = append(sources, source)
		}
	}
	return listInWords(sources)
}
