// «Новая заявка»: a form over the draft.
import { masters } from "./api.js";
import { h, replace, toast } from "./dom.js";
import { Draft } from "./draft.js";
import { byOrders, CATEGORY, counted, FIELD, fitting, phone, span, STATUS } from "./texts.js";
import { UNSAID, When } from "./when.js";

const CLEAR = "Очистить";
const TEXTS = ["address", "client_phone", "client_name", "description"];
const EXAMPLE = "Например: Малышева 84, 8 912 345 67 89, не греет бойлер, завтра после обеда";

export class NewOrder {
  constructor(page) {
    this.page = page;
    this.draft = new Draft(page, { changed: () => this.show(), say: (words, bad) => this.say(words, bad), warn: (words) => toast(words, true) });
    /** Somebody wanted to create it: what is missing is marked. */
    this.wanted = false;
    this.faults = {};
    this.labels = {};
    this.build();
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.draft.now && this.draft.flush(true));
  }

  build() {
    const edited = (name) => this.edit(name);
    const flush = () => this.draft.flush();
    const text = (name, attributes, element = "input") => h(element, { name, "data-key": name, autocomplete: "off", oninput: () => edited(name), onchange: flush, ...attributes });
    const choice = (name) => h("select", { name, "data-key": name, onchange: () => { edited(name); flush(); } });
    this.when = new When(() => { edited("slot"); flush(); });
    this.fields = {
      category: choice("category"),
      city_id: choice("city_id"),
      district_id: choice("district_id"),
      address: text("address", { maxlength: 300 }),
      client_phone: text("client_phone", { inputmode: "tel", maxlength: 40 }),
      client_name: text("client_name", { maxlength: 100 }),
      description: text("description", { rows: 3 }, "textarea"),
      slot: this.when.choice,
      preferred_master_id: choice("preferred_master_id"),
    };
    const titles = { client_phone: "телефон клиента", client_name: "как зовут", description: "что случилось", slot: "когда приехать" };
    const lines = Object.entries(this.fields).map(([name, field]) => this.line(name, titles[name] ?? FIELD[name], name === "slot" ? this.when.element : field));
    this.message = h("textarea", { name: "message", "data-key": "message", rows: 2, placeholder: EXAMPLE, oninput: () => this.written() });
    this.parse = h("button", { type: "button", disabled: true, onclick: () => this.paste() }, "Разобрать");
    this.took = h("p", { class: "hint" });
    this.saved = h("small", { class: "saved", role: "status" });
    this.around = h("div", { class: "around" });
    // They stay under the finger that is about to click them, whatever is saved meanwhile.
    this.now = h("button", { class: "primary", "data-key": "create" }, "Создать и искать мастера");
    this.later = h("button", { type: "button", "data-key": "defer", hidden: true, onclick: () => this.create(true) });
    this.clear = h("button", { type: "button", class: "danger", "data-key": "drop", onclick: () => this.drop() }, CLEAR);
    this.form = h("form", { class: "order", novalidate: true, onsubmit: (event) => { event.preventDefault(); this.create(false); } },
      h("div", { class: "whole" }, h("label", {}, h("span", {}, "Вставьте сообщение клиента — поля заполнятся сами"), this.message), this.parse, this.took),
      h("div", { class: "fields" }, lines), this.around, h("p", { class: "buttons" }, this.now, this.later, this.clear), this.saved);
    this.element = h("section", { class: "new" }, this.form);
  }

  line(name, title, element) {
    this.faults[name] = h("small", { class: "bad", id: `fault-${name}`, role: "alert" });
    this.fields[name].setAttribute("aria-describedby", `fault-${name}`);
    this.labels[name] = h("label", { class: name }, h("span", {}, title[0].toUpperCase() + title.slice(1)), element, this.faults[name]);
    return this.labels[name];
  }

  async enter() {
    this.element.setAttribute("aria-busy", "true");
    const isThere = await this.draft.load();
    this.element.removeAttribute("aria-busy");
    // What is written in the bot or in another window meanwhile is shown, unless something is being written here.
    this.timer ??= setInterval(() => document.visibilityState === "visible" && !Object.keys(this.draft.dirty).length && this.draft.load(true), 5000);
    // Whoever is writing already is not disturbed.
    if (isThere && this.draft.now.version === "0.0" && !this.form.contains(document.activeElement)) this.message.focus();
  }

  leave() {
    clearInterval(this.timer);
    this.timer = undefined;
    if (this.draft.now) this.draft.flush();
  }

  say(words, bad = false) {
    this.saved.textContent = words;
    this.saved.className = bad ? "saved bad" : "saved";
  }

  read(name) {
    if (name === "slot") return this.when.value() === UNSAID ? undefined : this.when.value();
    const { value } = this.fields[name];
    if (value.trim() === "") return null;
    return name.endsWith("_id") ? Number(value) : value;
  }

  edit(name) {
    const value = this.read(name);
    if (name === "slot" && this.when.fault()) return this.mark(name);
    if (value === undefined || (name === "city_id" && value === null)) return;
    this.draft.edit(name, value);
    this.mark(name);
  }

  /** A message is kept as it is written, and read when its button says so. */
  written() {
    this.parse.disabled = !this.message.value.trim();
    this.draft.dirty.message = this.message.value;
    if (this.parse.disabled) delete this.draft.dirty.message;
    this.draft.keep();
  }

  /** Shows the draft. The field that somebody is in stays as it is. */
  show() {
    const { draft, page, fields } = this, { now } = draft;
    const value = (name) => draft.value(name);
    const city = page.cities.find(({ id }) => id === value("city_id")) ?? (page.cities.length === 1 ? page.cities[0] : null);
    this.choose("category", "Выберите", Object.entries(CATEGORY), value("category"));
    this.choose("city_id", "Выберите", page.cities.map(({ id, name }) => [id, name]), city?.id);
    this.choose("district_id", "Не важно", (city?.districts ?? []).map(({ id, name }) => [id, name]), value("district_id"));
    this.labels.city_id.hidden = page.cities.length === 1;
    this.labels.district_id.hidden = !city?.districts.length;
    for (const name of TEXTS) {
      if (document.activeElement === fields[name] && draft.now.version !== "0.0") continue;
      const text = value(name) ?? "";
      fields[name].value = name === "client_phone" && !(name in draft.dirty) ? phone(text) : text;
    }
    if (document.activeElement !== this.message) this.message.value = draft.dirty.message ?? "";
    this.parse.disabled = !this.message.value.trim();
    const slot = JSON.stringify(value("slot") ?? null);
    // Another time that is not finished stays as it stands, unless another one is there by now.
    const isUnfinished = this.when.fault() && slot === this.slot;
    if ((!this.when.element.contains(document.activeElement) && !isUnfinished) || now.version === "0.0") {
      this.slot = slot;
      const unsaid = now.missing.includes("slot") && !("slot" in draft.dirty) ? "Уточните время" : null;
      this.when.show(value("slot"), now.windows, (city ?? page.cities[0])?.timezone, unsaid);
    }
    this.prefer(city, value("category"), value("preferred_master_id"));
    this.took.textContent = now.took.length ? `Понято: ${now.took.map(({ field, words }) => `${FIELD[field]} — «${words}»`).join(", ")}. Остальное — в описании.` : "";
    this.later.hidden = now.work_begins === null;
    this.later.textContent = now.work_begins && `Создать, искать с ${now.work_begins.slice(11, 16)}`;
    this.clear.hidden = now.version === "0.0" && !Object.keys(draft.dirty).length;
    this.beside();
    for (const name of Object.keys(fields)) this.mark(name);
  }

  choose(name, none, list, value) {
    const select = this.fields[name];
    replace(select, h("option", { value: "" }, none), list.map(([id, title]) => h("option", { value: id }, title)));
    select.value = value ?? "";
  }

  /** What is wrong with a field, or that it is missing. */
  mark(name) {
    const { wrong, dirty, now } = this.draft;
    const missing = this.wanted && now?.missing.includes(name) && !(name in dirty);
    const unfinished = this.wanted && name === "slot" && this.when.fault() && "Время указано не до конца";
    const cityless = name === "city_id" && !this.page.cities.length && "Городов пока нет: первый добавляют на сервере, field-service master add --city … --timezone …";
    const words = cityless || unfinished || (wrong[name] ?? (missing ? (name === "slot" ? "Скажите точнее, когда приехать" : "Заполните это поле") : ""));
    this.faults[name].textContent = words;
    this.fields[name].setAttribute("aria-invalid", String(words !== ""));
  }

  /** Who may be asked first: the masters of the city with that trade. */
  async prefer(city, category, value) {
    const wanted = city && category ? `&city=${city.id}&category=${category}` : "";
    if (this.known !== wanted) {
      this.known = wanted;
      this.masters = [];
      try {
        const found = wanted ? await masters(wanted) : [];
        if (this.known !== wanted) return;
        this.masters = found;
      } catch {
        // Nobody can be preferred for the moment; the order can be made all the same.
        if (this.known === wanted) this.known = null;
      }
    }
    const list = this.masters.filter(({ blocked_reason }) => blocked_reason === null).map(({ id, full_name }) => [id, full_name]);
    if (value && !list.some(([id]) => id === value)) list.push([value, "выбранный раньше мастер"]);
    this.choose("preferred_master_id", "Кто дольше ждёт", list, value);
  }

  /** What is known around it. */
  beside() {
    const { guarantee_of: repeats, twins, supply, usually } = this.draft.now;
    const state = JSON.stringify([repeats, twins, supply, usually]);
    if (state === this.drawn) return;
    this.drawn = state;
    const order = (id) => h("button", { type: "button", class: "quiet", "data-key": `order${id}`, onclick: () => this.page.open(id) }, `№${id}`);
    replace(this.around,
      repeats && h("p", {}, "Бесплатно, по гарантии на заявку ", order(repeats)),
      twins.map(({ id, status }) => h("p", { class: "twin" }, "По этому телефону уже есть ", order(id), ` — ${STATUS[status]}`)),
      supply && h("p", { class: supply.free ? "good" : "bad" }, supply.suitable ? `${fitting(supply.suitable)}, ${counted(supply.free, "свободен", "свободны", "свободны").replace(/^(\d+) (.*)$/, "$2 $1")}` : "Подходящих мастеров нет: заявка сразу попадёт к диспетчеру",
        usually && `, обычно берут за ${span(usually.median_seconds * 1000)} (${byOrders(usually.orders)})`, "."));
  }

  /** Reads the message; of a draft that has a client already, it is asked whether it is the same one. */
  async paste() {
    const text = this.message.value.trim();
    if (!text) return;
    const { draft } = this;
    if (draft.value("client_phone") || draft.value("address")) {
      const isAnother = await this.askWhose();
      if (isAnother === null) return;
      if (isAnother) {
        if (!(await draft.drop())) return;
        this.message.value = text;
        this.written();
      }
    }
    this.parse.disabled = true;
    const isRead = await this.draft.message(text);
    if (isRead) {
      this.message.value = "";
      this.written();
      (this.fields[this.draft.now.missing[0]] ?? this.now).focus();
    } else this.parse.disabled = false;
  }

  /** Whether a message is of another client than the draft; null: it is not to be read after all. */
  askWhose() {
    return new Promise((told) => {
      const answer = (title, value, look) => h("button", { class: look, onclick: () => { told(value); dialog.close(); } }, title);
      const dialog = h("dialog", { onclose: () => { told(null); dialog.remove(); } }, h("h2", {}, "В форме уже есть заявка"), h("p", {}, "Это сообщение о ней или другая заявка?"),
        h("p", { class: "buttons" }, answer("О ней: дополнить", false, "primary"), answer("Другая: очистить форму", true, "danger"), answer("Не надо", null)));
      document.body.append(dialog);
      dialog.showModal();
    });
  }

  async create(defer) {
    if (this.creating || !this.draft.now) return;
    this.wanted = true;
    // What is on the screen, and not what it was before.
    if (this.when.fault()) {
      this.mark("slot");
      return this.when.date.focus();
    }
    this.creating = true;
    this.form.setAttribute("aria-busy", "true");
    const order = await this.draft.make(defer);
    this.form.removeAttribute("aria-busy");
    this.creating = false;
    if (order === null || order === false) {
      this.show();
      return this.fields[Object.keys(this.draft.wrong)[0] ?? this.draft.now.missing[0]]?.focus();
    }
    this.wanted = false;
    toast(`Заявка №${order} создана.`);
    this.page.show("now");
    this.page.open(order);
  }

  /** A second click within some seconds: what was written is gone then. */
  async drop() {
    const calm = () => (this.clear.textContent = CLEAR);
    if (this.clear.textContent === CLEAR) {
      this.clear.textContent = "Точно очистить?";
      setTimeout(calm, 4000);
      return;
    }
    calm();
    this.wanted = false;
    await this.draft.drop();
  }
}
