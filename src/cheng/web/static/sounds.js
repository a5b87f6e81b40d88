// A tone for new alerts, made here and now, while somebody wants one. Off until this browser is told otherwise; what
// sounds can always be read, too.

const LOUD = ["danger", "emergency"];
const PAUSE = 3000; // milliseconds between two tones: a storm is not to be played note by note

/** A button that switches the sound, remembered under a name; alerts of these levels ring while it is on. */
export function sounds(button, name, levels) {
  const on = () => localStorage.getItem(name) === "on";
  let last = 0;
  const show = () => {
    button.setAttribute("aria-pressed", String(on()));
    button.querySelector("span").textContent = on() ? button.dataset.on : button.dataset.off;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    localStorage.setItem(name, on() ? "off" : "on");
    show();
    if (on()) ring("notice");
  });
  document.body.addEventListener("cheng:alert", ({ detail }) => {
    if (!on() || !levels.includes(detail.level) || Date.now() - last < PAUSE) return;
    last = Date.now();
    ring(detail.level);
  });
  show();
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
