package ledger

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"muster/internal/errs"
)

// Member is one part of a bundle.
type Member struct {
	Name string
	Body []byte
}

// Members is a bundle in memory. As a [Source] it has exactly its members.
type Members []Member

// Resource returns a member.
func (m Members) Resource(_ context.Context, name string, limit int) ([]byte, error) {
	for _, member := range m {
		if member.Name != name {
			continue
		}
		if len(member.Body) > limit {
			return nil, tooLong(name, limit)
		}
		return member.Body, nil
	}
	return nil, missing(name)
}

// The file of a bundle is a tar archive (POSIX ustar) with one encoding for one
// content: regular files of mode 0644, owned by nobody, of the year 1970.
const (
	blockSize  = 512
	maxName    = 100
	maxArchive = 1 << 30
	maxMembers = 1 << 18
)

// header returns the block before a member.
func header(name string, size int) ([]byte, error) {
	if name == "" || len(name) > maxName || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fmt.Errorf("ledger: a member of a bundle with the name %q", name)
	}
	b := make([]byte, blockSize)
	copy(b, name)
	copy(b[100:], "0000644\x000000000\x000000000\x00")           // mode, user, group
	copy(b[124:], fmt.Sprintf("%011o\x0000000000000\x00", size)) // size, time
	copy(b[148:], "        0")                                   // the checksum as it is summed; a regular file
	copy(b[257:], "ustar\x0000")
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
	return b, nil
}

// EncodeArchive returns the file of a bundle.
func EncodeArchive(members []Member) ([]byte, error) {
	var out bytes.Buffer
	for _, m := range members {
		head, err := header(m.Name, len(m.Body))
		if err != nil {
			return nil, err
		}
		out.Write(head)
		out.Write(m.Body)
		out.Write(make([]byte, padding(len(m.Body))))
	}
	out.Write(make([]byte, 2*blockSize))
	if out.Len() > maxArchive {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("the bundle has %d bytes; at most %d are read", out.Len(), maxArchive), "export it as a folder")
	}
	return out.Bytes(), nil
}

func padding(size int) int { return (blockSize - size%blockSize) % blockSize }

// DecodeArchive reads the file of a bundle. It takes one encoding alone: every byte
// that is not of a member is where and what it must be. Members share b's memory.
func DecodeArchive(b []byte) (Members, error) {
	refuse := func(at string) (Members, error) {
		return nil, errs.New(errs.Invalid, "the bundle is no archive as muster writes it, "+at, "ask for another copy; unpacked into a folder, its members may still be read")
	}
	if len(b) > maxArchive || len(b)%blockSize != 0 {
		return refuse("by its length")
	}
	var members Members
	names := make(map[string]bool)
	for len(b) > 2*blockSize {
		after := "after " + lastName(members)
		if len(members) == maxMembers {
			return refuse(after)
		}
		end := bytes.IndexByte(b[:maxName+1], 0)
		var size int
		if end < 1 {
			return refuse(after)
		}
		if _, err := fmt.Sscanf(string(b[124:135]), "%o", &size); err != nil || size < 0 || size > len(b) {
			return refuse(after)
		}
		name := string(b[:min(end, maxName)])
		want, err := header(name, size)
		if err != nil || !bytes.Equal(want, b[:blockSize]) || names[name] {
			return refuse(after)
		}
		whole := size + padding(size)
		if b = b[blockSize:]; len(b) < whole+2*blockSize {
			return refuse("at " + name)
		}
		if len(bytes.Trim(b[size:whole], "\x00")) > 0 {
			return refuse("at the end of " + name)
		}
		names[name] = true
		members, b = append(members, Member{name, b[:size:size]}), b[whole:]
	}
	if len(b) != 2*blockSize || len(bytes.Trim(b, "\x00")) > 0 {
		return refuse("at its end")
	}
	return members, nil
}

func lastName(members Members) string {
	if len(members) == 0 {
		return "its beginning"
	}
	return members[len(members)-1].Name
}

// OpenArchive reads the file of a bundle and opens it: [DecodeArchive] and
// [OpenBundle], and no member may be more than the bundle has.
func OpenArchive(ctx context.Context, b []byte) (*Bundle, error) {
	members, err := DecodeArchive(b)
	if err != nil {
		return nil, err
	}
	bundle, err := OpenBundle(ctx, members.index())
	if err != nil {
		return nil, err
	}
	want := bundle.Manifest.names(bundle.View.Checkpoint.Size)
	for i, m := range members {
		if i >= len(want) || want[i] != m.Name {
			return nil, partError(m.Name, "does not belong where it is in the bundle", nil)
		}
	}
	return bundle, nil
}

// index is [Members] with a member found at once.
func (m Members) index() Source {
	byName := make(indexed, len(m))
	for _, member := range m {
		byName[member.Name] = member.Body
	}
	return byName
}

type indexed map[string][]byte

func (s indexed) Resource(_ context.Context, name string, limit int) ([]byte, error) {
	body, ok := s[name]
	if !ok {
		return nil, missing(name)
	}
	if len(body) > limit {
		return nil, tooLong(name, limit)
	}
	return body, nil
}
