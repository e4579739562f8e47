package submit_test

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/dap"
	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/submit"
	"muster/packs"
	"muster/vdaf"
)

const member = coalition.MemberID("Calverra")

// sealedAt is the time at which the members of these tests seal.
var sealedAt = time.Unix(coalitiontest.Opens+3600, 0)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// packOf returns a pack of areas with so many outcomes each.
func packOf(id string, sizes ...int) *framework.Pack {
	pack := &framework.Pack{ID: id, Version: "1.0.0"}
	for i, n := range sizes {
		area := framework.Area{ID: fmt.Sprintf("A%d", i+1)}
		for j := range n {
			area.Outcomes = append(area.Outcomes, framework.Outcome{ID: fmt.Sprintf("%s.%d", area.ID, j+1)})
		}
		pack.Areas = append(pack.Areas, area)
	}
	return pack
}

func newLayout(t testing.TB, pack *framework.Pack) *framework.Layout {
	t.Helper()
	l, err := framework.NewLayout(pack)
	must(t, err)
	return l
}

// newCycle returns a cycle of twelve members over a layout.
func newCycle(t testing.TB, l *framework.Layout, suite dap.Suite, variant dap.Variant) *coalitiontest.Cycle {
	t.Helper()
	canonical, err := l.Canonical()
	must(t, err)
	ids := []coalition.MemberID{"Aldovar", "Ostmere", member}
	for i := range 9 {
		ids = append(ids, coalition.MemberID(fmt.Sprintf("Member %d", i)))
	}
	return coalitiontest.New(t, coalitiontest.Config{Members: ids, Layout: canonical, Sizes: l.Sizes(), Suite: suite, Variant: variant})
}

func config(c *coalitiontest.Cycle, l *framework.Layout) submit.Config {
	return submit.Config{
		Charter: c.Charter, Cohort: coalitiontest.Cohort, Layout: l, Member: member, Signer: c.Members[member],
		Rand: rand.Reader, Now: func() time.Time { return sealedAt },
	}
}

func newSealer(t testing.TB, c *coalitiontest.Cycle, l *framework.Layout) *submit.Sealer {
	t.Helper()
	s, err := submit.New(config(c, l))
	must(t, err)
	return s
}

// answers returns an assessment in which pick chooses among n values.
func answers(pack *framework.Pack, pick func(n int) int) *assess.Assessment {
	a := &assess.Assessment{Member: string(member), Answers: make(map[string]assess.Answer)}
	for _, o := range pack.Outcomes() {
		a.Answers[o.ID] = assess.Answer{
			Level: assess.Levels()[pick(7)], Verified: assess.VerifiedLevels()[pick(8)],
			Evidence: assess.Grades()[pick(5)], Target: assess.Targets()[pick(6)],
		}
	}
	return a
}

func zeros(int) int { return 0 }

// decode takes a submission apart.
func decode(t testing.TB, c *coalitiontest.Cycle, sub submit.Submission) (dap.Report, coalition.Receipt) {
	t.Helper()
	task := c.Task(t)
	upload, err := dap.Decode[dap.UploadRequest](task.Variant, sub.Upload)
	must(t, err)
	if len(upload.Reports) != 1 {
		t.Fatalf("%d reports in one submission", len(upload.Reports))
	}
	receipt, err := sub.Receipt.Open(task.ID, task.MemberKey)
	must(t, err)
	return upload.Reports[0], receipt
}

// openBoth does what the hosts do, and returns what the shares sum to.
func openBoth(t testing.TB, c *coalitiontest.Cycle, report dap.Report) []uint64 {
	t.Helper()
	task := c.Task(t)
	aad := dap.InputShareAad{TaskID: task.ID, TaskConfiguration: task.Configuration, ReportMetadata: report.ReportMetadata, PublicShare: report.PublicShare}
	leaderShare, err := c.LeaderHPKE.OpenInputShare(task.Variant, dap.RoleLeader, aad, report.LeaderEncryptedInputShare)
	must(t, err)
	helperShare, err := c.HelperHPKE.OpenInputShare(task.Variant, dap.RoleHelper, aad, report.HelperEncryptedInputShare)
	must(t, err)
	if len(leaderShare.PrivateExtensions)+len(helperShare.PrivateExtensions)+len(report.ReportMetadata.PublicExtensions) > 0 {
		t.Error("the report has extensions, which no host knows")
	}

	key := c.VerifyKey(t)
	nonce := [vdaf.NonceSize]byte(report.ReportMetadata.ReportID)
	var leaderState, helperState vdaf.State
	leader, err := c.Prio3.NewVerifier(&key, task.Variant.VdafContext(task.ID), 0)
	must(t, err)
	helper, err := c.Prio3.NewVerifier(&key, task.Variant.VdafContext(task.ID), 1)
	must(t, err)
	initialize, err := leader.LeaderInit(&leaderState, &nonce, report.PublicShare, leaderShare.Payload, nil)
	must(t, err)
	finish, err := helper.HelperInit(&helperState, &nonce, report.PublicShare, helperShare.Payload, initialize, nil)
	must(t, err)
	must(t, leader.LeaderFinish(&leaderState, finish))
	a, b := c.Prio3.NewAggregate(), c.Prio3.NewAggregate()
	must(t, a.Add(&leaderState))
	must(t, b.Add(&helperState))
	cells, err := c.Prio3.Unshard([]*vdaf.Aggregate{a, b}, 1)
	must(t, err)
	return cells
}

