// Changes told no more often than a part of a page can be drawn: `hx-trigger="cheng:alerts-5s from:body"` asks at once, then
// five seconds later if anything has changed meanwhile. What htmx calls a throttle would forget the last change of a burst.

const PACES = { alerts: [3, 5], cases: [10] };

function pace(topic, seconds) {
  let [timer, changed] = [0, false];
  const tell = () => {
    changed = false;
    timer = setTimeout(rest, seconds * 1000);
    document.body.dispatchEvent(new CustomEvent(`cheng:${topic}-${seconds}s`));
  };
  const rest = () => {
    timer = 0;
    if (changed) tell();
  };
  document.body.addEventListener(`cheng:${topic}`, () => {
    changed = true;
    if (!timer) tell();
  });
}

for (const [topic, paces] of Object.entries(PACES)) for (const seconds of paces) pace(topic, seconds);
