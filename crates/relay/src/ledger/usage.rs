//! What was used, by time and by key, model, account or endpoint. Credits are thousandths, times
//! milliseconds since 1970.

use super::period::Calendar;
use super::row::RowKind;
use crate::clock;
use crate::store::StoreError;
use crate::store::database::{Database, Param, Row};

/// The last time that is told by its date, in milliseconds since 1970: the year 9999 begins.
const FAR: i64 = 253_370_764_800_000;

/// The longest time that may be summed by hours, in days.
const HOURS_MAX: i64 = 92;

const DAY: i64 = 24 * 60 * 60 * 1000;

/// The most groups of an answer.
const GROUPS_MAX: usize = 20_000;

/// By what use is summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Each hour, in UTC.
    Hour,
    /// Each day of the operator's time zone.
    Day,
    /// Each month.
    Month,
    /// Each access key.
    Key,
    /// Each model.
    Model,
    /// Each endpoint.
    Api,
    /// Each account.
    Account,
    /// How requests ended.
    End,
    /// Requests, and what was spent outside.
    Kind,
}

impl By {
    const ALL: [(&'static str, Self); 9] = [
        ("hour", Self::Hour),
        ("day", Self::Day),
        ("month", Self::Month),
        ("key", Self::Key),
        ("model", Self::Model),
        ("api", Self::Api),
        ("account", Self::Account),
        ("end", Self::End),
        ("kind", Self::Kind),
    ];

    /// Its word in queries and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, by)| *by == self);
        found.map_or("", |(word, _)| word)
    }

    fn of_word(word: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == word.trim());
        found.map(|(_, by)| *by)
    }

    fn is_time(self) -> bool {
        matches!(self, Self::Hour | Self::Day | Self::Month)
    }

    /// The expression that tells groups apart: a number needs no sorting where the table is in its order.
    fn grouping(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            _ => self.column(),
        }
    }

    /// The expression that gives its text.
    fn column(self) -> &'static str {
        match self {
            Self::Hour => "CAST(hour AS TEXT)",
            Self::Day => "day",
            Self::Month => "substr(day, 1, 7)",
            Self::Key => "key_id",
            Self::Model => "model",
            Self::Api => "api",
            Self::Account => "account",
            Self::End => "outcome",
            Self::Kind => "kind",
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageQuery {
    /// From when.
    pub from: i64,
    /// Until when, not included.
    pub to: i64,
    /// By what; nothing is one sum.
    pub by: Vec<By>,
    /// Only this access key; none for all.
    pub key_id: Option<String>,
    /// Only this model.
    pub model: Option<String>,
    /// Whether what was spent outside of the relay is told, too.
    pub outside: bool,
}

/// A sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageGroup {
    /// What it is of, in the order of the query's `by`.
    pub values: Vec<String>,
    /// Requests.
    pub requests: i64,
    /// Those that were not answered.
    pub failed: i64,
    /// Tokens read.
    pub input_tokens: i64,
    /// Tokens written.
    pub output_tokens: i64,
    /// What it cost.
    pub credits: i64,
}

/// A time as queries have it: a date or a month of the operator's time zone, RFC 3339, or seconds or
/// milliseconds since 1970.
///
/// # Errors
/// It is none of them.
pub fn time(calendar: &Calendar, text: &str) -> Result<i64, String> {
    /// Numbers below are seconds: in milliseconds it is March 1973.
    const SECONDS_BELOW: i64 = 100_000_000_000;
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return Ok(if number.abs() < SECONDS_BELOW {
            number * 1000
        } else {
            number
        });
    }
    let date = text.parse::<jiff::civil::Date>();
    let date = date.or_else(|_| format!("{text}-01").parse());
    if let (Ok(date), true) = (date, text.len() <= 10) {
        return Ok(calendar.start_of(date));
    }
    let moment = text.parse::<jiff::Timestamp>();
    moment.map(jiff::Timestamp::as_millisecond).map_err(|_| {
        "must be a date such as 2026-11-28, an RFC 3339 time, or seconds since 1970".to_owned()
    })
}

