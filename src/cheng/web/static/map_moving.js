// Things that move, tens of thousands of them: two places for each, where it was and where it is, between which it is
// drawn until the next places come. A sheet above the map draws them: `bring` takes places, `draw` draws.

import { Glass } from "./map_glass.js";
import { Paper, slow } from "./map_paper.js";

const EVERY = 2000; // milliseconds between two looks at where they are
const WHOLE = 2 ** 32; // places come as fractions of the world's square in 32 bits
const FAR = 3000 / 40_075_017; // who is further off than that was not on the way, but is somewhere else
const REACH = 10; // pixels beside a thing that still mean it
const CROWD = 10_000; // more are drawn smaller, so that they cover no more of the map
const SEEN = 0.25; // pixels that something has to have moved for another picture
const TILE = 512; // pixels across the world's square at zoom 0
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Little-endian columns: how many, then index, x, y (uint32 each) and level (uint8). */
export function columns(buffer) {
  const count = new DataView(buffer).getUint32(0, true);
  const column = (place) => new Uint32Array(buffer, 4 + place * 4 * count, count);
  return { count, idx: column(0), x: column(1), y: column(2), level: new Uint8Array(buffer, 4 + 12 * count, count) };
}

const largest = (numbers) => numbers.reduce((one, other) => Math.max(one, other), 0);

/** What lies above a map: a layer of the map without a drawing of its own tells how one looks. */
class Above {
  static over(map) {
    map.above ||= new Above(map);
    return map.above;
  }

  constructor(map) {
    Object.assign(this, { map, id: "moving", type: "custom", renderingMode: "2d" });
    this.layers = new Set();
    this.stale = true; // the picture the sheet has of the map
    this.drawn = 0;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "map-sheet";
    map.getCanvas().after(this.canvas);
    this.sheet = slow ? new Paper(this.canvas, map) : new Glass(this.canvas, map);
    map.on("render", () => this.draw(true));
  }

  add(layer) {
    this.layers.add(layer);
    if (!this.map.getLayer(this.id)) this.map.addLayer(this);
  }

  remove(layer) {
    this.layers.delete(layer);
    this.sheet.forget(layer);
  }

  /** MapLibre draws, since one looks elsewhere. */
  render(_, { defaultProjectionData }) {
    this.view = Float64Array.from(defaultProjectionData.mainMatrix);
  }

  /** Draws with the next picture of the browser, or, where that is enough, when something has visibly moved. */
  again(visibly = false) {
    this.wanted ||= !visibly;
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (this.wanted || this.stirred()) this.draw();
      else this.again(true);
    });
  }

  stirred() {
    const now = performance.now();
    const pixels = TILE * 2 ** this.map.getZoom() * devicePixelRatio;
    return [...this.layers].some((layer) => {
      const [before, after] = [layer.progress(this.drawn), layer.progress(now)];
      return (after - before) * layer.reach * pixels > SEEN || (after === 1 && before < 1);
    });
  }

  /** Draws all layers; `just` while the map below has just drawn. */
  draw(just = false) {
    const layers = [...this.layers].filter((layer) => layer.count && layer.shown);
    this.wanted = false;
    this.canvas.hidden = !layers.length;
    this.stale ||= !layers.length;
    if (!layers.length || !this.view) return;
    const { width, height } = this.map.getCanvas();
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    if (just) this.sheet.see();
    else if (this.stale) return void this.map.triggerRepaint();
    this.stale = false;
    this.drawn = performance.now();
    this.sheet.draw(layers, (origin) => this.from(origin));
    if (layers.some((layer) => layer.progress(this.drawn) < 1)) this.again(true);
  }

  /** The view as seen from a place on the square: what is near it is exact in 32 bits. */
  from([x, y]) {
    const moved = Float64Array.from(this.view);
    for (let row = 0; row < 4; row++) moved[12 + row] += this.view[row] * x + this.view[4 + row] * y;
    return moved;
  }
}

export class Moving {
  constructor(map, told, look, colours) {
    Object.assign(this, { map, told, on: true, count: 0, reach: 0, began: 0, gone: false });
    this.paint = { colour: told.colour[look], edge: look === "night" ? "#0c1117" : "#ffffff", worse: colours };
    this.above = Above.over(map);
    this.above.add(this);
    this.moved = () => this.refresh();
    map.on("moveend", this.moved);
    this.refresh();
    this.timer = setInterval(() => !document.hidden && this.refresh(), EVERY);
  }

