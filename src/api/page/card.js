// An order's card: all of it, how its search goes and why, and what can be done with it.
import { ask, get, post } from "./api.js";
import { h, replace, toast } from "./dom.js";
import { ACTION, CATEGORY, clock, day, DELIVERY, DO, DONE, ESCALATION, exactly, FIELD, fitting, OFFER, phone, problem, rubles, since, slot, span, STATUS, WHY_NOT } from "./texts.js";
import { local, moment, When } from "./when.js";

// The first ones as the bot's buttons have them, so that they are the same in the history.
const RETURN = ["Мастер не успевает", "Мастер не отвечает", "Клиент просит другого мастера", "Мастер заболел"];
const CANCEL = ["Клиент передумал", "Клиент не отвечает", "Заявка заведена дважды", "Не наша работа"];

/** So long something is in sight before it counts as seen: whoever clicks at the moment at which an order changes does not mean that. */
const SEEN = 1000;

/** Copies it, or shows it where it can be copied by hand: without TLS, and in a frame, browsers refuse. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Скопировано.");
  } catch {
    toast(`Браузер не дал скопировать. Выделите здесь: ${text}`, true);
  }
}

/** On one line, as a field of a form shows it. */
const oneLine = (text) => text.replace(/\s*[\r\n]+\s*/g, ", ");

/** What has changed, in words. */
const changed = ({ to_status: status, field }) => (status ? STATUS[status] : `изменено: ${FIELD[field] ?? "заявка"}`);

/** What a field held before, if that is written as people do. */
function was({ field, was: before }) {
  if (field === "client_phone") return before && phone(before);
  if (field === "final_amount") return before && rubles(before);
  return ["address", "client_name", "description", "comment"].includes(field) ? before : null;
}

export class Card {
  constructor(element, page) {
    this.element = element;
    this.page = page;
    this.order = null;
    /** The form of what is being done, which stays while the card is drawn anew around it. */
    this.place = h("div", { id: "action" });
    setInterval(() => this.tick(), 1000);
    setInterval(() => document.visibilityState === "visible" && this.look(), 5000);
  }

  open(id) {
    this.back ??= document.activeElement;
    this.element.hidden = false;
    if (this.order?.id !== id) {
      this.order = null;
      this.put();
      replace(this.element, h("p", { class: "empty", "aria-busy": "true" }, "Загружаем…"));
    }
    this.wanted = id;
    return this.read(id);
  }

  close() {
    // Back to where it was opened, or to its row, which may have been drawn anew meanwhile.
    const row = document.querySelector(`[data-order="${this.wanted}"]`);
    const back = this.back?.isConnected ? this.back : row ?? document.getElementById("view");
    back.focus({ preventScroll: true });
    this.element.hidden = true;
    this.order = this.wanted = this.back = undefined;
  }

  /** Looks whether it has changed. */
  look() {
    return this.wanted && this.read(this.wanted, true);
  }

  /** Reads it; `again`: to see whether it has changed. */
  async read(id, again = false) {
    try {
      const [order, card] = await Promise.all([get(`orders/${id}`), get(`orders/${id}/card`)]);
      if (this.wanted !== id) return;
      const state = JSON.stringify([order.said, card.said]);
      if (again && this.order && state === this.state) return;
      const before = this.order;
      [this.state, this.order, this.more] = [state, order.said, card.said];
      this.draw();
      if (before) this.overtaken(before);
    } catch (error) {
      if (this.wanted !== id || error.kind === "unauthorized") return;
      if (!this.order) replace(this.element, this.head(id), h("p", { class: "empty bad" }, problem(error)), h("button", { onclick: () => this.read(id) }, "Попробовать ещё раз"));
    }
  }

  head(id) {
    return h("header", {}, h("h2", {}, `№${id}`), h("button", { class: "quiet", "data-key": "close", "aria-label": "Закрыть карточку", onclick: () => this.page.close() }, "✕"));
  }

