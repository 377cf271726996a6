// What is in a message, as Telegram shows it: formatting, times that run, quotations that fold, and keys.
import { h, happening, instant } from "./dom.js";

const SAFE_LINK = /^(https?|tg|tel|mailto):/i;
const TELEPHONE = /\+\d[\d ()-]{8,}\d/g;
const TAGS = { b: "b", i: "i", u: "u", s: "s", code: "code", pre: "pre", blockquote: "blockquote" };
/** A quotation of more than this is folded: about three lines. */
const FOLDED = { characters: 100, lines: 3 };

/** Elements for runs of text; what has the same tag around it is in one element. */
export function formatted(spans, depth = 0) {
  const parts = [];
  for (let from = 0; from < spans.length;) {
    const first = spans[from];
    let to = from + 1;
    while (to < spans.length && isOne(first, spans[to], depth)) to += 1;
    const group = spans.slice(from, to);
    parts.push(first.tags[depth] === undefined ? group.map(words) : element(first, group, depth));
    from = to;
  }
  return parts;
}

function isOne(a, b, depth) {
  const tag = a.tags[depth];
  return tag === b.tags[depth] && (tag !== "a" || a.link === b.link) && (tag !== "time" || a.time.unix === b.time.unix);
}

function element(first, group, depth) {
  const tag = first.tags[depth];
  const text = group.map((span) => span.text).join("");
  if (tag === "time") return time(first.time, text);
  const inner = formatted(group, depth + 1);
  if (tag === "a" && SAFE_LINK.test(first.link)) return h("a", { href: first.link, target: "_blank", rel: "noreferrer" }, inner);
  if (tag === "expandable") return folded(inner, text);
  return h(TAGS[tag] ?? "span", { className: tag === "spoiler" && "spoiler" }, inner);
}

/** In the viewer's words and zone; what the bot wrote is in the title. */
function time({ unix, format }, text) {
  const ms = unix * 1000;
  const relative = /^r$/i.test(format);
  const shown = relative ? happening(ms) : instant(ms, format) || text;
  return h("time", { className: "moment", dateTime: new Date(ms).toISOString(), title: text, "data-moment": relative && String(ms) }, shown);
}

function folded(inner, text) {
  const quoted = h("div", { className: "quoted" }, inner);
  const quotation = h("blockquote", { className: "expandable" }, quoted);
  if ([...text].length <= FOLDED.characters && text.split("\n").length <= FOLDED.lines) return quotation;
  const toggle = h("button", { type: "button", className: "quiet fold" });
  const fold = (isFolded) => {
    quotation.classList.toggle("folded", isFolded);
    toggle.setAttribute("aria-expanded", String(!isFolded));
    toggle.textContent = isFolded ? "развернуть ▾" : "свернуть ▴";
  };
  toggle.addEventListener("click", () => fold(!quotation.classList.contains("folded")));
  fold(true);
  quotation.append(toggle);
  return quotation;
}

// Telegram makes numbers tappable by itself.
function words({ text, link }) {
  if (link) return [text];
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(TELEPHONE)) {
    parts.push(text.slice(from, match.index), h("a", { href: `tel:${match[0].replace(/[^+\d]/g, "")}` }, match[0]));
    from = match.index + match[0].length;
  }
  return [...parts, text.slice(from)];
}

/** A key under a message: it sends, copies or opens something. */
export function key(button, { tap, say, chat }) {
  const className = `key ${button.style ?? ""}`.trim();
  if (button.web_app) return page(button, chat, className);
  if (button.url) {
    const href = SAFE_LINK.test(button.url) ? button.url : undefined;
    return h("a", { className: `${className} opens`, href, target: "_blank", rel: "noreferrer", title: `${button.text}\n${button.url}` }, button.text);
  }
  if (button.copy) {
    const copy = async () => say((await copied(button.copy)) ? `Скопировано: ${button.copy}` : `Браузер не дал скопировать: ${button.copy}`);
    return h("button", { type: "button", className: `${className} copies`, title: `${button.text}\nскопировать: ${button.copy}`, "data-copy": button.copy, onclick: copy }, button.text);
  }
  return h("button", { type: "button", className, title: `${button.text}\n${button.data}`, "data-callback": button.data, onclick: () => tap(button) }, button.text);
}

/** A key that opens a page which is told who opens it. */
export function page(button, chat, className) {
  const href = `/open?${new URLSearchParams({ ...chat, page: button.web_app })}`;
  return h("a", { className: `${className} opens`, href, target: "_blank", rel: "noreferrer", title: `${button.text}\n${button.web_app}` }, button.text);
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not allowed here, or not by this address: as it was done before.
    const focused = document.activeElement;
    const field = h("textarea", { value: text, className: "aside", "aria-hidden": "true" });
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    focused?.focus({ preventScroll: true });
    return done;
  }
}
