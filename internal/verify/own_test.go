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
		{"written afterwards, by both", 7, false, func(w *world) []*keys.Signer { return []*keys.Signer{w.l.Cycle.Leader, w.l.Cycle.Helper} }, "own_replaced", true},
		{"set aside behind the list, by both", 7, false, func(w *world) []*keys.Signer { return []*keys.Signer{w.l.Cycle.Leader, w.l.Cycle.Helper} }, "own_replaced", true},
		{"set aside, and no share is entered", 7, false, func(w *world) []*keys.Signer { return []*keys.Signer{w.l.Cycle.Leader, w.l.Cycle.Helper} }, "own_aside_open", false},
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
			for _, name := range []string{"written afterwards, by both", "set aside behind the list, by both", "set aside, and no share is entered"} {
				keepers[name] = keepers["both set it aside"]
			}
			for _, keeper := range keepers[row.name] {
				cfg.Records = append(cfg.Records, recordOf(w, keeper, signed.Digest(), row.name))
			}
			if row.name == "set aside, and no share is entered" {
				w.statements = w.statements[:w.index(ledger.KindShare)]
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

// recordOf is a record of a host that says that it set a receipt aside. The line of its
// share goes into the ledger, unless the record is written afterwards.
func recordOf(w *world, keeper *keys.Signer, receipt, name string) []byte {
	w.Helper()
	role := keeperRole(w, keeper)
	task := w.l.Cycle.Task(w).ID.String()
	entries := []ledger.Entry{
		{ID: "set aside", Kind: "submission set aside", Data: map[string]string{"receipt": receipt}},
		{ID: "roster", Kind: "roster", Data: map[string]string{"task_id": task}},
		{ID: "share", Kind: "aggregate share", Data: map[string]string{"task_id": task, "host": role, "share": ledger.Digest([]byte(role))}},
	}
	if name == "set aside behind the list, by both" {
		entries[0], entries[1] = entries[1], entries[0]
	}
	var record, line []byte
	var tail ledger.Tail
	for _, e := range entries {
		var err error
		line, tail, err = tail.Seal(e, keeper)
		w.must(err)
		record = append(append(record, line...), '\n')
	}
	for i, s := range w.statements {
		if s.Kind == ledger.KindShare && s.Fields["host"] == role && name != "written afterwards, by both" {
			w.statements[i].Note, w.statements[i].Signature = string(line), ""
		}
	}
	return record
}

// keeperRole returns which host a key is of; empty for a stranger's.
func keeperRole(w *world, keeper *keys.Signer) string {
	switch keeper.Public() {
	case w.l.Cycle.Leader.Public():
		return "leader"
	case w.l.Cycle.Helper.Public():
		return "helper"
	}
	return ""
}
