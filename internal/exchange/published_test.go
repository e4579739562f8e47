package exchange_test

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"muster/internal/coalition"
	"muster/internal/disclosure/attack"
	"muster/internal/errs"
	"muster/internal/exchange"
)

const someGroups = exchange.GroupsHeader + `
2030,all,Aldmoor
2030,all,Brevik
2030,all,"Corso, East"
2030,few,Aldmoor
2031,all,Brevik
`

func groups(t testing.TB) *exchange.Groups {
	t.Helper()
	g, err := exchange.ReadGroups("groups.csv", strings.NewReader(someGroups))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestReadPublished(t *testing.T) {
	t.Parallel()
	got, err := exchange.ReadPublished("t.csv", strings.NewReader("\uFEFF"+exchange.PublishedHeader+"\r\n"+
		"2030,all,A1.1,level,count,0 1,2\r\n\r\n"+
		"2030,few,A1.1,gap,count,met,1\r\n"+
		"2030,all,A1.1,level,share,3 4,0.33"), groups(t))
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, s := range got {
		said = append(said, fmt.Sprintf("%s: %s of %s: %v is %s", s.Source, s.Block, strings.Join(s.Members, "+"), s.Weights, s.Allowed))
	}
	want := []string{
		"t.csv:2: 2030 A1.1/level of Aldmoor+Brevik+Corso, East: [0 1 1 0 0 0] is 2",
		"t.csv:4: 2030 A1.1/gap of Aldmoor: [0 0 1] is 1",
		"t.csv:5: 2030 A1.1/level of Aldmoor+Brevik+Corso, East: [0 0 0 0 1 1] is 1",
	}
	if strings.Join(said, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
}

// TestMeansAreWhatTheyAllow counts, for every answer that a small group can have
// given, whether the statements of a printed mean allow it: exactly if its mean,
// rounded, is what was printed.
func TestMeansAreWhatTheyAllow(t *testing.T) {
	t.Parallel()
	for _, printed := range []string{"0", "1", "2.0", "2.3", "2.33", "1.50", "3.6667", "4"} {
		statements, err := exchange.ReadPublished("t.csv", strings.NewReader(exchange.PublishedHeader+"\n2030,all,A1.1,level,mean,,"+printed), groups(t))
		if err != nil {
			t.Fatal(err)
		}
		value, _ := new(big.Rat).SetString(printed)
		_, digits, _ := strings.Cut(printed, ".")
		half := big.NewRat(1, 2)
		for range digits {
			half.Quo(half, big.NewRat(10, 1))
		}
		allowed := 0
		for answers := range 6 * 6 * 6 { // none, 0, ..., 4 for each of three members
			units := [3]int{answers % 6, answers / 6 % 6, answers / 36}
			sum, given := 0, 0
			for _, u := range units {
				if u > 0 {
					sum, given = sum+u-1, given+1
				}
			}
			want := given == 0 // nobody gave a level: there is no mean, and nothing forbids it
			if given > 0 {
				off := new(big.Rat).Sub(big.NewRat(int64(sum), int64(given)), value)
				want = off.Abs(off).Cmp(half) <= 0
			}
			got := true
			for _, s := range statements {
				weighed := 0
				for _, u := range units {
					weighed += s.Weights[u]
				}
				got = got && s.Allowed.Has(weighed)
			}
			if got != want {
				t.Errorf("mean %s of answers %v: allowed %t, want %t", printed, units, got, want)
			}
			if got && given > 0 {
				allowed++
			}
		}
		if allowed == 0 {
			t.Errorf("no answers have the mean %s", printed)
		}
	}
}

func TestPublishedFaults(t *testing.T) {
	t.Parallel()
	published := func(text string) error {
		_, err := exchange.ReadPublished("t.csv", strings.NewReader(text), groups(t))
		return err
	}
	row := func(row string) string { return exchange.PublishedHeader + "\n" + row }
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "t.csv:1:1: the file is empty"},
		{"another header", "outcome,level", "t.csv:1:1: header: the file does not begin with the header; allowed: the header " + exchange.PublishedHeader},
		{"no row", exchange.PublishedHeader, "t.csv:1:1: there is no row"},
		{"a cell too few", row("2030,all,A1.1,level,count,0"), "t.csv:2:1: "},
		{"an unknown cycle", row("2029,all,A1.1,level,count,0,1"), `t.csv:2:6: group: the group "all" has no members in "2029"`},
		{"an unknown group", row("2030,some,A1.1,level,count,0,1"), `t.csv:2:6: group: the group "some" has no members in "2030"`},
		{"an unknown kind", row("2030,all,A1.1,mood,count,0,1"), `t.csv:2:15: kind: "mood" is no kind of count`},
		{"no subject", row("2030,all,,level,count,0,1"), "t.csv:2:10: subject: there is no name"},
		{"an unknown statistic", row("2030,all,A1.1,level,median,,1"), `t.csv:2:21: statistic: "median" is no statistic; allowed: count, share or mean`},
		{"an unknown unit", row("2030,all,A1.1,level,count,5,1"), `t.csv:2:27: units: "5" is no unit here, or is there twice; allowed: one or more of none, 0, 1, 2, 3, 4`},
		{"a unit twice", row("2030,all,A1.1,level,count,0 0,1"), `t.csv:2:27: units: "0" is no unit here, or is there twice`},
		{"no unit", row("2030,all,A1.1,level,count,,1"), `t.csv:2:27: units: "" is no unit here`},
		{"more than there are", row("2030,all,A1.1,level,count,0,4"), `t.csv:2:29: value: "4" is no count of this group; allowed: 0 to 3`},
		{"a negative count", row("2030,all,A1.1,level,count,0,-1"), "is no count of this group"},
		{"a count in another form", row("2030,all,A1.1,level,count,0,+1"), "is no count of this group"},
		{"a share that no count gives", row("2030,all,A1.1,level,share,0,0.50"), `t.csv:2:29: value: "0.50" is no share of this group`},
		{"a share in per cent", row("2030,all,A1.1,level,share,0,33%"), "is no share of this group"},
		{"a mean with a comma", row(`2030,all,A1.1,level,mean,,"2,3"`), `value: "2,3" is no mean level`},
		{"a mean above the scale", row("2030,all,A1.1,level,mean,,4.5"), "is no mean level"},
		{"a mean of some units", row("2030,all,A1.1,level,mean,0 1,2"), "units: a mean is over all who gave a level"},
		{"a mean of what has none", row("2030,all,A1.1,change,mean,,2"), `kind: there is no mean of "change"`},
		{"not UTF-8", row("2030,all,A1.1,level,count,\xff,1"), "t.csv:2:27: byte 0xFF is not UTF-8"},
		{"an open quote", row(`2030,all,"A1.1,level,count,0,1`), "a quote is opened and not closed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := published(tt.text)
			if _, ok := errors.AsType[errs.Faults](err); !ok || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	if err := published(row("2030,all,A1.1,mood,count,0,1\n2030,all,A1.1,level,count,0,9")); err == nil || !strings.Contains(err.Error(), "and 1 more") {
		t.Errorf("not every fault is named: %v", err)
	}
}

func TestGroupsKnownAndNamesFaults(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		err  error
		want string
	}{
		"a member twice in a group": {
			second(exchange.ReadGroups("g.csv", strings.NewReader(exchange.GroupsHeader+"\n1,a,M\n1,a,M"))), `g.csv:3:5: member: "M" is in this group already, by line 2`,
		},
		"a member without a name": {second(exchange.ReadGroups("g.csv", strings.NewReader(exchange.GroupsHeader+"\n1,a,"))), "g.csv:2:5: member: "},
		"a cycle without a name":  {second(exchange.ReadGroups("g.csv", strings.NewReader(exchange.GroupsHeader+"\n,a,M"))), "g.csv:2:1: cycle: there is no name"},
		"a known answer twice": {
			second(exchange.ReadKnown("k.csv", strings.NewReader(exchange.KnownHeader+"\n1,M,A1.1,level,0\n1,M,A1.1,level,1"))), "k.csv:3:3: member: this answer has a row already, on line 2",
		},
		"a known answer that is none": {
			second(exchange.ReadKnown("k.csv", strings.NewReader(exchange.KnownHeader+"\n1,M,A1.1,level,na"))), `k.csv:2:16: unit: "na" is no unit here`,
		},
		"a name that nobody knows": {second(exchange.ReadNames("n.csv", strings.NewReader("member\nM\nX"), func(id coalition.MemberID) bool { return id == "M" })), `n.csv:3:1: member: "X" is not of the cohort`},
		"a name twice":             {second(exchange.ReadNames("n.csv", strings.NewReader("member\nM\nM"), func(coalition.MemberID) bool { return true })), "n.csv:3:1: member: \"M\" has a row already, on line 2"},
	} {
		if _, ok := errors.AsType[errs.Faults](row.err); !ok || !strings.Contains(row.err.Error(), row.want) {
			t.Errorf("%s: got %v, want %q", name, row.err, row.want)
		}
	}
	facts, err := exchange.ReadKnown("k.csv", strings.NewReader(exchange.KnownHeader+"\n2030,\"Corso, East\",A1.1,level,none"))
	if want := (attack.Fact{Member: "Corso, East", Block: attack.Block{Cycle: "2030", Subject: "A1.1", Kind: "level"}, Unit: "none"}); err != nil || len(facts) != 1 || facts[0] != want {
		t.Errorf("got %v, %v", facts, err)
	}
}

func second[T any](_ T, err error) error { return err }

func FuzzReadPublished(f *testing.F) {
	f.Add(exchange.PublishedHeader + "\n2030,all,A1.1,level,count,0 1,2\n2030,all,A1.1,level,mean,,2.43\n2030,few,A1.1,gap,share,met,1.0\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		statements, err := exchange.ReadPublished("t.csv", strings.NewReader(text), groups(t))
		if _, ok := errors.AsType[errs.Faults](err); err != nil && !ok {
			t.Fatalf("%v is no list of faults", err)
		}
		for _, s := range statements {
			if len(s.Weights) != len(attack.Chain(s.Block.Kind)) || s.Allowed.String() == "nothing" {
				t.Fatalf("a statement that says nothing or is of no block: %+v", s)
			}
		}
	})
}
