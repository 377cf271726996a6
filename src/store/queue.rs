//! The dispatchers' queue: what needs somebody now, what it is narrowed to (`staff_queues`), and the search (`order_search`).
//!
//! Every statement finds only what the reader has a right to, and nothing at all for who is no staff.

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Connection, Error, Ready, Statement, column, facts, statement, with_orders_not_over};
use crate::model::access::Token;
use crate::model::moment::Moment;
use crate::model::policy::Escalation;
use crate::model::queue::{
    CHOICES, Choice, Choices, FOUND_AT_MOST, Filters, Found, Narrow, Narrowed, Queue, QueueLine, QueueState, Sought,
    Trouble,
};
use crate::model::staff::StaffRef;
use crate::model::{Category, OrderStatus};

/// Run by [`read_page`].
pub(crate) const PAGE: Statement = statement!(
    "queue.page",
    [INT8, INT8, INT8, INT8, TIMESTAMPTZ, BOOL, TEXT, TEXT, DATE, INT8, INT8],
    with_orders_not_over!(include_str!("queue/page.sql"))
);

/// Reads a page of the queue as it is narrowed, or else as the reader keeps it: what needs somebody now, then by age; the last page
/// if `page` is past the end. `size`: how many orders a page has. `None`: it is nobody of the staff who asks.
pub(crate) async fn read_page(
    connection: &Connection,
    statement: &Ready,
    staff: StaffRef,
    (page, size): (i64, i64),
    narrowed: Option<&Narrowed>,
    now: Option<Timestamp>,
) -> Result<Option<Queue>, Error> {
    let (id, user) = (staff.id(), staff.telegram_user());
    let is_given = narrowed.is_some();
    let Narrowed { state, city, category, master, day } = narrowed.copied().unwrap_or_default();
    let (category, state) = (category.map(Category::as_str), state.map(QueueState::as_str));
    let (city, master) = (city.map(|city| city.0), master.map(|master| master.0));
    let params: [&(dyn ToSql + Sync); 11] =
        [&id, &user, &page.max(1), &size, &now, &is_given, &category, &state, &day, &city, &master];
    let rows = connection.query(statement, &params).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    Ok(Some(Queue {
        filters: filters(first)?,
        several_cities: column(first, "several_cities")?,
        counts: counts(first)?,
        total: column::<Option<i64>>(first, "total")?.unwrap_or(0),
        page: column::<Option<i64>>(first, "page")?.unwrap_or(1),
        lines: lines(&rows, |row| Ok(QueueLine { troubles: troubles(row)?, ..line(row)? }))?,
        now: column(first, "reader_now")?,
    }))
}

fn filters(row: &Row) -> Result<Filters, Error> {
    Ok(Filters {
        city: column(row, "only_city")?,
        category: column::<Option<&str>>(row, "only_category")?.and_then(Category::parse),
        state: column::<Option<&str>>(row, "only_state")?.and_then(QueueState::parse),
        master: column(row, "only_master")?,
        day: column(row, "only_day")?,
    })
}

fn counts(row: &Row) -> Result<Vec<(QueueState, i64)>, Error> {
    let mut counts = vec![(QueueState::Urgent, column(row, "urgent")?)];
    let statuses: Vec<&str> = column(row, "counted_statuses")?;
    let counted: Vec<i64> = column(row, "counts")?;
    for (status, count) in statuses.into_iter().filter_map(OrderStatus::parse).zip(counted) {
        let state = QueueState::of(status);
        match counts.iter_mut().find(|(known, _)| *known == state) {
            Some((_, sum)) => *sum += count,
            None => counts.push((state, count)),
        }
    }
    Ok(counts)
}

/// Reads the orders of a page. What a later release has put there, or somebody wrote oddly, must not hide the rest.
fn lines(rows: &[Row], read: impl Fn(&Row) -> Result<QueueLine, Error>) -> Result<Vec<QueueLine>, Error> {
    let mut lines = Vec::new();
    for row in rows {
        if column::<Option<i64>>(row, "id")?.is_none() {
            continue;
        }
        let read = read(row).inspect_err(|error| tracing::error!(%error, "an order is left out of the queue"));
        lines.extend(read.ok());
    }
    Ok(lines)
}

/// Reads the columns that the queue and the search have in common.
fn line(row: &Row) -> Result<QueueLine, Error> {
    Ok(QueueLine {
        card: facts::card(row)?,
        status: facts::status(row)?,
        created: Moment { at: column(row, "created_at")?, local: column(row, "created_local")? },
        master: column(row, "master")?,
        offered: column(row, "offered")?,
        seen: column(row, "seen")?,
        claimed_by: column(row, "claimed_by")?,
        client: None,
        troubles: Vec::new(),
    })
}

