package cli

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
)

// What the coordinator's folder keeps of a collection: TASK.json with the request
// before it is asked, TASK.answer.json with the answer once it has passed every
// check. Together with the collector key the answer is the totals before
// disclosure control, so it lies where the key lies and goes when the key goes.
const (
	collectionsFolder = "collections"
	requestKind       = "muster collection request v1"
	answerKind        = "muster collection answer v1"
)

// collectionRequest is what was asked, fixed before it was asked for the first
// time: the hosts answer one request of a batch and no other, ever.
type collectionRequest struct {
	Kind    string `json:"kind"`
	Charter string `json:"charter"`
	Task    string `json:"task_id"`
	Key     string `json:"hpke_config"` // base64url, of the collector key
	Request string `json:"request"`     // base64url of DAP's CollectionJobReq
}

// collectionAnswer is what came back, and the roster that it was checked against.
type collectionAnswer struct {
	Kind       string       `json:"kind"`
	Task       string       `json:"task_id"`
	Answer     string       `json:"answer"` // base64url of DAP's CollectionJobResp
	Roster     signedText   `json:"roster"`
	Amendments []signedText `json:"amendments"`
}

// signedText is a signed file within another: its bytes in base64url, and its note.
type signedText struct {
	Body      string `json:"body"`
	Signature string `json:"signature"`
}

func (o *coordinatorFolder) collection(task dap.TaskID, ext string) string {
	return filepath.Join(o.dir, collectionsFolder, task.String()+ext)
}

// fixRequest keeps the request before it is asked, and returns what was kept the
// first time. It refuses another charter or key than those of the first time.
func (o *coordinatorFolder) fixRequest(task coalition.OpenedTask, charterDigest string, request []byte) ([]byte, error) {
	if err := o.checkCollections(charterDigest); err != nil {
		return nil, err
	}
	config64 := o.card.HPKE
	want := collectionRequest{
		Kind: requestKind, Charter: charterDigest, Task: task.ID.String(), Key: config64,
		Request: base64.RawURLEncoding.EncodeToString(request),
	}
	body, err := keys.Canonical(want)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(o.dir, collectionsFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the folder %s cannot be made", strconv.Quote(dir)), err), "")
	}
	path := o.collection(task.ID, ".json")
	if err := config.CreateSecret(path, body); err != nil && errs.KindOf(err) != errs.Conflict {
		return nil, placeError(err, dir, "make room there, and run the command again; nothing was asked")
	}
	kept, err := readRequest(path)
	if err != nil {
		return nil, err
	}
	switch {
	case kept.Task != want.Task:
		return nil, brokenCollection(path, nil)
	case kept.Charter != want.Charter:
		return nil, otherCollection(path, "under another charter, with the digest "+kept.Charter)
	case kept.Key != want.Key:
		return nil, otherCollection(path, "with another collector key")
	}
	asked, err := base64.RawURLEncoding.Strict().DecodeString(kept.Request)
	if err != nil {
		return nil, brokenCollection(path, err)
	}
	return asked, nil
}

// checkCollections refuses where the folder has collected under another charter:
// the keys of a folder are those of one cycle.
func (o *coordinatorFolder) checkCollections(charterDigest string) error {
	dir := filepath.Join(o.dir, collectionsFolder)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the folder %s cannot be read", strconv.Quote(dir)), err), "")
	}
	for _, entry := range entries {
		name := entry.Name()
		if filepath.Ext(name) != ".json" || strings.HasSuffix(name, ".answer.json") || strings.HasPrefix(name, ".") {
			continue
		}
		kept, err := readRequest(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if kept.Charter != charterDigest {
			return otherCollection(filepath.Join(dir, name), "under another charter, with the digest "+kept.Charter)
		}
	}
	return nil
}

func otherCollection(path, how string) error {
	return errs.New(errs.Conflict, fmt.Sprintf("this folder has collected %s; nothing was asked", how),
		fmt.Sprintf("a batch is collected once, with one charter and one key: repeat with those; %s says which", strconv.Quote(path)))
}

func brokenCollection(path string, err error) error {
	return errs.Wrap(err, errs.Invalid, fmt.Sprintf("%s is not as muster wrote it", strconv.Quote(path)), "restore it from a backup: a batch is collected once, with the request in it")
}

func readRequest(path string) (collectionRequest, error) {
	var kept collectionRequest
	body, err := readInput(path, "request of a collection")
	if err != nil {
		return kept, err
	}
	if err := keys.DecodeCanonical(body, &kept); err != nil || kept.Kind != requestKind {
		return kept, brokenCollection(path, err)
	}
	return kept, nil
}

