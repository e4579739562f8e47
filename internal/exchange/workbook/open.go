package workbook

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/richardlehane/mscfb"
	"github.com/xuri/excelize/v2"

	"muster/internal/errs"
)

// The beginnings of files.
const (
	zipSignature      = "PK\x03\x04"
	compoundSignature = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"
)

// maxParts is how many files a workbook may hold inside.
const maxParts = 2_000

// refused are the parts that a workbook may not have: what runs, what is fetched
// from elsewhere, and files inside the file. None of them would be run or followed
// here; but a workbook that has them is not the one that was given out.
var refused = []struct{ prefix, what string }{
	{"xl/vbaproject", "macros"},
	{"xl/macrosheets/", "macros"},
	{"xl/dialogsheets/", "dialogs"},
	{"xl/activex/", "controls"},
	{"xl/externallinks/", "links to other workbooks"},
	{"xl/connections.xml", "connections to other places"},
	{"xl/querytables/", "connections to other places"},
	{"xl/model/", "connections to other places"},
	{"xl/embeddings/", "files inside"},
}

// archive is a workbook's files by their names in lower case.
type archive struct {
	parts  map[string]*zip.File
	budget int64 // bytes that may still be unpacked
}

// openArchive opens the bytes of a workbook, with its password if it has one.
func openArchive(data []byte, password string) (*archive, error) {
	if bytes.HasPrefix(data, []byte(compoundSignature)) {
		var err error
		if data, err = decrypt(data, password); err != nil {
			return nil, err
		}
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the workbook is damaged or cut off", "give the file as it was saved")
	}
	a := &archive{parts: make(map[string]*zip.File), budget: MaxUnpacked}
	if len(z.File) > maxParts {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("the workbook holds %d files", len(z.File)), fmt.Sprintf("at most %d", maxParts))
	}
	var unpacked uint64
	for _, f := range z.File {
		name := strings.ToLower(path.Clean("/" + strings.ReplaceAll(f.Name, `\`, "/")))[1:]
		for _, r := range refused {
			if strings.HasPrefix(name, r.prefix) {
				return nil, errs.New(errs.Invalid, "the workbook has "+r.what, "save it as a plain workbook (.xlsx) without them")
			}
		}
		if unpacked += f.UncompressedSize64; unpacked > MaxUnpacked || f.UncompressedSize64 > MaxUnpacked {
			return nil, tooLarge()
		}
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		if _, ok := a.parts[name]; ok {
			return nil, errs.New(errs.Invalid, "the workbook holds two files of one name", "give the file as it was saved")
		}
		a.parts[name] = f
	}
	return a, nil
}

func tooLarge() error {
	return errs.New(errs.Invalid, "the workbook is larger than 64 MiB when unpacked", "send a workbook as muster writes it")
}

// open returns a part of the workbook, to be read once; false if there is none.
// What is read counts, whatever size the archive gives.
func (a *archive) open(name string) (io.ReadCloser, bool, error) {
	f, ok := a.parts[strings.ToLower(name)]
	if !ok {
		return nil, false, nil
	}
	r, err := f.Open()
	if err != nil {
		return nil, false, errs.Wrap(err, errs.Invalid, "the workbook is damaged or cut off", "give the file as it was saved")
	}
	return &part{r, a}, true, nil
}

// part counts what is read of an archive.
type part struct {
	io.ReadCloser
	archive *archive
}

func (p *part) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	if p.archive.budget -= int64(n); p.archive.budget < 0 {
		return 0, tooLarge()
	}
	return n, err
}

// maxSpins is how often a password may have to be hashed. Spreadsheets write
// 50,000 to 100,000; the number stands in the file, which may be hostile.
const maxSpins = 1_000_000

// decrypt opens an encrypted workbook.
func decrypt(data []byte, password string) (plain []byte, err error) {
	damaged := errs.New(errs.Invalid, "the workbook is damaged or cut off", "give the file as it was saved")
	// The readers of this format have read out of bounds before. Nothing of ours
	// is half done here when they do.
	defer func() {
		if recover() != nil {
			plain, err = nil, damaged
		}
	}()
	info, err := encryptionInfo(data)
	switch {
	case err != nil:
		return nil, damaged
	case info == nil:
		return nil, errs.New(errs.Invalid, "the file is an old workbook", "save it as .xlsx")
	case password == "":
		return nil, errs.New(errs.Denied, "the workbook has a password", "give its password")
	case len(info) < 8:
		return nil, damaged
	}
	if binary.LittleEndian.Uint16(info) == 4 && spins(info[8:]) > maxSpins {
		return nil, errs.New(errs.Invalid, "the workbook's password takes too long to try", "save it with a password in LibreOffice or Excel")
	}
	plain, err = excelize.Decrypt(data, &excelize.Options{Password: password})
	if err != nil {
		if errors.Is(err, excelize.ErrUnsupportedEncryptMechanism) || errors.Is(err, excelize.ErrUnknownEncryptMechanism) {
			return nil, errs.New(errs.Invalid, "the workbook is encrypted in a way that is not known here", "save it with a password in LibreOffice or Excel")
		}
		return nil, damaged
	}
	if !bytes.HasPrefix(plain, []byte(zipSignature)) {
		return nil, errs.New(errs.Denied, "the password does not open the workbook", "give the password with which it was saved")
	}
	return plain, nil
}

// encryptionInfo returns what an encrypted workbook says of its encryption, or nil
// if the file is another compound file.
func encryptionInfo(data []byte) ([]byte, error) {
	doc, err := mscfb.New(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	for entry, err := doc.Next(); err == nil; entry, err = doc.Next() {
		if entry.Name == "EncryptionInfo" {
			return io.ReadAll(io.LimitReader(entry, 64<<10))
		}
	}
	return nil, nil
}
