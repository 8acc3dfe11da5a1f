// The pages around a rollout: all runs, one run, two runs side by side.

import { getNow, isLive, type Comparison, type Metric, type Page, type RolloutRow, type RunHead, type RunRow } from "./data.js";
import { count, figure, fill, foreign, h, oneLine, plural, type Child } from "./dom.js";
import type { Keys } from "./keys.js";
import { toggle } from "./toggle.js";
import { show } from "./rollout.js";

const STATUS_WORDS: Record<string, string> = {
  done: "done",
  running: "running",
  interrupted: "interrupted",
  limit: "stopped at a cap",
  broken: "broken off",
  unknown: "unknown",
};

export interface PageView {
  element: HTMLElement;
  close?: () => void;
  themed?: () => void;
}

export function statusTag(row: RunRow): HTMLElement {
  const tag = h("span", `status s-${row.problem || row.failed ? "broken" : row.status}`, row.problem ? "unreadable" : (STATUS_WORDS[row.status] ?? row.status));
  if (row.message || row.problem) tag.title = oneLine(row.problem || row.message, 300);
  return tag;
}

function progress(row: RunRow): HTMLElement {
  const total = Math.max(1, row.rollouts);
  const ok = h("i", "ok");
  ok.style.width = `${((row.done - row.failed) / total) * 100}%`;
  const failed = h("i", "failed");
  failed.style.width = `${(row.failed / total) * 100}%`;
  return h("span", "progress", h("span", "progress-bar", ok, failed), h("span", "num", `${count(row.done)}/${count(row.rollouts)}`), row.failed ? h("b", "warn", ` ${count(row.failed)} failed`) : null);
}

function scroll(table: HTMLElement): HTMLElement {
  return h("div", "scroll", table);
}

/** A value with its interval on a common scale, and the rational twin as a hollow mark. */
function interval(metric: Metric): HTMLElement {
  const low = metric.low ?? metric.value;
  const high = metric.high ?? metric.value;
  const isShare = [metric.value, low, high, metric.twin].every((x) => x === null || (x >= 0 && x <= 1));
  if (metric.value === null || low === null || high === null || !isShare) return h("span", "interval empty");
  const band = h("i", "band");
  band.style.left = `${low * 100}%`;
  band.style.width = `${(high - low) * 100}%`;
  const dot = h("i", "point");
  dot.style.left = `${metric.value * 100}%`;
  const box = h("span", { class: "interval", title: `${figure(metric.value)} (${figure(low)} to ${figure(high)}), n = ${metric.n}` }, band, dot);
  if (metric.twin !== null && metric.twin !== undefined) {
    const twin = h("i", { class: "twin", title: `rational twin ${figure(metric.twin)}` });
    twin.style.left = `${metric.twin * 100}%`;
    box.append(twin);
  }
  return box;
}

export class RunsPage implements PageView {
  readonly element: HTMLElement;
  private rows: RunRow[] = [];
  private shown: RunRow[] = [];
  private chosen = new Set<string>();
  private cursor = 0;
  private sortBy = "began";
  private down = true;
  private timer = 0;
  private body = h("tbody");
  private state = h("span", "soft");
  private compareButton = h("button", { class: "primary", title: "compare two chosen runs (c)", on: { click: () => this.compare() } }, "compare");
  private search = h("input", {
    class: "search wide",
    attrs: { type: "search", placeholder: "search runs: name, environment, model, status", "aria-label": "Search runs", spellcheck: "false" },
    on: { input: () => this.filter() },
  });

