package verify_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/ledger"
	"muster/internal/verify"
)

// TestEveryByte changes every byte of every member of a bundle, one at a time, and looks
// at what a reader is told: something fails, and names the file, and of entries and
// receipts the very one, that was changed. The cycle has three members and three outcomes,
// and ends before anything is opened; of a cycle with a release every byte of that, of
// its edition and of their entries is changed, and with MUSTER_LONG=1 of everything.
//
// One sort of byte changes no claim of anybody whom the reader trusts: the name, or the
// hash of the key, before a cosignature. It makes it a stranger's, who is to be ignored;
// the reader is told so, and where. It fails where the reader wants that witness to have
// seen the record; so the checkpoints are changed under two policies, that which wants
// all witnesses and the ordinary one.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	small := smallWorld(t)
	large := newWorld(t, 11, 1)
	later := func(s ledger.Statement) bool {
		return slices.Contains([]ledger.Kind{ledger.KindShare, ledger.KindRelease, ledger.KindApproval, ledger.KindEdition}, s.Kind)
	}
	for _, row := range []struct {
		name string
		w    *world
		of   func(member string, entry int) bool // which are changed; an entry's number, or -1
		some bool                                // by the ordinary policy: not all witnesses must have cosigned
		n    int64                               // how many bytes at least
	}{
		{"three members", small, func(string, int) bool { return true }, false, 2_000},
		{"checkpoints, one witness of two", small, func(member string, _ int) bool { return strings.HasPrefix(member, "checkpoint") }, true, 500},
		{"a release", large, func(member string, entry int) bool {
			file := large.files[strings.TrimPrefix(member, "files/")].kind
			return os.Getenv("MUSTER_LONG") == "1" || file == ledger.KindRelease || file == ledger.KindEdition || entry >= 0 && later(large.statements[entry])
		}, false, 2_000},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			cfg := row.w.config()
			if !row.some {
				cfg.Policy.Threshold = len(cfg.Policy.Witnesses) // so that none of them is too many
			}
			members := row.w.bundle()
			honest, err := verify.Folder(t.Context(), members, cfg)
			row.w.must(err)
			if honest.Failed() {
				t.Fatal(listing(honest))
			}
			var flips atomic.Int64
			var wait sync.WaitGroup
			next := make(chan flip)
			for range runtime.GOMAXPROCS(0) {
				wait.Go(func() {
					for f := range next {
						flips.Add(1)
						if told := f.judge(t.Context(), members, cfg); told != "" {
							t.Errorf("byte %d of %s: %s", f.at, members[f.member].Name, told)
						}
					}
				})
			}
			for i, m := range members {
				entries := entriesOf(m)
				for at := range m.Body {
					entry := -1
					if entries != nil {
						entry = entries[at]
					}
					if !t.Failed() && row.of(m.Name, entry) {
						next <- flip{i, at, entry, []byte{0x01, 0x20, 0x80, 0x04}[at%4], row.some}
					}
				}
			}
			close(next)
			wait.Wait()
			if n := flips.Load(); n < row.n && !t.Failed() {
				t.Fatalf("%d bytes were changed", n)
			}
			t.Logf("%d bytes of %d members were changed, one at a time", flips.Load(), len(members))
		})
	}
}

// estranged reports whether a cosignature of a checkpoint is somebody else's now: it is
// one still, under another name or hash of a key. The first signature is the ledger's own.
func estranged(is, was []byte) bool {
	_, before, _ := strings.Cut(string(was), "\n\n")
	_, after, _ := strings.Cut(string(is), "\n\n")
	lines, changed := strings.Split(before, "\n"), strings.Split(after, "\n")
	for i, line := range lines {
		if i > 0 && len(lines) == len(changed) && line != changed[i] {
			return signer(changed[i]) != "" && signer(changed[i]) != signer(line)
		}
	}
	return false
}

