// A place that is chosen on the map, told by the device, or typed: a text field has it, so that people can read it. The
// map is fetched when somebody opens it, the device is asked when somebody taps.

const DIGITS = 5; // of degrees: about a metre
const CLOSE = 17;

/** What has the place: a text field, so that drafts keep it and people can read it. */
export class Where {
  constructor(form) {
    const part = (name) => form.querySelector(name);
    this.field = part("[data-place-field]");
    this.said = part("[data-said]");
    this.box = part("[data-ground]");
    this.shown = part("[data-place-box]");
    this.clear = part("[data-place-clear]");
    this.opener = part("[data-map-open]");
    this.opener.addEventListener("click", () => this.fold(!this.box.hidden));
    part("[data-locate]")?.addEventListener("click", ({ currentTarget }) => this.locate(currentTarget.dataset));
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
    if (this.shown) this.shown.hidden = !this.field.value && !this.city && !this.field.hasAttribute("aria-invalid");
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
