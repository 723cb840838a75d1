//! Fields that several families share.

use crate::features::spec::{Field, Param, Rule};

/// A prompt whose length upstream does not bound in its documents.
pub(super) const PROMPT: Field = Field::new("prompt", Rule::Text(usize::MAX))
    .param(Param::Prompt)
    .required();

/// The image to start from.
pub(super) const IMAGE: Field = Field::new("imageUrl", Rule::File)
    .param(Param::Image)
    .required();

/// Where to change it; upstream does not document which colour is changed.
pub(super) const MASK: Field = Field::new("maskUrl", Rule::File)
    .param(Param::Mask)
    .required();

/// A seed as vendors of diffusion models take it.
pub(super) const SEED: Field = Field::new("seed", Rule::Whole(0, 4_294_967_295)).param(Param::Seed);

/// Other names of formats.
pub(super) const JPEG: &[(&str, &str)] = &[("jpg", "jpeg")];
pub(super) const JPG: &[(&str, &str)] = &[("jpeg", "jpg")];

/// Ratios that models of this kind take. Where upstream documents no list, this one is assumed.
pub(super) const RATIOS: &[&str] = &[
    "1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21",
];
