//! `GET /api/tags`, `POST /api/show`, `GET /api/ps`, `POST /api/pull`: models as Ollama describes
//! them. What only files on a disk have (a size, a template, weights) is empty.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::options;
use crate::dialect::request::forms::Object;
use crate::dialect::time::rfc3339;
use crate::dialect::{json, request};
use crate::failure::Failure;

/// The version of Ollama whose API this is. VS Code refuses one below 0.6.4.
pub const VERSION: &str = "0.18.3";

/// One model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The name by which it is asked.
    pub id: String,
    /// The name to show.
    pub display_name: String,
    /// Who makes it, if that is known.
    pub provider: Option<String>,
    /// The most tokens it reads, if that is known.
    pub context_length: Option<u64>,
    /// Whether it sees images.
    pub vision: bool,
    /// When it was added, in seconds since 1970.
    pub modified: u64,
    /// 64 hexadecimal digits that stand for this model only.
    pub digest: String,
}

impl Model {
    /// A word for the kind of model, such as `openai`.
    fn family(&self) -> String {
        let provider = self.provider.as_deref().unwrap_or("unknown");
        let letters = provider.chars().filter(char::is_ascii_alphanumeric);
        letters.map(|c| c.to_ascii_lowercase()).collect()
    }

    fn capabilities(&self) -> Vec<&'static str> {
        let vision = self.vision.then_some("vision");
        ["completion", "tools"].into_iter().chain(vision).collect()
    }

    fn details(&self) -> Details {
        let family = self.family();
        Details {
            parent_model: "",
            format: "",
            families: [family.clone()],
            family,
            parameter_size: "",
            quantization_level: "",
        }
    }
}

#[derive(Serialize)]
struct Tags<'a> {
    models: Vec<Tag<'a>>,
}

#[derive(Serialize)]
struct Tag<'a> {
    name: &'a str,
    model: &'a str,
    modified_at: String,
    size: u64,
    digest: &'a str,
    details: Details,
    capabilities: Vec<&'static str>,
}

#[derive(Serialize)]
struct Details {
    parent_model: &'static str,
    format: &'static str,
    family: String,
    families: [String; 1],
    parameter_size: &'static str,
    quantization_level: &'static str,
}

/// The list of models.
#[must_use]
pub fn tags(models: &[Model]) -> Vec<u8> {
    let models = models.iter().map(|model| Tag {
        name: &model.id,
        model: &model.id,
        modified_at: rfc3339(model.modified),
        size: 0,
        digest: &model.digest,
        details: model.details(),
        capabilities: model.capabilities(),
    });
    json::text(&Tags {
        models: models.collect(),
    })
}

#[derive(Serialize)]
struct Shown {
    license: &'static str,
    modelfile: String,
    parameters: &'static str,
    template: &'static str,
    details: Details,
    model_info: Map<String, Value>,
    capabilities: Vec<&'static str>,
    modified_at: String,
}

/// The description of one model.
#[must_use]
pub fn show(model: &Model) -> Vec<u8> {
    let family = model.family();
    let mut model_info = Map::new();
    model_info.insert("general.architecture".to_owned(), family.as_str().into());
    model_info.insert(
        "general.basename".to_owned(),
        model.display_name.as_str().into(),
    );
    if let Some(length) = model.context_length {
        model_info.insert(format!("{family}.context_length"), length.into());
    }
    json::text(&Shown {
        license: "",
        modelfile: format!("FROM {}\n", model.id),
        parameters: "",
        template: "{{ .Prompt }}",
        details: model.details(),
        model_info,
        capabilities: model.capabilities(),
        modified_at: rfc3339(model.modified),
    })
}

/// A request about one model.
#[derive(Debug, PartialEq, Eq)]
pub struct ModelRequest {
    /// The model, less the suffix that asks for web search.
    pub model: String,
    /// Whether the answer is wanted line by line.
    pub streamed: bool,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    model: Option<String>,
    /// The field's older name.
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    stream: Option<bool>,
}

/// Reads a request about one model.
///
/// # Errors
/// An invalid request: the failure names the field at fault.
pub fn request(body: &[u8]) -> Result<ModelRequest, Failure> {
    let Object(wire) = request::parse::<Object<Wire>>(body)?;
    let filled = |name: Option<String>| name.filter(|name| !name.is_empty());
    let (model, _) = options::model(filled(wire.model).or(filled(wire.name)))?;
    Ok(ModelRequest {
        model,
        streamed: wire.stream != Some(false),
    })
}

/// The answer to a pull of a model that is there: there is nothing to fetch.
pub const PULLED: &str = "{\"status\":\"success\"}\n";

/// The models in memory: none is.
pub const RUNNING: &str = "{\"models\":[]}";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model() -> Model {
        Model {
            id: "us.anthropic.claude-v1:0".to_owned(),
            display_name: "Claude".to_owned(),
            provider: Some("Anthropic AI".to_owned()),
            context_length: Some(200_000),
            vision: true,
            modified: 1_700_000_000,
            digest: "0f".repeat(32),
        }
    }

    #[test]
    fn a_model_is_listed_under_both_of_its_names() {
        let tags: Value = serde_json::from_slice(&tags(&[model()])).unwrap();
        let tag = &tags["models"][0];
        assert_eq!(tag["name"], "us.anthropic.claude-v1:0");
        assert_eq!(tag["model"], tag["name"]);
        assert_eq!(tag["modified_at"], "2023-11-14T22:13:20Z");
        assert_eq!(tag["details"]["family"], "anthropicai");
        assert_eq!(
            tag["capabilities"],
            json!(["completion", "tools", "vision"])
        );
    }

    #[test]
    fn a_description_tells_the_length_of_the_context_by_the_architectures_name() {
        let shown: Value = serde_json::from_slice(&show(&model())).unwrap();
        let info = &shown["model_info"];
        assert_eq!(info["general.architecture"], "anthropicai");
        assert_eq!(info["general.basename"], "Claude");
        assert_eq!(info["anthropicai.context_length"], 200_000);
        let unknown = Model {
            provider: None,
            context_length: None,
            vision: false,
            ..model()
        };
        let shown: Value = serde_json::from_slice(&show(&unknown)).unwrap();
        assert!(shown["model_info"].is_object());
        assert_eq!(shown["capabilities"], json!(["completion", "tools"]));
    }

    #[test]
    fn a_request_names_its_model_by_either_field() {
        for body in [
            json!({"model": "m", "stream": false}),
            json!({"name": "m", "stream": false}),
            json!({"model": "", "name": "m", "stream": false}),
        ] {
            let asked = request(body.to_string().as_bytes()).unwrap();
            let expected = ModelRequest {
                model: "m".to_owned(),
                streamed: false,
            };
            assert_eq!(asked, expected, "{body}");
        }
        assert!(request(b"{}").is_err());
    }
}
