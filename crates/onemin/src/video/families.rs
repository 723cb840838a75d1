//! The table of video models.

use crate::features::Kind;
use crate::features::spec::{Field, Literal, ModelSpec, Param, Rule};

/// Every spec, in the order in which they are searched.
pub fn specs() -> impl Iterator<Item = &'static ModelSpec> {
    SPECS.iter()
}

const PROMPT: Field = Field::new("prompt", Rule::Text(usize::MAX))
    .param(Param::Prompt)
    .required();

const OPTIONAL_PROMPT: Field = Field::new("prompt", Rule::Text(usize::MAX)).param(Param::Prompt);

const IMAGE: Field = Field::new("imageUrl", Rule::File)
    .param(Param::Image)
    .required();

const NEGATIVE: Field =
    Field::new("negative_prompt", Rule::Text(10_000)).param(Param::NegativePrompt);

const SEED: Field = Field::new("seed", Rule::Whole(0, 4_294_967_295)).param(Param::Seed);

const RATIO: Field = Field::new("aspect_ratio", Rule::OneOf(&["16:9", "9:16", "1:1"]))
    .param(Param::AspectRatio)
    .or_text("16:9");

const KLING: &[&str] = &["kling"];
const KLING_LONG: &[&str] = &["3.0", "3", "3.0-omni"];

const KLING_DURATION: Field = Field::new("duration", Rule::Multiple(5, 5, 10))
    .param(Param::Seconds)
    .or_whole(5);

const KLING_LONG_DURATION: Field = Field::new("duration", Rule::Whole(3, 15))
    .param(Param::Seconds)
    .or_whole(5);

const KLING_MODE: Field = Field::new("mode", Rule::OneOf(&["std", "pro"]))
    .param(Param::Mode)
    .or_text("std");

const KLING_VERSION: Field = Field::new("version", Rule::Text(20)).or_text("1.6");

const KLING_SCALE: Field = Field::new("cfg_scale", Rule::Number(0.0, 1.0)).or(Literal::Number(0.5));

const CAMERA_TYPE: Field = Field::new("camera_control_type", Rule::Text(40));
const CAMERA_VALUE: Field = Field::new("camera_control_value", Rule::Any);

const VEO_TASK: Field = Field::new(
    "task_type",
    Rule::OneOf(&[
        "veo3-video",
        "veo3-video-fast",
        "veo3.1-video",
        "veo3.1-video-fast",
    ]),
)
.or_text("veo3.1-video-fast");

const VEO_AUDIO: Field = Field::new("generate_audio", Rule::Flag)
    .param(Param::GenerateAudio)
    .or_flag(false);

const VEO_RATIO: Field = Field::new("aspect_ratio", Rule::OneOf(&["16:9", "9:16"]))
    .param(Param::AspectRatio)
    .or_text("16:9");

const VEO_SECONDS: Field = Field::new("veo3_duration", Rule::OneOf(&["8s"]))
    .param(Param::Seconds)
    .also(&[("8", "8s")])
    .or_text("8s");

const VEO_RESOLUTION: Field = Field::new("resolution", Rule::OneOf(&["720p", "1080p"]))
    .param(Param::VideoResolution)
    .or_text("720p");

const VEO_NEGATIVE: Field =
    Field::new("negativePrompt", Rule::Text(10_000)).param(Param::NegativePrompt);

const VEO_REFERENCES: Field =
    Field::new("reference_image_urls", Rule::Files(3)).param(Param::References);

const SORA_SECONDS: Field = Field::new("seconds", Rule::Multiple(4, 4, 12))
    .param(Param::Seconds)
    .or_whole(4);

const SORA_IMAGE: Field = Field::new("reference_image_path", Rule::File).param(Param::Image);
const SORA_IMAGE_NAME: Field = Field::new("reference_image_name", Rule::Text(255));
const SORA_IMAGE_TYPE: Field = Field::new("reference_image_type", Rule::Text(100));

