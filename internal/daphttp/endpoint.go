package daphttp

import (
	"net/url"
	"path"
	"strings"

	"muster/dap"
	"muster/internal/errs"
)

// parseEndpoint reads the base URL of a host's resources as the task
// configuration has it. The URL that is bound into the cryptography stays the
// bytes of the configuration; this is only about where to connect.
func parseEndpoint(endpoint dap.URL) (*url.URL, error) {
	refuse := func(cause error, what string) (*url.URL, error) {
		return nil, errs.Wrap(cause, errs.Invalid, "the endpoint "+errs.Quote(string(endpoint))+" "+what, "an endpoint reads https://host.example/path/")
	}
	u, err := url.Parse(string(endpoint))
	switch {
	case err != nil:
		return refuse(err, "is no URL")
	case u.Scheme != "https" || u.Hostname() == "":
		return refuse(nil, "is no https URL")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return refuse(nil, "has more than host and path")
	case u.RawPath != "" || strings.ContainsAny(u.Path, "{} "):
		return refuse(nil, "has characters in its path that need escaping")
	}
	if base := strings.TrimSuffix(u.Path, "/"); base != "" && path.Clean(base) != base {
		return refuse(nil, "has a path that is not in its shortest form")
	}
	return u, nil
}

// basePath returns the path to which resources are appended: without a slash
// at its end.
func basePath(u *url.URL) string { return strings.TrimSuffix(u.Path, "/") }

// The resources, relative to a host's endpoint. {task} and {id} are replaced by
// ids in unpadded base64url.
const (
	pathHpkeConfig      = "/hpke_config"
	pathReports         = "/tasks/{task}/reports"
	pathReceipts        = "/tasks/{task}/receipts"
	pathReceipt         = "/tasks/{task}/receipts/{id}"
	pathStanding        = "/tasks/{task}/standing"
	pathAddenda         = "/tasks/{task}/addenda"
	pathRoster          = "/tasks/{task}/roster"
	pathAmendments      = "/tasks/{task}/amendments"
	pathAggregationJobs = "/tasks/{task}/aggregation_jobs"
	pathAggregationJob  = "/tasks/{task}/aggregation_jobs/{id}"
	pathAggregateShares = "/tasks/{task}/aggregate_shares"
	pathAggregateShare  = "/tasks/{task}/aggregate_shares/{id}"
	pathCollectionJobs  = "/tasks/{task}/collection_jobs"
	pathCollectionJob   = "/tasks/{task}/collection_jobs/{id}"
)

// expand fills in the ids of a resource's path.
func expand(pattern string, task dap.TaskID, id string) string {
	return strings.NewReplacer("{task}", task.String(), "{id}", id).Replace(pattern)
}
