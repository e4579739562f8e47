package aggregate_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/errs"
)

// tap keeps the last job and the last share request that pass.
type tap struct {
	aggregate.Peer
	job, jobAnswer, share, shareAnswer []byte
}

func (p *tap) AggregationJob(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	answer, err := p.Peer.AggregationJob(ctx, task, body)
	p.job, p.jobAnswer = body, answer
	return answer, err
}

func (p *tap) AggregateShare(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	answer, err := p.Peer.AggregateShare(ctx, task, body)
	p.share, p.shareAnswer = body, answer
	return answer, err
}

func TestAnswersCanBeReadAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	must(t, w.StartUp())
	taps := &tap{Peer: w.Helper}
	w.Peer = taps
	all := w.run(4)
	_, cells, err := w.Finish()
	must(t, err)
	ctx, task := t.Context(), w.Task().ID
	request, _ := w.CollectionRequest(w.Task().Interval)
	answer, err := w.Leader.CollectionJob(ctx, task, request)
	must(t, err)

	job := dap.AggregationJobID(dap.JobID(taps.job))
	for _, row := range []struct {
		name string
		want []byte
		read func(dap.TaskID, [16]byte) ([]byte, error)
		body []byte
	}{
		{"aggregation job", taps.jobAnswer, func(task dap.TaskID, id [16]byte) ([]byte, error) {
			return w.Helper.AggregationJobResponse(ctx, task, id)
		}, taps.job},
		{"aggregate share", taps.shareAnswer, func(task dap.TaskID, id [16]byte) ([]byte, error) {
			return w.Helper.AggregateShareResponse(ctx, task, id)
		}, taps.share},
		{"collection", answer, func(task dap.TaskID, id [16]byte) ([]byte, error) {
			return w.Leader.CollectionResponse(ctx, task, id)
		}, request},
	} {
		got, err := row.read(task, dap.JobID(row.body))
		if err != nil || !bytes.Equal(got, row.want) {
			t.Errorf("%s: %d bytes, %v; want the same %d", row.name, len(got), err, len(row.want))
		}
		if got, err := row.read(task, [16]byte{1}); errs.KindOf(err) != errs.NotFound || got != nil {
			t.Errorf("%s with another id: %d bytes, %v", row.name, len(got), err)
		}
		if got, err := row.read(dap.TaskID{}, dap.JobID(row.body)); !errors.Is(err, &dap.Problem{Type: dap.ProblemUnrecognizedTask}) || got != nil {
			t.Errorf("%s of another task: %d bytes, %v", row.name, len(got), err)
		}
	}

	// A job that was forgotten is not done again.
	must(t, w.Helper.ForgetAggregationJob(ctx, task, job))
	if err := w.Helper.ForgetAggregationJob(ctx, task, job); errs.KindOf(err) != errs.NotFound {
		t.Errorf("forgotten twice: %v", err)
	}
	if _, err := w.Helper.AggregationJobResponse(ctx, task, job); !errors.Is(err, &dap.Problem{Type: dap.ProblemUnrecognizedAggregationJob}) {
		t.Errorf("after it was forgotten: %v", err)
	}
	again, err := w.Helper.AggregationJob(ctx, task, taps.job)
	must(t, err)
	resp, err := dap.Decode[dap.AggregationJobResp](dap.Variant18, again)
	must(t, err)
	for _, r := range resp.VerifyResps {
		if r.VerifyRespType != dap.VerifyRespReject || r.ReportError != dap.BatchCollected {
			t.Errorf("a forgotten job was done again: %v", r)
		}
	}
	if diff := cmp.Diff(plain(all), cells); diff != "" {
		t.Error(diff)
	}
}

func TestForgottenJobAddsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	must(t, w.StartUp())
	taps := &tap{Peer: w.Helper}
	w.Peer = taps
	all := w.run(4)
	w.Now.Store(deadline)
	_, err := w.Leader.Freeze(t.Context())
	must(t, err)
	must(t, w.Leader.Aggregate(t.Context()))
	must(t, w.Helper.ForgetAggregationJob(t.Context(), w.Task().ID, dap.JobID(taps.job)))
	again, err := w.Helper.AggregationJob(t.Context(), w.Task().ID, taps.job)
	must(t, err)
	resp, err := dap.Decode[dap.AggregationJobResp](dap.Variant18, again)
	must(t, err)
	for _, r := range resp.VerifyResps {
		if r.ReportError != dap.ReportReplayed {
			t.Errorf("got %v, want it replayed", r)
		}
	}
	_, cells, err := w.Collected()
	must(t, err)
	if diff := cmp.Diff(plain(all), cells); diff != "" {
		t.Error(diff)
	}
}

// TestCollectionsAtTheSameTime: a coordinator that is not sure asks again while
// its first request is still being answered.
func TestCollectionsAtTheSameTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	must(t, w.StartUp())
	w.run(4)
	w.Now.Store(deadline)
	_, err := w.Leader.Freeze(t.Context())
	must(t, err)
	must(t, w.Leader.Aggregate(t.Context()))
	request, _ := w.CollectionRequest(w.Task().Interval)
	var wg sync.WaitGroup
	answers := make([][]byte, 4)
	for i := range answers {
		wg.Go(func() {
			var err error
			if answers[i], err = w.Leader.CollectionJob(t.Context(), w.Task().ID, request); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, a := range answers[1:] {
		if !bytes.Equal(a, answers[0]) {
			t.Error("two answers to one request")
		}
	}
}
