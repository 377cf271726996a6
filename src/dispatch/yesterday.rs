//! What yesterday's orders would have been like under another policy: the day that was, played again under the policy in force and
//! under the draft, with the same chance for both.
//!
//! It is somebody's glance before a change, so it may take some seconds of one core and no more: one at a time, few who wait, each
//! for one draft, fewer repetitions of a large day, and no answer rather than a late one. So whoever may look may ask as often as wanted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::model::StaffId;
use crate::model::past::{Ended, Past, PastOrder};
use crate::model::policy::{Policy, Widening};
use crate::model::policy_draft::{PolicyField, PolicyValues};
use crate::model::policy_preview::{Compared, Preview};
use crate::simulate::replay::{Player, Replayed};
use crate::simulate::rule::Rule;
use crate::store::past::{self, MOST_ORDERS};
use crate::store::{self, Store, policies};

/// The ninetieth percentile of fewer that masters accepted is one or two orders' luck.
const ENOUGH_ORDERS: usize = 20;
/// How often the day is played under each policy: what is drawn differs each time.
const MOST_SEEDS: usize = 10;
/// So many orders are played under each policy in all.
const MOST_PLAYED: usize = 8_000;
/// After that whoever waits is told that it could not be computed.
const PATIENCE: Duration = Duration::from_secs(8);

/// Replays take a core each: one at a time.
static TURN: Semaphore = Semaphore::const_new(1);

/// Compares a draft with the policy in force.
///
/// # Errors
/// When the database is away. What else fails is logged, and nothing is computed.
pub(super) async fn compare(
    store: &Store,
    staff: StaffId,
    now: PolicyValues,
    draft: PolicyValues,
) -> Result<Preview, store::Error> {
    if !draft.changed_from(now).any(is_replayed) {
        return Ok(Preview::NotReplayed);
    }
    let Some(_permit) = store.replays().enter(staff) else {
        tracing::info!("too many drafts of a policy are being tried at once, or one of this person's is");
        return Ok(Preview::NotComputed);
    };
    match timeout(PATIENCE, read_and_play(store, now, draft)).await {
        Ok(Ok(preview)) => Ok(preview),
        Ok(Err(error)) if error.is_transient() && !error.is_timed_out() => Err(error),
        Ok(Err(error)) => {
            tracing::warn!(%error, "yesterday could not be replayed for a draft of a policy");
            Ok(Preview::NotComputed)
        }
        Err(_) => {
            tracing::warn!("replaying yesterday for a draft of a policy took too long");
            Ok(Preview::NotComputed)
        }
    }
}

/// Whether a replay goes by it: it keeps the limits that masters had, and nothing in it waits for a working day.
fn is_replayed(field: PolicyField) -> bool {
    !matches!(field, PolicyField::MaxActiveOrders | PolicyField::WorkdayStart | PolicyField::WorkdayEnd)
}

async fn read_and_play(store: &Store, now: PolicyValues, draft: PolicyValues) -> Result<Preview, store::Error> {
    // Held by the work itself, which goes on for a moment when nobody waits for it any more.
    let Ok(turn) = TURN.acquire().await else { return Ok(Preview::NotComputed) };
    let Some(past) = read(store).await? else { return Ok(Preview::TooFew { orders: 0 }) };
    let accepted = past.orders.iter().filter(|order| is_accepted(order)).count();
    if accepted < ENOUGH_ORDERS {
        return Ok(Preview::TooFew { orders: accepted });
    }
    if past.orders.len() >= MOST_ORDERS {
        return Ok(Preview::NotComputed);
    }
    let waiting = Waiting::default();
    let is_over = Arc::clone(&waiting.is_over);
    let played = tokio::task::spawn_blocking(move || {
        let preview = play(&past, [now, draft], &|| !is_over.load(Ordering::Relaxed));
        drop(turn);
        preview
    });
    Ok(played.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a replay of yesterday has broken off");
        Preview::NotComputed
    }))
}

fn is_accepted(order: &PastOrder) -> bool {
    order.ended.is_some_and(|ended| matches!(ended.how, Ended::Accepted(_)))
}

