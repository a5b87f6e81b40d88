// A thing in place: how it stands, its course, its alerts and cases at the side of the map, until Escape.

const NEAR = 15; // the zoom at which a thing is shown that nobody pointed at
const EDGE = 24; // pixels around it that are to be seen as well

/** What of a map one can see beside a panel, in pixels of the map: [left, top, right, bottom]. */
function free(map, panel) {
  const { left, top, right, bottom, width } = map.getContainer().getBoundingClientRect();
  const over = panel.getBoundingClientRect();
  const [first, last] = [Math.max(0, -top), Math.min(bottom, innerHeight) - top];
  if (over.left >= right || over.right <= left) return [0, first, width, last];
  if (over.width > width * 0.8) return [0, first, width, Math.min(last, over.top - top)];
  return [0, first, over.left - left, last];
}

export class Thing {
  /** `moved(idx)` is called when somebody opens another thing, or closes this one ("" then). */
  constructor(part, moved) {
    Object.assign(this, { part, moved, idx: "", from: null, city: null, pin: null, sought: false });
    this.inner = part.querySelector("#wall-thing");
    part.querySelector("button").addEventListener("click", () => this.close());
    this.inner.addEventListener("htmx:afterSwap", (event) => event.target === this.inner && this.show());
    this.inner.addEventListener("htmx:responseError", (event) => event.target === this.inner && this.close()); // cheng.js says why
    document.addEventListener("keydown", (event) => event.key === "Escape" && !part.hidden && this.close());
  }

  open(idx) {
    this.moved(idx);
    return this.follow(idx, false);
  }

  /** Shows what the address names; one that is `sought` is looked up on the map. */
  follow(idx, sought = true) {
    if (String(idx ?? "") === this.idx) return;
    this.idx = String(idx ?? "");
    if (!this.idx) return this.hide();
    this.sought = sought;
    if (this.part.hidden) this.from = document.activeElement;
    const address = `${this.part.dataset.thing}/${encodeURIComponent(this.idx)}`;
    htmx.ajax("GET", address, { source: this.inner, target: this.inner, swap: "innerHTML" });
  }

  show() {
    this.part.hidden = false;
    this.pin?.remove();
    this.part.focus({ preventScroll: true });
    this.sight();
  }

  /** Moves the map so that the thing is not below the panel. */
  sight() {
    const { spot, still } = this.inner.querySelector("[data-spot]")?.dataset ?? {};
    const map = this.city?.map;
    if (!map || !spot || this.part.hidden) return;
    const center = JSON.parse(spot);
    if (still) this.mark(center);
    const [left, top, right, bottom] = free(map, this.part);
    const { x, y } = map.project(center);
    const seen = x > left + EDGE && x < right - EDGE && y > top + EDGE && y < bottom - EDGE;
    if (seen && !this.sought) return;
    const { clientWidth, clientHeight } = map.getContainer();
    const zoom = Math.max(map.getZoom(), this.sought ? NEAR : 0);
    this.sought = false;
    map.easeTo({ center, zoom, offset: [(left + right - clientWidth) / 2, (top + bottom - clientHeight) / 2] });
  }

  /** A ring around a thing that stands still. */
  mark(place) {
    const element = document.createElement("div");
    element.className = "wall-pin";
    this.pin?.remove();
    this.pin = new this.city.Marker({ element }).setLngLat(place).addTo(this.city.map);
    element.removeAttribute("aria-label");
    element.setAttribute("aria-hidden", "true");
  }

  close() {
    this.moved("");
    this.idx = "";
    this.hide();
  }

  hide() {
    this.part.hidden = true;
    this.pin?.remove();
    this.pin = null;
    this.inner.replaceChildren();
    if (this.from?.isConnected) this.from.focus({ preventScroll: true });
  }
}
