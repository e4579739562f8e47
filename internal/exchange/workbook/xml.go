package workbook

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"

	"muster/internal/errs"
)

// maxDepth is how deep elements may nest; workbooks need some ten.
const maxDepth = 64

// xmlReader reads a part element by element. It is here because the library reads
// cells only after it has laid out every row and column that a file names, which
// for a few bytes may be gigabytes, and does not say what kind of cell it read.
type xmlReader struct {
	decoder *xml.Decoder
	depth   int
	name    string
}

func newXMLReader(name string, r io.Reader) *xmlReader {
	d := xml.NewDecoder(r)
	d.CharsetReader = func(string, io.Reader) (io.Reader, error) {
		return nil, errors.New("not UTF-8")
	}
	return &xmlReader{decoder: d, name: name}
}

// next returns the next element's beginning or end, or text; io.EOF at the end.
func (x *xmlReader) next() (xml.Token, error) {
	token, err := x.decoder.Token()
	switch {
	case err == io.EOF:
		return nil, io.EOF
	case err != nil:
		if errs.KindOf(err) != errs.Internal {
			return nil, err // the budget
		}
		return nil, errs.Wrap(err, errs.Invalid, "the workbook is damaged: "+errs.Quote(x.name)+" cannot be read", "open it in a spreadsheet, save it as .xlsx, and try again")
	}
	switch token.(type) {
	case xml.StartElement:
		if x.depth++; x.depth > maxDepth {
			return nil, errs.New(errs.Invalid, "the workbook is damaged: "+errs.Quote(x.name)+" nests too deeply", "open it in a spreadsheet, save it as .xlsx, and try again")
		}
	case xml.EndElement:
		x.depth--
	case xml.Directive:
		return nil, errs.New(errs.Invalid, "the workbook is damaged: "+errs.Quote(x.name)+" declares a document type", "open it in a spreadsheet, save it as .xlsx, and try again")
	}
	return token, nil
}

// each calls begin for every element's beginning.
func (x *xmlReader) each(begin func(xml.StartElement) error) error {
	for {
		token, err := x.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if start, ok := token.(xml.StartElement); ok {
			if err := begin(start); err != nil {
				return err
			}
		}
	}
}

// content returns the text of the element that was begun, without that of elements
// named in skip, up to most bytes.
func (x *xmlReader) content(skip string) (string, error) {
	var b strings.Builder
	outer, skipped := x.depth, 0
	for {
		token, err := x.next()
		if err != nil {
			return "", err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if t.Name.Local == skip && skipped == 0 {
				skipped = x.depth
			}
		case xml.EndElement:
			if x.depth < outer {
				return unescape(b.String()), nil
			}
			if x.depth < skipped {
				skipped = 0
			}
		case xml.CharData:
			if skipped == 0 {
				b.Write(t)
			}
		}
	}
}

// strings reads the text of an element that holds strings, as a shared string or an
// inline one does: those of t and r/t, without the readings of rPh. White space
// between elements is no text.
func (x *xmlReader) strings() (string, error) {
	var b strings.Builder
	outer, phonetic := x.depth, 0
	for {
		token, err := x.next()
		if err != nil {
			return "", err
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch {
			case t.Name.Local == "rPh" && phonetic == 0:
				phonetic = x.depth
			case t.Name.Local == "t":
				s, err := x.content("")
				if err != nil {
					return "", err
				}
				if phonetic == 0 {
					b.WriteString(s)
				}
			}
		case xml.EndElement:
			if x.depth < outer {
				return b.String(), nil
			}
			if x.depth < phonetic {
				phonetic = 0
			}
		}
	}
}

// unescape turns codes such as _x000D_ into their characters (ISO 29500-1,
// 22.9.2.19).
func unescape(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	var b strings.Builder
	for s != "" {
		if !escapes.MatchString(s[:min(len(s), 7)]) {
			b.WriteByte(s[0])
			s = s[1:]
			continue
		}
		unit := codeUnit(s)
		s = s[7:]
		if utf16.IsSurrogate(unit) && len(s) >= 7 && escapes.MatchString(s[:7]) {
			if r := utf16.DecodeRune(unit, codeUnit(s)); r != '\uFFFD' {
				b.WriteRune(r)
				s = s[7:]
				continue
			}
		}
		b.WriteRune(unit) // half a pair becomes U+FFFD
	}
	return b.String()
}

func codeUnit(s string) rune {
	n, _ := strconv.ParseUint(s[2:6], 16, 16) // the caller has matched it
	return rune(n)
}

// attr returns the value of an attribute by its local name, or "".
func attr(start xml.StartElement, name string) string {
	for _, a := range start.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// is reports whether an attribute holds a true value.
func is(value string) bool { return value == "1" || value == "true" || value == "on" }

// spins returns how often an encrypted workbook wants its password hashed.
func spins(info []byte) int {
	most := 0
	x := newXMLReader("EncryptionInfo", bytes.NewReader(info))
	err := x.each(func(start xml.StartElement) error {
		for _, a := range start.Attr {
			if a.Name.Local != "spinCount" {
				continue
			}
			n, err := strconv.Atoi(strings.TrimSpace(a.Value))
			if err != nil {
				return fmt.Errorf("spin count: %w", err)
			}
			most = max(most, n)
		}
		return nil
	})
	if err != nil {
		return math.MaxInt
	}
	return most
}
