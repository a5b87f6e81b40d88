// The photos somebody chose, small, before they are sent.

export function start(part) {
  for (const input of part.querySelectorAll("input[data-preview]")) {
    input.addEventListener("change", () => show(input));
  }
}

function show(input) {
  const box = input.parentElement.querySelector("[data-previews]");
  for (const image of box.querySelectorAll("img")) URL.revokeObjectURL(image.src);
  box.replaceChildren();
  for (const file of input.files) {
    const figure = document.createElement("figure");
    if (/^image\/(jpeg|png|webp)$/.test(file.type)) {
      const image = figure.appendChild(document.createElement("img"));
      image.src = URL.createObjectURL(file);
      image.alt = "";
    }
    figure.appendChild(document.createElement("figcaption")).textContent = file.name;
    box.append(figure);
  }
}