// keepAnswer keeps an answer that has passed every check. Another one than was
// kept before is refused: one request has one answer.
func (o *coordinatorFolder) keepAnswer(task dap.TaskID, answer []byte, f coalition.FrozenRoster) error {
	in := collectionAnswer{
		Kind: answerKind, Task: task.String(), Answer: base64.RawURLEncoding.EncodeToString(answer),
		Roster: newSignedText(f.Roster.Body, f.Roster.Signature), Amendments: []signedText{},
	}
	for _, a := range f.Amendments {
		in.Amendments = append(in.Amendments, newSignedText(a.Body, a.Signature))
	}
	body, err := keys.Canonical(in)
	if err != nil {
		return err
	}
	path := o.collection(task, ".answer.json")
	err = config.CreateSecret(path, body)
	if errs.KindOf(err) != errs.Conflict {
		return placeError(err, filepath.Dir(path), "make room there, and run the command again: the same request gets the same answer")
	}
	kept, frozen, _, err := o.keptAnswer(task)
	if err == nil && (!bytes.Equal(kept, answer) || frozen.Digest() != f.Digest()) {
		return errs.New(errs.Conflict, "the Leader gave another answer before", "keep both, and ask both hosts: one request has one answer")
	}
	return err
}

func newSignedText(body, signature []byte) signedText {
	return signedText{base64.RawURLEncoding.EncodeToString(body), string(signature)}
}

// keptAnswer returns what keepAnswer kept, or ok false.
func (o *coordinatorFolder) keptAnswer(task dap.TaskID) (answer []byte, f coalition.FrozenRoster, ok bool, err error) {
	path := o.collection(task, ".answer.json")
	body, err := readInput(path, "answer of a collection")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, f, false, nil
	}
	if err != nil {
		return nil, f, false, err
	}
	var in collectionAnswer
	if err := keys.DecodeCanonical(body, &in); err != nil || in.Kind != answerKind || in.Task != task.String() {
		return nil, f, false, brokenCollection(path, err)
	}
	broken := func(err error) ([]byte, coalition.FrozenRoster, bool, error) {
		return nil, coalition.FrozenRoster{}, false, brokenCollection(path, err)
	}
	if answer, err = base64.RawURLEncoding.Strict().DecodeString(in.Answer); err != nil {
		return broken(err)
	}
	if f.Roster.Body, err = base64.RawURLEncoding.Strict().DecodeString(in.Roster.Body); err != nil {
		return broken(err)
	}
	f.Roster.Signature = []byte(in.Roster.Signature)
	for _, text := range in.Amendments {
		a := coalition.SignedAmendment{Signature: []byte(text.Signature)}
		if a.Body, err = base64.RawURLEncoding.Strict().DecodeString(text.Body); err != nil {
			return broken(err)
		}
		f.Amendments = append(f.Amendments, a)
	}
	return answer, f, true, nil
}

// rosterFile is the roster in a folder of results; amendments lie beside it.
const rosterFile = "roster.json"

func amendmentFile(number int) string { return fmt.Sprintf("amendment-%d.json", number) }

// frozenFiles returns a roster with its amendments as files, signatures first.
func frozenFiles(f coalition.FrozenRoster) []outputFile {
	files := []outputFile{{rosterFile + sigExt, f.Roster.Signature, 0o644}, {rosterFile, f.Roster.Body, 0o644}}
	for i, a := range f.Amendments {
		name := amendmentFile(i + 1)
		files = append(files, outputFile{name + sigExt, a.Signature, 0o644}, outputFile{name, a.Body, 0o644})
	}
	return files
}

// readFrozen reads a roster and the amendments that lie beside it. Whoever uses
// them opens them.
func readFrozen(path string) (coalition.FrozenRoster, error) {
	file, err := readSigned(path, "roster")
	if err != nil {
		return coalition.FrozenRoster{}, err
	}
	f := coalition.FrozenRoster{Roster: coalition.SignedRoster(file)}
	for n := 1; exists(filepath.Join(filepath.Dir(path), amendmentFile(n))); n++ {
		file, err := readSigned(filepath.Join(filepath.Dir(path), amendmentFile(n)), "amendment")
		if err != nil {
			return coalition.FrozenRoster{}, err
		}
		f.Amendments = append(f.Amendments, coalition.SignedAmendment(file))
	}
	return f, nil
}
