// A map of the city: `<div data-map='{…}'>` with what cheng.web.map.page tells. The base map, areas and things come as
// vector tiles from this house alone; a form inside with checkboxes named `show` switches the layers of things, and the
// address remembers which are off and where one looks.

import { ask, look, toast } from "./cheng.js";
import { Things } from "./map_layers.js";
import { Moving } from "./map_moving.js";

const beside = (name) => new URL(`./vendor/${name}`, import.meta.url).href;
const dark = matchMedia("(prefers-color-scheme: dark)");
const PAUSE = 2000; // between two looks at what has changed
const BESIDE = 16; // pixels around a thing that a card does not cover
const REST = 30000; // the same where nobody tells us

let library = null;

export function start(part) {
  const boxes = part.matches?.("[data-map]") ? [part] : part.querySelectorAll("[data-map]");
  for (const box of boxes) {
    if (box.dataset.drawn) continue;
    box.dataset.drawn = "1";
    const told = JSON.parse(box.dataset.map);
    new City(box, told).draw().catch((error) => instead(box, told, error.message));
  }
}

/** MapLibre, fetched by the first page that has a map. */
function load() {
  library ||= import(beside("maplibre-gl.js")).then((found) => {
    found.setWorkerUrl(beside("maplibre-gl-worker.js"));
    return found;
  });
  return library;
}

function draws() {
  const canvas = document.createElement("canvas");
  return Boolean(canvas.getContext("webgl2"));
}

/** A sentence and a list where no map can be drawn. */
function instead(box, told, reason) {
  const said = make(box, "p", told.words.failed.replace("{reason}", reason), "map-said");
  said.append(" ");
  make(said, "a", told.words.list).href = told.words.things;
  box.querySelector(".map-canvas")?.remove();
  box.querySelector("[data-legend]")?.remove();
  box.dispatchEvent(new CustomEvent("cheng:undrawn", { bubbles: true, detail: { reason: said.firstChild.textContent } }));
}

export function make(parent, tag, text = "", name = "") {
  const made = parent.appendChild(document.createElement(tag));
  if (text) made.textContent = text;
  if (name) made.className = name;
  return made;
}

class City {
  constructor(box, told) {
    Object.assign(this, { box, told });
    this.layers = [];
    this.areas = null; // what else can be pointed at, where a page wants it
    this.now = true; // things are shown as they are now
    this.looked = 0;
  }

  get look() {
    return look();
  }

  async draw() {
    if (!draws()) throw new Error(this.told.words.webgl);
    const sheet = document.head.appendChild(document.createElement("link"));
    Object.assign(sheet, { rel: "stylesheet", href: beside("maplibre-gl.css") });
    const [gl, style] = await Promise.all([load(), this.style()]);
    const canvas = document.createElement("div");
    canvas.className = "map-canvas";
    this.box.prepend(canvas);
    const { words, bounds, address, view } = this.told;
    this.Marker = gl.Marker;
    this.map = new gl.Map({
      container: canvas,
      style,
      hash: address && "at",
      attributionControl: false,
      maxPitch: 60,
      fadeDuration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 200,
      ...(view || (bounds ? { bounds, fitBoundsOptions: { padding: 24 } } : { center: [105, 33], zoom: 3 })),
      locale: {
        "Map.Title": words.map,
        "NavigationControl.ZoomIn": words.in,
        "NavigationControl.ZoomOut": words.out,
        "NavigationControl.ResetBearing": words.north,
      },
    });
    this.map.addControl(new gl.NavigationControl({ visualizePitch: true }), "top-right");
    this.map.addControl(new gl.ScaleControl({ unit: "metric" }), "bottom-right");
    this.map.on("style.load", () => this.dress());
    this.map.on("error", ({ error }) => this.dressed ? console.error(error) : this.fail());
    this.map.on("click", (event) => this.point(event));
    this.map.on("mousemove", (event) => {
      const thing = this.found(event.point) !== null;
      this.map.getCanvas().style.cursor = thing || this.areas?.over(event.point) ? "pointer" : "";
    });
    this.follow();
  }

  /** The style with addresses as the workers of MapLibre want them. */
  async style() {
    this.box.dataset.look = this.look;
    const style = await ask(this.told.styles[this.look]).catch(() => null);
    if (!style?.sources || !Array.isArray(style.layers)) throw new Error(this.told.words.style);
    for (const source of Object.values(style.sources)) source.tiles = source.tiles.map((path) => location.origin + path);
    return style;
  }

