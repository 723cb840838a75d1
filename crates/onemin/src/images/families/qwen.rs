//! Alibaba: Qwen Image.

use super::fields::{IMAGE, PROMPT};
use crate::features::Kind;
use crate::features::spec::{Field, ModelSpec, Param, Rule};

const EXTEND: Field = Field::new("prompt_extend", Rule::Flag);
const NEGATIVE: Field = Field::new("negative_prompt", Rule::Text(500)).param(Param::NegativePrompt);
const SEED: Field = Field::new("seed", Rule::Whole(0, 2_147_483_647)).param(Param::Seed);

pub(super) static SPECS: &[ModelSpec] = &[
    ModelSpec::new(
        Kind::ImageEditor,
        &["qwen-image-edit-plus", "qwen-image-edit*"],
        &[
            IMAGE,
            Field::new("additional_images", Rule::Files(2)).param(Param::References),
            PROMPT,
            Field::new("n", Rule::Whole(1, 6))
                .param(Param::Count)
                .or_whole(1)
                .required(),
            Field::new("width", Rule::Whole(512, 2048)).param(Param::Width),
            Field::new("height", Rule::Whole(512, 2048)).param(Param::Height),
            EXTEND,
            NEGATIVE,
            SEED,
        ],
    )
    .note("Images of at most 10 MB."),
    ModelSpec::new(
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
            .param(Param::Size),
            Field::new("n", Rule::Whole(1, 6)).param(Param::Count),
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
