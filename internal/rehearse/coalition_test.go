package rehearse_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/framework"
	"muster/internal/ledger"
	"muster/internal/rehearse"
	"muster/packs"
)

// cells are one answer as a member writes it: level, verified, evidence, target.
type cells [4]string

// year is one member's answers in one cycle, by outcome; nil if there are none.
type year map[string]cells

// member is what a test knows of a member. The totals are added up from this,
// never from what was made of it for the program.
type member struct {
	name        string
	now, before year
	declined    bool
}

// randomCoalition draws n members of which at least take answer. Of the others
// some decline and some are late; of all some were there last year.
func randomCoalition(random *mathrand.Rand, p *framework.Pack, n, take int) []member {
	members := make([]member, n)
	take += random.IntN(n - take + 1)
	for i := range members {
		m := &members[i]
		m.name = fmt.Sprintf("member %03d", i)
		if random.IntN(4) > 0 {
			m.before = randomYear(random, p)
			if random.IntN(3) == 0 { // the framework was smaller then
				delete(m.before, p.Outcomes()[random.IntN(len(p.Outcomes()))].ID)
			}
		}
	}
	for place, i := range random.Perm(n) {
		if place < take {
			members[i].now = randomYear(random, p)
		} else {
			members[i].declined = random.IntN(2) == 0
		}
	}
	return members
}

func randomYear(random *mathrand.Rand, p *framework.Pack) year {
	y := year{}
	levels := []string{"0", "1", "2", "3", "4", "na", "withheld"}
	if random.IntN(4) == 0 {
		levels = levels[5:] // says little, so that areas have no level at all
	}
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	for _, o := range p.Outcomes() {
		y[o.ID] = cells{
			pick(levels...),
			pick("none", "0", "1", "2", "3", "4", "na", "withheld"),
			pick("none", "E0", "E1", "E2", "E3"),
			pick("none", "0", "1", "2", "3", "4"),
		}
	}
	return y
}

// assessment is what the program is given.
func (y year) assessment(t testing.TB, name string) *assess.Assessment {
	if y == nil {
		return nil
	}
	a := &assess.Assessment{Member: name, Answers: map[string]assess.Answer{}}
	for id, c := range y {
		var answer assess.Answer
		for i, into := range []interface{ UnmarshalText([]byte) error }{&answer.Level, &answer.Verified, &answer.Evidence, &answer.Target} {
			if err := into.UnmarshalText([]byte(c[i])); err != nil {
				t.Fatal(err)
			}
		}
		a.Answers[id] = answer
	}
	return a
}

// config is a rehearsal of the members, with two hosts drawn from them.
func config(t testing.TB, random *mathrand.Rand, p *framework.Pack, members []member) rehearse.Config {
	hosts := random.Perm(len(members))
	cfg := rehearse.Config{
		Coalition: "a coalition", Cycle: "1", Marking: "SYNTHETIC", Pack: p,
		Hosts: [2]coalition.MemberID{coalition.MemberID(members[hosts[0]].name), coalition.MemberID(members[hosts[1]].name)},
		Dir:   t.TempDir(), Rand: rand.Reader, Now: time.Now,
	}
	for _, m := range members {
		cfg.Members = append(cfg.Members, rehearse.Member{
			ID: coalition.MemberID(m.name), Declined: m.declined, Now: m.now.assessment(t, m.name), Before: m.before.assessment(t, m.name),
		})
	}
	return cfg
}

// totals is the shape of aggregate.json: members by subject, block and bucket.
type totals struct {
	Count    int                                  `json:"count"`
	Outcomes map[string]map[string]map[string]int `json:"outcomes"`
	Areas    map[string]map[string]map[string]int `json:"areas"`
}

