//! Which fields a feature takes of a model, as a table, and filling them in.
//!
//! A form is one row of the table: a feature, its models, their fields. Who asks turns knobs that
//! mean the same for every model; a form says which field a knob is at this model and what it may
//! be. What a form does not know is not sent in silence: it is named in `ignored`, or refused.

mod knob;
mod page;
mod rule;

use serde_json::{Map, Value};

pub use knob::Knob;
pub use page::markdown;
pub(crate) use rule::size;
pub use rule::{Pixels, Rule};

use super::{Invalid, Kind, Payload};

/// The fields of one feature at some models.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// The feature.
    pub kind: Kind,
    /// The models: ids, or beginnings of ids that end in `*`, or `<uuid>` for any UUID.
    pub models: &'static [&'static str],
    /// The form is for requests whose field of this name has one of these values.
    pub only_for: Option<(&'static str, &'static [&'static str])>,
    /// The fields, in the order in which they are sent.
    pub fields: &'static [Field],
    /// Fields of which the first, where it is given, takes the place of the second.
    pub instead: &'static [(&'static str, &'static str)],
    /// Whether there may be more fields than are known; others are then sent as they come.
    pub is_open: bool,
    /// What is known beyond the fields, and what is not known for certain.
    pub note: &'static str,
}

/// One field.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Upstream's name.
    pub name: &'static str,
    /// The knob that turns it.
    pub knob: Option<Knob>,
    /// What it may be.
    pub rule: Rule,
    /// What is sent if nothing was asked for.
    pub default: Option<Literal>,
    /// Whether upstream refuses a request without it.
    pub is_required: bool,
    /// Other people's words for its values.
    pub synonyms: &'static [(&'static str, &'static str)],
}

/// A value in the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Literal {
    /// A text.
    Text(&'static str),
    /// A whole number.
    Whole(i64),
    /// A number with a fraction.
    Number(f64),
    /// Yes or no.
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
    /// A field that no knob turns and that is not sent by itself.
    #[must_use]
    pub const fn new(name: &'static str, rule: Rule) -> Self {
        Self {
            name,
            knob: None,
            rule,
            default: None,
            is_required: false,
            synonyms: &[],
        }
    }

    /// Turned by a knob.
    #[must_use]
    pub const fn knob(mut self, knob: Knob) -> Self {
        self.knob = Some(knob);
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

    /// As [`Field::or`], with yes or no.
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

    /// The value that a wish comes down to; None if it leaves the choice to the model.
    fn wished(&self, wish: &Value) -> Result<Option<Value>, String> {
        let synonym = wish.as_str().and_then(|word| {
            let found = self
                .synonyms
                .iter()
                .find(|(from, _)| from.eq_ignore_ascii_case(word));
            found.map(|(_, to)| Value::from(*to))
        });
        let checked = self.rule.check(synonym.as_ref().unwrap_or(wish));
        match checked {
            Err(_) if wish == "auto" => Ok(None),
            checked => checked.map(Some),
        }
    }
}

impl Form {
    /// The form of a feature at these models, with these fields.
    #[must_use]
    pub const fn new(
        kind: Kind,
        models: &'static [&'static str],
        fields: &'static [Field],
    ) -> Self {
        Self {
            kind,
            models,
            only_for: None,
            fields,
            instead: &[],
            is_open: false,
            note: "",
        }
    }

    /// Only for requests whose field has one of these values.
    #[must_use]
    pub const fn only_for(mut self, field: &'static str, values: &'static [&'static str]) -> Self {
        self.only_for = Some((field, values));
        self
    }

    /// With fields that take the place of others.
    #[must_use]
    pub const fn instead(mut self, pairs: &'static [(&'static str, &'static str)]) -> Self {
        self.instead = pairs;
        self
    }

    /// There may be more fields than are known.
    #[must_use]
    pub const fn open(mut self) -> Self {
        self.is_open = true;
        self
    }

    /// With a remark.
    #[must_use]
    pub const fn note(mut self, note: &'static str) -> Self {
        self.note = note;
        self
    }

    /// The field that a knob turns.
    #[must_use]
    pub fn field(&self, knob: Knob) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.knob == Some(knob))
    }

    /// Whether the form is for this model and these fields.
    #[must_use]
    pub fn is_for(&self, kind: Kind, model: &str, fields: &Map<String, Value>) -> bool {
        let fits = |(name, values): (&str, &[&str])| {
            let value = fields.get(name).and_then(Value::as_str);
            value.is_some_and(|value| values.iter().any(|of| of.eq_ignore_ascii_case(value)))
        };
        self.kind == kind
            && self.models.iter().any(|pattern| is_model(pattern, model))
            && self.only_for.is_none_or(fits)
    }

    /// Fills the form in.
    ///
    /// # Errors
    /// The first wish that this model cannot meet, or what is missing.
    pub fn fill(
        &self,
        model: &str,
        wishes: &[(Knob, Value)],
        extra: &Map<String, Value>,
    ) -> Result<Payload, Invalid> {
        let mut fields = Map::new();
        for field in self.fields {
            if let Some(value) = filled(field, model, wishes, extra)? {
                fields.insert(field.name.to_owned(), value);
            }
        }
        for (first, second) in self.instead {
            if extra.get(*first).is_some_and(|value| !value.is_null()) {
                fields.remove(*second);
            }
        }
        let mut payload = Payload::new(self.kind, model, fields);
        // Who leaves the choice to the model misses nothing.
        let unmet = wishes
            .iter()
            .filter(|(knob, wish)| self.field(*knob).is_none() && wish != "auto");
        payload.ignored = unmet.map(|(knob, _)| knob.name().to_owned()).collect();
        payload.ignored.dedup();
        for (name, value) in extra {
            if self.fields.iter().any(|field| field.name == name) {
                continue;
            }
            if self.is_open && !value.is_null() {
                payload.prompt_object.insert(name.clone(), value.clone());
            } else {
                payload.ignored.push(name.clone());
            }
        }
        Ok(payload)
    }
}

