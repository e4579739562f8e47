package collect_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/collect"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newLayout returns a layout of areas with so many outcomes each.
func newLayout(t testing.TB, id string, sizes ...int) *framework.Layout {
	t.Helper()
	pack := &framework.Pack{ID: id, Version: "1.0.0"}
	for i, n := range sizes {
		area := framework.Area{ID: fmt.Sprintf("A%d", i+1)}
		for j := range n {
			area.Outcomes = append(area.Outcomes, framework.Outcome{ID: fmt.Sprintf("%s.%d", area.ID, j+1)})
		}
		pack.Areas = append(pack.Areas, area)
	}
	l, err := framework.NewLayout(pack)
	must(t, err)
	return l
}

func newCycle(t testing.TB, l *framework.Layout, name string, suite dap.Suite) *coalitiontest.Cycle {
	t.Helper()
	canonical, err := l.Canonical()
	must(t, err)
	var ids []coalition.MemberID
	for i := range 12 {
		ids = append(ids, coalition.MemberID(fmt.Sprintf("m%02d", i)))
	}
	return coalitiontest.New(t, coalitiontest.Config{Members: ids, Layout: canonical, Sizes: l.Sizes(), Suite: suite, Name: name})
}

func config(c *coalitiontest.Cycle, l *framework.Layout) collect.Config {
	return collect.Config{Charter: c.Charter, Cohort: coalitiontest.Cohort, HPKE: c.CollectorHPKE, Layout: l}
}

// roster returns a roster of n members with the signatures given.
func roster(t testing.TB, c *coalitiontest.Cycle, n int, signers ...*keys.Signer) coalition.FrozenRoster {
	t.Helper()
	var entries []coalition.RosterEntry
	for i, m := range c.Charter.Cohorts[0].Members[:n] {
		entries = append(entries, coalition.RosterEntry{Member: m.ID, Report: dap.ReportID{byte(i)}.String(), Sequence: 1, Receipt: c.Charter.SeedDigest})
	}
	body, err := keys.Canonical(coalition.NewRoster(c.Task(t).ID, entries))
	must(t, err)
	sig, err := keys.Sign(keys.KindRoster, body, signers...)
	must(t, err)
	return coalition.FrozenRoster{Roster: coalition.SignedRoster{Body: body, Signature: sig}}
}

// totals returns cells of n members with random answers.
func totals(l *framework.Layout, n uint64, random *rand.Rand) []uint64 {
	cells := make([]uint64, l.Bits())
	for i, b := range l.Blocks {
		for range n {
			cells[l.Offset(i)+random.IntN(len(b.Buckets))]++
		}
	}
	return cells
}

// modulus returns the prime of VDAF's Field128.
func modulus() *big.Int {
	p, _ := new(big.Int).SetString("340282366920938462946865773367900766209", 10)
	return p
}

// split returns two shares that add up to cells, as the hosts would hold them.
func split(cells []int64, random *rand.Rand) (leader, helper []byte) {
	p := modulus()
	element := func(b []byte, n *big.Int) []byte {
		var little [16]byte
		n.FillBytes(little[:])
		slices.Reverse(little[:])
		return append(b, little[:]...)
	}
	for _, cell := range cells {
		r := new(big.Int).SetUint64(random.Uint64())
		r.Lsh(r, 62).Add(r, new(big.Int).SetUint64(random.Uint64()))
		rest := new(big.Int).Sub(big.NewInt(cell), r)
		leader, helper = element(leader, r.Mod(r, p)), element(helper, rest.Mod(rest, p))
	}
	return leader, helper
}

func signedCells(cells []uint64) []int64 {
	out := make([]int64, len(cells))
	for i, n := range cells {
		out[i] = int64(n)
	}
	return out
}

// answer is what a Leader makes its answer of; a lie is a change to it.
type answer struct {
	request                    dap.CollectionJobReq
	cells                      []int64 // what the shares add up to
	count                      uint64
	interval                   dap.Interval
	task                       dap.TaskID
	configuration              dap.TaskConfiguration
	key                        dap.HpkeConfig
	leaderRole, helperRole     dap.Role
	leaderShare, helperShare   []byte // in clear; nil: from cells
	leaderSealed, helperSealed dap.HpkeCiphertext
	encoded                    func([]byte) []byte
	seal                       func(*answer) // changes what was sealed
}

// leader is a Leader that may lie.
type leader struct {
	t      testing.TB
	c      *coalitiontest.Cycle
	cells  []uint64
	count  uint64
	lie    func(*answer)
	err    error
	bodies [][]byte
}

