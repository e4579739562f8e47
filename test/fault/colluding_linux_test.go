package fault_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/assess"
	"muster/internal/config"
	"muster/internal/store/hostdb"
	"muster/vdaf"
)

// hpke is a host's key for the shares that members seal to it.
func (l *lane) hpke(host string) *dap.HpkeKeypair {
	l.t.Helper()
	pairs, err := config.KeyFolder{Dir: l.at(host, "keys")}.HPKE()
	check(l.t, err)
	return pairs[0]
}

// TestTwoHostsTogether is what nobody can prevent, and everybody should know: two
// hosts that put databases and keys together read every member's answers. One
// alone does not, whatever it has.
func TestTwoHostsTogether(t *testing.T) {
	t.Parallel()
	l := newLane(t)
	w := l.newWorld(t, onSQLite)
	w.toCollection()
	seed, err := config.KeyFolder{Dir: w.at(leaderHost, "keys")}.Seed()
	check(t, err)
	verify, err := dap.VerifyKey(seed[:], l.task.ID)
	check(t, err)
	prio3, err := vdaf.FromConfig(2, vdaf.ID(l.task.Configuration.VdafType), l.task.Configuration.VdafConfiguration)
	check(t, err)
	for n := range accepted {
		cells := w.joined(prio3, verify, n)
		want := make([]uint64, l.layout.Bits())
		m, err := assess.Measurement(l.layout, l.assessment(n), nil)
		check(t, err)
		for i, bucket := range m {
			want[l.layout.Offset(i)+int(bucket)] = 1
		}
		if diff := cmp.Diff(want, cells); diff != "" {
			t.Errorf("two hosts together do not read the answers of %s (-answered +read):\n%s", memberName(n), diff)
		}
	}

	// The Leader alone has both ciphertexts, and the key to one of them.
	report := w.stored(0)
	aad := l.shareAad(report)
	for host, half := range map[string]dap.HpkeCiphertext{leaderHost: report.HelperEncryptedInputShare, helperHost: report.LeaderEncryptedInputShare} {
		for _, role := range []dap.Role{dap.RoleLeader, dap.RoleHelper} {
			if _, err := l.hpke(host).OpenInputShare(l.task.Variant, role, aad, half); err == nil {
				t.Errorf("%s opens the other half", host)
			}
		}
	}
	// And without its cycle key its database does not even give its own sums.
	cfg := hostdb.Config{Path: w.at(leaderHost, "host.db")}
	db, err := hostdb.Open(t.Context(), cfg)
	check(t, err)
	defer db.Close()
	if err := db.InTx(t.Context(), "read", func(tx aggregate.Tx) error { _, err := tx.Buckets(l.task.ID); return err }); err == nil {
		t.Error("a database without its key gives its sums")
	}
}

// stored is the report of a member as the Leader's database has it.
func (w *world) stored(n int) dap.Report {
	w.t.Helper()
	id, err := dap.ParseReportID(w.entry(memberName(n) + ".json").Report)
	check(w.t, err)
	var body []byte
	check(w.t, w.database(leaderHost).InTx(w.t.Context(), "read report", func(tx aggregate.Tx) error {
		found, err := tx.Reports(w.task.ID, []dap.ReportID{id})
		body = found[id]
		return err
	}))
	report, err := dap.Decode[dap.Report](w.task.Variant, body)
	check(w.t, err)
	return report
}

func (l *lane) shareAad(report dap.Report) dap.InputShareAad {
	return dap.InputShareAad{TaskID: l.task.ID, TaskConfiguration: l.task.Configuration, ReportMetadata: report.ReportMetadata, PublicShare: report.PublicShare}
}

// joined puts both halves of a member's answers together.
func (w *world) joined(prio3 *vdaf.Prio3, key [vdaf.VerifyKeySize]byte, n int) []uint64 {
	w.t.Helper()
	report := w.stored(n)
	aad := w.shareAad(report)
	leaderHalf, err := w.hpke(leaderHost).OpenInputShare(w.task.Variant, dap.RoleLeader, aad, report.LeaderEncryptedInputShare)
	check(w.t, err)
	helperHalf, err := w.hpke(helperHost).OpenInputShare(w.task.Variant, dap.RoleHelper, aad, report.HelperEncryptedInputShare)
	check(w.t, err)
	nonce := [vdaf.NonceSize]byte(report.ReportMetadata.ReportID)
	var leaderState, helperState vdaf.State
	leader, err := prio3.NewVerifier(&key, w.task.Variant.VdafContext(w.task.ID), 0)
	check(w.t, err)
	helper, err := prio3.NewVerifier(&key, w.task.Variant.VdafContext(w.task.ID), 1)
	check(w.t, err)
	first, err := leader.LeaderInit(&leaderState, &nonce, report.PublicShare, leaderHalf.Payload, nil)
	check(w.t, err)
	second, err := helper.HelperInit(&helperState, &nonce, report.PublicShare, helperHalf.Payload, first, nil)
	check(w.t, err)
	check(w.t, leader.LeaderFinish(&leaderState, second))
	a, b := prio3.NewAggregate(), prio3.NewAggregate()
	check(w.t, a.Add(&leaderState))
	check(w.t, b.Add(&helperState))
	cells, err := prio3.Unshard([]*vdaf.Aggregate{a, b}, 1)
	check(w.t, err)
	return cells
}
