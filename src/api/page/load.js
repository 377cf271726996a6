// «Загрузка»: a sheet is dropped, its report is read, and then it is loaded.
import { ask, keyOf } from "./api.js";
import { h, replace, toast } from "./dom.js";
import { counted, fault, FIELD, orders, problem } from "./texts.js";

/** Titles that say when somebody is to come; a column of that name that is not read would be a lost time. */
const WHEN = /когда|врем|дат[аыу]|час|срок|приех|приезд|визит|выезд|slot|time|date|when/i;

export class Load {
  constructor(page) {
    this.page = page;
    this.report = h("div", {});
    this.input = h("input", { type: "file", accept: ".csv,text/csv", "aria-label": "Таблица", onchange: () => this.read(this.input.files[0]) });
    this.drop = h("label", { class: "drop", ondragover: (event) => event.preventDefault(), ondrop: (event) => { event.preventDefault(); this.read(event.dataTransfer.files[0]); } },
      h("b", {}, "Перетащите сюда таблицу CSV"), h("span", { class: "choose" }, "Выбрать файл"), this.input);
    this.element = h("section", {},
      h("p", { class: "hint" }, "Первая строка — названия столбцов: вид работ, город, адрес, телефон; можно ещё район, имя, описание, когда («завтра 10-12») или «приехать с» и «приехать до», срочно. Не больше 10 000 строк."),
      this.drop, this.report);
  }

  async read(file) {
    if (!file) return;
    if (/\.xlsx?$/i.test(file.name)) {
      this.input.value = "";
      return replace(this.report, h("p", { class: "empty bad" }, "Это файл Excel: сохраните его как CSV и загрузите снова."));
    }
    const sheet = { name: file.name, bytes: null, key: null };
    this.sheet = sheet;
    sheet.bytes = await file.arrayBuffer();
    sheet.key = await keyOf(sheet.bytes);
    this.input.value = "";
    // Another one was chosen meanwhile.
    if (this.sheet === sheet) await this.send("?dry_run=1");
  }

  async send(query) {
    const { sheet } = this;
    replace(this.report, h("p", { class: "empty", "aria-busy": "true" }, query.includes("dry_run") ? "Проверяем…" : "Загружаем…"));
    try {
      // Whenever masters are asked, a sheet is taken in once.
      const headers = { "Content-Type": "text/csv", ...(query.includes("dry_run") ? {} : { "Idempotency-Key": sheet.key + query.replace(/[?&]defer=1/, "") }) };
      const { said, status, replayed } = await ask("POST", `orders/import${query}`, { raw: sheet.bytes, headers });
      if (this.sheet !== sheet) return;
      this.show(said, status === 201, replayed);
      if (status === 201) {
        if (!replayed) toast(`Создано: ${orders(said.orders.length)}.`);
        this.page.changed();
      }
    } catch (error) {
      if (this.sheet !== sheet) return;
      if (error.said?.report) return this.show(error.said.report, false);
      const detail = error.kind === "malformed" ? `Это не таблица заявок: ${fault((error.said.detail ?? "").replace(/^not a sheet of orders: /, ""))}.` : problem(error, { "key-of-another": "Этот файл уже загружали, и второй раз заявки не созданы." });
      replace(this.report, h("p", { class: "empty bad" }, detail), this.sheet && h("button", { onclick: () => this.send(query) }, "Попробовать ещё раз"));
    }
  }

  show(report, made, replayed = false) {
    const good = report.errors.length === 0;
    const lost = report.ignored.filter((title) => WHEN.test(title)).map((title) => `«${title}»`).join(", ");
    const what = good ? `Создать ${counted(report.valid, "заявку", "заявки", "заявок")}` : `Создать только верные: ${orders(report.valid)}`;
    const load = (query, words, look) => {
      const send = () => this.send(good ? query.replace("&", "?") : `?partial=1${query}`);
      const button = h("button", { class: look, onclick: () => (lost ? this.without(button, send) : send()) }, words);
      return button;
    };
    // Out of working hours whoever waits until the morning calls nobody at night.
    const { work_begins: begins } = report;
    const buttons = begins ? [load("&defer=1", `${what}, искать с ${begins.slice(11, 16)}`, "primary"), load("", `${what}, искать сейчас`)] : load("", what, "primary");
    replace(this.report,
      h("h2", {}, this.sheet.name),
      h("p", { class: replayed ? "bad" : null, role: "status" }, replayed ? `Этот файл уже загружали, и второй раз заявки не созданы. Тогда создали: ${orders(report.orders.length)}.` : made ? `Создано: ${orders(report.orders.length)}.` : `Строк: ${report.rows}, без ошибок: ${report.valid}.`, report.ignored.length ? ` Не использованы столбцы: ${report.ignored.join(", ")}.` : ""),
      !good && h("table", { class: "report" }, h("caption", {}, "Ошибки"), h("thead", {}, h("tr", {}, h("th", {}, "Строка"), h("th", {}, "Столбец"), h("th", {}, "Что не так"))),
        h("tbody", {}, report.errors.slice(0, 200).map((error) => h("tr", {}, h("td", {}, error.line), h("td", {}, FIELD[error.field] ?? error.field), h("td", {}, fault(error.detail)))))),
      report.errors.length > 200 && h("p", {}, `И ещё ${report.errors.length - 200}.`),
      lost !== "" && h("p", { class: "bad", role: "alert" }, made ? `Время не загружено: столбец ${lost} не прочитан.` : `Время не загрузится: столбец ${lost} не читается, и мастерам предложат без времени. Назовите его «Когда» и выберите файл снова.`),
      !made && report.valid > 0 && h("p", { class: "buttons" }, buttons));
  }

  /** What would be made without its time is made by a second click. */
  without(button, send) {
    const sure = h("button", { class: "danger", onclick: send }, "Всё равно создать, без времени");
    button.replaceWith(sure);
    sure.focus();
  }
}
