//! Taking a new order in: a field at a time, or a whole message at once.

use jiff::civil::Date;

use super::super::callback::staff::NewTap;
use super::super::render::staff::new_order::{self as screens, Beside};
use super::super::render::texts::VOCABULARY;
use super::super::render::texts::staff::new_order::{self as words, Begun, Fault};
use super::super::render::{self, Screen};
use super::super::update::Message;
use super::By;
use super::reply::{Reply, noted};
use crate::dispatch::create::{self, CreateOutcome};
use crate::dispatch::draft::{self, BeginOutcome, SayOutcome};
use crate::dispatch::{act, candidates, staff_dialog};
use crate::model::city::City;
use crate::model::dialog::Written;
use crate::model::draft::{Draft, DraftId, Field, Said};
use crate::model::new_order::{ADDRESS, DESCRIPTION, NAME, Search};
use crate::model::paste::{self, when};
use crate::model::slot::{self, NoTime, When};
use crate::model::staff::Place;
use crate::model::text::one_line;
use crate::model::{MasterId, OrderId, Phone, StaffDialog, StaffQuestion};
use crate::store;

/// So many words at most name a trade and nothing else of an order.
const WORK_WORDS: usize = 6;
/// How often it is decided anew what words answer, while others come at the same moment.
const ANSWERS: usize = 4;

