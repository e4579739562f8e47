package exchange_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/exchange"
	"muster/internal/keys"
)

func memberOf(t testing.TB, name string) coalition.Member {
	t.Helper()
	var seed [32]byte
	copy(seed[:], name)
	signer, err := keys.Generate(rand.NewChaCha8(seed), name)
	if err != nil {
		t.Fatal(err)
	}
	return coalition.Member{ID: coalition.MemberID(name), Key: signer.Public()}
}

func row(t testing.TB, m coalition.Member) string {
	t.Helper()
	var b bytes.Buffer
	if err := exchange.WriteMember(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReadMembers(t *testing.T) {
	t.Parallel()
	var want []coalition.Member
	text := exchange.MembersHeader + "\n\n"
	for _, name := range []string{"Ostmere", `Isles, "Outer"`, "Île-aux-Lumières", "A+B"} {
		m := memberOf(t, name)
		want = append(want, m)
		text += row(t, m)
	}
	for name, body := range map[string]string{
		"as written": text, "with CRLF": strings.ReplaceAll(text, "\n", "\r\n"), "with a mark": "\uFEFF" + text, "without the last end": strings.TrimSuffix(text, "\n"),
	} {
		got, err := exchange.ReadMembers("members.csv", strings.NewReader(body))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestMembersFaults(t *testing.T) {
	t.Parallel()
	a, b := memberOf(t, "Ostmere"), memberOf(t, "Calverra")
	rowA, rowB := row(t, a), row(t, b)
	head := exchange.MembersHeader + "\n"
	rows := []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"m.csv:1:1: the file is empty"}},
		{"a header alone", head, []string{"m.csv:1:1: there is no row"}},
		{"no header", rowA, []string{"m.csv:1:1: header: the file does not begin with the header"}},
		{"a workbook", "PK\x03\x04", []string{"m.csv:1:1: the file is a workbook"}},
		{"not UTF-8", head + "a\xffb,x\n", []string{"m.csv:2:2: byte 0xFF is not UTF-8"}},
		{"three cells", head + "a,b,c\n", []string{"m.csv:2:1: the row has 3 cells"}},
		{"a quote", head + `"a,b` + "\n", []string{"m.csv:2:1: a quote is opened"}},
		{"no key", head + "Ostmere,\n", []string{"m.csv:2:9: key: \"\" is not a public key"}},
		{"a name of nothing", head + "," + string(a.Key) + "\n", []string{"m.csv:2:1: member: a member name is empty"}},
		{"a cut key", head + strings.TrimSuffix(rowA, "\n")[:40] + "\n", []string{"m.csv:2:9: key:"}},
		{"a private key's form", head + "Ostmere,PRIVATE+KEY+x\n", []string{"m.csv:2:9: key:"}},
		{"another's key", head + "Ostmere," + string(b.Key) + "\n", []string{`m.csv:2:9: key: the key is one of "Calverra"`}},
		{"twice", head + rowA + rowB + rowA, []string{`m.csv:4:1: member: "Ostmere" has a row already, on line 2`}},
		{"twice in another spelling", head + rowA + row(t, memberOf(t, "OSTMERE")), []string{`m.csv:3:1: member: "OSTMERE" has a row already, on line 2`}},
		{"all faults", head + "a,b,c\n\nOstmere,x\n", []string{"m.csv:2:1:", "m.csv:4:9:"}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			_, err := exchange.ReadMembers("m.csv", strings.NewReader(r.text))
			faults, ok := errors.AsType[errs.Faults](err)
			if !ok || len(faults) != len(r.want) {
				t.Fatalf("got %v, want %d faults", err, len(r.want))
			}
			for i, f := range faults {
				if !strings.HasPrefix(f.String(), r.want[i]) {
					t.Errorf("got %s, want %s", f, r.want[i])
				}
			}
		})
	}
	large := head + strings.Repeat("x", exchange.MaxMembersSize)
	if _, err := exchange.ReadMembers("m.csv", strings.NewReader(large)); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a large file: %v", err)
	}
}

func FuzzReadMembers(f *testing.F) {
	f.Add([]byte(exchange.MembersHeader + "\nOstmere,x\n"))
	f.Add([]byte(exchange.MembersHeader + "\n" + row(f, memberOf(f, "Ostmere")) + row(f, memberOf(f, `a "b", c`))))
	f.Fuzz(func(t *testing.T, data []byte) {
		members, err := exchange.ReadMembers("m.csv", bytes.NewReader(data))
		if err != nil {
			if _, ok := errors.AsType[errs.Faults](err); !ok {
				t.Fatal(err)
			}
			return
		}
		// What is accepted reads again from its own rows.
		text := exchange.MembersHeader + "\n"
		for _, m := range members {
			text += row(t, m)
		}
		again, err := exchange.ReadMembers("m.csv", strings.NewReader(text))
		if err != nil || !cmp.Equal(members, again) {
			t.Fatalf("%q reads as %v, then as %v, %v", data, members, again, err)
		}
	})
}
