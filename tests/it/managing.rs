//! Staff and masters: who may change what, what is told to whom, and who is let in.

use field_service::dispatch::manage::{self, ManageOutcome};
use field_service::dispatch::staff_dialog;
use field_service::model::access::TokenScope;
use field_service::model::managed::Manage;
use field_service::model::{Category, MasterId, Place, StaffRef, TelegramUserId};
use field_service::sim::telegram::Chat;
use tokio::join;

use crate::harness::{ADMIN_TOKEN, ANNA, BORIS, Dispatch, STRANGER, VERA};

const OLGA: i64 = 500;
const PAVEL: i64 = 501;
const NEWCOMER: i64 = 777;

/// All that staff can change of masters, and the invitations.
async fn everything(t: &Dispatch) -> String {
    t.one(
        "SELECT concat_ws(E'\\n',
             (SELECT string_agg(t::text, E'\\n' ORDER BY id) FROM masters AS t),
             (SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM master_categories AS t),
             (SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM master_districts AS t),
             (SELECT string_agg(t::text, E'\\n' ORDER BY id) FROM master_changes AS t),
             (SELECT string_agg(t::text, E'\\n' ORDER BY id) FROM invitations AS t),
             (SELECT string_agg(t::text, E'\\n' ORDER BY staff_id) FROM staff_dialogs AS t))",
        &[],
    )
    .await
}

/// The data of the button that says so.
fn data(chat: &Chat, label: &str) -> String {
    let buttons = chat.buttons();
    let button = buttons.iter().find(|button| button.text.contains(label));
    button.unwrap_or_else(|| panic!("no «{label}» among {buttons:?}")).data.clone()
}

async fn districts(t: &Dispatch) {
    t.execute("INSERT INTO districts (city_id, name) SELECT min(id), unnest(ARRAY['Центр', 'Север']) FROM cities", &[])
        .await;
}

/// Invites a master to the first city, to be approved (`ask`) or not (`free`): the link.
async fn invite(staff: &Chat, how: &str) -> String {
    for tap in ["adm:m:im".to_owned(), format!("adm:m:im:1:{how}")] {
        staff.tap(&tap).await;
    }
    link(staff)
}

/// A newcomer who follows a link and tells all.
async fn come(t: &Dispatch, link: &str) -> Chat {
    let chat = t.chat(NEWCOMER);
    chat.follow(link).await;
    chat.say("Пётр Новый").await;
    chat.share_contact().await;
    chat.press("Сантехника").await;
    chat.press("Дальше").await;
    chat
}

/// The link that a screen shows.
fn link(chat: &Chat) -> String {
    chat.screen().lines().rfind(|line| line.starts_with("https://t.me/")).expect("a link").to_owned()
}

#[tokio::test]
async fn an_admin_invites_who_invites_a_master_who_waits_and_is_let_in() {
    let t = Dispatch::start().await;
    let admin = t.add_staff_as(OLGA, "ADMIN", &[]).await;
    admin.say("/start").await;
    assert_eq!(admin.commands(), ["new", "queue", "masters", "figures", "start"]);
    for label in ["Мастера", "Приглашения", "Пригласить в диспетчеры", "Диспетчер, все города"]
    {
        admin.press(label).await;
    }
    let pavel = t.telegram.chat(ADMIN_TOKEN, PAVEL, "Павел");
    pavel.follow(&link(&admin)).await;
    assert!(pavel.screen().contains("Здравствуйте, Павел"), "{}", pavel.screen());
    let second = t.telegram.chat(ADMIN_TOKEN, STRANGER, "Чужой");
    second.follow(&link(&admin)).await;
    assert!(second.screen().contains("уже кто-то вошёл"), "{}", second.screen());

    for label in ["Мастера", "Приглашения", "Пригласить мастера", "с одобрением"]
    {
        pavel.press(label).await;
    }
    let newcomer = come(&t, &link(&pavel)).await;
    assert!(newcomer.screen().contains("анкета у диспетчера"), "{}", newcomer.screen());
    // Whoever does something else meanwhile hears of it all the same.
    pavel.tap("adm:menu").await;
    t.app.jobs().pass().await.expect("a pass");
    field_service::bots::delivery::pass(&t.app.bots(), None).await.expect("a database");
    for chat in [&admin, &pavel] {
        assert!(
            chat.screen().contains("Пётр Новый") && chat.screen().contains("Ждёт вашего решения"),
            "{}",
            chat.screen()
        );
    }
    let stale = data(&pavel, "Одобрить");
    assert!(admin.press("Одобрить").await.notice().contains("одобрен"));
    assert!(
        admin.screen().contains("Не на смене") && admin.screen().contains("одобрен (Диспетчер)"),
        "{}",
        admin.screen()
    );
    assert!(pavel.tap(&stale).await.notice().contains("Так уже и есть (Диспетчер"));
    field_service::bots::delivery::pass(&t.app.bots(), None).await.expect("a database");
    assert!(newcomer.screen().contains("Вашу анкету одобрили."), "{}", newcomer.screen());
    assert!(newcomer.screen().contains("Здравствуйте, Пётр Новый"), "{}", newcomer.screen());
    newcomer.press("Выйти на смену").await;
    let order = t.order().offered_to([NEWCOMER]).await;
    assert!(t.tap_accept(NEWCOMER, order).await.notice().contains("принята"));
}

