package submit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/doctest"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/submit"
)

// sealedFile returns a sealed file of so many answers and the cycle that it
// belongs to.
func sealedFile(t testing.TB, outcomes int) (submit.File, *coalitiontest.Cycle) {
	t.Helper()
	pack := packOf("sample", outcomes)
	l := newLayout(t, pack)
	c := newCycle(t, l, dap.SuiteX25519, dap.Variant18)
	sub, err := newSealer(t, c, l).Seal(answers(pack, zeros), nil, 3)
	must(t, err)
	digest, err := c.Charter.Digest()
	must(t, err)
	return submit.File{Charter: digest, Marking: c.Charter.Marking, Submission: sub}, c
}

func TestFile(t *testing.T) {
	t.Parallel()
	f, c := sealedFile(t, 2)
	body, err := f.Encode()
	must(t, err)
	got, err := submit.ReadFile(body)
	must(t, err)
	if diff := cmp.Diff(f, got); diff != "" {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
	opened, err := got.Open(c.Charter)
	must(t, err)
	if opened.Receipt.Member != member || opened.Receipt.Sequence != 3 || opened.Task.Cohort.ID != coalitiontest.Cohort {
		t.Errorf("opened %+v", opened.Receipt)
	}
	// The file is delivered without the sealer.
	leader, helper := &host{c: c}, &host{c: c}
	delivery, err := submit.Deliver(t.Context(), opened.Task, opened.Submission, leader, helper)
	must(t, err)
	if !delivery.Complete() || len(leader.uploads) != 1 || !bytes.Equal(leader.uploads[0], f.Upload) {
		t.Errorf("delivered %+v", delivery)
	}
}

// What is changed in a file is noticed before anything is sent.
func TestFileRefused(t *testing.T) {
	t.Parallel()
	f, c := sealedFile(t, 2)
	other, otherCycle := sealedFile(t, 3)
	report, _ := decode(t, c, f.Submission)
	with := func(change func(*submit.File)) submit.File {
		g := f
		change(&g)
		return g
	}
	upload := func(change func(*dap.UploadRequest)) submit.File {
		u := dap.UploadRequest{Reports: []dap.Report{report}}
		change(&u)
		body, err := dap.Encode(dap.Variant18, u)
		must(t, err)
		return with(func(g *submit.File) { g.Upload = body })
	}
	// As a member would sign it, were it to sign nonsense.
	signed := func(change func(*dap.Report), receipt func(*coalition.Receipt)) submit.File {
		r := report
		change(&r)
		leader, err := coalition.PartDigest(r.ReportMetadata, r.PublicShare, r.LeaderEncryptedInputShare)
		must(t, err)
		helper, err := coalition.PartDigest(r.ReportMetadata, r.PublicShare, r.HelperEncryptedInputShare)
		must(t, err)
		rec := coalition.NewReceipt(c.Task(t).ID, member, 3, sealedAt.Unix(), r.ReportMetadata.ReportID, leader, helper)
		receipt(&rec)
		s, err := rec.Sign(c.Members[member])
		must(t, err)
		body, err := dap.Encode(dap.Variant18, dap.UploadRequest{Reports: []dap.Report{r}})
		must(t, err)
		return with(func(g *submit.File) { g.Upload, g.Submission.Receipt = body, s })
	}
	same, asIs := func(*dap.Report) {}, func(*coalition.Receipt) {}
	for name, row := range map[string]struct {
		file    submit.File
		message string
	}{
		"another charter":          {with(func(g *submit.File) { g.Charter = strings.Repeat("0", 64) }), "sealed under another charter"},
		"another cycle's file":     {with(func(g *submit.File) { g.Submission = other.Submission }), "no cohort of the charter"},
		"another marking":          {with(func(g *submit.File) { g.Marking = "x" }), "marked"},
		"another's receipt":        {with(func(g *submit.File) { g.Submission.Receipt.Signature = other.Submission.Receipt.Signature }), "not about this receipt"},
		"no receipt":               {with(func(g *submit.File) { g.Submission.Receipt.Body = nil }), "cannot be read"},
		"no upload":                {with(func(g *submit.File) { g.Upload = nil }), "cannot be read"},
		"bytes behind the upload":  {with(func(g *submit.File) { g.Upload = append(bytes.Clone(g.Upload), 0) }), "cannot be read"},
		"two reports":              {upload(func(u *dap.UploadRequest) { u.Reports = append(u.Reports, report) }), "2 submissions"},
		"another id":               {upload(func(u *dap.UploadRequest) { u.Reports[0].ReportMetadata.ReportID[0] ^= 1 }), "for another submission"},
		"another public share":     {upload(func(u *dap.UploadRequest) { u.Reports[0].PublicShare = append(bytes.Clone(report.PublicShare), 0) }), "half for the Leader"},
		"the Leader's half":        {upload(func(u *dap.UploadRequest) { u.Reports[0].LeaderEncryptedInputShare = report.HelperEncryptedInputShare }), "half for the Leader"},
		"the Helper's half":        {upload(func(u *dap.UploadRequest) { u.Reports[0].HelperEncryptedInputShare = report.LeaderEncryptedInputShare }), "half for the Helper"},
		"signed, an unknown key":   {signed(func(r *dap.Report) { r.HelperEncryptedInputShare.ConfigID = 200 }, asIs), "half for the Helper is sealed for a key"},
		"signed, another time":     {signed(func(r *dap.Report) { r.ReportMetadata.Time = 1 }, asIs), "outside the cycle"},
		"signed, an extension":     {signed(func(r *dap.Report) { r.ReportMetadata.PublicExtensions = []dap.Extension{{Type: 7}} }, asIs), "extension"},
		"signed, another member":   {signed(same, func(r *coalition.Receipt) { r.Member = "Ostmere" }), "not signed by"},
		"signed, number 0":         {signed(same, func(r *coalition.Receipt) { r.Sequence = 0 }), "sequence number 0"},
		"signed, another receipts": {signed(same, func(r *coalition.Receipt) { r.Leader = strings.Repeat("0", 64) }), "half for the Leader"},
	} {
		_, err := row.file.Open(c.Charter)
		if d := errs.Describe(err); d.Kind != errs.Invalid || !strings.Contains(d.Message, row.message) || d.Hint == "" && name != "signed, number 0" {
			t.Errorf("%s: %v %q, hint %q; want %q", name, d.Kind, d.Message, d.Hint, row.message)
		}
	}
	if _, err := f.Open(otherCycle.Charter); errs.KindOf(err) != errs.Invalid {
		t.Errorf("opened with another charter: %v", err)
	}
}

func TestFileForm(t *testing.T) {
	t.Parallel()
	f, _ := sealedFile(t, 2)
	body, err := f.Encode()
	must(t, err)
	for name, text := range map[string]string{
		"nothing":                 "",
		"no JSON":                 "PK\x03\x04",
		"null":                    "null",
		"a line end":              string(body) + "\n",
		"another member":          strings.Replace(string(body), "{", `{"also":1,`, 1),
		"a member twice":          strings.Replace(string(body), `"kind":`, `"kind":"x","kind":`, 1),
		"another case":            strings.Replace(string(body), `"charter"`, `"Charter"`, 1),
		"another kind":            strings.Replace(string(body), "sealed submission", "receipt", 1),
		"a later version":         strings.Replace(string(body), "submission v1", "submission v2", 1),
		"padding":                 strings.Replace(string(body), `","signature"`, `=","signature"`, 1),
		"a line end in base64url": strings.Replace(string(body), `"upload":"`, `"upload":"\n`, 1),
		"too large":               strings.Repeat(" ", submit.MaxFileSize) + string(body),
	} {
		_, err := submit.ReadFile([]byte(text))
		if errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = submit.ReadFile(bytes.Replace(body, []byte("submission v1"), []byte("submission v2"), 1))
	if d := errs.Describe(err); !strings.Contains(d.Hint, "newer muster") {
		t.Errorf("a later version: %q", d.Hint)
	}
	f.Upload = make([]byte, submit.MaxFileSize)
	if _, err := f.Encode(); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a file too large was written: %v", err)
	}
}

// The example in the document is a sealed file by its form.
func TestFileExample(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("../../docs/spec/sealed-file.md")
	must(t, err)
	found := 0
	for _, b := range doctest.Blocks("sealed-file.md", src) {
		if b.Lang != "json" {
			continue
		}
		found++
		var m map[string]string
		must(t, json.Unmarshal([]byte(b.Text), &m))
		body, err := keys.Canonical(m)
		must(t, err)
		f, err := submit.ReadFile(body)
		must(t, err)
		if f.Charter != m["charter"] || f.Marking != m["marking"] || string(f.Submission.Receipt.Signature) != m["signature"] || len(f.Upload) != 3 {
			t.Errorf("read %+v", f)
		}
	}
	if found != 1 {
		t.Errorf("%d examples", found)
	}
	if !strings.Contains(string(src), fmt.Sprintf("at most %d MiB", submit.MaxFileSize>>20)) {
		t.Error("the document has another limit")
	}
}

// FuzzFile: what is accepted has one form, and nothing in a file makes its reader
// panic. Parts are exchanged one by one, since bytes changed at random only break
// base64.
func FuzzFile(f *testing.F) {
	file, c := sealedFile(f, 2)
	body, err := file.Encode()
	must(f, err)
	f.Add(body, uint8(0))
	for part := range uint8(5) {
		f.Add(file.Upload, part)
		f.Add(file.Submission.Receipt.Body, part)
		f.Add(file.Submission.Receipt.Signature, part)
	}
	f.Fuzz(func(t *testing.T, b []byte, part uint8) {
		g := file
		switch part {
		case 1:
			g.Upload = b
		case 2:
			g.Submission.Receipt.Body = b
		case 3:
			g.Submission.Receipt.Signature = b
		case 4:
			g.Charter = string(b)
		default:
			var err error
			if g, err = submit.ReadFile(b); err != nil {
				return
			}
			if again, err := g.Encode(); err != nil || !bytes.Equal(again, b) {
				t.Fatalf("accepted in another form than the one that is written: %v\n%s", err, again)
			}
		}
		opened, err := g.Open(c.Charter)
		if err != nil {
			if errs.KindOf(err) == errs.Internal {
				t.Fatalf("refused without words: %v", err)
			}
			return
		}
		if opened.Receipt.Member != member || len(opened.Upload) == 0 {
			t.Fatalf("opened %+v", opened.Receipt)
		}
	})
}
