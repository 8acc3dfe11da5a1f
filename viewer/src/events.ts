// The events of a rollout as a list: filter by kind and seat, search in all that was said.

import { GROUPS, groupOf } from "./colours.js";
import { getNow, isLive } from "./data.js";
import { count, debounce, fill, foreign, h, oneLine } from "./dom.js";
import { VirtualList } from "./list.js";
import { wordsOf, type Rollout } from "./rollout.js";
import type { View } from "./view.js";

const ROW = 25;

export class EventList {
  readonly element: HTMLElement;
  readonly search: HTMLInputElement;
  private list: VirtualList;
  private shown: number[] = [];
  private hidden = new Set<string>();
  private seat = -2;
  private found: Set<number> | null = null;
  private chips = h("div", "chips");
  private state = h("span", "soft");
  private seatBox: HTMLSelectElement;
  private follows = true;

  constructor(
    private rollout: Rollout,
    private view: View,
  ) {
    this.search = h("input", {
      class: "search",
      attrs: { type: "search", placeholder: "search in all events", "aria-label": "Search in all events", spellcheck: "false" },
      on: { input: debounce(180, () => void this.lookUp()) },
    });
    this.seatBox = h("select", { attrs: { "aria-label": "Only this seat" }, on: { change: () => this.chooseSeat() } });
    this.list = new VirtualList(ROW, (row) => this.row(row), "Events");
    this.list.element.addEventListener("keydown", (event) => this.key(event));
    this.element = h(
      "section",
      "events",
      h("div", "bar", this.search, this.seatBox),
      h("div", "bar wrap", this.chips, this.state),
      this.list.element,
    );
    view.on((now, changed) => {
      if (changed.has("step") || changed.has("event")) {
        this.list.refresh();
        if (now.event !== null && changed.has("event")) this.reveal(now.event);
        else if (changed.has("step") && this.follows) this.reveal(this.rollout.first[now.step] ?? 0);
      }
    });
    this.renew();
  }

  renew(): void {
    const { kinds, seats } = this.rollout.columns;
    fill(
      this.chips,
      ...kinds.map((kind) =>
        h(
          "button",
          {
            class: `chip g-${groupOf(kind)}${this.hidden.has(kind) ? " off" : ""}`,
            title: "click: show or hide; double click: only this",
            attrs: { "aria-pressed": String(!this.hidden.has(kind)), "data-kind": kind },
            on: {
              click: () => this.toggle(kind),
              dblclick: () => this.only(kind),
            },
          },
          oneLine(kind, 30),
        ),
      ),
    );
    fill(
      this.seatBox,
      h("option", { attrs: { value: "-2" } }, "all seats"),
      ...seats.slice(0, 2000).map((seat, i) => h("option", { attrs: { value: String(i) } }, oneLine(seat, 30))),
    );
    this.seatBox.value = String(this.seat);
    this.filter();
  }

  private toggle(kind: string): void {
    if (this.hidden.has(kind)) this.hidden.delete(kind);
    else this.hidden.add(kind);
    this.renew();
  }

  private only(kind: string): void {
    this.hidden = new Set(this.rollout.columns.kinds.filter((other) => other !== kind));
    this.renew();
  }

  private chooseSeat(): void {
    this.seat = Number(this.seatBox.value);
    this.filter();
  }

  private async lookUp(): Promise<void> {
    const words = this.search.value.trim();
    if (!words) {
      this.found = null;
      this.filter();
      return;
    }
    this.state.textContent = "searching…";
    try {
      const found = await this.find(words);
      if (this.search.value.trim() !== words) return;
      this.found = new Set(found);
      this.filter();
    } catch (error) {
      this.state.textContent = String((error as Error).message);
    }
  }

  private async find(words: string): Promise<number[]> {
    if (isLive) return getNow<number[]>(`${this.rollout.path}/search?q=${encodeURIComponent(words)}`);
    const wanted = words.toLowerCase();
    const events = await this.rollout.events(0, this.rollout.columns.n);
    const hit = (value: unknown): boolean =>
      typeof value === "object" && value !== null ? Object.values(value).some(hit) : String(value ?? "").toLowerCase().includes(wanted);
    return events.filter((e) => hit(e.kind) || hit(e.seat) || hit(e.data)).map((e) => e.i);
  }

  private filter(): void {
    const { columns } = this.rollout;
    const off = columns.kinds.map((kind) => this.hidden.has(kind));
    this.shown = [];
    for (let i = 0; i < columns.n; i++) {
      if (off[columns.kind[i]!]) continue;
      if (this.seat >= 0 && columns.seat[i] !== this.seat) continue;
      if (this.found && !this.found.has(i)) continue;
      this.shown.push(i);
    }
    const all = this.shown.length === columns.n;
    this.state.textContent = all ? `${count(columns.n)} events` : `${count(this.shown.length)} of ${count(columns.n)} events`;
    this.state.dataset.shown = String(this.shown.length);
    this.list.show(this.shown.length);
    this.reveal(this.view.now.event ?? this.rollout.first[this.view.now.step] ?? 0);
  }

  private reveal(event: number): void {
    let low = 0;
    let high = this.shown.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.shown[middle]! < event) low = middle + 1;
      else high = middle;
    }
    if (this.shown.length) this.list.reveal(Math.min(low, this.shown.length - 1));
  }

  private key(event: KeyboardEvent): void {
    const move = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
    if (!move || !this.shown.length) return;
    event.preventDefault();
    event.stopPropagation();
    this.go(move);
  }

  /** Goes to the next or previous event of the list. */
  go(move: number): void {
    const now = this.view.now.event ?? this.rollout.first[this.view.now.step] ?? 0;
    let place = this.shown.findIndex((i) => i >= now);
    if (place < 0) place = this.shown.length - 1;
    const next = this.view.now.event === null ? place : Math.max(0, Math.min(this.shown.length - 1, place + move));
    const event = this.shown[next];
    if (event !== undefined) this.view.set({ event, step: this.rollout.stepOf[event]!, playing: false });
  }

  private row(number: number): HTMLElement {
    const i = this.shown[number]!;
    const { columns, stepOf } = this.rollout;
    const { event: chosen, step } = this.view.now;
    const text = h("span", "words", "…");
    const isLater = stepOf[i]! > step;
    const row = h(
      "div",
      {
        class: `row g-${GROUPS[this.rollout.group[i]!]}${i === chosen ? " chosen" : ""}${isLater ? " later" : ""}${stepOf[i] === step ? " now" : ""}`,
        attrs: { role: "option", "aria-selected": String(i === chosen), "data-event": String(i) },
        on: { click: () => this.view.set({ event: i, step: stepOf[i]!, playing: false }) },
      },
      h("span", "step", stepOf[i]!),
      h("span", "kind", oneLine(this.rollout.kindOf(i), 14)),
      h("span", "seat", oneLine(this.rollout.seatName(columns.seat[i]!), 12)),
      text,
      h("span", "to", `→ ${oneLine(this.rollout.audienceWords(i), 28)}`),
    );
    this.rollout
      .event(i)
      .then((event) => fill(text, foreign(oneLine(wordsOf(event), 200))))
      .catch((error: Error) => fill(text, error.message));
    return row;
  }
}
