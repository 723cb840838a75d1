//! Leonardo.ai, whose models are named by UUIDs.

use super::fields::PROMPT;
use crate::features::Kind;
use crate::features::spec::{Field, ModelSpec, Param, Pixels, Rule};

/// Phoenix, Lightning XL, Anime XL, Kino XL, Vision XL, Albedo Base XL, Diffusion XL, and what may
/// come after them.
const MODELS: &[&str] = &[
    "6b645e3a-d64f-4341-a6d8-7a3690fbf042",
    "b24e16ff-06e3-43eb-8d33-4416c2d75876",
    "e71a1c2f-4f80-4800-934f-2c68979d8cc8",
    "aa77f04e-3eec-4034-9c07-d0f619684628",
    "5c232a9e-9061-4777-980a-ddc8e65647c6",
    "2067ae52-33fd-4a82-bb92-c2c55e7d2786",
    "1e60896f-3c26-4296-8ecc-53e2afecc132",
    "<uuid>",
];

pub(super) static SPECS: &[ModelSpec] = &[ModelSpec::new(
    Kind::ImageGenerator,
    MODELS,
    &[
        PROMPT,
        Field::new("n", Rule::Whole(1, 4))
            .param(Param::Count)
            .or_whole(1)
            .required(),
        Field::new(
            "size",
            Rule::Size(Pixels {
                multiple: 8,
                side: (32, 1536),
                area: (1024, 2_359_296),
                ratio: 48,
            }),
        )
        .param(Param::Size)
        .or_text("1024x1024"),
        Field::new("negativePrompt", Rule::Any)
            .param(Param::NegativePrompt)
            .or_text(""),
        Field::new("leonardo_guidance_scale", Rule::Number(1.0, 20.0))
            .param(Param::Guidance)
            .or_whole(7),
        Field::new("leonardo_num_inference_steps", Rule::Whole(10, 60))
            .param(Param::Steps)
            .or_whole(15),
        Field::new("leonardo_seed", Rule::Whole(0, 4_294_967_295)).param(Param::Seed),
        Field::new("leonardo_tilling", Rule::Flag),
        Field::new(
            "leonardo_transparency",
            Rule::OneOf(&["disabled", "foreground_only"]),
        )
        .param(Param::Background)
        .also(&[("transparent", "foreground_only"), ("opaque", "disabled")]),
        Field::new("leonardo_preset_style", Rule::Text(100)).param(Param::Style),
        Field::new("leonardo_image_prompts", Rule::Files(4)),
        Field::new("leonardo_init_image_id", Rule::Text(200)),
        Field::new("leonardo_init_strength", Rule::Number(0.1, 0.9)),
    ],
)
.note(
    "The bounds of `size` are the provider's; upstream documents none. The spelling \
         `tilling` is upstream's.",
)];
