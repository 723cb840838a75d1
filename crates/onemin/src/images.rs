//! Images: drawn from text, changed, varied.
//!
//! What each model takes stands in one table, [`specs`]. Callers give [`ImageParams`], which mean the same for
//! every model.

pub mod aliases;
mod capabilities;
mod edit;
mod families;
mod params;
pub mod prompt_flags;
mod shape;
pub mod styles;

use serde_json::{Map, Value};

pub use capabilities::{counts, is_known, models};
pub use edit::Edit;
pub use families::specs;
pub use params::ImageParams;

use crate::features::spec::{self, ModelSpec, Param};
use crate::features::{Invalid, Kind, Payload, candidates};

/// An image to be varied.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Variation {
    /// The image: the path of an asset, or a URL. To vary the nth of several, give that one:
    /// upstream knows no numbers.
    pub image: String,
    /// How the image was drawn, as [`repeated`] gave it: what the model knows of it is done again,
    /// where nothing else is params.
    pub repeated: Map<String, Value>,
    /// What is params. Few models look at a prompt here.
    pub params: ImageParams,
}

/// The model that draws where none is named. DALL·E 3, which earlier clients took, is no longer listed.
pub const DEFAULT_MODEL: &str = "gpt-image-1-mini";

/// The model that changes images where none is named.
pub const DEFAULT_EDITOR: &str = "gpt-image-1";

/// Models that vary images, the best first: what to try when the one asked for cannot.
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
/// A value that the model does not accept, and what it accepts.
pub fn generation(model: &str, params: &ImageParams) -> Result<Payload, Invalid> {
    let model = aliases::current_id(model);
    not_empty("prompt", &params.prompt)?;
    match families::find(Kind::ImageGenerator, model, &params.extra) {
        Some(spec) => fill(spec, model, params, Vec::new()),
        None => Ok(generic(Kind::ImageGenerator, model, params, Vec::new())),
    }
}

/// The request to change an image, by the feature that [`Edit::feature`] finds.
///
/// # Errors
/// A value that the model does not accept, and what it accepts.
pub fn edit(model: &str, edit: &Edit) -> Result<Payload, Invalid> {
    let (model, kind) = edit.feature(model)?;
    let spec = families::find(kind, model, &edit.params.extra);
    if spec.is_none_or(|spec| spec.field(Param::Prompt).is_some()) {
        not_empty("prompt", &edit.params.prompt)?;
    }
    transform(kind, model, &edit.without_feature())
}

/// The request to vary an image.
///
/// # Errors
/// A value that the model does not accept, and what it accepts.
pub fn variation(model: &str, variation: &Variation) -> Result<Payload, Invalid> {
    let model = aliases::current_id(model);
    let mut edit = Edit {
        image: variation.image.clone(),
        params: variation.params.clone(),
        ..Edit::default()
    };
    if let Some(spec) = families::find(Kind::ImageVariator, model, &edit.params.extra) {
        let values = edit.params.values();
        let shaped = edit.params.size.is_some() || edit.params.aspect_ratio.is_some();
        for (name, value) in &variation.repeated {
            let field = spec.fields.iter().find(|field| field.name == name);
            let asked = field.is_some_and(|field| {
                let turned = values.iter().any(|(param, _)| field.param == Some(*param));
                turned || (shaped && SHAPE.contains(&name.as_str()))
            });
            if field.is_some() && !asked {
                let extra = edit.params.extra.entry(name.clone());
                extra.or_insert_with(|| value.clone());
            }
        }
    }
    transform(Kind::ImageVariator, model, &edit)
}

