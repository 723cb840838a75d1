//! Google: Gemini.

use super::{IMAGE, PROMPT};
use crate::features::Kind;
use crate::features::form::{Field, Form, Knob, Rule};

const PRO_SIZE: Field = Field::new("imageSize", Rule::OneOf(&["1K", "2K", "4K"]))
    .knob(Knob::Resolution)
    .or_text("1K")
    .required();

const FLASH_SIZE: Field = Field::new("imageSize", Rule::OneOf(&["512", "1K", "2K", "4K"]))
    .knob(Knob::Resolution)
    .or_text("1K")
    .required();

const TEMPERATURE: Field = Field::new("temperature", Rule::Number(0.0, 2.0)).or_whole(1);

const TOP_P: Field =
    Field::new("topP", Rule::Number(0.0, 1.0)).or(crate::features::form::Literal::Number(0.95));

const FIRST: Field = Field::new("referenceImage1", Rule::File).knob(Knob::Reference);

const SECOND: Field = Field::new("referenceImage2", Rule::File).knob(Knob::SecondReference);

pub(super) static FORMS: &[Form] = &[
    Form::new(
        Kind::ImageGenerator,
        &["gemini-2.5-flash-image", "gemini-2.5-flash-image*"],
        &[
            PROMPT,
            Field::new("n", Rule::Whole(1, 10))
                .knob(Knob::Count)
                .or_whole(1),
        ],
    )
    .note("How many pictures it gives at most is not documented."),
    Form::new(
        Kind::ImageGenerator,
        &["gemini-3-pro-image-preview", "gemini-3-pro-image*"],
        &[PROMPT, PRO_SIZE, TEMPERATURE, TOP_P],
    ),
    Form::new(
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
            .knob(Knob::AspectRatio),
            TEMPERATURE,
            TOP_P,
        ],
    ),
    Form::new(
        Kind::ImageEditor,
        &["gemini-2.5-flash-image-preview", "gemini-2.5-flash-image*"],
        &[IMAGE, PROMPT, FIRST, SECOND],
    ),
    Form::new(
        Kind::ImageEditor,
        &["gemini-3-pro-image-preview", "gemini-3-pro-image*"],
        &[IMAGE, PROMPT, FIRST, SECOND, PRO_SIZE, TEMPERATURE, TOP_P],
    ),
    Form::new(
        Kind::ImageEditor,
        &["gemini-3.1-flash-image-preview", "gemini-3.1-flash-image*"],
        &[IMAGE, PROMPT, FIRST, SECOND, FLASH_SIZE, TEMPERATURE, TOP_P],
    ),
];
