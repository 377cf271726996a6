// A phone: one chat with one bot, as Telegram shows it.
import { act, h, hours, toast } from "./dom.js";
import { formatted, key, page } from "./message.js";

/** How long a button spins if nobody answers, in milliseconds: after that Telegram does not take an answer either. */
const SPIN = 15_000;
/** How often the program is told that somebody is at a phone, in milliseconds. */
const TOUCH = 10_000;

export class Phone {
  #bubbles = new Map();
  #answered = new Set();
  #pending = [];
  #read = Infinity;
  #first = true;
  #editing;
  #touched = 0;

  constructor(data, onChange) {
    this.onChange = onChange;
    this.face = h("span", { className: "face", "aria-hidden": "true" });
    this.name = h("b");
    this.bot = h("small");
    this.badge = h("span", { className: "badge", hidden: true });
    this.menu = h("button", { type: "button", className: "quiet", onclick: () => this.#block() });
    this.messages = h("div", { className: "messages" });
    this.chat = h("div", { className: "chat", role: "log", tabIndex: 0, "aria-label": `Переписка: ${data.name}` }, this.messages);
    this.over = h("div", { className: "over" });
    this.toasts = h("div", { className: "toasts", role: "status" });
    this.field = h("input", { placeholder: "Сообщение", "aria-label": `Сообщение от ${data.name}`, autocomplete: "off" });
    const start = h("button", { type: "button", className: "quiet", onclick: () => act("say", { ...this.#chat, text: "/start" }) }, "/start");
    this.edited = h("p", { className: "edited", hidden: true });
    this.beside = h("span", { className: "beside" });
    this.keyboard = h("div", { className: "keyboard", hidden: true });
    const commands = `commands-${data.bot}-${data.person}`;
    this.commands = h("datalist", { id: commands });
    this.field.setAttribute("list", commands);
    const composer = h("form", { className: "composer", onsubmit: (event) => this.#submit(event), onkeydown: (event) => this.#type(event) },
      this.edited, this.beside, start, this.field, h("button", { className: "send", title: "Отправить", "aria-label": "Отправить" }, "➤"),
      this.commands, this.keyboard);
    this.inside = [this.chat, composer];
    this.element = h("article", { className: "phone", "aria-label": `Телефон: ${data.name}`, "data-person": data.person,
      onfocusin: () => this.#see(), onpointerdown: () => this.#see() },
      h("header", {},
        this.face, h("span", { className: "who" }, this.name, this.bot),
        this.badge, this.menu),
      this.chat, this.toasts, composer, this.over);
  }

  /** How many messages came that nobody has looked at. */
  get unread() {
    return this.data.messages.filter((message) => message.from_bot && message.id > this.#read).length;
  }

  update(data) {
    this.data = data;
    if (this.#first) this.#read = data.messages.at(-1)?.id ?? 0;
    this.#first = false;
    if (this.element.contains(document.activeElement)) this.#read = data.messages.at(-1)?.id ?? 0;
    this.name.textContent = data.name;
    this.face.textContent = initials(data.name);
    this.menu.textContent = data.blocked ? "разблокировать" : "🚫";
    this.menu.title = data.blocked ? "Снова разрешить боту писать" : "Заблокировать бота";
    this.menu.setAttribute("aria-label", this.menu.title);
    this.bot.textContent = `бот «${data.bot_name}»${data.blocked ? " заблокирован" : data.lives ? " · живёт сам" : ""}`;
    this.bot.title = data.lives ? "За этого человека действует программа, пока вы не тронете его телефон." : "";
    this.element.classList.toggle("blocked", data.blocked);
    this.#under(data);
    const active = this.messages.contains(document.activeElement) && document.activeElement;
    const focused = active && [active.closest("[data-message]").dataset.message, [...active.closest("[data-message]").querySelectorAll(CONTROLS)].indexOf(active)];
    const bubbles = new Map();
    for (const message of data.messages) {
      const state = JSON.stringify(message);
      const known = this.#bubbles.get(message.id);
      bubbles.set(message.id, known?.state === state ? known : { state, element: this.#bubble(message) });
    }
    // The bot may have answered already, in the same event.
    const last = [...this.#bubbles.keys()].at(-1) ?? 0;
    const own = data.messages.some((message) => !message.from_bot && message.id > last);
    this.#bubbles = bubbles;
    const empty = h("p", { className: "empty" }, "Здесь пока пусто. Нажмите /start.");
    this.messages.replaceChildren(...(bubbles.size ? [...bubbles.values()].map(({ element }) => element) : [empty]));
    if (focused) {
      const there = this.#bubbles.get(Number(focused[0]))?.element.querySelectorAll(CONTROLS) ?? [];
      (there[focused[1]] ?? there[0] ?? this.chat).focus({ preventScroll: true });
    }
    if (own) this.chat.scrollTop = 0;
    this.#mark();
    this.#spin();
  }

  /** What the bot has put under the field: keys that write or share the own contact; and its commands. */
  #under({ keyboard, commands, menu_button: button }) {
    const state = JSON.stringify([keyboard, commands, button]);
    if (state === this.underState) return;
    this.underState = state;
    this.keyboard.hidden = !keyboard;
    this.keyboard.replaceChildren(...(keyboard?.rows ?? []).map((row) => h("div", { className: "row" }, row.map(({ text, contact }) =>
      h("button", { type: "button", className: "key", onclick: () => (contact ? act("contact", this.#chat) : this.#say(text)) }, text)))));
    this.beside.replaceChildren(...(button ? [page(button, this.#chat, "quiet")] : []));
    this.commands.replaceChildren(...(commands ?? []).map(({ command, description }) => h("option", { value: `/${command}` }, description)));
  }

  /** The person's taps: which buttons spin, and what pops up. */
  updates(updates, isPast) {
    this.#pending = updates.filter((update) => update.data && !update.answers.length && update.state !== "dropped");
    this.#notice(updates);
    for (const { update_id: id, simulated, answers: [answer] } of updates) {
      // A client asked once, and hears the first answer only.
      if (!answer || this.#answered.has(id)) continue;
      this.#answered.add(id);
      if (answer.text && !isPast && this.element.isConnected) this.#pop(answer, simulated);
    }
    this.#spin();
  }

  /** Whoever does something has seen what came before. */
  #notice(updates) {
    const last = Math.max(0, ...updates.map(({ made }) => made));
    const seen = (this.data?.messages ?? []).filter(({ id, sent }) => sent < last && id > this.#read);
    if (!seen.length) return;
    this.#read = seen.at(-1).id;
    this.#mark();
  }

  #bubble(message) {
    const meta = h("span", { className: "meta" },
      !message.from_bot && h("button", { type: "button", className: "quiet", tabIndex: -1, title: "или ↑ в пустом поле", onclick: () => this.#edit(message) }, "изменить"),
      message.silent && h("span", { title: "пришло без звука" }, "🔕 "), message.edited && "изм. ", hours(message.sent));
    return h("div", { className: `bubble ${message.from_bot ? "in" : "out"}`, "data-message": message.id },
      h("div", { className: "text" }, formatted(message.spans), meta),
      message.buttons.map((row) => h("div", { className: "row" }, row.map((button) =>
        key(button, { tap: () => this.#tap(message.id, button), say: (words) => toast(words, this.toasts), chat: this.#chat })))));
  }

  #tap(message, button) {
    act("tap", { ...this.#chat, message, data: button.data });
    this.element.dispatchEvent(new CustomEvent("tapped", { bubbles: true, detail: button.data }));
  }

  async #submit(event) {
    event.preventDefault();
    const text = this.field.value;
    // What was refused is not lost.
    if (text.trim() && (await this.#say(text)) && this.field.value === text) this.field.value = "";
  }

  /** As in Telegram: an arrow up in an empty field is for the last own message. */
  #type({ key }) {
    if (key === "Escape") this.#edit();
    if (key === "ArrowUp" && !this.field.value) this.#edit(this.data.messages.findLast(({ from_bot: isTheirs }) => !isTheirs));
  }

  #say(text) {
    const editing = this.#editing;
    if (editing === undefined) return act("say", { ...this.#chat, text });
    return act("edit", { ...this.#chat, message: editing, text }).then((done) => {
      if (done) this.#edit();
      return done;
    });
  }

  /** The next thing that is sent changes that message; none: it is a new one again. */
  #edit(message) {
    if (!message && this.#editing === undefined) return;
    this.#editing = message?.id;
    const text = message?.spans.map((span) => span.text).join("") ?? "";
    this.edited.hidden = !message;
    this.edited.replaceChildren(...(message ? [h("span", {}, `Изменяем: «${text}»`), h("button", { type: "button", className: "quiet", onclick: () => this.#edit() }, "отмена")] : []));
    this.field.value = text;
    this.field.focus();
  }

  #block() {
    act("block", { ...this.#chat, blocked: !this.data.blocked });
  }

  get #chat() {
    return { bot: this.data.bot, person: this.data.person };
  }

  #see() {
    // So that nobody else acts for this person meanwhile.
    if (this.data?.lives !== undefined && Date.now() > this.#touched + TOUCH) {
      this.#touched = Date.now();
      act("touch", this.#chat);
    }
    this.#read = this.data?.messages.at(-1)?.id ?? 0;
    this.#mark();
  }

  #mark() {
    this.badge.hidden = !this.unread;
    this.badge.textContent = this.unread;
    this.badge.setAttribute("aria-label", `Новых сообщений: ${this.unread}`);
    this.onChange();
  }

  #spin() {
    const now = Date.now();
    const alive = this.#pending.filter((update) => now - update.made < SPIN);
    for (const button of this.chat.querySelectorAll("button[data-callback]")) {
      const message = Number(button.closest("[data-message]").dataset.message);
      const spins = alive.some((update) => update.data === button.dataset.callback && update.message === message);
      button.classList.toggle("spinning", spins);
      button.setAttribute("aria-busy", spins);
    }
    clearTimeout(this.timer);
    if (alive.length) this.timer = setTimeout(() => this.#spin(), SPIN - (now - alive[0].made) + 50);
  }

  #pop({ text, alert }, simulated) {
    if (!alert || simulated) return toast(text, this.toasts);
    const close = () => {
      const hadFocus = box.contains(document.activeElement);
      box.remove();
      for (const part of this.inside) part.inert = false;
      if (hadFocus) this.chat.focus({ preventScroll: true });
    };
    const ok = h("button", { type: "button", onclick: close }, "OK");
    const box = h("div", { className: "alert", role: "alertdialog", "aria-label": this.data.bot_name,
      onkeydown: (event) => event.key === "Escape" && close() },
      h("b", {}, this.data.bot_name), h("p", {}, text), ok);
    const isUsed = this.element.contains(document.activeElement);
    // The last answer only, as if those before had been closed.
    this.over.replaceChildren(box);
    for (const part of this.inside) part.inert = true;
    if (isUsed) ok.focus();
  }
}

const initials = (name) => name.split(/\s+/).slice(0, 2).map((word) => [...word][0]).join("");
/** What can have the focus in a message. */
const CONTROLS = ".text a, .key, .fold, .meta button";
