package cascade_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/cascade"
)

func band(low, high, owners int) cascade.CrowdBand {
	return cascade.CrowdBand{Low: low, High: high, Owners: owners}
}

// twelve are twelve owners: of two outcomes about resistance, and one of recovery.
func twelve() *cascade.Crowd {
	return &cascade.Crowd{Owners: 12, Outcomes: []cascade.CrowdOutcome{
		{ID: "A", Bands: []cascade.CrowdBand{band(-1, 1, 6), band(2, 4, 6)}},
		{ID: "B", Bands: []cascade.CrowdBand{band(-1, -1, 0), band(0, 0, 6), band(1, 3, 0), band(4, 4, 6)}},
		{ID: "C", Recovery: true, Bands: []cascade.CrowdBand{band(-1, 4, 12)}},
	}}
}

// TestCrowdDraws: what is drawn of a crowd has its bands, and sometimes the same
// owners are low everywhere, sometimes not.
func TestCrowdDraws(t *testing.T) {
	t.Parallel()
	c := twelve()
	spreads := make(map[string]int)
	const draws = 400
	for d := range draws {
		levels := c.Draw(3, d)
		if len(levels) != c.Owners {
			t.Fatalf("%d owners", len(levels))
		}
		low, high, sum := 0, 0, 0.0
		for _, l := range levels {
			if l.Resistance < 0 || l.Resistance > 1 || l.Recovery > 1 {
				t.Fatalf("draw %d: %+v", d, l)
			}
			sum += l.Resistance
			if l.Resistance < 0.2 {
				low++
			}
			if l.Resistance > 0.7 {
				high++
			}
		}
		// All who are at 4 in B and between 2 and 4 in A are above 0.7, all at 0 and at
		// most at 1 below 0.2.
		switch {
		case low+high == 12:
			spreads["apart"]++
		case low+high < 8:
			spreads["mixed"]++
		}
		if mean := sum / 12; mean < 0.35 || mean > 0.65 {
			t.Errorf("draw %d has the mean %.2f", d, mean)
		}
	}
	if spreads["apart"] < draws/20 || spreads["mixed"] < draws/5 {
		t.Errorf("of %d draws %v", draws, spreads)
	}
	if diff := cmp.Diff(c.Draw(3, 7), c.Draw(3, 7)); diff != "" {
		t.Errorf("the same draw twice:\n%s", diff)
	}
	if cmp.Equal(c.Draw(3, 7), c.Draw(3, 8)) {
		t.Error("two draws are one")
	}
}

// TestCrowdOfOne: a crowd whose bands are single levels leaves nothing to chance, so
// that it is worth as much as the levels of its owners.
func TestCrowdOfOne(t *testing.T) {
	t.Parallel()
	services := plain(4)
	c := cascade.Case{Graph: mustGraph(t, services, nil), Scenario: hitAll(4, cascade.Always/5)}
	all := &cascade.Crowd{Owners: 4, Outcomes: []cascade.CrowdOutcome{
		{ID: "A", Bands: []cascade.CrowdBand{band(-1, 0, 0), band(1, 1, 4), band(2, 4, 0)}},
		{ID: "B", Recovery: true, Bands: []cascade.CrowdBand{band(-1, 2, 0), band(3, 3, 4), band(4, 4, 0)}},
	}}
	laws := narrow()
	o := cascade.UncertainOptions{Options: cascade.Options{Trials: 512, Seed: 2}, Draws: 10}
	by := func(x cascade.Outlook) *cascade.Uncertain {
		u, err := cascade.Uncertainty(t.Context(), x, laws, o)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	owners := []int32{0, 1, 2, 3}
	known := by(cascade.Outlook{Case: c, Owner: owners, Levels: []cascade.Level{{0.25, 0.75}, {0.25, 0.75}, {0.25, 0.75}, {0.25, 0.75}}})
	crowd := by(cascade.Outlook{Case: c, Owner: owners, Crowd: all})
	if diff := cmp.Diff([]any{known.Worst, known.Lost, known.Tornado}, []any{crowd.Worst, crowd.Lost, crowd.Tornado}); diff != "" {
		t.Errorf("(-levels +crowd):\n%s", diff)
	}
	if known.Hash == crowd.Hash || known.Parameters == crowd.Parameters {
		t.Error("what was known does not show in the digest")
	}
	// One who stands elsewhere makes a difference.
	if better := by(cascade.Outlook{Case: c, Owner: owners, Crowd: all, Levels: []cascade.Level{{1, 1}}}); better.Worst.Median >= crowd.Worst.Median {
		t.Errorf("lost %v with one that stands best, %v without", better.Worst, crowd.Worst)
	}
	// More owners than the crowd has: the others are unknown.
	if few := by(cascade.Outlook{Case: c, Owner: owners, Crowd: &cascade.Crowd{}}); few.Worst == crowd.Worst {
		t.Error("a crowd of nobody knows as much")
	}
}

// TestCrowdOfFewer: who is among a crowd that has fewer members than there are owners
// nobody knows, so what the medians give lies where the draws do.
func TestCrowdOfFewer(t *testing.T) {
	t.Parallel()
	const n = 32
	owners := make([]int32, n)
	for i := range owners {
		owners[i] = int32(i)
	}
	well := func(members int) *cascade.Crowd {
		return &cascade.Crowd{Owners: members, Outcomes: []cascade.CrowdOutcome{
			{ID: "A", Bands: []cascade.CrowdBand{band(-1, 2, 0), band(3, 4, members)}},
			{ID: "B", Recovery: true, Bands: []cascade.CrowdBand{band(-1, 2, 0), band(3, 4, members)}},
		}}
	}
	for _, row := range []struct {
		name  string
		crowd *cascade.Crowd
		known int // so many owners stand alone
	}{
		{"of none", well(0), 0},
		{"of a quarter", well(8), 0},
		{"of a quarter of those of whom nothing else is known", well(6), 8},
		{"of all", well(n), 0},
		{"of more", well(2 * n), 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o := cascade.Outlook{Case: cascade.Case{Graph: mustGraph(t, plain(n), nil), Scenario: hitAll(n, cascade.Always/5)}, Owner: owners, Crowd: row.crowd}
			for range row.known {
				o.Levels = append(o.Levels, cascade.Level{Resistance: 0.5, Recovery: 0.5})
			}
			u, err := cascade.Uncertainty(t.Context(), o, narrow(), cascade.UncertainOptions{Options: cascade.Options{Trials: 2048, Seed: 7}, Draws: 60})
			if err != nil {
				t.Fatal(err)
			}
			c, err := o.Likeliest(narrow())
			if err != nil {
				t.Fatal(err)
			}
			res, err := cascade.Run(t.Context(), c.Graph, c.Scenario, cascade.Options{Trials: 8192, Seed: 7})
			if err != nil {
				t.Fatal(err)
			}
			if got := res.Worst.Mean; got < u.Worst.P10 || got > u.Worst.P90 {
				t.Errorf("at the medians %.4f is lost, in the draws %.4f to %.4f", got, u.Worst.P10, u.Worst.P90)
			}
			if u.Worst.P90-u.Worst.P10 > 0.05 {
				t.Errorf("the draws are as wide as %.4f to %.4f, and show nothing", u.Worst.P10, u.Worst.P90)
			}
		})
	}
}

