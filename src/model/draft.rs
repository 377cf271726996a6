//! An order in the making: what a dispatcher has said of it so far, and what is asked next.

use super::city::City;
use super::paste::{DESCRIPTION, Pasted};
use super::selection::{Exclusion, Supply};
use super::slot::When;
use super::text::cut;
use super::{Category, CityId, MasterId, OrderId, OrderStatus, Phone, StaffId};

/// `order_drafts.id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DraftId(pub i64);

impl std::fmt::Display for DraftId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A field of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The trade.
    Category,
    /// The city.
    City,
    /// The district, if the city has any.
    District,
    /// Street, house, flat.
    Address,
    /// The client's phone.
    Phone,
    /// The client's name.
    Name,
    /// What is wrong.
    Description,
    /// When the master is to come.
    When,
    /// Who is asked first.
    Preferred,
}

impl Field {
    /// Every field, in the order in which they are asked.
    pub const ALL: [Self; 9] = [
        Self::Category,
        Self::City,
        Self::District,
        Self::Address,
        Self::Phone,
        Self::Name,
        Self::Description,
        Self::When,
        Self::Preferred,
    ];

    /// The word in `order_drafts.step`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Category => "CATEGORY",
            Self::City => "CITY",
            Self::District => "DISTRICT",
            Self::Address => "ADDRESS",
            Self::Phone => "PHONE",
            Self::Name => "NAME",
            Self::Description => "DESCRIPTION",
            Self::When => "WHEN",
            Self::Preferred => "PREFERRED",
        }
    }

    /// The field of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == word)
    }

    /// Whether an order can be made without it.
    #[must_use]
    pub fn is_optional(self) -> bool {
        !matches!(self, Self::Category | Self::City | Self::Address | Self::Phone)
    }
}

/// An order of the same client that is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twin {
    /// Which order.
    pub order: OrderId,
    /// How far it is.
    pub status: OrderStatus,
}

/// How long such orders have looked for a master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usually {
    /// Half of them found theirs within so many seconds.
    pub seconds: i64,
    /// How many there were.
    pub orders: i64,
}

/// Below so many orders nothing is said of how long it takes.
pub const SAMPLES: i64 = 20;

/// What is known around a draft, to be shown with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// Who is asked first, with why the rounds would not ask that master now. `None`: nobody, or nobody of the draft's city.
    pub preferred: Option<(String, Option<Exclusion>)>,
    /// The client's orders that are going on.
    pub twins: Vec<Twin>,
    /// How many masters there are for it.
    pub supply: Option<Supply>,
    /// How long it usually takes.
    pub usually: Option<Usually>,
}

/// Something said of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The trade.
    Category(Category),
    /// The city.
    City(CityId),
    /// The district.
    District(i64),
    /// Street, house, flat.
    Address(String),
    /// The client's phone.
    Phone(Phone),
    /// The client's name.
    Name(String),
    /// What is wrong.
    Description(String),
    /// When the master is to come.
    When(When),
    /// Who is asked first.
    Preferred(MasterId),
    /// A field is left out.
    Nothing(Field),
    /// A field is emptied, and missing if no order can be made without it.
    Emptied(Field),
    /// A field is to be asked again.
    Again(Field),
    /// The client's phone, and the name with the further ones behind it, or in its place.
    Phones(Phone, String),
    /// The trade, in words that say more of the work than its name.
    Work(Category, String),
    /// Nothing is asked: it is to be shown as a whole, or to go on where something is missing.
    Whole,
    /// All that a message says.
    Message {
        /// What was understood.
        pasted: Box<Pasted>,
        /// As it was written.
        written: String,
    },
}

/// How something is said of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// By a button of the bot.
    Tap,
    /// By a message to the bot.
    Words,
    /// On the page: the bot asks for nothing.
    Page,
}

/// A draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Which draft; named by its buttons, so that an old one's change no new one.
    pub id: DraftId,
    /// Grows with every change; what is created is what was shown.
    pub revision: i32,
    /// Whose.
    pub staff: StaffId,
    /// What is asked now; `None`: nothing, it is shown as a whole.
    pub step: Option<Field>,
    /// Fields that were answered, with nothing too.
    pub answered: Vec<Field>,
    /// The trade.
    pub category: Option<Category>,
    /// The city.
    pub city: Option<CityId>,
    /// The district.
    pub district: Option<i64>,
    /// Street, house, flat.
    pub address: Option<String>,
    /// The client's phone.
    pub phone: Option<Phone>,
    /// The client's name.
    pub name: Option<String>,
    /// What is wrong.
    pub description: Option<String>,
    /// When.
    pub when: Option<When>,
    /// Who is asked first.
    pub preferred: Option<MasterId>,
    /// The closed order whose work is repeated for free.
    pub guarantee_of: Option<OrderId>,
    /// The message that it was filled from, as it was written.
    pub pasted: Option<String>,
    /// What each field took of that message; of a time that was not certain, the words that say it.
    pub took: Vec<(Field, String)>,
    /// The order that was made of it.
    pub order: Option<OrderId>,
}

