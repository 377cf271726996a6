// The words that more than one part of the page says, and how numbers and times are said.

export const VIEWS = { now: "Сейчас", new: "Новая заявка", masters: "Мастера", figures: "Цифры", load: "Загрузка", policy: "Правила" };
export const STATE = {
  URGENT: "🔥 Горит", SEARCHING: "🔎 Ищут мастера", DEFERRED: "💤 Отложены", ASSIGNED: "📌 Взяты", EN_ROUTE: "🚗 В пути", WORKING: "🛠 В работе",
  PAYMENT: "🧾 Ждут сумму", CLOSED: "✅ Закрыты", CANCELED: "🚫 Отменены",
};
export const STATUS = {
  CREATED: "ищет мастера", SEARCHING: "ищет мастера", GUARANTEE: "ищет мастера", DEFERRED: "отложена", ASSIGNED: "ждёт выезда", EN_ROUTE: "в пути",
  WORKING: "в работе", PAYMENT: "ждёт сумму", CLOSED: "закрыта", CANCELED: "отменена",
};
export const CATEGORY = {
  ELECTRICS: "Электрика", PLUMBING: "Сантехника", APPLIANCES: "Бытовая техника", WINDOWS: "Окна", HANDYMAN: "Мелкий ремонт", ROADSIDE: "Помощь на дороге",
};
export const TROUBLE = { ESCALATED: "нужен диспетчер", LATE: "время прошло", WAITING: "долго без мастера", UNREACHABLE: "мастер не получает сообщений", UNSEEN: "никто не открыл" };
export const ESCALATION = { NOBODY_LEFT: "некому предложить", ROUNDS: "никто не взял", TIME: "ищем слишком долго" };
export const OFFER = { SENT: "не открыл", VIEWED: "открыл", ACCEPTED: "взял", DECLINED: "отказался", EXPIRED: "не ответил", CANCELED: "снято" };
export const DELIVERY = { WAITING: "отправляется", DELIVERED: "доставлено", FAILED: "не доставлено", UNKNOWN: "" };
export const WHY_NOT = {
  CATEGORY: "не та работа", DISTRICT: "другой район", ASKED: "уже спрашивали", BLOCKED: "заблокирован", WAITING: "ещё не одобрен", UNREACHABLE: "не получает сообщений", OFF_SHIFT: "не на смене",
  LIMIT: "лимит заявок", HELD: "держит другую", FAILED: "не удалось записать предложение", RANK: "ждёт очереди",
};
export const MASTER = { ON_SHIFT: "на смене", OFF_SHIFT: "не на смене", WAITING: "ждёт решения", BLOCKED: "заблокирован", UNREACHABLE: "не получает сообщений" };
export const FIELD = {
  address: "адрес", client_name: "имя", client_phone: "телефон", description: "описание", timeslot: "время", comment: "комментарий", category: "вид работ",
  city: "город", district: "район", slot_start: "приехать с", slot_end: "приехать до", soon: "срочно", final_amount: "сумма", return_reason: "причина возврата", city_id: "город", district_id: "район", slot: "время", date: "дата", time: "когда",
  preferred_master_id: "первым предложить", amount: "сумма", reason: "причина", message: "сообщение", own_limit: "лимит", guarantee_of: "гарантия",
  offer_ttl_seconds: "время на ответ", preferred_ttl_seconds: "ждём мастера, которого просит клиент", first_masters: "спрашиваем сначала", widen_every_seconds: "добавляем каждые",
  widen_by: "добавляем по", max_live_offers: "одновременно спрашиваем мастеров, не больше", masters_per_round: "мастеров в круге", max_rounds: "диспетчера зовём после кругов",
  escalate_after_seconds: "диспетчера зовём через", max_active_orders: "заявок у мастера не больше", workday_start: "начало рабочего дня", workday_end: "конец рабочего дня",
};
export const ACTION = {
  CLAIM: "Беру на себя", UNCLAIM: "Снять с себя", SEARCH: "Искать сейчас", ASSIGN: "Назначить мастера", RETURN: "Искать заново", CLOSE: "Закрыть с суммой",
  EDIT: "Изменить", COMMENT: "Сообщить мастеру", GUARANTEE: "Гарантийный выезд", REOPEN: "Открыть снова", CANCEL: "Отменить",
};
/** What the button of its form says. */
export const DO = { RETURN: "Искать заново", CANCEL: "Отменить заявку", CLOSE: "Закрыть заявку", COMMENT: "Сообщить мастеру", EDIT: "Сохранить" };
/** What was done, when it was. */
export const DONE = {
  CLAIM: "взята вами", UNCLAIM: "снята с вас", SEARCH: "ищем мастера", ASSIGN: "мастер назначен", RETURN: "ищем мастера заново", CLOSE: "закрыта",
  EDIT: "изменения сохранены", COMMENT: "комментарий сохранён", REOPEN: "открыта снова", CANCEL: "отменена",
};

