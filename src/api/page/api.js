// The API: one function for each request, with the session's token; what is not done is thrown as a Problem.

let token = sessionStorage.getItem("token");
/** Called when the session has ended. */
let onEnd = () => {};

export class Problem extends Error {
  constructor(status, said) {
    super(said?.title ?? `HTTP ${status}`);
    this.status = status;
    this.kind = (said?.type ?? "").replace("urn:field-service:problem:", "");
    this.said = said ?? {};
  }
}

export const hasSession = () => token !== null;
export const whenEnded = (called) => (onEnd = called);

function keep(value) {
  token = value;
  if (value === null) sessionStorage.removeItem("token");
  else sessionStorage.setItem("token", value);
}

/** Makes a request; the answer, and its tag. */
export async function ask(method, path, { body, headers = {}, raw } = {}) {
  const sent = { ...headers };
  if (token) sent.Authorization = `Bearer ${token}`;
  if (body !== undefined && raw === undefined) sent["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(`api/${path}`, { method, headers: sent, body: raw ?? (body === undefined ? undefined : JSON.stringify(body)), cache: "no-store" });
  } catch {
    throw new Problem(0, { type: "offline" });
  }
  const tag = response.headers.get("ETag");
  if (response.status === 304) return { unchanged: true, tag };
  const type = response.headers.get("Content-Type") ?? "";
  const said = type.includes("json") ? await response.json() : await response.text();
  if (response.ok) return { said, tag, status: response.status };
  if (response.status === 401 && token) {
    keep(null);
    onEnd();
  }
  throw new Problem(response.status, said);
}

export const get = (path, headers) => ask("GET", path, { headers });
export const post = (path, body, headers) => ask("POST", path, { body, headers });

/** Opens a session by what stands in the page's address: Telegram's word, or a link. */
export async function open() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const proof = fragment.has("tgWebAppData") ? { init_data: fragment.get("tgWebAppData") } : fragment.has("link") ? { link: fragment.get("link") } : null;
  if (proof === null) return false;
  // A link is good once: it is not left in the history.
  history.replaceState(null, "", location.pathname);
  keep(null);
  const { said } = await post("session", proof);
  keep(said.token);
  return true;
}

export async function close() {
  try {
    await ask("DELETE", "session");
  } finally {
    keep(null);
    onEnd();
  }
}

/** A number that no other request has. */
export const key = () => crypto.randomUUID();
