// The panels beside the stage: one event, one seat, facts, the planner, model calls.

import { groupOf, theme } from "./colours.js";
import { lineChart } from "./charts.js";
import { get, type AnswerLedger, type Call, type CallRow, type FactRow, type FactSpread, type LogEvent, type Plan, type PlannerData } from "./data.js";
import { arrow } from "./stage.js";
import { add, count, figure, fill, foreign, h, oneLine, plural } from "./dom.js";
import { toggle } from "./toggle.js";
import { VirtualList } from "./list.js";
import { show, wordsOf, type Rollout } from "./rollout.js";
import type { View } from "./view.js";

const MANY = 60;

/** A panel is filled when it is opened and when what it shows has changed. */
export abstract class Panel {
  readonly element = h("section", "panel-body");
  private asked = 0;
  private last = "";

  constructor(
    protected rollout: Rollout,
    protected view: View,
  ) {}

  /** What the panel depends on: it is filled anew when this changes. */
  protected abstract key(): string;
  protected abstract make(): Promise<Node[]>;

  async open(): Promise<void> {
    const key = `${this.key()}|${this.rollout.columns.n}|${document.documentElement.dataset.theme}`;
    if (key === this.last) return;
    this.last = key;
    const asked = ++this.asked;
    try {
      const nodes = await this.make();
      if (asked === this.asked) fill(this.element, nodes);
    } catch (error) {
      if (asked === this.asked) fill(this.element, h("p", "problem", (error as Error).message));
      this.last = "";
    }
  }

  protected seatLink(name: string): HTMLElement {
    const seat = this.rollout.columns.seats.indexOf(name);
    return h("button", { class: "link", on: { click: () => this.view.set({ seat, tab: "seat" }) } }, oneLine(name, 60));
  }

  protected stepLink(step: number, event?: number): HTMLElement {
    const go = () => this.view.set({ step, playing: false, ...(event === undefined ? {} : { event }) });
    return h("button", { class: "link num", on: { click: go } }, String(step));
  }

  protected calls(): Promise<CallRow[]> {
    return get<CallRow[]>(`${this.rollout.path}/calls`, this.rollout.columns.n);
  }
}

export class EventPanel extends Panel {
  protected key(): string {
    return String(this.view.now.event);
  }

  protected async make(): Promise<Node[]> {
    const i = this.view.now.event;
    if (i === null) return [hint("Click a message on the stage, or a line under Events.")];
    const event = await this.rollout.event(i);
    const nodes: Node[] = [
      h(
        "header",
        "event-head",
        h("span", `kind-tag g-${groupOf(event.kind)}`, oneLine(event.kind, 40)),
        event.seat ? this.seatLink(event.seat) : null,
        h("span", "soft", "step ", this.stepLink(event.step, i), ` · event ${count(i)}`),
      ),
      h("blockquote", `said g-${groupOf(event.kind)}`, foreign(wordsOf(event))),
      ...this.audience(i, event),
      ...this.facts(event),
      ...(await this.turn(event)),
      h("h3", null, "As it stands in the log"),
      h("pre", "json", foreign(event.exact ?? JSON.stringify(event.data, null, 2))),
    ];
    return nodes;
  }

  private audience(i: number, event: LogEvent): Node[] {
    const { columns } = this.rollout;
    const reach = columns.reach[columns.audience[i]!]!;
    const names = event.audience;
    const words = !names.length
      ? "Nobody: only the analyst sees this."
      : names.includes("*")
        ? `Everyone: ${plural(reach.length, "seat")}${names.includes("planner") ? ", the planner too" : columns.seats.includes("planner") ? ", not the planner" : ""}.`
        : `${plural(reach.length, "seat")} of ${columns.seats.length}:`;
    const chips = names.length && !names.includes("*") ? reach.slice(0, MANY).map((s) => this.seatLink(this.rollout.seatName(s))) : [];
    const rest = reach.length - MANY;
    return [
      h("h3", null, "Who may know"),
      h("p", "seats", words, " ", chips.map((chip) => [chip, " "]), chips.length && rest > 0 ? `and ${count(rest)} more` : null),
    ];
  }

