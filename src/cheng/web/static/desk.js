// The desk: lists that stay right by themselves, a word when a case has changed, and a sound if somebody asks for it.

import { ask } from "./cheng.js";
import { sounds } from "./sounds.js";

const button = document.querySelector("[data-sound]");
let lives = 0;

if (button) sounds(button, "desk-sound", ["notice", "warning", "danger", "emergency"]);

// Something changed: tell the lists of this page, at once and then every few seconds at most, and only while somebody
// looks; a busy city changes every second.
const EVERY = 3000;
let last = 0;
let waiting = 0;
let stale = false;

function changed() {
  if (document.hidden) {
    stale = true;
    return;
  }
  const left = last + EVERY - Date.now();
  if (left > 0) {
    waiting ||= setTimeout(refresh, left);
    return;
  }
  refresh();
}

function refresh() {
  clearTimeout(waiting);
  waiting = 0;
  last = Date.now();
  stale = false;
  document.body.dispatchEvent(new CustomEvent("desk:refresh"));
}

document.addEventListener("visibilitychange", () => !document.hidden && stale && refresh());
document.body.addEventListener("cheng:cases", changed);
if (!document.querySelector("[data-newer]")) document.body.addEventListener("cheng:alerts", changed);

// The stream opens once with the page; when it opens again, something may have been missed.
document.body.addEventListener("cheng:live", () => lives++ && changed());

// One case: say so when somebody did something about it, and leave alone what is being written.
const newer = document.querySelector("[data-newer]");
if (newer) {
  document.body.addEventListener("desk:refresh", async () => {
    if (!newer.hidden) return;
    const told = await ask(newer.dataset.src).catch(() => null);
    if (!told || told.case.version === Number(newer.dataset.version)) return;
    const said = newer.querySelector("[data-by]");
    const { who, what } = told.acts[0];
    said.textContent = said.dataset.by.replace("{who}", () => who).replace("{what}", () => what);
    newer.hidden = false;
  });
}
