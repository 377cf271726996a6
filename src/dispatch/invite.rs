//! Invitations: made and revoked by staff or an operator, and followed by whom they let in.

use std::time::Duration;

use crate::model::invitation::{Code, Invitation, Invited};
use crate::model::{BotName, CityId, Origin, StaffRef, TelegramUserId};
use crate::store::{self, Connection, Store, invitations, onboardings, staff};

/// For how long an invitation can be followed, unless somebody says otherwise.
pub const EXPIRES_IN: Duration = Duration::from_hours(3 * 24);

/// The outcome of [`create`].
#[derive(Clone, Debug)]
pub enum InviteOutcome {
    /// Its number, and the code, which is known to nobody else.
    Created(i64, Code),
    /// The person may not let that one in.
    NotAllowed,
    /// This very update has made one before, whose code is kept nowhere.
    AlreadyCreated,
}

/// Makes an invitation, once for each update. `by`: somebody of the staff; `None`: an operator.
///
/// # Errors
/// When the database failed.
///
/// # Panics
/// When the operating system has no random bytes.
pub async fn create(
    store: &Store,
    by: Option<StaffRef>,
    invited: &Invited,
    expires_in: Duration,
    origin: Option<&Origin>,
) -> Result<InviteOutcome, store::Error> {
    let code = Code::of(&super::secret::random());
    let outcome = store
        .run(async |connection: Connection| {
            let [note, create, find] =
                connection.ready([&onboardings::NOTE_UPDATE, &invitations::CREATE, &invitations::FIND]).await?;
            connection.begin().await?;
            if let Some(origin) = origin
                && !onboardings::note_update(&connection, &note, origin, store.now()).await?
            {
                // Made by a try of this very call whose answer was lost: its link is known nowhere else.
                let made = invitations::find(&connection, &find, &code).await?;
                connection.rollback().await?;
                return Ok(made.map_or(InviteOutcome::AlreadyCreated, |id| InviteOutcome::Created(id, code.clone())));
            }
            let created =
                invitations::create(&connection, &create, by, &code, invited, expires_in, store.now()).await?;
            let Some(id) = created else {
                connection.rollback().await?;
                return Ok(InviteOutcome::NotAllowed);
            };
            connection.commit().await?;
            Ok(InviteOutcome::Created(id, code.clone()))
        })
        .await?;
    if let InviteOutcome::Created(id, _) = &outcome {
        tracing::info!(invitation = id, bot = invited.bot().as_str(), "invite SUCCESS: invitation={id}");
    }
    Ok(outcome)
}

/// The invitations that can still let somebody in. `by` as in [`create`].
///
/// # Errors
/// When the database failed.
pub async fn open(store: &Store, by: Option<StaffRef>) -> Result<Vec<Invitation>, store::Error> {
    invitations::open(store, by).await
}

/// The cities that somebody of the staff may invite to, by name.
///
/// # Errors
/// When the database failed.
pub async fn cities(store: &Store, staff: StaffRef) -> Result<Vec<(CityId, String)>, store::Error> {
    invitations::cities(store, staff).await
}

/// Revokes an invitation, which then lets nobody in; false: it is none that could, or not this person's to revoke.
///
/// # Errors
/// When the database failed.
pub async fn revoke(store: &Store, by: Option<StaffRef>, invitation: i64) -> Result<bool, store::Error> {
    let revoked = store
        .run(async |connection: Connection| {
            let [lock, wait_for, revoke] =
                connection.ready([&invitations::LOCK, &invitations::WAIT_FOR, &invitations::REVOKE]).await?;
            let statements = [&lock, &wait_for, &revoke];
            connection.alone(invitations::revoke(&connection, statements, by, invitation, store.now())).await
        })
        .await?;
    tracing::info!(
        invitation,
        "invite_revoke {}: invitation={invitation}",
        if revoked { "SUCCESS" } else { "NOT_FOUND" }
    );
    Ok(revoked)
}

/// Why a link lets nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLink {
    /// It is none of ours, or the other bot's.
    Unknown,
    /// Somebody else was first.
    Used,
    /// It was revoked.
    Revoked,
    /// It was followed too late.
    Expired,
}

impl DeadLink {
    /// The word in log lines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Used => "USED",
            Self::Revoked => "REVOKED",
            Self::Expired => "EXPIRED",
        }
    }
}

/// Follows a master's invitation: from then on the person is asked what a master is.
///
/// # Errors
/// When the database failed.
pub async fn follow_to_masters(
    store: &Store,
    code: &str,
    user: TelegramUserId,
) -> Result<Result<(), DeadLink>, store::Error> {
    let followed = store
        .run(async |connection: Connection| {
            connection.begin().await?;
            let taken = match claim(store, &connection, code, BotName::Master, user).await? {
                Ok(taken) => taken,
                Err(dead) => {
                    connection.rollback().await?;
                    return Ok(Err(dead));
                }
            };
            if let Invited::Master { city, .. } = taken.invited {
                let [begin] = connection.ready([&onboardings::BEGIN]).await?;
                onboardings::begin(&connection, &begin, user, taken.id, city, store.now()).await?;
            }
            connection.commit().await?;
            Ok(Ok(()))
        })
        .await?;
    log(BotName::Master, followed);
    Ok(followed)
}

/// Follows a staff member's invitation: the person is of the staff at once. `name`: what Telegram calls the person.
///
/// # Errors
/// When the database failed.
pub async fn follow_to_staff(
    store: &Store,
    code: &str,
    user: TelegramUserId,
    name: &str,
) -> Result<Result<(), DeadLink>, store::Error> {
    let followed = store
        .run(async |connection: Connection| {
            connection.begin().await?;
            let taken = match claim(store, &connection, code, BotName::Admin, user).await? {
                Ok(taken) => taken,
                Err(dead) => {
                    connection.rollback().await?;
                    return Ok(Err(dead));
                }
            };
            if let Invited::Staff { role, cities, full_name } = &taken.invited {
                staff::let_in(&connection, user, full_name.as_deref().unwrap_or(name), *role, cities).await?;
            }
            connection.commit().await?;
            Ok(Ok(()))
        })
        .await?;
    log(BotName::Admin, followed);
    Ok(followed)
}

async fn claim(
    store: &Store,
    connection: &Connection,
    code: &str,
    bot: BotName,
    user: TelegramUserId,
) -> Result<Result<invitations::Taken, DeadLink>, store::Error> {
    let Some(code) = Code::parse(code) else { return Ok(Err(DeadLink::Unknown)) };
    let [claim, why_not] = connection.ready([&invitations::CLAIM, &invitations::WHY_NOT]).await?;
    if let Some(taken) = invitations::claim(connection, &claim, &code, bot, user, store.now()).await? {
        return Ok(Ok(taken));
    }
    let why_not = invitations::why_not(connection, &why_not, &code, bot).await?;
    Ok(Err(why_not.map_or(DeadLink::Unknown, |(used, revoked)| match (used, revoked) {
        (_, true) => DeadLink::Revoked,
        (true, false) => DeadLink::Used,
        (false, false) => DeadLink::Expired,
    })))
}

/// Who it was is nobody's who is known: no id.
fn log(bot: BotName, followed: Result<(), DeadLink>) {
    let word = followed.map_or_else(DeadLink::name, |()| "SUCCESS");
    tracing::info!(bot = bot.as_str(), outcome = word, "invitation_follow {word}: bot={}", bot.as_str());
}
