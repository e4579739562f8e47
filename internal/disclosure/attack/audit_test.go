package attack_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/disclosure/attack"
	"muster/internal/errs"
)

// people returns the members numbered from first to last.
func people(first, last int) []string {
	var all []string
	for i := first; i <= last; i++ {
		all = append(all, fmt.Sprintf("m%02d", i))
	}
	return all
}

func TestAudit(t *testing.T) {
	t.Parallel()
	all := attack.Group{Name: "all", Members: people(1, 32)}
	tests := []struct {
		name      string
		groups    []attack.Group
		known     []string
		colluders int
		want      []string // the isolations in words; nil is safe
	}{
		{"all alone", []attack.Group{all}, nil, 0, nil},
		{"four regions of eight", []attack.Group{all, {"n", people(1, 8)}, {"e", people(9, 16)}, {"s", people(17, 24)}, {"w", people(25, 32)}}, nil, 0, nil},
		{"all and the coast", []attack.Group{all, {"coast", people(1, 29)}}, nil, 0, []string{"all - coast isolates 3 members"}},
		{"with and without one who was late", []attack.Group{all, {"in time", people(1, 31)}}, nil, 0, []string{"all - in time isolates 1 member"}},
		{
			"three groups that together leave one out",
			[]attack.Group{all, {"union", people(1, 23)}, {"north", append(people(17, 23), "m24")}, {"union in the north", people(17, 23)}},
			nil, 0,
			[]string{"north - union in the north isolates 1 member", "union in the north isolates 7 members"},
		},
		{"a region of eight with both hosts", []attack.Group{all, {"n", people(1, 8)}}, people(1, 2), 0, []string{"n - what is known isolates 6 members"}},
		{"a region of eight with a colluder", []attack.Group{all, {"n", people(1, 8)}}, nil, 1, []string{"n isolates 8 members"}},
		{"a region of nine with a colluder", []attack.Group{all, {"n", people(1, 9)}}, nil, 1, nil},
		{"the same group twice", []attack.Group{all, {"again", people(1, 32)}}, nil, 0, nil},
		{"nobody but the known", []attack.Group{all, {"hosts", people(1, 2)}}, people(1, 2), 0, nil},
		{
			// No difference of two leaves few; half the sum of three does.
			"half of a sum of three",
			[]attack.Group{
				{"all", people(1, 31)}, {"a", people(1, 20)}, {"b", people(11, 30)}, {"c", append(people(1, 10), people(21, 30)...)},
			},
			nil, 0,
			[]string{"2 x all - a - b - c isolates 1 member"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for i := range tt.groups {
				slices.Sort(tt.groups[i].Members)
			}
			found, err := attack.Audit(attack.AuditConfig{Groups: tt.groups, Known: tt.known, Colluders: tt.colluders, Least: 8})
			if err != nil {
				t.Fatal(err)
			}
			var words []string
			for _, f := range found {
				words = append(words, f.String())
				if f.Needed != 8+tt.colluders || len(f.Members) >= f.Needed {
					t.Errorf("%s: %d members, needed %d", f, len(f.Members), f.Needed)
				}
			}
			for _, want := range tt.want {
				if !slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, want) }) {
					t.Errorf("no isolation %q in %q", want, words)
				}
			}
			if tt.want == nil && len(words) > 0 {
				t.Errorf("isolations %q", words)
			}
		})
	}
}