  draw() {
    const { order, more } = this, zone = order.city.timezone;
    // What was unfolded stays so.
    const focused = this.place.contains(document.activeElement) ? document.activeElement : null;
    const folded = new Map([...this.element.querySelectorAll("details")].map((part) => [part.dataset.key, part.open]));
    const line = (name, ...value) => [h("dt", {}, name), h("dd", {}, value)];
    const copy = (text, shown) => h("button", { class: "quiet", "data-key": text, onclick: () => copied(text) }, shown);
    replace(this.element, this.head(order.id),
      h("p", { class: "status" }, h("b", {}, STATUS[order.status]), order.is_free && " · бесплатно, по гарантии", order.amount && ` · ${rubles(order.amount)}`),
      order.escalated && h("p", { class: "bad" }, `Нужен диспетчер: ${ESCALATION[order.escalated.reason]}, `, h("time", { "data-at": order.escalated.since })),
      h("dl", {},
        line("Работа", CATEGORY[order.category], order.description && h("p", { class: "words" }, order.description)),
        line("Где", [order.city.name, order.district?.name, order.address].filter(Boolean).join(", "), " ", copy(order.address, "скопировать")),
        line("Когда", slot(order), zone !== Intl.DateTimeFormat().resolvedOptions().timeZone && order.slot && h("small", {}, ` (время: ${order.city.name})`)),
        line("Клиент", order.client_name, " ", copy(order.client_phone, phone(order.client_phone))),
        order.master && line("Мастер", order.master.name, more.master_phone && [" ", copy(more.master_phone, phone(more.master_phone))], more.master_is_unreachable && h("small", { class: "bad" }, " ему не написать")),
        order.comment && line("Мастеру", order.comment),
        order.guarantee_of && line("Гарантия", h("button", { class: "quiet", onclick: () => this.page.open(order.guarantee_of) }, `на заявку №${order.guarantee_of}`)),
        order.claimed_by && line("Занимается", order.claimed_by.name),
        more.deferred_until && line("Отложена", `до ${day(more.deferred_until, zone)} ${clock(more.deferred_until, zone)}`),
        line("Принята", `${day(order.created_at, zone)} ${clock(order.created_at, zone)}`, order.created_by && `, ${order.created_by.name}`)),
      h("div", { class: "buttons", id: "actions" }, this.actions().map((action) => h("button", { class: action === "CANCEL" ? "danger" : action === "ASSIGN" ? "primary" : null, "data-key": action, "data-action": action, onclick: () => this.act(action) }, this.title(action)))),
      this.place,
      more.offers.length > 0 && [h("h3", {}, "Кому предложили"), h("ul", { class: "offers" }, more.offers.map((offer) => h("li", {},
        h("b", {}, offer.master), ` ${[DELIVERY[offer.delivery], OFFER[offer.state] + (offer.viewed_at && offer.state === "VIEWED" ? ` ${since(offer.viewed_at, zone)}` : offer.responded_at ? ` ${since(offer.responded_at, zone)}` : "")].filter(Boolean).join(" · ")}`,
        (offer.state === "SENT" || offer.state === "VIEWED") && offer.expires_at && h("small", {}, " осталось ", h("time", { "data-until": offer.expires_at }))))),
        more.earlier_offers > 0 && h("p", { class: "hint" }, `Раньше — ещё ${more.earlier_offers}.`)],
      more.why.length > 0 && h("details", { "data-key": "why", open: folded.get("why") ?? false }, h("summary", {}, "Почему они"), [...more.why].reverse().map((round) => h("p", {}, `Волна ${round.number}, ${round.chosen.length ? `${since(round.at, zone, exactly)}: ${round.chosen.join(", ")}` : `с ${since(round.at, zone, exactly)}: спросить было некого`}.`,
        round.excluded.length > 0 && ` Не спросили: ${round.excluded.map(({ reason, masters }) => `${WHY_NOT[reason]} — ${masters}`).join(", ")}.`))),
      more.changes.length > 0 && h("details", { "data-key": "changes", open: folded.get("changes") ?? true }, h("summary", {}, "Что было"), h("ul", { class: "changes" }, more.changes.map((change) => h("li", {},
        h("time", {}, since(change.at, zone)), " ", changed(change), change.given_to && ` (${change.given_to})`, change.amount && ` ${rubles(change.amount)}`,
        was(change) && h("small", {}, ` было: ${was(change)}`), h("small", {}, ` — ${change.name ?? "автоматически"}${change.reason ? ` («${change.reason}»)` : ""}`))))));
    focused?.focus({ preventScroll: true });
    this.tick();
  }

