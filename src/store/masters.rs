//! `masters`: who is behind a Telegram user, and how the first ones get in.

use super::{Connection, Error, Statement, Store, statement};
use crate::model::dialog::{Dialog, Profile, Question};
use crate::model::order::Category;
use crate::model::{MasterId, OrderId, Tap, TelegramUserId};

/// Reads what a master's menu shows, and the question that the master was asked last. `None` if no master is behind
/// `user`. `wrote`: the message that the user has just written to the bot, which therefore can write to the user, and
/// whether it was /start, with which the numbers of messages may begin anew.
///
/// # Errors
/// When the database failed.
pub async fn profile(
    store: &Store,
    user: TelegramUserId,
    wrote: Option<(i32, bool)>,
) -> Result<Option<Profile>, Error> {
    const WROTE: Statement = statement!(
        "masters.wrote",
        [INT8, INT4, BOOL],
        "UPDATE masters
         SET unreachable_since = NULL,
             last_message_id = CASE WHEN $3 /* start */ THEN $2 ELSE greatest(last_message_id, $2 /* message */) END
         WHERE telegram_user_id = $1 /* user */"
    );
    const PROFILE: Statement = statement!(
        "masters.profile",
        [INT8, TIMESTAMPTZ],
        "SELECT masters.full_name, masters.on_shift, dialog.kind, dialog.order_id, dialog.asked_after, dialog.answered_by,
                (SELECT count(*) FROM orders
                 WHERE assigned_master_id = masters.id
                   AND status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')) AS active_orders
         FROM masters
         -- A reason is not waited for so long that something else may be meant.
         LEFT JOIN dialogs AS dialog ON dialog.master_id = masters.id
             AND (kind <> 'RETURN_REASON' OR asked_at > coalesce($2, now()) /* now */ - interval '1 hour')
         WHERE telegram_user_id = $1 /* user */"
    );
    store
        .run(async |connection: Connection| {
            if let Some((message, start)) = wrote {
                connection.fetch(&WROTE, &[&user.0, &message, &start]).await?;
            }
            let rows = connection.fetch(&PROFILE, &[&user.0, &store.now()]).await?;
            Ok(rows.first().map(|row| Profile {
                full_name: row.get("full_name"),
                on_shift: row.get("on_shift"),
                active_orders: row.get("active_orders"),
                dialog: row.get::<_, Option<&str>>("kind").and_then(Question::parse).map(|question| Dialog {
                    question,
                    order: OrderId(row.get("order_id")),
                    asked_after: row.get("asked_after"),
                    answered_by: row.get("answered_by"),
                }),
            }))
        })
        .await
}

/// The Telegram user behind a master.
///
/// # Errors
/// When the database failed.
pub async fn user(store: &Store, master: MasterId) -> Result<Option<TelegramUserId>, Error> {
    const USER: Statement =
        statement!("masters.user", [INT8], "SELECT telegram_user_id FROM masters WHERE id = $1 /* master */");
    store
        .run(async |connection: Connection| {
            let rows = connection.fetch(&USER, &[&master.0]).await?;
            Ok(rows.first().map(|row| TelegramUserId(row.get("telegram_user_id"))))
        })
        .await
}

/// Sets whether the master who tapped is on shift, unless this very tap has done so; false if no master tapped.
///
/// # Errors
/// When the database failed.
pub async fn set_shift(store: &Store, by: &Tap, on_shift: bool) -> Result<bool, Error> {
    const SET: Statement = statement!(
        "masters.set_shift",
        [INT8, BOOL, TEXT, TIMESTAMPTZ],
        "WITH fresh AS (
             INSERT INTO taps (id, handled_at)
             SELECT $3 /* tap */, coalesce($4, now()) /* now */ FROM masters
             WHERE telegram_user_id = $1 /* user */ AND $3 IS NOT NULL
             ON CONFLICT DO NOTHING
             RETURNING id
         ), changed AS (
             UPDATE masters SET on_shift = $2 /* on shift */, unreachable_since = NULL
             WHERE telegram_user_id = $1 AND ($3 IS NULL OR EXISTS (SELECT FROM fresh))
         )
         SELECT id FROM masters WHERE telegram_user_id = $1"
    );
    store
        .run(async |connection: Connection| {
            Ok(!connection.fetch(&SET, &[&by.user.0, &on_shift, &by.query, &store.now()]).await?.is_empty())
        })
        .await
}

/// A master to be let in.
#[derive(Clone, Debug)]
pub struct NewMaster {
    /// The Telegram user.
    pub user: TelegramUserId,
    /// The full name.
    pub full_name: String,
    /// The phone.
    pub phone: Option<String>,
    /// The city's name; a city that is not there yet is added.
    pub city: String,
    /// The city's time zone, needed if the city is to be added.
    pub timezone: Option<String>,
    /// The trades.
    pub categories: Vec<Category>,
}

/// What became of a [`NewMaster`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// A new master.
    Added(MasterId),
    /// The Telegram user is a master already; nothing was changed.
    AlreadyThere(MasterId),
    /// There is no such city, and no time zone that PostgreSQL knows to add it with.
    UnknownCity,
    /// The city is there, in this other time zone; nothing was changed.
    OtherTimezone(String),
}

/// Adds a master, with the city if need be and the trades, or nothing.
///
/// # Errors
/// When the database failed.
pub async fn add(store: &Store, new: &NewMaster) -> Result<Added, Error> {
    const ADD: Statement =
        statement!("masters.add", [INT8, TEXT, TEXT, TEXT, TEXT, TEXT], include_str!("masters_add.sql"));
    let categories = new.categories.iter().map(|category| category.as_str()).collect::<Vec<_>>().join(",");
    store
        .run(async |connection: Connection| {
            let rows = connection
                .fetch(&ADD, &[&new.user.0, &new.full_name, &new.phone, &new.city, &new.timezone, &categories])
                .await?;
            let Some(row) = rows.first() else { return Ok(Added::UnknownCity) };
            if let Some(timezone) = row.get("other_timezone") {
                return Ok(Added::OtherTimezone(timezone));
            }
            let id = MasterId(row.get("id"));
            Ok(if row.get("added") { Added::Added(id) } else { Added::AlreadyThere(id) })
        })
        .await
}
