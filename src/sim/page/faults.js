// Switches for what can go wrong.
import { act, countdown, h } from "./dom.js";

const FAULTS = [
  ["twice", "Доставить дважды", "Telegram не услышал ответа и прислал то же самое ещё раз"],
  ["overlapping", "Вторая доставка, пока идёт первая", "так бывает, если обработчик думает дольше минуты"],
  ["late", "Доставить с опозданием", "после 15 секунд на нажатие уже не ответить"],
  ["wrong_secret", "Неверный секрет", "как от постороннего: должно быть 401"],
  ["calls", "Telegram отвечает боту ошибкой", "на всё, что обработчик вызывает во время доставки"],
];
const FORCES = [["off", "выкл"], ["next", "следующая"], ["standing", "пока включено"]];
const ANSWERS = [
  ["429, подождать 5 с", { too_many_requests: 5 }], ["500", "server_error"], ["502 с HTML", "bad_gateway"],
  ["403, бот заблокирован", "forbidden"], ["молчание", "hang"],
];

export class Faults {
  #shown = "";

  constructor(root) {
    this.root = root;
    this.switches = h("div", {});
    this.database = h("div", {});
    root.append(h("p", { className: "hint" }, "Что пойдёт не так по дороге: со следующей доставкой или пока включено."), this.switches, this.database);
  }

  show(faults, world) {
    const state = JSON.stringify([faults, world.can_cut, world.cut_until]);
    if (state === this.#shown) return;
    this.#shown = state;
    const focused = document.activeElement?.dataset?.key;
    const change = (part) => act("faults", { ...faults, ...part });
    this.switches.replaceChildren(...FAULTS.map(([name, title, why]) => h("fieldset", { className: "fault" },
      h("legend", {}, title), h("small", {}, why),
      h("div", { className: "segments" }, FORCES.map(([force, words]) => h("label", { className: faults[name] === force && "on" },
        h("input", { type: "radio", name, value: force, checked: faults[name] === force, "data-key": `${name}-${force}`, onchange: () => change({ [name]: force }) }), words))),
      name === "late" && h("label", {}, "на ", h("input", { type: "number", min: 1, max: 300, value: faults.late_seconds, "data-key": "late-seconds",
        onchange: ({ target }) => target.reportValidity() && change({ late_seconds: Number(target.value) }) }), " с"),
      name === "calls" && h("label", {}, "чем: ", h("select", { "data-key": "answer", onchange: ({ target }) => change({ answer: ANSWERS[target.value][1] }) },
        ANSWERS.map(([words, value], index) => h("option", { value: index, selected: JSON.stringify(value) === JSON.stringify(faults.answer) }, words)))))));
    this.database.replaceChildren(h("fieldset", { className: "fault" }, h("legend", {}, "База данных"),
      h("small", {}, "обработчик теряет соединения, новых не получить"),
      world.can_cut
        ? h("form", { onsubmit: (event) => { event.preventDefault(); act("cut", { seconds: Number(new FormData(event.target).get("seconds")) }); } },
          "Отключить на ", h("input", { name: "seconds", type: "number", min: 1, max: 120, value: 5, required: true, "data-key": "cut-seconds" }), " с ",
          h("button", { "data-key": "cut" }, "Отключить"), world.cut_until && h("b", { className: "problem" }, " база отключена, ещё ", countdown(world.cut_until, "миг")))
        : h("p", { className: "hint" }, "Обработчик ходит в базу своей дорогой: отсюда её не перекрыть.")));
    if (focused) this.root.querySelector(`[data-key="${focused}"]`)?.focus();
  }
}