/// Two of the staff have the newcomer's card: whoever comes second is told what the first one has done.
#[tokio::test]
async fn whoever_lets_in_whom_a_colleague_has_refused_is_told_so() {
    let t = Dispatch::start().await;
    let (olga, pavel) = (t.add_staff(OLGA).await, t.add_staff(PAVEL).await);
    let link = invite(&olga, "ask").await;
    come(&t, &link).await;
    let newcomer: i64 = t.one("SELECT id FROM masters WHERE awaiting_approval_since IS NOT NULL", &[]).await;
    for chat in [&olga, &pavel] {
        chat.tap(&format!("adm:m:c:{newcomer}")).await;
    }
    let approve = data(&pavel, "Одобрить");
    olga.press("Отказать").await;
    olga.say("Нет допуска").await;
    olga.press("Да, отказать").await;
    let before = everything(&t).await;
    let notice = pavel.tap(&approve).await.notice().to_owned();
    assert!(notice.contains("это изменили — заблокирован: Нет допуска"), "{notice}");
    assert_eq!(everything(&t).await, before);
}

/// The process died between the change and the end of the question.
#[tokio::test]
async fn a_limit_whose_answer_was_lost_is_shown_when_the_message_comes_again() {
    let t = Dispatch::start().await;
    let olga = t.add_staff(OLGA).await;
    olga.tap("adm:m:c:1").await;
    olga.press("Лимит").await;
    olga.press("Другое число").await;
    t.execute("CREATE TABLE asked AS SELECT * FROM staff_dialogs", &[]).await;
    let update = olga.text_update("42");
    olga.deliver(update.clone()).await;
    assert!(olga.screen().contains("В работе 0 из 42"), "{}", olga.screen());
    t.execute("INSERT INTO staff_dialogs SELECT * FROM asked", &[]).await;
    olga.deliver(update).await;
    assert!(olga.screen().contains("В работе 0 из 42"), "{}", olga.screen());
    assert_eq!(t.one::<i64>("SELECT count(*) FROM staff_dialogs", &[]).await, 0, "the question is answered");
}

/// Nobody was there to be told; whoever comes on duty is.
#[tokio::test]
async fn that_a_newcomer_waits_is_told_when_somebody_is_there() {
    let t = Dispatch::start().await;
    let olga = t.add_staff(OLGA).await;
    let link = invite(&olga, "ask").await;
    t.execute("UPDATE staff SET unreachable_since = now()", &[]).await;
    come(&t, &link).await;
    t.tick().await;
    assert_eq!(t.one::<i64>("SELECT count(*) FROM outbox WHERE kind = 'STAFF_SCREEN'", &[]).await, 0);
    t.execute("UPDATE staff SET unreachable_since = NULL", &[]).await;
    for _ in 0..2 {
        t.tick().await;
    }
    field_service::bots::delivery::pass(&t.app.bots(), None).await.expect("a database");
    assert!(olga.screen().contains("Пётр Новый") && olga.screen().contains("Ждёт вашего решения"), "{}", olga.screen());
    assert_eq!(t.one::<i64>("SELECT count(*) FROM outbox WHERE kind = 'STAFF_SCREEN'", &[]).await, 1, "once");
}

