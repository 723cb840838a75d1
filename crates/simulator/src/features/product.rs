//! What a feature makes: files, or texts.

use serde_json::Value;

use crate::assets::store::File;
use crate::chat::usage::{Counts, Metadata, Usage, tokens};
use crate::directive;
use crate::fault::Faults;
use crate::features::request::FeatureRequest;
use crate::features::{image, speech, transcript};
use crate::script::Script;
use crate::state::State;

/// What was made.
#[derive(Debug)]
pub(super) enum Product {
    Files(Vec<File>),
    Texts(Vec<String>),
}

impl Product {
    pub(super) fn new(state: &State, request: &FeatureRequest, script: &Script) -> Self {
        match request.kind().unwrap_or_default() {
            "TEXT_TO_SPEECH" | "VOICE_DESIGN" => Self::Files(vec![speech::file(request)]),
            "SPEECH_TO_TEXT" => Self::Texts(vec![transcript::text(state, request, script, false)]),
            "AUDIO_TRANSLATOR" => Self::Texts(vec![transcript::text(state, request, script, true)]),
            "CODE_GENERATOR" => Self::Texts(vec![code(request, script)]),
            "IMAGE_TO_PROMPT" => Self::Texts(descriptions(request, script)),
            _ => Self::Files(image::files(request)),
        }
    }

    pub(super) fn first_file(&self) -> Option<&File> {
        match self {
            Self::Files(files) => files.first(),
            Self::Texts(_) => None,
        }
    }

    /// `metadata` of a text that a language model wrote.
    pub(super) fn usage(
        &self,
        request: &FeatureRequest,
        script: &Script,
        faults: &Faults,
    ) -> Option<Metadata> {
        let Self::Texts(texts) = self else {
            return None;
        };
        if request.kind() != Some("CODE_GENERATOR") {
            return None;
        }
        let counts = Counts {
            prompt: tokens(request.prompt()),
            output: texts.iter().map(|text| tokens(text)).sum(),
            seconds: 0.81,
            ..Counts::default()
        };
        Metadata::new(Usage::new(counts, script, faults), script, faults)
    }
}

fn code(request: &FeatureRequest, script: &Script) -> String {
    let unscripted = || {
        let prompt = directive::without(request.prompt());
        let prompt = Value::from(prompt.trim());
        format!("```python\n# The 1min.ai simulator was asked for this.\nprint({prompt})\n```")
    };
    script.text().unwrap_or_else(unscripted)
}

fn descriptions(request: &FeatureRequest, script: &Script) -> Vec<String> {
    if let Some(text) = script.text() {
        return vec![text];
    }
    let image = request.string("imageUrl").unwrap_or_default();
    let count = request.number("n").unwrap_or(1).clamp(1, 4);
    (1..=count)
        .map(|number| format!("description {number} of {image}, as the simulator sees it"))
        .collect()
}
