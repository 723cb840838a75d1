//! Black Forest Labs: FLUX.

use super::fields::{IMAGE, JPG, MASK, PROMPT, RATIOS, SEED};
use crate::features::Kind;
use crate::features::spec::{Field, ModelSpec, Param, Rule};

const CUSTOM_RATIO: Field = Field::new(
    "aspect_ratio",
    Rule::OneOf(&["1:1", "16:9", "9:16", "3:2", "2:3", "4:5", "5:4", "custom"]),
)
.param(Param::AspectRatio)
.or_text("1:1");

const RATIO: Field = Field::new("aspect_ratio", Rule::OneOf(RATIOS))
    .param(Param::AspectRatio)
    .or_text("1:1");

const ANY_FORMAT: Field = Field::new("output_format", Rule::OneOf(&["webp", "jpg", "png"]))
    .param(Param::OutputFormat)
    .also(JPG)
    .or_text("webp");

const FORMAT: Field = Field::new("output_format", Rule::OneOf(&["jpg", "png"]))
    .param(Param::OutputFormat)
    .also(JPG)
    .or_text("png");

const OUTPUT_QUALITY: Field = Field::new("output_quality", Rule::Whole(0, 100))
    .param(Param::OutputCompression)
    .or_whole(80);

const UPSAMPLING: Field = Field::new("prompt_upsampling", Rule::Flag);

const TOLERANCE: Field = Field::new("safety_tolerance", Rule::Whole(0, 5)).or_whole(2);

const SECOND_TOLERANCE: Field = Field::new("safety_tolerance", Rule::Whole(1, 6)).or_whole(2);

const IMAGE_PROMPT: Field = Field::new("image_prompt", Rule::File);

const STEPS: Field = Field::new("steps", Rule::Whole(15, 50))
    .param(Param::Steps)
    .or_whole(25);

const FLEX_STEPS: Field = Field::new("steps", Rule::Whole(6, 50))
    .param(Param::Steps)
    .or_whole(25);

const GUIDANCE: Field = Field::new("guidance", Rule::Number(2.0, 5.0))
    .param(Param::Guidance)
    .or_whole(3);

const OUTPUTS: Field = Field::new("num_outputs", Rule::Whole(1, 4))
    .param(Param::Count)
    .or_whole(1);

const INFERENCE_STEPS: Field =
    Field::new("num_inference_steps", Rule::Whole(1, 50)).param(Param::Steps);

const MEGAPIXELS: Field = Field::new("megapixels", Rule::OneOf(&["1", "0.25"]));

const EDIT_RATIO: Field = Field::new(
    "aspect_ratio",
    Rule::OneOf(&[
        "match_input_image",
        "1:1",
        "16:9",
        "21:9",
        "3:2",
        "2:3",
        "4:5",
        "5:4",
        "3:4",
        "4:3",
        "9:16",
        "9:21",
    ]),
)
.param(Param::AspectRatio)
.or_text("match_input_image");

const REDUX: &[Field] = &[
    IMAGE,
    Field::new("format", Rule::OneOf(&["webp", "jpg", "png"]))
        .param(Param::OutputFormat)
        .also(JPG)
        .or_text("webp"),
    Field::new("aspect_ratio", Rule::OneOf(RATIOS))
        .param(Param::AspectRatio)
        .or_text("4:3"),
    OUTPUTS,
    Field::new("num_inference_steps", Rule::Whole(1, 50)).param(Param::Steps),
    SEED,
    OUTPUT_QUALITY,
    Field::new("disable_safety_checker", Rule::Flag),
    MEGAPIXELS.or_text("1"),
];