/** What the API says of fields, in the words of the page. */
const FAULTS = [
  [/^expected a whole number/, "нужно целое число"],
  [/^expected a number/, "нужно число"],
  [/^expected (some words|a value)/, "заполните это поле"],
  [/^expected at most (\d+) characters/, "не длиннее $1 символов"],
  [/^expected 1 to (\d+) characters/, "от 1 до $1 символов"],
  [/^expected no control characters/, "уберите невидимые символы"],
  [/^a phone number does not have (\d+) digits/, (_, digits) => `здесь ${counted(Number(digits), "цифра", "цифры", "цифр")}, а в номере с кодом их 11`],
  [/^(not a phone number|no country has)/, "это не похоже на номер: нужен номер с кодом, например 8 912 345-67-89"],
  [/^that time has passed/, "это время уже прошло"],
  [/^expected at most (\d+) days ahead/, "не дальше чем за $1 дней"],
  [/^expected the later of two moments/, "в этот час переводят часы назад: выберите другой"],
  [/^expected up to 24 hours after the start/, "не дольше суток и позже начала"],
  [/^expected a time of this century/, "нет такого года"],
  [/^expected a time, as there is an end/, "есть конец, но нет начала"],
  [/^expected a time such as (.*) or .*/, "напишите так: $1"],
  [/^expected a day and hours, such as (.*)/, "не понял, когда: напишите так: $1, или «завтра 10-12»"],
  [/^expected the time in one way only/, "время сказано дважды: оставьте один столбец"],
  [/^expected it written as the start is/, "напишите так же, как начало"],
  [/^expected either a (slot|time) or as soon as possible/, "или время, или срочно"],
  [/^expected yes or no/, "да или нет"],
  [/^expected one of:? (.*)/, "одно из: $1"],
  [/^expected rubles from 0 to (\d+)/, "напишите число рублей, например 2500; не больше $1"],
  [/^expected 1 to (\d+), or null/, "от 1 до $1, или пусто"],
  [/^expected (\d+) to (\d+)$/, "от $1 до $2"],
  [/^expected 0, or (\d+) to (\d+)/, "0 или от $1 до $2"],
  [/^expected no less than (\w+)/, "не меньше, чем «$1»"],
  [/^expected a time after (\w+)/, "позже, чем «$1»"],
  [/^expected HH:MM, such as (.*)/, "напишите так: $1"],
  [/^no city that/, "такого города у вас нет"],
  [/^(no district of|that city or district)/, "такого района в этом городе нет"],
  [/^expected districts of/, "такого района в этом городе нет"],
  [/^no master of/, "этот мастер заблокирован или работает в другом городе"],
  [/^no closed order/, "закрытой заявки с таким номером нет"],
  [/^expected at least one change/, "ничего не изменено"],
  [/^there are two columns (.*)/, "столбец «$1» есть дважды"],
  [/^the first line lacks the columns (.*)/, "в первой строке нет столбцов: $1"],
  [/^expected at most (\d+) rows/, "больше $1 строк"],
  [/^a quote is not closed/, "не закрыта кавычка"],
  [/^the first line has a quote/, "в первой строке не закрыта кавычка"],
];
export function fault(detail) {
  const [pattern, words] = FAULTS.find(([known]) => known.test(detail)) ?? [/^.*$/s, "проверьте, что здесь введено"];
  const said = detail.match(pattern)[0].replace(pattern, words);
  // The names of columns are said as elsewhere.
  return said.replace(/[a-z_]{4,}/g, (name) => FIELD[name] ?? name);
}

/** Why something was not done, and what to do. It is an order that was to be changed, unless other words are given, by the kind. */
export function problem(error, other = {}) {
  const words = {
    stale: "Заявка успела измениться: посмотрите, какая она теперь.", "not-now": "Сейчас этого с заявкой не сделать.", "too-late": "Прошло больше суток.",
    claimed: "Заявку уже взял на себя другой диспетчер.", "already-offered": "Мастерам уже предложили, ждём ответа.", "past-slot": "Это время уже прошло.",
    blocked: error.said?.detail === "waits for approval" ? "Мастера ещё не одобрили." : "Мастер заблокирован.", "no-such-master": "Такого мастера в этом городе нет.", "not-found": "Такой заявки нет.", forbidden: "У вас нет на это права.",
    busy: "С заявкой сейчас работает кто-то ещё. Попробуйте ещё раз.", "too-many": "Слишком часто. Подождите минуту.", offline: "Нет связи. Попробуйте ещё раз.",
    unavailable: "Сервер сейчас не отвечает. Попробуйте ещё раз.", unauthorized: "Сеанс закончился: откройте страницу из бота.", "too-large": "Файл больше 8 МБ.",
    "not-eligible": "Поиск не предложил бы её этому мастеру: посмотрите, почему, и подтвердите.", "already-made": "Эта заявка уже создана.",
    "key-of-another": "Этот файл уже загружали с другим содержимым.", malformed: "Запрос не понят.",
  };
  if (error.kind === "invalid") return error.said.errors?.map(({ pointer, detail }) => [FIELD[pointer.split("/")[1]], fault(detail)].filter(Boolean).join(": ")).join("; ") || "Проверьте, что введено.";
  return other[error.kind] ?? words[error.kind] ?? "Не получилось. Попробуйте ещё раз.";
}

