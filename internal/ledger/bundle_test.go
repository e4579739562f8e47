package ledger_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/ledger/ledgertest"
)

// audit is all that a reader of a bundle does: what is whole and fits, and who
// signed it.
func audit(b *ledger.Bundle, policy ledger.Policy, now time.Time) error {
	if _, err := policy.Verify(b.Checkpoint, now); err != nil {
		return &ledger.Part{Name: ledger.CheckpointName, Err: err}
	}
	charters := b.Of(ledger.KindCharter)
	file, ok := b.Signed(charters[0])
	if !ok {
		return errors.New("no charter")
	}
	c, err := coalition.SignedCharter(file).Open()
	if err != nil {
		return err
	}
	for _, s := range b.Statements {
		if err := s.Verify(ledger.PartiesOf(c)); err != nil {
			return err
		}
	}
	task, err := c.OpenTask(coalitiontest.Cohort)
	if err != nil {
		return err
	}
	if err := ledger.CheckReceipts(b.Of(ledger.KindRoster)[0], b.Of(ledger.KindReceipt)); err != nil {
		return err
	}
	for _, r := range b.Receipts[task.ID.String()] {
		if _, err := r.Open(task.ID, task.MemberKey); err != nil {
			return &ledger.Part{Name: "receipts/", Err: err}
		}
	}
	return nil
}

func openWhole(t testing.TB, members ledger.Members) *ledger.Bundle {
	t.Helper()
	b, err := ledger.OpenBundle(t.Context(), members)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBundle(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{Struck: 1})
	members := l.Bundle(t)
	archive, err := ledger.EncodeArchive(members)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ledger.EncodeArchive(ledgertest.New(t, ledgertest.Config{Struck: 1}).Bundle(t))
	if err != nil || !bytes.Equal(archive, again) {
		t.Errorf("one ledger gives two bundles, of %d and %d bytes: %v", len(archive), len(again), err)
	}
	b, err := ledger.OpenArchive(t.Context(), archive)
	if err != nil {
		t.Fatal(err)
	}
	if err := audit(b, l.Policy, l.Now); err != nil {
		t.Fatal(err)
	}
	task := l.Cycle.Task(t).ID
	frozen := coalition.FrozenRoster{}
	for _, s := range slices.Concat(b.Of(ledger.KindRoster), b.Of(ledger.KindAmendment)) {
		file, ok := b.Signed(s)
		if !ok {
			t.Fatalf("no file of the %s", s.Kind)
		}
		if s.Kind == ledger.KindRoster {
			frozen.Roster = coalition.SignedRoster(file)
		} else {
			frozen.Amendments = append(frozen.Amendments, coalition.SignedAmendment(file))
		}
	}
	roster, err := frozen.Open(task, l.Cycle.Leader.Public(), l.Cycle.Helper.Public())
	if err != nil || len(roster.Entries) != 4 {
		t.Errorf("the roster as amended has %d submissions, %v; want 4", len(roster.Entries), err)
	}
	// Whoever has the roster knows whose entry is whose.
	opener := ledger.NewOpener(frozen.Roster.Body)
	full, err := coalition.ParseRoster(frozen.Roster.Body, task)
	if err != nil {
		t.Fatal(err)
	}
	names := opener.Names(full)
	// The order in which receipts stand in the ledger is that of the pseudonyms: that of
	// the roster would give the names away.
	if !slices.IsSortedFunc(b.Of(ledger.KindReceipt), func(x, y ledger.Statement) int { return strings.Compare(x.Fields["member"], y.Fields["member"]) }) {
		t.Error("receipts are not in the order of their pseudonyms")
	}
	for _, s := range b.Of(ledger.KindReceipt) {
		member := names[s.Fields["member"]]
		i := slices.IndexFunc(full.Entries, func(e coalition.RosterEntry) bool { return e.Member == member })
		if i < 0 || opener.Receipt(member, full.Entries[i].Receipt) != s.Fields["receipt"] {
			t.Errorf("the entry of %q does not open", member)
		}
	}
	// What everybody can read names nobody and says no time of a submission.
	for i, leaf := range b.View.Leaves {
		if bytes.Contains(leaf, []byte("Member 0")) || bytes.Contains(leaf, []byte("179000000")) {
			t.Errorf("entry %d names a member, or a time: %s", i, leaf)
		}
	}
}