  constructor(keys: Keys) {
    const heads: [string, string][] = [
      ["", ""],
      ["name", "run"],
      ["environment", "environment"],
      ["status", "status"],
      ["done", "rollouts"],
      ["metric", "first figure, with its interval; ◇ rational twin"],
      ["calls", "model calls"],
      ["tokens", "tokens"],
      ["usd", "cost"],
      ["began", "begun"],
    ];
    this.element = h(
      "main",
      "page runs",
      h("div", "bar", this.search, this.compareButton, this.state),
      h(
        "div",
        "scroll",
        h(
          "table",
          "runs-table",
          h("thead", null, h("tr", null, heads.map(([by, words]) => h("th", { class: by && `h-${by}`, attrs: { scope: "col" } }, by && by !== "metric" ? h("button", { on: { click: () => this.sort(by) } }, words) : words)))),
          this.body,
        ),
      ),
    );
    keys.use("Runs", [
      ["j", "j ↓", "next run", () => this.move(1)],
      ["k", "k ↑", "previous run", () => this.move(-1)],
      ["ArrowDown", "", "", () => this.move(1)],
      ["ArrowUp", "", "", () => this.move(-1)],
      ["Enter", "enter", "open", () => this.shown[this.cursor] && this.openRun(this.shown[this.cursor]!)],
      ["x", "x", "choose for comparing", () => this.shown[this.cursor] && this.choose(this.shown[this.cursor]!.id)],
      ["c", "c", "compare two chosen runs", () => this.compare()],
      ["/", "/", "search", () => this.search.focus()],
    ]);
    void this.load();
    if (isLive) this.timer = window.setInterval(() => void this.load(), 4000);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async load(): Promise<void> {
    try {
      this.rows = await getNow<RunRow[]>("runs");
      this.filter();
    } catch (error) {
      this.state.textContent = (error as Error).message;
    }
  }

  private sort(by: string): void {
    this.down = this.sortBy === by ? !this.down : by !== "name" && by !== "environment";
    this.sortBy = by;
    this.filter();
  }

  private filter(): void {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const textOf = (row: RunRow) => [row.label, row.name, row.environment, row.status, ...(row.models ?? [])].join(" ").toLowerCase();
    this.shown = this.rows.filter((row) => words.every((word) => textOf(row).includes(word)));
    const value = (row: RunRow): number | string => {
      if (this.sortBy === "name") return row.label;
      const found = (row as unknown as Record<string, number | string | null>)[this.sortBy];
      return found ?? (typeof found === "string" ? "" : -1);
    };
    this.shown.sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      const order = typeof x === "string" || typeof y === "string" ? String(x).localeCompare(String(y), "en", { numeric: true }) : x - y;
      return (this.down ? -order : order) || a.label.localeCompare(b.label, "en", { numeric: true });
    });
    this.cursor = Math.max(0, Math.min(this.cursor, this.shown.length - 1));
    this.draw();
  }

  private draw(): void {
    const all = this.rows.length;
    this.state.textContent = !all ? "" : this.shown.length === all ? plural(all, "run") : `${this.shown.length} of ${plural(all, "run")}`;
    this.compareButton.disabled = this.chosen.size !== 2;
    const rows = this.shown.map((row, i) => this.row(row, i));
    if (!rows.length) rows.push(h("tr", null, h("td", { attrs: { colspan: "10" } }, h("p", "hint", all ? "No run matches." : "No runs here yet. `tidings run SCENARIO` makes one; it appears by itself."))));
    fill(this.body, rows);
  }

  private row(row: RunRow, i: number): HTMLTableRowElement {
    const box = h("input", { attrs: { type: "checkbox", "aria-label": `choose ${oneLine(row.label)}` }, on: { change: () => this.choose(row.id), click: (event) => event.stopPropagation() } });
    box.checked = this.chosen.has(row.id);
    const first = (row.metrics ?? []).find((metric) => metric.value !== null) ?? row.metrics?.[0];
    const metric: Child = !first
      ? h("span", "soft", row.status === "running" ? "at the end" : "–")
      : first.value === null
        ? h("span", { class: "warn", title: oneLine(first.reason, 200) }, `${first.name}: no value`)
        : [h("span", "metric-name", foreign(first.name, 40)), h("b", "num", figure(first.value)), interval(first)];
    return h(
      "tr",
      { class: `${i === this.cursor ? "cursor" : ""}${this.chosen.has(row.id) ? " picked" : ""}`, attrs: { "data-run": row.id }, on: { click: () => this.openRun(row) } },
      h("td", null, box),
      h("td", "name", h("a", { attrs: { href: `#/run/${row.id}` } }, foreign(row.label, 120))),
      h("td", null, foreign(row.environment ?? "", 60)),
      h("td", null, statusTag(row)),
      h("td", null, row.problem && !row.rollouts ? h("span", "soft", "–") : progress(row)),
      h("td", "metric", metric),
      h("td", "num", row.calls ? count(row.calls) : h("span", "soft", "–")),
      h("td", "num", row.tokens ? count(row.tokens) : h("span", "soft", "–")),
      h("td", "num", row.usd ? `$${figure(row.usd)}` : h("span", "soft", "–")),
      h("td", "soft num", row.began ? when(row.began) : ""),
    );
  }

  private openRun(row: RunRow): void {
    location.hash = `#/run/${row.id}`;
  }

  private move(by: number): void {
    this.cursor = Math.max(0, Math.min(this.shown.length - 1, this.cursor + by));
    this.draw();
    this.body.children[this.cursor]?.scrollIntoView({ block: "nearest" });
  }

  private choose(id: string): void {
    if (this.chosen.has(id)) this.chosen.delete(id);
    else this.chosen.add(id);
    if (this.chosen.size > 2) this.chosen.delete([...this.chosen][0]!);
    this.draw();
  }

  private compare(): void {
    if (this.chosen.size !== 2) return;
    const [first, second] = this.rows.filter((row) => this.chosen.has(row.id)).sort((a, b) => (a.began ?? 0) - (b.began ?? 0));
    location.hash = `#/compare/${first!.id}/${second!.id}`;
  }
}

