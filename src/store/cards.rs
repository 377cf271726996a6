//! `cards`: which message of a master's chat shows which offer. When the offer ends, those messages are edited or deleted; a card
//! that is not in here can be tapped for ever.

use super::{Error, Statement, Store, statement};
use crate::model::{OfferId, TelegramUserId};

/// Notes that a new message shows an offer.
///
/// # Errors
/// When the database failed.
pub async fn note(store: &Store, user: TelegramUserId, offer: OfferId, message: i32) -> Result<(), Error> {
    const NOTE: Statement = statement!(
        "cards.note",
        [INT8, INT4, INT8],
        "INSERT INTO cards (chat_id, message_id, offer_id)
         SELECT $1 /* user */, $2 /* message */, id FROM offers WHERE id = $3 /* offer */
         -- A tap there has been answered already.
         ON CONFLICT DO NOTHING"
    );
    store.run(async |connection| connection.fetch(&NOTE, &[&user.0, &message, &offer.0]).await.map(drop)).await
}

/// Whether a message is noted as showing an offer: nobody has tapped there since.
///
/// # Errors
/// When the database failed.
pub async fn is_noted(store: &Store, user: TelegramUserId, offer: OfferId, message: i32) -> Result<bool, Error> {
    const IS_NOTED: Statement = statement!(
        "cards.is_noted",
        [INT8, INT4, INT8],
        "SELECT FROM cards WHERE chat_id = $1 /* user */ AND message_id = $2 /* message */ AND offer_id = $3 /* offer */"
    );
    let rows = store.run(async |connection| connection.fetch(&IS_NOTED, &[&user.0, &message, &offer.0]).await).await?;
    Ok(!rows.is_empty())
}
