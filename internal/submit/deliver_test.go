package submit_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/errs"
	"muster/internal/submit"
)

// host is a host that records what it is given and fails when it is told to.
type host struct {
	c        *coalitiontest.Cycle
	uploads  [][]byte
	receipts []coalition.SignedReceipt
	answer   []byte
	fails    map[string]error // by call; "upload after" fails once it was taken
}

func (h *host) Upload(_ context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	if err := h.fails["upload"]; err != nil {
		return nil, err
	}
	if task.String() != h.c.Charter.Cohorts[0].Task.ID {
		return nil, fmt.Errorf("upload to task %s", task)
	}
	h.uploads = append(h.uploads, body)
	return h.answer, h.fails["upload after"]
}

func (h *host) Acknowledge(_ context.Context, r coalition.SignedReceipt) (coalition.Acknowledgement, error) {
	if err := h.fails["receipt"]; err != nil {
		return coalition.Acknowledgement{}, err
	}
	h.receipts = append(h.receipts, r)
	return coalition.Acknowledgement{Receipt: r.Digest(), Last: 1}, h.fails["receipt after"]
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	pack := packOf("sample", 2)
	l := newLayout(t, pack)
	c := newCycle(t, l, dap.SuiteX25519, dap.Variant18)
	sealer := newSealer(t, c, l)
	sub, err := sealer.Seal(answers(pack, zeros), nil, 1)
	must(t, err)
	report, _ := decode(t, c, sub)
	down := errs.New(errs.Unavailable, "the host is down", "")
	encode := func(status ...dap.ReportUploadStatus) []byte {
		b, err := dap.Encode(dap.Variant18, dap.UploadErrors{Status: status})
		must(t, err)
		return b
	}
	dropped := encode(dap.ReportUploadStatus{ID: report.ReportMetadata.ReportID, Error: dap.ReportDropped})
	for name, row := range map[string]struct {
		leader, helper    *host
		kind              errs.Kind
		message           string
		uploads, receipts int // that the Leader has
		helperReceipts    int
	}{
		"the Leader is down":          {leader: &host{fails: map[string]error{"upload": down}}, kind: errs.Unavailable, message: "the host is down"},
		"its answer is lost":          {leader: &host{fails: map[string]error{"upload after": down}}, kind: errs.Unavailable, message: "the host is down", uploads: 1},
		"the report is refused":       {leader: &host{answer: encode(dap.ReportUploadStatus{ID: report.ReportMetadata.ReportID, Error: dap.OutdatedConfig})}, kind: errs.Conflict, message: "outdated_config", uploads: 1},
		"too late":                    {leader: &host{answer: dropped, fails: map[string]error{"receipt": errs.New(errs.Conflict, "submissions closed", "")}}, kind: errs.Conflict, message: "submissions closed", uploads: 1},
		"full, also with the receipt": {leader: &host{answer: dropped}, kind: errs.Conflict, message: "report_dropped", uploads: 2, receipts: 1},
		"garbage":                     {leader: &host{answer: []byte("<html>")}, kind: errs.Unavailable, message: "cannot be read", uploads: 1},
		"the Leader's receipt":        {leader: &host{fails: map[string]error{"receipt": down}}, kind: errs.Unavailable, message: "the host is down", uploads: 1},
		"the Leader's receipt's word": {leader: &host{fails: map[string]error{"receipt after": down}}, kind: errs.Unavailable, message: "the host is down", uploads: 1, receipts: 1},
		"the Helper is down":          {helper: &host{fails: map[string]error{"receipt": down}}, kind: errs.Unavailable, message: "the host is down", uploads: 1, receipts: 1},
		"the Helper's word":           {helper: &host{fails: map[string]error{"receipt after": down}}, kind: errs.Unavailable, message: "the host is down", uploads: 1, receipts: 1, helperReceipts: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leader, helper := row.leader, row.helper
			if leader == nil {
				leader = &host{}
			}
			if helper == nil {
				helper = &host{}
			}
			leader.c, helper.c = c, c
			delivery, err := submit.Deliver(t.Context(), c.Task(t), sub, leader, helper)
			if ack := delivery.Leader; ack != nil && *ack != (coalition.Acknowledgement{Receipt: sub.Receipt.Digest(), Last: 1}) || delivery.Helper != nil || delivery.Complete() {
				t.Errorf("delivered %+v", delivery)
			}
			if err == nil {
				t.Fatal("delivered")
			}
			if d := errs.Describe(err); d.Kind != row.kind || !strings.Contains(d.Message, row.message) {
				t.Errorf("%v, %q; want %v, %q", d.Kind, d.Message, row.kind, row.message)
			}
			if got, want := [3]int{len(leader.uploads), len(leader.receipts), len(helper.receipts)}, [3]int{row.uploads, row.receipts, row.helperReceipts}; got != want {
				t.Errorf("uploads, receipts, receipts at the Helper %v; want %v", got, want)
			}
			// The trouble is over and the same submission is delivered again.
			leader.fails, helper.fails, leader.answer = nil, nil, nil
			if err := sealer.Deliver(t.Context(), sub, leader, helper); err != nil {
				t.Fatal(err)
			}
			for _, upload := range leader.uploads {
				if !bytes.Equal(upload, sub.Upload) {
					t.Error("another upload than the one sealed")
				}
			}
			for _, r := range slices.Concat(leader.receipts, helper.receipts) {
				if diff := cmp.Diff(sub.Receipt, r); diff != "" {
					t.Errorf("another receipt than the one signed (-want +got):\n%s", diff)
				}
			}
			if len(leader.receipts) == 0 || len(helper.receipts) == 0 || len(leader.uploads) == 0 {
				t.Error("delivered, and something did not arrive")
			}
		})
	}
	t.Run("an empty list of refusals is none", func(t *testing.T) {
		t.Parallel()
		leader, helper := &host{c: c, answer: encode()}, &host{c: c}
		if err := sealer.Deliver(t.Context(), sub, leader, helper); err != nil {
			t.Error(err)
		}
	})
}
