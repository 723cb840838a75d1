//! `POST /api/embed` and the older `/api/embeddings`: put into the words of OpenAI's embeddings,
//! which the server behind speaks, and its answer put back.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::dialect::request::forms::{Count, Object, OneOrMany};
use crate::dialect::{json, request};
use crate::failure::{Failure, Kind};

/// A request for embeddings.
#[derive(Debug)]
pub struct EmbedRequest {
    model: String,
    inputs: Vec<String>,
    dimensions: Option<u64>,
    /// Whether it came by the older endpoint, which knows one input.
    older: bool,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    input: Option<OneOrMany>,
    #[serde(default)]
    dimensions: Option<Count>,
}

#[derive(Deserialize)]
struct OlderWire {
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    prompt: Option<String>,
}

#[derive(Serialize)]
struct Asked<'a> {
    model: &'a str,
    input: &'a [String],
    encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u64>,
}

#[derive(Deserialize)]
struct Given<'a> {
    #[serde(borrow)]
    data: Vec<Datum<'a>>,
    #[serde(default)]
    usage: Option<Counts>,
}

#[derive(Deserialize)]
struct Datum<'a> {
    #[serde(default)]
    index: usize,
    #[serde(borrow)]
    embedding: &'a RawValue,
}

#[derive(Deserialize)]
struct Counts {
    #[serde(default)]
    prompt_tokens: u64,
}

#[derive(Serialize)]
struct Embedded<'a> {
    model: &'a str,
    embeddings: Vec<&'a RawValue>,
    total_duration: u64,
    load_duration: u64,
    prompt_eval_count: u64,
}

#[derive(Serialize)]
struct OlderEmbedded<'a> {
    embedding: Option<&'a RawValue>,
}

impl EmbedRequest {
    /// Reads the body of `/api/embed`.
    ///
    /// # Errors
    /// An invalid request: the failure names the field at fault.
    pub fn of(body: &[u8]) -> Result<Self, Failure> {
        let Object(wire) = request::parse::<Object<Wire>>(body)?;
        let inputs = match wire.input {
            None => Vec::new(),
            Some(OneOrMany::One(text)) if text.is_empty() => Vec::new(),
            Some(OneOrMany::One(text)) => vec![text],
            Some(OneOrMany::Many(texts)) => texts,
        };
        Ok(Self {
            model: model(wire.model)?,
            inputs,
            dimensions: wire.dimensions.map(|count| count.0).filter(|n| *n > 0),
            older: false,
        })
    }

    /// Reads the body of `/api/embeddings`.
    ///
    /// # Errors
    /// An invalid request: the failure names the field at fault.
    pub fn of_older(body: &[u8]) -> Result<Self, Failure> {
        let Object(wire) = request::parse::<Object<OlderWire>>(body)?;
        let prompt = wire.prompt.filter(|text| !text.is_empty());
        Ok(Self {
            model: model(wire.model)?,
            inputs: prompt.into_iter().collect(),
            dimensions: None,
            older: true,
        })
    }

    /// What the server behind is asked. None if nothing is to be embedded.
    #[must_use]
    pub fn asked(&self) -> Option<Vec<u8>> {
        let model = self.model.strip_suffix(":latest").unwrap_or(&self.model);
        let asked = Asked {
            model,
            input: &self.inputs,
            encoding_format: "float",
            dimensions: self.dimensions,
        };
        (!self.inputs.is_empty()).then(|| json::text(&asked))
    }

