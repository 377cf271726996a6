//! Random lives of orders, against a model: what everybody is answered is what the model says, and after every step the
//! database holds what the model holds and breaks no invariant.
//!
//! `PROPTEST_CASES` says how many lives; a failing one is shrunk to its shortest.

mod fairness;
mod model;
mod play;
mod staff;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use play::Life;

const MASTERS: usize = 4;
const LIMIT: usize = 2;

/// What somebody does. Masters and orders are chosen by a number, whatever there is by then.
#[derive(Clone, Debug)]
enum Step {
    Create { status: &'static str },
    Tick { at_once: usize },
    Tell,
    Open { master: usize, order: usize },
    Tap { master: usize, order: usize },
    TapTogether { order: usize },
    Decline { master: usize, order: usize },
    Shift { master: usize, on: bool },
    Block { master: usize, blocked: bool },
    BlockBot { master: usize, blocked: bool },
    Work { master: usize, order: usize, what: Work },
    Say { master: usize, text: &'static str },
    Cancel { order: usize },
    Staff { master: usize, order: usize, what: StaffWork },
    ByHand { order: usize },
    Redeliver { update: usize },
    SenderDies,
    Restart,
    Jump { seconds: i64 },
}

#[derive(Clone, Copy, Debug)]
enum Work {
    EnRoute,
    OnSite,
    Done,
    NotDone,
    AskReturn,
}

/// What a dispatcher does with an order as it is.
#[derive(Clone, Copy, Debug)]
enum StaffWork {
    Claim,
    Address,
    Comment,
    SearchAgain,
    Give,
    Close,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let master = 0..MASTERS;
    let order = 0..12_usize;
    let pair = (master.clone(), order.clone());
    let work = prop_oneof![
        3 => Just(Work::EnRoute), 3 => Just(Work::OnSite), 3 => Just(Work::Done), 1 => Just(Work::NotDone),
        2 => Just(Work::AskReturn),
    ];
    let staff_work = prop_oneof![
        Just(StaffWork::Claim),
        Just(StaffWork::Address),
        Just(StaffWork::Comment),
        Just(StaffWork::SearchAgain),
        Just(StaffWork::Give),
        Just(StaffWork::Close),
        Just(StaffWork::Reopen),
    ];
    prop_oneof![
        4 => prop_oneof![Just("CREATED"), Just("SEARCHING"), Just("GUARANTEE")].prop_map(|status| Step::Create { status }),
        6 => (1..4_usize).prop_map(|at_once| Step::Tick { at_once }),
        3 => Just(Step::Tell),
        2 => pair.clone().prop_map(|(master, order)| Step::Open { master, order }),
        8 => pair.clone().prop_map(|(master, order)| Step::Tap { master, order }),
        3 => order.clone().prop_map(|order| Step::TapTogether { order }),
        3 => pair.clone().prop_map(|(master, order)| Step::Decline { master, order }),
        2 => (master.clone(), any::<bool>()).prop_map(|(master, on)| Step::Shift { master, on }),
        3 => (master.clone(), any::<bool>()).prop_map(|(master, blocked)| Step::Block { master, blocked }),
        1 => (master.clone(), any::<bool>()).prop_map(|(master, blocked)| Step::BlockBot { master, blocked }),
        8 => (pair.clone(), work).prop_map(|((master, order), what)| Step::Work { master, order, what }),
        3 => (master, prop_oneof![Just("1500"), Just("0"), Just("не могу"), Just("/start")])
            .prop_map(|(master, text)| Step::Say { master, text }),
        5 => (pair.clone(), staff_work)
            .prop_map(|((master, order), what)| Step::Staff { master, order, what }),
        1 => order.clone().prop_map(|order| Step::Cancel { order }),
        1 => order.prop_map(|order| Step::ByHand { order }),
        3 => (0..30_usize).prop_map(|update| Step::Redeliver { update }),
        1 => Just(Step::SenderDies),
        1 => Just(Step::Restart),
        3 => prop_oneof![Just(5_i64), Just(61), Just(121), Just(700)].prop_map(|seconds| Step::Jump { seconds }),
    ]
}

/// Takes a step, and looks at all that has to hold after it.
async fn take(life: &mut Life, step: &Step) -> Result<(), String> {
    let before = fairness::everybody(&life.t).await;
    life.take(step).await?;
    fairness::check_waits(&before, &fairness::everybody(&life.t).await)?;
    life.check().await
}

async fn live(steps: &[Step]) -> Result<(), String> {
    let mut life = Life::begin().await;
    for (number, step) in steps.iter().enumerate() {
        take(&mut life, step).await.map_err(|why| format!("step {number}, {step:?}: {why}"))?;
    }
    life.end().await.map_err(|why| format!("in the end: {why}"))
}

#[test]
fn random_lives_go_as_the_model_says() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(12);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
    TestRunner::new(config)
        .run(&vec(step(), 10..60), |steps| {
            // Said at once: what is shown in the end is the shortest life, which takes minutes to find.
            let lived = runtime.block_on(live(&steps)).inspect_err(|why| eprintln!("{why}\n{steps:?}"));
            lived.map_err(TestCaseError::fail)
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

/// What the checks of fairness are worth: with a product that is broken so, lives fail.
#[tokio::test]
async fn a_wait_that_goes_on_while_a_master_is_blocked_is_seen() {
    let mut life = Life::begin().await;
    let [block, unblock] = [true, false].map(|blocked| Step::Block { master: 1, blocked });
    for step in [&block, &unblock] {
        take(&mut life, step).await.expect("as it should be");
    }
    let as_before_v64 = "CREATE OR REPLACE FUNCTION note_on_shift_since() RETURNS trigger LANGUAGE plpgsql AS $$
                         BEGIN
                             NEW.on_shift_since := CASE WHEN NEW.on_shift THEN coalesce(NEW.on_shift_since, now()) END;
                             RETURN NEW;
                         END
                         $$";
    life.t.sql.batch_execute(as_before_v64).await.expect("a function");
    take(&mut life, &block).await.expect("he waits no longer than before");
    let seen = take(&mut life, &unblock).await.expect_err("he was away");
    assert!(seen.contains("2 waits since a wrong moment"), "{seen}");
}

/// The same: a pass that leaves an order out which is due.
#[tokio::test]
async fn a_master_who_waits_beside_an_order_that_is_passed_over_is_seen() {
    let mut life = Life::begin().await;
    take(&mut life, &Step::Create { status: "SEARCHING" }).await.expect("as it should be");
    life.t.sql.batch_execute("BEGIN; SELECT FROM orders FOR UPDATE").await.expect("a lock");
    let seen = take(&mut life, &Step::Tick { at_once: 1 }).await.expect_err("nobody is asked");
    assert!(seen.contains("nobody is asked for order 1"), "{seen}");
    life.t.sql.batch_execute("ROLLBACK").await.expect("no lock");
    take(&mut life, &Step::Tick { at_once: 1 }).await.expect("as it should be");
}
