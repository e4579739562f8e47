package aggregate_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/store/hostdb"
)

// standingHost is a Leader or a Helper as the other one asks it.
type standingHost interface {
	Standing(ctx context.Context, task dap.TaskID) (coalition.Standing, error)
	Addenda(ctx context.Context, task dap.TaskID) ([]coalition.SignedAddendum, error)
	FrozenRoster(ctx context.Context, task dap.TaskID) (coalition.FrozenRoster, error)
	ReceiptOf(ctx context.Context, task dap.TaskID, report dap.ReportID) (coalition.SignedReceipt, error)
}

// other is the other host, with what a test changes about its answers.
type other struct {
	standingHost
	standing func(*coalition.Standing)
	addenda  func(*[]coalition.SignedAddendum)
	roster   func(*coalition.FrozenRoster)
	receipt  func(*coalition.SignedReceipt)
}

func (o other) Standing(ctx context.Context, task dap.TaskID) (coalition.Standing, error) {
	s, err := o.standingHost.Standing(ctx, task)
	if o.standing != nil {
		o.standing(&s)
	}
	return s, err
}

func (o other) Addenda(ctx context.Context, task dap.TaskID) ([]coalition.SignedAddendum, error) {
	list, err := o.standingHost.Addenda(ctx, task)
	if o.addenda != nil {
		o.addenda(&list)
	}
	return list, err
}

func (o other) FrozenRoster(ctx context.Context, task dap.TaskID) (coalition.FrozenRoster, error) {
	f, err := o.standingHost.FrozenRoster(ctx, task)
	if o.roster != nil {
		o.roster(&f)
	}
	return f, err
}

func (o other) Receipt(ctx context.Context, task dap.TaskID, report dap.ReportID) (coalition.SignedReceipt, error) {
	r, err := o.ReceiptOf(ctx, task, report)
	if o.receipt != nil {
		o.receipt(&r)
	}
	return r, err
}

// forget gives a host an empty database, as if it had been restored from a backup
// of the first day.
func (w *world) forget(host int) {
	w.t.Helper()
	w.Databases[host] = hostdb.Config{Path: filepath.Join(w.t.TempDir(), "restored.db")}
	must(w.t, w.StartUp())
}

// addedUp is a world in which n submissions are added up.
func addedUp(t *testing.T, n int) (*world, [][]uint64) {
	t.Helper()
	w := newWorld(t, n)
	must(t, w.StartUp())
	all := w.run(n)
	w.Now.Store(deadline)
	_, err := w.Leader.Freeze(t.Context())
	must(t, err)
	must(t, w.Leader.Aggregate(t.Context()))
	return w, all
}

// TestHelperForgets: it takes over what both had signed, is handed the jobs once
// more, and the cycle ends in the same totals.
func TestHelperForgets(t *testing.T) {
	t.Parallel()
	w, all := addedUp(t, 6)
	w.forget(1)
	for i, want := range []aggregate.Reconciled{{Roster: true, Receipts: 6}, {}} {
		got, err := w.Helper.Reconcile(t.Context(), other{standingHost: w.Leader})
		must(t, err)
		if got != want {
			t.Errorf("time %d: %+v, want %+v", i, got, want)
		}
	}
	if _, _, err := w.Collected(); err == nil {
		t.Fatal("collected what the Helper has forgotten")
	}
	must(t, w.Leader.Again(t.Context()))
	must(t, w.Leader.Again(t.Context()))
	_, cells, err := w.Collected()
	must(t, err)
	if diff := cmp.Diff(plain(all), cells); diff != "" {
		t.Error(diff)
	}
}

