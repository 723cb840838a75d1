//! One field of a model: its name, which parameter sets it, and what it may be.

use serde_json::Value;

use super::param::Param;
use super::rule::Rule;

/// One field.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Upstream's name.
    pub name: &'static str,
    /// The parameter that sets it.
    pub param: Option<Param>,
    /// What it may be.
    pub rule: Rule,
    /// What is sent if nothing was asked for.
    pub default: Option<Literal>,
    /// Whether upstream refuses a request without it.
    pub is_required: bool,
    /// Other vendors' words for its values, each with upstream's.
    pub synonyms: &'static [(&'static str, &'static str)],
}

/// A value in the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Literal {
    /// A string.
    Text(&'static str),
    /// A whole number.
    Whole(i64),
    /// A number with a fraction.
    Number(f64),
    /// True or false.
    Flag(bool),
}

impl Literal {
    /// The value as JSON.
    #[must_use]
    pub fn value(self) -> Value {
        match self {
            Self::Text(text) => text.into(),
            Self::Whole(number) => number.into(),
            Self::Number(number) => number.into(),
            Self::Flag(flag) => flag.into(),
        }
    }
}

impl Field {
    /// A field that no parameter sets and that is not sent unless asked for.
    #[must_use]
    pub const fn new(name: &'static str, rule: Rule) -> Self {
        Self {
            name,
            param: None,
            rule,
            default: None,
            is_required: false,
            synonyms: &[],
        }
    }

    /// Set by a parameter.
    #[must_use]
    pub const fn param(mut self, param: Param) -> Self {
        self.param = Some(param);
        self
    }

    /// Sent as this if nothing was asked for.
    #[must_use]
    pub const fn or(mut self, default: Literal) -> Self {
        self.default = Some(default);
        self
    }

    /// As [`Field::or`], with a text.
    #[must_use]
    pub const fn or_text(self, default: &'static str) -> Self {
        self.or(Literal::Text(default))
    }

    /// As [`Field::or`], with a whole number.
    #[must_use]
    pub const fn or_whole(self, default: i64) -> Self {
        self.or(Literal::Whole(default))
    }

    /// As [`Field::or`], with true or false.
    #[must_use]
    pub const fn or_flag(self, default: bool) -> Self {
        self.or(Literal::Flag(default))
    }

    /// Upstream refuses a request without it.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// Other words for its values.
    #[must_use]
    pub const fn also(mut self, synonyms: &'static [(&'static str, &'static str)]) -> Self {
        self.synonyms = synonyms;
        self
    }

    /// The value to send for a requested one; None if the request leaves the choice to the model.
    pub(super) fn resolve(&self, requested: &Value) -> Result<Option<Value>, String> {
        let word = match requested {
            Value::String(word) => Some(word.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let synonym = word.and_then(|word| {
            let mut known = self.synonyms.iter();
            let found = known.find(|(from, _)| from.eq_ignore_ascii_case(&word));
            found.map(|(_, to)| Value::from(*to))
        });
        let checked = self.rule.check(synonym.as_ref().unwrap_or(requested));
        match checked {
            Err(_) if requested == "auto" => Ok(None),
            checked => checked.map(Some),
        }
    }
}
