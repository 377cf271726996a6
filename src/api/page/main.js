// The page: a session, the sections, and the keyboard.
import { close, get, hasSession, open, Problem, proof, whenEnded, whenOther } from "./api.js";
import { Board } from "./board.js";
import { Card } from "./card.js";
import { h, replace, toast } from "./dom.js";
import { problem, VIEWS } from "./texts.js";

const $ = (id) => document.getElementById(id);

/** What the sections share. */
const page = {
  who: null,
  cities: [],
  may: (scope) => page.who && ["READ", "ORDERS", "ALL"].indexOf(page.who.scope) >= ["READ", "ORDERS", "ALL"].indexOf(scope),
  fail: (error, words) => {
    if (!(error instanceof Problem)) throw error;
    toast(problem(error, words), true);
  },
  open: (order) => openCard(order),
  close: () => closeCard(),
  show: (name) => name !== view && show(name),
  changed: () => board.changed(),
  look: () => card.look(),
};
const card = new Card($("card"), page);
const board = new Board(page);
/** The sections; those that are not seen first are loaded when they are wanted. */
const views = { now: board };
const later = {
  new: () => import("./new.js").then(({ NewOrder }) => new NewOrder(page)),
  masters: () => import("./masters.js").then(({ Masters }) => new Masters(page)),
  figures: () => import("./figures.js").then(({ Figures }) => new Figures(page)),
  policy: () => import("./policy.js").then(({ Policy }) => new Policy(page)),
  load: () => import("./load.js").then(({ Load }) => new Load(page)),
};
let view = "now";

/** Where a card stands in front of the list. */
const isNarrow = () => matchMedia("(max-width: 900px)").matches;
/** While a step back is under way that the page has made itself: until it is made, no other one is. */
let leaving = null;

/** Opens an order's card, from where Back leads to the same without it. */
async function openCard(order) {
  await leaving;
  if (history.state?.card) history.replaceState({ ...history.state, card: order }, "");
  else history.pushState({ card: order, own: true }, "");
  const opened = card.open(order);
  // Where the card hides the list, the keyboard is in the card too.
  if (isNarrow()) $("card").focus({ preventScroll: true });
  return opened;
}

/** Closes the card as Back does. */
function closeCard() {
  if (!card.wanted) return;
  card.close();
  closed();
}

/** There is no card any more: what the address says is as it was before it was opened. */
function closed() {
  if (!history.state?.own) return history.replaceState(null, "");
  leaving = new Promise((left) => addEventListener("popstate", left, { once: true })).then(() => (leaving = null));
  history.back();
}

/** Shows what the address says, as Back and Forward have left it. */
function turned() {
  if (!page.who || proof()) return;
  const wanted = history.state?.card, name = location.hash.slice(1) || "now";
  if (name !== view) show(name, true);
  if (!wanted) {
    if (card.wanted) card.close();
  } else if (wanted !== card.wanted) card.open(wanted);
}

const offered = (name) => name in VIEWS && (!["new", "load"].includes(name) || page.may("ORDERS")) && (name !== "policy" || page.who?.role === "ADMIN");

async function show(name, goesBack = false) {
  if (leaving) await leaving;
  views[view]?.leave?.();
  view = offered(name) ? name : "now";
  const address = view === "now" ? location.pathname : `#${view}`;
  const isOther = !goesBack && location.hash.slice(1) !== (view === "now" ? "" : view);
  if (!goesBack && isNarrow() && card.wanted) {
    // Whoever wants another section has done with what stands in front of it.
    card.close();
    if (isOther) history.replaceState(null, "", address);
    else closed();
  } else if (isOther) history.pushState(card.wanted ? { card: card.wanted } : null, "", address);
  else history.replaceState(history.state, "", address);
  for (const button of $("views").children) button.setAttribute("aria-current", button.dataset.view === view ? "page" : "false");
  const shown = view;
  if (!views[shown]) $("view").setAttribute("aria-busy", "true");
  try {
    views[shown] ??= await later[shown]();
  } catch {
    // There is no way to the server, or it has another version of the page by now.
    $("view").removeAttribute("aria-busy");
    if (view === shown) replace($("view"), h("section", { class: "alone" }, h("h2", {}, "Раздел не загрузился"), h("button", { class: "primary", onclick: () => location.reload() }, "Обновить страницу")));
    return;
  }
  if (view !== shown) return;
  $("view").removeAttribute("aria-busy");
  replace($("view"), views[view].element);
  views[view].enter?.();
}

