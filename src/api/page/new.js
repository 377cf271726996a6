// «Новая заявка»: one form, kept on the server as it is written; the same draft as in the bot.
import { ask, get } from "./api.js";
import { h, replace, toast } from "./dom.js";
import { byOrders, CATEGORY, counted, fault, FIELD, phone, problem, span, STATUS } from "./texts.js";
import { When } from "./when.js";

/** After so long without a key it is saved. */
const PAUSE = 1200;
const CLEAR = "Очистить";
const TEXTS = ["address", "client_phone", "client_name", "description"];

export class NewOrder {
  constructor(page) {
    this.page = page;
    this.draft = null;
    /** What was entered and the server does not have yet, by field. */
    this.dirty = {};
    /** What the server did not take, and why. */
    this.wrong = {};
    const changed = (name) => () => this.edit(name);
    const text = (name, attributes, element = "input") => h(element, { name, "data-key": name, autocomplete: "off", oninput: changed(name), onchange: () => this.flush(), ...attributes });
    const choice = (name) => h("select", { name, "data-key": name, onchange: () => { this.edit(name); this.flush(); } });
    this.when = new When(() => { this.edit("slot"); this.flush(); });
    this.fields = {
      category: choice("category"), city_id: choice("city_id"), district_id: choice("district_id"),
      address: text("address", { maxlength: 300 }), client_phone: text("client_phone", { inputmode: "tel", maxlength: 40 }), client_name: text("client_name", { maxlength: 100 }),
      description: text("description", { rows: 3, maxlength: 2000 }, "textarea"), slot: this.when.choice, preferred_master_id: choice("preferred_master_id"),
    };
    this.labels = {};
    this.faults = {};
    const line = (name, element, label = FIELD[name]) => {
      this.faults[name] = h("small", { class: "bad", id: `fault-${name}`, role: "alert" });
      this.fields[name].setAttribute("aria-describedby", `fault-${name}`);
      this.labels[name] = h("label", { class: name }, h("span", {}, label[0].toUpperCase() + label.slice(1)), element, this.faults[name]);
      return this.labels[name];
    };
    this.message = h("textarea", { name: "message", "data-key": "message", rows: 2, maxlength: 4096, "aria-label": "Заявка одним сообщением", placeholder: "Например: Малышева 84, 8 912 345 67 89, не греет бойлер, завтра после обеда", oninput: () => (this.parse.disabled = !this.message.value.trim()) });
    this.parse = h("button", { type: "button", disabled: true, onclick: () => this.paste() }, "Разобрать");
    this.took = h("p", { class: "hint" });
    this.saved = h("small", { class: "saved", role: "status" });
    this.around = h("div", { class: "around" });
    // They stay under the finger that is about to click them, whatever is saved meanwhile.
    this.now = h("button", { class: "primary", "data-key": "create" }, "Создать и искать мастера");
    this.later = h("button", { type: "button", "data-key": "defer", onclick: () => this.create(true) });
    this.clear = h("button", { type: "button", class: "danger", "data-key": "drop", onclick: () => this.drop() }, CLEAR);
    this.deeds = h("p", { class: "deeds" }, this.now, this.later, this.clear);
    this.form = h("form", { class: "order", novalidate: true, onsubmit: (event) => { event.preventDefault(); this.create(false); } },
      h("div", { class: "whole" }, h("label", {}, h("span", {}, "Вставьте сообщение клиента — поля заполнятся сами"), this.message), this.parse, this.took),
      h("div", { class: "fields" }, line("category", this.fields.category), line("city_id", this.fields.city_id), line("district_id", this.fields.district_id), line("address", this.fields.address),
        line("client_phone", this.fields.client_phone, "телефон клиента"), line("client_name", this.fields.client_name, "как зовут"), line("description", this.fields.description, "что случилось"),
        line("slot", this.when.element, "когда приехать"), line("preferred_master_id", this.fields.preferred_master_id)),
      this.around, this.deeds, this.saved);
    this.element = h("section", { class: "new" }, this.form);
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.flush());
  }

  async enter() {
    this.element.setAttribute("aria-busy", "true");
    try {
      const { said } = await get("draft");
      this.dirty = { ...this.unsaved(), ...this.dirty };
      this.show(said);
      this.say("");
      if (Object.keys(this.dirty).length) this.flush();
      if (said.version === "0.0") this.message.focus();
    } catch (error) {
      if (error.kind === "unauthorized") return;
      if (!this.draft) replace(this.element, h("p", { class: "empty bad" }, problem(error)), h("button", { onclick: () => { replace(this.element, this.form); this.enter(); } }, "Попробовать ещё раз"));
      else this.say(problem(error), true);
    } finally {
      this.element.removeAttribute("aria-busy");
    }
  }

  leave() {
    this.flush();
  }

  /** Where this tab keeps what the person has not saved, for when it is loaded anew. */
  get place() {
    return `unsaved ${this.page.who.staff_id}`;
  }

  unsaved() {
    try {
      return JSON.parse(sessionStorage.getItem(this.place) ?? "{}");
    } catch {
      return {};
    }
  }

  /** Whoever opens the page next sees nothing of what was written. */
  forget() {
    clearTimeout(this.timer);
    [this.draft, this.dirty, this.wrong, this.drawn] = [null, {}, {}, null];
    this.form.reset();
    replace(this.element, this.form);
    replace(this.around);
    this.took.textContent = "";
    this.say("");
  }

  /** Shows a draft; what was entered meanwhile stays. */
  show(draft) {
    this.draft = draft;
    const { page, fields } = this;
    const city = page.cities.find(({ id }) => id === (this.dirty.city_id ?? draft.city_id)) ?? (page.cities.length === 1 ? page.cities[0] : null);
    this.zone = (city ?? page.cities[0])?.timezone;
    const options = (select, none, list, value) => {
      replace(select, h("option", { value: "" }, none), list.map(([id, name]) => h("option", { value: id }, name)));
      select.value = value ?? "";
    };
    const value = (name) => (name in this.dirty ? this.dirty[name] : draft[name]);
    options(fields.category, "Выберите", Object.entries(CATEGORY), value("category"));
    options(fields.city_id, "Выберите", page.cities.map(({ id, name }) => [id, name]), city?.id);
    options(fields.district_id, "Не важно", (city?.districts ?? []).map(({ id, name }) => [id, name]), value("district_id"));
    this.labels.city_id.hidden = page.cities.length < 2;
    this.labels.district_id.hidden = !city?.districts.length;
    for (const name of TEXTS) {
      const text = name in this.dirty ? this.dirty[name] : name === "client_phone" && draft[name] ? phone(draft[name]) : draft[name];
      if (document.activeElement !== fields[name] || !(name in this.dirty)) fields[name].value = text ?? "";
    }
    if (!this.when.element.contains(document.activeElement) || !("slot" in this.dirty)) this.when.show(value("slot"), draft.windows, this.zone);
    this.preferred(city, value("preferred_master_id"), options);
    this.took.textContent = draft.took.length ? `Понято: ${draft.took.map(({ field, words }) => `${FIELD[field]} — «${words}»`).join(", ")}. Остальное — в описании.` : "";
    this.draw();
  }

  /** Who may be asked first: the masters of the city with that trade. */
  async preferred(city, value, options) {
    const select = this.fields.preferred_master_id;
    const category = this.dirty.category ?? this.draft.category;
    const wanted = `${city?.id} ${category}`;
    if (this.known !== wanted) {
      this.known = wanted;
      this.masters = [];
      try {
        if (city && category) this.masters = (await get(`masters?city=${city.id}&category=${category}&limit=100`)).said.masters;
      } catch {
        // Nobody can be preferred for the moment; the order can be made all the same.
        this.known = null;
      }
      if (this.known !== null && this.known !== wanted) return;
    }
    const list = this.masters.filter(({ blocked_reason }) => blocked_reason === null).map(({ id, full_name }) => [id, full_name]);
    if (value && !list.some(([id]) => id === value)) list.push([value, "выбранный раньше мастер"]);
    options(select, "Тех, кто ждёт дольше", list, value);
  }

  /** What is known around it, what is missing, and what can be done. */
  draw() {
    const { draft } = this, { supply, usually } = draft;
    for (const [name, element] of Object.entries(this.faults)) {
      element.textContent = this.wrong[name] ?? "";
      this.fields[name].setAttribute("aria-invalid", String(name in this.wrong));
    }
    const around = JSON.stringify([draft.guarantee_of, draft.twins, supply, usually]);
    if (around !== this.drawn) {
      this.drawn = around;
      replace(this.around,
        draft.guarantee_of && h("p", {}, "Бесплатно, по гарантии на заявку ", h("button", { type: "button", class: "quiet", onclick: () => this.page.open(draft.guarantee_of) }, `№${draft.guarantee_of}`)),
        draft.twins.map(({ id, status }) => h("p", { class: "twin" }, "По этому телефону уже есть ", h("button", { type: "button", class: "quiet", "data-key": `twin${id}`, onclick: () => this.page.open(id) }, `№${id}`), ` — ${STATUS[status]}`)),
        supply && h("p", { class: supply.free ? "good" : "bad" }, supply.suitable ? `Подходят ${counted(supply.suitable, "мастер", "мастера", "мастеров")}, свободны ${supply.free}` : "Подходящих мастеров нет: заявка сразу попадёт к диспетчеру",
          usually && `, обычно берут за ${span(usually.median_seconds * 1000)} (${byOrders(usually.orders)})`, "."));
    }
    this.later.hidden = draft.work_begins === null;
    this.later.textContent = draft.work_begins && `Создать, искать с ${draft.work_begins.slice(11, 16)}`;
    this.clear.hidden = draft.version === "0.0";
  }

  read(name) {
    if (name === "slot") return this.when.value();
    const { value } = this.fields[name];
    if (value.trim() === "") return null;
    return name.endsWith("_id") ? Number(value) : value;
  }

  /** A field was changed: it is saved soon. */
  edit(name) {
    const value = this.read(name);
    if (value === undefined || (name === "city_id" && value === null)) return;
    this.dirty[name] = value;
    if (name === "city_id") Object.assign(this.dirty, { district_id: null, preferred_master_id: null });
    delete this.wrong[name];
    this.faults[name].textContent = "";
    this.fields[name].setAttribute("aria-invalid", "false");
    this.keep();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), PAUSE);
  }

  keep() {
    if (Object.keys(this.dirty).length) sessionStorage.setItem(this.place, JSON.stringify(this.dirty));
    else sessionStorage.removeItem(this.place);
  }

  say(words, bad = false) {
    this.saved.textContent = words;
    this.saved.className = bad ? "saved bad" : "saved";
  }

  /** Saves what is not saved yet; true if all of it is. One request at a time, so that each names the draft as the last one left it. */
  flush() {
    clearTimeout(this.timer);
    this.saving = (this.saving ?? Promise.resolve()).then(() => this.save()).catch((error) => this.page.fail(error));
    return this.saving;
  }

  async save(changes) {
    for (let turn = 0; turn < 4; turn += 1) {
      const sent = changes ?? Object.fromEntries(Object.entries(this.dirty).filter(([name]) => !(name in this.wrong)));
      if (!this.draft || Object.keys(sent).length === 0) return Object.keys(this.dirty).length === 0;
      this.say("Сохраняем…");
      try {
        const { said } = await ask("PATCH", "draft", { body: sent, headers: { "If-Match": `"${this.draft.version}"` } });
        // What was changed meanwhile is sent in the next turn.
        for (const [name, value] of Object.entries(sent)) if (this.dirty[name] === value) delete this.dirty[name];
        this.keep();
        this.show(said);
        this.say("Сохранено.");
        changes = undefined;
      } catch (error) {
        if (error.kind === "stale") {
          toast("Черновик меняли в боте или в другом окне: вот какой он теперь.", true);
          this.show(error.said.current);
        } else if (error.kind === "invalid") {
          for (const { pointer, detail } of error.said.errors) this.wrong[pointer.split("/")[1]] = fault(detail);
          this.draw();
          this.say("Сохранено всё, кроме отмеченного.", true);
          if (changes || error.said.errors.every(({ pointer }) => !(pointer.split("/")[1] in sent))) return false;
        } else {
          if (error.kind !== "unauthorized") this.say(error.kind === "offline" ? "Нет связи: сохраним, когда появится." : problem(error), true);
          this.timer = setTimeout(() => this.flush(), 5000);
          return false;
        }
      }
    }
    return false;
  }

  async paste() {
    const message = this.message.value.trim();
    if (!message) return;
    this.parse.disabled = true;
    await this.flush();
    if (await this.save({ message })) {
      this.message.value = "";
      const missing = this.draft.missing[0];
      (this.fields[missing] ?? this.now).focus();
    } else this.parse.disabled = false;
  }

  async create(defer) {
    if (this.creating) return;
    this.creating = true;
    this.deeds.setAttribute("aria-busy", "true");
    try {
      await this.flush();
      const first = Object.keys(this.wrong)[0] ?? this.draft.missing[0];
      for (const name of this.draft.missing) this.wrong[name] ??= name === "slot" ? "Скажите точнее, когда приехать" : "Заполните это поле";
      this.draw();
      if (first) return this.fields[first].focus();
      // What is not saved is not what would be made.
      if (Object.keys(this.dirty).length) return this.say("Ещё не сохранено. Попробуйте ещё раз.", true);
      const { said } = await ask("POST", "draft/order", { body: { defer }, headers: { "If-Match": `"${this.draft.version}"` } });
      toast(`Заявка №${said.id} заведена.`);
      this.wrong = {};
      this.show((await get("draft")).said);
      this.say("");
      this.page.show("now");
      this.page.open(said.id);
    } catch (error) {
      if (error.kind === "stale") {
        toast("Черновик меняли в боте или в другом окне: вот какой он теперь.", true);
        this.show(error.said.current);
      } else if (error.kind === "invalid") {
        for (const { pointer, detail } of error.said.errors) this.wrong[pointer.split("/")[1]] = fault(detail);
        this.draw();
      } else this.page.fail(error);
    } finally {
      this.creating = false;
      this.deeds.removeAttribute("aria-busy");
    }
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
    this.dirty = {};
    this.wrong = {};
    this.keep();
    try {
      await ask("DELETE", "draft", { headers: { "If-Match": `"${this.draft.version}"` } });
    } catch (error) {
      if (error.kind !== "stale") return this.page.fail(error);
      toast("Черновик меняли в боте или в другом окне: вот какой он теперь.", true);
    }
    await this.enter();
    this.say("");
  }
}