fn troubles(row: &Row) -> Result<Vec<Trouble>, Error> {
    let is = |name| Ok::<_, Error>(column::<Option<bool>>(row, name)?.unwrap_or(false));
    let mut troubles = Vec::new();
    if is("escalated")? {
        let why =
            column::<Option<&str>>(row, "escalation_reason")?.and_then(Escalation::parse).unwrap_or(Escalation::Time);
        let since = Moment { at: column(row, "escalated_since")?, local: column(row, "escalated_local")? };
        troubles.push(Trouble::Escalated { why, since });
    }
    if is("late")? {
        troubles.push(Trouble::Late);
    }
    if is("waiting")? {
        let since = Moment { at: column(row, "waiting_since")?, local: column(row, "waiting_local")? };
        troubles.push(Trouble::Waiting { since });
    }
    if is("unreachable")? {
        troubles.push(Trouble::Unreachable);
    }
    if is("unseen")? {
        troubles.push(Trouble::Unseen);
    }
    Ok(troubles)
}

/// Run by [`read_found`].
pub(crate) const SEARCH: Statement = statement!(
    "queue.search",
    [INT8, INT8, INT8, INT8, TIMESTAMPTZ, INT8, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT_ARRAY, INT8],
    include_str!("queue/search.sql")
);

/// Reads a page of the orders of the reader's cities that are looked for, whatever the queue is narrowed to: the one of that
/// number, then what is in hand, then the newest. `size`: how many a page has. `None`: it is nobody of the staff who asks.
pub(crate) async fn read_found(
    connection: &Connection,
    statement: &Ready,
    staff: StaffRef,
    sought: &Sought,
    (page, size): (i64, i64),
    now: Option<Timestamp>,
) -> Result<Option<Found>, Error> {
    let (id, user) = (staff.id(), staff.telegram_user());
    let number = sought.number.map(|order| order.0);
    let phones: Vec<String> = sought.phones.iter().map(|digits| pattern(digits)).collect();
    let mut words: Vec<String> = sought.words.iter().map(|word| pattern(word)).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    let (phone, other_phone) = (phones.first(), phones.get(1).or(phones.first()));
    let nth_longest = |index: usize| words.get(index).or(words.first());
    let (longest, second, third) = (words.first(), nth_longest(1), nth_longest(2));
    let (page, at_most) = (page.max(1), FOUND_AT_MOST + 1);
    let params: [&(dyn ToSql + Sync); 13] =
        [&id, &user, &page, &size, &now, &number, &phone, &other_phone, &longest, &second, &third, &words, &at_most];
    let rows = connection.query(statement, &params).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let total = column::<Option<i64>>(first, "total")?.unwrap_or(0);
    Ok(Some(Found {
        sought: None,
        total,
        more: total > FOUND_AT_MOST,
        page: column::<Option<i64>>(first, "page")?.unwrap_or(1),
        lines: lines(&rows, |row| Ok(QueueLine { client: Some(facts::client(row)?), ..line(row)? }))?,
    }))
}

