//! `GET /models?feature=…`: the catalogue, made of the table of known models.
//!
//! Entries that the fixtures show are given as they stand there; the others are filled in from the
//! table. Every list also has what clients must filter or survive: a disabled model, the pseudo
//! entry `NOT_APPLICABLE`, one active model without `modality`, dates of deprecation.

use std::collections::HashMap;
use std::sync::LazyLock;

use http::request::Parts;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::answer::refused;
use crate::fault::Faults;
use crate::prices;
use crate::refusal::Refusal;
use crate::script::Script;

const TABLE: &str = include_str!("../../../fixtures/onemin/models.tsv");
const SHOWN: [&str; 2] = [
    include_str!("../../../fixtures/onemin/models-chat.response.json"),
    include_str!("../../../fixtures/onemin/models-image.response.json"),
];

/// An active chat model whose entry has `modality: null`.
pub(crate) const WITHOUT_MODALITY: &str = "sonar-deep-research";

/// A retired model for which the page of one feature was never changed.
const DESCRIBES: &str = "midjourney";

/// The feature of `POST /api/chat-with-ai`.
const CHAT: &str = "UNIFY_CHAT_WITH_AI";

/// The table of known models, without those that are retired.
static MODELS: LazyLock<Vec<Model>> =
    LazyLock::new(|| TABLE.lines().filter_map(Model::read).collect());

/// Provider of each chat model that answers, in the spelling of `modelDetail`.
static CHAT_PROVIDERS: LazyLock<HashMap<&str, String>> = LazyLock::new(|| {
    let chat = MODELS.iter().filter(|model| model.features.contains(&CHAT));
    chat.map(|model| (model.id, model.provider().to_uppercase()))
        .collect()
});

/// A row of the table.
struct Model {
    id: &'static str,
    provider: &'static str,
    features: Vec<&'static str>,
    inputs: Vec<&'static str>,
    output: &'static str,
    note: &'static str,
}

impl Model {
    fn read(line: &'static str) -> Option<Self> {
        let mut cells = line.split('\t');
        let [id, provider, kind, features, inputs] =
            std::array::from_fn(|_| cells.next().unwrap_or_default());
        let output = match kind {
            "chat" | "code" | "stt" | "audio-translate" => "text",
            "image" => "image",
            "tts" | "music" => "audio",
            "video" => "video",
            _ => return None,
        };
        let features = features
            .split(',')
            .filter_map(|name| name.split('(').next())
            .collect();
        let inputs = inputs.split([',', '/']).filter_map(modality).collect();
        Some(Self {
            id,
            provider,
            features,
            inputs,
            output,
            note: cells.next().unwrap_or_default(),
        })
    }

    /// Whether it answers for the feature: some are listed and refused.
    fn serves(&self, feature: &str) -> bool {
        self.features.contains(&feature) && !self.note.starts_with("DISABLED")
    }

    /// The service that runs it, as the context of a refusal names it.
    fn service(&self) -> &'static str {
        match self.provider {
            "OpenAI" => "openai",
            "Alibaba" => "alibaba",
            "StabilityAI" => "stability",
            "Google" | "GoogleAI" => "google",
            "ElevenLabs" => "elevenlabs",
            "Leonardo.ai" => "leonardo",
            provider if provider.contains("Replicate") => "replicate",
            provider => provider.split(' ').next().unwrap_or_default(),
        }
    }

    /// The provider in the spelling of the list: small letters and digits.
    fn provider(&self) -> String {
        if self.provider == "AWS Bedrock" {
            return "anthropic".to_owned();
        }
        let name = self.provider.split(" (").next().unwrap_or_default();
        name.chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_lowercase()
    }

    fn entry(&self, number: usize, feature: &str) -> Value {
        let modality = json!({"INPUT": self.inputs, "OUTPUT": [self.output]});
        let deprecated = self
            .note
            .split("deprecationDate ")
            .nth(1)
            .and_then(|rest| rest.get(..10));
        entry(&Shown {
            number,
            id: self.id,
            name: &format!("{} - {}", self.id, self.provider),
            provider: &self.provider(),
            status: "ACTIVE",
            deprecated: deprecated.map(|day| format!("{day}T00:00:00.000Z")),
            features: &self.features,
            price: prices::metadata(feature, self.id),
            modality: Some(modality).filter(|_| self.id != WITHOUT_MODALITY),
        })
    }
}

