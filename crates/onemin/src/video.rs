//! Video: from text, and from an image.
//!
//! What each model takes stands in one table, [`specs`]. Callers give [`VideoParams`], which mean
//! the same for every model. A job takes minutes: submit it with [`crate::Client::submit`] and poll
//! it with [`crate::Client::poll_job`].

mod families;

use serde_json::{Map, Value};

pub use families::specs;

use crate::features::spec::{self, ModelSpec, Param, Rule, size};
use crate::features::{Invalid, Kind, Payload, ResultAsset};

/// How far a ratio may be off and still is called the same, as a fraction.
const SAME_RATIO_TOLERANCE: f64 = 0.01;

/// The parameters of a video. What is None is left to the model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VideoParams {
    /// What to show.
    pub prompt: String,
    /// Length in seconds.
    pub seconds: Option<u32>,
    /// `WIDTHxHEIGHT`. Where the model has ratios, it becomes its ratio and resolution.
    pub size: Option<String>,
    /// `WIDTH:HEIGHT`.
    pub aspect_ratio: Option<String>,
    /// A class of height, such as `720p`.
    pub resolution: Option<String>,
    /// Whether there is sound.
    pub generate_audio: Option<bool>,
    /// What must not be in it.
    pub negative_prompt: Option<String>,
    /// The random seed.
    pub seed: Option<i64>,
    /// The image to start from: the path of an asset, or a URL.
    pub image: Option<String>,
    /// The image to end with.
    pub last_frame: Option<String>,
    /// Images to take things and styles from.
    pub references: Vec<String>,
    /// Fields by upstream's own names; they go before everything else.
    pub extra: Map<String, Value>,
}

/// The request for a video. A model that is in no table gets what was asked for under common names.
///
/// # Errors
/// A value that the model does not accept, and what it accepts.
pub fn generation(model: &str, params: &VideoParams) -> Result<Payload, Invalid> {
    let kind = kind(model, params)?;
    let spec = spec::find(specs(), kind, model, &params.extra);
    if params.prompt.trim().is_empty() && (kind == Kind::TextToVideo || spec.is_none()) {
        return Err(Invalid::new("prompt", "prompt must not be empty"));
    }
    let Some(spec) = spec else {
        return Ok(generic(kind, model, params));
    };
    let mut values = params.values();
    if matches!(
        spec.field(Param::Image).map(|field| field.rule),
        Some(Rule::Files(_))
    ) {
        for (param, value) in &mut values {
            if *param == Param::Image {
                *value = Value::from(vec![value.take()]);
            }
        }
    }
    let mut unmet = Vec::new();
    shape(spec, model, params, &mut values, &mut unmet)?;
    let mut payload = spec.fill(model, &values, &params.extra)?;
    payload.ignored.extend(unmet);
    payload.names_conversation = true;
    describe_reference(&mut payload.prompt_object);
    Ok(payload)
}

/// Sora wants the name and type of its reference image beside the path.
fn describe_reference(fields: &mut Map<String, Value>) {
    let path = fields.get("reference_image_path").and_then(Value::as_str);
    let Some(asset) = path.map(ResultAsset::of_path) else {
        return;
    };
    let mime = match asset.extension().as_deref() {
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        _ => "image/png",
    };
    let mut describe = |name: &str, value: &str| {
        let field = fields.entry(name);
        field.or_insert_with(|| value.into());
    };
    describe("reference_image_name", asset.file_name());
    describe("reference_image_type", mime);
}

/// The models of the table that a request with or without a first image can be made for.
#[must_use]
pub fn models(kind: Kind) -> Vec<&'static str> {
    let specs = specs().filter(|spec| spec.kind == kind);
    let mut names: Vec<&str> = specs.flat_map(|spec| spec.models).copied().collect();
    names.retain(|name| !name.contains('*'));
    names.dedup();
    names
}

/// Whether the table knows a model.
#[must_use]
pub fn is_known(model: &str) -> bool {
    [Kind::TextToVideo, Kind::ImageToVideo]
        .into_iter()
        .any(|kind| spec::find(specs(), kind, model, &Map::new()).is_some())
}

/// The table as Markdown.
#[must_use]
pub fn markdown() -> String {
    spec::markdown::page(specs())
}

/// The feature for a request: with a first image another one than without, if the model has both.
fn kind(model: &str, params: &VideoParams) -> Result<Kind, Invalid> {
    let has = |kind| spec::find(specs(), kind, model, &params.extra);
    let from_text = has(Kind::TextToVideo);
    match (&params.image, from_text, has(Kind::ImageToVideo)) {
        (Some(_), _, Some(_)) | (Some(_), None, None) => Ok(Kind::ImageToVideo),
        (Some(_), Some(spec), None) if spec.field(Param::Image).is_none() => {
            let others = models(Kind::ImageToVideo).join(", ");
            let message = format!("{model} does not accept an image; these do: {others}");
            Err(Invalid::new("input_reference", message))
        }
        (None, None, Some(_)) => {
            let message = format!("{model} needs an image to start from");
            Err(Invalid::new("input_reference", message))
        }
        _ => Ok(Kind::TextToVideo),
    }
}

/// The length that a request asks for, in seconds; None if it does not say.
#[must_use]
pub fn seconds(payload: &Payload) -> Option<u32> {
    let fields = ["seconds", "duration", "length", "veo3_duration"];
    let mut values = fields
        .iter()
        .filter_map(|name| payload.prompt_object.get(*name));
    values.find_map(|value| match value {
        Value::String(text) => text.trim().trim_end_matches('s').parse().ok(),
        value => u32::try_from(value.as_u64()?).ok(),
    })
}

