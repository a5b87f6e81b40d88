// Things that stand still, as vector tiles: near by a point each with a ring in the colour of its worst alert, far out
// squares with how many are in them. Rings breathe, unless the reader wants no motion or no graphics card helps.

import { slow } from "./map_paper.js";

const FONTS = ["Noto Sans SC Medium", "Noto Sans SC", "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei"];
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const BREATH = 1100; // milliseconds in, and as many out
const REACH = 6; // pixels beside a point that still mean it

const by = (zoom, ...stops) => ["interpolate", ["linear"], zoom, ...stops];
const ZOOM = ["zoom"];

/** The colour of an alert by its level, from 1. */
export const badness = (colours) => ["match", ["get", "level"], 1, colours[0], 2, colours[1], 3, colours[2], colours[3]];

export class Things {
  constructor(map, told, look, colours) {
    Object.assign(this, { map, told, source: `things-${told.type}` });
    const edge = look === "night" ? "#0c1117" : "#ffffff";
    const colour = told.colour[look];
    map.addSource(this.source, { type: "vector", tiles: [location.origin + told.src], minzoom: 3, maxzoom: 16 });
    const one = ["!", ["has", "count"]];
    const wide = by(["get", "count"], 1, 9, 10, 12, 100, 17, 1000, 24, 10000, 34);
    this.ids = [
      this.add("squares", "circle", ["has", "count"], {
        "circle-color": colour,
        "circle-opacity": 0.82,
        "circle-radius": wide,
        "circle-stroke-width": ["case", ["has", "level"], 3, 1.2],
        "circle-stroke-color": ["case", ["has", "level"], badness(colours), edge],
      }),
      this.add("ring", "circle", ["all", one, ["has", "level"]], {
        "circle-color": badness(colours),
        "circle-opacity": 0.28,
        "circle-radius": by(ZOOM, 10, 6, 14, 11, 18, 18),
        "circle-radius-transition": { duration: BREATH },
        "circle-opacity-transition": { duration: BREATH },
      }),
      this.add("points", "circle", one, {
        "circle-color": colour,
        "circle-radius": by(ZOOM, 9, 1.6, 12, 2.6, 14, 4.5, 18, 8),
        "circle-stroke-width": ["case", ["has", "level"], by(["get", "level"], 1, 2, 4, 3), 1],
        "circle-stroke-color": ["case", ["has", "level"], badness(colours), edge],
      }),
      this.add(
        "counts",
        "symbol",
        ["has", "count"],
        { "text-color": look === "night" ? "#0c1117" : "#ffffff" },
        {
          "text-field": ["number-format", ["get", "count"], {}],
          "text-font": FONTS,
          "text-size": by(["get", "count"], 1, 10, 1000, 12.5),
          "text-allow-overlap": true,
          "text-ignore-placement": true,
        },
      ),
    ];
    if (!calm.matches && !slow) this.breath = setInterval(() => !document.hidden && this.breathe(), BREATH);
  }

  add(name, type, filter, paint, layout = {}) {
    const id = `${this.source}-${name}`;
    const visibility = this.told.shown ? "visible" : "none";
    this.map.addLayer({
      id, type, filter, paint, source: this.source, "source-layer": "things", layout: { visibility, ...layout },
    });
    return id;
  }

  breathe() {
    const ring = `${this.source}-ring`;
    if (!this.told.shown || !this.map.getLayer(ring)) return;
    this.wide = !this.wide;
    this.map.setPaintProperty(ring, "circle-radius", this.wide ? by(ZOOM, 10, 9, 14, 16, 18, 26) : by(ZOOM, 10, 6, 14, 11, 18, 18));
    this.map.setPaintProperty(ring, "circle-opacity", this.wide ? 0.08 : 0.34);
  }

  show(shown) {
    for (const id of this.ids) this.map.setLayoutProperty(id, "visibility", shown ? "visible" : "none");
  }

  refresh() {
    if (this.told.shown && this.map.getSource(this.source)) this.map.refreshTiles(this.source);
  }

  at(point) {
    return this.around(point, "points")?.id ?? null;
  }

  gathered(point) {
    return this.around(point, "squares");
  }

  around({ x, y }, name) {
    const id = `${this.source}-${name}`;
    const box = [[x - REACH, y - REACH], [x + REACH, y + REACH]];
    return this.map.getLayer(id) ? this.map.queryRenderedFeatures(box, { layers: [id] })[0] : undefined;
  }

  remove() {
    clearInterval(this.breath);
  }
}
