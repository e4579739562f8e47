package cli

import (
	stdcmp "cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/assess"
	"muster/internal/disclosure"
	"muster/internal/framework"
	"muster/internal/release"
	"muster/internal/release/releasetest"
)

// corePack returns the core pack, the largest that a picture is drawn of today.
func corePack(t testing.TB) *framework.Pack {
	t.Helper()
	f, err := os.Open("../../packs/muster-core/pack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pack, err := framework.Read("pack.yaml", f)
	if err != nil {
		t.Fatal(err)
	}
	return pack
}

// answers invents one member's answers: levels around its capability, own
// levels at or above verified ones, some questions not answered.
func answers(rng *rand.Rand, p *framework.Pack, capability float64, hard map[string]float64) *assess.Assessment {
	a := &assess.Assessment{Member: "Invented", Answers: make(map[string]assess.Answer)}
	for i := range p.Areas {
		ofArea := capability + rng.NormFloat64()*0.12
		for _, o := range p.Areas[i].Outcomes {
			at := func(x float64) framework.Level {
				level, _ := framework.LevelOf(int(math.Round(min(max(x, 0), 1) * 4)))
				return level
			}
			x := ofArea - hard[o.ID] + rng.NormFloat64()*0.14
			answer := assess.Answer{Level: at(x), Target: at(x + 0.1 + 0.25*rng.Float64()), Verified: at(x - 0.15*rng.Float64())}
			switch draw := rng.Float64(); {
			case draw < 0.07:
				answer = assess.Answer{Level: framework.Withheld}
			case draw < 0.1:
				answer = assess.Answer{Level: framework.NotApplicable}
			case draw < 0.5:
				answer.Verified = framework.None
			}
			if answer.Level == framework.Level3 || answer.Level == framework.Level4 {
				answer.Evidence = framework.E0 + framework.Grade(rng.IntN(4))
			}
			a.Answers[o.ID] = answer
		}
	}
	return a
}

// invented is a coalition whose answers are drawn, not given.
type invented struct {
	members, submissions, declined int
	seed                           uint64
	firstYear                      bool
	marking                        string
	lonely                         string // an outcome at which one member is above all others and one gives no level
}

// release adds up an invented coalition's answers and returns what may be shown.
func (c invented) release(t testing.TB) *release.Release {
	t.Helper()
	pack := corePack(t)
	layout, err := framework.NewLayout(pack)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(c.seed, 11))
	hard := make(map[string]float64)
	for _, o := range pack.Outcomes() {
		hard[o.ID] = rng.NormFloat64() * 0.16
	}
	totals := disclosure.Totals{Layout: layout, Submissions: uint64(c.submissions), Cells: make([]uint64, layout.Bits())}
	for range c.submissions {
		capability := 0.6 + rng.NormFloat64()*0.15
		now := answers(rng, pack, capability, hard)
		before := &assess.Assessment{Member: "Invented", Answers: make(map[string]assess.Answer)}
		for _, o := range pack.Outcomes() {
			answer := now.Answers[o.ID]
			if number, ok := answer.Level.Number(); ok && rng.IntN(4) == 0 {
				answer.Level, _ = framework.LevelOf(max(number-1+2*(rng.IntN(5)/4), 0) % 5)
			}
			before.Answers[o.ID] = answer
		}
		if c.firstYear {
			before = nil
		}
		measurement, err := assess.Measurement(layout, now, before)
		if err != nil {
			t.Fatal(err)
		}
		for i, bucket := range measurement {
			totals.Cells[layout.Offset(i)+int(bucket)]++
		}
	}
	if i, ok := layout.Index(c.lonely, framework.KindLevel); ok {
		copy(totals.Cells[layout.Offset(i):], []uint64{0, 0, 0, uint64(c.submissions) - 2, 1, 0, 1})
	}
	return releasetest.New(t, releasetest.Config{
		Marking: c.marking, Pack: pack, Cells: totals.Cells, Members: c.members, Submissions: c.submissions, Declined: c.declined,
	})
}