  /** What can be done with it; a visit under guarantee is a new order. */
  actions() {
    const repeats = this.order.status === "CLOSED" && this.page.may("ORDERS");
    return repeats ? [...this.more.actions, "GUARANTEE"] : this.more.actions;
  }

  /** What a button says: an order is taken over from somebody by name. */
  title(action) {
    const { claimed_by: other } = this.order;
    return action === "CLAIM" && other ? `Забрать у: ${other.name}` : ACTION[action];
  }

  async guarantee() {
    try {
      await post("draft", { guarantee_of: this.order.id });
    } catch (error) {
      if (error.kind !== "not-now") return this.page.fail(error);
      toast("Сначала закончите начатую заявку.", true);
    }
    this.page.show("new");
  }

  tick() {
    for (const time of this.element.querySelectorAll("[data-at]")) time.textContent = span(Date.now() - new Date(time.dataset.at));
    for (const time of this.element.querySelectorAll("[data-until]")) {
      const left = new Date(time.dataset.until) - Date.now();
      time.textContent = left > 0 ? span(left) : "0 с";
    }
  }

  /** Does something with the order as it is seen; the card is shown as it is then. */
  async perform(action, path, body, method = "POST") {
    const { id } = this.order;
    // What was seen when the form was opened.
    const version = this.place.dataset.version ?? this.order.version;
    const buttons = [...this.element.querySelectorAll(".buttons button")];
    for (const button of buttons) button.disabled = true;
    try {
      await ask(method, `orders/${id}${path}`, { body, headers: { "If-Match": `"${version}"` } });
      toast(`№${id}: ${DONE[action]}.`);
    } catch (error) {
      if (error.kind === "not-eligible") {
        for (const button of buttons) button.disabled = false;
        toast(`№${id}: ${problem(error)}`, true);
        return error;
      }
      if (error.status !== 412 && error.kind !== "claimed") {
        for (const button of buttons) button.disabled = false;
        this.page.fail(error);
        return error;
      }
      toast(`№${id}: ${problem(error)}`, true);
      // What was written stays, beside the order as it is now: it can be sent once more.
      for (const button of buttons) button.disabled = false;
      if (this.wanted === id) await this.read(id);
      if (this.order?.id === id && this.doing) this.ready();
      this.page.changed();
      return error;
    }
    this.put();
    if (this.wanted === id) await this.read(id);
    this.page.changed();
    return null;
  }

  /** Shows a form of what is to be done with the order as it is seen; without one there is none. `renewed` is called when it is another one. */
  put(form, doing = null, renewed = () => {}) {
    clearTimeout(this.seen);
    this.news = h("p", { class: "bad", role: "alert" });
    this.place.replaceChildren(...(form ? [this.news, form] : []));
    [this.doing, this.renewed] = [doing, renewed];
    if (form) this.place.dataset.version = this.order.version;
    else delete this.place.dataset.version;
  }