/// Somebody waits for a replay. Whoever gives up, or goes away, drops it, and the replay ends with the day that it is at.
#[derive(Default)]
struct Waiting {
    is_over: Arc<AtomicBool>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Yesterday in all cities; `None`: there is no city.
async fn read(store: &Store) -> Result<Option<Past>, store::Error> {
    let Some((from, until)) = policies::yesterday(store).await? else { return Ok(None) };
    let mut together: Option<Past> = None;
    for (city, _) in past::cities(store).await? {
        let past = past::read(store, city, from, until).await?;
        together = Some(match together {
            None => past,
            Some(others) => others.and(past),
        });
    }
    Ok(together)
}

/// Plays it under the policy in force and under a draft, as long as somebody waits for it.
fn play(past: &Past, values: [PolicyValues; 2], is_waited_for: &impl Fn() -> bool) -> Preview {
    let seeds = (MOST_PLAYED / past.orders.len().max(1)).clamp(1, MOST_SEEDS);
    let seeds = 0..u64::try_from(seeds).unwrap_or(1);
    let player = Player::of(past);
    let [now, draft] = values;
    let rules = [rule("in force", now), rule("draft", draft)];
    let [now, then] = rules.map(|rule| player.under(&rule, seeds.clone().take_while(|_| is_waited_for())));
    if !is_waited_for() {
        return Preview::NotComputed;
    }
    let both = |figure: fn(&Replayed) -> f64| [figure(&now), figure(&then)];
    let answers = then.drawn.measured + then.drawn.total();
    Preview::Compared(Compared {
        orders: past.orders.len(),
        median_seconds: both(|played| played.compared.estimate_of_taken(|figures| figures.taken_median).mean),
        ninety_seconds: both(|played| played.compared.estimate_of_taken(|figures| figures.taken_ninety).mean),
        accepted_percent: both(|played| played.compared.estimate(|figures| figures.accepted).mean),
        messages: both(|played| played.compared.estimate(|figures| figures.messages).mean),
        drawn_percent: percent(then.drawn.total(), answers),
    })
}

/// How many of a hundred; none of nothing.
fn percent(part: u64, all: u64) -> f64 {
    let number = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if all == 0 { 0.0 } else { 100.0 * number(part) / number(all) }
}

/// What a replay goes by.
fn rule(name: &str, values: PolicyValues) -> Rule {
    let widening = Widening {
        first_masters: values.get(PolicyField::FirstMasters),
        every_seconds: values.get(PolicyField::WidenEvery),
        by: values.get(PolicyField::WidenBy),
        max_live: values.get(PolicyField::MaxLiveOffers),
    };
    let policy = Policy {
        id: 0,
        offer_ttl_seconds: values.get(PolicyField::OfferTtl),
        preferred_ttl_seconds: values.get(PolicyField::PreferredTtl),
        masters_per_round: values.get(PolicyField::MastersPerRound),
        max_rounds: values.get(PolicyField::MaxRounds),
        widening: values.widens().then_some(widening),
    };
    let escalate_after_seconds = values.get(PolicyField::EscalateAfter);
    Rule { name: name.to_owned(), policy, escalate_after_seconds }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeSet;

    use jiff::Timestamp;

    use super::*;
    use crate::model::past::{PastPolicy, Policies};

    const USUAL: PolicyValues = PolicyValues([120, 60, 3, 30, 1, 6, 3, 3, 600, 5, 600, 1200]);

    #[test]
    fn a_replay_for_which_nobody_waits_ends() {
        let policy = PastPolicy {
            made_at: Timestamp::UNIX_EPOCH,
            policy: rule("x", USUAL).policy,
            escalate_after_seconds: 600,
            max_active_orders: 5,
        };
        let past = Past {
            from: Timestamp::UNIX_EPOCH,
            until: Timestamp::UNIX_EPOCH,
            policies: Policies { first: policy, later: Vec::new() },
            masters: Vec::new(),
            without_limit: BTreeSet::new(),
            changes: Vec::new(),
            orders: Vec::new(),
            offers: Vec::new(),
            answers: Vec::new(),
            finished: Vec::new(),
        };
        // How often it is asked whether somebody still waits, if that ends after so many times.
        let asked = |patience: usize| {
            let times = Cell::new(0);
            let preview = play(&past, [USUAL; 2], &|| {
                times.set(times.get() + 1);
                times.get() <= patience
            });
            (times.get(), matches!(preview, Preview::Compared(_)))
        };
        assert_eq!(asked(usize::MAX), (2 * MOST_SEEDS + 1, true), "two policies, and nothing besides");
        assert_eq!(asked(3), (6, false), "the fourth day of the first is not played, nor any of the second");
        let waiting = Waiting::default();
        let is_over = Arc::clone(&waiting.is_over);
        assert!(!is_over.load(Ordering::Relaxed));
        drop(waiting);
        assert!(is_over.load(Ordering::Relaxed));
    }

    #[test]
    fn a_replay_goes_by_what_a_row_says() {
        assert_eq!(Rule { name: "default".to_owned(), ..rule("x", USUAL) }, Rule::default());
        let in_rounds = rule("x", USUAL.with(PolicyField::WidenEvery, 0)).policy;
        assert_eq!(in_rounds.widening, None);
    }

    #[test]
    fn a_part_of_nothing_is_nothing() {
        assert_eq!(
            [percent(0, 0), percent(1, 4), percent(4, 4)].map(f64::to_bits),
            [0.0, 25.0, 100.0].map(f64::to_bits)
        );
    }
}