export class RunPage implements PageView {
  readonly element = h("main", "page run");
  private timer = 0;
  private page = 0;
  private onlyFailures = false;
  private cursor = 0;
  private rows: RolloutRow[] = [];
  private body = h("tbody");
  private pager = h("div", "bar");

  constructor(
    private head: RunHead,
    keys: Keys,
    private renew: () => void,
  ) {
    const isSummary = head.log === "summary";
    fill(
      this.element,
      h("header", "run-head", h("h1", null, foreign(head.label, 160)), statusTag(head), progress(head), h("span", "soft", foreign(head.environment, 60), head.seed === null ? "" : ` · seed ${head.seed}`, head.models.length ? [" · ", foreign(head.models.join(", "), 200)] : null)),
      head.description ? h("p", "lead", foreign(head.description, 1000)) : null,
      this.notice(),
      this.cost(),
      this.report(),
      h(
        "div",
        "columns",
        h("section", null, h("h2", null, "What came out"), this.metrics()),
        h("section", null, h("h2", null, isSummary ? "Rows" : "Rollouts"), isSummary ? h("p", "soft", "This run logged one row a rollout: there are no events to look at.") : null, this.pager, h("div", "scroll", h("table", "dense", this.headings(isSummary), this.body))),
      ),
      h("section", null, h("h2", null, "How to get this again"), this.provenance(), h("details", null, h("summary", null, "scenario.yaml"), h("pre", null, foreign(head.scenario, 200_000)))),
    );
    keys.use("This run", [
      ["j", "j ↓", "next rollout", () => this.move(1)],
      ["k", "k ↑", "previous rollout", () => this.move(-1)],
      ["ArrowDown", "", "", () => this.move(1)],
      ["ArrowUp", "", "", () => this.move(-1)],
      ["Enter", "enter", "open", () => this.rows[this.cursor] && this.open(this.rows[this.cursor]![0])],
      ["f", "f", "only rollouts with failures", () => !isSummary && this.filter()],
      ["Escape", "esc", "all runs", () => (location.hash = "#/")],
    ]);
    void this.load();
    if (isLive && head.status === "running") this.timer = window.setInterval(() => void this.look(), 2500);
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** Makes the page anew when the run has moved on. */
  private async look(): Promise<void> {
    const now = await getNow<RunHead>(`run/${this.head.id}`).catch(() => this.head);
    if (now.status !== this.head.status || now.n_events !== this.head.n_events) this.renew();
  }

  private notice(): Child {
    const { head } = this;
    const words: Child[] = [];
    if (head.problem) words.push(h("p", "problem", foreign(head.problem, 1000)));
    if (head.status === "running") words.push(h("p", "notice", "Running: the page follows. Figures come at the end."));
    if (head.status === "interrupted" || head.status === "limit" || head.status === "broken") {
      words.push(h("p", "notice", `${STATUS_WORDS[head.status]}`, head.message ? [": ", foreign(head.message, 500)] : null, ". Go on with ", h("code", null, "tidings resume"), "."));
    }
    if (head.failed) words.push(h("p", "notice warn", `${plural(head.failed, "rollout")} failed. Figures have no value while rollouts failed, unless you ask to leave those out.`));
    return words;
  }

  private cost(): Child {
    const { head } = this;
    const parts = [
      head.calls ? `${plural(head.calls, "model call")}${head.cached ? ` (${count(head.cached)} more from the record)` : ""}` : "",
      head.tokens ? `${count(head.tokens)} tokens` : "",
      head.usd ? `$${figure(head.usd)}` : "",
      head.elapsed_s ? `${figure(head.elapsed_s)} s` : "",
      head.log === "full" ? `${count(head.n_events)} events` : "",
      `${plural(head.graph.seats.length, "seat")}${head.graph.complete ? ", everybody hears everybody" : `, ${plural(head.graph.edges.length, "edge")}`}`,
    ];
    return h("p", "soft", parts.filter(Boolean).join(" · "));
  }

  private report(): Child {
    if (!isLive) return null; // a static copy holds no reports: they name the folder of the run
    const { id, report } = this.head;
    if (!report) return h("p", "soft", "No report yet: ", h("code", null, "tidings report RUN"), " writes one into the run folder.");
    const link = h("a", { class: "link report-link", attrs: { href: `report/${id}`, target: "_blank", rel: "noopener" } }, "report of this run");
    return h("p", null, link, report === "old" ? h("span", "warn", " written before the run went on; write it again with tidings report") : null);
  }

  private metrics(): Child {
    const { metrics } = this.head;
    if (!metrics.length) return h("p", "soft", this.head.status === "running" ? "At the end of the run." : "No figures are kept in this run's folder.");
    const reason = metrics[0]!.value === null && metrics.every((metric) => metric.value === null && metric.reason === metrics[0]!.reason) ? metrics[0]!.reason : null;
    if (reason) return [h("p", "warn", "No figure has a value: ", foreign(reason, 300), "."), h("p", "soft", foreign(metrics.map((metric) => metric.name).join(", "), 2000))];
    return scroll(h(
      "table",
      "dense metrics",
      metrics.map((metric) =>
        h(
          "tr",
          null,
          h("td", "nowrap", foreign(metric.name, 60)),
          h("td", "num", h("b", null, figure(metric.value))),
          h("td", null, interval(metric)),
          metric.value === null
            ? h("td", { class: "warn", attrs: { colspan: "3" } }, foreign(metric.reason ?? "", 300))
            : [
                h("td", "soft num", metric.low === null ? "" : `${figure(metric.low)} to ${figure(metric.high)}`),
                h("td", "soft nowrap", metric.twin === null || metric.twin === undefined ? "" : `twin ${figure(metric.twin)}`),
                h("td", "soft", foreign(metric.unit, 60)),
              ],
        ),
      ),
    ));
  }

  private headings(isSummary: boolean): HTMLElement {
    const words = isSummary ? [] : ["rollout", "how it ended", "steps", "events", "failures"];
    return h("thead", null, h("tr", null, words.map((word) => h("th", null, word))));
  }

  private async load(): Promise<void> {
    try {
      if (this.head.log === "summary") await this.loadRows();
      else await this.loadRollouts();
    } catch (error) {
      fill(this.pager, h("span", "problem", (error as Error).message));
    }
  }

  private async loadRollouts(): Promise<void> {
    const page = await getNow<Page<RolloutRow>>(`run/${this.head.id}/${this.onlyFailures ? "failures" : "rollouts"}/${this.page}`);
    this.rows = page.rows;
    this.draw();
    this.turnPages(page, "rollout");
    if (this.head.failed || this.onlyFailures) {
      this.pager.append(
        toggle("only with failures (f)", this.onlyFailures, () => this.filter()),
      );
    }
    if (!page.n && !this.onlyFailures) fill(this.pager, h("span", "hint", "No rollout has begun: the log is empty."));
  }

  private filter(): void {
    this.onlyFailures = !this.onlyFailures;
    this.page = this.cursor = 0;
    void this.load();
  }

  private draw(): void {
    fill(
      this.body,
      this.rows.map(([number, status, steps, events, failures], i) =>
        h(
          "tr",
          { class: i === this.cursor ? "cursor" : "", attrs: { "data-rollout": String(number) }, on: { click: () => this.open(number) } },
          h("td", "num", h("a", { attrs: { href: `#/run/${this.head.id}/${number}` } }, String(number))),
          h("td", null, h("span", `status s-${status === "ok" ? "done" : status === "failed" ? "broken" : "running"}`, status === "open" ? (this.head.status === "running" ? "running" : "unfinished") : status)),
          h("td", "num", count(steps)),
          h("td", "num", count(events)),
          h("td", failures ? "num warn" : "num soft", count(failures)),
        ),
      ),
    );
  }

  private async loadRows(): Promise<void> {
    const page = await getNow<Page<unknown[]>>(`run/${this.head.id}/summary/${this.page}`);
    const table = this.body.parentElement!;
    fill(table.querySelector("thead")!, h("tr", null, (page.columns ?? []).map((name) => h("th", null, foreign(name, 40)))));
    fill(this.body, page.rows.map((row) => h("tr", null, row.map((value) => h("td", "num", foreign(oneLine(show(value ?? "–"), 60)))))));
    this.turnPages(page, "row");
  }

  private turnPages(page: Page<unknown>, word: string): void {
    const last = Math.max(0, Math.ceil(page.n / page.page) - 1);
    if (!last) {
      fill(this.pager, h("span", "soft", plural(page.n, word)));
      return;
    }
    const turn = (by: number) => {
      this.page = Math.max(0, Math.min(last, this.page + by));
      this.cursor = 0;
      void this.load();
    };
    fill(this.pager, h("button", { on: { click: () => turn(-1) } }, "←"), h("span", "soft", `page ${this.page + 1} of ${last + 1} · ${plural(page.n, word)}`), h("button", { on: { click: () => turn(1) } }, "→"));
  }

  private move(by: number): void {
    if (!this.rows.length) return;
    this.cursor = Math.max(0, Math.min(this.rows.length - 1, this.cursor + by));
    this.draw();
    this.body.children[this.cursor]?.scrollIntoView({ block: "nearest" });
  }

  private open(rollout: number): void {
    location.hash = `#/run/${this.head.id}/${rollout}`;
  }

  private provenance(): HTMLElement {
    const { manifest } = this.head;
    const git = manifest.git;
    const rows: [string, string][] = [
      ["python", manifest.python ?? ""],
      ["platform", manifest.platform ?? ""],
      ["packages", Object.entries(manifest.packages ?? {}).map(([name, version]) => `${name} ${version}`).join(", ")],
      ["working copy", git ? `${git.commit.slice(0, 12)}${git.is_dirty ? " with local changes" : ""}` : "not in a git checkout"],
    ];
    return h("table", "pairs", rows.filter(([, text]) => text).map(([name, text]) => h("tr", null, h("th", null, name), h("td", null, foreign(text)))));
  }
}

export class ComparePage implements PageView {
  readonly element = h("main", "page compare");

