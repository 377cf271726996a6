//! «Почему не мне»: why an order's waves asked whom they asked, for a master of its city and for staff.
//!
//! Reads alone. A master hears of the own orders and of how long others had waited, not who they are, and of the client nothing;
//! staff hear of the masters of their cities.

use std::time::Duration;

use tokio::join;
use tokio::time::timeout;

use super::view::record;
use crate::model::moment::Moment;
use crate::model::order::Stage;
use crate::model::selection::Exclusion;
use crate::model::why::{self, Assignment, Story, Told, Unasked, Wave, WhyOrder};
use crate::model::{MasterId, MasterRef, OrderId, OrderStatus, Origin, PAGE_SIZE, StaffRef};
use crate::store::why::Asker;
use crate::store::{self, Connection, Store, updates};

/// How long a master waits for others who ask: any of them can as often as he likes, see [`Store::explanations`].
const PATIENCE: Duration = Duration::from_secs(1);

/// What a master is told.
#[derive(Clone, Debug)]
pub enum WhyOutcome {
    /// There is no such order in a city where the master was when it was searched for.
    NotFound,
    /// It is the master's own, or was when it ended: what it is now.
    Yours(OrderId, OrderStatus),
    /// It is being offered to the master.
    Offered(OrderId),
    /// Others ask at this moment.
    Busy(OrderId),
    /// No wave has asked anybody, and nobody the master.
    NotSearched {
        /// The order.
        order: Box<WhyOrder>,
        /// Why.
        unasked: Unasked,
        /// How the master had it all the same.
        assignment: Option<Assignment>,
    },
    /// What each wave was to the master.
    Told(Box<WhyMaster>),
}

impl WhyOutcome {
    /// The outcome's name among the counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Yours(..) => "ALREADY_YOURS",
            Self::Offered(_) => "OFFERED",
            Self::Busy(_) => "BUSY",
            Self::NotSearched { .. } => "NOT_SEARCHED",
            Self::Told(_) => "SUCCESS",
        }
    }
}

/// An order's waves, and what they were to a master.
#[derive(Clone, Debug)]
pub struct WhyMaster {
    /// The order.
    pub order: WhyOrder,
    /// Who.
    pub master: MasterId,
    /// The master's name, and those whom the waves asked: for staff alone.
    pub names: Vec<(MasterId, String)>,
    /// What each wave was to the master, the first one first.
    pub told: Vec<Told>,
    /// Why there was none, if so.
    pub unasked: Unasked,
    /// Whether there were more before these.
    pub earlier: bool,
}

/// An order's waves, and a page of the masters who can be asked about.
#[derive(Clone, Debug)]
pub struct WhyWaves {
    /// The order.
    pub order: WhyOrder,
    /// The waves, the first one first.
    pub waves: Vec<Wave>,
    /// Whom somebody has asked without a wave, and when, the first one first.
    pub direct: Vec<(Moment, Vec<MasterId>)>,
    /// Why nobody was asked, if so.
    pub unasked: Unasked,
    /// Whether there were more before these.
    pub earlier: bool,
    /// The names of whom they asked.
    pub names: Vec<(MasterId, String)>,
    /// The masters of the page, the likelier ones first, with what kept each from the last wave; `None`: nothing, or it cannot be
    /// known any more.
    pub masters: Vec<(MasterId, String, Option<Exclusion>)>,
    /// Which page this is, from 1; the last one if a later one was asked for.
    pub page: i64,
    /// How many pages there are.
    pub pages: i64,
}

/// Tells a master why the waves of an order did not ask him, or what became of it when they did. `None`: there is no such master.
///
/// # Errors
/// When the database failed.
pub async fn of_master(
    store: &Store,
    order: OrderId,
    master: MasterRef,
    origin: Option<&Origin>,
) -> Result<Option<WhyOutcome>, store::Error> {
    let asked = store
        .run(async |connection: Connection| {
            let [record_shown, of_master] = connection.ready([&updates::RECORD, &store::why::OF_MASTER]).await?;
            let (begun, recorded, asked, committed) = join!(
                connection.begin(),
                record(store, &connection, &record_shown, master, origin, false),
                store::why::of_master(&connection, &of_master, order, master, store.now()),
                connection.commit(),
            );
            begun?;
            recorded?;
            let asked = asked?;
            committed?;
            Ok(asked)
        })
        .await?;
    let Some(Asker { master, is_offered, order: found }) = asked else { return Ok(None) };
    let Some(found) = found else { return Ok(Some(WhyOutcome::NotFound)) };
    if found.owner == Some(master) && found.status.stage() != Stage::Open {
        return Ok(Some(WhyOutcome::Yours(order, found.status)));
    }
    if is_offered {
        return Ok(Some(WhyOutcome::Offered(order)));
    }
    let Ok(Ok(_turn)) = timeout(PATIENCE, store.explanations().acquire()).await else {
        return Ok(Some(WhyOutcome::Busy(order)));
    };
    let known = store::why::story(store, &found, Some(master)).await?;
    if !known.concerns(master) {
        return Ok(Some(WhyOutcome::NotFound));
    }
    let told = told(&known, master, Vec::new());
    Ok(Some(if told.told.is_empty() {
        let order = Box::new(known.order.clone());
        WhyOutcome::NotSearched { order, unasked: known.unasked(), assignment: known.last_assignment(master) }
    } else {
        WhyOutcome::Told(Box::new(told))
    }))
}

