package dap_test

import (
	"bytes"
	"encoding"
	"encoding/hex"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"muster/dap"
)

// readHex reads annotated hex: white space and everything after # is ignored.
// With a name it reads the block under [name] alone.
func readHex(tb testing.TB, file, block string) []byte {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		tb.Fatal(err)
	}
	var digits strings.Builder
	current := ""
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "["); ok {
			current = strings.TrimSuffix(name, "]")
			continue
		}
		if current == block {
			digits.WriteString(strings.Join(strings.Fields(line), ""))
		}
	}
	data, err := hex.DecodeString(digits.String())
	if err != nil {
		tb.Fatalf("%s: %v", file, err)
	}
	if len(data) == 0 {
		tb.Fatalf("%s: no bytes in block %q", file, block)
	}
	return data
}

// A kind is a type of message under test.
type kind struct {
	name    string
	decode  func(v dap.Variant, data []byte) (dap.Message, error)
	decoder func() encoding.BinaryUnmarshaler                    // a pointer to a new one
	value   func(pointer encoding.BinaryUnmarshaler) dap.Message // what the pointer points to
	random  func(t *rapid.T, v dap.Variant) dap.Message          // any valid message
	golden  map[string]dap.Message                               // what the file in testdata/golden encodes
	prefix  int                                                  // how many cut-off goldens are whole messages: the vectors that end with the body
}

func newKind[T any, P dap.Decodable[T]](random func(t *rapid.T, v dap.Variant) T, golden map[string]T, prefix int) kind {
	k := kind{
		name:    reflect.TypeFor[T]().Name(),
		decoder: func() encoding.BinaryUnmarshaler { return P(new(T)) },
		value: func(p encoding.BinaryUnmarshaler) dap.Message {
			return message[T](*p.(P))
		},
		random: func(t *rapid.T, v dap.Variant) dap.Message { return message[T](random(t, v)) },
		decode: func(v dap.Variant, data []byte) (dap.Message, error) {
			m, err := dap.Decode[T, P](v, data)
			return message[T](m), err
		},
		golden: map[string]dap.Message{},
		prefix: prefix,
	}
	for file, m := range golden {
		k.golden[file] = message[T](m)
	}
	return k
}

// message turns a value into a Message. All values are; Go cannot say so of a
// type parameter whose pointer is one.
func message[T any](m T) dap.Message { return any(m).(dap.Message) }

// variantOf returns the variant of a golden file.
func variantOf(file string) dap.Variant {
	if strings.HasSuffix(file, ".dap-19.hex") {
		return dap.Variant19
	}
	return dap.Variant18
}

// equal compares messages; no bytes and nil bytes are the same message.
func equal(a, b dap.Message) bool { return cmp.Equal(a, b, cmpopts.EquateEmpty()) }

func diff(a, b dap.Message) string { return cmp.Diff(a, b, cmpopts.EquateEmpty()) }

func TestGolden(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, k := range kinds() {
		for file, want := range k.golden {
			seen[file] = true
			t.Run(file, func(t *testing.T) {
				t.Parallel()
				v := variantOf(file)
				data := readHex(t, "golden/"+file, "")
				got, err := k.decode(v, data)
				if err != nil {
					t.Fatalf("decode: %v", err)
				}
				if !equal(got, want) {
					t.Errorf("decoded (-got +want):\n%s", diff(got, want))
				}
				encoded, err := dap.Encode(v, want)
				if err != nil {
					t.Fatalf("encode: %v", err)
				}
				if !bytes.Equal(encoded, data) {
					t.Errorf("encoded\n%x\nwant\n%x", encoded, data)
				}
				appended, err := dap.Append(v, []byte("before"), want)
				if err != nil || !bytes.Equal(appended, append([]byte("before"), data...)) {
					t.Errorf("appended %x, %v", appended, err)
				}
			})
		}
	}
	files, err := os.ReadDir("testdata/golden")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !seen[f.Name()] {
			t.Errorf("testdata/golden/%s: no test reads it", f.Name())
		}
	}
}

