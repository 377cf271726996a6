//! Results: what became of a message, recorded with all that follows from it.

use tokio_postgres::types::ToSql;

use super::super::{Connection, Error, Ready, Statement, Store, column, statement};
use super::{Because, Finish, Lease, Said};
use crate::model::OfferId;

/// So many different people in a row whom Telegram cannot reach, and none whom it can: something is wrong with the bot, its
/// token or the address of the Bot API, and with none of the people.
const STREAK: i32 = 3;
/// While that lasts, what was refused waits for so many seconds; what was refused before that was known, for a third of that
/// and more.
const STREAK_WAIT: f64 = 60.0;
/// And so many seconds pass between two tries.
const STREAK_PACE: f64 = 1.0;
/// In so many seconds a refusal is asked for again that could not be noted, because somebody holds the person's row.
const HELD_WAIT: f64 = 10.0;

const FINISH: Statement = statement!(
    "outbox.finish",
    [
        INT8_ARRAY,
        TEXT,
        TIMESTAMPTZ,
        BOOL,
        FLOAT8,
        TEXT,
        INT4,
        INT4,
        TEXT,
        FLOAT8,
        INT8_ARRAY,
        BOOL,
        BOOL,
        INT8_ARRAY,
        TEXT_ARRAY,
        BOOL_ARRAY,
        INT8
    ],
    include_str!("finish.sql")
);

/// What an attempt was about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attempted<'a> {
    /// The message that was edited.
    pub message: Option<i32>,
    /// The offer whose card it shows, if the row itself names none.
    pub card_of: Option<OfferId>,
    /// Whether there are further ones to edit.
    pub more: bool,
    /// Those of the rows that had nothing to say any more, of several.
    pub overtaken: &'a [i64],
    /// Whether it has waited for a day.
    pub stale: bool,
    /// The calls for staff that it says.
    pub calls: &'a [Said],
}

/// What recording a result has shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Whether the message that was edited had been taken over by a tap meanwhile, whose answer the edit may have covered.
    pub taken_over: bool,
    /// That Telegram has refused not this person but everybody: the row waits instead of being dropped.
    pub refuses_everybody: Option<RefusesEverybody>,
    /// That somebody holds the person's row: nothing was noted, and the row is tried again.
    pub person_is_held: bool,
}

/// That an operator has to mend something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusesEverybody {
    /// How many different people it has refused in a row.
    pub people: i32,
    /// Whether this is the refusal that shows it; otherwise it has been said before.
    pub begins: bool,
}

/// The columns that a result changes.
struct Change<'a> {
    done: bool,
    wait: f64,
    because: Option<&'a str>,
    card: Option<i32>,
    gone: Option<i32>,
    error: Option<&'a str>,
    bot_waits: Option<f64>,
    own_failure: bool,
    delivered: bool,
}

impl<'a> Change<'a> {
    /// To be tried again in so many seconds, for no fault of the row.
    fn wait(seconds: f64) -> Self {
        Self {
            done: false,
            wait: seconds,
            because: None,
            card: None,
            gone: None,
            error: None,
            bot_waits: None,
            own_failure: false,
            delivered: false,
        }
    }

    fn of(how: &'a Finish, attempted: &Attempted<'_>) -> Self {
        // Of several cards one after another is edited.
        let done = !attempted.more;
        let kept = Self { done, gone: attempted.message, ..Self::wait(0.0) };
        match how {
            Finish::Sent { card } => Self { card: *card, delivered: true, ..kept },
            Finish::Later { seconds, whole_bot } => Self {
                done: false,
                wait: seconds_of(*seconds),
                gone: None,
                bot_waits: whole_bot.then(|| seconds_of(*seconds)),
                own_failure: !whole_bot,
                ..kept
            },
            Finish::Dropped(because) => {
                let error = if let Because::Unreadable(error) = because { Some(error.as_str()) } else { None };
                Self { because: done.then(|| because.as_str()), error: error.filter(|_| done), ..kept }
            }
        }
    }

