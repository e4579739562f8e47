package daphttp_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/aggregate/aggregatetest"
)

// tap keeps the last job and the last share request that pass.
type tap struct {
	aggregate.Peer
	job, share []byte
}

func (p *tap) AggregationJob(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	p.job = body
	return p.Peer.AggregationJob(ctx, task, body)
}

func (p *tap) AggregateShare(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	p.share = body
	return p.Peer.AggregateShare(ctx, task, body)
}

// post sends a message as it should be sent.
func (n *network) post(u string, media dap.MediaType, body []byte, cert *tls.Certificate) response {
	n.t.Helper()
	got, err := n.raw(exchange{method: "POST", url: u, header: http.Header{"Content-Type": {string(media)}}, body: bytes.NewReader(body), cert: cert})
	must(n.t, err)
	return got
}

// TestResourceLife takes each resource that a request makes through its life:
// made, made again, read, deleted, read, made again.
func TestResourceLife(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 4})
	taps := &tap{Peer: n.peer}
	n.Peer = taps
	all := n.run(4)
	_, cells, err := n.Finish()
	must(t, err)
	collection, _ := n.CollectionRequest(n.Task().Interval)
	leader, helper := strings.TrimSuffix(string(n.leaderURL), "/"), strings.TrimSuffix(string(n.helperURL), "/")
	for _, row := range []struct {
		name, base, path string
		request, answer  dap.MediaType
		body             []byte
		cert             *tls.Certificate
		deleted          int  // status of DELETE
		forgets          bool // DELETE drops the answer
	}{
		{"aggregation job", helper, "/aggregation_jobs", dap.MediaAggregationJobInitReq, dap.MediaAggregationJobResp, taps.job, &n.leaderCert, 204, true},
		{"aggregate share", helper, "/aggregate_shares", dap.MediaAggregateShareReq, dap.MediaAggregateShare, taps.share, &n.leaderCert, 202, false},
		{"collection job", leader, "/collection_jobs", dap.MediaCollectionJobReq, dap.MediaCollectionJobResp, collection, &n.coordinatorCert, 202, false},
	} {
		creation := row.base + "/tasks/" + n.Task().ID.String() + row.path
		first := n.post(creation, row.request, row.body, row.cert)
		id := dap.AggregationJobID(dap.JobID(row.body)).String()
		origin := row.base[:strings.Index(row.base[len("https://"):], "/")+len("https://")]
		location := first.header.Get("Location")
		if first.status != 200 || origin+location != creation+"/"+id || first.header.Get("Content-Type") != string(row.answer) || len(first.body) == 0 {
			t.Fatalf("%s: %d %v", row.name, first.status, first.header)
		}
		second := n.post(creation, row.request, row.body, row.cert)
		if second.status != 200 || second.header.Get("Location") != location || !bytes.Equal(second.body, first.body) {
			t.Errorf("%s: the same request again: %d %v", row.name, second.status, second.header)
		}
		at := origin + location + "?step=0"
		read := func() response {
			got, err := n.raw(exchange{method: "GET", url: at, cert: row.cert})
			must(t, err)
			return got
		}
		if got := read(); got.status != 200 || !bytes.Equal(got.body, first.body) || got.header.Get("Content-Type") != string(row.answer) {
			t.Errorf("%s: GET: %d %v", row.name, got.status, got.header)
		}
		for _, other := range []*tls.Certificate{nil} {
			got, err := n.raw(exchange{method: "GET", url: at, cert: other})
			must(t, err)
			wantProblem(t, row.name+" for a stranger", got, http.StatusForbidden, dap.ProblemBlank)
			got, err = n.raw(exchange{method: "DELETE", url: at, cert: other})
			must(t, err)
			wantProblem(t, row.name+" deleted by a stranger", got, http.StatusForbidden, dap.ProblemBlank)
		}
		got, err := n.raw(exchange{method: "DELETE", url: at, cert: row.cert})
		must(t, err)
		if got.status != row.deleted || len(got.body) > 0 {
			t.Errorf("%s: DELETE: %d %q", row.name, got.status, got.body)
		}
		after, again := read(), n.post(creation, row.request, row.body, row.cert)
		if !row.forgets {
			if after.status != 200 || !bytes.Equal(after.body, first.body) || !bytes.Equal(again.body, first.body) {
				t.Errorf("%s: DELETE changed the answer: %d, %d", row.name, after.status, again.status)
			}
			continue
		}
		wantProblem(t, row.name+" after DELETE", after, http.StatusNotFound, dap.ProblemUnrecognizedAggregationJob)
		resp, err := dap.Decode[dap.AggregationJobResp](dap.Variant18, again.body)
		must(t, err)
		if again.header.Get("Location") != location || len(resp.VerifyResps) != 4 {
			t.Errorf("%s after DELETE: %v", row.name, again.header)
		}
		for _, r := range resp.VerifyResps {
			if r.VerifyRespType != dap.VerifyRespReject || r.ReportError != dap.BatchCollected {
				t.Errorf("%s after DELETE was done again: %v", row.name, r)
			}
		}
	}
	count, after, err := n.Collected()
	must(t, err)
	if diff := cmp.Diff(cells, after); diff != "" || count != 4 {
		t.Errorf("the totals changed: %s", diff)
	}
	if diff := cmp.Diff(aggregatetest.Plain(all), cells); diff != "" {
		t.Error(diff)
	}
}