// narrow are laws that leave nothing open but levels.
func narrow() (l cascade.Laws) {
	for p := range l {
		l[p] = cascade.Law{Median: 1, Low: 1, High: 1, Uniform: true}
	}
	l[cascade.TotalRatio] = cascade.Law{Median: 8, Low: 8, High: 8, Uniform: true}
	l[cascade.UnknownLevel] = cascade.Law{Median: 0.5, High: 1, Uniform: true}
	return l
}

func TestCrowdWithout(t *testing.T) {
	t.Parallel()
	c := twelve()
	less, err := c.Without(map[string]int{"A": 4, "B": 0, "C": cascade.NoCrowdLevel})
	if err != nil {
		t.Fatal(err)
	}
	want := twelve()
	want.Owners = 11
	want.Outcomes[0].Bands[1].Owners, want.Outcomes[1].Bands[1].Owners, want.Outcomes[2].Bands[0].Owners = 5, 5, 11
	if diff := cmp.Diff(want, less); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(twelve(), c); diff != "" {
		t.Errorf("the crowd itself changed:\n%s", diff)
	}
	for _, row := range []struct {
		name   string
		levels map[string]int
		want   string
	}{
		{"not answered", map[string]int{"A": 1, "B": 0}, "the member has no answer to C"},
		{"nobody there", map[string]int{"A": 1, "B": 2, "C": 0}, "the release counts nobody where the member stands in B"},
	} {
		if _, err := c.Without(row.levels); err == nil || err.Error() != row.want {
			t.Errorf("%s: got %v", row.name, err)
		}
	}
	l := c.Stand(map[string]int{"A": 4, "B": 1, "C": cascade.NoCrowdLevel})
	if math.Abs(l.Resistance-5.0/8) > 1e-12 || l.Recovery >= 0 {
		t.Errorf("stands at %+v", l)
	}
}

func TestCrowdRefuses(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name  string
		bands []cascade.CrowdBand
		want  string
	}{
		{"a gap", []cascade.CrowdBand{band(-1, 0, 6), band(2, 4, 6)}, `outcome "A" has bands that are not its levels in order`},
		{"an end", []cascade.CrowdBand{band(-1, 3, 12)}, `outcome "A" has bands that are not its levels in order`},
		{"a count", []cascade.CrowdBand{band(-1, 4, 11)}, `outcome "A" counts 11 of 12 owners`},
		{"negative", []cascade.CrowdBand{band(-1, 0, 13), band(1, 4, -1)}, `outcome "A" has bands that are not its levels in order`},
	}
	c := cascade.Case{Graph: mustGraph(t, plain(2), nil), Scenario: hitAll(2, cascade.Always/5)}
	for _, row := range rows {
		o := cascade.Outlook{Case: c, Crowd: &cascade.Crowd{Owners: 12, Outcomes: []cascade.CrowdOutcome{{ID: "A", Bands: row.bands}}}}
		if _, err := o.Likeliest(narrow()); err == nil || err.Error() != row.want {
			t.Errorf("%s: got %v; want %s", row.name, err, row.want)
		}
	}
}
