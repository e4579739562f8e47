package ledger

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

// bundleKind is the form of a bundle's manifest.
const bundleKind = "muster ledger bundle v1"

// The members of a bundle besides the ledger's own resources.
const (
	manifestName    = "bundle.json"
	checkpointsName = "checkpoints/" // earlier checkpoints, by their size
	filesName       = "files/"       // signed files, by SHA-256
	receiptsName    = "receipts/"    // TASK.jsonl, where the reader was admitted
)

// Limits of a bundle, in bytes and numbers.
const (
	maxManifest    = 1 << 20
	maxFile        = 64 << 20
	maxReceipts    = 256 << 20
	maxFiles       = 4096
	maxCheckpoints = 4096
)

// The kinds of files in a bundle: each is named by the digest of a statement of
// that kind.
func fileKinds() []Kind {
	return []Kind{KindFramework, KindCharter, KindAddendum, KindRoster, KindAmendment, KindRelease, KindEdition, KindWipe, KindSilence}
}

// Manifest says what is in a bundle. Nothing in it is trusted: it names parts, and
// every part is checked against the ledger.
type Manifest struct {
	Kind        string         `json:"kind"`
	Cycle       string         `json:"cycle"`
	Checkpoints []uint64       `json:"checkpoints"` // sizes of the earlier ones, ascending
	Files       []ManifestFile `json:"files"`       // by digest
	Receipts    []string       `json:"receipts"`    // the tasks of which receipts are there, ascending
	Overlaps    []Overlap      `json:"overlaps,omitempty"`
}

// ManifestFile is a signed file in a bundle. Its signatures stand in the ledger.
type ManifestFile struct {
	Digest string `json:"digest"` // hex SHA-256
	Kind   Kind   `json:"kind"`
}

// Bundle is one cycle of a coalition with the whole ledger around it: all that is
// needed to check the cycle without a network. What [OpenBundle] returns is whole and
// fits together; who signed what is for the reader to check, with keys and a policy
// of its own: [Policy.Verify] on Checkpoint, [Statement.Verify] on each statement.
type Bundle struct {
	Manifest   Manifest
	Checkpoint []byte            // the note
	Earlier    map[uint64][]byte // notes, by size
	View       *View
	Statements []Statement                          // of the whole ledger, by number
	Files      map[string][]byte                    // by digest
	Receipts   map[string][]coalition.SignedReceipt // by task
}

// OpenBundle reads a bundle, checks every part against the ledger and the ledger
// against its checkpoint. What does not fit is named by a [Part].
func OpenBundle(ctx context.Context, source Source) (*Bundle, error) {
	return openBundle(ctx, source, maxArchive) // a folder is no larger than one file is
}