func (l *leader) CollectionJob(_ context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	l.bodies = append(l.bodies, body)
	if l.err != nil {
		return nil, l.err
	}
	opened := l.c.Task(l.t)
	if task != opened.ID {
		return nil, fmt.Errorf("asked for task %s", task)
	}
	req, err := dap.Decode[dap.CollectionJobReq](opened.Variant, body)
	must(l.t, err)
	if interval, ok := req.Query.BatchInterval(); !ok || interval != opened.Interval || len(req.AggParam)+len(req.Extensions) > 0 {
		l.t.Errorf("the request %+v is not for the whole task", req)
	}
	a := &answer{
		request: req, cells: signedCells(l.cells), count: l.count, interval: dap.Interval{Start: opened.Interval.Start, Duration: 1},
		task: opened.ID, configuration: opened.Configuration, key: opened.CollectorHPKE,
		leaderRole: dap.RoleLeader, helperRole: dap.RoleHelper, encoded: func(b []byte) []byte { return b }, seal: func(*answer) {},
	}
	if l.lie != nil {
		l.lie(a)
	}
	own, theirs := split(a.cells, rand.New(rand.NewPCG(1, 2)))
	if a.leaderShare == nil {
		a.leaderShare = own
	}
	if a.helperShare == nil {
		a.helperShare = theirs
	}
	aad := dap.AggregateShareAad{TaskID: a.task, TaskConfiguration: a.configuration, CollectionJobReq: a.request}
	a.leaderSealed, err = dap.SealAggregateShare(opened.Variant, a.key, a.leaderRole, aad, a.leaderShare)
	must(l.t, err)
	a.helperSealed, err = dap.SealAggregateShare(opened.Variant, a.key, a.helperRole, aad, a.helperShare)
	must(l.t, err)
	a.seal(a)
	encoded, err := dap.Encode(opened.Variant, dap.CollectionJobResp{
		ReportCount: a.count, Interval: a.interval, LeaderEncryptedAggShare: a.leaderSealed, HelperEncryptedAggShare: a.helperSealed,
	})
	must(l.t, err)
	return a.encoded(encoded), nil
}

func TestCollect(t *testing.T) {
	t.Parallel()
	l := newLayout(t, "sample", 2, 1)
	for name, suite := range map[string]dap.Suite{"X25519": dap.SuiteX25519, "hybrid": dap.SuiteMLKEM768X25519} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCycle(t, l, "", suite)
			collector, err := collect.New(config(c, l))
			must(t, err)
			rapid.Check(t, func(rt *rapid.T) {
				n := rapid.IntRange(8, 12).Draw(rt, "submissions")
				cells := totals(l, uint64(n), rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)))
				host := &leader{t: t, c: c, cells: cells, count: uint64(n)}
				for range 2 { // asking again is the same request
					frozen := roster(t, c, n, c.Leader, c.Helper)
					got, err := collector.Collect(t.Context(), host, frozen)
					if err != nil {
						rt.Fatal(err)
					}
					want := &collect.Aggregate{
						CycleMarking: coalition.MarkingSynthetic, Layout: l, Count: uint64(n), Cells: cells, Task: c.Task(t).ID.String(), Roster: frozen.Digest(),
					}
					if diff := cmp.Diff(want, got); diff != "" {
						rt.Fatalf("aggregate (-want +got):\n%s", diff)
					}
				}
				if request, err := collector.Request(); err != nil || !bytes.Equal(host.bodies[0], request) {
					rt.Fatalf("the request that is kept is not the one that was asked: %v", err)
				}
				if !bytes.Equal(host.bodies[0], host.bodies[1]) {
					rt.Fatal("the second request differs: the Leader would refuse it")
				}
			})
		})
	}
}

