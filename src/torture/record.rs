//! What is known in the end: every tap with what it was answered, everything that was shown, and what the database holds.
//!
//! Plain values, so that checks can be given a record in which something is wrong.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::{BotName, OrderStatus};

/// Milliseconds since 1970, by the machine's clock: PostgreSQL's and Telegram's alike.
pub(super) type Ms = i64;

/// Now, by the machine's clock.
pub(super) fn now() -> Ms {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ms::try_from(since.as_millis()).unwrap_or_default()
}

/// How far apart two clocks may be that are read on this machine one after the other, and how long a commit takes to be seen.
pub(super) const SLACK: Ms = 1000;
/// How long after its timestamp a row may be committed: PostgreSQL's `now()` is the transaction's beginning, whose statements
/// end after 5 seconds each.
pub(super) const COMMITTED_BY: Ms = 11_000;
/// How long after what a program has read it may still show it.
pub(super) const HANDLED_BY: Ms = 35_000;

/// A tap on a button, or a message.
#[derive(Clone, Debug, Default)]
pub(super) struct Tap {
    pub(super) bot: Option<BotName>,
    pub(super) person: i64,
    /// The button's data; empty for a message.
    pub(super) data: String,
    pub(super) made: Ms,
    /// From when to when each delivery took.
    pub(super) attempts: Vec<(Ms, Ms)>,
    /// When a delivery was first answered with 200.
    pub(super) served: Option<Ms>,
    /// What popped up, and when.
    pub(super) answers: Vec<(Ms, String)>,
}

impl Tap {
    /// From when on whoever gave an answer at that time may have looked: the beginning of the first delivery that had not ended.
    pub(super) fn looked_from(&self, answered: Ms) -> Ms {
        let under_way = self.attempts.iter().filter(|(from, until)| *from <= answered && *until + SLACK >= answered);
        under_way.map(|(from, _)| *from).min().unwrap_or(self.made)
    }

    /// Whether two deliveries had begun when an answer was given: the second is told what became of the first.
    pub(super) fn came_again(&self, answered: Ms) -> bool {
        self.attempts.iter().filter(|(from, _)| *from <= answered).count() > 1
    }

    /// The deliveries until the first was served: what is owed was to come of one of them.
    pub(super) fn until_served(&self) -> impl Iterator<Item = &(Ms, Ms)> {
        let served = self.served.unwrap_or(Ms::MAX / 2);
        self.attempts.iter().filter(move |(from, _)| *from <= served)
    }
}

/// What a message showed when it was sent or edited.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    pub(super) at: Ms,
    pub(super) bot: Option<BotName>,
    pub(super) person: i64,
    /// Orders with a button that takes them.
    pub(super) free: Vec<i64>,
    /// Orders by their number in the text.
    pub(super) orders: Vec<i64>,
    /// Clients whose name or phone it showed.
    pub(super) clients: Vec<i64>,
    /// Clients whose address it showed.
    pub(super) places: Vec<i64>,
}

/// What was told.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) shown: Vec<Shown>,
    /// When a screen was shown to somebody that is no message out of the blue, in order.
    pub(super) screens: HashMap<(BotName, i64), Vec<Ms>>,
    /// How many messages with a new offer came to whom, by person and order.
    pub(super) pushed: HashMap<(i64, i64), usize>,
    /// The same of cards that were tapped for, and sent because the message that was tapped in is gone.
    pub(super) sent: HashMap<(i64, i64), usize>,
    /// To whom a message said that something broke which trying again will not mend, and when.
    pub(super) broken: Vec<(i64, Ms)>,
}

/// An order as it is in the end.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) id: i64,
    pub(super) city: i64,
    /// Whose it is: each has a client of that number.
    pub(super) client: i64,
    pub(super) status: OrderStatus,
}

/// A row of the history.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) id: i64,
    pub(super) order: i64,
    pub(super) to: OrderStatus,
    pub(super) actor: String,
    /// Whose the order became, or whose it was until then.
    pub(super) master: Option<i64>,
    /// The beginning of its transaction.
    pub(super) begun: Ms,
    pub(super) committed: Ms,
}

/// An offer as it is in the end.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) order: i64,
    pub(super) master: i64,
    pub(super) state: String,
    pub(super) sent: Ms,
    pub(super) ended: Option<Ms>,
    pub(super) expires: Ms,
}

/// A master.
#[derive(Clone, Debug)]
pub(super) struct Master {
    pub(super) id: i64,
    pub(super) person: i64,
    /// How many orders are allowed, from when on, the first of them from ever.
    pub(super) limits: Vec<(Ms, i64)>,
    /// Whether he is blocked, from when on; not before the first.
    pub(super) blocks: Vec<(Ms, bool)>,
}

impl Master {
    /// What was allowed at any moment between two, give or take.
    pub(super) fn limits_between(&self, from: Ms, until: Ms) -> impl Iterator<Item = i64> {
        in_force(&self.limits, from, until)
    }

    /// Whether he was blocked, or was not, at any moment between two, give or take.
    pub(super) fn was_blocked(&self, is: bool, from: Ms, until: Ms) -> bool {
        let never = !is && self.blocks.first().is_none_or(|(at, _)| *at + SLACK >= from);
        never || in_force(&self.blocks, from, until).any(|blocked| blocked == is)
    }
}

