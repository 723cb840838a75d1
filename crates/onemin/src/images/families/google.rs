//! Google: Gemini.

use super::fields::{IMAGE, PROMPT};
use crate::features::Kind;
use crate::features::spec::{Field, ModelSpec, Param, Rule};

const PRO_SIZE: Field = Field::new("imageSize", Rule::OneOf(&["1K", "2K", "4K"]))
    .param(Param::Resolution)
    .or_text("1K")
    .required();

const FLASH_SIZE: Field = Field::new("imageSize", Rule::OneOf(&["512", "1K", "2K", "4K"]))
    .param(Param::Resolution)
    .or_text("1K")
    .required();

const TEMPERATURE: Field = Field::new("temperature", Rule::Number(0.0, 2.0)).or_whole(1);

const TOP_P: Field =
    Field::new("topP", Rule::Number(0.0, 1.0)).or(crate::features::spec::Literal::Number(0.95));

const FIRST: Field = Field::new("referenceImage1", Rule::File).param(Param::Reference);

const SECOND: Field = Field::new("referenceImage2", Rule::File).param(Param::SecondReference);

pub(super) static SPECS: &[ModelSpec] = &[
    ModelSpec::new(
        Kind::ImageGenerator,
        &["gemini-2.5-flash-image", "gemini-2.5-flash-image*"],
        &[
            PROMPT,
            Field::new("n", Rule::Whole(1, 10))
                .param(Param::Count)
                .or_whole(1),
        ],
    )
    .note("How many images it gives at most is not documented."),
    ModelSpec::new(
        Kind::ImageGenerator,
        &["gemini-3-pro-image-preview", "gemini-3-pro-image*"],
        &[PROMPT, PRO_SIZE, TEMPERATURE, TOP_P],
    ),
    ModelSpec::new(
        Kind::ImageGenerator,
        &["gemini-3.1-flash-image-preview", "gemini-3.1-flash-image*"],
        &[
            PROMPT,
            FLASH_SIZE,
            Field::new(
                "aspectRatio",
                Rule::OneOf(&[
                    "1:1", "1:4", "1:8", "2:3", "3:2", "3:4", "4:1", "4:3", "4:5", "5:4", "8:1",
                    "9:16", "16:9", "21:9",
                ]),
            )
            .param(Param::AspectRatio),
            TEMPERATURE,
            TOP_P,
        ],
    ),
    ModelSpec::new(
        Kind::ImageEditor,
        &["gemini-2.5-flash-image-preview", "gemini-2.5-flash-image*"],
        &[IMAGE, PROMPT, FIRST, SECOND],
    ),
    ModelSpec::new(
        Kind::ImageEditor,
        &["gemini-3-pro-image-preview", "gemini-3-pro-image*"],
        &[IMAGE, PROMPT, FIRST, SECOND, PRO_SIZE, TEMPERATURE, TOP_P],
    ),
    ModelSpec::new(
        Kind::ImageEditor,
        &["gemini-3.1-flash-image-preview", "gemini-3.1-flash-image*"],
        &[IMAGE, PROMPT, FIRST, SECOND, FLASH_SIZE, TEMPERATURE, TOP_P],
    ),
];