/// The request for any feature that begins with an image.
///
/// # Errors
/// A value that the model does not accept, and what it accepts.
pub fn transform(kind: Kind, model: &str, edit: &Edit) -> Result<Payload, Invalid> {
    // The page that describes images kept the old name.
    let model = match kind {
        Kind::ImageToPrompt => model,
        _ => aliases::current_id(model),
    };
    not_empty("image", &edit.image)?;
    let mut values = vec![(Param::Image, Value::from(edit.image.as_str()))];
    let reference = |at: usize| edit.references.get(at).map(|path| path.as_str().into());
    let spec = families::find(kind, model, &edit.params.extra);
    if let Some(mask) = &edit.mask {
        values.push((Param::Mask, mask.as_str().into()));
        if spec.is_none_or(|spec| spec.field(Param::Mask).is_none()) {
            let message = format!(
                "{model} takes no mask; these do: {}",
                capabilities::mask_models().join(", ")
            );
            return Err(Invalid::new("mask", message));
        }
    }
    if spec.is_none_or(|spec| spec.field(Param::References).is_some()) {
        let list: Vec<Value> = edit.references.iter().map(|r| r.as_str().into()).collect();
        if !list.is_empty() {
            values.push((Param::References, list.into()));
        }
    } else {
        values.extend(reference(0).map(|path| (Param::Reference, path)));
        values.extend(reference(1).map(|path| (Param::SecondReference, path)));
        let takes = |param| spec.is_some_and(|spec| spec.field(param).is_some());
        let most = [Param::Reference, Param::SecondReference];
        let most = most.into_iter().filter(|param| takes(*param)).count();
        if edit.references.len() > most {
            return Err(capabilities::too_many(kind, model, most));
        }
    }
    match spec {
        Some(spec) => fill(spec, model, &edit.params, values),
        None => Ok(generic(kind, model, &edit.params, values)),
    }
}

/// What of a drawing's request a variation of its images repeats. Empty for models whose images
/// are varied by their look alone.
#[must_use]
pub fn repeated(drawing: &Payload) -> Map<String, Value> {
    let varies = spec::find(
        specs(),
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
    candidates(aliases::current_id(asked), VARIATION_ORDER)
}

/// The table of all families as Markdown.
#[must_use]
pub fn markdown() -> String {
    spec::markdown::page(specs())
}

/// The names for one feature of a model as a table in Markdown.
#[must_use]
pub fn names_markdown() -> String {
    let rows = edit::names().map(|(name, model, kind)| {
        let feature = kind.as_str();
        format!("| `{name}` | `{model}` | {feature} |\n")
    });
    let head = "| Name | Model | Feature |\n|---|---|---|\n".to_owned();
    head + &rows.collect::<String>()
}

fn not_empty(field: &str, text: &str) -> Result<(), Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::new(field, format!("{field} must not be empty")));
    }
    Ok(())
}

fn fill(
    spec: &ModelSpec,
    model: &str,
    params: &ImageParams,
    mut values: Vec<(Param, Value)>,
) -> Result<Payload, Invalid> {
    let shape = shape::shape(
        spec,
        model,
        params.size.as_deref(),
        params.aspect_ratio.as_deref(),
    )?;
    values.extend(params.values());
    values.extend(shape.values);
    if let Some(count) = params.count {
        values.extend(count_value(spec, count));
    }
    let mut payload = spec.fill(model, &values, &params.extra)?;
    let inexact = shape.unmet.iter().map(|name| (*name).to_owned());
    payload.ignored.extend(inexact);
    payload.ignored.dedup();
    Ok(payload)
}

/// Where a model always gives the same number, fewer may be asked for.
fn count_value(spec: &ModelSpec, count: u32) -> Option<(Param, Value)> {
    let fixed = match spec.field(Param::Count).map(|field| field.rule) {
        Some(spec::Rule::Whole(least, most)) if least == most => Some(least),
        // Without a field there is one image.
        None => Some(1),
        _ => None,
    };
    let met = fixed.is_some_and(|fixed| i64::from(count) <= fixed && count > 0);
    (!met).then(|| (Param::Count, count.into()))
}

/// What goes to a model that nobody has described.
fn generic(kind: Kind, model: &str, params: &ImageParams, values: Vec<(Param, Value)>) -> Payload {
    let name = |param: Param| match param {
        Param::Image => "imageUrl",
        Param::Mask => "maskUrl",
        Param::References => "additional_images",
        param => param.name(),
    };
    let text =
        |param: Param, value: &Option<String>| value.clone().map(|text| (param, text.into()));
    let shape = [
        params.count.map(|count| (Param::Count, count.into())),
        text(Param::Size, &params.size),
        text(Param::AspectRatio, &params.aspect_ratio),
    ];
    let all = values
        .into_iter()
        .chain(params.values())
        .chain(shape.into_iter().flatten());
    let mut fields: Map<String, Value> = all
        .filter(|(_, value)| *value != "auto")
        .map(|(param, value)| (name(param).to_owned(), value))
        .collect();
    fields.extend(params.extra.clone());
    Payload::new(kind, model, fields)
}

#[cfg(test)]
mod tests;
