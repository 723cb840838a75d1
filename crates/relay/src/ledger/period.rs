//! The periods of budgets: calendar days, ISO weeks and months in the operator's time zone, and all
//! time.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// How often a budget begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// At midnight.
    Day,
    /// On Monday.
    Week,
    /// On the first of the month.
    Month,
    /// Never.
    Total,
}

impl Per {
    /// All of them; the order is that of [`Periods::names`].
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Total];

    /// Its word in the API and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Total => "total",
        }
    }

    /// The period of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|per| per.as_str() == word)
    }

    /// Its place in [`Periods::names`].
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Self::Day => 0,
            Self::Week => 1,
            Self::Month => 2,
            Self::Total => 3,
        }
    }
}

/// The periods that a moment belongs to.
#[derive(Debug, PartialEq, Eq)]
pub struct Periods {
    /// Their names, such as `day:2026-11-28`, in the order of [`Per::ALL`].
    pub names: [String; 4],
    /// The date of the day.
    pub day: String,
    /// When day, week and month end, in milliseconds since 1970.
    ends: [i64; 3],
    begin: i64,
}

impl Periods {
    /// When a period ends, in milliseconds since 1970; none if never.
    #[must_use]
    pub fn end(&self, per: Per) -> Option<i64> {
        self.ends.get(per.index()).copied()
    }

    /// The name of a period.
    #[must_use]
    pub fn name(&self, per: Per) -> &str {
        self.names.get(per.index()).map_or("", String::as_str)
    }

    fn holds(&self, at: i64) -> bool {
        (self.begin..self.ends[0]).contains(&at)
    }
}

/// Tells periods in one time zone.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
    now: Arc<std::sync::Mutex<Option<Arc<Periods>>>>,
}

impl Calendar {
    /// The calendar of an IANA time zone such as `Europe/Berlin`.
    ///
    /// # Errors
    /// There is no such zone.
    pub fn of_zone(name: &str) -> Result<Self, String> {
        let zone = TimeZone::get(name.trim());
        let zone = zone.map_err(|_| {
            format!("unknown time zone `{name}`; an IANA name such as Europe/Berlin is needed")
        })?;
        Ok(Self {
            zone,
            now: Arc::default(),
        })
    }

    /// The zone's name.
    #[must_use]
    pub fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// The periods of a moment, in milliseconds since 1970. Those of today are remembered.
    #[must_use]
    pub fn at(&self, at: i64) -> Arc<Periods> {
        let mut now = self
            .now
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(periods) = now.as_ref().filter(|periods| periods.holds(at)) {
            return periods.clone();
        }
        let periods = Arc::new(self.periods(at));
        let is_later = now.as_ref().is_none_or(|known| known.begin < periods.begin);
        if is_later {
            *now = Some(periods.clone());
        }
        periods
    }

    /// The date of a moment.
    #[must_use]
    pub fn date(&self, at: i64) -> Date {
        let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
        at.to_zoned_datetime(self.zone.clone()).date()
    }

    /// When a date begins, in milliseconds since 1970.
    #[must_use]
    pub fn start_of(&self, date: Date) -> i64 {
        date.to_zoned_datetime(self.zone.clone())
            .map_or(i64::MAX, |zoned| zoned.timestamp().as_millisecond())
    }

    fn periods(&self, at: i64) -> Periods {
        let date = self.date(at);
        let week = date.iso_week_date();
        let days_left = 8 - i32::from(week.weekday().to_monday_one_offset());
        let next_week = date
            .checked_add(jiff::Span::new().days(days_left))
            .unwrap_or(Date::MAX);
        let tomorrow = date.tomorrow().unwrap_or(Date::MAX);
        let next_month = date.last_of_month().tomorrow().unwrap_or(Date::MAX);
        let day = date.to_string();
        let month = day.get(..7).unwrap_or_default();
        Periods {
            names: [
                format!("day:{day}"),
                format!("week:{}-W{:02}", week.year(), week.week()),
                format!("month:{month}"),
                "total".to_owned(),
            ],
            ends: [tomorrow, next_week, next_month].map(|date| self.start_of(date)),
            begin: self.start_of(date),
            day,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn periods_are_those_of_the_owners_zone() {
        let table = [
            (
                "UTC",
                "2026-11-28T23:30:00Z",
                "2026-11-28",
                "2026-W48",
                "2026-11",
                "2026-11-29T00:00:00Z",
            ),
            (
                "Europe/Berlin",
                "2026-11-28T23:30:00Z",
                "2026-11-29",
                "2026-W48",
                "2026-11",
                "2026-11-29T23:00:00Z",
            ),
            (
                "Asia/Kolkata",
                "2026-12-31T18:30:00Z",
                "2027-01-01",
                "2026-W53",
                "2027-01",
                "2027-01-01T18:30:00Z",
            ),
            // A day of 23 hours.
            (
                "Europe/Berlin",
                "2026-03-29T10:00:00Z",
                "2026-03-29",
                "2026-W13",
                "2026-03",
                "2026-03-29T22:00:00Z",
            ),
        ];
        for (zone, moment, day, week, month, end) in table {
            let periods = Calendar::of_zone(zone).unwrap().at(at(moment));
            assert_eq!(periods.day, day, "{zone} {moment}");
            assert_eq!(periods.name(Per::Week), format!("week:{week}"));
            assert_eq!(periods.name(Per::Month), format!("month:{month}"));
            assert_eq!(periods.end(Per::Day), Some(at(end)), "{zone} {moment}");
            assert_eq!(periods.end(Per::Total), None);
        }
        assert!(Calendar::of_zone("Mars/Olympus").is_err());
    }

    #[test]
    fn weeks_end_before_monday_and_months_before_the_first() {
        let calendar = Calendar::of_zone("UTC").unwrap();
        for day in ["2026-11-23", "2026-11-26", "2026-11-29"] {
            let periods = calendar.at(at(&format!("{day}T12:00:00Z")));
            assert_eq!(
                periods.end(Per::Week),
                Some(at("2026-11-30T00:00:00Z")),
                "{day}"
            );
            assert_eq!(
                periods.end(Per::Month),
                Some(at("2026-12-01T00:00:00Z")),
                "{day}"
            );
        }
    }
}
