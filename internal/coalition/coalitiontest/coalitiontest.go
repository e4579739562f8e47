// Package coalitiontest makes cycles for tests: a signed charter with one
// cohort, and the private keys of everyone in it.
package coalitiontest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"testing"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/keys"
	"muster/vdaf"
)

// Cohort is the id of the cohort of a [Cycle].
const Cohort = "members"

// The times of a [Cycle], in seconds since 1970.
const (
	Precision = 7 * 24 * 3600
	Opens     = int64(1_790_000_000)
	Deadline  = Opens + 28*24*3600
	Wipe      = Deadline + 365*24*3600
)

// Config says which cycle to make. The zero value of every field but Members,
// Layout and Sizes is usable.
type Config struct {
	Members []coalition.MemberID // at least two; the first two are Leader and Helper
	Layout  []byte               // canonical JSON
	Sizes   []uint16             // of its blocks
	Suite   dap.Suite            // zero: X25519
	Variant dap.Variant          // zero: dap-18
	Name    string               // draws other keys

	Framework coalition.FrameworkRef  // zero: one that there is not
	Witnesses coalition.WitnessPolicy // zero: nobody
	Unmarked  bool                    // not SYNTHETIC
}

// Cycle is a cycle and every key in it. The keys of one [Config] are the same in
// every run.
type Cycle struct {
	Charter                     coalition.Charter
	Signed                      coalition.SignedCharter
	Seed                        coalition.Seed
	Prio3                       *vdaf.Prio3
	Coordinator, Leader, Helper *keys.Signer
	Members                     map[coalition.MemberID]*keys.Signer
	CollectorHPKE               *dap.HpkeKeypair
	LeaderHPKE, HelperHPKE      *dap.HpkeKeypair
}

// New makes a cycle, or ends the test.
func New(t testing.TB, cfg Config) *Cycle {
	t.Helper()
	if cfg.Suite == 0 {
		cfg.Suite = dap.SuiteX25519
	}
	if cfg.Variant == 0 {
		cfg.Variant = dap.Variant18
	}
	b := builder{TB: t, cfg: cfg}
	c := &Cycle{
		Coordinator: b.signer("coordinator"), Leader: b.signer("leader"), Helper: b.signer("helper"),
		Members:       make(map[coalition.MemberID]*keys.Signer),
		CollectorHPKE: b.hpke("collector"), LeaderHPKE: b.hpke("leader"), HelperHPKE: b.hpke("helper"),
		Seed: coalition.Seed(b.secret("seed")),
	}
	members := slices.Sorted(slices.Values(cfg.Members))
	n := len(members)
	cohort := coalition.Cohort{ID: Cohort, MinimumBatch: coalition.MinimumBatch(n), ReleaseMinimum: coalition.ReleaseMinimum}
	for _, id := range members {
		c.Members[id] = b.signer("member " + string(id))
		cohort.Members = append(cohort.Members, coalition.Member{ID: id, Key: c.Members[id].Public()})
	}
	var err error
	bits := 0
	for _, size := range cfg.Sizes {
		bits += int(size)
	}
	c.Prio3, err = vdaf.NewOneHotBlocks(2, cfg.Sizes, vdaf.ChunkLength(bits))
	b.must(err)
	seed := c.Seed.Digest()
	cohort.Task = b.task(c.Prio3, seed, cohort.MinimumBatch)
	if cfg.Framework == (coalition.FrameworkRef{}) {
		cfg.Framework = coalition.FrameworkRef{ID: "sample", Version: "1.0.0", Digest: hex.EncodeToString(seed[:])}
	}
	charter := coalition.Charter{
		Coalition: "test", Cycle: "2026", Marking: "SYNTHETIC",
		Framework:   cfg.Framework,
		Layout:      cfg.Layout,
		Cohorts:     []coalition.Cohort{cohort},
		Leader:      coalition.Host{Member: cfg.Members[0], Key: c.Leader.Public(), HPKE: b.encode(dap.HpkeConfigList{c.LeaderHPKE.Config()})},
		Helper:      coalition.Host{Member: cfg.Members[1], Key: c.Helper.Public(), HPKE: b.encode(dap.HpkeConfigList{c.HelperHPKE.Config()})},
		Coordinator: coalition.Coordinator{Key: c.Coordinator.Public(), HPKE: b.encode(c.CollectorHPKE.Config())},
		SeedDigest:  hex.EncodeToString(seed[:]), Opens: Opens, Deadline: Deadline, Wipe: Wipe,
		Witnesses: coalition.WitnessPolicy{Threshold: cfg.Witnesses.Threshold, Keys: append([]keys.Public{}, cfg.Witnesses.Keys...), Log: cfg.Witnesses.Log}, Releases: []string{Cohort},
	}
	if cfg.Unmarked {
		charter.Marking = ""
	}
	c.Signed, err = charter.Sign(c.Coordinator, c.Leader, c.Helper)
	b.must(err)
	c.Charter, err = c.Signed.Open()
	b.must(err)
	return c
}

// Task returns the cohort's task.
func (c *Cycle) Task(t testing.TB) coalition.OpenedTask {
	t.Helper()
	task, err := c.Charter.OpenTask(Cohort)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// VerifyKey returns the verification key of the cohort's task.
func (c *Cycle) VerifyKey(t testing.TB) [vdaf.VerifyKeySize]byte {
	t.Helper()
	key, err := dap.VerifyKey(c.Seed[:], c.Task(t).ID)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

type builder struct {
	testing.TB
	cfg Config
}

func (b builder) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b builder) secret(name string) [32]byte { return sha256.Sum256([]byte(b.cfg.Name + "/" + name)) }

func (b builder) signer(name string) *keys.Signer {
	s, err := keys.Generate(rand.NewChaCha8(b.secret(name)), name)
	b.must(err)
	return s
}

func (b builder) hpke(name string) *dap.HpkeKeypair {
	secret := b.secret("HPKE " + name)
	k, err := dap.DeriveHpkeKeypair(1, b.cfg.Suite, secret[:])
	b.must(err)
	return k
}

func (b builder) encode(m dap.Message) string {
	encoded, err := dap.Encode(b.cfg.Variant, m)
	b.must(err)
	return base64.RawURLEncoding.EncodeToString(encoded)
}

func (b builder) task(prio3 *vdaf.Prio3, seed [32]byte, minimum int) coalition.Task {
	first, err := dap.TimeFromUnix(Opens, Precision)
	b.must(err)
	last, err := dap.TimeFromUnix(Wipe, Precision)
	b.must(err)
	interval, err := dap.NewInterval(first, last+1)
	b.must(err)
	extension, err := dap.NewTaskInterval(interval)
	b.must(err)
	info := sha256.Sum256(b.cfg.Layout)
	configuration := dap.TaskConfiguration{
		TaskInfo: info[:], LeaderAggregatorEndpoint: "https://leader.invalid/", HelperAggregatorEndpoint: "https://helper.invalid/",
		TimePrecision: Precision, MinBatchSize: uint64(minimum), BatchMode: dap.BatchModeTimeInterval,
		VdafType: uint32(prio3.ID()), VdafConfiguration: prio3.Config(), Extensions: []dap.Extension{extension},
	}
	id, err := dap.DeriveTaskID(seed, configuration)
	b.must(err)
	return coalition.Task{ID: id.String(), Variant: b.cfg.Variant.Tag(), Configuration: b.encode(configuration)}
}