#[tokio::test]
async fn whoever_is_on_the_way_by_the_link_of_somebody_without_the_right_is_stopped() {
    let t = Dispatch::start().await;
    let olga = t.add_staff(OLGA).await;
    let link = invite(&olga, "free").await;
    let newcomer = t.chat(NEWCOMER);
    newcomer.follow(&link).await;
    newcomer.say("Пётр Новый").await;
    newcomer.share_contact().await;
    newcomer.press("Сантехника").await;
    t.execute("UPDATE staff SET is_active = false", &[]).await;
    newcomer.press("Дальше").await;
    assert_eq!(t.one::<i64>("SELECT count(*) FROM masters", &[]).await, 3);
    newcomer.say("/start").await;
    assert!(newcomer.screen().contains("Ваш Telegram ID"), "{}", newcomer.screen());
}

#[tokio::test]
async fn whoever_is_refused_is_told_why() {
    let t = Dispatch::start().await;
    let olga = t.add_staff(OLGA).await;
    t.program(TokenScope::Orders, &[]).await;
    let link = invite(&olga, "ask").await;
    let newcomer = come(&t, &link).await;
    let told: Vec<i64> = t.one("SELECT array_agg(chat_id) FROM outbox WHERE kind = 'STAFF_SCREEN'", &[]).await;
    assert_eq!(told, [OLGA], "a program has no chat");
    // Another screen that has to wait takes nothing from it.
    let left = staff_dialog::enqueue(&t.app.store, TelegramUserId(OLGA), Place::Menu, None, 0).await;
    left.expect("a database");
    let dropped: i64 = t.one("SELECT count(*) FROM outbox WHERE dropped_because IS NOT NULL", &[]).await;
    assert_eq!(dropped, 0);
    olga.tap("adm:m:l:wait:1").await;
    olga.press("Пётр Новый").await;
    olga.press("Отказать").await;
    assert!(olga.screen().contains("Почему отказываете"), "{}", olga.screen());
    olga.say("Нет допуска").await;
    assert!(olga.screen().contains("Отказать: Пётр Новый?"), "{}", olga.screen());
    assert!(olga.press("Да, отказать").await.notice().contains("Отказано"));
    assert!(olga.screen().contains("Заблокирован: Нет допуска"), "{}", olga.screen());
    // Without having asked; and whenever the person looks.
    field_service::bots::delivery::pass(&t.app.bots(), None).await.expect("a database");
    let refused = newcomer.screen();
    assert!(refused.contains("анкету не одобрили.\nПричина: Нет допуска"), "{refused}");
    assert!(!refused.contains("остаётся за вами"), "nothing ever was: {refused}");
    newcomer.say("/start").await;
    assert!(newcomer.screen().contains("анкету не одобрили"), "{}", newcomer.screen());
    newcomer.tap("m:new").await;
    let list = newcomer.screen();
    assert!(list.contains("анкету не одобрили.\nПричина: Нет допуска") && !list.contains("заблокированы"), "{list}");
    let waits: bool = t.one("SELECT awaiting_approval_since IS NOT NULL FROM masters WHERE id = 4", &[]).await;
    assert!(!waits);
}

