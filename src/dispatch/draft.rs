//! Somebody of the staff takes a new order in, a field at a time or a whole message at once. What was said so far is kept in the
//! database: it outlives a restart, and is left after a day.

use tokio::join;

use crate::model::city::City;
use crate::model::draft::{Around, Draft, DraftId, Field, Hand, Said};
use crate::model::selection::{Candidate, Exclusion, Pool, Search};
use crate::model::update::Action;
use crate::model::{MasterId, OrderId, Origin, StaffProfile, StaffRef};
use crate::store::updates::{self, Answer};
use crate::store::{self, Connection, Store, drafts, rounds};

/// Every answer to something that is said of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SayOutcome {
    /// Committed: the draft as it is now. Also if this very update did so before.
    Said(Box<Draft>),
    /// It is none of the choices any more; the draft as it was.
    Gone(Box<Draft>),
    /// The draft has changed since whoever says it has read it, and nothing is entered.
    Changed,
    /// An order was made of the draft.
    Made(OrderId),
    /// There is no such draft any more, or the person may not make orders.
    NoDraft,
}

impl SayOutcome {
    /// The word in counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Said(_) => "SUCCESS",
            Self::Gone(_) => "GONE",
            Self::Changed => "CHANGED",
            Self::Made(_) => "MADE",
            Self::NoDraft => "NO_DRAFT",
        }
    }
}

/// The cities in which somebody may make orders; none for whoever may not.
///
/// # Errors
/// When the database failed.
pub async fn cities(store: &Store, staff: StaffRef) -> Result<Vec<City>, store::Error> {
    drafts::cities(store, staff).await
}

/// The draft that somebody has left or is at.
///
/// # Errors
/// When the database failed.
pub async fn open(store: &Store, staff: StaffRef) -> Result<Option<Draft>, store::Error> {
    drafts::open(store, staff).await
}

/// Every answer to whoever begins a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BeginOutcome {
    /// Committed: the new draft. Also if this very update did so before.
    Begun(Box<Draft>),
    /// There is another one, which nobody has left.
    Left(Box<Draft>),
    /// The person may not make orders, or not of that.
    NotAllowed,
}

/// Begins a draft of which it says `said`, once for each update; on the page if there is none. `replaces`: the open draft that it
/// takes the place of, as it was read.
///
/// # Errors
/// When the database failed.
pub async fn begin(
    store: &Store,
    staff: StaffRef,
    said: &Draft,
    replaces: Option<&Draft>,
    origin: Option<&Origin>,
) -> Result<BeginOutcome, store::Error> {
    let (is_fresh, begun) = store
        .run(async |connection: Connection| {
            let now = store.now();
            let [write, record] = connection.ready([&drafts::BEGIN, &updates::RECORD]).await?;
            connection.begin().await?;
            let answer = Answer { action: Action::Draft, order: None, outcome: "BEGUN", durable: true };
            // First, so that a delivery of the same update at the same moment waits here, and does nothing.
            if !updates::record(&connection, &record, origin, None, answer, now).await? {
                connection.rollback().await?;
                return Ok((false, None));
            }
            let before = replaces.map(|draft| (draft.id, draft.revision));
            let draft = drafts::write(&connection, &write, staff, before, said, hand(origin), now).await?;
            connection.commit().await?;
            Ok((true, draft))
        })
        .await?;
    Ok(match begun {
        Some(draft) => BeginOutcome::Begun(Box::new(draft)),
        None => match open(store, staff).await? {
            Some(draft) if is_fresh => BeginOutcome::Left(Box::new(draft)),
            Some(draft) => BeginOutcome::Begun(Box::new(draft)),
            None => BeginOutcome::NotAllowed,
        },
    })
}

