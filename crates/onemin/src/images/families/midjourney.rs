//! Magic Art, which was called Midjourney.

use super::fields::{IMAGE, PROMPT};
use crate::features::Kind;
use crate::features::spec::{Field, ModelSpec, Param, Rule};

const MODE: Field = Field::new("mode", Rule::OneOf(&["fast", "relax"]))
    .param(Param::Mode)
    .or_text("fast");

const COUNT: Field = Field::new("n", Rule::Whole(4, 4))
    .param(Param::Count)
    .or_whole(4);

const NIJI: Field = Field::new("isNiji6", Rule::Flag)
    .param(Param::Niji)
    .or_flag(false);

const MODERATION: Field = Field::new("maintainModeration", Rule::Flag)
    .param(Param::Moderation)
    .also(&[("auto", "true"), ("low", "false")])
    .or_flag(true);

const WIDTH: Field = Field::new("aspect_width", Rule::Whole(1, 7))
    .param(Param::AspectWidth)
    .or_whole(1);

const HEIGHT: Field = Field::new("aspect_height", Rule::Whole(1, 7))
    .param(Param::AspectHeight)
    .or_whole(1);

const NEGATIVE: Field =
    Field::new("negativePrompt", Rule::Text(usize::MAX)).param(Param::NegativePrompt);

const NO: Field = Field::new("no", Rule::Text(usize::MAX));
const IMAGE_WEIGHT: Field = Field::new("image_weight", Rule::Number(0.5, 2.0));
const SEED: Field = Field::new("seed", Rule::Whole(0, 4_294_967_295)).param(Param::Seed);
const TILE: Field = Field::new("tile", Rule::Flag);
const STYLIZE: Field = Field::new("stylize", Rule::Whole(0, 1000));
const CHAOS: Field = Field::new("chaos", Rule::Whole(0, 100));
const WEIRD: Field = Field::new("weird", Rule::Whole(0, 3000));
const CHARACTER: Field = Field::new("character_reference", Rule::File);
const STYLE: Field = Field::new("style_reference", Rule::File);

pub(super) static SPECS: &[ModelSpec] = &[
    ModelSpec::new(
        Kind::ImageGenerator,
        &["magic-art_7_0", "magic-art_7*"],
        &[
            PROMPT,
            MODE,
            COUNT,
            WIDTH,
            HEIGHT,
            NIJI,
            MODERATION,
            NEGATIVE,
            NO,
            IMAGE_WEIGHT,
            SEED,
            TILE,
            STYLIZE,
            CHAOS,
            WEIRD,
            CHARACTER,
            STYLE,
            Field::new("omni_reference", Rule::File),
            Field::new("omni_reference_weight", Rule::Number(0.5, 2.0)),
        ],
    )
    .note("Always four images."),
    ModelSpec::new(
        Kind::ImageGenerator,
        &["magic-art", "magic-art_6_1", "magic-art*"],
        &[
            PROMPT,
            MODE,
            COUNT,
            WIDTH,
            HEIGHT,
            NIJI,
            MODERATION,
            NEGATIVE,
            NO,
            IMAGE_WEIGHT,
            SEED,
            TILE,
            STYLIZE,
            CHAOS,
            WEIRD,
            CHARACTER,
            STYLE,
        ],
    )
    .note("Always four images."),
    ModelSpec::new(
        Kind::ImageVariator,
        &["magic-art", "magic-art*"],
        &[IMAGE, MODE, COUNT, NIJI, WIDTH, HEIGHT, MODERATION],
    )
    .note("Always four images. Upstream lists only magic-art for variations."),
    ModelSpec::new(
        Kind::ImageToPrompt,
        &["midjourney", "magic-art*"],
        &[
            IMAGE,
            Field::new("mode", Rule::Any).or_text("describe"),
            COUNT,
        ],
    )
    .note("An older page; the model may have been renamed."),
    ModelSpec::new(Kind::ImageToPrompt, &["methexis-inc/img2prompt*"], &[IMAGE]),
];