pub(super) static SPECS: &[ModelSpec] = &[
    ModelSpec::new(
        Kind::ImageGenerator,
        &["black-forest-labs/flux-1.1-pro"],
        &[
            PROMPT,
            CUSTOM_RATIO,
            Field::new("width", Rule::Whole(256, 2048)).param(Param::Width),
            Field::new("height", Rule::Whole(256, 2048)).param(Param::Height),
            ANY_FORMAT,
            OUTPUT_QUALITY,
            TOLERANCE,
            UPSAMPLING.or_flag(false),
            SEED,
            IMAGE_PROMPT,
        ],
    ),
    ModelSpec::new(
        Kind::ImageGenerator,
        &["black-forest-labs/flux-1.1-pro-ultra"],
        &[
            PROMPT,
            RATIO,
            FORMAT,
            Field::new("safety_tolerance", Rule::Whole(1, 6)),
            Field::new("raw", Rule::Flag),
            SEED,
            IMAGE_PROMPT,
        ],
    )
    .open()
    .note("Not documented by upstream: the fields are the provider's."),
    ModelSpec::new(
        Kind::ImageGenerator,
        &["black-forest-labs/flux-pro"],
        &[
            PROMPT,
            CUSTOM_RATIO,
            Field::new("width", Rule::Multiple(32, 256, 1440)).param(Param::Width),
            Field::new("height", Rule::Multiple(32, 256, 1440)).param(Param::Height),
            ANY_FORMAT,
            OUTPUT_QUALITY,
            TOLERANCE,
            UPSAMPLING,
            Field::new("steps", Rule::Whole(1, 50)).param(Param::Steps),
            Field::new("guidance", Rule::Number(0.0, 50.0)).param(Param::Guidance),
            Field::new("interval", Rule::Number(1.0, 4.0)),
            SEED,
            IMAGE_PROMPT,
        ],
    ),
    ModelSpec::new(
        Kind::ImageGenerator,
        &["black-forest-labs/flux-2-flex"],
        &[
            PROMPT,
            RATIO,
            FORMAT,
            OUTPUT_QUALITY,
            FLEX_STEPS,
            GUIDANCE,
            SECOND_TOLERANCE,
            UPSAMPLING.or_flag(false),
            SEED,
        ],
    ),
    ModelSpec::new(
        Kind::ImageGenerator,
        &["black-forest-labs/flux-2-*"],
        &[
            PROMPT,
            RATIO,
            FORMAT,
            OUTPUT_QUALITY,
            STEPS,
            GUIDANCE,
            SECOND_TOLERANCE,
            UPSAMPLING.or_flag(false),
            SEED,
        ],
    )
    .note("Images to look at are accepted here and not looked at."),
    ModelSpec::new(
        Kind::ImageGenerator,
        &[
            "black-forest-labs/flux-dev",
            "black-forest-labs/flux-dev-lora",
            "black-forest-labs/flux-schnell-lora",
            "black-forest-labs/flux-krea-dev",
            "black-forest-labs/flux-schnell",
        ],
        &[
            PROMPT,
            OUTPUTS,
            RATIO,
            ANY_FORMAT,
            INFERENCE_STEPS,
            Field::new("go_fast", Rule::Flag),
            MEGAPIXELS,
            Field::new("output_quality", Rule::Whole(0, 100)).param(Param::OutputCompression),
            Field::new("guidance", Rule::Number(0.0, 10.0)).param(Param::Guidance),
            SEED,
        ],
    )
    .open()
    .note(
        "flux-schnell is disabled: documents show it, the service refuses it. `guidance` \
         and `seed` are the provider's and not documented by upstream.",
    ),
    ModelSpec::new(
        Kind::ImageEditor,
        &["black-forest-labs/flux-2-flex"],
        &[
            IMAGE,
            PROMPT,
            EDIT_RATIO,
            FLEX_STEPS,
            GUIDANCE,
            FORMAT,
            OUTPUT_QUALITY,
            SECOND_TOLERANCE,
            UPSAMPLING,
            SEED,
        ],
    ),
    ModelSpec::new(
        Kind::ImageEditor,
        &["black-forest-labs/flux-2-*"],
        &[
            IMAGE,
            PROMPT,
            EDIT_RATIO,
            STEPS,
            GUIDANCE,
            FORMAT,
            OUTPUT_QUALITY,
            SECOND_TOLERANCE,
            UPSAMPLING,
            SEED,
        ],
    ),
    ModelSpec::new(
        Kind::ImageEditor,
        &[
            "black-forest-labs/flux-kontext-pro",
            "black-forest-labs/flux-kontext-max",
            "black-forest-labs/flux-kontext-dev",
            "black-forest-labs/flux-depth-*",
            "black-forest-labs/flux-canny-*",
        ],
        &[
            IMAGE,
            PROMPT,
            EDIT_RATIO,
            Field::new("guidance", Rule::Number(0.0, 10.0)).param(Param::Guidance),
            FORMAT,
            Field::new("safety_tolerance", Rule::Whole(0, 6)),
            UPSAMPLING,
            SEED,
        ],
    )
    .open()
    .note("In the list of March 2026; the fields are the provider's. What is not named is sent as it comes."),
    ModelSpec::new(
        Kind::ImageInpainter,
        &[
            "black-forest-labs/flux-fill-pro",
            "black-forest-labs/flux-fill-dev",
            "black-forest-labs/flux-fill-*",
        ],
        &[IMAGE, MASK, PROMPT, FORMAT, SEED],
    )
    .open()
    .note("In the list of March 2026; the fields are the provider's."),
    ModelSpec::new(
        Kind::ImageVariator,
        &[
            "black-forest-labs/flux-redux-dev",
            "black-forest-labs/flux-redux-schnell",
        ],
        REDUX,
    )
    .note(
        "Without `num_inference_steps` dev takes 28 and schnell 4. The format's field is \
         `format` here.",
    ),
];