#[tokio::test]
async fn a_block_needs_a_reason_and_frees_what_the_master_was_offered() {
    let t = Dispatch::with_standing_clock(0).await;
    let olga = t.add_staff(OLGA).await;
    t.execute("UPDATE masters SET on_shift = telegram_user_id = ANY ($1)", &[&vec![ANNA, BORIS]]).await;
    let order = t.order().offered_to([ANNA]).await;
    t.execute("UPDATE orders SET next_round_at = now() + interval '1 hour', search_started_at = now()", &[]).await;
    let own = t.order().of_master(ANNA).in_status("ASSIGNED").create().await;
    let anna = t.chat(ANNA);
    anna.say("/start").await;
    anna.tap(&format!("m:new:card:{order}")).await;

    olga.tap("adm:m").await;
    olga.press("Анна").await;
    olga.press("Заблокировать").await;
    assert!(olga.screen().contains("Заявки в работе (1) останутся"), "{}", olga.screen());
    olga.deliver(olga.service_update(serde_json::json!({"sticker": {"emoji": "🙂"}}))).await;
    let asked = olga.screen();
    assert!(asked.contains("своими словами") && asked.contains("За что блокируете"), "{asked}");
    assert!(asked.contains("Анна") && !olga.buttons().is_empty(), "it is the same question: {asked}");
    olga.say(&"я".repeat(501)).await;
    assert!(
        olga.screen().contains("Нужна причина") && olga.screen().contains("За что блокируете"),
        "{}",
        olga.screen()
    );
    olga.say("нет").await;
    assert!(olga.screen().contains("Причина: «нет»"), "{}", olga.screen());
    let blocked: bool = t.one("SELECT is_blocked FROM masters WHERE id = 1", &[]).await;
    assert!(!blocked, "a written reason is confirmed");
    olga.say("Долг <300>").await;
    let yes =
        olga.buttons().into_iter().find(|button| button.text.contains("Да, заблокировать")).expect("a button").data;
    olga.tap(&yes).await;
    assert!(olga.screen().contains("⛔ Заблокирован: Долг <300>"), "{}", olga.screen());
    assert_eq!(olga.tap(&yes).await.notice(), "Так уже и есть.", "an impatient second tap asks nothing anew");
    assert!(olga.screen().contains("⛔ Заблокирован: Долг <300>"), "{}", olga.screen());
    assert_eq!(t.offer_state(order, ANNA).await, "CANCELED");
    assert_eq!(t.owner(own).await, Some(ANNA), "what is under way stays");
    t.tell().await;
    assert!(anna.screen().contains("Вы заблокированы: Долг <300>"), "{}", anna.screen());
    assert!(anna.buttons().iter().all(|button| !button.text.contains("Взять")), "{:?}", anna.buttons());
    assert!(t.tap_accept(ANNA, order).await.notice().contains("заблокирован"));
    t.tick().await;
    assert_eq!(t.asked(order).await, [BORIS], "nobody waits for who is blocked");

    assert!(olga.press("Разблокировать").await.notice().contains("разблокирован"));
    t.tell().await;
    let said: Vec<_> = anna.messages().into_iter().map(|message| message.text).collect();
    assert!(said.iter().any(|text| text.contains("Вы на смене")), "{said:#?}");
    let changes: String = t
        .one(
            "SELECT string_agg(concat_ws(' ', what, from_value, '→', to_value, changed_by, changed_by_staff_id), ', ' ORDER BY id)
             FROM master_changes WHERE master_id = 1 AND what = 'BLOCKED'",
            &[],
        )
        .await;
    assert_eq!(changes, "BLOCKED → Долг <300> STAFF 1, BLOCKED Долг <300> → STAFF 1");
    t.check().await;
}

