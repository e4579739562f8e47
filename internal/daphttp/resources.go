package daphttp

import "muster/dap"

// A Resource is one method of what a host serves, as an accreditor or the
// administrator of a firewall wants to know it.
type Resource struct {
	Method string
	Path   string        // below the host's url; {task} and {id} stand for ids
	By     string        // who may use it: "anyone", or whose certificate is needed
	Media  dap.MediaType // of the body; empty if there is none
	Limit  int64         // of the body, in bytes
}

// LeaderResources returns everything that a Leader serves, in the order of its
// table of routes.
func LeaderResources() []Resource { return resources(leaderRoutes(nil)) }

// HelperResources returns everything that a Helper serves.
func HelperResources() []Resource { return resources(helperRoutes(nil)) }

func resources[H any](routes []route[H]) []Resource {
	list := make([]Resource, len(routes))
	for i, r := range routes {
		list[i] = Resource{Method: r.method, Path: r.path, By: r.who.String(), Media: r.body.media, Limit: r.body.limit}
	}
	return list
}
