//! What is read to verify the history, in batches: of orders, and of seals.

use tokio_postgres::Row;

use super::super::{Connection, Error, LARGE_WORK, Statement, Store, column, statement};
use super::says;
use crate::model::history::{Change, OrderHistory, Root};
use crate::model::{MasterId, OrderId};

/// Orders with all their changes, each as of one moment. A reason that its master has corrected within a quarter of an hour
/// was sealed as it was given first, which is kept beside.
const AFTER: Statement = statement!(
    "history.after",
    [INT8],
    "WITH batch AS MATERIALIZED (
         -- A number, and no parameter: PostgreSQL plans for so few.
         SELECT id AS of_order, status, version::bigint AS version, assigned_master_id AS master_id, final_amount AS amount
         FROM orders WHERE id > $1 /* order */ ORDER BY id LIMIT 2000
     )
     SELECT batch.of_order, batch.status, batch.version, batch.master_id, batch.amount::text AS amount,
            -- Since the last change: what was said of an earlier closing is over. The server's clock may have been set back since.
            CASE WHEN batch.status = 'CLOSED' THEN (
                SELECT CASE WHEN edit.new_value ~ '^[0-9]{1,10}([.][0-9]{1,2})?$' THEN edit.new_value::numeric(12, 2)::text END
                FROM order_edits AS edit
                WHERE edit.order_id = batch.of_order AND edit.field = 'final_amount' AND edit.created_at >= (
                    SELECT max(created_at) - interval '1 minute' FROM order_status_history WHERE order_id = batch.of_order)
                ORDER BY edit.id DESC LIMIT 1) END AS amount_corrected,
            change.given_to, change.said_amount, change.row, change.from_status, change.to_status, change.seal,
            change.says, change.said_first,
            -- Read after the rows: what others add meanwhile is not among them.
            change.row > 0 AND change.row <= (SELECT last_value FROM order_status_history_id_seq) AS is_given_out
     FROM batch
     LEFT JOIN LATERAL (
         SELECT id AS row, from_status, to_status, seal,
                CASE WHEN to_status = 'ASSIGNED' THEN coalesce(
                    CASE WHEN context ->> 'master_id' ~ '^[0-9]{1,18}$' THEN (context ->> 'master_id')::bigint END,
                    CASE WHEN actor_type = 'MASTER' THEN changed_by_master_id END) END AS given_to,
                CASE WHEN to_status = 'CLOSED' AND context ->> 'amount' ~ '^[0-9]{1,10}([.][0-9]{1,2})?$'
                    THEN (context ->> 'amount')::numeric(12, 2)::text END AS said_amount, ",
    says!("reason"),
    " AS says, CASE WHEN correction.is_one THEN ",
    says!("correction.first_reason"),
    " END AS said_first
         FROM order_status_history AS change
         LEFT JOIN LATERAL (
             SELECT edit.old_value AS first_reason, true AS is_one
             FROM order_edits AS edit
             -- Only what a master gave back has a reason that can be corrected.
             WHERE change.actor_type = 'MASTER' AND change.to_status IN ('SEARCHING', 'GUARANTEE')
               AND edit.order_id = change.order_id AND edit.field = 'return_reason'
               AND edit.changed_by_master_id = change.changed_by_master_id
               AND edit.created_at >= change.created_at AND edit.created_at < change.created_at + interval '15 minutes'
               -- What is there now is what the last correction says.
               AND EXISTS (
                   SELECT FROM order_edits AS made
                   WHERE made.order_id = edit.order_id AND made.field = edit.field AND made.id >= edit.id
                     AND made.changed_by_master_id = edit.changed_by_master_id AND made.new_value = change.reason)
             ORDER BY edit.id LIMIT 1
         ) AS correction ON true
         WHERE order_id = batch.of_order
     ) AS change ON true
     ORDER BY batch.of_order, change.row"
);

/// The next orders after one, by their numbers; none: that was the last.
pub(crate) async fn after(store: &Store, order: OrderId) -> Result<Vec<OrderHistory>, Error> {
    let read = async |connection: Connection| connection.fetch(&AFTER, &[&order.0]).await;
    let rows = store.run_within(LARGE_WORK, read).await?;
    let mut orders: Vec<OrderHistory> = Vec::new();
    for row in &rows {
        let order = OrderId(column(row, "of_order")?);
        if orders.last().is_none_or(|last| last.order != order) {
            orders.push(OrderHistory {
                order,
                status: column(row, "status")?,
                version: column(row, "version")?,
                master: column::<Option<i64>>(row, "master_id")?.map(MasterId),
                amount: column(row, "amount")?,
                amount_corrected: column(row, "amount_corrected")?,
                changes: Vec::new(),
            });
        }
        if let (Some(last), Some(change)) = (orders.last_mut(), change(row)?) {
            last.changes.push(change);
        }
    }
    Ok(orders)
}