func TestAggregationJobSteps(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	taps := &tap{Peer: n.peer}
	n.Peer = taps
	n.run(3)
	_, _, err := n.Finish()
	must(t, err)
	at := n.peerURL("/aggregation_jobs/" + dap.AggregationJobID(dap.JobID(taps.job)).String())
	for query, want := range map[string]dap.ProblemType{
		"": dap.ProblemInvalidMessage, "?step=": dap.ProblemInvalidMessage, "?step=-1": dap.ProblemInvalidMessage,
		"?step=x": dap.ProblemInvalidMessage, "?step=1": dap.ProblemStepMismatch, "?step=65536": dap.ProblemInvalidMessage,
	} {
		got, err := n.raw(exchange{method: "GET", url: at + query, cert: &n.leaderCert})
		must(t, err)
		wantProblem(t, "GET "+query, got, http.StatusBadRequest, want)
	}
	body, err := dap.Encode(dap.Variant18, dap.AggregationJobContinueReq{Step: 1, VerifyContinues: []dap.VerifyContinue{{Payload: []byte{1}}}})
	must(t, err)
	wantProblem(t, "continuation", n.post(at, dap.MediaAggregationJobContinueReq, body, &n.leaderCert), http.StatusBadRequest, dap.ProblemInvalidMessage)
}

// peerURL returns the URL of a resource of the task at the Helper.
func (n *network) peerURL(path string) string {
	return strings.TrimSuffix(string(n.helperURL), "/") + "/tasks/" + n.Task().ID.String() + path
}

