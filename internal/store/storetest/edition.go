package storetest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/account"
	"muster/internal/coalition"
	"muster/internal/cycle"
	"muster/internal/edition"
)

// Editions is a coordinator's database with its editions.
type Editions struct {
	Coalition
	Editions edition.Store
}

// ExerciseEditions runs the suite of editions: each promise of the comments of package
// edition's store.go. open returns an empty database that is the caller's alone.
func ExerciseEditions(t *testing.T, open func(t *testing.T) Editions) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(t *testing.T, d Editions)
	}{
		{"releases", releases},
		{"versions and acts", versionsAndActs},
	} {
		t.Run("editions/"+test.name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			if err := d.People.InTx(t.Context(), "fill", func(tx account.Tx) error { return tx.PutPerson(anna()) }); err != nil {
				t.Fatal(err)
			}
			d.do(t, func(tx cycle.Tx) error {
				for _, id := range []cycle.ID{"2031", "2032"} {
					if err := tx.PutCycle(cycle.Cycle{ID: id, Phase: coalition.Released, Made: at(1)}); err != nil {
						return err
					}
				}
				return nil
			})
			test.run(t, d)
		})
	}
}

func (d Editions) add(t *testing.T, fn func(edition.Tx) error) {
	t.Helper()
	if err := d.Editions.InTx(t.Context(), "add", fn); err != nil {
		t.Fatal(err)
	}
}

func (d Editions) refuses(t *testing.T, what string, fn func(edition.Tx) error) {
	t.Helper()
	if err := d.Editions.InTx(t.Context(), "refuse", fn); err == nil {
		t.Errorf("%s: no error", what)
	}
}

