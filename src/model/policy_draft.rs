//! A policy as somebody wants it: typed, within bounds, and without contradictions, before anything is written.
//!
//! [`PolicyValues`] are numbers that may be anything, as they stand in a row, on a button or in a form; a [`PolicyDraft`] is made of
//! those that can be a policy. Its neighbours: [`policy`](super::policy), by which a search goes on.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::Time;

use super::StaffId;

/// The last minute of a day.
const LAST_MINUTE: i32 = 24 * 60 - 1;
/// Widening more often than this would ask everybody before anybody can look.
pub const LEAST_WIDENING: i32 = 5;
/// How often a search widens, if it is to widen again and nothing else is known.
pub const USUAL_WIDENING: i32 = 30;

/// The steps of how long something lives or waits, in seconds.
const SECONDS: [i32; 20] =
    [5, 10, 15, 20, 30, 45, 60, 90, 120, 150, 180, 240, 300, 420, 600, 900, 1200, 1800, 2700, 3600];
/// The steps of how long a search may take, in seconds.
const PATIENCE: [i32; 16] = [60, 120, 180, 300, 420, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 14400, 43200, 86400];
/// The steps of the clock, in minutes.
const HALF_HOUR: i32 = 30;

/// What a policy says, as the columns of `dispatch_policies`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyField {
    /// How long an offer lives, in seconds.
    OfferTtl,
    /// How long the preferred master is asked alone, in seconds.
    PreferredTtl,
    /// How many masters are asked first, if the search widens.
    FirstMasters,
    /// How often it widens, in seconds; 0: it goes on in rounds.
    WidenEvery,
    /// How many are added each time.
    WidenBy,
    /// How many offers of an order may live at once.
    MaxLiveOffers,
    /// How many are asked in a round.
    MastersPerRound,
    /// After how many rounds staff are called; of a search that widens, after as many masters as those rounds ask.
    MaxRounds,
    /// After how many seconds of searching staff are called.
    EscalateAfter,
    /// How many orders a master may have of whom nothing else is said.
    MaxActiveOrders,
    /// When the working day begins, in minutes after midnight.
    WorkdayStart,
    /// When it ends, in minutes after midnight.
    WorkdayEnd,
}

impl PolicyField {
    /// Every field, in the order in which [`PolicyValues`] has them.
    pub const ALL: [Self; 12] = [
        Self::OfferTtl,
        Self::PreferredTtl,
        Self::FirstMasters,
        Self::WidenEvery,
        Self::WidenBy,
        Self::MaxLiveOffers,
        Self::MastersPerRound,
        Self::MaxRounds,
        Self::EscalateAfter,
        Self::MaxActiveOrders,
        Self::WorkdayStart,
        Self::WorkdayEnd,
    ];

    /// The column, and what it is called over the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OfferTtl => "offer_ttl_seconds",
            Self::PreferredTtl => "preferred_ttl_seconds",
            Self::FirstMasters => "first_masters",
            Self::WidenEvery => "widen_every_seconds",
            Self::WidenBy => "widen_by",
            Self::MaxLiveOffers => "max_live_offers",
            Self::MastersPerRound => "masters_per_round",
            Self::MaxRounds => "max_rounds",
            Self::EscalateAfter => "escalate_after_seconds",
            Self::MaxActiveOrders => "max_active_orders",
            Self::WorkdayStart => "workday_start",
            Self::WorkdayEnd => "workday_end",
        }
    }

    /// The least and the most that people may say. [`WidenEvery`](Self::WidenEvery) leaves a gap after 0, see [`LEAST_WIDENING`].
    #[must_use]
    pub fn range(self) -> RangeInclusive<i32> {
        match self {
            Self::OfferTtl | Self::PreferredTtl => 10..=3600,
            Self::FirstMasters | Self::MaxLiveOffers | Self::MastersPerRound => 1..=50,
            Self::WidenEvery => 0..=3600,
            Self::WidenBy | Self::MaxRounds => 1..=20,
            Self::EscalateAfter => 60..=86400,
            Self::MaxActiveOrders => 1..=99,
            Self::WorkdayStart | Self::WorkdayEnd => 0..=LAST_MINUTE,
        }
    }

    /// Whether it is a time of the day.
    #[must_use]
    pub fn is_clock(self) -> bool {
        matches!(self, Self::WorkdayStart | Self::WorkdayEnd)
    }

    /// Whether a search goes by it: some fields only in rounds, some only while it widens.
    #[must_use]
    pub fn counts(self, widens: bool) -> bool {
        match self {
            Self::FirstMasters | Self::WidenEvery | Self::WidenBy | Self::MaxLiveOffers => widens,
            Self::MastersPerRound => !widens,
            _ => true,
        }
    }

    /// The next value above or below that one, as a button steps; `None`: it is the last.
    #[must_use]
    pub fn step(self, from: i32, up: bool) -> Option<i32> {
        let along = |steps: &[i32]| {
            let mut allowed = steps.iter().copied().filter(|step| self.range().contains(step));
            if up { allowed.find(|step| *step > from) } else { allowed.rfind(|step| *step < from) }
        };
        match self {
            Self::OfferTtl | Self::PreferredTtl | Self::WidenEvery => along(&SECONDS),
            Self::EscalateAfter => along(&PATIENCE),
            Self::WorkdayStart | Self::WorkdayEnd => {
                let half_hours: Vec<i32> = (0..48).map(|number| number * HALF_HOUR).chain([LAST_MINUTE]).collect();
                along(&half_hours)
            }
            _ => {
                let step = from.saturating_add(if up { 1 } else { -1 });
                self.range().contains(&step).then_some(step)
            }
        }
    }

    fn place(self) -> usize {
        self as usize
    }
}

