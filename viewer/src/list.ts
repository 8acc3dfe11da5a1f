// A list of any length: only the rows in sight are elements.

import { h } from "./dom.js";

export class VirtualList {
  readonly element: HTMLElement;
  private inner: HTMLElement;
  private rows = new Map<number, HTMLElement>();
  private n = 0;
  private frame = 0;
  /** A row to bring into sight as soon as the list has a size. */
  private wanted: number | null = null;

  constructor(
    readonly rowHeight: number,
    private make: (row: number) => HTMLElement,
    label: string,
  ) {
    this.inner = h("div", "list-inner");
    this.element = h("div", { class: "list", attrs: { tabindex: "0", role: "listbox", "aria-label": label } }, this.inner);
    this.element.addEventListener("scroll", () => this.later());
    new ResizeObserver(() => {
      if (this.wanted !== null && this.element.clientHeight) this.reveal(this.wanted);
      this.later();
    }).observe(this.element);
  }

  /** Shows `n` rows anew. */
  show(n: number): void {
    this.n = n;
    this.inner.style.height = `${n * this.rowHeight}px`;
    for (const row of this.rows.values()) row.remove();
    this.rows.clear();
    this.draw();
  }

  /** Makes the rows in sight anew. */
  refresh(): void {
    for (const row of this.rows.values()) row.remove();
    this.rows.clear();
    this.draw();
  }

  reveal(row: number): void {
    this.wanted = this.element.clientHeight ? null : row;
    const top = row * this.rowHeight;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop || top + this.rowHeight > scrollTop + clientHeight) {
      this.element.scrollTop = Math.max(0, top - clientHeight / 2);
    }
    this.later();
  }

  private later(): void {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    this.frame = 0;
    const { scrollTop, clientHeight } = this.element;
    const first = Math.max(0, Math.floor(scrollTop / this.rowHeight) - 6);
    const last = Math.min(this.n, Math.ceil((scrollTop + clientHeight) / this.rowHeight) + 6);
    for (const [number, row] of this.rows) {
      if (number < first || number >= last) {
        row.remove();
        this.rows.delete(number);
      }
    }
    for (let number = first; number < last; number++) {
      if (this.rows.has(number)) continue;
      const row = this.make(number);
      row.style.transform = `translateY(${number * this.rowHeight}px)`;
      this.rows.set(number, row);
      this.inner.append(row);
    }
  }
}
