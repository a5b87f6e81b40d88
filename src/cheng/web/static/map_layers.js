// Things in vector tiles: near by a point each, with a ring in the colour of its worst alert. Far out they glow, the brighter
// the more there are, and only those with an alert are drawn, or counted in squares where they are many. Rings breathe,
// unless the reader wants no motion or no graphics card helps.

import { slow } from "./map_paper.js";

const FONTS = ["Noto Sans SC Medium", "Noto Sans SC", "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei"];
const SOURCE = "things"; // also what the names of its layers begin with
const GLOW = { day: "#1c6dd0", night: "#6ea8ff" };
const DIM = { day: 0.65, night: 0.75 };
const EDGE = { day: "#ffffff", night: "#0c1117" };
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const BREATH = 1100; // milliseconds in, and as many out
const REACH = 6; // pixels beside a point that still mean it

const by = (zoom, ...stops) => ["interpolate", ["linear"], zoom, ...stops];
const ZOOM = ["zoom"];
const COUNT = ["get", "count"];

/** Pixels that grow with the squares of the glow, which halve with every whole zoom. */
const wide = (pixels) => {
  const zooms = Array.from({ length: 13 }, (_, n) => n + 3);
  return ["interpolate", ["exponential", 2], ZOOM, ...zooms.flatMap((zoom) => [zoom, pixels, zoom + 0.999, 2 * pixels])];
};

/** The colour of an alert by its level, from 1. */
export const badness = (colours) => ["match", ["get", "level"], 1, colours[0], 2, colours[1], 3, colours[2], colours[3]];

export class Things {
  constructor(map, told, look) {
    Object.assign(this, { map, told, look });
    this.layers = told.layers.filter((layer) => !layer.moves || layer.from);
    this.asked = this.address; // of the tiles that are drawn
    map.addSource(SOURCE, { type: "vector", tiles: [this.asked], minzoom: 3, maxzoom: 16 });
    const worse = badness(told.badness), alert = ["has", "level"];
    const colours = this.layers.flatMap((layer) => [layer.type, layer.colour[look]]);
    const colour = colours.length ? ["match", ["get", "type"], ...colours, GLOW[look]] : GLOW[look];
    this.ids = [
      this.add("glow", "glow", "circle", {
        "circle-color": this.glow,
        "circle-blur": 0.9,
        "circle-radius": wide(7.5),
        "circle-opacity": ["*", DIM[look], by(["log10", COUNT], 0, 0.14, 1, 0.34, 2, 0.6, 3, 0.9)],
      }, null, {}, map.getStyle().layers.find((layer) => layer.type === "symbol")?.id),
      this.add("ring", "things", "circle", {
        "circle-color": worse,
        "circle-opacity": 0.28,
        "circle-radius": by(ZOOM, 10, 6, 14, 11, 18, 18),
        "circle-radius-transition": { duration: BREATH },
        "circle-opacity-transition": { duration: BREATH },
      }, alert),
      this.add("points", "things", "circle", {
        "circle-color": colour,
        "circle-radius": by(ZOOM, 9, 1.6, 12, 2.6, 14, 4.5, 18, 8),
        "circle-stroke-width": ["case", alert, by(["get", "level"], 1, 2, 4, 3), 1],
        "circle-stroke-color": ["case", alert, worse, EDGE[look]],
      }),
      this.add("squares", "squares", "circle", {
        "circle-color": EDGE[look],
        "circle-opacity": 0.86,
        "circle-radius": by(["log10", COUNT], 0, 10, 1, 13, 2, 17, 3, 22, 4, 26),
        "circle-stroke-width": 3,
        "circle-stroke-color": worse,
      }),
      this.add("counts", "squares", "symbol", { "text-color": look === "night" ? "#ffffff" : "#1b2028" }, null, {
        "text-field": ["number-format", COUNT, {}],
        "text-font": FONTS,
        "text-size": 11.5,
        "text-allow-overlap": true,
        "text-ignore-placement": true,
      }),
    ];
    if (!calm.matches && !slow) this.breath = setInterval(() => !document.hidden && this.breathe(), BREATH);
  }

  get shown() {
    return this.layers.filter((layer) => layer.shown);
  }

  get address() {
    return `${location.origin}${this.told.things}?types=${this.shown.map((layer) => layer.type)}`;
  }

  /** The colour of the glow: of the one type that is shown, or that of all. */
  get glow() {
    return this.shown.length === 1 ? this.shown[0].colour[this.look] : GLOW[this.look];
  }

  add(name, of, type, paint, filter, layout = {}, before) {
    const id = `${SOURCE}-${name}`;
    this.map.addLayer({ id, type, paint, layout, source: SOURCE, "source-layer": of, ...(filter && { filter }) }, before);
    return id;
  }

  breathe() {
    const ring = `${SOURCE}-ring`;
    if (!this.map.getLayer(ring)) return;
    this.wide = !this.wide;
    this.map.setPaintProperty(ring, "circle-radius", this.wide ? by(ZOOM, 10, 9, 14, 16, 18, 26) : by(ZOOM, 10, 6, 14, 11, 18, 18));
    this.map.setPaintProperty(ring, "circle-opacity", this.wide ? 0.08 : 0.34);
  }

  /** Shows the layers that are chosen; `now`: whether things are shown at all. */
  follow(now) {
    for (const id of this.ids) this.map.setLayoutProperty(id, "visibility", now && this.shown.length ? "visible" : "none");
    this.map.setPaintProperty(`${SOURCE}-glow`, "circle-color", this.glow);
    if (this.asked === this.address) return;
    this.asked = this.address;
    this.map.getSource(SOURCE).setTiles([this.asked]);
  }

  refresh() {
    if (this.shown.length && this.map.getSource(SOURCE)) this.map.refreshTiles(SOURCE);
  }

  at(point) {
    return this.around(point, "points")?.id ?? null;
  }

  gathered(point) {
    return this.around(point, "squares");
  }

  around({ x, y }, name) {
    const id = `${SOURCE}-${name}`;
    const box = [[x - REACH, y - REACH], [x + REACH, y + REACH]];
    return this.map.getLayer(id) ? this.map.queryRenderedFeatures(box, { layers: [id] })[0] : undefined;
  }

  remove() {
    clearInterval(this.breath);
  }
}