impl Draft {
    /// Whether a field has a value.
    #[must_use]
    pub fn has(&self, field: Field) -> bool {
        match field {
            Field::Category => self.category.is_some(),
            Field::City => self.city.is_some(),
            Field::District => self.district.is_some(),
            Field::Address => self.address.is_some(),
            Field::Phone => self.phone.is_some(),
            Field::Name => self.name.is_some(),
            Field::Description => self.description.is_some(),
            Field::When => self.when.is_some(),
            Field::Preferred => self.preferred.is_some(),
        }
    }

    /// Whether nothing was said yet.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.pasted.is_none()
            && self.guarantee_of.is_none()
            && !Field::ALL
                .iter()
                .any(|field| *field != Field::City && (self.has(*field) || self.answered.contains(field)))
    }

    /// What is asked next; `None`: nothing, it is complete. What was pasted is asked only for what cannot be left out, and for a
    /// time that is said and was not certain: it would be as soon as possible otherwise.
    #[must_use]
    pub fn next(&self, cities: &[City]) -> Option<Field> {
        let whole = self.pasted.is_some() || self.guarantee_of.is_some();
        Field::ALL.into_iter().find(|field| {
            let missing = !self.has(*field) && !self.answered.contains(field);
            let asked = match field {
                // There is nothing to choose.
                Field::District => self.city_of(cities).is_some_and(|city| !city.districts.is_empty()) && !whole,
                Field::When => !whole || self.uncertain_time().is_some(),
                field => !field.is_optional() || !whole,
            };
            missing && asked
        })
    }

    /// The words of what was pasted that say a time, if it was not certain which.
    #[must_use]
    pub fn uncertain_time(&self) -> Option<&str> {
        let took = self.took.iter().find(|(field, _)| *field == Field::When && self.when.is_none());
        took.map(|(_, words)| words.as_str())
    }

    /// Its city, if it is one of those.
    #[must_use]
    pub fn city_of<'a>(&self, cities: &'a [City]) -> Option<&'a City> {
        cities.iter().find(|city| Some(city.id) == self.city)
    }

    /// A draft of which nothing is known but whose it is, with the city if there is only one.
    #[must_use]
    pub fn blank(staff: StaffId, cities: &[City]) -> Self {
        let mut draft = Self {
            id: DraftId(0),
            revision: 1,
            staff,
            step: None,
            answered: Vec::new(),
            category: None,
            city: None,
            district: None,
            address: None,
            phone: None,
            name: None,
            description: None,
            when: None,
            preferred: None,
            guarantee_of: None,
            pasted: None,
            took: Vec::new(),
            order: None,
        };
        draft.settle(cities);
        draft
    }

    /// Enters what was said. False: it is none of the cities, or none of the city's districts, and nothing is changed.
    pub fn enter(&mut self, said: Said, cities: &[City]) -> bool {
        let field = match said {
            Said::Category(category) => {
                self.category = Some(category);
                Field::Category
            }
            Said::City(city) => {
                if !cities.iter().any(|known| known.id == city) {
                    return false;
                }
                if self.city != Some(city) {
                    // They are another city's.
                    self.forget(Field::District);
                    self.forget(Field::Preferred);
                }
                self.city = Some(city);
                Field::City
            }
            Said::District(district) => {
                let known = |city: &City| city.districts.iter().any(|known| known.id == district);
                if !self.city_of(cities).is_some_and(known) {
                    return false;
                }
                self.district = Some(district);
                Field::District
            }
            Said::Address(address) => {
                self.address = Some(address);
                Field::Address
            }
            Said::Phone(phone) => {
                self.phone = Some(phone);
                Field::Phone
            }
            Said::Phones(phone, name) => {
                let is_named = self.name.is_some() || self.answered.contains(&Field::Name) || self.pasted.is_some();
                self.phone = Some(phone);
                self.name = Some(name);
                self.took.retain(|(took, _)| *took != Field::Phone);
                self.answered.push(Field::Phone);
                self.settle(cities);
                // The phones stand where the name is to be.
                if !is_named {
                    self.step = Some(Field::Name);
                }
                return true;
            }
            Said::Name(name) => {
                self.name = Some(name);
                Field::Name
            }
            Said::Description(description) => {
                self.description = Some(description);
                Field::Description
            }
            Said::When(when) => {
                self.when = Some(when);
                Field::When
            }
            Said::Preferred(master) => {
                self.preferred = Some(master);
                Field::Preferred
            }
            Said::Work(category, description) => {
                self.description = Some(description);
                self.answered.push(Field::Description);
                self.category = Some(category);
                Field::Category
            }
            Said::Nothing(field) => {
                if !field.is_optional() {
                    return false;
                }
                self.forget(field);
                field
            }
            Said::Emptied(field) => {
                self.forget(field);
                self.settle(cities);
                return true;
            }
            Said::Again(field) => {
                self.step = Some(field);
                return true;
            }
            Said::Whole => {
                self.settle(cities);
                return true;
            }
            Said::Message { pasted, written } => {
                self.paste(*pasted, written);
                self.settle(cities);
                return true;
            }
        };
        self.took.retain(|(took, _)| *took != field);
        if !self.answered.contains(&field) {
            self.answered.push(field);
        }
        self.settle(cities);
        true
    }

    /// Asks for what is missing.
    fn settle(&mut self, cities: &[City]) {
        if let [only] = cities {
            self.city = Some(only.id);
        }
        self.step = self.next(cities);
    }

    fn forget(&mut self, field: Field) {
        match field {
            Field::Category => self.category = None,
            Field::City => self.city = None,
            Field::District => self.district = None,
            Field::Address => self.address = None,
            Field::Phone => self.phone = None,
            Field::Name => self.name = None,
            Field::Description => self.description = None,
            Field::When => self.when = None,
            Field::Preferred => self.preferred = None,
        }
        self.answered.retain(|answered| *answered != field);
        self.took.retain(|(took, _)| *took != field);
    }

    /// Fills what a message says. What was said before and the message does not say stays.
    fn paste(&mut self, pasted: Pasted, written: String) {
        // What an earlier message was taken for is not what this one says; a time that was not certain is still asked.
        self.took.retain(|(field, _)| *field == Field::When && self.when.is_none());
        let mut note = |field: Field, took: String| {
            self.took.retain(|(took, _)| *took != field);
            self.took.push((field, took));
        };
        if let Some(found) = pasted.category {
            self.category = Some(found.value);
            note(Field::Category, found.took);
        }
        if let Some(found) = pasted.city {
            if self.city != Some(found.value) {
                // They are another city's.
                (self.district, self.preferred) = (None, None);
            }
            self.city = Some(found.value);
            note(Field::City, found.took);
        }
        if let Some(found) = pasted.district {
            self.district = Some(found.value);
            note(Field::District, found.took);
        }
        if let Some(found) = pasted.address {
            self.address = Some(found.value);
            note(Field::Address, found.took);
        }
        if let Some(found) = pasted.phone {
            self.phone = Some(found.value);
            note(Field::Phone, found.took);
        }
        if let Some(found) = pasted.name {
            self.name = Some(found.value);
            note(Field::Name, found.took);
        }
        if let Some(found) = pasted.when {
            self.when = found.value.ok();
            note(Field::When, found.took);
        }
        if !pasted.rest.is_empty() {
            let before = self.description.take().filter(|before| *before != pasted.rest);
            let all = before.into_iter().chain([pasted.rest]).collect::<Vec<_>>().join("\n");
            // All of it stays in what was pasted.
            self.description = Some(cut(&all, DESCRIPTION));
        }
        self.pasted = Some(written);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::city::District;
    use crate::model::paste;
    use crate::model::slot::{NoTime, WORKDAY};

    fn cities(count: i64) -> Vec<City> {
        let city = |id| City {
            id: CityId(id),
            name: String::new(),
            districts: vec![District { id: id * 10, name: String::new() }],
            now: jiff::civil::date(2026, 11, 27).at(12, 0, 0, 0),
            workday: WORKDAY,
        };
        (1..=count).map(city).collect()
    }

    fn phone() -> Phone {
        Phone::stored("+79123456789".to_owned())
    }

    #[test]
    fn each_field_is_asked_once_in_order_and_one_city_is_not_asked_for() {
        let cities = cities(1);
        let mut draft = Draft::blank(StaffId(1), &cities);
        assert!(draft.is_blank());
        let answers = [
            (Field::Category, Said::Category(Category::Plumbing)),
            (Field::District, Said::Nothing(Field::District)),
            (Field::Address, Said::Address("x".to_owned())),
            (Field::Phone, Said::Phone(phone())),
            (Field::Name, Said::Name("x".to_owned())),
            (Field::Description, Said::Nothing(Field::Description)),
            (Field::When, Said::When(When::Soon)),
            (Field::Preferred, Said::Nothing(Field::Preferred)),
        ];
        for (step, said) in answers {
            assert_eq!(draft.step, Some(step));
            assert!(draft.enter(said, &cities));
            assert!(!draft.is_blank());
        }
        assert_eq!(draft.step, None);
        assert!(draft.enter(Said::Again(Field::Phone), &cities));
        assert_eq!(draft.step, Some(Field::Phone));
        assert!(draft.enter(Said::Whole, &cities));
        assert_eq!(draft.step, None, "what was said stays");
    }

    #[test]
    fn a_pasted_time_that_is_not_certain_is_asked() {
        let cities = cities(1);
        let found = |value| Some(paste::Found { value, took: "x".to_owned() });
        for (when, asked) in [
            (None, None),
            (found(Ok(When::Soon)), None),
            (found(Err(NoTime::Past)), Some(Field::When)),
            (found(Err(NoTime::NotUnderstood)), Some(Field::When)),
        ] {
            let pasted = Pasted { when, ..Pasted::default() };
            let mut draft = Draft::blank(StaffId(1), &cities);
            assert!(draft.enter(Said::Message { pasted: Box::new(pasted), written: "x".to_owned() }, &cities));
            for said in [Said::Category(Category::Plumbing), Said::Address("x".to_owned()), Said::Phone(phone())] {
                assert_ne!(draft.step, None);
                assert!(draft.enter(said, &cities));
            }
            assert_eq!(draft.step, asked);
            assert!(draft.enter(Said::Whole, &cities));
            assert_eq!(draft.step, asked, "it is asked until it is answered");
            assert!(draft.enter(Said::When(When::Soon), &cities));
            assert_eq!(draft.step, None);
        }
    }

    #[test]
    fn words_of_a_trade_may_describe_the_work_too() {
        let cities = cities(1);
        let mut draft = Draft::blank(StaffId(1), &cities);
        assert!(draft.enter(Said::Work(Category::Handyman, "x".to_owned()), &cities));
        assert_eq!((draft.category, draft.description.as_deref()), (Some(Category::Handyman), Some("x")));
        assert_eq!(draft.step, Some(Field::District));
        for said in [
            Said::Nothing(Field::District),
            Said::Address("x".to_owned()),
            Said::Phone(phone()),
            Said::Nothing(Field::Name),
        ] {
            assert!(draft.enter(said, &cities));
        }
        assert_eq!(draft.step, Some(Field::When), "it is described already");
    }

    #[test]
    fn a_message_takes_nothing_away_that_was_said_of_the_same_city() {
        let cities = cities(2);
        let mut draft = Draft::blank(StaffId(1), &cities);
        let before = [
            Said::City(CityId(1)),
            Said::District(10),
            Said::Preferred(MasterId(1)),
            Said::Description("Домофон 45".to_owned()),
        ];
        assert!(before.into_iter().all(|said| draft.enter(said, &cities)));
        let message = |city| {
            let city = Some(paste::Found { value: CityId(city), took: "x".to_owned() });
            let pasted = Pasted { city, rest: "течёт кран".to_owned(), ..Pasted::default() };
            Said::Message { pasted: Box::new(pasted), written: "x".to_owned() }
        };
        assert!(draft.enter(message(1), &cities));
        assert_eq!((draft.district, draft.preferred), (Some(10), Some(MasterId(1))));
        assert_eq!(draft.description.as_deref(), Some("Домофон 45\nтечёт кран"));
        assert!(draft.enter(message(2), &cities));
        assert_eq!((draft.district, draft.preferred), (None, None), "they are another city's");
    }

    #[test]
    fn another_city_has_other_districts_and_masters() {
        let cities = cities(2);
        let mut draft = Draft::blank(StaffId(1), &cities);
        assert_eq!(draft.city, None);
        assert!(!draft.enter(Said::District(10), &cities), "of which city?");
        assert!(draft.enter(Said::City(CityId(1)), &cities));
        assert!(!draft.enter(Said::District(20), &cities) && draft.enter(Said::District(10), &cities));
        assert!(draft.enter(Said::Preferred(MasterId(1)), &cities));
        assert!(draft.enter(Said::City(CityId(1)), &cities));
        assert_eq!((draft.district, draft.preferred), (Some(10), Some(MasterId(1))));
        assert!(draft.enter(Said::City(CityId(2)), &cities));
        assert_eq!((draft.district, draft.preferred), (None, None));
        assert!(!draft.enter(Said::City(CityId(3)), &cities));
        for field in [Field::Category, Field::City, Field::Address, Field::Phone] {
            assert!(!draft.enter(Said::Nothing(field), &cities), "{field:?} cannot be left out");
        }
    }
}
