// What is really in the database.
import { CATEGORIES, countdown, duration, fill, h, moment } from "./dom.js";

const LIVE = ["SENT", "VIEWED"];
const OPEN = ["CREATED", "SEARCHING", "GUARANTEE", "DEFERRED"];
const FINAL = ["CLOSED", "CANCELED"];

const kind = (status) => (OPEN.includes(status) ? "open" : FINAL.includes(status) ? "final" : "active");

export const liveOffers = (order) =>
  OPEN.includes(order.status) ? order.offers.filter((offer) => LIVE.includes(offer.state) && (offer.expires === null || offer.expires > Date.now())) : [];

/** Orders that can be taken, first those that most of the shown phones were offered. */
export function mostSeen(orders, visible) {
  const seen = (order) => liveOffers(order).filter(({ person }) => visible.has(person)).length;
  return orders.filter((order) => liveOffers(order).length).sort((a, b) => seen(b) - seen(a) || b.id - a.id);
}

const STATUSES = {
  CREATED: "создана", SEARCHING: "ищет мастера", GUARANTEE: "гарантийный визит", DEFERRED: "отложена", ASSIGNED: "назначена",
  EN_ROUTE: "мастер в пути", WORKING: "мастер работает", PAYMENT: "ждёт оплаты", CLOSED: "закрыта", CANCELED: "отменена",
};

const MESSAGES = {
  OFFER: "новая заявка", OFFER_ENDED: "чем кончилось", ASSIGNED: "назначена ему", OWN_ORDER: "его заявка",
  CANCELED: "отменена или снята", RETURNED: "вернули", ESCALATED: "нужен диспетчер", UNREACHABLE: "мастер недоступен",
};

export class Truth {
  #shown = "";
  #last;

  constructor(root) {
    this.root = root;
    this.selected = undefined;
  }

  select(id) {
    this.selected = id;
  }

  /** Selects an order and leads the eye to it. */
  choose(id, topics) {
    this.select(id);
    this.show(topics);
    this.root.scrollTo({ top: 0 });
    const order = this.root.querySelector(".order");
    order?.classList.add("chosen");
    order?.querySelector("h2").focus({ preventScroll: true });
  }

  show(topics) {
    const { orders, world, error, known } = topics;
    // What is shown stays until somebody chooses another, or makes one.
    this.selected ??= (mostSeen(orders, topics.visible)[0] ?? orders[0])?.id;
    const there = orders.find(({ id }) => id === this.selected);
    const order = there ?? (this.#last?.id === this.selected ? this.#last : undefined);
    this.#last = order;
    const state = JSON.stringify([orders, known, error, order?.id]);
    if (state === this.#shown) return;
    this.#shown = state;
    if (!world.has_database) {
      fill(this.root, h("p", { className: "hint" }, "База обработчика неизвестна. Задайте DATABASE_URL при запуске sim, и здесь будет видно, что в ней."));
      return;
    }
    fill(this.root,
      error && h("p", { className: "problem", role: "alert" }, `База не отвечает: ${error}`),
      order && !there && h("p", { className: "hint" }, "Эта заявка уже не среди последних шестидесяти; вот какой она была."),
      order ? details(order) : known && h("p", { className: "hint" }, "Заявок пока нет. Создайте первую: «+ Заявка»."),
      h("ul", { className: "list", "aria-label": "Заявки" }, orders.map((other) => h("li", {},
        h("button", { type: "button", "data-key": `order-${other.id}`, "aria-pressed": String(other.id === order?.id),
          onclick: () => this.choose(other.id, topics) },
          h("b", {}, `№${other.id}`), status(other.status), h("span", { className: "where" }, other.master ?? other.address))))));
  }
}

const status = (word) => h("span", { className: `chip ${kind(word)}`, title: STATUSES[word] ?? "" }, word);

function details(order) {
  return h("div", { className: "order" },
    h("h2", { tabIndex: -1 }, `Заявка №${order.id} `, status(order.status), h("span", { className: "version", title: "orders.version" }, `версия ${order.version}`)),
    h("p", {}, `${CATEGORIES[order.category] ?? order.category} · ${order.city}, ${order.address}`, h("br"), order.description),
    h("p", {}, "Мастер: ", h("b", {}, order.master ?? "—")),
    h("h3", {}, "Предложения"),
    table(["мастер", "волна", "состояние", "осталось / ответ"], order.offers.map((offer) => [
      offer.name, offer.round, offer.state,
      LIVE.includes(offer.state) ? (offer.expires === null ? "без срока" : countdown(offer.expires, "истекло")) : offer.responded ? moment(offer.responded) : "—",
    ]), "предложений не было"),
    h("h3", {}, "История"),
    table(["время", "из → в", "кто"], order.history.map((row) => [
      moment(row.at), `${row.from ?? "—"} → ${row.to}`, [row.name ?? row.actor, row.reason && ` (${row.reason})`],
    ]), "изменений не было"),
    h("h3", {}, "Сообщения"),
    table(["кому", "о чём", "ушло"], order.messages.map((row) => [
      row.name ?? row.person, MESSAGES[row.kind] ?? row.kind,
      row.dropped ? `нет: ${row.dropped === "OVERTAKEN" ? "уже неактуально" : row.dropped}`
        : row.finished ? `${moment(row.finished)}, через ${duration(row.took)}` : `ждёт, попыток: ${row.attempts}`,
    ]), "сообщений не было"),
    h("h3", {}, "Метрики"),
    table(["волна", "из скольких", "назначена через", "особо"], order.metrics.map((row) => [
      row.round_number ?? "—", row.candidates_count, duration(row.time_to_assign_seconds * 1000),
      [row.preferred_master_used && "предпочтительный мастер", row.was_escalated_to_admin && "звали диспетчера"].filter(Boolean).join(", ") || "—",
    ]), "назначений не было"));
}

export function table(head, rows, none) {
  if (!rows.length) return h("p", { className: "hint" }, none);
  return h("div", { className: "scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, head.map((cell) => h("th", { scope: "col" }, cell)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell) => h("td", {}, cell)))))));
}
