//! Masters whom no search can ask.

use super::finding::{Finding, or_fine};
use super::listed;

/// Whoever is off shift for so many seconds has probably forgotten it, or left.
const A_WEEK: i64 = 7 * 24 * 60 * 60;

/// A master, by what decides whether a search can ask.
#[expect(clippy::struct_excessive_bools, reason = "each is a reason of its own")]
#[derive(Clone, Copy, Debug)]
pub struct Master {
    /// The number.
    pub id: i64,
    /// Whether there is a trade.
    pub has_trade: bool,
    /// Whether there is a district, or none is needed as the city has none.
    pub has_district: bool,
    /// Blocked by staff.
    pub blocked: bool,
    /// Waits until staff agree.
    pub waits: bool,
    /// The bot cannot write to the master.
    pub unreachable: bool,
    /// May have no order at all.
    pub no_room: bool,
    /// For how many seconds off shift; `None`: on shift.
    pub off_shift: Option<i64>,
}

/// A reason, what is said of those who have it, and what is to be done.
type Reason = (&'static str, fn(&Master) -> bool, &'static str, &'static str);

const REASONS: [Reason; 7] = [
    (
        "masters_without_trade",
        |master| !master.has_trade,
        "have no trade",
        "`field-service master set --id ID --category …`",
    ),
    (
        "masters_without_district",
        |master| !master.has_district,
        "work in no district of their city, which has some",
        "`field-service master set --id ID --district …`, or --all-districts",
    ),
    (
        "masters_waiting",
        |master| master.waits,
        "wait for somebody of the staff to let them in",
        "an admin or a dispatcher of their city agrees in the bot, or blocks them",
    ),
    (
        "masters_blocked",
        |master| master.blocked && !master.waits,
        "are blocked",
        "`field-service master set --id ID --unblock`, unless they are to be",
    ),
    (
        "masters_unreachable",
        |master| master.unreachable,
        "have never opened the masters' bot, or have blocked it",
        "let them open it and press Start",
    ),
    (
        "masters_without_room",
        |master| master.no_room,
        "may have 0 orders at once",
        "`field-service master set --id ID --limit …`",
    ),
    (
        "masters_off_shift",
        |master| master.off_shift.is_some_and(|seconds| seconds >= A_WEEK),
        "have been off shift for a week",
        "let them begin a shift in the bot, or leave them if they are away",
    ),
];

/// Judges the masters.
#[must_use]
pub fn judge(masters: &[Master]) -> Vec<Finding> {
    if masters.is_empty() {
        let remedy = "`field-service master add`, or an invitation from the dispatchers' bot";
        return vec![Finding::warning("no_masters", "there are no masters: nobody can be asked", remedy)];
    }
    let of_reason = |(code, has, what, remedy): &Reason| {
        let those: Vec<_> = masters.iter().filter(|master| has(master)).map(|master| master.id).collect();
        let what = || format!("of the masters {} {what}, and are never asked: {}", those.len(), listed(&those));
        (!those.is_empty()).then(|| Finding::warning(code, what(), *remedy))
    };
    let findings = REASONS.iter().filter_map(of_reason).collect();
    or_fine(findings, || format!("masters: {}, each can be asked or is on a break", masters.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_named_with_whom_it_concerns() {
        let sound = Master {
            id: 1,
            has_trade: true,
            has_district: true,
            blocked: false,
            waits: false,
            unreachable: false,
            no_room: false,
            off_shift: Some(A_WEEK - 1),
        };
        assert_eq!(judge(&[sound])[0].code, "ok");
        assert_eq!(judge(&[])[0].code, "no_masters");
        for (odd, code) in [
            (Master { has_trade: false, ..sound }, "masters_without_trade"),
            (Master { has_district: false, ..sound }, "masters_without_district"),
            (Master { blocked: true, waits: true, ..sound }, "masters_waiting"),
            (Master { blocked: true, ..sound }, "masters_blocked"),
            (Master { unreachable: true, ..sound }, "masters_unreachable"),
            (Master { no_room: true, ..sound }, "masters_without_room"),
            (Master { off_shift: Some(A_WEEK), ..sound }, "masters_off_shift"),
        ] {
            let findings = judge(&[sound, Master { id: 7, ..odd }]);
            assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), [code]);
            assert!(findings[0].what.ends_with(": 7"), "{findings:?}");
        }
    }
}