  private facts(event: LogEvent): Node[] {
    const claims = Array.isArray(event.data.claims) ? (event.data.claims as Record<string, unknown>[]) : [];
    const rows = claims.filter((claim) => claim && typeof claim.fact === "string");
    for (const [fact, stated] of event.read ?? []) {
      const denied = stated.startsWith("not:");
      rows.push({ fact, value: denied ? stated.slice(4) : stated, polarity: denied ? -1 : 1, how: "found in the text" });
    }
    if (typeof event.data.fact === "string") rows.push({ fact: event.data.fact, value: event.data.value });
    if (!rows.length) return [];
    return [
      h("h3", null, claims.length || event.read ? "Facts it carried" : "Fact"),
      h(
        "table",
        null,
        rows.map((claim) =>
          h(
            "tr",
            null,
            h("td", null, h("button", { class: "link", on: { click: () => void this.openFact(String(claim.fact)) } }, oneLine(String(claim.fact), 80))),
            h("td", null, foreign(show(claim.value), 400)),
            h("td", "soft", [claim.polarity === -1 ? "denied" : "", claim.hedged ? "hedged" : "", claim.how ?? ""].filter(Boolean).join(", ")),
          ),
        ),
      ),
    ];
  }

  private async openFact(name: string): Promise<void> {
    const facts = await get<FactRow[]>(`${this.rollout.path}/facts`, this.rollout.columns.n);
    const fact = facts.findIndex((row) => row.name === name);
    if (fact >= 0) this.view.set({ fact, tab: "facts" });
  }

  /** The model calls of the turn in which the event came about. */
  private async turn(event: LogEvent): Promise<Node[]> {
    if (event.seat === null) return [];
    const calls = await this.calls();
    const places = calls.map((_, place) => place).filter((place) => calls[place]!.seat === event.seat && calls[place]!.step === event.step);
    if (!places.length) return [];
    const box = h("div", "calls-of-turn");
    for (const place of places) box.append(callFold(this.rollout, calls[place]!, place, place === places[places.length - 1]));
    return [h("h3", null, `The exact prompt and reply (${plural(places.length, "model call")})`), box];
  }
}

/** A call that opens to its prompt and answer. */
function callFold(rollout: Rollout, row: CallRow, place: number, isOpen: boolean): HTMLElement {
  const body = h("div", "call");
  const fold = h(
    "details",
    null,
    h("summary", null, `call ${row.draw} · ${row.kind} · `, foreign(row.model, 60), row.status === "answered" ? "" : ` · ${row.status}`, h("span", "soft", ` · ${count(row.tokens_in)} + ${count(row.tokens_out)} tokens · ${figure(row.latency_s)} s`)),
    body,
  );
  const open = async () => {
    if (!fold.open || body.firstChild) return;
    try {
      fill(body, callNodes(await get<Call>(`${rollout.path}/call/${place}`)));
    } catch (error) {
      fill(body, h("p", "problem", (error as Error).message));
    }
  };
  fold.addEventListener("toggle", () => void open());
  fold.open = isOpen;
  return fold;
}

function callNodes(call: Call): Node[] {
  const { request, response, error } = call;
  const messages = (request.messages as (unknown[] | { role: string; content: string })[]).map((m) =>
    Array.isArray(m) ? { role: String(m[0]), content: String(m[1]) } : m,
  );
  const nodes: Node[] = messages.map((m) => bubble(m.role, m.content));
  if (request.continuation) nodes.push(bubble("continuation to score", request.continuation));
  if (request.schema) nodes.push(h("details", null, h("summary", "small", "the answer had to fit this schema"), h("pre", null, foreign(JSON.stringify(request.schema, null, 2)))));
  if (error) nodes.push(h("div", "bubble fail", h("b", null, `failed: ${error.kind}`), h("p", null, foreign(error.message)), error.detail ? h("pre", null, foreign(error.detail)) : null));
  if (response && response.probabilities && request.options) nodes.push(options(request.options, response.probabilities, response.mass));
  else if (response) nodes.push(bubble("reply", response.text, true));
  nodes.push(
    h(
      "p",
      "soft small",
      [
        `temperature ${request.temperature ?? 0}`,
        `max ${request.max_tokens ?? 256} tokens`,
        `seed ${request.seed ?? 0}`,
        response ? `answered by ${oneLine(response.model, 60)}, ${response.finish ?? "stop"}` : "",
        plural(call.attempts ?? 1, "attempt"),
        call.cost_usd ? `$${figure(call.cost_usd)}` : "",
      ]
        .filter(Boolean)
        .join(" · "),
    ),
  );
  return nodes;
}

