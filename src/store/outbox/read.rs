//! What claimed rows say now. A row that cannot be read stops no other.

use std::collections::HashMap;

use tokio_postgres::Row;

use super::super::{Connection, Error, Statement, Store, column, dialogs, facts, masters, offers, orders, statement};
use super::Lease;
use super::calls::{self, Said};
use crate::model::call::Call;
use crate::model::notification::{DayRoot, Kind, Known, KnownOrder, Notification, Screen, StaffDid};
use crate::model::race::{Taken, Winner};
use crate::model::staff::{Place, Screen as StaffScreen};
use crate::model::staff_order::Detail;
use crate::model::{BotName, MasterId, MasterRef, OrderId, TelegramUserId};

/// Rows that were claimed and read: one, or several that are said in one message.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The right to send it.
    pub lease: Lease,
    /// Which bot sends it.
    pub bot: BotName,
    /// To whom.
    pub user: TelegramUserId,
    /// What; `None` if it has been overtaken by what happened since.
    pub notification: Option<Notification>,
    /// The calls for staff that it says.
    pub calls: Vec<Said>,
    /// Of several rows those that have nothing to say any more, if others have.
    pub overtaken: Vec<i64>,
    /// The message to show it in.
    pub message: Option<i32>,
    /// Whether that is a card that can be deleted: nobody has tapped in it.
    pub deletable: bool,
    /// Whether there are further messages to show it in.
    pub more: bool,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// Whether it has waited for a day, and need not be tried for ever.
    pub stale: bool,
}

impl Claimed {
    /// The same with another row that is said in the same message.
    fn and(mut self, other: Self) -> Self {
        let mut said: Vec<Call> = Vec::new();
        for (notification, rows) in
            [(self.notification, self.lease.rows()), (other.notification, vec![other.lease.row])]
        {
            match notification {
                Some(Notification::Together(several)) => said.extend(several),
                Some(Notification::Call(one)) => said.push(one),
                // Nothing else is said together.
                _ => self.overtaken.extend(rows),
            }
        }
        self.lease.also.push(other.lease.row);
        self.calls.extend(other.calls);
        self.attempt = self.attempt.max(other.attempt);
        self.stale |= other.stale;
        self.notification =
            if said.len() > 1 { Some(Notification::Together(said)) } else { said.pop().map(Notification::Call) };
        self
    }
}

/// A row that was claimed and cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    /// The right to set it aside.
    pub lease: Lease,
    /// Why.
    pub error: Error,
    /// Whether a later release may know what it says, that is just replacing this one: it is left to that for ten minutes.
    pub may_be_newer: bool,
}

const READ: Statement = statement!("outbox.read", [TIMESTAMPTZ, INT8_ARRAY], include_str!("read.sql"));

/// Reads what rows say at this moment: all at once, or each alone if together they fail. Rows of one lease are said in one
/// message.
///
/// # Errors
/// When the database failed; the rows are claimed again when their leases end.
pub async fn read(store: &Store, leases: &[Lease]) -> Result<Vec<Result<Claimed, Unreadable>>, Error> {
    let each = leases
        .iter()
        .flat_map(|lease| lease.rows().into_iter().map(|row| Lease { row, also: Vec::new(), ..lease.clone() }));
    let (mut all, mut unreadable): (Vec<Claimed>, Vec<Unreadable>) = (Vec::with_capacity(leases.len()), Vec::new());
    for read in read_each(store, each.collect()).await? {
        match (read, all.pop()) {
            (Ok(row), Some(last)) if last.lease.key == row.lease.key => all.push(last.and(row)),
            (Ok(row), last) => all.extend(last.into_iter().chain([row])),
            (Err(row), last) => {
                unreadable.push(row);
                all.extend(last);
            }
        }
    }
    Ok(all.into_iter().map(Ok).chain(unreadable.into_iter().map(Err)).collect())
}

