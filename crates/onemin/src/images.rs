//! Pictures: drawn from text, changed, varied.
//!
//! What each model takes stands in one table, [`forms`]. Who asks says what is [`Wanted`] in words
//! that mean the same for every model.

mod able;
mod families;
pub mod names;
pub mod prompt_flags;
mod shape;
pub mod styles;

use serde_json::{Map, Value};

pub use able::{counts, is_known, models};
pub use families::forms;

use crate::features::form::{self, Form, Knob};
use crate::features::{Invalid, Kind, Payload, candidates};

/// What is wanted of a picture. What is None is left to the model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wanted {
    /// What to draw, or what to change.
    pub prompt: String,
    /// How many pictures.
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
    /// How good a compressed picture is, from 0 to 100.
    pub output_compression: Option<u32>,
    /// `auto`, or `low` for less of it.
    pub moderation: Option<String>,
    /// What must not be in it.
    pub negative_prompt: Option<String>,
    /// `fast` or `relax`, at Midjourney's models.
    pub mode: Option<String>,
    /// The beginning of chance; below zero it is left to the model.
    pub seed: Option<i64>,
    /// Steps of the drawing.
    pub steps: Option<u32>,
    /// How closely the prompt is followed.
    pub guidance: Option<f64>,
    /// Midjourney's model for drawn figures.
    pub niji: Option<bool>,
    /// Fields by upstream's own names; they go before everything else.
    pub extra: Map<String, Value>,
}

/// A picture to be changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edit {
    /// The picture: the path of an asset, or a URL.
    pub image: String,
    /// A picture of the same size that shows where to change it. What its colours mean is not
    /// documented.
    pub mask: Option<String>,
    /// More pictures to look at.
    pub references: Vec<String>,
    /// What is wanted.
    pub wanted: Wanted,
}

/// A picture to be varied.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Variation {
    /// The picture: the path of an asset, or a URL. To vary the nth of several, give that one:
    /// upstream knows no numbers.
    pub image: String,
    /// How the picture was drawn, as [`repeated`] gave it: what the model knows of it is done again,
    /// where nothing else is wanted.
    pub repeated: Map<String, Value>,
    /// What is wanted. Few models look at a prompt here.
    pub wanted: Wanted,
}

/// The model that draws where none is named. DALL·E 3, which earlier clients took, is no longer listed.
pub const DEFAULT_MODEL: &str = "gpt-image-1-mini";

/// The model that changes pictures where none is named.
pub const DEFAULT_EDITOR: &str = "gpt-image-1";

/// Models that vary pictures, the best first: what to try when the one asked for cannot.
pub const VARIATION_ORDER: &[&str] = &[
    "magic-art",
    "clipdrop",
    "black-forest-labs/flux-redux-dev",
    "black-forest-labs/flux-redux-schnell",
    "dall-e-2",
];

/// The fields of a drawing that a variation of it repeats.
const REPEATED: [&str; 5] = [
    "mode",
    "isNiji6",
    "aspect_width",
    "aspect_height",
    "maintainModeration",
];

/// Those of them that are its shape.
const SHAPE: [&str; 2] = ["aspect_width", "aspect_height"];

/// The request to draw. A model that is in no table gets what was asked for under the names of
/// OpenAI's parameters.
///
/// # Errors
/// A wish that the model cannot meet, and what it can.
pub fn generation(model: &str, wanted: &Wanted) -> Result<Payload, Invalid> {
    let model = names::upstream(model);
    not_empty("prompt", &wanted.prompt)?;
    match form(Kind::ImageGenerator, model, wanted) {
        Some(form) => fill(form, model, wanted, Vec::new()),
        None => Ok(generic(Kind::ImageGenerator, model, wanted, Vec::new())),
    }
}

/// The request to change a picture: by the editor; by the inpainter, if there is a mask; by search
/// and replace, if it is said what to search.
///
/// # Errors
/// A wish that the model cannot meet, and what it can.
pub fn edit(model: &str, edit: &Edit) -> Result<Payload, Invalid> {
    let model = names::upstream(model);
    not_empty("prompt", &edit.wanted.prompt)?;
    transform(edit.kind(), model, edit)
}

