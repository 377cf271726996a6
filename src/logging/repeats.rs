//! Warnings and errors of one kind are one line a second, which says for how many it stands: a stranger who sends thousands
//! of requests, or a database that is away, does not fill the log. The kind is the place in the source, of which there is
//! a fixed number, so memory is bounded.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;

use super::record::Record;

/// Between two lines of one kind.
const PAUSE: Duration = Duration::from_secs(1);

/// What was kept back, by kind.
#[derive(Default)]
pub(super) struct Repeats(HashMap<Identifier, Kind>);

struct Kind {
    /// When the next line may be written.
    next: Instant,
    /// The last one that was kept back, which stands for all that were.
    kept: Option<Record>,
}

impl Repeats {
    /// The record, if it is to be written now; else it is counted. Not for what is no complaint: each is a line.
    pub(super) fn admit(&mut self, kind: Identifier, mut record: Record, now: Instant) -> Option<Record> {
        let Some(known) = self.0.get_mut(&kind) else {
            self.0.insert(kind, Kind { next: now + PAUSE, kept: None });
            return Some(record);
        };
        record.repeated += known.kept.take().map_or(0, |kept| kept.repeated);
        if now >= known.next {
            known.next = now + PAUSE;
            return Some(record);
        }
        known.kept = Some(record);
        None
    }

    /// What has been kept back long enough; or all of it, at the end.
    pub(super) fn due(&mut self, now: Instant, all: bool) -> Vec<Record> {
        let mut due = Vec::new();
        self.0.retain(|_, kind| {
            if now < kind.next && !all {
                return true;
            }
            let kept = kind.kept.take();
            let goes_on = kept.is_some();
            due.extend(kept);
            kind.next = now + PAUSE;
            // One that has been silent for a pause is as if it had never spoken.
            goes_on
        });
        due
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    fn kind() -> Identifier {
        struct Place;
        impl tracing::Callsite for Place {
            fn set_interest(&self, _: tracing::subscriber::Interest) {}
            fn metadata(&self) -> &tracing::Metadata<'_> {
                unreachable!("nobody asks")
            }
        }
        Identifier(&Place)
    }

    #[test]
    fn one_line_a_second_says_for_how_many_it_stands() {
        let (mut repeats, begun) = (Repeats::default(), Instant::now());
        let admit = |repeats: &mut Repeats, level, milliseconds: u64, row: u64| {
            let record = Record::new(level, "x", row.to_string());
            repeats.admit(kind(), record, begun + Duration::from_millis(milliseconds))
        };
        assert_eq!(admit(&mut repeats, Level::ERROR, 0, 1).expect("the first").repeated, 1);
        for row in 2..=751 {
            assert!(admit(&mut repeats, Level::ERROR, row, row).is_none());
        }
        let at = |milliseconds| begun + Duration::from_millis(milliseconds);
        assert!(repeats.due(at(999), false).is_empty());
        let due = repeats.due(at(1000), false);
        assert_eq!((due.len(), due[0].repeated, due[0].message.as_str()), (1, 750, "751"));
        // The pause begins anew with that line.
        assert!(admit(&mut repeats, Level::ERROR, 1001, 752).is_none());
        assert_eq!(admit(&mut repeats, Level::ERROR, 2500, 753).expect("one a second").repeated, 2);
        assert!(repeats.due(at(4000), false).is_empty());
        assert!(repeats.0.is_empty(), "who is silent costs nothing");
        assert!(admit(&mut repeats, Level::ERROR, 4001, 754).is_some());
        assert!(admit(&mut repeats, Level::ERROR, 4002, 755).is_none());
        assert_eq!(repeats.due(at(4002), true).len(), 1, "nothing is lost at the end");
    }
}
