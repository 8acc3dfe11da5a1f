// What the reader of a rollout looks at: one small store that stage, timeline and panels listen to.

export type Mode = "belief" | "known" | "action" | "plain";

export interface Looking {
  step: number;
  playing: boolean;
  speed: number;
  event: number | null;
  seat: number | null;
  /** Whether the stage shows only what the chosen seat may know. */
  asSeat: boolean;
  mode: Mode;
  /** Number of the fact whose spread the stage shows. */
  fact: number | null;
  tab: string;
  call: number | null;
}

export type Change = Partial<Looking>;
type Listener = (now: Looking, changed: Set<keyof Looking>) => void;

export class View {
  private listeners: Listener[] = [];

  constructor(readonly now: Looking) {}

  set(change: Change): void {
    const changed = new Set<keyof Looking>();
    for (const [key, value] of Object.entries(change) as [keyof Looking, never][]) {
      if (this.now[key] !== value) {
        this.now[key] = value;
        changed.add(key);
      }
    }
    if (changed.size) for (const listener of this.listeners) listener(this.now, changed);
  }

  on(listener: Listener): void {
    this.listeners.push(listener);
  }
}