// oneHot returns the cells of one measurement.
func oneHot(l *framework.Layout, measurement []uint64) []uint64 {
	cells := make([]uint64, l.Bits())
	for i, bucket := range measurement {
		cells[l.Offset(i)+int(bucket)] = 1
	}
	return cells
}

// What is sealed is what was answered, for every suite and variant.
func TestSealedSharesSumToTheMeasurement(t *testing.T) {
	t.Parallel()
	pack := packOf("sample", 2, 3)
	l := newLayout(t, pack)
	for name, row := range map[string]struct {
		suite   dap.Suite
		variant dap.Variant
	}{
		"X25519":               {dap.SuiteX25519, dap.Variant18},
		"hybrid":               {dap.SuiteMLKEM768X25519, dap.Variant18},
		"X25519 under dap-19":  {dap.SuiteX25519, dap.Variant19},
		"hybrid, under dap-19": {dap.SuiteMLKEM768X25519, dap.Variant19},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCycle(t, l, row.suite, row.variant)
			sealer := newSealer(t, c, l)
			rapid.Check(t, func(rt *rapid.T) {
				pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "answer") }
				now := answers(pack, pick)
				var before *assess.Assessment
				if rapid.Bool().Draw(rt, "answered before") {
					before = answers(pack, pick)
				}
				sub, err := sealer.Seal(now, before, 1)
				if err != nil {
					rt.Fatal(err)
				}
				report, _ := decode(t, c, sub)
				measurement, err := assess.Measurement(l, now, before)
				if err != nil {
					rt.Fatal(err)
				}
				if diff := cmp.Diff(oneHot(l, measurement), openBoth(t, c, report)); diff != "" {
					rt.Fatalf("cells (-measured +sealed):\n%s", diff)
				}
			})
		})
	}
}

func TestReceiptMatchesTheReport(t *testing.T) {
	t.Parallel()
	pack := packOf("sample", 2)
	l := newLayout(t, pack)
	c := newCycle(t, l, dap.SuiteX25519, dap.Variant18)
	sub, err := newSealer(t, c, l).Seal(answers(pack, zeros), nil, 7)
	must(t, err)
	report, receipt := decode(t, c, sub)
	leader, err := coalition.PartDigest(report.ReportMetadata, report.PublicShare, report.LeaderEncryptedInputShare)
	must(t, err)
	helper, err := coalition.PartDigest(report.ReportMetadata, report.PublicShare, report.HelperEncryptedInputShare)
	must(t, err)
	want := coalition.Receipt{
		Kind: "muster receipt v1", Task: c.Task(t).ID.String(), Report: report.ReportMetadata.ReportID.String(),
		Member: member, Sequence: 7, Time: sealedAt.Unix(), Leader: hex.EncodeToString(leader[:]), Helper: hex.EncodeToString(helper[:]),
	}
	if diff := cmp.Diff(want, receipt); diff != "" {
		t.Errorf("receipt (-want +got):\n%s", diff)
	}
	// The report's time is the cycle's: the hour in which a member sealed stays its own.
	if got, want := report.ReportMetadata.Time, c.Task(t).Interval.Start; got != want {
		t.Errorf("the report's time is %d; want the cycle's, %d", got, want)
	}
}

