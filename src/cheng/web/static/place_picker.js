// A field for latitude and longitude, filled by the device or on a map: `data-picks` names the field. The device is asked
// only after a tap, the map is fetched when it is opened.

const TIMEOUT = 15000;
const CLOSE = 16;

function start(part) {
  const field = document.getElementById(part.dataset.picks);
  const said = part.querySelector("[data-pick-said]");
  const box = part.querySelector("[data-pick-places]");
  const button = part.querySelector("[data-pick-map]");
  let city = null, marker = null;

  const place = () => {
    const [latitude, longitude] = field.value.split(/[,，;\s]+/).map(Number);
    return field.value.trim() && Number.isFinite(latitude) && Number.isFinite(longitude) ? [longitude, latitude] : null;
  };
  const write = (longitude, latitude) => {
    field.value = `${latitude.toFixed(6)}, ${longitude.toFixed(6)}`;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    point();
  };
  const point = (move = false) => {
    const at = place();
    if (!city || !at) return;
    if (!marker) {
      marker = new city.Marker({ draggable: true });
      marker.on("dragend", () => write(...marker.getLngLat().toArray()));
    }
    marker.setLngLat(at).addTo(city.map);
    if (move) city.map.jumpTo({ center: at, zoom: CLOSE });
  };
  const tell = (text) => Object.assign(said, { hidden: !text, textContent: text });

  part.querySelector("[data-pick-here]").addEventListener("click", () => {
    if (!navigator.geolocation) return tell(part.dataset.noPlace);
    const got = ({ coords }) => {
      write(coords.longitude, coords.latitude);
      point(true);
      tell(`± ${Math.round(coords.accuracy)} m`);
    };
    navigator.geolocation.getCurrentPosition(got, () => tell(part.dataset.noPlace), { enableHighAccuracy: true, timeout: TIMEOUT });
  });
  button.addEventListener("click", async () => {
    box.hidden = !box.hidden;
    button.setAttribute("aria-expanded", String(!box.hidden));
    const canvas = box.querySelector(".map");
    if (box.hidden || canvas.dataset.map) return;
    canvas.dataset.map = box.dataset.pickPlaces;
    (await import("./map.js")).start(canvas);
  });
  box.addEventListener("cheng:drawn", ({ detail }) => {
    if (city) return; // the style was changed, the place stays
    ({ city } = detail);
    city.map.on("click", ({ lngLat }) => write(lngLat.lng, lngLat.lat));
    point(true);
  });
  field.addEventListener("change", () => point(true));
}

for (const part of document.querySelectorAll("[data-picks]")) start(part);
