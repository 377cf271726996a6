//! A master opens an order's card, which marks a live offer as viewed.

use jiff::civil::DateTime;
use tokio::join;

use super::locked::{self, Answered};
use crate::model::facts::{Facts, Standing};
use crate::model::order::{OrderCard, OwnOrder};
use crate::model::{OrderId, Tap};
use crate::store::{self, Connection, Store};

/// What the master gets to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ViewOutcome {
    /// A live offer: no client yet.
    Offered {
        /// The order.
        card: OrderCard,
        /// Until when it can be accepted, on the clocks of the order's city.
        expires: DateTime,
    },
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

/// Shows `order` to the master who tapped, with the list for when there is nothing to show. `None`: no master tapped.
///
/// # Errors
/// When the database failed.
pub async fn view(
    store: &Store,
    order: OrderId,
    by: &Tap,
    page: i64,
) -> Result<Option<Answered<ViewOutcome>>, store::Error> {
    let now = store.now();
    // Which tap it is and what its message shows is of no concern to the list, which is not shown if there is a card.
    let anybody = &Tap { user: by.user, query: None, message: None };
    store
        .run(async |connection: Connection| {
            let [mark_viewed, facts, list] =
                connection.ready([&store::offers::MARK_VIEWED, &store::facts::READ, &store::offers::PAGE]).await?;
            let (marked, facts, list) = join!(
                store::offers::mark_viewed(&connection, &mark_viewed, order, by, now),
                store::facts::read(&connection, &facts, order, anybody, now),
                store::offers::read_page(&connection, &list, anybody, page, now),
            );
            marked?;
            let fresh = locked::if_read(list);
            Ok(facts?.map(|facts| Answered { master: facts.master.id, outcome: see(facts), fresh, told: false }))
        })
        .await
}

fn see(facts: Facts) -> ViewOutcome {
    let standing = facts.standing();
    let Some(order) = facts.order else { return ViewOutcome::NotFound };
    match standing {
        Standing::Offered(offer) => ViewOutcome::Offered { card: order.order.card, expires: offer.expires },
        Standing::Yours => ViewOutcome::Yours(order.order),
        Standing::Unknown => ViewOutcome::NotFound,
        Standing::Withdrawn => ViewOutcome::Withdrawn,
        Standing::Taken => ViewOutcome::Taken,
        Standing::Declined => ViewOutcome::Declined,
        Standing::Expired => ViewOutcome::Expired,
    }
}
