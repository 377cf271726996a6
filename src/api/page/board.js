// «Сейчас»: what needs somebody first, then the rest; looked at again every five seconds while it is visible.
import { get } from "./api.js";
import { h, replace } from "./dom.js";
import { CATEGORY, orders, phone, problem, slot, span, STATE, STATUS, TROUBLE } from "./texts.js";

const AGAIN = 5000;

export class Board {
  constructor(page) {
    this.page = page;
    this.filter = { state: "", city: "", category: "", page: 1 };
    this.tag = null;
    this.board = null;
    this.found = null;
    this.rows = new Map();
    this.search = h("input", { type: "search", placeholder: "Номер, телефон, адрес, имя ( / )", "aria-label": "Поиск заявки", oninput: () => this.typed(), onchange: () => this.seek(), onsearch: () => this.seek() });
    this.counters = h("div", { class: "counters", role: "group", "aria-label": "Состояния" });
    this.city = h("select", { "aria-label": "Город", onchange: (event) => this.narrow({ city: event.target.value }) });
    this.category = h("select", { "aria-label": "Вид работ", onchange: (event) => this.narrow({ category: event.target.value }) });
    this.list = h("div", { class: "rows", role: "group", "aria-label": "Заявки" });
    // In sight however far the list is scrolled.
    this.note = document.getElementById("note");
    this.pages = h("p", { class: "pages" });
    this.element = h("section", { class: "board" }, h("div", { class: "bar" }, this.search, this.city, this.category), this.counters, this.list, this.pages,
      h("p", { class: "hint keys" }, "Клавиши: n — новая заявка, / — поиск, j и k — по списку, Enter — открыть, a — назначить, Esc — закрыть."));
  }

  enter() {
    replace(this.city, h("option", { value: "" }, "Все города"), this.page.cities.map((city) => h("option", { value: city.id, selected: String(city.id) === this.filter.city }, city.name)));
    this.city.hidden = this.page.cities.length < 2;
    replace(this.category, h("option", { value: "" }, "Все работы"), Object.entries(CATEGORY).map(([word, name]) => h("option", { value: word, selected: word === this.filter.category }, name)));
    if (!this.board) replace(this.list, h("p", { class: "empty", "aria-busy": "true" }, "Загружаем…"));
    this.look();
    this.timer ??= setInterval(() => document.visibilityState === "visible" && this.look(), AGAIN);
    this.ticker ??= setInterval(() => this.tick(), 1000);
  }

  leave() {
    clearInterval(this.timer);
    clearInterval(this.ticker);
    this.timer = this.ticker = undefined;
    this.say("");
  }

  say(words) {
    this.note.textContent = words;
    this.note.className = words && "note bad";
  }

  wake() {
    if (document.visibilityState === "visible" && this.timer) this.look();
  }

  narrow(change) {
    Object.assign(this.filter, { page: 1 }, change);
    this.tag = null;
    // It is the queue that is narrowed: what was found stands in its way no more.
    clearTimeout(this.seeking);
    this.search.value = this.sought = "";
    if (this.found) {
      this.found = null;
      replace(this.list, h("p", { class: "empty", "aria-busy": "true" }, "Загружаем…"));
      replace(this.pages);
    }
    this.look();
  }

  /** Something was done: what is shown may be another. */
  changed() {
    if (this.found) this.seek(true);
    return this.look();
  }

  /** Asks what has changed. */
  async look() {
    const asked = JSON.stringify(this.filter);
    const query = new URLSearchParams(Object.entries(this.filter).filter(([, value]) => value !== "")).toString();
    try {
      const answer = await get(`board?${query}`, this.tag ? { "If-None-Match": this.tag } : {});
      if (asked !== JSON.stringify(this.filter)) return;
      this.say("");
      if (answer.unchanged) return;
      this.tag = answer.tag;
      this.board = answer.said;
      this.filter.page = Math.min(this.filter.page, this.board.page);
      this.draw();
      // The card beside the list is of the same moment.
      this.page.look();
    } catch (error) {
      // What was seen stays in sight; it is asked for again by itself.
      if (error.kind === "unauthorized") return;
      this.tag = null;
      if (this.timer) this.say(error.kind === "offline" ? "Нет связи. Ниже то, что было; обновится само." : problem(error));
    }
  }

  /** Looks for it soon, unless more is written. */
  typed() {
    clearTimeout(this.seeking);
    this.seeking = setTimeout(() => this.seek(), 500);
  }