/// The size that a request asks for, as `WIDTHxHEIGHT`, also where the model has a ratio and a
/// class of height instead; None if it does not say.
#[must_use]
pub fn size_of(payload: &Payload) -> Option<String> {
    let text = |name: &str| payload.prompt_object.get(name)?.as_str();
    if let Some(size) = text("size") {
        return Some(size.to_owned());
    }
    let (width, height) = size(text("aspect_ratio")?)?;
    let short: u32 = text("resolution")?.trim_end_matches('p').parse().ok()?;
    // Video has even sides.
    let long = |one: u32, other: u32| (short.saturating_mul(one) / other).div_ceil(2) * 2;
    Some(if width >= height {
        format!("{}x{short}", long(width, height))
    } else {
        format!("{short}x{}", long(height, width))
    })
}

/// Size and ratio in the fields that the model has for them.
fn shape(
    spec: &ModelSpec,
    model: &str,
    params: &VideoParams,
    values: &mut Vec<(Param, Value)>,
    unmet: &mut Vec<String>,
) -> Result<(), Invalid> {
    let rule = |param| spec.field(param).map(|field| field.rule);
    let refuse = |name: &str, rule: &Rule| {
        let allowed = rule.allowed();
        Invalid::new(name, format!("{model} takes {allowed} as {name}"))
    };
    let mut ratio = params.aspect_ratio.clone();
    if let Some(text) = given(params.size.as_ref()) {
        let sides = size(text)
            .ok_or_else(|| Invalid::new("size", "size must be WIDTHxHEIGHT, such as 1280x720"))?;
        if rule(Param::Size).is_some() {
            values.push((Param::Size, format!("{}x{}", sides.0, sides.1).into()));
            ratio = None;
        } else if let Some(Rule::OneOf(list)) = rule(Param::AspectRatio) {
            let same = nearest(list, sides);
            let same = same.ok_or_else(|| refuse("size", &Rule::OneOf(list)))?;
            ratio = Some(same.to_owned());
            let height = format!("{}p", sides.0.min(sides.1));
            match rule(Param::VideoResolution) {
                Some(rule) if params.resolution.is_none() => {
                    rule.check(&height.as_str().into())
                        .map_err(|_| refuse("size", &rule))?;
                    values.push((Param::VideoResolution, height.into()));
                }
                Some(_) => {}
                None => unmet.push("size".to_owned()),
            }
        } else {
            unmet.push("size".to_owned());
        }
    }
    let Some(text) = given(ratio.as_ref()) else {
        return Ok(());
    };
    match rule(Param::Size) {
        Some(Rule::OneOf(list)) if spec.field(Param::AspectRatio).is_none() => {
            let sides = size(text).ok_or_else(|| {
                Invalid::new(
                    "aspect_ratio",
                    "aspect_ratio must be WIDTH:HEIGHT, such as 16:9",
                )
            })?;
            let same = nearest(list, sides);
            let same = same.ok_or_else(|| refuse("aspect_ratio", &Rule::OneOf(list)))?;
            values.push((Param::Size, same.into()));
        }
        _ => values.push((Param::AspectRatio, text.into())),
    }
    Ok(())
}

fn given(text: Option<&String>) -> Option<&str> {
    let text = text?.trim();
    (!text.is_empty() && text != "auto").then_some(text)
}

/// The first of a list that has the same ratio.
fn nearest(list: &'static [&'static str], sides: (u32, u32)) -> Option<&'static str> {
    let ratio = |(width, height): (u32, u32)| f64::from(width) / f64::from(height);
    list.iter().copied().find(|text| {
        size(text).is_some_and(|of| (ratio(of) / ratio(sides) - 1.0).abs() <= SAME_RATIO_TOLERANCE)
    })
}

/// What goes to a model that nobody has described.
fn generic(kind: Kind, model: &str, params: &VideoParams) -> Payload {
    let name = |param: Param| match param {
        Param::Image => "imageUrl",
        Param::Seconds => "duration",
        Param::NegativePrompt => "negative_prompt",
        param => param.name(),
    };
    let shape = [
        (Param::Size, given(params.size.as_ref())),
        (Param::AspectRatio, given(params.aspect_ratio.as_ref())),
    ];
    let shape = shape
        .into_iter()
        .filter_map(|(param, text)| Some((param, Value::from(text?))));
    let all = params.values().into_iter().chain(shape);
    let mut fields: Map<String, Value> = all
        .map(|(param, value)| (name(param).to_owned(), value))
        .collect();
    fields.extend(params.extra.clone());
    let mut payload = Payload::new(kind, model, fields);
    payload.names_conversation = true;
    payload
}

impl VideoParams {
    /// The parameters that were given, without size and ratio.
    fn values(&self) -> Vec<(Param, Value)> {
        let text = |text: &Option<String>| given(text.as_ref()).map(Value::from);
        let prompt = Some(self.prompt.as_str()).filter(|prompt| !prompt.trim().is_empty());
        let references: Vec<Value> = self.references.iter().map(|r| r.as_str().into()).collect();
        [
            (Param::Prompt, prompt.map(Value::from)),
            (Param::Seconds, self.seconds.map(Value::from)),
            (Param::VideoResolution, text(&self.resolution)),
            (Param::GenerateAudio, self.generate_audio.map(Value::from)),
            (Param::NegativePrompt, text(&self.negative_prompt)),
            (
                Param::Seed,
                self.seed.filter(|seed| *seed >= 0).map(Value::from),
            ),
            (Param::Image, text(&self.image)),
            (Param::LastFrame, text(&self.last_frame)),
            (
                Param::References,
                (!references.is_empty()).then(|| references.into()),
            ),
        ]
        .into_iter()
        .filter_map(|(param, value)| Some((param, value?)))
        .collect()
    }
}

#[cfg(test)]
mod tests;