/// The first word of a cell such as `text[` or `image for edit]`; nothing when it ends with a
/// question mark, which means that nobody confirmed it.
fn modality(cell: &'static str) -> Option<&'static str> {
    let cell = cell.trim();
    let word = cell.split(|c: char| !c.is_ascii_alphabetic()).next()?;
    (!word.is_empty() && !cell.ends_with('?')).then_some(word)
}

/// Answers `GET /models`.
pub(crate) fn list(head: &Parts, faults: &Faults) -> Answer {
    if let Some(refusal) = faults.iter().find_map(Refusal::of_fault) {
        return refused(refusal, faults);
    }
    let query = head.uri.query().unwrap_or_default();
    let feature = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("feature="));
    let models = feature.map(entries).unwrap_or_default();
    let body = json!({"models": models, "total": models.len()}).to_string();
    Answer::json(body, &Script::default(), faults)
}

/// The provider of a chat model that answers, in capitals; `None` for any other id.
pub(crate) fn chat_provider(model: &str) -> Option<&'static str> {
    CHAT_PROVIDERS.get(model).map(String::as_str)
}

/// The provider of a model that serves a feature, as refusals name it; `None` if it does not.
pub(crate) fn provider(id: &str, feature: &str) -> Option<&'static str> {
    let model = MODELS
        .iter()
        .find(|model| model.id == id && model.serves(feature));
    let described = (feature == "IMAGE_TO_PROMPT" && id == DESCRIBES).then_some("ttapi");
    model.map(Model::service).or(described)
}

/// The models that serve a feature.
#[cfg(test)]
pub(crate) fn ids(feature: &str) -> Vec<&'static str> {
    let serving = MODELS.iter().filter(|model| model.serves(feature));
    serving.map(|model| model.id).collect()
}

/// The entries of a feature; none for a feature that no model has.
fn entries(feature: &str) -> Vec<Value> {
    let shown = shown();
    let mut entries: Vec<Value> = MODELS
        .iter()
        .enumerate()
        .filter(|(_, model)| model.features.contains(&feature))
        .map(|(number, model)| {
            shown
                .get(model.id)
                .cloned()
                .unwrap_or_else(|| model.entry(number, feature))
        })
        .collect();
    if !entries.is_empty() {
        entries.push(extra(MODELS.len(), "retired-sample", "DISABLED", feature));
        entries.push(extra(MODELS.len() + 1, "NOT_APPLICABLE", "ACTIVE", feature));
    }
    entries
}

/// The entries that the fixtures show, by id.
fn shown() -> HashMap<String, Value> {
    let lists = SHOWN
        .iter()
        .filter_map(|text| serde_json::from_str::<Value>(text).ok());
    let entries = lists.flat_map(|list| {
        list.get("models")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    });
    entries
        .filter_map(|entry| Some((entry.get("modelId")?.as_str()?.to_owned(), entry)))
        .collect()
}

fn extra(number: usize, id: &str, status: &str, feature: &str) -> Value {
    let (provider, features) = ("openai", &[feature][..]);
    entry(&Shown {
        number,
        id,
        name: id,
        provider,
        status,
        deprecated: None,
        features,
        price: json!({}),
        modality: None,
    })
}

/// What differs between the entries.
struct Shown<'a> {
    number: usize,
    id: &'a str,
    name: &'a str,
    provider: &'a str,
    status: &'a str,
    deprecated: Option<String>,
    features: &'a [&'a str],
    price: Value,
    modality: Option<Value>,
}

