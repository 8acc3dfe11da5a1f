// Colours by meaning, from Okabe and Ito's palette, which colour-blind readers can tell apart.

export type Group = "talk" | "act" | "fact" | "plan" | "inner" | "fail" | "other";

export const GROUPS: Group[] = ["talk", "act", "fact", "plan", "inner", "fail", "other"];

export const GROUP_WORDS: Record<Group, string> = {
  talk: "messages",
  act: "actions",
  fact: "facts",
  plan: "planner",
  inner: "replies, thoughts",
  fail: "failures",
  other: "other",
};

const KINDS: Record<string, Group> = {
  message: "talk",
  action: "act",
  answer: "act",
  fact: "fact",
  fact_declared: "fact",
  signal: "fact",
  state: "fact",
  reply: "inner",
  thought: "inner",
  failure: "fail",
  precision: "plan",
  control: "plan",
  graph: "plan",
  dag: "plan",
  plan: "plan",
  recruited: "plan",
  topology: "plan",
};

export function groupOf(kind: string): Group {
  return KINDS[kind] ?? "other";
}

export interface Theme {
  dark: boolean;
  paper: string;
  panel: string;
  ink: string;
  soft: string;
  line: string;
  edge: string;
  node: string;
  accent: string;
  groups: Record<Group, string>;
}

const LIGHT: Theme = {
  dark: false,
  paper: "#f7f7f5",
  panel: "#ffffff",
  ink: "#1c2025",
  soft: "#626a75",
  line: "#e2e4e7",
  edge: "#b9bec6",
  node: "#d3d8de",
  accent: "#0072b2",
  groups: {
    talk: "#0072b2",
    act: "#e69f00",
    fact: "#009e73",
    plan: "#cc79a7",
    inner: "#9aa1ab",
    fail: "#d55e00",
    other: "#c3c8cf",
  },
};

const DARK: Theme = {
  dark: true,
  paper: "#0f1216",
  panel: "#161a20",
  ink: "#e7eaee",
  soft: "#98a1ad",
  line: "#272d36",
  edge: "#3c444f",
  node: "#3b434e",
  accent: "#56b4e9",
  groups: {
    talk: "#56b4e9",
    act: "#e69f00",
    fact: "#14b88a",
    plan: "#d98bb6",
    inner: "#6d7683",
    fail: "#f07a2b",
    other: "#4a525e",
  },
};

export function theme(): Theme {
  return document.documentElement.dataset.theme === "dark" ? DARK : LIGHT;
}

type Rgb = [number, number, number];

function rgb(hex: string): Rgb {
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)) as Rgb;
}

function mix(from: string, to: string, t: number): string {
  const [a, b] = [rgb(from), rgb(to)];
  return `rgb(${a.map((x, i) => Math.round(x + (b[i]! - x) * t)).join(",")})`;
}

/** Belief in the second state: orange for the first, blue for the second, pale between. */
export function beliefColour(p: number, t: Theme): string {
  const middle = t.dark ? "#4b525c" : "#eceae4";
  return p < 0.5 ? mix(middle, "#d55e00", (0.5 - p) * 2) : mix(middle, t.dark ? "#3aa0e0" : "#0072b2", (p - 0.5) * 2);
}

/** A share from 0 to 1: how much of something a seat has. */
export function shareColour(share: number, t: Theme): string {
  return mix(t.dark ? "#2a3a38" : "#e3efe9", t.dark ? "#14b88a" : "#00805d", Math.sqrt(share));
}

const CATEGORIES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#b3a000"];

export function categoryColour(i: number): string {
  return CATEGORIES[i % CATEGORIES.length]!;
}

/** Black or white, whichever is read better on a colour. */
export function inkOn(colour: string): string {
  const found = colour.startsWith("#") ? rgb(colour) : (colour.match(/\d+/g)!.map(Number) as Rgb);
  const [r, g, b] = found.map((x) => (x / 255) ** 2.2) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.3 ? "#14171a" : "#ffffff";
}