// TestHelperForgetsItsSum: where the Leader has it, or is wiped, it gives none
// again and signs no amendment.
func TestHelperForgetsItsSum(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]func(*coalition.Standing){
		"answered": func(*coalition.Standing) {}, "wiped": func(s *coalition.Standing) { *s = coalition.Standing{Phase: "wiped", Collection: "none"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := addedUp(t, 6)
			first, _, err := w.Collected()
			must(t, err)
			w.forget(1)
			got, err := w.Helper.Reconcile(t.Context(), other{standingHost: w.Leader, standing: says})
			must(t, err)
			if !got.Locked {
				t.Errorf("%+v", got)
			}
			if got, err := w.Helper.Reconcile(t.Context(), other{standingHost: w.Leader, standing: says}); err != nil || got.Locked {
				t.Errorf("again: %+v, %v", got, err)
			}
			if s, err := w.Helper.Standing(t.Context(), w.Task().ID); err != nil || s.Phase != "collected" || s.Collection != "asked" {
				t.Errorf("its standing is %+v, %v", s, err)
			}
			if name == "answered" {
				// A Leader that would like another sum: over less, with an amendment.
				if err := w.Leader.Again(t.Context()); errs.KindOf(err) != errs.Conflict {
					t.Errorf("a job was verified again: %v", err)
				}
				frozen, err := w.Leader.FrozenRoster(t.Context(), w.Task().ID)
				must(t, err)
				roster, err := coalition.ParseRoster(frozen.Roster.Body, w.Task().ID)
				must(t, err)
				e := roster.Entries[0]
				body, err := keys.Canonical(coalition.NewAmendment(w.Task().ID, frozen.Roster, nil, []coalition.Strike{{Member: e.Member, Report: e.Report, Reason: "vdaf_verify_error"}}))
				must(t, err)
				sig, err := keys.Sign(keys.KindAmendment, body, w.Host[0].Signer)
				must(t, err)
				if _, err := w.Helper.CosignAmendment(t.Context(), coalition.SignedAmendment{Body: body, Signature: sig}); errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "the batch was collected") {
					t.Errorf("it signed an amendment: %v", err)
				}
			}
			w.LeaderDoor = nil
			if again, _, err := w.Collected(); err != nil || again != first { // the Leader has the bytes
				t.Errorf("collected %d, %v", again, err)
			}
			w.forget(0) // and one that has not gets none
			_, err = w.Helper.AggregateShare(t.Context(), w.Task().ID, []byte("x"))
			if err == nil {
				t.Error("a sum was given")
			}
		})
	}
}

// TestReconcileTrustsNobody: what the other host hands over is checked, and
// where it is not what both signed nothing is taken over.
func TestReconcileTrustsNobody(t *testing.T) {
	t.Parallel()
	w, _ := addedUp(t, 6)
	w.forget(1)
	single, err := w.Leader.FrozenRoster(t.Context(), w.Task().ID)
	must(t, err)
	single.Roster.Signature, err = keys.Sign(keys.KindRoster, single.Roster.Body, w.Host[0].Signer)
	must(t, err)
	another := w.Seal(member(1), 2, answers(1)).Receipt
	forged := w.Sign(member(2), 1, w.Seal(member(2), 1, answers(2)).Report)
	for name, row := range map[string]struct {
		other other
		kind  errs.Kind
		words string
	}{
		"signed by the Leader alone": {other{roster: func(f *coalition.FrozenRoster) { *f = single }}, errs.Invalid, "is not signed by"},
		"no roster":                  {other{roster: func(f *coalition.FrozenRoster) { *f = coalition.FrozenRoster{} }}, errs.Invalid, ""},
		"another receipt":            {other{receipt: func(r *coalition.SignedReceipt) { *r = another }}, errs.Conflict, "the other host has another receipt of m000 than the roster lists"},
		"a receipt that is not on it": {
			other{receipt: func(r *coalition.SignedReceipt) { *r = forged }}, errs.Conflict, "the other host has another receipt of m000 than the roster lists",
		},
		"a receipt nobody signed": {other{receipt: func(r *coalition.SignedReceipt) { r.Signature = another.Signature }}, errs.Invalid, ""},
	} {
		row.other.standingHost = w.Leader
		_, err := w.Helper.Reconcile(t.Context(), row.other)
		if errs.KindOf(err) != row.kind || !strings.Contains(err.Error(), row.words) {
			t.Errorf("%s: %v", name, err)
		}
		if phase, err := w.Helper.Phase(t.Context()); err != nil || phase != aggregate.PhaseOpen {
			t.Errorf("%s: the phase is %s, %v", name, phase, err)
		}
	}
}

