// Two people at one case see each other: while somebody looks at this page it says so every few seconds, and is told who
// else has the case open, and who of them writes.

import { ask } from "./cheng.js";

const EVERY = 15000;
const PAUSE = 20000; // without a keystroke for so long, nobody writes any more
const part = document.querySelector("[data-presence]");
const said = part.querySelector("span");
let typed = -PAUSE;

const doing = () => (performance.now() - typed < PAUSE ? "writing" : "reading");

const tell = (what) => ask(part.dataset.presence, { method: "POST", body: new URLSearchParams({ doing: what }), keepalive: true });

async function beat() {
  if (document.hidden) return;
  const told = await tell(doing()).catch(() => ({ text: "" }));
  if (said.textContent !== told.text) said.textContent = told.text;
  part.hidden = !told.text;
}

document.addEventListener("input", (event) => {
  if (!event.isTrusted || !event.target.closest(".act-form")) return;
  const begins = doing() === "reading";
  typed = performance.now();
  if (begins) beat();
});
document.addEventListener("visibilitychange", beat);
addEventListener("pagehide", () => tell("gone").catch(() => {}));
setInterval(beat, EVERY);
beat();