  /** Looks for what is written in the field; `again`: also if it was looked for before. */
  async seek(again = false) {
    clearTimeout(this.seeking);
    const words = this.search.value.trim();
    if (words === this.sought && !again) return;
    this.sought = words;
    if (words === "") {
      this.found = null;
      return this.draw();
    }
    try {
      const { said, more } = await get(`orders?q=${encodeURIComponent(words)}&limit=100`);
      if (words !== this.sought) return;
      this.found = said.orders;
      this.hasMore = more;
      this.draw();
    } catch (error) {
      if (words === this.sought) this.sought = null;
      this.page.fail(error);
    }
  }

  draw() {
    if (!this.board && !this.found) return;
    const counts = new Map((this.board?.counts ?? []).map(({ state, orders: count }) => [state, count]));
    replace(this.counters, Object.entries(STATE).map(([state, name]) =>
      h("button", { "data-key": state, "data-state": state, "aria-pressed": String(this.filter.state === state), onclick: () => this.narrow({ state: this.filter.state === state ? "" : state }) },
        name, " ", h("b", {}, counts.get(state) ?? 0))));
    const rows = this.found ?? this.board.orders;
    const nothing = this.found ? "Ничего не нашлось." : this.filter.state || this.filter.city || this.filter.category ? "Таких заявок нет." : "Все заявки разобраны.";
    this.keep(rows.length ? rows.map((order) => this.row(order)) : [h("p", { class: "empty" }, nothing)]);
    const pages = this.found ? 1 : Math.ceil(this.board.total / 100);
    const turn = (to, name) => h("button", { "data-key": name, disabled: to < 1 || to > pages, onclick: () => this.narrow({ page: to }) }, name);
    replace(this.pages, this.found ? rows.length > 0 && (this.hasMore ? `Нашлось больше ${rows.length}: уточните, что ищете. ` : `Нашлось: ${orders(rows.length)}. `) : `Всего ${orders(this.board.total)}. `,
      this.found && h("button", { onclick: () => { this.search.value = ""; this.seek(); } }, "К очереди"),
      pages > 1 && [turn(this.filter.page - 1, "◀"), ` ${this.filter.page} из ${pages} `, turn(this.filter.page + 1, "▶")]);
    this.tick();
  }

  /** Shows rows; what is as it was stays in its place, under the finger that is about to click it. */
  keep(elements) {
    const now = [...this.list.children];
    if (elements.length !== now.length || elements.some((element, index) => element !== now[index])) replace(this.list, elements);
    for (const [id, { element }] of this.rows) if (!elements.includes(element)) this.rows.delete(id);
  }

  row(order) {
    const text = JSON.stringify(order), known = this.rows.get(order.id);
    if (known?.text === text) return known.element;
    const element = this.build(order);
    this.rows.set(order.id, { text, element });
    return element;
  }

  build(order) {
    const troubles = order.troubles ?? [];
    const who = order.master?.name ?? (order.offered ? `предложили: ${order.offered}, открыли: ${order.seen}` : STATUS[order.status]);
    return h("button", { class: `row${troubles.length ? " urgent" : ""}`, "data-key": `order${order.id}`, "data-order": order.id, onclick: () => this.page.open(order.id) },
      h("b", { class: "number" }, `№${order.id}`),
      h("span", { class: "what" }, CATEGORY[order.category], h("small", {}, [order.address, order.district?.name, this.page.cities.length > 1 && order.city.name].filter(Boolean).join(", ")), this.found && h("small", {}, `${order.client_name}, ${phone(order.client_phone)}`)),
      h("span", { class: "when" }, slot(order)),
      h("span", { class: "whom" }, who, order.master && h("small", {}, STATUS[order.status]), order.claimed_by && h("small", {}, `🙋 ${order.claimed_by.name}`)),
      h("span", { class: "troubles" }, troubles.map(({ kind, since }) => h("span", { class: "trouble", "data-since": since ?? false }, TROUBLE[kind]))),
      h("time", { class: "age", datetime: order.created_at, "data-at": order.created_at }));
  }

  /** Lets the clocks run. */
  tick() {
    for (const age of this.list.querySelectorAll("[data-at]")) age.textContent = span(Date.now() - new Date(age.dataset.at));
    for (const trouble of this.list.querySelectorAll("[data-since]")) {
      trouble.dataset.name ??= trouble.textContent;
      trouble.textContent = `${trouble.dataset.name} ${span(Date.now() - new Date(trouble.dataset.since))}`;
    }
  }

  /** The next row, or the one before. */
  step(by) {
    const rows = [...this.list.querySelectorAll(".row")];
    const at = rows.indexOf(document.activeElement);
    rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by))]?.focus();
  }
}