  constructor(comparison: Comparison, ids: [string, string], keys: Keys) {
    const [a, b] = comparison.labels;
    const settings = Object.entries(comparison.settings);
    const widest = Math.max(1e-12, ...comparison.rows.map(({ difference: d }) => Math.max(Math.abs(d.low ?? d.value ?? 0), Math.abs(d.high ?? d.value ?? 0))));
    fill(
      this.element,
      h("header", "run-head", h("h1", null, h("a", { attrs: { href: `#/run/${ids[0]}` } }, foreign(a, 80)), h("span", "soft", " against "), h("a", { attrs: { href: `#/run/${ids[1]}` } }, foreign(b, 80)))),
      h("p", comparison.is_paired ? "soft" : "notice", `${plural(comparison.n, "rollout")}, ${comparison.is_paired ? "paired by seed: rollouts of equal number share their random draws" : "not paired: the seeds differ"}`),
      h("h2", null, "What was asked differently"),
      settings.length
        ? scroll(h("table", "dense settings", h("thead", null, h("tr", null, ["setting", a, b].map((words) => h("th", null, foreign(words, 60))))), h("tbody", null, settings.map(([path, [x, y]]) => h("tr", null, h("td", null, h("code", null, foreign(path, 120))), h("td", null, setting(x)), h("td", null, setting(y)))))))
        : h("p", "soft", "Nothing: the scenarios are equal."),
      h("h2", null, "What came out"),
      comparison.rows.length
        ? scroll(h(
            "table",
            "dense",
            h("thead", null, h("tr", null, ["figure", a, b, "second − first", "95 % interval", ""].map((words, i) => h("th", i && words ? "num" : null, foreign(words, 60))))),
            h("tbody", null, comparison.rows.map((row) => h("tr", null, h("td", null, foreign(row.name, 60)), h("td", "num", figure(row.first.value)), h("td", "num", figure(row.second.value)), h("td", "num", h("b", null, figure(row.difference.value))), h("td", "soft num", row.difference.low === null ? foreign(row.difference.reason ?? "", 100) : `${figure(row.difference.low)} to ${figure(row.difference.high)}`), h("td", null, around(row.difference, widest))))),
          ))
        : h("p", "soft", "These runs have no figures in common."),
    );
    keys.use("Two runs", [["Escape", "esc", "all runs", () => (location.hash = "#/")]]);
  }
}

/** A setting of one of two runs; a dash where it is not set. */
function setting(value: unknown): Child {
  return value === null ? h("span", "soft", "–") : foreign(show(value), 300);
}

/** A difference with its interval around zero. */
function around(metric: Metric, widest: number): HTMLElement {
  if (metric.value === null) return h("span", "interval empty");
  const place = (x: number) => 50 + (x / widest) * 48;
  const band = h("i", "band");
  const low = metric.low ?? metric.value;
  const high = metric.high ?? metric.value;
  band.style.left = `${place(low)}%`;
  band.style.width = `${place(high) - place(low)}%`;
  const dot = h("i", "point");
  dot.style.left = `${place(metric.value)}%`;
  return h("span", "interval zero", band, dot);
}

function when(seconds: number): string {
  const date = new Date(seconds * 1000);
  const pad = (n: number) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${pad(date.getHours())}:${pad(date.getMinutes())}`;
}
