package verify_test

import (
	"slices"
	"testing"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/ledger/ledgertest"
	"muster/internal/verify"
)

// TestHeld: what both hosts signed that they hold, and that is on no list, is shown; with
// the word of one of them, or of none, nobody is accused.
func TestHeld(t *testing.T) {
	t.Parallel()
	const who = "Member 00004"
	stranger := ledgertest.Signer(t, "stranger")
	for _, row := range []struct {
		name     string
		sequence uint64
		late     bool // the member's own is not on the list at all
		by       func(w *world) []*keys.Signer
		code     string
		fails    bool
	}{
		{"both hold a later one than counts", 7, false, func(w *world) []*keys.Signer { return []*keys.Signer{w.l.Cycle.Leader, w.l.Cycle.Helper} }, "own_replaced", true},
		{"one of them", 7, false, func(w *world) []*keys.Signer { return []*keys.Signer{nil, w.l.Cycle.Helper} }, "own_half", false},
		{"nobody", 7, false, func(*world) []*keys.Signer { return nil }, "own_other", false},
		{"the Leader's word as both", 7, false, func(w *world) []*keys.Signer { return []*keys.Signer{w.l.Cycle.Leader, w.l.Cycle.Leader} }, "own_half", false},
		{"strangers", 7, false, func(*world) []*keys.Signer { return []*keys.Signer{stranger, stranger} }, "own_other", false},
		{"both set it aside", 7, false, func(w *world) []*keys.Signer { return []*keys.Signer{w.l.Cycle.Leader, w.l.Cycle.Helper} }, "own_aside", false},
		{"one set it aside", 7, false, func(w *world) []*keys.Signer { return []*keys.Signer{w.l.Cycle.Leader, w.l.Cycle.Helper} }, "own_replaced", true},
		{"both hold what counts", 1, false, func(w *world) []*keys.Signer { return []*keys.Signer{w.l.Cycle.Leader, w.l.Cycle.Helper} }, "own_counts", false},
		{"both hold one of a member who is on no list", 1, true, func(w *world) []*keys.Signer { return []*keys.Signer{w.l.Cycle.Leader, w.l.Cycle.Helper} }, "own_left_out", true},
		{"one of them, of such a member", 1, true, func(w *world) []*keys.Signer { return []*keys.Signer{w.l.Cycle.Leader} }, "own_half", false},
		{"nobody, of such a member", 1, true, func(*world) []*keys.Signer { return nil }, "own_missing", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, harbour, 12, 0, func(cfg *ledgertest.Config) {
				if row.late {
					cfg.Absent = who
				}
			})
			task := w.l.Cycle.Task(t)
			digest := [32]byte{byte(row.sequence)}
			r := coalition.NewReceipt(task.ID, who, row.sequence, 1, dap.ReportID{9}, digest, digest)
			signed, err := r.Sign(w.l.Cycle.Members[who])
			w.must(err)
			if row.sequence == 1 && !row.late {
				i := slices.IndexFunc(w.l.Receipts, func(s coalition.SignedReceipt) bool {
					r, err = s.Open(task.ID, task.MemberKey)
					return err == nil && r.Member == who
				})
				signed = w.l.Receipts[i]
			}
			cfg := w.config()
			cfg.Receipts = []coalition.SignedReceipt{signed}
			for i, host := range row.by(w) {
				if host == nil {
					continue
				}
				ack, err := r.Acknowledge(signed.Digest(), row.sequence, []dap.Role{dap.RoleLeader, dap.RoleHelper}[i], host)
				w.must(err)
				file, _, err := ack.Signed()
				w.must(err)
				cfg.Held = append(cfg.Held, file)
			}
			keepers := map[string][]*keys.Signer{"both set it aside": {w.l.Cycle.Leader, w.l.Cycle.Helper}, "one set it aside": {w.l.Cycle.Leader, w.l.Cycle.Leader, stranger}}
			for _, keeper := range keepers[row.name] {
				line, _, err := ledger.Tail{}.Seal(ledger.Entry{ID: "set aside", Kind: "submission set aside", Data: map[string]string{"receipt": signed.Digest()}}, keeper)
				w.must(err)
				cfg.Records = append(cfg.Records, append(line, '\n'))
			}
			report := w.verify(cfg)
			all := slices.Concat(codes(report, verify.Fails), codes(report, verify.Holds), codes(report, verify.Unchecked))
			if !slices.Contains(all, row.code) || report.Failed() != row.fails {
				t.Errorf("%s is not said, or it fails: %t\n%s", row.code, report.Failed(), listing(report))
			}
			if wrong := row.name == "strangers" || row.name == "the Leader's word as both"; slices.Contains(all, "held_nowhere") != wrong {
				t.Errorf("what is of nobody is said: %t", !wrong)
			}
		})
	}
}
