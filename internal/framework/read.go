package framework

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"muster/internal/errs"
)

// MaxSize is how many bytes a pack's file may have.
const MaxSize = 32 << 20

// File is the name of a pack's file in its folder.
const File = "pack.yaml"

// Read reads a pack. name is the file as the person named it, for faults. A file
// with faults gives all of them as [errs.Faults], sorted by place; a file over a
// limit gives that fault alone, before anything costly is done with it. Any other
// error comes from r.
func Read(name string, r io.Reader) (*Pack, error) {
	c := &checker{file: name}
	return c.read(r)
}

// Check reads a pack as [Read] does, faults included, and also returns warnings,
// sorted by place: what is allowed but looks like an oversight, such as a text
// that nobody translated. They come with a pack and with faults alike.
func Check(name string, r io.Reader) (*Pack, errs.Faults, error) {
	c := &checker{file: name, wary: true}
	p, err := c.read(r)
	c.warnOfEchoes()
	_ = c.warnings.Err() // sorts them
	return p, c.warnings, err
}

func (c *checker) read(r io.Reader) (*Pack, error) {
	data, err := readAll(c.file, r)
	if err != nil {
		return nil, err
	}
	c.said = make(map[sentence]saying, 256)
	var p *Pack
	if c.encoding(data) && c.scan(data) {
		if root := c.parse(data); root != nil {
			p = c.pack(root)
		}
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	p.Digest = p.digest()
	return p, nil
}

func readAll(name string, r io.Reader) ([]byte, error) {
	tooLarge := errs.Faults{{File: name, Message: "the file is larger than 32 MiB", Allowed: "at most 32 MiB"}}
	var data bytes.Buffer
	if f, ok := r.(interface{ Stat() (fs.FileInfo, error) }); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			if info.Size() > MaxSize {
				return nil, tooLarge
			}
			data.Grow(int(info.Size()) + bytes.MinRead)
		}
	}
	if m, ok := r.(interface{ Len() int }); ok {
		if m.Len() > MaxSize {
			return nil, tooLarge
		}
		data.Grow(m.Len() + bytes.MinRead)
	}
	n, err := data.ReadFrom(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if n > MaxSize {
		return nil, tooLarge
	}
	return data.Bytes(), nil
}

// err returns the faults, each once: scan and the walk over the nodes see some
// of the same.
func (c *checker) err() error {
	if err := c.faults.Err(); err == nil {
		return nil
	}
	return slices.Compact(c.faults)
}

// What the YAML parser says, and which of it comes with a line counted from 0.
var (
	yamlMessage   = regexp.MustCompile(`^(?:yaml: )?(?:line ([0-9]+): )?(.*)$`)
	parserMessage = regexp.MustCompile(`^did not find expected (key|node content|'-' indicator|',' or|<)`)
)

// parse returns the root of the first document, or nil if the faults say why
// there is none.
func (c *checker) parse(data []byte) *yaml.Node {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		match := yamlMessage.FindStringSubmatch(err.Error())
		line, _ := strconv.Atoi(match[1])
		if parserMessage.MatchString(match[2]) {
			line++ // these count lines from 0
		}
		c.faultAt(max(line, 1), 0, "", "not YAML: "+match[2], "")
		return nil
	}
	if document.Kind != yaml.DocumentNode {
		c.faultAt(1, 1, "", "the file is empty", "a pack that begins with format: "+Format)
		return nil
	}
	return document.Content[0]
}

// Find returns the pack with that id among the folders of fsys, each of which
// holds one pack in [File]. It is NotFound, with what there is as the hint, if
// there is none.
func Find(fsys fs.FS, id string) (*Pack, error) {
	shown, f, err := Locate(fsys, id)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(shown, f)
}

// Locate opens the file of the pack that [Find] would read, which the caller
// closes. shown is its path, for faults.
func Locate(fsys fs.FS, id string) (shown string, file fs.File, err error) {
	if isID(id) {
		f, err := fsys.Open(path.Join(id, File))
		if err == nil {
			return path.Join("packs", id, File), f, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", nil, fmt.Errorf("open pack: %w", err)
		}
	}
	folders, _ := fs.Glob(fsys, path.Join("*", File))
	for i, folder := range folders {
		folders[i] = path.Dir(folder)
	}
	return "", nil, errs.New(errs.NotFound, "there is no pack "+errs.Quote(id),
		"the built-in packs are "+strings.Join(folders, ", ")+"; or give the path of a pack's file or folder")
}
