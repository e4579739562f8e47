package exchange

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/framework"
)

const (
	// MaxMembers is how many members' files a folder may have.
	MaxMembers = 2000
	// maxEntries is how many entries of a folder are looked at.
	maxEntries = 10 * MaxMembers
	// maxFolderFaults is how many faults of a folder are enough to stop reading files.
	maxFolderFaults = 10 * errs.MaxFaults
)

// ReadFolder reads a folder with one file of answers a member, named after it: the
// file "Ostmere.csv" holds the answers of the member "Ostmere". dirName is what
// faults call the folder.
//
// It returns the members' assessments sorted by name (by their bytes), and the names
// of the entries that are no files of answers, so that the caller can warn: a
// mistyped "Ostmere.cvs" must not make a member late unnoticed. Those names are as
// the folder has them and need quoting. Entries that begin with a dot are passed over.
//
// The error is an [errs.Faults] with the faults of all files, or another error if the
// folder cannot be read; then there are no assessments. It is a fault if two files
// are of one member (see [coalition.Fold]), if there is no file at all, and if what is
// named like a file of answers is not a regular file: links are not followed and
// pipes are not opened, for they could lead out of the folder or never end. fsys
// should be an [os.Root]'s, which holds even if the folder changes meanwhile.
func ReadFolder(fsys fs.FS, dirName string, p *framework.Pack) (assessments []*assess.Assessment, ignored []string, err error) {
	f, err := readFolder(fsys, dirName, newReader(p))
	return f.Assessments, f.Ignored, err
}

// Previous is what a folder of an earlier cycle's answers holds. Assessments and
// Ignored are as of [ReadFolder], but that an assessment may lack outcomes.
type Previous struct {
	Assessments []*assess.Assessment
	Differences []Difference // of the members that have one, sorted by name
	Ignored     []string
}

// Difference says how the outcomes that a member answered in an earlier cycle
// differ from the framework's.
type Difference struct {
	Member  string
	Missing []string // of the framework, and without an answer, in its order
	Gone    []string // answered, and not of the framework, in the file's order
}

// ReadPreviousFolder reads a folder of an earlier cycle's answers as [ReadFolder]
// does, but that a framework changes from one cycle to the next: an outcome
// without a row has no previous answer, and a row of an outcome that the framework
// does not have, but could have had by its id, is left aside. Both are named in
// Differences, for they may be mistakes. All else is a fault as it is in answers of
// this cycle, in rows that are left aside as well.
//
// With an error, Previous has nothing but Ignored.
func ReadPreviousFolder(fsys fs.FS, dirName string, p *framework.Pack) (Previous, error) {
	reader := newReader(p)
	reader.previous = true
	return readFolder(fsys, dirName, reader)
}

func readFolder(fsys fs.FS, dirName string, reader *reader) (Previous, error) {
	entries, faults, err := readDir(fsys, dirName)
	if err != nil {
		return Previous{}, err
	}
	var ignored []string
	d := &folder{fsys: fsys, dirName: dirName, files: make(map[string]string), faults: faults}
	var named []member
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		if strings.ToLower(path.Ext(name)) != answersExt {
			ignored = append(ignored, name)
			continue
		}
		if len(named) == MaxMembers {
			d.fault("", fmt.Sprintf("the folder has files of more than %d members", MaxMembers), fmt.Sprintf("at most %d", MaxMembers))
			break
		}
		if m, ok := d.member(entry); ok {
			named = append(named, m)
		}
	}
	if len(named) == 0 && len(d.faults) == 0 {
		d.fault("", "the folder has no file of answers", "one file a member, named member.csv")
	}

	var found Previous
	for _, m := range named {
		if len(d.faults) >= maxFolderFaults {
			break
		}
		answers, difference, err := d.read(reader, m)
		if faults, ok := errors.AsType[errs.Faults](err); ok {
			d.faults = append(d.faults, faults...)
			continue
		}
		if err != nil {
			return Previous{Ignored: ignored}, err
		}
		found.Assessments = append(found.Assessments, &assess.Assessment{Member: m.name, Answers: answers})
		if len(difference.Missing)+len(difference.Gone) > 0 {
			difference.Member = m.name
			found.Differences = append(found.Differences, difference)
		}
	}
	if err := d.faults.Err(); err != nil {
		return Previous{Ignored: ignored}, err
	}
	slices.SortFunc(found.Assessments, func(a, b *assess.Assessment) int { return strings.Compare(a.Member, b.Member) })
	slices.SortFunc(found.Differences, func(a, b Difference) int { return strings.Compare(a.Member, b.Member) })
	found.Ignored = ignored
	return found, nil
}

