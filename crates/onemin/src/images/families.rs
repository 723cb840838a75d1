//! The table of image models: one file for the models of one vendor.

mod dzine;
mod fields;
mod flux;
mod google;
mod ideogram;
mod leonardo;
mod midjourney;
mod openai;
mod others;
mod qwen;
mod recraft;
mod stability;

use crate::features::Kind;
use crate::features::spec::{self, ModelSpec};
use serde_json::{Map, Value};

/// Every spec, in the order in which they are looked through.
pub fn specs() -> impl Iterator<Item = &'static ModelSpec> {
    [
        openai::SPECS,
        flux::SPECS,
        google::SPECS,
        midjourney::SPECS,
        leonardo::SPECS,
        stability::SPECS,
        qwen::SPECS,
        recraft::SPECS,
        ideogram::SPECS,
        dzine::SPECS,
        others::SPECS,
    ]
    .into_iter()
    .flatten()
}

/// The spec of a model for a feature; `extra` are fields by upstream's own names, on which some
/// specs depend.
pub(super) fn find(
    kind: Kind,
    model: &str,
    extra: &Map<String, Value>,
) -> Option<&'static ModelSpec> {
    spec::find(specs(), kind, model, extra)
}
