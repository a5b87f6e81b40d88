// What was done on the round and is not yet in the house: acts and reports with their photos, in this browser's own
// database, until the house has taken them. Each has a key by which the house knows what it was sent before, so that
// nothing is done twice; what it refuses stays, with its sentence. Everything belongs to the account that did it.

const STORE = "waiting";
const LOCK = "cheng-round";
const STAYS = new Set([401, 408, 425, 429]); // answers after which trying again later is right

/** As much chance as nobody can guess, also where the page is not secure and randomUUID is missing. */
export const once = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const asked = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

export class Queue {
  constructor({ account, here }) {
    Object.assign(this, { account, here, opened: null });
  }

  async store(mode) {
    this.opened ||= new Promise((resolve, reject) => {
      const request = indexedDB.open("cheng-round", 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    return (await this.opened).transaction(STORE, mode).objectStore(STORE);
  }

  /** What this account has not sent, the oldest first. */
  async all() {
    const found = await asked((await this.store("readonly")).getAll());
    return found.filter((item) => item.account === this.account).sort((one, other) => one.at - other.at);
  }

  /** Kept when this returns; in place of what was not yet sent about the same task. */
  async put(item) {
    const store = await this.store("readwrite");
    const done = new Promise((resolve, reject) => {
      store.transaction.oncomplete = resolve;
      store.transaction.onabort = () => reject(store.transaction.error);
    });
    store.put({ ...item, account: this.account });
    await done;
  }

  async remove(id) {
    await asked((await this.store("readwrite")).delete(id));
  }

  /** Changes one, or with `null` takes it away, unless another has taken its place meanwhile. */
  async settle({ id, key }, change) {
    const store = await this.store("readwrite");
    const now = await asked(store.get(id));
    if (now?.key !== key) return;
    await asked(change ? store.put({ ...now, ...change }) : store.delete(id));
  }

  /** Sends what waits, one after the other, in one window at a time: {sent, refused, why}; why: "" when nothing is left
   * waiting, else offline, signed-out or other-account. */
  send() {
    return navigator.locks ? navigator.locks.request(LOCK, () => this.sending()) : this.sending();
  }

  async sending() {
    const told = { sent: [], refused: [], why: "" };
    const waiting = (await this.all()).filter(({ state }) => state === "waiting");
    if (!waiting.length) return told;
    const { why, token } = await this.who();
    if (why) return { ...told, why };
    for (const item of waiting) {
      const answer = await this.post(item, token);
      if (answer.later) return { ...told, why: answer.later };
      await this.settle(item, answer.sentence ? { state: "refused", sentence: answer.sentence } : null);
      if (answer.sentence) told.refused.push({ ...item, sentence: answer.sentence });
      else told.sent.push(answer.taken.sentence);
    }
    return told;
  }

  /** Whether the house can be reached as this account, and the secret that its forms carry. */
  async who() {
    try {
      const answer = await fetch(this.here, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (answer.status === 401 || answer.status === 403) return { why: "signed-out" };
      if (!answer.ok) return { why: "offline" };
      const { account, token } = await answer.json();
      return account === this.account ? { why: "", token } : { why: "other-account" };
    } catch {
      return { why: "offline" };
    }
  }

  async post(item, token) {
    const body = new FormData();
    for (const [name, value] of item.fields) body.append(name, value);
    for (const [name, file] of item.files) body.append(name, file, file.name);
    body.set("key", item.key);
    const headers = { Accept: "application/json", "X-CSRF-Token": token };
    try {
      const answer = await fetch(item.url, { method: "POST", body, headers });
      const told = await answer.json().catch(() => ({}));
      if (answer.ok) return { taken: told };
      if (told.code === "not-our-form" || STAYS.has(answer.status)) return { later: "signed-out" };
      if (answer.status >= 500) return { later: "offline" };
      return { sentence: told.detail || answer.statusText };
    } catch {
      return { later: "offline" };
    }
  }
}
