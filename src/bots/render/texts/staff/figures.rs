//! Figures, in lines that stand under each other on a phone: a block in one width holds about thirty characters there.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::super::words::{NAME_LIMIT, counted, duration, typed, whole_rubles};
use crate::model::figures::{
    Bound, CityChoice, Closed, Figures, Found, LostTaps, MasterFigures, MasterLine, Period, Place,
};
use crate::model::order::{OrderStatus, Stage};
use crate::model::text::cut;

/// Figures of one day.
pub const BUTTON_TODAY: &str = "Сегодня";
/// Of seven.
pub const BUTTON_WEEK: &str = "7 дней";
/// Of thirty.
pub const BUTTON_MONTH: &str = "30 дней";
/// What each master did.
pub const BUTTON_FIGURES_OF_MASTERS: &str = "👷 По мастерам";
/// Back to the orders' figures.
pub const BUTTON_FIGURES_OF_ORDERS: &str = "📊 По заявкам";
/// Another city.
pub const BUTTON_FIGURES_CITY: &str = "🏙 Город";
/// All of the reader's cities.
pub const BUTTON_ALL_CITIES: &str = "Все города";
/// Somebody asked for a city that is not theirs.
pub const NOT_YOUR_CITY: &str = "Этот город вам не открыт. Показаны цифры по вашим городам.";

/// How many characters stand in a line of a block.
const WIDTH: usize = 28;

/// The button of a period; the one that is shown has a mark.
pub(in crate::bots::render) fn button_period(period: Period, shown: bool) -> String {
    let name = match period {
        Period::Today => BUTTON_TODAY,
        Period::Week => BUTTON_WEEK,
        Period::Month => BUTTON_MONTH,
    };
    if shown { format!("• {name} •") } else { name.to_owned() }
}

/// What happened in a period.
pub(in crate::bots::render) fn figures(figures: &Figures) -> String {
    let Figures { place, came, found, closed, lost, longest, .. } = figures;
    let total = came.total();
    let mut parts = vec![head("📊", place)];
    if total == 0 && closed.orders == 0 {
        parts.push("За это время новых заявок не было.".to_owned());
    } else {
        let states = [
            ("ищут мастера", came.at(Stage::Open)),
            ("в работе", came.at(Stage::Active)),
            ("закрыто", came.of(OrderStatus::Closed)),
            ("отменено", came.of(OrderStatus::Canceled)),
        ];
        let states = states.map(|(name, count)| share(name, count, total));
        parts.push(format!("<b>Поступило: {}</b>\n{}", orders(total), block(&states)));
        parts.push(format!("<b>Как нашли мастера</b>\n{}", block(&ways(found, total))));
        parts.extend(found.seconds.map(|(median, ninety)| {
            let times = [line("половину — за", &duration(median)), line("9 из 10 — за", &duration(ninety))];
            format!("<b>Сколько искали</b>\n{}", block(&times))
        }));
        if came.escalated > 0 {
            parts.push(format!("<b>Звали диспетчера:</b> {} из {total}", came.escalated));
        }
        parts.push(format!("<b>Закрыто за это время:</b> {}", earned(*closed)));
    }
    parts.extend(lost_taps(*lost));
    parts.extend(longest.as_ref().map(|waiting| {
        let name = typed(&waiting.name, NAME_LIMIT);
        format!("⏳ Сейчас дольше всех без предложений: {name}, {}", wait(waiting.seconds))
    }));
    parts.extend(figures.bound().map(|bound| promise(bound, figures)));
    parts.join("\n\n")
}

/// How the orders that came found their first master. One that was given back looks for a master again and has had one; one that
/// was canceled before looks for none and has had none.
fn ways(found: &Found, total: i64) -> [String; 5] {
    let [first, second, later] = found.rounds;
    [
        share("с 1-й волны", first, total),
        share("со 2-й волны", second, total),
        share("с 3-й и позже", later, total),
        share("вручную", found.by_hand, total),
        share("никто не брал", (total - found.total()).max(0), total),
    ]
}

