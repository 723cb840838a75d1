//! The model in a URL, as Azure's clients have it: `/openai/deployments/{model}/…`. It counts, whatever
//! the body says of one.

use bytes::Bytes;
use http::Uri;
use translate::dialect::request::passed_on::PassedOn;

/// What paths of Azure's begin with.
const DEPLOYMENTS: &str = "/openai/deployments/";

/// The model that a URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment(pub String);

impl Deployment {
    /// That of a URL, and the rest of the URL; none if it names no model.
    #[must_use]
    pub fn in_url(uri: &Uri) -> Option<(Self, String)> {
        let rest = uri.path().strip_prefix(DEPLOYMENTS)?;
        let (model, path) = rest.split_once('/')?;
        let model = percent_encoding::percent_decode_str(model)
            .decode_utf8()
            .ok()?;
        (!model.is_empty()).then(|| (Self(model.into_owned()), format!("/v1/{path}")))
    }

    /// A JSON body with this model. What is no JSON object stays as it is, to be refused by who
    /// reads it.
    #[must_use]
    pub fn put_into(&self, body: Bytes) -> Bytes {
        match PassedOn::read(&body) {
            Ok(fields) => fields.with("model", &self.0).into(),
            Err(_) => body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_of_the_url_counts() {
        let url = "/openai/deployments/gpt-4o%2Fmini/chat/completions?api-version=2024-10-21";
        let (deployment, path) = Deployment::in_url(&url.parse().unwrap()).unwrap();
        assert_eq!(path, "/v1/chat/completions");
        for (body, expected) in [
            (r#"{"n":1.0}"#, r#"{"n":1.0,"model":"gpt-4o/mini"}"#),
            (r#"{"model":"other"}"#, r#"{"model":"gpt-4o/mini"}"#),
            ("[1]", "[1]"),
            ("{", "{"),
        ] {
            assert_eq!(deployment.put_into(Bytes::from(body)), expected);
        }
        let none = [
            "/openai/deployments/gpt-4o",
            "/openai/deployments//chat",
            "/v1/models",
        ];
        for url in none {
            assert_eq!(Deployment::in_url(&url.parse().unwrap()), None, "{url}");
        }
    }
}