// TestAuditFindsWhatCanBeComputed compares with arithmetic: the members of an
// isolation are exactly those that its sum counts, and a group that differs from
// another by few members is always found.
func TestAuditFindsWhatCanBeComputed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		members := people(1, rapid.IntRange(6, 14).Draw(t, "members"))
		least := rapid.IntRange(1, 4).Draw(t, "least")
		var groups []attack.Group
		for i := range rapid.IntRange(1, 4).Draw(t, "groups") {
			g := attack.Group{Name: fmt.Sprint("g", i)}
			for _, m := range members {
				if rapid.Bool().Draw(t, m) {
					g.Members = append(g.Members, m)
				}
			}
			groups = append(groups, g)
		}
		found, err := attack.Audit(attack.AuditConfig{Groups: groups, Least: least})
		if err != nil {
			t.Fatal(err)
		}
		// Every difference of two groups, one within the other, is a sum.
		for _, a := range groups {
			for _, b := range append(groups, attack.Group{}) {
				within := !slices.ContainsFunc(b.Members, func(m string) bool { return !slices.Contains(a.Members, m) })
				few := len(a.Members) - len(b.Members)
				if within && few > 0 && few < least && len(found) == 0 {
					t.Fatalf("%v - %v leaves %d and nothing is found", a.Members, b.Members, few)
				}
			}
		}
		for _, f := range found {
			counts := make(map[string]float64)
			for _, part := range f.Terms {
				var n, d float64 = 0, 1
				if _, err := fmt.Sscanf(part.Times, "%g/%g", &n, &d); err != nil {
					d = 1
					if _, err := fmt.Sscanf(part.Times, "%g", &n); err != nil {
						t.Fatal(err)
					}
				}
				for _, g := range groups {
					if g.Name == part.Group {
						for _, m := range g.Members {
							counts[m] += n / d
						}
					}
				}
			}
			for _, m := range members {
				if off := counts[m]; (off > 1e-9 || off < -1e-9) != slices.Contains(f.Members, m) {
					t.Fatalf("%s: %s is counted %g times", f, m, off)
				}
			}
		}
	})
}

