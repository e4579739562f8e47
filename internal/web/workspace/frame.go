package workspace

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"
)

// frame is the HTML of one outcome's question in one language with gaps where it is
// another in every request. An area may ask some hundred questions, and nearly all of
// their HTML is the pack's: it is drawn by the template once and then only filled in.
type frame struct {
	static []string // one more than gaps
	gaps   []string // names
}

// gapMark stands around the name of a gap while the template is executed. It is an
// invisible character that neither a pack nor a message may hold.
const gapMark = "\u2063"

// frameView is what the template of a question is executed with.
type frameView struct {
	*outcomeTexts
	T      func(string, ...any) string
	One    bool
	Action string
	Anchor string
	Of     string // names the outcome in what a tab keeps

	Answers, Remarks bool // what the person may
}

// Text is a gap for text, in an element or an attribute.
func (frameView) Text(name string) string { return gapMark + name + gapMark }

// Part is a gap for HTML.
func (frameView) Part(name string) template.HTML { return template.HTML(gapMark + name + gapMark) }

// Attr is a gap for an attribute.
func (frameView) Attr(name string) template.HTMLAttr {
	return template.HTMLAttr(gapMark + name + gapMark)
}

func newFrame(t *template.Template, view frameView) (*frame, error) {
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "question", view); err != nil {
		return nil, err
	}
	pieces := strings.Split(b.String(), gapMark)
	if len(pieces)%2 == 0 {
		return nil, fmt.Errorf("question %s: a gap has no end", view.ID)
	}
	f := &frame{}
	for i, piece := range pieces {
		if i%2 == 0 {
			f.static = append(f.static, piece)
		} else {
			f.gaps = append(f.gaps, piece)
		}
	}
	return f, nil
}

// filling is what goes into the gaps, by name: HTML, or text that is escaped already.
type filling map[string]string

// text fills a gap for text.
func (f filling) text(name, value string) { f[name] = template.HTMLEscapeString(value) }

// attr fills a gap for an attribute, which is there or not.
func (f filling) attr(name, attribute string, is bool) {
	f[name] = ""
	if is {
		f[name] = attribute
	}
}

// write fills the frame. A gap that nobody fills is a fault of the program.
func (f *frame) write(b *strings.Builder, with filling) error {
	for i, name := range f.gaps {
		b.WriteString(f.static[i])
		value, ok := with[name]
		if !ok {
			return fmt.Errorf("nothing fills the gap %q", name)
		}
		b.WriteString(value)
	}
	b.WriteString(f.static[len(f.static)-1])
	return nil
}