  /** The order has changed under an open form: the form says so, keeps what is written, and is about the order as it is now. */
  overtaken(before) {
    const { order, more } = this, [last] = more.changes;
    if (!this.place.dataset.version || order.version === before.version) return;
    const taken = order.master && order.master.id !== before.master?.id;
    const what = taken ? `мастер теперь ${order.master.name}` : order.status !== before.status ? `теперь она ${STATUS[order.status]}` : last ? `${changed(last)} — ${last.name ?? "автоматически"}` : "посмотрите выше";
    this.news.textContent = `Пока вы здесь, заявка изменилась: ${what}.`;
    clearTimeout(this.seen);
    this.seen = setTimeout(() => (this.place.dataset.version = order.version), SEEN);
    if (this.ready()) this.renewed();
    else this.news.append(" Этого с ней больше не сделать.");
  }

  /** Lets the open form's buttons work if the order may still be treated so; whether it may. */
  ready() {
    const may = this.actions().includes(this.doing);
    for (const button of this.place.querySelectorAll("button:not(.leave)")) button.disabled = !may;
    return may;
  }

  act(action) {
    switch (action) {
      case "CLAIM": return this.perform(action, "/claim", { from_staff_id: this.order.claimed_by?.id ?? null });
      case "UNCLAIM": return this.perform(action, "/claim", undefined, "DELETE");
      case "SEARCH": return this.perform(action, "/search");
      case "ASSIGN": return this.assign();
      case "RETURN": return this.reason(action, "Почему ищем заново?", RETURN, "/return");
      case "CANCEL": return this.reason(action, "Почему отменяем?", CANCEL, "/cancel");
      case "REOPEN": return this.perform(action, "/reopen");
      case "CLOSE": return this.form(action, "Сколько заплатил клиент, ₽?", [["amount", h("input", { name: "amount", inputmode: "decimal", required: true, "aria-label": "Сумма" })]], ({ amount }) => this.perform(action, "/close", { amount: amount.replace(",", ".") }));
      case "COMMENT": return this.form(action, "Что передать мастеру?", [["comment", h("textarea", { name: "comment", maxlength: 300, rows: 3, "aria-label": "Комментарий" }, this.order.comment ?? "")]], ({ comment }) => this.perform(action, "", { comment: comment.trim() || null }, "PATCH"));
      case "EDIT": return this.edit();
      case "GUARANTEE": return this.guarantee();
    }
  }

  reason(action, asked, ready, path) {
    const question = `${asked}${this.order.master ? " Мастер это прочтёт." : ""}`;
    const input = h("input", { name: "reason", required: true, maxlength: 500, list: "reasons", "aria-label": question });
    return this.form(action, question, [["reason", [input, h("datalist", { id: "reasons" }, ready.map((text) => h("option", { value: text })))]]], ({ reason }) => this.perform(action, path, { reason }));
  }

  edit() {
    const { order } = this, zone = order.city.timezone;
    const when = new When(() => {});
    const time = ({ slot, soon }) => {
      when.show(slot?.start && slot.end ? { start: local(slot.start, zone), end: local(slot.end, zone) } : null, [], zone, slot === null && !soon ? "По договорённости" : null);
      return JSON.stringify(when.value());
    };
    const texts = (now) => ({ address: oneLine(now.address), client_phone: phone(now.client_phone), client_name: oneLine(now.client_name), description: now.description ?? "" });
    // As the fields were filled.
    let [before, known] = [time(order), texts(order)];
    const field = (name, label, element) => [name, h("label", {}, label, element)];
    return this.form("EDIT", "Что исправить?", [
      field("address", "Адрес", h("input", { name: "address", value: known.address, maxlength: 300 })),
      field("client_phone", "Телефон", h("input", { name: "client_phone", value: known.client_phone, inputmode: "tel" })),
      field("client_name", "Имя", h("input", { name: "client_name", value: known.client_name, maxlength: 100 })),
      field("description", "Что случилось", h("textarea", { name: "description", rows: 3, maxlength: 2000 }, known.description)),
      field("slot", "Когда приехать", when.element),
    ], (said) => {
      const changes = Object.fromEntries(Object.entries(known).filter(([name, value]) => said[name].trim() !== "" && said[name].trim() !== value).map(([name]) => [name, said[name]]));
      const empty = Object.keys(known).filter((name) => known[name] !== "" && said[name].trim() === "");
      if (empty.length) return toast(`Заполните: ${empty.map((name) => FIELD[name]).join(", ")}.`, true);
      const slot = when.value();
      if (slot === undefined) return toast(`Время: ${when.fault()}.`, true);
      if (JSON.stringify(slot) !== before) changes.slot = slot && { start: moment(slot.start, zone), end: moment(slot.end, zone) };
      return Object.keys(changes).length ? this.perform("EDIT", "", changes, "PATCH") : this.put();
    }, () => {
      // What nobody has touched here is as it is now.
      const now = texts(this.order);
      for (const [name, text] of Object.entries(known)) {
        const input = this.place.querySelector(`[name=${name}]`);
        if (input.value === text) input.value = now[name];
      }
      known = now;
      if (JSON.stringify(when.value()) === before) before = time(this.order);
    });
  }