#[tokio::test]
async fn shift_limit_trades_and_districts_are_changed_by_buttons() {
    let t = Dispatch::start().await;
    districts(&t).await;
    let olga = t.add_staff(OLGA).await;
    olga.tap("adm:m:c:1").await;
    assert!(olga.screen().contains("районов нет"), "{}", olga.screen());
    assert!(olga.press("Снять со смены").await.notice().contains("снят со смены"));
    t.chat(ANNA).open();
    field_service::bots::delivery::pass(&t.app.bots(), None).await.expect("a database");
    assert!(t.chat(ANNA).screen().contains("Диспетчер снял вас со смены."), "{}", t.chat(ANNA).screen());
    assert!(olga.press("Поставить на смену").await.notice().contains("на смене"));
    olga.press("Лимит").await;
    olga.press("3").await;
    olga.press("Другое число").await;
    olga.say("сто").await;
    assert!(olga.screen().contains("число от 1 до 99"), "{}", olga.screen());
    olga.say("42").await;
    assert!(olga.screen().contains("В работе 0 из 42"), "{}", olga.screen());
    olga.press("Умения").await;
    olga.press("Бытовая техника").await;
    olga.press("✅ Окна").await;
    olga.press("К мастеру").await;
    olga.press("Районы").await;
    olga.press("Север").await;
    olga.press("К мастеру").await;
    let card = olga.screen();
    assert!(card.contains("Бытовая техника") && card.contains("📍 Екатеринбург: Север"), "{card}");
    assert!(!card.lines().any(|line| line.starts_with("🛠") && line.contains("Окна")), "{card}");
    for change in
        ["+ район Север (Диспетчер)", "− Окна (Диспетчер)", "лимит 3 → 42 (Диспетчер)", "не на смене (Диспетчер)"]
    {
        assert!(card.contains(change), "{change}: {card}");
    }
}

#[tokio::test]
async fn who_acts_on_what_has_changed_is_told_what_it_is_now() {
    let t = Dispatch::start().await;
    let (olga, pavel) = (t.add_staff(OLGA).await, t.add_staff(PAVEL).await);
    t.execute("UPDATE staff SET full_name = 'Павел' WHERE telegram_user_id = $1", &[&PAVEL]).await;
    olga.tap("adm:m:c:1").await;
    let old = data(&olga, "Снять со смены");
    pavel.tap("adm:m:c:1").await;
    pavel.press("Снять со смены").await;
    pavel.press("Поставить на смену").await;
    // Something else that has changed is no matter.
    let before = everything(&t).await;
    let notice = olga.tap(&old).await.notice().to_owned();
    assert!(notice.contains("пока вы смотрели, это изменили — на смене (Павел"), "{notice}");
    assert_eq!(everything(&t).await, before);
    // Seen afresh, it is done; and once more it is so already.
    assert!(olga.press("Снять со смены").await.notice().contains("снят"));
    assert!(pavel.tap(&old).await.notice().contains("Так уже и есть"));
    pavel.tap("adm:m:lim:1").await;
    let limit = data(&pavel, "4");
    olga.tap("adm:m:c:1").await;
    olga.press("Поставить на смену").await;
    assert!(pavel.tap(&limit).await.notice().contains("Лимит изменён"));
}

