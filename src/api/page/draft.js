// The new order as the server keeps it, and what was entered and is not saved yet: one request at a time, each of which names the
// draft as the one before has left it.
import { ask, get } from "./api.js";
import { fault, problem } from "./texts.js";

/** After so long without a key it is saved. */
const PAUSE = 1200;
/** After so long a request that came to nothing is made again. */
const AGAIN = 5000;
const GONE = "По этому черновику создали заявку, или его очистили: в боте или в другом окне.";
const ELSEWHERE = "Черновик меняли в боте или в другом окне: вот какой он теперь.";

export class Draft {
  /** `changed` is called whenever there is something else to show, `say` with words for the person, `warn` with some that are not to be missed. */
  constructor(page, { changed, say, warn }) {
    Object.assign(this, { page, changed, say, warn });
    /** As the server has it. */
    this.now = null;
    /** What was entered and is not saved, by field. */
    this.dirty = {};
    /** What the server did not take, and why, by field. */
    this.wrong = {};
    this.queue = Promise.resolve();
    /** It was to become an order, and the answer was lost. */
    this.unsure = false;
    /** It could not be looked at the last time, which was said. */
    this.isAway = false;
  }

  /** Where this tab keeps what is not saved, for when it is loaded anew; nobody else's. */
  get place() {
    return `unsaved ${this.page.who.staff_id}`;
  }

  /** What was entered, else what is saved. */
  value(name) {
    return name in this.dirty ? this.dirty[name] : this.now?.[name];
  }

