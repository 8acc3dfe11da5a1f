// The page of one rollout: stage, timeline, and the panels beside them.

import { beliefColour, groupOf, GROUPS, GROUP_WORDS, shareColour, theme } from "./colours.js";
import { get, isLive, type PlannerData, type RunHead } from "./data.js";
import { count, fill, foreign, h, oneLine, plural } from "./dom.js";
import { EventList } from "./events.js";
import type { Keys } from "./keys.js";
import { CallsPanel, EventPanel, FactsPanel, Panel, PlannerPanel, SeatPanel } from "./panels.js";
import { wordsOf, Rollout } from "./rollout.js";
import { Stage, trace, type Under } from "./stage.js";
import { Timeline } from "./timeline.js";
import { View, type Mode } from "./view.js";

const TABS = ["events", "event", "seat", "facts", "planner", "calls"] as const;
const WORDS: Record<string, string> = { events: "Events", event: "Event", seat: "Seat", facts: "Facts", planner: "Planner", calls: "Calls" };
const SPEEDS = [0.5, 1, 2, 4, 8, 16];

export class RolloutPage {
  readonly element: HTMLElement;
  private stage: Stage;
  private timeline: Timeline;
  private events: EventList;
  private panels: Record<string, Panel>;
  private tabs = h("div", { class: "tabs", attrs: { role: "tablist" } });
  private side = h("div", "side-body");
  private tip = h("div", { class: "tip", attrs: { role: "tooltip" } });
  private legend = h("div", "legend");
  private top = h("div", "stage-top");
  private modes = h("div", { class: "segmented", attrs: { role: "group", "aria-label": "Colour of the seats" } });
  private play = h("button", { class: "play", title: "play or pause (space)", on: { click: () => this.toggle() } });
  private where = h("output", "where");
  private groups = h("span", "legend");
  private timer = 0;
  private poll = 0;
  private view: View;
  private shownTip = -1;

  constructor(
    private head: RunHead,
    private rollout: Rollout,
    asked: URLSearchParams,
    private keys: Keys,
  ) {
    this.view = new View(begin(rollout, asked));
    this.stage = new Stage(rollout, this.view, (under, x, y) => void this.showTip(under, x, y), () => this.top.offsetTop + this.top.offsetHeight);
    this.timeline = new Timeline(rollout, this.view);
    this.events = new EventList(rollout, this.view);
    this.panels = {
      event: new EventPanel(rollout, this.view),
      seat: new SeatPanel(rollout, this.view),
      facts: new FactsPanel(rollout, this.view, (spread) => {
        this.stage.setSpread(spread);
        this.drawLegend();
      }),
      planner: new PlannerPanel(rollout, this.view),
      calls: new CallsPanel(rollout, this.view),
    };
    const speed = h("button", { class: "speed", title: "speed (+ and -)", on: { click: () => this.faster(1, true) } });
    const button = (words: string, title: string, work: () => void) => h("button", { title, attrs: { "aria-label": title }, on: { click: work } }, words);
    const transport = h(
      "div",
      "transport",
      button("⇤", "first step (Home)", () => this.go(0)),
      button("◀", "one step back (left)", () => this.go(this.view.now.step - 1)),
      this.play,
      button("▶", "one step on (right)", () => this.go(this.view.now.step + 1)),
      button("⇥", "last step (End)", () => this.go(this.rollout.steps - 1)),
      speed,
      this.where,
      h("span", "timeline-key", this.groups),
      button("fit", "fit the graph (0)", () => this.stage.fit()),
    );
    this.top.append(this.modes, this.legend);
    this.element = h(
      "main",
      "rollout",
      h("section", "left", h("div", "stage", this.stage.element, this.top), h("div", "below", transport, this.timeline.element)),
      h("aside", { class: "right", attrs: { "aria-label": "Details" } }, this.tabs, this.side),
      this.tip,
    );
    this.view.on((now, changed) => {
      if (changed.has("speed")) speed.textContent = `${now.speed}×`;
      if (changed.has("playing")) this.run();
      if (changed.has("mode") || changed.has("asSeat")) this.drawLegend();
      if (changed.has("tab") || changed.has("seat") || changed.has("asSeat") || changed.has("event") || changed.has("fact") || changed.has("call") || (changed.has("step") && !now.playing)) this.open();
      if (changed.has("tab") && now.tab !== "facts" && now.fact !== null) this.view.set({ fact: null });
      this.say();
    });
    speed.textContent = `${this.view.now.speed}×`;
    this.bind();
    this.drawLegend();
    this.open();
    this.say();
    this.run();
    void this.loadPlans();
    if (rollout.isOpen && isLive) this.poll = window.setInterval(() => void this.grow(), 1500);
  }