// silentRelease returns a release to which every member said nothing but that it
// prefers not to say.
func silentRelease(t testing.TB, pack *framework.Pack) *release.Release {
	t.Helper()
	layout, err := framework.NewLayout(pack)
	if err != nil {
		t.Fatal(err)
	}
	const n = 12
	totals := disclosure.Totals{Layout: layout, Submissions: n, Cells: make([]uint64, layout.Bits())}
	for i, b := range layout.Blocks {
		bucket := map[framework.Kind]string{framework.KindLevel: "withheld", framework.KindGap: "unknown", framework.KindChange: "not_comparable"}[b.Kind]
		at, ok := b.Bucket(stdcmp.Or(bucket, "none"))
		if !ok {
			t.Fatalf("%s has no bucket for nothing", b.Name)
		}
		totals.Cells[layout.Offset(i)+at] = n
	}
	return releasetest.New(t, releasetest.Config{Pack: pack, Cells: totals.Cells, Submissions: n})
}

// scattered returns a release of any size whose totals follow no pattern: small
// and empty buckets are frequent.
func scattered(t testing.TB, pack *framework.Pack, n int, seed uint64) *release.Release {
	t.Helper()
	layout, err := framework.NewLayout(pack)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(seed, 5))
	totals := disclosure.Totals{Layout: layout, Submissions: uint64(n), Cells: make([]uint64, layout.Bits())}
	for i, b := range layout.Blocks {
		cells := totals.Cells[layout.Offset(i):][:len(b.Buckets)]
		rest := n
		for _, j := range rng.Perm(len(cells)) {
			draw := rng.IntN(rest/(1+rng.IntN(4)) + 1)
			if rng.IntN(3) == 0 {
				draw = min(rest, rng.IntN(3))
			}
			cells[j] += uint64(draw)
			rest -= draw
		}
		cells[rng.IntN(len(cells))] += uint64(rest)
	}
	declined, late := rng.IntN(n/4+1), rng.IntN(n/4+1)
	return releasetest.New(t, releasetest.Config{
		Pack: pack, Cells: totals.Cells, Members: n + declined + late, Submissions: n, NoHosts: rng.IntN(3), Declined: declined,
	})
}

// draw returns the picture, after checking what every picture has: no line is
// too wide or ends in spaces, and there are no escape sequences that nobody
// asked for.
func draw(t testing.TB, r *release.Release, opts pictureOptions) string {
	t.Helper()
	var b strings.Builder
	if err := drawPicture(&b, r, opts); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if strings.Contains(text, "\x1b") != opts.Emphasis {
		t.Errorf("escape sequences: %t, asked for %t", !opts.Emphasis, opts.Emphasis)
	}
	width := min(max(opts.Width, 40), 160)
	if opts.Width <= 0 {
		width = 80
	}
	if n := r.Participation.Submissions; n >= 1000 { // six counts and two figures beside each other
		width = max(width, 6*len(fmt.Sprint(n, " "))+14)
	}
	for i, line := range strings.Split(withoutEmphasis(text), "\n") {
		if textWidth(line) > width || strings.HasSuffix(line, " ") {
			t.Errorf("line %d of a picture of %d columns: %q", i+1, width, line)
		}
	}
	return text
}

func withoutEmphasis(text string) string {
	return strings.NewReplacer("\x1b[1m", "", "\x1b[2m", "", "\x1b[0m", "").Replace(text)
}

// updateGolden is the environment variable that writes the golden files anew:
// look at what changed before committing it.
const updateGolden = "MUSTER_UPDATE_GOLDEN"

