// Show mode: full screen, calm, from district to district, until somebody presses a key.

const STAY = 14000; // milliseconds at each place

export class Tour {
  constructor(box, place) {
    Object.assign(this, { box, place, map: null });
    this.button = box.querySelector("[data-show]");
    this.caption = box.querySelector("[data-caption]");
    this.button.addEventListener("click", () => (this.timer ? this.end() : this.begin()));
    document.addEventListener("fullscreenchange", () => document.fullscreenElement || this.end());
    document.addEventListener("keydown", (event) => this.timer && event.key === "Escape" && this.end());
  }

  async begin() {
    document.documentElement.dataset.show = "";
    this.button.setAttribute("aria-pressed", "true");
    this.timer = setInterval(() => this.next(), STAY);
    await document.documentElement.requestFullscreen?.().catch(() => {}); // a tour in the window is a tour
    await this.place.go("", this.place.part.dataset.city);
    this.stops = this.place.inside.map((row) => ({ id: row.id, name: row.name }));
    this.at = -1;
    this.say();
  }

  async next() {
    this.at = (this.at + 2) % (this.stops.length + 1) - 1;
    await this.place.go("", this.place.part.dataset.city);
    if (this.at >= 0) await this.place.go(this.stops[this.at].id, this.stops[this.at].name);
    this.say();
  }

  say() {
    const counts = [...this.place.part.querySelectorAll("[data-counts] > *")].map((each) => each.textContent);
    const told = counts.map((text, i) => (i % 2 ? `${text}` : text));
    const pairs = told.flatMap((text, i) => (i % 2 ? [] : [`${text} ${told[i + 1]}`]));
    this.caption.hidden = false;
    this.caption.textContent = `${this.place.way.at(-1).name} · ${pairs.join(" · ")}`;
  }

  end() {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = 0;
    delete document.documentElement.dataset.show;
    this.button.setAttribute("aria-pressed", "false");
    this.caption.hidden = true;
    if (document.fullscreenElement) document.exitFullscreen();
  }
}