  /** Things on top of a style that was just loaded. */
  dress() {
    this.dressed = true;
    for (const layer of this.layers) layer.remove();
    const { layers, badness } = this.told;
    this.layers = layers.length ? [new Things(this.map, this.told, this.look)] : [];
    for (const told of layers) if (told.moves) this.layers.push(new Moving(this.map, told, this.look, badness));
    this.live(this.now);
    for (const key of this.box.querySelectorAll(".map-key")) {
      const told = this.told.layers.find((each) => each.type === key.dataset.type);
      key.firstElementChild.setAttribute("fill", told.colour[this.look]);
    }
    this.map.getContainer().dispatchEvent(new CustomEvent("cheng:drawn", { bubbles: true, detail: { city: this } }));
  }

  /** MapLibre found the style to be none, and may say so more than once. */
  fail() {
    this.failing ??= setTimeout(() => {
      this.map.remove();
      instead(this.box, this.told, this.told.words.style);
    });
  }

  follow() {
    this.box.querySelector("[data-legend]")?.addEventListener("change", (event) => this.switch(event.target));
    if (matchMedia("(max-width: 50rem)").matches) this.box.querySelector("[data-legend]")?.removeAttribute("open");
    dark.addEventListener("change", () => this.restyle());
    document.body.addEventListener("cheng:map", () => this.refresh());
    setInterval(() => !document.hidden && this.refresh(), REST);
  }

  /** The colours of another hour; where they cannot be had, those before stay. */
  async restyle() {
    const style = await this.style().catch((error) => toast(error.message, "error"));
    if (style) this.map.setStyle(style);
  }

  switch(box) {
    const told = this.told.layers.find((each) => each.type === box.value);
    told.shown = box.checked;
    this.live(this.now);
    const hidden = this.told.layers.filter((each) => !each.shown).map((each) => each.type);
    const address = new URL(location.href);
    if (hidden.length) address.searchParams.set("hide", hidden.join(","));
    else address.searchParams.delete("hide");
    history.replaceState(history.state, "", address);
  }

  /** Shows things as they are now, or, while something else is played on the map, not at all. */
  live(on) {
    this.now = on;
    for (const layer of this.layers) layer.follow(on);
  }

  refresh() {
    clearTimeout(this.waiting);
    const wait = Math.max(0, this.looked + PAUSE - Date.now());
    this.waiting = setTimeout(() => {
      this.looked = Date.now();
      for (const layer of this.layers) layer.refresh();
    }, wait);
  }

  /** The number of the thing under a point of the screen, or null. */
  found(point) {
    for (const layer of this.now ? this.layers : []) {
      const idx = layer.at(point);
      if (idx !== null) return idx;
    }
    return null;
  }

  async point({ point, lngLat }) {
    const idx = this.found(point);
    if (idx !== null) return this.pointed(idx, point);
    const square = this.now && this.layers.some((layer) => layer.gathered?.(point));
    if (square) return this.map.easeTo({ center: lngLat, zoom: this.map.getZoom() + 2 });
    this.areas?.click(point);
    return this.close();
  }

  /** Somebody pointed at a thing: a page that shows things in its own way says so by preventing the card. */
  pointed(idx, point) {
    const event = new CustomEvent("cheng:point", { bubbles: true, cancelable: true, detail: { idx } });
    return this.box.dispatchEvent(event) && this.card(idx, point);
  }

  /** Moves the map up when a card lies on what somebody pointed at. */
  reveal(card, { x, y }) {
    const { offsetLeft, offsetTop, offsetWidth } = card;
    const below = y + BESIDE > offsetTop && x + BESIDE > offsetLeft && x - BESIDE < offsetLeft + offsetWidth;
    if (below) this.map.panBy([0, y + 2 * BESIDE - offsetTop]);
  }

  close() {
    this.open?.remove();
    this.open = null;
  }

  async card(idx, point) {
    const told = await ask(`${this.told.thing}/${idx}`);
    this.close();
    const { words } = this.told;
    const card = (this.open = make(this.box, "section", "", "map-card"));
    card.setAttribute("aria-label", told.name);
    card.tabIndex = -1;
    make(card, "h2", told.name);
    make(card, "p", [told.type, told.area, told.state].filter(Boolean).join(" · "), "muted");
    if (told.alerts.length) {
      const list = make(card, "ul");
      for (const alert of told.alerts) make(list, "li", alert.text).dataset.level = alert.level;
    }
    if (told.values.length) {
      const values = make(card, "dl");
      for (const { label, text, ago } of told.values) {
        make(values, "dt", label);
        make(values, "dd", text).title = ago;
      }
    }
    make(make(card, "p"), "a", words.open).href = told.url;
    const close = make(card, "button", "×", "button small quiet map-card-close");
    close.type = "button";
    close.setAttribute("aria-label", words.close);
    close.addEventListener("click", () => this.close());
    card.addEventListener("keydown", (event) => event.key === "Escape" && (this.close(), this.map.getCanvas().focus()));
    card.focus({ preventScroll: true });
    if (point) this.reveal(card, point);
  }
}
