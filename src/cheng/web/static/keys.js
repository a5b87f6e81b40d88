// One keystroke to act: `data-key="a"` on a link, a button or a field, g and a letter for `data-go`; j and k walk through
// a list; ? shows it all.

const dialog = document.getElementById("keys");
const typing = (element) => element.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
let going = 0;

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
  if (dialog?.open) return;
  if (event.key === "?") return act(event, help);
  if (event.key === "g") return void (going = Date.now());
  if (Date.now() - going < 1500 && /^[1-9]$/.test(event.key)) {
    const link = document.querySelectorAll(".sections a")[Number(event.key) - 1];
    return link && act(event, () => link.click());
  }
  const entry = Date.now() - going < 1500 && [...document.querySelectorAll("[data-go]")].find((e) => e.dataset.go === event.key);
  if (entry) return act(event, () => entry.click());
  if (event.key === "j" || event.key === "k") return walk(event);
  const target = [...document.querySelectorAll("[data-key]")].find((e) => e.dataset.key === event.key && e.checkVisibility());
  if (target) act(event, () => (target.matches("input, textarea, select") ? target.focus() : target.click()));
});

function act(event, what) {
  event.preventDefault();
  what();
}

function walk(event) {
  const links = [...document.querySelectorAll(".row-link")];
  if (!links.length) return;
  const at = links.indexOf(document.activeElement);
  const next = links[Math.max(0, Math.min(links.length - 1, event.key === "j" ? at + 1 : at - 1))];
  act(event, () => next.focus());
}

document.addEventListener("focusin", (event) => {
  for (const row of document.querySelectorAll("tr.is-here")) row.classList.remove("is-here");
  if (event.target.matches(".row-link")) event.target.closest("tr")?.classList.add("is-here");
});

function help() {
  const list = dialog.querySelector("[data-keys-list]");
  for (const old of list.querySelectorAll("[data-own]")) old.remove();
  for (const element of document.querySelectorAll("[data-key], [data-go]")) {
    const line = list.appendChild(document.createElement("div"));
    line.dataset.own = "";
    const key = line.appendChild(document.createElement("dt")).appendChild(document.createElement("kbd"));
    key.className = "key";
    key.textContent = element.dataset.key || `g ${element.dataset.go}`;
    const label = element.dataset.says || element.getAttribute("aria-label") || element.placeholder || element.querySelector("span")?.textContent;
    line.appendChild(document.createElement("dd")).textContent = (label || element.textContent).trim();
  }
  dialog.showModal();
}
