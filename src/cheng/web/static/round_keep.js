// Puts the round's pages aside on this phone, for one account: the list, the form, each task with its photos, and what
// they are drawn with. What belongs to another account, or to a task that is gone, is thrown away.

const NAME = "cheng-round:";
const LOOSE = { ignoreVary: true };
const MOST_PHOTOS = 4; // of one task

const there = () => "caches" in window && "serviceWorker" in navigator;

/** Lets the worker in, below whatever prefix the house has. */
export async function register({ worker, round }) {
  if (!there()) return;
  await navigator.serviceWorker.register(worker, { scope: round, updateViaCache: "none" }).catch(() => null);
}

export async function forget(except = "") {
  if (!there()) return;
  for (const name of await caches.keys()) {
    if (name.startsWith(NAME) && name !== NAME + except) await caches.delete(name);
  }
}

/** Everything anew that has changed; what was there stays until all of it is complete. */
export async function keep({ account, pages, assets }) {
  if (!there() || !pages.length) return;
  await forget(account);
  const cache = await caches.open(NAME + account);
  const wanted = new Set();
  const need = async (address) => {
    const href = new URL(address, location).href;
    wanted.add(href);
    if (!(await cache.match(href, LOOSE))) await cache.add(href);
  };
  for (const asset of assets) await need(asset);
  for (const { url, mark } of pages) {
    const href = new URL(url, location).href;
    wanted.add(href);
    for (const photo of photos(await page(cache, href, mark))) await need(photo).catch(() => wanted.delete(photo));
  }
  for (const { url } of await cache.keys()) if (!wanted.has(url)) await cache.delete(url, LOOSE);
}

/** The text of a page, fetched unless it is here with the same mark. */
async function page(cache, href, mark) {
  const before = await cache.match(href, LOOSE);
  if (before && mark && before.headers.get("Round-Mark") === mark) return before.text();
  const answer = await fetch(href, { headers: { Accept: "text/html" } });
  if (answer.redirected) throw new Error("signed out");
  if (!answer.ok) return "";
  await cache.put(href, answer.clone());
  return answer.text();
}

function photos(text) {
  const found = new DOMParser().parseFromString(text, "text/html").querySelectorAll(".shots img[src]");
  return [...found].slice(0, MOST_PHOTOS).map((image) => new URL(image.getAttribute("src"), location).href);
}
