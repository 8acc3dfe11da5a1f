// The rollout from its first step to its last: how much happened when, and where the reader stands.

import { GROUPS, theme } from "./colours.js";
import type { Rollout } from "./rollout.js";
import type { View } from "./view.js";

const TOP = 6;
const BOTTOM = 18;

export class Timeline {
  readonly element: HTMLCanvasElement;
  private width = 0;
  private height = 0;
  private bars: Float32Array[] = [];
  private tallest = 1;
  private hover: number | null = null;
  private frame = 0;

  constructor(
    private rollout: Rollout,
    private view: View,
  ) {
    this.element = document.createElement("canvas");
    this.element.className = "timeline-canvas";
    this.element.setAttribute("role", "slider");
    this.element.setAttribute("aria-label", "Step of the rollout");
    this.element.tabIndex = 0;
    let dragging = false;
    this.element.addEventListener("pointerdown", (event) => {
      dragging = true;
      this.element.setPointerCapture(event.pointerId);
      this.view.set({ playing: false, step: this.stepAt(event) });
    });
    this.element.addEventListener("pointermove", (event) => {
      this.hover = this.stepAt(event);
      if (dragging) this.view.set({ step: this.hover });
      this.redraw();
    });
    this.element.addEventListener("pointerup", () => (dragging = false));
    this.element.addEventListener("pointerleave", () => {
      this.hover = null;
      this.redraw();
    });
    new ResizeObserver(() => this.resize()).observe(this.element);
    view.on((_, changed) => {
      if (changed.has("step") || changed.has("seat")) this.redraw();
    });
  }

  renew(): void {
    this.count();
    this.redraw();
  }

  redraw(): void {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.draw());
  }

  private stepAt(event: PointerEvent): number {
    const box = this.element.getBoundingClientRect();
    const share = (event.clientX - box.left) / Math.max(1, box.width);
    return Math.max(0, Math.min(this.rollout.steps - 1, Math.floor(share * this.rollout.steps)));
  }

  private resize(): void {
    const box = this.element.getBoundingClientRect();
    const ratio = window.devicePixelRatio || 1;
    this.width = box.width;
    this.height = box.height;
    this.element.width = Math.max(1, Math.round(box.width * ratio));
    this.element.height = Math.max(1, Math.round(box.height * ratio));
    this.count();
    this.draw();
  }

  /** Counts the events of each group in each bar: a bar is a step, or several if there are more steps than room. */
  private count(): void {
    const { group, stepOf, steps } = this.rollout;
    const n = Math.max(1, Math.min(steps, Math.floor(this.width / 2)));
    this.bars = GROUPS.map(() => new Float32Array(n));
    const total = new Float32Array(n);
    for (let i = 0; i < group.length; i++) {
      const bar = Math.floor((stepOf[i]! * n) / steps);
      this.bars[group[i]!]![bar]!++;
      total[bar]!++;
    }
    this.tallest = total.reduce((a, b) => Math.max(a, b), 1);
  }

  private draw(): void {
    this.frame = 0;
    const context = this.element.getContext("2d");
    if (!context || !this.width) return;
    const ratio = window.devicePixelRatio || 1;
    const t = theme();
    const { steps } = this.rollout;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    const n = this.bars[0]?.length ?? 1;
    const floor = this.height - BOTTOM;
    const room = floor - TOP;
    const w = this.width / n;
    const gap = w > 5 ? 1 : w > 2.5 ? 0.5 : 0;
    for (let bar = 0; bar < n; bar++) {
      let y = floor;
      GROUPS.forEach((name, g) => {
        const size = (this.bars[g]![bar]! / this.tallest) * room;
        if (!size) return;
        const high = name === "fail" ? Math.max(size, 3) : size;
        context.fillStyle = t.groups[name];
        context.fillRect(bar * w, y - high, Math.max(w - gap, 0.75), high);
        y -= high;
      });
    }
    this.drawTicks(context, t.soft, t.line, floor);
    if (!steps) return;
    const { step, seat } = this.view.now;
    if (seat !== null) this.drawSeat(context, seat, t.ink, floor);
    const x = ((step + 0.5) / steps) * this.width;
    context.fillStyle = t.dark ? "rgba(255,255,255,.07)" : "rgba(20,30,40,.06)";
    context.fillRect(x, 0, this.width - x, floor);
    context.fillStyle = t.ink;
    context.fillRect(x - 0.75, 0, 1.5, floor + 4);
    context.beginPath();
    context.moveTo(x - 5, 0);
    context.lineTo(x + 5, 0);
    context.lineTo(x, 7);
    context.fill();
    if (this.hover !== null) {
      const hx = ((this.hover + 0.5) / steps) * this.width;
      context.globalAlpha = 0.4;
      context.fillRect(hx - 0.5, 0, 1, floor);
      context.globalAlpha = 1;
    }
    this.element.setAttribute("aria-valuenow", String(step));
    this.element.setAttribute("aria-valuemax", String(steps - 1));
  }

  private drawTicks(context: CanvasRenderingContext2D, soft: string, line: string, floor: number): void {
    const { steps } = this.rollout;
    context.fillStyle = line;
    context.fillRect(0, floor, this.width, 1);
    const raw = (steps / this.width) * 70;
    const power = 10 ** Math.floor(Math.log10(Math.max(raw, 1)));
    const every = Math.max(1, [1, 2, 5, 10].map((k) => k * power).find((k) => k >= raw) ?? power);
    context.fillStyle = soft;
    context.font = "10px system-ui, sans-serif";
    context.textBaseline = "top";
    for (let step = 0; step < steps; step += every) {
      const x = ((step + 0.5) / steps) * this.width;
      context.textAlign = x < 12 ? "left" : x > this.width - 16 ? "right" : "center";
      context.fillText(String(step), x, floor + 5);
    }
  }

  /** Ticks where a chosen seat did something. */
  private drawSeat(context: CanvasRenderingContext2D, seat: number, ink: string, floor: number): void {
    const { columns, stepOf, steps } = this.rollout;
    context.fillStyle = ink;
    let last = -9;
    for (let i = 0; i < columns.seat.length; i++) {
      if (columns.seat[i] !== seat) continue;
      const x = ((stepOf[i]! + 0.5) / steps) * this.width;
      if (x - last < 1.5) continue;
      last = x;
      context.fillRect(x - 0.75, floor - 3, 1.5, 5);
    }
  }
}
