//! When the job acts on a rule.

use model::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};

/// When the job acts on a rule. What the rule keeps, it keeps at any time.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Each hour.
    #[default]
    Hourly,
    /// Each day in the first three hours, by UTC.
    Daily,
    /// On Mondays, by UTC.
    Weekly,
    /// On the first day of each month, by UTC.
    Monthly,
    /// Never: when somebody asks for it.
    Asked,
}

/// How much of a day is a day's beginning: the job may be late.
const MORNING: Seconds = Seconds::hours(3);
/// The longest wait from a day to the next one on which a rule is acted on.
const MOST_DAYS: i64 = 31;

impl Schedule {
    /// Does the job act on it at this moment?
    pub(super) fn is_due(self, now: Timestamp) -> bool {
        let Some((of_week, of_month)) = now.day_of_week_and_month() else { return false };
        match self {
            Self::Hourly => true,
            Self::Daily => now < now.day().plus(MORNING),
            Self::Weekly => of_week == 1,
            Self::Monthly => of_month == 1,
            Self::Asked => false,
        }
    }

    /// The beginning of the next day on which it is acted on; none: each hour, or never.
    pub fn next(self, now: Timestamp) -> Option<Timestamp> {
        if self == Self::Hourly {
            return None;
        }
        (1..=MOST_DAYS).map(|days| now.day().plus(Seconds::days(days))).find(|day| self.is_due(*day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn each_has_its_days() {
        for (schedule, yes, no, next) in [
            (Schedule::Hourly, "2023-11-14T22:13:20Z", None, None),
            (Schedule::Daily, "2023-11-14T02:59:59Z", Some("2023-11-14T03:00:00Z"), Some("2023-11-15T00:00:00Z")),
            (Schedule::Weekly, "2023-11-13T23:59:59Z", Some("2023-11-14T00:00:00Z"), Some("2023-11-20T00:00:00Z")),
            (Schedule::Monthly, "2024-01-01T12:00:00Z", Some("2023-12-31T23:59:59Z"), Some("2023-12-01T00:00:00Z")),
        ] {
            assert!(schedule.is_due(at(yes)), "{schedule:?}");
            assert!(no.is_none_or(|no| !schedule.is_due(at(no))), "{schedule:?}");
            assert_eq!(schedule.next(at("2023-11-14T01:00:00Z")), next.map(at), "{schedule:?}");
        }
        assert!(!Schedule::Asked.is_due(at("2024-01-01T00:00:00Z")));
        assert_eq!(Schedule::Asked.next(at("2024-01-01T00:00:00Z")), None);
        assert_eq!(Schedule::Monthly.next(at("2024-01-01T00:00:00Z")), Some(at("2024-02-01T00:00:00Z")), "the 31st day after it");
    }
}
