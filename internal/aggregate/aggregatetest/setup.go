package aggregatetest

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/keys"
	"muster/internal/store"
	"muster/internal/store/hostdb"
	"muster/internal/store/pgtest"
	"muster/vdaf"
)

// Place is where a host is reached.
type Place struct {
	Endpoint dap.URL
	Pin      string // of its TLS key, or empty
}

// Network is where everyone is reached. [InProcess] has none.
type Network struct {
	Leader, Helper Place
	Coordinator    string // the pin of its TLS key
}

// InProcess is the network of hosts that call each other in one process.
func InProcess() Network {
	return Network{Leader: Place{Endpoint: "https://leader.invalid/"}, Helper: Place{Endpoint: "https://helper.invalid/"}}
}

// New draws the keys of n members and signs a charter for hosts in one process.
func New(t testing.TB, n int) *World {
	t.Helper()
	return NewOn(t, n, InProcess())
}

// NewOn draws the keys of n members and signs a charter for that network.
func NewOn(t testing.TB, n int, network Network) *World {
	t.Helper()
	return NewWith(t, n, Options{Network: network})
}

// Options are what a world may have that others have not.
type Options struct {
	Network Network
	Blocks  []uint16  // the sizes of the blocks; nil: [Blocks]
	Suite   dap.Suite // of the hosts' keys; zero: X25519
}

// NewWith draws the keys of n members and signs a charter with those options.
func NewWith(t testing.TB, n int, options Options) *World {
	t.Helper()
	chunk := uint32(5) // no divisor of the number of bits, so that the last chunk has to be filled up
	if options.Blocks == nil {
		options.Blocks = Blocks()
	} else {
		bits := 0
		for _, size := range options.Blocks {
			bits += int(size)
		}
		chunk = vdaf.ChunkLength(bits)
	}
	if options.Suite == 0 {
		options.Suite = dap.SuiteX25519
	}
	network := options.Network
	w := &World{
		t: t, Members: make(map[coalition.MemberID]*keys.Signer), Log: NewLog(),
	}
	dir := t.TempDir()
	for i, name := range []string{"leader.db", "helper.db"} {
		w.Databases[i].Path = filepath.Join(dir, name)
	}
	w.Now.Store(Start)
	w.Coordinator = newSigner(t, "coordinator")
	for i := range w.Host {
		w.Host[i] = HostKeys{Signer: newSigner(t, fmt.Sprintf("host %d", i)), HPKE: newHPKE(t, options.Suite)}
		rand.Read(w.Host[i].cycle[:])
	}
	w.Collector = newHPKE(t, options.Suite)
	var parts [2]coalition.SeedPart
	for i := range parts {
		rand.Read(parts[i][:])
	}
	var err error
	w.Seed, err = coalition.CombineSeed(parts[0], parts[1], parts[0].Commitment(), parts[1].Commitment())
	Must(t, err)
	layout := []byte(`{"blocks":"as the test likes"}`)
	info := sha256.Sum256(layout)
	prio3, err := vdaf.NewOneHotBlocks(2, options.Blocks, chunk)
	Must(t, err)
	first := dap.Time(Start / precision)
	interval, err := dap.NewInterval(first, first+60) // longer than the wipe
	Must(t, err)
	extension, err := dap.NewTaskInterval(interval)
	Must(t, err)
	configuration := dap.TaskConfiguration{
		TaskInfo: info[:], LeaderAggregatorEndpoint: network.Leader.Endpoint, HelperAggregatorEndpoint: network.Helper.Endpoint,
		TimePrecision: precision, MinBatchSize: uint64(coalition.MinimumBatch(n)), BatchMode: dap.BatchModeTimeInterval,
		VdafType: uint32(prio3.ID()), VdafConfiguration: prio3.Config(), Extensions: []dap.Extension{extension},
	}
	seedDigest := w.Seed.Digest()
	id, err := dap.DeriveTaskID(seedDigest, configuration)
	Must(t, err)
	c := coalition.Cohort{
		ID: CohortID, MinimumBatch: coalition.MinimumBatch(n), ReleaseMinimum: coalition.ReleaseMinimum,
		Task: coalition.Task{ID: id.String(), Variant: dap.Variant18.Tag(), Configuration: encode64(t, configuration)},
	}
	for i := range n {
		member := Member(i)
		w.Members[member] = newSigner(t, string(member))
		c.Members = append(c.Members, coalition.Member{ID: member, Key: w.Members[member].Public()})
	}
	slices.SortFunc(c.Members, func(a, b coalition.Member) int { return cmp.Compare(a.ID, b.ID) }) // m1000 comes before m999
	signed, err := coalition.Charter{
		Coalition: "test", Cycle: "1", Marking: coalition.MarkingSynthetic, Framework: coalition.FrameworkRef{ID: "test", Version: "1.0.0", Digest: hex.EncodeToString(info[:])}, Layout: layout,
		Cohorts:     []coalition.Cohort{c},
		Leader:      coalition.Host{Member: "m000", Key: w.Host[0].Signer.Public(), HPKE: encode64(t, dap.HpkeConfigList{w.Host[0].HPKE.Config()}), Certificate: network.Leader.Pin},
		Helper:      coalition.Host{Member: "m001", Key: w.Host[1].Signer.Public(), HPKE: encode64(t, dap.HpkeConfigList{w.Host[1].HPKE.Config()}), Certificate: network.Helper.Pin},
		Coordinator: coalition.Coordinator{Key: w.Coordinator.Public(), HPKE: encode64(t, w.Collector.Config()), Certificate: network.Coordinator},
		SeedDigest:  hex.EncodeToString(seedDigest[:]), Opens: Start, Deadline: Deadline, Wipe: Deadline + 365*24*3600,
		Witnesses: coalition.WitnessPolicy{Keys: []keys.Public{}}, Releases: []string{CohortID},
	}.Sign(w.Coordinator, w.Host[0].Signer, w.Host[1].Signer)
	Must(t, err)
	w.Charter, err = signed.Open()
	Must(t, err)
	t.Cleanup(w.Stop)
	return w
}

// OnPostgres moves both databases, before they are opened, to a PostgreSQL; the
// test skips where there is none.
func (w *World) OnPostgres() {
	w.t.Helper()
	for i := range w.Databases {
		w.Databases[i] = hostdb.Config{DSN: store.NewDSN(pgtest.DSN(w.t))}
	}
}

func newSigner(t testing.TB, name string) *keys.Signer {
	t.Helper()
	s, err := keys.Generate(rand.Reader, name)
	Must(t, err)
	return s
}

func newHPKE(t testing.TB, suite dap.Suite) *dap.HpkeKeypair {
	t.Helper()
	k, err := dap.GenerateHpkeKeypair(1, suite)
	Must(t, err)
	return k
}

func encode64(t testing.TB, m dap.Message) string {
	t.Helper()
	b, err := dap.Encode(dap.Variant18, m)
	Must(t, err)
	return base64.RawURLEncoding.EncodeToString(b)
}
