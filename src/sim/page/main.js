// Listens to the program and shows what it tells: phones on one side, tabs on the other.
import { act, h, toast } from "./dom.js";
import { Faults } from "./faults.js";
import { open } from "./forms.js";
import { Phone } from "./phone.js";
import { Race } from "./race.js";
import { Truth } from "./truth.js";
import { Updates } from "./updates.js";

const $ = (id) => document.getElementById(id);
const topics = new Map();
const phones = new Map();
const truth = new Truth($("orders"));
const race = new Race($("race"));
const updates = new Updates($("updates"));
const faults = new Faults($("faults"));

/** Phones on the shelf, by key; null until somebody chooses. */
const chosen = {
  get: () => {
    try {
      const keys = JSON.parse(localStorage.getItem("phones"));
      return Array.isArray(keys) ? keys : null;
    } catch {
      return null;
    }
  },
  set: (keys) => localStorage.setItem("phones", JSON.stringify([...new Set(keys)])),
};
/** The narrowest phone and the room between two, in pixels. */
const [NARROWEST, GAP] = [270, 12];
const fitting = () => Math.max(1, Math.floor(($("shelf").clientWidth + GAP) / (NARROWEST + GAP)));
/** As many as there is room for; where there is room for one, the others are a swipe away. */
const FIRST = fitting() > 1 ? fitting() : 3;
/** Until the first snapshot has been shown, what it tells of has happened before. */
let past = true;

const all = (prefix) => [...topics].filter(([name]) => name.startsWith(prefix)).map(([, value]) => value);

function gathered() {
  const known = all("phone/");
  const masters = topics.get("masters") ?? [];
  const people = [...known.map(({ person }) => person), ...masters.map(({ person }) => person)];
  return {
    world: topics.get("world"), phones: known, masters, cities: topics.get("cities") ?? [], error: topics.get("database_error"), known: topics.has("masters"),
    orders: all("order/").sort((a, b) => b.id - a.id), races: all("race/").sort((a, b) => a.number - b.number),
    updates: all("update/").sort((a, b) => a.made - b.made), names: new Map(known.map(({ person, name }) => [person, name])),
    nextPerson: Math.max(5000, ...people) + 1,
  };
}

function show() {
  const now = gathered();
  if (!now.world) return;
  now.visible = showPhones(now);
  truth.show(now);
  race.show(now);
  updates.show(now.updates, now.names);
  faults.show(topics.get("faults"), now.world);
  for (const button of document.querySelectorAll("[data-needs=database]")) {
    button.disabled = !now.world.has_database;
    button.title = button.disabled ? "Нужна база: задайте DATABASE_URL при запуске sim" : "";
  }
  past = false;
}

/** Whose phones are to be seen. */
function showPhones({ phones: known, updates, world, masters }) {
  known.sort((a, b) => (a.bot === world.master_bot ? 0 : 1) - (b.bot === world.master_bot ? 0 : 1) || a.person - b.person);
  const keys = known.map(({ bot, person }) => `${bot}/${person}`);
  // Two masters, or there is no race; and if there is room, somebody whom they and the system turn to.
  const dispatchers = known.filter(({ bot }) => bot !== world.master_bot).map(({ bot, person }) => `${bot}/${person}`).slice(0, FIRST > 2 ? 1 : 0);
  const first = [...keys.filter((key) => !dispatchers.includes(key)).slice(0, FIRST - dispatchers.length), ...dispatchers];
  const shown = () => {
    const remembered = chosen.get()?.filter((key) => keys.includes(key));
    // Those of another program that was once at this address are not here.
    return remembered?.length || chosen.get()?.length === 0 ? remembered : first;
  };
  for (const data of known) {
    const key = `${data.bot}/${data.person}`;
    let phone = phones.get(key);
    if (!phone) {
      phone = new Phone(data, countUnread);
      phones.set(key, phone);
      // Whoever adds a phone wants to see it.
      if (!past) {
        chosen.set([...shown(), key]);
        setTimeout(() => phone.element.scrollIntoView({ inline: "nearest" }));
      }
    }
    const state = JSON.stringify(data);
    if (phone.state !== state) {
      phone.state = state;
      phone.update(data);
    }
    phone.updates(updates.filter(({ bot, person }) => bot === data.bot && person === data.person), past);
  }
  const wanted = shown();
  arrange($("shelf"), wanted.length ? wanted.map((key) => phones.get(key).element) : [nobody]);
  arrangeColumns();
  const strangers = masters.filter(({ person }) => !known.some((phone) => phone.person === person && phone.bot === world.master_bot));
  const list = [
    // Dispatchers first: there are few, and what masters cause comes to them.
    ...known.toSorted((a, b) => (a.bot === world.master_bot) - (b.bot === world.master_bot)).map(({ name, bot, person }) => ({ key: `${bot}/${person}`, name: bot === world.master_bot ? name : `${name} (диспетчер)` })),
    ...strangers.map(({ person, name }) => ({ key: `${world.master_bot}/${person}`, name, add: { bot: world.master_bot, person, name } })),
  ];
  const state = JSON.stringify([list, wanted]);
  const visible = new Set(wanted.map((key) => Number(key.split("/")[1])));
  if ($("people").dataset.state === state) return visible;
  $("people").dataset.state = state;
  const focused = document.activeElement?.dataset?.key;
  $("people").replaceChildren(...list.map(({ key, name, add }) => h("button", { type: "button", "data-key": key, "aria-pressed": String(wanted.includes(key)),
    onclick: () => {
      if (add) return act("phone", add);
      chosen.set(wanted.includes(key) ? wanted.filter((other) => other !== key) : [...wanted, key]);
      show();
    } }, name, h("span", { className: "badge", hidden: true }))));
  countUnread();
  if (focused) $("people").querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  return visible;
}

