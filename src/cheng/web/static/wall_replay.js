// An hour of the past on the map: alerts come and go, what moved moves, at one minute a second.

import { ask, toast } from "./cheng.js";

const SPEED = 60; // times as fast as it was
const FRAME = 100; // milliseconds between two pictures
const GONE = 120000; // milliseconds after its last position a thing is not drawn any more
const ALERTS = "replay-alerts", MOVING = "replay-moving";
const empty = { type: "FeatureCollection", features: [] };

const point = (place, properties) => ({ type: "Feature", geometry: { type: "Point", coordinates: place }, properties });

/** Where a way is at a moment, between the positions before and after it; null before and long after. */
export function position(points, at) {
  let low = 0, high = points.length - 1;
  if (high < 0 || at < points[0][0] || at > points[high][0] + GONE) return null;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (points[middle][0] <= at) low = middle;
    else high = middle - 1;
  }
  const before = points[low], after = points[low + 1];
  if (!after || after[0] - before[0] > 10 * GONE) return [before[1], before[2]];
  const share = (at - before[0]) / (after[0] - before[0]);
  return [before[1] + (after[1] - before[1]) * share, before[2] + (after[2] - before[2]) * share];
}

export class Replay {
  constructor(form) {
    this.form = form;
    this.city = null;
    this.hour = null;
    const find = (name) => form.querySelector(`[data-${name}]`);
    Object.assign(this, { run: find("run"), slider: find("moment"), clock: find("clock"), button: find("play-button") });
    const written = { dateStyle: "short", timeStyle: "medium", timeZone: form.dataset.zone };
    this.written = new Intl.DateTimeFormat(document.documentElement.lang, written);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.begin(new FormData(form).get("at")).catch((error) => toast(error.message, "error"));
    });
    this.button.addEventListener("click", () => this.play(!this.timer));
    this.slider.addEventListener("input", () => this.show());
    find("now").addEventListener("click", () => this.end());
  }

  async begin(at) {
    const hour = await ask(`${this.form.dataset.replay}?at=${encodeURIComponent(at)}`);
    this.hour = hour;
    this.slider.max = Math.floor((hour.to - hour.from) / 1000);
    this.slider.value = 0;
    this.run.hidden = false;
    this.city?.live(false);
    this.show();
    this.play(true);
    this.button.focus();
  }

  play(on) {
    clearInterval(this.timer);
    this.timer = on ? setInterval(() => this.step(), FRAME) : 0;
    this.button.textContent = on ? this.form.dataset.pause : this.form.dataset.play;
  }

  step() {
    const next = Number(this.slider.value) + (SPEED * FRAME) / 1000;
    if (next > Number(this.slider.max)) return this.play(false);
    this.slider.value = next;
    return this.show();
  }

  show() {
    const at = this.hour.from + Number(this.slider.value) * 1000;
    this.clock.value = this.written.format(at);
    this.slider.setAttribute("aria-valuetext", this.clock.value);
    const map = this.city?.map;
    if (!map?.isStyleLoaded() && !map?.getSource(ALERTS)) return;
    this.layers(map);
    const stood = this.hour.alerts.filter((each) => each.place && each.from <= at && (each.to ?? Infinity) > at);
    map.getSource(ALERTS).setData({ ...empty, features: stood.map((each) => point(each.place, { level: each.level })) });
    const moved = this.hour.moving.flatMap((kind) => kind.things.map((each) => position(each.points, at)));
    map.getSource(MOVING).setData({ ...empty, features: moved.filter(Boolean).map((place) => point(place, {})) });
  }

  layers(map) {
    if (map.getSource(ALERTS)) return;
    const [notice, warning, danger, emergency] = this.city.told.badness;
    const colour = ["match", ["get", "level"], "notice", notice, "warning", warning, "danger", danger, emergency];
    map.addSource(ALERTS, { type: "geojson", data: empty });
    map.addSource(MOVING, { type: "geojson", data: empty });
    map.addLayer({ id: MOVING, type: "circle", source: MOVING, paint: { "circle-radius": 4, "circle-color": "#7fb2ff" } });
    map.addLayer({
      id: ALERTS, type: "circle", source: ALERTS,
      paint: { "circle-radius": 9, "circle-color": colour, "circle-opacity": 0.75, "circle-stroke-width": 2, "circle-stroke-color": "#0c1117" },
    });
  }

  end() {
    this.play(false);
    this.run.hidden = true;
    this.hour = null;
    const map = this.city?.map;
    for (const name of [ALERTS, MOVING]) {
      if (map?.getLayer(name)) map.removeLayer(name);
      if (map?.getSource(name)) map.removeSource(name);
    }
    this.city?.live(true);
  }
}