func shown[T any](t *testing.T, d Editions, fn func(edition.Reader) (T, error)) T {
	t.Helper()
	var got T
	err := d.Editions.View(t.Context(), "see", func(r edition.Reader) (err error) {
		got, err = fn(r)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func releases(t *testing.T, d Editions) {
	digest := func(c string) string { return strings.Repeat(c, 64) }
	list := []edition.Kept{
		{Digest: digest("b"), Cycle: "2031", Cohort: "members", Body: []byte{0, 1, 0xff}, Members: []coalition.MemberID{"Ostmere", "Halvøy"}, By: "Ada", At: at(2)},
		{Digest: digest("a"), Cycle: "2031", Cohort: "partners", Body: []byte("x"), Members: []coalition.MemberID{}, By: "Bo", At: at(1)},
	}
	d.add(t, func(tx edition.Tx) error {
		for _, k := range list {
			if err := tx.AddRelease(k); err != nil {
				return err
			}
		}
		return nil
	})
	if diff := cmp.Diff(list, shown(t, d, func(r edition.Reader) ([]edition.Kept, error) { return r.Releases() })); diff != "" {
		t.Errorf("-kept +read\n%s", diff)
	}
	for _, k := range list {
		got := shown(t, d, func(r edition.Reader) (edition.Kept, error) {
			got, ok, err := r.Release(k.Digest)
			if !ok {
				t.Error("it is not there")
			}
			return got, err
		})
		if diff := cmp.Diff(k, got); diff != "" {
			t.Errorf("-kept +read\n%s", diff)
		}
	}
	none := shown(t, d, func(r edition.Reader) (bool, error) {
		_, ok, err := r.Release(digest("c"))
		return ok, err
	})
	if none {
		t.Error("a release that nobody kept")
	}
	d.refuses(t, "the same release again", func(tx edition.Tx) error { return tx.AddRelease(list[0]) })
	d.refuses(t, "a release of no cycle", func(tx edition.Tx) error {
		k := list[0]
		k.Digest, k.Cycle = digest("c"), "2040"
		return tx.AddRelease(k)
	})
}

func versionsAndActs(t *testing.T, d Editions) {
	v := func(id cycle.ID, name edition.Name, number int) edition.Version {
		return edition.Version{Cycle: id, Name: name, Number: number, Text: "tlp:\n\x2d é", By: "Ada", At: at(number)}
	}
	digest := strings.Repeat("d", 64)
	var request int64
	d.add(t, func(tx edition.Tx) error {
		for _, one := range []edition.Version{v("2031", edition.Public, 1), v("2031", edition.Allied, 1), v("2031", edition.Allied, 2), v("2032", edition.Allied, 1)} {
			if err := tx.AddVersion(one); err != nil {
				return err
			}
		}
		var err error
		request, err = tx.AddRequest(cycle.Request{Kind: cycle.Publishing, Cycle: "2031", Subject: "allied " + digest, By: "Ada", At: at(3)})
		return err
	})
	var want []edition.Version
	for _, one := range []edition.Version{v("2031", edition.Allied, 1), v("2031", edition.Allied, 2), v("2031", edition.Public, 1)} {
		one.Text = ""
		want = append(want, one)
	}
	if diff := cmp.Diff(want, shown(t, d, func(r edition.Reader) ([]edition.Version, error) { return r.Versions("2031") })); diff != "" {
		t.Errorf("versions: -kept +read\n%s", diff)
	}
	got := shown(t, d, func(r edition.Reader) (edition.Version, error) {
		got, ok, err := r.Version("2031", edition.Allied, 2)
		if !ok {
			t.Error("it is not there")
		}
		return got, err
	})
	if diff := cmp.Diff(v("2031", edition.Allied, 2), got); diff != "" {
		t.Errorf("-kept +read\n%s", diff)
	}
	acts := []edition.Act{
		{Cycle: "2031", Name: edition.Allied, Seq: 1, Number: 2, Deed: edition.Proposed, Digest: digest, Request: request, By: "Ada", At: at(9)},
		{Cycle: "2031", Name: edition.Allied, Seq: 2, Number: 2, Deed: edition.Silent, Digest: digest, Until: at(50), Reason: "ab", By: "Ada", At: at(8)},
		{Cycle: "2031", Name: edition.Allied, Seq: 3, Number: 2, Deed: edition.Withdrawn, Digest: digest, Reason: "wrong", By: "Bo", At: at(11)},
	}
	d.add(t, func(tx edition.Tx) error {
		for i, a := range acts {
			var file []byte
			if i == 0 {
				file = []byte{0, 7}
			}
			if err := tx.AddAct(a, file); err != nil {
				return err
			}
		}
		return nil
	})
	for _, id := range []cycle.ID{"2031", ""} {
		if diff := cmp.Diff(acts, shown(t, d, func(r edition.Reader) ([]edition.Act, error) { return r.Acts(id) })); diff != "" {
			t.Errorf("acts of %q: -kept +read\n%s", id, diff)
		}
	}
	if other := shown(t, d, func(r edition.Reader) ([]edition.Act, error) { return r.Acts("2032") }); len(other) > 0 {
		t.Errorf("acts of another cycle: %v", other)
	}
	body := shown(t, d, func(r edition.Reader) ([]byte, error) {
		body, ok, err := r.File(digest)
		if !ok {
			t.Error("the file is not there")
		}
		return body, err
	})
	if string(body) != "\x00\x07" {
		t.Errorf("the file is %q", body)
	}
	d.refuses(t, "a version again", func(tx edition.Tx) error { return tx.AddVersion(v("2031", edition.Allied, 2)) })
	d.refuses(t, "an act again", func(tx edition.Tx) error { return tx.AddAct(acts[2], nil) })
	next := edition.Act{Cycle: "2031", Name: edition.Allied, Seq: 4, Number: 2, Deed: edition.Published, Digest: digest, By: "Ada", At: at(12)}
	for what, change := range map[string]func(*edition.Act){
		"an act of no version":          func(a *edition.Act) { a.Number = 3 },
		"an act with no file":           func(a *edition.Act) { a.Digest = strings.Repeat("e", 64) },
		"a proposal without a request":  func(a *edition.Act) { a.Deed = edition.Proposed },
		"a silence without an end":      func(a *edition.Act) { a.Deed = edition.Silent },
		"a deed that nobody knows":      func(a *edition.Act) { a.Deed = "burnt" },
		"a request for what is no such": func(a *edition.Act) { a.Deed, a.Request = edition.Proposed, 99 },
	} {
		a := next
		change(&a)
		d.refuses(t, what, func(tx edition.Tx) error { return tx.AddAct(a, nil) })
	}
	d.add(t, func(tx edition.Tx) error { return tx.AddAct(next, nil) })
}
