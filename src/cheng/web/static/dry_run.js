// The dry run follows the sliders: 300 ms after the last movement the result is asked for, one question at a time.
// The form works without this: it is sent, and the result is a page of its own.

import { start as charts } from "./chart.js";

const PAUSE = 300;

for (const form of document.querySelectorAll("[data-trial]")) begin(form);

function begin(form) {
  const result = document.querySelector("[data-trial-result]");
  const fields = Object.fromEntries([...form.querySelectorAll("[data-trial-number]")].map((field) => [field.id, field]));
  let timer = 0, asked = "", under = false, again = false;

  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(run, PAUSE);
  };
  for (const slider of form.querySelectorAll("[data-trial-slider]")) {
    const field = fields[slider.dataset.trialSlider];
    slider.addEventListener("input", () => {
      field.value = slider.value;
      later();
    });
    field.addEventListener("input", () => {
      slider.value = field.value;
      later();
    });
  }
  for (const button of form.querySelectorAll("[data-trial-reset]")) {
    button.addEventListener("click", () => {
      const field = fields[button.dataset.trialReset];
      field.value = button.dataset.value;
      field.dispatchEvent(new Event("input"));
    });
  }
  form.addEventListener("change", (event) => event.target.matches("select, [type=datetime-local]") && later());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    asked = "";
    run();
  });

  async function run() {
    const query = new URLSearchParams(new FormData(form)).toString();
    if (query === asked) return;
    if (under) {
      again = true;
      return;
    }
    asked = query;
    under = true;
    result.setAttribute("aria-busy", "true");
    result.classList.add("is-waiting");
    if (!result.firstElementChild) result.textContent = form.dataset.textWait;
    try {
      const answer = await fetch(`${form.action}?${query}`, { headers: { "HX-Request": "true", Accept: "text/html" } });
      const text = await answer.text();
      if (!answer.ok) throw new Error(problem(text));
      result.innerHTML = text;
      charts(result);
      const said = document.querySelector("[data-trial-status]");
      if (said) said.textContent = result.querySelector(".trial-said")?.textContent.replace(/\s+/g, " ").trim() || "";
    } catch (error) {
      result.textContent = `${form.dataset.textFailed} ${error.message}`;
    } finally {
      under = false;
      result.setAttribute("aria-busy", "false");
      result.classList.remove("is-waiting");
      if (again) {
        again = false;
        run();
      }
    }
  }

  if (!("trialFilled" in result.dataset)) run();
  else asked = new URLSearchParams(new FormData(form)).toString();
}

function problem(text) {
  try {
    return JSON.parse(text).detail || "";
  } catch {
    return "";
  }
}
