// The graph as a stage, drawn on a canvas: seats, what they believe or know, and messages on their way.

import { quadtree, type Quadtree } from "d3-quadtree";
import { select } from "d3-selection";
import { zoom, zoomIdentity, type ZoomTransform } from "d3-zoom";
import "d3-transition";
import type { FactSpread, Plan } from "./data.js";
import { beliefColour, categoryColour, inkOn, shareColour, theme, GROUPS, type Theme } from "./colours.js";
import { layOut, type Layout } from "./layout.js";
import type { Rollout, States } from "./rollout.js";
import type { View } from "./view.js";

const TRAVEL_MS = 620;
const MOST_ARCS = 12000;
const DOT_AT = 0.62;

interface Arc {
  event: number;
  from: number;
  to: number;
  colour: string;
  /** Not along the graph: what the planner sets for all. */
  quiet: boolean;
}

export interface Under {
  seat: number | null;
  event: number | null;
}

export class Stage {
  readonly element: HTMLCanvasElement;
  private layout: Layout;
  private transform: ZoomTransform = zoomIdentity;
  private tree: Quadtree<number> | null = null;
  private edges = document.createElement("canvas");
  private edgesStale = true;
  private states: States | null = null;
  private arcs: Arc[] = [];
  /** Ways of messages in this step that were not drawn, because they are too many. */
  undrawn = 0;
  private rings: { event: number; from: number; colour: string }[] = [];
  private drops: { event: number; seat: number; colour: string }[] = [];
  private fails = new Set<number>();
  private began = -Infinity;
  private frame = 0;
  private width = 0;
  private height = 0;
  private settling = true;
  private fitted = false;
  private hover: Under = { seat: null, event: null };
  private plans: Plan[] = [];
  private spread: FactSpread | null = null;
  private met = new Map<number, number>();
  private acted = new Map<number, number>();
  private shapes: string[];
  private asked = 0;
  private zoomer = zoom<HTMLCanvasElement, unknown>().scaleExtent([0.05, 12]);

