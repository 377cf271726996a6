//! Orders that come for as long as the city lives: often enough that there is always something to race for, and no more
//! than its masters can do.

use std::time::{Duration, Instant};

use super::chance;
use crate::store::{Connection, Error, Statement, Store, column, statement};

/// One comes after this long at the latest.
const SELDOM: Duration = Duration::from_secs(15);
/// One comes after this long at the earliest.
const OFTEN: Duration = Duration::from_secs(3);
/// How many there are to be that at least two masters can race for.
const RACES: i64 = 4;
/// Nobody calls a company with so many open orders.
const OPEN: i64 = 14;
/// Every so manieth is one that no master of its city can do: a dispatcher is needed.
const HARD: u64 = 12;

/// What clients call about: the orders that the demonstration began with.
struct Job {
    district: i64,
    category: String,
    address: String,
    description: String,
    client: String,
}

pub(super) struct Orders {
    store: Store,
    jobs: Vec<Job>,
    last: Option<Instant>,
    made: u64,
}

impl Orders {
    pub(super) fn new(store: Store) -> Self {
        Self { store, jobs: Vec::new(), last: None, made: 0 }
    }

    /// Makes one if it is time.
    pub(super) async fn come(&mut self) -> Result<(), Error> {
        if self.jobs.is_empty() {
            self.jobs = jobs(&self.store).await?;
        }
        let (races, open) = counts(&self.store).await?;
        let waited = self.last.map_or(SELDOM, |last| last.elapsed());
        if self.jobs.is_empty() || open >= OPEN || waited < OFTEN || (races >= RACES && waited < SELDOM) {
            return Ok(());
        }
        // The first one of its own is hard, so that nobody waits long to see what becomes of such.
        if self.made == 0 || !wake(&self.store).await? {
            self.made += 1;
            let hard = self.made % HARD == 1;
            let number = usize::try_from(chance(self.jobs.len() as u64)).unwrap_or_default();
            add(&self.store, &self.jobs[number], hard).await?;
        }
        self.last = Some(Instant::now());
        Ok(())
    }
}

async fn jobs(store: &Store) -> Result<Vec<Job>, Error> {
    const JOBS: Statement = statement!(
        "sim.jobs",
        [],
        "SELECT district_id, category, address, coalesce(description, '') AS description, client_name
         FROM orders WHERE district_id IS NOT NULL ORDER BY id LIMIT 30"
    );
    let rows = store.run(async |connection: Connection| connection.fetch(&JOBS, &[]).await).await?;
    let job = |row: &tokio_postgres::Row| {
        Ok(Job {
            district: column(row, "district_id")?,
            category: column(row, "category")?,
            address: column(row, "address")?,
            description: column(row, "description")?,
            client: column(row, "client_name")?,
        })
    };
    rows.iter().map(job).collect()
}

/// How many orders two masters at least can take at this moment, and how many are open.
async fn counts(store: &Store) -> Result<(i64, i64), Error> {
    const COUNTS: Statement = statement!(
        "sim.races",
        [],
        "SELECT count(*) FILTER (WHERE live >= 2) AS races, count(*) AS open
         FROM orders
         CROSS JOIN LATERAL (SELECT count(*) AS live FROM offers
                             WHERE order_id = orders.id AND state IN ('SENT', 'VIEWED')
                               AND expires_at > now() + interval '15 seconds') AS offered
         WHERE status IN ('CREATED', 'SEARCHING', 'GUARANTEE')"
    );
    let rows = store.run(async |connection: Connection| connection.fetch(&COUNTS, &[]).await).await?;
    Ok((column(&rows[0], "races")?, column(&rows[0], "open")?))
}

/// Lets the next of the orders that were put off begin; whether there was one.
async fn wake(store: &Store) -> Result<bool, Error> {
    const WAKE: Statement = statement!(
        "sim.wake",
        [],
        "UPDATE orders SET deferred_until = now()
         WHERE id = (SELECT id FROM orders WHERE status = 'DEFERRED' AND deferred_until > now() ORDER BY id LIMIT 1
                     FOR UPDATE SKIP LOCKED)
         RETURNING id"
    );
    let rows = store.run(async |connection: Connection| connection.fetch(&WAKE, &[]).await).await?;
    Ok(!rows.is_empty())
}

/// Makes an order like that one, at another address; a hard one is of a trade that nobody in its city has, if there is such
/// a trade.
async fn add(store: &Store, job: &Job, hard: bool) -> Result<(), Error> {
    const ADD: Statement = statement!(
        "sim.next_order",
        [INT8, TEXT, TEXT, TEXT, TEXT, TEXT, BOOL, INT4],
        "INSERT INTO orders (city_id, district_id, category, address, description, client_name, client_phone,
                             timeslot_start, timeslot_end)
         SELECT city_id, district_id,
                CASE WHEN hard.category IS NULL THEN $2 ELSE hard.category END,
                $3, CASE WHEN hard.category IS NULL THEN $4 ELSE 'Не заводится машина во дворе, нужен эвакуатор' END,
                $5, $6, slot, slot + interval '2 hours'
         FROM (SELECT * FROM districts WHERE id = $1 AND NOT $7
               UNION ALL
               (SELECT * FROM districts WHERE $7 ORDER BY id DESC LIMIT 1)) AS place (district_id, city_id, name)
         JOIN cities ON cities.id = city_id
         CROSS JOIN LATERAL (SELECT ((now() AT TIME ZONE timezone)::date + make_interval(days => 1, hours => $8))
                                    AT TIME ZONE timezone AS slot) AS calendar
         LEFT JOIN LATERAL (
             SELECT category FROM unnest(ARRAY['ROADSIDE']) AS trade (category)
             WHERE $7 AND NOT EXISTS (SELECT FROM master_categories AS does JOIN masters ON masters.id = does.master_id
                                      WHERE does.category = trade.category
                                        AND masters.city_id = place.city_id)) AS hard ON true"
    );
    let address = elsewhere(&job.address);
    let phone = format!("+7999{:07}", chance(10_000_000));
    let hour = i32::try_from(9 + chance(10)).unwrap_or(12);
    store
        .run(async |connection: Connection| {
            let params: [&(dyn tokio_postgres::types::ToSql + Sync); 8] =
                [&job.district, &job.category, &address, &job.description, &job.client, &phone, &hard, &hour];
            connection.fetch(&ADD, &params).await.map(drop)
        })
        .await
}

/// The same street, another house: the first number after the street's name.
fn elsewhere(address: &str) -> String {
    let Some((street, rest)) = address.split_once(", ") else { return address.to_owned() };
    let digits = rest.chars().take_while(char::is_ascii_digit).count();
    format!("{street}, {}{}", 1 + chance(120), &rest[digits..])
}

#[cfg(test)]
mod tests {
    use super::elsewhere;

    #[test]
    fn another_house_is_in_the_same_street() {
        let address = elsewhere("ул. 8 Марта, 46, парковка ТЦ");
        assert!(address.starts_with("ул. 8 Марта, ") && address.ends_with(", парковка ТЦ"), "{address}");
        assert_eq!(elsewhere("хутор"), "хутор");
    }
}
