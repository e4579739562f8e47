package coalition_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

var receiptTask = dap.TaskID{1, 2, 3}

func newReceipt() coalition.Receipt {
	return coalition.NewReceipt(receiptTask, "a00", 3, opens, dap.ReportID{7}, sha256.Sum256([]byte("leader")), sha256.Sum256([]byte("helper")))
}

// lookup knows two members.
func lookup(t testing.TB) func(coalition.MemberID) (keys.Public, bool) {
	return func(id coalition.MemberID) (keys.Public, bool) {
		if id != "a00" && id != "a01" {
			return "", false
		}
		return newSigner(t, string(id)).Public(), true
	}
}

func TestReceipt(t *testing.T) {
	t.Parallel()
	r := newReceipt()
	signed, err := r.Sign(newSigner(t, "a00"))
	must(t, err)
	got, err := signed.Open(receiptTask, lookup(t))
	must(t, err)
	if diff := cmp.Diff(r, got); diff != "" {
		t.Errorf("receipt (-want +got):\n%s", diff)
	}
	if id := got.ReportID(); id != (dap.ReportID{7}) {
		t.Errorf("report %v", id)
	}
	// The form is fixed: the other side may run another program.
	want := `{"helper":"` + hexOf("helper") + `","kind":"muster receipt v1","leader":"` + hexOf("leader") + `","member":"a00",` +
		`"report_id":"BwAAAAAAAAAAAAAAAAAAAA","seq":3,"task_id":"` + receiptTask.String() + `","time":1790000000}`
	if string(signed.Body) != want {
		t.Errorf("body %s;\nwant %s", signed.Body, want)
	}
	if signed.Digest() != hexOf(want) {
		t.Error("the digest is not that of the body")
	}
}

func hexOf(s string) string {
	digest := sha256.Sum256([]byte(s))
	return hex.EncodeToString(digest[:])
}

func TestReceiptRefused(t *testing.T) {
	t.Parallel()
	member := newSigner(t, "a00")
	for name, row := range map[string]struct {
		change func(*coalition.Receipt)
		kind   errs.Kind
	}{
		"another kind":          {func(r *coalition.Receipt) { r.Kind = "muster roster v1" }, errs.Invalid},
		"another task":          {func(r *coalition.Receipt) { r.Task = dap.TaskID{4}.String() }, errs.Invalid},
		"broken task":           {func(r *coalition.Receipt) { r.Task += "A" }, errs.Invalid},
		"broken report id":      {func(r *coalition.Receipt) { r.Report = "AA" }, errs.Invalid},
		"report id of other":    {func(r *coalition.Receipt) { r.Report = strings.Repeat("A", 21) + "B" }, errs.Invalid}, // spare bits
		"no report id":          {func(r *coalition.Receipt) { r.Report = "" }, errs.Invalid},
		"stranger":              {func(r *coalition.Receipt) { r.Member = "b00" }, errs.Denied},
		"no member":             {func(r *coalition.Receipt) { r.Member = "" }, errs.Denied},
		"member in capitals":    {func(r *coalition.Receipt) { r.Member = "A00" }, errs.Denied},
		"another member":        {func(r *coalition.Receipt) { r.Member = "a01" }, errs.Invalid}, // not signed by it
		"sequence 0":            {func(r *coalition.Receipt) { r.Sequence = 0 }, errs.Invalid},
		"sequence beyond 2^53":  {func(r *coalition.Receipt) { r.Sequence = 1<<53 + 2 }, errs.Invalid},
		"sequence of 64 bits":   {func(r *coalition.Receipt) { r.Sequence = 1<<64 - 1 }, errs.Invalid},
		"before 1970":           {func(r *coalition.Receipt) { r.Time = -1 }, errs.Invalid},
		"Leader's digest short": {func(r *coalition.Receipt) { r.Leader = r.Leader[2:] }, errs.Invalid},
		"Helper's digest short": {func(r *coalition.Receipt) { r.Helper = r.Helper[2:] }, errs.Invalid},
		"digest in capitals":    {func(r *coalition.Receipt) { r.Leader = strings.ToUpper(r.Leader) }, errs.Invalid},
		"no digest":             {func(r *coalition.Receipt) { r.Helper = "" }, errs.Invalid},
	} {
		r := newReceipt()
		row.change(&r)
		signed, err := r.Sign(member)
		if err != nil {
			continue // refused even earlier
		}
		_, err = signed.Open(receiptTask, lookup(t))
		wantKind(t, name, err, row.kind)
	}
}

