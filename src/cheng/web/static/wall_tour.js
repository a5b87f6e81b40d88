// Show mode: full screen, calm, from district to district, until somebody presses a key.

const STAY = 14000; // milliseconds at each place

export class Tour {
  constructor(box, place) {
    Object.assign(this, { box, place });
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
    await this.place.go("", false);
    this.stops = this.place.told.inside.map((row) => row.id);
    this.at = -1;
    this.say();
  }

  async next() {
    this.at = (this.at + 2) % (this.stops.length + 1) - 1;
    await this.place.go(this.stops[this.at] ?? "", false);
    this.say();
  }

  say() {
    const counts = [...this.place.part.querySelectorAll("[data-counts] > *")].map((each) => each.textContent);
    const pairs = counts.flatMap((text, i) => (i % 2 ? [] : [`${text} ${counts[i + 1]}`]));
    this.caption.hidden = false;
    this.caption.textContent = `${this.place.told.name} · ${pairs.join(" · ")}`;
  }

  end() {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = 0;
    delete document.documentElement.dataset.show;
    this.button.setAttribute("aria-pressed", "false");
    this.caption.hidden = true;
    this.place.go(this.place.asked, false);
    if (document.fullscreenElement) document.exitFullscreen();
  }
}