// goldenRelease reads the release that the golden pictures are drawn from. It is
// a file, so that the pictures change when the drawing does and not when a pack does.
func goldenRelease(t *testing.T) *release.Release {
	t.Helper()
	const name = "testdata/picture/release.json"
	if os.Getenv(updateGolden) != "" {
		b, err := invented{members: 32, submissions: 30, declined: 1, seed: 3, marking: "SYNTHETIC", lonely: "A8.6"}.release(t).Canonical()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := release.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPictureGolden(t *testing.T) {
	t.Parallel()
	r := goldenRelease(t)
	tests := []struct {
		name string
		opts pictureOptions
	}{
		{"80", pictureOptions{}},
		{"100", pictureOptions{Width: 100}},
		{"120", pictureOptions{Width: 120}},
		{"40", pictureOptions{Width: 40}},
		{"60-emphasis", pictureOptions{Width: 60, Emphasis: true}},
		{"80-ascii", pictureOptions{ASCII: true}},
		{"100-emphasis", pictureOptions{Width: 100, Emphasis: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := draw(t, r, tt.opts)
			name := "testdata/picture/" + tt.name + ".txt"
			if os.Getenv(updateGolden) != "" {
				if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("%s: -want +got\n%s", name, diff)
			}
		})
	}
}

func TestPictureFitsEveryTerminal(t *testing.T) {
	t.Parallel()
	pack := corePack(t)
	for _, n := range []int{10, 31, 99, 100, 999, 1000, 9999, 40_000} {
		r := scattered(t, pack, n, uint64(n))
		t.Run(fmt.Sprintf("%d members", n), func(t *testing.T) {
			t.Parallel()
			for _, width := range []int{-1, 0, 1, 40, 41, 53, 66, 79, 80, 81, 87, 93, 100, 110, 120, 140, 160, 161} {
				text := draw(t, r, pictureOptions{Width: width})
				ascii := draw(t, r, pictureOptions{Width: width, ASCII: true})
				if strings.ContainsFunc(ascii, func(r rune) bool { return r > 0x7E || r < ' ' && r != '\n' }) || strings.Contains(ascii, "?") {
					t.Errorf("%d columns: not ASCII, or something has no sign", width)
				}
				if utf8.RuneCountInString(text) != len(ascii) {
					t.Errorf("%d columns: ASCII has %d characters, UTF-8 %d", width, len(ascii), utf8.RuneCountInString(text))
				}
				if withoutEmphasis(draw(t, r, pictureOptions{Width: width, Emphasis: true})) != text {
					t.Errorf("%d columns: emphasis changes the text", width)
				}
			}
		})
	}
}

// TestPictureWords holds the picture to the words that people use.
func TestPictureWords(t *testing.T) {
	t.Parallel()
	text := strings.Join(strings.Fields(draw(t, goldenRelease(t), pictureOptions{})), " ")
	for _, word := range []string{
		"SYNTHETIC", "Where most members need help", "What stands well", "No level given",
		"We prefer not to say", "30 of 32 members took part", "1 takes no part this year", "1 is late",
		"written and approved", "Not sure: the lower", "Every row counts the same 30 members",
		"We tried to work out one member's answer from these numbers", "Another figure from the same answers", "To compare with other copies",
	} {
		if !strings.Contains(text, word) {
			t.Errorf("the picture does not say %q", word)
		}
	}
	if n := strings.Count(text, "Too few to show without pointing at someone"); n != 1 {
		t.Errorf("why something is not shown is said %d times", n)
	}
	for _, word := range []string{
		"first rule", "gate", "SHA", "cohorts?", "thresholds?", "k-threshold", "shares?", "merged?", "withheld", "Prio3", "aggregate", "average", "mean", "ranks?", "ranking",
		"scores?", "index", "tail", "weakest", "digests?", "reports?", "metrics?",
	} {
		if regexp.MustCompile(`(?i)\b` + word + `\b`).MatchString(text) {
			t.Errorf("the picture says %q", word)
		}
	}
}

// TestPictureTitle: whose picture it is, in the words of whoever reads it.
func TestPictureTitle(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, coalition, cohort string
		want                    string
	}{
		{"a coalition", "Hithe", "members", "Hithe, cycle 2031\nCore resilience (muster-core 1.0.0)\n"},
		{"a group of it", "Hithe", "Sund", "Hithe, cycle 2031\nCore resilience (muster-core 1.0.0), group Sund\n"},
		{"nobody but the one who rehearses", "rehearsal", "members", "Rehearsal of cycle 2031\nCore resilience (muster-core 1.0.0)\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := goldenRelease(t)
			r.Coalition, r.Cohort = tt.coalition, tt.cohort
			if text := draw(t, r, pictureOptions{}); !strings.Contains(text, tt.want) {
				t.Errorf("want %q in:\n%s", tt.want, text[:400])
			}
		})
	}
}

