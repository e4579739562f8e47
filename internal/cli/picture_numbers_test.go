package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/disclosure"
	"muster/internal/release"
)

// TestPictureNumbers reads pictures back and recomputes every number in them
// from the bands of the release. A line that no reader below accounts for fails
// the test, so that no number can be added to a picture without one.
func TestPictureNumbers(t *testing.T) {
	t.Parallel()
	pack := corePack(t)
	t.Run("golden", func(t *testing.T) {
		t.Parallel()
		for _, width := range []int{40, 60, 79, 80, 100, 120, 160} {
			checkNumbers(t, goldenRelease(t), width)
		}
	})
	t.Run("first year of twelve", func(t *testing.T) {
		t.Parallel()
		checkNumbers(t, invented{members: 12, submissions: 12, seed: 3, firstYear: true, marking: "REHEARSAL"}.release(t), 80)
	})
	t.Run("nobody gives a level", func(t *testing.T) {
		t.Parallel()
		checkNumbers(t, silentRelease(t, pack), 40)
		checkNumbers(t, silentRelease(t, pack), 80)
	})
	t.Run("any", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(rt *rapid.T) {
			n := rapid.OneOf(rapid.IntRange(10, 60), rapid.IntRange(10, 9999)).Draw(rt, "submissions")
			r := scattered(t, pack, n, rapid.Uint64().Draw(rt, "seed"))
			checkNumbers(rt, r, rapid.IntRange(40, 160).Draw(rt, "width"))
		})
	})
}

// tester is what *testing.T and *rapid.T share.
type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func checkNumbers(t tester, r *release.Release, width int) {
	t.Helper()
	var b strings.Builder
	if err := drawPicture(&b, r, pictureOptions{Width: width}); err != nil {
		t.Fatal(err)
	}
	sections := strings.Split(b.String(), "\n\n")
	rd := &pictureReader{t: t, r: r}
	for rest := sections; len(rest) > 0; rest = rest[1:] {
		rd.section(unstack(strings.Split(strings.TrimRight(rest[0], "\n"), "\n")))
	}
	for _, a := range r.Areas {
		if !rd.areas[a.ID] {
			t.Fatalf("the picture has no area %s", a.ID)
		}
	}
	if len(rd.lists) != 2 {
		t.Fatalf("the picture has %d of 2 lists", len(rd.lists))
	}
}

// unstack puts the lines of each row of a narrow picture beside each other, as a
// wide one has them.
func unstack(lines []string) []string {
	const left = 100 // columns in front of the counts
	only := func(line, signs string) bool { return line != "" && strings.Trim(line, signs) == "" }
	var out []string
	if len(lines) > 1 && strings.HasPrefix(strings.TrimSpace(lines[1]), "–   ") && strings.HasSuffix(lines[1], "tested") {
		out = append(out, pad(lines[0], left)+lines[1])
		lines = lines[2:]
		for len(lines) > 1 && !strings.HasPrefix(strings.TrimSpace(lines[0]), "since last cycle") {
			row := lines[0]
			if lines = lines[1:]; only(lines[0], "·─░▒▓█") {
				row += " " + lines[0]
				lines = lines[1:]
			}
			out = append(out, pad(row, left)+lines[0])
			lines = lines[1:]
		}
		return append(out, lines...)
	}
	for i, line := range lines {
		if i > 2 && strings.HasPrefix(strings.TrimLeft(line, "━─┄"), "  ") && strings.ContainsAny(line[:len("━")], "━─┄") {
			out[len(out)-1] += "  " + line
		} else {
			out = append(out, line)
		}
	}
	return out
}

// pictureReader reads a picture the way a person would, and knows nothing of how
// it was drawn.
type pictureReader struct {
	t     tester
	r     *release.Release
	areas map[string]bool
	lists []string
}