fn change(row: &Row) -> Result<Option<Change>, Error> {
    let Some(number) = column::<Option<i64>>(row, "row")? else { return Ok(None) };
    Ok(Some(Change {
        row: number,
        is_given_out: column(row, "is_given_out")?,
        from: column(row, "from_status")?,
        to: column(row, "to_status")?,
        given_to: column::<Option<i64>>(row, "given_to")?.map(MasterId),
        amount: column(row, "said_amount")?,
        seal: column(row, "seal")?,
        says: column(row, "says")?,
        said_first: column(row, "said_first")?,
    }))
}

/// A row under a root.
#[derive(Debug)]
pub(crate) struct Sealed {
    /// Its number.
    pub(crate) row: i64,
    /// Its seal, if it has one.
    pub(crate) seal: Option<Vec<u8>>,
    /// Whether it was deleted, as its order was over for long, and the seal alone is there.
    pub(crate) is_purged: bool,
}

/// The next rows after one and up to another, each with its seal; none: that was the last.
pub(crate) async fn seals(store: &Store, after: i64, up_to: i64) -> Result<Vec<Sealed>, Error> {
    const SEALS: Statement = statement!(
        "history.seals",
        [INT8, INT8],
        "SELECT row, seal, is_purged
         FROM (
             SELECT id AS row, seal, false AS is_purged FROM order_status_history
             UNION ALL
             SELECT id, seal, true FROM history_purged
         ) AS change
         WHERE row > $1 /* after */ AND row <= $2 /* up to */
         ORDER BY row LIMIT 20000"
    );
    let read = async |connection: Connection| connection.fetch(&SEALS, &[&after, &up_to]).await;
    let rows = store.run_within(LARGE_WORK, read).await?;
    let sealed =
        |row| Ok(Sealed { row: column(row, "row")?, seal: column(row, "seal")?, is_purged: column(row, "is_purged")? });
    rows.iter().map(sealed).collect()
}

/// The roots that were made, oldest first, and whether old rows are still being sealed.
#[derive(Debug, Default)]
pub(crate) struct Roots {
    /// Those that were made.
    pub(crate) made: Vec<Root>,
    /// Whether there is none at all, not even one that is to be made, or they have begun anew since: every database begins with one.
    pub(crate) gone: bool,
    /// Whether the first one, of what was there before, has yet to be made.
    pub(crate) sealing: bool,
}

/// Reads the roots. Orders that are over are deleted after as many days as the policies of all times say, at the earliest: what
/// is younger than that is whole.
pub(crate) async fn roots(store: &Store) -> Result<Roots, Error> {
    const ROOTS: Statement = statement!(
        "history.roots",
        [TIMESTAMPTZ],
        "SELECT day, up_to, changes, digest, root, purges_are_kept, begins_anew,
                up_to > (SELECT last_value FROM order_status_history_id_seq) AS is_beyond,
                coalesce(
                    coalesce(lag(closed_at) OVER (ORDER BY day), '-infinity')
                        < coalesce($1, now()) /* now */ - make_interval(days => kept.days),
                    false) AS may_be_purged
         FROM history_roots
         CROSS JOIN (SELECT min(keep_finished_days) AS days FROM dispatch_policies
                     WHERE keep_finished_days BETWEEN 8 AND 36500) AS kept
         ORDER BY day"
    );
    let read = async |connection: Connection| connection.fetch(&ROOTS, &[&store.now()]).await;
    let rows = store.run(read).await?;
    let mut roots = Roots { gone: rows.is_empty(), ..Roots::default() };
    for row in &rows {
        roots.gone |= column::<bool>(row, "begins_anew")?;
        // What is not made yet is the newest one, or the first.
        let Some(root) = column::<Option<Vec<u8>>>(row, "root")? else {
            roots.sealing = roots.made.is_empty();
            continue;
        };
        roots.made.push(Root {
            day: column(row, "day")?,
            up_to: column(row, "up_to")?,
            changes: column(row, "changes")?,
            digest: column(row, "digest")?,
            root,
            is_beyond: column(row, "is_beyond")?,
            purges_are_kept: column(row, "purges_are_kept")?,
            may_be_purged: column(row, "may_be_purged")?,
        });
    }
    Ok(roots)
}
