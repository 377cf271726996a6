// «Цифры»: how orders found their masters, as charts with the table behind each.
import { get } from "./api.js";
import { h, replace } from "./dom.js";
import { atMost, counted, problem, rubles, span, STATUS } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";

/** A drawing, named for whoever cannot see it. */
function drawing(title, width, height) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", title);
  const part = (element, attributes, text) => {
    const node = document.createElementNS(SVG, element);
    for (const [key, attribute] of Object.entries(attributes)) node.setAttribute(key, attribute);
    if (text !== undefined) node.textContent = text;
    svg.append(node);
  };
  return [svg, part];
}

/** A chart, with its numbers as a table for who wants them exactly. */
function figure(title, rows, said, svg) {
  return h("figure", {}, h("figcaption", {}, title), svg ?? h("p", { class: "hint" }, "Пока ничего."),
    svg && h("details", {}, h("summary", {}, "Таблица"), h("table", {}, rows.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, said(value)))))));
}

/** Bars from left to right, one below the other. */
function bars(title, rows, said = String) {
  if (!rows.some(([, value]) => value > 0)) return figure(title, rows, said, null);
  const most = Math.max(...rows.map(([, value]) => value)), line = 26;
  const [svg, part] = drawing(title, 480, rows.length * line);
  rows.forEach(([name, value], index) => {
    const y = index * line;
    part("text", { x: 0, y: y + 17 }, name);
    part("rect", { x: 190, y: y + 5, width: Math.max(1, (value / most) * 200), height: 16, rx: 3 });
    part("text", { x: 200 + (value / most) * 200, y: y + 17 }, said(value));
  });
  return figure(title, rows, said, svg);
}

/** Columns side by side; every third is named. */
function columns(title, rows, said = String) {
  if (!rows.some(([, value]) => value > 0)) return figure(title, rows, said, null);
  const most = Math.max(...rows.map(([, value]) => value)), width = 480 / rows.length, height = 120;
  const [svg, part] = drawing(title, 480, height + 40);
  rows.forEach(([name, value], index) => {
    const x = index * width, tall = (value / most) * height, middle = x + width / 2;
    part("rect", { x: x + 2, y: 16 + height - tall, width: width - 4, height: Math.max(1, tall), rx: 2 });
    if (value > 0) part("text", { x: middle, y: 12 + height - tall, "text-anchor": "middle" }, said(value));
    if (index % 3 === 0) part("text", { x: middle, y: height + 34, "text-anchor": "middle" }, name);
  });
  return figure(title, rows, said, svg);
}

/** A table that is scrolled sideways where it is too wide, also by keyboard; on a phone each cell is a line, with the name of its column. */
const wide = (name, caption, names, rows) => h("div", { class: "wide numbers", tabindex: "0", role: "region", "aria-label": name }, h("table", {}, h("caption", {}, caption),
  h("thead", {}, h("tr", {}, names.map((column) => h("th", { scope: "col" }, column)))),
  h("tbody", {}, rows.map(([first, ...values]) => h("tr", {}, h("th", { scope: "row" }, first), values.map((value, index) => h("td", { "data-name": names[index + 1] }, value)))))));

export class Figures {
  constructor(page) {
    this.page = page;
    this.days = "1";
    this.city = "";
    this.period = h("select", { "aria-label": "Период", onchange: (event) => { this.days = event.target.value; this.read(); } }, [["1", "Сегодня"], ["7", "7 дней"], ["30", "30 дней"]].map(([value, name]) => h("option", { value }, name)));
    this.place = h("select", { "aria-label": "Город", onchange: (event) => { this.city = event.target.value; this.read(); } });
    this.body = h("div", { class: "charts" });
    this.element = h("section", {}, h("div", { class: "bar" }, this.period, this.place), this.body);
  }

  enter() {
    replace(this.place, h("option", { value: "" }, "Все города"), this.page.cities.map((city) => h("option", { value: city.id, selected: String(city.id) === this.city }, city.name)));
    this.place.hidden = this.page.cities.length < 2;
    this.read();
  }