/// «⚖️ На неделе с 30.11, пока спрашивали других, никто не ждал дольше 50 мин (Анна)», and the same of each week, if there are
/// several. Weeks are whole, also where the period is not.
fn promise(bound: &Bound, figures: &Figures) -> String {
    let of = |bound: &Bound| {
        let name = bound.name.as_deref().map(|name| format!(" ({})", typed(name, NAME_LIMIT)));
        format!("{}{}", at_most(bound.seconds), name.unwrap_or_default())
    };
    let since = |week: Date| format!("с {:02}.{:02}", week.day(), week.month());
    let weeks = figures.bounds.iter().map(|bound| bound.week).collect::<BTreeSet<_>>();
    let first = weeks.first().copied().unwrap_or(bound.week);
    let when = if weeks.len() < 2 { "На неделе" } else { "На неделях" };
    let all = format!("⚖️ {when} {}, пока спрашивали других, никто не ждал дольше {}", since(first), of(bound));
    let counted = "Считается от последнего предложения, или с тех пор, как мастера снова можно спросить.";
    // Of several cities only the longest of all.
    if figures.place.name.is_none() || weeks.len() < 2 {
        return format!("{all}\n{counted}");
    }
    let week = |bound: &Bound| format!("{}: {}", since(bound.week), of(bound));
    format!("{all}\n{}\n{counted}", figures.bounds.iter().map(week).collect::<Vec<_>>().join("\n"))
}

fn lost_taps(lost: LostTaps) -> Option<String> {
    let (median, closest) = lost.behind?;
    let taps = counted(usize::try_from(lost.taps).unwrap_or_default(), ["раз", "раза", "раз"]);
    Some(format!(
        "🏁 На «Взять» опоздали {taps}: обычно на {}, ближе всего — на {}",
        milliseconds(median),
        milliseconds(closest)
    ))
}

/// What each master did.
pub(in crate::bots::render) fn master_figures(figures: &MasterFigures) -> String {
    let MasterFigures { place, page, total, lines } = figures;
    let head = head("👷", place);
    if lines.is_empty() {
        return format!("{head}\n\nЗа это время никому ничего не предлагали.");
    }
    let pages =
        if figures.pages() > 1 { format!(" · стр. {page} из {}", figures.pages()) } else { String::new() };
    let masters = counted(usize::try_from(*total).unwrap_or_default(), ["мастер", "мастера", "мастеров"]);
    let lines: Vec<String> = lines.iter().map(master).collect();
    format!("{head}\n{masters}{pages}\n\n{}", lines.join("\n\n"))
}

/// «41 ч 5 мин», «3 мин», «—».
fn whole_minutes(seconds: i64) -> String {
    if seconds < 60 { "—".to_owned() } else { duration(seconds / 60 * 60) }
}

fn master(line: &MasterLine) -> String {
    let MasterLine { name, asked, took, declined, let_pass, answer_seconds, closed, .. } = line;
    let longest = line.passed_over_seconds.map_or("—".to_owned(), at_most);
    let answer = answer_seconds.map_or("—".to_owned(), duration);
    let rows = [
        self::line("спросили", &asked.to_string()),
        share("взял", *took, *asked),
        share("отказался", *declined, *asked),
        share("не ответил", *let_pass, *asked),
        // What is left: taken back, or not answered yet.
        share("взял другой или ждёт", (asked - took - declined - let_pass).max(0), *asked),
        self::line("обычно отвечает за", &answer),
        self::line("на смене", &whole_minutes(line.on_shift_seconds)),
        self::line("дольше всего ждал", &longest),
        self::line("закрыл", &closed.orders.to_string()),
        self::line("на сумму", &whole_rubles(closed.rubles)),
    ];
    format!("<b>{}</b>\n{}", typed(name, NAME_LIMIT), block(&rows))
}

/// Which city?
pub(in crate::bots::render) fn choose_city(choice: &CityChoice) -> String {
    let what = if choice.masters {
        "Мастера какого города?"
    } else {
        "Какой город показать?"
    };
    if choice.cities.is_empty() { "Городов пока нет.".to_owned() } else { what.to_owned() }
}