// Any tool unpacks a bundle: the archive is what package tar reads.
func TestArchiveIsTar(t *testing.T) {
	t.Parallel()
	members := ledgertest.New(t, ledgertest.Config{}).Bundle(t)
	archive, err := ledger.EncodeArchive(members)
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(bytes.NewReader(archive))
	for _, m := range members {
		head, err := r.Next()
		if err != nil || head.Name != m.Name || head.Mode != 0o644 || head.Typeflag != tar.TypeReg {
			t.Fatalf("%v, %v; want %s", head, err, m.Name)
		}
		if body, err := io.ReadAll(r); err != nil || !bytes.Equal(body, m.Body) {
			t.Fatalf("%s: other bytes, %v", m.Name, err)
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last member: %v", err)
	}
}

// The tiles of a bundle are also verified by the code of the Go checksum database:
// from the checkpoint down to every entry.
func TestTilesAgainstSumDB(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{Members: 300})
	b := openWhole(t, l.Bundle(t))
	reader := tlog.TileHashReader(tlog.Tree{N: int64(b.View.Checkpoint.Size), Hash: tlog.Hash(b.View.Checkpoint.Root)}, tileReader{l.Bundle(t)})
	for i, leaf := range b.View.Leaves {
		h, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(i))})
		if err != nil {
			t.Fatal(err)
		}
		if h[0] != tlog.RecordHash(leaf) {
			t.Errorf("entry %d is not the one in the tree", i)
		}
	}
	if len(b.View.Leaves) < 256 {
		t.Errorf("%d entries: no full tile was read", len(b.View.Leaves))
	}
}

type tileReader struct{ members ledger.Members }

func (tileReader) Height() int { return 8 }

func (r tileReader) ReadTiles(list []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range list {
		b, err := r.members.Resource(context.Background(), ledger.TileName(uint(tile.L), uint64(tile.N), tile.W), ledger.MaxTile)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

// Every byte of every member of a bundle is changed in turn, as a folder: each
// change is found, and what is named is the member that was changed, or that which
// names it.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	step := everyByte(7)
	l := ledgertest.New(t, ledgertest.Config{Struck: 1})
	policy := l.Policy
	policy.Threshold = len(policy.Witnesses) // so that none of them is too many
	members := l.Bundle(t)
	flips := 0
	for i, m := range members {
		for at := i % step; at < len(m.Body); at += step {
			changed := slices.Clone(members)
			changed[i].Body = slices.Clone(m.Body)
			changed[i].Body[at] ^= flip(at)
			flips++
			b, err := ledger.OpenBundle(t.Context(), changed)
			if err == nil {
				err = audit(b, policy, l.Now)
			}
			if err == nil && m.Name == ledger.CheckpointName && another(t, l, changed[i].Body) {
				continue // a cosignature became a stranger's, which counts for nothing
			}
			if err == nil {
				t.Fatalf("byte %d of %s was changed and nobody noticed", at, m.Name)
			}
			part, ok := errors.AsType[*ledger.Part](err)
			if !ok || !names(part.Name, m.Name, members) {
				t.Fatalf("byte %d of %s was changed, and it says: %v (%v)", at, m.Name, err, part)
			}
		}
	}
	t.Logf("%d bytes of %d members were changed, one at a time; each was found and named", flips, len(members))
}

// another reports whether a checkpoint has lost a cosignature to somebody whom the
// policy does not name, and says so.
func another(t *testing.T, l *ledgertest.Ledger, note []byte) bool {
	t.Helper()
	w, err := l.Policy.Read(note, l.Now)
	return err == nil && len(w.Strangers) == 1 && w.Count() == len(l.Witnesses)-1
}

// everyByte is the step between bytes that are changed: with MUSTER_LONG=1 every one
// is, else one in so many.
func everyByte(step int) int {
	if os.Getenv("MUSTER_LONG") == "1" {
		return 1
	}
	return step
}

// flip changes one bit or several, so that letters become others and nonsense.
func flip(at int) byte { return []byte{0x01, 0x20, 0x80, 0x04}[at%4] }

// names reports whether what was named is what was changed. A manifest that names
// another file or task makes a part missing: that is named then.
func names(named, changed string, members ledger.Members) bool {
	if named == changed {
		return true
	}
	known := slices.ContainsFunc(members, func(m ledger.Member) bool { return m.Name == named })
	switch changed {
	case "bundle.json":
		return !known || strings.HasPrefix(named, "files/") || strings.HasPrefix(named, "receipts/")
	case ledger.CheckpointName: // another size asks for other tiles
		return strings.HasPrefix(named, "tile/")
	}
	return strings.HasPrefix(changed, "receipts/") && named == "receipts/"
}

// The same over the bytes of the archive, headers and padding among them.
func TestEveryByteOfTheArchive(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{Members: 3, Witnesses: 1})
	archive, err := ledger.EncodeArchive(l.Bundle(t))
	if err != nil {
		t.Fatal(err)
	}
	step := everyByte(7)
	for at := 0; at < len(archive); at += step {
		changed := slices.Clone(archive)
		changed[at] ^= flip(at)
		b, err := ledger.OpenArchive(t.Context(), changed)
		if err == nil {
			err = audit(b, l.Policy, l.Now)
		}
		if err == nil {
			t.Fatalf("byte %d of %d was changed and nobody noticed", at, len(archive))
		}
	}
	for length := 0; length < len(archive); length += everyByte(64) {
		if _, err := ledger.OpenArchive(t.Context(), archive[:length]); err == nil {
			t.Fatalf("cut to %d of %d bytes and nobody noticed", length, len(archive))
		}
	}
	t.Logf("one byte in %d of %d was changed at a time, and the archive was cut; each was found", step, len(archive))
}

