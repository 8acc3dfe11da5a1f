// One rollout in memory: its columns, and pages of events and states as they are asked for.

import { get, getNow, type Block, type Columns, type LogEvent, type RunHead } from "./data.js";
import { GROUPS, groupOf } from "./colours.js";

const STEPS_PER_BLOCK = 64;

export interface States {
  belief: (number | null)[];
  known: (number | null)[];
  action: (number | null)[];
}

export class Rollout {
  /** First event of each step; one longer than the number of steps. */
  first!: Int32Array;
  /** Step of each event. */
  stepOf!: Int32Array;
  /** Position in GROUPS of each event. */
  group!: Uint8Array;
  private masks = new Map<number, Uint8Array>();

  constructor(
    readonly head: RunHead,
    public columns: Columns,
  ) {
    this.index();
  }

  static async load(head: RunHead, number: number): Promise<Rollout> {
    return new Rollout(head, await getNow<Columns>(`run/${head.id}/${number}`));
  }

  get path(): string {
    return `run/${this.head.id}/${this.columns.rollout}`;
  }

  get steps(): number {
    return this.columns.step_sizes.length;
  }

  get isOpen(): boolean {
    return this.columns.status === "open";
  }

  /** Looks whether the rollout has grown; true if it has. */
  async grow(): Promise<boolean> {
    const columns = await getNow<Columns>(this.path);
    if (columns.n === this.columns.n && columns.status === this.columns.status) return false;
    this.columns = columns;
    this.index();
    return true;
  }

  private index(): void {
    const { step_sizes, kind, kinds } = this.columns;
    this.first = new Int32Array(step_sizes.length + 1);
    this.stepOf = new Int32Array(kind.length);
    step_sizes.forEach((size, step) => {
      const begin = this.first[step]!;
      this.first[step + 1] = begin + size;
      this.stepOf.fill(step, begin, begin + size);
    });
    const places = kinds.map((name) => GROUPS.indexOf(groupOf(name)));
    this.group = Uint8Array.from(kind, (k) => places[k]!);
    this.masks.clear();
  }

  /** A page or block that can no longer change is kept; the last one is fetched anew when the rollout grows. */
  private version(isLast: boolean): number {
    return isLast ? this.columns.n : -1;
  }

  async event(i: number): Promise<LogEvent> {
    const { page, n } = this.columns;
    const number = Math.floor(i / page);
    const events = await get<LogEvent[]>(`${this.path}/events/${number}`, this.version((number + 1) * page > n));
    const found = events[i - number * page];
    if (!found) throw new Error(`event ${i} is not in the log`);
    return found;
  }

  async events(begin: number, end: number): Promise<LogEvent[]> {
    const { page } = this.columns;
    const numbers: number[] = [];
    for (let p = Math.floor(begin / page); p * page < end; p++) numbers.push(p);
    await Promise.all(numbers.map((p) => this.event(Math.min(p * page, this.columns.n - 1))));
    return Promise.all(Array.from({ length: end - begin }, (_, k) => this.event(begin + k)));
  }

  /** What the seats believe, know and did last, at the end of a step. */
  async states(step: number): Promise<States> {
    const number = Math.floor(step / STEPS_PER_BLOCK);
    const isLast = (number + 1) * STEPS_PER_BLOCK >= this.steps;
    const block = await get<Block>(`${this.path}/block/${number}`, this.version(isLast));
    const states = {} as States;
    for (const name of ["belief", "known", "action"] as const) {
      const { base, steps, seats, values } = block[name];
      const now = base.slice();
      for (let k = 0; k < steps.length && steps[k]! <= step; k++) now[seats[k]!] = values[k]!;
      states[name] = now;
    }
    return states;
  }

  /** For each audience whether a seat is in it, as the server's `is_visible` said. */
  mask(seat: number): Uint8Array {
    let mask = this.masks.get(seat);
    if (!mask) {
      mask = Uint8Array.from(this.columns.reach, (seats) => (seats.includes(seat) ? 1 : 0));
      this.masks.set(seat, mask);
    }
    return mask;
  }

  isVisible(event: number, seat: number): boolean {
    return this.mask(seat)[this.columns.audience[event]!] === 1;
  }

  /** Seats other than the sender that may know of an event. */
  hearers(event: number): number[] {
    const sender = this.columns.seat[event]!;
    return this.columns.reach[this.columns.audience[event]!]!.filter((seat) => seat !== sender);
  }

  kindOf(event: number): string {
    return this.columns.kinds[this.columns.kind[event]!]!;
  }

  seatName(seat: number): string {
    return seat < 0 ? "" : this.columns.seats[seat]!;
  }

  /** Who may know of an event, in words. */
  audienceWords(event: number, most = 4): string {
    const names = this.columns.audiences[this.columns.audience[event]!]!;
    if (!names.length) return "nobody";
    const sender = this.seatName(this.columns.seat[event]!);
    const words = names.filter((name) => name !== sender).map((name) => (name === "*" ? "everyone" : name));
    if (!words.length) return "itself";
    return words.length <= most ? words.join(", ") : `${words.slice(0, most - 1).join(", ")} +${words.length - most + 1}`;
  }
}

/** The words of an event in one line: what was said or done, else its data. */
export function wordsOf(event: LogEvent): string {
  const data = event.data;
  if (event.kind === "reply") return typeof data.action === "object" ? pairs(data.action) : String(data.action ?? "");
  for (const key of ["text", "action", "message", "answer"]) {
    if (typeof data[key] === "string" && data[key]) return data[key];
  }
  if ("fact" in data && "value" in data) return `${String(data.fact)} = ${show(data.value)}`;
  return pairs(data);
}

function pairs(data: unknown): string {
  if (typeof data !== "object" || data === null) return String(data ?? "");
  return Object.entries(data)
    .map(([key, value]) => `${key}: ${show(value)}`)
    .join(" · ");
}

export function show(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
  return JSON.stringify(value) ?? "";
}