// Each host can open its own half alone.
func TestHalvesAreLocked(t *testing.T) {
	t.Parallel()
	pack := packOf("sample", 2)
	l := newLayout(t, pack)
	c := newCycle(t, l, dap.SuiteX25519, dap.Variant18)
	task := c.Task(t)
	sub, err := newSealer(t, c, l).Seal(answers(pack, zeros), nil, 1)
	must(t, err)
	report, _ := decode(t, c, sub)
	aad := dap.InputShareAad{TaskID: task.ID, TaskConfiguration: task.Configuration, ReportMetadata: report.ReportMetadata, PublicShare: report.PublicShare}
	for name, row := range map[string]struct {
		key  *dap.HpkeKeypair
		role dap.Role
		half dap.HpkeCiphertext
	}{
		"the Helper the Leader's":         {c.HelperHPKE, dap.RoleLeader, report.LeaderEncryptedInputShare},
		"the Leader the Helper's":         {c.LeaderHPKE, dap.RoleHelper, report.HelperEncryptedInputShare},
		"the coordinator the Leader's":    {c.CollectorHPKE, dap.RoleLeader, report.LeaderEncryptedInputShare},
		"the Leader its own as Helper's":  {c.LeaderHPKE, dap.RoleHelper, report.LeaderEncryptedInputShare},
		"the Helper its own as Leader's":  {c.HelperHPKE, dap.RoleLeader, report.HelperEncryptedInputShare},
		"the coordinator the Helper's":    {c.CollectorHPKE, dap.RoleHelper, report.HelperEncryptedInputShare},
		"the Leader, halves exchanged":    {c.LeaderHPKE, dap.RoleLeader, report.HelperEncryptedInputShare},
		"the Helper, halves exchanged":    {c.HelperHPKE, dap.RoleHelper, report.LeaderEncryptedInputShare},
		"the Leader as if it were a lead": {c.LeaderHPKE, dap.RoleCollector, report.LeaderEncryptedInputShare},
	} {
		if _, err := row.key.OpenInputShare(task.Variant, row.role, aad, row.half); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	moved := aad
	moved.ReportMetadata.Time++
	if _, err := c.LeaderHPKE.OpenInputShare(task.Variant, dap.RoleLeader, moved, report.LeaderEncryptedInputShare); err == nil {
		t.Error("opened at another time")
	}
}

// Two submissions of the same answers have nothing in common.
func TestSealingTwice(t *testing.T) {
	t.Parallel()
	pack := packOf("sample", 2)
	l := newLayout(t, pack)
	c := newCycle(t, l, dap.SuiteX25519, dap.Variant18)
	sealer := newSealer(t, c, l)
	var mu sync.Mutex
	seen := make(map[string]string)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() { // a sealer may be used concurrently
			sub, err := sealer.Seal(answers(pack, zeros), nil, uint64(i+1))
			if err != nil {
				t.Error(err)
				return
			}
			report, _ := decode(t, c, sub)
			mu.Lock()
			defer mu.Unlock()
			for part, b := range map[string][]byte{
				"report id": report.ReportMetadata.ReportID[:], "public share": report.PublicShare,
				"Leader's key": report.LeaderEncryptedInputShare.Enc, "Leader's half": report.LeaderEncryptedInputShare.Payload,
				"Helper's key": report.HelperEncryptedInputShare.Enc, "Helper's half": report.HelperEncryptedInputShare.Payload,
			} {
				if other, ok := seen[string(b)]; ok {
					t.Errorf("submission %d: the %s is also the %s", i+1, part, other)
				}
				seen[string(b)] = fmt.Sprintf("%s of submission %d", part, i+1)
			}
		})
	}
	wg.Wait()
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	l := newLayout(t, packOf("sample", 2))
	c := newCycle(t, l, dap.SuiteX25519, dap.Variant18)
	other, err := keys.Generate(rand.Reader, "member "+string(member))
	must(t, err)
	for name, row := range map[string]struct {
		change  func(*submit.Config)
		kind    errs.Kind
		message string
	}{
		"stranger":               {func(c *submit.Config) { c.Member = "Nowhere" }, errs.Denied, "Nowhere is not in the cohort members"},
		"another case":           {func(c *submit.Config) { c.Member = "calverra" }, errs.Denied, "calverra is not in the cohort members"},
		"another key":            {func(c *submit.Config) { c.Signer = other }, errs.Denied, "the charter lists another key for Calverra"},
		"another member's key":   {func(cfg *submit.Config) { cfg.Signer = c.Members["Aldovar"] }, errs.Denied, "the charter lists another key for Calverra"},
		"another cohort":         {func(c *submit.Config) { c.Cohort = "partners" }, errs.NotFound, `the charter has no cohort "partners"`},
		"a larger framework":     {func(c *submit.Config) { c.Layout = newLayout(t, packOf("sample", 3)) }, errs.Conflict, "the charter asks for another framework"},
		"one of the same sizes":  {func(c *submit.Config) { c.Layout = newLayout(t, packOf("twin", 2)) }, errs.Conflict, "the charter asks for another framework"},
		"areas cut differently":  {func(c *submit.Config) { c.Layout = newLayout(t, packOf("sample", 1, 1)) }, errs.Conflict, "the charter asks for another framework"},
		"a charter that changed": {func(c *submit.Config) { c.Charter.Layout = []byte(`{}`) }, errs.Invalid, "another task_info"},
		"another seed":           {func(c *submit.Config) { c.Charter.SeedDigest = strings.Repeat("00", 32) }, errs.Invalid, "another id"},
	} {
		cfg := config(c, l)
		row.change(&cfg)
		_, err := submit.New(cfg)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if d := errs.Describe(err); d.Kind != row.kind || !strings.Contains(d.Message, row.message) {
			t.Errorf("%s: %v, %q; want %v, %q", name, d.Kind, d.Message, row.kind, row.message)
		}
	}
}