/// From and to, 30 days until now where they are not given. A `to` that is a date includes it.
///
/// # Errors
/// A time that cannot be read, with the name of its parameter.
pub fn range(
    calendar: &Calendar,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<(i64, i64), (&'static str, String)> {
    let now = clock::now_ms();
    let to = match to {
        Some(text) => {
            let at = time(calendar, text).map_err(|error| ("to", error))?;
            let date = text.trim().parse::<jiff::civil::Date>();
            match date {
                Ok(date) if text.trim().len() == 10 => {
                    calendar.start_of(date.tomorrow().unwrap_or(date))
                }
                _ => at,
            }
        }
        None => now + 1,
    };
    let from = match from {
        Some(text) => time(calendar, text).map_err(|error| ("from", error))?,
        None => calendar.start_of(calendar.date(to.min(now) - 29 * DAY)),
    };
    if from >= to {
        return Err(("from", "must be earlier than `to`".to_owned()));
    }
    Ok((from, to))
}

/// The words of `by`.
///
/// # Errors
/// A word that is none of them.
pub fn by(text: &str) -> Result<Vec<By>, String> {
    let words = text.split(',').filter(|word| !word.trim().is_empty());
    let mut by = Vec::new();
    for word in words {
        let of = By::of_word(word).ok_or_else(|| {
            let known: Vec<&str> = By::ALL.iter().map(|(word, _)| *word).collect();
            format!("must be some of {}", known.join(", "))
        })?;
        if !by.contains(&of) {
            by.push(of);
        }
    }
    Ok(by)
}

/// Sums what was used. Days are whole: a time within a day means the day, unless hours are asked
/// for.
///
/// # Errors
/// [`StoreError`].
pub async fn summed(
    database: &Database,
    calendar: &Calendar,
    query: &UsageQuery,
) -> Result<Vec<UsageGroup>, StoreError> {
    let by_hours = query.by.contains(&By::Hour);
    let mut params: Vec<Param> = Vec::new();
    let mut conditions = Vec::new();
    let mut when = |condition: &str, value: Param, params: &mut Vec<Param>| {
        params.push(value);
        conditions.push(format!("{condition} ${}", params.len()));
    };
    let table = if by_hours {
        let from = query.from.max(query.to - HOURS_MAX * DAY);
        when(
            "hour >=",
            (from - from.rem_euclid(DAY / 24)).into(),
            &mut params,
        );
        when("hour <", query.to.into(), &mut params);
        "usage_hours"
    } else {
        let day = |at: i64| calendar.date(at.clamp(0, FAR)).to_string();
        when("day >=", day(query.from).into(), &mut params);
        when("day <=", day(query.to - 1).into(), &mut params);
        "usage_days"
    };
    if let Some(key_id) = &query.key_id {
        when("key_id =", key_id.as_str().into(), &mut params);
    }
    if let Some(model) = &query.model {
        when("model =", model.as_str().into(), &mut params);
    }
    if !query.outside {
        when("kind =", RowKind::Request.as_str().into(), &mut params);
    }
    let selected: String = query.by.iter().flat_map(|by| [by.column(), ", "]).collect();
    let grouped = if query.by.is_empty() {
        String::new()
    } else {
        let groups: Vec<&str> = query.by.iter().map(|by| by.grouping()).collect();
        let groups = groups.join(", ");
        let order = if query.by.iter().any(|by| by.is_time()) {
            &groups
        } else {
            "SUM(credits) DESC"
        };
        format!("GROUP BY {groups} ORDER BY {order}")
    };
    let sums = [
        "requests",
        "failed",
        "input_tokens",
        "output_tokens",
        "credits",
    ]
    .map(|sum| format!("CAST(SUM({sum}) AS BIGINT)"))
    .join(", ");
    let conditions = conditions.join(" AND ");
    let sql = format!(
        "SELECT {selected}{sums} FROM {table} WHERE {conditions} {grouped} LIMIT {GROUPS_MAX}"
    );
    let rows = database.rows(sql, params).await?;
    rows.iter().map(|row| group(row, &query.by)).collect()
}

fn group(row: &Row, by: &[By]) -> Result<UsageGroup, StoreError> {
    let mut values = Vec::new();
    for (column, by) in by.iter().enumerate() {
        let text = row.text(column)?;
        values.push(match by {
            By::Hour => hour(&text),
            _ => text,
        });
    }
    let number = |column: usize| row.integer(by.len() + column);
    Ok(UsageGroup {
        values,
        requests: number(0)?,
        failed: number(1)?,
        input_tokens: number(2)?,
        output_tokens: number(3)?,
        credits: number(4)?,
    })
}

/// An hour as RFC 3339 has it.
fn hour(milliseconds: &str) -> String {
    milliseconds.parse().map(moment).unwrap_or_default()
}

/// A time as RFC 3339 has it.
#[must_use]
pub fn moment(milliseconds: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(milliseconds);
    at.map(|at| at.to_string()).unwrap_or_default()
}

/// Credits with their fraction.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "2^52 thousandths are four billion credits"
)]
pub fn credits(thousandths: i64) -> f64 {
    thousandths as f64 / 1000.0
}

/// A cell of a CSV file as spreadsheets may read it: what they would take for a formula is text.
#[must_use]
pub fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_and_programs_write_them() {
        let calendar = Calendar::of_zone("Europe/Berlin").unwrap();
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let midnight = at("2026-11-27T23:00:00Z");
        for (text, expected) in [
            ("2026-11-28", midnight),
            ("2026-11", at("2026-10-31T23:00:00Z")),
            ("2026-11-27T23:00:00Z", midnight),
            ("2026-11-28T00:00:00+01:00", midnight),
            (&(midnight / 1000).to_string(), midnight),
            (&midnight.to_string(), midnight),
        ] {
            assert_eq!(time(&calendar, text), Ok(expected), "{text}");
        }
        assert!(time(&calendar, "yesterday").is_err());
        let whole_day = range(&calendar, Some("2026-11-28"), Some("2026-11-28")).unwrap();
        assert_eq!(whole_day, (midnight, midnight + DAY));
        assert_eq!(
            range(&calendar, Some("2026-11-28"), Some("2026-11-27"))
                .unwrap_err()
                .0,
            "from"
        );
    }

    #[test]
    fn spreadsheets_find_no_formula() {
        for text in ["=1+1", "+1", "-1", "@sum", "\tx"] {
            assert_eq!(cell(text), format!("'{text}"));
        }
        assert_eq!(cell("a=b"), "a=b");
    }

    #[test]
    fn what_use_is_summed_by_is_read_from_words() {
        assert_eq!(by("day, model").unwrap(), [By::Day, By::Model]);
        assert_eq!(by("").unwrap(), []);
        assert!(by("day,colour").unwrap_err().contains("month"));
    }
}
