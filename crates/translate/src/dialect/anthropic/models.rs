//! `GET /v1/models` and `GET /v1/models/{id}` as Anthropic shapes them.

use serde::Serialize;

use super::model_names;
use crate::dialect::list_query::ListQuery;
use crate::dialect::time::rfc3339;
use crate::failure::{Failure, echo};

/// One model of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub display_name: String,
    /// When it was released, in seconds since 1970; 0 if not known, as Anthropic has it.
    pub created: u64,
    /// The most tokens of a prompt, if known.
    pub max_input_tokens: Option<u64>,
    /// The most tokens of an answer, if known.
    pub max_tokens: Option<u64>,
    /// Where it stands between release and retirement.
    pub lifecycle: Lifecycle,
    /// When it will not be served any more, in seconds since 1970, if known.
    pub retires: Option<u64>,
}

/// Where a model stands between release and retirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lifecycle {
    /// It is served.
    Active,
    /// It is served, but its end is announced.
    Deprecated,
    /// It is not served any more.
    Retired,
}

/// The models of a page that was not given a size, and the most of one, as Anthropic has it.
const PAGE: (usize, usize) = (20, 1000);

/// The page of the list that a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Where it begins and ends, and how many models it has at most.
    pub list: ListQuery,
    /// The stages of life that are listed.
    pub lifecycles: Vec<Lifecycle>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            list: ListQuery::newest(PAGE.0),
            lifecycles: vec![Lifecycle::Active, Lifecycle::Deprecated],
        }
    }
}

impl Query {
    /// Reads the parameters of a URL's query, already decoded. Unknown ones are let pass.
    ///
    /// # Errors
    /// A parameter with a value it cannot have.
    pub fn of<'a>(
        parameters: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
    ) -> Result<Self, Failure> {
        let (standard, most) = PAGE;
        let mut query = Self {
            list: ListQuery::read(parameters.clone(), standard, most)?,
            ..Self::default()
        };
        let stages = parameters.into_iter();
        let stages = stages.filter(|(name, _)| matches!(*name, "lifecycle" | "lifecycle[]"));
        let lifecycles = stages.map(|(_, value)| lifecycle(value));
        let lifecycles: Vec<Lifecycle> = lifecycles.collect::<Result<_, _>>()?;
        if !lifecycles.is_empty() {
            query.lifecycles = lifecycles;
        }
        Ok(query)
    }
}

fn lifecycle(value: &str) -> Result<Lifecycle, Failure> {
    match value {
        "active" => Ok(Lifecycle::Active),
        "deprecated" => Ok(Lifecycle::Deprecated),
        "retired" => Ok(Lifecycle::Retired),
        other => Err(Failure::invalid(
            "lifecycle",
            format!(
                "Invalid lifecycle `{}`: use active, deprecated or retired.",
                echo(other)
            ),
        )),
    }
}

#[derive(Serialize)]
struct Page<'a> {
    data: Vec<Entry<'a>>,
    has_more: bool,
    first_id: Option<&'a str>,
    last_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Entry<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
    display_name: &'a str,
    created_at: String,
    lifecycle: Lifecycle,
    deprecated_at: (),
    retires_at: Option<String>,
    line: Option<&'static str>,
    max_input_tokens: Option<u64>,
    max_tokens: Option<u64>,
    capabilities: (),
}

impl<'a> From<&'a Model> for Entry<'a> {
    fn from(model: &'a Model) -> Self {
        Self {
            kind: "model",
            id: &model.id,
            display_name: &model.display_name,
            created_at: rfc3339(model.created),
            lifecycle: model.lifecycle,
            deprecated_at: (),
            retires_at: model.retires.map(rfc3339),
            line: model_names::line(&model.id),
            max_input_tokens: model.max_input_tokens,
            max_tokens: model.max_tokens,
            capabilities: (),
        }
    }
}

/// One model as JSON text.
#[must_use]
pub fn entry(model: &Model) -> Vec<u8> {
    // Strings and numbers always serialise.
    serde_json::to_vec(&Entry::from(model)).unwrap_or_default()
}

/// A page of the models as JSON text, in the order given.
/// After a cursor that names no model of the list comes nothing: models go, and a client that reads on
/// must come to an end.
#[must_use]
pub fn list(models: &[Model], query: &Query) -> Vec<u8> {
    let listed: Vec<&Model> = models
        .iter()
        .filter(|model| query.lifecycles.contains(&model.lifecycle))
        .collect();
    let (first, end, has_more) = bounds(&listed, query).unwrap_or((0, 0, false));
    let shown = listed.get(first..end).unwrap_or_default();
    let page = Page {
        data: shown.iter().map(|model| Entry::from(*model)).collect(),
        has_more,
        first_id: shown.first().map(|model| model.id.as_str()),
        last_id: shown.last().map(|model| model.id.as_str()),
    };
    serde_json::to_vec(&page).unwrap_or_default()
}

