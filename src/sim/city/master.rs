//! A master whom nobody plays: takes an order now and then, goes there, works, asks for the money; sometimes gives one back.
//!
//! Everything is done with the buttons that are in the chat, found by what they say, and by typing. A button that is not
//! there is looked for again another time: whatever keyboard a screen has, the order's card leads on.

use super::{Pace, chance, pause};
use crate::model::{MasterId, OrderId};
use crate::sim::telegram::Chat;
use crate::store::{Connection, Error, Statement, Store, column, statement};

pub(super) struct SimulatedMaster {
    pub(super) id: MasterId,
    pub(super) chat: Chat,
    pub(super) store: Store,
    pub(super) pace: Pace,
}

/// What is next for an order that the master has, by its status: what the button says.
const STEPS: [(&str, &str); 4] =
    [("ASSIGNED", "В пути"), ("EN_ROUTE", "На месте"), ("WORKING", "Завершить"), ("PAYMENT", "сумму")];
/// How many pages of a list are looked through.
const PAGES: usize = 3;
/// One of so many orders is given back.
const GIVEN_BACK: u64 = 15;

impl SimulatedMaster {
    /// Lives for ever.
    pub(super) async fn live(self) {
        loop {
            pause(self.pace.think).await;
            if let Err(error) = self.next().await {
                tracing::warn!(%error, "a simulated master could not see to anything");
            }
        }
    }

    async fn next(&self) -> Result<(), Error> {
        if !self.chat.may_be_simulated() {
            return Ok(());
        }
        if self.chat.messages().is_empty() {
            self.say("/start").await;
        }
        let Some(day) = self.day().await? else { return Ok(()) };
        if let Some((order, status)) = day.own {
            self.work(order, &status).await;
        } else if !day.on_shift {
            self.press_in_menu("на смену").await;
        }
        if let Some(order) = day.take.filter(|_| chance(2) == 0) {
            pause(self.pace.step).await;
            self.take(order).await;
        }
        Ok(())
    }

