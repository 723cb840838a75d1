//! Which fields a feature takes at a model, as a table, and building a payload from it.
//!
//! A spec is one row of the table: a feature, its models, their fields. Callers set parameters that
//! mean the same for every model; a spec says which field a parameter is at this model and which
//! values it may have. A parameter that a model has no field for is never dropped in silence: it is
//! named in [`Payload::ignored`], or refused.

mod field;
pub mod markdown;
mod param;
mod rule;

use serde_json::{Map, Value};

pub use field::{Field, Literal};
pub use param::Param;
pub(crate) use rule::size;
pub use rule::{Pixels, Rule};

use super::kind::Kind;
use super::payload::{Invalid, Payload};

/// The fields of one feature at some models.
#[derive(Debug, Clone, Copy)]
pub struct ModelSpec {
    /// The feature.
    pub kind: Kind,
    /// The models: ids, or beginnings of ids that end in `*`, or `<uuid>` for any UUID.
    pub models: &'static [&'static str],
    /// The spec holds for requests whose field of this name has one of these values only.
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

impl ModelSpec {
    /// The spec of a feature at these models, with these fields.
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

    /// The field that a parameter sets.
    #[must_use]
    pub fn field(&self, param: Param) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.param == Some(param))
    }

    /// Whether the spec is for this model and these fields.
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

    /// Builds the payload.
    ///
    /// # Errors
    /// The first value that this model does not accept, or what is missing.
    pub fn fill(
        &self,
        model: &str,
        values: &[(Param, Value)],
        extra: &Map<String, Value>,
    ) -> Result<Payload, Invalid> {
        let mut fields = Map::new();
        for field in self.fields {
            if let Some(value) = field_value(field, model, values, extra)? {
                fields.insert(field.name.to_owned(), value);
            }
        }
        for (first, second) in self.instead {
            if extra.get(*first).is_some_and(|value| !value.is_null()) {
                fields.remove(*second);
            }
        }
        let mut payload = Payload::new(self.kind, model, fields);
        // `auto` leaves the choice to the model: nothing is lost.
        let unmet = values
            .iter()
            .filter(|(param, value)| self.field(*param).is_none() && value != "auto");
        payload.ignored = unmet.map(|(param, _)| param.name().to_owned()).collect();
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

fn field_value(
    field: &Field,
    model: &str,
    values: &[(Param, Value)],
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
    let name = field.param.map_or(field.name, Param::name);
    let requested = values.iter().find(|(param, _)| Some(*param) == field.param);
    let met = match requested {
        Some((_, requested)) => field
            .resolve(requested)
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

/// The row of a table for a request. Rows that are only for some values stand before others.
#[must_use]
pub fn find<'s>(
    specs: impl IntoIterator<Item = &'s ModelSpec>,
    kind: Kind,
    model: &str,
    fields: &Map<String, Value>,
) -> Option<&'s ModelSpec> {
    specs
        .into_iter()
        .find(|spec| spec.is_for(kind, model, fields))
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