  close(): void {
    clearTimeout(this.timer);
    clearInterval(this.poll);
    this.tip.remove();
  }

  themed(): void {
    this.stage.themed();
    this.timeline.redraw();
    this.drawLegend();
    this.open();
  }

  private async grow(): Promise<void> {
    const wasLast = this.view.now.step >= this.rollout.steps - 1;
    try {
      if (!(await this.rollout.grow())) return;
    } catch {
      return;
    }
    this.stage.renew();
    this.timeline.renew();
    this.events.renew();
    void this.loadPlans();
    if (wasLast && !this.view.now.playing) this.view.set({ step: this.rollout.steps - 1 });
    if (!this.rollout.isOpen) clearInterval(this.poll);
    this.open();
    this.drawLegend();
    this.say();
  }

  /** The graphs of a planner that draws them; the stage shows the one of the current round. */
  private async loadPlans(): Promise<void> {
    if (!this.rollout.columns.kinds.includes("plan")) return;
    const data = await get<PlannerData>(`${this.rollout.path}/planner`, this.rollout.columns.n).catch(() => null);
    if (data) this.stage.setPlans(data.plans);
  }

  private go(step: number): void {
    this.view.set({ step: Math.max(0, Math.min(this.rollout.steps - 1, step)), playing: false });
  }

  private toggle(): void {
    const { playing, step } = this.view.now;
    if (!playing && step >= this.rollout.steps - 1) this.view.set({ step: 0 });
    this.view.set({ playing: !playing });
  }

  private faster(by: number, around = false): void {
    const place = SPEEDS.indexOf(this.view.now.speed) + by;
    this.view.set({ speed: SPEEDS[around ? place % SPEEDS.length : Math.max(0, Math.min(SPEEDS.length - 1, place))]! });
  }

  private run(): void {
    clearTimeout(this.timer);
    this.play.textContent = this.view.now.playing ? "❚❚" : "►";
    this.play.setAttribute("aria-label", this.view.now.playing ? "pause" : "play");
    if (!this.view.now.playing) {
      this.open();
      return;
    }
    const tick = () => {
      if (!this.view.now.playing) return;
      if (this.view.now.step >= this.rollout.steps - 1) {
        this.view.set({ playing: false });
        return;
      }
      this.view.set({ step: this.view.now.step + 1 });
      this.timer = window.setTimeout(tick, 900 / this.view.now.speed);
    };
    this.timer = window.setTimeout(tick, 250 / this.view.now.speed);
  }

  private open(): void {
    const { tab } = this.view.now;
    fill(
      this.tabs,
      TABS.map((name, i) =>
        h(
          "button",
          {
            class: name === tab ? "tab on" : "tab",
            title: `key ${i + 1}`,
            attrs: { role: "tab", "aria-selected": String(name === tab), "data-tab": name },
            on: { click: () => this.view.set({ tab: name }) },
          },
          WORDS[name],
        ),
      ),
    );
    const body = tab === "events" ? this.events.element : this.panels[tab]!.element;
    if (this.side.firstChild !== body) this.side.replaceChildren(body);
    if (tab !== "events") void this.panels[tab]!.open();
  }

  private say(): void {
    const { step, seat, event, tab, fact } = this.view.now;
    const steps = this.rollout.steps;
    const n = (this.rollout.first[step + 1] ?? 0) - (this.rollout.first[step] ?? 0);
    fill(this.where, steps ? [h("b", null, `step ${count(step)}`), ` of ${count(steps - 1)} · ${plural(n, "event")}`] : "no events yet", this.rollout.isOpen ? h("span", "live", " · unfinished") : null, this.stage.undrawn ? h("span", "warn", ` · ${count(this.stage.undrawn)} more ways of messages than can be drawn`) : null);
    const words = new URLSearchParams({ step: String(step) });
    if (tab !== "events") words.set("tab", tab);
    if (seat !== null) words.set("seat", String(seat));
    if (event !== null) words.set("event", String(event));
    if (fact !== null) words.set("fact", String(fact));
    history.replaceState(null, "", `#/run/${this.head.id}/${this.rollout.columns.rollout}?${words}`);
  }

