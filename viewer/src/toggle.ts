// A box to tick, with its words.

import { h } from "./dom.js";

export function toggle(words: string, on: boolean, changed: (on: boolean) => void): HTMLElement {
  const box = h("input", { attrs: { type: "checkbox" }, on: { change: () => changed(box.checked) } });
  box.checked = on;
  return h("label", "toggle", box, words);
}
