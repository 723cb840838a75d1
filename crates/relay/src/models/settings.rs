//! Which models may be used, and by which names.

use std::time::Duration;

use clap::{ArgAction, Args};

use crate::setting_values::{boolean, seconds};

/// Models, as the operator sets them.
#[derive(Debug, Clone, Args)]
// Sections of settings have one name, and clap would take it for a group of each.
#[group(skip)]
pub struct Settings {
    /// Models that may be used, separated by commas.
    #[arg(
        long,
        env = "SUBSET_OF_ONE_MIN_PERMITTED_MODELS",
        value_delimiter = ',',
        value_name = "ID,…"
    )]
    pub subset_of_one_min_permitted_models: Vec<String>,

    /// Whether only the models of the subset above may be used and are listed.
    #[arg(long, env = "PERMIT_MODELS_FROM_SUBSET_ONLY", value_name = "BOOL", default_value = "false",
          default_missing_value = "true", num_args = 0..=1, action = ArgAction::Set, value_parser = boolean)]
    pub permit_models_from_subset_only: bool,

    /// Names that clients use and the models that are meant, such as
    /// `sonnet=claude-sonnet-4-5-20250929,claude-haiku=gpt-5-mini`. Anthropic's families and
    /// versions are understood without it.
    #[arg(long, env = "MODEL_MAP", value_delimiter = ',', value_name = "NAME=MODEL,…", value_parser = name_and_model)]
    pub model_map: Vec<(String, String)>,

    /// Seconds for which the model list is kept before it is asked for again.
    #[arg(long, env = "MODELS_TTL", default_value = "600", value_name = "SECONDS", value_parser = seconds)]
    pub models_ttl: Duration,
}

impl Settings {
    /// The models that may be used; none if all may.
    #[must_use]
    pub fn permitted_models(&self) -> Option<Vec<String>> {
        let names = self
            .subset_of_one_min_permitted_models
            .iter()
            .map(|n| n.trim());
        self.permit_models_from_subset_only
            .then(|| names.filter(|n| !n.is_empty()).map(str::to_owned).collect())
    }
}

fn name_and_model(text: &str) -> Result<(String, String), String> {
    let (name, model) = text.split_once('=').ok_or("must be NAME=MODEL")?;
    Ok((name.trim().to_owned(), model.trim().to_owned()))
}
