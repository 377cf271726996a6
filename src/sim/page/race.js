// «Гонка»: everybody taps «✅ Взять заявку» in the same instant.
import { act, duration, fill, h, once, svg } from "./dom.js";
import { liveOffers, mostSeen, table } from "./truth.js";

export class Race {
  #left = new Set();
  #shown = "";
  #form = "";
  #options = "";
  #chosen;
  #note = "";

  constructor(root) {
    this.root = root;
    // The picture is as wide as the panel.
    new ResizeObserver(() => this.topics && this.show(this.topics)).observe(root);
    this.choice = h("select", { name: "order", "data-key": "race-order", onchange: ({ target }) => this.choose(Number(target.value)) });
    this.number = h("input", { name: "order", type: "number", min: 1, max: Number.MAX_SAFE_INTEGER, required: true, placeholder: "номер заявки" });
    this.label = h("label", { hidden: true });
    this.note = h("p", { className: "hint", role: "status" });
    this.racers = h("fieldset");
    this.button = h("button", { className: "primary", "data-key": "race", disabled: true }, "🏁 Гонка");
    this.form = h("form", { className: "race", onsubmit: (event) => this.#start(event) }, this.label, this.note, this.racers, this.button);
    this.result = h("div", { className: "result" });
    root.append(this.form, this.result);
  }

  show(topics) {
    this.topics = topics;
    this.#showForm();
    // Nobody sees it, and it has no width to be drawn in.
    const width = this.root.clientWidth;
    if (!width) return;
    const race = topics.races.at(-1);
    if (!race) {
      if (this.#shown !== "none") fill(this.result, h("p", { className: "hint" }, "Все выбранные мастера нажмут «✅ Взять заявку» одновременно. Здесь появятся итог и картина по времени."));
      this.#shown = "none";
      return;
    }
    const updates = race.updates.map((id) => topics.updates.find((update) => update.update_id === id && update.bot === race.bot)).filter(Boolean);
    const order = topics.orders.find(({ id }) => id === race.order);
    const state = JSON.stringify([race, updates, order, width]);
    if (state === this.#shown) return;
    this.#shown = state;
    fill(this.result, h("h2", {}, `Гонка ${race.number}: заявка №${race.order}`), ...this.#outcome(updates, order));
  }

  /** Chooses the order to race for. */
  choose(order) {
    [this.#chosen, this.#note] = [order, ""];
    if (this.topics) this.#showForm();
  }

  #showForm() {
    const { orders, phones, world, visible, races } = this.topics;
    const open = mostSeen(orders, visible).filter((order) => liveOffers(order).length >= 2);
    const order = open.find(({ id }) => id === this.#chosen) ?? open[0];
    if (order && this.#chosen !== order.id) {
      const isNews = this.#chosen !== undefined && !races.some((race) => race.order === this.#chosen);
      this.#note = isNews ? `Заявка №${this.#chosen} уже не предложена двоим; выбрана №${order.id}.` : "";
      this.#chosen = order.id;
    }
    const masters = phones.filter(({ bot }) => bot === world.master_bot);
    const candidates = order
      ? liveOffers(order).filter(({ person }) => masters.some((phone) => phone.person === person)).map(({ person, name }) => ({ person, name }))
      : world.has_database ? [] : masters.map(({ person, name }) => ({ person, name }));
    const isNothing = world.has_database && !open.length;
    this.#showChoice(open, order);
    this.note.textContent = isNothing ? "Нет заявки, предложенной хотя бы двоим. Создайте её: «+ Заявка»." : this.#note;
    this.racers.hidden = this.label.hidden = this.button.hidden = isNothing;
    this.button.disabled = candidates.length < 2;
    const state = JSON.stringify(candidates);
    if (state === this.#form) return;
    this.#form = state;
    this.candidates = candidates;
    fill(this.racers, h("legend", {}, "Мастера"), candidates.map(({ person, name }) => h("label", {},
      h("input", { type: "checkbox", value: person, "data-key": `racer-${person}`, checked: !this.#left.has(person), onchange: ({ target }) => this.#left[target.checked ? "delete" : "add"](person) }), ` ${name}`)));
  }

  /** The list stays as it is while somebody may have it open. */
  #showChoice(open, order) {
    const field = this.topics.world.has_database ? this.choice : this.number;
    if (field.parentElement !== this.label) fill(this.label, new Text("Заявка "), field);
    const state = JSON.stringify(open.map(({ id, address }) => [id, address]));
    const isInUse = document.activeElement === this.choice && [...this.choice.options].some(({ value }) => Number(value) === order?.id);
    if (state !== this.#options && !isInUse) {
      this.#options = state;
      this.choice.replaceChildren(...open.map(({ id, address }) => h("option", { value: id }, `№${id} · ${address}`)));
    }
    if (order && Number(this.choice.value) !== order.id) this.choice.value = order.id;
  }

  #start(event) {
    event.preventDefault();
    const order = Number(new FormData(this.form).get("order"));
    const people = this.candidates.map(({ person }) => person).filter((person) => !this.#left.has(person));
    once(event.submitter, () => act("race", { bot: this.topics.world.master_bot, order, people }));
    this.root.dispatchEvent(new CustomEvent("tapped", { bubbles: true, detail: `m:new:acc:${order}` }));
  }

  #outcome(updates, order) {
    const racers = updates.map((update) => {
      const answer = update.answers[0];
      const name = this.topics.names.get(update.person) ?? String(update.person);
      const end = update.attempts.reduce((last, attempt) => Math.max(last, attempt.took === null ? 0 : attempt.at + attempt.took), 0);
      return {
        name, made: update.made, answered: answer?.at, end: end || undefined, over: ["delivered", "dropped"].includes(update.state),
        said: answer ? answer.text ?? "без слов" : unanswered(update), won: took(order, update) ?? Boolean(answer?.text?.includes("принята")),
      };
    });
    const began = Math.min(...racers.map(({ made }) => made));
    const done = racers.map(({ answered, end }) => Math.max(answered ?? 0, end ?? 0)).reduce((a, b) => Math.max(a, b), began + 1);
    const commits = (order?.history ?? []).filter(({ at, committed }) => committed !== null && committed >= began && at <= done);
    return [
      table(["мастер", "ответ", "мс"], racers.map(({ name, said, answered, made, won, over }) => [
        name, h("span", { className: won ? "won" : "lost" }, said), answered ? (answered - made).toLocaleString("ru", { maximumFractionDigits: 1 }) : over ? "—" : "…",
      ]), ""),
      timeline(racers, commits, began, done, Math.max(this.root.clientWidth - 32, 280)),
      h("p", { className: "legend" },
        h("i", { className: "mark tap" }), "от нажатия до ответа webhook ",
        h("i", { className: "mark said" }), "бот ответил на нажатие ",
        commits.length > 0 && [h("i", { className: "mark lock" }), `блокировка заявки и фиксация (${commits.map(({ at, committed }) => duration(committed - at)).join(", ")})`]),
    ];
  }
}

/** Whether the order's history says that it went to this master since the tap; undefined if it says nothing. */
function took(order, { person, made }) {
  const assigned = order?.history.find(({ to, at }) => to === "ASSIGNED" && at >= made - 50);
  return assigned && assigned.person === person;
}

/** Why there is no answer to a tap. */
function unanswered({ state, calls }) {
  const refused = calls.find(({ method, refusal }) => method === "answerCallbackQuery" && refusal);
  if (refused) return refused.status ? `Telegram отказал боту: ${refused.status}` : "Telegram не ответил боту";
  return { delivered: "бот не ответил", dropped: "отброшено" }[state] ?? "…";
}

const ROW = 26;

function timeline(racers, commits, began, done, width) {
  const short = (name) => ([...name].length > 18 ? `${[...name].slice(0, 17).join("")}…` : name);
  const names = 14 + 8 * Math.max(...racers.map(({ name }) => [...short(name)].length));
  const height = racers.length * ROW + 34;
  const span = Math.max(done - began, 1) * 1.05;
  const x = (at) => names + ((Math.min(Math.max(at, began), began + span) - began) / span) * (width - names - 24);
  const text = (words, attributes) => svg("text", attributes, words);
  const step = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 60000].find((size) => (span / size) * 64 <= width - names) ?? 60000;
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "timeline", role: "img",
    "aria-label": "Нажатия, блокировка заявки и фиксация по времени" });
  for (let tick = 0; tick <= span; tick += step) {
    picture.append(svg("line", { x1: x(began + tick), x2: x(began + tick), y1: 4, y2: height - 22, class: "grid" }),
      text(`${tick.toLocaleString("ru")} мс`, { x: x(began + tick), y: height - 8, class: "axis", "text-anchor": tick ? "middle" : "start" }));
  }
  for (const { at, committed, to, name } of commits) {
    picture.append(svg("rect", { x: x(at), width: Math.max(x(committed) - x(at), 2), y: 4, height: height - 26, class: "lock" }, svg("title", {}, `${name ?? ""} → ${to}`)),
      svg("line", { x1: x(committed), x2: x(committed), y1: 4, y2: height - 22, class: "commit" }));
  }
  racers.forEach(({ name, made, answered, end, won }, row) => {
    const y = row * ROW + 10;
    picture.append(text(short(name), { x: 0, y: y + 11, class: won ? "name won" : "name" }),
      svg("rect", { x: x(made), width: Math.max(x(end ?? done) - x(made), 2), y, height: 12, rx: 3, class: won ? "tap won" : "tap" }));
    if (answered) picture.append(svg("circle", { cx: x(answered), cy: y + 6, r: 4.5, class: won ? "said won" : "said" }));
  });
  return picture;
}
