// Stands between the round and the network: where there is none, the round's own pages come from what round_keep.js has
// put aside for whoever is signed in. It keeps nothing by itself, changes nothing, and knows no other page.

const NAME = "cheng-round:"; // of the one store there is, with the account behind it
const ROUND = new URL(".", self.location).pathname.replace(/\/$/, "");
const HOUSE = ROUND.replace(/\/desk\/round$/, "");
const FILE = /\/desk\/cases\/[^/]+\/files\/[0-9a-f]{64}$/;
const PATIENCE = 8000; // after which a network that does not answer counts as none

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  const page = url.pathname === ROUND || url.pathname.startsWith(`${ROUND}/`);
  if (request.mode === "navigate") {
    if (page) event.respondWith(shown(request, url));
  } else if (url.pathname.startsWith(`${HOUSE}/static/`) || FILE.test(url.pathname)) {
    event.respondWith(kept(url.href).then((found) => found || fetch(request)));
  }
});

/** A page: as it is now, else as it was put aside, else the list, on which everything else can be found. */
async function shown(request, url) {
  const answer = fetch(request);
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  const first = await Promise.race([answer.catch(() => null), late]);
  if (first) return first;
  return (await kept(url.origin + url.pathname)) || (await kept(url.origin + ROUND)) || answer;
}

async function kept(address) {
  for (const name of await caches.keys()) {
    if (!name.startsWith(NAME)) continue;
    const cache = await caches.open(name);
    const found = await cache.match(address, { ignoreVary: true });
    if (found) return found;
  }
  return undefined;
}
