//! What the table says of models: which there are for a feature, and how much each makes.

use serde_json::Map;

use super::aliases;
use super::families::{self, specs};
use crate::features::spec::{Param, Rule};
use crate::features::{Invalid, Kind};

/// How many images one request for a feature can give: the least and the most.
#[must_use]
pub fn counts(kind: Kind, model: &str) -> (u32, u32) {
    let model = aliases::current_id(model);
    let spec = families::find(kind, model, &Map::new());
    let rule = match spec {
        None => return (1, 10),
        Some(spec) => spec.field(Param::Count).map(|field| field.rule),
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
    families::find(kind, aliases::current_id(model), &Map::new()).is_some()
}

/// Models of the table that take a mask.
pub(super) fn mask_models() -> Vec<&'static str> {
    models(Kind::ImageInpainter)
}

/// The models that the table has for a feature by their whole names.
#[must_use]
pub fn models(kind: Kind) -> Vec<&'static str> {
    let specs = specs().filter(|spec| spec.kind == kind);
    let names = specs.flat_map(|spec| spec.models).copied();
    names.filter(|name| !name.contains(['*', '<'])).collect()
}

/// An image that a model does not look at would be paid for in vain.
pub(super) fn too_many(kind: Kind, model: &str, most: usize) -> Invalid {
    let others = specs().filter(|spec| {
        let more = [Param::References, Param::SecondReference];
        spec.kind == kind && more.iter().any(|param| spec.field(*param).is_some())
    });
    let others: Vec<&str> = others
        .flat_map(|spec| spec.models)
        .copied()
        .filter(|name| !name.contains('*'))
        .collect();
    let number = ["one image", "two images", "three images"];
    let most = number.get(most).unwrap_or(&"three images");
    let mut message = format!("{model} takes {most}");
    if !others.is_empty() {
        message = format!("{message}; these take three: {}", others.join(", "));
    }
    Invalid::new("image", message)
}
