// Building pages out of elements. Text from outside only ever becomes text nodes; there is no innerHTML anywhere.

export type Child = Node | string | number | null | undefined | false | Child[];

type Props = {
  class?: string;
  title?: string;
  on?: { [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void };
  attrs?: Record<string, string>;
};

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props | string | null = null,
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  const given: Props = typeof props === "string" ? { class: props } : (props ?? {});
  if (given.class) element.className = given.class;
  if (given.title) element.title = given.title;
  for (const [name, value] of Object.entries(given.attrs ?? {})) element.setAttribute(name, value);
  for (const [name, listener] of Object.entries(given.on ?? {})) {
    element.addEventListener(name, listener as EventListener);
  }
  add(element, children);
  return element;
}

export function add(parent: Node, children: Child): void {
  if (children === null || children === undefined || children === false) return;
  if (Array.isArray(children)) for (const child of children) add(parent, child);
  else parent.appendChild(children instanceof Node ? children : document.createTextNode(String(children)));
}

export function fill(parent: Element, ...children: Child[]): void {
  parent.replaceChildren();
  add(parent, children);
}

// Characters that can hide or reorder text, or steer a terminal: shown by name, never obeyed.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

const LONG = 6000;

/** Text from outside, with hidden characters made visible and long text folded. */
export function foreign(text: string, limit = LONG): DocumentFragment {
  const fragment = document.createDocumentFragment();
  if (text.length <= limit) {
    marked(fragment, text);
    return fragment;
  }
  marked(fragment, text.slice(0, limit));
  const rest = text.length - limit;
  const button = h("button", { class: "fold", on: { click: () => open() } }, `… show the other ${count(rest)} characters`);
  const open = () => {
    const more = document.createDocumentFragment();
    marked(more, text.slice(limit));
    button.replaceWith(more);
  };
  fragment.append(button);
  return fragment;
}

function marked(parent: Node, text: string): void {
  let last = 0;
  for (const found of text.matchAll(HIDDEN)) {
    if (found.index > last) parent.appendChild(document.createTextNode(text.slice(last, found.index)));
    const code = found[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
    parent.appendChild(h("span", { class: "hidden-char", title: `hidden character U+${code}` }, code));
    last = found.index + found[0].length;
  }
  if (last < text.length) parent.appendChild(document.createTextNode(text.slice(last)));
}

/** One line of text from outside, for canvas and attributes: hidden characters become a box. */
export function oneLine(text: string, limit = 160): string {
  const line = text.slice(0, limit * 2).replace(/\s+/g, " ").replace(HIDDEN, "\u25a1").trim();
  return line.length > limit ? `${line.slice(0, limit - 1)}…` : line;
}

export function count(n: number): string {
  return n.toLocaleString("en");
}

export function figure(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  return Number(value.toPrecision(digits)).toString();
}

export function plural(n: number, word: string): string {
  return `${count(n)} ${word}${n === 1 ? "" : "s"}`;
}

export function debounce(wait: number, work: () => void): () => void {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(work, wait);
  };
}