// smallWorld is a cycle that is small enough to change every byte of it: three members,
// one of whose submissions is struck, and its questions.
func smallWorld(t *testing.T) *world {
	t.Helper()
	pack, _ := readPack(t, harbour)
	w := newWorldWith(t, 3, 1, pack, nil)
	w.statements = slices.DeleteFunc(w.statements, func(s ledger.Statement) bool {
		late := s.Kind == ledger.KindPhase && slices.Contains([]string{"aggregated", "review", "released"}, s.Fields["to"])
		return late || slices.Contains([]ledger.Kind{ledger.KindShare, ledger.KindRelease, ledger.KindApproval, ledger.KindEdition}, s.Kind)
	})
	clear(w.after)
	w.early[w.phase(coalition.Open)] = time.Unix(coalitiontest.Opens, 0)
	w.files[pack.Ref().Digest] = part{kind: ledger.KindFramework, body: pack.Canonical()}
	return w
}

// flip is one byte of a member, with the entry that it is in, or -1.
type flip struct {
	member, at, entry int
	bits              byte
	some              bool // not all witnesses must have cosigned
}

// judge checks the bundle with the byte changed, and returns what is wrong with what a
// reader is told.
func (f flip) judge(ctx context.Context, members ledger.Members, cfg verify.Config) string {
	m := members[f.member]
	changed := slices.Clone(members)
	changed[f.member].Body = slices.Clone(m.Body)
	changed[f.member].Body[f.at] ^= f.bits
	r, err := verify.Folder(ctx, changed, cfg)
	if err != nil {
		return err.Error()
	}
	stranger := (f.some || m.Name != "checkpoint") && strings.HasPrefix(m.Name, "checkpoint") && estranged(changed[f.member].Body, m.Body)
	if !r.Failed() {
		if stranger && slices.ContainsFunc(r.Findings, func(f verify.Finding) bool { return f.Code == "witness_unknown" && f.Place == m.Name }) {
			return ""
		}
		return "nothing fails:\n" + listing(r)
	}
	if f.some && stranger { // nobody misses it
		return "a stranger's signature fails:\n" + listing(r)
	}
	for _, found := range r.Findings {
		if found.Verdict == verify.Fails && f.names(found, m, changed[f.member].Body) {
			return ""
		}
	}
	return "no finding names it:\n" + listing(r)
}

// checkpointsOf returns the earlier checkpoints that a manifest asks for, as members.
func checkpointsOf(manifest []byte) []string {
	var listed struct {
		Checkpoints []uint64 `json:"checkpoints"`
	}
	if json.Unmarshal(manifest, &listed) != nil {
		return nil
	}
	var names []string
	for _, size := range listed.Checkpoints {
		names = append(names, fmt.Sprintf("checkpoints/%d", size))
	}
	return names
}

// names reports whether a finding names what was changed: the member and the entry, or
// the line of receipts; or, where the byte is of a list of parts, the part that it now
// asks for.
func (f flip) names(found verify.Finding, m ledger.Member, changed []byte) bool {
	place, number, _ := strings.Cut(found.Place, "#")
	switch {
	case m.Name == "bundle.json" && strings.HasPrefix(place, "checkpoints/"):
		return slices.Contains(checkpointsOf(changed), place) && !slices.Contains(checkpointsOf(m.Body), place)
	case m.Name == "bundle.json":
		_, part, _ := strings.Cut(place, "/")
		part = strings.TrimSuffix(part, ".jsonl")
		return place == m.Name || bytes.Contains(changed, []byte(part)) && !bytes.Contains(m.Body, []byte(part)) || bytes.Contains(changed, []byte(part)) && f.near(m.Body, part)
	case m.Name == "checkpoint" && strings.HasPrefix(place, "tile/"):
		first := bytes.IndexByte(m.Body, '\n')
		return f.at > first && f.at <= first+1+bytes.IndexByte(m.Body[first+1:], '\n') // its size says which tiles there are
	case m.Name == "checkpoint" && strings.HasPrefix(place, "checkpoints/"):
		return strings.Contains(found.Detail, `than "checkpoint"`) // one of both has another name of the record
	case place != m.Name:
		return false
	case f.entry >= 0:
		return strings.Contains(found.Detail, "number "+strconv.Itoa(f.entry)+" of the ledger")
	case strings.HasPrefix(m.Name, "receipts/"):
		line := strconv.Itoa(bytes.Count(m.Body[:f.at], []byte("\n")) + 1)
		return number == line || strings.Contains(found.Detail, "line "+line+" ") || m.Body[f.at] == '\n' || changed[f.at] == '\n'
	}
	return true
}

