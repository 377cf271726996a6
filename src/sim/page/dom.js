// Small helpers: elements, requests, times.

/** An element; `props` are properties, `data-…`/`aria-…`/`role` attributes, or listeners such as `onclick`. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.includes("-") && name !== "list") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/** An SVG element with attributes. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Asks the program to do something; what it made of it, or, having told by `say` why not, false. */
export async function act(action, body, say = toast) {
  try {
    const answer = await fetch(`/do/${action}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.ok) return await answer.json();
    say((await answer.json().catch(() => ({}))).error ?? `Не получилось (HTTP ${answer.status}).`);
  } catch {
    say("Программа не отвечает: она остановлена?");
  }
  return false;
}

/** Lets a button do one thing at a time. */
export async function once(button, work) {
  // Not `disabled`, which would take the focus away.
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  await work();
  button.ariaBusy = "false";
}

/** A line at the bottom that goes by itself. */
export function toast(text, where = document.getElementById("toasts")) {
  const line = h("p", { className: "toast" }, text);
  where.append(line);
  setTimeout(() => line.remove(), 4500);
}

const relative = new Intl.RelativeTimeFormat("ru", { numeric: "always" });
const UNITS = [["year", 31_536_000], ["month", 2_592_000], ["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]];

/** «через 2 минуты», «5 минут назад». */
export function happening(ms) {
  const seconds = Math.round((ms - Date.now()) / 1000);
  if (seconds === 0) return "сейчас";
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length);
  return relative.format(Math.round(seconds / length), unit);
}

/** A moment in the viewer's zone, as Telegram's format says: w, d or D, t or T; nothing if that says nothing. */
export function instant(ms, format) {
  const options = {};
  if (/w/i.test(format)) options.weekday = "long";
  if (format.includes("D")) Object.assign(options, { day: "numeric", month: "long", year: "numeric" });
  else if (format.includes("d")) Object.assign(options, { day: "2-digit", month: "2-digit", year: "2-digit" });
  if (/t/i.test(format)) Object.assign(options, { hour: "2-digit", minute: "2-digit" });
  if (format.includes("T")) options.second = "2-digit";
  return Object.keys(options).length ? new Intl.DateTimeFormat("ru", options).format(ms) : "";
}

const clock = new Intl.DateTimeFormat("ru", { hour: "2-digit", minute: "2-digit" });
const precise = new Intl.DateTimeFormat("ru", { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });

/** «14:05». */
export const hours = (ms) => clock.format(ms);
/** «14:05:09,123». */
export const moment = (ms) => precise.format(ms);
/** «12,3 мс», «4,5 с». */
export function duration(ms) {
  const [value, unit] = ms < 1000 ? [ms, "мс"] : [ms / 1000, "с"];
  return `${value.toLocaleString("ru", { maximumFractionDigits: value < 100 ? 1 : 0 })} ${unit}`;
}

/** «4:59»; nothing left is `over`. */
export function left(until, over) {
  const seconds = Math.ceil((until - Date.now()) / 1000);
  if (seconds <= 0) return over;
  const pad = (n) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
}

/** A text that counts down by itself. */
export const countdown = (until, over) => h("time", { className: "countdown", "data-until": until, "data-over": over }, left(until, over));

setInterval(() => {
  for (const element of document.querySelectorAll("[data-until]")) {
    const text = left(Number(element.dataset.until), element.dataset.over);
    if (element.textContent !== text) element.textContent = text;
  }
  for (const element of document.querySelectorAll("[data-moment]")) {
    const text = happening(Number(element.dataset.moment));
    if (element.textContent !== text) element.textContent = text;
  }
}, 250);

/** Replaces children; the focus stays on what has the same `data-key`. */
export function fill(parent, ...children) {
  const focused = parent.contains(document.activeElement) && document.activeElement.dataset.key;
  parent.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (focused) parent.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

export const CATEGORIES = {
  PLUMBING: "Сантехника", ELECTRICS: "Электрика", APPLIANCES: "Бытовая техника",
  WINDOWS: "Окна", HANDYMAN: "Мелкий ремонт", ROADSIDE: "Помощь на дороге",
};
