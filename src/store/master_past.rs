//! Masters of a city as they are, with what was changed of them since a moment: what they were then is made out of that, see
//! [`MasterPast`].

use std::collections::HashMap;

use jiff::Timestamp;
use tokio::join;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Connection, Error, Ready, Statement, column, statement};
use crate::model::master_change::What;
use crate::model::master_past::{Change, Changed, MasterPast};
use crate::model::selection::Candidate;
use crate::model::{Category, MasterId};

/// The text of a statement that reads `known`: the masters of the city $1 now, or since $2; of whom more is asked about, if they have
/// the trade $3, or had it since, or if that is null, or if it is the master $4.
macro_rules! with_known {
    ($($text:tt)+) => {
        concat!("WITH known AS MATERIALIZED (\n", include_str!("master_past/known.sql"), ") ", $($text)+)
    };
}
pub(in crate::store) use with_known;

/// Reads the masters.
pub(super) const MASTERS: Statement = statement!(
    "master_past.masters",
    [INT8, TIMESTAMPTZ, TEXT, INT8],
    with_known!(include_str!("master_past/masters.sql"))
);
/// Reads what was changed of them.
pub(super) const CHANGES: Statement = statement!(
    "master_past.changes",
    [INT8, TIMESTAMPTZ, TEXT, INT8, TIMESTAMPTZ],
    with_known!(include_str!("master_past/changes.sql"))
);

/// Runs [`MASTERS`] and [`CHANGES`]: the masters who are in a city, or were in it since the first of two moments, with what was
/// changed of them from then on. The changes are read after the masters, so that nothing is taken back that was not read yet.
///
/// Each change up to the last moment is among them, and of the later ones what is needed to take all back to that moment. With a
/// trade, of those who have not had it since then only the city, the trades and whether they were blocked are certain: nobody would
/// have asked them anyway, but for the preferred master.
pub(super) async fn read(
    connection: &Connection,
    [masters, changes]: [&Ready; 2],
    city: i64,
    [first, last]: [Timestamp; 2],
    trade: Option<(Category, Option<MasterId>)>,
) -> Result<Vec<MasterPast>, Error> {
    let (trade, preferred) = trade.unzip();
    let trade = trade.map(Category::as_str);
    let preferred = preferred.flatten().map(|master| master.0);
    let params: [&(dyn ToSql + Sync); 5] = [&city, &first, &trade, &preferred, &last];
    let (masters, changes) = join!(connection.query(masters, &params[..4]), connection.query(changes, &params));
    let mut changes = by_master(&changes?, change)?;
    let mut masters = readable(&masters?, master);
    for master in &mut masters {
        master.changes = changes.remove(&master.today.id).unwrap_or_default().into_iter().flatten().collect();
    }
    Ok(masters)
}

/// What could be read: what a later release has put there must not hide the rest.
pub(super) fn readable<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, Error>) -> Vec<T> {
    let read = |row| read(row).inspect_err(|error| tracing::error!(%error, "a part of what was is left out"));
    rows.iter().filter_map(|row| read(row).ok()).collect()
}

/// The rows by their masters, as they come.
pub(super) fn by_master<T>(
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T, Error>,
) -> Result<HashMap<MasterId, Vec<T>>, Error> {
    let mut by_master: HashMap<MasterId, Vec<T>> = HashMap::new();
    for row in rows {
        by_master.entry(MasterId(column(row, "master_id")?)).or_default().push(read(row)?);
    }
    Ok(by_master)
}

fn master(row: &Row) -> Result<MasterPast, Error> {
    Ok(MasterPast {
        today: Candidate {
            id: MasterId(column(row, "id")?),
            city: column(row, "city_id")?,
            districts: column(row, "districts")?,
            categories: column::<Vec<&str>>(row, "categories")?.into_iter().filter_map(Category::parse).collect(),
            on_shift: column(row, "on_shift")?,
            blocked: column(row, "is_blocked")?,
            waiting: column(row, "is_waiting")?,
            unreachable: column(row, "unreachable")?,
            rating: column(row, "rating")?,
            load: 0,
            limit: 0,
            last_asked: None,
            on_shift_since: None,
            turns: 0,
            left_out: None,
        },
        name: column(row, "full_name")?,
        own_limit: column(row, "own_limit")?,
        known_since: column(row, "created_at")?,
        asked_before: column(row, "asked_before")?,
        came_before: column(row, "came_before")?,
        changes: Vec::new(),
    })
}

/// A change; `None` for one that says nothing of who is asked.
fn change(row: &Row) -> Result<Option<Change>, Error> {
    let [from, to]: [Option<&str>; 2] = [column(row, "from_value")?, column(row, "to_value")?];
    let number = |value: Option<&str>| value.and_then(|value| value.parse::<i64>().ok());
    let what = match What::parse(column(row, "what")?) {
        Some(What::Added) => Some(Changed::Added),
        Some(What::Shift) => Some(Changed::Shift(to == Some("on"))),
        Some(What::Blocked) => Some(Changed::Blocked([from.is_some(), to.is_some()])),
        Some(What::Reachable) if to == Some("withdrawn") => Some(Changed::UnreachableWithdrawn),
        Some(What::Reachable) => Some(Changed::Unreachable(to == Some("no"))),
        Some(What::Limit) => Some(Changed::Limit([number(from), number(to)])),
        Some(What::Trade) => from.or(to).and_then(Category::parse).map(|trade| Changed::Trade(trade, to.is_some())),
        Some(What::District) => number(from.or(to)).map(|district| Changed::District(district, to.is_some())),
        Some(What::City) => number(from).map(Changed::City),
        Some(What::Approved) => Some(Changed::Approved),
        Some(What::Account) | None => None,
    };
    let at = column(row, "created_at")?;
    Ok(what.map(|what| Change { at, what }))
}
