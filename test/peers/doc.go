// Package peers sets the cascade beside programs that others wrote: networkx, igraph
// and graph-tool compute the same cascade on the same graph, the share that they lose
// must be ours within three standard errors, and the rates stand beside each other.
//
//	go test -tags peers -v ./test/peers
//
// They are those of Debian (python3-networkx, python3-igraph, python3-graph-tool); one
// that is not there is skipped by name. Without the tag there is no test: what others
// wrote is no condition of a merge. make test-all sets it.
package peers