/// The request to vary a picture.
///
/// # Errors
/// A wish that the model cannot meet, and what it can.
pub fn variation(model: &str, variation: &Variation) -> Result<Payload, Invalid> {
    let model = names::upstream(model);
    let mut edit = Edit {
        image: variation.image.clone(),
        wanted: variation.wanted.clone(),
        ..Edit::default()
    };
    if let Some(form) = form(Kind::ImageVariator, model, &edit.wanted) {
        let wishes = edit.wanted.wishes();
        let shaped = edit.wanted.size.is_some() || edit.wanted.aspect_ratio.is_some();
        for (name, value) in &variation.repeated {
            let field = form.fields.iter().find(|field| field.name == name);
            let asked = field.is_some_and(|field| {
                let turned = wishes.iter().any(|(knob, _)| field.knob == Some(*knob));
                turned || (shaped && SHAPE.contains(&name.as_str()))
            });
            if field.is_some() && !asked {
                let extra = edit.wanted.extra.entry(name.clone());
                extra.or_insert_with(|| value.clone());
            }
        }
    }
    transform(Kind::ImageVariator, model, &edit)
}

/// The request for any feature that begins with a picture.
///
/// # Errors
/// A wish that the model cannot meet, and what it can.
pub fn transform(kind: Kind, model: &str, edit: &Edit) -> Result<Payload, Invalid> {
    // The page that describes pictures kept the old name.
    let model = match kind {
        Kind::ImageToPrompt => model,
        _ => names::upstream(model),
    };
    not_empty("image", &edit.image)?;
    let mut wishes = vec![(Knob::Image, Value::from(edit.image.as_str()))];
    let reference = |at: usize| edit.references.get(at).map(|path| path.as_str().into());
    let form = form(kind, model, &edit.wanted);
    if let Some(mask) = &edit.mask {
        wishes.push((Knob::Mask, mask.as_str().into()));
        if form.is_none_or(|form| form.field(Knob::Mask).is_none()) {
            let message = format!(
                "{model} takes no mask; these do: {}",
                able::masked().join(", ")
            );
            return Err(Invalid::new("mask", message));
        }
    }
    if form.is_none_or(|form| form.field(Knob::References).is_some()) {
        let list: Vec<Value> = edit.references.iter().map(|r| r.as_str().into()).collect();
        if !list.is_empty() {
            wishes.push((Knob::References, list.into()));
        }
    } else {
        wishes.extend(reference(0).map(|path| (Knob::Reference, path)));
        wishes.extend(reference(1).map(|path| (Knob::SecondReference, path)));
        let takes = |knob| form.is_some_and(|form| form.field(knob).is_some());
        let most = [Knob::Reference, Knob::SecondReference];
        let most = most.into_iter().filter(|knob| takes(*knob)).count();
        if edit.references.len() > most {
            return Err(able::too_many(kind, model, most));
        }
    }
    match form {
        Some(form) => fill(form, model, &edit.wanted, wishes),
        None => Ok(generic(kind, model, &edit.wanted, wishes)),
    }
}

/// What of a drawing's request a variation of its pictures repeats. Empty for models whose pictures
/// are varied by their look alone.
#[must_use]
pub fn repeated(drawing: &Payload) -> Map<String, Value> {
    let varies = form::find(
        forms(),
        Kind::ImageVariator,
        &drawing.model,
        &drawing.prompt_object,
    );
    let fields = drawing.prompt_object.iter().filter(|_| varies.is_some());
    fields
        .filter(|(name, _)| REPEATED.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The models to try for a variation, the one asked for first.
#[must_use]
pub fn variation_candidates(asked: &str) -> Vec<&str> {
    candidates(names::upstream(asked), VARIATION_ORDER)
}

/// The table of all families as Markdown.
#[must_use]
pub fn markdown() -> String {
    form::markdown(forms())
}

fn form(kind: Kind, model: &str, wanted: &Wanted) -> Option<&'static Form> {
    form::find(forms(), kind, model, &wanted.extra)
}

fn not_empty(field: &str, text: &str) -> Result<(), Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::new(field, format!("{field} must not be empty")));
    }
    Ok(())
}

