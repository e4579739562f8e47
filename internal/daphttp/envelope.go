package daphttp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
)

// mediaJSON is the media type of the resources beside DAP.
const mediaJSON dap.MediaType = "application/json"

// The sizes of signed files on the wire, in bytes.
const (
	maxReceiptEnvelope  = 32 << 10 // a receipt of 4 KiB and a note of 16 KiB
	maxAddendumEnvelope = 64 << 10 // an addendum and a note of 16 KiB each
	maxListEnvelope     = 8 << 20  // a roster or an amendment: some 20,000 members
	maxFrozenEnvelope   = 24 << 20 // a roster and its amendments, which all together strike no more than it lists
)

// envelope carries a signed file: its canonical bytes in unpadded base64url,
// because they are signed and must not be written anew, and the note as text.
type envelope struct {
	Receipt   *string `json:"receipt,omitempty"`
	Roster    *string `json:"roster,omitempty"`
	Amendment *string `json:"amendment,omitempty"`
	Addendum  *string `json:"addendum,omitempty"`
	Signature string  `json:"signature"`
}

// field returns the place for a file of that name.
func (e *envelope) field(name string) **string {
	switch name {
	case "roster":
		return &e.Roster
	case "amendment":
		return &e.Amendment
	case "addendum":
		return &e.Addendum
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
	var e envelope
	if err := decodeJSON(data, &e); err != nil {
		return invalid(err)
	}
	return e.open(name, invalid)
}

// open returns the one file in the envelope, which must be called name.
func (e envelope) open(name string, invalid func(error) ([]byte, []byte, error)) (body, signature []byte, err error) {
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

// decodeJSON reads one document into v and refuses members that v does not have.
func decodeJSON(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("bytes after the document")
	}
	return nil
}

// frozenEnvelope carries a roster with its amendments, in order.
type frozenEnvelope struct {
	envelope
	Amendments []envelope `json:"amendments"`
}

func sealFrozen(f coalition.FrozenRoster) ([]byte, error) {
	text := base64.RawURLEncoding.EncodeToString(f.Roster.Body)
	out := frozenEnvelope{envelope: envelope{Roster: &text, Signature: string(f.Roster.Signature)}, Amendments: []envelope{}}
	for _, a := range f.Amendments {
		text := base64.RawURLEncoding.EncodeToString(a.Body)
		out.Amendments = append(out.Amendments, envelope{Amendment: &text, Signature: string(a.Signature)})
	}
	return json.Marshal(out)
}

// unsealFrozen trusts nothing: who uses the roster opens it.
func unsealFrozen(data []byte) (coalition.FrozenRoster, error) {
	invalid := func(cause error) ([]byte, []byte, error) { return nil, nil, cause }
	var in frozenEnvelope
	if err := decodeJSON(data, &in); err != nil {
		return coalition.FrozenRoster{}, err
	}
	if in.Amendments == nil {
		return coalition.FrozenRoster{}, errors.New("no list of amendments")
	}
	var f coalition.FrozenRoster
	var err error
	if f.Roster.Body, f.Roster.Signature, err = in.open("roster", invalid); err != nil {
		return coalition.FrozenRoster{}, err
	}
	for _, e := range in.Amendments {
		var a coalition.SignedAmendment
		if a.Body, a.Signature, err = e.open("amendment", invalid); err != nil {
			return coalition.FrozenRoster{}, err
		}
		f.Amendments = append(f.Amendments, a)
	}
	return f, nil
}

// addendaEnvelope carries a host's addenda, in order.
type addendaEnvelope struct {
	Addenda []envelope `json:"addenda"`
}

func sealAddenda(list []coalition.SignedAddendum) ([]byte, error) {
	out := addendaEnvelope{Addenda: []envelope{}}
	for _, a := range list {
		text := base64.RawURLEncoding.EncodeToString(a.Body)
		out.Addenda = append(out.Addenda, envelope{Addendum: &text, Signature: string(a.Signature)})
	}
	return json.Marshal(out)
}

// unsealAddenda trusts nothing: who uses the addenda checks their signatures.
func unsealAddenda(data []byte) ([]coalition.SignedAddendum, error) {
	invalid := func(cause error) ([]byte, []byte, error) { return nil, nil, cause }
	var in addendaEnvelope
	if err := decodeJSON(data, &in); err != nil {
		return nil, err
	}
	if in.Addenda == nil {
		return nil, errors.New("no list of addenda")
	}
	var list []coalition.SignedAddendum
	for _, e := range in.Addenda {
		var a coalition.SignedAddendum
		var err error
		if a.Body, a.Signature, err = e.open("addendum", invalid); err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

func sealAcknowledgement(ack coalition.Acknowledgement) ([]byte, error) { return json.Marshal(ack) }

func unsealAcknowledgement(data []byte) (coalition.Acknowledgement, error) {
	var ack coalition.Acknowledgement
	return ack, decodeJSON(data, &ack)
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