async fn read_each(store: &Store, mut leases: Vec<Lease>) -> Result<Vec<Result<Claimed, Unreadable>>, Error> {
    match rows(store, &leases).await {
        Ok(rows) => {
            let by_id = rows.iter().map(|row| Ok((column::<i64>(row, "outbox_id")?, row)));
            let by_id = by_id.collect::<Result<HashMap<_, _>, Error>>()?;
            let mut all = Vec::with_capacity(rows.len());
            for lease in &leases {
                if let Some(row) = by_id.get(&lease.row) {
                    all.push(read_row(store, row, lease).await?);
                }
            }
            Ok(all)
        }
        Err(error) if error.is_transient() => Err(error),
        Err(error) if leases.len() == 1 => {
            Ok(vec![Err(Unreadable { lease: leases.remove(0), error, may_be_newer: false })])
        }
        Err(_) => {
            let mut all = Vec::with_capacity(leases.len());
            for lease in leases {
                all.extend(Box::pin(read_each(store, vec![lease])).await?);
            }
            Ok(all)
        }
    }
}

async fn rows(store: &Store, leases: &[Lease]) -> Result<Vec<Row>, Error> {
    let ids: Vec<i64> = leases.iter().map(|lease| lease.row).collect();
    rows_of(store, &ids).await
}

async fn rows_of(store: &Store, ids: &[i64]) -> Result<Vec<Row>, Error> {
    store.run(async |connection: Connection| connection.fetch(&READ, &[&store.now(), &ids]).await).await
}

async fn read_row(store: &Store, row: &Row, lease: &Lease) -> Result<Result<Claimed, Unreadable>, Error> {
    let read = async { Ok((screen(store, row).await?, said(store, row).await?)) };
    let read = match read.await {
        Err(error) if Error::is_transient(&error) => return Err(error),
        read => read,
    };
    Ok(read.and_then(|(screen, calls)| claimed(row, screen, calls, lease)).map_err(|error| {
        let recent = column(row, "recent").unwrap_or(false);
        let may_be_newer = matches!(error, Error::Unknown { .. }) && recent;
        Unreadable { lease: lease.clone(), error, may_be_newer }
    }))
}

/// The call that a row is; of a row that is to be said in a message that has called for somebody, all that are said there.
async fn said(store: &Store, row: &Row) -> Result<Vec<(Call, Said)>, Error> {
    const IN_MESSAGE: Statement = statement!(
        "outbox.calls_in_message",
        [INT8, INT4],
        "SELECT outbox_id FROM calls WHERE chat_id = $1 /* chat */ AND message_id = $2 /* message */ ORDER BY outbox_id"
    );
    if Kind::parse(column(row, "kind")?) != Some(Kind::Call) {
        return Ok(calls::call(row, false)?.into_iter().collect());
    }
    let (chat, message): (i64, Option<i32>) = (column(row, "chat_id")?, column(row, "message_id")?);
    let ids = store.run(async |connection: Connection| connection.fetch(&IN_MESSAGE, &[&chat, &message]).await).await?;
    let ids = ids.iter().map(|row| column(row, "outbox_id")).collect::<Result<Vec<i64>, Error>>()?;
    rows_of(store, &ids).await?.iter().filter_map(|row| calls::call(row, true).transpose()).collect()
}

/// What a screen shows that is about no single order.
async fn screen(store: &Store, row: &Row) -> Result<Option<Screen>, Error> {
    let Some(kind @ (Kind::List | Kind::Active | Kind::Menu)) = Kind::parse(column(row, "kind")?) else {
        return Ok(None);
    };
    let reader = MasterRef::Telegram(TelegramUserId(column(row, "chat_id")?));
    store
        .run(async |connection: Connection| {
            let (connection, now) = (&connection, store.now());
            let [page, active, profile] =
                connection.ready([&offers::PAGE, &orders::ACTIVE_PAGE, &masters::PROFILE]).await?;
            Ok(match kind {
                Kind::List => {
                    let list = offers::read_page(connection, &page, reader, 1, None, now);
                    let Some(list) = connection.alone(list).await? else { return Ok(None) };
                    let load =
                        if list.is_unexplained() { masters::read_load(connection, list.master).await? } else { None };
                    Some(Screen::Offers(match load {
                        Some((active, limit)) => list.of_load(active, limit),
                        None => list,
                    }))
                }
                Kind::Active => {
                    let list = orders::read_active_page(connection, &active, reader, 1, now);
                    connection.alone(list).await?.map(Screen::Active)
                }
                _ => connection.alone(masters::read_profile(connection, &profile, reader)).await?.map(Screen::Menu),
            })
        })
        .await
}