impl By<'_> {
    /// The reply to a button of the new order.
    pub(super) async fn new_order(self, tap: NewTap) -> Result<Reply, store::Error> {
        match tap {
            NewTap::Start => self.start_order().await,
            NewTap::Over => {
                let left = draft::open(&self.bots.store, self.staff).await?;
                self.begin_order(left.as_ref(), None).await
            }
            NewTap::Guarantee(order) => self.begin_guarantee(order).await,
            NewTap::Category(draft, category) => self.say_of_draft(draft, Said::Category(category)).await,
            NewTap::City(draft, city) => self.say_of_draft(draft, Said::City(city)).await,
            NewTap::District(draft, district) => self.say_of_draft(draft, Said::District(district)).await,
            NewTap::Preferred(draft, master) => self.say_of_draft(draft, Said::Preferred(master)).await,
            NewTap::Soon(draft) => self.say_of_draft(draft, Said::When(When::Soon)).await,
            NewTap::Skip(draft, Field::Name) => self.skip_name(draft).await,
            NewTap::Skip(draft, field) => self.say_of_draft(draft, Said::Nothing(field)).await,
            NewTap::Edit(draft, field) => self.say_of_draft(draft, Said::Again(field)).await,
            NewTap::Whole(draft) => self.say_of_draft(draft, Said::Whole).await,
            NewTap::Window(draft, at) => self.draft_window(draft, at).await,
            NewTap::Page(draft, page) => self.draft_beside(draft, Beside { page, ..Beside::default() }).await,
            NewTap::Day(draft, day) => self.draft_day(draft, day).await,
            NewTap::Create(draft, revision) => self.make_order(draft, revision, Search::Now).await,
            NewTap::Defer(draft, revision) => self.make_order(draft, revision, Search::InTheMorning).await,
            NewTap::Add(draft, message) => self.add_to_draft(draft, message).await,
            NewTap::Instead(draft, message) => self.begin_instead(draft, message).await,
            NewTap::AskDrop(draft) => Ok(Reply::screen(screens::confirm_drop(draft), Place::Draft)),
            NewTap::Drop(draft) => {
                let dropped = draft::drop(&self.bots.store, self.staff, draft, None).await?;
                let menu = self.menu().await?;
                Ok(if dropped { menu.with_toast(words::DROPPED) } else { menu.with_alert(words::NO_DRAFT) })
            }
        }
    }

    /// Begins a new order, or goes on with the one that was left.
    pub(super) async fn start_order(self) -> Result<Reply, store::Error> {
        match draft::open(&self.bots.store, self.staff).await? {
            Some(draft) => {
                self.ask_for_words(None).await?;
                let beside = Beside { resumed: !draft.is_blank(), ..Beside::default() };
                self.draft_as(&draft, beside).await
            }
            None => self.begin_order(None, None).await,
        }
    }

    /// Begins a new order instead of the one that is open.
    async fn begin_order(self, replaces: Option<&Draft>, wrong: Option<Fault>) -> Result<Reply, store::Error> {
        let cities = draft::cities(&self.bots.store, self.staff).await?;
        if cities.is_empty() {
            return self.no_city().await;
        }
        let blank = Draft::blank(self.profile.id, &cities);
        match draft::begin(&self.bots.store, self.staff, &blank, replaces, Some(self.origin)).await? {
            BeginOutcome::Begun(draft) | BeginOutcome::Left(draft) => {
                self.draft_as(&draft, Beside { wrong, ..Beside::default() }).await
            }
            BeginOutcome::NotAllowed => self.may_not().await,
        }
    }

    /// Begins a free visit that repeats a closed order. A draft that is not finished comes first.
    async fn begin_guarantee(self, order: OrderId) -> Result<Reply, store::Error> {
        let blank = draft::open(&self.bots.store, self.staff).await?.filter(Draft::is_blank);
        match draft::repeat(&self.bots.store, self.staff, order, blank.as_ref(), Some(self.origin)).await? {
            BeginOutcome::Begun(draft) => self.draft_as(&draft, Beside::default()).await,
            BeginOutcome::Left(draft) if draft.guarantee_of == Some(order) => {
                self.draft_as(&draft, Beside { resumed: true, ..Beside::default() }).await
            }
            BeginOutcome::Left(draft) => self.draft_first(&draft).await,
            BeginOutcome::NotAllowed if self.profile.role.acts() => {
                Ok(self.show_boxed(Place::Card(order)).await?.with_alert(words::NOT_CLOSED))
            }
            BeginOutcome::NotAllowed => self.may_not().await,
        }
    }

    /// The draft that is to be finished before another is begun.
    async fn draft_first(self, left: &Draft) -> Result<Reply, store::Error> {
        self.draft_as(left, Beside { wrong: Some(Fault::DraftFirst), resumed: true, ..Beside::default() }).await
    }

    /// What to do with a message that says an order, which is kept until then: fill the draft that was left, or begin another one.
    async fn add_or_instead(self, left: &Draft, message: &Message) -> Result<Reply, store::Error> {
        // The same message may have begun this very draft a moment ago.
        if self.was_handled().await? {
            return self.draft_asked_now().await;
        }
        self.ask_for_words(None).await?;
        let written = Written { text: words_of(message), message: message.message_id };
        let question = StaffDialog::new(StaffQuestion::NewOrder);
        if !staff_dialog::keep(&self.bots.store, self.staff, &question, &written).await? {
            return self.draft_first(left).await;
        }
        let cities = draft::cities(&self.bots.store, self.staff).await?;
        Ok(Reply::question(screens::add_or_instead(left, &cities, &written)))
    }

    /// The draft, or what is to be done with a message that came beside it.
    pub(super) async fn draft_asked_now(self) -> Result<Reply, store::Error> {
        let question = StaffDialog::new(StaffQuestion::NewOrder);
        let written = staff_dialog::kept(&self.bots.store, self.staff, &question).await?;
        match (written, draft::open(&self.bots.store, self.staff).await?) {
            (Some(written), Some(left)) => {
                let cities = draft::cities(&self.bots.store, self.staff).await?;
                Ok(Reply::question(screens::add_or_instead(&left, &cities, &written)))
            }
            _ => self.draft().await,
        }
    }

    /// The draft and what a kept message says, if both are as they were when it was asked what to do with them.
    async fn kept_for(
        self,
        id: DraftId,
        message: i32,
    ) -> Result<Result<(Draft, Said, Vec<City>), Reply>, store::Error> {
        let Some(left) = draft::open(&self.bots.store, self.staff).await?.filter(|draft| draft.id == id) else {
            return Ok(Err(self.no_draft().await?));
        };
        let cities = draft::cities(&self.bots.store, self.staff).await?;
        let question = StaffDialog::new(StaffQuestion::NewOrder);
        let written = staff_dialog::kept(&self.bots.store, self.staff, &question).await?;
        let written = written.filter(|written| written.message == message);
        if let Some(said) = written.and_then(|written| order_in(&written.text, &cities)) {
            return Ok(Ok((left, said, cities)));
        }
        let reply = self.draft_as(&left, Beside::default()).await?;
        // The same tap again has done what it says.
        Ok(Err(if self.was_handled().await? { reply } else { reply.with_alert(words::MESSAGE_GONE) }))
    }

    /// Fills a draft with the message that came beside it.
    async fn add_to_draft(self, id: DraftId, message: i32) -> Result<Reply, store::Error> {
        match self.kept_for(id, message).await? {
            Ok((_, said, _)) => self.say_of_draft(id, said).await,
            Err(reply) => Ok(reply),
        }
    }

    /// Begins a draft of the message that came beside another one, which it takes the place of.
    async fn begin_instead(self, id: DraftId, message: i32) -> Result<Reply, store::Error> {
        match self.kept_for(id, message).await? {
            Ok((left, said, cities)) => {
                let mut filled = Draft::blank(self.profile.id, &cities);
                filled.enter(said, &cities);
                match draft::begin(&self.bots.store, self.staff, &filled, Some(&left), Some(self.origin)).await? {
                    BeginOutcome::Begun(draft) => self.draft_as(&draft, Beside::default()).await,
                    BeginOutcome::Left(draft) => self.draft_first(&draft).await,
                    BeginOutcome::NotAllowed => self.may_not().await,
                }
            }
            Err(reply) => Ok(reply),
        }
    }

    /// The new order as far as it is.
    pub(super) async fn draft(self) -> Result<Reply, store::Error> {
        match draft::open(&self.bots.store, self.staff).await? {
            Some(draft) => self.draft_as(&draft, Beside::default()).await,
            None => self.menu().await,
        }
    }

    /// The draft of a button, as it is, beside something else.
    async fn draft_beside(self, id: DraftId, beside: Beside) -> Result<Reply, store::Error> {
        match draft::open(&self.bots.store, self.staff).await? {
            Some(draft) if draft.id == id => {
                self.ask_for_words(beside.day).await?;
                self.draft_as(&draft, beside).await
            }
            _ => self.no_draft().await,
        }
    }

    /// The windows of a day.
    async fn draft_day(self, id: DraftId, day: Date) -> Result<Reply, store::Error> {
        let reply = self.draft_beside(id, Beside { day: Some(day), ..Beside::default() }).await?;
        let cities = draft::cities(&self.bots.store, self.staff).await?;
        let past = cities.iter().all(|city| slot::windows(day, city.workday, city.now).is_empty());
        Ok(if past && reply.notice.is_none() { reply.with_alert(words::WINDOW_PAST) } else { reply })
    }

    /// A window that begins then: as its button was made, if it is one that can still be promised.
    async fn draft_window(self, id: DraftId, start: jiff::civil::DateTime) -> Result<Reply, store::Error> {
        let cities = draft::cities(&self.bots.store, self.staff).await?;
        let draft = draft::open(&self.bots.store, self.staff).await?.filter(|draft| draft.id == id);
        let city = draft.as_ref().and_then(|draft| draft.city_of(&cities)).or(cities.first());
        let window = city.and_then(|city| {
            let windows = slot::windows(start.date(), city.workday, city.now);
            let (start, end) = windows.into_iter().find(|(from, _)| *from == start)?;
            When::Slot { start, end }.check(city.now).ok()
        });
        match (&draft, window) {
            (Some(_), Some(when)) => self.say_of_draft(id, Said::When(when)).await,
            (Some(draft), None) => Ok(self.draft_as(draft, Beside::default()).await?.with_alert(words::WINDOW_PAST)),
            // It may have become an order.
            (None, _) => self.say_of_draft(id, Said::Whole).await,
        }
    }

    /// Leaves the name out, but not the further phones that stand there.
    async fn skip_name(self, id: DraftId) -> Result<Reply, store::Error> {
        let draft = draft::open(&self.bots.store, self.staff).await?.filter(|draft| draft.id == id);
        let name = draft.and_then(|draft| draft.name).unwrap_or_default();
        let said = match paste::further_phones(&name, &VOCABULARY) {
            Some(phones) => Said::Name(phones.to_owned()),
            None => Said::Nothing(Field::Name),
        };
        self.say_of_draft(id, said).await
    }

    /// Enters what a button says.
    async fn say_of_draft(self, id: DraftId, said: Said) -> Result<Reply, store::Error> {
        let cities = draft::cities(&self.bots.store, self.staff).await?;
        let outcome = draft::say(&self.bots.store, self.staff, id, &said, &cities, self.origin).await?;
        self.said_of_draft(outcome).await
    }

    async fn said_of_draft(self, outcome: SayOutcome) -> Result<Reply, store::Error> {
        self.bots.metrics.count("order_draft", outcome.name());
        match outcome {
            SayOutcome::Said(draft) => self.draft_as(&draft, Beside::default()).await,
            SayOutcome::Gone(draft) => {
                Ok(self.draft_as(&draft, Beside::default()).await?.with_alert(words::CHOICE_GONE))
            }
            SayOutcome::Made(order) => {
                Ok(self.show_boxed(Place::Card(order)).await?.with_alert(words::already_created(order)))
            }
            SayOutcome::Changed | SayOutcome::NoDraft => self.no_draft().await,
        }
    }

    async fn make_order(self, id: DraftId, revision: i32, search: Search) -> Result<Reply, store::Error> {
        let outcome =
            create::create(&self.bots.store, self.staff, id, revision, search, words::NAMELESS, Some(self.origin))
                .await?;
        self.bots.metrics.count("order_create", outcome.name());
        let (draft, alert) = match outcome {
            CreateOutcome::Created { order, asked } => {
                let said = words::created(order, self.begun(order, asked, search).await?);
                return Ok(self.show_boxed(Place::Card(order)).await?.with_toast(said).with_enqueued(order));
            }
            CreateOutcome::AlreadyCreated(order) => {
                return Ok(self.show_boxed(Place::Card(order)).await?.with_alert(words::already_created(order)));
            }
            CreateOutcome::NotClosed(_) => return Ok(self.draft().await?.with_alert(words::NOT_CLOSED)),
            CreateOutcome::NoDraft => return self.no_draft().await,
            CreateOutcome::Changed(draft) | CreateOutcome::Missing(_, draft) => (draft, words::DRAFT_CHANGED),
            CreateOutcome::SlotPast(draft) => (self.asked_anew(draft, Field::When).await?, words::SLOT_PAST),
            CreateOutcome::PlaceGone(field, draft) => (self.asked_anew(draft, field).await?, words::PLACE_GONE),
            CreateOutcome::MasterGone(draft) => (self.asked_anew(draft, Field::Preferred).await?, words::MASTER_GONE),
        };
        Ok(self.draft_as(&draft, Beside::default()).await?.with_alert(alert))
    }

    /// How the search of an order goes on that was just made.
    async fn begun(self, order: OrderId, asked: usize, search: Search) -> Result<Begun, store::Error> {
        if asked > 0 {
            return Ok(Begun::Asked(asked));
        }
        if search == Search::InTheMorning {
            let found = act::look(&self.bots.store, order, self.staff).await?;
            let waits = found.and_then(|found| {
                let now = found.order.card.slot.now;
                slot::next_workday(now, found.workday).map(|at| Begun::Deferred(at, now))
            });
            return Ok(waits.unwrap_or(Begun::Soon));
        }
        let masters = candidates::candidates(&self.bots.store, order, self.staff, 1).await?;
        Ok(if masters.is_some_and(|masters| masters.fit == 0) { Begun::Nobody } else { Begun::Soon })
    }

    /// The draft, which asks a field again that an order cannot be made of any more. The update was recorded: this is of no
    /// other, and may be done twice.
    async fn asked_anew(self, draft: Box<Draft>, field: Field) -> Result<Box<Draft>, store::Error> {
        let cities = draft::cities(&self.bots.store, self.staff).await?;
        match draft::ask_again(&self.bots.store, self.staff, draft.id, field, &cities).await? {
            SayOutcome::Said(draft) => Ok(draft),
            _ => Ok(draft),
        }
    }

    /// The draft: what it asks, or the whole of it.
    async fn draft_as(self, draft: &Draft, beside: Beside) -> Result<Reply, store::Error> {
        let cities = draft::cities(&self.bots.store, self.staff).await?;
        let screen = self.draft_screen(draft, &cities, beside).await?;
        Ok(Reply::screen(screen, Place::Draft))
    }

    async fn draft_screen(self, draft: &Draft, cities: &[City], beside: Beside) -> Result<Screen, store::Error> {
        if let Some(field) = draft.step {
            let masters = if field == Field::Preferred { self.masters_of(draft).await? } else { Vec::new() };
            return Ok(screens::ask(draft, cities, &masters, beside));
        }
        let around = draft::around(&self.bots.store, self.staff, draft).await?;
        Ok(screens::whole(draft, cities, &around, beside.wrong))
    }

    async fn masters_of(self, draft: &Draft) -> Result<Vec<(MasterId, String)>, store::Error> {
        draft::masters(&self.bots.store, self.staff, self.profile, draft).await
    }

    /// What is written next answers the draft; hours are of `day`, if one was tapped.
    async fn ask_for_words(self, day: Option<Date>) -> Result<(), store::Error> {
        let question = StaffDialog::new(StaffQuestion::NewOrder).of_day(day);
        staff_dialog::ask(&self.bots.store, self.staff, question, self.origin).await.map(drop)
    }

    async fn no_draft(self) -> Result<Reply, store::Error> {
        if !self.profile.role.acts() {
            return self.may_not().await;
        }
        let reply = match draft::open(&self.bots.store, self.staff).await? {
            Some(draft) => self.draft_as(&draft, Beside::default()).await?,
            None => self.menu().await?,
        };
        Ok(reply.with_alert(words::NO_DRAFT))
    }

    /// To whoever has no city: a viewer has nothing to do with orders, and of anybody else there is none yet.
    async fn no_city(self) -> Result<Reply, store::Error> {
        if !self.profile.role.acts() {
            return self.may_not().await;
        }
        Ok(noted(self.menu().await?, words::NO_CITIES))
    }

    async fn may_not(self) -> Result<Reply, store::Error> {
        Ok(self.menu().await?.with_alert(words::NOT_YOURS_TO_MAKE))
    }

    /// Another area's screen, which may show this one.
    async fn show_boxed(self, place: Place) -> Result<Reply, store::Error> {
        Box::pin(self.show(place)).await
    }

    /// The reply to the next field of the new order; hours are of `day`, if one was tapped.
    pub(super) async fn new_order_written(self, message: &Message, day: Option<Date>) -> Result<Reply, store::Error> {
        let cities = draft::cities(&self.bots.store, self.staff).await?;
        if cities.is_empty() {
            return self.no_city().await;
        }
        for _ in 0..ANSWERS {
            let Some(draft) = draft::open(&self.bots.store, self.staff).await? else {
                return match order_in(&words_of(message), &cities) {
                    Some(said) => self.begin_pasted(said, None, &cities).await,
                    None => self.begin_order(None, Some(Fault::TooOld)).await,
                };
            };
            let masters = match draft.step {
                Some(Field::Preferred) => self.masters_of(&draft).await?,
                _ => Vec::new(),
            };
            let said = match answer(&draft, message, day, &cities, &masters) {
                Ok(said) => said,
                Err(Fault::DraftFirst) => return self.add_or_instead(&draft, message).await,
                Err(wrong) => {
                    return self.draft_as(&draft, Beside { wrong: Some(wrong), day, ..Beside::default() }).await;
                }
            };
            // Words that came just before may have answered the question that these were taken to answer.
            match draft::answer(&self.bots.store, self.staff, &draft, &said, &cities, self.origin).await? {
                SayOutcome::Changed => {}
                outcome => return self.said_of_draft(outcome).await,
            }
        }
        self.draft().await
    }

    /// The reply to words that answer no question: they may be an order, as somebody has written it down.
    pub(super) async fn pasted(self, message: &Message) -> Result<Reply, store::Error> {
        let cities = draft::cities(&self.bots.store, self.staff).await?;
        let Some(said) = order_in(&words_of(message), &cities).filter(|_| !cities.is_empty()) else {
            let menu = self.menu().await?;
            return Ok(Reply {
                screen: menu.screen.map(|menu| render::staff::not_understood(menu, self.profile.role)),
                ..menu
            });
        };
        match draft::open(&self.bots.store, self.staff).await? {
            Some(left) if !left.is_blank() => self.add_or_instead(&left, message).await,
            blank => self.begin_pasted(said, blank.as_ref(), &cities).await,
        }
    }

    /// Begins a draft that a message fills, instead of a blank one.
    async fn begin_pasted(self, said: Said, blank: Option<&Draft>, cities: &[City]) -> Result<Reply, store::Error> {
        let mut filled = Draft::blank(self.profile.id, cities);
        filled.enter(said, cities);
        match draft::begin(&self.bots.store, self.staff, &filled, blank, Some(self.origin)).await? {
            BeginOutcome::Begun(draft) => self.draft_as(&draft, Beside::default()).await,
            BeginOutcome::Left(draft) => self.draft_first(&draft).await,
            BeginOutcome::NotAllowed => self.may_not().await,
        }
    }
}

