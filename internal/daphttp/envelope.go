package daphttp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"muster/dap"
	"muster/internal/errs"
)

// mediaJSON is the media type of the resources beside DAP.
const mediaJSON dap.MediaType = "application/json"

// The sizes of signed files on the wire, in bytes.
const (
	maxReceiptEnvelope = 32 << 10 // a receipt of 4 KiB and a note of 16 KiB
	maxListEnvelope    = 8 << 20  // a roster or an amendment: some 20,000 members
)

// envelope carries a signed file: its canonical bytes in unpadded base64url,
// because they are signed and must not be written anew, and the note as text.
type envelope struct {
	Receipt   *string `json:"receipt,omitempty"`
	Roster    *string `json:"roster,omitempty"`
	Amendment *string `json:"amendment,omitempty"`
	Signature string  `json:"signature"`
}

// field returns the place for a file of that name.
func (e *envelope) field(name string) **string {
	switch name {
	case "roster":
		return &e.Roster
	case "amendment":
		return &e.Amendment
	}
	return &e.Receipt
}

// seal returns the JSON that carries a signed file called name.
func seal(name string, body, signature []byte) ([]byte, error) {
	text := base64.RawURLEncoding.EncodeToString(body)
	e := envelope{Signature: string(signature)}
	*e.field(name) = &text
	return json.Marshal(e)
}

// unseal reads the JSON that carries a signed file called name, and no other.
func unseal(name string, data []byte) (body, signature []byte, err error) {
	invalid := func(cause error) ([]byte, []byte, error) {
		return nil, nil, errs.Wrap(cause, errs.Invalid, "the document cannot be read",
			`it reads {"`+name+`": base64url of the file, "signature": its note}`)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var e envelope
	if err := dec.Decode(&e); err != nil {
		return invalid(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return invalid(errors.New("bytes after the document"))
	}
	text := *e.field(name)
	*e.field(name) = nil
	if text == nil || e != (envelope{Signature: e.Signature}) || e.Signature == "" {
		return invalid(errors.New("other members than " + name + " and signature"))
	}
	if strings.ContainsAny(*text, "\r\n") { // which the decoder would skip
		return invalid(errors.New("line ends in base64url"))
	}
	if body, err = base64.RawURLEncoding.Strict().DecodeString(*text); err != nil {
		return invalid(err)
	}
	return body, []byte(e.Signature), nil
}

// taskOf reads which task a signed file belongs to. It trusts nothing: the
// file is opened where it arrives.
func taskOf(body []byte) (dap.TaskID, error) {
	var file struct {
		Task dap.TaskID `json:"task_id"`
	}
	if err := json.Unmarshal(body, &file); err != nil {
		return dap.TaskID{}, errs.Wrap(err, errs.Invalid, "the file names no task", "")
	}
	return file.Task, nil
}