// TestCollectionHappensOnce: another query than the first is refused for good.
func TestCollectionHappensOnce(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 4})
	n.run(4)
	_, _, err := n.Finish()
	must(t, err)
	at := strings.TrimSuffix(string(n.leaderURL), "/") + "/tasks/" + n.Task().ID.String() + "/collection_jobs"
	interval := n.Task().Interval
	interval.Duration--
	part, _ := n.CollectionRequest(interval)
	wantProblem(t, "a part of the interval", n.post(at, dap.MediaCollectionJobReq, part, &n.coordinatorCert), http.StatusBadRequest, dap.ProblemBatchInvalid)

	share := func(change func(*dap.AggregateShareReq)) []byte {
		query, err := dap.NewTimeIntervalQuery(n.Task().Interval)
		must(t, err)
		req := dap.AggregateShareReq{CollectionJobReq: dap.CollectionJobReq{Query: query}, BatchSelector: dap.BatchSelector(query), ReportCount: 4}
		change(&req)
		b, err := dap.Encode(dap.Variant18, req)
		must(t, err)
		return b
	}
	got := n.post(n.peerURL("/aggregate_shares"), dap.MediaAggregateShareReq, share(func(r *dap.AggregateShareReq) { r.ReportCount = 3 }), &n.leaderCert)
	wantProblem(t, "a second share", got, http.StatusConflict, dap.ProblemBatchOverlap)
	got = n.post(n.peerURL("/aggregate_shares"), dap.MediaAggregateShareReq, share(func(r *dap.AggregateShareReq) { r.CollectionJobReq.AggParam = []byte{1} }), &n.leaderCert)
	wantProblem(t, "an aggregation parameter", got, http.StatusBadRequest, dap.ProblemInvalidMessage)
	query, err := dap.NewTimeIntervalQuery(n.Task().Interval)
	must(t, err)
	withParameter, err := dap.Encode(dap.Variant18, dap.CollectionJobReq{Query: query, AggParam: []byte{1}})
	must(t, err)
	wantProblem(t, "one of a collection", n.post(at, dap.MediaCollectionJobReq, withParameter, &n.coordinatorCert), http.StatusBadRequest, dap.ProblemInvalidAggregationParameter)
	got = n.post(n.peerURL("/aggregate_shares"), dap.MediaAggregateShareReq, share(func(r *dap.AggregateShareReq) {
		r.CollectionJobReq.Extensions = []dap.Extension{{Type: 7}}
	}), &n.leaderCert)
	wantProblem(t, "an extension", got, http.StatusBadRequest, dap.ProblemUnsupportedExtension)
}

// TestUploadErrors: what the Leader does not take comes back as UploadErrors
// with status 200.
func TestUploadErrors(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	good := n.Seal(aggregatetest.Member(0), 1, aggregatetest.Answers(0)).Report
	bad := n.Seal(aggregatetest.Member(1), 1, aggregatetest.Answers(1)).Report
	bad.LeaderEncryptedInputShare.ConfigID = 99
	body, err := dap.Encode(dap.Variant18, dap.UploadRequest{Reports: []dap.Report{good, bad}})
	must(t, err)
	at := strings.TrimSuffix(string(n.leaderURL), "/") + "/tasks/" + n.Task().ID.String() + "/reports"
	got := n.post(at, dap.MediaUploadRequest, body, nil)
	failed, err := dap.Decode[dap.UploadErrors](dap.Variant18, got.body)
	must(t, err)
	if got.status != 200 || got.header.Get("Content-Type") != string(dap.MediaUploadErrors) || len(failed.Status) != 1 ||
		failed.Status[0].ID != bad.ReportMetadata.ReportID || failed.Status[0].Error != dap.OutdatedConfig {
		t.Errorf("got %d %v %v", got.status, got.header, failed)
	}
	body, err = dap.Encode(dap.Variant18, dap.UploadRequest{Reports: []dap.Report{good}})
	must(t, err)
	for range 2 { // the same report again is no error
		if got := n.post(at, dap.MediaUploadRequest, body, nil); got.status != 200 || len(got.body) > 0 || got.header.Get("Content-Type") != "" {
			t.Errorf("got %d %v %q", got.status, got.header, got.body)
		}
	}
}

