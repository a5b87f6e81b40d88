// The round on a phone: what is done goes into a queue on this phone first and from there to the house, so that it makes
// no difference whether there is a network. Without any of this the forms are plain forms.

import { toast } from "./cheng.js";
import { forget, keep, register } from "./round_keep.js";
import { Queue, once } from "./round_queue.js";

const SAID = "round-said";
const PLACE = "round-place";
const EVERY = 20000; // between two tries while something waits
const FRESH = 600000; // how long a place counts as where one is
const PATIENCE = 6000; // for the question whether it is known already; without an answer nothing is asked
const HIDDEN = new Set(["csrf", "key", "version", "step", "kept"]);
const root = document.querySelector("[data-round]");
const told = JSON.parse(root.dataset.round);
const { words } = told;
const queue = new Queue(told);
const fill = (text, n) => text.replace("{n}", n);
const make = (parent, tag, text = "", name = "") => Object.assign(parent.appendChild(document.createElement(tag)), { textContent: text, className: name });

// -- what waits

async function show() {
  const items = await queue.all();
  const box = root.querySelector("[data-outbox]");
  const waiting = items.filter(({ state }) => state === "waiting").length;
  const refused = items.length - waiting;
  box.hidden = !items.length;
  const counts = [waiting && fill(words.count, waiting), refused && fill(words.refused, refused)];
  root.querySelector("[data-outbox-count]").textContent = counts.filter(Boolean).join(" · ");
  root.querySelector("[data-outbox-rows]").replaceChildren(...items.map(row));
  for (const task of document.querySelectorAll("[data-told]")) mark(task, items.find(({ number }) => number === task.closest("[data-number]").dataset.number));
  return items;
}

function mark(task, item) {
  task.hidden = !item;
  task.classList.toggle("is-refused", item?.state === "refused");
  task.textContent = item ? item.sentence || words.waits : "";
}

function row(item) {
  const line = document.createElement("li");
  make(line, "strong", item.title);
  const files = item.files.length ? ` · ${fill(words.photos, item.files.length)}` : "";
  make(line, "p", `${new Date(item.at).toLocaleTimeString(document.documentElement.lang, { timeStyle: "short" })}${files}`, "muted small");
  make(line, "p", item.sentence || words.waits, item.sentence ? "outbox-why" : "");
  const buttons = make(line, "div", "", "buttons");
  if (item.state === "refused") make(buttons, "a", words.open, "button").href = item.number ? item.url : `${item.url}?item=${encodeURIComponent(item.id)}`;
  const away = Object.assign(make(buttons, "button", words.discard, "button"), { type: "button" });
  away.addEventListener("click", async () => {
    if (!confirm(words.sure)) return;
    await queue.remove(item.id);
    show();
  });
  return line;
}

function off(why) {
  const box = root.querySelector("[data-round-off]");
  const list = document.querySelector("[data-tasks]");
  const gone = list ? words.shown.replace("{time}", root.dataset.drawn) : words.offline;
  box.hidden = !why;
  box.querySelector("p").textContent = why === "signed-out" ? words.signed_out : gone;
}

/** Sends what waits; true when nothing has to be tried again. */
async function send() {
  const result = await queue.send();
  if (result.why === "other-account") return leave();
  off(result.why);
  await show();
  return result;
}

/** Somebody else has signed in on this phone: what was put aside for the one before goes, what they did stays theirs. */
async function leave() {
  await forget();
  location.reload();
  return { sent: [], refused: [], why: "other-account" };
}

async function again() {
  if (document.hidden) return;
  const { sent, why } = await send();
  if (sent.length) news(sent);
  else if (!why) await reached();
}

/** The network is back or was there all the time: what the list shows is put aside for when it is not. */
async function reached() {
  const { why } = await queue.who();
  if (why === "other-account") leave();
  else off(why);
  return !why;
}

function news(sentences) {
  if (!document.querySelector("form[data-round-form]")) {
    sessionStorage.setItem(SAID, sentences.join(" "));
    location.assign(told.round);
  } else {
    toast(sentences.join(" "), "done");
  }
}

// -- forms