function bubble(role: string, text: string, isReply = false): HTMLElement {
  return h("div", `bubble ${isReply ? "reply" : role}`, h("b", null, role), h("div", "text", foreign(text)));
}

function options(names: string[], probabilities: number[], mass: number | null | undefined): HTMLElement {
  const rows = names.map((name, i) => {
    const bar = h("i");
    bar.style.width = `${(probabilities[i]! * 100).toFixed(1)}%`;
    return h("tr", null, h("td", null, foreign(name, 80)), h("td", "num", figure(probabilities[i])), h("td", "meter", bar));
  });
  return h(
    "div",
    "bubble reply",
    h("b", null, "exact probabilities of the options"),
    h("table", null, rows),
    mass === null || mass === undefined ? null : h("p", "soft small", `The options together had ${figure(mass)} of the model's probability; these are shares of that.`),
  );
}

export class SeatPanel extends Panel {
  private list: VirtualList | null = null;
  /** An event, or so many hidden ones in a row. */
  private shown: { event: number; hidden: number }[] = [];
  private showHidden = true;

  protected key(): string {
    const { seat, step, asSeat } = this.view.now;
    return `${seat}|${step}|${asSeat}|${this.showHidden}`;
  }

  protected async make(): Promise<Node[]> {
    const { seat, step, asSeat } = this.view.now;
    if (seat === null) return [hint("Click a seat on the stage, or choose one."), this.chooser()];
    const { columns, first, head } = { ...{ head: this.rollout.head }, columns: this.rollout.columns, first: this.rollout.first };
    const end = first[Math.min(step + 1, this.rollout.steps)] ?? columns.n;
    const mask = this.rollout.mask(seat);
    const shown: { event: number; hidden: number }[] = [];
    let visible = 0;
    let gap = 0;
    for (let i = 0; i <= end; i++) {
      const sees = i < end && mask[columns.audience[i]!] === 1;
      if (i < end && !sees) {
        gap++;
        continue;
      }
      if (gap && this.showHidden) shown.push({ event: i - gap, hidden: gap });
      gap = 0;
      if (sees) {
        visible++;
        shown.push({ event: i, hidden: 0 });
      }
    }
    this.shown = shown;
    const states = await this.rollout.states(Math.min(step, this.rollout.steps - 1));
    const kind = head.graph.kinds[seat] ?? (this.rollout.seatName(seat) === "planner" ? head.graph.planner : "");
    const share = h("i");
    share.style.width = `${end ? (visible / end) * 100 : 0}%`;
    const facts = [
      kind ? `${kind}` : "",
      states.belief[seat] === null || states.belief[seat] === undefined ? "" : `belief ${figure(states.belief[seat])}`,
      states.action[seat] === null || states.action[seat] === undefined ? "" : `did ${oneLine(columns.actions[states.action[seat]!]!, 40)}`,
      states.known[seat] ? `knows ${plural(states.known[seat]!, "fact")}` : "",
    ].filter(Boolean);
    this.list = new VirtualList(24, (row) => this.row(this.shown[row]!), "What this seat could see");
    this.list.element.classList.add("barrier");
    const list = this.list;
    list.show(this.shown.length);
    list.reveal(this.shown.length - 1);
    return [
      h("header", "event-head", h("b", "big", foreign(this.rollout.seatName(seat), 60)), h("span", "soft", facts.join(" · ")), this.chooser()),
      h("p", null, "At the end of step ", h("b", null, String(step)), " this seat may know ", h("b", null, count(visible)), ` of ${plural(end, "event")}; ${count(end - visible)} stay behind the barrier.`),
      h("div", "barrier-meter", share),
      h(
        "div",
        "bar",
        toggle("show what is hidden", this.showHidden, (on) => {
          this.showHidden = on;
          void this.open();
        }),
        toggle("stage as this seat sees it (v)", asSeat, (on) => this.view.set({ asSeat: on })),
      ),
      this.list.element,
    ];
  }

