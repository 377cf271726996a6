// «Правила»: how masters are searched for; an admin changes it, and sees before what it would have done yesterday.
import { ask, get, post } from "./api.js";
import { h, replace, toast } from "./dom.js";
import { counted, fault, FIELD, lasting, problem } from "./texts.js";

/** The fields in their groups: the name, and how it is written. `widens`: a search goes by it only while it widens, or only in rounds. */
const SECONDS = "секунд", MASTERS = "мастеров";
const GROUPS = [
  ["Кого и когда спрашиваем", [
    ["first_masters", { widens: true, unit: MASTERS }], ["widen_every_seconds", { widens: true, unit: SECONDS }], ["widen_by", { widens: true, unit: MASTERS }],
    ["max_live_offers", { widens: true, unit: MASTERS, label: "Сколько мастеров спрашиваем одновременно, не больше" }], ["masters_per_round", { widens: false }], ["offer_ttl_seconds", { unit: SECONDS }], ["preferred_ttl_seconds", { unit: SECONDS, label: "Сколько секунд ждём мастера, которого просит клиент" }],
  ]],
  ["Когда зовём диспетчера", [["max_rounds", {}], ["escalate_after_seconds", { unit: SECONDS }]]],
  ["Нагрузка и рабочий день", [["max_active_orders", {}], ["workday_start", { clock: true }], ["workday_end", { clock: true }]]],
];
const FIELDS = GROUPS.flatMap(([, fields]) => fields);
/** How often a search widens if it is to widen again. */
const USUAL = 30;

