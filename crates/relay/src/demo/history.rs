//! Two weeks of use for the demonstration: several keys, models and habits, the same at each start
//! but for the date.

use onemin::prices::{self, ChatPrice};
use serde_json::Value;

use crate::ledger::row::{CostSource, LedgerRow};

const HOUR: i64 = 60 * 60 * 1000;
const DAY: i64 = 24 * HOUR;
const DAYS: i64 = 14;

/// Who asks, for what, and how often.
struct Habit {
    /// The place of the key in the demonstration's keys.
    key: usize,
    api: &'static str,
    model: &'static str,
    /// Requests on a weekday.
    a_day: u64,
    /// The hours of the day in which they are made.
    hours: (i64, i64),
    /// The usual sizes of prompts and answers, in tokens.
    tokens: (u64, u64),
    streamed: bool,
}

const HABITS: [Habit; 9] = [
    Habit {
        key: 0,
        api: "chat.completions",
        model: "gpt-4o-mini",
        a_day: 14,
        hours: (7, 22),
        tokens: (900, 260),
        streamed: true,
    },
    Habit {
        key: 0,
        api: "images.generations",
        model: "gpt-image-1-mini",
        a_day: 2,
        hours: (16, 21),
        tokens: (0, 0),
        streamed: false,
    },
    Habit {
        key: 1,
        api: "messages",
        model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        a_day: 8,
        hours: (9, 18),
        tokens: (2_400, 350),
        streamed: true,
    },
    Habit {
        key: 1,
        api: "responses",
        model: "gpt-5",
        a_day: 5,
        hours: (9, 19),
        tokens: (1_800, 500),
        streamed: true,
    },
    Habit {
        key: 2,
        api: "chat.completions",
        model: "gpt-4o-mini",
        a_day: 31,
        hours: (6, 23),
        tokens: (1_400, 60),
        streamed: false,
    },
    Habit {
        key: 2,
        api: "audio.speech",
        model: "tts-1",
        a_day: 6,
        hours: (7, 22),
        tokens: (0, 0),
        streamed: false,
    },
    Habit {
        key: 3,
        api: "chat.completions",
        model: "gemini-2.5-flash",
        a_day: 12,
        hours: (13, 21),
        tokens: (2_100, 480),
        streamed: true,
    },
    Habit {
        key: 3,
        api: "chat.completions",
        model: "deepseek-chat",
        a_day: 8,
        hours: (13, 21),
        tokens: (3_200, 900),
        streamed: true,
    },
    Habit {
        key: 3,
        api: "chat.completions",
        model: "sonar",
        a_day: 3,
        hours: (13, 21),
        tokens: (700, 520),
        streamed: true,
    },
];

/// The rows of the two weeks before a moment, oldest first, for keys of these ids and one account.
#[must_use]
pub(super) fn rows(now: i64, keys: &[String], account: &str) -> Vec<LedgerRow> {
    let mut numbers = Numbers(0x2026_1128);
    let mut rows = Vec::new();
    let today = now - now.rem_euclid(DAY);
    for day in 0..=DAYS {
        let begin = today - (DAYS - day) * DAY;
        for habit in &HABITS {
            // Some days are busier than others, weekends are quiet.
            let is_weekend = matches!((begin / DAY).rem_euclid(7), 2 | 3);
            let usual = if is_weekend {
                habit.a_day / 2
            } else {
                habit.a_day
            };
            for _ in 0..usual + numbers.below(usual / 2 + 1) {
                let length = habit.hours.1 - habit.hours.0;
                let at = begin + habit.hours.0 * HOUR + numbers.time(length * HOUR);
                let key = keys.get(habit.key).map_or("", String::as_str);
                let row = row(&mut numbers, habit, at, key, account);
                if at < now {
                    rows.push(row);
                }
            }
        }
    }
    rows.sort_by_key(|row| row.at);
    rows
}

