//! `x_relay`, our own field of a stream's end: what the answer cost and who counted.

use serde::Serialize;
use serde_json::Value;

use crate::reply::Usage;

/// What the answer cost. A stream's headers are sent before anybody knows.
#[derive(Debug, Serialize)]
pub struct Cost {
    #[serde(skip_serializing_if = "Option::is_none")]
    credits: Option<Value>,
    usage: &'static str,
}

impl From<Usage> for Cost {
    fn from(usage: Usage) -> Self {
        Self {
            credits: usage.credits.map(credits),
            usage: usage.source.as_str(),
        }
    }
}

/// Credits are whole numbers where upstream counts whole ones.
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked to be whole and small"
)]
fn credits(credits: f64) -> Value {
    if credits.fract() == 0.0 && credits.abs() < 9e15 {
        Value::from(credits as i64)
    } else {
        Value::from(credits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::UsageSource;

    #[test]
    fn whole_credits_are_whole_numbers() {
        for (credits, expected) in [
            (Some(3.0), r#"{"credits":3,"usage":"reported"}"#),
            (Some(0.5), r#"{"credits":0.5,"usage":"reported"}"#),
            (None, r#"{"usage":"reported"}"#),
        ] {
            let usage = Usage {
                credits,
                source: UsageSource::Reported,
                ..Usage::default()
            };
            let json = serde_json::to_string(&Cost::from(usage)).unwrap();
            assert_eq!(json, expected);
        }
    }
}