// Bytes behind a member are found as well as changed ones: also where a partial tile
// is filled up to a full one.
func TestLongerMembers(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{Struck: 1})
	members := l.Bundle(t)
	for i, m := range members {
		for name, more := range map[string]int{"a byte": 1, "a hash": 32, "a full tile": max(1, ledger.MaxTile-len(m.Body))} {
			longer := slices.Clone(members)
			longer[i].Body = append(slices.Clone(m.Body), make([]byte, more)...)
			b, err := ledger.OpenBundle(t.Context(), longer)
			if err == nil {
				err = audit(b, l.Policy, l.Now)
			}
			if part, ok := errors.AsType[*ledger.Part](err); !ok || !names(part.Name, m.Name, members) {
				t.Errorf("%s behind %s: %v", name, m.Name, err)
			}
		}
	}
}

// A server may have full tiles alone, where a checkpoint wants partial ones.
func TestFullTilesOfAGrownLedger(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{Members: 300})
	resources, err := l.Log.Members()
	if err != nil {
		t.Fatal(err)
	}
	view := openWhole(t, l.Bundle(t)).View
	const size = 100
	root, err := ledger.RootAt(view.Tree, size)
	if err != nil {
		t.Fatal(err)
	}
	earlier, err := ledger.ReadView(t.Context(), resources, ledger.Checkpoint{Origin: "ledger.example", Size: size, Root: root})
	if err != nil || len(earlier.Leaves) != size {
		t.Errorf("the ledger as it was: %v", err)
	}
}

func TestArchiveRefusals(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{})
	members := l.Bundle(t)
	for name, list := range map[string]ledger.Members{
		"a member more":       append(slices.Clone(members), ledger.Member{Name: "files/more", Body: []byte("x")}),
		"a member twice":      append(slices.Clone(members), members[0]),
		"in another order":    append(slices.Clone(members[1:]), members[0]),
		"a member too few":    members[:len(members)-1],
		"without its entries": slices.DeleteFunc(slices.Clone(members), func(m ledger.Member) bool { return strings.HasPrefix(m.Name, "tile/entries/") }),
		"nothing":             nil,
	} {
		archive, err := ledger.EncodeArchive(list)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ledger.OpenArchive(t.Context(), archive); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A ledger that was cut, turned back or shown in two ways does not follow from the
// checkpoint that a reader kept.
func TestKeptCheckpoint(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{})
	before, err := ledger.ReadCheckpoint(l.Witnessed(t, 0, l.Now))
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Ledger.Phase(9, coalition.Released, coalition.Conference, "")
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign(l.Cycle.Coordinator)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Log.Add(t.Context(), signed); err != nil {
		t.Fatal(err)
	}
	b := openWhole(t, l.Bundle(t))
	if err := b.View.Consistent(before); err != nil {
		t.Errorf("grown: %v", err)
	}
	if err := b.View.Consistent(b.View.Checkpoint); err != nil {
		t.Errorf("the same: %v", err)
	}
	short := openWhole(t, ledgertest.New(t, ledgertest.Config{}).Bundle(t))
	if err := short.View.Consistent(b.View.Checkpoint); err == nil || !strings.Contains(err.Error(), "cut, or turned back") {
		t.Errorf("cut: %v", err)
	}
	other := openWhole(t, ledgertest.New(t, ledgertest.Config{Members: 6}).Bundle(t))
	if err := other.View.Consistent(before); errs.KindOf(err) != errs.Invalid {
		t.Errorf("shown in two ways: %v", err)
	}
}

