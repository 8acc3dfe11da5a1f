import "uplot/dist/uPlot.min.css";
import "./viewer.css";

// The shell: where we are (the part of the address behind #), the bar above, keys and colours.

import { getNow, isLive, type Comparison, type RunHead } from "./data.js";
import { fill, foreign, h, oneLine } from "./dom.js";
import { Keys } from "./keys.js";
import { ComparePage, RunPage, RunsPage, type PageView } from "./pages.js";
import { Rollout } from "./rollout.js";
import { RolloutPage } from "./rollout_page.js";

const THEME = "tidings-theme";

const crumbs = h("nav", { class: "crumbs", attrs: { "aria-label": "Where we are" } });
const content = h("div", "content");
let page: PageView | null = null;
let asked = 0;
let showing = "";

const keys: Keys = new Keys([
  ["?", "?", "this page of keys", () => keys.help()],
  ["t", "t", "light or dark", () => switchTheme()],
  ["g", "g", "all runs", () => (location.hash = "#/")],
]);

document.body.prepend(
  h(
    "header",
    "top",
    h("a", { class: "mark", attrs: { href: "#/" } }, mark(), "tidings"),
    crumbs,
    h("span", "spring"),
    isLive ? null : h("span", { class: "soft small", title: "made by tidings view --bundle" }, "static copy"),
    h("button", { title: "light or dark (t)", attrs: { "aria-label": "light or dark" }, on: { click: () => switchTheme() } }, "◐"),
    h("button", { title: "keys (?)", attrs: { "aria-label": "keys" }, on: { click: () => keys.help() } }, "?"),
  ),
  content,
);

function mark(): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  const part = (tag: string, set: Record<string, string>) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(set)) element.setAttribute(name, value);
    svg.append(element);
  };
  part("path", { d: "M6 17 L12 6 L18 17", class: "mark-line" });
  part("circle", { cx: "12", cy: "6", r: "3.4", class: "mark-a" });
  part("circle", { cx: "6", cy: "17", r: "3.4", class: "mark-b" });
  part("circle", { cx: "18", cy: "17", r: "3.4", class: "mark-c" });
  return svg;
}

function setTheme(name: string | null): void {
  const dark = name ? name === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

function switchTheme(): void {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(THEME, next);
  } catch {
    // a page from the disk may have no storage
  }
  setTheme(next);
  page?.themed?.();
}

function storedTheme(): string | null {
  try {
    return localStorage.getItem(THEME);
  } catch {
    return null;
  }
}

async function route(force = false): Promise<void> {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  if (!force && path === showing && page) return;
  const mine = ++asked;
  const parts = path.split("/").filter(Boolean);
  try {
    const next = await open(parts, new URLSearchParams(query));
    if (mine !== asked) {
      next.view.close?.();
      return;
    }
    page?.close?.();
    page = next.view;
    showing = path;
    document.title = [...next.trail.map(([words]) => oneLine(words, 60)).reverse(), "tidings"].join(" · ");
    fill(crumbs, next.trail.map(([words, href]) => [h("span", "slash", "/"), href ? h("a", { attrs: { href } }, foreign(words, 80)) : h("b", null, foreign(words, 80))]));
    content.replaceChildren(page.element);
  } catch (error) {
    if (mine !== asked) return;
    page?.close?.();
    page = null;
    fill(content, h("main", "page", h("p", "problem", foreign((error as Error).message, 2000)), h("p", null, h("a", { class: "report-link", attrs: { href: "#/" } }, "All runs"))));
  }
}

type Opened = { view: PageView; trail: [string, string | null][] };

async function open(parts: string[], query: URLSearchParams): Promise<Opened> {
  const [kind, first, second] = parts;
  if (kind === "run" && first && second) {
    const head = await getNow<RunHead>(`run/${first}`);
    const rollout = await Rollout.load(head, Number(second));
    return { view: new RolloutPage(head, rollout, query, keys), trail: [[head.label, `#/run/${first}`], [`rollout ${second}`, null]] };
  }
  if (kind === "run" && first) {
    const head = await getNow<RunHead>(`run/${first}`);
    return { view: new RunPage(head, keys, () => void route(true)), trail: [[head.label, null]] };
  }
  if (kind === "compare" && first && second) {
    const comparison = await getNow<Comparison>(`compare/${first}/${second}`);
    return { view: new ComparePage(comparison, [first, second], keys), trail: [["compare", null]] };
  }
  return { view: new RunsPage(keys), trail: [] };
}

// The token came in the address; the server has put it into a cookie. It does not stay where it can be copied.
if (isLive && location.search) history.replaceState(null, "", `${location.pathname}${location.hash}`);
setTheme(storedTheme());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (storedTheme()) return;
  setTheme(null);
  page?.themed?.();
});
window.addEventListener("hashchange", () => void route());
void route();
