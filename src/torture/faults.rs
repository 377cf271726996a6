//! Lets the planned faults happen, and takes them back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::plan::{Fault, Lane, Plan, Planned};
use super::processes::{End, Fleet};
use super::record::{Trouble, now};
use super::world::World;
use crate::sim::telegram;

/// How long messages may be waited for that are to be lost.
const LOSES: Duration = Duration::from_secs(2);

/// How often a fault happened, and how long the system took to be well after it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Happened {
    /// How often.
    pub times: u32,
    /// The longest time until every process was well again, in milliseconds; the faults of other kinds that came meanwhile are in it.
    pub longest_recovery_ms: u128,
    /// The sum of these times, in milliseconds.
    pub recovery_ms: u128,
}

/// By the fault's name.
pub type Faults = BTreeMap<&'static str, Happened>;

/// Lets the faults of a lane happen until it is told to stop; none is in force afterwards. When those were that hold the system up.
pub(super) async fn run(
    world: &Arc<World>,
    fleet: &Fleet,
    seed: u64,
    lane: Lane,
    stop: &AtomicBool,
) -> (Faults, Vec<Trouble>) {
    let (mut happened, mut troubles) = (Faults::new(), Vec::new());
    for planned in Plan::new(seed, lane) {
        let begun = Instant::now();
        while begun.elapsed() < planned.after && !stop.load(Ordering::SeqCst) {
            sleep(Duration::from_millis(50)).await;
        }
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let from = now();
        match lane {
            Lane::Processes => processes(fleet, planned).await,
            Lane::Database => database(world, planned).await,
            Lane::Telegram => telegram(world, planned).await,
        }
        let of_kind = happened.entry(planned.fault.name()).or_default();
        of_kind.times += 1;
        if lane != Lane::Telegram {
            let took = fleet.recover(planned.fault.name()).await.as_millis();
            of_kind.recovery_ms += took;
            of_kind.longest_recovery_ms = of_kind.longest_recovery_ms.max(took);
            troubles.push((from, now()));
        }
    }
    (happened, troubles)
}

async fn processes(fleet: &Fleet, planned: Planned) {
    let end = if planned.fault == Fault::Stop { End::Stop } else { End::Kill };
    fleet.restart(planned.which, end, planned.lasts).await;
}

async fn database(world: &Arc<World>, planned: Planned) {
    let proxy = &world.database;
    match planned.fault {
        Fault::Restart(stop) => {
            // Not in place: the thread would end some time after it, and the processes that it has started with it.
            let world = Arc::clone(world);
            match tokio::task::spawn_blocking(move || world.cluster.restart(stop)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "PostgreSQL could not be restarted"),
                Err(error) => tracing::error!(%error, "PostgreSQL could not be restarted"),
            }
        }
        Fault::ReadOnly => {
            world.read_only(true).await;
            sleep(planned.lasts).await;
            world.read_only(false).await;
        }
        Fault::Exhausted => {
            world.end_sessions().await;
            let all = world.every_connection().await;
            sleep(planned.lasts).await;
            drop(all);
        }
        Fault::Cut => {
            proxy.cut();
            sleep(planned.lasts).await;
            proxy.restore();
        }
        Fault::HangUp => match &world.pooler {
            None => proxy.hang_up(),
            // With all that it had, and nobody is told.
            Some(pooler) => {
                if let Err(error) = pooler.restart().await {
                    tracing::error!(%error, "the pooler could not be restarted");
                }
            }
        },
        Fault::Stall => {
            proxy.silence();
            sleep(planned.lasts).await;
            proxy.restore();
        }
        Fault::Lose(loss) => {
            let before = proxy.lost();
            proxy.lose(loss, planned.times);
            let begun = Instant::now();
            while proxy.lost() < before + u64::from(planned.times) && begun.elapsed() < LOSES {
                sleep(Duration::from_millis(20)).await;
            }
            proxy.lose(loss, 0);
        }
        _ => {}
    }
}

async fn telegram(world: &World, planned: Planned) {
    use telegram::Fault as Answer;
    let (telegram, proxy) = (&world.telegram, &world.bot_api);
    let every = 2 + planned.which % 3;
    match planned.fault {
        Fault::Refuses => telegram.fail_every(every, vec![Answer::ServerError, Answer::BadGateway]),
        Fault::TooMany => telegram.fail_every(every + 2, vec![Answer::TooManyRequests(1), Answer::TooManyRequests(2)]),
        Fault::Hangs => telegram.fail_every(every + 2, vec![Answer::Hang]),
        Fault::Closes => proxy.cut(),
        Fault::AnswersLost => proxy.lose(crate::sim::proxy::Loss::Answer, 4 * planned.times),
        _ => {}
    }
    sleep(planned.lasts).await;
    telegram.fail_every(1, Vec::new());
    proxy.lose(crate::sim::proxy::Loss::Answer, 0);
    proxy.restore();
}
