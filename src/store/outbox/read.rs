//! What claimed rows say now. A row that cannot be read stops no other.

use tokio_postgres::Row;

use super::super::{Connection, Error, Statement, Store, column, facts, offers, statement};
use super::Lease;
use crate::model::notification::{Kind, Known, KnownOrder, Notification, Subject};
use crate::model::policy::Escalation;
use crate::model::{BotName, MasterRef, OfferList, TelegramUserId};

/// A row that was claimed and read.
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
    /// The message to show it in.
    pub message: Option<i32>,
    /// Whether there are further messages to show it in.
    pub more: bool,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// Whether it has waited for a day, and need not be tried for ever.
    pub stale: bool,
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

/// Reads what rows say at this moment: all at once, or each alone if together they fail.
///
/// # Errors
/// When the database failed; the rows are claimed again when their leases end.
pub async fn read(store: &Store, mut leases: Vec<Lease>) -> Result<Vec<Result<Claimed, Unreadable>>, Error> {
    match rows(store, &leases).await {
        Ok(rows) => {
            let mut all = Vec::with_capacity(rows.len());
            for row in &rows {
                let id: i64 = column(row, "outbox_id")?;
                if let Some(lease) = leases.iter().find(|lease| lease.row == id) {
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
                all.extend(Box::pin(read(store, vec![lease])).await?);
            }
            Ok(all)
        }
    }
}

async fn rows(store: &Store, leases: &[Lease]) -> Result<Vec<Row>, Error> {
    let ids: Vec<i64> = leases.iter().map(|lease| lease.row).collect();
    store.run(async |connection: Connection| connection.fetch(&READ, &[&store.now(), &ids]).await).await
}

async fn read_row(store: &Store, row: &Row, lease: &Lease) -> Result<Result<Claimed, Unreadable>, Error> {
    let list = match column(row, "kind") {
        Ok("LIST") => match list(store, row).await {
            Err(error) if error.is_transient() => return Err(error),
            list => list,
        },
        _ => Ok(None),
    };
    Ok(list.and_then(|list| claimed(row, list, lease)).map_err(|error| {
        let recent = column(row, "recent").unwrap_or(false);
        let may_be_newer = matches!(error, Error::Unknown { .. }) && recent;
        Unreadable { lease: lease.clone(), error, may_be_newer }
    }))
}

async fn list(store: &Store, row: &Row) -> Result<Option<OfferList>, Error> {
    let reader = MasterRef::Telegram(TelegramUserId(column(row, "chat_id")?));
    store
        .run(async |connection: Connection| {
            let [page] = connection.ready([&offers::PAGE]).await?;
            offers::read_page(&connection, &page, reader, 1, None, store.now()).await
        })
        .await
}

fn claimed(row: &Row, list: Option<OfferList>, lease: &Lease) -> Result<Claimed, Error> {
    let known = known(row, list)?;
    let in_place = known.kind == Kind::OfferEnded;
    let notification = known.notification();
    let more_cards: bool = column(row, "more_cards")?;
    Ok(Claimed {
        lease: lease.clone(),
        bot: if column::<&str>(row, "bot")? == BotName::Admin.as_word() { BotName::Admin } else { BotName::Master },
        user: TelegramUserId(column(row, "chat_id")?),
        message: column(row, if in_place { "card_message" } else { "message_id" })?,
        more: in_place && notification.is_some() && more_cards,
        notification,
        attempt: column(row, "attempts")?,
        stale: column(row, "stale")?,
    })
}

fn known(row: &Row, list: Option<OfferList>) -> Result<Known, Error> {
    let kind = column(row, "kind")?;
    let subject: Option<String> = column(row, "subject_name")?;
    let subject = subject.map(|name| {
        Ok::<_, Error>(Subject {
            name,
            phone: column(row, "subject_phone")?,
            unreachable: column(row, "subject_is_unreachable")?,
        })
    });
    Ok(Known {
        kind: Kind::parse(kind).ok_or_else(|| facts::unknown("kind of message", kind))?,
        concerned: column(row, "concerned")?,
        list,
        order: column::<Option<i64>>(row, "id")?.map(|_| order(row)).transpose()?,
        offer: facts::offer(row)?,
        after_seconds: column(row, "recalled_after_seconds")?,
        subject: subject.transpose()?,
        for_good: column(row, "for_good")?,
        reason: column(row, "reason")?,
    })
}

fn order(row: &Row) -> Result<KnownOrder, Error> {
    Ok(KnownOrder {
        card: facts::card(row)?,
        client: facts::client(row)?,
        status: facts::status(row)?,
        own: column(row, "own")?,
        escalation: column::<Option<&str>>(row, "escalation_reason")?.and_then(Escalation::parse),
    })
}
