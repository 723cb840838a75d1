//! What a feature makes: files, or texts.

use serde_json::{Map, Value};

use crate::assets::store::File;
use crate::chat::usage::{Counts, Metadata, Usage, tokens};
use crate::directive;
use crate::fault::Faults;
use crate::features::request::FeatureRequest;
use crate::features::{image, speech, transcript, video};
use crate::prices;
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
            "TEXT_TO_VIDEO" | "IMAGE_TO_VIDEO" => Self::Files(vec![video::file(request)]),
            "MUSIC_GENERATOR" | "TEXT_TO_SOUND" => Self::Files(speech::music(request)),
            _ => Self::Files(image::files(request)),
        }
    }

    pub(super) fn first_file(&self) -> Option<&File> {
        match self {
            Self::Files(files) => files.first(),
            Self::Texts(_) => None,
        }
    }

    /// Credits that it costs.
    pub(super) fn credits(&self, state: &State, request: &FeatureRequest) -> u64 {
        let model = request.model().unwrap_or_default();
        if let Some(counts) = self.counts(request) {
            let (input, output) = prices::tokens(model, counts.input(), counts.output);
            return input + output;
        }
        credits(state, request)
    }

    /// Tokens of a text that a language model wrote.
    fn counts(&self, request: &FeatureRequest) -> Option<Counts> {
        let Self::Texts(texts) = self else {
            return None;
        };
        (request.kind() == Some("CODE_GENERATOR")).then(|| Counts {
            prompt: tokens(request.prompt()),
            output: texts.iter().map(|text| tokens(text)).sum(),
            seconds: 0.81,
            ..Counts::default()
        })
    }

    /// `metadata` of a text that a language model wrote.
    pub(super) fn usage(
        &self,
        request: &FeatureRequest,
        script: &Script,
        faults: &Faults,
    ) -> Option<Metadata> {
        let model = request.model().unwrap_or_default();
        let counts = self.counts(request)?;
        Metadata::new(Usage::new(model, counts, script, faults), script, faults)
    }
}

/// Credits by the parameters of a request, which are known before anything is made.
pub(super) fn credits(state: &State, request: &FeatureRequest) -> u64 {
    let kind = request.kind().unwrap_or_default();
    let model = request.model().unwrap_or_default();
    if kind == "CODE_GENERATOR" {
        return prices::estimate(model, tokens(request.prompt()));
    }
    let nothing = Map::new();
    let fields = request.prompt_object().unwrap_or(&nothing);
    let seconds = transcript::seconds(state, request);
    prices::media(kind, model, fields, seconds)
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
