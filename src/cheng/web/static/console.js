// The tiles of the console follow the house: its numbers are asked for every two seconds while somebody looks.

import { ask } from "./cheng.js";

const EVERY = 2000;
const box = document.querySelector("[data-flows]");
const numbers = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
const WIDTH = 120, HEIGHT = 32, EDGE = 2;

/** The same small line that the server draws. */
function line(values) {
  const most = Math.max(...values, 1), step = (WIDTH - 2 * EDGE) / Math.max(values.length - 1, 1);
  const points = values.map((v, i) => `${(EDGE + i * step).toFixed(1)} ${(HEIGHT - EDGE - (v / most) * (HEIGHT - 2 * EDGE)).toFixed(1)}`);
  return { path: "M" + points.join(" L"), end: points.at(-1).split(" ") };
}

function draw(holder, values) {
  if (values.length < 2) return;
  const name = "http://www.w3.org/2000/svg";
  let svg = holder.querySelector("svg");
  if (!svg) {
    svg = document.createElementNS(name, "svg");
    const told = { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": holder.dataset.flowSpark };
    for (const [key, value] of Object.entries(told)) svg.setAttribute(key, value);
    svg.append(document.createElementNS(name, "path"), document.createElementNS(name, "circle"));
    svg.lastChild.setAttribute("r", "2.5");
    holder.replaceChildren(svg);
  }
  const { path, end } = line(values);
  svg.querySelector("path").setAttribute("d", path);
  svg.querySelector("circle").setAttribute("cx", end[0]);
  svg.querySelector("circle").setAttribute("cy", end[1]);
}

async function look() {
  if (document.visibilityState !== "visible") return;
  try {
    const data = await ask(box.dataset.flows);
    for (const part of box.querySelectorAll("[data-flow]")) {
      const value = data[part.dataset.flow];
      part.textContent = value === null || value === undefined ? "–" : numbers.format(value);
    }
    for (const holder of box.querySelectorAll("[data-flow-spark]")) draw(holder, data.rates);
    box.classList.remove("is-lost");
    box.removeAttribute("title");
  } catch {
    box.classList.add("is-lost"); // the numbers are grey until the house answers again
    box.title = box.dataset.textLost;
  }
}

if (box) setInterval(look, EVERY);