/// The numbers of a policy, in the order of [`PolicyField::ALL`]; whether they can be one is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyValues(pub [i32; 12]);

impl PolicyValues {
    /// What it says there.
    #[must_use]
    pub fn get(&self, field: PolicyField) -> i32 {
        self.0[field.place()]
    }

    /// The same with another value there.
    #[must_use]
    pub fn with(mut self, field: PolicyField, value: i32) -> Self {
        self.0[field.place()] = value;
        self
    }

    /// The same one step further, as a button steps; `None`: there is no further step.
    #[must_use]
    pub fn stepped(self, field: PolicyField, up: bool) -> Option<Self> {
        field.step(self.get(field), up).map(|value| self.with(field, value))
    }

    /// Each within its bounds: a row that somebody wrote by hand may be outside, and is then shown as changed.
    #[must_use]
    pub fn clamped(self) -> Self {
        PolicyField::ALL.into_iter().fold(self, |values, field| {
            let (least, most) = field.range().into_inner();
            let value = values.get(field).clamp(least, most);
            let too_often = field == PolicyField::WidenEvery && (1..LEAST_WIDENING).contains(&value);
            values.with(field, if too_often { LEAST_WIDENING } else { value })
        })
    }

    /// Whether a search widens; else it goes on in rounds.
    #[must_use]
    pub fn widens(&self) -> bool {
        self.get(PolicyField::WidenEvery) > 0
    }

    /// The same in the other way of searching.
    #[must_use]
    pub fn in_the_other_way(self) -> Self {
        self.with(PolicyField::WidenEvery, if self.widens() { 0 } else { USUAL_WIDENING })
    }

    /// The same on top of another policy: where it was changed from the one that was seen it stays, elsewhere it is as it is now, so that
    /// saving takes back nothing that somebody else has changed.
    #[must_use]
    pub fn moved(self, seen: Self, now: Self) -> Self {
        self.changed_from(seen).fold(now, |moved, field| moved.with(field, self.get(field)))
    }

    /// What counts in no round is made to fit, as the table demands of each of its rows.
    fn fitted(self) -> Self {
        let (first, most) = (self.get(PolicyField::FirstMasters), self.get(PolicyField::MaxLiveOffers));
        if self.widens() { self } else { self.with(PolicyField::MaxLiveOffers, most.max(first)) }
    }

    /// Where it differs from another: what is to be changed.
    pub fn changed_from(self, other: Self) -> impl Iterator<Item = PolicyField> {
        PolicyField::ALL.into_iter().filter(move |field| self.get(*field) != other.get(*field))
    }
}

/// The minutes of a time of the day.
#[must_use]
pub fn minutes(time: Time) -> i32 {
    i32::from(time.hour()) * 60 + i32::from(time.minute())
}

/// The time of the day of so many minutes; midnight of what is none.
#[must_use]
pub fn clock(minutes: i32) -> Time {
    let part = |part: i32| i8::try_from(part).ok();
    let time = part(minutes.div_euclid(60)).zip(part(minutes.rem_euclid(60)));
    time.and_then(|(hour, minute)| Time::new(hour, minute, 0, 0).ok()).unwrap_or(Time::midnight())
}

/// Reads `10:00` or `9:30`; `None`: it is no time of the day.
#[must_use]
pub fn read_clock(text: &str) -> Option<i32> {
    let (hours, rest) = text.split_once(':')?;
    let number = |text: &str, most: i32| {
        let plain = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number: &i32| plain && *number <= most)
    };
    let minutes = number(rest, 59).filter(|_| rest.len() == 2)?;
    Some(number(hours, 23)? * 60 + minutes)
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyFault {
    /// It is outside [`PolicyField::range`].
    OutOfRange(PolicyField),
    /// The search would widen more often than [`LEAST_WIDENING`].
    WidensTooOften,
    /// There may be fewer offers at once than are made first.
    FewerAtOnceThanFirst,
    /// The working day ends before it begins.
    EndsBeforeItBegins,
}