// Whom a reader trusts comes from the reader.
func TestPolicy(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{Witnesses: 3})
	stranger := ledgertest.Signer(t, "witness-1.example.net")
	with := func(edit func(*ledger.Policy)) ledger.Policy {
		p := l.Policy
		p.Witnesses = slices.Clone(p.Witnesses)
		edit(&p)
		return p
	}
	all := l.Witnessed(t, 3, l.Now)
	for _, row := range []struct {
		name   string
		policy ledger.Policy
		note   []byte
		now    time.Time
		want   string // "" if it is accepted
	}{
		{"three of three", with(func(p *ledger.Policy) { p.Threshold = 3 }), all, l.Now, ""},
		{"one of three", l.Policy, l.Witnessed(t, 1, l.Now), l.Now, ""},
		{"a missing witness", with(func(p *ledger.Policy) { p.Threshold = 2 }), l.Witnessed(t, 1, l.Now), l.Now, "1 of 3 witnesses have seen the checkpoint, and 2 must have"},
		{"none", l.Policy, l.Witnessed(t, 0, l.Now), l.Now, "0 of 3 witnesses"},
		{"a witness that the reader does not name", with(func(p *ledger.Policy) { p.Witnesses = p.Witnesses[:1] }), all, l.Now, ""},
		{"a replaced witness", with(func(p *ledger.Policy) { p.Witnesses[1] = stranger.Public() }), all, l.Now, ""},
		{"a replaced witness that is needed", with(func(p *ledger.Policy) { p.Witnesses, p.Threshold = []keys.Public{stranger.Public()}, 1 }), all, l.Now, "0 of 1 witnesses have seen"},
		{"a wrong clock", l.Policy, l.Witnessed(t, 1, l.Now.Add(time.Hour)), l.Now, "which is yet to come"},
		{"a clock that is a little ahead", l.Policy, l.Witnessed(t, 1, l.Now.Add(4*time.Minute)), l.Now, ""},
		{"another ledger's key", with(func(p *ledger.Policy) { p.Log = stranger.Public() }), all, l.Now, "is of the ledger"},
		{"a key of the same name", with(func(p *ledger.Policy) { p.Log = sameName(t, l.Key) }), all, l.Now, "is not signed by the ledger"},
		{"more than there are", with(func(p *ledger.Policy) { p.Threshold = 4 }), all, l.Now, "wants 4 of 3 witnesses"},
		{"a witness twice", with(func(p *ledger.Policy) { p.Witnesses[1] = p.Witnesses[0] }), all, l.Now, "twice"},
		{"the ledger as its witness", with(func(p *ledger.Policy) { p.Witnesses[1] = p.Log }), all, l.Now, "twice"},
		{"not a note", l.Policy, []byte("ledger.example\n"), l.Now, "is no signed note"},
	} {
		_, err := row.policy.Verify(row.note, row.now)
		if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v; want %q", row.name, err, row.want)
		}
	}
}

// sameName returns another key under the name of one.
func sameName(t *testing.T, s *keys.Signer) keys.Public {
	t.Helper()
	other, err := keys.GenerateNamed(bytes.NewReader(bytes.Repeat([]byte{7}, 64)), s.Public().KeyName())
	if err != nil {
		t.Fatal(err)
	}
	return other.Public()
}

