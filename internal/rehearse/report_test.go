package rehearse_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/errs"
	"muster/internal/rehearse"
)

// rehearsed returns a cycle that is a rehearsal, and the report of it.
func rehearsed(t *testing.T) (*coalitiontest.Cycle, *rehearse.Report) {
	t.Helper()
	c := coalitiontest.New(t, coalitiontest.Config{
		Members: []coalition.MemberID{"a", "b", "c"}, Sizes: []uint16{2}, Layout: []byte(`{"blocks":[{"buckets":["x","y"]}]}`),
	})
	c.Charter.Marking = coalition.MarkingRehearsal
	r, err := rehearse.NewReport(c.Charter, "muster test")
	if err != nil {
		t.Fatal(err)
	}
	r.Passed, r.Submissions = true, 2
	r.Hosts = append(r.Hosts, rehearse.HostFound{Role: "Leader", Member: "a", Offset: -1500})
	r.Put(rehearse.Step{Name: "seal", Began: 1_790_000_000, Took: 12, Good: true, Found: []string{"3 submissions sealed"}})
	r.Next = append(r.Next, rehearse.Next{Who: "a", What: []string{"wipe"}})
	return c, r
}

func TestReportRoundTrip(t *testing.T) {
	t.Parallel()
	c, r := rehearsed(t)
	file, err := r.Sign(c.Coordinator)
	if err != nil {
		t.Fatal(err)
	}
	got, err := rehearse.OpenReport(file, c.Charter)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, got); diff != "" {
		t.Errorf("another report (-want +got):\n%s", diff)
	}
	again, err := got.Sign(c.Coordinator)
	if err != nil || !bytes.Equal(again.Body, file.Body) {
		t.Errorf("other bytes: %s (%v)", again.Body, err)
	}
	if got.Members != 3 {
		t.Errorf("%d members", got.Members)
	}
}

func TestReportRefuses(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change func(*coalitiontest.Cycle, *rehearse.Report) // before it is signed
		after  func(*coalition.SignedFile, *coalitiontest.Cycle)
		kind   errs.Kind
		want   string
	}{
		"another signer": {
			change: func(c *coalitiontest.Cycle, _ *rehearse.Report) { c.Coordinator = c.Leader },
			kind:   errs.Invalid, want: "not signed by",
		},
		"another charter": {
			after: func(_ *coalition.SignedFile, c *coalitiontest.Cycle) { c.Charter.Wipe++ },
			kind:  errs.Conflict, want: "under another charter",
		},
		"a changed report": {
			after: func(f *coalition.SignedFile, _ *coalitiontest.Cycle) {
				f.Body = bytes.Replace(f.Body, []byte(`"took_ms":12`), []byte(`"took_ms":13`), 1)
			},
			kind: errs.Invalid, want: "the signature is not about this rehearsal report",
		},
		"not canonical": {
			after: func(f *coalition.SignedFile, _ *coalitiontest.Cycle) { f.Body = append(f.Body, ' ') },
			kind:  errs.Invalid, want: "no rehearsal report as muster wrote it",
		},
		"passed with a step that failed": {
			change: func(_ *coalitiontest.Cycle, r *rehearse.Report) { r.Put(rehearse.Step{Name: "seal"}) },
			kind:   errs.Invalid, want: "says passed, and has a step that is not good",
		},
		"another kind": {
			change: func(_ *coalitiontest.Cycle, r *rehearse.Report) { r.Kind = "muster charter v1" },
			kind:   errs.Invalid, want: `is of kind "muster charter v1"`,
		},
		"without its marking": {
			change: func(_ *coalitiontest.Cycle, r *rehearse.Report) { r.Marking = "" },
			kind:   errs.Invalid, want: "not marked REHEARSAL",
		},
		"a list that is null": {
			change: func(_ *coalitiontest.Cycle, r *rehearse.Report) { r.Next = nil },
			kind:   errs.Invalid, want: "lists that are null",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, r := rehearsed(t)
			if row.change != nil {
				row.change(c, r)
			}
			file, err := r.Sign(c.Coordinator)
			if err != nil {
				t.Fatal(err)
			}
			if row.after != nil {
				row.after(&file, c)
			}
			_, err = rehearse.OpenReport(file, c.Charter)
			if errs.KindOf(err) != row.kind || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v of kind %v, want %q", err, errs.KindOf(err), row.want)
			}
		})
	}
}

// Under a charter of a real cycle nothing is rehearsed.
func TestReportWantsARehearsal(t *testing.T) {
	t.Parallel()
	c, _ := rehearsed(t)
	for _, marking := range []string{"", coalition.MarkingSynthetic} {
		c.Charter.Marking = marking
		if _, err := rehearse.NewReport(c.Charter, "muster test"); errs.KindOf(err) != errs.Denied {
			t.Errorf("marking %q: %v", marking, err)
		}
	}
}

// A step that is taken again stands in place of the earlier attempt.
func TestReportSteps(t *testing.T) {
	t.Parallel()
	_, r := rehearsed(t)
	r.Put(rehearse.Step{Name: "deliver", Found: []string{"no answer"}})
	if r.Done("deliver") || !r.Done("seal") || r.Done("collect") {
		t.Errorf("done: %v", r.Steps)
	}
	r.Put(rehearse.Step{Name: "seal", Good: true})
	r.Put(rehearse.Step{Name: "deliver", Good: true})
	var names []string
	for _, s := range r.Steps {
		names = append(names, s.Name)
		if s.Found == nil {
			t.Errorf("%s: a list that is null", s.Name)
		}
	}
	if diff := cmp.Diff([]string{"seal", "deliver"}, names); diff != "" || !r.Done("deliver") {
		t.Errorf("%s", diff)
	}
}

func TestClockInWords(t *testing.T) {
	t.Parallel()
	for offset, row := range map[time.Duration]struct {
		want string
		ok   bool
	}{
		0:                        {"its clock agrees with the coordinator's, to two seconds", true},
		-1900 * time.Millisecond: {"its clock agrees with the coordinator's, to two seconds", true},
		5 * time.Second:          {"its clock is 5s ahead of the coordinator's", true},
		-40 * time.Second:        {"its clock is 40s behind the coordinator's: set both from a time server", true},
		300 * time.Second:        {"its clock is 5m0s ahead of the coordinator's: set both from a time server", true},
		-301 * time.Second:       {"its clock is 5m1s behind the coordinator's: set both from a time server", false},
	} {
		words, ok := rehearse.HostFound{Offset: offset.Milliseconds()}.Clock()
		if words != row.want || ok != row.ok {
			t.Errorf("%v: %q, %v", offset, words, ok)
		}
	}
}
