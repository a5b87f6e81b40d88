// The desk: a sound for new alerts, if somebody asks for it, and a list that is right again after a lost connection.

const KEPT = "desk-sound";
const LOUD = ["danger", "emergency"];
const button = document.querySelector("[data-sound]");
let lives = 0;

if (button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const on = localStorage.getItem(KEPT) !== "on";
    localStorage.setItem(KEPT, on ? "on" : "off");
    show();
    if (on) ring("notice");
  });
  show();
}

function show() {
  const on = localStorage.getItem(KEPT) === "on";
  button.setAttribute("aria-pressed", String(on));
  button.querySelector("span").textContent = on ? button.dataset.on : button.dataset.off;
}

/** Two short tones; higher and twice for what is dangerous. */
function ring(level) {
  const context = new AudioContext();
  const times = LOUD.includes(level) ? [0, 0.18, 0.5, 0.68] : [0, 0.18];
  times.forEach((at, i) => {
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.frequency.value = (LOUD.includes(level) ? 880 : 587) * (i % 2 ? 1.335 : 1);
    gain.gain.setValueAtTime(0.12, context.currentTime + at);
    gain.gain.exponentialRampToValueAtTime(0.001, context.currentTime + at + 0.16);
    tone.connect(gain).connect(context.destination);
    tone.start(context.currentTime + at);
    tone.stop(context.currentTime + at + 0.17);
  });
  setTimeout(() => context.close(), 1500);
}

document.body.addEventListener("cheng:alert", (event) => {
  if (localStorage.getItem(KEPT) === "on") ring(event.detail.level);
});

// The stream opens once with the page; when it opens again, something may have been missed.
document.body.addEventListener("cheng:live", () => {
  if (lives++) document.body.dispatchEvent(new CustomEvent("cheng:cases"));
});
