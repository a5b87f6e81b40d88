// The form of a report: the place from the map or the device, and kinds that fit what is typed. The map is fetched when
// somebody opens it, the device is asked when somebody taps. Without any of this the form works as it is.

import { ask } from "./cheng.js";

const PAUSE = 350; // after the last letter
const DIGITS = 5; // of degrees: about a metre
const CLOSE = 17;

const form = document.getElementById("report");
const part = (name) => form.querySelector(name);

/** What has the place: a text field, so that drafts keep it and people can read it. */
class Where {
  constructor() {
    this.field = part("[data-place-field]");
    this.said = part("[data-said]");
    this.box = part("#report-map");
    this.clear = part("[data-place-clear]");
    this.opener = part("[data-map-open]");
    this.opener.addEventListener("click", () => this.fold(!this.box.hidden));
    part("[data-locate]").addEventListener("click", ({ currentTarget }) => this.locate(currentTarget.dataset));
    this.clear.addEventListener("click", () => this.set("", ""));
    this.field.addEventListener("input", () => this.mark());
    this.box.addEventListener("cheng:drawn", ({ detail }) => this.drawn(detail.city));
    this.mark();
  }

  get place() {
    const numbers = this.field.value.split(/[,，]/).map(Number);
    return numbers.length === 2 && numbers.every(Number.isFinite) && this.field.value ? [numbers[1], numbers[0]] : null;
  }

  set(longitude, latitude) {
    this.field.value = longitude === "" ? "" : `${latitude.toFixed(DIGITS)}, ${longitude.toFixed(DIGITS)}`;
    this.field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  locate({ wait, denied }) {
    const failed = () => (this.said.textContent = denied);
    if (!navigator.geolocation) return failed();
    this.said.textContent = wait;
    const found = ({ coords }) => {
      this.said.textContent = "";
      this.set(coords.longitude, coords.latitude);
      this.city?.map.easeTo({ center: this.place, zoom: CLOSE });
    };
    return navigator.geolocation.getCurrentPosition(found, failed, { enableHighAccuracy: true, timeout: 15000 });
  }

  async fold(away) {
    this.box.hidden = away;
    this.opener.setAttribute("aria-expanded", String(!away));
    const canvas = this.box.querySelector(".map");
    if (away || canvas.dataset.map) return;
    canvas.dataset.map = this.box.dataset.ground;
    (await import("./map.js")).start(canvas);
  }

  drawn(city) {
    if (this.city) return; // the style was changed, the place stays
    this.city = city;
    city.map.on("click", ({ lngLat }) => this.set(lngLat.lng, lngLat.lat));
    if (this.place) city.map.jumpTo({ center: this.place, zoom: CLOSE });
    this.mark();
  }

  mark() {
    const { place } = this;
    this.clear.hidden = !this.field.value;
    part("[data-place-box]").hidden = !this.field.value && !this.city && !this.field.hasAttribute("aria-invalid");
    if (!this.city) return;
    if (!place) {
      this.marker?.remove();
      this.marker = null;
    } else if (this.marker) {
      this.marker.setLngLat(place);
    } else {
      const pin = document.createElement("span");
      pin.className = "report-pin";
      this.marker = new this.city.Marker({ element: pin, anchor: "bottom" }).setLngLat(place).addTo(this.city.map);
    }
  }
}

/** Kinds that fit the words looked for or, while nobody looks for any, the description. */
class Kinds {
  constructor() {
    this.find = part("[data-find]");
    this.text = document.getElementById(this.find.dataset.from);
    this.list = part("[data-found]");
    this.said = part("#find-said");
    this.choice = part("[data-class]");
    for (const field of [this.find, this.text]) field.addEventListener("input", () => this.soon());
    this.find.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
    this.choice.addEventListener("change", () => this.show([]));
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), PAUSE);
  }

  async look() {
    const words = (this.find.value || (this.choice.value ? "" : this.text.value)).trim().slice(0, 200);
    if (words === this.words) return;
    this.words = words;
    const found = words ? await ask(`${this.find.dataset.find}?q=${encodeURIComponent(words)}`).catch(() => null) : null;
    if (words === this.words) this.show(found?.classes || [], Boolean(this.find.value));
  }

  show(classes, looked = false) {
    this.list.replaceChildren();
    this.said.textContent = classes.length ? this.said.dataset.some : looked ? this.said.dataset.none : "";
    for (const each of classes.slice(0, looked ? 8 : 4)) {
      const button = this.list.appendChild(document.createElement("li")).appendChild(document.createElement("button"));
      Object.assign(button, { type: "button", className: "button small", textContent: each.name });
      button.addEventListener("click", () => this.choose(each.code));
    }
  }

  choose(code) {
    this.choice.value = code;
    this.find.value = this.words = "";
    this.show([]);
    this.choice.dispatchEvent(new Event("input", { bubbles: true }));
    this.choice.focus();
  }
}

if (form) {
  new Where();
  new Kinds();
}
