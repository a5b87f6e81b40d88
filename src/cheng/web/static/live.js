// Alerts as they come, and a word to every part of the page that shows something which has just changed.
// `<div hx-get="…" hx-trigger="cheng:alerts from:body">` asks again when alerts changed.

import { toast } from "./cheng.js";

const box = document.getElementById("toasts");
const shown = document.querySelector("[data-wall]"); // the wall has a place of its own for them
const PATIENCE = 10000;
let source = null;
let wait = 1000;
let lost = 0;
let heard = "";

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
    if (!shown) toast(alert.text, alert.level, alert.url);
    document.body.dispatchEvent(new CustomEvent("cheng:alert", { detail: alert }));
  });
  source.addEventListener("changed", (event) => tell(JSON.parse(event.data).topic));
  source.addEventListener("error", again);
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
