// Where the pages get their data: from the local server, or from the files of a bundle. Same paths, same values.

export interface Metric {
  name: string;
  value: number | null;
  unit: string;
  n: number;
  low: number | null;
  high: number | null;
  reason: string;
  estimator: string;
  twin: number | null;
}

export interface RunRow {
  id: string;
  label: string;
  name: string;
  environment: string;
  seed: number | string | null;
  log: string;
  models: string[];
  status: string;
  message: string;
  rollouts: number;
  done: number;
  failed: number;
  open?: number;
  calls: number;
  cached: number;
  tokens: number;
  usd: number | null;
  elapsed_s: number;
  began: number | null;
  metrics: Metric[];
  problem: string;
}

export interface GraphData {
  seats: string[];
  edges: [number, number][];
  directed: boolean;
  complete: boolean;
  kinds: string[];
  planner: string | null;
}

export interface RunHead extends RunRow {
  description: string;
  /** Whether the run folder holds a report: "current", "old" (the run has gone on since), or "". */
  report: string;
  scenario: string;
  manifest: { python: string; platform: string; packages: Record<string, string>; git: { commit: string; is_dirty: boolean } | null };
  graph: GraphData;
  n_logged: number;
  n_events: number;
}

export type RolloutRow = [number: number, status: string, steps: number, events: number, failures: number];

export interface Page<T> {
  n: number;
  page: number;
  rows: T[];
  columns?: string[];
}

export interface Columns {
  rollout: number;
  status: string;
  page: number;
  n: number;
  seats: string[];
  kinds: string[];
  audiences: string[][];
  reach: number[][];
  step_sizes: number[];
  kind: number[];
  seat: number[];
  audience: number[];
  actions: string[];
  truth: string | null;
  n_facts: number;
  has: { belief: boolean; known: boolean; action: boolean };
}

export interface LogEvent {
  i: number;
  step: number;
  kind: string;
  seat: string | null;
  audience: string[];
  data: Record<string, unknown>;
  /** The data as JSON text, where it holds numbers that JavaScript would change. */
  exact?: string;
  /** Claims found in a message's text: fact, and what is stated of it as JSON text (`not:` before a denial). */
  read?: [fact: string, stated: string][];
}

export interface Changes {
  base: (number | null)[];
  steps: number[];
  seats: number[];
  values: number[];
}

export type Block = Record<"belief" | "known" | "action", Changes>;

export interface FactRow {
  name: string;
  value: unknown;
  owners: string[];
  step: number;
  prior_p: number | null;
  decoy: boolean;
  known: number;
  wrong: number;
  leaks: number;
}

export interface FactSpread {
  name: string;
  met: [seat: number, step: number, index: number, leak: boolean][];
  wrong: number[];
}

export interface PrecisionRow {
  step: number;
  seat: string;
  precision: number;
  cost: number;
  spent: number;
  chosen: boolean;
  public: number | null;
}

/** A graph for one round: an edge [u, v] lets v read u, its new text or (last) what it said before. */
export interface Plan {
  step: number;
  index: number;
  round: number | null;
  stop: boolean | null;
  order: string[] | null;
  schedule: { seat: string; mode: string; reads: string[] }[] | null;
  edges: [string, string][];
  last_edges: [string, string][];
}

export interface AnswerLedger {
  step: number;
  index: number;
  round?: number;
  calls?: number;
  failed?: string[];
  answers?: { seat: string; key: string | null; reason: string | null; psi: number | null; phi: number | null }[];
}

export interface PlannerData {
  control: Record<string, unknown> | null;
  precision: PrecisionRow[];
  plans: Plan[];
  ledgers: AnswerLedger[];
}

export interface CallRow {
  seat: string;
  step: number;
  draw: number;
  kind: string;
  model: string;
  status: string;
  tokens_in: number;
  tokens_out: number;
  usd: number | null;
  latency_s: number;
  attempts: number;
}

