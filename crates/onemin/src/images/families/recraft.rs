//! Recraft: one model whose version is a field.

use super::fields::{IMAGE, PROMPT};
use crate::features::Kind;
use crate::features::spec::{Field, ModelSpec, Param, Pixels, Rule};

const TASK: &str = "task_type";

const VERSION: Field = Field::new(
    TASK,
    Rule::OneOf(&[
        "recraftv2",
        "recraftv3",
        "recraftv4",
        "recraftv4_vector",
        "recraftv4_pro",
        "recraftv4_pro_vector",
    ]),
)
.or_text("recraftv3");

const COUNT: Field = Field::new("n", Rule::Whole(1, 4))
    .param(Param::Count)
    .or_whole(1);

const NEGATIVE: Field =
    Field::new("negative_prompt", Rule::Text(usize::MAX)).param(Param::NegativePrompt);

const MODELS: &[&str] = &["recraft"];

pub(super) static SPECS: &[ModelSpec] = &[
    ModelSpec::new(
        Kind::ImageGenerator,
        MODELS,
        &[
            PROMPT,
            VERSION,
            Field::new(
                "size",
                Rule::OneOf(&[
                    "1:1", "2:1", "1:2", "3:2", "2:3", "4:3", "3:4", "5:4", "4:5", "6:10", "14:10",
                    "10:14", "16:9", "9:16",
                ]),
            )
            .param(Param::AspectRatio)
            .or_text("1:1"),
            COUNT,
            NEGATIVE,
        ],
    )
    .only_for(TASK, &["recraftv4_vector", "recraftv4_pro_vector"])
    .note(
        "Here the size is a ratio. Upstream names the first and the last of them, the \
         others are the provider's.",
    ),
    ModelSpec::new(
        Kind::ImageGenerator,
        MODELS,
        &[
            PROMPT,
            VERSION,
            Field::new(
                "size",
                Rule::OneOf(&[
                    "1024x1024",
                    "1536x768",
                    "768x1536",
                    "1280x832",
                    "832x1280",
                    "1216x896",
                    "896x1216",
                    "1152x896",
                    "896x1152",
                    "832x1344",
                    "1280x896",
                    "896x1280",
                    "1344x768",
                    "768x1344",
                ]),
            )
            .param(Param::Size)
            .or_text("1024x1024"),
            COUNT,
            NEGATIVE,
        ],
    )
    .only_for(TASK, &["recraftv4", "recraftv4_pro"]),
    ModelSpec::new(
        Kind::ImageGenerator,
        MODELS,
        &[
            PROMPT,
            VERSION,
            Field::new("style", Rule::Text(200)).param(Param::Style),
            Field::new("substyle", Rule::Text(200)),
            Field::new(
                "size",
                Rule::Size(Pixels {
                    multiple: 1,
                    side: (1024, 2048),
                    area: (1_048_576, 2_097_152),
                    ratio: 2,
                }),
            )
            .param(Param::Size)
            .or_text("1024x1024"),
            COUNT,
            NEGATIVE,
        ],
    )
    .note(
        "Styles: `GET /api/recraft/styles?taskType=…`. Which sizes versions 2 and 3 take \
         is the provider's list; only its bounds are checked.",
    ),
    ModelSpec::new(Kind::ImageUpscaler, MODELS, &[IMAGE]).open().note(
        "In the list of March 2026, with a price for `creative`; its fields are not documented.",
    ),
    ModelSpec::new(Kind::BackgroundReplacer, MODELS, &[IMAGE, PROMPT])
        .open()
        .note("In the list of March 2026; its fields are not documented."),
    ModelSpec::new(Kind::ImageVariator, MODELS, &[IMAGE])
        .open()
        .note("Takes fields of the generator; which is not documented."),
];