  private chooser(): HTMLElement {
    const box = h(
      "select",
      { attrs: { "aria-label": "Seat" }, on: { change: () => this.view.set({ seat: Number(box.value) }) } },
      this.rollout.columns.seats.slice(0, 2000).map((seat, i) => h("option", { attrs: { value: String(i) } }, oneLine(seat, 40))),
    );
    box.value = String(this.view.now.seat ?? 0);
    return box;
  }

  private row({ event: i, hidden }: { event: number; hidden: number }): HTMLElement {
    if (hidden) {
      return h(
        "div",
        { class: "row unseen", title: "behind the barrier; the list under Events shows all to the analyst" },
        h("span", "step", this.rollout.stepOf[i]!),
        h("span", "veil"),
        h("span", "kind", plural(hidden, "event")),
        h("span", "veil"),
      );
    }
    const text = h("span", "words", "…");
    const row = h(
      "div",
      {
        class: `row seen g-${groupOf(this.rollout.kindOf(i))}`,
        attrs: { "data-event": String(i) },
        on: { click: () => this.view.set({ event: i, tab: "event" }) },
      },
      h("span", "step", this.rollout.stepOf[i]!),
      h("span", "kind", oneLine(this.rollout.kindOf(i), 14)),
      h("span", "seat", oneLine(this.rollout.seatName(this.rollout.columns.seat[i]!), 12)),
      text,
    );
    this.rollout
      .event(i)
      .then((event) => fill(text, foreign(oneLine(wordsOf(event), 200))))
      .catch((error: Error) => fill(text, error.message));
    return row;
  }
}

export class FactsPanel extends Panel {
  constructor(
    rollout: Rollout,
    view: View,
    private onSpread: (spread: FactSpread | null) => void,
  ) {
    super(rollout, view);
  }

  protected key(): string {
    return `${this.view.now.fact}|${this.view.now.fact === null ? 0 : this.view.now.step}`;
  }

  protected async make(): Promise<Node[]> {
    const facts = await get<FactRow[]>(`${this.rollout.path}/facts`, this.rollout.columns.n);
    const { fact } = this.view.now;
    if (!facts.length) {
      this.onSpread(null);
      return [hint("No facts are declared or given in this rollout.")];
    }
    if (fact === null || !facts[fact]) {
      this.onSpread(null);
      return [this.table(facts)];
    }
    return this.spread(facts[fact]!, fact);
  }

  private table(facts: FactRow[]): Node {
    const n = this.rollout.columns.seats.length;
    const order = facts.map((_, i) => i).sort((a, b) => facts[b]!.known - facts[a]!.known || a - b);
    const list = new VirtualList(
      30,
      (row) => {
        const i = order[row]!;
        const fact = facts[i]!;
        const bar = h("i");
        bar.style.width = `${(fact.known / n) * 100}%`;
        return h(
          "div",
          { class: "row fact-row g-fact", attrs: { "data-fact": String(i) }, on: { click: () => this.view.set({ fact: i }) } },
          h("span", "fact-name", foreign(oneLine(fact.name, 40))),
          h("span", "words", foreign(oneLine(show(fact.value), 120)), fact.decoy ? h("em", "soft", " decoy") : null, fact.leaks ? h("b", "warn", ` ${plural(fact.leaks, "leak")}`) : null),
          h("span", "meter", bar),
          h("span", "num", `${fact.known}/${n}`),
        );
      },
      "Facts",
    );
    list.show(facts.length);
    return h("div", "fact-list", h("p", "soft", `${plural(facts.length, "fact")}; the bar is the share of seats that met it. Choose one to see how it spread.`), list.element);
  }

