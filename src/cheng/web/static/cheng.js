// What every page gets: small improvements, each in a file of its own, loaded only where the page asks for it.
// Without any of this every page still works.

const root = document.documentElement;
root.classList.add("js");
document.querySelector(".entries [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

const token = () => document.querySelector('meta[name="csrf-token"]')?.content ||
  document.querySelector('input[name="csrf"]')?.value || "";

/** fetch() of our own addresses: with the form's secret when something is changed. */
export async function ask(url, options = {}) {
  const headers = { Accept: "application/json", ...options.headers };
  if (options.method && options.method !== "GET") headers["X-CSRF-Token"] = token();
  const answer = await fetch(url, { ...options, headers });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(problem.detail || answer.statusText), { problem, status: answer.status });
  }
  return answer.json();
}

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Day or night, as the page is. */
export function look() {
  const { theme } = document.documentElement.dataset;
  return theme === "dark" || (theme !== "light" && dark.matches) ? "night" : "day";
}

/** A sentence in the corner that goes away by itself, unless it is urgent. */
export function toast(text, level = "info", href = "") {
  const box = document.getElementById("toasts");
  if (!box) return;
  const urgent = level === "danger" || level === "emergency";
  const note = document.createElement("div");
  note.className = `toast toast-${level}`;
  const line = note.appendChild(document.createElement("p"));
  if (href) {
    const link = line.appendChild(document.createElement("a"));
    link.href = href;
    link.textContent = text;
  } else {
    line.textContent = text;
  }
  const close = note.appendChild(document.createElement("button"));
  close.className = "button small quiet";
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", box.dataset.close);
  close.addEventListener("click", () => note.remove());
  box.append(note);
  while (box.children.length > 4) box.firstElementChild.remove();
  if (!urgent) setTimeout(() => note.remove(), 12000);
}

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get") event.detail.headers["X-CSRF-Token"] = token();
});
document.addEventListener("htmx:responseError", (event) => {
  let detail = document.getElementById("toasts")?.dataset.failed || "";
  try {
    detail = JSON.parse(event.detail.xhr.responseText).detail || detail;
  } catch {
    // not problem details: the general sentence will do
  }
  toast(detail, "error");
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    const text = copy.parentElement.querySelector("code, input")?.textContent || "";
    navigator.clipboard?.writeText(text).then(() => {
      copy.classList.add("is-done");
      setTimeout(() => copy.classList.remove("is-done"), 1500);
    });
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// This page comes after a form that was taken: what drafts.js kept of it may go.
if ("taken" in root.dataset && sessionStorage.getItem("draft-sent")) {
  localStorage.removeItem(sessionStorage.getItem("draft-sent"));
  sessionStorage.removeItem("draft-sent");
}
document.querySelector("[data-focus]")?.focus();

/** Load what the page, or a part that htmx just put into it, asks for. */
function wake(part) {
  const has = (selector) => part.matches?.(selector) || part.querySelector?.(selector);
  if (has("[data-chart]")) import("./chart.js").then((module) => module.start(part));
  if (has("[data-map]")) import("./map.js").then((module) => module.start(part));
  if (has("form[data-draft]")) import("./drafts.js").then((module) => module.start(part));
  if (has("input[data-preview]")) import("./previews.js").then((module) => module.start(part));
}
wake(document);
document.addEventListener("htmx:load", (event) => event.detail.elt !== document.body && wake(event.detail.elt));
import("./keys.js");
if (document.getElementById("toasts")?.dataset.live) import("./live.js");

// Nobody is signed in here any more: pages that were put aside for being off line go. What waits to be sent stays.
if (document.getElementById("toasts")?.dataset.live === "" && "caches" in window) {
  const ours = (names) => names.filter((name) => name.startsWith("cheng-round:"));
  caches.keys().then((names) => ours(names).forEach((name) => caches.delete(name))).catch(() => null);
}
