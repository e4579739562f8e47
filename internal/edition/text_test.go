package edition_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/disclosure"
	"muster/internal/edition"
	"muster/internal/edition/editiontest"
	"muster/internal/keys"
	"muster/internal/release"
)

func aRelease(t testing.TB) (*release.Release, string) {
	t.Helper()
	r, body := editiontest.Release(t, editiontest.Config{Coalition: "Hithe", Cycle: "2031", Roster: editiontest.Roster(editiontest.Members), Seed: 5})
	return r, keys.Digest(body)
}

// a public text that has no fault.
const sound = "tlp: TLP:CLEAR\ntitle.en: A\ntitle.fr: B\nsentence.en: C\nsentence.fr: D\n== en\nE\n== fr\nF\n"

// Whatever is wrong with a text is named with its place, all of it.
func TestFaults(t *testing.T) {
	t.Parallel()
	r, digest := aRelease(t)
	for _, test := range []struct {
		name    string
		edition edition.Name
		text    string
		want    []string
	}{
		{"sound", edition.Public, sound, nil},
		{"blank", edition.Public, edition.Blank(edition.Public), []string{
			"public: == en: there is no commentary in this language", "public: == fr: there is no commentary in this language",
			"public:2: title.en: is missing", "public:3: title.fr: is missing", "public:4: sentence.en: is missing", "public:5: sentence.fr: is missing",
		}},
		{"label", edition.Public, strings.Replace(sound, "TLP:CLEAR", "TLP:WHITE", 1), []string{"public:1:6: tlp: TLP:WHITE is a label of version 1.0; allowed: in version 2.0 it is TLP:CLEAR"}},
		{"label that is too narrow", edition.Public, strings.Replace(sound, "TLP:CLEAR", "TLP:AMBER", 1), []string{"public:1: tlp: TLP:AMBER does not come to everybody, whom the public edition is for; allowed: TLP:CLEAR"}},
		{"field", edition.Allied, "for: public\n" + strings.ReplaceAll(sound, "TLP:CLEAR", "TLP:AMBER"), []string{
			`allied:1:1: "for" is no field of the head of this edition; allowed: tlp, announced, embargo, expires, areas, title.en, title.fr; commentary begins with == en`,
			`allied:5:1: "sentence.en" is no field of the head of this edition; allowed: tlp, announced, embargo, expires, areas, title.en, title.fr; commentary begins with == en`,
			`allied:6:1: "sentence.fr" is no field of the head of this edition; allowed: tlp, announced, embargo, expires, areas, title.en, title.fr; commentary begins with == en`,
		}},
		{"moments", edition.Public, "embargo: 2031-11-15 12:00\nexpires: 2031-11-15 11:00\n" + sound, []string{"public:2: expires: is not after the embargo"}},
		{"moment", edition.Public, "embargo: soon\n" + sound, []string{`public:1:10: embargo: "soon" is no moment; allowed: a day and a time in UTC, as 2031-11-15 12:00`}},
		{"area", edition.Public, "areas: Q9\n" + sound, []string{`public:1: areas: "Q9" is no area of the release`}},
		{"references", edition.Public, strings.Replace(sound, "E\n", "E {nothing} and\nthen {X9 level 2-4}\nand {a\n- item {took part} }\n", 1), []string{
			"public:7:3: {nothing} is no reference; allowed: {A1.2 level 2-4}, {A1.2 level median}, {A1.2 title}, {A1 change better}, {members}, {took part}, {cycle}, {coalition}",
			"public:8:6: {X9 level 2-4} is of no area or outcome of this edition",
			"public:9:5: a brace that begins or ends no reference; allowed: a reference such as {A1.2 level 2-4}, in one line",
			"public:10:20: a brace that begins or ends no reference; allowed: a reference such as {A1.2 level 2-4}, in one line",
		}},
		{"hidden", edition.Public, strings.Replace(sound, "E\n", "a\u202eb\n", 1), []string{"public: == en: there is no commentary in this language", "public:7:2: a character that is not printed; allowed: text"}},
		{"too long", edition.Public, strings.Replace(sound, "E\n", strings.Repeat("word ", 600)+"\n", 1), []string{"public:7: == en: has 2999 characters, and the public edition is one page; allowed: at most 2500"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			made, err := edition.Make(edition.Config{Name: test.edition, Number: 1, Release: r, Digest: digest, Text: test.text})
			must(t, err)
			var got []string
			for _, f := range made.Faults {
				got = append(got, f.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// A number that somebody types beside a word that counts is warned of, with its place; what
// is in a reference is not, nor a date or a paragraph's number.
func TestTypedNumbers(t *testing.T) {
	t.Parallel()
	r, digest := aRelease(t)
	text := strings.NewReplacer("E\n", "Of these 19 of 31 do, or 61 %.\nIn 2031 article 5 held. {took part} members.\n", "F\n", "Soit 61\u00a0% au niveau 3.\n", "sentence.en: C", "sentence.en: 12 members").Replace(sound)
	made, err := edition.Make(edition.Config{Name: edition.Public, Number: 1, Release: r, Digest: digest, Text: text})
	must(t, err)
	var got []string
	for _, f := range made.Warnings {
		got = append(got, f.String())
	}
	const more = ` is typed, and nothing holds it to the release; allowed: a reference, such as {A1.2 level 2-4 of}`
	want := []string{
		`public:7:10: "19 of"` + more, `public:7:26: "61 %"` + more, `public:5: sentence.en: x`, `public:10:6: "61\u00a0%"` + more, `public:10:14: "niveau 3"` + more,
	}
	for i, w := range want {
		if strings.HasSuffix(w, ": x") {
			if !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, `sentence.en: "12 members"`) }) {
				t.Errorf("the sentence is not warned of: %q", got)
			}
			continue
		}
		if !slices.Contains(got, w) {
			t.Errorf("%d: no %s in\n%s", i, w, strings.Join(got, "\n"))
		}
	}
	if len(got) != len(want) || len(made.Faults) > 0 {
		t.Errorf("%d warnings: %q; %v", len(got), got, made.Faults)
	}
}

// Every count that the bands tell, and no other, can be referred to; what it comes to is
// the bands' sum, in each language. An edition for more readers tells nothing that one for
// fewer does not.
func TestReferencesAreTheBands(t *testing.T) {
	t.Parallel()
	r, digest := aRelease(t)
	resolved := func(name edition.Name, head, reference string) (en, fr string, ok bool) {
		text := "tlp: TLP:AMBER\n" + head + "title.en: A\ntitle.fr: B\n== en\n{" + reference + "}\n== fr\n{" + reference + "}\n"
		if name == edition.Public {
			text = strings.NewReplacer("E\n", "{"+reference+"}\n", "F\n", "{"+reference+"}\n").Replace(sound)
		}
		made, err := edition.Make(edition.Config{Name: name, Number: 1, Release: r, Digest: digest, Text: text})
		must(t, err)
		if len(made.Faults) > 0 {
			return "", "", false
		}
		return made.Document.Text["en"][0].String(), made.Document.Text["fr"][0].String(), true
	}
	told, refused := 0, 0
	o := r.Areas[0].Outcomes[0]
	for _, b := range []disclosure.BandedBlock{o.Level, o.Evidence, o.Gap} {
		chain := disclosure.Chain(b.Kind())
		for i := range chain {
			for j := i; j < len(chain); j++ {
				reference := o.ID + " " + string(b.Kind()) + " " + chain[i] + "-" + chain[j] + " of"
				n, tells := b.Count(chain[i], chain[j])
				tells = tells && b.Shown()
				en, fr, ok := resolved(edition.Allied, "", reference)
				if ok != tells {
					t.Errorf("{%s}: told %t, and the bands tell %t", reference, ok, tells)
				}
				if ok && (en != words(n, b.Total(), "of") || fr != words(n, b.Total(), "sur")) {
					t.Errorf("{%s} is %q and %q", reference, en, fr)
				}
				for _, name := range []edition.Name{edition.Partner, edition.Public} {
					if wide, _, more := resolved(name, "", reference); more && (!ok || wide != en) {
						t.Errorf("{%s}: the %s edition says %q, the allied one %q", reference, name, wide, en)
					}
				}
				if ok {
					told++
				} else {
					refused++
				}
			}
		}
	}
	if told < 5 || refused < 5 {
		t.Errorf("%d were told, %d refused", told, refused)
	}
	if _, _, ok := resolved(edition.Ports, "for: allied, partner\n", o.ID+" level 3-4"); ok {
		t.Error("what partners read is as fine as what allies read")
	}
	if en, fr, ok := resolved(edition.Allied, "", "members"); !ok || en != "32" || fr != "32" {
		t.Errorf("members: %q %q", en, fr)
	}
	if en, _, ok := resolved(edition.Allied, "", o.ID+" title"); !ok || en != o.Title["en"] {
		t.Errorf("title: %q", en)
	}
	if en, fr, ok := resolved(edition.Allied, "", o.ID+" level 2-4 share"); !ok || !strings.HasSuffix(en, "%") || !strings.HasSuffix(fr, "\u00a0%") {
		t.Errorf("share: %q %q", en, fr)
	}
}

func words(n, total uint64, of string) string {
	return strings.Join([]string{itoa(n), of, itoa(total)}, " ")
}

func itoa(n uint64) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// A file reads as what was written, and only as that.
func TestParse(t *testing.T) {
	t.Parallel()
	r, digest := aRelease(t)
	made, err := edition.Make(edition.Config{Name: edition.Public, Number: 3, Release: r, Digest: digest, Text: sound})
	must(t, err)
	body, err := made.Document.Encode()
	must(t, err)
	again, err := edition.Parse(body)
	must(t, err)
	round, err := again.Encode()
	must(t, err)
	if string(round) != string(body) {
		t.Error("it reads as something else")
	}
	for name, change := range map[string][2]string{
		"another kind":  {`"muster edition v1"`, `"muster edition v9"`},
		"finer":         {`"detail":"plain"`, `"detail":"full"`},
		"other counts":  {`"took_part":31`, `"took_part":30`},
		"another form":  {`"cycle":"2031"`, `"cycle": "2031"`},
		"more than all": {`"members":32`, `"members":30`},
	} {
		changed := strings.Replace(string(body), change[0], change[1], 1)
		if changed == string(body) {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := edition.Parse([]byte(changed)); err == nil {
			t.Errorf("%s: it was read", name)
		}
	}
}

// The middle is a band, and is told only where the bands tell it, whoever gave no level.
func TestMedian(t *testing.T) {
	t.Parallel()
	r, digest := aRelease(t)
	told := 0
	for _, a := range r.Areas {
		for _, o := range a.Outcomes {
			text := "tlp: TLP:AMBER\ntitle.en: A\ntitle.fr: B\n== en\n{" + o.ID + " level median}\n== fr\n{" + o.ID + " level median}\n"
			made, err := edition.Make(edition.Config{Name: edition.Allied, Number: 1, Release: r, Digest: digest, Text: text})
			must(t, err)
			bands := o.Level.Bands()
			first := int(bands[0].Count)
			least := 0
			if len(bands[0].Units) == 1 {
				least = first
			}
			in := map[int]bool{} // the bands that hold the middle, for every number of those who gave no level
			for silent := least; silent <= first; silent++ {
				var levels []int
				for i, b := range bands {
					n := int(b.Count)
					if i == 0 {
						n -= silent
					}
					levels = append(levels, slices.Repeat([]int{i}, n)...)
				}
				in[levels[(len(levels)-1)/2]] = true
			}
			want := len(in) == 1 && o.Level.Shown()
			if got := len(made.Faults) == 0; got != want {
				t.Errorf("%s: told %t, want %t: %v", o.ID, got, want, bands)
			}
			if !want {
				continue
			}
			told++
			for i := range in {
				units := slices.DeleteFunc(bands[i].Units, func(u string) bool { return u == disclosure.NoLevel })
				en, fr := units[0], units[0]
				if last := units[len(units)-1]; last != en {
					en, fr = en+" to "+last, fr+" à "+last
				}
				if got := made.Document; got.Text["en"][0].String() != en || got.Text["fr"][0].String() != fr {
					t.Errorf("%s: %v %v, want %s", o.ID, got.Text["en"], got.Text["fr"], en)
				}
			}
		}
	}
	if told == 0 {
		t.Error("nothing was told")
	}
}
