//! OpenAI: GPT Image and DALL·E.

use super::fields::{IMAGE, JPEG, MASK, PROMPT};
use crate::features::Kind;
use crate::features::spec::{Field, ModelSpec, Param, Pixels, Rule};

const COUNT: Field = Field::new("n", Rule::Whole(1, 10))
    .param(Param::Count)
    .or_whole(1);

const SIZE: Field = Field::new(
    "size",
    Rule::OneOf(&["1024x1024", "1024x1536", "1536x1024"]),
)
.param(Param::Size)
.or_text("1024x1024");

/// Documents give a default, the live service refuses requests without it.
const QUALITY: Field = Field::new("quality", Rule::OneOf(&["low", "medium", "high"]))
    .param(Param::Quality)
    .also(&[("standard", "medium"), ("hd", "high")])
    .or_text("medium")
    .required();

const FORMAT: Field = Field::new("output_format", Rule::OneOf(&["png", "jpeg", "webp"]))
    .param(Param::OutputFormat)
    .also(JPEG);

const COMPRESSION: Field =
    Field::new("output_compression", Rule::Whole(0, 100)).param(Param::OutputCompression);

const BACKGROUND: Field =
    Field::new("background", Rule::OneOf(&["opaque", "transparent"])).param(Param::Background);

const FREE_BACKGROUND: Field = Field::new(
    "background",
    Rule::OneOf(&["auto", "opaque", "transparent"]),
)
.param(Param::Background);

const STYLE: Field = Field::new("style", Rule::OneOf(&["vivid", "natural"])).param(Param::Style);

const SHORT_PROMPT: Field = Field::new("prompt", Rule::Text(4000))
    .param(Param::Prompt)
    .required();

const FREE_SIZE: Field = Field::new(
    "size",
    Rule::Size(Pixels {
        multiple: 16,
        side: (16, 3840),
        area: (655_360, 8_294_400),
        ratio: 3,
    }),
)
.param(Param::Size)
.or_text("1024x1024")
.required();

pub(super) static SPECS: &[ModelSpec] = &[
    ModelSpec::new(
        Kind::ImageGenerator,
        &[
            "gpt-image-1",
            "gpt-image-1-mini",
            "gpt-image-1.5",
            "gpt-image-1*",
        ],
        &[
            PROMPT,
            COUNT,
            SIZE,
            QUALITY,
            FORMAT,
            COMPRESSION,
            BACKGROUND,
            STYLE,
        ],
    )
    .note(
        "`style` is documented for gpt-image-1 only. gpt-image-1.5 is in no list of \
         upstream; it is taken to be like its elders.",
    ),
    ModelSpec::new(
        Kind::ImageGenerator,
        &["gpt-image-2", "gpt-image-*"],
        &[
            SHORT_PROMPT,
            COUNT,
            FREE_SIZE,
            QUALITY,
            FREE_BACKGROUND,
            FORMAT,
            COMPRESSION,
        ],
    ),
    ModelSpec::new(
        Kind::ImageGenerator,
        &["dall-e-3"],
        &[
            PROMPT,
            Field::new("n", Rule::Whole(1, 1))
                .param(Param::Count)
                .or_whole(1),
            Field::new(
                "size",
                Rule::OneOf(&["1024x1024", "1024x1792", "1792x1024"]),
            )
            .param(Param::Size)
            .or_text("1024x1024"),
            Field::new("quality", Rule::OneOf(&["standard", "hd"]))
                .param(Param::Quality)
                .also(&[("low", "standard"), ("medium", "standard"), ("high", "hd")])
                .or_text("standard"),
            STYLE.or_text("vivid"),
        ],
    )
    .note("Documented in 2025 only; probably retired."),
    ModelSpec::new(
        Kind::ImageGenerator,
        &["dall-e-2"],
        &[
            PROMPT,
            COUNT,
            Field::new("size", Rule::OneOf(&["1024x1024", "512x512", "256x256"]))
                .param(Param::Size)
                .or_text("1024x1024"),
        ],
    )
    .note("Documented in 2025 only; probably retired."),
    ModelSpec::new(
        Kind::ImageEditor,
        &[
            "gpt-image-1",
            "gpt-image-1-mini",
            "gpt-image-1.5",
            "gpt-image-1*",
        ],
        &[
            IMAGE,
            SHORT_PROMPT,
            SIZE.required(),
            COUNT.required(),
            QUALITY,
            FORMAT,
            COMPRESSION,
            BACKGROUND,
        ],
    )
    .note("Takes no mask; the inpainter does. Held connections got HTTP 522 twice: poll."),
    ModelSpec::new(
        Kind::ImageInpainter,
        &["gpt-image-1", "gpt-image-1-mini", "gpt-image-1*"],
        &[IMAGE, MASK, SHORT_PROMPT, SIZE, COUNT, QUALITY, FORMAT],
    )
    .note("In the list of March 2026; the fields are those of the editor."),
    ModelSpec::new(
        Kind::ImageInpainter,
        &["gpt-image-2", "gpt-image-*"],
        &[IMAGE, MASK, SHORT_PROMPT, FREE_SIZE, COUNT, QUALITY, FORMAT],
    )
    .note("Taken to be like its elders."),
    ModelSpec::new(
        Kind::BackgroundReplacer,
        &["gpt-image-1", "gpt-image-1-mini", "gpt-image-1*"],
        &[IMAGE, SHORT_PROMPT, SIZE, COUNT, QUALITY, FORMAT],
    )
    .note("In the list of March 2026; the fields are those of the editor."),
    ModelSpec::new(
        Kind::ImageEditor,
        &["gpt-image-2", "gpt-image-*"],
        &[
            IMAGE,
            SHORT_PROMPT,
            FREE_SIZE,
            QUALITY,
            Field::new("n", Rule::Whole(1, 10)).param(Param::Count),
            FREE_BACKGROUND,
            FORMAT,
            COMPRESSION,
        ],
    ),
    ModelSpec::new(
        Kind::ImageVariator,
        &["dall-e-2"],
        &[
            IMAGE,
            COUNT,
            Field::new("size", Rule::OneOf(&["1024x1024", "512x512", "256x256"]))
                .param(Param::Size)
                .or_text("1024x1024"),
        ],
    )
    .note(
        "Documented in 2025 only; probably retired. Which fields it takes besides the \
         image is not known.",
    ),
];
