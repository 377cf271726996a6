//! Somebody who followed a master's invitation, and is asked what a master is.

use super::order::Category;
use super::{CityId, TelegramUserId};

/// The longest name, in characters.
pub const NAME_LIMIT: usize = 100;

/// What is asked next, as in `onboardings.step`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The full name, in words.
    Name,
    /// The own contact, by the key under the field.
    Contact,
    /// The trades, by buttons.
    Trades,
    /// The districts, by buttons; only where the city has some.
    Districts,
}

impl Step {
    /// Every step, in the order in which they are asked.
    pub const ALL: [Self; 4] = [Self::Name, Self::Contact, Self::Trades, Self::Districts];

    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "NAME",
            Self::Contact => "CONTACT",
            Self::Trades => "TRADES",
            Self::Districts => "DISTRICTS",
        }
    }

    /// The step of that word; `None` for one that this release does not know.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == word)
    }
}

/// A district that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct District {
    /// `districts.id`.
    pub id: i64,
    /// Its name.
    pub name: String,
}

/// How far somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Onboarding {
    /// Who.
    pub user: TelegramUserId,
    /// Where the invitation is for.
    pub city: CityId,
    /// That city's name.
    pub city_name: String,
    /// The districts that it has, by name.
    pub city_districts: Vec<District>,
    /// What is asked.
    pub step: Step,
    /// The name, once it was told.
    pub full_name: Option<String>,
    /// The phone, once it was shared.
    pub phone: Option<String>,
    /// The trades chosen so far.
    pub categories: Vec<Category>,
    /// The districts chosen so far.
    pub districts: Vec<i64>,
    /// Whether staff have to agree.
    pub needs_approval: bool,
}

/// What the person told or tapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Words of the person's own.
    Words(String),
    /// A contact: the phone, if it is the person's own.
    Contact(Option<String>),
    /// A picture, or what somebody else wrote.
    SomethingElse,
    /// This trade, or not.
    Trade(Category, bool),
    /// This district, or not.
    District(i64, bool),
    /// All districts, or none.
    AllDistricts(bool),
    /// On to the next step.
    Next,
    /// Back to the step before.
    Back,
    /// To see what is asked.
    Nothing,
}

/// Why what was told is not taken. The step stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// No words, where a name is asked for.
    NoName,
    /// No name: too long, of several lines, or of less than two letters.
    OddName,
    /// The contact is somebody else's.
    NotOwnContact,
    /// The phone has too few or too many digits.
    OddPhone,
    /// Words, where the contact is asked for.
    KeyOnly,
    /// Words, where buttons are to be tapped.
    ButtonsOnly,
    /// No trade was chosen.
    NoTrade,
    /// No district was chosen.
    NoDistrict,
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is known now, and this is asked.
    Asks(Onboarding),
    /// Nothing changes, and this is why.
    Stays(Complaint),
    /// Nothing changes, and there is nothing to complain of.
    AsBefore,
    /// All is told.
    Complete(Onboarding),
}

impl Onboarding {
    /// What comes of what the person told.
    #[must_use]
    pub fn told(&self, told: &Told) -> Progress {
        match (self.step, told) {
            (Step::Name, Told::Words(words)) => match name(words) {
                Some(name) => self.with(|next| {
                    next.full_name = Some(name);
                    next.step = if next.phone.is_some() { Step::Trades } else { Step::Contact };
                }),
                None => Progress::Stays(Complaint::OddName),
            },
            (Step::Name, Told::SomethingElse | Told::Contact(_)) => Progress::Stays(Complaint::NoName),
            (Step::Contact, Told::Contact(None)) => Progress::Stays(Complaint::NotOwnContact),
            (Step::Contact, Told::Contact(Some(number))) => match phone(number) {
                Some(phone) => self.with(|next| {
                    next.phone = Some(phone);
                    next.step = Step::Trades;
                }),
                None => Progress::Stays(Complaint::OddPhone),
            },
            (Step::Contact, Told::Words(_) | Told::SomethingElse) => Progress::Stays(Complaint::KeyOnly),
            (Step::Trades | Step::Districts, Told::Words(_) | Told::SomethingElse | Told::Contact(_)) => {
                Progress::Stays(Complaint::ButtonsOnly)
            }
            (Step::Trades, Told::Trade(category, on)) => self.with(|next| {
                next.categories.retain(|known| known != category);
                next.categories.extend(on.then_some(*category));
            }),
            (Step::Trades, Told::Next) if self.categories.is_empty() => Progress::Stays(Complaint::NoTrade),
            (Step::Trades, Told::Next) if !self.city_districts.is_empty() => {
                self.with(|next| next.step = Step::Districts)
            }
            (Step::Trades, Told::Next) => Progress::Complete(Self { districts: Vec::new(), ..self.clone() }),
            (Step::Trades, Told::Back) => self.with(|next| next.step = Step::Name),
            (Step::Districts, Told::District(district, on)) => self.with(|next| {
                let there = next.city_districts.iter().any(|known| known.id == *district);
                next.districts.retain(|known| known != district);
                next.districts.extend((*on && there).then_some(*district));
            }),
            (Step::Districts, Told::AllDistricts(on)) => self.with(|next| {
                let all = next.city_districts.iter().map(|known| known.id);
                next.districts = if *on { all.collect() } else { Vec::new() };
            }),
            (Step::Districts, Told::Next) => {
                // Those that the city does not have any more are left out.
                let there = |district: &i64| self.city_districts.iter().any(|known| known.id == *district);
                let districts: Vec<_> = self.districts.iter().copied().filter(there).collect();
                if districts.is_empty() {
                    Progress::Stays(Complaint::NoDistrict)
                } else {
                    Progress::Complete(Self { districts, ..self.clone() })
                }
            }
            (Step::Districts, Told::Back) => self.with(|next| next.step = Step::Trades),
            // Nothing, or a button of another step.
            _ => Progress::AsBefore,
        }
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> Progress {
        let mut next = self.clone();
        change(&mut next);
        if next == *self { Progress::AsBefore } else { Progress::Asks(next) }
    }
}

/// A name of one line with a letter in it, without spaces too many.
#[must_use]
pub fn name(words: &str) -> Option<String> {
    let name = words.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let fits = name.chars().count() <= NAME_LIMIT
        && name.chars().filter(|letter| letter.is_alphabetic()).count() >= 2
        && !name.chars().any(char::is_control)
        && !name.starts_with('/');
    fits.then_some(name)
}

/// Telegram's phone number as +7999…
fn phone(number: &str) -> Option<String> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    (7..=15).contains(&digits.len()).then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun() -> Onboarding {
        Onboarding {
            user: TelegramUserId(7),
            city: CityId(1),
            city_name: "Омск".to_owned(),
            city_districts: vec![
                District { id: 1, name: "Центр".to_owned() },
                District { id: 2, name: "Север".to_owned() },
            ],
            step: Step::Name,
            full_name: None,
            phone: None,
            categories: Vec::new(),
            districts: Vec::new(),
            needs_approval: true,
        }
    }

