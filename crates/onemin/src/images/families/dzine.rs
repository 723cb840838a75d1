//! Dzine.

use super::fields::{IMAGE, JPG, PROMPT};
use crate::features::Kind;
use crate::features::spec::{Field, ModelSpec, Param, Pixels, Rule};

const STYLE: Field = Field::new("style_code", Rule::Text(200))
    .param(Param::Style)
    .required();

pub(super) static SPECS: &[ModelSpec] = &[
    ModelSpec::new(
        Kind::ImageGenerator,
        &["dzine"],
        &[
            PROMPT,
            STYLE,
            Field::new("style_base_model", Rule::Text(100)),
            Field::new("quality", Rule::OneOf(&["STANDARD"]))
                .param(Param::Quality)
                .also(&[("low", "STANDARD"), ("medium", "STANDARD")])
                .or_text("STANDARD"),
            Field::new("n", Rule::Whole(1, 4))
                .param(Param::Count)
                .or_whole(1),
            Field::new(
                "size",
                Rule::Size(Pixels {
                    multiple: 1,
                    side: (256, 2048),
                    area: (65_536, 4_194_304),
                    ratio: 4,
                }),
            )
            .param(Param::Size)
            .or_text("1024x1024"),
            Field::new("output_format", Rule::OneOf(&["webp", "jpg", "png"]))
                .param(Param::OutputFormat)
                .also(JPG)
                .or_text("webp"),
            Field::new("style_intensity", Rule::Number(0.0, 1.0)),
            Field::new("seed", Rule::Whole(0, 2_147_483_647)).param(Param::Seed),
            Field::new("face_match", Rule::Flag),
        ],
    )
    .open()
    .note(
        "Styles are asked for by the names that upstream lists (`GET /api/dzine/styles`); each \
         has its `style_code` and base model. \
         The bounds of `size` and `style_intensity`, and formats other than webp, are not \
         documented.",
    ),
    ModelSpec::new(Kind::ImageUpscaler, &["dzine"], &[IMAGE])
        .open()
        .note("In the list of March 2026; its fields are not documented."),
    ModelSpec::new(Kind::ImageVariator, &["dzine"], &[IMAGE])
        .open()
        .note("Takes fields of the generator; which is not documented."),
];
