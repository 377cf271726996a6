//! Measures once a minute what nobody sees who only looks at what is done: what waits, and who has not been reached.

use crate::bots::Bots;
use crate::store::{self, cities, outbox};
use crate::telegram::{self, Bot};

/// For how many seconds a message may wait without anybody hearing of it.
const LATE: f64 = 60.0;

/// One pass. What Telegram does not tell fails nothing here.
pub(super) async fn pass(bots: &Bots) -> Result<(), store::Error> {
    let outbox::Backlog { oldest_seconds, unanswered_calls, refused_people } = outbox::backlog(&bots.store).await?;
    if oldest_seconds > LATE {
        tracing::warn!(oldest_seconds, "outbox: a message has waited for {oldest_seconds:.0} s");
    }
    bots.metrics.measure("outbox.oldest_seconds", oldest_seconds);
    bots.metrics.count_lost_lines();
    if unanswered_calls > 0 {
        tracing::error!(
            unanswered_calls,
            "{unanswered_calls} orders need a dispatcher, and none has been reached: add one to the table staff, who has \
             opened the dispatchers' bot"
        );
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of orders and people")]
    {
        bots.metrics.measure("escalations.unanswered", unanswered_calls as f64);
        // An error has said so when it began.
        bots.metrics.measure("outbox.refused_people", refused_people as f64);
        bots.metrics.measure("outbox.unrecorded", bots.delivery.unrecorded() as f64);
    }

    let lost = cities::check_timezones(&bots.store).await?;
    if !lost.is_empty() {
        tracing::error!(
            "the server does not know the time zones of these cities, whose times are shown in UTC: {lost}"
        );
    }

    let waiting = async |bot: &Bot| Ok::<_, telegram::Error>(bot.webhook_info().await?.pending_update_count);
    match (waiting(&bots.telegram.master).await, waiting(&bots.telegram.admin).await) {
        (Ok(master), Ok(admin)) => {
            bots.metrics.measure("telegram.waiting_updates", f64::from(master) + f64::from(admin));
        }
        (Err(error), _) | (_, Err(error)) => tracing::warn!(%error, "Telegram does not say how many updates wait"),
    }
    Ok(())
}
