//! An image to be changed: which feature does it, and of which model.

use serde_json::{Map, Value};

use super::params::ImageParams;
use super::{aliases, families};
use crate::features::spec::{ModelSpec, Param};
use crate::features::{Invalid, Kind};

/// An image to be changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edit {
    /// The image: the path of an asset, or a URL.
    pub image: String,
    /// An image of the same size that shows where to change it. What its colours mean is not
    /// documented.
    pub mask: Option<String>,
    /// More images to look at.
    pub references: Vec<String>,
    /// What is params.
    pub params: ImageParams,
}

/// The field of a request that names the feature, in upstream's or in shorter words.
const FIELD: &str = "feature";

/// The features that change an image.
const FEATURES: [Kind; 10] = [
    Kind::ImageEditor,
    Kind::ImageInpainter,
    Kind::ImageObjectRemover,
    Kind::SearchAndReplace,
    Kind::BackgroundReplacer,
    Kind::BackgroundRemover,
    Kind::ImageExtender,
    Kind::ImageUpscaler,
    Kind::TextRemover,
    Kind::FaceSwapper,
];

/// Fields that say how far an image is continued.
const SIDES: [&str; 4] = ["left", "right", "up", "down"];

/// Names for one feature of a model, as other services have models for it: name, model, feature.
const NAMES: &[(&str, &str, Kind)] = &[
    ("stable-image-inpaint", "stable-image", Kind::ImageInpainter),
    ("stable-image-outpaint", "stable-image", Kind::ImageExtender),
    ("stable-image-upscale", "stable-image", Kind::ImageUpscaler),
    (
        "stable-image-erase-object",
        "stable-image",
        Kind::ImageObjectRemover,
    ),
    (
        "stable-image-search-replace",
        "stable-image",
        Kind::SearchAndReplace,
    ),
    (
        "stable-image-remove-background",
        "stable-image",
        Kind::BackgroundRemover,
    ),
    (
        "clipdrop-replace-background",
        "clipdrop",
        Kind::BackgroundReplacer,
    ),
    ("clipdrop-remove-text", "clipdrop", Kind::TextRemover),
    ("recraft-upscale", "recraft", Kind::ImageUpscaler),
    (
        "recraft-replace-background",
        "recraft",
        Kind::BackgroundReplacer,
    ),
    ("dzine-upscale", "dzine", Kind::ImageUpscaler),
    (
        "gpt-image-1-replace-background",
        "gpt-image-1",
        Kind::BackgroundReplacer,
    ),
    ("face-swap", "Qubico/image-toolkit", Kind::FaceSwapper),
];

/// The names for one feature of a model: name, model, feature.
pub(super) fn names() -> impl Iterator<Item = (&'static str, &'static str, Kind)> {
    NAMES.iter().copied()
}

impl Edit {
    /// The model and the feature that this comes to when a model is asked for it by name: as the
    /// name or the field `feature` says; else by what the request has (a mask, what to search, how
    /// far to continue) and by what the model can do.
    ///
    /// # Errors
    /// The model does several things, and nothing says which.
    pub fn feature<'m>(&self, model: &'m str) -> Result<(&'m str, Kind), Invalid> {
        if let Some((_, model, kind)) = NAMES.iter().find(|(name, ..)| *name == model) {
            return Ok((model, *kind));
        }
        let model = aliases::current_id(model);
        let extra = &self.params.extra;
        if let Some(named) = extra.get(FIELD) {
            return Ok((model, of_name(named)?));
        }
        let knows = |kind| families::find(kind, model, &Map::new()).is_some();
        let kind = if self.mask.is_some() {
            let erases = self.params.prompt.trim().is_empty() && knows(Kind::ImageObjectRemover);
            let only_erases = knows(Kind::ImageObjectRemover) && !knows(Kind::ImageInpainter);
            if erases || only_erases {
                Kind::ImageObjectRemover
            } else {
                Kind::ImageInpainter
            }
        } else if extra.contains_key("search_prompt") {
            Kind::SearchAndReplace
        } else if knows(Kind::ImageExtender) && SIDES.iter().any(|side| extra.contains_key(*side)) {
            Kind::ImageExtender
        } else {
            return Ok((model, self.of_abilities(model)?));
        };
        Ok((model, kind))
    }

    /// The one feature of a model that takes just what the request has. A model that nobody has
    /// described edits.
    fn of_abilities(&self, model: &str) -> Result<Kind, Invalid> {
        let known = FEATURES.into_iter().filter_map(|kind| {
            let spec = families::find(kind, model, &Map::new())?;
            Some((kind, spec))
        });
        let known: Vec<(Kind, &ModelSpec)> = known.collect();
        let edits = known.iter().any(|(kind, _)| *kind == Kind::ImageEditor);
        if edits || known.is_empty() {
            return Ok(Kind::ImageEditor);
        }
        if let [(kind, _)] = known.as_slice() {
            return Ok(*kind);
        }
        let has_prompt = !self.params.prompt.trim().is_empty();
        let mut fitting = known.iter().filter(|(kind, spec)| {
            let takes_prompt = spec.field(Param::Prompt).is_some();
            let needs_more = [Kind::SearchAndReplace, Kind::ImageExtender].contains(kind)
                || spec.field(Param::Mask).is_some();
            takes_prompt == has_prompt && !needs_more
        });
        if let (Some((kind, _)), None) = (fitting.next(), fitting.next()) {
            return Ok(*kind);
        }
        let all: Vec<String> = known.iter().map(|(kind, _)| short_name(*kind)).collect();
        let message = format!(
            "{model} does several things to an image: say which by `{FIELD}`: {}",
            all.join(", ")
        );
        Err(Invalid::new(FIELD, message))
    }

    /// The same without the field that names the feature, which upstream does not know.
    pub(super) fn without_feature(&self) -> Self {
        let mut edit = self.clone();
        edit.params.extra.remove(FIELD);
        edit
    }
}