fn filled(
    field: &Field,
    model: &str,
    wishes: &[(Knob, Value)],
    extra: &Map<String, Value>,
) -> Result<Option<Value>, Invalid> {
    let explain = |name: &str, allowed: String| {
        Invalid::new(name, format!("{model} takes {allowed} as {name}"))
    };
    if let Some(value) = extra.get(field.name).filter(|value| !value.is_null()) {
        let checked = field.rule.check(value);
        return checked
            .map(Some)
            .map_err(|allowed| explain(field.name, allowed));
    }
    let name = field.knob.map_or(field.name, Knob::name);
    let wish = wishes.iter().find(|(knob, _)| Some(*knob) == field.knob);
    let met = match wish {
        Some((_, wish)) => field
            .wished(wish)
            .map_err(|allowed| explain(name, allowed))?,
        None => None,
    };
    let value = met.or_else(|| field.default.map(Literal::value));
    if value.is_none() && field.is_required {
        let allowed = field.rule.allowed();
        return Err(Invalid::new(
            name,
            format!("{model} needs {name}: {allowed}"),
        ));
    }
    Ok(value)
}

/// The form of a table for a request. Rows that are only for some values stand before others.
#[must_use]
pub fn find<'f>(
    forms: impl IntoIterator<Item = &'f Form>,
    kind: Kind,
    model: &str,
    fields: &Map<String, Value>,
) -> Option<&'f Form> {
    forms
        .into_iter()
        .find(|form| form.is_for(kind, model, fields))
}

fn is_model(pattern: &str, model: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => model.starts_with(beginning),
        None if pattern == "<uuid>" => is_uuid(model),
        None => model == pattern,
    }
}

fn is_uuid(model: &str) -> bool {
    let lengths = model.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12])
        && model
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

#[cfg(test)]
mod tests;
