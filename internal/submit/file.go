package submit

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

const sealedKind = "muster sealed submission v1"

// MaxFileSize bounds a sealed file: an upload of [dap.MaxUploadSize] in
// base64url, a receipt and its note.
const MaxFileSize = 2 << 20

// File is a sealed submission as a file, for a machine that is never on a
// network: whoever carries it needs neither answers nor a key, and learns what
// the host learns that it is delivered to first. docs/spec/sealed-file.md
// specifies it.
type File struct {
	Charter string // hex SHA-256 of the charter that it was sealed under
	Marking string // the charter's
	Submission
}

// sealedFile is the form of a [File]. What is base64url in it was signed or is
// sealed, and must not be written anew.
type sealedFile struct {
	Kind      string `json:"kind"`
	Charter   string `json:"charter"`
	Marking   string `json:"marking,omitempty"`
	Receipt   string `json:"receipt"`   // base64url of the receipt
	Signature string `json:"signature"` // the note over it
	Upload    string `json:"upload"`    // base64url of DAP's UploadRequest
}

// Encode returns the canonical form.
func (f File) Encode() ([]byte, error) {
	b, err := keys.Canonical(sealedFile{
		Kind: sealedKind, Charter: f.Charter, Marking: f.Marking, Signature: string(f.Receipt.Signature),
		Receipt: base64.RawURLEncoding.EncodeToString(f.Receipt.Body), Upload: base64.RawURLEncoding.EncodeToString(f.Upload),
	})
	if err == nil && len(b) > MaxFileSize {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("the sealed file would have %d bytes; a host takes no more than %d", len(b), MaxFileSize), "")
	}
	return b, err
}

// ReadFile reads the form of a sealed file, which anyone may have written.
// [File.Open] checks what is in it.
func ReadFile(data []byte) (File, error) {
	invalid := func(err error) (File, error) {
		return File{}, errs.Wrap(err, errs.Invalid, "this is no sealed file as muster wrote it", "copy it again from where muster submit seal wrote it; nothing was sent")
	}
	if len(data) > MaxFileSize {
		return File{}, errs.New(errs.Invalid, fmt.Sprintf("a file of %d bytes is no sealed file", len(data)), "")
	}
	var head struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return invalid(err)
	}
	if head.Kind != sealedKind {
		hint := "give the file that muster submit seal wrote"
		if strings.HasPrefix(head.Kind, "muster sealed submission ") {
			hint = "a newer muster wrote it: use that version to upload it"
		}
		return File{}, errs.New(errs.Invalid, "the file is of kind "+errs.Quote(head.Kind)+" and no sealed submission", hint)
	}
	var in sealedFile
	if err := keys.DecodeCanonical(data, &in); err != nil {
		return invalid(err)
	}
	f := File{Charter: in.Charter, Marking: in.Marking}
	f.Receipt.Signature = []byte(in.Signature)
	for _, part := range []struct {
		text string
		to   *[]byte
	}{{in.Receipt, &f.Receipt.Body}, {in.Upload, &f.Upload}} {
		b, err := base64.RawURLEncoding.Strict().DecodeString(part.text)
		if err != nil {
			return invalid(err)
		}
		*part.to = b
	}
	// One form: the decoder passes over line ends in base64.
	if again, err := f.Encode(); err != nil || string(again) != string(data) {
		return invalid(err)
	}
	return f, nil
}

// Opened is a sealed file that belongs to a charter.
type Opened struct {
	Submission
	Task    coalition.OpenedTask
	Receipt coalition.Receipt // what Submission.Receipt says
}

// Open checks, without a network and without a key, that the file is what its
// member signed for a task of the charter, and that both hosts will be able to
// read it as far as that can be seen from outside. Whether its answers are well
// formed only the hosts find out.
func (f File) Open(charter coalition.Charter) (Opened, error) {
	refuse := func(message, hint string) (Opened, error) { return Opened{}, errs.New(errs.Invalid, message, hint) }
	const again = "copy the file again, or seal the answers again"
	digest, err := charter.Digest()
	if err != nil {
		return Opened{}, err
	}
	if f.Charter != digest {
		return refuse("the file was sealed under another charter, with the digest "+errs.Quote(f.Charter),
			"give that charter if it is in force; if it was replaced, seal the answers again under the new one")
	}
	if f.Marking != charter.Marking {
		return refuse(fmt.Sprintf("the file is marked %s and the charter %s", errs.Quote(f.Marking), errs.Quote(charter.Marking)), again)
	}
	o := Opened{Submission: f.Submission}
	if o.Task, err = taskOf(charter, f.Submission.Receipt.Body); err != nil {
		return Opened{}, err
	}
	if o.Receipt, err = f.Submission.Receipt.Open(o.Task.ID, o.Task.MemberKey); err != nil {
		return Opened{}, err
	}
	upload, err := dap.Decode[dap.UploadRequest](o.Task.Variant, f.Upload)
	if err != nil {
		return Opened{}, errs.Wrap(err, errs.Invalid, "the upload in the file cannot be read", again)
	}
	if len(upload.Reports) != 1 {
		return refuse(fmt.Sprintf("the file holds %d submissions; a sealed file holds one", len(upload.Reports)), again)
	}
	return o, o.check(upload.Reports[0])
}

// taskOf returns the task of the charter that a receipt names. It trusts
// nothing: the receipt is opened afterwards.
func taskOf(charter coalition.Charter, receipt []byte) (coalition.OpenedTask, error) {
	var named struct {
		Task string `json:"task_id"`
	}
	if err := json.Unmarshal(receipt, &named); err != nil {
		return coalition.OpenedTask{}, errs.Wrap(err, errs.Invalid, "the receipt in the file cannot be read", "copy the file again, or seal the answers again")
	}
	for _, cohort := range charter.Cohorts {
		if cohort.Task.ID == named.Task {
			return charter.OpenTask(cohort.ID)
		}
	}
	return coalition.OpenedTask{}, errs.New(errs.Invalid, "the file belongs to no cohort of the charter", "seal the answers again under this charter")
}

// check holds the report against the receipt and the charter.
func (o Opened) check(report dap.Report) error {
	refuse := func(message string) error {
		return errs.New(errs.Invalid, message, "copy the file again, or seal the answers again")
	}
	if id := report.ReportMetadata.ReportID.String(); id != o.Receipt.Report {
		return refuse("the receipt in the file is for another submission")
	}
	for _, part := range []struct {
		host       string
		want       string
		ciphertext dap.HpkeCiphertext
		keys       dap.HpkeConfigList
	}{
		{"Leader", o.Receipt.Leader, report.LeaderEncryptedInputShare, o.Task.LeaderHPKE},
		{"Helper", o.Receipt.Helper, report.HelperEncryptedInputShare, o.Task.HelperHPKE},
	} {
		digest, err := coalition.PartDigest(report.ReportMetadata, report.PublicShare, part.ciphertext)
		if err != nil {
			return err
		}
		if fmt.Sprintf("%x", digest) != part.want {
			return refuse(fmt.Sprintf("the half for the %s is not the one that the receipt is for", part.host))
		}
		known := false
		for _, config := range part.keys {
			known = known || config.ID == part.ciphertext.ConfigID
		}
		if !known {
			return refuse(fmt.Sprintf("the half for the %s is sealed for a key that the charter does not list", part.host))
		}
	}
	switch {
	case !o.Task.Interval.Contains(report.ReportMetadata.Time):
		return refuse("the submission in the file carries a time from outside the cycle")
	case len(report.ReportMetadata.PublicExtensions) > 0:
		return refuse("the submission in the file has an extension, which no host knows")
	}
	return nil
}
