// Areas one can look into: those inside the chosen one have an outline and a name and can be pointed at, the chosen one
// is outlined, and the ground outside of it is dimmed. They come with the tiles of the style; their number there is
// their id in the register.

const SOURCE = "areas", LAYER = "areas";
const MASK = "areas-outside", FILL = "areas-inside", LINE = "areas-lines", NAME = "areas-names";
const WORLD = [[-180, -85.06], [180, -85.06], [180, 85.06], [-180, 85.06], [-180, -85.06]];
const FONTS = ["Noto Sans SC", "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "HarmonyOS Sans SC", "Microsoft YaHei"];
const INK = "#c9c2e6", EDGE = "#b3cfff", DARK = "#05080c", SHADE = "#f2bd5c";
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const polygons = (geometry) => (geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates);

/** The box around a GeoJSON geometry: [[west, south], [east, north]]. */
export function around(geometry) {
  const points = geometry.coordinates.flat(Infinity);
  const even = points.filter((_, i) => i % 2 === 0), odd = points.filter((_, i) => i % 2 === 1);
  return [[Math.min(...even), Math.min(...odd)], [Math.max(...even), Math.max(...odd)]];
}

/** All of the world but a geometry. */
function outside(geometry) {
  const found = polygons(geometry);
  const islands = found.flatMap(([, ...holes]) => holes.map((hole) => [hole]));
  return { type: "MultiPolygon", coordinates: [[WORLD, ...found.map(([outer]) => outer)], ...islands] };
}

export class Areas {
  /** `enter(id)` is called when somebody clicks on an area, with null for the ground outside of the chosen one. */
  constructor(enter) {
    this.enter = enter;
    this.map = null;
    this.told = { area: "", outline: null, inside: [] };
    this.shaded = false;
    this.lit = null;
  }

  /** Onto a map whose style was just loaded, below the things on it. */
  dress(map) {
    this.map = map;
    const before = map.getStyle().layers.find((layer) => layer.source === "things" && layer.id !== "things-glow")?.id;
    map.addSource(MASK, { type: "geojson", data: { type: "FeatureCollection", features: [] } });
    const tiles = { source: SOURCE, "source-layer": LAYER }, mask = { source: MASK };
    const add = (id, type, of, paint, layout = {}) => map.addLayer({ id, type, ...of, paint, layout }, before);
    add(FILL, "fill", tiles, { "fill-color": ["case", ["boolean", ["feature-state", "lit"], false], EDGE, SHADE], "fill-opacity": 0 });
    add(LINE, "line", tiles, { "line-color": INK, "line-width": 1.2, "line-opacity": 0.75 }, { "line-join": "round" });
    add(MASK, "fill", mask, { "fill-color": DARK, "fill-opacity": 0.62 });
    add(`${MASK}-edge`, "line", mask, { "line-color": EDGE, "line-width": 2.5 }, { "line-join": "round" });
    const names = { ...tiles, "source-layer": "area_names" };
    add(NAME, "symbol", names, { "text-color": INK, "text-halo-color": DARK, "text-halo-width": 1.4 }, {
      "text-field": ["get", "name"], "text-font": FONTS, "text-size": 13, "text-letter-spacing": 0.1, "text-max-width": 7,
    });
    this.show();
  }

  /** What the page tells of the chosen area: {area, outline, inside: [{id, alerts}]}. */
  choose(told) {
    this.told = told;
    this.show();
  }

  shade(on) {
    this.shaded = on;
    this.show();
  }

  show() {
    if (!this.map?.getLayer(FILL)) return;
    const { outline, inside } = this.told;
    const here = ["in", ["get", "area"], ["literal", inside.map((one) => one.id)]];
    for (const id of [FILL, LINE, NAME]) this.map.setFilter(id, here);
    const features = outline ? [{ type: "Feature", properties: {}, geometry: outside(outline) }] : [];
    this.map.getSource(MASK).setData({ type: "FeatureCollection", features });
    const most = Math.max(1, ...inside.map((one) => one.alerts));
    for (const one of inside) this.state(one.id, { share: one.alerts / most });
    const share = this.shaded ? ["*", 0.5, ["coalesce", ["feature-state", "share"], 0]] : 0;
    this.map.setPaintProperty(FILL, "fill-opacity", ["case", ["boolean", ["feature-state", "lit"], false], 0.14, share]);
  }

  state(id, state) {
    this.map.setFeatureState({ source: SOURCE, sourceLayer: LAYER, id }, state);
  }

  at(point) {
    if (!this.map?.getLayer(FILL)) return null;
    return this.map.queryRenderedFeatures(point, { layers: [FILL] })[0]?.properties.area ?? null;
  }

  /** Lights up the area under a point of the screen, if there is one. */
  over(point) {
    const area = this.at(point);
    if (area === this.lit) return area !== null;
    if (this.lit !== null) this.state(this.lit, { lit: false });
    if (area !== null) this.state(area, { lit: true });
    this.lit = area;
    return area !== null;
  }

  click(point) {
    const area = this.at(point);
    const away = this.map?.getLayer(MASK) && this.map.queryRenderedFeatures(point, { layers: [MASK] }).length > 0;
    if (area !== null || away) this.enter(away ? null : area);
  }

  fly(bounds, beside) {
    this.map?.fitBounds(bounds, { padding: { top: 48, bottom: 48, left: 48, right: 48, ...beside }, duration: calm.matches ? 0 : 1400, maxZoom: 17 });
  }
}