/// Begins a free visit that repeats a closed order of the person's.
///
/// # Errors
/// When the database failed.
pub async fn repeat(
    store: &Store,
    staff: StaffRef,
    order: OrderId,
    replaces: Option<&Draft>,
    origin: Option<&Origin>,
) -> Result<BeginOutcome, store::Error> {
    match drafts::repeated(store, staff, order).await? {
        Some(said) => begin(store, staff, &said, replaces, origin).await,
        None => Ok(BeginOutcome::NotAllowed),
    }
}

/// Enters something that a button says of a draft, once for each update.
///
/// # Errors
/// When the database failed.
pub async fn say(
    store: &Store,
    staff: StaffRef,
    id: DraftId,
    said: &Said,
    cities: &[City],
    origin: &Origin,
) -> Result<SayOutcome, store::Error> {
    let said = std::slice::from_ref(said);
    say_once(store, staff, (id, None), said, cities, Some(origin), hand(Some(origin))).await
}

/// Enters what words say of a draft, once for each update: what they mean was decided by the draft as it was read, and if it is
/// another one by now, that is to be decided anew.
///
/// # Errors
/// When the database failed.
pub async fn answer(
    store: &Store,
    staff: StaffRef,
    read: &Draft,
    said: &Said,
    cities: &[City],
    origin: &Origin,
) -> Result<SayOutcome, store::Error> {
    let said = std::slice::from_ref(said);
    say_once(store, staff, (read.id, Some(read.revision)), said, cities, Some(origin), hand(Some(origin))).await
}

/// Enters all that is said on the page of a draft as it was read there, or nothing.
///
/// # Errors
/// When the database failed.
pub async fn fill(
    store: &Store,
    staff: StaffRef,
    (id, revision): (DraftId, i32),
    said: &[Said],
    cities: &[City],
) -> Result<SayOutcome, store::Error> {
    say_once(store, staff, (id, Some(revision)), said, cities, None, Hand::Page).await
}

fn hand(origin: Option<&Origin>) -> Hand {
    match origin {
        None => Hand::Page,
        Some(Origin { written: None, .. }) => Hand::Tap,
        Some(Origin { written: Some(_), .. }) => Hand::Words,
    }
}

async fn say_once(
    store: &Store,
    staff: StaffRef,
    (id, revision): (DraftId, Option<i32>),
    said: &[Said],
    cities: &[City],
    origin: Option<&Origin>,
    hand: Hand,
) -> Result<SayOutcome, store::Error> {
    store
        .run(async |connection: Connection| {
            let now = store.now();
            let [lock, find, write, record] =
                connection.ready([&drafts::LOCK, &updates::FIND, &drafts::CHANGE, &updates::RECORD]).await?;
            let (begun, locked, processed) = join!(
                connection.begin(),
                drafts::lock(&connection, &lock, staff, id, now),
                // Begins after the lock is held.
                updates::find(&connection, &find, origin),
            );
            begun?;
            let (locked, processed) = (locked?, processed?);
            let unchanged = match &locked {
                None => Some(SayOutcome::NoDraft),
                Some(Draft { order: Some(order), .. }) => Some(SayOutcome::Made(*order)),
                Some(draft) if processed.is_some() => Some(SayOutcome::Said(Box::new(draft.clone()))),
                Some(draft) if revision.is_some_and(|revision| revision != draft.revision) => Some(SayOutcome::Changed),
                Some(_) => None,
            };
            let (None, Some(mut draft)) = (&unchanged, locked) else {
                connection.rollback().await?;
                return Ok(unchanged.unwrap_or(SayOutcome::NoDraft));
            };
            let before = Some((draft.id, draft.revision));
            let as_read = draft.clone();
            let outcome = if said.iter().all(|said| draft.enter(said.clone(), cities)) {
                match drafts::write(&connection, &write, staff, before, &draft, hand, now).await? {
                    Some(draft) => SayOutcome::Said(Box::new(draft)),
                    None => SayOutcome::NoDraft,
                }
            } else {
                SayOutcome::Gone(Box::new(as_read))
            };
            let answer = Answer { action: Action::Draft, order: None, outcome: outcome.name(), durable: true };
            updates::record(&connection, &record, origin, None, answer, now).await?;
            connection.commit().await?;
            Ok(outcome)
        })
        .await
}

