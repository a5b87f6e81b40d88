// A thing in place: how it stands, its course, its alerts and cases at the side of the map, until Escape.

export class Thing {
  /** `moved(idx)` is called when somebody opens another thing, or closes this one ("" then). */
  constructor(part, moved) {
    Object.assign(this, { part, moved, idx: "", from: null });
    this.inner = part.querySelector("#wall-thing");
    part.querySelector("button").addEventListener("click", () => this.close());
    this.inner.addEventListener("htmx:afterSwap", (event) => event.target === this.inner && this.show());
    this.inner.addEventListener("htmx:responseError", (event) => event.target === this.inner && this.close()); // cheng.js says why
    document.addEventListener("keydown", (event) => event.key === "Escape" && !part.hidden && this.close());
  }

  open(idx) {
    this.moved(idx);
    return this.follow(idx);
  }

  /** Shows what the address names. */
  follow(idx) {
    if (String(idx ?? "") === this.idx) return;
    this.idx = String(idx ?? "");
    if (!this.idx) return this.hide();
    if (this.part.hidden) this.from = document.activeElement;
    const address = `${this.part.dataset.thing}/${encodeURIComponent(this.idx)}`;
    htmx.ajax("GET", address, { source: this.inner, target: this.inner, swap: "innerHTML" });
  }

  show() {
    this.part.hidden = false;
    this.part.focus({ preventScroll: true });
  }

  close() {
    this.moved("");
    this.idx = "";
    this.hide();
  }

  hide() {
    this.part.hidden = true;
    this.inner.replaceChildren();
    if (this.from?.isConnected) this.from.focus({ preventScroll: true });
  }
}