/// The message's words, without what the database cannot hold.
fn words_of(message: &Message) -> String {
    message.words().replace('\0', " ").trim().to_owned()
}

/// An order that a message says as a whole; `None`: it is none.
fn order_in(written: &str, cities: &[City]) -> Option<Said> {
    let pasted = paste::read(written, cities, &VOCABULARY);
    let says = pasted.phone.is_some() || pasted.address.is_some() || pasted.found() > 1;
    says.then(|| Said::Message { pasted: Box::new(pasted), written: written.to_owned() })
}

/// Whether words say an order as a whole, whatever they were written for: whom to call, and where or what for.
pub(super) fn is_an_order(written: &str) -> bool {
    let said = paste::read(written, &[], &VOCABULARY);
    said.phone.is_some() && (said.address.is_some() || said.category.is_some())
}

/// Whether words say more than one thing of an order: where, whom to call, what for, when.
pub(super) fn says_several_things(written: &str) -> bool {
    paste::read(written, &[], &VOCABULARY).found() > 1
}

/// The trade that a few words name, with what they say of the work.
fn work_in(written: String) -> Option<Said> {
    let few = written.split_whitespace().count() <= WORK_WORDS && written.chars().count() <= DESCRIPTION;
    let trade = paste::trade_of(&written, &VOCABULARY).filter(|_| few)?;
    let describes = paste::describes(&written, &VOCABULARY);
    Some(if describes { Said::Work(trade, written) } else { Said::Category(trade) })
}