func openBundle(ctx context.Context, source Source, most int) (*Bundle, error) {
	source = &bounded{source, most, most}
	b := &Bundle{Earlier: make(map[uint64][]byte), Files: make(map[string][]byte), Receipts: make(map[string][]coalition.SignedReceipt)}
	if err := b.readManifest(ctx, source); err != nil {
		return nil, err
	}
	var err error
	if b.Checkpoint, err = source.Resource(ctx, CheckpointName, MaxCheckpoint); err != nil {
		return nil, &Part{CheckpointName, err}
	}
	c, err := ReadCheckpoint(b.Checkpoint)
	if err != nil {
		return nil, &Part{CheckpointName, err}
	}
	for _, f := range b.Manifest.Files { // before the entries are read: what was changed shows at once
		if err := b.readBody(ctx, source, f); err != nil {
			return nil, err
		}
	}
	if b.View, err = ReadView(ctx, source, c); err != nil {
		return nil, err
	}
	if b.Statements, err = b.View.Statements(); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(b.Statements, func(s Statement) bool { return s.Cycle == b.Manifest.Cycle }) {
		return nil, partError(manifestName, fmt.Sprintf("names the cycle %s, of which the ledger has nothing", errs.Quote(b.Manifest.Cycle)), nil)
	}
	for _, size := range b.Manifest.Checkpoints {
		if err := b.readEarlier(ctx, source, size); err != nil {
			return nil, err
		}
	}
	if err := b.checkNamed(); err != nil {
		return nil, err
	}
	for _, task := range b.Manifest.Receipts {
		if err := b.readReceipts(ctx, source, task); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// bounded is a source that gives no more than so many bytes in all: a folder names its
// parts itself, and most are read before anything says that they belong.
type bounded struct {
	Source
	most, left int
}

func (s *bounded) Resource(ctx context.Context, name string, limit int) ([]byte, error) {
	body, err := s.Source.Resource(ctx, name, min(limit, s.left))
	if s.left < limit && err != nil && errs.Describe(err).Message == errs.Describe(tooLong(name, s.left)).Message {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("%s is behind the first %d bytes of the bundle, and no more are read", errs.Quote(name), s.most), "ask for another copy of the bundle")
	}
	s.left -= len(body)
	return body, err
}

func (b *Bundle) readManifest(ctx context.Context, source Source) error {
	body, err := source.Resource(ctx, manifestName, maxManifest)
	if err != nil {
		return &Part{manifestName, err}
	}
	if err := keys.DecodeCanonical(body, &b.Manifest); err != nil {
		return partError(manifestName, "cannot be read", err)
	}
	return b.Manifest.check()
}

func (m Manifest) check() error {
	invalid := func(what string) error { return partError(manifestName, what, nil) }
	switch {
	case m.Kind != bundleKind:
		return invalid("is of kind " + errs.Quote(m.Kind))
	case coalition.NameFault(m.Cycle) != "":
		return invalid("has a cycle whose name " + coalition.NameFault(m.Cycle))
	case m.Checkpoints == nil || m.Files == nil || m.Receipts == nil:
		return invalid("has null in place of a list")
	case len(m.Checkpoints) > maxCheckpoints || len(m.Files) > maxFiles || len(m.Receipts) > maxFiles:
		return invalid("names too many parts")
	case !ascending(m.Checkpoints) || !ascending(m.Receipts) || !ascending(digests(m.Files)):
		return invalid("names a part twice or out of order")
	}
	for _, f := range m.Files {
		if !isDigest(f.Digest) || !slices.Contains(fileKinds(), f.Kind) {
			return invalid("names a file " + errs.Quote(f.Digest) + " of kind " + errs.Quote(string(f.Kind)))
		}
	}
	for _, task := range m.Receipts {
		if _, err := dap.ParseTaskID(task); err != nil {
			return invalid("names a task " + errs.Quote(task))
		}
	}
	if wrong := m.checkOverlaps(); wrong != "" {
		return invalid(wrong)
	}
	return nil
}

func ascending[T string | uint64](list []T) bool {
	for i := 1; i < len(list); i++ {
		if list[i-1] >= list[i] {
			return false
		}
	}
	return true
}

func digests(files []ManifestFile) []string {
	list := make([]string, len(files))
	for i, f := range files {
		list[i] = f.Digest
	}
	return list
}

// names returns the members of the bundle in the order in which they are written.
func (m Manifest) names(size uint64) []string {
	names := []string{manifestName, CheckpointName}
	for _, earlier := range m.Checkpoints {
		names = append(names, checkpointsName+strconv.FormatUint(earlier, 10))
	}
	names = append(names, Resources(size)...)
	for _, f := range m.Files {
		names = append(names, filesName+f.Digest)
	}
	for _, task := range m.Receipts {
		names = append(names, receiptsName+task+".jsonl")
	}
	return names
}

// readEarlier reads an earlier checkpoint, which the ledger must follow from.
func (b *Bundle) readEarlier(ctx context.Context, source Source, size uint64) error {
	name := checkpointsName + strconv.FormatUint(size, 10)
	note, err := source.Resource(ctx, name, MaxCheckpoint)
	if err != nil {
		return &Part{name, err}
	}
	c, err := ReadCheckpoint(note)
	if err != nil {
		return &Part{name, err}
	}
	if c.Size != size || c.Origin != b.View.Checkpoint.Origin {
		return partError(name, "is of another size than its name, or of another ledger than "+errs.Quote(CheckpointName), nil)
	}
	if err := b.View.Consistent(c); err != nil {
		return &Part{name, err}
	}
	b.Earlier[size] = note
	return nil
}

// Named returns the statement of the bundle's cycle that names a file.
func (b *Bundle) Named(kind Kind, digest string) (Statement, bool) {
	for _, s := range b.Statements {
		if s.Kind == kind && s.Cycle == b.Manifest.Cycle && s.Fields["digest"] == digest {
			return s, true
		}
	}
	return Statement{}, false
}

// Of returns the statements of a kind of the bundle's cycle, by number.
func (b *Bundle) Of(kind Kind) []Statement {
	var list []Statement
	for _, s := range b.Statements {
		if s.Kind == kind && s.Cycle == b.Manifest.Cycle {
			list = append(list, s)
		}
	}
	return list
}

// Signed returns the file that a statement of [CoverFile] names with the signatures
// that stand in the ledger. ok is false if the bundle does not have it.
func (b *Bundle) Signed(s Statement) (file coalition.SignedFile, ok bool) {
	body, ok := b.Files[s.Fields["digest"]]
	return coalition.SignedFile{Body: body, Signature: []byte(s.Note)}, ok
}

// receiptLine is a line of the receipts of a task.
type receiptLine struct {
	Receipt   string `json:"receipt"` // its canonical JSON
	Signature string `json:"signature"`
}

// readReceipts reads the receipts of a task. They must be those of its roster, in
// its order, and those of the ledger.
func (b *Bundle) readReceipts(ctx context.Context, source Source, task string) error {
	name := receiptsName + task + ".jsonl"
	body, err := source.Resource(ctx, name, maxReceipts)
	if err != nil {
		return &Part{name, err}
	}
	id, err := dap.ParseTaskID(task)
	if err != nil {
		return err
	}
	rosters := b.Of(KindRoster)
	i := slices.IndexFunc(rosters, func(s Statement) bool { return s.Fields["task_id"] == task })
	if i < 0 || b.Files[rosters[i].Fields["digest"]] == nil {
		return partError(name, "is of a task whose roster is not in the bundle", nil)
	}
	roster, err := coalition.ParseRoster(b.Files[rosters[i].Fields["digest"]], id)
	if err != nil {
		return &Part{filesName + rosters[i].Fields["digest"], err}
	}
	lines := bytes.SplitAfter(body, []byte("\n"))
	if len(lines) != len(roster.Entries)+1 || len(lines[len(lines)-1]) > 0 {
		return partError(name, fmt.Sprintf("has not one line for each of %d submissions on the roster", len(roster.Entries)), nil)
	}
	receipts := make([]coalition.SignedReceipt, len(roster.Entries))
	wrong := Each(runtime.GOMAXPROCS(0), len(roster.Entries), func(n int) error {
		var line receiptLine
		if err := keys.DecodeCanonical(bytes.TrimSuffix(lines[n], []byte("\n")), &line); err != nil {
			return partError(name, fmt.Sprintf("has a line %d that cannot be read", n+1), err)
		}
		receipts[n] = coalition.SignedReceipt{Body: []byte(line.Receipt), Signature: []byte(line.Signature)}
		if receipts[n].Digest() != roster.Entries[n].Receipt {
			return partError(name, fmt.Sprintf("has a line %d that is not the receipt on the roster", n+1), nil)
		}
		return nil
	})
	for _, err := range wrong {
		if err != nil {
			return err
		}
	}
	b.Receipts[task] = receipts
	return nil
}

// WriteBundle returns the members of a bundle, in the order of its file. The parts
// of b are given; tiles and manifest are made, so that one ledger gives one bundle.
func WriteBundle(b Bundle) ([]Member, error) {
	b.Manifest.Kind = bundleKind
	b.Manifest.Checkpoints = append([]uint64{}, slices.Sorted(maps.Keys(b.Earlier))...)
	b.Manifest.Receipts = append([]string{}, slices.Sorted(maps.Keys(b.Receipts))...)
	slices.SortFunc(b.Manifest.Files, func(x, y ManifestFile) int { return strings.Compare(x.Digest, y.Digest) })
	if b.Manifest.Files == nil {
		b.Manifest.Files = []ManifestFile{}
	}
	if err := b.Manifest.check(); err != nil {
		return nil, err
	}
	manifest, err := keys.Canonical(b.Manifest)
	if err != nil {
		return nil, err
	}
	parts := map[string][]byte{manifestName: manifest, CheckpointName: b.Checkpoint}
	for size, note := range b.Earlier {
		parts[checkpointsName+strconv.FormatUint(size, 10)] = note
	}
	for _, f := range b.Manifest.Files {
		parts[filesName+f.Digest] = b.Files[f.Digest]
	}
	for task, receipts := range b.Receipts {
		var lines []byte
		for _, r := range receipts {
			line, err := keys.Canonical(receiptLine{string(r.Body), string(r.Signature)})
			if err != nil {
				return nil, err
			}
			lines = append(append(lines, line...), '\n')
		}
		parts[receiptsName+task+".jsonl"] = lines
	}
	if err := b.View.resources(parts); err != nil {
		return nil, err
	}
	var members []Member
	for _, name := range b.Manifest.names(b.View.Checkpoint.Size) {
		members = append(members, Member{name, parts[name]})
	}
	// What is written is read back: a bundle that its maker cannot open helps nobody.
	if _, err := OpenBundle(context.Background(), Members(members).index()); err != nil {
		return nil, fmt.Errorf("the bundle as written: %w", err)
	}
	return members, nil
}

// resources puts the tiles and entries of the view under their names.
func (v *View) resources(parts map[string][]byte) error {
	for _, ref := range tiles(v.Checkpoint.Size) {
		tile, err := v.Tree.Tile(ref.level, ref.index, ref.width)
		if err != nil {
			return err
		}
		parts[TileName(ref.level, ref.index, ref.width)] = tile
		if ref.level > 0 {
			continue
		}
		first := int(ref.index) * TileWidth
		entries, err := EncodeEntries(v.Leaves[first : first+ref.width])
		if err != nil {
			return err
		}
		parts[EntriesName(ref.index, ref.width)] = entries
	}
	return nil
}
