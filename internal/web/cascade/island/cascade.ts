// The one script of these pages: it shows how far a run is without a reload, and
// draws the graph. Without it the same pages say the same, in words and tables.
// All words come from the server.

/** What the server says of a run; see type nowView in page_run.go. */
interface Now {
  over: boolean;
  percent: number;
  text: string;
}

const pause = 400;

class Working extends HTMLElement {
  private timer = 0;

  connectedCallback(): void {
    this.timer = window.setTimeout(() => this.ask(), pause);
  }

  disconnectedCallback(): void {
    clearTimeout(this.timer);
  }

  private async ask(): Promise<void> {
    try {
      const answer = await fetch(this.dataset.now ?? "", { headers: { Accept: "application/json" } });
      if (answer.ok) {
        const now = (await answer.json()) as Now;
        const bar = this.querySelector("progress");
        const text = this.querySelector("[data-text]");
        if (bar) bar.value = now.percent;
        if (text && text.textContent !== now.text) text.textContent = now.text;
        if (now.over) {
          location.reload();
          return;
        }
      }
    } catch {
      // The server is away; the next question tells.
    }
    this.timer = window.setTimeout(() => this.ask(), pause);
  }
}

/** Nodes and edges; see type graphData in page_graph.go. */
interface GraphNode {
  id: string;
  label: string;
  size: number;
  class: string;
  open: boolean;
  href: string;
}

interface GraphData {
  nodes: GraphNode[];
  edges: { from: string; to: string; weight: number }[];
}

type Point = { x: number; y: number };

class Picture extends HTMLElement {
  private graph: { destroy(): void } | null = null;

  async connectedCallback(): Promise<void> {
    const module = this.dataset.module;
    const address = this.dataset.data;
    if (!module || !address) return;
    const [library, answer] = await Promise.all([import(module), fetch(address)]);
    if (!answer.ok) return;
    const data = (await answer.json()) as GraphData;
    let drawn = 0; // how wide it was
    new ResizeObserver(() => {
      const width = this.clientWidth;
      if (width === drawn) return;
      drawn = width;
      this.draw(library.default, data, width);
    }).observe(this);
  }

  // place sets parts of an opened group in rows in the middle, groups around them.
  private place(nodes: GraphNode[], width: number): { at: Map<string, Point>; height: number } {
    const at = new Map<string, Point>();
    const rows = (list: GraphNode[], top: number): number => {
      const columns = Math.max(2, Math.floor(width / 128));
      const used = Math.min(columns, list.length);
      list.forEach((n, i) => {
        const row = Math.floor(i / columns);
        const shift = row % 2 ? width / used / 4 : -width / used / 4;
        at.set(n.id, { x: (width * ((i % columns) + 0.5)) / used + (list.length > columns ? shift / 2 : 0), y: top + 44 + row * 82 });
      });
      return top + Math.ceil(list.length / columns) * 82 + 24;
    };
    const inside = nodes.filter((n) => n.open);
    const outside = nodes.filter((n) => !n.open);
    if (inside.length === 0 && outside.length <= 12) {
      const height = Math.min(560, Math.max(360, width * 0.62));
      outside.forEach((n, i) => {
        const turn = (2 * Math.PI * i) / outside.length - Math.PI / 2;
        at.set(n.id, { x: width / 2 + Math.cos(turn) * (width / 2 - 90), y: height / 2 - 6 + Math.sin(turn) * (height / 2 - 50) });
      });
      return { at, height };
    }
    if (inside.length === 0) return { at, height: rows(outside, 0) };
    const half = Math.ceil(outside.length / 2);
    let bottom = rows(outside.slice(0, half), 0);
    bottom = rows(inside, bottom + 20);
    return { at, height: rows(outside.slice(half), bottom + 20) };
  }

  // draw draws the graph as wide as there is room; where there is too little, the
  // table says it alone.
  private draw(cytoscape: (options: object) => any, data: GraphData, width: number): void {
    const { at, height } = this.place(data.nodes, width);
    const canvas = this.querySelector<HTMLElement>("[data-canvas]");
    this.graph?.destroy();
    this.graph = null;
    this.classList.toggle("drawn", width >= 300);
    if (!canvas || width < 300) return;
    canvas.style.height = `${height}px`;
    const style = getComputedStyle(this);
    const color = (name: string) => style.getPropertyValue(name).trim();
    const most = Math.max(1, ...data.edges.map((e) => e.weight));
    const font = style.fontFamily;
    const graph = cytoscape({
      container: canvas,
      elements: [
        ...data.nodes.map((n) => ({ data: { id: n.id, label: n.label, href: n.href, width: 16 + 8 * Math.log2(1 + n.size) }, position: at.get(n.id), classes: `${n.class} ${n.open ? "open" : ""}` })),
        ...data.edges.map((e) => ({ data: { source: e.from, target: e.to, width: 0.75 + (4.5 * e.weight) / most } })),
      ],
      layout: { name: "preset" },
      userZoomingEnabled: false,
      userPanningEnabled: false,
      boxSelectionEnabled: false,
      autoungrabify: true,
      style: [
        { selector: "node", style: { label: "data(label)", width: "data(width)", height: "data(width)", "background-color": color("--surface"), "border-width": 2, "border-color": color("--edge"), color: color("--ink"), "font-family": font, "font-size": 12, "font-weight": 500, "text-valign": "bottom", "text-margin-y": 5, "text-wrap": "wrap", "text-max-width": "118px", "text-background-color": color("--paper"), "text-background-opacity": 0.85, "text-background-padding": "1px" } },
        { selector: "node.f1", style: { "background-color": color("--f1") } },
        { selector: "node.f2", style: { "background-color": color("--f2") } },
        { selector: "node.f3", style: { "background-color": color("--f3") } },
        { selector: "node.open", style: { shape: "round-rectangle", "border-color": color("--ink") } },
        { selector: "edge", style: { width: "data(width)", "line-color": color("--edge"), "line-opacity": data.edges.length > 120 ? 0.16 : 0.4, "curve-style": "bezier", "target-arrow-shape": "triangle", "target-arrow-color": color("--edge"), "arrow-scale": 0.8 } },
        { selector: "edge.near", style: { "line-color": color("--accent"), "target-arrow-color": color("--accent"), "line-opacity": 0.9, "z-index": 9 } },
        { selector: ".away", style: { opacity: 0.18 } },
      ],
    });
    this.graph = graph;
    const show = (node: any) => {
      const near = node.closedNeighborhood();
      graph.elements().removeClass("near").addClass("away");
      near.removeClass("away");
      node.connectedEdges().addClass("near");
    };
    graph.on("mouseover", "node", (e: any) => {
      canvas.classList.add("over");
      show(e.target);
    });
    graph.on("mouseout", "node", () => {
      canvas.classList.remove("over");
      graph.elements().removeClass("near away");
    });
    graph.on("tap", "node", (e: any) => {
      location.href = e.target.data("href");
    });
  }
}

customElements.define("muster-working", Working);
customElements.define("muster-graph", Picture);