    async fn make(
        &self,
        connection: &Connection,
        finish: &Ready,
        store: &Store,
        lease: &Lease,
        attempted: Attempted<'_>,
    ) -> Result<bool, Error> {
        let (rows, now) = (lease.rows(), store.now());
        let calls: Vec<i64> = attempted.calls.iter().map(|said| said.row).collect();
        let seen: Vec<&str> = attempted.calls.iter().map(|said| said.seen.as_str()).collect();
        let over: Vec<bool> = attempted.calls.iter().map(|said| said.over).collect();
        let card_of = attempted.card_of.map(|offer| offer.0);
        let params: [&(dyn ToSql + Sync); 17] = [
            &rows,
            &lease.key,
            &now,
            &self.done,
            &self.wait,
            &self.because,
            &self.card,
            &self.gone,
            &self.error,
            &self.bot_waits,
            &attempted.overtaken,
            &self.own_failure,
            &self.delivered,
            &calls,
            &seen,
            &over,
            &card_of,
        ];
        let rows = connection.query(finish, &params).await?;
        rows.first().map_or(Ok(false), |row| column(row, "taken_over"))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a wait of that many seconds never ends")]
fn seconds_of(seconds: u64) -> f64 {
    seconds as f64
}

/// Records the result of an attempt, unless its lease has ended and somebody else tries.
///
/// # Errors
/// When the database failed; the row is tried again when the lease ends.
pub async fn finish(store: &Store, lease: &Lease, how: &Finish, attempted: Attempted<'_>) -> Result<Recorded, Error> {
    let change = Change::of(how, &attempted);
    store
        .run(async |connection: Connection| {
            if *how == Finish::Dropped(Because::Unreachable) {
                return refused(&connection, store, lease, &change, attempted).await;
            }
            let [finish] = connection.ready([&FINISH]).await?;
            let taken_over = change.make(&connection, &finish, store, lease, attempted).await?;
            Ok(Recorded { taken_over, ..Recorded::default() })
        })
        .await
}

/// Records that Telegram cannot reach a person: marks the person, unless it has said so of others too and has reached
/// nobody in between. What was done about those others is then undone.
///
/// The bot's row is locked before it is looked at, so that what follows sees what was done about those others; and while it is
/// locked nobody is waited for, as no message of the bot is claimed.
async fn refused(
    connection: &Connection,
    store: &Store,
    lease: &Lease,
    change: &Change<'_>,
    attempted: Attempted<'_>,
) -> Result<Recorded, Error> {
    const HOLD: Statement = statement!("outbox.hold", [INT8_ARRAY, TEXT], include_str!("hold.sql"));
    const REFUSE: Statement = statement!("outbox.refuse", [INT8, TEXT, TIMESTAMPTZ], include_str!("refuse.sql"));
    const UNDO: Statement =
        statement!("outbox.undo_refusals", [INT8, TIMESTAMPTZ, FLOAT8], include_str!("undo_refusals.sql"));
    let now = store.now();
    let [hold, refuse, undo, finish] = connection.ready([&HOLD, &REFUSE, &UNDO, &FINISH]).await?;
    connection.begin().await?;
    let answer = connection.query(&hold, &[&lease.rows(), &lease.key]).await?;
    if answer.first().map_or(Ok(false), |row| column(row, "person_is_held"))? {
        Change::wait(HELD_WAIT).make(connection, &finish, store, lease, attempted).await?;
        connection.commit().await?;
        return Ok(Recorded { person_is_held: true, ..Recorded::default() });
    }
    let rows = connection.query(&refuse, &[&lease.row, &lease.key, &now]).await?;
    let people: i32 = rows.first().map_or(Ok(0), |row| column(row, "people"))?;
    let mut recorded = Recorded::default();
    if people < STREAK {
        recorded.taken_over = change.make(connection, &finish, store, lease, attempted).await?;
    } else {
        let undone = connection.query(&undo, &[&lease.row, &now, &(STREAK_WAIT / 3.0)]).await?;
        let begins = undone.first().map_or(Ok(false), |row| column(row, "begins"))?;
        recorded.refuses_everybody = Some(RefusesEverybody { people, begins });
        let abandoned = attempted.stale;
        let waits = Change {
            done: abandoned,
            because: abandoned.then(|| Because::Abandoned.as_str()),
            bot_waits: Some(STREAK_PACE),
            ..Change::wait(if abandoned { 0.0 } else { STREAK_WAIT })
        };
        waits.make(connection, &finish, store, lease, attempted).await?;
    }
    connection.commit().await?;
    Ok(recorded)
}