/// What was so at any moment between two, of what came to be so one after the other.
fn in_force<T: Copy>(changes: &[(Ms, T)], from: Ms, until: Ms) -> impl Iterator<Item = T> {
    let ends = changes.iter().skip(1).map(|(at, _)| *at).chain([Ms::MAX / 2]);
    let spans = changes.iter().zip(ends);
    spans
        .filter(move |((begins, _), ends)| *begins <= until + SLACK && *ends + SLACK >= from)
        .map(|((_, value), _)| *value)
}

/// A row of the outbox.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) id: i64,
    pub(super) person: i64,
    pub(super) kind: String,
    pub(super) order: Option<i64>,
    pub(super) created: Ms,
    pub(super) finished: Option<Ms>,
    pub(super) dropped: Option<String>,
    /// Whether it is to change a message that is there.
    pub(super) edits: bool,
}

/// An order that a program has asked for, and what it was answered.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) client: i64,
    /// Every order that it was told it has made.
    pub(super) told: BTreeSet<i64>,
}

/// A card in a chat from which an order can be taken.
#[derive(Clone, Debug)]
pub(super) struct Card {
    pub(super) person: i64,
    pub(super) order: i64,
    pub(super) message: i32,
    /// Whether it is a new offer's as it was sent; otherwise somebody has tapped for it.
    pub(super) pushed: bool,
    /// Whether it is as it was sent, and came in no message that was there.
    pub(super) sent: bool,
}

/// A time in which processes or the database may have been held up: a fault, and what it took to be well again.
pub(super) type Trouble = (Ms, Ms);

/// Everything.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    pub(super) taps: Vec<Tap>,
    pub(super) told: Told,
    pub(super) orders: Vec<Order>,
    /// By order, then by id.
    pub(super) changes: Vec<Change>,
    pub(super) offers: Vec<Offer>,
    pub(super) masters: Vec<Master>,
    /// The cities of everybody in the dispatchers' bot, by Telegram id.
    pub(super) staff: BTreeMap<i64, BTreeSet<i64>>,
    pub(super) outbox: Vec<Message>,
    pub(super) made: Vec<Made>,
    /// What is in the chats in the end.
    pub(super) cards: Vec<Card>,
    /// What the database has noted of them: a person, a message, and the order that it shows.
    pub(super) noted: HashSet<(i64, i32, i64)>,
    /// Who has blocked a bot at some time, by Telegram id.
    pub(super) blocked_bot: BTreeSet<i64>,
    /// When a fault of the processes or of the database was in force.
    pub(super) troubles: Vec<Trouble>,
    /// When nothing was owed to anybody; what was written after it is not looked at.
    pub(super) settled: Option<Ms>,
    /// What the queries for broken invariants have found: the invariant, its name, and each.
    pub(super) queries: Vec<(u8, &'static str, Vec<String>)>,
    /// What is wrong with the processes: ended by themselves, panicked, did not recover.
    pub(super) processes: Vec<String>,
    /// What they have logged that must not be.
    pub(super) logged: Vec<String>,
    /// What does not verify.
    pub(super) unsealed: Vec<String>,
    /// Statuses other than 200 and 503, each with what was delivered.
    pub(super) odd_statuses: Vec<String>,
    /// The last orders, which nobody disturbed, each with the only person who was to take it; or why it was not offered.
    pub(super) last: Vec<Result<(i64, i64), String>>,
}

/// For how long an order was in a status, and whose.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span<'a> {
    pub(super) from: Ms,
    pub(super) until: Ms,
    pub(super) status: OrderStatus,
    /// Whose it is, or was last.
    pub(super) master: Option<i64>,
    /// Who gave it to that master; nobody did if it is empty.
    pub(super) by: &'a str,
}

/// The lives of orders.
#[derive(Debug, Default)]
pub(super) struct Lives<'a> {
    spans: HashMap<i64, Vec<Span<'a>>>,
}

impl<'a> Lives<'a> {
    pub(super) fn of(record: &'a Record) -> Self {
        let mut spans: HashMap<i64, Vec<Span<'a>>> = HashMap::new();
        for order in &record.orders {
            let whole =
                Span { from: Ms::MIN / 2, until: Ms::MAX / 2, status: OrderStatus::Created, master: None, by: "" };
            spans.insert(order.id, vec![whole]);
        }
        for change in &record.changes {
            let Some(of_order) = spans.get_mut(&change.order) else { continue };
            let Some(last) = of_order.last_mut() else { continue };
            last.until = change.committed;
            let mut next = Span { from: change.committed, until: Ms::MAX / 2, status: change.to, ..*last };
            if change.to == OrderStatus::Assigned {
                (next.master, next.by) = (change.master, &change.actor);
            }
            of_order.push(next);
        }
        Self { spans }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (i64, &[Span<'a>])> {
        self.spans.iter().map(|(order, spans)| (*order, &spans[..]))
    }

    /// What an order was at any moment between two, give or take.
    pub(super) fn between(&self, order: i64, from: Ms, until: Ms) -> impl Iterator<Item = &Span<'a>> {
        let spans = self.spans.get(&order).map(Vec::as_slice).unwrap_or_default();
        spans.iter().filter(move |span| span.from <= until + SLACK && span.until + SLACK >= from)
    }
}