/** A whole number of phones is to be seen, none of them cut off. */
function arrangeColumns() {
  $("shelf").style.setProperty("--columns", Math.max(1, Math.min(fitting(), $("shelf").children.length)));
}
new ResizeObserver(arrangeColumns).observe($("shelf"));

const nobody = h("p", { className: "hint" }, "Выберите выше, чьи телефоны показать.");

/** Puts elements there, in order, without touching those that are in place: they may have the focus. */
function arrange(parent, elements) {
  for (const element of [...parent.children]) {
    if (!elements.includes(element)) element.remove();
  }
  elements.forEach((element, index) => {
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index] ?? null);
  });
}

function countUnread() {
  let count = 0;
  for (const [key, phone] of phones) {
    const unread = phone.data ? phone.unread : 0;
    const badge = $("people").querySelector(`[data-key="${CSS.escape(key)}"] .badge`);
    if (badge) {
      badge.hidden = !unread;
      badge.textContent = unread;
    }
    count += unread;
  }
  document.title = `${count ? `(${count}) ` : ""}field-service — локальный Telegram`;
}

function view(name) {
  document.body.dataset.view = name;
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const selected = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", selected);
    tab.tabIndex = selected ? 0 : -1;
    if (selected) tab.scrollIntoView({ block: "nearest", inline: "center" });
  }
  // What was hidden has not been drawn.
  if (topics.has("world")) show();
}

const tabs = [...document.querySelectorAll("[role=tab]")];
for (const tab of tabs) {
  tab.addEventListener("click", () => view(tab.id.slice("tab-".length)));
  tab.addEventListener("keydown", ({ key }) => {
    const shown = tabs.filter((other) => other.offsetParent !== null);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (step) {
      const next = shown[(shown.indexOf(tab) + step + shown.length) % shown.length];
      next.click();
      next.focus();
    }
  });
}
// On a wide screen the phones are there anyway.
const wide = matchMedia("(min-width: 1000px)");
const fit = () => {
  if (wide.matches && document.body.dataset.view === "phones") view("orders");
};
wide.addEventListener("change", fit);
view("phones");
fit();

for (const button of document.querySelectorAll("[data-form]")) {
  button.addEventListener("click", () => open(button.dataset.form, gathered(), ({ order }) => {
    if (!order) return;
    toast(`Заявка №${order} создана.`);
    race.choose(order);
    if (document.body.dataset.view === "race") return;
    if (wide.matches) view("orders");
    truth.choose(order, gathered());
  }));
}
// Whoever taps an order's button wants to see that order.
document.addEventListener("tapped", ({ detail }) => {
  const order = /^m:new:(?:card|acc|dec|dec_yes):(\d+)/.exec(detail);
  if (order) truth.select(Number(order[1]));
});

const events = new EventSource("/events");
/** The next event tells everything. */
let anew = true;
events.onopen = () => {
  anew = true;
};
events.onerror = () => {
  // Somebody else answered at this address for a moment: the browser would not try again.
  if (events.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 3000);
  $("connection").className = "lost";
  $("connection").textContent = "нет связи с программой, пробую снова…";
};
events.onmessage = ({ data }) => {
  const news = JSON.parse(data);
  if (anew) {
    // Another run of the program counts from the beginning: so does the page.
    if (topics.has("world") && topics.get("world").run !== news.world.run) {
      events.close();
      return location.reload();
    }
    topics.clear();
    anew = false;
    $("connection").className = "";
    $("connection").textContent = `обновления идут в ${news.world.handler}`;
  }
  for (const [name, value] of Object.entries(news)) {
    if (value === null) topics.delete(name);
    else topics.set(name, value);
  }
  show();
};
setInterval(() => topics.has("world") && show(), 1000);
