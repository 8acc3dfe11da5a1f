// Keys, and the page that lists them.

import { fill, h } from "./dom.js";

type Key = [key: string, label: string, words: string, work: () => unknown];

export class Keys {
  private sets: { title: string; keys: Key[] }[] = [];
  private overlay: HTMLDialogElement;

  constructor(private always: Key[]) {
    this.overlay = h("dialog", { class: "help", attrs: { "aria-label": "Keys" } });
    document.body.append(this.overlay);
    document.addEventListener("keydown", (event) => this.press(event));
  }

  /** Replaces the keys of the page. */
  use(title: string, keys: Key[]): void {
    this.sets = [{ title, keys }];
  }

  help(): void {
    if (this.overlay.open) {
      this.overlay.close();
      return;
    }
    const sets = [...this.sets, { title: "Everywhere", keys: this.always }];
    fill(
      this.overlay,
      h("header", null, h("h2", null, "Keys"), h("button", { on: { click: () => this.overlay.close() } }, "close")),
      h("div", "help-sets", sets.map(({ title, keys }) => h("section", null, h("h3", null, title), h("dl", null, keys.map(([, label, words]) => [h("dt", null, h("kbd", null, label)), h("dd", null, words)]))))),
    );
    this.overlay.showModal();
  }

  private press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    const writes = target.matches("input:not([type=checkbox]), textarea, select");
    if (writes) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (this.overlay.open && event.key !== "?") return;
    if (event.key === " " && target.matches("button, summary")) return;
    if (event.key === "Enter" && target.matches("button, summary, a")) return;
    const name = event.shiftKey && event.key.length > 1 ? `Shift+${event.key}` : event.key;
    for (const { keys } of [...this.sets, { keys: this.always }]) {
      const found = keys.find(([key]) => key === name);
      if (found) {
        event.preventDefault();
        found[3]();
        return;
      }
    }
  }
}