// TestExtensions: what is not known is named, and a list that is out of order
// has the problem that the draft gives it, which is not the same everywhere.
func TestExtensions(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	taps := &tap{Peer: n.peer}
	n.Peer = taps
	n.run(3)
	_, _, err := n.Finish()
	must(t, err)
	// Each list is the two bytes of its length; these two are 7 before 3 and 7.
	disorder := []byte{0, 8, 0, 7, 0, 0, 0, 3, 0, 0}
	unknown := []byte{0, 4, 0, 7, 0, 0}
	collection, _ := n.CollectionRequest(n.Task().Interval)
	spliced := func(message []byte, at int, list []byte) []byte {
		if !bytes.Equal(message[at:at+2], []byte{0, 0}) {
			t.Fatalf("no empty list at byte %d", at)
		}
		return slices.Concat(message[:at], list, message[at+2:])
	}
	jobs, shares := n.peerURL("/aggregation_jobs"), n.peerURL("/aggregate_shares")
	collections := strings.TrimSuffix(string(n.leaderURL), "/") + "/tasks/" + n.Task().ID.String() + "/collection_jobs"
	end := len(collection) - 2 // the list is the last field of the request
	for _, row := range []struct {
		name, url string
		media     dap.MediaType
		body      []byte
		cert      *tls.Certificate
		want      dap.ProblemType
	}{
		{"aggregation job, unknown", jobs, dap.MediaAggregationJobInitReq, spliced(taps.job, 5, unknown), &n.leaderCert, dap.ProblemUnsupportedExtension},
		{"aggregation job, disorder", jobs, dap.MediaAggregationJobInitReq, spliced(taps.job, 5, disorder), &n.leaderCert, dap.ProblemInvalidMessage},
		{"collection job, unknown", collections, dap.MediaCollectionJobReq, spliced(collection, end, unknown), &n.coordinatorCert, dap.ProblemUnsupportedExtension},
		{"collection job, disorder", collections, dap.MediaCollectionJobReq, spliced(collection, end, disorder), &n.coordinatorCert, dap.ProblemInvalidExtension},
		{"aggregate share, unknown", shares, dap.MediaAggregateShareReq, spliced(taps.share, end, unknown), &n.leaderCert, dap.ProblemUnsupportedExtension},
		{"aggregate share, disorder", shares, dap.MediaAggregateShareReq, spliced(taps.share, end, disorder), &n.leaderCert, dap.ProblemInvalidExtension},
	} {
		p := wantProblem(t, row.name, n.post(row.url, row.media, row.body, row.cert), http.StatusBadRequest, row.want)
		if named := slices.Equal(p.UnsupportedExtensions, []dap.ExtensionType{7}); named != (row.want == dap.ProblemUnsupportedExtension) {
			t.Errorf("%s: unsupported_extensions %v", row.name, p.UnsupportedExtensions)
		}
	}
}

// stuck is a Helper whose aggregate share takes its time.
type stuck struct {
	aggregate.Peer
	asked, open chan struct{}
}

func (p *stuck) AggregateShare(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	close(p.asked)
	<-p.open
	return p.Peer.AggregateShare(ctx, task, body)
}

// TestCollectionUnderWay: who asks for a collection that is still being worked
// on is told so as DAP has it, and gets the answer once there is one.
func TestCollectionUnderWay(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	n.run(3)
	n.Now.Store(aggregatetest.Deadline)
	_, err := n.Leader.Freeze(t.Context())
	must(t, err)
	must(t, n.Leader.Aggregate(t.Context()))
	p := &stuck{Peer: n.peer, asked: make(chan struct{}), open: make(chan struct{})}
	n.Peer = p
	body, _ := n.CollectionRequest(n.Task().Interval)
	path := "/leader/tasks/" + n.Task().ID.String() + "/collection_jobs/" + dap.CollectionJobID(dap.JobID(body)).String()
	at := strings.TrimSuffix(string(n.leaderURL), "/leader") + path
	answered := make(chan []byte, 1)
	go func() {
		answer, err := n.coordinator.CollectionJob(t.Context(), n.Task().ID, body)
		if err != nil {
			t.Error(err)
		}
		answered <- answer
	}()
	<-p.asked
	got, err := n.raw(exchange{method: "GET", url: at, cert: &n.coordinatorCert})
	must(t, err)
	if got.status != http.StatusAccepted || len(got.body) > 0 || got.header.Get("Retry-After") == "" || got.header.Get("Location") != path {
		t.Errorf("under way: %d %v %q", got.status, got.header, got.body)
	}
	close(p.open)
	answer := <-answered
	got, err = n.raw(exchange{method: "GET", url: at, cert: &n.coordinatorCert})
	must(t, err)
	if got.status != http.StatusOK || !bytes.Equal(got.body, answer) || len(answer) == 0 {
		t.Errorf("done: %d, %d bytes, want %d", got.status, len(got.body), len(answer))
	}
}
