// Finds one of many options by typing: `data-find-class` names the select. What may be put right on the spot says so by
// `data-spot`, and the part of the form about that shows only then.

const find = document.querySelector("[data-find-class]");
const select = document.getElementById(find.dataset.findClass);
const groups = [...select.querySelectorAll("optgroup")].map((group) => ({ group, options: [...group.children] }));
const part = document.querySelector("[data-spot-part]");

function narrow() {
  const parts = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (option, label) => parts.every((each) => `${label} ${option.textContent}`.toLowerCase().includes(each));
  let last = null, many = 0;
  for (const { group, options } of groups) {
    const shown = options.filter((option) => option.selected || fits(option, group.label));
    group.replaceChildren(...shown);
    if (shown.length) select.append(group);
    else group.remove();
    const found = shown.filter((option) => fits(option, group.label));
    many += found.length;
    last = found[0] || last;
  }
  if (parts.length && many === 1 && select.value !== last.value) choose(last);
}

function choose(option) {
  option.selected = true;
  select.dispatchEvent(new Event("change", { bubbles: true }));
}

function spot() {
  part.hidden = !select.selectedOptions[0]?.hasAttribute("data-spot");
  if (part.hidden) part.querySelector("input[type=checkbox]").checked = false;
}

find.addEventListener("input", narrow);
find.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
select.addEventListener("change", spot);
spot();