func TestSealRefuses(t *testing.T) {
	t.Parallel()
	pack := packOf("sample", 2)
	l := newLayout(t, pack)
	sealer := newSealer(t, newCycle(t, l, dap.SuiteX25519, dap.Variant18), l)
	good := func() *assess.Assessment { return answers(pack, zeros) }
	for name, row := range map[string]struct {
		now      func() *assess.Assessment
		sequence uint64
		message  string
	}{
		"no assessment": {func() *assess.Assessment { return nil }, 1, "there is no assessment"},
		"an outcome missing": {func() *assess.Assessment {
			a := good()
			delete(a.Answers, "A1.2")
			return a
		}, 1, "A1.2"},
		"an outcome too many": {func() *assess.Assessment {
			a := good()
			a.Answers["A9.9"] = a.Answers["A1.1"]
			return a
		}, 1, "A9.9"},
		"an impossible answer": {func() *assess.Assessment {
			a := good()
			a.Answers["A1.1"] = assess.Answer{}
			return a
		}, 1, "A1.1"},
		"another member's answers": {func() *assess.Assessment {
			a := good()
			a.Member = "Ostmere"
			return a
		}, 1, `these are the answers of "Ostmere", and Calverra seals`},
		"sequence 0": {good, 0, "the sequence number 0"},
	} {
		sub, err := sealer.Seal(row.now(), nil, row.sequence)
		if err == nil || sub.Upload != nil || sub.Receipt.Body != nil {
			t.Errorf("%s: sealed", name)
			continue
		}
		if d := errs.Describe(err); d.Kind != errs.Invalid || !strings.Contains(d.Message, row.message) {
			t.Errorf("%s: %v, %q; want %q", name, d.Kind, d.Message, row.message)
		}
	}
	renamed := good()
	renamed.Member = "CALVERRA" // one member in another case
	if _, err := sealer.Seal(renamed, nil, 1); err != nil {
		t.Error(err)
	}
}

// Without randomness nothing is sealed: half of it would be a readable share.
func TestRandomnessFails(t *testing.T) {
	t.Parallel()
	pack := packOf("sample", 2)
	l := newLayout(t, pack)
	c := newCycle(t, l, dap.SuiteX25519, dap.Variant18)
	broken := errors.New("no randomness")
	need := len(dap.ReportID{}) + c.Prio3.RandSize()
	for _, n := range []int{0, 1, 15, 16, 17, need - 1} {
		for name, ending := range map[string]io.Reader{"fails": iotest.ErrReader(broken), "ends": strings.NewReader("")} {
			cfg := config(c, l)
			cfg.Rand = io.MultiReader(io.LimitReader(rand.Reader, int64(n)), ending)
			sealer, err := submit.New(cfg)
			must(t, err)
			sub, err := sealer.Seal(answers(pack, zeros), nil, 1)
			if err == nil || sub.Upload != nil || sub.Receipt.Body != nil {
				t.Errorf("sealed with randomness that %s after %d of %d bytes", name, n, need)
			} else if name == "fails" && !errors.Is(err, broken) {
				t.Errorf("%v; want the reader's error", err)
			}
		}
	}
}

// BenchmarkSeal seals one member's answers to the core pack. The goal is under
// 10 ms.
func BenchmarkSeal(b *testing.B) {
	pack, err := framework.Find(packs.FS(), "muster-core")
	must(b, err)
	l := newLayout(b, pack)
	for name, suite := range map[string]dap.Suite{"X25519": dap.SuiteX25519, "MLKEM768X25519": dap.SuiteMLKEM768X25519} {
		b.Run(name, func(b *testing.B) {
			sealer := newSealer(b, newCycle(b, l, suite, dap.Variant18), l)
			i := 0
			now := answers(pack, func(n int) int { i++; return i % n })
			var sub submit.Submission
			b.ReportAllocs()
			for b.Loop() {
				if sub, err = sealer.Seal(now, now, 1); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(sub.Upload)), "upload-bytes")
		})
	}
}