  form(action, question, fields, done, renewed) {
    const form = h("form", { onsubmit: (event) => { event.preventDefault(); done(Object.fromEntries(new FormData(form))); } },
      h("h3", {}, question), fields.map(([, element]) => element),
      h("p", { class: "buttons" }, h("button", { class: "primary" }, DO[action]), h("button", { type: "button", class: "leave", onclick: () => this.put() }, action === "CANCEL" ? "Не отменять" : "Отмена")));
    this.put(form, action, renewed);
    form.querySelector("input, textarea")?.focus();
  }

  async assign() {
    if (!this.more?.actions.includes("ASSIGN")) return;
    const { id } = this.order, form = h("form", { onsubmit: (event) => event.preventDefault() });
    const fill = async () => {
      const { said } = await get(`orders/${id}/candidates`);
      const fit = said.candidates.filter((candidate) => !candidate.why_not).length;
      const had = form.contains(document.activeElement);
      replace(form, h("h3", {}, fit ? `${fitting(fit)}, первым — кто ждёт дольше` : "Подходящих свободных мастеров нет"),
        h("ul", { class: "candidates" }, said.candidates.map((candidate) => h("li", {},
          h("span", {}, h("b", {}, candidate.name), ` ${candidate.load} из ${candidate.limit}`, candidate.why_not && h("small", {}, WHY_NOT[candidate.why_not], candidate.why_not === "BLOCKED" && candidate.blocked_reason && `: ${candidate.blocked_reason}`)),
          candidate.why_not === "BLOCKED" || candidate.why_not === "WAITING" ? null : candidate.why_not
            ? h("button", { type: "button", onclick: (event) => this.anyway(event.target, candidate) }, "Назначить")
            : h("button", { type: "button", class: "primary", onclick: () => this.perform("ASSIGN", "/assign", { master_id: candidate.id }).then((error) => error && error.status !== 412 && this.assign()) }, "Назначить")))),
        h("p", { class: "buttons" }, h("button", { type: "button", class: "leave", onclick: () => this.put() }, "Отмена")));
      if (had) form.querySelector("button").focus();
    };
    try {
      await fill();
      if (this.wanted !== id) return;
      // Others could be given it by the time it is another one.
      this.put(form, "ASSIGN", () => fill().catch(this.page.fail));
      form.querySelector("button").focus();
    } catch (error) {
      this.page.fail(error);
    }
  }

  /** Who would not be asked by the search is given the order by a second click. */
  anyway(button, candidate) {
    const sure = h("button", { type: "button", class: "danger", onclick: () => this.perform("ASSIGN", "/assign", { master_id: candidate.id, anyway: true }) }, "Всё равно назначить");
    button.replaceWith(sure);
    sure.focus();
  }
}
