package coalition_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/vdaf"
)

const (
	precision = 7 * 24 * 3600
	opens     = int64(1_790_000_000)
	deadline  = opens + 28*24*3600
	wipe      = deadline + 365*24*3600
)

// newRand is a source of randomness that is the same in every run.
func newRand(name string) *rand.ChaCha8 { return rand.NewChaCha8(sha256.Sum256([]byte(name))) }

func newSigner(t testing.TB, name string) *keys.Signer {
	t.Helper()
	s, err := keys.Generate(newRand(name), name)
	must(t, err)
	return s
}

func newHPKE(t testing.TB, name string) *dap.HpkeKeypair {
	t.Helper()
	secret := sha256.Sum256([]byte(name))
	k, err := dap.DeriveHpkeKeypair(1, dap.SuiteX25519, secret[:])
	must(t, err)
	return k
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func encode64(t testing.TB, m dap.Message) string {
	t.Helper()
	b, err := dap.Encode(dap.Variant18, m)
	must(t, err)
	return base64.RawURLEncoding.EncodeToString(b)
}

// parties are those who sign a charter.
type parties struct{ coordinator, leader, helper *keys.Signer }

func newParties(t testing.TB) parties {
	t.Helper()
	return parties{newSigner(t, "coordinator"), newSigner(t, "leader"), newSigner(t, "helper")}
}

func (p parties) sign(t testing.TB, c coalition.Charter) coalition.SignedCharter {
	t.Helper()
	signed, err := c.Sign(p.coordinator, p.leader, p.helper)
	must(t, err)
	return signed
}

// configure makes the cohort's task anew after a change to its configuration,
// as an author who means it would.
func configure(t testing.TB, c *coalition.Charter, cohort int, change func(*dap.TaskConfiguration)) {
	t.Helper()
	info := sha256.Sum256(c.Layout)
	prio3, err := vdaf.NewOneHotBlocks(2, []uint16{7, 3}, 3)
	must(t, err)
	first := dap.Time(opens / precision)
	interval, err := dap.NewInterval(first, first+60)
	must(t, err)
	extension, err := dap.NewTaskInterval(interval)
	must(t, err)
	configuration := dap.TaskConfiguration{
		TaskInfo: info[:], LeaderAggregatorEndpoint: "https://leader.invalid/", HelperAggregatorEndpoint: "https://helper.invalid/",
		TimePrecision: precision, MinBatchSize: uint64(c.Cohorts[cohort].MinimumBatch), BatchMode: dap.BatchModeTimeInterval,
		VdafType: uint32(prio3.ID()), VdafConfiguration: prio3.Config(), Extensions: []dap.Extension{extension},
	}
	change(&configuration)
	seed, err := hex.DecodeString(c.SeedDigest)
	must(t, err)
	id, err := dap.DeriveTaskID([32]byte(seed), configuration)
	must(t, err)
	c.Cohorts[cohort].Task = coalition.Task{ID: id.String(), Variant: dap.Variant18.Tag(), Configuration: encode64(t, configuration)}
}

// newCohort returns a cohort of members a00, a01, ... without its task.
func newCohort(t testing.TB, id, prefix string, n int) coalition.Cohort {
	t.Helper()
	c := coalition.Cohort{ID: id, MinimumBatch: coalition.MinimumBatch(n), ReleaseMinimum: coalition.ReleaseMinimum}
	for i := range n {
		member := coalition.MemberID(fmt.Sprintf("%s%02d", prefix, i))
		c.Members = append(c.Members, coalition.Member{ID: member, Key: newSigner(t, string(member)).Public()})
	}
	return c
}

// newCharter returns a charter that passes: two cohorts, of 12 and 9 members.
func newCharter(t testing.TB) (coalition.Charter, parties) {
	t.Helper()
	p := newParties(t)
	seed := sha256.Sum256([]byte("seed"))
	c := coalition.Charter{
		Kind: "muster charter v1", Coalition: "Varsholm Compact", Cycle: "2026", Marking: "SYNTHETIC",
		Framework: coalition.FrameworkRef{ID: "muster-core", Version: "1.0.0", Digest: hex.EncodeToString(seed[:])},
		Layout:    []byte(`{"blocks":["one","two"]}`),
		Cohorts:   []coalition.Cohort{newCohort(t, "members", "a", 12), newCohort(t, "partners", "p", 9)},
		Leader: coalition.Host{
			Member: "a00", Key: p.leader.Public(), HPKE: encode64(t, dap.HpkeConfigList{newHPKE(t, "leader").Config()}), Certificate: coalition.Pin([]byte("leader")),
		},
		Helper: coalition.Host{
			Member: "a01", Key: p.helper.Public(), HPKE: encode64(t, dap.HpkeConfigList{newHPKE(t, "helper").Config()}), Certificate: coalition.Pin([]byte("helper")),
		},
		Coordinator: coalition.Coordinator{Key: p.coordinator.Public(), HPKE: encode64(t, newHPKE(t, "collector").Config()), Certificate: coalition.Pin([]byte("coordinator"))},
		SeedDigest:  hex.EncodeToString(seed[:]), Opens: opens, Deadline: deadline, Wipe: wipe,
		Witnesses: coalition.WitnessPolicy{Threshold: 1, Keys: []keys.Public{newSigner(t, "witness 1").Public(), newSigner(t, "witness 2").Public()}},
		Releases:  []string{"members", "partners"},
	}
	for i := range c.Cohorts {
		configure(t, &c, i, func(*dap.TaskConfiguration) {})
	}
	must(t, c.Check())
	return c, p
}

// wantKind checks the kind of a refusal.
func wantKind(t *testing.T, what string, err error, kind errs.Kind) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("%s: accepted", what)
	case errs.KindOf(err) != kind:
		t.Errorf("%s: error of kind %v, want %v: %v", what, errs.KindOf(err), kind, err)
	}
}
