// A map of what the page lists: every element with `data-place="longitude,latitude"` is a place on it, in its `data-light`,
// and points at it and back. Unasked it is a still picture; who wants to move it, or unfolds it, gets the map itself. On a
// phone nobody sees it unasked.

import { toast } from "./cheng.js";
import { Moving, Still } from "./desk_still.js";

const KEPT = "desk-map";
const LABEL = 136; // pixels to each side that the label of a place may need
const phone = matchMedia("(max-width: 64rem)");
const dark = matchMedia("(prefers-color-scheme: dark)");
const ORDER = ["red", "yellow", "green", "grey", "photo"]; // what lies on top of what
const icons = new URL("./icons.svg", import.meta.url).href;
const ICONS = { photo: "camera" };

class Places {
  constructor(box, button) {
    Object.assign(this, { box, button, ground: null, markers: new Map(), fitted: null });
    this.canvas = box.querySelector(".map");
    button.addEventListener("click", () => this.fold(!box.hidden));
    box.addEventListener("cheng:drawn", ({ detail: { city } }) => {
      if (this.still) city.map.once("idle", () => this.moves(city));
      else this.moves(city);
    });
    box.addEventListener("cheng:undrawn", (event) => this.stays(event.detail.reason));
    document.body.addEventListener("htmx:afterSettle", () => this.ground && this.draw());
    dark.addEventListener("change", () => this.still?.draw());
    for (const kind of ["pointerover", "focusin"]) document.addEventListener(kind, (event) => this.point(event));
    if (!phone.matches && localStorage.getItem(KEPT) !== "folded") this.look();
  }

  fold(away) {
    if (!phone.matches) localStorage.setItem(KEPT, away ? "folded" : "shown");
    this.show(!away);
    if (!away) this.load();
  }

  show(on) {
    this.box.hidden = !on;
    this.button.setAttribute("aria-expanded", String(on));
  }

  /** The picture, at once. */
  look() {
    this.show(true);
    this.told = JSON.parse(this.box.dataset.places);
    this.ground = this.still = new Still(this.canvas, this.told, (keys) => this.load(keys));
    this.draw();
  }

  /** The map with its library, once; `keys` when they asked for it and should go on there. */
  async load(keys = false) {
    if (this.canvas.dataset.map) return;
    this.keys = keys;
    this.still?.waits(true);
    const told = this.told || JSON.parse(this.box.dataset.places);
    this.canvas.dataset.map = JSON.stringify({ ...told, view: this.still?.view });
    try {
      (await import("./map.js")).start(this.canvas);
    } catch (error) {
      delete this.canvas.dataset.map; // the network may be back the next time
      this.still?.waits(false);
      toast(error.message, "warning");
    }
  }

  /** The map is there, and shows as much as the picture did: the places go over to it. */
  moves(city) {
    if (this.ground instanceof Moving) return; // the style was changed, the places stay
    this.ground = new Moving(city);
    this.still?.remove();
    this.still = null;
    this.draw();
    if (this.keys) city.map.getCanvas().focus({ preventScroll: true });
  }

  /** No map can be drawn here: the picture is kept. */
  stays(reason) {
    if (!this.still) return;
    this.still.button.remove();
    this.still.waits(false);
    toast(reason, "warning");
  }

  draw() {
    for (const { marker } of this.markers.values()) marker.remove();
    this.markers.clear();
    for (const row of document.querySelectorAll("[data-place]")) {
      const known = this.markers.get(row.dataset.place);
      if (known) known.rows.push(row);
      else this.markers.set(row.dataset.place, { rows: [row] });
    }
    this.fit();
    for (const [place, found] of this.markers) {
      found.element = drawn(place, found.rows);
      found.marker = this.ground.put(found.element, numbers(place));
    }
    const none = this.box.querySelector("[data-places-none]");
    if (none) none.hidden = this.markers.size > 0;
  }

  /** Shows all places when others were asked for; a list that only became newer leaves the map where it is. */
  fit() {
    const places = [...this.markers.keys()].map(numbers);
    this.ground.fit(places, this.fitted !== location.href, this.fitted === null);
    if (places.length) this.fitted = location.href;
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
    const place = numbers(found.element.dataset.ofPlace);
    inside(found.element, this.ground.at(place), this.canvas.clientWidth);
    if (type === "focusin") this.ground.reveal(place);
  }
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
