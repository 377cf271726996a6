//! Double taps of dispatchers: what appears under the finger does not act.

use field_service::model::OrderId;
use field_service::sim::telegram::Chat;

use crate::harness::keyboard::{rows, under};
use crate::harness::{ANNA, BORIS, Dispatch, VERA};

const OLGA: i64 = 501;

/// The word of a button about an order.
fn word(data: &str) -> String {
    let parts: Vec<&str> = data.split(':').skip(1).take(3).collect();
    match parts[..] {
        ["q", "as", word] => format!("as:{word}"),
        [area, word, ..] => format!("{area}:{word}"),
        _ => data.to_owned(),
    }
}

/// What changes something at once. Not who sees to an order: that moves nothing, and the next tap takes it back.
fn acts(data: &str) -> bool {
    let acting = [
        "as:auto",
        "as:any",
        "o:ret_yes",
        "o:ret_own",
        "o:cnl_yes",
        "o:cnl_own",
        "o:win",
        "o:asap",
        "o:nocom",
        "o:cls",
        "o:rop_yes",
    ];
    acting.contains(&word(data).as_str())
}

/// What asks whether to, or may.
fn asks(data: &str) -> bool {
    ["as:pick", "o:ret", "o:cnl", "q:ret", "q:cnl", "o:rop", "o:sum"].contains(&word(data).as_str())
}

/// The screens, each reached anew from the card by these; `~` is written.
const SCREENS: [&[&str]; 16] = [
    &[],
    &["q:as:man:#:1"],
    &["q:as:man:#:1", "q:as:pick:#:3"],
    &["q:as:pick:#:1"],
    &["q:ret:#"],
    &["q:ret:#", "o:ret:late:#"],
    &["q:cnl:#"],
    &["q:cnl:#", "o:cnl:dup:#"],
    &["q:cnl:#", "~Ошибка"],
    &["o:edit:#"],
    &["o:slot:#"],
    &["o:slot:#", "o:day:#:20991129"],
    &["o:com:#", "~Домофон 15", "o:com:#"],
    &["o:sum:#", "~1500"],
    &["o:rop:#"],
    &["o:clm:#"],
];

/// Orders of every kind.
const KINDS: [&str; 8] = ["CREATED", "offered", "ASSIGNED", "WORKING", "PAYMENT", "closed", "canceled", "DEFERRED"];

impl Dispatch {
    /// Olga's chat with an order of that kind, in that screen.
    async fn in_screen(&self, chat: &Chat, kind: &str, screen: &[&str]) -> OrderId {
        let order = match kind {
            "offered" => self.order().offered_to([ANNA, BORIS]).await,
            "canceled" => self.order().create().await,
            "CREATED" | "DEFERRED" => {
                self.order().in_status(if kind == "CREATED" { "CREATED" } else { "DEFERRED" }).create().await
            }
            "ASSIGNED" => self.order().in_status("ASSIGNED").of_master(BORIS).create().await,
            "WORKING" => self.order().in_status("WORKING").of_master(BORIS).create().await,
            _ => self.order().in_status("PAYMENT").of_master(BORIS).create().await,
        };
        match kind {
            "closed" => drop(chat.tap(&format!("adm:o:cls:{order}:100")).await),
            "canceled" => drop(chat.tap(&format!("adm:o:cnl_yes:dup:{order}")).await),
            _ => {}
        }
        chat.tap(&format!("adm:q:card:{order}:1")).await;
        for step in screen {
            match step.strip_prefix('~') {
                Some(text) => drop(chat.say(text).await),
                None => drop(chat.tap(&format!("adm:{}", step.replace('#', &order.to_string()))).await),
            }
        }
        order
    }
}

#[tokio::test]
async fn nothing_that_acts_appears_where_a_button_of_an_order_acted_or_asked() {
    let t = Dispatch::start().await;
    for user in [ANNA, BORIS, VERA] {
        t.chat(user).open();
    }
    t.execute("UPDATE masters SET on_shift = false WHERE telegram_user_id = $1", &[&VERA]).await;
    t.execute("UPDATE masters SET max_active_orders = 1000", &[]).await;
    let chat = t.add_staff(OLGA).await;
    let mut pairs = 0;
    for kind in KINDS {
        for screen in SCREENS {
            t.in_screen(&chat, kind, screen).await;
            let before = rows(&chat);
            for (row, buttons) in before.iter().enumerate() {
                for (column, button) in buttons.iter().enumerate() {
                    if !acts(&button.data) && !asks(&button.data) {
                        continue;
                    }
                    t.in_screen(&chat, kind, screen).await;
                    let data = rows(&chat)[row][column].data.clone();
                    chat.tap(&data).await;
                    let after = rows(&chat);
                    for same in under(&before, (row, column), &after) {
                        pairs += 1;
                        assert!(
                            same.iter().all(|under| !acts(&under.data)),
                            "{kind} {screen:?}: under «{}» is {same:?}",
                            button.text
                        );
                    }
                }
            }
        }
    }
    assert!(pairs > 100, "only {pairs}");
    t.check().await;
}
