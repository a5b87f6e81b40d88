// The two grounds on which a page puts its places: a still picture of the map, drawn by the house, which costs a browser
// nothing; and the map itself, as soon as somebody wants to move it. Both know how to put a mark on a place, to show all
// places, and where on the screen one is.

import { look } from "./cheng.js";

const EDGE = 56; // pixels around all places
const [ALONE, CLOSE] = [15.5, 18]; // the nearest zoom for one place, and for several
const WORLD = 512; // pixels of the whole world at zoom 0
const STEP = 64; // pictures are so much larger that a window may change a little without another one
const [LEAST, MOST] = [32, 1600];
const NOWHERE = { center: [105, 33], zoom: 3 };
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** A position in degrees on the world's square of side 1. */
function square([longitude, latitude]) {
  const sine = Math.sin((latitude * Math.PI) / 180);
  return [longitude / 360 + 0.5, 0.5 - Math.atanh(sine) / (2 * Math.PI)];
}

function degrees([x, y]) {
  return [(x - 0.5) * 360, (Math.atan(Math.sinh((0.5 - y) * 2 * Math.PI)) * 180) / Math.PI];
}

function around(places) {
  const [east, north] = [places.map(([x]) => x), places.map(([, y]) => y)];
  return [[Math.min(...east), Math.min(...north)], [Math.max(...east), Math.max(...north)]];
}

export class Still {
  /** `told` is what the page tells of its map; `move` is called when somebody wants to move it. */
  constructor(box, told, move) {
    Object.assign(this, { box, told, shown: [] });
    this.frame = box.appendChild(document.createElement("div"));
    this.frame.className = "map-still";
    this.picture = this.frame.appendChild(document.createElement("img"));
    Object.assign(this.picture, { alt: "", draggable: false });
    this.button = this.frame.appendChild(document.createElement("button"));
    Object.assign(this.button, { type: "button", className: "button small map-still-move", textContent: told.words.move });
    this.button.addEventListener("click", () => move(true));
    this.picture.addEventListener("click", () => move(false));
    this.seen = new ResizeObserver(() => this.fits() || this.see(this.view));
    this.seen.observe(box);
  }

  get room() {
    return [this.box.clientWidth, this.box.clientHeight];
  }

  /** Whether the picture is large enough for its room. */
  fits() {
    const [wide, high] = this.room;
    return !this.view || (this.picture.width >= wide && this.picture.height >= high);
  }

  put(element, place) {
    this.frame.append(element);
    const one = { element, place, remove: () => this.take(one) };
    this.shown.push(one);
    this.lay(one);
    return one;
  }

  take(one) {
    one.element.remove();
    this.shown = this.shown.filter((each) => each !== one);
  }

  lay({ element, place }) {
    if (!this.view) return;
    const [x, y] = this.off(place);
    element.style.left = `calc(50% + ${x.toFixed(1)}px)`;
    element.style.top = `calc(50% + ${y.toFixed(1)}px)`;
  }

  /** Pixels from the middle of the picture. */
  off(place) {
    const { center, zoom } = this.view;
    const [from, to] = [square(center), square(place)];
    return [0, 1].map((axis) => (to[axis] - from[axis]) * WORLD * 2 ** zoom);
  }

  at(place) {
    const [[wide, high], [x, y]] = [this.room, this.off(place)];
    return { x: wide / 2 + x, y: high / 2 + y, inside: Math.abs(x) < wide / 2 && Math.abs(y) < high / 2 };
  }

  /** Shows all places; `anew` when others were asked for. What only became newer leaves a picture that has them all. */
  fit(places, anew) {
    if (this.view && !anew && places.every((place) => this.at(place).inside)) return;
    const bounds = places.length ? around(places) : this.told.bounds && [this.told.bounds.slice(0, 2), this.told.bounds.slice(2)];
    if (!bounds) return this.see(NOWHERE);
    const [one, other] = bounds.map(square);
    const room = this.room.map((side) => Math.max(side - 2 * EDGE, 1));
    const zooms = [0, 1].map((axis) => Math.log2(room[axis] / WORLD / Math.abs(other[axis] - one[axis])));
    const most = places.length === 1 ? ALONE : CLOSE;
    const zoom = Math.max(0, Math.min(most, Math.floor(Math.min(...zooms) * 20) / 20));
    this.see({ center: degrees([(one[0] + other[0]) / 2, (one[1] + other[1]) / 2]), zoom });
  }

  see(view) {
    this.view = { center: view.center.map((each) => Number(each.toFixed(5))), zoom: view.zoom };
    const [width, height] = this.room.map((side) => Math.min(MOST, Math.max(LEAST, Math.ceil(side / STEP) * STEP)));
    Object.assign(this.picture, { width, height });
    this.draw();
    for (const one of this.shown) this.lay(one);
  }

  draw() {
    const { picture, view } = this;
    const address = `${this.told.still}/${look()}?at=${view.center.join(",")},${view.zoom}&size=${picture.width}x${picture.height}`;
    if (picture.getAttribute("src") !== address) picture.src = address;
  }

  /** A place that is not seen is brought into view by the list alone: the picture always shows all. */
  reveal() {}

  waits(on) {
    this.frame.classList.toggle("is-waiting", on);
    this.button.disabled = on;
  }

  remove() {
    this.seen.disconnect();
    this.frame.remove();
  }
}

export class Moving {
  constructor({ map, Marker }) {
    Object.assign(this, { map, Marker });
  }

  put(element, place) {
    return new this.Marker({ element }).setLngLat(place).addTo(this.map);
  }

  at(place) {
    const { x, y } = this.map.project(place);
    return { x, y, inside: this.map.getBounds().contains(place) };
  }

  fit(places, anew, first) {
    if (!places.length || !anew) return;
    const duration = first || calm.matches ? 0 : 600;
    this.map.fitBounds(around(places), { padding: EDGE, maxZoom: places.length > 1 ? CLOSE : ALONE, duration });
  }

  reveal(place) {
    if (!this.at(place).inside) this.map.easeTo({ center: place, duration: calm.matches ? 0 : 400 });
  }
}