    /// What there is to do: an own order, and one to take. An order that others can race for is left to them for a while,
    /// as long as there are few such.
    async fn day(&self) -> Result<Option<Day>, Error> {
        const DAY: Statement = statement!(
            "sim.day",
            [INT8, INT4],
            "WITH offered AS (
                 SELECT order_id, min(sent_at) AS since, count(*) AS masters, bool_or(master_id = $1) AS mine
                 FROM offers JOIN orders ON orders.id = order_id
                 WHERE state IN ('SENT', 'VIEWED') AND expires_at > now() + interval '5 seconds'
                   AND status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED')
                 GROUP BY order_id
             )
             SELECT masters.on_shift, own.id AS own, own.status,
                    (SELECT order_id FROM offered
                     WHERE mine AND since < now() - make_interval(secs => $2)
                       AND (SELECT count(*) FROM offered WHERE masters >= 2) > CASE WHEN masters >= 2 THEN 3 ELSE 0 END
                     ORDER BY since LIMIT 1) AS take
             FROM masters
             LEFT JOIN LATERAL (SELECT id, status FROM orders
                                WHERE assigned_master_id = masters.id
                                  AND status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')
                                ORDER BY id LIMIT 1) AS own ON true
             WHERE masters.id = $1"
        );
        let rows = self
            .store
            .run(async |connection: Connection| connection.fetch(&DAY, &[&self.id.0, &self.pace.leave]).await)
            .await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let own: Option<i64> = column(row, "own")?;
        let status: Option<String> = column(row, "status")?;
        let take: Option<i64> = column(row, "take")?;
        Ok(Some(Day { on_shift: column(row, "on_shift")?, own: own.map(OrderId).zip(status), take: take.map(OrderId) }))
    }

    /// The offer's own message has the button, or else its card in the list.
    async fn take(&self, order: OrderId) {
        if !self.press(Some(order), "Взять").await && self.open("Новые заявки", order).await {
            self.press(Some(order), "Взять").await;
        }
    }

    /// The next step with an order of the master's own.
    async fn work(&self, order: OrderId, status: &str) {
        let Some((_, step)) = STEPS.iter().find(|(known, _)| *known == status) else { return };
        let gives_back = status == "ASSIGNED" && chance(GIVEN_BACK) == 0;
        let step = if gives_back { "Вернуть" } else { step };
        let pressed = self.press(Some(order), step).await
            || self.open("Мои заявки", order).await && self.press(Some(order), step).await;
        if !pressed {
            return;
        }
        match step {
            "Вернуть" => self.answer(order, "Не успеваю, предыдущий заказ затянулся", "Да, вернуть").await,
            "Завершить" if self.press(Some(order), "Да, закончена").await => {
                self.answer(order, &sum(), "Да, закрыть").await;
            }
            "сумму" => self.answer(order, &sum(), "Да, закрыть").await,
            _ => {}
        }
    }

    /// Types what was asked for, and says yes if that is asked.
    async fn answer(&self, order: OrderId, words: &str, yes: &str) {
        self.say(words).await;
        self.press(Some(order), yes).await;
    }

    /// Opens an order's card through a list; whether it was there.
    async fn open(&self, list: &str, order: OrderId) -> bool {
        if !self.press_in_menu(list).await {
            return false;
        }
        for _ in 0..PAGES {
            let there = self.find(None, |text| text.contains('№') && mentions(text, order) && !text.starts_with('✅'));
            if let Some((message, data)) = there {
                return self.tap(message, &data).await;
            }
            if !self.press(None, "▶").await {
                return false;
            }
        }
        false
    }

    /// Presses a button that the menu has too.
    async fn press_in_menu(&self, label: &str) -> bool {
        if self.press(None, label).await {
            return true;
        }
        self.say("/start").await;
        self.press(None, label).await
    }

    /// Presses the last button that says so, under a message about the order if there is one; whether it was there.
    async fn press(&self, order: Option<OrderId>, label: &str) -> bool {
        match self.find(order, |text| text.contains(label)) {
            Some((message, data)) => self.tap(message, &data).await,
            None => false,
        }
    }

    /// The last button of that kind: its message, and what it sends.
    fn find(&self, order: Option<OrderId>, is_it: impl Fn(&str) -> bool) -> Option<(i32, String)> {
        let messages = self.chat.messages();
        let about = |text: &str| order.is_none_or(|order| mentions(text, order));
        messages.iter().rev().filter(|message| message.from_bot && about(&message.text)).find_map(|message| {
            let button = message.buttons.iter().flatten().find(|button| !button.data.is_empty() && is_it(&button.text));
            button.map(|button| (message.id, button.data.clone()))
        })
    }

    async fn tap(&self, message: i32, data: &str) -> bool {
        if !self.chat.may_be_simulated() {
            return false;
        }
        self.chat.enqueue_simulated(self.chat.tap_update_on(message, data)).await;
        pause(self.pace.step).await;
        true
    }

    async fn say(&self, text: &str) {
        if self.chat.may_be_simulated() {
            self.chat.enqueue_simulated(self.chat.text_update(text)).await;
            pause(self.pace.step).await;
        }
    }
}

struct Day {
    on_shift: bool,
    own: Option<(OrderId, String)>,
    take: Option<OrderId>,
}

/// Whether a text names the order, and not one whose number only begins like it.
fn mentions(text: &str, order: OrderId) -> bool {
    let name = format!("№{order}");
    text.match_indices(&name).any(|(at, _)| !text[at + name.len()..].starts_with(|c: char| c.is_ascii_digit()))
}

fn sum() -> String {
    (1200 + 100 * chance(60)).to_string()
}

#[cfg(test)]
mod tests {
    use super::mentions;
    use crate::model::OrderId;

    #[test]
    fn an_order_is_not_taken_for_another_whose_number_begins_like_it() {
        assert!(mentions("Заявка №7: сколько?", OrderId(7)) && mentions("№70 и №7", OrderId(7)));
        assert!(!mentions("Заявка №70", OrderId(7)) && !mentions("7", OrderId(7)));
    }
}