/// Upstream's name in the words of a client: `image_upscaler`, `Image Upscaler`, `IMAGE-UPSCALER`.
fn of_name(named: &Value) -> Result<Kind, Invalid> {
    let text = named.as_str().unwrap_or_default().trim().to_uppercase();
    let text = text.replace(['-', ' '], "_");
    let kind = FEATURES.into_iter().find(|kind| kind.as_str() == text);
    kind.ok_or_else(|| {
        let all: Vec<String> = FEATURES.into_iter().map(short_name).collect();
        Invalid::new(FIELD, format!("it must be one of {}", all.join(", ")))
    })
}

fn short_name(kind: Kind) -> String {
    kind.as_str().to_lowercase()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::images::edit;

    fn request(prompt: &str, mask: bool, extra: &Value) -> Edit {
        Edit {
            image: "images/a.png".to_owned(),
            mask: mask.then(|| "images/m.png".to_owned()),
            params: ImageParams {
                prompt: prompt.to_owned(),
                extra: extra.as_object().cloned().unwrap_or_default(),
                ..ImageParams::default()
            },
            ..Edit::default()
        }
    }

    /// Checks rows of a model, its request, and the model and the feature that it comes to.
    fn check(rows: &[(&str, Edit, &str, Kind)]) {
        for (model, asked, expected, kind) in rows {
            let found = asked.feature(model).unwrap();
            assert_eq!(found, (*expected, *kind), "{model} {asked:?}");
            let payload = edit(model, asked).unwrap();
            assert_eq!((payload.model.as_str(), payload.kind), found, "{model}");
            assert!(!payload.prompt_object.contains_key(FIELD));
        }
    }

    #[test]
    fn a_name_a_field_or_what_the_request_has_chooses_the_feature() {
        let stable = "stable-image";
        let of = |prompt, mask, extra: Value| request(prompt, mask, &extra);
        check(&[
            (
                stable,
                of("a hat", true, json!({})),
                stable,
                Kind::ImageInpainter,
            ),
            (
                stable,
                of("", true, json!({})),
                stable,
                Kind::ImageObjectRemover,
            ),
            (
                stable,
                of("dog", false, json!({"search_prompt": "cat"})),
                stable,
                Kind::SearchAndReplace,
            ),
            (
                stable,
                of("", false, json!({"left": 200})),
                stable,
                Kind::ImageExtender,
            ),
            (
                stable,
                of("", false, json!({"feature": "background-remover"})),
                stable,
                Kind::BackgroundRemover,
            ),
            (
                "stable-image-upscale",
                of("", false, json!({})),
                stable,
                Kind::ImageUpscaler,
            ),
        ]);
    }

    #[test]
    fn what_a_model_can_do_chooses_the_feature() {
        let (words, none) = (
            request("a hat", false, &json!({})),
            request("", false, &json!({})),
        );
        let masked = request("a hat", true, &json!({}));
        let (gpt, fill) = ("gpt-image-1", "black-forest-labs/flux-fill-pro");
        let kontext = "black-forest-labs/flux-kontext-max";
        check(&[
            (gpt, words.clone(), gpt, Kind::ImageEditor),
            (gpt, masked.clone(), gpt, Kind::ImageInpainter),
            (
                "clipdrop",
                words.clone(),
                "clipdrop",
                Kind::BackgroundReplacer,
            ),
            ("clipdrop", none, "clipdrop", Kind::TextRemover),
            (
                "bria/eraser",
                masked.clone(),
                "bria/eraser",
                Kind::ImageObjectRemover,
            ),
            (fill, masked, fill, Kind::ImageInpainter),
            (kontext, words.clone(), kontext, Kind::ImageEditor),
            ("next-year", words, "next-year", Kind::ImageEditor),
        ]);
    }

    #[test]
    fn where_nothing_says_which_it_is_asked_for() {
        let error = request("", false, &json!({}))
            .feature("stable-image")
            .unwrap_err();
        assert_eq!(error.field, "feature");
        assert!(
            error.message.contains("image_upscaler"),
            "{}",
            error.message
        );
        let error = request("", false, &json!({"feature": "magic"}))
            .feature("clipdrop")
            .unwrap_err();
        assert!(error.message.contains("text_remover"), "{}", error.message);
        assert_eq!(
            edit("gpt-image-1", &request("", false, &json!({})))
                .unwrap_err()
                .field,
            "prompt"
        );
    }

    #[test]
    fn every_name_leads_to_a_feature_that_its_model_has() {
        for (name, model, kind) in names() {
            assert!(families::find(kind, model, &Map::new()).is_some(), "{name}");
        }
    }
}