  /** Very many are shown near by only: far out they are in the tiles, with what stands still. */
  get shown() {
    return this.on && this.told.shown && this.map.getZoom() >= this.told.from;
  }

  /** How much of the way to the last places known is behind them, from 0 to 1. */
  progress(now = performance.now()) {
    return calm.matches ? 1 : Math.max(0, Math.min(1, (now - this.began) / EVERY));
  }

  /** Pixels across a thing: smaller far out, and where there are very many. */
  size() {
    const size = Math.max(4, Math.min(16, 2.5 + (this.map.getZoom() - 9) * 1.4));
    return this.count > CROWD ? Math.max(3, size * Math.sqrt(CROWD / this.count)) : size;
  }

  async refresh() {
    if (!this.shown || this.busy) return;
    this.busy = true;
    try {
      const box = this.map.getBounds();
      const more = { lng: (box.getEast() - box.getWest()) / 4, lat: (box.getNorth() - box.getSouth()) / 4 };
      const edges = [box.getWest() - more.lng, box.getSouth() - more.lat, box.getEast() + more.lng, box.getNorth() + more.lat];
      const answer = await fetch(`${this.told.moves}?bbox=${edges.map((each) => each.toFixed(4))}`);
      if (answer.ok && !this.gone) this.take(columns(await answer.arrayBuffer()));
    } catch {
      // the next look may find somebody again; what is shown stays
    } finally {
      this.busy = false;
    }
  }

  /** New places: each thing goes on from where it is drawn now. */
  take({ count, idx, x, y, level }) {
    const origin = count ? [x[0] / WHOLE, y[0] / WHOLE] : [0, 0];
    const known = this.numbers(idx);
    const [before, after] = [new Float32Array(2 * count), new Float32Array(2 * count)];
    const [right, down] = this.origin ? [this.origin[0] - origin[0], this.origin[1] - origin[1]] : [0, 0];
    const time = this.progress();
    let reach = 0;
    for (let at = 0; at < count; at++) {
      const [left, top] = [x[at] / WHOLE - origin[0], y[at] / WHOLE - origin[1]];
      const old = known ? known[idx[at]] - 1 : at;
      let [wasLeft, wasTop] = [left, top];
      if (old >= 0) [wasLeft, wasTop] = [right + this.across(old, time), down + this.along(old, time)];
      const off = Math.abs(wasLeft - left) + Math.abs(wasTop - top);
      if (off > FAR) [wasLeft, wasTop] = [left, top];
      else if (off > reach) reach = off;
      before[2 * at] = wasLeft;
      before[2 * at + 1] = wasTop;
      after[2 * at] = left;
      after[2 * at + 1] = top;
    }
    Object.assign(this, { count, idx, before, after, level, origin, reach, began: performance.now() });
    this.above.sheet.bring(this);
    this.above.again();
  }

  /** By index: one more than the number of what is drawn; null when the same things come in the same order again. */
  numbers(idx) {
    if (this.count && this.count === idx.length && idx.every((each, at) => each === this.idx[at])) return null;
    const found = new Int32Array(Math.max(largest(idx), largest(this.idx ?? [])) + 1);
    for (let at = 0; at < this.count; at++) found[this.idx[at]] = at + 1;
    return found;
  }

  /** Where a thing is drawn at a time, from the origin: eastwards, and southwards. */
  across(at, time) {
    return this.before[2 * at] + (this.after[2 * at] - this.before[2 * at]) * time;
  }

  along(at, time) {
    return this.before[2 * at + 1] + (this.after[2 * at + 1] - this.before[2 * at + 1]) * time;
  }

  at(point) {
    const { lng, lat } = this.map.unproject(point);
    const x = lng / 360 + 0.5 - (this.origin?.[0] ?? 0);
    const y = 0.5 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / (2 * Math.PI) - (this.origin?.[1] ?? 0);
    const time = this.progress();
    if (!this.shown) return null;
    let [nearest, best] = [null, REACH / (TILE * 2 ** this.map.getZoom())];
    for (let at = 0; at < this.count; at++) {
      const off = Math.hypot(this.across(at, time) - x, this.along(at, time) - y);
      if (off < best) [nearest, best] = [this.idx[at], off];
    }
    return nearest;
  }

  /** Shows them if they are chosen; `now`: whether things are shown at all. */
  follow(now) {
    this.on = now;
    this.refresh();
    this.above.again();
  }

  remove() {
    this.gone = true;
    clearInterval(this.timer);
    this.map.off("moveend", this.moved);
    this.above.remove(this);
  }
}
