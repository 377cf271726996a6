//! Offers that nobody's search has made: several to the same master at once, who takes all of them at the same moment. However few
//! a search would ask him for, that is how he comes to his limit and beyond, if anybody lets him.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::sleep;

use super::City;
use crate::torture::marks::MASTER_TOKEN;
use crate::torture::plan::Chance;

/// Offers what is searched for in the master's city, the newest first: an order's lock is held, so that it is open as long.
const OFFER: &str = "WITH open AS (
         SELECT orders.id FROM orders JOIN masters ON masters.city_id = orders.city_id
         WHERE masters.id = $1 AND orders.status = 'SEARCHING' AND category <> 'WINDOWS'
         ORDER BY orders.id DESC LIMIT 5 FOR UPDATE OF orders SKIP LOCKED
     )
     INSERT INTO offers (order_id, master_id, state, round_number, expires_at)
     SELECT id, $1, 'SENT', 1, now() + interval '25 s' FROM open
     ON CONFLICT DO NOTHING";
const OFFERED: &str = "SELECT order_id FROM offers WHERE master_id = $1 AND state IN ('SENT', 'VIEWED')
     ORDER BY order_id DESC LIMIT 6";

pub(super) async fn live(city: &City, mut chance: Chance) {
    while !city.is_over() {
        sleep(Duration::from_millis(200 + chance.below_u64(500))).await;
        let number = chance.below(city.masters);
        let master = i64::try_from(number).unwrap_or_default() + 1;
        // Whatever fault is in force: there will be another time.
        let Ok(owner) = city.world.owner().await else { continue };
        if owner.execute(OFFER, &[&master]).await.is_err() {
            continue;
        }
        let Ok(offered) = owner.query(OFFERED, &[&master]).await else { continue };
        drop(owner);
        let person = city.post.person(MASTER_TOKEN, City::master_id(number));
        let taps = offered.iter().map(|row| {
            let order: i64 = row.get(0);
            let update = person.chat.tap_update(&format!("m:new:acc:{order}:1"));
            let (person, mut of_tap) = (&person, Chance::of(chance.below_u64(u64::MAX), order.unsigned_abs()));
            async move { city.post.deliver(person, update, &mut of_tap).await }
        });
        let taps: Vec<_> = taps.collect();
        join_all(taps).await;
    }
}