const plural = new Intl.PluralRules("ru");
/** 1 заявка, 2 заявки, 5 заявок. */
export const counted = (number, one, few, many) => `${number} ${{ one, few, many }[plural.select(number)] ?? many}`;
export const orders = (number) => counted(number, "заявка", "заявки", "заявок");

/** How long ago, or until when: «3 мин», «2 ч 05 мин», «1 д 4 ч». */
export function span(milliseconds) {
  const minutes = Math.floor(Math.abs(milliseconds) / 60000);
  if (minutes < 1) return `${Math.floor(Math.abs(milliseconds) / 1000)} с`;
  if (minutes < 60) return `${minutes} мин`;
  if (minutes < 1440) return `${Math.floor(minutes / 60)} ч ${String(minutes % 60).padStart(2, "0")} мин`;
  return `${Math.floor(minutes / 1440)} д ${Math.floor((minutes % 1440) / 60)} ч`;
}

/** «только что», «3 мин назад». */
export function ago(milliseconds) {
  return milliseconds < 5000 ? "только что" : `${span(milliseconds)} назад`;
}

/** How long something takes, in seconds: «45 с», «1 мин 34 с», «1 ч 5 мин». */
export function lasting(seconds) {
  const whole = Math.round(seconds), parts = [[Math.floor(whole / 3600), "ч"], [Math.floor(whole / 60) % 60, "мин"], [whole < 3600 ? whole % 60 : 0, "с"]];
  return parts.filter(([number]) => number > 0).map(([number, unit]) => `${number} ${unit}`).join(" ") || "0 с";
}

/** A bound of waiting, which is never said to be less than it is: «1 мин 45 с», «47 ч 56 мин». */
export function atMost(seconds) {
  return lasting(seconds < 3600 ? Math.ceil(seconds) : Math.ceil(seconds / 60) * 60);
}

const at = (iso, zone, options) => new Intl.DateTimeFormat("ru", { timeZone: zone, ...options }).format(new Date(iso));
export const clock = (iso, zone) => at(iso, zone, { hour: "2-digit", minute: "2-digit" });
/** With seconds, as waves are half a minute apart. */
export const exactly = (iso, zone) => at(iso, zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
export const day = (iso, zone) => at(iso, zone, { weekday: "short", day: "2-digit", month: "2-digit" });
/** «14:05», and of another day «пн 01.12 14:05». */
export const since = (iso, zone, said = clock) => `${day(iso, zone) === day(Date.now(), zone) ? "" : `${day(iso, zone)} `}${said(iso, zone)}`;
/** «пн 01.12 14:00–16:00», on the clocks of the city. */
export function slot(order) {
  if (order.soon) return "как можно скорее";
  if (!order.slot) return "по договорённости";
  const { start, end } = order.slot, zone = order.city.timezone;
  return start ? `${day(start, zone)} ${clock(start, zone)}${end ? `–${clock(end, zone)}` : ""}` : `до ${day(end, zone)} ${clock(end, zone)}`;
}
/** The date of a city's clocks. */
export const dayOf = (clocks) => clocks.slice(0, 10);
/** A time on a city's clocks, where `today` is what they say: «сегодня 14:00–16:00». */
export function localSlot({ start, end }, today) {
  const days = Math.round((Date.parse(dayOf(start)) - Date.parse(dayOf(today))) / 86400000);
  const name = { 0: "сегодня", 1: "завтра" }[days] ?? day(`${dayOf(start)}T00:00:00Z`, "UTC");
  return `${name} ${start.slice(11, 16)}–${end.slice(11, 16)}`;
}
/** «Подходит 1 мастер», «Подходят 3 мастера». */
export const fitting = (number) => `Подход${plural.select(number) === "one" ? "ит" : "ят"} ${counted(number, "мастер", "мастера", "мастеров")}`;
/** «заявке», «заявкам». */
export const byOrders = (number) => `по ${number} ${plural.select(number) === "one" ? "заявке" : "заявкам"}`;
/** A Russian number as it is written, any other as it is. */
export const phone = (text) => text.replace(/^\+7(\d{3})(\d{3})(\d{2})(\d{2})$/, "8 ($1) $2-$3-$4");
export const rubles = (amount) => `${Number(amount).toLocaleString("ru")} ₽`;