/** The session has ended: whoever opens the page next sees nothing of what was looked at, as nothing of it is left. */
function ended() {
  sessionStorage.setItem("ended", "");
  history.replaceState(null, "", location.pathname);
  location.reload();
}

function alone(title, ...rest) {
  replace($("view"), h("section", { class: "alone" }, h("h2", {}, title), rest, h("button", { class: "primary", onclick: start }, "Попробовать снова")));
}

/** Leaves the page. What is written and not saved is saved before, or else waits in this tab for the same person. */
async function leave() {
  views.new?.leave();
  await views.new?.draft.queue;
  await close().catch(page.fail);
}

async function start() {
  const wanted = location.hash.slice(1), shown = history.state?.card;
  if (!page.who) replace($("view"), h("p", { class: "alone", "aria-busy": "true" }, "Открываем…"));
  try {
    const presented = proof() !== null;
    const isNew = await open();
    // Somebody else, perhaps.
    if (page.who) return isNew && location.reload();
    if (!hasSession()) {
      const title = presented ? "Ссылка не подошла" : sessionStorage.getItem("ended") === null ? "Сеанс не открыт" : "Сеанс закончился";
      const why = presented ? "Она срабатывает один раз и живёт несколько минут; или вам закрыли доступ. " : "";
      return alone(title, h("p", {}, `${why}Откройте страницу кнопкой «Страница» в боте диспетчеров. Без Telegram ссылку даст администратор. Сеанс длится 12 часов.`));
    }
    sessionStorage.removeItem("ended");
    page.who = (await get("session")).said;
    page.cities = (await get("cities")).said.cities;
  } catch (error) {
    page.who = null;
    if (error.kind !== "unauthorized") alone(problem(error));
    return;
  }
  replace($("who"), page.who.name, " ", h("button", { class: "quiet", title: "Закончить сеанс во всех вкладках этого браузера", onclick: leave }, "Выйти"));
  replace($("views"), Object.entries(VIEWS).filter(([name]) => offered(name)).map(([name, title]) => h("button", { "data-view": name, "data-key": name, onclick: () => show(name) }, title)));
  show(wanted);
  // As it was before the page was loaded anew.
  if (shown) openCard(shown);
}

whenEnded(ended);
whenOther((who) => who.staff_id === page.who?.staff_id, () => location.reload());
/** By where the key is, so that it is the same one with Russian letters on it; and by what it writes, wherever that is. */
const pressed = (event, code, letter) => event.code === code || event.key === letter;
document.addEventListener("keydown", (event) => {
  if (!page.who || event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "Escape") {
    if (typing) typing.blur();
    else closeCard();
  } else if (typing || document.querySelector("dialog[open]")) {
    // Keys are words there.
  } else if (pressed(event, "Slash", "/")) {
    event.preventDefault();
    if (view !== "now") show("now");
    board.search.focus();
  } else if (pressed(event, "KeyJ", "j") && view === "now") {
    board.step(1);
  } else if (pressed(event, "KeyK", "k") && view === "now") {
    board.step(-1);
  } else if (pressed(event, "KeyA", "a")) {
    const row = Number(document.activeElement.closest("[data-order]")?.dataset.order ?? card.wanted);
    // The order whose row is under the keys, which is not always the one whose card is open.
    if (row) openCard(row).then(() => card.assign());
  } else if (pressed(event, "KeyN", "n") && offered("new")) {
    event.preventDefault();
    show("new");
  }
});
// A link that is pasted into this tab's address opens no other page.
addEventListener("hashchange", () => proof() && start());
addEventListener("popstate", turned);
document.addEventListener("visibilitychange", () => views[view]?.wake?.());
start();
