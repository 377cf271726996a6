//! What somebody reads who is to become a master.

use super::words::{BUTTON_LIMIT, NAME_LIMIT, category, telephone, typed};
use crate::dispatch::invite::DeadLink;
use crate::model::onboarding::{Complaint, Onboarding, Step};
use crate::model::order::Category;
use crate::model::text::cut;

/// The key under the field.
pub const BUTTON_CONTACT: &str = "📱 Отправить мой номер";
/// On to the next step.
pub(in crate::bots::render) const BUTTON_NEXT: &str = "Дальше ▶";
/// Back to the step before.
pub(in crate::bots::render) const BUTTON_BACK: &str = "◀ Назад";
/// Instead of a block's reason, while staff have not agreed yet.
pub const WAITS: &str = "диспетчер ещё не посмотрел вашу анкету";
/// All was told, and staff have to agree.
pub const COMPLETE_WAITS: &str =
    "✅ Готово, анкета у диспетчера. Как только он её одобрит, сюда придёт меню, и вы сможете выйти на смену.";
/// The same, whenever the person looks.
pub(in crate::bots::render) const MENU_WAITS: &str =
    "⏳ Анкета у диспетчера. Как только он её одобрит, сюда придёт меню, и вы сможете выйти на смену.";
/// All was told, and the new master can begin.
pub const COMPLETE: &str = "✅ Готово, вы в списке мастеров. Новые заявки будут приходить сюда.";
/// The contact was shared: the key under the field goes.
pub const CONTACT_TAKEN: &str = "Спасибо, номер записан.";

/// What is asked at a step.
pub(in crate::bots::render) fn question(known: &Onboarding) -> String {
    // Where there are no districts nobody is asked for some.
    let steps = if known.city_districts.is_empty() { 3 } else { 4 };
    match known.step {
        Step::Name => format!(
            "Здравствуйте! Вас приглашают работать мастером: {}.\n\n<b>1 из {steps}.</b> Как вас зовут? Напишите имя и фамилию.",
            typed(&known.city_name, NAME_LIMIT)
        ),
        Step::Contact => format!(
            "<b>2 из {steps}.</b> {}, нажмите внизу «{BUTTON_CONTACT}». Номер увидят только диспетчеры.",
            typed(known.full_name.as_deref().unwrap_or_default(), NAME_LIMIT)
        ),
        Step::Trades => format!(
            "{}\n\n<b>3 из {steps}.</b> Что вы умеете? Отметьте всё, за что возьмётесь, и нажмите «{BUTTON_NEXT}».",
            so_far(known)
        ),
        Step::Districts => format!(
            "{}\n\n<b>4 из 4.</b> В каких районах работаете? Отметьте их и нажмите «{BUTTON_NEXT}».",
            so_far(known)
        ),
    }
}

/// What is known of the person.
fn so_far(known: &Onboarding) -> String {
    format!(
        "👤 {}\n📞 {}",
        typed(known.full_name.as_deref().unwrap_or_default(), NAME_LIMIT),
        telephone(known.phone.as_deref().unwrap_or_default())
    )
}

/// Why what was told is not taken.
#[must_use]
pub fn complaint(complaint: Complaint) -> String {
    match complaint {
        Complaint::NoName => "Это не имя. Напишите имя и фамилию обычным сообщением.".to_owned(),
        Complaint::OddName => {
            "Не похоже на имя. Напишите имя и фамилию в одну строку: хотя бы две буквы, не длиннее 100 знаков."
                .to_owned()
        }
        Complaint::NotOwnContact => format!("Нужен ваш собственный номер. Нажмите внизу «{BUTTON_CONTACT}»."),
        Complaint::OddPhone => "Этот номер не похож на телефон. Позвоните диспетчеру.".to_owned(),
        Complaint::KeyOnly => format!("Номер не нужно писать: нажмите внизу «{BUTTON_CONTACT}»."),
        Complaint::ButtonsOnly => "Здесь ничего не нужно писать: отметьте кнопками.".to_owned(),
        Complaint::NoTrade => "Отметьте хотя бы одно умение: иначе заявок не будет.".to_owned(),
        Complaint::NoDistrict => "Отметьте хотя бы один район: иначе заявок не будет.".to_owned(),
    }
}

/// Why a link lets nobody in.
#[must_use]
pub fn dead_link(why: DeadLink) -> &'static str {
    match why {
        DeadLink::Unknown => "Такой ссылки нет. Проверьте, что скопировали её целиком, или попросите новую.",
        DeadLink::Used => "По этой ссылке уже кто-то вошёл: она на одного человека. Попросите новую.",
        DeadLink::Revoked => "Эту ссылку отозвали. Попросите новую.",
        DeadLink::Expired => "Срок этой ссылки истёк. Попросите новую.",
    }
}

/// A button by which something is chosen, or not any more.
pub(in crate::bots::render) fn choice(name: &str, chosen: bool) -> String {
    cut(&format!("{} {}", if chosen { "✅" } else { "▫️" }, name.trim()), BUTTON_LIMIT)
}

/// The same of a trade.
pub(in crate::bots::render) fn choice_of_trade(trade: Category, chosen: bool) -> String {
    choice(category(trade), chosen)
}

/// Chooses all districts, or none.
pub(in crate::bots::render) fn all_districts(chosen: bool) -> String {
    choice("Все районы", chosen)
}