  private async spread(fact: FactRow, number: number): Promise<Node[]> {
    const spread = await get<FactSpread>(`${this.rollout.path}/fact/${number}`, this.rollout.columns.n);
    this.onSpread(spread);
    const { step } = this.view.now;
    const n = this.rollout.columns.seats.length;
    const steps: number[] = [];
    const counts: number[] = [];
    spread.met.forEach(([, s], i) => {
      if (steps[steps.length - 1] === s) counts[counts.length - 1] = i + 1;
      else {
        steps.push(s);
        counts.push(i + 1);
      }
    });
    const last = this.rollout.steps - 1;
    if (steps.length && steps[steps.length - 1]! < last) {
      steps.push(last);
      counts.push(spread.met.length);
    }
    const known = spread.met.filter(([, s]) => s <= step).length;
    const body = h(
      "tbody",
      null,
      spread.met.slice(0, 300).map(([seat, s, index, leak]) => {
        const from = this.rollout.columns.seat[index]!;
        return h(
          "tr",
          s > step ? "later" : null,
          h("td", "num", this.stepLink(s, index)),
          h("td", null, this.seatLink(this.rollout.seatName(seat)), leak ? h("b", "warn", " leak") : null),
          h("td", null, from < 0 || from === seat ? h("span", "soft", "was given it") : ["from ", this.seatLink(this.rollout.seatName(from))]),
          h("td", null, h("button", { class: "link", on: { click: () => this.view.set({ event: index, tab: "event" }) } }, oneLine(this.rollout.kindOf(index), 20))),
        );
      }),
    );
    return [
      h(
        "header",
        "event-head",
        h("button", { class: "link", on: { click: () => this.view.set({ fact: null }) } }, "← all facts"),
        h("b", "big", foreign(fact.name, 80)),
      ),
      h("blockquote", "said g-fact", foreign(show(fact.value), 1000)),
      h(
        "p",
        "soft",
        [
          fact.owners.length ? `owned by ${fact.owners.slice(0, 6).map((o) => oneLine(o, 20)).join(", ")}` : "",
          fact.prior_p === null ? "" : `probability before anybody spoke ${figure(fact.prior_p)} (${figure(-Math.log2(fact.prior_p))} bits)`,
          fact.decoy ? "decoy" : "",
          fact.wrong ? `${plural(fact.wrong, "claim")} with another value or denying it` : "",
          fact.leaks ? `leaked to ${plural(fact.leaks, "seat")} that may not know it` : "",
        ]
          .filter(Boolean)
          .join(" · "),
      ),
      h("p", null, "At the end of step ", h("b", null, String(step)), ": ", h("b", null, String(known)), ` of ${plural(n, "seat")} met it.`),
      lineChart(steps, [{ label: "seats that met it", values: counts, colour: theme().groups.fact, stepped: true }], {
        height: 130,
        range: [0, n],
        pick: (s) => this.view.set({ step: s, playing: false }),
      }),
      h("table", "dense", h("thead", null, h("tr", null, ["step", "seat", "how", "event"].map((words) => h("th", null, words)))), body),
      spread.met.length > 300 ? h("p", "soft", `The first 300 of ${count(spread.met.length)}.`) : h("span"),
    ];
  }
}

export class PlannerPanel extends Panel {
  protected key(): string {
    return "";
  }

  protected async make(): Promise<Node[]> {
    const data = await get<PlannerData>(`${this.rollout.path}/planner`, this.rollout.columns.n);
    const { precision, control, plans, ledgers } = data;
    const nodes: Node[] = [];
    if (!precision.length && !control && !plans.length && !ledgers.length) return [hint("No planner acted in this rollout.")];
    if (control) {
      nodes.push(
        h("table", "pairs", Object.entries(control).filter(([, value]) => value !== null).map(([key, value]) => h("tr", null, h("th", null, key), h("td", null, foreign(show(value), 200))))),
      );
    }
    if (precision.length) nodes.push(...this.precision(data));
    if (plans.length || ledgers.length) nodes.push(...this.rounds(data));
    return nodes;
  }

  /** The graph of each round, with what the planner knew when it drew it. */
  private rounds({ plans, ledgers }: PlannerData): Node[] {
    const seats = [...new Set([...ledgers.flatMap((l) => (l.answers ?? []).map((a) => a.seat)), ...plans.flatMap((p) => [...p.edges, ...p.last_edges].flat())])];
    const nodes: Node[] = [h("p", "soft", "An arrow leads from who is read to who reads; dashed: what was said before, not the new text. The stage draws the graph of the round it stands in.")];
    const moments = [...plans.map((plan) => ({ at: plan.index, plan, ledger: null as AnswerLedger | null })), ...ledgers.map((ledger) => ({ at: ledger.index, plan: null as Plan | null, ledger }))].sort((a, b) => a.at - b.at);
    for (const { plan, ledger } of moments) {
      if (plan) nodes.push(this.plan(plan, seats));
      if (ledger) nodes.push(this.ledger(ledger));
    }
    return nodes;
  }

