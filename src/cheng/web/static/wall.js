// The wall: a place to look into, an hour to play again, and a tour that goes by itself.
// What the three have in common is the map, which map.js hands over when it is drawn.

import { ask } from "./cheng.js";
import { Replay } from "./wall_replay.js";
import { Tour } from "./wall_tour.js";

const box = document.querySelector("[data-wall]");
const numbers = new Intl.NumberFormat(document.documentElement.lang);

/** The box around a GeoJSON geometry: [[west, south], [east, north]]. */
export function around(geometry) {
  const points = geometry.coordinates.flat(Infinity);
  const even = points.filter((_, i) => i % 2 === 0), odd = points.filter((_, i) => i % 2 === 1);
  return [[Math.min(...even), Math.min(...odd)], [Math.max(...even), Math.max(...odd)]];
}

function make(parent, tag, text = "") {
  const made = parent.appendChild(document.createElement(tag));
  if (text) made.textContent = text;
  return made;
}

/** From the city down to a grid: numbers, what lies inside, and the map goes there. */
class Place {
  constructor(part, areas) {
    Object.assign(this, { part, areas, map: null, way: [{ id: "", name: part.dataset.city }] });
    part.addEventListener("click", (event) => {
      const link = event.target.closest("[data-area]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.go(link.dataset.area, link.textContent);
    });
  }

  async go(area, name) {
    const known = this.way.findIndex((step) => step.id === area);
    if (known >= 0) this.way.length = known + 1;
    else this.way.push({ id: area, name, geometry: this.inside?.find((row) => row.id === area)?.geometry });
    await this.show();
    this.fly();
  }

  async show() {
    const { id } = this.way.at(-1);
    const told = await ask(`${this.areas}${id && `/${encodeURIComponent(id)}`}.json`);
    this.inside = told.inside;
    const way = this.part.querySelector("[data-way]");
    way.replaceChildren();
    for (const step of this.way) this.link(make(way, "li"), step.id, step.name);
    const counts = this.part.querySelector("[data-counts]");
    counts.replaceChildren();
    for (const [key, text] of [["things", "things"], ["alerts", "alerts"], ["open", "cases"], ["late", "late"]]) {
      if (told[key] === undefined) continue;
      make(counts, "dt", this.part.dataset[text]);
      make(counts, "dd", numbers.format(told[key]));
    }
    const list = this.part.querySelector("[data-inside]");
    list.replaceChildren();
    for (const row of told.inside) {
      const link = this.link(make(list, "li"), row.id, row.name);
      if (row.alerts) make(link, "strong", numbers.format(row.alerts));
    }
    if (id) Object.assign(make(make(list, "li"), "a", this.part.dataset.open), { href: `${this.areas}/${encodeURIComponent(id)}` });
    return told;
  }

  link(parent, area, name) {
    const link = make(parent, "a", name);
    link.href = `${this.areas}${area && `/${encodeURIComponent(area)}`}`;
    link.dataset.area = area;
    return link;
  }

  fly() {
    const { geometry } = this.way.at(-1);
    if (!this.map) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const bounds = geometry ? around(geometry) : this.home;
    if (bounds) this.map.fitBounds(bounds, { padding: 40, duration: calm ? 0 : 1800 });
  }
}

const place = new Place(box.querySelector("[data-place]"), box.dataset.areas);
const replay = new Replay(box.querySelector("[data-replay]"));
const tour = new Tour(box, place);
place.show().catch(() => {}); // what the server drew stays
box.addEventListener("cheng:drawn", (event) => {
  const { city } = event.detail;
  place.map = city.map;
  place.home ||= city.told.bounds;
  replay.city = city;
  tour.map = city.map;
});
document.body.addEventListener("cheng:alerts", () => place.show().catch(() => {}));