export interface Call {
  model: string;
  request: {
    messages: { role: string; content: string }[] | [string, string][];
    kind: string;
    options?: string[];
    schema?: unknown;
    continuation?: string;
    max_tokens?: number;
    temperature?: number;
    top_p?: number;
    seed?: number | string;
  };
  response: { text: string; model: string; finish?: string; probabilities?: number[] | null; mass?: number | null } | null;
  error: { kind: string; message: string; detail?: string } | null;
  cost_usd?: number | null;
  attempts?: number;
}

export interface Comparison {
  labels: [string, string];
  settings: Record<string, [unknown, unknown]>;
  rows: { name: string; first: Metric; second: Metric; difference: Metric }[];
  is_paired: boolean;
  n: number;
}

/** Whether a server answers; a bundle is a set of files. */
export const isLive = document.querySelector('meta[name="tidings-data"]')?.getAttribute("content") !== "files";

export class NotThere extends Error {}

const kept = new Map<string, Promise<unknown>>();
const KEPT = 400;

/** Fetches a resource; `version` names the state of what may still grow, so that the same version is fetched once. */
export function get<T>(path: string, version: string | number = ""): Promise<T> {
  const key = `${path}#${version}`;
  const known = kept.get(key) as Promise<T> | undefined;
  if (known) {
    kept.delete(key);
    kept.set(key, known);
    return known;
  }
  const asked = getNow<T>(path);
  kept.set(key, asked);
  asked.catch(() => kept.delete(key));
  for (const old of kept.keys()) {
    if (kept.size <= KEPT) break;
    kept.delete(old);
  }
  return asked;
}

/** Fetches a resource as it is now. */
export async function getNow<T>(path: string): Promise<T> {
  if (!isLive) return fromFile<T>(path);
  let answer: Response;
  try {
    answer = await fetch(`data/${path}`, { credentials: "same-origin" });
  } catch {
    throw new Error("the viewer's server does not answer; is `tidings view` still running?");
  }
  if (answer.status === 404) throw new NotThere(await answer.text());
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as T;
}

// A page opened from the disk may not fetch files, but it may load scripts. So a bundle keeps its data as scripts that
// hand values over. Everything small about a rollout stands in one file; events and calls have files of their own.
const handed = new Map<string, unknown>();
const loading = new Map<string, Promise<void>>();
(window as unknown as { tidings: (path: string, value: unknown) => void }).tidings = (path, value) => {
  handed.set(path, value);
};

async function fromFile<T>(path: string): Promise<T> {
  if (!handed.has(path)) await load(fileOf(path));
  if (!handed.has(path)) throw missing(path);
  return handed.get(path) as T;
}

function fileOf(path: string): string {
  const [kind, run, rollout, part] = path.split("/");
  const isSmall = kind === "run" && part !== undefined && /^\d+$/.test(rollout ?? "") && part !== "events" && part !== "call";
  return isSmall ? `run/${run}/${rollout}` : path;
}

function load(file: string): Promise<void> {
  let asked = loading.get(file);
  if (!asked) {
    asked = new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `data/${file}.js`;
      script.onload = () => {
        script.remove();
        resolve();
      };
      script.onerror = () => {
        script.remove();
        loading.delete(file);
        reject(missing(file));
      };
      document.head.appendChild(script);
    });
    loading.set(file, asked);
  }
  return asked;
}

function missing(path: string): NotThere {
  const [kind, , rollout] = path.split("/");
  const limit = document.querySelector('meta[name="tidings-rollouts"]')?.getAttribute("content");
  if (kind === "compare") return new NotThere("This copy does not hold the comparison of these two runs; `tidings compare` makes it.");
  if (limit && /^\d+$/.test(rollout ?? "")) {
    return new NotThere(`This copy does not hold rollout ${rollout}: it was made with the first ${limit} rollouts of each run.`);
  }
  return new NotThere(`This copy does not hold ${path}.`);
}
