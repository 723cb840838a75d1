//! What the table says of models: which there are for a feature, and how much each makes.

use super::{Wanted, form, forms, names};
use crate::features::form::{Knob, Rule};
use crate::features::{Invalid, Kind};

/// How many pictures one request for a feature can give: the least and the most.
#[must_use]
pub fn counts(kind: Kind, model: &str) -> (u32, u32) {
    let model = names::upstream(model);
    let form = form(kind, model, &Wanted::default());
    let rule = match form {
        None => return (1, 10),
        Some(form) => form.field(Knob::Count).map(|field| field.rule),
    };
    match rule {
        Some(Rule::Whole(least, most)) => (
            u32::try_from(least).unwrap_or(1),
            u32::try_from(most).unwrap_or(1),
        ),
        _ => (1, 1),
    }
}

/// Whether the table knows this model for this feature.
#[must_use]
pub fn is_known(kind: Kind, model: &str) -> bool {
    form(kind, names::upstream(model), &Wanted::default()).is_some()
}

/// Models of the table that take a mask.
pub(super) fn masked() -> Vec<&'static str> {
    models(Kind::ImageInpainter)
}

/// The models that the table has for a feature by their whole names.
#[must_use]
pub fn models(kind: Kind) -> Vec<&'static str> {
    let forms = forms().filter(|form| form.kind == kind);
    let names = forms.flat_map(|form| form.models).copied();
    names.filter(|name| !name.contains(['*', '<'])).collect()
}

/// A picture that a model does not look at would be paid for in vain.
pub(super) fn too_many(kind: Kind, model: &str, most: usize) -> Invalid {
    let others = forms().filter(|form| {
        let more = [Knob::References, Knob::SecondReference];
        form.kind == kind && more.iter().any(|knob| form.field(*knob).is_some())
    });
    let others: Vec<&str> = others
        .flat_map(|form| form.models)
        .copied()
        .filter(|name| !name.contains('*'))
        .collect();
    let number = ["one picture", "two pictures", "three pictures"];
    let most = number.get(most).unwrap_or(&"three pictures");
    let mut message = format!("{model} takes {most}");
    if !others.is_empty() {
        message = format!("{message}; these take three: {}", others.join(", "));
    }
    Invalid::new("image", message)
}
