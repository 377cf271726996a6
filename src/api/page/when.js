// When the master is to come: as soon as possible, one of the next windows, or any other time; on the clocks of the city.
import { h, replace } from "./dom.js";
import { dayOf, localSlot } from "./texts.js";

export const UNSAID = "unsaid";
const DAY = 86400000;
/** Minutes. */
const LONGEST_NIGHT = 12 * 60;
/** The clocks of a zone at that moment: "2026-12-01T14:00:00". */
export function local(iso, zone) {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).formatToParts(new Date(iso));
  const { year, month, day, hour, minute } = Object.fromEntries(parts.map(({ type, value }) => [type, value]));
  return `${year}-${month}-${day}T${hour}:${minute}:00`;
}

/** The moment at which the clocks of a zone say that. */
export function moment(clock, zone) {
  const wanted = Date.parse(`${clock}Z`);
  let at = wanted;
  // Twice: the first guess may lie on the other side of a change of the clocks.
  for (let turn = 0; turn < 2; turn += 1) at += wanted - Date.parse(`${local(new Date(at).toISOString(), zone)}Z`);
  return new Date(at).toISOString();
}

/** What is chosen is `value()`: null, as soon as possible; UNSAID, nothing; undefined, not all of it yet, or nonsense, which `fault()` names; else {start, end}. */
export class When {
  constructor(changed, name = "slot") {
    this.choice = h("select", { name, "data-key": name, onchange: () => this.chosen(changed) });
    this.date = h("input", { type: "date", max: "9999-12-31", "aria-label": "День", onchange: changed });
    this.from = h("input", { type: "time", step: 900, "aria-label": "С какого времени", onchange: changed });
    this.until = h("input", { type: "time", step: 900, "aria-label": "До какого времени", onchange: changed });
    this.said = h("small", { role: "alert" });
    this.other = h("span", { class: "other", hidden: true }, this.date, this.from, h("span", {}, "–"), this.until, this.said);
    this.other.addEventListener("change", () => this.comment());
    this.element = h("span", { class: "time" }, this.choice, this.other);
    this.windows = [];
  }

  /** Offers windows of a city in that zone, and shows a time; `unsaid`: nothing was said, in these words. */
  show(slot, windows, zone, unsaid = null) {
    this.zone = zone;
    this.windows = windows;
    const at = windows.findIndex(({ start, end }) => slot && start === slot.start && end === slot.end);
    const today = local(new Date().toISOString(), zone);
    replace(this.choice, unsaid && h("option", { value: UNSAID }, unsaid), h("option", { value: "" }, "Как можно скорее"),
      windows.map((window, index) => h("option", { value: index }, localSlot(window, today))), h("option", { value: "other" }, "Другое время…"));
    this.choice.value = unsaid ? UNSAID : !slot ? "" : at < 0 ? "other" : String(at);
    this.other.hidden = this.choice.value !== "other";
    this.date.min = dayOf(today);
    this.shown = null;
    if (slot && at < 0) {
      [this.date.value, this.from.value, this.until.value] = [dayOf(slot.start), slot.start.slice(11, 16), slot.end.slice(11, 16)];
      this.shown = { slot, fields: this.fields(), hours: this.hours(), days: (Date.parse(dayOf(slot.end)) - Date.parse(dayOf(slot.start))) / DAY };
    }
    this.comment();
  }

  chosen(changed) {
    this.other.hidden = this.choice.value !== "other";
    if (this.other.hidden) return changed();
    const tomorrow = local(new Date(Date.now() + DAY).toISOString(), this.zone);
    this.date.value ||= dayOf(tomorrow);
    this.from.value ||= "10:00";
    this.until.value ||= "12:00";
    this.date.focus();
    this.comment();
    changed();
  }

  hours() {
    return [this.from.value, this.until.value].join();
  }

  fields() {
    return [this.date.value, this.hours()].join();
  }

  /** Says beside another time what is wrong with it, or that it ends on the day after. */
  comment() {
    const isNextDay = !this.fault() && this.choice.value === "other" && dayOf(this.value().end) > this.date.value;
    this.said.className = isNextDay ? "hint" : "bad";
    this.said.textContent = isNextDay ? `до ${this.until.value} следующего дня` : this.choice.value === "other" && this.until.value && this.from.value ? this.fault() : "";
  }

  /** What keeps another time from being one; "" if nothing does. */
  fault() {
    if (this.value() !== undefined) return "";
    return this.date.value && this.from.value && this.until.value ? "Конец не позже начала" : "Укажите день, начало и конец";
  }

  value() {
    if (this.choice.value === "") return null;
    if (this.choice.value === UNSAID) return UNSAID;
    if (this.choice.value !== "other") return this.windows[Number(this.choice.value)];
    // What nobody has touched is as it was, however long it is.
    if (this.shown?.fields === this.fields()) return this.shown.slot;
    if (!this.date.value || !this.from.value || !this.until.value) return undefined;
    const days = this.days(), ends = days === undefined ? undefined : this.dayAfter(days);
    return ends && { start: `${this.date.value}T${this.from.value}:00`, end: `${ends}T${this.until.value}:00` };
  }

  /** How many days later it ends: with the hours of before as many as then; else on the same day, or it is a night. «22:00–02:00» is meant, «14:00–12:00» is a slip. */
  days() {
    if (this.shown?.hours === this.hours()) return this.shown.days;
    const minutes = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
    if (this.until.value > this.from.value) return 0;
    return minutes(this.until.value) + 1440 - minutes(this.from.value) <= LONGEST_NIGHT ? 1 : undefined;
  }

  /** The date so many days later; undefined, if the calendar has none. */
  dayAfter(days) {
    const at = new Date(Date.parse(`${this.date.value}T00:00:00Z`) + days * DAY);
    return Number.isNaN(at.getTime()) || at.getUTCFullYear() > 9999 ? undefined : dayOf(at.toISOString());
  }
}
