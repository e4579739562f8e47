package cli

import (
	"fmt"
	"io"

	"muster/internal/framework"
	"muster/internal/verify"
)

// reportWidth is how wide a report is printed, in columns.
const reportWidth = 96

// writeVerdicts prints a report in one language.
func writeVerdicts(w io.Writer, r *verify.Report, lang string) error {
	p := &reportPrinter{w: w, lang: lang}
	if r.Coalition != "" {
		p.line("%s: %s", r.Coalition, r.Cycle)
		if r.Marking != "" {
			p.line("%s", r.Marking)
		}
		p.line("")
	}
	last := verify.Step("")
	for _, f := range r.Findings {
		if f.Step != last {
			p.line("%s", f.Step.Title().In(lang))
			last = f.Step
		}
		p.finding(f)
	}
	p.line("")
	p.line("%s", framework.Text{"en": "What this cannot prove", "fr": "Ce que ceci ne peut prouver"}.In(lang))
	for _, l := range r.Limits {
		p.wrapped("  - ", "    ", l.Text.In(lang))
	}
	p.line("")
	p.line("%s: %d; %s: %d; %s: %d", verify.Holds.Words().In(lang), r.Count(verify.Holds), verify.Fails.Words().In(lang), r.Count(verify.Fails),
		verify.Unchecked.Words().In(lang), r.Count(verify.Unchecked))
	p.wrapped("", "", r.Summary.In(lang))
	return p.err
}

type reportPrinter struct {
	w    io.Writer
	lang string
	err  error
}

func (p *reportPrinter) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// wrapped prints a text over several lines.
func (p *reportPrinter) wrapped(first, further, text string) {
	for i, line := range wrap(text, reportWidth-len(further)) {
		if i == 0 {
			p.line("%s%s", first, line)
		} else {
			p.line("%s%s", further, line)
		}
	}
}

func (p *reportPrinter) finding(f verify.Finding) {
	const indent = "           "
	head := map[verify.Verdict]string{verify.Holds: "  ok       ", verify.Fails: "  FAILS    ", verify.Unchecked: "  -        "}
	if p.lang == "fr" {
		head[verify.Fails] = "  ÉCHEC    "
	}
	p.wrapped(head[f.Verdict], indent, f.Text.In(p.lang))
	switch {
	case f.Detail == "":
	case p.lang == "fr" && f.French != "":
		p.wrapped(indent, indent, f.French)
	case p.lang == "fr":
		p.wrapped(indent, indent, "(en anglais) "+f.Detail)
	default:
		p.wrapped(indent, indent, f.Detail)
	}
	if f.Place != "" {
		p.wrapped(indent, indent, framework.Text{"en": "at ", "fr": "dans "}.In(p.lang)+f.Place)
	}
}
