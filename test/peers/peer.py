"""One peer computes a cascade: python3 peer.py NAME SECONDS <graph.json

The graph has "hits", a probability for each service, "weights", and "edges", each
[supplier, service, probability]. A service falls if it is hit or if one that it
requires has fallen and that dependency binds, drawn once a trial. Prints JSON."""

import json
import math
import random
import sys
import time


def with_networkx(graph):
    import networkx

    g = networkx.DiGraph()
    g.add_nodes_from(range(len(graph["hits"])))
    g.add_weighted_edges_from(graph["edges"])
    hits = graph["hits"]

    def trial():
        fallen = {v for v, h in enumerate(hits) if random.random() < h}
        todo = list(fallen)
        while todo:
            u = todo.pop()
            for v, edge in g.adj[u].items():
                if v not in fallen and random.random() < edge["weight"]:
                    fallen.add(v)
                    todo.append(v)
        return fallen

    return networkx.__version__, trial


def with_igraph(graph):
    import igraph

    hits, edges = graph["hits"], graph["edges"]
    n = len(hits)

    def trial():
        bound = [(u, v) for u, v, p in edges if random.random() < p]
        source = [(n, v) for v, h in enumerate(hits) if random.random() < h]
        g = igraph.Graph(n + 1, bound + source, directed=True)
        return [v for v in g.subcomponent(n, mode="out") if v != n]

    return igraph.__version__, trial


def with_graph_tool(graph):
    import graph_tool
    from graph_tool.dynamics import SIRState

    hits = graph["hits"]
    n = len(hits)
    g = graph_tool.Graph(directed=True)
    g.add_vertex(n)
    chance = g.new_ep("double")
    g.add_edge_list(graph["edges"], eprops=[chance])
    graph_tool.seed_rng(1)

    def trial():
        s = g.new_vp("int")
        infected = [v for v, h in enumerate(hits) if random.random() < h]
        for v in infected:
            s.a[v] = 1
        state = SIRState(g, beta=chance, gamma=1, s=s, constant_beta=False)
        while (state.get_state().a == 1).any():
            state.iterate_sync()
        return [int(v) for v in (state.get_state().a != 0).nonzero()[0]]

    return graph_tool.__version__.split()[0], trial


def main():
    peers = {"networkx": with_networkx, "igraph": with_igraph, "graph-tool": with_graph_tool}
    graph = json.load(sys.stdin)
    try:
        version, trial = peers[sys.argv[1]](graph)
    except ImportError as e:
        print(json.dumps({"absent": str(e)}))
        return
    random.seed(1)
    weights = graph["weights"]
    total = sum(weights)
    trials, first, squares = 0, 0.0, 0.0
    begin = time.process_time()
    while time.process_time() - begin < float(sys.argv[2]):
        lost = sum(weights[v] for v in trial()) / total
        trials += 1
        first += lost
        squares += lost * lost
    seconds = time.process_time() - begin
    mean = first / trials
    error = math.sqrt(max(0.0, squares / trials - mean * mean) / trials)
    print(json.dumps({"version": version, "trials": trials, "seconds": seconds, "mean": mean, "error": error}))


main()
