package daphttp_test

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"muster/dap"
	"muster/internal/daphttp"
)

const mediaJSON = "application/json"

// resource is one row of the table of contents, written down a second time.
type resource struct {
	host    string // "leader" or "helper"
	path    string
	methods map[string]taken
	who     string // "", "leader", "helper" or "coordinator"
}

// taken is what a method takes.
type taken struct {
	media dap.MediaType
	limit int64
	who   string // where it is not the resource's
}

// resources is what a network serves, from the draft's "HTTP Resources
// Reference" and docs/spec/receipts.md.
var resources = []resource{
	{"leader", "/hpke_config", map[string]taken{"GET": {}}, ""},
	{"leader", "/tasks/TASK/reports", map[string]taken{"POST": {media: dap.MediaUploadRequest, limit: 1 << 20}}, ""},
	{"leader", "/tasks/TASK/receipts", map[string]taken{"POST": {media: mediaJSON, limit: 32 << 10}}, ""},
	{"leader", "/tasks/TASK/addenda", map[string]taken{"POST": {media: mediaJSON, limit: 64 << 10}, "GET": {who: "coordinator"}}, ""},
	{"leader", "/tasks/TASK/receipts/ID", map[string]taken{"GET": {}}, "helper"},
	{"leader", "/tasks/TASK/roster", map[string]taken{"GET": {}}, "coordinator"},
	{"leader", "/tasks/TASK/standing", map[string]taken{"GET": {}}, "coordinator"},
	{"leader", "/tasks/TASK/collection_jobs", map[string]taken{"POST": {media: dap.MediaCollectionJobReq, limit: 1 << 20}}, "coordinator"},
	{"leader", "/tasks/TASK/collection_jobs/ID", map[string]taken{"GET": {}, "DELETE": {}}, "coordinator"},
	{"helper", "/hpke_config", map[string]taken{"GET": {}}, ""},
	{"helper", "/tasks/TASK/receipts", map[string]taken{"POST": {media: mediaJSON, limit: 32 << 10}}, ""},
	{"helper", "/tasks/TASK/addenda", map[string]taken{"POST": {media: mediaJSON, limit: 64 << 10}, "GET": {who: "coordinator"}}, ""},
	{"helper", "/tasks/TASK/receipts/ID", map[string]taken{"GET": {}}, "leader"},
	{"helper", "/tasks/TASK/standing", map[string]taken{"GET": {who: "coordinator"}}, "leader"},
	{"helper", "/tasks/TASK/roster", map[string]taken{"POST": {media: mediaJSON, limit: 8 << 20}, "GET": {who: "coordinator"}}, "leader"},
	{"helper", "/tasks/TASK/amendments", map[string]taken{"POST": {media: mediaJSON, limit: 8 << 20}}, "leader"},
	{"helper", "/tasks/TASK/aggregation_jobs", map[string]taken{"POST": {media: dap.MediaAggregationJobInitReq, limit: 16 << 20}}, "leader"},
	{"helper", "/tasks/TASK/aggregation_jobs/ID", map[string]taken{
		"POST": {media: dap.MediaAggregationJobContinueReq, limit: 16 << 20}, "GET": {}, "DELETE": {},
	}, "leader"},
	{"helper", "/tasks/TASK/aggregate_shares", map[string]taken{"POST": {media: dap.MediaAggregateShareReq, limit: 2 << 20}}, "leader"},
	{"helper", "/tasks/TASK/aggregate_shares/ID", map[string]taken{"GET": {}, "DELETE": {}}, "leader"},
}

// url returns where the resource is.
func (n *network) url(r resource) string {
	base := n.leaderURL
	if r.host == "helper" {
		base = n.helperURL
	}
	path := strings.NewReplacer("TASK", n.Task().ID.String(), "ID", dap.AggregationJobID{1, 2, 3}.String()).Replace(r.path)
	return strings.TrimSuffix(string(base), "/") + path
}

// cert returns the certificate of whom the resource is for.
func (n *network) cert(who string) *tls.Certificate {
	return map[string]*tls.Certificate{"leader": &n.leaderCert, "helper": &n.helperCert, "coordinator": &n.coordinatorCert}[who]
}

// wantProblem checks that a response is a problem document for this status.
func wantProblem(t *testing.T, name string, got response, status int, problem dap.ProblemType) *dap.Problem {
	t.Helper()
	if got.status != status {
		t.Errorf("%s: status %d, want %d: %s", name, got.status, status, got.body)
	}
	if ct := got.header.Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("%s: Content-Type %q", name, ct)
	}
	p, err := dap.ParseProblem(got.body)
	if err != nil {
		t.Fatalf("%s: %v in %q", name, err, got.body)
	}
	if p.Type != problem || p.Status != status {
		t.Errorf("%s: problem %s with status %d, want %s", name, p.Type, p.Status, problem)
	}
	return p
}