/// Asks a field of a draft again that no order can be made with as it is.
///
/// # Errors
/// When the database failed.
pub async fn ask_again(
    store: &Store,
    staff: StaffRef,
    id: DraftId,
    field: Field,
    cities: &[City],
) -> Result<SayOutcome, store::Error> {
    say_once(store, staff, (id, None), &[Said::Again(field)], cities, None, Hand::Tap).await
}

/// Drops a draft, if it is given as it was read; false if there is no such one.
///
/// # Errors
/// When the database failed.
pub async fn drop(store: &Store, staff: StaffRef, id: DraftId, revision: Option<i32>) -> Result<bool, store::Error> {
    drafts::drop(store, staff, id, revision).await
}

/// Whether there is such a master in the person's cities.
///
/// # Errors
/// When the database failed.
pub async fn knows_master(store: &Store, staff: StaffRef, master: MasterId) -> Result<bool, store::Error> {
    Ok(!drafts::names(store, staff, &[master]).await?.is_empty())
}

/// Reads what is shown around a draft: by the rules of the rounds whom it would be offered to, and how long that takes.
///
/// # Errors
/// When the database failed.
pub async fn around(store: &Store, staff: StaffRef, draft: &Draft) -> Result<Around, store::Error> {
    let mut around = Around::default();
    if let Some(phone) = &draft.phone {
        around.twins = drafts::twins(store, staff, phone).await?;
    }
    if let (Some(city), Some(search)) = (draft.city, search(draft)) {
        let pool = Pool::new(rounds::masters(store, &[city.0]).await?);
        around.supply = Some(pool.supply(&search));
        around.preferred = preferred(store, staff, &pool, &search).await?;
        around.usually = drafts::usually(store, staff, city, search.category).await?;
    }
    Ok(around)
}

/// The name of who is to be asked first, with why the rounds would not ask that master.
async fn preferred(
    store: &Store,
    staff: StaffRef,
    pool: &Pool,
    search: &Search,
) -> Result<Option<(String, Option<Exclusion>)>, store::Error> {
    let Some(master) = search.preferred else { return Ok(None) };
    let ranked = pool.ranked(search);
    let Some((_, why_not)) = ranked.iter().find(|(candidate, _)| candidate.id == master) else { return Ok(None) };
    let names = drafts::names(store, staff, &[master]).await?;
    Ok(names.into_iter().next().map(|(_, name)| (name, *why_not)))
}

/// The masters who may be preferred for a draft, by name: whoever does such work in its city and is not blocked, or has done the job
/// that it repeats.
///
/// # Errors
/// When the database failed.
pub async fn masters(
    store: &Store,
    staff: StaffRef,
    profile: &StaffProfile,
    draft: &Draft,
) -> Result<Vec<(MasterId, String)>, store::Error> {
    let Some(search) = search(draft).filter(|search| profile.cities.iter().any(|city| city.0 == search.city)) else {
        return Ok(Vec::new());
    };
    let did_the_job = match draft.guarantee_of {
        Some(order) => drafts::repeated(store, staff, order).await?.and_then(|repeated| repeated.preferred),
        None => None,
    };
    let does_it = |master: &Candidate| master.categories.contains(&search.category) || Some(master.id) == did_the_job;
    let suitable: Vec<MasterId> = rounds::masters(store, &[search.city])
        .await?
        .into_iter()
        .filter(|master| does_it(master) && !master.blocked)
        .map(|master| master.id)
        .collect();
    drafts::names(store, staff, &suitable).await
}

/// What its rounds will look for; `None`: too little is known of it.
fn search(draft: &Draft) -> Option<Search> {
    Some(Search {
        order: OrderId(0),
        city: draft.city?.0,
        district: draft.district,
        category: draft.category?,
        preferred: draft.preferred,
        preferred_first: true,
        asked: std::collections::HashSet::new(),
    })
}
