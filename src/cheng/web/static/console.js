// The console follows the house: what moves on a page is asked of the page's twin every two seconds while somebody
// looks. `data-flow` names a number or text by its path in that answer (in a list by its `key`), `data-flow-spark` a
// small line, `data-flow-meter` a bar, `data-flow-level` a tag, `data-flow-steps` the steps of something under way.

import { ask } from "./cheng.js";

const EVERY = 2000;
const box = document.querySelector("[data-flows]");
const told = document.documentElement.lang;
const numbers = new Intl.NumberFormat(told, { maximumFractionDigits: 1 });
const percents = new Intl.NumberFormat(told, { style: "percent", maximumFractionDigits: 1 });
const WIDTH = 120, HEIGHT = 32, EDGE = 2;

/** What lies at a path: "inputs.http.rate" is the rate of the row of `inputs` whose key is http. */
function at(data, path) {
  let rest = path;
  let found = data;
  while (rest && found !== null && found !== undefined) {
    const keys = Array.isArray(found) ? found.map((row) => row.key) : Object.keys(found);
    const key = keys.filter((one) => rest === one || rest.startsWith(`${one}.`)).sort((a, b) => b.length - a.length)[0];
    if (key === undefined) return undefined;
    found = Array.isArray(found) ? found.find((row) => row.key === key) : found[key];
    rest = rest.slice(key.length + 1);
  }
  return found;
}

function text(value, as) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "string") return value;
  return as === "percent" ? percents.format(value) : numbers.format(value);
}

/** The same small line that the server draws. */
function line(values, most) {
  const step = (WIDTH - 2 * EDGE) / Math.max(values.length - 1, 1);
  const height = (v) => HEIGHT - EDGE - (v / most) * (HEIGHT - 2 * EDGE);
  const points = values.map((v, i) => `${(EDGE + i * step).toFixed(1)} ${height(v ?? 0).toFixed(1)}`);
  return { path: "M" + points.join(" L"), end: points.at(-1).split(" ") };
}

function draw(holder, values) {
  if (!values || values.length < 2) return;
  const name = "http://www.w3.org/2000/svg";
  let svg = holder.querySelector("svg");
  if (!svg) {
    svg = document.createElementNS(name, "svg");
    const attributes = { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": holder.dataset.flowSpark };
    for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
    svg.append(document.createElementNS(name, "path"), document.createElementNS(name, "circle"));
    svg.lastChild.setAttribute("r", "2.5");
    holder.replaceChildren(svg);
  }
  const { path, end } = line(values, Number(holder.dataset.most) || Math.max(...values, 1));
  svg.querySelector("path").setAttribute("d", path);
  svg.querySelector("circle").setAttribute("cx", end[0]);
  svg.querySelector("circle").setAttribute("cy", end[1]);
}

function meter(bar, share) {
  if (share === null || share === undefined) bar.removeAttribute("value");
  else bar.value = share;
}

function level(holder, value) {
  const tag = holder.firstElementChild;
  if (!tag || !value) return;
  tag.className = `tag tag-${value}`;
  tag.textContent = holder.dataset[value];
}

function steps(list, rows) {
  for (const row of (rows || []).slice(list.children.length)) {
    const item = list.appendChild(document.createElement("li"));
    const after = item.appendChild(document.createElement("span"));
    after.className = "num muted";
    after.textContent = `${numbers.format(row.after)} ${list.dataset.unit}`;
    item.append(` ${row.text}`);
  }
}

/** Whether something that the page shows as under way is over, so that the page has something else to say. */
const over = (data) => [...box.querySelectorAll("[data-progress]")].some((part) => !at(data, part.dataset.progress));

function show(data) {
  for (const part of box.querySelectorAll("[data-flow]")) part.textContent = text(at(data, part.dataset.flow), part.dataset.as);
  for (const part of box.querySelectorAll("[data-flow-spark]")) draw(part, at(data, part.dataset.series));
  for (const part of box.querySelectorAll("[data-flow-meter]")) meter(part, at(data, part.dataset.flowMeter));
  for (const part of box.querySelectorAll("[data-flow-level]")) level(part, at(data, part.dataset.flowLevel));
  for (const part of box.querySelectorAll("[data-flow-steps]")) steps(part, at(data, part.dataset.flowSteps));
}

async function look() {
  if (document.visibilityState !== "visible") return;
  try {
    const data = await ask(box.dataset.flows);
    if (box.dataset.reload !== undefined && over(data)) {
      location.reload();
      return;
    }
    show(data);
    box.classList.remove("is-lost");
    box.removeAttribute("title");
  } catch {
    box.classList.add("is-lost"); // the numbers are grey until the house answers again
    box.title = box.dataset.textLost;
  }
}

if (box && (box.dataset.reload === undefined || box.querySelector("[data-progress]"))) setInterval(look, EVERY);
