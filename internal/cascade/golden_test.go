package cascade_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"testing"

	"muster/internal/cascade"
)

// TestGoldenOfOthers: what is not a plain run has the same hash on every processor
// and any number of threads as well: GOARCH=386 runs this test natively on amd64, and
// qemu-user runs it built for arm64.
func TestGoldenOfOthers(t *testing.T) {
	t.Parallel()
	g, s := harbour(t)
	c := cascade.Case{Graph: g, Scenario: s}
	measures := randomMeasures(rand.New(rand.NewPCG(5, 6)), g, 9)
	options := func(threads int) cascade.Options {
		return cascade.Options{Trials: 4 * cascade.Lanes, Seed: 2026, Threads: threads, Top: 3}
	}
	owners := make([]string, len(g.Services()))
	numbers := make([]int32, len(owners))
	for i := range owners {
		owners[i], numbers[i] = string(rune('A'+i%7)), int32(i%7)
	}
	outlook := cascade.Outlook{Case: c, Owner: numbers, Levels: []cascade.Level{{0.3, 0.9}, {-1, 0.5}}}
	among := outlook
	among.Crowd = &cascade.Crowd{Owners: 4, Outcomes: []cascade.CrowdOutcome{
		{ID: "A", Bands: []cascade.CrowdBand{band(-1, 0, 2), band(1, 4, 2)}}, {ID: "B", Recovery: true, Bands: []cascade.CrowdBand{band(-1, 4, 4)}},
	}}
	invested := func(threads int) (*cascade.Investment, error) {
		return cascade.Invest(t.Context(), c, measures, cascade.InvestOptions{Options: options(threads), Budget: 8, Objective: cascade.LostHours, Owners: owners, Confirm: 7})
	}
	uncertain := func(o cascade.Outlook) func(int) (string, error) {
		return func(threads int) (string, error) {
			x := cascade.UncertainOptions{Options: options(threads), Draws: 20}
			x.Trials = cascade.Lanes
			u, err := cascade.Uncertainty(t.Context(), o, laws(), x)
			if err != nil {
				return "", err
			}
			return u.Hash, nil
		}
	}
	rows := []struct {
		name, want string
		hash       func(threads int) (string, error)
	}{
		{"compare", "14b581a7341fd1141caacf3ebfc03ccfc620d35d7c00deeec81511c7ef30d1f7", func(threads int) (string, error) {
			better, err := c.Apply(measures[:4]...)
			if err != nil {
				return "", err
			}
			x, err := cascade.Compare(t.Context(), c, better, options(threads))
			if err != nil {
				return "", err
			}
			return x.Hash, nil
		}},
		{"uncertainty", "77781bc5ebf99e1eaece4437ffaf7ac2dad56501c9136562956bac35f57d193d", uncertain(outlook)},
		{"uncertainty with a crowd", "4942ace94ec7e47fb8ba03f12939722d125da8c72c29d045e08d614af899393a", uncertain(among)},
		{"invest", "7a3b5e756d4a3e007950685f90f5fb3bbbdabace47992cf771b3f243c2f95f4c", func(threads int) (string, error) {
			v, err := invested(threads)
			if err != nil {
				return "", err
			}
			return v.Hash, nil
		}},
		{"invest, how stable", "cddee6b2b536de96b4656d980b2d6aa9028c61cb899fb8028d4f044563a98b24", func(threads int) (string, error) {
			v, err := invested(threads)
			if err != nil {
				return "", err
			}
			x := cascade.UncertainOptions{Options: options(threads), Draws: 20}
			x.Trials = cascade.Lanes
			if err := v.Stable(t.Context(), outlook, laws(), measures, x); err != nil {
				return "", err
			}
			return v.Hash, nil
		}},
		{"sketches", "390bb2701276b096f7cf340cba68b1491f456105802e9db60d299bb04589e2f9", func(int) (string, error) {
			x, err := cascade.NewSketches(c, 5000, 2026)
			if err != nil {
				return "", err
			}
			mean, half := x.Loss()
			gain := x.Evaluator().Gain([]cascade.Hit{{Service: 3, Chance: 0}, {Service: 30, Chance: s.Hits[30] / 2}, {Service: 41, Chance: s.Hits[41] / 3}})
			return hashOf(append(x.Birnbaum(), mean, half, gain)), nil
		}},
		{"cycles in the order of time", "b2f84ee9a84c9da2b4084b5c0266e5263dfe0d4228cae65f6a8c766ffac3609d", func(threads int) (string, error) {
			g, s := pairs(t, 40)
			x := options(threads)
			x.Engine = cascade.Event
			return run(t, g, s, x).Hash, nil
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			for _, threads := range []int{1, 2, 4} {
				got, err := row.hash(threads)
				if err != nil {
					t.Fatal(err)
				}
				if got != row.want {
					t.Errorf("%d threads: %q, want %q", threads, got, row.want)
				}
			}
		})
	}
}

// hashOf is the SHA-256 of numbers, bit by bit.
func hashOf(values []float64) string {
	h := sha256.New()
	for _, v := range values {
		h.Write(binary.BigEndian.AppendUint64(nil, math.Float64bits(v)))
	}
	return hex.EncodeToString(h.Sum(nil))
}
