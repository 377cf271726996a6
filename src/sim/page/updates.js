// What happened to each update.
import { act, countdown, duration, fill, h, moment } from "./dom.js";

const STATES = { queued: "в очереди", under_way: "доставляется", waiting: "ждёт повтора", delivered: "доставлено", dropped: "отброшено", failed: "не доставлено", unwanted: "бот не просил" };
const MET = { twice: "дважды", overlapping: "внахлёст", late: "с опозданием", wrong_secret: "неверный секрет", calls: "ответы боту с ошибкой" };

export class Updates {
  #rows = new Map();
  #all = false;

  constructor(root) {
    this.root = root;
    this.list = h("div", { className: "updates" });
    const wait = h("button", { type: "button", onclick: () => act("wait", {}) }, "⏩ Не ждать следующей попытки");
    const all = h("input", { type: "checkbox", onchange: ({ target }) => {
      this.#all = target.checked;
      this.show(this.updates, this.names);
    } });
    this.simulated = h("label", { hidden: true }, all, " и тех, кто живёт сам");
    root.append(h("p", { className: "hint" }, "Каждое обновление: попытки доставить, ответы обработчика и что он вызывал. Новые сверху."),
      h("div", { className: "tools" }, wait, this.simulated), this.list);
  }

  show(updates, names) {
    [this.updates, this.names] = [updates, names];
    this.simulated.hidden = !updates.some(({ simulated }) => simulated);
    const rows = new Map();
    for (const update of updates.filter(({ simulated }) => this.#all || !simulated).reverse()) {
      const key = `${update.bot}/${update.update_id}`;
      const state = JSON.stringify(update);
      const known = this.#rows.get(key);
      if (known?.state === state) {
        rows.set(key, known);
      } else {
        const element = row(update, names);
        element.open = known?.element.open ?? false;
        rows.set(key, { state, element });
      }
    }
    const same = rows.size === this.#rows.size && [...rows].every(([key, { element }]) => this.#rows.get(key)?.element === element);
    this.#rows = rows;
    if (same && this.list.hasChildNodes()) return;
    fill(this.list, rows.size ? [...rows.values()].map(({ element }) => element) : h("p", { className: "hint" }, "Пока ничего: нажмите что-нибудь на телефоне."));
  }
}

function row(update, names) {
  const last = update.attempts.at(-1);
  const summary = h("summary", { "data-key": `${update.bot}/${update.update_id}` },
    h("span", { className: `chip ${update.state === "delivered" && update.calls.some(failed) ? "queued" : update.state}` }, STATES[update.state]),
    update.calls.some(failed) && h("span", { className: "chip failed" }, "вызов бота не удался"),
    h("b", {}, names.get(update.person) ?? update.person), ` ${[...update.what].slice(0, 100).join("")} `,
    h("small", {}, [moment(update.made), update.attempts.length > 1 && `попыток: ${update.attempts.length}`,
      last?.took != null && `${last.status ?? "нет ответа"} за ${duration(last.took)}`].filter(Boolean).join(" · ")),
    update.next !== null && h("small", {}, " повтор через ", countdown(update.next, "мгновение")));
  return h("details", { className: "update" }, summary,
    h("p", {}, h("code", {}, `update_id ${update.update_id}`), update.data && [" ", h("code", {}, update.data)]),
    h("ol", {}, update.attempts.map((attempt) => h("li", {},
      `${moment(attempt.at)} → ${attempt.took === null ? "ждём ответа…" : `${attempt.status ?? "нет ответа"} за ${duration(attempt.took)}`}`,
      faultsOf(attempt.met)))),
    update.calls.length ? h("ul", { className: "calls" }, update.calls.map((call) => h("li", { className: failed(call) && "problem" },
      h("code", {}, call.method), ` ${call.status || "без ответа"}`, call.refusal && ` — ${call.refusal}`, h("small", {}, ` ${moment(call.at)}`)))) : h("p", { className: "hint" }, "обработчик ничего не вызывал"),
    update.answers.map((answer) => h("p", {}, "Ответ на нажатие: ", answer.text ? h("q", {}, answer.text) : "без слов")));
}

/** Telegram says no to showing what is shown already, which is no failure. */
const failed = ({ refusal }) => refusal !== null && !refusal.includes("message is not modified");

function faultsOf(met) {
  const names = Object.entries(MET).filter(([name]) => met[name]).map(([, words]) => words);
  return names.length ? h("em", {}, ` (${names.join(", ")})`) : "";
}