fn claimed(row: &Row, screen: Option<Screen>, said: Vec<(Call, Said)>, lease: &Lease) -> Result<Claimed, Error> {
    let (calls, said) = said.into_iter().unzip();
    let known = known(row, screen, calls)?;
    let in_place = known.kind == Kind::OfferEnded;
    // What shows the offer's card anew has nothing to say where the master has turned to something else.
    let card_is_gone = column::<bool>(row, "card_is_gone")?;
    let notification = known.notification().filter(|_| !card_is_gone);
    let more_cards = column::<Option<bool>>(row, "more_cards")?.unwrap_or(false);
    Ok(Claimed {
        lease: lease.clone(),
        bot: if column::<&str>(row, "bot")? == BotName::Admin.as_word() { BotName::Admin } else { BotName::Master },
        user: TelegramUserId(column(row, "chat_id")?),
        calls: said,
        overtaken: Vec::new(),
        message: column(row, if in_place { "card_message" } else { "message_id" })?,
        deletable: column::<Option<bool>>(row, "card_is_deletable")?.unwrap_or(false),
        more: in_place && notification.is_some() && more_cards,
        notification,
        attempt: column(row, "attempts")?,
        stale: column(row, "stale")?,
    })
}

fn known(row: &Row, screen: Option<Screen>, calls: Vec<Call>) -> Result<Known, Error> {
    let kind = column(row, "kind")?;
    Ok(Known {
        kind: Kind::parse(kind).ok_or_else(|| facts::unknown("kind of message", kind))?,
        concerned: column(row, "concerned")?,
        place: place(row)?,
        screen,
        order: column::<Option<i64>>(row, "id")?.map(|_| order(row)).transpose()?,
        offer: facts::offer(row)?,
        taken: taken(row)?,
        calls,
        for_good: column(row, "for_good")?,
        reason: column(row, "reason")?,
        by_staff: column(row, "by_staff")?,
        reopened: column(row, "reopened")?,
        edited: edited(row)?,
        staff_did: staff_did(column(row, "master_change")?),
        root: root(row)?,
    })
}

/// Who got the order instead, if that ended the offer.
fn taken(row: &Row) -> Result<Option<Taken>, Error> {
    let winner = column::<Option<&str>>(row, "taken_by")?.and_then(Winner::of);
    let seconds = column::<Option<i64>>(row, "taken_after_seconds")?;
    Ok(winner.zip(seconds).map(|(winner, after_seconds)| Taken { winner, after_seconds }))
}

/// What of the changes a master can be told.
fn edited(row: &Row) -> Result<Vec<Detail>, Error> {
    let fields: Option<Vec<&str>> = column(row, "edited")?;
    Ok(fields.unwrap_or_default().into_iter().filter_map(Detail::parse).collect())
}

fn root(row: &Row) -> Result<Option<DayRoot>, Error> {
    let Some(root) = column(row, "root")? else { return Ok(None) };
    Ok(Some(DayRoot { day: column(row, "root_day")?, changes: column(row, "root_changes")?, root }))
}

fn staff_did(change: Option<&str>) -> Option<StaffDid> {
    match change? {
        "SHIFT:on" => Some(StaffDid::OnShift),
        "SHIFT:off" => Some(StaffDid::OffShift),
        "UNBLOCKED" => Some(StaffDid::Unblocked),
        "APPROVED" => Some(StaffDid::Approved),
        _ => None,
    }
}

/// The screen of the dispatchers' bot, if the row is one.
fn place(row: &Row) -> Result<Option<Place>, Error> {
    let Some(word) = column::<Option<&str>>(row, "place")? else { return Ok(None) };
    let screen = StaffScreen::parse(word).ok_or_else(|| facts::unknown("screen", word))?;
    let order = column::<Option<i64>>(row, "about_order")?.map(OrderId);
    Ok(Some(screen.place(order, column::<Option<i64>>(row, "about_master")?.map(MasterId))))
}

fn order(row: &Row) -> Result<KnownOrder, Error> {
    let own = column(row, "own")?;
    Ok(KnownOrder {
        card: facts::card(row)?,
        client: facts::client(row)?,
        comment: column(row, "comment")?,
        status: facts::status(row)?,
        own,
        amount: facts::amount(row)?,
        correctable: own && column(row, "closed_lately")?,
        dialog: dialogs::dialog(row, "id")?,
    })
}
