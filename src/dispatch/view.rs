//! What a master looks at: lists, cards, the menu. Each read records the update in the same transaction, so its side effects
//! happen once.

use tokio::join;

use super::transaction::{self, Answered};
use crate::model::dialog::Profile;
use crate::model::facts::{Blocked, Facts, Standing};
use crate::model::notification::Kind;
use crate::model::order::{OrderCard, OwnOrder};
use crate::model::update::Action;
use crate::model::{ActiveList, Deadline, MasterRef, OfferId, OfferList, OrderId, Origin, TelegramUserId};
use crate::store::cards::Shows;
use crate::store::updates::{self, Answer};
use crate::store::{self, Connection, Ready, Store};

/// What the master gets to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ViewOutcome {
    /// A live offer: no client yet.
    Offered {
        /// The offer.
        offer: OfferId,
        /// The order.
        card: OrderCard,
        /// Until when it can be accepted.
        expires: Deadline,
    },
    /// The master is blocked, and sees nobody's address.
    Blocked(Blocked),
    /// The master's own order, client and all.
    Yours(OwnOrder),
    /// No offer of this order to this master, and not this master's order.
    NotFound,
    /// The order was canceled or closed, or the offer recalled.
    Withdrawn,
    /// Another master has it.
    Taken,
    /// This master declined it before.
    Declined,
    /// The offer's deadline has passed.
    Expired,
}

/// Records that a screen was asked for, in the open transaction.
pub(super) async fn record(
    store: &Store,
    connection: &Connection,
    statement: &Ready,
    master: MasterRef,
    origin: Option<&Origin>,
    durable: bool,
) -> Result<(), store::Error> {
    let answer = Answer { action: Action::Show, order: None, outcome: "SHOWN", durable };
    updates::record(connection, statement, origin, Some(master), answer, store.now()).await.map(drop)
}

/// Reads something in a transaction that records the update.
macro_rules! look {
    ($store:expr, $master:expr, $origin:expr, $statement:expr, $read:expr) => {
        $store
            .run(async |connection: Connection| {
                let [recorder, statement] = connection.ready([&updates::RECORD, $statement]).await?;
                let (begun, recorded, read, committed) = join!(
                    connection.begin(),
                    record($store, &connection, &recorder, $master, $origin, false),
                    $read(&connection, &statement),
                    connection.commit(),
                );
                begun?;
                recorded?;
                let read = read?;
                committed?;
                Ok(read)
            })
            .await
    };
}

/// A page of a master's live offers. `None`: there is no such master.
///
/// # Errors
/// When the database failed.
pub async fn offers(
    store: &Store,
    master: MasterRef,
    origin: Option<&Origin>,
    page: i64,
) -> Result<Option<OfferList>, store::Error> {
    let message = origin.and_then(|origin| origin.message);
    let list = look!(store, master, origin, &store::offers::PAGE, |connection, statement| store::offers::read_page(
        connection,
        statement,
        master,
        page,
        message,
        store.now()
    ))?;
    Ok(explained(store, list).await)
}

/// A list with why it is empty. That the limit could not be read hides nothing.
async fn explained(store: &Store, list: Option<OfferList>) -> Option<OfferList> {
    let list = list?;
    if !list.is_unexplained() {
        return Some(list);
    }
    match store::masters::load(store, list.master).await {
        Ok(Some((active, limit))) => Some(list.of_load(active, limit)),
        Ok(None) => Some(list),
        Err(error) => {
            tracing::warn!(%error, "why a list is empty could not be read");
            Some(list)
        }
    }
}

/// A page of a master's live offers, for an answer that changed nothing; from then on `message` shows it. `None`: there is no
/// such master.
///
/// # Errors
/// When the database failed.
pub async fn offers_in(
    store: &Store,
    master: MasterRef,
    message: Option<i32>,
    page: i64,
) -> Result<Option<OfferList>, store::Error> {
    let list = store
        .run(async |connection: Connection| {
            let [list] = connection.ready([&store::offers::PAGE]).await?;
            connection.alone(store::offers::read_page(&connection, &list, master, page, message, store.now())).await
        })
        .await?;
    Ok(explained(store, list).await)
}

/// A page of a master's active orders. `None`: there is no such master.
///
/// # Errors
/// When the database failed.
pub async fn active(
    store: &Store,
    master: MasterRef,
    origin: Option<&Origin>,
    page: i64,
) -> Result<Option<ActiveList>, store::Error> {
    look!(store, master, origin, &store::orders::ACTIVE_PAGE, |connection, statement| {
        store::orders::read_active_page(connection, statement, master, page, store.now())
    })
}