fn head(icon: &str, place: &Place) -> String {
    let period = match place.scope.period {
        Period::Today => BUTTON_TODAY,
        Period::Week => BUTTON_WEEK,
        Period::Month => BUTTON_MONTH,
    };
    let city = match &place.name {
        Some(name) => typed(name, NAME_LIMIT),
        None => counted(usize::try_from(place.cities).unwrap_or_default(), ["город", "города", "городов"]),
    };
    let (first, last) = place.days;
    let days = if first == last {
        format!("{:02}.{:02}", last.day(), last.month())
    } else {
        format!("{:02}.{:02}–{:02}.{:02}", first.day(), first.month(), last.day(), last.month())
    };
    let clock = if place.name.is_some() {
        "по времени города"
    } else {
        "по времени каждого города"
    };
    format!("{icon} <b>{period} · {city}</b>\n<i>{days}, {clock}</i>")
}

fn orders(count: i64) -> String {
    counted(usize::try_from(count).unwrap_or_default(), ["заявка", "заявки", "заявок"])
}

fn earned(closed: Closed) -> String {
    if closed.orders == 0 {
        "пока ничего".to_owned()
    } else {
        format!("{} на {}", orders(closed.orders), whole_rubles(closed.rubles))
    }
}

/// A name and what belongs to it, as far apart as the line is wide.
fn line(name: &str, value: &str) -> String {
    let gap = WIDTH.saturating_sub(name.chars().count() + value.chars().count()).max(1);
    format!("{name}{}{value}", " ".repeat(gap))
}

/// A name, a number, and which part of all that is.
fn share(name: &str, count: i64, of: i64) -> String {
    let percent = if of > 0 { format!("{:>4}%", (count * 200 + of) / (of * 2)) } else { String::new() };
    line(name, &format!("{count}{percent}"))
}

fn block(lines: &[String]) -> String {
    format!("<pre>{}</pre>", lines.join("\n"))
}

/// «12 мс», «0,4 с», «5 с».
fn milliseconds(ms: i64) -> String {
    match ms {
        ..=99 => format!("{ms} мс"),
        100..=9_999 => format!("{},{} с", ms / 1000, ms % 1000 / 100),
        _ => duration(ms / 1000),
    }
}

/// How long somebody has waited: of a day and more nobody counts the hours.
fn wait(seconds: i64) -> String {
    let days = usize::try_from(seconds / 86_400).unwrap_or_default();
    if days > 0 { counted(days, ["день", "дня", "дней"]) } else { duration(seconds) }
}

/// A bound of waiting, which is never said to be less than it is: «1 мин 45 с», «47 ч 55 мин».
fn at_most(seconds: i64) -> String {
    let unit = if seconds < 3600 { 1 } else { 60 };
    duration((seconds + unit - 1) / unit * unit)
}

/// A city's name on a button.
pub(in crate::bots::render) fn button_city(name: &str) -> String {
    cut(name, 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_never_said_to_be_less_than_it_is() {
        let said = [45, 105, 3599, 3600, 3601, 172_500, 172_501].map(at_most);
        assert_eq!(said, ["45 с", "1 мин 45 с", "59 мин 59 с", "1 ч", "1 ч 1 мин", "47 ч 55 мин", "47 ч 56 мин"]);
    }

    #[test]
    fn what_belongs_together_stands_at_the_two_ends_of_a_line() {
        for text in [line("закрыл", "5"), share("никто не брал", 10, 10), share("взял другой или ждёт", 99, 1000)]
        {
            assert_eq!(text.chars().count(), WIDTH, "{text:?}");
        }
        assert_eq!(share("взял", 1, 3).split_whitespace().collect::<Vec<_>>(), ["взял", "1", "33%"]);
        assert_eq!(share("взял", 2, 3).split_whitespace().last(), Some("67%"));
        assert_eq!(
            share("взял", 0, 0).split_whitespace().collect::<Vec<_>>(),
            ["взял", "0"],
            "nothing is no part of nothing"
        );
    }

    #[test]
    fn short_times_are_said_as_people_feel_them() {
        let said = [0, 12, 99, 100, 450, 5_200, 61_000].map(milliseconds);
        assert_eq!(said, ["0 мс", "12 мс", "99 мс", "0,1 с", "0,4 с", "5,2 с", "1 мин 1 с"]);
        assert_eq!([wait(65), wait(90_000), wait(5 * 86_400)], ["1 мин 5 с", "1 день", "5 дней"]);
    }
}
