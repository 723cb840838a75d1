//! Stability AI.

use super::fields::{IMAGE, JPEG, MASK, PROMPT, SEED};
use crate::features::Kind;
use crate::features::spec::{Field, ModelSpec, Param, Rule};

/// The ratios of the provider; upstream documents no list.
const RATIOS: &[&str] = &[
    "1:1", "16:9", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21",
];

const FORMATS: Rule = Rule::OneOf(&["png", "jpeg", "webp"]);

const FORMAT: Field = Field::new("output_format", FORMATS)
    .param(Param::OutputFormat)
    .also(JPEG)
    .or_text("png");

const NEGATIVE: Field =
    Field::new("negativePrompt", Rule::Text(10_000)).param(Param::NegativePrompt);

const SIDE: Rule = Rule::Whole(0, 2000);

const STABLE: &[&str] = &["stable-image"];

pub(super) static SPECS: &[ModelSpec] = &[
    ModelSpec::new(
        Kind::ImageGenerator,
        &["stable-diffusion-xl-1024-v1-0"],
        &[
            PROMPT,
            Field::new("samples", Rule::Whole(1, 10))
                .param(Param::Count)
                .or_whole(1),
            Field::new(
                "size",
                Rule::OneOf(&[
                    "1024x1024",
                    "1152x896",
                    "1216x832",
                    "1344x768",
                    "1536x640",
                    "640x1536",
                    "768x1344",
                    "832x1216",
                    "896x1152",
                ]),
            )
            .param(Param::Size)
            .or_text("1024x1024"),
            Field::new("cfg_scale", Rule::Number(0.0, 35.0))
                .param(Param::Guidance)
                .or_whole(7),
            Field::new("clip_guidance_preset", Rule::Text(100)),
            SEED,
            Field::new("steps", Rule::Whole(10, 50))
                .param(Param::Steps)
                .or_whole(30),
            Field::new("style_preset", Rule::Text(100)).param(Param::Style),
        ],
    )
    .note(
        "The bounds of `samples`, `cfg_scale` and `steps`, and `style_preset`, are the provider's.",
    ),
    ModelSpec::new(
        Kind::ImageGenerator,
        &["stable-diffusion-v1-6"],
        &[
            PROMPT,
            Field::new("samples", Rule::Whole(1, 10))
                .param(Param::Count)
                .or_whole(1),
            Field::new("width", Rule::Whole(320, 1536))
                .param(Param::Width)
                .or_whole(512),
            Field::new("height", Rule::Whole(320, 1536))
                .param(Param::Height)
                .or_whole(512),
            Field::new("cfg_scale", Rule::Number(0.0, 35.0)).param(Param::Guidance),
            Field::new("steps", Rule::Whole(10, 50)).param(Param::Steps),
            SEED,
        ],
    )
    .note("Documented in 2025 only; probably retired."),
    ModelSpec::new(
        Kind::ImageGenerator,
        STABLE,
        &[
            PROMPT,
            Field::new("stable_image_core_aspect_ratio", Rule::OneOf(RATIOS))
                .param(Param::AspectRatio)
                .or_text("1:1"),
            Field::new("stable_image_core_output_format", FORMATS)
                .param(Param::OutputFormat)
                .also(JPEG)
                .or_text("png"),
            NEGATIVE,
            Field::new("stable_image_core_seed", Rule::Whole(0, 4_294_967_294)).param(Param::Seed),
            Field::new("stable_image_core_style_preset", Rule::Text(100)).param(Param::Style),
        ],
    )
    .note("Stable Image Core."),
    ModelSpec::new(
        Kind::ImageGenerator,
        &["stable-image-ultra"],
        &[
            PROMPT,
            Field::new("aspect_ratio", Rule::OneOf(RATIOS))
                .param(Param::AspectRatio)
                .or_text("1:1"),
            FORMAT,
            NEGATIVE,
            SEED,
            Field::new("style_preset", Rule::Text(100)).param(Param::Style),
        ],
    ),
    ModelSpec::new(
        Kind::ImageEditor,
        &["stable-diffusion-xl-1024-v1-0"],
        &[
            IMAGE,
            PROMPT,
            Field::new("samples", Rule::Whole(1, 10))
                .param(Param::Count)
                .or_whole(1),
            Field::new("isMasked", Rule::Flag).or_flag(false),
            Field::new("cfg_scale", Rule::Number(0.0, 35.0)).param(Param::Guidance),
            Field::new("image_strength", Rule::Number(0.0, 1.0))
                .or(crate::features::spec::Literal::Number(0.35)),
            Field::new("step_schedule_start", Rule::Number(0.0, 1.0)),
            Field::new("steps", Rule::Whole(10, 50))
                .param(Param::Steps)
                .or_whole(30),
        ],
    )
    .note("An older page of 2025."),
    ModelSpec::new(Kind::ImageInpainter, STABLE, &[IMAGE, MASK, PROMPT, FORMAT])
        .note("Which colour of the mask is the one to change is not documented."),
    ModelSpec::new(Kind::ImageObjectRemover, STABLE, &[IMAGE, MASK, FORMAT]),
    ModelSpec::new(
        Kind::SearchAndReplace,
        STABLE,
        &[
            IMAGE,
            Field::new("search_prompt", Rule::Text(10_000)).required(),
            PROMPT,
            FORMAT,
        ],
    ),
    ModelSpec::new(Kind::BackgroundRemover, STABLE, &[IMAGE, FORMAT]),
    ModelSpec::new(Kind::ImageUpscaler, STABLE, &[IMAGE, FORMAT]),
    ModelSpec::new(
        Kind::ImageExtender,
        STABLE,
        &[
            IMAGE,
            Field::new("left", SIDE).or_whole(0),
            Field::new("right", SIDE).or_whole(0),
            Field::new("up", SIDE).or_whole(0),
            Field::new("down", SIDE).or_whole(0),
            FORMAT,
        ],
    )
    .note("Pixels to add on each side; the bound is the provider's."),
];
