// «Мастера»: who is at work, how much they have, and one click to change it.
import { ask, masters, Problem } from "./api.js";
import { h, replace, toast } from "./dom.js";
import { ago, CATEGORY, MASTER, phone, problem } from "./texts.js";

export class Masters {
  constructor(page) {
    this.page = page;
    this.state = "";
    this.masters = [];
    this.filter = h("select", { "aria-label": "Состояние", onchange: (event) => { this.state = event.target.value; this.enter(); } },
      h("option", { value: "" }, "Все мастера"), Object.entries(MASTER).map(([word, name]) => h("option", { value: word }, name)));
    this.list = h("div", { class: "rows", role: "group", "aria-label": "Мастера" });
    this.element = h("section", {}, h("div", { class: "bar" }, this.filter), this.list);
  }

  async enter() {
    const { state } = this;
    if (this.masters.length === 0) replace(this.list, h("p", { class: "empty", "aria-busy": "true" }, "Загружаем…"));
    try {
      const found = await masters(state ? `&state=${state}` : "");
      if (state !== this.state) return;
      this.masters = found;
      this.draw();
    } catch (error) {
      if (state !== this.state) return;
      replace(this.list, h("p", { class: "empty bad" }, problem(error)));
    }
  }

  draw() {
    replace(this.list, this.masters.length ? this.masters.map((master) => this.row(master)) : h("p", { class: "empty" }, "Таких мастеров нет."));
  }

  row(master) {
    const may = this.page.may("ALL");
    const full = master.active_orders >= master.limit;
    return h("div", { class: "row master" },
      h("span", { class: "what" }, h("b", {}, master.full_name), h("small", {}, `${master.city.name}${master.districts.length ? `: ${master.districts.map(({ name }) => name).join(", ")}` : ""}`)),
      h("span", { class: "when" }, master.categories.map((word) => CATEGORY[word]).join(", ") || "виды работ не указаны", master.phone && h("small", {}, phone(master.phone))),
      h("span", { class: "whom" }, h("meter", { min: 0, max: master.limit, value: Math.min(master.active_orders, master.limit), "aria-label": "Заявок в работе" }), ` ${master.active_orders} из ${master.limit}`, full && h("small", {}, "лимит"),
        h("small", {}, master.last_asked_at ? `спросили ${ago(Date.now() - new Date(master.last_asked_at))}` : "ещё не спрашивали")),
      h("span", { class: `state ${master.state}` }, MASTER[master.state], master.state === "BLOCKED" && master.blocked_reason && h("small", {}, master.blocked_reason)),
      may && h("span", { class: "buttons" },
        master.state !== "BLOCKED" && master.state !== "WAITING" && h("button", { "data-key": `shift${master.id}`, onclick: () => this.change(master, { on_shift: !master.on_shift }) }, master.on_shift ? "Снять со смены" : "На смену"),
        h("button", { "data-key": `limit${master.id}`, onclick: () => this.limit(master) }, "Лимит"),
        h("button", { "data-key": `skills${master.id}`, onclick: () => this.skills(master) }, "Умения"),
        master.state === "WAITING" && h("button", { class: "danger", "data-key": `refuse${master.id}`, onclick: () => this.block(master, "Почему отказать? Человек это прочтёт.", "Отказать") }, "Отказать"),
        master.blocked_reason === null
          ? h("button", { class: "danger", "data-key": `block${master.id}`, onclick: () => this.block(master) }, "Заблокировать")
          : h("button", { "data-key": `block${master.id}`, onclick: () => this.change(master, { blocked_reason: null }) }, master.state === "WAITING" ? "Одобрить" : "Разблокировать")));
  }

  /** Asks for something in a dialog, which stays until it is done. */
  ask(master, fields, read, done = "Сохранить") {
    const said = h("p", { class: "bad", role: "alert" });
    const form = h("form", {}, h("h2", {}, master.full_name), fields, said,
      h("p", { class: "buttons" }, h("button", { class: "primary" }, done), h("button", { type: "button", onclick: () => dialog.close() }, "Отмена")));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      said.textContent = "";
      if (await this.change(master, read(form), (words) => (said.textContent = words))) dialog.close();
    });
    const dialog = h("dialog", { onclose: () => dialog.remove() }, form);
    document.body.append(dialog);
    dialog.showModal();
  }

  limit(master) {
    const input = h("input", { type: "number", min: 1, max: 99, value: master.own_limit ?? "", name: "limit" });
    this.ask(master, h("label", {}, "Сколько заявок одновременно? Пусто — обычный лимит.", input), () => ({ own_limit: input.value === "" ? null : Number(input.value) }));
  }

  block(master, asked = "За что заблокировать? Мастер это прочтёт.", done = "Заблокировать") {
    const input = h("input", { required: true, maxlength: 500, name: "reason" });
    this.ask(master, h("label", {}, asked, input), () => ({ blocked_reason: input.value }), done);
  }

  skills(master) {
    const { districts } = this.page.cities.find(({ id }) => id === master.city.id) ?? { districts: [] };
    const box = (name, value, title, checked) => h("label", { class: "box" }, h("input", { type: "checkbox", name, value, checked }), title);
    this.ask(master, [
      h("fieldset", {}, h("legend", {}, "Виды работ"), Object.entries(CATEGORY).map(([word, title]) => box("category", word, title, master.categories.includes(word)))),
      districts.length > 0 && h("fieldset", {}, h("legend", {}, "Районы"), districts.map(({ id, name }) => box("district", id, name, master.districts.some((known) => known.id === id)))),
    ], (form) => {
      const said = new FormData(form);
      return { categories: said.getAll("category"), district_ids: said.getAll("district").map(Number) };
    });
  }

  /** Changes a master as he is seen; true if it is done. What he is then is shown, whoever has changed him; `say` is told why not. */
  async change(master, changes, say = (words) => toast(words, true)) {
    try {
      const { said } = await ask("PATCH", `masters/${master.id}`, { body: changes, headers: { "If-Match": `"${master.version}"` } });
      Object.assign(master, said);
      toast(`${master.full_name}: сохранено.`);
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.kind !== "stale") say(problem(error, { busy: "С мастером сейчас работает кто-то ещё. Попробуйте ещё раз.", "not-found": "Такого мастера нет." }));
      else {
        // What was chosen stays, and is sent as of now if it is sent again.
        Object.assign(master, error.said.current);
        say(`${master.full_name}: данные уже изменил кто-то другой, показаны новые. Если нужно, сохраните ещё раз.`);
      }
      return false;
    } finally {
      this.draw();
    }
  }
}