const when = (iso) => new Intl.DateTimeFormat("ru", { day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit" }).format(new Date(iso));
const who = (policy) => policy.created_by ?? "система";
const capital = (text) => text[0].toUpperCase() + text.slice(1);
const isTime = (name) => FIELDS.some(([known, { unit }]) => known === name && unit === SECONDS);
/** A field's value as it is said; a search that never widens goes on in rounds. */
const saidOf = (name, value) => name === "widen_every_seconds" && value === 0 ? "нет, ищем кругами" : isTime(name) ? lasting(value) : String(value);
const tenths = (number) => number.toLocaleString("ru", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** What yesterday would have been like, in words. */
function previewed({ result, orders: count, wait_seconds: wait, wait_percent: part, accepted_percent: took, messages, drawn_percent: drawn }) {
  if (result === "TOO_FEW") return [`Что это дало бы вчера, не скажешь: мастера взяли слишком мало заявок (${count}).`];
  if (result === "NOT_REPLAYED") return ["Лимит заявок и рабочий день на вчерашних заявках не проверить: там они остаются как были."];
  if (result !== "COMPARED") return ["Посчитать, что это дало бы вчера, пока не получилось: попробуйте ещё раз чуть позже. Сохранить можно и так."];
  return [
    h("b", {}, `Вчера это дало бы: ${wait === null ? "" : `ожидание ${lasting(wait[0])} → ${lasting(wait[1])}, `}взято ${Math.round(took[0])} → ${Math.round(took[1])} %, сообщений ${tenths(messages[0])} → ${tenths(messages[1])}. `),
    wait !== null && (part === 90 ? "Столько ждали бы 9 из 10 взятых заявок. " : "Столько ждала бы половина взятых заявок: взято меньше 9 из 10. "),
    `Сообщения — на одну заявку. Сравнили ${counted(count, "заявку", "заявки", "заявок")}. Не взяты те, что отменили, отдали вручную или никто не взял за час. `,
    `${Math.round(drawn)} % ответов мастеров взяты из прошлых, их самих или города: вчера их об этом не спросили или не дождались ответа.`,
  ];
}

export class Policy {
  constructor(page) {
    this.page = page;
    /** The policy in force as it was seen, and its tag. */
    this.seen = null;
    this.inputs = new Map(FIELDS.map(([name, { clock }]) => [name, h("input", { name, id: `rule-${name}`, "data-key": `rule-${name}`, required: true, type: clock ? "time" : "number", "aria-describedby": `rule-fault-${name} rule-now-${name}`, oninput: () => this.changed() })]));
    this.way = h("select", { name: "way", "data-key": "way", onchange: () => this.turn() }, h("option", { value: "widen" }, "Добавлять мастеров, пока никто не взял"), h("option", { value: "rounds" }, "Кругами: ждать ответа всех, потом звать следующих"));
    this.rows = new Map(FIELDS.map(([name, { unit, label }]) => [name, h("label", { for: `rule-${name}` }, label ?? [capital(FIELD[name]), unit && `, ${unit}`], this.inputs.get(name), h("small", { class: "bad", id: `rule-fault-${name}`, role: "alert" }), h("small", { id: `rule-now-${name}` }))]));
    this.said = h("p", { class: "hint", role: "status", tabindex: "-1" });
    this.check = h("button", { class: "primary", "data-key": "check" }, "Проверить");
    this.save = h("button", { class: "primary", type: "button", "data-key": "save", hidden: true, onclick: () => this.send() }, "Сохранить");
    this.back = h("button", { type: "button", "data-key": "undo", hidden: true, onclick: () => { this.show(); this.said.focus(); } }, "Отменить изменения");
    this.form = h("form", { class: "rules", novalidate: true, onsubmit: (event) => { event.preventDefault(); this.preview(); } },
      h("label", {}, "Как спрашиваем", this.way),
      GROUPS.map(([title, fields]) => h("fieldset", {}, h("legend", {}, title), fields.map(([name]) => this.rows.get(name)))),
      this.said, h("p", { class: "buttons" }, this.check, this.save, this.back));
    this.made = h("p", { class: "hint" });
    this.log = h("div", { class: "wide log", tabindex: "0", role: "region", "aria-label": "Кто и когда менял" });
    this.body = h("div", {}, this.made, this.form, this.log);
    this.element = h("section", {}, this.body);
  }

  async enter() {
    if (this.seen === null) replace(this.element, h("p", { class: "empty", "aria-busy": "true" }, "Загружаем…"));
    try {
      const { said, tag } = await get("policy");
      // What is being changed is not taken away by another look.
      const touched = this.seen !== null && this.differences().length > 0;
      const same = this.seen?.policy.id === said.id;
      replace(this.element, this.body);
      if (!touched) {
        this.seen = { policy: said, tag };
        this.show();
      } else if (!same) this.overtaken(said, tag);
      await this.history();
    } catch (error) {
      if (this.seen === null) replace(this.element, h("p", { class: "empty bad" }, problem(error)), h("button", { onclick: () => this.enter() }, "Попробовать ещё раз"));
      else this.page.fail(error);
    }
  }

  /** The policy in force, instead of what was changed. */
  show() {
    const { rules } = this.seen.policy;
    for (const [name, input] of this.inputs) input.value = rules[name];
    this.changed();
  }

  /** Somebody else has changed the policy: what was typed stays, beside what it is now; what was not typed is as it is now. */
  overtaken(policy, tag) {
    const typed = this.differences();
    this.seen = { policy, tag };
    for (const [name, input] of this.inputs) if (!typed.includes(name)) input.value = policy.rules[name];
    this.changed();
    toast(`Правила тем временем изменили (${who(policy)}). То, что меняли вы, осталось; остальное — как теперь. Проверьте ещё раз.`, true);
  }

  /** The other way of searching. */
  turn() {
    const every = this.inputs.get("widen_every_seconds");
    every.value = this.way.value === "rounds" ? 0 : this.seen.policy.rules.widen_every_seconds || USUAL;
    this.changed();
  }

  value(name) {
    const input = this.inputs.get(name);
    return input.type === "time" ? input.value.slice(0, 5) : input.value === "" ? null : Number(input.value);
  }

  /** The fields that differ from the policy in force. */
  differences() {
    return FIELDS.map(([name]) => name).filter((name) => this.value(name) !== this.seen.policy.rules[name]);
  }

  /** Something was typed: what was checked before is not what would be saved. */
  changed() {
    const { policy } = this.seen, changed = this.differences();
    const widens = this.value("widen_every_seconds") !== 0;
    this.way.value = widens ? "widen" : "rounds";
    for (const [name, { widens: only }] of FIELDS) {
      const row = this.rows.get(name);
      // What does not count is shown while it is typed, and as long as it would be saved as something else.
      const kept = row.contains(document.activeElement) || (name !== "widen_every_seconds" && changed.includes(name));
      row.hidden = only !== undefined && only !== widens && !kept;
    }
    for (const name of this.inputs.keys()) this.wrong(name, "", changed.includes(name) ? `действует: ${this.inForce(name)}` : "");
    // A search that widens counts masters, as many as so many rounds would ask.
    const rounds = this.value("max_rounds"), round = this.value("masters_per_round");
    if (widens && !changed.includes("max_rounds")) this.wrong("max_rounds", "", `то есть когда спрошено: ${counted(rounds * round, "мастер", "мастера", "мастеров")}; круг — ${counted(round, "мастер", "мастера", "мастеров")}`);
    replace(this.made, `Действуют правила №${policy.id}: ${when(policy.created_at)}, ${who(policy)}. Заявки, которые уже ищут мастера, доищут по прежним правилам.`);
    this.said.textContent = changed.length ? "" : "Ничего не изменено.";
    [this.check.hidden, this.check.disabled, this.save.hidden, this.back.hidden] = [false, changed.length === 0, true, changed.length === 0];
  }

  /** What a field says in force: as it is typed, and as it is said where that is not the same. */
  inForce(name) {
    const value = this.seen.policy.rules[name], said = saidOf(name, value);
    return String(value) === said ? said : `${value} (${said})`;
  }

  /** Says what is wrong with a field, and what it is in force. */
  wrong(name, text, now) {
    const [bad, small] = this.rows.get(name).querySelectorAll("small");
    bad.textContent = text;
    if (text !== "") this.rows.get(name).hidden = false;
    if (now !== undefined) small.textContent = now;
    this.inputs.get(name).setAttribute("aria-invalid", String(text !== ""));
  }

  rules() {
    return Object.fromEntries(FIELDS.map(([name]) => [name, this.value(name)]));
  }

  /** What is missing is said before anybody is asked. */
  complete() {
    const empty = FIELDS.map(([name]) => name).filter((name) => this.value(name) === null || this.value(name) === "" || (this.inputs.get(name).type === "number" && !Number.isInteger(this.value(name))));
    for (const name of empty) this.wrong(name, this.inputs.get(name).type === "time" ? "нужно время, например 10:00" : "нужно целое число");
    this.inputs.get(empty[0])?.focus();
    return empty.length === 0;
  }

  async preview() {
    if (!this.complete()) return;
    const checked = JSON.stringify(this.rules());
    this.check.disabled = true;
    this.said.textContent = "Считаем, что это дало бы вчера…";
    try {
      const { said } = await post("policy/preview", JSON.parse(checked));
      if (JSON.stringify(this.rules()) !== checked) return;
      replace(this.said, previewed(said));
      [this.check.hidden, this.save.hidden] = [true, false];
      this.save.focus();
    } catch (error) {
      this.refused(error);
    } finally {
      this.check.disabled = this.differences().length === 0;
      this.keepFocus(this.check);
    }
  }

  /** A button that was disabled while it was asked has lost the focus, which goes back to it, or to what has come of it. */
  keepFocus(button) {
    const lost = document.activeElement === null || document.activeElement === document.body;
    if (lost && this.element.isConnected) (button.hidden || button.disabled ? this.said : button).focus();
  }

  async send() {
    this.save.disabled = true;
    try {
      const { said, tag } = await ask("PUT", "policy", { body: this.rules(), headers: { "If-Match": this.seen.tag } });
      this.seen = { policy: said, tag };
      this.show();
      const done = "Сохранено. Новые поиски идут по новым правилам.";
      toast(done);
      this.said.textContent = done;
      this.said.focus();
      await this.history();
    } catch (error) {
      this.refused(error);
    } finally {
      this.save.disabled = false;
      this.keepFocus(this.save);
    }
  }

  refused(error) {
    if (error.kind === "stale") {
      this.overtaken(error.said.current, `"${error.said.current.id}"`);
      this.history();
      return;
    }
    this.said.textContent = "";
    if (error.kind !== "invalid") return this.page.fail(error, { busy: "Правила сейчас сохраняет кто-то ещё. Попробуйте ещё раз через пару секунд." });
    for (const { pointer, detail } of error.said.errors ?? []) {
      const name = pointer.split("/")[1];
      if (this.inputs.has(name)) this.wrong(name, fault(detail));
      else toast(fault(detail), true);
    }
    this.form.querySelector("[aria-invalid=true]")?.focus();
  }

  /** Who changed what, the last change first. */
  async history() {
    try {
      const { policies } = (await get("policy/history")).said;
      const rows = policies.slice(0, -1).map((policy, index) => {
        const before = policies[index + 1].rules;
        const changes = FIELDS.map(([name]) => name).filter((name) => policy.rules[name] !== before[name]);
        return h("tr", {}, h("th", { scope: "row" }, `№${policy.id}`), h("td", {}, when(policy.created_at)), h("td", {}, who(policy)),
          h("td", {}, changes.map((name) => `${FIELD[name]}: ${saidOf(name, before[name])} → ${saidOf(name, policy.rules[name])}`).join("; ") || "поиск не изменился"));
      });
      replace(this.log, h("table", {}, h("caption", {}, "Кто и когда менял"), h("thead", {}, h("tr", {}, ["Правила", "Когда", "Кто", "Что"].map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, rows)));
    } catch (error) {
      replace(this.log, h("p", { class: "bad" }, problem(error)));
    }
  }
}