impl PolicyFault {
    /// The field that is wrong.
    #[must_use]
    pub fn field(self) -> PolicyField {
        match self {
            Self::OutOfRange(field) => field,
            Self::WidensTooOften => PolicyField::WidenEvery,
            Self::FewerAtOnceThanFirst => PolicyField::MaxLiveOffers,
            Self::EndsBeforeItBegins => PolicyField::WorkdayEnd,
        }
    }
}

/// Values that can be a policy. There is no other way to make one than [`PolicyDraft::check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyDraft(PolicyValues);

impl PolicyDraft {
    /// Checks values. How many are asked first and how many offers may live is not compared in rounds, where neither counts; there may
    /// be at least as many then as are asked first.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn check(values: PolicyValues) -> Result<Self, Vec<PolicyFault>> {
        let outside = PolicyField::ALL.into_iter().filter(|field| !field.range().contains(&values.get(*field)));
        let mut faults: Vec<PolicyFault> = outside.map(PolicyFault::OutOfRange).collect();
        let sound = |field: PolicyField| field.range().contains(&values.get(field));
        if (1..LEAST_WIDENING).contains(&values.get(PolicyField::WidenEvery)) {
            faults.push(PolicyFault::WidensTooOften);
        }
        // A fault of one field is said once, and of that field.
        let both = |one: PolicyField, other: PolicyField| sound(one) && sound(other);
        let (first, most) = (PolicyField::FirstMasters, PolicyField::MaxLiveOffers);
        if values.widens() && both(first, most) && values.get(most) < values.get(first) {
            faults.push(PolicyFault::FewerAtOnceThanFirst);
        }
        let (start, end) = (PolicyField::WorkdayStart, PolicyField::WorkdayEnd);
        if both(start, end) && values.get(end) <= values.get(start) {
            faults.push(PolicyFault::EndsBeforeItBegins);
        }
        if faults.is_empty() { Ok(Self(values.fitted())) } else { Err(faults) }
    }

    /// What it says.
    #[must_use]
    pub fn values(&self) -> PolicyValues {
        self.0
    }
}

/// A row of `dispatch_policies`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRecord {
    /// The number; the greatest is in force.
    pub id: i64,
    /// What it says.
    pub values: PolicyValues,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who of the staff made it; `None`: the system or an operator.
    pub by: Option<String>,
}