  private plan(plan: Plan, seats: string[]): Node {
    const words = plan.stop ? "stop" : plan.round === null ? "graph" : `round ${plan.round}`;
    const n = plan.edges.length + plan.last_edges.length;
    return h(
      "section",
      { class: "round", attrs: { "data-plan": String(plan.index) } },
      h("h3", null, `${words} · step `, this.stepLink(plan.step, plan.index), plan.stop ? "" : ` · ${plural(n, "edge")}`),
      plan.stop ? null : dagPicture(plan, seats),
      plan.order?.length ? h("p", "soft small", `order: ${plan.order.slice(0, 40).map((seat) => oneLine(seat, 20)).join(", ")}`) : null,
    );
  }

  private ledger(ledger: AnswerLedger): Node {
    const rows = (ledger.answers ?? []).slice(0, 200).map((answer) => h("tr", null, h("td", null, this.seatLink(answer.seat)), h("td", null, answer.key === null ? h("em", "warn", foreign(answer.reason ?? "no key", 80)) : foreign(String(answer.key), 80)), h("td", "num", figure(answer.psi)), h("td", "num", figure(answer.phi))));
    return h(
      "section",
      "round",
      h("h3", null, `answers after round ${ledger.round ?? ""} · step `, this.stepLink(ledger.step, ledger.index), ledger.calls === undefined ? "" : ` · ${plural(ledger.calls, "call")}`, ledger.failed?.length ? h("b", "warn", ` · ${ledger.failed.length} failed`) : null),
      h("table", "dense", h("thead", null, h("tr", null, h("th", null, "seat"), h("th", null, "answer"), h("th", { class: "num", title: "how near the answer is to the mean of all" }, "ψ nearness"), h("th", { class: "num", title: "its Shapley value: what it adds to how near all are together" }, "φ added"))), h("tbody", null, rows)),
    );
  }

  private precision({ precision }: PlannerData): Node[] {
    const t = theme();
    const xs = precision.map((row) => row.step);
    const pick = (step: number) => this.view.set({ step, playing: false });
    const lines = [
      { label: "precision", values: precision.map((row) => row.precision), colour: t.groups.plan, points: xs.length < 80, stepped: true },
      { label: "public belief before", values: precision.map((row) => row.public), colour: t.groups.talk, points: xs.length < 80 },
    ];
    const missed = precision.filter((row) => !row.chosen).length;
    const body = precision.slice(0, 400).map((row) =>
      h(
        "tr",
        null,
        h("td", "num", this.stepLink(row.step)),
        h("td", null, this.seatLink(row.seat)),
        h("td", "num", figure(row.public)),
        h("td", "num", figure(row.precision), row.chosen ? null : h("em", "warn", " not chosen")),
        h("td", "num", figure(row.cost)),
        h("td", "num", figure(row.spent)),
      ),
    );
    return [
      h("p", null, `Set ${plural(precision.length - missed, "precision")}`, missed ? h("span", "warn", `; ${missed} of its turns failed and the free precision held`) : null, `, paid ${figure(precision[precision.length - 1]!.spent)} in all.`),
      h("h3", null, "What the public believed, and what the planner chose"),
      lineChart(xs, lines, { range: [0, 1], pick }),
      h("h3", null, "What it paid so far"),
      lineChart(xs, [{ label: "spent", values: precision.map((row) => row.spent), colour: t.groups.fail, stepped: true }], { height: 110, pick }),
      h(
        "table",
        "dense",
        h("thead", null, h("tr", null, ["step", "for", "public belief", "precision", "cost", "spent"].map((words) => h("th", words === "for" ? null : "num", words)))),
        h("tbody", null, body),
      ),
    ];
  }
}

export class CallsPanel extends Panel {
  private only = "";

  protected key(): string {
    return `${this.only}|${this.view.now.call}`;
  }