// folder is a folder while it is read.
type folder struct {
	fsys    fs.FS
	dirName string
	files   map[string]string // by [coalition.Fold] of the member, the file that came first
	faults  errs.Faults
}

// member is a member and the file that is named after it.
type member struct{ name, file string }

// fault adds a fault of one entry, or of the folder itself if file is empty. An
// entry's name goes into a fault's place only after it was checked: it may hold
// anything. What is a whole file's, or the folder's, is said of line 1, column 1, so
// that every fault has the form that editors and scripts take apart.
func (d *folder) fault(file, message, allowed string) {
	d.faults = append(d.faults, d.whole(file, message, allowed))
}

func (d *folder) whole(file, message, allowed string) errs.Fault {
	return errs.Fault{File: d.place(file), Line: 1, Column: 1, Message: message, Allowed: allowed}
}

// place returns how faults call an entry, or the folder itself if file is empty.
func (d *folder) place(file string) string { return filepath.Join(cmp.Or(d.dirName, "."), file) }

// member checks an entry that is named like a file of answers.
func (d *folder) member(entry fs.DirEntry) (member, bool) {
	file := entry.Name()
	name, err := MemberName(file)
	if err != nil {
		description := errs.Describe(err)
		d.fault("", description.Message, description.Hint)
		return member{}, false
	}
	if !entry.Type().IsRegular() {
		d.fault(file, "this is "+kindOf(entry.Type()), "a regular file")
		return member{}, false
	}
	key := coalition.Fold(name)
	if first, ok := d.files[key]; ok {
		message := fmt.Sprintf("%s and %s are files of one member: neither case nor the way an accent is written tells members apart",
			errs.Quote(first), errs.Quote(file))
		if norm.NFC.String(first) == norm.NFC.String(file) {
			// They look alike, so only their letters' numbers tell them apart.
			message = fmt.Sprintf("%+q and %+q are files of one member: the same name in two encodings of its letters", first, file)
		}
		d.fault(file, message, "one file a member")
		return member{}, false
	}
	d.files[key] = file
	return member{name, file}, true
}

// kindOf names what is not a regular file.
func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "a link"
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	}
	return "not a file"
}

// read reads one member's file.
func (d *folder) read(reader *reader, m member) (map[string]assess.Answer, Difference, error) {
	unreadable := func(err error) (map[string]assess.Answer, Difference, error) {
		if pathError, ok := errors.AsType[*fs.PathError](err); ok {
			err = pathError.Err
		}
		return nil, Difference{}, errs.Faults{d.whole(m.file, "the file cannot be read: "+err.Error(), "")}
	}
	f, err := d.fsys.Open(m.file)
	if err != nil {
		return unreadable(err)
	}
	defer f.Close() // nothing was written
	// The entry may have been exchanged for another since it was listed.
	info, err := f.Stat()
	if err != nil {
		return unreadable(err)
	}
	if !info.Mode().IsRegular() {
		return nil, Difference{}, errs.Faults{d.whole(m.file, "this is "+kindOf(info.Mode()), "a regular file")}
	}
	return reader.read(d.place(m.file), f)
}

// readDir returns the entries of the folder sorted by name, no more than maxEntries,
// and a fault if there are more.
func readDir(fsys fs.FS, dirName string) ([]fs.DirEntry, errs.Faults, error) {
	f, err := fsys.Open(".")
	if err != nil {
		return nil, nil, fmt.Errorf("open folder %s: %w", errs.Quote(dirName), err)
	}
	defer f.Close() // nothing was written
	dir, ok := f.(fs.ReadDirFile)
	if !ok {
		return nil, nil, errs.New(errs.Invalid, errs.Quote(dirName)+" is not a folder", "")
	}
	entries, err := dir.ReadDir(maxEntries + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("read folder %s: %w", errs.Quote(dirName), err)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	if len(entries) > maxEntries {
		return entries[:maxEntries], errs.Faults{{
			File: cmp.Or(dirName, "."), Line: 1, Column: 1, Message: fmt.Sprintf("the folder has more than %d entries", maxEntries),
			Allowed: "a folder for the answers alone",
		}}, nil
	}
	return entries, nil, nil
}