function missing(form) {
  const field = [...form.elements].find((one) => one.willValidate && !one.checkValidity());
  if (field) return [field, field.validationMessage];
  const wanted = [...form.querySelectorAll("[data-wanted]")].find((one) => one.offsetParent && !one.files.length);
  const back = form.elements.answer?.value === "no"; // sent back or nothing there: words are enough
  return wanted && !back ? [wanted, words.photo] : null;
}

function read(form, id, submitter) {
  const files = [], fields = [];
  for (const [name, value] of new FormData(form, submitter?.name ? submitter : null)) {
    if (value instanceof File) value.size && files.push([name, value]);
    else if (name !== "csrf" && name !== "key") fields.push([name, value]);
  }
  const number = form.dataset.roundForm === "found" ? "" : form.dataset.roundForm;
  const chosen = form.querySelector("[data-title-from]")?.selectedOptions[0]?.textContent;
  const title = chosen ? `${form.dataset.title}: ${chosen}` : form.dataset.title;
  const url = new URL(form.action).pathname;
  return { id, key: once(), url, number, title, fields, files, at: Date.now(), state: "waiting", sentence: "" };
}

function blame(form, [field, sentence]) {
  const box = form.querySelector("[data-round-wrong]") || form.querySelector("button[type=submit]:not([name])").insertAdjacentElement("beforebegin", document.createElement("p"));
  Object.assign(box, { className: "field-error", textContent: sentence });
  box.dataset.roundWrong = "";
  box.setAttribute("role", "alert");
  field.focus();
}

async function submit(event) {
  const form = event.currentTarget;
  event.preventDefault();
  const wrong = missing(form);
  if (wrong) return blame(form, wrong);
  const button = form.querySelector("button[type=submit]:not([name])");
  button.disabled = true;
  if (form.dataset.near && !event.submitter?.name && (await asked(form))) {
    button.disabled = false;
    return;
  }
  const item = read(form, form.dataset.item || (form.dataset.roundForm === "found" ? `found:${once()}` : `${told.account}:${form.dataset.roundForm}`), event.submitter);
  form.dataset.item = item.id;
  try {
    await queue.put(item);
  } catch {
    button.disabled = false;
    if (await reached()) return form.submit();
    return toast(words.not_kept, "danger");
  }
  forgetDraft(form);
  const { sent, refused, why } = await send();
  const no = refused.find(({ id }) => id === item.id);
  if (no) {
    button.disabled = false;
    answered(form);
    return back(form, no.sentence);
  }
  if (!why) sessionStorage.setItem(SAID, sent.join(" ") || words.sent); // else the list says that it waits
  location.assign(told.round);
}

