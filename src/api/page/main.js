// The page: a session, the sections, and the keyboard.
import { close, get, hasSession, open, Problem, whenEnded } from "./api.js";
import { Board } from "./board.js";
import { Card } from "./card.js";
import { h, replace, toast } from "./dom.js";
import { Figures } from "./figures.js";
import { Load } from "./load.js";
import { Masters } from "./masters.js";
import { NewOrder } from "./new.js";
import { problem, VIEWS } from "./texts.js";

const $ = (id) => document.getElementById(id);

/** What the sections share. */
const page = {
  who: null,
  cities: [],
  may: (scope) => page.who && ["READ", "ORDERS", "ALL"].indexOf(page.who.scope) >= ["READ", "ORDERS", "ALL"].indexOf(scope),
  fail: (error) => {
    if (!(error instanceof Problem)) throw error;
    toast(problem(error), true);
  },
  open: (order) => card.open(order),
  show: (name) => show(name),
  changed: () => board.look(),
};
const card = new Card($("card"), page);
const board = new Board(page);
const views = { now: board, new: new NewOrder(page), masters: new Masters(page), figures: new Figures(page), load: new Load(page) };
let view = "now";

const offered = (name) => views[name] && (name !== "new" || page.may("ORDERS"));

function show(name) {
  views[view].leave?.();
  view = offered(name) ? name : "now";
  history.replaceState(null, "", view === "now" ? location.pathname : `#${view}`);
  for (const button of $("views").children) button.setAttribute("aria-current", button.dataset.view === view ? "page" : "false");
  replace($("view"), views[view].element);
  views[view].enter();
}

function ended() {
  card.close();
  views[view].leave?.();
  for (const each of Object.values(views)) each.forget?.();
  page.who = null;
  replace($("views"));
  replace($("who"));
  replace(
    $("view"),
    h("section", { class: "alone" },
      h("h2", {}, "Сеанс не открыт"),
      h("p", {}, "Откройте страницу кнопкой в боте диспетчеров или по одноразовой ссылке: её даёт бот, а без Telegram — команда field-service staff link. Сеанс длится 12 часов."),
      h("button", { class: "primary", onclick: start }, "Попробовать снова")),
  );
}

/** Leaves the page; what was written and not saved is saved before. */
async function leave() {
  if (views.new.draft) await views.new.flush();
  sessionStorage.clear();
  await close().catch(page.fail);
}

async function start() {
  replace($("view"), h("p", { class: "alone", "aria-busy": "true" }, "Открываем…"));
  const wanted = location.hash.slice(1);
  try {
    if (!(await open()) && !hasSession()) return ended();
    page.who = (await get("session")).said;
    page.cities = (await get("cities")).said.cities;
  } catch (error) {
    if (error.kind === "unauthorized" || error.kind === "invalid") return ended();
    replace($("view"), h("section", { class: "alone" }, h("h2", {}, problem(error)), h("button", { class: "primary", onclick: start }, "Попробовать снова")));
    return;
  }
  replace($("who"), page.who.name, " ", h("button", { class: "quiet", onclick: leave }, "Выйти"));
  replace($("views"), Object.entries(VIEWS).filter(([name]) => offered(name)).map(([name, title]) => h("button", { "data-view": name, "data-key": name, onclick: () => show(name) }, title)));
  show(wanted);
}

whenEnded(ended);
document.addEventListener("keydown", (event) => {
  if (!page.who || event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "Escape") {
    if (typing) typing.blur();
    else card.close();
  } else if (!typing && event.key === "/") {
    event.preventDefault();
    if (view !== "now") show("now");
    board.search.focus();
  } else if (!typing && (event.key === "j" || event.key === "k") && view === "now") {
    board.step(event.key === "j" ? 1 : -1);
  } else if (!typing && event.key === "a" && card.order) {
    card.assign();
  } else if (!typing && event.key === "n" && offered("new")) {
    event.preventDefault();
    show("new");
  }
});
document.addEventListener("visibilitychange", () => views[view].wake?.());
start();