  protected async make(): Promise<Node[]> {
    const calls = await this.calls();
    if (!calls.length) return [hint("No language model was asked in this rollout.")];
    const { call } = this.view.now;
    if (call !== null && calls[call]) {
      const row = calls[call]!;
      return [
        h(
          "header",
          "event-head",
          h("button", { class: "link", on: { click: () => this.view.set({ call: null }) } }, "← all calls"),
          this.seatLink(row.seat),
          h("span", "soft", "step ", this.stepLink(row.step), ` · call ${row.draw} of its turn`),
        ),
        h("div", "call", callNodes(await get<Call>(`${this.rollout.path}/call/${call}`))),
      ];
    }
    const wanted = this.only.toLowerCase();
    const places = calls.map((_, i) => i).filter((i) => !wanted || `${calls[i]!.seat} ${calls[i]!.model} ${calls[i]!.kind} ${calls[i]!.status}`.toLowerCase().includes(wanted));
    const sum = (of: (row: CallRow) => number | null) => places.reduce((total, i) => total + (of(calls[i]!) ?? 0), 0);
    const failed = places.filter((i) => calls[i]!.status !== "answered").length;
    const list = new VirtualList(26, (row) => this.row(calls[places[row]!]!, places[row]!), "Model calls");
    list.show(places.length);
    const box = h("input", {
      class: "search",
      attrs: { type: "search", placeholder: "seat, model, kind, status", "aria-label": "Filter calls", value: this.only },
      on: {
        change: () => {
          this.only = box.value.trim();
          void this.open();
        },
      },
    });
    const words = h("p", "soft", `${plural(places.length, "call")} · ${count(sum((r) => r.tokens_in))} + ${count(sum((r) => r.tokens_out))} tokens · ${figure(sum((r) => r.latency_s))} s in all`);
    if (sum((r) => r.usd)) add(words, ` · $${figure(sum((r) => r.usd))}`);
    if (failed) add(words, h("b", "warn", ` · ${failed} failed`));
    return [h("div", "bar", box), words, list.element];
  }

  private row(row: CallRow, place: number): HTMLElement {
    return h(
      "div",
      { class: `row call-row ${row.status === "answered" ? "" : "g-fail"}`, attrs: { "data-call": String(place) }, on: { click: () => this.view.set({ call: place }) } },
      h("span", "step", row.step),
      h("span", "seat", oneLine(row.seat, 14)),
      h("span", "kind", row.kind),
      h("span", "words", row.status === "answered" ? foreign(oneLine(row.model, 40)) : h("b", "warn", row.status)),
      h("span", "num", `${count(row.tokens_in)}+${count(row.tokens_out)}`),
      h("span", "num", `${figure(row.latency_s)} s`),
    );
  }
}

/** A small drawing of a round's graph: seats on a ring in a fixed order, so that rounds can be compared. */
function dagPicture(plan: Plan, seats: string[]): Element {
  const size = 190;
  const t = theme();
  const canvas = h("canvas", { class: "dag", attrs: { width: String(size * 2), height: String(size * 2), role: "img", "aria-label": "Who reads whom in this round" } });
  const context = canvas.getContext("2d")!;
  context.scale(2, 2);
  const place = new Map(seats.map((seat, i) => [seat, (i / seats.length) * 2 * Math.PI - Math.PI / 2]));
  const at = (seat: string): [number, number] => {
    const angle = place.get(seat) ?? 0;
    return [size / 2 + Math.cos(angle) * (size / 2 - 22), size / 2 + Math.sin(angle) * (size / 2 - 22)];
  };
  const small = seats.length <= 14;
  for (const [pairs, dash] of [[plan.edges, []], [plan.last_edges, [4, 3]]] as [[string, string][], number[]][]) {
    context.setLineDash(dash);
    context.strokeStyle = context.fillStyle = t.groups.plan;
    context.lineWidth = small ? 1.4 : 0.8;
    for (const [u, v] of pairs) {
      const [x0, y0] = at(u);
      const [x1, y1] = at(v);
      context.beginPath();
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
      context.stroke();
      arrow(context, x0, y0, x1, y1, small ? 11 : 5, 7);
    }
  }
  context.setLineDash([]);
  context.font = "600 9px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const seat of seats) {
    const [x, y] = at(seat);
    context.beginPath();
    context.arc(x, y, small ? 10 : 4, 0, 2 * Math.PI);
    context.fillStyle = t.node;
    context.fill();
    context.fillStyle = t.ink;
    if (small) context.fillText(oneLine(seat, 4), x, y);
  }
  return canvas;
}

function hint(words: string): HTMLElement {
  return h("p", "hint", words);
}