/// What a master's menu shows. `None`: there is no such master.
///
/// # Errors
/// When the database failed.
pub async fn menu(store: &Store, master: MasterRef, origin: Option<&Origin>) -> Result<Option<Profile>, store::Error> {
    look!(store, master, origin, &store::masters::PROFILE, |connection, statement| {
        store::masters::read_profile(connection, statement, master)
    })
}

/// An order as a master stands to it. `None`: there is no such master.
///
/// # Errors
/// When the database failed.
pub async fn own(
    store: &Store,
    order: OrderId,
    master: MasterRef,
    origin: Option<&Origin>,
) -> Result<Option<Facts>, store::Error> {
    look!(store, master, origin, &store::facts::READ, |connection, statement| {
        store::facts::read(connection, statement, order, master, None, store.now())
    })
}

/// Shows an offered order's card, which marks the offer as viewed; with the list for when there is nothing to show. `None`:
/// there is no such master.
///
/// # Errors
/// When the database failed.
pub async fn card(
    store: &Store,
    order: OrderId,
    master: MasterRef,
    origin: Option<&Origin>,
    page: i64,
) -> Result<Option<Answered<ViewOutcome>>, store::Error> {
    let now = store.now();
    let message = origin.and_then(|origin| origin.message);
    store
        .run(async |connection: Connection| {
            let [record_shown, mark_viewed, facts, list] = connection
                .ready([&updates::RECORD, &store::offers::MARK_VIEWED, &store::facts::READ, &store::offers::PAGE])
                .await?;
            // Releases no card: this message may be about to show one.
            let list = store::offers::read_page(&connection, &list, master, page, None, now);
            let (begun, shown, marked, facts, (committed, list)) = join!(
                connection.begin(),
                // A card that is forgotten when PostgreSQL crashes could be tapped for ever.
                record(store, &connection, &record_shown, master, origin, true),
                store::offers::mark_viewed(&connection, &mark_viewed, order, master, message, now),
                store::facts::read(&connection, &facts, order, master, None, now),
                connection.commit_then(list),
            );
            begun?;
            shown?;
            marked?;
            let (facts, fresh) = (facts?, transaction::if_read(list));
            committed?;
            Ok(facts.map(|facts| Answered { master: facts.master.id, outcome: see(facts), fresh, enqueued: false }))
        })
        .await
}

/// Notes that a new message shows an offer, because the one that was tapped in is gone.
///
/// # Errors
/// When the database failed.
pub async fn note_card(
    store: &Store,
    user: TelegramUserId,
    offer: OfferId,
    message: i32,
    gone: Option<i32>,
) -> Result<(), store::Error> {
    store::cards::note(store, user, offer, message, gone).await
}

/// Looks what a message is to show into which the card of an offer was edited, or that an order's offer has ended: if that is
/// something else by now, it is enqueued. Whether it was.
///
/// # Errors
/// When the database failed.
pub async fn show_what_is_covered(
    store: &Store,
    user: TelegramUserId,
    message: i32,
    order: OrderId,
    offer: Option<OfferId>,
) -> Result<bool, store::Error> {
    let screen = match store::cards::shows(store, user, message, order, offer).await? {
        Shows::Card => return Ok(false),
        Shows::Order(order) => (Kind::Card, Some(order)),
        Shows::List => (Kind::List, None),
    };
    enqueue(store, user, screen, Some(message), 0).await.map(|()| true)
}

fn see(facts: Facts) -> ViewOutcome {
    let standing = facts.standing();
    let Some(order) = facts.order else { return ViewOutcome::NotFound };
    match standing {
        Standing::Offered(offer) => match facts.master.blocked {
            Some(blocked) => ViewOutcome::Blocked(blocked),
            None => ViewOutcome::Offered { offer: offer.id, card: order.order.card, expires: offer.expires },
        },
        Standing::Yours => ViewOutcome::Yours(order.order),
        Standing::Unknown => ViewOutcome::NotFound,
        Standing::Withdrawn => ViewOutcome::Withdrawn,
        Standing::Taken => ViewOutcome::Taken,
        Standing::Declined => ViewOutcome::Declined,
        Standing::Expired => ViewOutcome::Expired,
    }
}

/// Enqueues a screen that an update came to and that could not be shown. Not tried within so many seconds.
///
/// # Errors
/// When the database failed.
pub async fn enqueue(
    store: &Store,
    user: TelegramUserId,
    (kind, order): (Kind, Option<OrderId>),
    message: Option<i32>,
    seconds: u64,
) -> Result<(), store::Error> {
    store::outbox::enqueue_screen(store, user, kind, order, message, seconds).await
}