/** Whether it may be known already, and the question stands on the page now. Off line nothing is asked. */
async function asked(form) {
  const body = new FormData(form);
  if (body.get("place")) for (const { name } of form.querySelectorAll("input[type=file]")) body.delete(name); // a photo may be all that knows it
  const headers = { Accept: "text/html", "HX-Request": "true" };
  let page;
  try {
    const answer = await fetch(form.dataset.near, { method: "POST", body, headers, signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) return false;
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return false;
  }
  const question = page.querySelector("section");
  if (!question) return false;
  const box = form.querySelector("[data-alike]");
  box.replaceChildren(document.adoptNode(question));
  box.querySelector("[name=back]").addEventListener("click", (event) => {
    event.preventDefault();
    answered(form);
    form.querySelector("select").focus();
  });
  box.hidden = false;
  form.querySelector("button[type=submit]:not([name])").hidden = true;
  box.querySelector("h2").focus();
  return true;
}

/** The question goes, and so does its answer: what is asked about is not the same any more. */
function answered(form) {
  const box = form.querySelector("[data-alike]");
  if (!box || box.hidden) return;
  box.replaceChildren();
  box.hidden = true;
  form.querySelector("button[type=submit]:not([name])").hidden = false;
}

/** It is in the queue now: what drafts.js keeps of it would only come up again. */
function forgetDraft(form) {
  const name = `draft:${new URL(form.action).pathname}:${form.dataset.draft}`;
  localStorage.removeItem(name);
  if (sessionStorage.getItem("draft-sent") === name) sessionStorage.removeItem("draft-sent");
}

function back(form, sentence) {
  const box = form.querySelector("[data-round-back]");
  box.hidden = false;
  box.querySelector("[data-back-why]").textContent = sentence;
  box.scrollIntoView({ block: "center" });
}

/** What was refused, in the form as it is now: nothing has to be entered again, the photos neither. */
function restore(form, item) {
  form.dataset.item = item.id;
  for (const [name, value] of item.fields) {
    const field = form.elements[name];
    if (!field || HIDDEN.has(name)) continue;
    if (field.type === "checkbox") field.checked = true;
    else field.value = value;
  }
  for (const input of form.querySelectorAll("input[type=file]")) {
    const files = item.files.filter(([name]) => name === input.name).map(([, file]) => file);
    if (files.length) put(input, files);
  }
  back(form, item.sentence);
}

function put(input, files) {
  const box = new DataTransfer();
  for (const file of files) box.items.add(file);
  input.files = box.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

// One photo after the other: a camera gives one at a time, and the next must not take the place of the last.
const chosen = new WeakMap();
document.addEventListener("change", ({ target, isTrusted }) => {
  if (target.type !== "file") return;
  const before = isTrusted ? chosen.get(target) || [] : [];
  const box = new DataTransfer();
  for (const file of [...before, ...target.files]) box.items.add(file);
  if (before.length && target.files.length) target.files = box.files;
  chosen.set(target, [...target.files]);
}, true);

// -- the nearest first

const RADIUS = 6371008.8;
const turned = (degrees) => (degrees * Math.PI) / 180;

function away([x, y], [lon, lat]) {
  const across = Math.sin(turned(lon - x) / 2) ** 2 * Math.cos(turned(y)) * Math.cos(turned(lat));
  return 2 * RADIUS * Math.asin(Math.sqrt(Math.sin(turned(lat - y) / 2) ** 2 + across));
}

function sort(list, place) {
  const tasks = [...list.children];
  const far = new Map(tasks.map((task) => [task, task.dataset.place ? away(place, task.dataset.place.split(",").map(Number)) : Infinity]));
  tasks.sort((one, other) => far.get(one) - far.get(other));
  list.append(...tasks);
  for (const task of tasks) {
    const metres = far.get(task);
    const said = task.querySelector("[data-away]");
    said.hidden = !Number.isFinite(metres);
    said.textContent = metres < 1000 ? fill(words.metres, Math.round(metres / 10) * 10) : fill(words.kilometres, (metres / 1000).toFixed(1));
  }
}

function near(button, list) {
  const kept = JSON.parse(sessionStorage.getItem(PLACE) || "null");
  const show = (place) => {
    sort(list, place);
    button.setAttribute("aria-pressed", "true");
  };
  if (kept && Date.now() - kept.at < FRESH) show(kept.place);
  button.addEventListener("click", () => {
    const none = () => Object.assign(document.querySelector("[data-near-said]"), { hidden: false, textContent: words.no_place });
    if (!navigator.geolocation) return none();
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      const place = [coords.longitude, coords.latitude];
      sessionStorage.setItem(PLACE, JSON.stringify({ at: Date.now(), place }));
      show(place);
    }, none, { enableHighAccuracy: true, timeout: 15000, maximumAge: 60000 });
  });
}

// -- the page begins

async function begin() {
  const said = sessionStorage.getItem(SAID);
  if (said) toast(said, "done");
  sessionStorage.removeItem(SAID);
  const list = document.querySelector("[data-tasks]");
  if (list) near(document.querySelector("[data-near]"), list);
  if (!("indexedDB" in window)) return;
  const items = await show();
  const wanted = new URLSearchParams(location.search).get("item");
  for (const form of document.querySelectorAll("form[data-round-form]")) {
    form.addEventListener("submit", submit);
    form.addEventListener("change", () => answered(form));
    const mine = items.find((item) => item.state === "refused" && (item.number ? item.number === form.dataset.roundForm : item.id === wanted));
    if (mine) restore(form, mine);
  }
  root.dataset.ready = "";
  window.addEventListener("online", again); // before the first try, during which the network may come back
  window.addEventListener("offline", () => off("offline"));
  document.addEventListener("visibilitychange", again);
  setInterval(again, EVERY);
  await register(told);
  await again();
  if (await reached()) await keep(told).catch(() => null);
  root.dataset.kept = "";
}

begin();
