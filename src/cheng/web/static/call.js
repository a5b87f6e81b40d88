// The page for calls: a class or a place that is offered goes into its field without a way to the hub; the receipt prints.

import { Where } from "./where.js";

const form = document.getElementById("call");
if (form) new Where(form);

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
  const offer = event.target.closest("[data-set]");
  if (!offer) return;
  event.preventDefault();
  const field = document.getElementById(offer.dataset.set);
  field.value = offer.dataset.to;
  const address = offer.dataset.name && document.getElementById("f-address");
  if (address && !address.value) address.value = offer.dataset.name;
  for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
  (address || field).focus();
});
