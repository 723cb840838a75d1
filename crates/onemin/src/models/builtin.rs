//! The list of models that is used when 1min.ai cannot be asked and never could: what was known
//! when this was written.

use serde_json::Value;

use super::model::{Feature, Model};
use crate::prices;

/// `id`, `provider`, `features` and `inputs`, tab-separated; lists by comma. Inputs are `-` where
/// they are not known.
const LIST: &str = include_str!("builtin.tsv");

/// The built-in models of a feature.
pub(crate) fn builtin(feature: Feature) -> Vec<Model> {
    let rows = LIST
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.filter_map(model)
        .filter(|model| model.features.iter().any(|of| of == feature.as_str()))
        .map(|model| {
            let price = prices::builtin(feature.as_str(), &model.id);
            let credit_metadata = price.map(|(_, metadata)| metadata.clone());
            Model {
                credit_metadata: credit_metadata.unwrap_or_default(),
                ..model
            }
        })
        .collect()
}

fn model(row: &str) -> Option<Model> {
    let mut columns = row.split('\t');
    let (id, provider, features, inputs) = (
        columns.next()?,
        columns.next()?,
        columns.next()?,
        columns.next()?,
    );
    let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    Some(Model {
        id: id.to_owned(),
        name: id.to_owned(),
        provider: Some(provider.to_owned()),
        features: list(features),
        inputs: Some(inputs).filter(|inputs| *inputs != "-").map(list),
        outputs: None,
        context: None,
        max_output: None,
        credit_metadata: Value::Null,
        deprecation_date: None,
        cutoff_date: None,
        created_at: None,
    })
}
