// A history as a line: gaps stay gaps, thresholds are dashed lines with their name, times of alerts are shaded, marked
// readings have a shape of their own. Arrow keys move through it and the value is read out; the same numbers are in the
// table below.
//
// The address in `data-src` answers {unit, zone, series: [{name, points: [[ms, value or null, marks], …]}], and if it has
// them: limit, limits: [{value, text, level, release}], spans: [{from, to, level, text}], bad: bits of marks that keep a
// reading out of the line, marks: {bit: text}, steps: a value holds until the next, labels: {code: text}, from, to}.
// Times in milliseconds UTC. With `data-refresh` (seconds) it is asked for again while the page is looked at.

import { ask } from "./cheng.js";

let library = null;
let resting = 0;
const waiting = new Map(); // figures nobody came to yet: who watches for them, and what they are drawn from
const COLOURS = ["--accent", "--light-yellow", "--light-green", "--danger", "--ink-2"];
const DASHES = [[], [8, 3], [2, 3], [10, 3, 2, 3], [4, 4]];
const MOST_ROWS = 500;
const REST = 3000; // milliseconds after a page is there
const NEAR = "300px"; // a chart so close to the screen is drawn before one comes there

export function start(part) {
  const figures = part.matches?.("[data-chart]") ? [part] : part.querySelectorAll("[data-chart]");
  for (const figure of figures) {
    if (figure.dataset.drawn) continue;
    figure.dataset.drawn = "1";
    near(figure);
  }
  if (document.readyState === "complete") rest();
}

/** Draws a figure when it comes near the screen: what is further down costs a phone nothing. */
function near(figure) {
  const watch = new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && come(figure), { rootMargin: NEAR });
  waiting.set(figure, { watch, told: null });
  watch.observe(figure);
}

function come(figure) {
  const { watch, told } = waiting.get(figure);
  watch.disconnect();
  waiting.delete(figure);
  put(figure, told).catch((error) => (readout(figure).textContent = `${figure.dataset.textFailed || ""} ${error.message}`));
}

/** At once, where it is known what to draw. */
async function put(figure, told) {
  draw(figure, ...(told ?? (await bring(figure))));
}

/** What a figure is drawn from. */
function bring(figure) {
  return Promise.all([ask(figure.dataset.src), load()]);
}

/** Who prints a page wants all of it, and the browser waits for nothing then: what is needed is brought while it rests. */
function rest() {
  clearTimeout(resting);
  resting = setTimeout(() => {
    for (const [figure, one] of waiting) if (!one.told) bring(figure).then((told) => (one.told = told), () => null);
  }, REST);
}

addEventListener("load", rest);
addEventListener("beforeprint", () => [...waiting.keys()].forEach(come));

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
const levelColour = (level) => colour(level === "warning" || level === "notice" ? "--light-yellow" : "--light-red");

function make(parent, tag, text = "", name = "") {
  const made = parent.appendChild(document.createElement(tag));
  if (text) made.textContent = text;
  if (name) made.className = name;
  return made;
}

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
function columns(data) {
  const { series, bad = 0 } = data;
  const times = [...new Set(series.flatMap((each) => each.points.map((point) => point[0])))].sort((a, b) => a - b);
  const place = new Map(times.map((time, i) => [time, i]));
  const all = series.map((each) => {
    const column = new Array(times.length).fill(undefined);
    for (const [time, value, mark = 0] of each.points) column[place.get(time)] = { value, mark };
    return column;
  });
  const good = all.map((column) => column.map((one) => (one === undefined || one.mark & bad ? undefined : one.value)));
  return { all, shown: [times.map((time) => time / 1000), ...good] };
}

/** How this reader writes numbers, times and marks. */
function words(data) {
  const language = document.documentElement.lang;
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 3 });
  const moment = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium", timeZone: data.zone });
  const sign = data.unit && data.unit !== "%" ? ` ${data.unit}` : data.unit || "";
  const value = (v) => (data.labels ? data.labels[v] ?? number.format(v) : number.format(v) + sign);
  const marks = (bits) => Object.entries(data.marks || {}).filter(([bit]) => bits & bit).map(([, text]) => text).join(", ");
  return { language, number, value, marks, moment: (seconds) => moment.format(seconds * 1000) };
}

