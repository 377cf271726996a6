//! Double taps: what appears under the finger does not act. Every screen of a master at work is reached, every button of it
//! pressed, and what is then in the same place looked at.

use field_service::model::OrderId;
use field_service::sim::telegram::Chat;

use crate::harness::keyboard::{rows, under};
use crate::harness::{ANNA, Dispatch};

/// What changes something at once.
fn acts(data: &str) -> bool {
    let word = data.trim_start_matches("m:").split(':').take(2).collect::<Vec<_>>().join(":");
    let acting = [
        "new:acc",
        "new:dec_yes",
        "act:enr",
        "act:wrk",
        "act:cls_yes",
        "act:cls_no",
        "act:sum",
        "act:fix_yes",
        "act:ret_yes",
        "sh:on",
        "sh:off",
    ];
    acting.contains(&word.as_str())
}

/// What asks whether to.
fn asks(data: &str) -> bool {
    let word = data.trim_start_matches("m:").split(':').take(2).collect::<Vec<_>>().join(":");
    ["new:dec", "act:cls", "act:ret", "act:fix"].contains(&word.as_str())
}

/// The screens, each reached anew by pressing these in turn; `~` is written, not pressed.
const SCREENS: [&[&str]; 23] = [
    &["~/start"],
    &["~/start", "Уйти со смены"],
    &["~/start", "Новые заявки"],
    &["~/start", "Новые заявки", "№"],
    &["~/start", "Новые заявки", "№", "Отклонить"],
    &["~/start", "Новые заявки", "№", "Взять"],
    &["~/start", "Мои заявки"],
    &["own"],
    &["own", "В пути"],
    &["own", "В пути", "На месте"],
    &["own", "В пути", "На месте", "Завершить"],
    &["own", "В пути", "На месте", "Завершить", "Да, закончена"],
    &["own", "В пути", "На месте", "Завершить", "Да, закончена", "К заявке"],
    &["own", "В пути", "На месте", "Завершить", "Да, закончена", "~1500"],
    &["own", "В пути", "На месте", "Завершить", "Да, закончена", "~1500", "Да, закрыть"],
    &["own", "В пути", "На месте", "Завершить", "Да, закончена", "~1500", "Да, закрыть", "Исправить"],
    &["own", "В пути", "На месте", "Завершить", "Да, закончена", "~1500", "Да, закрыть", "Исправить", "~1600"],
    &["free", "В пути", "На месте", "Завершить", "Да, закончена"],
    &["free", "В пути", "На месте", "Завершить", "Да, закончена", "К заявке"],
    &["free", "В пути", "На месте", "Завершить", "Да, закончена", "~1500"],
    &["own", "Вернуть"],
    &["own", "Вернуть", "~Заболела"],
    &["own", "В пути", "Вернуть", "~Заболела"],
];

impl Dispatch {
    async fn walk(&self, steps: &[&str], offers: usize) -> Chat {
        self.sql
            .batch_execute(
                "TRUNCATE cards, outbox, dialogs, processed_updates, order_edits, order_status_history, distribution_metrics,
                          dispatch_rounds, offers, orders CASCADE;
                 UPDATE masters SET on_shift = true",
            )
            .await
            .expect("an empty database");
        for _ in 0..offers {
            self.order().offered_to([ANNA]).await;
        }
        let own = self.order().in_status("ASSIGNED").of_master(ANNA).create().await;
        let chat = self.chat(ANNA);
        for step in steps {
            self.pause().await;
            match *step {
                "own" => open(&chat, own).await,
                "free" => {
                    self.execute("UPDATE orders SET guarantee_of = id WHERE id = $1", &[&own.0]).await;
                    open(&chat, own).await;
                }
                step => match step.strip_prefix('~') {
                    Some(text) => drop(chat.say(text).await),
                    None => drop(chat.press(step).await),
                },
            }
        }
        chat
    }
}

/// An own order's card, as its button in a list opens it.
async fn open(chat: &Chat, order: OrderId) {
    chat.say("/start").await;
    chat.tap(&format!("m:act:card:{order}")).await;
}

#[tokio::test]
async fn nothing_that_acts_appears_where_a_button_acted_or_asked() {
    let t = Dispatch::start().await;
    t.execute("UPDATE masters SET max_active_orders = 20", &[]).await;
    let mut pairs = 0;
    for offers in [1, 2, 3, 7] {
        for screen in SCREENS {
            let before = rows(&t.walk(screen, offers).await);
            for (row, buttons) in before.iter().enumerate() {
                for (column, button) in buttons.iter().enumerate() {
                    if !acts(&button.data) && !asks(&button.data) {
                        continue;
                    }
                    let chat = t.walk(screen, offers).await;
                    t.pause().await;
                    chat.tap(&button.data).await;
                    let after = rows(&chat);
                    for same in under(&before, (row, column), &after) {
                        pairs += 1;
                        assert!(
                            same.iter().all(|under| !acts(&under.data)),
                            "{screen:?} with {offers} offers: under «{}» is {same:?}",
                            button.text
                        );
                    }
                }
            }
        }
    }
    assert!(pairs > 100, "only {pairs}");
}

/// A list's line opens a card; «Взять» is not under it.
#[tokio::test]
async fn a_double_tap_on_a_line_takes_nothing() {
    let t = Dispatch::start().await;
    for offers in [1, 2, 3, 7] {
        for screen in [["~/start", "Новые заявки"], ["~/start", "Мои заявки"]] {
            let lines = rows(&t.walk(&screen, offers).await);
            for (row, line) in lines.iter().enumerate().filter(|(_, row)| row[0].text.contains('№')) {
                let chat = t.walk(&screen, offers).await;
                chat.tap(&line[0].data).await;
                let under = rows(&chat).get(row).map(|row| row[0].data.clone()).unwrap_or_default();
                assert!(!acts(&under), "{screen:?}, row {row}: {under}");
            }
        }
    }
}

/// Whatever is under the finger: a step is not taken within a second and a half of the one before.
#[tokio::test]
async fn a_step_is_not_taken_at_once_after_another() {
    let t = Dispatch::with_standing_clock(0).await;
    let order = t.order().offered_to([ANNA]).await;
    let chat = t.chat(ANNA);
    chat.say("/start").await;
    t.tap_accept(ANNA, order).await;
    chat.tap(&format!("m:act:enr:{order}")).await;
    assert_eq!(t.status(order).await, "EN_ROUTE", "right after taking it");
    let too_soon = chat.tap(&format!("m:act:wrk:{order}")).await;
    assert!(too_soon.notice().contains("Слишком быстро"), "{}", too_soon.notice());
    assert_eq!(t.status(order).await, "EN_ROUTE");
    t.let_pass(2);
    let again = chat.deliver(too_soon.update).await;
    assert!(again.answers.last().and_then(|answer| answer.text.clone()).is_some_and(|text| text.contains("Слишком")));
    assert_eq!(t.status(order).await, "EN_ROUTE", "what was refused is not done when it comes again");
    chat.tap(&format!("m:act:wrk:{order}")).await;
    assert_eq!(t.status(order).await, "WORKING");
    for (word, status) in [("cls_yes", "PAYMENT"), ("cls_no", "WORKING")] {
        assert!(chat.tap(&format!("m:act:{word}:{order}")).await.notice().contains("Слишком быстро"), "{word}");
        t.let_pass(2);
        chat.tap(&format!("m:act:{word}:{order}")).await;
        assert_eq!(t.status(order).await, status);
    }
    t.check().await;
}
