//! Changes of an access key as JSON has them: what is not given stays, `null` clears. `OpenRouter`'s
//! `limit` and `limit_reset` are one budget.

use serde_json::{Map, Value};
use translate::failure::Failure;

use crate::access::keys::{AccessKey, Budget, Use};
use crate::accounts::balance::milli;
use crate::ledger::period::Per;

const NAME_MAX: usize = 100;
const LIST_MAX: usize = 200;
const ENTRY_MAX: usize = 200;

/// The fields that can be set.
const FIELDS: [&str; 11] = [
    "name",
    "disabled",
    "expires_at",
    "models",
    "uses",
    "accounts",
    "rpm",
    "parallel",
    "budgets",
    "limit",
    "limit_reset",
];

/// What an entry tells besides: programs that change an entry send it back whole.
const READ_ONLY: [&str; 9] = [
    "hash",
    "label",
    "limit_remaining",
    "usage",
    "usage_daily",
    "usage_weekly",
    "usage_monthly",
    "created_at",
    "updated_at",
];

/// Fields of `OpenRouter`'s that bound nothing, and mean nothing here.
const OF_OPENROUTER: [&str; 7] = [
    "include_byok_in_limit",
    "byok_usage",
    "byok_usage_daily",
    "byok_usage_weekly",
    "byok_usage_monthly",
    "creator_user_id",
    "workspace_id",
];

/// Applies changes to a key.
///
/// # Errors
/// A failure that names the field.
pub fn apply(key: &mut AccessKey, changes: &Map<String, Value>) -> Result<(), Failure> {
    for (field, value) in changes {
        change(key, field, value, changes)
            .map_err(|message| Failure::invalid(field.as_str(), format!("`{field}` {message}.")))?;
    }
    Ok(())
}

fn change(
    key: &mut AccessKey,
    field: &str,
    value: &Value,
    changes: &Map<String, Value>,
) -> Result<(), String> {
    match field {
        "name" => key.name = name(value)?,
        "disabled" => key.disabled = flag(value)?,
        "expires_at" => key.expires = moment(value)?,
        "models" => key.models = texts(value)?,
        "accounts" => key.accounts = texts(value)?,
        "uses" => key.uses = uses(value)?,
        "rpm" => key.rpm = count(value)?,
        "parallel" => key.parallel = count(value)?,
        // `limit` says the same in other words; it counts where `budgets` says nothing.
        "budgets" if value.is_null() && is_given(changes, "limit") => {}
        "budgets" => key.budgets = budgets(value)?,
        "limit" | "limit_reset" if is_given(changes, "budgets") => {}
        "limit" => {
            let per = match (changes.get("limit_reset"), key.budgets.as_slice()) {
                (Some(reset), _) => per_of_reset(reset)?,
                (None, [budget]) => budget.per,
                (None, _) => Per::Total,
            };
            key.budgets = match value {
                Value::Null => Vec::new(),
                limit => vec![Budget {
                    per,
                    credits: credits(limit)?,
                }],
            };
        }
        "limit_reset" if changes.contains_key("limit") => {}
        "limit_reset" => match (key.budgets.as_mut_slice(), per_of_reset(value)?) {
            ([budget], per) => budget.per = per,
            ([], Per::Total) => {}
            _ => return Err("goes with `limit`".to_owned()),
        },
        field if READ_ONLY.contains(&field) || OF_OPENROUTER.contains(&field) => {}
        _ => {
            return Err(format!(
                "is not a field of an access key. Fields are {}",
                FIELDS.join(", ")
            ));
        }
    }
    Ok(())
}

fn is_given(changes: &Map<String, Value>, field: &str) -> bool {
    changes.get(field).is_some_and(|value| !value.is_null())
}

/// `OpenRouter`'s word for how often a limit begins anew.
#[must_use]
pub fn reset_of_per(per: Per) -> Option<&'static str> {
    match per {
        Per::Day => Some("daily"),
        Per::Week => Some("weekly"),
        Per::Month => Some("monthly"),
        Per::Total => None,
    }
}

fn per_of_reset(value: &Value) -> Result<Per, String> {
    if value.is_null() {
        return Ok(Per::Total);
    }
    let found = Per::ALL
        .into_iter()
        .find(|per| value.as_str() == reset_of_per(*per));
    found.ok_or_else(|| "goes with a `limit_reset` of daily, weekly, monthly or null".to_owned())
}

fn name(value: &Value) -> Result<String, String> {
    let name = value.as_str().unwrap_or_default().trim();
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(format!("must be a text of 1 to {NAME_MAX} characters"));
    }
    Ok(name.to_owned())
}

fn flag(value: &Value) -> Result<bool, String> {
    value
        .as_bool()
        .ok_or_else(|| "must be true or false".to_owned())
}

fn moment(value: &Value) -> Result<Option<i64>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let text = value.as_str().unwrap_or_default();
    let moment = text.parse::<jiff::Timestamp>();
    let moment = moment.map_err(|_| "must be a time such as 2027-01-31T00:00:00Z, or null")?;
    Ok(Some(moment.as_millisecond()))
}

fn count(value: &Value) -> Result<Option<u32>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    match number {
        Some(number) if number > 0 => Ok(Some(number)),
        _ => Err("must be a whole number of at least 1, or null".to_owned()),
    }
}

fn texts(value: &Value) -> Result<Vec<String>, String> {
    let wrong = || format!("must be a list of at most {LIST_MAX} names, or null");
    let list = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(list) if list.len() <= LIST_MAX => list,
        _ => return Err(wrong()),
    };
    let texts = list.iter().map(|entry| {
        let text = entry.as_str().map(str::trim);
        let text = text.filter(|text| !text.is_empty() && text.len() <= ENTRY_MAX);
        text.map(str::to_owned).ok_or_else(wrong)
    });
    texts.collect()
}

