//! A page is opened by whom Telegram vouches for, or by a link, and closed by time, by leaving, and by losing the right.

use field_service::dispatch::session;
use field_service::model::access::Token;
use field_service::model::init_data::signed;
use field_service::model::{StaffRef, TelegramUserId};
use field_service::store::staff::{self, Changes, Saved};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::program::{Answer, Program};
use crate::harness::{ADMIN_TOKEN, ANNA, Dispatch, MASTER_TOKEN, STRANGER};

const OLGA: i64 = 501;

impl Dispatch {
    /// What Telegram tells a page that somebody opens now.
    fn init_data(&self, user: i64, bot: &str) -> String {
        let made = self.clock.now().expect("a standing clock").as_second().to_string();
        signed(&[("user", &json!({"id": user}).to_string()), ("auth_date", &made)], bot)
    }

    async fn open_page(&self, proof: Value) -> Answer {
        self.holding("").post("/api/session", &[], &proof).await
    }

    async fn link(&self, user: i64) -> Option<Token> {
        session::link(&self.app.store, StaffRef::Telegram(TelegramUserId(user)), session::LINK)
            .await
            .expect("a database")
    }

    fn page_of(&self, opened: &Answer) -> Program {
        self.holding(opened.json()["token"].as_str().expect("a token"))
    }
}

#[tokio::test]
async fn whom_telegram_vouches_for_opens_the_page_with_the_own_right() {
    let t = Dispatch::with_standing_clock(0).await;
    for (user, role, scope) in [(OLGA, "DISPATCHER", "ALL"), (502, "VIEWER", "READ"), (503, "ADMIN", "ALL")] {
        t.add_staff_as(user, role, &[]).await;
        let opened = t.open_page(json!({"init_data": t.init_data(user, ADMIN_TOKEN)})).await;
        let said = opened.json();
        assert_eq!((opened.status, &said["role"], &said["scope"]), (201, &json!(role), &json!(scope)), "{said}");
        let page = t.page_of(&opened);
        assert_eq!(page.get("/api/session").await.json()["role"], role);
        assert_eq!(page.get("/api/board").await.status, 200);
    }
    t.execute("UPDATE staff SET is_active = false WHERE telegram_user_id = 503", &[]).await;
    for (user, bot) in
        [(ANNA, ADMIN_TOKEN), (STRANGER, ADMIN_TOKEN), (503, ADMIN_TOKEN), (OLGA, MASTER_TOKEN), (OLGA, "1:x")]
    {
        let refused = t.open_page(json!({"init_data": t.init_data(user, bot)})).await;
        assert_eq!(refused.problem(), "unauthorized", "{user} {bot}");
    }
    let old = t.init_data(OLGA, ADMIN_TOKEN);
    t.let_pass(601);
    assert_eq!(t.open_page(json!({"init_data": old})).await.problem(), "unauthorized");
    for bad in [json!({}), json!({"init_data": old, "link": "x"}), json!({"init_data": 1})] {
        assert_eq!(t.open_page(bad).await.problem(), "invalid");
    }
}

#[tokio::test]
async fn a_link_opens_the_page_once_and_for_ten_minutes() {
    let t = Dispatch::with_standing_clock(0).await;
    t.add_staff(OLGA).await;
    assert_eq!(t.link(STRANGER).await, None);
    let link = t.link(OLGA).await.expect("a link").text();
    assert_eq!(t.holding(&link).get("/api/board").await.problem(), "unauthorized", "a link is no token");
    let proof = json!({"link": link});
    let opened = join_all((0..5).map(|_| t.open_page(proof.clone()))).await;
    assert_eq!(opened.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(opened.iter().all(|answer| answer.status == 201 || answer.problem() == "unauthorized"));
    let late = t.link(OLGA).await.expect("a link").text();
    t.let_pass(600);
    assert_eq!(t.open_page(json!({"link": late})).await.problem(), "unauthorized");
    assert_eq!(t.open_page(json!({"link": "fs_1_x"})).await.problem(), "unauthorized");
}

#[tokio::test]
async fn a_session_ends_by_time_by_leaving_and_at_once_with_the_right() {
    let t = Dispatch::with_standing_clock(0).await;
    t.add_staff(OLGA).await;
    let open = async || t.page_of(&t.open_page(json!({"init_data": t.init_data(OLGA, ADMIN_TOKEN)})).await);
    let (left, deactivated) = (open().await, open().await);
    assert_eq!(left.ask(Method::DELETE, "/api/session", &[], None).await.status, 204);
    assert_eq!(left.get("/api/session").await.problem(), "unauthorized");
    assert_eq!(deactivated.get("/api/session").await.status, 200, "another one goes on");
    t.execute("UPDATE staff SET is_active = false", &[]).await;
    assert_eq!(deactivated.get("/api/board").await.problem(), "unauthorized");
    t.execute("UPDATE staff SET is_active = true", &[]).await;
    let page = open().await;
    t.let_pass(12 * 3600);
    assert_eq!(page.get("/api/board").await.problem(), "unauthorized");
    // Two days later nothing is left of them.
    t.let_pass(2 * 24 * 3600);
    t.tick().await;
    assert_eq!(t.one::<i64>("SELECT count(*) FROM access_tokens", &[]).await, 0);
}

#[tokio::test]
async fn who_has_less_right_than_when_the_page_was_opened_changes_nothing() {
    let t = Dispatch::with_standing_clock(0).await;
    t.add_staff(OLGA).await;
    let order = t.order().offered_to([ANNA]).await;
    let page = t.page_of(&t.open_page(json!({"init_data": t.init_data(OLGA, ADMIN_TOKEN)})).await);
    t.execute("UPDATE staff SET role = 'VIEWER'", &[]).await;
    let cancel = json!({"reason": "Дубль"});
    let refused = page.post(&format!("/api/orders/{order}/cancel"), &[("If-Match", "*")], &cancel).await;
    assert_eq!((refused.status, refused.problem().as_str()), (403, "forbidden"));
    assert_eq!(page.get("/api/board").await.status, 200);
}

#[tokio::test]
async fn who_is_let_in_again_opens_the_page_again() {
    let t = Dispatch::with_standing_clock(0).await;
    t.add_staff(OLGA).await;
    let page = t.page_of(&t.open_page(json!({"init_data": t.init_data(OLGA, ADMIN_TOKEN)})).await);
    let set = async |active| {
        let changes = Changes { is_active: Some(active), ..Changes::default() };
        let olga = StaffRef::Telegram(TelegramUserId(OLGA));
        assert!(matches!(staff::change(&t.app.store, olga, &changes).await, Ok(Saved::Saved(_))));
    };
    set(false).await;
    set(true).await;
    assert_eq!(page.get("/api/board").await.problem(), "unauthorized");
}