    /// The answer, from the server's; none if nothing was asked. `nanoseconds` is how long it took.
    ///
    /// # Errors
    /// A [`Kind::Upstream`] failure: the server's answer holds no embedding for each input.
    pub fn answer(&self, given: Option<&[u8]>, nanoseconds: u64) -> Result<Vec<u8>, Failure> {
        let useless = || {
            let message = "The embeddings server's answer cannot be used: it has not one list of numbers for each input.";
            Failure::new(Kind::Upstream, message)
        };
        let given: Option<Given<'_>> = given
            .map(serde_json::from_slice)
            .transpose()
            .map_err(|_| useless())?;
        let tokens = given.as_ref().and_then(|given| given.usage.as_ref());
        let tokens = tokens.map_or(0, |usage| usage.prompt_tokens);
        let mut data = given.map(|given| given.data).unwrap_or_default();
        data.sort_by_key(|datum| datum.index);
        let is_list = |datum: &Datum<'_>| datum.embedding.get().starts_with('[');
        if data.len() != self.inputs.len() || !data.iter().all(is_list) {
            return Err(useless());
        }
        let mut embeddings = data.into_iter().map(|datum| datum.embedding);
        if self.older {
            let embedding = embeddings.next();
            return Ok(match embedding {
                Some(_) => json::text(&OlderEmbedded { embedding }),
                None => b"{\"embedding\":[]}".to_vec(),
            });
        }
        Ok(json::text(&Embedded {
            model: &self.model,
            embeddings: embeddings.collect(),
            total_duration: nanoseconds.max(1),
            load_duration: 1,
            prompt_eval_count: tokens,
        }))
    }
}

/// What a server that speaks OpenAI's API says of its error; none if it says nothing that can be read.
#[must_use]
pub fn reason(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let error = body.get("error")?;
    let message = error.get("message").unwrap_or(error);
    message.as_str().map(str::to_owned)
}

fn model(name: Option<String>) -> Result<String, Failure> {
    let name = name.filter(|name| !name.trim().is_empty());
    name.ok_or_else(|| Failure::invalid("model", "`model` is missing."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn embed(body: &Value) -> EmbedRequest {
        EmbedRequest::of(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn inputs_are_asked_for_in_openais_words_and_answered_in_their_order() {
        let asked = embed(&json!({"model": "e:latest", "input": ["a", "b"], "truncate": true}));
        let body: Value = serde_json::from_slice(&asked.asked().unwrap()).unwrap();
        assert_eq!(
            body,
            json!({"model": "e", "input": ["a", "b"], "encoding_format": "float"})
        );
        let given = br#"{"data": [{"index": 1, "embedding": [2.50]}, {"index": 0, "embedding": [1e-3]}], "usage": {"prompt_tokens": 3}}"#;
        let answer = String::from_utf8(asked.answer(Some(given), 0).unwrap()).unwrap();
        assert_eq!(
            answer,
            r#"{"model":"e:latest","embeddings":[[1e-3],[2.50]],"total_duration":1,"load_duration":1,"prompt_eval_count":3}"#
        );
    }

    #[test]
    fn the_older_endpoint_has_one_embedding() {
        let asked = EmbedRequest::of_older(br#"{"model": "e", "prompt": "a"}"#).unwrap();
        let given = br#"{"data": [{"embedding": [1, 2]}]}"#;
        let answer = asked.answer(Some(given), 0).unwrap();
        assert_eq!(answer, br#"{"embedding":[1, 2]}"#);
        let nothing = EmbedRequest::of_older(br#"{"model": "e", "prompt": ""}"#).unwrap();
        assert_eq!(nothing.asked(), None);
        assert_eq!(nothing.answer(None, 0).unwrap(), br#"{"embedding":[]}"#);
    }

    #[test]
    fn an_answer_with_too_few_or_other_embeddings_is_a_failure() {
        let asked = embed(&json!({"model": "e", "input": ["a", "b"]}));
        for given in [
            r#"{"data": [{"embedding": [1]}]}"#,
            r#"{"data": [{"embedding": [1]}, {"embedding": "AAAA"}]}"#,
            "no JSON",
        ] {
            let failure = asked.answer(Some(given.as_bytes()), 0).unwrap_err();
            assert_eq!(failure.kind, Kind::Upstream, "{given}");
        }
    }

    #[test]
    fn a_servers_reason_is_found() {
        for (body, expected) in [
            (r#"{"error": {"message": "too long"}}"#, Some("too long")),
            (r#"{"error": "too long"}"#, Some("too long")),
            ("<html>", None),
        ] {
            assert_eq!(reason(body.as_bytes()).as_deref(), expected);
        }
    }
}
