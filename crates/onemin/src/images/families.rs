//! The table of picture models: one file for the models of one house.

mod dzine;
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

use crate::features::form::{Field, Form, Knob, Rule};

/// Every form, in the order in which they are looked through.
pub fn forms() -> impl Iterator<Item = &'static Form> {
    [
        openai::FORMS,
        flux::FORMS,
        google::FORMS,
        midjourney::FORMS,
        leonardo::FORMS,
        stability::FORMS,
        qwen::FORMS,
        recraft::FORMS,
        ideogram::FORMS,
        dzine::FORMS,
        others::FORMS,
    ]
    .into_iter()
    .flatten()
}

/// A prompt whose length upstream does not bound in its documents.
const PROMPT: Field = Field::new("prompt", Rule::Text(usize::MAX))
    .knob(Knob::Prompt)
    .required();

/// The picture to start from.
const IMAGE: Field = Field::new("imageUrl", Rule::File)
    .knob(Knob::Image)
    .required();

/// Where to change it.
const MASK: Field = Field::new("maskUrl", Rule::File)
    .knob(Knob::Mask)
    .required();

/// A seed as the houses of diffusion models take it.
const SEED: Field = Field::new("seed", Rule::Whole(0, 4_294_967_295)).knob(Knob::Seed);

/// Formats by the words of others.
const JPEG: &[(&str, &str)] = &[("jpg", "jpeg")];
const JPG: &[(&str, &str)] = &[("jpeg", "jpg")];

/// Ratios that models of this kind take. Where upstream documents no list, this one is assumed.
const RATIOS: &[&str] = &[
    "1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21",
];
