//! Houses with one simple form: xAI, Clipdrop, Qubico.

use super::{IMAGE, PROMPT};
use crate::features::Kind;
use crate::features::form::{Field, Form, Knob, Rule};

pub(super) static FORMS: &[Form] = &[
    Form::new(
        Kind::ImageGenerator,
        &["grok-2-image-1212", "grok-imagine-image", "grok-*"],
        &[
            PROMPT,
            Field::new("n", Rule::Whole(1, 10))
                .knob(Knob::Count)
                .or_whole(1),
        ],
    )
    .open()
    .note(
        "xAI. Of grok-imagine-image nothing but `n` is known; the most that it gives is \
         the provider's.",
    ),
    Form::new(Kind::ImageVariator, &["clipdrop"], &[IMAGE]),
    Form::new(Kind::BackgroundReplacer, &["clipdrop"], &[IMAGE, PROMPT]),
    Form::new(Kind::TextRemover, &["clipdrop"], &[IMAGE]),
    Form::new(
        Kind::FaceSwapper,
        &["Qubico/image-toolkit"],
        &[
            Field::new("targetImageUrl", Rule::File)
                .knob(Knob::Image)
                .required(),
            Field::new("swapImageUrl", Rule::File)
                .knob(Knob::Reference)
                .required(),
            Field::new("output_format", Rule::Text(10)).knob(Knob::OutputFormat),
        ],
    ),
];
