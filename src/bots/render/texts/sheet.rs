//! Sheets of orders: how people call their columns, and what they write in them.

use super::words;
use crate::model::order::{Category, OrderStatus};
use crate::model::sheet::Column;

/// What a column may be called, in lower case; a sheet that is written calls it by the first.
#[must_use]
pub fn names(column: Column) -> &'static [&'static str] {
    match column {
        Column::Category => &["вид работ", "категория", "работа", "услуга"],
        Column::City => &["город"],
        Column::District => &["район"],
        Column::Address => &["адрес"],
        Column::Phone => &["телефон", "телефон клиента"],
        Column::Name => &["клиент", "имя", "имя клиента", "фио"],
        Column::Description => &["описание", "проблема", "комментарий", "что случилось"],
        Column::Start => &["приехать с", "время с", "начало"],
        Column::End => &["приехать до", "время до", "конец"],
        Column::Soon => &["срочно", "как можно скорее"],
        Column::Day => &["дата", "день", "дата визита", "дата приезда", "дата выезда"],
        Column::When => &[
            "когда",
            "время",
            "когда приехать",
            "дата и время",
            "время визита",
            "время приезда",
            "время выезда",
            "удобное время",
            "желаемое время",
        ],
    }
}

/// What stands before those in a sheet that is written.
pub const EXPORTED: [&str; 5] = ["номер", "состояние", "мастер", "сумма", "принята"];
/// What is written for yes.
pub const YES: &str = "да";

/// What a status is called.
#[must_use]
pub fn status(status: OrderStatus) -> &'static str {
    words::status(status)
}

/// What a trade is called.
#[must_use]
pub fn trade(category: Category) -> &'static str {
    words::category(category)
}

/// Whether a cell says yes, in lower case.
#[must_use]
pub fn is_yes(cell: &str) -> bool {
    [YES, "срочно", "yes", "true", "1", "+"].contains(&cell)
}

/// Whether a cell says no.
#[must_use]
pub fn is_no(cell: &str) -> bool {
    ["", "нет", "no", "false", "0", "-"].contains(&cell)
}