fn told(story: &Story, master: MasterId, names: Vec<(MasterId, String)>) -> WhyMaster {
    let (told, unasked) = (story.tell(master), story.unasked());
    WhyMaster { order: story.order.clone(), master, names, told, unasked, earlier: story.earlier }
}

/// Those of the masters who were asked or had the order, and one more, with their names.
fn names(story: &Story, of: Option<MasterId>) -> Vec<(MasterId, String)> {
    let asked = |master: &MasterId| {
        story.waves.iter().any(|wave| wave.chosen.contains(master))
            || story.answers.iter().any(|answer| answer.master == *master)
            || story.changes.iter().any(|change| change.master == Some(*master))
    };
    let known = story.names().into_iter().filter(|(master, _)| asked(master) || of == Some(*master));
    let mut names: Vec<_> = known.map(|(master, name)| (master, name.to_owned())).collect();
    names.sort();
    names
}

/// Tells staff what the waves of an order were to a master. `None`: there is no such order in the cities of that person, or no such
/// master in its city.
///
/// # Errors
/// When the database failed.
pub async fn of_staff(
    store: &Store,
    order: OrderId,
    staff: StaffRef,
    master: MasterId,
) -> Result<Option<WhyMaster>, store::Error> {
    let Some(found) = store::why::of_staff(store, order, staff).await? else { return Ok(None) };
    let known = store::why::story(store, &found, None).await?;
    if !known.masters.iter().any(|past| past.id() == master) {
        return Ok(None);
    }
    let mut why = told(&known, master, names(&known, Some(master)));
    // A master may have come from another city, with orders that are none of this person's business.
    let named: Vec<OrderId> = why.told.iter().flat_map(|told| told.verdict.named()).collect();
    if !named.is_empty() {
        let seen = store::why::seen(store, &named, staff).await?;
        why.told.iter_mut().for_each(|told| told.verdict.name_only(&seen));
    }
    Ok(Some(why))
}

/// Tells staff of an order's waves, with a page of the masters of its city. `None`: there is no such order in the cities of that
/// person.
///
/// # Errors
/// When the database failed.
pub async fn waves(
    store: &Store,
    order: OrderId,
    staff: StaffRef,
    page: i64,
) -> Result<Option<WhyWaves>, store::Error> {
    let Some(found) = store::why::of_staff(store, order, staff).await? else { return Ok(None) };
    let known = store::why::story(store, &found, None).await?;
    let all = likeliest_first(&known);
    let size = usize::try_from(PAGE_SIZE).unwrap_or(usize::MAX);
    let pages = all.len().div_ceil(size).max(1);
    let at = usize::try_from(page).unwrap_or(usize::MAX).clamp(1, pages);
    let names = names(&known, None);
    let masters = all.into_iter().skip((at - 1) * size).take(size).collect();
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    Ok(Some(WhyWaves {
        masters,
        names,
        page: number(at),
        pages: number(pages),
        direct: direct(&known),
        unasked: known.unasked(),
        order: known.order,
        waves: known.waves,
        earlier: known.earlier,
    }))
}

/// Whom somebody has asked without a wave, by when.
fn direct(story: &Story) -> Vec<(Moment, Vec<MasterId>)> {
    let mut direct: Vec<(Moment, Vec<MasterId>)> = Vec::new();
    for answer in story.direct() {
        match direct.last_mut() {
            Some((at, masters)) if at.at == answer.sent.at => masters.push(answer.master),
            _ => direct.push((answer.sent, vec![answer.master])),
        }
    }
    direct
}

/// The masters of the city as the last wave saw them: those whom it could have asked first.
fn likeliest_first(story: &Story) -> Vec<(MasterId, String, Option<Exclusion>)> {
    let names = story.names();
    let Some(last) = story.waves.last().filter(|wave| wave.can_be_judged(&story.order)) else {
        let mut all: Vec<_> = names.into_iter().map(|(master, name)| (master, name.to_owned(), None)).collect();
        all.sort_by(|(one, one_name, _), (other, other_name, _)| (one_name, one).cmp(&(other_name, other)));
        return all;
    };
    let of = |(master, why_not): (crate::model::selection::Candidate, Option<Exclusion>)| {
        let was_asked = last.chosen.contains(&master.id);
        let why_not = why_not.or((!was_asked).then_some(Exclusion::Rank));
        names.get(&master.id).map(|name| (master.id, (*name).to_owned(), why_not))
    };
    why::judge(&story.order, last, &story.masters).ranked.into_iter().filter_map(of).collect()
}