// TestGoldenInterfaces checks the standard library's interfaces.
func TestGoldenInterfaces(t *testing.T) {
	t.Parallel()
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			file := k.name + ".hex"
			want, ok := k.golden[file]
			if !ok {
				t.Fatalf("no golden file %s", file)
			}
			data := readHex(t, "golden/"+file, "")
			p := k.decoder()
			if err := p.UnmarshalBinary(data); err != nil {
				t.Fatal(err)
			}
			if got := k.value(p); !equal(got, want) {
				t.Errorf("UnmarshalBinary (-got +want):\n%s", diff(got, want))
			}
			encoded, err := want.MarshalBinary()
			if err != nil || !bytes.Equal(encoded, data) {
				t.Errorf("MarshalBinary = %x, %v", encoded, err)
			}
			appended, err := want.AppendBinary([]byte{1, 2})
			if err != nil || !bytes.Equal(appended, append([]byte{1, 2}, data...)) {
				t.Errorf("AppendBinary = %x, %v", appended, err)
			}
			// What does not decode leaves the receiver alone.
			if err := p.UnmarshalBinary(append(bytes.Clone(data), 0)); err == nil {
				t.Error("UnmarshalBinary accepts a byte after the end")
			}
			if got := k.value(p); !equal(got, want) {
				t.Errorf("receiver after an error (-got +want):\n%s", diff(got, want))
			}
		})
	}
}

// TestKindsComplete fails when a type with an encoding is not under test.
func TestKindsComplete(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil && fn.Name.Name == "AppendBinary" {
				declared = append(declared, fn.Recv.List[0].Type.(*ast.Ident).Name)
			}
		}
	}
	var tested []string
	for _, k := range kinds() {
		tested = append(tested, k.name)
	}
	slices.Sort(declared)
	slices.Sort(tested)
	if d := cmp.Diff(tested, declared); d != "" {
		t.Errorf("messages under test (-) and in the package (+):\n%s", d)
	}
}

// TestCutOff cuts every golden message at every byte and adds one.
func TestCutOff(t *testing.T) {
	t.Parallel()
	for _, k := range kinds() {
		for file := range k.golden {
			t.Run(file, func(t *testing.T) {
				t.Parallel()
				v := variantOf(file)
				data := readHex(t, "golden/"+file, "")
				accepted := 0
				for n := range data {
					m, err := k.decode(v, data[:n])
					if err == nil {
						// Cut between two elements of the last vector.
						accepted++
						if encoded, err := dap.Encode(v, m); err != nil || !bytes.Equal(encoded, data[:n]) {
							t.Errorf("%d bytes are accepted and encode to %x, %v", n, encoded, err)
						}
						continue
					}
					f, ok := errors.AsType[*dap.FormatError](err)
					if !ok || !errors.Is(err, dap.ErrMalformed) || f.Message != k.name || f.Offset > n {
						t.Errorf("%d bytes: %#v", n, err)
					}
				}
				if accepted != k.prefix {
					t.Errorf("%d cut-off messages accepted, want %d", accepted, k.prefix)
				}
				if _, err := k.decode(v, append(bytes.Clone(data), 0)); !errors.Is(err, dap.ErrMalformed) {
					t.Errorf("one byte more: %v", err)
				}
				if _, err := k.decode(7, data); !errors.Is(err, dap.ErrMalformed) {
					t.Errorf("unknown variant: %v", err)
				}
			})
		}
	}
}

// TestDecodeCopies changes the input after decoding, and appends to every
// field of the result: neither may change the message.
func TestDecodeCopies(t *testing.T) {
	t.Parallel()
	for _, k := range kinds() {
		for file, want := range k.golden {
			t.Run(file, func(t *testing.T) {
				t.Parallel()
				data := readHex(t, "golden/"+file, "")
				m, err := k.decode(variantOf(file), data)
				if err != nil {
					t.Fatal(err)
				}
				for i := range data {
					data[i] = 0xff
				}
				appendToAll(reflect.ValueOf(m))
				if !equal(m, want) {
					t.Errorf("message changed (-got +want):\n%s", diff(m, want))
				}
			})
		}
	}
}

func appendToAll(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			appendToAll(v.Field(i))
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			// Enough to reach the next field, past the length before it.
			_ = append(v.Bytes(), bytes.Repeat([]byte{0xee}, 12)...)
			return
		}
		for i := range v.Len() {
			appendToAll(v.Index(i))
		}
	}
}
