// A history as a line: gaps stay gaps, the limit is a dashed line, times of alerts are shaded. Arrow keys move through
// it and the value is read out; the same numbers are in the table below.
//
// The address in `data-src` answers {unit, limit, series: [{name, points: [[ms, value or null], …]}],
// spans: [{from, to, level}]}; times in milliseconds UTC.

import { ask } from "./cheng.js";

let library = null;
const COLOURS = ["--accent", "--light-yellow", "--light-green", "--danger", "--ink-2"];

export function start(part) {
  const figures = part.matches?.("[data-chart]") ? [part] : part.querySelectorAll("[data-chart]");
  for (const figure of figures) {
    if (figure.dataset.drawn) continue;
    figure.dataset.drawn = "1";
    draw(figure).catch((error) => (readout(figure).textContent = error.message));
  }
}

function load() {
  library ||= new Promise((resolve, reject) => {
    const style = document.head.appendChild(document.createElement("link"));
    style.rel = "stylesheet";
    style.href = new URL("./vendor/uplot.css", import.meta.url).href;
    const script = document.head.appendChild(document.createElement("script"));
    script.src = new URL("./vendor/uplot.js", import.meta.url).href;
    script.onload = () => resolve(globalThis.uPlot);
    script.onerror = () => reject(new Error("uPlot"));
  });
  return library;
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function readout(figure) {
  let line = figure.querySelector(".chart-readout");
  if (!line) {
    line = document.createElement("p");
    line.className = "chart-readout";
    line.setAttribute("aria-live", "polite");
    figure.querySelector(".chart-canvas").after(line);
  }
  return line;
}

/** Series with their own times become columns over all times; where a series has no value there is a gap. */
function columns(series) {
  const times = [...new Set(series.flatMap((each) => each.points.map((point) => point[0])))].sort((a, b) => a - b);
  const place = new Map(times.map((time, i) => [time, i]));
  const values = series.map((each) => {
    const column = new Array(times.length).fill(undefined);
    for (const [time, value] of each.points) column[place.get(time)] = value;
    return column;
  });
  return [times.map((time) => time / 1000), ...values];
}

async function draw(figure) {
  const [data, Plot] = await Promise.all([ask(figure.dataset.src), load()]);
  const canvas = figure.querySelector(".chart-canvas");
  const language = document.documentElement.lang;
  const numbers = new Intl.NumberFormat(language, { maximumFractionDigits: 3 });
  const moments = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short", timeZone: data.zone });
  const shown = columns(data.series);
  const say = (i) => {
    if (i === null || i === undefined || !shown[0].length) return;
    const values = data.series.map((each, s) => {
      const value = shown[s + 1][i];
      return `${data.series.length > 1 ? each.name + " " : ""}${value == null ? "–" : numbers.format(value)} ${data.unit || ""}`;
    });
    readout(figure).textContent = `${moments.format(shown[0][i] * 1000)} · ${values.join(" · ")}`;
  };
  const axis = { stroke: colour("--ink-2"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
  const plot = new Plot({
    width: canvas.clientWidth,
    height: Number(figure.dataset.height) || 240,
    legend: { show: false },
    tzDate: data.zone ? (seconds) => Plot.tzDate(new Date(seconds * 1000), data.zone) : undefined,
    scales: { y: { range: (_, low, high) => range(low, high, data.limit) } },
    axes: [{ ...axis, values: ticks(language, data.zone) }, { ...axis, size: 60, values: (_, all) => all.map((v) => numbers.format(v)) }],
    series: [{}, ...data.series.map((each, i) => ({
      label: each.name, stroke: colour(COLOURS[i % COLOURS.length]), width: 1.75, spanGaps: false, points: { show: each.points.length < 40 },
    }))],
    hooks: { drawAxes: [(u) => shade(u, data.spans || [])], draw: [(u) => limit(u, data.limit)], setCursor: [(u) => say(u.cursor.idx)] },
  }, shown, canvas);
  canvas.removeAttribute("aria-hidden");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", figure.dataset.title);
  keyboard(canvas, plot, say);
  new ResizeObserver(() => plot.setSize({ width: canvas.clientWidth, height: plot.height })).observe(canvas);
  table(figure, data, shown, moments, numbers);
}

function range(low, high, limit) {
  if (limit !== undefined && limit !== null) {
    low = Math.min(low ?? limit, limit);
    high = Math.max(high ?? limit, limit);
  }
  const room = ((high - low) || Math.abs(high) || 1) * 0.08;
  return [low - room, high + room];
}

function ticks(language, zone) {
  const time = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
  const day = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", timeZone: zone });
  return (_, splits, __, ___, step) => splits.map((s) => (step >= 86400 ? day : time).format(s * 1000));
}

function shade(u, spans) {
  u.ctx.save();
  u.ctx.globalAlpha = 0.18;
  for (const span of spans) {
    const from = Math.max(u.valToPos(span.from / 1000, "x", true), u.bbox.left);
    const to = Math.min(u.valToPos((span.to || Date.now()) / 1000, "x", true), u.bbox.left + u.bbox.width);
    u.ctx.fillStyle = colour(span.level === "warning" || span.level === "notice" ? "--light-yellow" : "--light-red");
    if (to > from) u.ctx.fillRect(from, u.bbox.top, Math.max(to - from, 2), u.bbox.height);
  }
  u.ctx.restore();
}

function limit(u, value) {
  if (value === undefined || value === null) return;
  const y = u.valToPos(value, "y", true);
  u.ctx.save();
  u.ctx.strokeStyle = colour("--danger");
  u.ctx.setLineDash([6, 4]);
  u.ctx.lineWidth = devicePixelRatio;
  u.ctx.beginPath();
  u.ctx.moveTo(u.bbox.left, y);
  u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
  u.ctx.stroke();
  u.ctx.restore();
}

function keyboard(canvas, plot, say) {
  let at = -1;
  canvas.addEventListener("keydown", (event) => {
    const last = plot.data[0].length - 1;
    const moves = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last, PageUp: at - 20, PageDown: at + 20 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    at = Math.max(0, Math.min(last, moves[event.key]));
    plot.setCursor({ left: plot.valToPos(plot.data[0][at], "x"), top: plot.bbox.height / 2 / devicePixelRatio });
    say(at);
  });
}

function table(figure, data, shown, moments, numbers) {
  const details = figure.querySelector(".chart-table");
  details.addEventListener("toggle", () => {
    const box = figure.querySelector("[data-chart-table]");
    if (!details.open || box.firstChild) return;
    const wrap = box.appendChild(document.createElement("div"));
    wrap.className = "table-wrap";
    const body = wrap.appendChild(document.createElement("table"));
    body.className = "table";
    const head = body.createTHead().insertRow();
    for (const text of ["", ...data.series.map((each) => `${each.name} ${data.unit ? `(${data.unit})` : ""}`)]) {
      head.appendChild(document.createElement("th")).textContent = text;
    }
    const rows = body.createTBody();
    const first = Math.max(0, shown[0].length - 500);
    for (let i = shown[0].length - 1; i >= first; i--) {
      const row = rows.insertRow();
      row.insertCell().textContent = moments.format(shown[0][i] * 1000);
      for (let s = 1; s < shown.length; s++) {
        const cell = row.insertCell();
        cell.className = "num";
        cell.textContent = shown[s][i] == null ? "–" : numbers.format(shown[s][i]);
      }
    }
  });
}