/// The policy in force, as somebody of the staff sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyInForce {
    /// The newest row.
    pub record: PolicyRecord,
    /// Who of the staff asks.
    pub asked_by: StaffId,
    /// Whether they may make another one.
    pub may_change: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual() -> PolicyValues {
        PolicyValues([120, 60, 3, 30, 1, 6, 3, 3, 600, 5, 600, 1200])
    }

    #[test]
    fn each_field_has_its_bounds_and_a_fault_names_it() {
        assert!(PolicyDraft::check(usual()).is_ok());
        // What depends on another field is given room.
        let roomy = usual()
            .with(PolicyField::FirstMasters, 1)
            .with(PolicyField::MaxLiveOffers, 50)
            .with(PolicyField::WorkdayStart, 0)
            .with(PolicyField::WorkdayEnd, LAST_MINUTE);
        for field in PolicyField::ALL {
            let (least, most) = field.range().into_inner();
            for bound in [least, most] {
                let at_bound = match field {
                    PolicyField::MaxLiveOffers | PolicyField::FirstMasters if bound > 1 => {
                        roomy.with(PolicyField::MaxLiveOffers, bound).with(field, bound)
                    }
                    PolicyField::WorkdayStart => roomy.with(field, bound.min(LAST_MINUTE - 1)),
                    PolicyField::WorkdayEnd => roomy.with(field, bound.max(1)),
                    _ => roomy.with(field, bound),
                };
                assert!(PolicyDraft::check(at_bound).is_ok(), "{} may be {bound}", field.name());
            }
            for outside in [least - 1, most + 1, i32::MIN, i32::MAX] {
                let refused = PolicyDraft::check(roomy.with(field, outside));
                assert_eq!(refused, Err(vec![PolicyFault::OutOfRange(field)]), "{} {outside}", field.name());
            }
        }
    }

    #[test]
    fn what_contradicts_itself_is_no_policy() {
        let check = |values: PolicyValues| PolicyDraft::check(values).expect_err("a fault");
        for odd in 1..LEAST_WIDENING {
            assert_eq!(check(usual().with(PolicyField::WidenEvery, odd)), [PolicyFault::WidensTooOften]);
        }
        assert!(PolicyDraft::check(usual().with(PolicyField::WidenEvery, 0)).is_ok());
        assert!(PolicyDraft::check(usual().with(PolicyField::WidenEvery, LEAST_WIDENING)).is_ok());
        assert_eq!(check(usual().with(PolicyField::MaxLiveOffers, 2)), [PolicyFault::FewerAtOnceThanFirst]);
        assert!(PolicyDraft::check(usual().with(PolicyField::MaxLiveOffers, 3)).is_ok());
        assert_eq!(check(usual().with(PolicyField::WorkdayEnd, 600)), [PolicyFault::EndsBeforeItBegins]);
        let all = check(usual().with(PolicyField::MaxLiveOffers, 2).with(PolicyField::WorkdayEnd, 1));
        assert_eq!(all, [PolicyFault::FewerAtOnceThanFirst, PolicyFault::EndsBeforeItBegins], "all of it is said");
    }

    #[test]
    fn what_does_not_count_in_rounds_stands_against_nothing_there() {
        let fewer = usual().with(PolicyField::FirstMasters, 5).with(PolicyField::MaxLiveOffers, 2);
        let in_rounds = fewer.with(PolicyField::WidenEvery, 0);
        let saved = PolicyDraft::check(in_rounds).expect("a policy").values();
        assert_eq!(saved, in_rounds.with(PolicyField::MaxLiveOffers, 5), "as a row has to be");
        assert!(PolicyDraft::check(fewer).is_err(), "it counts while the search widens");
    }

    #[test]
    fn what_was_not_touched_follows_the_policy_that_is_in_force_now() {
        let seen = usual();
        let now = usual().with(PolicyField::WidenBy, 2).with(PolicyField::MaxActiveOrders, 7);
        let mine = seen.with(PolicyField::OfferTtl, 150).with(PolicyField::MaxActiveOrders, 6);
        let moved = mine.moved(seen, now);
        assert_eq!(moved, now.with(PolicyField::OfferTtl, 150).with(PolicyField::MaxActiveOrders, 6));
        assert_eq!(seen.moved(seen, now), now, "nothing was touched");
        assert_eq!(mine.moved(seen, seen), mine, "nothing has changed");
    }

    #[test]
    fn steps_lead_from_bound_to_bound_and_back() {
        for field in PolicyField::ALL {
            for up in [true, false] {
                let (least, most) = field.range().into_inner();
                let (mut value, mut steps) = (if up { least } else { most }, 0);
                while let Some(next) = field.step(value, up) {
                    assert_eq!(next > value, up, "{} {value} → {next}", field.name());
                    assert!(field.range().contains(&next), "{} {next}", field.name());
                    (value, steps) = (next, steps + 1);
                }
                assert!((10..=98).contains(&steps), "{}: {steps} steps", field.name());
                // Nobody steps into rounds unawares: that is a button of its own.
                let end = match (field, up) {
                    (PolicyField::WidenEvery, false) => LEAST_WIDENING,
                    (_, true) => most,
                    (_, false) => least,
                };
                assert_eq!(value, end, "{}", field.name());
            }
            // From a value between two steps, or outside of all.
            assert!(field.step(i32::MAX, true).is_none() && field.step(i32::MIN, false).is_none());
        }
        assert_eq!(PolicyField::OfferTtl.step(100, true), Some(120));
        assert_eq!(PolicyField::OfferTtl.step(100, false), Some(90));
    }

    #[test]
    fn a_row_written_by_hand_is_brought_within_bounds() {
        let odd = PolicyValues([i32::MAX, 1, 0, 2, 99, 1000, 0, 0, 1, 0, -1, 5000]);
        let clamped = odd.clamped();
        assert!(PolicyField::ALL.into_iter().all(|field| field.range().contains(&clamped.get(field))), "{clamped:?}");
        assert_eq!(clamped.get(PolicyField::WidenEvery), LEAST_WIDENING, "it still widens");
        assert_eq!(usual().clamped(), usual());
        assert_eq!(usual().in_the_other_way().in_the_other_way(), usual());
    }

    #[test]
    fn times_of_the_day_are_read_as_people_write_them() {
        for (text, minutes) in
            [("10:00", Some(600)), ("9:30", Some(570)), ("00:00", Some(0)), ("23:59", Some(LAST_MINUTE))]
        {
            assert_eq!(read_clock(text), minutes, "{text}");
        }
        for bad in ["", "10", "24:00", "10:60", "10:5", "-1:00", "1:000", "+1:00", "10:00:00", "a:00"] {
            assert_eq!(read_clock(bad), None, "{bad}");
        }
        for minute in 0..=LAST_MINUTE {
            assert_eq!(minutes(clock(minute)), minute);
        }
        assert_eq!(clock(-1), Time::midnight());
    }
}
