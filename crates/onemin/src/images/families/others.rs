//! Houses with one simple spec: xAI, Clipdrop, Bria, Qubico.

use super::fields::{IMAGE, MASK, PROMPT};
use crate::features::Kind;
use crate::features::spec::{Field, ModelSpec, Param, Rule};

pub(super) static SPECS: &[ModelSpec] = &[
    ModelSpec::new(
        Kind::ImageGenerator,
        &["grok-2-image-1212", "grok-imagine-image", "grok-*"],
        &[
            PROMPT,
            Field::new("n", Rule::Whole(1, 10))
                .param(Param::Count)
                .or_whole(1),
        ],
    )
    .open()
    .note(
        "xAI. Of grok-imagine-image nothing but `n` is known; the most that it gives is \
         the provider's.",
    ),
    ModelSpec::new(Kind::ImageVariator, &["clipdrop"], &[IMAGE]),
    ModelSpec::new(Kind::BackgroundReplacer, &["clipdrop"], &[IMAGE, PROMPT]),
    ModelSpec::new(Kind::TextRemover, &["clipdrop"], &[IMAGE]),
    ModelSpec::new(
        Kind::ImageObjectRemover,
        &["bria/eraser", "bria/*"],
        &[IMAGE, MASK],
    )
    .open()
    .note("In the list of March 2026; its fields are not documented."),
    ModelSpec::new(
        Kind::FaceSwapper,
        &["Qubico/image-toolkit"],
        &[
            Field::new("targetImageUrl", Rule::File)
                .param(Param::Image)
                .required(),
            Field::new("swapImageUrl", Rule::File)
                .param(Param::Reference)
                .required(),
            Field::new("output_format", Rule::Text(10)).param(Param::OutputFormat),
        ],
    ),
];