// section reads the lines between two blank lines.
func (p *pictureReader) section(lines []string) {
	p.t.Helper()
	r := p.r
	title := lines[0]
	if len(lines) > 1 && strings.Trim(lines[1], "─") == "" {
		lines = lines[2:]
	}
	text := strings.Join(strings.Fields(strings.Join(lines, " ")), " ")
	switch {
	case strings.HasPrefix(title, "▓"):
		p.noDigits(strings.ReplaceAll(text, r.Marking, ""))
	case strings.HasPrefix(text, r.Coalition+", cycle "):
		p.equal(text, fmt.Sprintf("%s, cycle %s %s (%s %s)", r.Coalition, r.Cycle,
			r.Framework.Title["en"], r.Framework.ID, r.Framework.Version))
	case strings.Contains(title, " members took part"):
		p.participation(text)
	case title == "Where most members need help":
		p.list(lines, []string{"0", "1"}, "0 or 1")
	case title == "What stands well":
		p.list(lines, []string{"3", "4"}, "3 or 4")
	case title == "Area by area":
		p.legend(text)
	case areaHead.MatchString(title):
		p.table(lines)
	case title == "What is not shown":
		p.notShown(text)
	case title == "The scale":
		want := ""
		for i, level := range r.Scale.Levels {
			want += fmt.Sprintf("%d %s ", i, level["en"])
		}
		p.equal(text, want+r.Scale.HouseRule["en"])
	case title == "What stands behind the numbers":
		method := ""
		for _, statement := range r.Method {
			method += statement.Text["en"] + " "
		}
		p.equal(text, fmt.Sprintf("Every row counts the same %d members. %s To compare with other copies: charter %s…, roster %s….",
			r.Participation.Submissions, method, r.CharterDigest[:12], r.RosterDigest[:12]))
	default:
		p.t.Fatalf("nobody reads %q", text)
	}
}

func (p *pictureReader) equal(got, want string) {
	p.t.Helper()
	if diff := cmp.Diff(strings.Join(strings.Fields(want), " "), got); diff != "" {
		p.t.Fatalf("-want +got\n%s", diff)
	}
}

func (p *pictureReader) noDigits(text string) {
	p.t.Helper()
	if strings.ContainsAny(text, "0123456789") {
		p.t.Fatalf("nobody reads the numbers of %q", text)
	}
}

func (p *pictureReader) number(s string) uint64 {
	p.t.Helper()
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		p.t.Fatalf("%q is no number", s)
	}
	return n
}

var took = regexp.MustCompile(`^(\d+) of (\d+) members took part(?:, (1 host|both hosts) among them)?` +
	`(?:; (\d+) takes? no part this year)?(?:[;,] (\d+) (?:is|are) late)?\.(?: (NOT PUBLISHABLE\. .*))?$`)

func (p *pictureReader) participation(text string) {
	p.t.Helper()
	m := took.FindStringSubmatch(text)
	if m == nil {
		p.t.Fatalf("nobody reads %q", text)
	}
	n := p.r.Participation
	want := []string{strconv.Itoa(n.Submissions), strconv.Itoa(n.Members), []string{"", "1 host", "both hosts"}[n.Hosts], "", "", ""}
	if !p.r.Status.Publishable {
		want[5] = "NOT PUBLISHABLE."
		for _, reason := range p.r.Status.Reasons {
			want[5] += " " + p.r.Reasons[reason]["en"]
		}
	}
	if n.Declined > 0 {
		want[3] = strconv.Itoa(n.Declined)
	}
	if late := n.Members - n.Submissions - n.Declined; late > 0 {
		want[4] = strconv.Itoa(late)
	}
	if diff := cmp.Diff(want, m[1:]); diff != "" {
		p.t.Fatalf("%q: -want +got\n%s", text, diff)
	}
}

