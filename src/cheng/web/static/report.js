// The form of a report: the place from the map or the device, and kinds that fit what is typed. The map is fetched when
// somebody opens it, the device is asked when somebody taps. Without any of this the form works as it is.

import { ask } from "./cheng.js";
import { Where } from "./where.js";

const PAUSE = 350; // after the last letter

const form = document.getElementById("report");
const part = (name) => form.querySelector(name);

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
  new Where(form);
  new Kinds();
}
