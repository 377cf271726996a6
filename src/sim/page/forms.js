// Dialogs: a new order, a new master, one more phone.
import { act, CATEGORIES, h, once } from "./dom.js";

/** Opens the dialog of that name; `made` hears what came of it. */
export function open(name, topics, made = () => {}) {
  const { title, fields, read } = FORMS[name](topics);
  const refusal = h("p", { className: "problem", role: "alert" });
  const form = h("form", { method: "dialog" }, h("h2", {}, title), fields, refusal,
    h("p", { className: "buttons" },
      h("button", { type: "button", onclick: () => dialog.close() }, "Отмена"), h("button", { className: "primary" }, "Создать")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    once(event.submitter, async () => {
      const done = await act(name, read(new FormData(form)), (why) => { refusal.textContent = why; });
      if (done) {
        dialog.close();
        made(done);
      }
    });
  });
  const dialog = h("dialog", { onclose: () => dialog.remove() }, form);
  document.body.append(dialog);
  dialog.showModal();
}

const field = (label, input) => h("label", { className: "field" }, label, input);
const text = (label, name, value = "", more = {}) => field(label, h("input", { name, value, required: true, maxLength: 200, ...more }));

/** Telegram's ids have at most 52 bits. */
const ID = { type: "number", min: 1, max: 2 ** 52 - 1, step: 1 };

/** A few masters who can be offered the same order. */
const inOneCity = (masters) => new Set(masters.filter(({ city }) => city === masters[0].city).slice(0, 4).map(({ id }) => id));

const FORMS = {
  order: ({ masters, first = inOneCity(masters) }) => ({
    title: "Новая заявка",
    fields: [
      field("Вид работ", h("select", { name: "category" }, Object.entries(CATEGORIES).map(([value, words]) => h("option", { value }, words)))),
      text("Адрес", "address", "ул. Пушкина, 10, кв. 3"),
      field("Что случилось", h("textarea", { name: "description", rows: 2, maxLength: 2000 }, "Капает кран <на кухне> & в ванной")),
      text("Клиент", "client_name", "Мария"),
      text("Телефон", "client_phone", "+79990001122"),
      field("Кому предложить", h("select", { name: "city" },
        [...new Set(masters.map(({ city }) => city))].map((city) => h("option", { value: city }, `система выберет сама: ${city}`)),
        h("option", { value: "" }, "отмеченным ниже"))),
      field("Срок ответа отмеченных, минут", h("input", { name: "minutes", type: "number", min: 1, max: 10000, value: 10, required: true })),
      h("fieldset", {}, h("legend", {}, "Отмеченные"), h("div", { className: "choices" }, masters.map(({ id, name, city }) =>
        h("label", {}, h("input", { type: "checkbox", name: "masters", value: id, checked: first.has(id) }), ` ${name} `, h("small", {}, city))))),
    ],
    read: (data) => ({
      ...Object.fromEntries(["category", "address", "description", "client_name", "client_phone"].map((name) => [name, data.get(name)])),
      city: data.get("city"), minutes: Number(data.get("minutes")),
      masters: data.get("city") ? [] : data.getAll("masters").map(Number),
    }),
  }),
  master: ({ cities, nextPerson }) => ({
    title: "Новый мастер",
    fields: [
      text("Имя", "name", "", { placeholder: "Иван Петров" }),
      text("Город", "city", cities[0] ?? "", { list: "cities" }), h("datalist", { id: "cities" }, cities.map((value) => h("option", { value }))),
      text("Часовой пояс, если город новый", "timezone", "", { required: false, placeholder: "Europe/Moscow" }),
      text("Telegram ID", "person", nextPerson, ID),
    ],
    read: (data) => ({ name: data.get("name"), city: data.get("city"), timezone: data.get("timezone"), person: Number(data.get("person")) }),
  }),
  phone: ({ world, nextPerson }) => ({
    title: "Ещё один телефон",
    fields: [
      field("Бот", h("select", { name: "bot" }, world.bots.map(({ id, name }) => h("option", { value: id }, name)))),
      text("Имя", "name", "Прохожий"),
      text("Telegram ID", "person", nextPerson, ID),
    ],
    read: (data) => ({ bot: Number(data.get("bot")), name: data.get("name"), person: Number(data.get("person")) }),
  }),
};
