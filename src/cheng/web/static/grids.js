// Shapes of a page's own on its map: `data-shapes` beside `data-map` is the address of a GeoJSON whose features say their
// `kind`. A link in the list that leads to a place on the large map leads to it on this one.

const COLOURS = { gap: "#d1003f", overlap: "#b35c00", outside: "#7a3fc0", drawn: "#1c6dd0" };
const EDGE = 40; // pixels around all shapes
const CLOSE = 17;
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const box = document.querySelector("[data-shapes]");

/** The box around coordinates at any depth. */
function around(features) {
  const flat = features.flatMap(({ geometry }) => geometry?.coordinates.flat(Infinity) ?? []);
  const [east, north] = [flat.filter((_, i) => i % 2 === 0), flat.filter((_, i) => i % 2 === 1)];
  const least = (values) => values.reduce((a, b) => Math.min(a, b)), most = (values) => values.reduce((a, b) => Math.max(a, b));
  return [[least(east), least(north)], [most(east), most(north)]];
}

let told = null;

async function dress({ detail: { city: { map } } }) {
  const first = told === null;
  told ??= fetch(box.dataset.shapes, { headers: { Accept: "application/geo+json" } }).then((answer) => answer.json());
  const data = await told;
  if (map.getSource("shapes")) return;
  map.addSource("shapes", { type: "geojson", data });
  const colour = ["match", ["coalesce", ["get", "kind"], "drawn"], ...Object.entries(COLOURS).flat(), COLOURS.drawn];
  const drawn = ["!", ["has", "kind"]];
  map.addLayer({ id: "shapes", type: "fill", source: "shapes", paint: { "fill-color": colour, "fill-opacity": ["case", drawn, 0.08, 0.45] } });
  map.addLayer({ id: "shapes-edges", type: "line", source: "shapes", paint: { "line-color": colour, "line-width": ["case", drawn, 1.2, 2.5] } });
  if (first && data.features.length) map.fitBounds(around(data.features), { padding: EDGE, maxZoom: CLOSE, duration: 0 });
  if (first) document.addEventListener("click", (event) => go(event, map));
}

/** Follows a link to a place (`#at=zoom/latitude/longitude`) here. */
function go(event, map) {
  const at = event.target.closest?.(".beside a[href*='#at=']")?.hash.match(/^#at=([\d.]+)\/([-\d.]+)\/([-\d.]+)$/);
  if (!at || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const [zoom, latitude, longitude] = at.slice(1).map(Number);
  map.easeTo({ center: [longitude, latitude], zoom, duration: calm.matches ? 0 : 500 });
  box.scrollIntoView({ block: "nearest", behavior: calm.matches ? "auto" : "smooth" });
}

box?.addEventListener("cheng:drawn", dress);
