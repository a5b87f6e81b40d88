// Alerts as they come, and a word to every part of the page that shows something which has just changed.
// `<div hx-get="…" hx-trigger="cheng:alerts from:body">` asks again when alerts changed.

import { toast } from "./cheng.js";

const box = document.getElementById("toasts");
const shown = document.querySelector("[data-wall]"); // the wall has a place of its own for them
const PATIENCE = 10000;
const BUSY = 3, MINUTE = 60000; // after so many words in a minute only those are said that cannot wait
const LOUD = ["danger", "emergency"];
let source = null;
let wait = 1000;
let lost = 0;
let heard = "";
let said = [];

function open() {
  source = new EventSource(box.dataset.live + (heard && `?after=${heard}`));
  source.addEventListener("open", () => {
    wait = 1000;
    clearTimeout(lost);
    lost = 0;
    tell("live");
  });
  source.addEventListener("alert", (event) => {
    const alert = JSON.parse(event.data);
    heard = event.lastEventId || heard;
    if (!shown && pops(alert.level)) toast(alert.text, alert.level, alert.url);
    document.body.dispatchEvent(new CustomEvent("cheng:alert", { detail: alert }));
  });
  source.addEventListener("changed", (event) => tell(JSON.parse(event.data).topic));
  source.addEventListener("error", again);
}

/** Whether an alert is shown at once: in a large city there is always one, and a page has to stay readable. */
function pops(level) {
  const now = Date.now();
  said = said.filter((at) => at > now - MINUTE);
  if (said.length >= BUSY && !LOUD.includes(level)) return false;
  said.push(now);
  return true;
}

function again() {
  source.close();
  lost ||= setTimeout(() => toast(box.dataset.lost, "warning"), PATIENCE);
  setTimeout(open, wait + Math.random() * 1000);
  wait = Math.min(wait * 2, 60000);
}

function tell(topic) {
  document.body.dispatchEvent(new CustomEvent(`cheng:${topic}`));
}

addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", (event) => event.persisted && open());
open();
