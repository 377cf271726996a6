//! Cities, and whether the server knows their clocks.

use super::finding::{Finding, or_fine};

/// The cities.
#[derive(Clone, Debug, Default)]
pub struct Cities {
    /// How many there are.
    pub count: i64,
    /// Those whose zone the server does not know, each with the zone's name if it looks like one.
    pub lost: Vec<(i64, Option<String>)>,
}

/// Judges the cities.
#[must_use]
pub fn judge(Cities { count, lost }: &Cities) -> Vec<Finding> {
    if *count == 0 {
        let remedy = "`field-service master add --city NAME --timezone ZONE …` makes the first one";
        return vec![Finding::warning("no_cities", "there are no cities: no order can be made", remedy)];
    }
    let finding = |(city, zone): &(i64, Option<String>)| {
        let zone = zone.as_ref().map(|zone| format!(" ({zone})")).unwrap_or_default();
        Finding::wrong(
            "zone_unknown",
            format!("the server does not know the time zone of city {city}{zone}: its times are shown in UTC"),
            "put an IANA name into cities.timezone, or update the server's zone data",
        )
    };
    or_fine(lost.iter().map(finding).collect(), || format!("cities: {count}, and their time zones are known"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_that_is_not_known_is_named() {
        assert_eq!(judge(&Cities::default())[0].code, "no_cities");
        let lost = vec![(2, Some("Mars/Olympus".to_owned())), (3, None)];
        let findings = judge(&Cities { count: 3, lost });
        assert!(
            findings[0].what.contains("city 2 (Mars/Olympus)") && findings[1].what.contains("city 3:"),
            "{findings:?}"
        );
        assert_eq!(judge(&Cities { count: 1, lost: Vec::new() })[0].code, "ok");
    }
}
