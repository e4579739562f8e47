package workspace

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Store keeps a workspace. Its methods may be called concurrently.
type Store interface {
	// InTx runs fn in one transaction. When it returns nil, everything that fn put
	// is durable; otherwise nothing of it happened. fn may run more than once, and
	// transactions follow each other as if they ran one by one.
	InTx(ctx context.Context, name string, fn func(Tx) error) error

	// View runs fn on what was there at one moment, beside a transaction that
	// writes. fn may run more than once.
	View(ctx context.Context, name string, fn func(Reader) error) error
}

// Reader reads what is kept, within the function that it was given to.
type Reader interface {
	// Current returns the newest record of a key, and whether there is one. A
	// record without a value is one that was removed.
	Current(key Key) (Record, bool, error)

	// List returns the newest records of a kind and survey, and of an outcome
	// unless it is empty; those that were removed are left out. They come by
	// outcome and then by id, in the order of their bytes.
	List(kind Kind, survey SurveyID, outcome string) ([]Record, error)

	// History returns every record of a key, the earliest first.
	History(key Key) ([]Record, error)

	// All returns every record of a kind and survey, whatever took its place, the
	// earliest first.
	All(kind Kind, survey SurveyID) ([]Record, error)

	// At returns the record that a key had as that revision, and whether it had it.
	At(key Key, rev Revision) (Record, bool, error)

	// Pack returns the canonical form of a pack by its digest in hex, and whether it
	// is kept.
	Pack(digest string) ([]byte, bool, error)

	// Copy returns the copy of the piece of evidence that a reference leads to, and
	// whether there is one. The key is that of the reference.
	Copy(key Key) ([]byte, bool, error)
}

// Tx reads and writes, within the function that it was given to.
type Tx interface {
	Reader

	// Put keeps a record as the newest of its key and returns its revision, which is
	// higher than every other of the workspace; the record's own is not looked at.
	// base is the revision that it takes the place of, 0 where there was none. It is
	// a Conflict, and nothing is kept, if the newest is another.
	Put(record Record, base Revision) (Revision, error)

	// PutPack keeps the canonical form of a pack. The same again changes nothing.
	PutPack(digest string, canonical []byte) error

	// PutCopy keeps a copy in the place of the one that was there. A nil body ends it:
	// a copy that was taken out is in no history.
	PutCopy(key Key, body []byte) error
}

// Revision numbers what was kept, over the whole workspace: a higher one is later.
// 0 is what nobody has touched.
type Revision int64

// Kind says what a record is.
type Kind string

// The kinds. They are in the files of every workspace and do not change.
const (
	kindWorkspace    Kind = "workspace"    // whose workspace it is
	kindSurvey       Kind = "survey"       // one pack in one cycle
	kindCharter      Kind = "charter"      // the signed charter of a survey
	kindEntry        Kind = "entry"        // what is kept about an outcome
	kindBody         Kind = "body"         // a part of the member
	kindContribution Kind = "contribution" // a body's answer to an outcome
	kindSection      Kind = "section"      // a delegated slice
	kindComment      Kind = "comment"      //
	kindReference    Kind = "reference"    // where a piece of evidence lies
	kindFinding      Kind = "finding"      // what the verifier found
	kindOpinion      Kind = "opinion"      // the verifier's signed statement
	kindChain        Kind = "chain"        // who signs off
	kindDecision     Kind = "decision"     // what was decided at a step of the chain
	kindSealing      Kind = "sealing"      // what was sealed
	kindAction       Kind = "action"       // a line of the improvement plan
	kindRelease      Kind = "release"      // what the coalition released of the survey
	kindSetting      Kind = "setting"      // what the lead chose for the workspace
	kindApprover     Kind = "approver"     // a key that signs, as the lead registered it
	kindCopy         Kind = "copy"         // that a copy of a piece of evidence is kept, and of what
	kindNeeds        Kind = "needs"        // what a body depends on
	kindBrief        Kind = "brief"        // the speaking points of the national brief, in one language
	kindWorkbook     Kind = "workbook"     // what happened to the workbook of a body
)

// Kinds returns all of them.
func Kinds() []Kind {
	return []Kind{
		kindWorkspace, kindSurvey, kindCharter, kindEntry, kindBody, kindContribution, kindSection, kindComment,
		kindReference, kindFinding, kindOpinion, kindChain, kindDecision, kindSealing, kindAction,
		kindRelease, kindSetting, kindApprover, kindCopy, kindNeeds, kindBrief, kindWorkbook,
	}
}

// Key is the place of a record: what it is of. What does not apply is empty.
type Key struct {
	Kind    Kind
	Survey  SurveyID
	Outcome string
	ID      string // which of several
}

// String names the key for an error: it holds nothing that somebody wrote.
func (k Key) String() string {
	parts := []string{string(k.Kind)}
	for _, part := range []string{string(k.Survey), k.Outcome} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " ")
}

// Record is one revision of what is kept under a key.
type Record struct {
	Key
	Rev   Revision
	By    string    // the name of the person
	At    time.Time // in UTC and whole microseconds
	Value []byte    // JSON; nil where it was removed
}

// Revised returns which revision it is.
func (r Record) Revised() Revised { return Revised{Rev: r.Rev, By: r.By, At: r.At} }

// errNone says that nothing is kept under a key, or nothing any more.
var errNone = errors.New("nothing is kept there")

// get returns what is kept under a key. Its error is errNone where nothing is; the
// revision is right also then, for whoever puts something in its place.
func get[T any](r Reader, key Key) (T, Revised, error) {
	var value T
	record, ok, err := r.Current(key)
	if err != nil {
		return value, Revised{}, err
	}
	if !ok || record.Value == nil {
		return value, record.Revised(), errNone
	}
	return value, record.Revised(), decode(record, &value)
}

// item is one of a list.
type item[T any] struct {
	Key
	Revised
	Value T
}

func list[T any](r Reader, kind Kind, survey SurveyID, outcome string) ([]item[T], error) {
	records, err := r.List(kind, survey, outcome)
	if err != nil {
		return nil, err
	}
	items := make([]item[T], len(records))
	for i, record := range records {
		items[i].Key, items[i].Revised = record.Key, record.Revised()
		if err := decode(record, &items[i].Value); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// decode reads a record strictly: a field that is not known would be lost by the
// next save.
func decode(record Record, value any) error {
	decoder := json.NewDecoder(bytes.NewReader(record.Value))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(value)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more follows")
		}
	}
	if err != nil { // the decoder's words may quote the value
		return fmt.Errorf("%s, revision %d: what is kept cannot be read", record.Key, record.Rev)
	}
	return nil
}
