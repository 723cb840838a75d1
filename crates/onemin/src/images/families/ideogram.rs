//! Ideogram.

use super::fields::PROMPT;
use crate::features::Kind;
use crate::features::spec::{Field, ModelSpec, Param, Rule};

pub(super) static SPECS: &[ModelSpec] = &[ModelSpec::new(
    Kind::ImageGenerator,
    &["ideogram-3", "ideogram-*"],
    &[
        PROMPT,
        Field::new("num_images", Rule::Whole(1, 8))
            .param(Param::Count)
            .or_whole(1)
            .required(),
        Field::new(
            "rendering_speed",
            Rule::OneOf(&["FLASH", "TURBO", "DEFAULT", "QUALITY"]),
        )
        .param(Param::Quality)
        .also(&[
            ("low", "TURBO"),
            ("medium", "DEFAULT"),
            ("standard", "DEFAULT"),
            ("auto", "DEFAULT"),
            ("high", "QUALITY"),
            ("hd", "QUALITY"),
        ])
        .or_text("DEFAULT"),
        Field::new("transparent", Rule::Flag)
            .param(Param::Background)
            .also(&[("transparent", "true"), ("opaque", "false")]),
        Field::new(
            "aspect_ratio",
            Rule::OneOf(&[
                "1x1", "1x2", "1x3", "2x1", "2x3", "3x1", "3x2", "3x4", "4x3", "4x5", "5x4",
                "9x16", "10x16", "16x9", "16x10",
            ]),
        )
        .param(Param::AspectRatio)
        .or_text("1x1"),
        Field::new("resolution", Rule::Text(20)),
        Field::new("magic_prompt", Rule::OneOf(&["AUTO", "ON", "OFF"])).or_text("AUTO"),
        Field::new(
            "style_type",
            Rule::OneOf(&["AUTO", "GENERAL", "REALISTIC", "DESIGN", "FICTION"]),
        )
        .param(Param::Style)
        .or_text("AUTO"),
        Field::new("style_preset", Rule::Text(100)),
        Field::new("style_reference_images", Rule::Files(5)),
        Field::new("character_reference_images", Rule::Files(5)),
        Field::new("negative_prompt", Rule::Text(usize::MAX)).param(Param::NegativePrompt),
        Field::new("seed", Rule::Whole(0, 2_147_483_647)).param(Param::Seed),
    ],
)
.instead(&[
    ("resolution", "aspect_ratio"),
    ("style_preset", "style_reference_images"),
])
.note(
    "A ratio or a resolution, not both; a preset or images for the style, not both. \
         Of the ratios upstream documents the spelling and 1x1; the others, \
         `negative_prompt` and `seed` are the provider's.",
)];