/// What a message answers to the draft's question, or what is wrong with it.
fn answer(
    draft: &Draft,
    message: &Message,
    day: Option<Date>,
    cities: &[City],
    masters: &[(MasterId, String)],
) -> Result<Said, Fault> {
    if let Some(contact) = &message.contact {
        // The client's own card, passed on.
        return match draft.step {
            Some(Field::Phone) => Phone::parse(&contact.phone_number).map(Said::Phone).map_err(Fault::NoPhone),
            _ => Err(Fault::Contact),
        };
    }
    if message.text.is_none() {
        return Err(Fault::NotWords);
    }
    let written = words_of(message);
    if !written.chars().any(char::is_alphanumeric) {
        return Err(Fault::Empty);
    }
    if draft.is_blank() {
        // A whole order, be it somebody else's message; or the trade alone.
        return match order_in(&written, cities) {
            Some(said) => Ok(said),
            None if message.is_forwarded() => Err(Fault::NoTrade),
            None => work_in(written).ok_or(Fault::NoTrade),
        };
    }
    if message.is_forwarded() {
        return Err(Fault::Forwarded);
    }
    if let Some(said) = order_in(&written, cities).filter(|_| draft.step != Some(Field::Phone) && is_an_order(&written))
    {
        // It fills the draft that knows no client yet, and is another order beside one that does.
        let is_this_one = draft.step.is_some() && draft.phone.is_none() && draft.address.is_none();
        return if is_this_one { Ok(said) } else { Err(Fault::DraftFirst) };
    }
    let fits = |words: String, may: usize| {
        let is = words.chars().count();
        if is > may { Err(Fault::TooLong(is, may)) } else { Ok(words) }
    };
    match draft.step {
        None => Err(Fault::NothingAsked),
        Some(Field::Category) => paste::trade_of(&written, &VOCABULARY).map(Said::Category).ok_or(Fault::NoTrade),
        Some(Field::City) => {
            let named = paste::named(&written, cities, |city| &city.name).map(|city| city.id);
            // «екб», «в Екатеринбурге»: as in a message that says all.
            let said = || paste::read(&written, cities, &VOCABULARY).city.map(|found| found.value);
            named.or_else(said).map(Said::City).ok_or(Fault::NoChoice)
        }
        Some(Field::District) => {
            let districts = draft.city_of(cities).map(|city| city.districts.as_slice()).unwrap_or_default();
            let named = paste::named(&written, districts, |district| &district.name);
            named.map(|district| Said::District(district.id)).ok_or(Fault::NoChoice)
        }
        Some(Field::Address) if Phone::parse(&written).is_ok() => Err(Fault::PhoneForAddress),
        Some(Field::Address) => fits(one_line(&written), ADDRESS).map(Said::Address),
        Some(Field::Phone) => match (Phone::parse(&written), paste::phones(&written, &VOCABULARY)) {
            (Err(_), Some((phone, further))) => Ok(Said::Phones(
                phone,
                match &draft.name {
                    Some(name) => paste::renamed(name, Some(&further), &VOCABULARY),
                    None => further,
                },
            )),
            (phone, _) => phone.map(Said::Phone).map_err(Fault::NoPhone),
        },
        Some(Field::Name) if Phone::parse(&written).is_ok() => Err(Fault::PhoneForName),
        Some(Field::Name) => {
            let renamed = |name: String| paste::renamed(&name, draft.name.as_deref(), &VOCABULARY);
            fits(one_line(&written), NAME).map(|name| Said::Name(renamed(name)))
        }
        Some(Field::Description) => fits(written, DESCRIPTION).map(Said::Description),
        Some(Field::When) => {
            let Some(city) = draft.city_of(cities).or(cities.first()) else {
                return Err(Fault::NoTime(NoTime::NotUnderstood));
            };
            when::read(&written, day, city.now, city.workday, &VOCABULARY).map(Said::When).map_err(Fault::NoTime)
        }
        Some(Field::Preferred) => {
            let named = paste::named(&written, masters, |(_, name)| name);
            named.map(|(master, _)| Said::Preferred(*master)).ok_or(Fault::NoChoice)
        }
    }
}