#[tokio::test]
async fn nobody_changes_what_is_not_theirs() {
    let t = Dispatch::start().await;
    districts(&t).await;
    t.execute("INSERT INTO cities (name, timezone) VALUES ('Омск', 'Asia/Omsk')", &[]).await;
    t.execute(
        "UPDATE masters SET is_blocked = true, awaiting_approval_since = now() WHERE telegram_user_id = $1",
        &[&BORIS],
    )
    .await;
    t.execute("UPDATE masters SET is_blocked = true WHERE telegram_user_id = $1", &[&VERA]).await;
    let admin = t.add_staff_as(1, "ADMIN", &[]).await;
    admin.tap("adm:m:im:1:ask").await;
    admin.tap("adm:m:is:VIEWER:all").await;
    let viewer = t.add_staff_as(2, "VIEWER", &[]).await;
    viewer.say("ку-ку").await;
    assert!(
        viewer.screen().contains("номер заявки") && !viewer.screen().contains("новую заявку"),
        "{}",
        viewer.screen()
    );
    let elsewhere = t.add_staff_as(3, "DISPATCHER", &[2]).await;
    let gone = t.add_staff_as(4, "ADMIN", &[]).await;
    t.execute("UPDATE staff SET is_active = false WHERE telegram_user_id = 4", &[]).await;
    let master = t.telegram.chat(ADMIN_TOKEN, ANNA, "Анна");
    let stranger = t.telegram.chat(ADMIN_TOKEN, STRANGER, "Чужой");
    let taps = [
        "adm:m:sh:1:off:999",
        "adm:m:bl:1",
        "adm:m:ub:3:999",
        "adm:m:ap:2:999",
        "adm:m:li:1:1:999",
        "adm:m:li:1:def:999",
        "adm:m:ask:1",
        "adm:m:t:1:ROADSIDE:on:999",
        "adm:m:t:1:PLUMBING:off:999",
        "adm:m:d:1:1:on:1:999",
        "adm:m:im:1:free",
        "adm:m:is:ADMIN:all",
        "adm:m:rv:1",
        "adm:m:rv:2",
    ];
    for (who, chat) in [
        ("a viewer", &viewer),
        ("staff of another city", &elsewhere),
        ("who was deactivated", &gone),
        ("a master", &master),
        ("a stranger", &stranger),
    ] {
        let before = everything(&t).await;
        for tap in taps {
            let answered = chat.tap(tap).await;
            assert!(!answered.notice().is_empty(), "{who}: {tap}");
            // Staff of another city may ask for what is theirs; nothing of this is.
            assert_eq!(everything(&t).await, before, "{who}: {tap}");
        }
        chat.say("Долг").await;
        assert_eq!(everything(&t).await, before, "{who}");
    }
    // What is not theirs is not shown either.
    elsewhere.tap("adm:m").await;
    assert!(elsewhere.screen().contains("Мастеров пока нет"), "{}", elsewhere.screen());
    for tap in ["adm:m:c:1", "adm:m:lim:1", "adm:m:ts:1", "adm:m:ds:1:1"] {
        assert!(elsewhere.tap(tap).await.notice().contains("в ваших городах нет"));
        assert!(!elsewhere.screen().contains("Анна"), "{}", elsewhere.screen());
        viewer.tap(tap).await;
        assert!(viewer.screen().contains("Анна"), "{}", viewer.screen());
    }
    // A dispatcher invites no staff, an admin does.
    let dispatcher = t.add_staff_as(5, "DISPATCHER", &[]).await;
    let before = everything(&t).await;
    assert!(dispatcher.tap("adm:m:is:ADMIN:all").await.notice().contains("нельзя"));
    assert!(dispatcher.tap("adm:m:rv:2").await.notice().contains("уже нет"));
    assert_eq!(everything(&t).await, before);
    assert!(dispatcher.tap("adm:m:rv:1").await.notice().contains("отозвано"));
    assert!(admin.tap("adm:m:rv:2").await.notice().contains("отозвано"));
}

#[tokio::test]
async fn a_link_that_was_used_does_not_let_in_again_who_was_deactivated() {
    let t = Dispatch::start().await;
    let admin = t.add_staff_as(OLGA, "ADMIN", &[]).await;
    admin.tap("adm:m:is:ADMIN:all").await;
    let link = link(&admin);
    let pavel = t.telegram.chat(ADMIN_TOKEN, PAVEL, "Павел");
    pavel.follow(&link).await;
    t.execute("UPDATE staff SET is_active = false WHERE telegram_user_id = $1", &[&PAVEL]).await;
    pavel.follow(&link).await;
    assert!(pavel.screen().contains("уже кто-то вошёл"), "{}", pavel.screen());
    assert!(!t.one::<bool>("SELECT is_active FROM staff WHERE telegram_user_id = $1", &[&PAVEL]).await);
    // A new one does, as it says.
    admin.tap("adm:m:is:VIEWER:all").await;
    pavel.follow(&self::link(&admin)).await;
    assert!(pavel.screen().contains("только просмотр"), "{}", pavel.screen());
    assert_eq!(pavel.commands(), ["queue", "masters", "figures", "start"]);
}

