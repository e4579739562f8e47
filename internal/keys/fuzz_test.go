package keys_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/gowebpki/jcs"

	"muster/internal/keys"
)

// document has every shape that muster's files are made of.
type document struct {
	Kind    string            `json:"kind"`
	Marking string            `json:"marking,omitempty"`
	Number  int               `json:"number"`
	Seq     uint64            `json:"seq"`
	Data    map[string]string `json:"data"`
	Names   []string          `json:"names"`
	Public  keys.Public       `json:"public"`
	Layout  json.RawMessage   `json:"layout"`
	Inner   *struct {
		Number int64 `json:"number"`
	} `json:"inner"`
}

// FuzzDecodeCanonical: what is accepted encodes to the same bytes, which RFC 8785
// as another package has it does not change, and nothing beside them is accepted.
func FuzzDecodeCanonical(f *testing.F) {
	accepted := 0
	for _, d := range []document{
		{},
		{
			Kind: "muster receipt v1", Marking: "SYNTHETIC", Number: -3, Seq: 1<<53 - 1, Data: map[string]string{"ö": "\u2028<&>", "a": "\x00\u007f"},
			Names: []string{"", "Ostmark Bay", "\ufffd", "😀"}, Public: "A+1+b", Layout: json.RawMessage(`{"blocks":[1,2.5,null,true]}`),
			Inner: &struct {
				Number int64 `json:"number"`
			}{7},
		},
	} {
		b, err := keys.Canonical(d)
		if err != nil {
			f.Fatal(err)
		}
		if keys.DecodeCanonical(b, new(document)) == nil {
			accepted++
		}
		f.Add(b)
		f.Add(bytes.ReplaceAll(b, []byte(`:`), []byte(`: `)))
		f.Add(bytes.ReplaceAll(b, []byte(`"kind"`), []byte(`"Kind"`)))
		f.Add(append(bytes.Clone(b), b...))
	}
	if accepted != 2 {
		f.Fatalf("%d of 2 documents are accepted", accepted)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var d document
		if keys.DecodeCanonical(b, &d) != nil {
			return
		}
		again, err := keys.Canonical(d)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("accepted in another form than the one that is written: %v\n%s", err, again)
		}
		if other, err := jcs.Transform(b); err != nil || !bytes.Equal(other, b) {
			t.Errorf("accepted, and not RFC 8785: %v\n%s", err, other)
		}
		var twin document
		if err := keys.DecodeCanonical(again, &twin); err != nil || !reflect.DeepEqual(d, twin) {
			t.Errorf("the second reading differs: %v", err)
		}
		for name, changed := range map[string][]byte{
			"a line end": append(bytes.Clone(b), '\n'), "a space": append([]byte(" "), b...), "itself": append(bytes.Clone(b), b...),
		} {
			if keys.DecodeCanonical(changed, new(document)) == nil {
				t.Errorf("accepted with %s besides", name)
			}
		}
	})
}
