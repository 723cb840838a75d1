//! The parameters of an image request, in words that mean the same for every model.

use serde_json::{Map, Value};

use super::prompt_flags;
use crate::features::spec::Param;

/// What is params of an image. What is None is left to the model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImageParams {
    /// What to draw, or what to change.
    pub prompt: String,
    /// How many images.
    pub count: Option<u32>,
    /// `WIDTHxHEIGHT`, or a class such as `2K`, or `auto`.
    pub size: Option<String>,
    /// `WIDTH:HEIGHT`. Where a size is given too, it goes first if the model takes sizes.
    pub aspect_ratio: Option<String>,
    /// `low`, `medium`, `high`, `standard`, `hd` or the model's own word.
    pub quality: Option<String>,
    /// The model's own word, such as `vivid`.
    pub style: Option<String>,
    /// `transparent`, `opaque` or `auto`.
    pub background: Option<String>,
    /// `png`, `jpeg` or `webp`.
    pub output_format: Option<String>,
    /// How good a compressed image is, from 0 to 100.
    pub output_compression: Option<u32>,
    /// `auto`, or `low` for less of it.
    pub moderation: Option<String>,
    /// What must not be in it.
    pub negative_prompt: Option<String>,
    /// `fast` or `relax`, at Midjourney's models.
    pub mode: Option<String>,
    /// The random seed; below zero it is left to the model.
    pub seed: Option<i64>,
    /// Steps of the drawing.
    pub steps: Option<u32>,
    /// How closely the prompt is followed.
    pub guidance: Option<f64>,
    /// Midjourney's anime model.
    pub niji: Option<bool>,
    /// Fields by upstream's own names; they go before everything else.
    pub extra: Map<String, Value>,
}

impl ImageParams {
    /// Takes the flags out of the prompt and makes them values. Who writes a flag means this
    /// image, so it goes before what a client sends with every request.
    #[must_use]
    pub fn with_flags(self) -> Self {
        let flags = prompt_flags::take(&self.prompt);
        let ratio = flags.aspect_ratio.map(|(w, h)| format!("{w}:{h}"));
        let size = flags.size.map(|(w, h)| format!("{w}x{h}"));
        let is_shaped = ratio.is_some() || size.is_some();
        let shape = |flag: Option<String>, sent: Option<String>| {
            if is_shaped { flag } else { sent }
        };
        let negative = [self.negative_prompt, flags.negative_prompt];
        let negative: Vec<String> = negative.into_iter().flatten().collect();
        Self {
            prompt: flags.prompt,
            aspect_ratio: shape(ratio, self.aspect_ratio),
            size: shape(size, self.size),
            negative_prompt: (!negative.is_empty()).then(|| negative.join(", ")),
            mode: flags.mode.map(str::to_owned).or(self.mode),
            ..self
        }
    }

    /// The values, those for number and shape aside.
    pub(super) fn values(&self) -> Vec<(Param, Value)> {
        let text = |param: Param, value: &Option<String>| {
            let text = value
                .as_deref()
                .map(str::trim)
                .filter(|text| !text.is_empty());
            text.map(|text| (param, Value::from(text)))
        };
        let prompt = (!self.prompt.is_empty()).then(|| self.prompt.as_str().into());
        [
            prompt.map(|prompt| (Param::Prompt, prompt)),
            text(Param::Quality, &self.quality),
            text(Param::Style, &self.style),
            text(Param::Background, &self.background),
            text(Param::OutputFormat, &self.output_format),
            self.output_compression
                .map(|percent| (Param::OutputCompression, percent.into())),
            text(Param::Moderation, &self.moderation),
            text(Param::NegativePrompt, &self.negative_prompt),
            text(Param::Mode, &self.mode),
            self.seed
                .filter(|seed| *seed >= 0)
                .map(|seed| (Param::Seed, seed.into())),
            self.steps.map(|steps| (Param::Steps, steps.into())),
            self.guidance
                .map(|guidance| (Param::Guidance, guidance.into())),
            self.niji.map(|niji| (Param::Niji, niji.into())),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