// Whatever changes after the member signed is found.
func TestReceiptChangedAfterSigning(t *testing.T) {
	t.Parallel()
	signed, err := newReceipt().Sign(newSigner(t, "a00"))
	must(t, err)
	open := func(body, signature []byte) error {
		_, err := coalition.SignedReceipt{Body: body, Signature: signature}.Open(receiptTask, lookup(t))
		return err
	}
	for i := range signed.Body {
		changed := bytes.Clone(signed.Body)
		changed[i] ^= 1
		if open(changed, signed.Signature) == nil {
			t.Errorf("byte %d of the body: %q is accepted", i, changed)
		}
	}
	for i := range signed.Signature {
		changed := bytes.Clone(signed.Signature)
		changed[i] ^= 1
		if open(signed.Body, changed) == nil {
			t.Errorf("byte %d of the signature: %q is accepted", i, changed)
		}
	}
	var fields map[string]any
	must(t, json.Unmarshal(signed.Body, &fields))
	for field := range fields {
		less := make(map[string]any)
		for key, value := range fields {
			if key != field {
				less[key] = value
			}
		}
		body, err := keys.Canonical(less)
		must(t, err)
		wantKind(t, "without "+field, open(body, signed.Signature), errs.Invalid)
	}
	for name, body := range map[string][]byte{
		"empty": nil, "a line end behind": append(bytes.Clone(signed.Body), '\n'), "a byte behind": append(bytes.Clone(signed.Body), '0'),
		"twice": append(bytes.Clone(signed.Body), signed.Body...), "not JSON": []byte("receipt"), "null": []byte("null"), "a list": []byte("[]"),
		"5 KB": append(bytes.Clone(signed.Body), bytes.Repeat([]byte(" "), 5000)...), "a key twice": append([]byte(`{"seq":3,`), signed.Body[1:]...),
	} {
		wantKind(t, name, open(body, signed.Signature), errs.Invalid)
	}
	other, err := keys.Sign(keys.KindRoster, signed.Body, newSigner(t, "a00"))
	must(t, err)
	wantKind(t, "signed as a roster", open(signed.Body, other), errs.Invalid)
	other, err = keys.Sign(keys.KindReceipt, signed.Body, newSigner(t, "a01"))
	must(t, err)
	wantKind(t, "signed by another member", open(signed.Body, other), errs.Invalid)
	wantKind(t, "not signed", open(signed.Body, nil), errs.Invalid)
	_, err = signed.Open(dap.TaskID{9}, lookup(t))
	wantKind(t, "for another task", err, errs.Invalid)
}

// The digest covers the bytes of the wire, laid out here by hand.
func TestPartDigest(t *testing.T) {
	t.Parallel()
	metadata := dap.ReportMetadata{
		ReportID: dap.ReportID{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, Time: 0x0102030405,
		PublicExtensions: []dap.Extension{{Type: 0x1234, Data: []byte("xy")}},
	}
	publicShare := []byte("public")
	ciphertext := dap.HpkeCiphertext{ConfigID: 9, Enc: []byte("enc"), Payload: []byte("payload")}
	var wire []byte
	wire = append(wire, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) // report_id
	wire = append(wire, 0, 0, 0, 1, 2, 3, 4, 5)                               // time
	wire = append(wire, 0, 6, 0x12, 0x34, 0, 2, 'x', 'y')                     // public_extensions
	wire = binary.BigEndian.AppendUint32(wire, 6)
	wire = append(wire, "public"...)
	wire = append(wire, 9) // config_id
	wire = append(wire, 0, 3)
	wire = append(wire, "enc"...)
	wire = binary.BigEndian.AppendUint32(wire, 7)
	wire = append(wire, "payload"...)
	got, err := coalition.PartDigest(metadata, publicShare, ciphertext)
	must(t, err)
	if want := sha256.Sum256(wire); got != want {
		t.Errorf("digest %x; want %x", got, want)
	}
	seen := map[[32]byte]string{got: "the part itself"}
	distinct := func(name string, m dap.ReportMetadata, p []byte, c dap.HpkeCiphertext) {
		t.Helper()
		digest, err := coalition.PartDigest(m, p, c)
		must(t, err)
		if other, ok := seen[digest]; ok {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[digest] = name
	}
	m := metadata
	m.ReportID[15]++
	distinct("another report", m, publicShare, ciphertext)
	m = metadata
	m.Time++
	distinct("another time", m, publicShare, ciphertext)
	m = metadata
	m.PublicExtensions = nil
	distinct("no extension", m, publicShare, ciphertext)
	distinct("another public share", metadata, []byte("publik"), ciphertext)
	distinct("a longer public share", metadata, []byte("public\x00"), ciphertext)
	c := ciphertext
	c.ConfigID++
	distinct("another key", metadata, publicShare, c)
	c = ciphertext
	c.Enc = []byte("enk")
	distinct("another encapsulation", metadata, publicShare, c)
	c = ciphertext
	c.Payload = []byte("payloae")
	distinct("another payload", metadata, publicShare, c)
	c = ciphertext
	c.Enc, c.Payload = []byte("encp"), []byte("ayload")
	distinct("a byte moved", metadata, publicShare, c)
	if _, err := coalition.PartDigest(metadata, publicShare, dap.HpkeCiphertext{Enc: make([]byte, 1<<16), Payload: []byte("x")}); err == nil {
		t.Error("a ciphertext that has no encoding has a digest")
	}
}