// TestPictureOfSilence: where nobody gives a level, the lists say so.
func TestPictureOfSilence(t *testing.T) {
	t.Parallel()
	text := strings.Join(strings.Fields(draw(t, silentRelease(t, corePack(t)), pictureOptions{})), " ")
	for _, want := range []string{
		"at most 12 of 12 at 0 or 1", // together with those who gave no level
		"None of the 36 outcomes has a member at 3 or 4.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the picture does not say %q:\n%s", want, text)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestPictureReportsWriteErrors(t *testing.T) {
	t.Parallel()
	if err := drawPicture(fullDisk{}, scattered(t, corePack(t), 12, 1), pictureOptions{}); err == nil {
		t.Error("a picture that was not written is no error")
	}
}

func TestPictureLanguage(t *testing.T) {
	t.Parallel()
	r := goldenRelease(t)
	r.Framework.Languages = append(r.Framework.Languages, "fr")
	for i := range r.Areas {
		for j := range r.Areas[i].Outcomes {
			r.Areas[i].Outcomes[j].Title["fr"] = "Chaîne de décision"
		}
	}
	french := draw(t, r, pictureOptions{Language: "fr", Width: 100})
	if !strings.Contains(french, "Chaîne de décision") {
		t.Error("titles are not in the language that was asked for")
	}
	if !strings.Contains(draw(t, r, pictureOptions{Language: "fr", Width: 100, ASCII: true}), "Chaine de decision") {
		t.Error("accents cost more than themselves")
	}
	if strings.Contains(draw(t, r, pictureOptions{Language: "de"}), "Chaîne") {
		t.Error("a language that the release lacks is not replaced by its first")
	}
}

// TestPictureOfATranslatedPack draws our packs as they are, in both languages.
func TestPictureOfATranslatedPack(t *testing.T) {
	t.Parallel()
	pack := corePack(t)
	r := scattered(t, pack, 12, 1)
	for _, lang := range pack.Languages {
		for _, width := range []int{40, 80, 100, 160} {
			picture := draw(t, r, pictureOptions{Language: lang, Width: width})
			for line := range strings.Lines(picture) {
				if n := textWidth(strings.TrimSuffix(line, "\n")); n > width {
					t.Errorf("in %q at %d columns a line has %d: %q", lang, width, n, line)
				}
			}
			// A long title is cut where a row has no room for it.
			if title := []rune(pack.Areas[0].Outcomes[2].Title.In(lang)); !strings.Contains(picture, string(title[:12])) {
				t.Errorf("in %q at %d columns the picture does not name %q", lang, width, string(title))
			}
			if ascii := draw(t, r, pictureOptions{Language: lang, Width: width, ASCII: true}); strings.Contains(ascii, "?") {
				t.Errorf("in %q at %d columns a sign is lost in ASCII", lang, width)
			}
		}
	}
}

func TestApportion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.SliceOfN(rapid.Uint64Range(0, 60), 1, 6).Draw(t, "counts")
		marks := rapid.IntRange(8, 48).Draw(t, "marks")
		got := apportion(counts, marks)
		var total uint64
		sum := 0
		for i, n := range counts {
			total += n
			sum += got[i]
			if (got[i] > 0) != (n > 0) {
				t.Fatalf("%v in %d marks: %v", counts, marks, got)
			}
			for j, m := range counts {
				if n > m && got[i] < got[j] {
					t.Fatalf("%v in %d marks: %v, more members have fewer marks", counts, marks, got)
				}
			}
		}
		if total > 0 && sum != marks {
			t.Fatalf("%v in %d marks: %v are %d", counts, marks, got, sum)
		}
		if total == uint64(marks) {
			for i, n := range counts {
				if uint64(got[i]) != n {
					t.Fatalf("%v in as many marks: %v", counts, got)
				}
			}
		}
	})
}

func TestText(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, got, want string }{
		{"fits", cut("Strategy", 8), "Strategy"},
		{"is cut", cut("Strategy in force", 12), "Strategy in…"},
		{"is cut before a space", cut("Strategy in force", 10), "Strategy…"},
		{"wide characters", cut("戦略と指導", 6), "戦略…"},
		{"combining characters take no column", pad("e\u0301", 3), "e\u0301  "},
		{"numbers end in one column", padLeft("9", 3) + padLeft("12", 3), "  9 12"},
		{"lines", strings.Join(wrap("one two three  four\nfive", 9), "|"), "one two|three|four five"},
		{"a long word", strings.Join(wrap("a resilience b", 5), "|"), "a|resilience|b"},
		{"no text", strings.Join(wrap("", 5), "|"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.got != tt.want {
				t.Errorf("got %q, want %q", tt.got, tt.want)
			}
		})
	}
}