fn row(numbers: &mut Numbers, habit: &Habit, at: i64, key: &str, account: &str) -> LedgerRow {
    let vary = |numbers: &mut Numbers, usual: u64| usual / 3 + numbers.below(usual * 4 / 3 + 1);
    let answered = LedgerRow {
        id: format!("demo-{:016x}", numbers.next()),
        at,
        key_id: key.to_owned(),
        account: account.to_owned(),
        api: habit.api.to_owned(),
        model: habit.model.to_owned(),
        streamed: habit.streamed,
        outcome: "answered".to_owned(),
        status: 200,
        input_tokens: vary(numbers, habit.tokens.0),
        output_tokens: vary(numbers, habit.tokens.1),
        calls: 1,
        ms: 600 + numbers.time(9_000),
        first_byte_ms: Some(300 + numbers.time(300)),
        ..LedgerRow::default()
    };
    let (credits, source) = cost(numbers, &answered);
    let tokens_by = if answered.input_tokens > 0 {
        "reported"
    } else {
        ""
    };
    let answered = LedgerRow {
        credits,
        source,
        tokens_by: tokens_by.to_owned(),
        ..answered
    };
    match numbers.below(60) {
        0 => unanswered(answered, "failed:unavailable", 503),
        1 => unanswered(answered, "refused:rate_limited", 429),
        2 if habit.streamed => LedgerRow {
            outcome: "left".to_owned(),
            source: CostSource::Estimated,
            ..answered
        },
        _ => answered,
    }
}

fn unanswered(row: LedgerRow, outcome: &str, status: u16) -> LedgerRow {
    LedgerRow {
        outcome: outcome.to_owned(),
        status,
        credits: 0,
        source: CostSource::None,
        input_tokens: 0,
        output_tokens: 0,
        tokens_by: String::new(),
        ..row
    }
}

/// What 1min.ai charges, by its own prices.
fn cost(numbers: &mut Numbers, row: &LedgerRow) -> (i64, CostSource) {
    let chat = prices::builtin("UNIFY_CHAT_WITH_AI", &row.model);
    let by_token = chat.and_then(|(_, metadata)| ChatPrice::of(metadata));
    let (thousandths, source) = match by_token {
        Some(price) => (
            price.cost(row.input_tokens, row.output_tokens),
            CostSource::Reported,
        ),
        None => (media_cost(numbers, &row.model), CostSource::Inferred),
    };
    (i64::try_from(thousandths).unwrap_or(i64::MAX), source)
}

fn media_cost(numbers: &mut Numbers, model: &str) -> u64 {
    let (feature, units) = match model {
        "tts-1" => ("TEXT_TO_SPEECH", 40 + numbers.below(160)),
        _ => ("IMAGE_GENERATOR", 1),
    };
    let listed = prices::listed(None::<&Value>, feature, model);
    let prices = listed.map(|(_, prices)| prices).unwrap_or_default();
    let which = numbers
        .below(prices.len().try_into().unwrap_or(1))
        .try_into()
        .unwrap_or(0);
    prices
        .get::<usize>(which)
        .map_or(0, |(_, price)| price * units)
}

/// Numbers that look random and are the same each time (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn time(&mut self, bound: i64) -> i64 {
        let bound = u64::try_from(bound).unwrap_or(1);
        i64::try_from(self.below(bound)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_weeks_of_several_keys_and_models_with_some_failures() {
        let keys: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).into();
        let now = 1_795_000_000_000;
        let rows = rows(now, &keys, "demo");
        assert!((800..3000).contains(&rows.len()), "{}", rows.len());
        for habit in &HABITS {
            let own = rows.iter().filter(|row| row.model == habit.model);
            assert!(
                own.map(|row| row.credits).sum::<i64>() > 0,
                "{}",
                habit.model
            );
        }
        assert!(
            rows.iter()
                .all(|row| row.at < now && row.at > now - 16 * DAY)
        );
        assert!(rows.is_sorted_by_key(|row| row.at));
        for key in &keys {
            let own = rows.iter().filter(|row| row.key_id == *key);
            assert!(own.map(|row| row.credits).sum::<i64>() > 0, "{key}");
        }
        let failed = rows.iter().filter(|row| row.is_failed()).count();
        assert!(failed > 0 && failed * 10 < rows.len());
        let mut ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), rows.len());
        assert_eq!(rows, super::rows(now, &keys, "demo"));
    }
}