    fn asks(onboarding: &Onboarding, told: &Told) -> Onboarding {
        match onboarding.told(told) {
            Progress::Asks(next) => next,
            other => panic!("{told:?}: {other:?}"),
        }
    }

    #[test]
    fn all_is_told_step_by_step_and_can_be_corrected() {
        let words = |words: &str| Told::Words(words.to_owned());
        let known = asks(&begun(), &words("  Пётр   Иванов "));
        assert_eq!((known.step, known.full_name.as_deref()), (Step::Contact, Some("Пётр Иванов")));
        let known = asks(&known, &Told::Contact(Some("79990000007".to_owned())));
        assert_eq!((known.step, known.phone.as_deref()), (Step::Trades, Some("+79990000007")));
        assert_eq!(known.told(&Told::Next), Progress::Stays(Complaint::NoTrade));
        let known = asks(&known, &Told::Trade(Category::Plumbing, true));
        assert_eq!(known.told(&Told::Trade(Category::Plumbing, true)), Progress::AsBefore, "the same again");
        // Back to the name; the contact is not asked for again.
        let known = asks(&asks(&known, &Told::Back), &words("Пётр Петров"));
        assert_eq!((known.step, known.categories.len()), (Step::Trades, 1));
        let known = asks(&known, &Told::Next);
        assert_eq!(known.told(&Told::Next), Progress::Stays(Complaint::NoDistrict));
        assert_eq!(known.told(&Told::District(3, true)), Progress::AsBefore, "another city's");
        let known = asks(&asks(&known, &Told::AllDistricts(true)), &Told::District(1, false));
        let Progress::Complete(complete) = known.told(&Told::Next) else { panic!("{known:?}") };
        assert_eq!((complete.districts, complete.full_name.as_deref()), (vec![2], Some("Пётр Петров")));
    }

    #[test]
    fn what_does_not_fit_leaves_the_step_as_it_is() {
        let words = |words: &str| Told::Words(words.to_owned());
        for odd in ["", " ", "🙂", "12345", "а", "А.", "Пётр\nИванов", "/start", &"я".repeat(101), "a\u{0}b"]
        {
            assert_eq!(begun().told(&words(odd)), Progress::Stays(Complaint::OddName), "{odd}");
        }
        assert_eq!(begun().told(&Told::SomethingElse), Progress::Stays(Complaint::NoName));
        let contact = Onboarding { step: Step::Contact, ..begun() };
        for (told, why) in [
            (Told::Contact(None), Complaint::NotOwnContact),
            (Told::Contact(Some("02".to_owned())), Complaint::OddPhone),
            (words("+79990000007"), Complaint::KeyOnly),
            (Told::SomethingElse, Complaint::KeyOnly),
        ] {
            assert_eq!(contact.told(&told), Progress::Stays(why));
        }
        let trades = Onboarding { step: Step::Trades, ..begun() };
        assert_eq!(trades.told(&words("сантехника")), Progress::Stays(Complaint::ButtonsOnly));
        assert_eq!(trades.told(&Told::District(1, true)), Progress::AsBefore, "a later step's button");
        // Somebody took the district away meanwhile.
        let districts = Onboarding { step: Step::Districts, districts: vec![9], ..begun() };
        assert_eq!(districts.told(&Told::Next), Progress::Stays(Complaint::NoDistrict));
    }
}
