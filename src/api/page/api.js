// The API: one function for each request, with the session's token; what is not done is thrown as a Problem.

/** The session is the browser's: every tab has it, and in every tab it ends. */
let token = localStorage.getItem("token");
/** Called when the session has ended; whether a session is of the same person, and called when it is not. */
let onEnd = () => {}, isSame = () => false, onOther = () => {};

export class Problem extends Error {
  constructor(status, said, location = null) {
    super(said?.title ?? `HTTP ${status}`);
    this.status = status;
    this.kind = (said?.type ?? "").replace("urn:field-service:problem:", "");
    this.said = said ?? {};
    this.location = location;
  }
}

export const hasSession = () => token !== null;
export const whenEnded = (called) => (onEnd = called);
export const whenOther = (same, called) => ([isSame, onOther] = [same, called]);

function keep(value) {
  // One that another tab has opened meanwhile is not this tab's to end.
  if (value !== null) localStorage.setItem("token", value);
  else if (localStorage.getItem("token") === token) localStorage.removeItem("token");
  token = value;
}

/** Another tab has opened a session, or ended it. */
addEventListener("storage", async () => {
  const now = localStorage.getItem("token");
  if (now === token) return;
  if (now === null) {
    token = null;
    return onEnd();
  }
  try {
    const { said } = await ask("GET", "session", { anonymous: true, headers: { Authorization: `Bearer ${now}` } });
    if (isSame(said)) token = now;
    else onOther();
  } catch {
    // It is good for nothing, or cannot be asked about: this tab goes on with its own.
  }
});

/** Makes a request; the answer, its tag, and whether there is a next page. `keepalive`: it goes on when the page is gone. `anonymous`: whoever asks is not said. */
export async function ask(method, path, { body, headers = {}, raw, keepalive = false, anonymous = false } = {}) {
  const sent = { ...headers };
  if (token && !anonymous) sent.Authorization = `Bearer ${token}`;
  if (body !== undefined && raw === undefined) sent["Content-Type"] = "application/json";
  let response, said;
  try {
    response = await fetch(`api/${path}`, { method, headers: sent, body: raw ?? (body === undefined ? undefined : JSON.stringify(body)), cache: "no-store", keepalive });
    const type = response.headers.get("Content-Type") ?? "";
    said = type.includes("json") ? await response.json() : await response.text();
  } catch {
    // There was no way to the server, or it broke off within the answer.
    throw new Problem(0, { type: "offline" });
  }
  const tag = response.headers.get("ETag");
  if (response.status === 304) return { unchanged: true, tag };
  const more = (response.headers.get("Link") ?? "").includes('rel="next"');
  if (response.ok) return { said, tag, more, status: response.status, replayed: response.headers.get("Idempotency-Replayed") === "true" };
  // Of a session that was another one, nobody is told.
  if (response.status === 401 && token && sent.Authorization === `Bearer ${token}`) {
    keep(null);
    onEnd();
  }
  throw new Problem(response.status, said, response.headers.get("Location"));
}

export const get = (path, headers) => ask("GET", path, { headers });
export const post = (path, body, headers) => ask("POST", path, { body, headers });

/** Every master that is asked for, page by page. */
export async function masters(query) {
  const all = [];
  for (let after = ""; after !== null; ) {
    const { said, more } = await get(`masters?limit=100${query}${after ? `&after=${after}` : ""}`);
    all.push(...said.masters);
    after = more ? said.masters.at(-1).id : null;
  }
  return all;
}

/** What the page's address proves: Telegram's word, or a link; null: nothing. */
export function proof() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  if (fragment.has("tgWebAppData")) return { init_data: fragment.get("tgWebAppData") };
  return fragment.has("link") ? { link: fragment.get("link") } : null;
}

/** Opens a session by what stands in the page's address; false if that proves nothing, or not any more. */
export async function open() {
  const presented = proof();
  if (presented === null) return false;
  // A proof is good once: it is not left in the history, unless nobody has seen it yet.
  const done = () => history.replaceState(null, "", location.pathname);
  try {
    // Whoever has a session keeps it until there is another.
    const { said } = await ask("POST", "session", { body: presented, anonymous: true });
    keep(said.token);
    done();
    return true;
  } catch (error) {
    if (error.kind !== "unauthorized" && error.kind !== "invalid") throw error;
    done();
    return false;
  }
}

/** Ends the session: its token is good for nothing any more. */
export async function close() {
  await ask("DELETE", "session");
  keep(null);
  onEnd();
}

const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** A key for what is in a file, so that the same one is not taken in twice; where the page is reached without TLS, for this time alone. */
export const keyOf = async (bytes) => hex(crypto.subtle ? await crypto.subtle.digest("SHA-256", bytes) : crypto.getRandomValues(new Uint8Array(16)));