fn uses(value: &Value) -> Result<Vec<Use>, String> {
    let uses = texts(value)?.into_iter().map(|word| {
        Use::of_word(&word).ok_or_else(|| {
            let known: Vec<&str> = Use::ALL.iter().map(|of| of.as_str()).collect();
            format!("must be some of {}", known.join(", "))
        })
    });
    uses.collect()
}

fn budgets(value: &Value) -> Result<Vec<Budget>, String> {
    let wrong = "must be a list of `{\"per\": \"day\"|\"week\"|\"month\"|\"total\", \"credits\": N}`, each period once";
    let list = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(list) => list,
        _ => return Err(wrong.to_owned()),
    };
    let mut budgets: Vec<Budget> = Vec::new();
    for entry in list {
        let per = entry.get("per").and_then(Value::as_str);
        let per = per.and_then(Per::of_word).ok_or(wrong)?;
        if budgets.iter().any(|budget| budget.per == per) {
            return Err(wrong.to_owned());
        }
        let credits = credits(entry.get("credits").unwrap_or(&Value::Null))?;
        budgets.push(Budget { per, credits });
    }
    budgets.sort_by_key(|budget| budget.per);
    Ok(budgets)
}

fn credits(value: &Value) -> Result<i64, String> {
    let number = value.as_f64();
    let number = number.filter(|number| number.is_finite() && (0.0..1e15).contains(number));
    number
        .map(milli)
        .ok_or_else(|| "must be a number of credits, 0 or more".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn changed(changes: &Value) -> Result<AccessKey, Failure> {
        let mut key = AccessKey {
            name: "before".to_owned(),
            rpm: Some(5),
            ..AccessKey::default()
        };
        apply(&mut key, changes.as_object().unwrap()).map(|()| key)
    }

    #[test]
    fn what_is_not_given_stays_and_null_clears() {
        let key = changed(&json!({"models": ["gpt-*"], "uses": ["chat"], "rpm": null})).unwrap();
        assert_eq!((key.name.as_str(), key.rpm), ("before", None));
        assert_eq!(
            (key.models.as_slice(), key.uses.as_slice()),
            (&["gpt-*".to_owned()][..], &[Use::Chat][..])
        );
    }

    #[test]
    fn openrouters_limit_is_a_budget() {
        for (changes, expected) in [
            (json!({"limit": 5}), vec![(Per::Total, 5000)]),
            (
                json!({"limit": 5.5, "limit_reset": "monthly"}),
                vec![(Per::Month, 5500)],
            ),
            (json!({"limit": null}), vec![]),
            (
                json!({"budgets": null, "limit": 5}),
                vec![(Per::Total, 5000)],
            ),
            (
                json!({"limit": 5, "budgets": null}),
                vec![(Per::Total, 5000)],
            ),
            (json!({"limit_reset": null}), vec![]),
            (
                json!({"budgets": [{"per": "month", "credits": 9}, {"per": "day", "credits": 1}], "limit": 5}),
                vec![(Per::Day, 1000), (Per::Month, 9000)],
            ),
        ] {
            let budgets = changed(&changes).unwrap().budgets;
            let budgets: Vec<_> = budgets.iter().map(|b| (b.per, b.credits)).collect();
            assert_eq!(budgets, expected);
        }
    }

    #[test]
    fn a_limits_period_can_be_changed_alone_and_an_entry_sent_back() {
        let mut key = AccessKey::default();
        for (changes, expected) in [
            (
                json!({"limit": 5, "limit_reset": "daily"}),
                (Per::Day, 5000),
            ),
            (json!({"limit_reset": "weekly"}), (Per::Week, 5000)),
            (json!({"limit": 6}), (Per::Week, 6000)),
            (
                json!({"hash": "h", "label": "l", "usage": 1, "limit_remaining": 4, "limit": 7,
                       "limit_reset": "daily",
                       "budgets": [{"per": "month", "credits": 9, "used": 1, "held": 0}]}),
                (Per::Month, 9000),
            ),
        ] {
            apply(&mut key, changes.as_object().unwrap()).unwrap();
            let budgets: Vec<_> = key.budgets.iter().map(|b| (b.per, b.credits)).collect();
            assert_eq!(budgets, [expected], "{changes}");
        }
    }

    #[test]
    fn a_wrong_field_is_named() {
        for (changes, field) in [
            (json!({"name": ""}), "name"),
            (json!({"expires_at": "tomorrow"}), "expires_at"),
            (json!({"rpm": 0}), "rpm"),
            (json!({"uses": ["poetry"]}), "uses"),
            (json!({"models": "gpt-4o"}), "models"),
            (
                json!({"budgets": [{"per": "day", "credits": 1}, {"per": "day", "credits": 2}]}),
                "budgets",
            ),
            (json!({"limit": -1}), "limit"),
            (json!({"limit": 1, "limit_reset": "yearly"}), "limit"),
            (json!({"limit_reset": "yearly"}), "limit_reset"),
            (json!({"limit_reset": "monthly"}), "limit_reset"),
            (json!({"budget": [{"per": "day", "credits": 5}]}), "budget"),
            (json!({"model": ["gpt-4o"]}), "model"),
        ] {
            let refused = changed(&changes).unwrap_err();
            assert_eq!(refused.param.as_deref(), Some(field), "{changes}");
        }
    }
}