// near reports whether the byte is beside the name of a part in the manifest: where it
// says of what kind it is.
func (f flip) near(manifest []byte, part string) bool {
	at := bytes.Index(manifest, []byte(part))
	return at >= 0 && f.at >= at && f.at < at+len(part)+40
}

// entriesOf returns for each byte of a bundle of entries the number of its entry, or -1
// for those that say how long one is; nil for other members.
func entriesOf(m ledger.Member) []int {
	if !strings.HasPrefix(m.Name, "tile/entries/") {
		return nil
	}
	numbers := make([]int, len(m.Body))
	for at, n := 0, 0; at < len(m.Body); n++ {
		size := int(binary.BigEndian.Uint16(m.Body[at:]))
		numbers[at], numbers[at+1] = -1, -1
		for i := range size {
			numbers[at+2+i] = n
		}
		at += 2 + size
	}
	return numbers
}

// TestArchive: one file is checked as the folder is, and a byte between its members
// counts as well.
func TestArchive(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, 0)
	body, err := ledger.EncodeArchive(w.bundle())
	if err != nil {
		t.Fatal(err)
	}
	r, err := verify.Archive(t.Context(), body, w.config())
	if err != nil || r.Failed() {
		t.Fatalf("%v\n%s", err, listing(r))
	}
	for _, at := range []int{3, 110, 300, 511, len(body) - 1, len(body) / 2} {
		changed := slices.Clone(body)
		changed[at] ^= 1
		r, err := verify.Archive(t.Context(), changed, w.config())
		if err != nil || !r.Failed() {
			t.Errorf("byte %d of the file: %v", at, err)
		}
	}
}

// FuzzArchive: whatever a file holds, a report or an error comes of it, and only the
// bundle itself holds.
func FuzzArchive(f *testing.F) {
	w := newWorld(f, 12, 0)
	body, err := ledger.EncodeArchive(w.bundle())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add(body[:1024])
	f.Add([]byte{})
	f.Add(bytes.Replace(body, []byte("\u2014 witness-2"), []byte("\u2014 witness-3"), 1)) // a stranger's line
	f.Add(bytes.Replace(body, []byte("\u2014 ledger"), []byte("\u2014 ledges"), 1))
	cfg := w.config()
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := verify.Archive(t.Context(), b, cfg)
		if err != nil || r.Failed() {
			return
		}
		if differs := unlike(t, b, body, cfg); differs != "" {
			t.Errorf("another file of %d bytes holds: %s", len(b), differs)
		}
	})
}

// unlike returns where a file that holds is another bundle than the honest one, strangers'
// lines under its checkpoints taken out. A line that is a stranger's now was another's.
func unlike(t *testing.T, b, honest []byte, cfg verify.Config) string {
	t.Helper()
	is, err := ledger.DecodeArchive(b)
	if err != nil {
		t.Fatal(err)
	}
	was, err := ledger.DecodeArchive(honest)
	if err != nil {
		t.Fatal(err)
	}
	if len(is) != len(was) {
		return fmt.Sprintf("it has %d members", len(is))
	}
	for i, m := range is {
		if m.Name != was[i].Name {
			return m.Name + " is another member"
		}
		if !strings.HasPrefix(m.Name, "checkpoint") {
			if !bytes.Equal(m.Body, was[i].Body) {
				return m.Name
			}
			continue
		}
		w, err := cfg.Policy.Read(m.Body, cfg.Now)
		if err != nil {
			return m.Name + " is not signed"
		}
		lines, before := strings.SplitAfter(string(m.Body), "\n"), strings.SplitAfter(string(was[i].Body), "\n")
		own := slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return slices.Contains(w.Strangers, signer(line)) })
		if len(own)+len(w.Strangers) != len(lines) || len(lines) < len(before) || slices.ContainsFunc(own, func(line string) bool { return !slices.Contains(before, line) }) {
			return m.Name
		}
	}
	return ""
}

// signer returns whose a signature of a note is, as [ledger.Witnessed] names strangers.
func signer(line string) string {
	rest, ok := strings.CutPrefix(line, "\u2014 ")
	name, text, _ := strings.Cut(rest, " ")
	b, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(text, "\n"))
	if err != nil || !ok || len(b) < 4 {
		return ""
	}
	return fmt.Sprintf("%s+%x", name, b[:4])
}
