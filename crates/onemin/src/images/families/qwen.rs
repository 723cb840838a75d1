//! Alibaba: Qwen Image.

use super::{IMAGE, PROMPT};
use crate::features::Kind;
use crate::features::form::{Field, Form, Knob, Rule};

const EXTEND: Field = Field::new("prompt_extend", Rule::Flag);
const NEGATIVE: Field = Field::new("negative_prompt", Rule::Text(500)).knob(Knob::NegativePrompt);
const SEED: Field = Field::new("seed", Rule::Whole(0, 2_147_483_647)).knob(Knob::Seed);

pub(super) static FORMS: &[Form] = &[
    Form::new(
        Kind::ImageEditor,
        &["qwen-image-edit-plus", "qwen-image-edit*"],
        &[
            IMAGE,
            Field::new("additional_images", Rule::Files(2)).knob(Knob::References),
            PROMPT,
            Field::new("n", Rule::Whole(1, 6))
                .knob(Knob::Count)
                .or_whole(1)
                .required(),
            Field::new("width", Rule::Whole(512, 2048)).knob(Knob::Width),
            Field::new("height", Rule::Whole(512, 2048)).knob(Knob::Height),
            EXTEND,
            NEGATIVE,
            SEED,
        ],
    )
    .note("Pictures of at most 10 MB."),
    Form::new(
        Kind::ImageGenerator,
        &["qwen-image-plus", "qwen-image-max", "qwen-image*"],
        &[
            PROMPT,
            Field::new(
                "size",
                Rule::OneOf(&[
                    "1664*928",
                    "1472*1104",
                    "1328*1328",
                    "1104*1472",
                    "928*1664",
                ]),
            )
            .knob(Knob::Size),
            Field::new("n", Rule::Whole(1, 6)).knob(Knob::Count),
            NEGATIVE,
            EXTEND,
            SEED,
        ],
    )
    .open()
    .note(
        "Sizes are written with `*`. The live service named 1664*928 and 1472*1104; the \
         other sizes and fields are the provider's.",
    ),
];