func TestCollectFromLiars(t *testing.T) {
	t.Parallel()
	const n = 10
	l := newLayout(t, "sample", 2, 1)
	c := newCycle(t, l, "", dap.SuiteX25519)
	other := newCycle(t, l, "other", dap.SuiteX25519)
	task := c.Task(t)
	cells := totals(l, n, rand.New(rand.NewPCG(3, 4)))
	occupied := slices.IndexFunc(cells, func(n uint64) bool { return n > 0 })
	empty := slices.Index(cells, 0)
	withByte := func(b []byte) []byte { return append(b, 0) }
	for name, row := range map[string]struct {
		lie     func(*answer)
		kind    errs.Kind
		message string
	}{
		"a submission more":   {func(a *answer) { a.count++ }, errs.Conflict, "the hosts added up 11 submissions and the roster has 10; nothing was opened"},
		"a submission less":   {func(a *answer) { a.count-- }, errs.Conflict, "the hosts added up 9 submissions and the roster has 10; nothing was opened"},
		"no submission":       {func(a *answer) { a.count = 0 }, errs.Conflict, "the hosts added up 0 submissions"},
		"endless submissions": {func(a *answer) { a.count = math.MaxUint64 }, errs.Conflict, "the roster has 10"},
		"before the cycle":    {func(a *answer) { a.interval.Start-- }, errs.Conflict, "from outside the cycle; nothing was opened"},
		"after the cycle":     {func(a *answer) { a.interval.Duration = task.Interval.Duration + 1 }, errs.Conflict, "from outside the cycle; nothing was opened"},
		"shares exchanged": {func(a *answer) {
			a.seal = func(a *answer) { a.leaderSealed, a.helperSealed = a.helperSealed, a.leaderSealed }
		}, errs.Invalid, "the share of the Leader does not open"},
		"the Leader's twice":    {func(a *answer) { a.seal = func(a *answer) { a.helperSealed = a.leaderSealed } }, errs.Invalid, "the share of the Helper does not open"},
		"the Helper's twice":    {func(a *answer) { a.seal = func(a *answer) { a.leaderSealed = a.helperSealed } }, errs.Invalid, "the share of the Leader does not open"},
		"the Leader as Helper":  {func(a *answer) { a.leaderRole = dap.RoleHelper }, errs.Invalid, "the share of the Leader does not open"},
		"of another task":       {func(a *answer) { a.task = other.Task(t).ID }, errs.Invalid, "the share of the Leader does not open"},
		"of another batch size": {func(a *answer) { a.configuration.MinBatchSize++ }, errs.Invalid, "the share of the Leader does not open"},
		"of another request": {func(a *answer) {
			query, err := dap.NewTimeIntervalQuery(dap.Interval{Start: task.Interval.Start, Duration: 1})
			must(t, err)
			a.request.Query = query
		}, errs.Invalid, "the share of the Leader does not open"},
		"for another collector": {func(a *answer) { a.key = other.CollectorHPKE.Config() }, errs.Invalid, "the share of the Leader does not open"},
		"for an unknown key":    {func(a *answer) { a.seal = func(a *answer) { a.helperSealed.ConfigID = 9 } }, errs.Invalid, "the share of the Helper does not open"},
		"a bit flipped":         {func(a *answer) { a.seal = func(a *answer) { a.helperSealed.Payload[7] ^= 1 } }, errs.Invalid, "the share of the Helper does not open"},
		"a share cut short":     {func(a *answer) { a.leaderShare = make([]byte, 16*(l.Bits()-1)) }, errs.Invalid, "the share of the Leader cannot be read"},
		"a share too long":      {func(a *answer) { a.helperShare = make([]byte, 16*(l.Bits()+1)) }, errs.Invalid, "the share of the Helper cannot be read"},
		"an odd byte":           {func(a *answer) { a.helperShare = make([]byte, 16*l.Bits()+1) }, errs.Invalid, "the share of the Helper cannot be read"},
		"above the modulus":     {func(a *answer) { a.leaderShare = bytes.Repeat([]byte{0xff}, 16*l.Bits()) }, errs.Invalid, "the share of the Leader cannot be read"},
		"a share of zeros":      {func(a *answer) { a.leaderShare = make([]byte, 16*l.Bits()) }, errs.Conflict, "the shares do not add up to counts"},
		"a cell more":           {func(a *answer) { a.cells[occupied]++ }, errs.Conflict, "the counts of A1.1/level do not sum to the 10 submissions"},
		"a cell less":           {func(a *answer) { a.cells[occupied]-- }, errs.Conflict, "the counts of A1.1/level do not sum to the 10 submissions"},
		"a cell below zero":     {func(a *answer) { a.cells[empty]--; a.cells[occupied]++ }, errs.Conflict, "the shares do not add up to counts"},
		"a cell moved between blocks": {func(a *answer) {
			a.cells[occupied]--
			a.cells[l.Offset(1)]++
		}, errs.Conflict, "the counts of A1.1/level do not sum"},
		"garbage":             {func(a *answer) { a.encoded = func([]byte) []byte { return []byte("<html>502</html>") } }, errs.Invalid, "the Leader's answer cannot be read"},
		"nothing":             {func(a *answer) { a.encoded = func([]byte) []byte { return nil } }, errs.Invalid, "the Leader's answer cannot be read"},
		"a byte behind":       {func(a *answer) { a.encoded = withByte }, errs.Invalid, "the Leader's answer cannot be read"},
		"an answer cut short": {func(a *answer) { a.encoded = func(b []byte) []byte { return b[:len(b)-1] } }, errs.Invalid, "the Leader's answer cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			collector, err := collect.New(config(c, l))
			must(t, err)
			host := &leader{t: t, c: c, cells: cells, count: n, lie: row.lie}
			got, err := collector.Collect(t.Context(), host, roster(t, c, n, c.Leader, c.Helper))
			if err == nil || got != nil {
				t.Fatalf("believed: %v", got)
			}
			if d := errs.Describe(err); d.Kind != row.kind || !strings.Contains(d.Message, row.message) {
				t.Errorf("%v, %q; want %v, %q (%v)", d.Kind, d.Message, row.kind, row.message, err)
			}
		})
	}
	// The package says so: what a host moves within a block stays unseen.
	t.Run("moved within a block", func(t *testing.T) {
		t.Parallel()
		collector, err := collect.New(config(c, l))
		must(t, err)
		host := &leader{t: t, c: c, cells: cells, count: n, lie: func(a *answer) { a.cells[occupied]--; a.cells[occupied+1]++ }}
		if _, err := collector.Collect(t.Context(), host, roster(t, c, n, c.Leader, c.Helper)); err != nil {
			t.Errorf("%v; if this is found now, the package comment must say so", err)
		}
	})
}

