// What somebody typed is never lost: each form with `data-draft` is kept in this browser until it was taken.
// The page that comes after a form was taken says so (`data-taken`, see cheng.js); a lost connection, an ended session
// or a refusal therefore costs nobody a word. Passwords, hidden fields and files are not kept.

const DAYS = 14;
const keep = (field) => field.name && !["password", "hidden", "file", "submit"].includes(field.type);
const key = (form) => `draft:${new URL(form.action).pathname}:${form.dataset.draft}`;

function read(form) {
  const draft = {};
  for (const field of form.elements) {
    if (!keep(field)) continue;
    if (field.type === "checkbox" || field.type === "radio") {
      if (field.checked) (draft[field.name] ||= []).push(field.value);
    } else if (field.value) {
      draft[field.name] = [field.value];
    }
  }
  return draft;
}

function write(form, draft) {
  for (const field of form.elements) {
    if (!keep(field)) continue;
    const values = draft[field.name] || [];
    if (field.type === "checkbox" || field.type === "radio") field.checked = values.includes(field.value);
    else if (values.length && !field.value) field.value = values[0];
  }
  form.dispatchEvent(new Event("input", { bubbles: true }));
}

function attach(form) {
  if (form.dataset.kept) return;
  form.dataset.kept = "1";
  const name = key(form);
  const failed = form.parentElement.querySelector(".error-summary") || form.querySelector(".error-summary");
  if (sessionStorage.getItem("draft-sent") === name) sessionStorage.removeItem("draft-sent");
  const begun = JSON.stringify(read(form));
  const stored = JSON.parse(localStorage.getItem(name) || "null");
  if (stored && Date.now() - stored.at < DAYS * 864e5 && !failed) write(form, stored.draft);
  let timer = 0;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const draft = read(form);
      if (JSON.stringify(draft) === begun) localStorage.removeItem(name);
      else localStorage.setItem(name, JSON.stringify({ at: Date.now(), draft }));
    }, 200);
  });
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    localStorage.setItem(name, JSON.stringify({ at: Date.now(), draft: read(form) }));
    sessionStorage.setItem("draft-sent", name);
  });
}

export function start(part) {
  for (const form of part.querySelectorAll("form[data-draft]")) attach(form);
  if (part.matches?.("form[data-draft]")) attach(part);
}