/// Whoever has lost the right lets nobody in, and least of all himself.
#[tokio::test]
async fn a_link_of_somebody_who_was_deactivated_lets_nobody_in() {
    let t = Dispatch::start().await;
    let admin = t.add_staff_as(OLGA, "ADMIN", &[]).await;
    admin.tap("adm:m:is:ADMIN:all").await;
    let to_staff = link(&admin);
    admin.tap("adm:m:im:1:free").await;
    let to_masters = link(&admin);
    t.execute("UPDATE staff SET is_active = false", &[]).await;
    for user in [OLGA, PAVEL] {
        let chat = t.telegram.chat(ADMIN_TOKEN, user, "Кто-то");
        chat.follow(&to_staff).await;
        assert!(chat.screen().contains("отозва"), "{}", chat.screen());
    }
    let newcomer = t.chat(NEWCOMER);
    newcomer.follow(&to_masters).await;
    assert!(newcomer.screen().contains("отозва"), "{}", newcomer.screen());
    let active: i64 = t.one("SELECT count(*) FROM staff WHERE is_active", &[]).await;
    assert_eq!(active, 0);
    t.execute("UPDATE staff SET is_active = true, role = 'VIEWER'", &[]).await;
    newcomer.follow(&to_masters).await;
    assert!(newcomer.screen().contains("отозва"), "{}", newcomer.screen());
}

/// A link is shown once: it stays where it stands, whatever comes after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_not_overwritten_by_the_tap_that_made_it() {
    let t = Dispatch::start().await;
    let olga = t.add_staff(OLGA).await;
    olga.tap("adm:m:im").await;
    let tap = olga.tap_update("adm:m:im:1:ask");
    join!(olga.deliver(tap.clone()), olga.deliver(tap.clone()));
    olga.deliver(tap).await;
    // And a hurried second tap makes a second one beside it.
    olga.tap("adm:m:im:1:ask").await;
    let links = olga.messages().into_iter().filter(|message| message.text.contains("https://t.me/")).count();
    let made: i64 = t.one("SELECT count(*) FROM invitations", &[]).await;
    assert_eq!((links, made), (2, 2));
}

/// A message that lets somebody in may be delivered twice at once.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_let_in_by_a_message_that_comes_twice_is_not_told_that_the_link_is_used() {
    let t = Dispatch::start().await;
    let admin = t.add_staff_as(OLGA, "ADMIN", &[]).await;
    admin.tap("adm:m:is:DISPATCHER:all").await;
    let link = link(&admin);
    let code = link.split("start=").nth(1).expect("a code");
    let pavel = t.telegram.chat(ADMIN_TOKEN, PAVEL, "Павел");
    let start = pavel.text_update(&format!("/start {code}"));
    join!(t.telegram.deliver(ADMIN_TOKEN, &start), t.telegram.deliver(ADMIN_TOKEN, &start));
    let said: Vec<_> = pavel.messages().into_iter().map(|message| message.text).collect();
    let answers: Vec<_> = said.iter().filter(|text| !text.starts_with("/start")).collect();
    assert!(!answers.is_empty() && answers.iter().all(|text| text.contains("Вы — диспетчер")), "{said:#?}");
}

/// An impatient second tap on the last button.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_reads_so_however_often_the_last_button_is_tapped() {
    let t = Dispatch::start().await;
    let olga = t.add_staff(OLGA).await;
    olga.tap("adm:m:im:1:ask").await;
    let newcomer = t.chat(NEWCOMER);
    newcomer.follow(&link(&olga)).await;
    newcomer.say("Пётр Новый").await;
    newcomer.share_contact().await;
    newcomer.press("Сантехника").await;
    let next = data(&newcomer, "Дальше");
    join!(newcomer.tap(&next), newcomer.tap(&next));
    newcomer.tap(&next).await;
    assert!(newcomer.screen().contains("нкета у диспетчера"), "{}", newcomer.screen());
    newcomer.say("/start").await;
    assert!(newcomer.screen().contains("нкета у диспетчера"), "{}", newcomer.screen());
    assert!(newcomer.buttons().iter().all(|button| !button.text.contains("смен")), "{:?}", newcomer.buttons());
}