fn fill(
    form: &Form,
    model: &str,
    wanted: &Wanted,
    mut wishes: Vec<(Knob, Value)>,
) -> Result<Payload, Invalid> {
    let shape = shape::shape(
        form,
        model,
        wanted.size.as_deref(),
        wanted.aspect_ratio.as_deref(),
    )?;
    wishes.extend(wanted.wishes());
    wishes.extend(shape.wishes);
    if let Some(count) = wanted.count {
        wishes.extend(count_wish(form, count));
    }
    let mut payload = form.fill(model, &wishes, &wanted.extra)?;
    let inexact = shape.unmet.iter().map(|name| (*name).to_owned());
    payload.ignored.extend(inexact);
    payload.ignored.dedup();
    Ok(payload)
}

/// Where a model always gives the same number, fewer may be asked for.
fn count_wish(form: &Form, count: u32) -> Option<(Knob, Value)> {
    let fixed = match form.field(Knob::Count).map(|field| field.rule) {
        Some(form::Rule::Whole(least, most)) if least == most => Some(least),
        // Without a field there is one picture.
        None => Some(1),
        _ => None,
    };
    let met = fixed.is_some_and(|fixed| i64::from(count) <= fixed && count > 0);
    (!met).then(|| (Knob::Count, count.into()))
}

/// What goes to a model that nobody has described.
fn generic(kind: Kind, model: &str, wanted: &Wanted, wishes: Vec<(Knob, Value)>) -> Payload {
    let name = |knob: Knob| match knob {
        Knob::Image => "imageUrl",
        Knob::Mask => "maskUrl",
        Knob::References => "additional_images",
        knob => knob.name(),
    };
    let text = |knob: Knob, value: &Option<String>| value.clone().map(|text| (knob, text.into()));
    let shape = [
        wanted.count.map(|count| (Knob::Count, count.into())),
        text(Knob::Size, &wanted.size),
        text(Knob::AspectRatio, &wanted.aspect_ratio),
    ];
    let all = wishes
        .into_iter()
        .chain(wanted.wishes())
        .chain(shape.into_iter().flatten());
    let mut fields: Map<String, Value> = all
        .filter(|(_, value)| *value != "auto")
        .map(|(knob, value)| (name(knob).to_owned(), value))
        .collect();
    fields.extend(wanted.extra.clone());
    Payload::new(kind, model, fields)
}

impl Edit {
    /// The feature that makes such a change.
    #[must_use]
    pub fn kind(&self) -> Kind {
        if self.mask.is_some() {
            Kind::ImageInpainter
        } else if self.wanted.extra.contains_key("search_prompt") {
            Kind::SearchAndReplace
        } else {
            Kind::ImageEditor
        }
    }
}

impl Wanted {
    /// Takes the flags out of the prompt and makes them wishes. Who writes a flag means this
    /// picture, so it goes before what a client sends with every request.
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

    /// The wishes, those for number and shape aside.
    fn wishes(&self) -> Vec<(Knob, Value)> {
        let text = |knob: Knob, value: &Option<String>| {
            let text = value
                .as_deref()
                .map(str::trim)
                .filter(|text| !text.is_empty());
            text.map(|text| (knob, Value::from(text)))
        };
        let prompt = (!self.prompt.is_empty()).then(|| self.prompt.as_str().into());
        [
            prompt.map(|prompt| (Knob::Prompt, prompt)),
            text(Knob::Quality, &self.quality),
            text(Knob::Style, &self.style),
            text(Knob::Background, &self.background),
            text(Knob::OutputFormat, &self.output_format),
            self.output_compression
                .map(|percent| (Knob::OutputCompression, percent.into())),
            text(Knob::Moderation, &self.moderation),
            text(Knob::NegativePrompt, &self.negative_prompt),
            text(Knob::Mode, &self.mode),
            self.seed
                .filter(|seed| *seed >= 0)
                .map(|seed| (Knob::Seed, seed.into())),
            self.steps.map(|steps| (Knob::Steps, steps.into())),
            self.guidance
                .map(|guidance| (Knob::Guidance, guidance.into())),
            self.niji.map(|niji| (Knob::Niji, niji.into())),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests;