/// An entry in the shape of `models-chat.response.json`.
fn entry(shown: &Shown<'_>) -> Value {
    json!({
        "uuid": format!("00000000-0000-4000-8000-{:012}", shown.number + 1001),
        "modelId": shown.id,
        "name": shown.name,
        "group": shown.provider,
        "provider": shown.provider,
        "status": shown.status,
        "cutoffDate": null,
        "deprecationDate": shown.deprecated,
        "logoUrl": format!("logos/{}.png", shown.provider),
        "features": shown.features,
        "creditMetadata": shown.price,
        "modality": shown.modality,
        "information": null,
        "createdAt": "2026-01-01T00:00:00.000Z",
        "createdBy": "SYSTEM",
        "updatedAt": "2026-09-01T00:00:00.000Z",
        "updatedBy": "SYSTEM",
        "numberOfStars": null,
        "creditEstimation": null,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{WITHOUT_MODALITY, chat_provider, entries};

    #[test]
    fn the_chat_list_holds_all_known_models_and_what_clients_must_survive() {
        let entries = entries("UNIFY_CHAT_WITH_AI");
        assert_eq!(entries.len(), 105);
        let with = |field: &str, value: &str| entries.iter().filter(|e| e[field] == value).count();
        assert_eq!(
            (
                with("status", "DISABLED"),
                with("modelId", "NOT_APPLICABLE")
            ),
            (1, 1)
        );
        assert!(
            entries
                .iter()
                .any(|e| e["modelId"] == WITHOUT_MODALITY && e["modality"] == Value::Null)
        );
        assert!(
            entries
                .iter()
                .filter(|e| e["deprecationDate"] != Value::Null)
                .count()
                >= 3
        );
        let gpt5 = entries
            .iter()
            .find(|e| e["modelId"] == "gpt-5")
            .expect("gpt-5");
        assert_eq!(gpt5["creditMetadata"]["OUTPUT"], 10);
    }

    #[test]
    fn every_feature_has_models_and_an_unknown_one_has_none() {
        for feature in [
            "IMAGE_GENERATOR",
            "IMAGE_EDITOR",
            "IMAGE_VARIATOR",
            "SPEECH_TO_TEXT",
            "TEXT_TO_SPEECH",
        ] {
            assert!(entries(feature).len() > 3, "{feature}");
        }
        assert_eq!(entries("NO_SUCH"), Vec::<Value>::new());
    }

    #[test]
    fn modalities_are_single_words_and_confirmed() {
        for entry in entries("IMAGE_GENERATOR")
            .iter()
            .chain(&entries("UNIFY_CHAT_WITH_AI"))
        {
            for input in entry["modality"]["INPUT"].as_array().into_iter().flatten() {
                assert!(
                    ["text", "image", "audio"].contains(&input.as_str().unwrap_or_default()),
                    "{entry}"
                );
            }
        }
        let flash = entries("UNIFY_CHAT_WITH_AI")
            .into_iter()
            .find(|e| e["modelId"] == "qwen3.7-flash");
        assert_eq!(
            flash.expect("in the table")["modality"]["INPUT"],
            serde_json::json!(["text"])
        );
    }

    #[test]
    fn only_active_chat_models_answer() {
        assert_eq!(chat_provider("gpt-4o-mini"), Some("OPENAI"));
        assert_eq!(chat_provider("glm-5.3"), Some("ZAI"));
        assert_eq!(
            chat_provider("us.anthropic.claude-haiku-4-5-20251001-v1:0"),
            Some("ANTHROPIC")
        );
        for id in [
            "retired-sample",
            "NOT_APPLICABLE",
            "gpt-image-1",
            "claude-opus-4-8",
            "mistral-nemo",
            "",
        ] {
            assert_eq!(chat_provider(id), None, "{id}");
        }
    }
}