  /** Does one thing after the other; whatever happens, the next one has its turn. `offline`: what is said of it without a connection. */
  #then(work, offline = "Нет связи: сохраним, когда появится.") {
    const done = this.queue.then(work).catch((error) => {
      if (error.kind !== "unauthorized") this.say(error.kind === "offline" ? offline : problem(error), true);
      return false;
    });
    this.queue = done;
    return done;
  }

  /** Reads it; false if that was not possible. `again`: to see whether it has changed. */
  load(again = false) {
    return this.#then(async () => {
      // Whether it has become an order is told by making it once more.
      if (this.unsure) return true;
      const wasAway = this.isAway;
      this.isAway = true;
      const { said } = await get("draft");
      if (wasAway) this.say("");
      this.isAway = false;
      if (again && (said.version === this.now?.version || Object.keys(this.dirty).length)) return true;
      if (again && said.version === "0.0") this.warn(GONE);
      try {
        this.dirty = { ...JSON.parse(sessionStorage.getItem(this.place) ?? "{}"), ...this.dirty };
      } catch {
        // What an earlier version of the page has left there cannot be read.
      }
      this.#show(said);
      this.say("");
      if (this.unsent().length) this.flush();
      return true;
    }, Object.keys(this.dirty).length ? undefined : "Нет связи.");
  }

  /** A field was changed: it is saved soon. */
  edit(name, value) {
    this.dirty[name] = value;
    if (name === "city_id") Object.assign(this.dirty, { district_id: null, preferred_master_id: null });
    delete this.wrong[name];
    this.keep();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), PAUSE);
  }

  keep() {
    if (Object.keys(this.dirty).length) sessionStorage.setItem(this.place, JSON.stringify(this.dirty));
    else sessionStorage.removeItem(this.place);
  }

  /** The fields that are to be sent. A message waits for its button, and what was refused for another value. */
  unsent() {
    return Object.keys(this.dirty).filter((name) => name !== "message" && !(name in this.wrong));
  }

  /** Saves what is not saved; true if all of it is. `last`: the page is about to go. */
  flush(last = false) {
    clearTimeout(this.timer);
    return this.#then(() => this.#save(last));
  }

  async #save(last) {
    for (let turn = 0; turn < 4 && this.now && this.unsent().length; turn += 1) {
      const sent = Object.fromEntries(this.unsent().map((name) => [name, this.dirty[name]]));
      await this.#send(sent, last);
    }
    return Object.keys(this.dirty).every((name) => name === "message");
  }

  /** Fills it with what a message says; true if that was done. */
  message(text) {
    return this.#then(async () => {
      await this.#save();
      return this.#send({ message: text });
    }, "Нет связи: сообщение не разобрано. Нажмите ещё раз, когда связь появится.");
  }

  /** Sends changes; true if they were entered. */
  async #send(sent, last = false) {
    this.say("Сохраняем…");
    try {
      const { said } = await ask("PATCH", "draft", { body: sent, headers: { "If-Match": `"${this.now.version}"` }, keepalive: last });
      this.#took(sent, said);
      return true;
    } catch (error) {
      if (error.kind === "stale") {
        const { current } = error.said;
        // The answer to the same request was lost: it is so already.
        if (Object.entries(sent).every(([name, value]) => same(name, value, current[name]))) {
          this.#took(sent, current);
          return true;
        }
        this.warn(ELSEWHERE);
        this.#show(current);
      } else if (error.kind === "already-made") {
        this.#made(error.said.current);
        this.warn(`Эта заявка уже создана: №${error.location?.split("/").at(-1)}.`);
      } else if (error.kind === "invalid") {
        this.#refused(error.said.errors, sent);
      } else {
        // Nothing is lost: it is sent again when there is somebody who may and a way to the server.
        if (error.kind !== "forbidden") this.timer = setTimeout(() => this.flush(), AGAIN);
        throw error;
      }
      return false;
    }
  }

  #took(sent, now) {
    // What was changed meanwhile is sent in the next turn.
    for (const [name, value] of Object.entries(sent)) if (this.dirty[name] === value) delete this.dirty[name];
    this.#show(now);
    this.say("Сохранено.");
  }

  /** Marks the fields that were refused, unless they say something else by now. */
  #refused(errors, sent) {
    for (const { pointer, detail } of errors) {
      const name = pointer.split("/")[1];
      if (name in sent && name !== "message") {
        if (this.dirty[name] === sent[name]) this.wrong[name] = fault(detail);
      } else this.warn(problem({ kind: "invalid", said: { errors: [{ pointer, detail }] } }));
    }
    this.changed();
    this.say("Сохранено всё, кроме отмеченного.", true);
  }

  #show(now) {
    this.unsure = false;
    this.now = now;
    this.keep();
    this.changed();
  }

  /** What was written has become an order: the next one begins. */
  #made(next) {
    [this.dirty, this.wrong] = [{}, {}];
    this.#show(next);
    this.say("");
  }

  /** Makes an order of it; the order's number, or null if it is not made. */
  make(defer) {
    return this.#then(async () => {
      const isSaved = await this.#save();
      if (Object.keys(this.wrong).length) return null;
      if (!isSaved) {
        this.say("Ещё не сохранено. Попробуйте ещё раз.", true);
        return null;
      }
      if (this.now.missing.length) return null;
      try {
        const { said } = await ask("POST", "draft/order", { body: { defer }, headers: { "If-Match": `"${this.now.version}"` } });
        const next = await get("draft").catch(() => null);
        if (next) this.#made(next.said);
        // It is read when the form is opened again.
        else [this.now, this.dirty, this.wrong, this.unsure] = [null, {}, {}, false];
        this.keep();
        return said.id;
      } catch (error) {
        if (error.kind === "stale") {
          this.warn(ELSEWHERE);
          this.#show(error.said.current);
        } else if (error.kind === "invalid") {
          for (const { pointer, detail } of error.said.errors) {
            const name = pointer.split("/")[1];
            // What is saved is not what can be any more: it is to be said anew.
            if (name in this.now) this.wrong[name] = fault(detail);
            this.warn(problem({ kind: "invalid", said: { errors: [{ pointer, detail }] } }));
          }
          this.changed();
        } else if (error.kind === "offline") {
          this.unsure = true;
          this.say("Нет связи: создана ли заявка, неизвестно. Нажмите ещё раз, когда связь появится: второй не будет.", true);
        } else throw error;
        return null;
      }
    });
  }

  /** Drops it, with what is not saved; true if that is done. */
  drop() {
    clearTimeout(this.timer);
    return this.#then(async () => {
      try {
        await ask("DELETE", "draft", { headers: { "If-Match": `"${this.now.version}"` } });
        this.#made((await get("draft")).said);
        return true;
      } catch (error) {
        if (error.kind !== "stale") {
          if (this.unsent().length) this.timer = setTimeout(() => this.flush(), AGAIN);
          throw error;
        }
        // The answer to the same request was lost, or somebody else has cleared it.
        if (error.said.current.version === "0.0") {
          this.#made(error.said.current);
          return true;
        }
        this.warn(`${ELSEWHERE} Он не очищен.`);
        this.#show(error.said.current);
        return false;
      }
    }, "Нет связи: очищена ли форма, неизвестно. Попробуйте ещё раз.");
  }
}

/** Whether what was sent is what is there. A phone is written in many ways, and words without what surrounds them. */
function same(name, sent, now) {
  if (name === "message") return false;
  const plain = (value) => (typeof value === "string" ? value.trim() || null : value ?? null);
  if (name === "client_phone") {
    const digits = (value) => (value ?? "").replace(/\D/g, "").slice(-10);
    return digits(sent) === digits(now);
  }
  return JSON.stringify(plain(sent)) === JSON.stringify(plain(now));
}