// bounds recomputes from bands alone between which numbers the members at these
// levels lie, and whether a boundary parts them from the levels between.
func bounds(b disclosure.BandedBlock, levels []string) (certain, possible uint64, parted bool) {
	parted = true
	for _, band := range b.Bands() {
		inside, middle := 0, false
		for _, unit := range band.Units {
			if slices.Contains(levels, unit) {
				inside++
			} else if unit != "none" {
				middle = true
			}
		}
		switch {
		case inside == 0:
		case middle:
			parted = false
		case inside == len(band.Units):
			certain += band.Count
			possible += band.Count
		default:
			possible += band.Count
		}
	}
	return certain, possible, parted
}

var listed = regexp.MustCompile(`^(\S+) +(.*?) +([━─┄]+)  (?:(at most) |(\d+) to )?(\d+) of (\d+) at (\d or \d)$`)

func (p *pictureReader) list(lines, levels []string, words string) {
	p.t.Helper()
	p.lists = append(p.lists, words)
	type row struct {
		id                string
		certain, possible uint64
	}
	var want []row
	known, all := 0, 0
	for _, a := range p.r.Areas {
		for _, o := range a.Outcomes {
			all++
			certain, possible, parted := bounds(o.Level, levels)
			if parted {
				known++
			}
			if parted && possible > 0 {
				want = append(want, row{o.ID, certain, possible})
			}
		}
	}
	slices.SortStableFunc(want, func(a, b row) int {
		if a.certain != b.certain {
			return int(b.certain) - int(a.certain)
		}
		return int(b.possible) - int(a.possible)
	})
	want = want[:min(len(want), 5)]
	var got []row
	last := ""
	for _, line := range lines {
		m := listed.FindStringSubmatch(line)
		if m == nil {
			last = strings.TrimSpace(last + " " + line)
			continue
		}
		if last != "" || m[8] != words || p.number(m[7]) != uint64(p.r.Participation.Submissions) {
			p.t.Fatalf("nobody reads %q", line)
		}
		r := row{m[1], p.number(m[6]), p.number(m[6])}
		switch {
		case m[4] != "":
			r.certain = 0
		case m[5] != "":
			r.certain = p.number(m[5])
		}
		if strings.Contains(m[3], "━") != (r.certain > 0) || strings.Contains(m[3], "─") != (r.possible > r.certain) {
			p.t.Fatalf("the bar says another thing than the numbers: %q", line)
		}
		got = append(got, r)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(row{})); diff != "" {
		p.t.Fatalf("at %s: -want +got\n%s", words, diff)
	}
	switch {
	case known == 0:
		p.equal(last, fmt.Sprintf("The number at %s is not shown for any of the %d outcomes.", words, all))
	case len(want) == 0:
		want := fmt.Sprintf("None of the %d outcomes has a member at %s.", all, words)
		if known < all {
			want = fmt.Sprintf("None of the %d of %d outcomes that show how many are at %s has a member there.", known, all, words)
		}
		p.equal(last, want+" "+p.silent())
	case known < all:
		p.equal(last, fmt.Sprintf("Out of the %d of %d outcomes that show how many are at %s.", known, all, words))
	default:
		p.equal(last, "")
	}
}

func (p *pictureReader) outcomes() []release.Outcome {
	var all []release.Outcome
	for _, a := range p.r.Areas {
		all = append(all, a.Outcomes...)
	}
	return all
}

// silent recomputes how many members gave no level, where the bands tell.
func (p *pictureReader) silent() string {
	var counts []uint64
	for _, a := range p.r.Areas {
		for _, o := range a.Outcomes {
			if first := o.Level.Bands()[0]; len(first.Units) == 1 {
				counts = append(counts, first.Count)
			}
		}
	}
	if len(counts) == 0 {
		return ""
	}
	said := fmt.Sprint(slices.Min(counts))
	if slices.Max(counts) > slices.Min(counts) {
		said += fmt.Sprintf(" to %d", slices.Max(counts))
	}
	where := "In each of them"
	if len(counts) < len(p.outcomes()) {
		where = fmt.Sprintf("In each of the %d of %d outcomes that show it,", len(counts), len(p.outcomes()))
	}
	return fmt.Sprintf("%s %s of %d members gave no level.", where, said, p.r.Participation.Submissions)
}
