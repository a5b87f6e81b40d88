// The wall: a place to look into, a thing to look at, an hour to play again, and a tour that goes by itself.
// What they have in common is the map, which map.js hands over when it is drawn, and the address, which keeps the place
// and the thing, so that the way back leads through them.

import { Areas, around } from "./map_areas.js";
import "./paces.js";
import { sounds } from "./sounds.js";
import { Replay } from "./wall_replay.js";
import { Thing } from "./wall_thing.js";
import { Tour } from "./wall_tour.js";

const LOUD = ["danger", "emergency"];
const given = location.hash; // where to look, before the map says where it does
const box = document.querySelector("[data-wall]");

/** A step in the address, to which the way back leads. */
function remember(name, value) {
  const address = new URL(location.href);
  if (value) address.searchParams.set(name, value);
  else address.searchParams.delete(name);
  if (address.href !== location.href) history.pushState(null, "", address);
}

/** From the city down to a grid: numbers, what lies inside, and the map goes there. */
class Place {
  constructor(part) {
    this.part = part;
    this.field = part.querySelector("[name=area]");
    this.inner = part.querySelector("#wall-place");
    this.areas = new Areas((area) => this.go(area ?? this.above));
    this.keep = true;
    part.addEventListener("click", (event) => {
      const link = event.target.closest("[data-area]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.go(link.dataset.area);
    });
    part.querySelector("[data-shade]").addEventListener("change", (event) => this.areas.shade(event.target.checked));
    this.inner.addEventListener("htmx:afterSwap", () => this.read());
    this.inner.addEventListener("htmx:responseError", () => (this.field.value = this.told.area));
    this.told = this.telling();
    this.areas.choose(this.told);
  }

  telling() {
    return JSON.parse(this.inner.querySelector("[data-told]").dataset.told);
  }

  /** The area that the chosen one lies in. */
  get above() {
    return [...this.inner.querySelectorAll(".wall-way [data-area]")].at(-2)?.dataset.area ?? "";
  }

  /** The area that the address names. */
  get asked() {
    return new URL(location.href).searchParams.get("area") ?? "";
  }

  /** Shows another area; resolves when it is there. `keep`: it is a step in the address. */
  go(area, keep = true) {
    this.keep = keep;
    this.field.value = area;
    htmx.trigger(this.inner, "wall:go");
    return new Promise((done) => (this.done = done));
  }

  read() {
    const told = this.telling();
    if (told.area !== this.field.value) return; // an answer to an older question
    const moved = told.area !== this.told.area;
    this.told = told;
    this.areas.choose(told);
    if (moved) {
      if (this.keep) remember("area", told.area);
      this.fly();
    }
    this.done?.();
  }

  fly() {
    const { outline } = this.told;
    const bounds = outline ? around(outline) : this.home;
    const { left, width } = this.part.getBoundingClientRect();
    const beside = getComputedStyle(this.part).position === "absolute" ? { left: left + width + 24 - box.getBoundingClientRect().left } : {};
    if (bounds) this.areas.fly(bounds, beside);
  }
}

const place = new Place(box.querySelector("[data-place]"));
const thing = new Thing(box.querySelector("[data-thing]"), (idx) => remember("thing", idx));
const replay = new Replay(box.querySelector("[data-replay]"));
const tour = new Tour(box, place);
sounds(box.querySelector("[data-sound]"), "wall-sound", LOUD);

box.addEventListener("cheng:drawn", (event) => {
  const { city } = event.detail;
  place.home ||= city.told.bounds;
  place.areas.dress(city.map);
  city.areas = place.areas;
  replay.city = city;
  if (place.told.area && !given) place.fly();
  thing.city = city;
  thing.sight();
});
box.addEventListener("cheng:point", (event) => {
  event.preventDefault();
  thing.open(event.detail.idx);
});
document.body.addEventListener("cheng:alert", ({ detail }) => {
  if (LOUD.includes(detail.level)) box.querySelector("[data-heard]").textContent = detail.text;
});
addEventListener("popstate", () => {
  if (place.asked !== place.told.area) place.go(place.asked, false);
  thing.follow(new URL(location.href).searchParams.get("thing"));
});
thing.follow(new URL(location.href).searchParams.get("thing"), !given);
