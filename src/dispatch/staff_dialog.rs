//! Whoever comes to the dispatchers' bot, and the question that the next words answer. It is kept in the database, so a restart
//! forgets nothing.

use crate::model::dialog::Written;
use crate::model::staff::Place;
use crate::model::update::Action;
use crate::model::{Leaves, Origin, StaffDialog, StaffIncoming, StaffProfile, StaffRef, TelegramUserId};
use crate::store::updates::{self, Answer};
use crate::store::{self, Store, staff_dialogs};

/// Who sends an update, what it did before and what it may answer. `leaves`: which open question it leaves, unless it is
/// delivered again. `None`: nobody of the staff, and nothing is changed.
///
/// # Errors
/// When the database failed.
pub async fn arrive(
    store: &Store,
    staff: StaffRef,
    origin: &Origin,
    leaves: Leaves,
) -> Result<Option<StaffIncoming>, store::Error> {
    staff_dialogs::arrive(store, staff, origin, leaves).await
}

/// Somebody of the staff, and the open question. `None`: nobody of the staff.
///
/// # Errors
/// When the database failed.
pub async fn open(store: &Store, staff: StaffRef) -> Result<Option<(StaffProfile, Option<StaffDialog>)>, store::Error> {
    staff_dialogs::open(store, staff).await
}

/// Asks a question instead of the one before, once for each update: one that comes again opens no question that was closed since.
/// Whether the question is open now; false also if the person may not be asked that.
///
/// # Errors
/// When the database failed.
pub async fn ask(store: &Store, staff: StaffRef, dialog: StaffDialog, origin: &Origin) -> Result<bool, store::Error> {
    if staff_dialogs::ask(store, staff, dialog, origin).await? {
        return Ok(true);
    }
    let open = staff_dialogs::open(store, staff).await?.and_then(|(_, open)| open);
    Ok(open.is_some_and(|open| open.is_same_question(&dialog)))
}

/// Keeps a reason that is to be confirmed, if this is the open question; whether it is.
///
/// # Errors
/// When the database failed.
pub async fn keep(
    store: &Store,
    staff: StaffRef,
    dialog: &StaffDialog,
    written: &Written,
) -> Result<bool, store::Error> {
    staff_dialogs::keep(store, staff, dialog, written).await
}

/// The reason that is to be confirmed, if this is the open question; `None`: none was written.
///
/// # Errors
/// When the database failed.
pub async fn kept(store: &Store, staff: StaffRef, dialog: &StaffDialog) -> Result<Option<Written>, store::Error> {
    staff_dialogs::kept(store, staff, dialog).await
}

/// Ends the open question, if it is this one.
///
/// # Errors
/// When the database failed.
pub async fn end(store: &Store, staff: StaffRef, dialog: &StaffDialog) -> Result<(), store::Error> {
    staff_dialogs::end(store, staff, dialog).await
}

/// Records an update that was answered, so that it is recognised when it is delivered again; nothing if whatever it did has
/// recorded it.
///
/// # Errors
/// When the database failed.
pub async fn record(store: &Store, origin: &Origin) -> Result<(), store::Error> {
    let answer = Answer { action: Action::Show, order: None, outcome: "SHOWN", durable: false };
    updates::record_alone(store, Some(origin), None, answer).await
}

/// Enqueues a screen that could not be shown. Not tried within so many seconds.
///
/// # Errors
/// When the database failed.
pub async fn enqueue(
    store: &Store,
    user: TelegramUserId,
    place: Place,
    message: Option<i32>,
    seconds: u64,
) -> Result<(), store::Error> {
    store::outbox::enqueue_staff_screen(store, user, place, message, seconds).await
}