/// Where the page begins and ends, and whether more lies in the direction of reading: `before_id`
/// alone asks for the models right before it. None if a cursor names no model of the list.
fn bounds(listed: &[&Model], query: &Query) -> Option<(usize, usize, bool)> {
    let place = |id: &str| listed.iter().position(|model| model.id == id);
    let end = match &query.list.before {
        Some(id) => place(id)?,
        None => listed.len(),
    };
    let Some(id) = &query.list.after else {
        let first = end.saturating_sub(query.list.limit);
        let backwards = query.list.before.is_some();
        let forwards = (0, end.min(query.list.limit), end > query.list.limit);
        return Some(if backwards {
            (first, end, first > 0)
        } else {
            forwards
        });
    };
    let first = place(id)?.saturating_add(1).min(end);
    let last = end.min(first.saturating_add(query.list.limit));
    Some((first, last, last < end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn model(id: &str, lifecycle: Lifecycle) -> Model {
        Model {
            id: id.to_owned(),
            display_name: id.to_uppercase(),
            created: 1_735_689_600,
            max_input_tokens: None,
            max_tokens: None,
            lifecycle,
            retires: None,
        }
    }

    fn models() -> Vec<Model> {
        let mut models: Vec<Model> = ["a", "b", "c", "d", "e"]
            .map(|id| model(id, Lifecycle::Active))
            .into();
        models.push(model("old", Lifecycle::Retired));
        models
    }

    fn page(parameters: &[(&str, &str)]) -> (Vec<String>, bool, Value, Value) {
        let query = Query::of(parameters.iter().copied()).unwrap();
        let page: Value = serde_json::from_slice(&list(&models(), &query)).unwrap();
        let ids = page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["id"].as_str().unwrap().to_owned());
        (
            ids.collect(),
            page["has_more"].as_bool().unwrap(),
            page["first_id"].clone(),
            page["last_id"].clone(),
        )
    }

    #[test]
    fn an_entry_has_every_field_that_the_sdks_require() {
        let known = Model {
            max_input_tokens: Some(200_000),
            max_tokens: Some(64_000),
            lifecycle: Lifecycle::Deprecated,
            retires: Some(1_791_504_000),
            ..model("us.anthropic.claude-opus-5", Lifecycle::Active)
        };
        assert_eq!(
            String::from_utf8(entry(&known)).unwrap(),
            r#"{"type":"model","id":"us.anthropic.claude-opus-5","display_name":"US.ANTHROPIC.CLAUDE-OPUS-5","created_at":"2025-01-01T00:00:00Z","lifecycle":"deprecated","deprecated_at":null,"retires_at":"2026-10-09T00:00:00Z","line":"opus","max_input_tokens":200000,"max_tokens":64000,"capabilities":null}"#
        );
    }

    /// Parameters, the ids of the page, and whether there is more.
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, bool);

    #[test]
    fn pages_follow_each_other_in_both_directions() {
        let table: &[Case] = &[
            (&[], "abcde", false),
            (&[("limit", "2")], "ab", true),
            (&[("limit", "2"), ("after_id", "b")], "cd", true),
            (&[("limit", "2"), ("after_id", "d")], "e", false),
            (&[("after_id", "e")], "", false),
            (&[("limit", "2"), ("before_id", "e")], "cd", true),
            (&[("limit", "2"), ("before_id", "c")], "ab", false),
            (&[("after_id", "a"), ("before_id", "d")], "bc", false),
            (&[("after_id", "d"), ("before_id", "b")], "", false),
            (&[("beta", "true")], "abcde", false),
            (&[("after_id", "gone")], "", false),
            (&[("before_id", "gone")], "", false),
        ];
        for (parameters, ids, more) in table {
            let (listed, has_more, first, last) = page(parameters);
            assert_eq!(
                (listed.concat().as_str(), has_more),
                (*ids, *more),
                "{parameters:?}"
            );
            assert_eq!(
                first.as_str(),
                listed.first().map(String::as_str),
                "{parameters:?}"
            );
            assert_eq!(
                last.as_str(),
                listed.last().map(String::as_str),
                "{parameters:?}"
            );
        }
    }

    #[test]
    fn retired_models_are_listed_only_when_asked_for() {
        assert_eq!(page(&[("lifecycle", "retired")]).0, ["old"]);
        assert_eq!(
            page(&[("lifecycle[]", "retired"), ("lifecycle[]", "active")])
                .0
                .len(),
            6
        );
    }

    #[test]
    fn a_parameter_that_cannot_be_is_refused_by_name() {
        for (name, value) in [
            ("limit", "0"),
            ("limit", "1001"),
            ("limit", "x"),
            ("lifecycle", "young"),
        ] {
            assert_eq!(
                Query::of([(name, value)]).unwrap_err().param.as_deref(),
                Some(name)
            );
        }
    }

    proptest! {
        #[test]
        fn paging_through_shows_every_model_once(limit in 1usize..7) {
            let mut seen = Vec::new();
            let mut after = None;
            loop {
                let part = ListQuery { after, ..ListQuery::newest(limit) };
                let query = Query { list: part, ..Query::default() };
                let page: Value = serde_json::from_slice(&list(&models(), &query)).unwrap();
                seen.extend(page["data"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap().to_owned()));
                after = page["last_id"].as_str().map(str::to_owned);
                if page["has_more"] == false {
                    break;
                }
            }
            prop_assert_eq!(seen.concat(), "abcde");
        }
    }
}