  async read() {
    replace(this.body, h("p", { class: "empty", "aria-busy": "true" }, "Считаем…"));
    const asked = `${this.days} ${this.city}`;
    try {
      const { said } = await get(`figures?days=${this.days}${this.city ? `&city=${this.city}` : ""}`);
      if (asked === `${this.days} ${this.city}`) this.draw(said);
    } catch (error) {
      if (asked !== `${this.days} ${this.city}`) return;
      replace(this.body, h("p", { class: "empty bad" }, problem(error)), h("button", { onclick: () => this.read() }, "Попробовать ещё раз"));
    }
  }

  draw(said) {
    const { found, closed, masters, bounds } = said;
    const longest = bounds.reduce((most, bound) => (most && most.seconds >= bound.seconds ? most : bound), null);
    const statuses = new Map(Object.values(STATUS).map((name) => [name, 0]));
    for (const { status, orders: count } of said.orders.by_status) statuses.set(STATUS[status], (statuses.get(STATUS[status]) ?? 0) + count);
    replace(this.body,
      h("ul", { class: "facts" },
        h("li", {}, h("b", {}, said.orders.total), " принято"),
        h("li", {}, h("b", {}, closed.orders), ` закрыто, ${rubles(closed.rubles)}`),
        h("li", {}, found.median_seconds === null ? "Мастеров за это время не нашли" : ["Мастер находится обычно за ", h("b", {}, span(found.median_seconds * 1000))], found.p90_seconds !== null && `, в 9 случаях из 10 — не дольше ${atMost(found.p90_seconds)}`),
        h("li", {}, h("b", {}, said.orders.escalated), " — понадобился диспетчер"),
        h("li", {}, h("b", {}, counted(said.lost_taps.taps, "раз", "раза", "раз")), " мастер опоздал нажать «Взять»"),
        longest && h("li", {}, `${this.days === "1" ? "С начала недели" : "За эти недели"} ни один мастер не ждал, пока спрашивали других, дольше `, h("b", {}, atMost(longest.seconds)))),
      bounds.length > 0 && wide("Дольше всего ждали", "Дольше всего ждали, пока спрашивали других: по неделям, эта ещё идёт", ["Неделя с", "Город", "Ожидание", "Мастер"],
        bounds.map((bound) => [bound.week.split("-").reverse().join("."), bound.city, atMost(bound.seconds), bound.master ?? "—"])),
      bars("Сколько ждали мастера", said.waits.map(({ below_seconds: below, orders: count }, index) => [below ? `до ${span(below * 1000)}` : `дольше ${span(said.waits[index - 1].below_seconds * 1000)}`, count])),
      columns("В котором часу поступили", said.hours.map((count, hour) => [String(hour).padStart(2, "0"), count])),
      bars("Что с ними теперь", [...statuses].filter(([, count]) => count > 0)),
      bars("Как нашли мастера", [["с первой волны", found.rounds[0]], ["со второй", found.rounds[1]], ["позже", found.rounds[2]], ["назначил диспетчер", found.by_hand]]),
      bars("Взяли заявок", masters.filter(({ took }) => took > 0).slice(0, 20).map(({ name, took }) => [name, took])),
      bars("За сколько отвечают", masters.filter(({ median_answer_seconds: seconds }) => seconds !== null).slice(0, 20).map(({ name, median_answer_seconds: seconds }) => [name, seconds]), (seconds) => span(seconds * 1000)),
      masters.length > 0 && wide("Мастера", "Мастера", ["Мастер", "Спросили", "Взял", "Отказался", "Не ответил", "Отвечает за", "На смене", "Дольше всего ждал, пока спрашивали других", "Закрыл", "Сумма"],
        masters.map((master) => [master.name, master.asked, master.took, master.declined, master.let_pass, master.median_answer_seconds === null ? "—" : span(master.median_answer_seconds * 1000),
          master.on_shift_seconds < 60 ? "—" : span(master.on_shift_seconds * 1000), master.passed_over_seconds === null ? "—" : atMost(master.passed_over_seconds), master.closed.orders, rubles(master.closed.rubles)])));
  }
}