func TestCollectRefusesBeforeAsking(t *testing.T) {
	t.Parallel()
	l := newLayout(t, "sample", 2)
	c := newCycle(t, l, "", dap.SuiteX25519)
	other := newCycle(t, l, "other", dap.SuiteX25519)
	collector, err := collect.New(config(c, l))
	must(t, err)
	for name, frozen := range map[string]coalition.FrozenRoster{
		"by the Leader alone":   roster(t, c, 10, c.Leader),
		"by the Helper alone":   roster(t, c, 10, c.Helper),
		"by the coordinator":    roster(t, c, 10, c.Coordinator),
		"of another task":       roster(t, other, 10, c.Leader, c.Helper),
		"by the hosts of other": roster(t, c, 10, other.Leader, other.Helper),
		"none":                  {},
	} {
		host := &leader{t: t, c: c}
		if _, err := collector.Collect(t.Context(), host, frozen); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
		if len(host.bodies) > 0 {
			t.Errorf("%s: the Leader was asked", name)
		}
	}
}

func TestCollectBelowTheMinimum(t *testing.T) {
	t.Parallel()
	l := newLayout(t, "sample", 2)
	c := newCycle(t, l, "", dap.SuiteX25519)
	collector, err := collect.New(config(c, l))
	must(t, err)
	host := &leader{t: t, c: c, cells: totals(l, 7, rand.New(rand.NewPCG(5, 6))), count: 7}
	_, err = collector.Collect(t.Context(), host, roster(t, c, 7, c.Leader, c.Helper))
	if d := errs.Describe(err); d.Kind != errs.Conflict || d.Message != "the hosts added up 7 submissions and the charter wants 8; nothing was opened" {
		t.Errorf("%v", err)
	}
}

func TestCollectPassesRefusalsOn(t *testing.T) {
	t.Parallel()
	l := newLayout(t, "sample", 2)
	c := newCycle(t, l, "", dap.SuiteX25519)
	collector, err := collect.New(config(c, l))
	must(t, err)
	down := errs.New(errs.Unavailable, "the Leader is down", "")
	_, err = collector.Collect(t.Context(), &leader{t: t, c: c, err: down}, roster(t, c, 10, c.Leader, c.Helper))
	if !errors.Is(err, down) || errs.KindOf(err) != errs.Unavailable {
		t.Errorf("%v; want the Leader's own refusal", err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	l := newLayout(t, "sample", 2)
	c := newCycle(t, l, "", dap.SuiteX25519)
	other := newCycle(t, l, "other", dap.SuiteX25519)
	for name, row := range map[string]struct {
		change  func(*collect.Config)
		kind    errs.Kind
		message string
	}{
		"another cohort":        {func(c *collect.Config) { c.Cohort = "partners" }, errs.NotFound, "no cohort"},
		"another layout":        {func(c *collect.Config) { c.Layout = newLayout(t, "sample", 3) }, errs.Invalid, "the layout is not the charter's"},
		"one of the same sizes": {func(c *collect.Config) { c.Layout = newLayout(t, "twin", 2) }, errs.Invalid, "the layout is not the charter's"},
		"another collector key": {func(c *collect.Config) { c.HPKE = other.CollectorHPKE }, errs.Invalid, "this collector key is not the one"},
		"the Leader's key":      {func(cfg *collect.Config) { cfg.HPKE = c.LeaderHPKE }, errs.Invalid, "this collector key is not the one"},
	} {
		cfg := config(c, l)
		row.change(&cfg)
		_, err := collect.New(cfg)
		if d := errs.Describe(err); err == nil || d.Kind != row.kind || !strings.Contains(d.Message, row.message) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
