package coalition

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/dap"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/vdaf"
)

// TimePrecision is DAP's time precision in the tasks of a [Proposal], in seconds: a
// submission carries the week in which it was sent and not the moment.
const TimePrecision = 7 * 24 * 3600

// Proposal is what people decide about a cycle. Everything else in a charter
// follows from it.
type Proposal struct {
	Coalition  string
	Cycle      string
	Marking    string // "SYNTHETIC", "REHEARSAL" or empty
	Framework  FrameworkRef
	Layout     json.RawMessage // canonical, of the framework
	Cohort     string          // its id; a release of it is planned
	Members    []Member        // in any order
	Leader     HostCard
	Helper     HostCard
	Collector  CoordinatorCard
	Seed       [sha256.Size]byte // the digest of the hosts' seed
	Variant    dap.Variant       // zero: dap-18
	Disclosure Disclosure
	Witnesses  WitnessPolicy // of the ledger; zero: none
	Opens      time.Time
	Deadline   time.Time
	Wipe       time.Time
}

// Charter returns the charter that follows from the proposal, checked. The same
// proposal gives the same charter.
func (p Proposal) Charter() (Charter, error) {
	p.Variant = cmp.Or(p.Variant, dap.Variant18)
	members := slices.SortedFunc(slices.Values(p.Members), func(a, b Member) int { return strings.Compare(string(a.ID), string(b.ID)) })
	minimum := MinimumBatch(len(members))
	configuration, err := p.configuration(minimum)
	if err != nil {
		return Charter{}, err
	}
	taskID, err := dap.DeriveTaskID(p.Seed, configuration)
	if err != nil {
		return Charter{}, err
	}
	encoded, err := dap.Encode(p.Variant, configuration)
	if err != nil {
		return Charter{}, err
	}
	if p.Witnesses.Keys == nil {
		p.Witnesses.Keys = []keys.Public{} // an empty list, not null, in JSON
	}
	c := Charter{
		Kind: charterKind, Coalition: p.Coalition, Cycle: p.Cycle, Marking: p.Marking,
		Framework: p.Framework, Layout: p.Layout,
		Cohorts: []Cohort{{
			ID: p.Cohort, Members: members, MinimumBatch: minimum, ReleaseMinimum: ReleaseMinimum,
			Task: Task{ID: taskID.String(), Variant: p.Variant.Tag(), Configuration: base64.RawURLEncoding.EncodeToString(encoded)},
		}},
		Leader:      Host{Member: p.Leader.Member, Key: p.Leader.Key, HPKE: p.Leader.HPKE, Certificate: p.Leader.Certificate},
		Helper:      Host{Member: p.Helper.Member, Key: p.Helper.Key, HPKE: p.Helper.HPKE, Certificate: p.Helper.Certificate},
		Coordinator: Coordinator{Key: p.Collector.Key, HPKE: p.Collector.HPKE, Certificate: p.Collector.Certificate},
		SeedDigest:  hex.EncodeToString(p.Seed[:]),
		Opens:       p.Opens.Unix(), Deadline: p.Deadline.Unix(), Wipe: p.Wipe.Unix(),
		Witnesses: p.Witnesses, Releases: []string{p.Cohort}, Disclosure: p.Disclosure,
	}
	return c, c.Check()
}

func (p Proposal) configuration(minimumBatch int) (dap.TaskConfiguration, error) {
	if !p.Opens.Before(p.Deadline) || !p.Deadline.Before(p.Wipe) { // said here in words; an interval would only be malformed
		return dap.TaskConfiguration{}, errs.New(errs.Invalid, "the cycle does not open before its deadline and close before its wipe",
			"the order is --opens, --deadline, --wipe")
	}
	sizes, err := layoutSizes(p.Layout)
	if err != nil {
		return dap.TaskConfiguration{}, err
	}
	bits := 0
	for _, size := range sizes {
		bits += int(size)
	}
	prio3, err := vdaf.NewOneHotBlocks(2, sizes, vdaf.ChunkLength(bits))
	if err != nil {
		return dap.TaskConfiguration{}, fmt.Errorf("choose the VDAF: %w", err)
	}
	first, err := dap.TimeFromUnix(p.Opens.Unix(), TimePrecision)
	if err != nil {
		return dap.TaskConfiguration{}, err
	}
	last, err := dap.TimeFromUnix(p.Wipe.Unix(), TimePrecision)
	if err != nil {
		return dap.TaskConfiguration{}, err
	}
	interval, err := dap.NewInterval(first, last+1)
	if err != nil {
		return dap.TaskConfiguration{}, err
	}
	extension, err := dap.NewTaskInterval(interval)
	if err != nil {
		return dap.TaskConfiguration{}, err
	}
	info := sha256.Sum256(p.Layout)
	return dap.TaskConfiguration{
		TaskInfo:                 info[:],
		LeaderAggregatorEndpoint: dap.URL(p.Leader.URL), HelperAggregatorEndpoint: dap.URL(p.Helper.URL),
		TimePrecision: TimePrecision, MinBatchSize: uint64(minimumBatch),
		BatchMode: dap.BatchModeTimeInterval, VdafType: uint32(prio3.ID()), VdafConfiguration: prio3.Config(),
		Extensions: []dap.Extension{extension},
	}, nil
}

// layoutSizes returns how many buckets each block of a layout has. What the
// blocks mean is not this package's business.
func layoutSizes(layout json.RawMessage) ([]uint16, error) {
	var l struct {
		Blocks []struct {
			Buckets []string `json:"buckets"`
		} `json:"blocks"`
	}
	if err := json.Unmarshal(layout, &l); err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the layout cannot be read", "")
	}
	sizes := make([]uint16, len(l.Blocks))
	for i, b := range l.Blocks {
		if len(b.Buckets) == 0 || len(b.Buckets) > 1<<16-1 {
			return nil, errs.New(errs.Invalid, fmt.Sprintf("block %d of the layout has %d buckets", i+1, len(b.Buckets)), "")
		}
		sizes[i] = uint16(len(b.Buckets))
	}
	return sizes, nil
}

// CountsLayout reports whether the task adds up exactly the blocks of the
// layout: one bit set in each, and nothing else.
func (t OpenedTask) CountsLayout(layout json.RawMessage) bool {
	sizes, err := layoutSizes(layout)
	config := t.Configuration.VdafConfiguration
	if err != nil || vdaf.ID(t.Configuration.VdafType) != vdaf.IDOneHotBlocks || len(config) < 4 {
		return false
	}
	// The chunk length is a matter of speed and may be another.
	prio3, err := vdaf.NewOneHotBlocks(2, sizes, binary.BigEndian.Uint32(config))
	return err == nil && bytes.Equal(prio3.Config(), config)
}

// LayoutBlocks returns how many blocks a layout has, or zero if it is none.
func LayoutBlocks(layout json.RawMessage) int {
	sizes, err := layoutSizes(layout)
	if err != nil {
		return 0
	}
	return len(sizes)
}