  constructor(
    private rollout: Rollout,
    private view: View,
    private onHover: (under: Under, x: number, y: number) => void,
    private covered: () => number,
  ) {
    this.element = document.createElement("canvas");
    this.element.className = "stage-canvas";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "img");
    this.element.setAttribute("aria-label", "The social graph: seats, and the messages of this step");
    this.layout = layOut(rollout.head.graph, rollout.columns.seats.length);
    this.shapes = [...new Set(rollout.head.graph.kinds)].sort();
    const small = rollout.columns.seats.length <= 300;
    this.settling = this.layout.settle(small ? 250 : 60);
    this.zoomer.on("zoom", (event: { transform: ZoomTransform; sourceEvent: unknown }) => {
      this.transform = event.transform;
      if (event.sourceEvent) this.fitted = true;
      this.edgesStale = true;
      this.redraw();
    });
    select(this.element).call(this.zoomer).on("dblclick.zoom", null);
    this.element.addEventListener("click", (event) => this.click(event));
    this.element.addEventListener("pointermove", (event) => this.move(event));
    this.element.addEventListener("pointerleave", () => this.leave());
    new ResizeObserver(() => this.resize()).observe(this.element);
    view.on((_, changed) => {
      if (changed.has("step") || changed.has("seat") || changed.has("asSeat")) void this.show(changed.has("step"));
      else this.redraw();
    });
    void this.show(false);
  }

  /** Kinds of agents, in the order of the shapes that stand for them. */
  get kinds(): string[] {
    return this.shapes;
  }

  /** The rollout has grown. */
  renew(): void {
    if (this.rollout.columns.seats.length !== this.layout.spots.length) {
      this.layout = layOut(this.rollout.head.graph, this.rollout.columns.seats.length);
      this.settling = true;
    }
    void this.show(false);
  }

  setSpread(spread: FactSpread | null): void {
    this.spread = spread;
    this.met.clear();
    for (const [seat, step] of spread?.met ?? []) this.met.set(seat, step);
    this.redraw();
  }

  /** Graphs the planner built; the one of the current round is drawn. */
  setPlans(plans: Plan[]): void {
    this.plans = plans;
    this.redraw();
  }

  /** Fits everything into the stage. */
  fit(animated = true): void {
    const spots = this.layout.spots;
    if (!spots.length || !this.width) return;
    const xs = spots.map((s) => s.x);
    const ys = spots.map((s) => s.y);
    const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const pad = this.width < 500 ? 38 : 62;
    const above = Math.max(pad, this.covered() + 38);
    const height = Math.max(this.height - above - pad, 60);
    const scale = Math.min((this.width - 2 * pad) / Math.max(x1 - x0, 60), height / Math.max(y1 - y0, 60), 3.2);
    const target = zoomIdentity
      .translate(this.width / 2, above + height / 2)
      .scale(scale)
      .translate(-(x0 + x1) / 2, -(y0 + y1) / 2);
    const self = select(this.element);
    if (animated) self.transition().duration(260).call(this.zoomer.transform, target);
    else self.call(this.zoomer.transform, target);
    this.fitted = false;
  }

  /** Fits the graph again, as when the legend has grown, unless somebody has moved it. */
  keepFit(): void {
    if (!this.fitted) this.fit(false);
  }

  redraw(): void {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.draw());
  }

  themed(): void {
    this.edgesStale = true;
    void this.show(false);
  }

  private async show(moves: boolean): Promise<void> {
    const { step, seat, asSeat } = this.view.now;
    const asked = ++this.asked;
    this.prepare(step);
    if (moves) this.began = performance.now();
    this.redraw();
    if (!this.rollout.steps) return;
    const states = await this.rollout.states(Math.min(step, this.rollout.steps - 1)).catch(() => null);
    if (asked !== this.asked) return;
    this.states = states;
    this.acted = asSeat && seat !== null ? this.actionsSeenBy(seat, step) : new Map();
    this.redraw();
  }

  /** Works out what moves in a step. */
  private prepare(step: number): void {
    const { rollout } = this;
    const { columns, first, group } = rollout;
    const colours = theme().groups;
    const watcher = this.view.now.asSeat ? this.view.now.seat : null;
    this.arcs = [];
    this.undrawn = 0;
    this.rings = [];
    this.drops = [];
    this.fails = new Set();
    for (let i = first[step] ?? 0; i < (first[step + 1] ?? 0); i++) {
      const name = GROUPS[group[i]!]!;
      const from = columns.seat[i]!;
      const colour = colours[name];
      if (name === "fail" && from >= 0 && watcher === null) this.fails.add(from);
      if (watcher !== null && !rollout.isVisible(i, watcher)) continue;
      if (name === "inner") continue;
      const hearers = rollout.hearers(i);
      if (from >= 0 && hearers.length) {
        if (hearers.length > 150 && hearers.length + this.arcs.length > 400) this.rings.push({ event: i, from, colour });
        else {
          for (const to of hearers) {
            if (this.arcs.length < MOST_ARCS) this.arcs.push({ event: i, from, to, colour, quiet: name === "plan" });
            else this.undrawn++;
          }
        }
      } else if (from >= 0 && name === "fact" && rollout.isVisible(i, from)) {
        this.drops.push({ event: i, seat: from, colour });
      }
    }
  }

  private actionsSeenBy(seat: number, step: number): Map<number, number> {
    const { columns, first } = this.rollout;
    const found = new Map<number, number>();
    const kind = columns.kinds.indexOf("action");
    const mask = this.rollout.mask(seat);
    for (let i = 0; i < (first[step + 1] ?? columns.n); i++) {
      if (columns.kind[i] === kind && mask[columns.audience[i]!]) found.set(columns.seat[i]!, i);
    }
    return found;
  }

  private resize(): void {
    const box = this.element.getBoundingClientRect();
    const ratio = window.devicePixelRatio || 1;
    const isFirst = !this.width;
    this.width = box.width;
    this.height = box.height;
    for (const canvas of [this.element, this.edges]) {
      canvas.width = Math.max(1, Math.round(box.width * ratio));
      canvas.height = Math.max(1, Math.round(box.height * ratio));
    }
    this.edgesStale = true;
    if (isFirst || !this.fitted) this.fit(false);
    this.draw();
  }

  private radius(): number {
    const n = this.layout.spots.length;
    const wanted = n <= 12 ? 17 : n <= 40 ? 13 : n <= 150 ? 9 : 6;
    return Math.min(26, Math.max(1.6, wanted * Math.min(this.transform.k, 1.6)));
  }

  private at(seat: number): [number, number] {
    const spot = this.layout.spots[seat]!;
    return this.transform.apply([spot.x, spot.y]);
  }

  private draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (this.settling) {
      this.settling = this.layout.settle(10);
      this.edgesStale = true;
      this.tree = null;
      this.keepFit();
    }
    const context = this.element.getContext("2d");
    if (!context || !this.width) return;
    const ratio = window.devicePixelRatio || 1;
    const t = theme();
    if (this.edgesStale) this.drawEdges(t, ratio);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.element.width, this.element.height);
    context.drawImage(this.edges, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const travel = TRAVEL_MS / Math.max(0.5, Math.min(this.view.now.speed, 8));
    const progress = Math.min(1, (performance.now() - this.began) / travel);
    const eased = 1 - (1 - progress) ** 3;
    this.drawSpread(context, t);
    this.drawPlan(context, t);
    this.drawArcs(context, eased);
    const crowded = this.arcs.length > 600;
    if (crowded) this.drawDots(context, t, eased);
    this.drawNodes(context, t);
    if (!crowded) this.drawDots(context, t, eased);
    this.drawDrops(context, t, eased);
    if (progress < 1 || this.settling) this.redraw();
  }

  private drawEdges(t: Theme, ratio: number): void {
    this.edgesStale = false;
    const context = this.edges.getContext("2d")!;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.edges.width, this.edges.height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { edges } = this.layout;
    context.strokeStyle = t.edge;
    context.globalAlpha = edges.length > 3000 ? 0.28 : edges.length > 400 ? 0.4 : this.rollout.head.graph.complete ? 0.35 : 0.75;
    context.lineWidth = edges.length > 1000 ? 0.6 : 1;
    context.beginPath();
    for (const [u, v] of edges) {
      const [x0, y0] = this.at(u);
      const [x1, y1] = this.at(v);
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
    }
    context.stroke();
    if (this.rollout.head.graph.directed && edges.length <= 600) this.drawHeads(context, t);
    context.globalAlpha = 1;
  }

  private drawHeads(context: CanvasRenderingContext2D, t: Theme): void {
    context.fillStyle = t.edge;
    for (const [u, v] of this.layout.edges) arrow(context, ...this.at(u), ...this.at(v), this.radius() + 3, 7);
  }

  /** The tree along which a fact came to each seat. */
  private drawSpread(context: CanvasRenderingContext2D, t: Theme): void {
    if (!this.spread) return;
    context.strokeStyle = t.groups.fact;
    context.lineWidth = 2;
    context.globalAlpha = 0.8;
    context.beginPath();
    for (const [seat, step, index] of this.spread.met) {
      const from = this.rollout.columns.seat[index]!;
      if (step > this.view.now.step || from < 0 || from === seat) continue;
      const [x0, y0] = this.at(from);
      const [x1, y1] = this.at(seat);
      const [cx, cy] = bend(x0, y0, x1, y1);
      context.moveTo(x0, y0);
      context.quadraticCurveTo(cx, cy, x1, y1);
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  /** Who reads whom in this round, as the planner drew it; dashed where the reader gets what was said before. */
  private drawPlan(context: CanvasRenderingContext2D, t: Theme): void {
    const { step, asSeat } = this.view.now;
    const plan = this.plans.filter((each) => each.step <= step).pop();
    if (!plan || asSeat) return;
    const place = new Map(this.rollout.columns.seats.map((seat, i) => [seat, i]));
    context.strokeStyle = context.fillStyle = t.groups.plan;
    context.lineWidth = 2;
    context.globalAlpha = 0.7;
    for (const [pairs, dash] of [
      [plan.edges, []],
      [plan.last_edges, [5, 4]],
    ] as [[string, string][], number[]][]) {
      context.setLineDash(dash);
      for (const [u, v] of pairs) {
        const [from, to] = [place.get(u), place.get(v)];
        if (from === undefined || to === undefined) continue;
        const [x0, y0] = this.at(from);
        const [x1, y1] = this.at(to);
        context.beginPath();
        context.moveTo(x0, y0);
        context.lineTo(x1, y1);
        context.stroke();
        arrow(context, x0, y0, x1, y1, this.radius() + 3, 10);
      }
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  private isFocused(arc: { event: number }): boolean {
    return arc.event === this.view.now.event || arc.event === this.hover.event;
  }

  private drawArcs(context: CanvasRenderingContext2D, progress: number): void {
    const { seat } = this.view.now;
    const many = this.arcs.length > 300;
    context.lineCap = "round";
    for (const arc of this.arcs) {
      const focused = this.isFocused(arc);
      const near = seat === null || arc.from === seat || arc.to === seat;
      context.globalAlpha = focused ? 1 : near ? (many ? 0.25 : arc.quiet ? 0.3 : 0.65) : 0.14;
      context.lineWidth = focused ? 2.6 : many || arc.quiet ? 0.8 : 1.5;
      context.strokeStyle = arc.colour;
      const [x0, y0] = this.at(arc.from);
      const [x1, y1] = this.at(arc.to);
      const [cx, cy] = bend(x0, y0, x1, y1);
      context.beginPath();
      context.moveTo(x0, y0);
      const [px, py] = along(x0, y0, cx, cy, x1, y1, progress);
      context.quadraticCurveTo(x0 + (cx - x0) * progress, y0 + (cy - y0) * progress, px, py);
      context.stroke();
    }
    context.globalAlpha = 1;
    for (const ring of this.rings) {
      const [x, y] = this.at(ring.from);
      const reach = Math.hypot(this.width, this.height) * 0.55;
      context.globalAlpha = progress < 1 ? 0.7 * (1 - progress) : 0.5;
      context.strokeStyle = ring.colour;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(x, y, progress < 1 ? this.radius() + reach * progress : this.radius() + 7, 0, 2 * Math.PI);
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  private drawDots(context: CanvasRenderingContext2D, t: Theme, progress: number): void {
    const size = this.arcs.length > 2000 ? 0.9 : this.arcs.length > 600 ? 1.5 : this.arcs.length > 120 ? 2.4 : 4.2;
    const { seat } = this.view.now;
    for (const arc of this.arcs) {
      const [x, y] = this.dotOf(arc, progress);
      const focused = this.isFocused(arc);
      context.globalAlpha = focused || seat === null || arc.from === seat || arc.to === seat ? 1 : 0.25;
      context.fillStyle = arc.colour;
      if (size < 2 && !focused) {
        context.fillRect(x - size, y - size, 2 * size, 2 * size);
        continue;
      }
      context.beginPath();
      context.arc(x, y, focused ? size + 2 : arc.quiet ? size * 0.7 : size, 0, 2 * Math.PI);
      context.fill();
      if (size > 4 || focused) {
        context.lineWidth = 1.5;
        context.strokeStyle = t.panel;
        context.stroke();
      }
    }
    context.globalAlpha = 1;
  }

  private dotOf(arc: Arc, progress: number): [number, number] {
    const [x0, y0] = this.at(arc.from);
    const [x1, y1] = this.at(arc.to);
    const [cx, cy] = bend(x0, y0, x1, y1);
    const rest = progress < 1 ? progress : DOT_AT;
    return along(x0, y0, cx, cy, x1, y1, rest);
  }

  private drawDrops(context: CanvasRenderingContext2D, t: Theme, progress: number): void {
    const r = this.radius();
    for (const drop of this.drops) {
      const [x, y] = this.at(drop.seat);
      const size = Math.max(3, Math.min(6, r * 0.5)) + (this.isFocused(drop) ? 2 : 0);
      const top = y - r - 7 - 26 * (1 - progress);
      context.globalAlpha = 0.3 + 0.7 * progress;
      context.fillStyle = drop.colour;
      context.strokeStyle = t.panel;
      context.lineWidth = 1.5;
      context.beginPath();
      context.moveTo(x, top - size);
      context.lineTo(x + size, top);
      context.lineTo(x, top + size);
      context.lineTo(x - size, top);
      context.closePath();
      context.fill();
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  private fillOf(seat: number, t: Theme): string | null {
    const { mode, asSeat, seat: watcher, step } = this.view.now;
    if (this.spread) {
      const met = this.met.get(seat);
      return met !== undefined && met <= step ? t.groups.fact : null;
    }
    if (!this.states || mode === "plain") return null;
    const isOther = asSeat && watcher !== null && seat !== watcher;
    if (isOther && mode !== "action") return null;
    if (mode === "action") {
      if (isOther && !this.acted.has(seat)) return null;
      const action = this.states.action[seat];
      return action === null || action === undefined ? null : this.actionColour(action);
    }
    const value = this.states[mode][seat];
    if (mode === "belief") return value === null || value === undefined ? null : beliefColour(value, t);
    return value ? shareColour(Math.min(1, value / Math.max(1, this.rollout.columns.n_facts)), t) : null;
  }

  /** Right is blue and wrong is orange where the truth is in the log (and the stage shows all); else by category. */
  actionColour(action: number): string {
    const { truth, actions } = this.rollout.columns;
    if (truth !== null && !this.view.now.asSeat) return actions[action] === truth ? "#0072b2" : "#d55e00";
    return categoryColour(action);
  }

  private drawNodes(context: CanvasRenderingContext2D, t: Theme): void {
    const { graph } = this.rollout.head;
    const { seat: chosen } = this.view.now;
    const r = this.radius();
    const many = this.layout.spots.length > 300;
    const named = r >= 8.5;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let i = 0; i < this.layout.spots.length; i++) {
      const [x, y] = this.at(i);
      if (x < -30 || y < -30 || x > this.width + 30 || y > this.height + 30) continue;
      const colour = this.fillOf(i, t);
      const isPlanner = i >= graph.seats.length;
      trace(context, isPlanner ? 9 : this.shapes.indexOf(graph.kinds[i] ?? ""), x, y, r);
      context.fillStyle = colour ?? (isPlanner ? t.groups.plan : t.node);
      context.fill();
      if (!many || i === chosen) {
        context.lineWidth = i === chosen ? 3 : 1.5;
        context.strokeStyle = i === chosen ? t.ink : i === this.hover.seat ? t.accent : t.panel;
        context.stroke();
      }
      if (this.fails.has(i)) this.drawFailure(context, t, x, y, r);
      if (named) {
        const name = this.rollout.seatName(i);
        const inside = name.length * 6.2 < r * 2 - 2;
        context.font = `${inside ? 600 : 500} ${inside ? Math.min(12, r * 0.85) : 11}px system-ui, sans-serif`;
        context.fillStyle = inside ? inkOn(colour ?? (isPlanner ? t.groups.plan : t.node)) : t.soft;
        context.fillText(name.length > 18 ? `${name.slice(0, 17)}…` : name, x, inside ? y + 0.5 : y + r + 10);
      }
    }
  }

  private drawFailure(context: CanvasRenderingContext2D, t: Theme, x: number, y: number, r: number): void {
    const s = r + 5;
    context.strokeStyle = t.groups.fail;
    context.lineWidth = 3;
    context.beginPath();
    context.moveTo(x - s, y - s);
    context.lineTo(x + s, y + s);
    context.moveTo(x + s, y - s);
    context.lineTo(x - s, y + s);
    context.stroke();
  }

  private under(event: MouseEvent): Under {
    const box = this.element.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const r = this.radius();
    this.tree ??= quadtree<number>(
      this.layout.spots.map((_, i) => i),
      (i) => this.layout.spots[i]!.x,
      (i) => this.layout.spots[i]!.y,
    );
    let best = 81;
    let found: number | null = null;
    for (const arc of this.arcs) {
      const [dx, dy] = this.dotOf(arc, 1);
      const distance = (dx - x) ** 2 + (dy - y) ** 2;
      if (distance < best) [best, found] = [distance, arc.event];
    }
    for (const drop of this.drops) {
      const [dx, dy] = this.at(drop.seat);
      const distance = (dx - x) ** 2 + (dy - r - 7 - y) ** 2;
      if (distance < best) [best, found] = [distance, drop.event];
    }
    const [gx, gy] = this.transform.invert([x, y]);
    const seat = this.tree.find(gx, gy, (r + 5) / this.transform.k) ?? null;
    if (found !== null && (seat === null || best < 25)) return { seat: null, event: found };
    return { seat, event: null };
  }

  private click(event: MouseEvent): void {
    const under = this.under(event);
    if (under.event !== null) this.view.set({ event: under.event, playing: false, tab: "event" });
    else if (under.seat !== null) this.view.set({ seat: under.seat, tab: "seat" });
    else this.view.set({ seat: null, event: null, asSeat: false });
  }

  private move(event: PointerEvent): void {
    const under = this.under(event);
    this.element.style.cursor = under.seat !== null || under.event !== null ? "pointer" : "grab";
    if (under.seat !== this.hover.seat || under.event !== this.hover.event) {
      this.hover = under;
      this.redraw();
    }
    this.onHover(under, event.clientX, event.clientY);
  }

  private leave(): void {
    this.hover = { seat: null, event: null };
    this.onHover(this.hover, 0, 0);
    this.redraw();
  }
}

/** The head of an arrow that ends `gap` before its target. */
export function arrow(context: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number, gap: number, size: number): void {
  const angle = Math.atan2(y1 - y0, x1 - x0);
  const [x, y] = [x1 - Math.cos(angle) * gap, y1 - Math.sin(angle) * gap];
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x - size * Math.cos(angle - 0.4), y - size * Math.sin(angle - 0.4));
  context.lineTo(x - size * Math.cos(angle + 0.4), y - size * Math.sin(angle + 0.4));
  context.fill();
}

function bend(x0: number, y0: number, x1: number, y1: number): [number, number] {
  return [(x0 + x1) / 2 - (y1 - y0) * 0.13, (y0 + y1) / 2 + (x1 - x0) * 0.13];
}

function along(x0: number, y0: number, cx: number, cy: number, x1: number, y1: number, t: number): [number, number] {
  const s = 1 - t;
  return [s * s * x0 + 2 * s * t * cx + t * t * x1, s * s * y0 + 2 * s * t * cy + t * t * y1];
}

/** Shapes stand for kinds of agents: circle, square, triangle, hexagon; the planner is a diamond. */
export function trace(context: CanvasRenderingContext2D, shape: number, x: number, y: number, r: number): void {
  context.beginPath();
  const corners = [0, 4, 3, 6][shape] ?? (shape === 9 ? 4 : 0);
  if (!corners) {
    context.arc(x, y, r, 0, 2 * Math.PI);
    return;
  }
  const turn = shape === 9 ? 0 : corners === 4 ? Math.PI / 4 : -Math.PI / 2;
  const size = corners === 4 ? r * 1.22 : r * 1.15;
  for (let k = 0; k < corners; k++) {
    const angle = turn + (k / corners) * 2 * Math.PI;
    context.lineTo(x + Math.cos(angle) * size, y + Math.sin(angle) * size);
  }
  context.closePath();
}
