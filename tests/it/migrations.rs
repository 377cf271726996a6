//! Every migration runs over what the releases before it may have written, also by hand.

use std::path::Path;

use field_service::store::Clock;

use crate::harness::{Dispatch, Settings, postgres};

/// What a database may hold before the files of that number and above are applied.
const BEFORE: [(&str, &str); 1] = [(
    "V4__",
    "INSERT INTO cities (name, timezone) VALUES ('Екатеринбург', 'Asia/Yekaterinburg');
     INSERT INTO masters (telegram_user_id, full_name, city_id) VALUES (901, 'Анна', 1), (902, 'Борис', 1);
     INSERT INTO staff (telegram_user_id, full_name) VALUES (500, 'Ольга');
     INSERT INTO orders (city_id, category, status, address, client_name, client_phone, assigned_master_id, final_amount,
                         next_round_at, created_at)
     VALUES (1, 'PLUMBING', 'SEARCHING', 'x', 'x', '+7', NULL, NULL, 'infinity', '-infinity'),
            (1, 'PLUMBING', 'CLOSED', 'x', 'x', '+7', 1, 100, now(), now()),
            (1, 'PLUMBING', 'CANCELED', 'x', 'x', '+7', 1, 100, now(), now());
     INSERT INTO offers (order_id, master_id, state, expires_at, sent_at, responded_tap, responded_at)
     VALUES (1, 1, 'SENT', now() + interval '1 hour', 'infinity', NULL, now()),
            (1, 2, 'DECLINED', now(), now(), '77', now()),
            (2, 1, 'ACCEPTED', now(), now(), '78', now()),
            (3, 1, 'EXPIRED', now(), now(), NULL, NULL);
     INSERT INTO order_status_history (order_id, from_status, to_status, actor_type, changed_by_master_id, context)
     VALUES (2, 'ASSIGNED', 'EN_ROUTE', 'MASTER', 1, '{\"tap\": \"79\"}'),
            (2, 'PAYMENT', 'CLOSED', 'MASTER', 1, '{\"tap\": \"message 101 5\"}'),
            (2, 'CLOSED', 'CLOSED', 'SYSTEM', NULL, '{\"tap\": null}'),
            (2, 'CLOSED', 'CLOSED', 'SYSTEM', NULL, '[\"tap\"]');
     INSERT INTO distribution_metrics (order_id, master_id, assigned_at, candidates_count, time_to_assign_seconds)
     VALUES (2, 1, 'infinity', 1, 1);
     INSERT INTO taps (id) VALUES ('80'), ('elsewhere 81');
     INSERT INTO outbox (bot, chat_id, kind, lease, finished_at)
     VALUES ('MASTER', 101, 'LIST', gen_random_uuid(), now()), ('MASTER', 101, 'LIST', NULL, NULL);
     INSERT INTO dialogs (master_id, kind, order_id, answered_by) VALUES (1, 'AMOUNT', 2, 5)",
)];

#[tokio::test]
async fn what_earlier_releases_have_written_is_brought_up_to_date() {
    let url = postgres::empty_database("upgraded").await;
    let sql = postgres::connect(&url).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("the migrations").map(|entry| entry.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    assert!(files.len() >= 7);
    for file in files {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        if let Some((_, rows)) = BEFORE.iter().find(|(prefix, _)| name.starts_with(prefix)) {
            sql.batch_execute(rows).await.unwrap_or_else(|error| panic!("before {name}: {error:?}"));
        }
        let statements = std::fs::read_to_string(&file).expect("SQL");
        sql.batch_execute(&format!("BEGIN; {statements}; COMMIT"))
            .await
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
    let keys = "SELECT string_agg(concat_ws(' ', update_key, action, outcome), ', ' ORDER BY update_key) FROM processed_updates";
    let known: String = sql.query_one(keys, &[]).await.expect("a query").get(0);
    assert_eq!(
        known,
        "callback 77 DECLINE SUCCESS, callback 78 ACCEPT SUCCESS, callback 79 PROGRESS SUCCESS, callback 80 SHOW SHOWN, \
         message 101 5 CLOSE SUCCESS"
    );
    // And the system runs on it.
    let t = Dispatch::start_on(url, Settings { clock: Clock::default(), ..Settings::default() }).await;
    t.tick().await;
    let chat = t.chat(901);
    chat.tap("m:new").await;
    chat.press("№1").await;
    assert!(chat.press("Взять заявку").await.notice().contains("принята"));
}