func TestEveryRouteRefuses(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	for _, r := range resources {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"} {
			want, allowed := r.methods[method]
			if method == "HEAD" {
				_, allowed = r.methods["GET"]
			}
			name := method + " " + r.host + r.path
			ask := func(cert *tls.Certificate, header http.Header, body io.Reader) response {
				t.Helper()
				got, err := n.raw(exchange{method: method, url: n.url(r), header: header, body: body, cert: cert})
				must(t, err)
				return got
			}
			if !allowed {
				got := ask(n.cert(r.who), nil, nil)
				if method == "HEAD" { // has no body
					if got.status != http.StatusMethodNotAllowed {
						t.Errorf("%s: status %d", name, got.status)
					}
					continue
				}
				wantProblem(t, name, got, http.StatusMethodNotAllowed, dap.ProblemBlank)
				var methods []string
				for m := range r.methods {
					methods = append(methods, m)
				}
				slices.Sort(methods)
				if allow := got.header.Get("Allow"); allow != strings.Join(methods, ", ") {
					t.Errorf("%s: Allow %q", name, allow)
				}
				continue
			}
			whose := cmp.Or(r.who, want.who)
			if method == "HEAD" {
				whose = cmp.Or(r.who, r.methods["GET"].who)
			}
			if whose != "" {
				got := ask(nil, nil, nil)
				if method != "HEAD" {
					p := wantProblem(t, name+" without a certificate", got, http.StatusForbidden, dap.ProblemBlank)
					if p.TaskID == nil || *p.TaskID != n.Task().ID {
						t.Errorf("%s: the problem names the task %v", name, p.TaskID)
					}
				}
			}
			if want.media == "" {
				continue
			}
			typed := func(media string) http.Header { return http.Header{"Content-Type": {media}} }
			for _, media := range []string{"", "text/plain", "application/ppm-dap", "application/ppm-dap;message=hpke-config-list", string(want.media) + ";charset=utf-8;x=\"", "application/octet-stream"} {
				wantProblem(t, name+" with media type "+media, ask(n.cert(r.who), typed(media), strings.NewReader("x")), http.StatusUnsupportedMediaType, dap.ProblemBlank)
			}
			compressed := typed(string(want.media))
			compressed.Set("Content-Encoding", "gzip")
			wantProblem(t, name+" compressed", ask(n.cert(r.who), compressed, strings.NewReader("x")), http.StatusUnsupportedMediaType, dap.ProblemBlank)

			// One byte too many, announced and not announced.
			large := bytes.Repeat([]byte{'x'}, int(want.limit)+1)
			wantProblem(t, name+" oversize", ask(n.cert(r.who), typed(string(want.media)), bytes.NewReader(large)), http.StatusRequestEntityTooLarge, dap.ProblemBlank)
			got, err := n.raw(exchange{method: method, url: n.url(r), header: typed(string(want.media)), cert: n.cert(r.who), body: io.MultiReader(bytes.NewReader(large))})
			if err != nil {
				t.Errorf("%s oversize, in chunks: %v", name, err)
			} else {
				wantProblem(t, name+" oversize, in chunks", got, http.StatusRequestEntityTooLarge, dap.ProblemBlank)
			}

			// Not a message of that type. Only a continuation is refused before,
			// because there is no such job.
			got = ask(n.cert(r.who), typed(string(want.media)), strings.NewReader("{\"x"))
			switch {
			case strings.HasSuffix(r.path, "aggregation_jobs/ID"):
				wantProblem(t, name+" truncated", got, http.StatusNotFound, dap.ProblemUnrecognizedAggregationJob)
			case want.media == mediaJSON:
				wantProblem(t, name+" truncated", got, http.StatusBadRequest, dap.ProblemBlank)
			default:
				wantProblem(t, name+" truncated", got, http.StatusBadRequest, dap.ProblemInvalidMessage)
			}
		}
		if strings.Contains(r.path, "TASK") {
			for _, task := range []string{dap.TaskID{9}.String(), "AAAA", "%2e%2e", n.Task().ID.String() + "="} {
				for method := range r.methods {
					u := strings.Replace(n.url(r), n.Task().ID.String(), task, 1)
					got, err := n.raw(exchange{method: method, url: u, cert: n.cert(cmp.Or(r.who, r.methods[method].who))})
					must(t, err)
					if task == "%2e%2e" { // leaves the tasks altogether
						wantProblem(t, method+" "+u, got, http.StatusNotFound, dap.ProblemBlank)
						continue
					}
					wantProblem(t, method+" "+u, got, http.StatusBadRequest, dap.ProblemUnrecognizedTask)
				}
			}
		}
		if strings.HasSuffix(r.path, "/ID") {
			for method := range r.methods {
				if method == "POST" {
					continue
				}
				problem := dap.ProblemBlank
				if strings.Contains(r.path, "aggregation_jobs") {
					problem = dap.ProblemUnrecognizedAggregationJob
				}
				u := n.url(r)
				if problem != dap.ProblemBlank {
					u += "?step=0"
				}
				got, err := n.raw(exchange{method: method, url: u, cert: n.cert(r.who)})
				must(t, err)
				wantProblem(t, method+" "+r.path+" of nothing", got, http.StatusNotFound, problem)
			}
		}
	}
}

