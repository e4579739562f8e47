package exchange

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

// MembersHeader is the first line of a file of members.
const MembersHeader = "member,key"

// MaxMembersSize is how many bytes a file of members may have.
const MaxMembersSize = 4 << 20

const membersContent = "the header " + MembersHeader + ", then one row for each member"

// ReadMembers reads the members of a cohort and the keys with which they sign,
// one row each as [WriteMember] writes it. It returns them in the file's order,
// or every fault with its place as [errs.Faults].
func ReadMembers(name string, r io.Reader) ([]coalition.Member, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxMembersSize+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", errs.Quote(name), err)
	}
	f := &membersFile{name: name, first: make(map[string]int), keys: make(map[string]int)}
	f.parse(data)
	if err := f.faults.Err(); err != nil {
		return nil, err
	}
	return f.members, nil
}

// WriteMember writes the row of a member, without a header.
func WriteMember(w io.Writer, m coalition.Member) error {
	name := string(m.ID)
	if strings.ContainsAny(name, `",`) {
		name = `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
	}
	_, err := fmt.Fprintf(w, "%s,%s\n", name, m.Key)
	return err
}

// membersFile is a file of members while it is read.
type membersFile struct {
	name    string
	members []coalition.Member
	first   map[string]int // the line of a member, by its folded name
	keys    map[string]int // the line of a key, without its name
	faults  errs.Faults
}

func (f *membersFile) add(l line, column int, field, message, allowed string) {
	if len(f.faults) < errs.MaxFaults {
		f.faults = append(f.faults, errs.Fault{File: f.name, Line: l.number, Column: column, Field: field, Message: message, Allowed: allowed})
	}
}

func (f *membersFile) parse(data []byte) {
	if fault, ok := notText(data, MaxMembersSize, membersContent); ok {
		fault.File = f.name
		f.faults = append(f.faults, fault)
		return
	}
	text := strings.TrimPrefix(string(data), "\uFEFF")
	headed := false
	for l := range lines(text, len(data)-len(text)) {
		switch {
		case l.text == "":
		case !headed:
			headed = true
			if l.text != MembersHeader {
				f.add(l, 1, "header", "the file does not begin with the header", "the header "+MembersHeader)
				return // nobody knows what the columns mean
			}
		default:
			f.row(l)
		}
	}
	if len(f.members) == 0 && len(f.faults) == 0 {
		f.add(line{number: 1}, 1, "", "there is no row", membersContent)
	}
}

// row reads one line below the header.
func (f *membersFile) row(l line) {
	if at := invalid(l.text); at >= 0 {
		f.add(l, utf8.RuneCountInString(l.text[:at])+1, "", fmt.Sprintf("byte 0x%02X is not UTF-8", l.text[at]), allowedEncoding)
		return
	}
	cells, fault := split(l.text)
	if fault != nil {
		f.add(l, fault.Column, "", fault.Message, fault.Allowed)
		return
	}
	if len(cells) != 2 {
		f.add(l, 1, "", cellCount(l.text, len(cells)), "2 cells: "+MembersHeader)
		return
	}
	id, err := coalition.ParseMemberID(cells[0].text)
	if err != nil {
		d := errs.Describe(err)
		f.add(l, cells[0].column, "member", d.Message, d.Hint)
	}
	key := keys.Public(cells[1].text)
	if err := key.Check(); err != nil {
		f.add(l, cells[1].column, "key", errs.Describe(err).Message, "the line that muster submit init printed for the member, NAME,NAME+HASH+KEY")
		return
	}
	if err != nil {
		return
	}
	if key.Name() != string(id) {
		f.add(l, cells[1].column, "key", fmt.Sprintf("the key is one of %s", errs.Quote(key.Name())), "the key that "+string(id)+" made for itself")
		return
	}
	if line, ok := f.first[coalition.Fold(string(id))]; ok {
		f.add(l, cells[0].column, "member", fmt.Sprintf("%s has a row already, on line %d", errs.Quote(string(id)), line), "one row for each member")
		return
	}
	if line, ok := f.keys[key.Nameless()]; ok {
		f.add(l, cells[1].column, "key", fmt.Sprintf("this is the key of line %d", line), "a key of its own for each member")
		return
	}
	f.first[coalition.Fold(string(id))], f.keys[key.Nameless()] = l.number, l.number
	f.members = append(f.members, coalition.Member{ID: id, Key: key})
}
