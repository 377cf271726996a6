//! Somebody who followed a master's invitation tells what a master is; see [`super::invite`] for how it begins.

use super::shift;
use crate::model::onboarding::{Complaint, Onboarding, Progress, Step, Told};
use crate::model::{MasterId, Origin, TelegramUserId};
use crate::store::{self, Connection, Store, onboardings};

/// What came of what somebody told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Onboarded {
    /// This is asked now.
    Asked {
        /// How far the person is.
        known: Onboarding,
        /// Why what was told is not taken.
        complaint: Option<Complaint>,
        /// What was told has just been taken, and was asked at this step.
        answered: Option<Step>,
    },
    /// All was told: a new master, who may be waiting until staff agree.
    Complete {
        /// Which master; `None`: somebody has let the person in meanwhile.
        master: Option<MasterId>,
        /// Whether staff have to agree.
        waits: bool,
    },
}

/// Whether somebody has followed a master's invitation and not told all yet.
///
/// # Errors
/// When the database failed.
pub async fn is_on_the_way(store: &Store, user: TelegramUserId) -> Result<bool, store::Error> {
    store.run(async |connection: Connection| onboardings::is_on_the_way(&connection, user).await).await
}

/// Takes what somebody tells, once for each update. `waiting_reason`: what a master who waits is told instead of a block's reason.
/// `None`: nobody who is on the way.
///
/// # Errors
/// When the database failed.
pub async fn tell(
    store: &Store,
    user: TelegramUserId,
    told: &Told,
    origin: &Origin,
    waiting_reason: &str,
) -> Result<Option<Onboarded>, store::Error> {
    let onboarded = store
        .run(async |connection: Connection| {
            let now = store.now();
            let [lock, note, keep, finish] = connection
                .ready([&onboardings::LOCK, &onboardings::NOTE_UPDATE, &onboardings::KEEP, &onboardings::FINISH])
                .await?;
            connection.begin().await?;
            let Some(known) = onboardings::lock(&connection, &lock, user).await? else {
                connection.rollback().await?;
                return Ok(None);
            };
            let new = onboardings::note_update(&connection, &note, origin, now).await?;
            let progress = if new { known.told(told) } else { Progress::AsBefore };
            let onboarded = match progress {
                Progress::AsBefore => Onboarded::Asked { known, complaint: None, answered: None },
                Progress::Stays(complaint) => Onboarded::Asked { known, complaint: Some(complaint), answered: None },
                Progress::Asks(next) => {
                    onboardings::keep(&connection, &keep, &next, now).await?;
                    let answered = (next.step != known.step).then_some(known.step);
                    Onboarded::Asked { known: next, complaint: None, answered }
                }
                Progress::Complete(all) => {
                    let master = onboardings::finish(&connection, &finish, &all, waiting_reason, now).await?;
                    Onboarded::Complete { master, waits: all.needs_approval }
                }
            };
            connection.commit().await?;
            Ok(Some(onboarded))
        })
        .await?;
    if let Some(Onboarded::Complete { master: Some(master), waits }) = &onboarded {
        let word = if *waits { "WAITS" } else { "SUCCESS" };
        tracing::info!(master = master.0, outcome = word, "onboarding {word}: master={master}");
        if !waits {
            shift::recheck_orders_for(store, *master).await;
        }
    }
    Ok(onboarded)
}