func TestNoOtherResources(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	leader, helper := strings.TrimSuffix(string(n.leaderURL), "/"), strings.TrimSuffix(string(n.helperURL), "/")
	for _, u := range []string{
		leader, leader + "/", leader + "/hpke_config/", leader + "//hpke_config", leader + "/x/../hpke_config",
		leader + "/tasks/" + n.Task().ID.String(), leader + "/tasks/" + n.Task().ID.String() + "/amendments",
		leader + "/tasks/" + n.Task().ID.String() + "/aggregation_jobs", helper + "/tasks/" + n.Task().ID.String() + "/reports",
		helper + "/tasks/" + n.Task().ID.String() + "/collection_jobs", strings.TrimSuffix(leader, "/leader") + "/hpke_config",
	} {
		got, err := n.raw(exchange{method: "GET", url: u, cert: &n.leaderCert})
		if strings.HasPrefix(u, leader) || strings.HasSuffix(u, "/hpke_config") {
			got, err = n.raw(exchange{method: "GET", url: u})
		}
		must(t, err)
		wantProblem(t, u, got, http.StatusNotFound, dap.ProblemBlank)
	}
}

func TestHpkeConfig(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	for i, u := range []string{string(n.leaderURL) + "/hpke_config", string(n.helperURL) + "hpke_config"} {
		got, err := n.raw(exchange{method: "GET", url: u})
		must(t, err)
		want := [...]dap.HpkeConfigList{n.Task().LeaderHPKE, n.Task().HelperHPKE}[i]
		b, err := want.MarshalBinary()
		must(t, err)
		if got.status != 200 || !bytes.Equal(got.body, b) || got.header.Get("Content-Type") != "application/ppm-dap;message=hpke-config-list" || got.header.Get("Cache-Control") != "max-age=259200" {
			t.Errorf("%s: %d %v", u, got.status, got.header)
		}
	}
	list, err := n.member.HpkeConfigs(t.Context())
	must(t, err)
	if len(list) != 1 || list[0].ID != n.Task().LeaderHPKE[0].ID {
		t.Errorf("got %v", list)
	}
	if _, err = n.memberAt.HpkeConfigs(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestNewSurfaceRefuses(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	list := n.Task().LeaderHPKE
	for _, row := range []struct {
		name string
		cfg  daphttp.LeaderConfig
	}{
		{"no endpoint", daphttp.LeaderConfig{Config: daphttp.Config{HPKE: list}}},
		{"http", daphttp.LeaderConfig{Config: daphttp.Config{Endpoint: "http://a.example/", HPKE: list}}},
		{"a query", daphttp.LeaderConfig{Config: daphttp.Config{Endpoint: "https://a.example/?x", HPKE: list}}},
		{"a path with braces", daphttp.LeaderConfig{Config: daphttp.Config{Endpoint: "https://a.example/{x}", HPKE: list}}},
		{"a path that leads up", daphttp.LeaderConfig{Config: daphttp.Config{Endpoint: "https://a.example/x/..", HPKE: list}}},
		{"a user", daphttp.LeaderConfig{Config: daphttp.Config{Endpoint: "https://u@a.example/", HPKE: list}}},
		{"no HPKE keys", daphttp.LeaderConfig{Config: daphttp.Config{Endpoint: "https://a.example/"}}},
		{"no pin", daphttp.LeaderConfig{
			Config: daphttp.Config{Endpoint: "https://a.example/", HPKE: list},
			Tasks:  map[dap.TaskID]daphttp.LeaderTask{n.Task().ID: {Leader: n.Leader}},
		}},
	} {
		if _, err := daphttp.NewLeader(row.cfg); err == nil {
			t.Errorf("%s: accepted", row.name)
		}
	}
	for _, s := range []string{"", "00", strings.Repeat("0", 63) + "g", strings.Repeat("A", 64)} {
		if _, err := daphttp.ParsePin(s); err == nil {
			t.Errorf("pin %q: accepted", s)
		}
	}
}