/// What a colleague has set while somebody was writing a number is not overwritten unawares.
#[tokio::test]
async fn a_limit_in_words_is_for_the_master_as_it_was_seen() {
    let t = Dispatch::start().await;
    let (olga, pavel) = (t.add_staff(OLGA).await, t.add_staff(PAVEL).await);
    olga.tap("adm:m:ask:1").await;
    pavel.tap("adm:m:lim:1").await;
    pavel.press("1").await;
    olga.say("5").await;
    assert!(olga.screen().contains("пока вы смотрели, это изменили"), "{}", olga.screen());
    assert_eq!(t.one::<i32>("SELECT max_active_orders FROM masters WHERE id = 1", &[]).await, 1);
}

/// What was told and searched for is forgotten, if nothing came of it.
#[tokio::test]
async fn what_nobody_needs_any_more_is_forgotten() {
    let t = Dispatch::with_standing_clock(0).await;
    let olga = t.add_staff(OLGA).await;
    olga.tap("adm:m:im:1:ask").await;
    let newcomer = t.chat(NEWCOMER);
    newcomer.follow(&link(&olga)).await;
    newcomer.say("Пётр Новый").await;
    olga.say("+7 912 345 67 89").await;
    let kept = async || {
        t.one::<String>(
            "SELECT concat_ws(' ', (SELECT full_name FROM onboardings), (SELECT sought FROM staff_queues))",
            &[],
        )
        .await
    };
    t.let_pass(23 * 3600);
    t.tick().await;
    assert_eq!(kept().await, "Пётр Новый +7 912 345 67 89");
    t.let_pass(2 * 3600);
    t.tick().await;
    assert_eq!(kept().await, "Пётр Новый");
    t.let_pass(6 * 24 * 3600);
    t.tick().await;
    assert_eq!(kept().await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tap_on_a_master_may_come_twice_at_once_and_a_week_later() {
    let t = Dispatch::start().await;
    districts(&t).await;
    let admin = t.add_staff_as(OLGA, "ADMIN", &[]).await;
    admin.say("/start").await;
    let mut all = Vec::new();
    for tap in [
        "adm:m:sh:1:off:999",
        "adm:m:li:1:3:999",
        "adm:m:t:1:ROADSIDE:on:999",
        "adm:m:t:1:PLUMBING:off:999",
        "adm:m:d:1:1:on:1:999",
        "adm:m:bl:1",
        "adm:m:im:1:ask",
    ] {
        let update = admin.tap_update(tap);
        join!(admin.deliver(update.clone()), admin.deliver(update.clone()));
        admin.deliver(update.clone()).await;
        all.push(update);
    }
    let once = [("SHIFT", 1), ("LIMIT", 1), ("TRADE", 5), ("DISTRICT", 1)];
    for (what, count) in once {
        let found: i64 = t.one("SELECT count(*) FROM master_changes WHERE master_id = 1 AND what = $1", &[&what]).await;
        assert_eq!(found, count, "{what}");
    }
    assert_eq!(t.one::<i64>("SELECT count(*) FROM invitations", &[]).await, 1);
    // Undone meanwhile, what comes again is not done again.
    t.execute("UPDATE masters SET on_shift = true, max_active_orders = NULL", &[]).await;
    let before = everything(&t).await;
    for update in all {
        admin.deliver(update).await;
    }
    assert_eq!(everything(&t).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_dispatchers_at_once_one_makes_the_change() {
    let t = Dispatch::start().await;
    for user in [OLGA, PAVEL] {
        t.add_staff(user).await;
    }
    let staff = |user| StaffRef::Telegram(TelegramUserId(user));
    for round in 0..20 {
        let on = round % 2 == 1;
        let to = [
            Manage::Trade(Category::Roadside, !on),
            Manage::Shift(on),
            if on { Manage::Unblock } else { Manage::Block("долг".to_owned()) },
        ];
        for to in &to {
            let store = &t.app.store;
            let (first, second) = join!(
                manage::change(store, staff(OLGA), MasterId(1), to, None, None),
                manage::change(store, staff(PAVEL), MasterId(1), to, None, None),
            );
            let outcomes = [first.expect("a database"), second.expect("a database")];
            let done = outcomes.iter().filter(|outcome| **outcome == ManageOutcome::Done).count();
            assert_eq!(done, 1, "{to:?}: {outcomes:?}");
        }
    }
}