// plainSum adds up the members' cells. It does everything its own way: levels
// are compared as text, moves are collected as signs.
func plainSum(p *framework.Pack, members []member) totals {
	block := func(buckets string) map[string]int {
		b := map[string]int{}
		for name := range strings.FieldsSeq(buckets) {
			b[name] = 0
		}
		return b
	}
	sum := totals{Outcomes: map[string]map[string]map[string]int{}, Areas: map[string]map[string]map[string]int{}}
	for _, o := range p.Outcomes() {
		sum.Outcomes[o.ID] = map[string]map[string]int{
			"level": block("0 1 2 3 4 na withheld"), "verified": block("0 1 2 3 4 na withheld none"), "target": block("0 1 2 3 4 none"),
			"gap": block("below met unknown"), "evidence": block("E0 E1 E2 E3 none"),
		}
		sum.Areas[strings.Split(o.ID, ".")[0]] = map[string]map[string]int{
			"lowest": block("0 1 2 3 4 none"), "change": block("worse mixed same better not_comparable"),
		}
	}
	for _, m := range members {
		if m.now == nil {
			continue
		}
		sum.Count++
		lowest, moves := map[string]string{}, map[string]string{}
		for id, c := range m.now {
			of, area := sum.Outcomes[id], strings.Split(id, ".")[0]
			of["level"][c[0]]++
			of["verified"][c[1]]++
			of["evidence"][c[2]]++
			of["target"][c[3]]++
			switch {
			case len(c[0]) != 1 || len(c[3]) != 1:
				of["gap"]["unknown"]++
			case c[0] < c[3]:
				of["gap"]["below"]++
			default:
				of["gap"]["met"]++
			}
			if len(c[0]) != 1 {
				continue
			}
			if was, ok := lowest[area]; !ok || c[0] < was {
				lowest[area] = c[0]
			}
			if was := m.before[id][0]; len(was) == 1 {
				moves[area] += string("-=+"[strings.Compare(c[0], was)+1])
			}
		}
		for area, of := range sum.Areas {
			if level, ok := lowest[area]; ok {
				of["lowest"][level]++
			} else {
				of["lowest"]["none"]++
			}
			fell, rose := strings.Contains(moves[area], "-"), strings.Contains(moves[area], "+")
			change := map[[2]bool]string{{true, true}: "mixed", {true, false}: "worse", {false, true}: "better", {false, false}: "same"}[[2]bool{fell, rose}]
			if moves[area] == "" {
				change = "not_comparable"
			}
			of["change"][change]++
		}
	}
	return sum
}

// check compares a whole result with what the members said.
func check(t *testing.T, cfg rehearse.Config, members []member, result *rehearse.Result) {
	t.Helper()
	b := checkBundle(t, result)
	shares, releases := 0, 0
	if result.Aggregate != nil {
		shares = 2
	}
	if result.Release != nil {
		releases = 1
	}
	if count(b, ledger.KindCharter) != 1 || count(b, ledger.KindRoster) != 1 || count(b, ledger.KindShare) != shares || count(b, ledger.KindRelease) != releases {
		t.Errorf("the ledger has %d charters, %d rosters, %d shares and %d releases", count(b, ledger.KindCharter), count(b, ledger.KindRoster), count(b, ledger.KindShare), count(b, ledger.KindRelease))
	}
	// What was opened ends: both hosts sign what is shown, and all three wipe at their day.
	wipes := 3 * shares / 2
	if count(b, ledger.KindApproval) != 2*releases || count(b, ledger.KindWipe) != wipes || len(result.Wipes) != wipes {
		t.Errorf("the ledger has %d approvals and %d wipes", count(b, ledger.KindApproval), count(b, ledger.KindWipe))
	}
	want := plainSum(cfg.Pack, members)
	hosting := 0
	for _, m := range members {
		if m.now != nil && slices.Contains(cfg.Hosts[:], coalition.MemberID(m.name)) {
			hosting++
		}
	}
	if 3*want.Count < 2*len(members) {
		if result.Aggregate != nil || result.Release != nil || result.Refused == nil {
			t.Fatalf("%d of %d members: aggregate %v, release %v, refused %v", want.Count, len(members), result.Aggregate, result.Release, result.Refused)
		}
		return
	}
	body, err := json.Marshal(result.Aggregate)
	if err != nil {
		t.Fatal(err)
	}
	var got totals
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the aggregate is not the plain sum (-want +got):\n%s", diff)
	}
	released := want.Count-hosting >= 8
	if released != (result.Release != nil) || released != (result.Refused == nil) {
		t.Errorf("%d members, %d of them hosts: release %v, refused %v", want.Count, hosting, result.Release, result.Refused)
	}
}

func corePack(t testing.TB) *framework.Pack {
	p, err := framework.Find(packs.FS(), "muster-core")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// smallPack has two areas and three outcomes.
func smallPack(t testing.TB) *framework.Pack {
	name := filepath.Join("..", "framework", "testdata", "harbour.yaml")
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := framework.Read(name, f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