// A policy as a file has one meaning, and a charter gives the one that it names.
func TestPolicyFile(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{})
	body, err := keys.Canonical(l.Policy)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ledger.ParsePolicy(body)
	if err != nil || got.Log != l.Policy.Log || !slices.Equal(got.Witnesses, l.Policy.Witnesses) || got.Threshold != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	// One of the witnesses is the least, unless it is written that none is needed.
	one := bytes.Replace(body, []byte(`"threshold":1,`), nil, 1)
	if got, err := ledger.ParsePolicy(one); err != nil || got.Threshold != 1 || len(got.Witnesses) == 0 {
		t.Errorf("without a threshold: %+v, %v", got, err)
	}
	none := bytes.Replace(body, []byte(`"threshold":1`), []byte(`"threshold":0`), 1)
	if got, err := ledger.ParsePolicy(none); err != nil || got.Threshold != 0 {
		t.Errorf("with a threshold of none: %+v, %v", got, err)
	}
	if got, err := ledger.ParsePolicy([]byte(`{"log":"` + string(l.Policy.Log) + `","witnesses":[]}`)); err != nil || got.Threshold != 0 {
		t.Errorf("without witnesses: %+v, %v", got, err)
	}
	// People write it, so blanks do no harm.
	spaced := []byte("{\n  \"log\": \"" + string(l.Policy.Log) + "\",\n  \"witnesses\": [\"" + string(l.Policy.Witnesses[0]) + "\"]\n}\n")
	if got, err := ledger.ParsePolicy(spaced); err != nil || got.Threshold != 1 || len(got.Witnesses) != 1 {
		t.Errorf("with blanks and without a threshold: %+v, %v", got, err)
	}
	for name, b := range map[string][]byte{
		"behind it":    append(slices.Clone(body), body...),
		"unknown":      bytes.Replace(body, []byte(`"threshold"`), []byte(`"treshold"`), 1),
		"none named":   []byte(`{"log":"` + string(l.Policy.Log) + `"}`),
		"null":         []byte(`{"log":"` + string(l.Policy.Log) + `","threshold":0,"witnesses":null}`),
		"more of them": bytes.Replace(body, []byte(`"threshold":1`), []byte(`"threshold":3`), 1),
		"nothing":      nil,
	} {
		if _, err := ledger.ParsePolicy(b); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ledger.PolicyOf(l.Cycle.Charter); errs.KindOf(err) != errs.NotFound {
		t.Errorf("a charter without a ledger: %v", err)
	}
	c := l.Cycle.Charter
	c.Witnesses = coalition.WitnessPolicy{Threshold: 1, Keys: l.Policy.Witnesses, Log: l.Policy.Log}
	if got, err := ledger.PolicyOf(c); err != nil || got.Log != l.Policy.Log || got.Threshold != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

// What is no regular file is refused by its name before it is opened: whoever opens a
// pipe waits for its writer.
func TestFolderOfFiles(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]fs.FileMode{"pipe": fs.ModeNamedPipe, "device": fs.ModeDevice, "link": fs.ModeSymlink, "folder": fs.ModeDir} {
		source := ledger.FS(fstest.MapFS{"tile/0/" + name: &fstest.MapFile{Mode: mode | 0o644, Data: []byte("elsewhere")}})
		_, err := source.Resource(t.Context(), "tile/0/"+name, 10)
		if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), "tile/0/"+name) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	linked := fstest.MapFS{"tile": &fstest.MapFile{Mode: fs.ModeSymlink, Data: []byte("other")}, "other/0": &fstest.MapFile{Data: []byte("x")}}
	if _, err := ledger.FS(linked).Resource(t.Context(), "tile/0", 10); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), "behind, a link") {
		t.Errorf("behind a link: %v", err)
	}
	if _, err := ledger.FS(linked).Resource(t.Context(), "other/1", 10); errs.KindOf(err) != errs.NotFound {
		t.Errorf("what is not there: %v", err)
	}
	if b, err := ledger.FS(linked).Resource(t.Context(), "other/0", 10); err != nil || string(b) != "x" {
		t.Errorf("a file: %q, %v", b, err)
	}
}