// TestLeaderForgets: without the submissions on the roster it says so; and one
// that has signed another roster since does, too.
func TestLeaderForgets(t *testing.T) {
	t.Parallel()
	w, all := addedUp(t, 6)
	kept := w.Databases[0]
	w.forget(0)
	if _, err := w.Leader.Reconcile(t.Context(), other{standingHost: w.Helper}); errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "this backup does not have the submissions of m000, m001") {
		t.Errorf("got %v", err)
	}
	w.Databases[0] = kept
	must(t, w.StartUp())
	// What it has of its own agrees with the Helper's.
	if got, err := w.Leader.Reconcile(t.Context(), other{standingHost: w.Helper}); err != nil || got != (aggregate.Reconciled{}) {
		t.Errorf("got %+v, %v", got, err)
	}
	_, cells, err := w.Collected()
	must(t, err)
	if diff := cmp.Diff(plain(all), cells); diff != "" {
		t.Error(diff)
	}
	shorter, err := coalition.ParseRoster(must1(t)(w.Helper.FrozenRoster(t.Context(), w.Task().ID)).Roster.Body, w.Task().ID)
	must(t, err)
	body, err := keys.Canonical(coalition.NewRoster(w.Task().ID, shorter.Entries[1:]))
	must(t, err)
	sig, err := keys.Sign(keys.KindRoster, body, w.Host[0].Signer, w.Host[1].Signer)
	must(t, err)
	_, err = w.Leader.Reconcile(t.Context(), other{standingHost: w.Helper, roster: func(f *coalition.FrozenRoster) {
		*f = coalition.FrozenRoster{Roster: coalition.SignedRoster{Body: body, Signature: sig}}
	}})
	if errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "the other host has another roster than this backup") {
		t.Errorf("got %v", err)
	}
}

func must1(t *testing.T) func(coalition.FrozenRoster, error) coalition.FrozenRoster {
	return func(f coalition.FrozenRoster, err error) coalition.FrozenRoster {
		t.Helper()
		must(t, err)
		return f
	}
}

// refusing is a Helper that, asked again, rejects everything.
type refusing struct{ aggregate.Peer }

func (r refusing) AggregationJob(_ context.Context, _ dap.TaskID, body []byte) ([]byte, error) {
	req, err := dap.Decode[dap.AggregationJobInitReq](dap.Variant18, body)
	if err != nil {
		return nil, err
	}
	var resp dap.AggregationJobResp
	for _, in := range req.VerifyInits {
		resp.VerifyResps = append(resp.VerifyResps, dap.VerifyResp{ReportID: in.ReportShare.ReportMetadata.ReportID, VerifyRespType: dap.VerifyRespReject, ReportError: dap.VdafVerifyError})
	}
	return dap.Encode(dap.Variant18, resp)
}

// TestAgainCompares: a Helper that answers otherwise than before is found.
func TestAgainCompares(t *testing.T) {
	t.Parallel()
	w, _ := addedUp(t, 6)
	w.Peer = refusing{w.Helper}
	if err := w.Leader.Again(t.Context()); errs.KindOf(err) != errs.Conflict || !strings.Contains(errs.Describe(err).Message, "asked again, the Helper answers otherwise about 6 submissions") {
		t.Errorf("got %v", err)
	}
}

// TestWipeWithoutKeys: a wipe needs no key, ends what never began, and tells over
// from cancelled as the method does.
func TestWipeWithoutKeys(t *testing.T) {
	t.Parallel()
	w, _ := addedUp(t, 6)
	cfg := aggregate.WipeConfig{Charter: w.Charter, Cohort: w.Charter.Cohorts[0].ID, Role: dap.RoleLeader, Store: w.Leader.Store, Log: w.Log, Now: w.Leader.Now}
	if err := aggregate.Wipe(t.Context(), cfg, aggregate.CycleOver); errs.KindOf(err) != errs.Conflict {
		t.Errorf("before its day: %v", err)
	}
	if err := aggregate.Wipe(t.Context(), cfg, "boredom"); err == nil {
		t.Error("wiped for no reason")
	}
	helper := cfg
	helper.Role = dap.RoleHelper
	if err := aggregate.Wipe(t.Context(), helper, aggregate.CycleCancelled); errs.KindOf(err) != errs.Conflict {
		t.Errorf("in another role: %v", err)
	}
	unknown := cfg
	unknown.Cohort = "foes"
	if err := aggregate.Wipe(t.Context(), unknown, aggregate.CycleCancelled); errs.KindOf(err) != errs.NotFound {
		t.Errorf("an unknown cohort: %v", err)
	}
	for range 2 {
		must(t, aggregate.Wipe(t.Context(), cfg, aggregate.CycleCancelled))
	}
	if _, _, err := w.Collected(); err == nil {
		t.Error("collected after the wipe")
	}
	w.forget(0)
	cfg.Store, cfg.Log = w.Leader.Store, nil
	must(t, aggregate.Wipe(t.Context(), cfg, aggregate.CycleCancelled))
	if phase, err := w.Leader.Phase(t.Context()); err != nil || phase != aggregate.PhaseWiped {
		t.Errorf("the phase is %s, %v", phase, err)
	}
}
