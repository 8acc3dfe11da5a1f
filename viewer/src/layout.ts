// Where seats stand on the stage: a ring for complete graphs, else forces, which are deterministic.

import { forceCenter, forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } from "d3-force";
import type { GraphData } from "./data.js";

export interface Spot {
  index?: number;
  x: number;
  y: number;
}

const RING = 64;

export interface Layout {
  spots: Spot[];
  /** Undirected or directed pairs to draw. */
  edges: [number, number][];
  /** Moves the layout on for some milliseconds; false once it rests. */
  settle: (milliseconds: number) => boolean;
}

/** Lays out the seats of the graph, then any others (the planner) above them. */
export function layOut(graph: GraphData, n: number): Layout {
  const inGraph = graph.seats.length;
  const spots: Spot[] = Array.from({ length: n }, (_, i) => sunflower(i));
  let settle = (_: number) => false;
  let edges = graph.edges;
  if (graph.complete && inGraph <= RING) {
    const radius = Math.max(70, inGraph * 13);
    for (let i = 0; i < inGraph; i++) spots[i] = around(i, inGraph, radius);
    edges = [];
    for (let i = 0; i < inGraph; i++) for (let k = i + 1; k < inGraph; k++) edges.push([i, k]);
  } else if (!graph.complete && edges.length) {
    for (let i = 0; i < inGraph; i++) spots[i] = around(i, inGraph, Math.max(60, 6 * inGraph ** 0.8));
    settle = forces(spots, inGraph, edges);
  }
  const place = () => placeOthers(spots, inGraph);
  place();
  return {
    spots,
    edges,
    settle: (milliseconds) => {
      const goesOn = settle(milliseconds);
      place();
      return goesOn;
    },
  };
}

function forces(spots: Spot[], n: number, edges: [number, number][]): (milliseconds: number) => boolean {
  const degree = new Map<number, number>();
  for (const [u, v] of edges) for (const i of [u, v]) degree.set(i, (degree.get(i) ?? 0) + 1);
  const links = edges.map(([source, target]) => {
    const least = Math.min(degree.get(source) ?? 1, degree.get(target) ?? 1);
    return { source, target, pull: 1 / least };
  });
  const simulation = forceSimulation(spots.slice(0, n))
    .force("link", forceLink(links).distance(46).strength((link) => (link as { pull: number }).pull))
    .force("charge", forceManyBody().strength(-90).theta(n > 400 ? 1.1 : 0.9).distanceMax(700))
    .force("collide", forceCollide(15))
    .force("x", forceX(0).strength(0.03))
    .force("y", forceY(0).strength(0.04))
    .force("center", forceCenter(0, 0))
    .stop();
  return (milliseconds) => {
    const end = performance.now() + milliseconds;
    while (simulation.alpha() > simulation.alphaMin() && performance.now() < end) simulation.tick();
    return simulation.alpha() > simulation.alphaMin();
  };
}

function placeOthers(spots: Spot[], n: number): void {
  if (spots.length === n) return;
  let top = 0;
  for (const spot of spots.slice(0, n)) top = Math.min(top, spot.y);
  for (let i = n; i < spots.length; i++) {
    const spot = spots[i]!;
    spot.x = (i - n - (spots.length - n - 1) / 2) * 60;
    spot.y = top - 75;
  }
}

function around(i: number, n: number, radius: number): Spot {
  const angle = (i / n) * 2 * Math.PI - Math.PI / 2;
  return { x: Math.cos(angle) * radius, y: Math.sin(angle) * radius };
}

function sunflower(i: number): Spot {
  const angle = i * 2.399963229728653;
  const radius = 20 * Math.sqrt(i + 0.5);
  return { x: Math.cos(angle) * radius, y: Math.sin(angle) * radius };
}