function draw(figure, data, Plot) {
  const canvas = figure.querySelector(".chart-canvas");
  const state = { data, ...columns(data), words: words(data), figure };
  const say = (i) => speak(state, i);
  const plot = new Plot(options(state, Plot, canvas, say), state.shown, canvas);
  canvas.removeAttribute("aria-hidden");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${figure.dataset.title}. ${figure.dataset.textKeys || ""}`.trim());
  keyboard(canvas, plot, state, say);
  new ResizeObserver(() => plot.setSize({ width: canvas.clientWidth, height: plot.height })).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plot.redraw());
  table(state);
  settle(state);
  if (Number(figure.dataset.refresh)) refresh(state, plot);
  return plot;
}

function options(state, Plot, canvas, say) {
  const { data, figure } = state;
  const ink = () => colour("--ink-2");
  const axis = { stroke: ink, grid: { stroke: () => colour("--line"), width: 1 }, ticks: { stroke: () => colour("--line") } };
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  return {
    width: canvas.clientWidth,
    height: Number(figure.dataset.height) || 240,
    legend: { show: false },
    tzDate: data.zone ? (seconds) => Plot.tzDate(new Date(seconds * 1000), data.zone) : undefined,
    scales: {
      x: data.from ? { range: () => [state.data.from / 1000, Math.max(state.data.to, state.data.from + 1) / 1000] } : {},
      y: { range: (_, low, high) => range(low, high, state.data) },
    },
    axes: [
      { ...axis, font, size: 34, values: ticks(state.words.language, data.zone) },
      { ...axis, font, size: data.labels ? 84 : 60, ...(data.labels ? labelled(data) : {}), ...(data.labels ? {} : {
        values: (_, all) => all.map((v) => state.words.number.format(v)) }) },
    ],
    series: [{}, ...data.series.map((each, i) => ({
      label: each.name,
      stroke: () => colour(COLOURS[i % COLOURS.length]),
      width: 1.75,
      dash: DASHES[i % DASHES.length],
      spanGaps: false,
      paths: data.steps ? Plot.paths.stepped({ align: 1 }) : undefined,
      points: { show: each.points.length < 40, size: 5 },
    }))],
    hooks: {
      drawAxes: [(u) => shade(u, state.data.spans || [])],
      draw: [(u) => limits(u, state.data), (u) => shapes(u, state)],
      setCursor: [(u) => say(u.cursor.idx)],
    },
  };
}

function labelled(data) {
  const codes = Object.keys(data.labels).map(Number);
  return { splits: () => codes, values: (_, all) => all.map((code) => data.labels[code]), grid: { show: true, stroke: () => colour("--line"), width: 1 } };
}

function range(low, high, data) {
  if (data.labels) return [-0.5, Object.keys(data.labels).length - 0.5];
  const lines = [data.limit, ...(data.limits || []).map((each) => each.value)].filter((v) => v !== undefined && v !== null);
  // A threshold far away must not press the line flat: it is drawn where it fits.
  const span = (high ?? 0) - (low ?? 0) || Math.abs(high ?? 0) || 1;
  for (const line of lines) {
    if (low === null || low === undefined || low - line < 4 * span) low = Math.min(low ?? line, line);
    if (high === null || high === undefined || line - high < 4 * span) high = Math.max(high ?? line, line);
  }
  if (low === null || low === undefined) return [0, 1];
  const room = ((high - low) || Math.abs(high) || 1) * 0.08;
  return [low - room, high + room];
}

function ticks(language, zone) {
  const time = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
  const day = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", timeZone: zone });
  return (_, splits, __, ___, step) => splits.map((s) => (step >= 86400 ? day : time).format(s * 1000));
}

// -- what is drawn over the line

function shade(u, spans) {
  u.ctx.save();
  for (const span of spans) {
    const from = Math.max(u.valToPos(span.from / 1000, "x", true), u.bbox.left);
    const to = Math.min(u.valToPos((span.to || Date.now()) / 1000, "x", true), u.bbox.left + u.bbox.width);
    if (to <= from) continue;
    u.ctx.fillStyle = levelColour(span.level);
    u.ctx.globalAlpha = 0.16;
    u.ctx.fillRect(from, u.bbox.top, Math.max(to - from, 2), u.bbox.height);
    u.ctx.globalAlpha = 1;
    u.ctx.fillRect(from, u.bbox.top, Math.max(to - from, 2), 3 * devicePixelRatio);
  }
  u.ctx.restore();
}

function limits(u, data) {
  const all = [...(data.limits || [])];
  if (data.limit !== undefined && data.limit !== null) all.push({ value: data.limit, level: "danger" });
  u.ctx.save();
  u.ctx.font = `${11 * devicePixelRatio}px ${getComputedStyle(document.body).fontFamily}`;
  let before = -Infinity, left = false;
  for (const line of all.sort((a, b) => b.value - a.value)) {
    const y = u.valToPos(line.value, "y", true);
    if (y < u.bbox.top || y > u.bbox.top + u.bbox.height) continue;
    u.ctx.strokeStyle = line.release ? colour("--line-strong") : levelColour(line.level);
    u.ctx.setLineDash(line.release ? [2, 4] : [6, 4]);
    u.ctx.lineWidth = (line.release ? 1 : 1.5) * devicePixelRatio;
    u.ctx.beginPath();
    u.ctx.moveTo(u.bbox.left, y);
    u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
    u.ctx.stroke();
    if (!line.text) continue;
    const above = y - 4 * devicePixelRatio > u.bbox.top + 10 * devicePixelRatio;
    // Names of thresholds that lie close together stand at opposite ends.
    left = y - before < 16 * devicePixelRatio && !left;
    before = y;
    u.ctx.textAlign = left ? "left" : "right";
    const at = [line.text, left ? u.bbox.left + 4 : u.bbox.left + u.bbox.width - 4, y + (above ? -4 : 12) * devicePixelRatio];
    u.ctx.setLineDash([]);
    u.ctx.lineWidth = 4 * devicePixelRatio;
    u.ctx.strokeStyle = colour("--surface");
    u.ctx.strokeText(...at);
    u.ctx.fillStyle = colour("--ink-2");
    u.ctx.fillText(...at);
  }
  u.ctx.restore();
}

/** Marked readings: a cross for those that do not count, a diamond for those that do. Off the scale: at its edge. */
function shapes(u, { all, shown, data }) {
  const size = 4 * devicePixelRatio;
  u.ctx.save();
  u.ctx.lineWidth = 1.5 * devicePixelRatio;
  for (const column of all) {
    column.forEach((one, i) => {
      if (!one?.mark || one.value === null) return;
      const x = u.valToPos(shown[0][i], "x", true);
      const y = Math.min(Math.max(u.valToPos(one.value, "y", true), u.bbox.top + size), u.bbox.top + u.bbox.height - size);
      const isBad = one.mark & data.bad;
      u.ctx.strokeStyle = colour(isBad ? "--danger" : "--warning");
      u.ctx.beginPath();
      const path = isBad
        ? [[-1, -1, 1, 1], [-1, 1, 1, -1]]
        : [[0, -1, 1, 0], [1, 0, 0, 1], [0, 1, -1, 0], [-1, 0, 0, -1]];
      for (const [a, b, c, d] of path) {
        u.ctx.moveTo(x + a * size, y + b * size);
        u.ctx.lineTo(x + c * size, y + d * size);
      }
      u.ctx.stroke();
    });
  }
  u.ctx.restore();
}

// -- what is read out

/** One moment as text. */
function told(state, i) {
  const { data, all, words: say, figure } = state;
  return data.series.map((each, s) => {
    const one = all[s][i];
    const name = data.series.length > 1 ? `${each.name} ` : "";
    const value = !one || one.value === null ? figure.dataset.textGap || "–" : say.value(one.value);
    const marks = one?.mark ? ` (${say.marks(one.mark)})` : "";
    return name + value + marks;
  }).join(" · ");
}

function speak(state, i) {
  if (i === null || i === undefined || !state.shown[0].length) return;
  readout(state.figure).textContent = `${state.words.moment(state.shown[0][i])} · ${told(state, i)}`;
}

function keyboard(canvas, plot, state, say) {
  let at = -1;
  canvas.addEventListener("keydown", (event) => {
    const last = state.shown[0].length - 1;
    const from = at < 0 ? last + 1 : at;
    const moves = { ArrowLeft: from - 1, ArrowRight: at + 1, Home: 0, End: last, PageUp: from - 20, PageDown: at + 20 };
    if (!(event.key in moves) || last < 0) return;
    event.preventDefault();
    at = Math.max(0, Math.min(last, moves[event.key]));
    plot.setCursor({ left: plot.valToPos(state.shown[0][at], "x"), top: plot.bbox.height / 2 / devicePixelRatio });
    say(at);
  });
}

/** The empty sentence, and what the shapes and lines mean. */
function settle(state) {
  const { figure, data } = state;
  const text = figure.dataset;
  if (!state.shown[0].length) readout(figure).textContent = text.textEmpty || "";
  const legend = figure.querySelector("[data-chart-legend]");
  if (!legend) return;
  const marks = state.all.flat().map((one) => one?.mark || 0);
  const known = [
    [marks.some((mark) => mark && !(mark & data.bad)), "diamond", text.textMarked],
    [marks.some((mark) => mark & data.bad), "cross", text.textBad],
    [data.limits?.length, "dash", text.textLimit],
    [data.spans?.length, "shade", text.textAlert],
  ];
  legend.replaceChildren();
  for (const [i, each] of data.series.length > 1 ? data.series.entries() : []) {
    make(legend, "span", each.name, `chart-key chart-key-line chart-key-line-${i % COLOURS.length}`);
  }
  for (const [there, kind, words_] of known) {
    if (there && words_) make(legend, "span", words_, `chart-key chart-key-${kind}`);
  }
}

async function refresh(state, plot) {
  const again = async () => {
    if (document.visibilityState !== "visible") return;
    const data = await ask(state.figure.dataset.src).catch(() => null); // the next turn tries again
    if (!data) return;
    Object.assign(state, { data, ...columns(data) });
    plot.setData(state.shown);
    settle(state);
  };
  setInterval(again, Number(state.figure.dataset.refresh) * 1000);
}

function table(state) {
  const details = state.figure.querySelector(".chart-table");
  details?.addEventListener("toggle", () => {
    const box = state.figure.querySelector("[data-chart-table]");
    if (!details.open) return;
    box.replaceChildren();
    fill(box, state);
  });
}

function fill(box, state) {
  const { data, shown, all, words: say, figure } = state;
  const text = figure.dataset;
  const wrap = make(box, "div", "", "table-wrap");
  wrap.tabIndex = 0;
  wrap.setAttribute("role", "region");
  wrap.setAttribute("aria-label", text.title);
  const body = make(wrap, "table", "", "table");
  const head = body.createTHead().insertRow();
  const unit = data.unit ? ` (${data.unit})` : "";
  const names = data.series.length > 1 ? data.series.map((each) => each.name + unit) : [(text.textValue || data.series[0]?.name) + unit];
  for (const name of [text.textTime || "", ...names, ...(data.marks ? [text.textQuality || ""] : [])]) {
    make(head, "th", name).scope = "col";
  }
  const rows = body.createTBody();
  const first = Math.max(0, shown[0].length - MOST_ROWS);
  for (let i = shown[0].length - 1; i >= first; i--) {
    if (all.every((column) => !column[i] || column[i].value === null)) continue;
    const row = rows.insertRow();
    row.insertCell().textContent = say.moment(shown[0][i]);
    for (const column of all) {
      const cell = row.insertCell();
      cell.className = "num";
      cell.textContent = column[i]?.value == null ? "–" : say.value(column[i].value);
    }
    if (data.marks) row.insertCell().textContent = say.marks(all[0][i]?.mark || 0);
  }
  if (text.textMore) make(box, "p", text.textMore, "small muted");
  for (const span of data.spans || []) {
    const end = span.to ? say.moment(span.to / 1000) : "…";
    make(box, "p", `${say.moment(span.from / 1000)} – ${end}: ${span.text || ""}`, "small");
  }
}