func TestAuditRefuses(t *testing.T) {
	t.Parallel()
	g := attack.Group{Name: "g", Members: people(1, 9)}
	for name, cfg := range map[string]attack.AuditConfig{
		"no least":        {Groups: []attack.Group{g}},
		"fewer than none": {Groups: []attack.Group{g}, Least: 8, Colluders: -1},
		"two of one name": {Groups: []attack.Group{g, g}, Least: 8},
	} {
		if _, err := attack.Audit(cfg); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReconstruct: what two totals leave of the difference.
func TestReconstruct(t *testing.T) {
	t.Parallel()
	b := level("2026", "A.1")
	members := people(1, 12)
	p := attack.Problem{Cycles: []string{"2026"}, Rosters: map[string][]string{"2026": members}}
	for u, n := range []int{0, 2, 4, 3, 2, 1} {
		p.Statements = append(p.Statements, attack.Count("all", b, members, 6, u, u, n))
	}
	for u, n := range []int{0, 1, 4, 3, 2, 0} {
		p.Statements = append(p.Statements, attack.Count("coast", b, members[:10], 6, u, u, n))
	}
	bounds, err := attack.Reconstruct(p, attack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"0": 1, "4": 1}
	for _, bound := range bounds {
		if len(bound.Members) != 2 {
			continue
		}
		if bound.Least != bound.Most || bound.Least != want[bound.Unit] {
			t.Errorf("%v at %s: %d to %d", bound.Members, bound.Unit, bound.Least, bound.Most)
		}
	}
	// With bands in place of the coast's single levels there is room.
	p.Statements = append(p.Statements[:6], attack.Count("coast", b, members[:10], 6, 1, 3, 8))
	if bounds, err = attack.Reconstruct(p, attack.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, bound := range bounds {
		if len(bound.Members) == 2 && bound.Unit == "1" && (bound.Least != 0 || bound.Most != 1) {
			t.Errorf("%v at 1: %d to %d, want 0 to 1", bound.Members, bound.Least, bound.Most)
		}
	}
}

// TestMorePublishedNeverWidens: what is possible after another statement was
// possible before.
func TestMorePublishedNeverWidens(t *testing.T) {
	t.Parallel()
	blocks := []attack.Block{level("1", "A.1"), {Cycle: "1", Subject: "A.1", Kind: "target"}, {Cycle: "1", Subject: "A.1", Kind: "gap"}}
	rng := newRand("monotone")
	tries := 15
	if long() {
		tries = 1000
	}
	narrower := 0
	for range tries {
		p := randomProblem(rng, blocks, short(3), 6)
		full := p.Statements
		var last map[string]int // by member, block and unit: possible
		for n := 1; n <= len(full); n++ {
			p.Statements = full[:n]
			bounds, err := attack.Reconstruct(p, attack.Options{})
			if err != nil {
				t.Fatal(err)
			}
			now := make(map[string]int)
			for _, b := range bounds {
				for _, m := range b.Members {
					now[fmt.Sprint(m, b.Block, b.Unit)] = min(b.Most, 1)
				}
			}
			for key, can := range now {
				if before, ok := last[key]; ok && can > before {
					t.Fatalf("%s becomes possible by saying more", key)
				} else if ok && can < before {
					narrower++
				}
			}
			last = now
		}
	}
	if narrower == 0 {
		t.Error("no statement ever narrowed anything")
	}
}

func TestTableRefuses(t *testing.T) {
	t.Parallel()
	three := []string{"a", "b", "c"}
	tests := map[string]attack.Row{
		"a kind nobody knows":       {Subject: "A.1", Kind: "shoe size"},
		"no number":                 {Subject: "A.1", Kind: "level", Counts: map[string]string{"0": "many"}},
		"more than all":             {Subject: "A.1", Kind: "level", Counts: map[string]string{"0": "9"}},
		"a sign":                    {Subject: "A.1", Kind: "level", Counts: map[string]string{"0": "+1"}},
		"a unit nobody knows":       {Subject: "A.1", Kind: "level", Counts: map[string]string{"7": "1"}},
		"a mean of words":           {Subject: "A.1", Kind: "gap", Mean: "1.0"},
		"no mean":                   {Subject: "A.1", Kind: "level", Mean: "1/3"},
		"a mean that cannot be":     {Subject: "A.1", Kind: "level", Mean: "1.50"},
		"a mean above the scale":    {Subject: "A.1", Kind: "level", Mean: "4.5"},
		"given by more than all":    {Subject: "A.1", Kind: "level", Mean: "1.0", Given: "4"},
		"a mean with an exponent":   {Subject: "A.1", Kind: "level", Mean: "1e9"},
		"a mean with many, many 0s": {Subject: "A.1", Kind: "level", Mean: "1.0000000000000000000000000"},
	}
	for name, row := range tests {
		table := attack.Table{Source: "a file", Cycle: "2026", Members: three, Rows: []attack.Row{row}}
		if _, err := table.Statements(); errs.KindOf(err) != errs.Invalid || err != nil && !strings.Contains(err.Error(), "a file") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProblemsThatCannotBe(t *testing.T) {
	t.Parallel()
	sound := func() attack.Problem {
		return attack.Problem{
			Cycles: []string{"1"}, Rosters: map[string][]string{"1": {"a", "b"}},
			Statements: []attack.Statement{attack.Count("s", level("1", "A.1"), []string{"a", "b"}, 6, 0, 2, 1)},
		}
	}
	tests := map[string]func(*attack.Problem){
		"a cycle twice":        func(p *attack.Problem) { p.Cycles = []string{"1", "1"} },
		"a roster in disorder": func(p *attack.Problem) { p.Rosters["1"] = []string{"b", "a"} },
		"a stranger":           func(p *attack.Problem) { p.Statements[0].Members = []string{"a", "z"} },
		"another chain":        func(p *attack.Problem) { p.Statements[0].Weights = []int{1} },
		"no such cycle":        func(p *attack.Problem) { p.Statements[0].Block.Cycle = "2" },
		"no such kind":         func(p *attack.Problem) { p.Blocks = []attack.Block{{Cycle: "1", Subject: "A", Kind: "x"}} },
		"a fact of a stranger": func(p *attack.Problem) { p.Facts = []attack.Fact{{"z", level("1", "A.1"), "0"}} },
		"a fact of no unit":    func(p *attack.Problem) { p.Facts = []attack.Fact{{"a", level("1", "A.1"), "9"}} },
		"members in disorder":  func(p *attack.Problem) { p.Statements[0].Members = []string{"b", "a"} },
	}
	for name, change := range tests {
		p := sound()
		change(&p)
		if _, err := attack.Run(p, attack.Options{}); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := attack.Run(sound(), attack.Options{}); err != nil {
		t.Error(err)
	}
}