  private drawGroups(): void {
    const t = theme();
    const there = new Set(this.rollout.columns.kinds.map(groupOf));
    fill(this.groups, GROUPS.filter((name) => there.has(name)).map((name) => key(t.groups[name], GROUP_WORDS[name])));
  }

  private drawLegend(): void {
    this.drawGroups();
    const { has, actions, truth, n_facts } = this.rollout.columns;
    const { mode, asSeat, seat, fact } = this.view.now;
    const modes: [Mode, string, boolean][] = [
      ["belief", "belief", has.belief],
      ["known", "knows", has.known],
      ["action", "action", has.action],
      ["plain", "plain", true],
    ];
    fill(
      this.modes,
      modes
        .filter(([, , there]) => there)
        .map(([name, words]) =>
          h("button", { class: name === mode ? "on" : "", title: "colour of the seats (c)", attrs: { "aria-pressed": String(name === mode), "data-mode": name }, on: { click: () => this.view.set({ mode: name }) } }, words),
        ),
    );
    const t = theme();
    const items: (HTMLElement | string)[] = [];
    if (fact !== null) items.push(key(t.groups.fact, "met the fact"), key(t.node, "not yet"));
    else if (mode === "belief") items.push(ramp((x) => beliefColour(x, t), "0", "stated belief", "1"));
    else if (mode === "known") items.push(ramp((x) => shareColour(x, t), "0", `facts met, of ${n_facts}`, String(n_facts)));
    else if (mode === "action" && truth !== null && !asSeat) items.push(key("#0072b2", `right: ${oneLine(truth, 20)}`), key("#d55e00", "wrong"));
    else if (mode === "action") items.push(...actions.slice(0, 8).map((action, i) => key(this.stage.actionColour(i), oneLine(action, 20))));
    if (this.stage.kinds.filter(Boolean).length > 1 || this.head.graph.planner) {
      items.push(...this.stage.kinds.map((kind, i) => shape(i, kind)));
      if (this.head.graph.planner) items.push(shape(9, `planner: ${this.head.graph.planner}`));
    }
    if (asSeat && seat !== null) items.push(h("b", "as-seat", "as ", foreign(this.rollout.seatName(seat), 30), " sees it"));
    fill(this.legend, items);
    this.stage.keepFit();
  }

  private async showTip(under: Under, x: number, y: number): Promise<void> {
    if (under.event === null && under.seat === null) {
      this.tip.classList.remove("on");
      this.shownTip = -1;
      return;
    }
    this.tip.style.transform = `translate(${Math.min(x + 14, window.innerWidth - 330)}px, ${Math.min(y + 14, window.innerHeight - 120)}px)`;
    this.tip.classList.add("on");
    const id = under.event ?? -2 - under.seat!;
    if (id === this.shownTip) return;
    this.shownTip = id;
    if (under.event === null) {
      const { belief, known, action } = await this.rollout.states(Math.min(this.view.now.step, this.rollout.steps - 1));
      const s = under.seat!;
      const hides = this.view.now.asSeat && this.view.now.seat !== s;
      const words = hides
        ? []
        : [
            typeof belief[s] === "number" ? `belief ${belief[s]!.toPrecision(3)}` : "",
            known[s] ? `knows ${plural(known[s]!, "fact")}` : "",
            typeof action[s] === "number" ? `did ${oneLine(this.rollout.columns.actions[action[s]!]!, 30)}` : "",
          ].filter(Boolean);
      fill(this.tip, h("b", null, foreign(this.rollout.seatName(s), 60)), h("span", "soft", ` ${this.head.graph.kinds[s] ?? ""}`), h("div", null, words.join(" · ")));
      return;
    }
    const event = await this.rollout.event(under.event);
    if (this.shownTip !== id) return;
    fill(this.tip, h("b", null, foreign(`${event.seat ?? ""} ${event.kind}`, 80)), h("span", "soft", ` → ${oneLine(this.rollout.audienceWords(under.event), 60)}`), h("div", null, foreign(oneLine(wordsOf(event), 240))));
  }