/// Anything with this in it, for `LIKE`.
fn pattern(part: &str) -> String {
    let mut pattern = String::from("%");
    for character in part.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// Narrows the reader's queue: one filter is set or lifted, the others stay. To what the reader has no right to it is not
/// narrowed.
pub(crate) const NARROW: Statement = statement!(
    "queue.narrow",
    [INT8, INT8, TEXT, TEXT, INT8, TEXT, INT8, DATE, TIMESTAMPTZ],
    "INSERT INTO staff_queues AS kept (staff_id, state, city_id, category, master_id, day, changed_at)
     SELECT who.staff_id, $4 /* state */, $5 /* city */, $6 /* trade */, $7 /* master */, $8 /* day */,
            coalesce($9, now()) /* now */
     FROM staff_right($1 /* staff */, $2 /* user */) AS who
     WHERE ($5 IS NULL OR EXISTS (SELECT FROM cities WHERE cities.id = $5 AND cities.id = ANY (who.cities)))
       AND ($7 IS NULL OR EXISTS (SELECT FROM masters WHERE masters.id = $7 AND masters.city_id = ANY (who.cities)))
     ON CONFLICT (staff_id) DO UPDATE SET
         state = CASE $3 /* which */ WHEN 'STATE' THEN excluded.state WHEN 'NOTHING' THEN NULL ELSE kept.state END,
         city_id = CASE $3 WHEN 'CITY' THEN excluded.city_id WHEN 'NOTHING' THEN NULL ELSE kept.city_id END,
         category = CASE $3 WHEN 'CATEGORY' THEN excluded.category WHEN 'NOTHING' THEN NULL ELSE kept.category END,
         master_id = CASE $3 WHEN 'MASTER' THEN excluded.master_id WHEN 'NOTHING' THEN NULL ELSE kept.master_id END,
         day = CASE $3 WHEN 'DAY' THEN excluded.day WHEN 'NOTHING' THEN NULL ELSE kept.day END,
         changed_at = excluded.changed_at"
);

/// Runs [`NARROW`].
pub(crate) async fn narrow(
    connection: &Connection,
    statement: &Ready,
    staff: StaffRef,
    narrow: Narrow,
    now: Option<Timestamp>,
) -> Result<(), Error> {
    let (id, user) = (staff.id(), staff.telegram_user());
    let which = match narrow {
        Narrow::State(_) => "STATE",
        Narrow::City(_) => "CITY",
        Narrow::Category(_) => "CATEGORY",
        Narrow::Master(_) => "MASTER",
        Narrow::Day(_) => "DAY",
        Narrow::Nothing => "NOTHING",
    };
    let state = if let Narrow::State(state) = narrow { state.map(QueueState::as_str) } else { None };
    let city = if let Narrow::City(city) = narrow { city } else { None };
    let category = if let Narrow::Category(category) = narrow { category.map(Category::as_str) } else { None };
    let master = if let Narrow::Master(master) = narrow { master.map(|master| master.0) } else { None };
    let day = if let Narrow::Day(day) = narrow { day } else { None };
    connection.query(statement, &[&id, &user, &which, &state, &city, &category, &master, &day, &now]).await.map(drop)
}

/// Keeps what the reader searches for, so that pages can be turned.
pub(crate) const KEEP_SOUGHT: Statement = statement!(
    "queue.keep_sought",
    [INT8, INT8, TEXT, TIMESTAMPTZ],
    "INSERT INTO staff_queues AS kept (staff_id, sought, changed_at)
     SELECT who.staff_id, $3 /* words */, coalesce($4, now()) /* now */
     FROM staff_right($1 /* staff */, $2 /* user */) AS who
     ON CONFLICT (staff_id) DO UPDATE SET sought = excluded.sought, changed_at = excluded.changed_at"
);

/// Runs [`KEEP_SOUGHT`].
pub(crate) async fn keep_sought(
    connection: &Connection,
    statement: &Ready,
    staff: StaffRef,
    words: &str,
    now: Option<Timestamp>,
) -> Result<(), Error> {
    let (id, user) = (staff.id(), staff.telegram_user());
    connection.query(statement, &[&id, &user, &words, &now]).await.map(drop)
}

/// What the reader has searched for last.
pub(crate) const SOUGHT: Statement = statement!(
    "queue.sought",
    [INT8, INT8],
    "SELECT kept.sought
     FROM staff_right($1 /* staff */, $2 /* user */) AS who
     LEFT JOIN staff_queues AS kept ON kept.staff_id = who.staff_id"
);

/// Runs [`SOUGHT`].
pub(crate) async fn read_sought(
    connection: &Connection,
    statement: &Ready,
    staff: StaffRef,
) -> Result<Option<String>, Error> {
    let (id, user) = (staff.id(), staff.telegram_user());
    connection.query(statement, &[&id, &user]).await?.first().map_or(Ok(None), |row| column(row, "sought"))
}

/// The masters whose orders the queue can be narrowed to.
pub(crate) const MASTERS: Statement =
    statement!("queue.masters", [INT8, INT8, INT8, INT8], include_str!("queue/masters.sql"));

/// The cities that the queue can be narrowed to.
pub(crate) const CITIES: Statement =
    statement!("queue.cities", [INT8, INT8, INT8, INT8], with_orders_not_over!(include_str!("queue/cities.sql")));

/// Runs [`MASTERS`] or [`CITIES`]; the last page if `page` is past the end. `None`: it is nobody of the staff who asks.
pub(crate) async fn read_choices(
    connection: &Connection,
    statement: &Ready,
    staff: StaffRef,
    page: i64,
) -> Result<Option<Choices>, Error> {
    let (id, user) = (staff.id(), staff.telegram_user());
    let rows = connection.query(statement, &[&id, &user, &page.max(1), &CHOICES]).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let mut lines = Vec::new();
    for row in &rows {
        if let Some(id) = column::<Option<i64>>(row, "id")? {
            lines.push(Choice { id, name: column(row, "name")?, orders: column(row, "orders")? });
        }
    }
    Ok(Some(Choices {
        total: column::<Option<i64>>(first, "total")?.unwrap_or(0),
        page: column::<Option<i64>>(first, "page")?.unwrap_or(1),
        lines,
    }))
}

/// Run by [`read_stamp`].
pub(crate) const STAMP: Statement =
    statement!("queue.stamp", [INT8, BYTEA], with_orders_not_over!(include_str!("queue/stamp.sql")));

/// Reads what is another one as soon as anything has changed that whoever holds a token sees of the queue; `None`: it is nobody's.
pub(crate) async fn read_stamp(
    connection: &Connection,
    statement: &Ready,
    token: &Token,
) -> Result<Option<String>, Error> {
    let rows = connection.query(statement, &[&token.id.0, &token.hash()]).await?;
    rows.first().map(|row| column(row, "stamp")).transpose()
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn what_people_write_is_no_pattern() {
        assert_eq!(pattern("a%b_c\\"), "%a\\%b\\_c\\\\%");
    }
}
