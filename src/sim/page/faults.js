// Switches for what can go wrong.
import { act, countdown, fill, h } from "./dom.js";

const FAULTS = [
  ["twice", "Доставить дважды", "Telegram не услышал ответа и прислал то же самое ещё раз"],
  ["overlapping", "Вторая доставка, пока идёт первая", "так бывает, если обработчик думает дольше минуты"],
  ["late", "Доставить с опозданием", "через 15 секунд на нажатие уже не ответить"],
  ["wrong_secret", "Неверный секрет", "как от постороннего: обработчик должен ответить 401"],
  ["calls", "Telegram отвечает боту ошибкой", "на всё, что обработчик вызывает"],
];
const FORCES = [["off", "выкл"], ["next", "один раз"], ["standing", "пока включено"]];
const ANSWERS = [
  ["429, подождать 5 с", { too_many_requests: 5 }], ["500", "server_error"], ["502 с HTML", "bad_gateway"],
  ["403, бот заблокирован", "forbidden"], ["400, отказ", "bad_request"], ["молчание", "hang"],
];

export class Faults {
  #radios = new Map();

  /** The controls are made once, so that nobody loses what they type. */
  constructor(root) {
    this.late = h("input", { type: "number", min: 1, max: 300, step: 1, required: true, onchange: ({ target }) => target.reportValidity() && change({ late_seconds: Number(target.value) }) });
    this.answer = h("select", { onchange: ({ target }) => change({ answer: ANSWERS[target.value][1] }) }, ANSWERS.map(([words], index) => h("option", { value: index }, words)));
    this.cut = h("form", { onsubmit: (event) => this.#cut(event) },
      "Отключить на ", h("input", { name: "seconds", type: "number", min: 1, max: 120, value: 5, required: true, "aria-label": "Секунд" }), " с ", h("button", {}, "Отключить"));
    this.state = h("p", { role: "status" });
    root.append(h("p", { className: "hint" }, "Что пойдёт не так по дороге: один раз, со следующим обновлением, или пока включено."),
      ...FAULTS.map((fault) => this.#fault(fault)),
      h("fieldset", { className: "fault" }, h("legend", {}, "База данных"), h("small", {}, "обработчик теряет соединения и не может открыть новые"), this.cut, this.state));
  }

  show(faults, world) {
    for (const [key, radio] of this.#radios) {
      radio.checked = faults[radio.name] === radio.value;
      radio.parentElement.classList.toggle("on", radio.checked);
      radio.dataset.key = key;
    }
    if (document.activeElement !== this.late) this.late.value = faults.late_seconds;
    this.answer.value = ANSWERS.findIndex(([, value]) => JSON.stringify(value) === JSON.stringify(faults.answer));
    const state = `${world.can_cut} ${world.cut_until}`;
    if (state === this.shown) return;
    this.shown = state;
    this.cut.hidden = !world.can_cut;
    fill(this.state,
      !world.can_cut && "Обработчик ходит в базу своей дорогой: отсюда её не перекрыть.",
      world.cut_until && [h("b", { className: "problem" }, "База отключена, ещё ", countdown(world.cut_until, "мгновение")), " ",
        h("button", { type: "button", onclick: () => act("cut", { seconds: 0 }) }, "Включить")]);
  }

  #fault([name, title, why]) {
    const radio = (force) => {
      const input = h("input", { type: "radio", name, value: force, onchange: () => change({ [name]: force }) });
      this.#radios.set(`${name}-${force}`, input);
      return input;
    };
    return h("fieldset", { className: "fault" }, h("legend", {}, title), h("small", {}, why),
      h("div", { className: "segments" }, FORCES.map(([force, words]) => h("label", {}, radio(force), words))),
      name === "late" && h("label", {}, "на ", this.late, " с"), name === "calls" && h("label", {}, "чем: ", this.answer));
  }

  #cut(event) {
    event.preventDefault();
    act("cut", { seconds: Number(new FormData(this.cut).get("seconds")) });
  }
}

const change = (part) => act("faults", part);
