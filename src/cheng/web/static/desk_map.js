// A map of what the page lists: every element with `data-place="longitude,latitude"` is a place on it, in its `data-light`,
// and points at it and back. It is drawn when it is first shown; on a phone nobody sees it unasked.

const KEPT = "desk-map";
const EDGE = 56; // pixels around all places
const [ALONE, CLOSE] = [15.5, 18]; // the nearest zoom for one place, and for several
const LABEL = 136; // pixels to each side that the label of a place may need
const IDLE = 2000; // milliseconds after which a page is waited for no longer
const phone = matchMedia("(max-width: 64rem)");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const ORDER = ["red", "yellow", "green", "grey", "photo"]; // what lies on top of what
const icons = new URL("./icons.svg", import.meta.url).href;
const ICONS = { photo: "camera" };

class Places {
  constructor(box, button) {
    Object.assign(this, { box, button, city: null, markers: new Map(), fitted: null });
    button.addEventListener("click", () => this.fold(!box.hidden));
    box.addEventListener("cheng:drawn", (event) => {
      if (this.city) return; // the style was changed, the places stay
      this.city = event.detail.city;
      this.draw();
    });
    document.body.addEventListener("htmx:afterSettle", () => this.city && this.draw());
    for (const kind of ["pointerover", "focusin"]) document.addEventListener(kind, (event) => this.point(event));
    this.show(!phone.matches && localStorage.getItem(KEPT) !== "folded", rested);
  }

  fold(away) {
    if (!phone.matches) localStorage.setItem(KEPT, away ? "folded" : "shown");
    this.show(!away);
  }

  /** `when` calls when the map may be drawn: its room is there at once. */
  show(on, when = (then) => then()) {
    this.box.hidden = !on;
    this.button.setAttribute("aria-expanded", String(on));
    if (on) when(() => this.load());
  }

  /** The map with its library, once. */
  async load() {
    const canvas = this.box.querySelector(".map");
    if (canvas.dataset.map) return;
    canvas.dataset.map = this.box.dataset.places;
    (await import("./map.js")).start(canvas);
  }

  draw() {
    for (const { marker } of this.markers.values()) marker.remove();
    this.markers.clear();
    for (const row of document.querySelectorAll("[data-place]")) {
      const known = this.markers.get(row.dataset.place);
      if (known) known.rows.push(row);
      else this.markers.set(row.dataset.place, { rows: [row] });
    }
    for (const [place, found] of this.markers) {
      found.element = drawn(place, found.rows);
      found.marker = new this.city.Marker({ element: found.element }).setLngLat(numbers(place)).addTo(this.city.map);
    }
    const none = this.box.querySelector("[data-places-none]");
    if (none) none.hidden = this.markers.size > 0;
    this.fit();
  }

  /** Shows all places when others were asked for; a list that only became newer leaves the map where it is. */
  fit() {
    if (!this.markers.size || this.fitted === location.href) return;
    const places = [...this.markers.keys()].map(numbers);
    const [east, north] = [places.map(([x]) => x), places.map(([, y]) => y)];
    const bounds = [[Math.min(...east), Math.min(...north)], [Math.max(...east), Math.max(...north)]];
    const duration = this.fitted === null || calm.matches ? 0 : 600;
    this.city.map.fitBounds(bounds, { padding: EDGE, maxZoom: places.length > 1 ? CLOSE : ALONE, duration });
    this.fitted = location.href;
  }

  around(element) {
    const { place, ofPlace } = element?.closest?.("[data-place], [data-of-place]")?.dataset || {};
    return this.markers.get(place || ofPlace);
  }

  /** A row and its place are marked together: what is pointed at, else what keys have reached. */
  point({ type, target }) {
    for (const marked of document.querySelectorAll(".is-pointed")) marked.classList.remove("is-pointed");
    const found = this.around(target) || this.around(document.activeElement);
    if (!found) return;
    for (const one of [found.element, ...found.rows]) one.classList.add("is-pointed");
    const at = found.marker.getLngLat();
    const { map } = this.city;
    inside(found.element, map.project(at), map.getContainer().clientWidth);
    if (type === "focusin" && !map.getBounds().contains(at)) map.easeTo({ center: at, duration: calm.matches ? 0 : 400 });
  }
}

/** Calls when the page is there and the browser has nothing else to do: the list goes first. */
function rested(then) {
  const idle = () => (globalThis.requestIdleCallback ? requestIdleCallback(then, { timeout: IDLE }) : setTimeout(then));
  if (document.readyState === "complete") idle();
  else addEventListener("load", idle, { once: true });
}

/** Moves the label of a place so that all of it can be read. */
function inside(element, { x, y }, width) {
  const shift = Math.max(0, LABEL - x) + Math.min(0, width - LABEL - x);
  element.style.setProperty("--shift", `${shift}px`);
  element.classList.toggle("is-below", y < LABEL);
}

const numbers = (place) => place.split(",").map(Number);

/** The mark of a place: a link to what is there, in the worst light of all that is. */
function drawn(place, rows) {
  const light = ORDER.find((each) => rows.some((row) => row.dataset.light === each)) || "grey";
  const href = rows.map((row) => row.href || row.querySelector("a[href]")?.href).find(Boolean);
  const mark = document.createElement(href ? "a" : "span");
  if (href) Object.assign(mark, { href, tabIndex: -1 }); // for keys, the list beside it is the way
  mark.className = `place place-${light}`;
  mark.dataset.ofPlace = place;
  mark.dataset.name = [...new Set(rows.map((row) => row.dataset.name))].join("\n");
  mark.setAttribute("aria-label", mark.dataset.name);
  if (!href) mark.setAttribute("role", "img");
  mark.style.zIndex = ORDER.length - ORDER.indexOf(light);
  const icon = mark.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "svg"));
  icon.setAttribute("class", "icon");
  icon.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "use")).setAttribute("href", `${icons}#${ICONS[light] || `light-${light}`}`);
  if (rows.length > 1) mark.appendChild(document.createElement("b")).textContent = rows.length;
  return mark;
}

const box = document.querySelector("[data-places]");
const button = document.querySelector("[data-places-switch]");
if (box && button) new Places(box, button);