static SPECS: &[ModelSpec] = &[
    ModelSpec::new(
        Kind::TextToVideo,
        KLING,
        &[
            PROMPT,
            KLING_LONG_DURATION,
            NEGATIVE,
            RATIO,
            KLING_MODE,
            KLING_VERSION,
            KLING_SCALE,
        ],
    )
    .only_for("version", KLING_LONG),
    ModelSpec::new(
        Kind::TextToVideo,
        KLING,
        &[
            PROMPT,
            KLING_DURATION,
            NEGATIVE,
            RATIO,
            KLING_MODE,
            KLING_VERSION,
            KLING_SCALE,
            CAMERA_TYPE,
            CAMERA_VALUE,
        ],
    )
    .note("Versions 1.0, 1.5, 1.6, 2.0, 2.1-master, 2.5, from 3.0 on 3 to 15 seconds; 2.0 and 2.5 in mode `pro` only."),
    ModelSpec::new(
        Kind::ImageToVideo,
        KLING,
        &[
            IMAGE,
            OPTIONAL_PROMPT,
            KLING_LONG_DURATION.required(),
            NEGATIVE,
            RATIO.required(),
            KLING_MODE.required(),
            KLING_VERSION.required(),
            KLING_SCALE.required(),
        ],
    )
    .only_for("version", KLING_LONG),
    ModelSpec::new(
        Kind::ImageToVideo,
        KLING,
        &[
            IMAGE,
            OPTIONAL_PROMPT,
            KLING_DURATION.required(),
            NEGATIVE,
            RATIO.required(),
            KLING_MODE.required(),
            KLING_VERSION.required(),
            KLING_SCALE.required(),
            CAMERA_TYPE,
            CAMERA_VALUE,
        ],
    ),
    ModelSpec::new(
        Kind::TextToVideo,
        &["veo3", "veo3*"],
        &[
            PROMPT,
            VEO_NEGATIVE,
            VEO_TASK,
            VEO_AUDIO,
            VEO_RATIO,
            VEO_SECONDS,
            VEO_RESOLUTION,
            VEO_REFERENCES,
        ],
    )
    .note("The list and an example spell the id differently; the id goes up as it came."),
    ModelSpec::new(
        Kind::ImageToVideo,
        &["veo3", "veo3*"],
        &[
            IMAGE,
            PROMPT,
            VEO_NEGATIVE,
            VEO_TASK,
            VEO_AUDIO,
            VEO_RATIO,
            VEO_SECONDS,
            VEO_RESOLUTION,
            Field::new("tail_image_url", Rule::File).param(Param::LastFrame),
            VEO_REFERENCES,
        ],
    ),
    ModelSpec::new(
        Kind::TextToVideo,
        &["sora-2"],
        &[
            PROMPT,
            SORA_SECONDS,
            Field::new("size", Rule::OneOf(&["720x1280", "1280x720"]))
                .param(Param::Size)
                .or_text("1280x720"),
            SORA_IMAGE,
            SORA_IMAGE_NAME,
            SORA_IMAGE_TYPE,
        ],
    )
    .note("Only while upstream lists it as active."),
    ModelSpec::new(
        Kind::TextToVideo,
        &["sora-2-pro"],
        &[
            PROMPT,
            SORA_SECONDS,
            Field::new(
                "size",
                Rule::OneOf(&["720x1280", "1280x720", "1024x1792", "1792x1024"]),
            )
            .param(Param::Size)
            .or_text("1280x720"),
            SORA_IMAGE,
            SORA_IMAGE_NAME,
            SORA_IMAGE_TYPE,
        ],
    )
    .note("Only while upstream lists it as active."),
    ModelSpec::new(
        Kind::TextToVideo,
        &["luma"],
        &[
            PROMPT,
            Field::new("length", Rule::Whole(5, 5))
                .param(Param::Seconds)
                .or_whole(5),
            Field::new("enhancePrompt", Rule::Flag),
        ],
    ),
    ModelSpec::new(
        Kind::ImageToVideo,
        &["luma"],
        &[
            IMAGE,
            OPTIONAL_PROMPT,
            Field::new("length", Rule::Whole(5, 5))
                .param(Param::Seconds)
                .or_whole(5),
        ],
    )
    .open()
    .note("Fields not found; taken to be like those of text to video."),
    ModelSpec::new(
        Kind::TextToVideo,
        &["lucataco/animate-diff*"],
        &[
            PROMPT,
            Field::new("path", Rule::Text(200)).or_text("toonyou_beta3.safetensors"),
            Field::new("n_prompt", Rule::Text(10_000)).param(Param::NegativePrompt),
            Field::new("guidance_scale", Rule::Number(0.0, 50.0)).or(Literal::Number(7.5)),
            Field::new("motion_module", Rule::Text(100)).or_text("mm_sd_v15_v2"),
            SEED,
            Field::new("steps", Rule::Whole(1, 100)).or_whole(25),
        ],
    )
    .note("The only one that was seen to run: 75 seconds in a held request."),
    ModelSpec::new(
        Kind::TextToVideo,
        &["cjwbw/damo-text-to-video*"],
        &[
            PROMPT,
            Field::new("num_frames", Rule::Whole(1, 256)).or_whole(16),
            Field::new("fps", Rule::Whole(1, 60)).or_whole(8),
            Field::new("num_inference_steps", Rule::Whole(1, 500)).or_whole(50),
        ],
    )
    .note("Defaults are the provider's."),
    ModelSpec::new(
        Kind::ImageToVideo,
        &["pika"],
        &[
            Field::new("imageUrls", Rule::Files(4))
                .param(Param::Image)
                .required(),
            OPTIONAL_PROMPT,
        ],
    )
    .open()
    .note("A list of images; other fields not found."),
    ModelSpec::new(
        Kind::TextToVideo,
        &["pika", "hailuo", "Qubico/*", "wan-*", "wan*"],
        &[PROMPT],
    )
    .open()
    .note("Fields not found: the prompt and what a request adds by upstream's names are sent."),
    ModelSpec::new(
        Kind::ImageToVideo,
        &["hailuo", "leonardo-motion", "Qubico/*", "wan*"],
        &[IMAGE, OPTIONAL_PROMPT],
    )
    .open()
    .note("Fields not found: image, prompt and what a request adds by upstream's names are sent."),
];