  private bind(): void {
    const { keys, view } = this;
    keys.use("This rollout", [
      [" ", "space", "play or pause", () => this.toggle()],
      ["ArrowRight", "→", "one step on", () => this.go(view.now.step + 1)],
      ["ArrowLeft", "←", "one step back", () => this.go(view.now.step - 1)],
      ["Shift+ArrowRight", "⇧→", "ten steps on", () => this.go(view.now.step + 10)],
      ["Shift+ArrowLeft", "⇧←", "ten steps back", () => this.go(view.now.step - 10)],
      ["Home", "Home", "first step", () => this.go(0)],
      ["End", "End", "last step", () => this.go(this.rollout.steps - 1)],
      ["j", "j", "next event of the list", () => this.events.go(1)],
      ["k", "k", "previous event of the list", () => this.events.go(-1)],
      ["/", "/", "search", () => this.focusSearch()],
      ...TABS.map((name, i): [string, string, string, () => void] => [String(i + 1), String(i + 1), WORDS[name]!, () => view.set({ tab: name })]),
      ["c", "c", "colour of the seats", () => this.nextMode()],
      ["v", "v", "stage as the chosen seat sees it", () => view.now.seat !== null && view.set({ asSeat: !view.now.asSeat })],
      ["+", "+", "faster", () => this.faster(1)],
      ["-", "-", "slower", () => this.faster(-1)],
      ["0", "0", "fit the graph", () => this.stage.fit()],
      ["n", "n", "next rollout", () => this.other(1)],
      ["p", "p", "previous rollout", () => this.other(-1)],
      ["Escape", "esc", "let go; then back to the run", () => this.back()],
    ]);
  }

  private focusSearch(): void {
    this.view.set({ tab: "events" });
    this.events.search.focus();
  }

  private nextMode(): void {
    const there = [...this.modes.querySelectorAll("button")].map((button) => button.dataset.mode as Mode);
    this.view.set({ mode: there[(there.indexOf(this.view.now.mode) + 1) % there.length]! });
  }

  private other(by: number): void {
    const next = this.rollout.columns.rollout + by;
    if (next >= 0 && next < this.head.n_logged) location.hash = `#/run/${this.head.id}/${next}`;
  }

  private back(): void {
    const { seat, event, fact, asSeat } = this.view.now;
    if (seat !== null || event !== null || fact !== null || asSeat) this.view.set({ seat: null, event: null, fact: null, asSeat: false, playing: false });
    else location.hash = `#/run/${this.head.id}`;
  }
}

function begin(rollout: Rollout, asked: URLSearchParams) {
  const { has, truth } = rollout.columns;
  const number = (name: string, limit: number): number | null => {
    const text = asked.get(name);
    const value = text === null ? NaN : Number(text);
    return Number.isInteger(value) && value >= 0 && value < limit ? value : null;
  };
  const tab = asked.get("tab") ?? "events";
  const mode: Mode = has.belief ? "belief" : has.known ? "known" : has.action || truth !== null ? "action" : "plain";
  return {
    step: number("step", rollout.steps) ?? 0,
    playing: false,
    speed: rollout.steps > 300 ? 8 : 1,
    event: number("event", rollout.columns.n),
    seat: number("seat", rollout.columns.seats.length),
    asSeat: false,
    mode,
    fact: number("fact", rollout.columns.n_facts),
    tab: (TABS as readonly string[]).includes(tab) ? tab : "events",
    call: null,
  };
}

function key(colour: string, words: string): HTMLElement {
  const dot = h("i", "dot");
  dot.style.background = colour;
  return h("span", "key", dot, words);
}

function ramp(colour: (x: number) => string, low: string, words: string, high: string): HTMLElement {
  const bar = h("i", "ramp");
  bar.style.background = `linear-gradient(90deg, ${[0, 0.25, 0.5, 0.75, 1].map(colour).join(",")})`;
  return h("span", { class: "key", title: words }, `${words}: ${low}`, bar, high);
}

function shape(number: number, words: string): HTMLElement {
  const canvas = h("canvas", { attrs: { width: "28", height: "28" } });
  const context = canvas.getContext("2d")!;
  trace(context, number, 14, 14, 9);
  context.fillStyle = number === 9 ? theme().groups.plan : theme().soft;
  context.fill();
  return h("span", "key", canvas, words);
}
