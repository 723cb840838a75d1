//! How requests for answers are planned, worded and read.

use clap::{ArgAction, Args, ValueEnum};
use translate::compose::Wording;
use translate::compose::tools::Style;
use translate::interpret::thinking::Thoughts;
use translate::plan::PlanSettings;

use super::file_keywords::FileKeywords;
use crate::setting_values::boolean;

/// Answers, as the operator sets them.
#[derive(Debug, Clone, Args)]
// Sections of settings have one name, and clap would take it for a group of each.
#[group(skip)]
pub struct Settings {
    /// The most answers one request may ask for with `n`; each is a paid call of its own.
    #[arg(long, env = "MAX_CHOICES", default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=128))]
    pub max_choices: u32,

    /// Whether a parameter that has no effect here is refused instead of named in x-relay-ignored.
    #[arg(long, env = "STRICT_PARAMETERS", value_name = "BOOL", default_value = "false",
          default_missing_value = "true", num_args = 0..=1, action = ArgAction::Set, value_parser = boolean)]
    pub strict_parameters: bool,

    /// How often the model is asked again when a tool call cannot be parsed, is missing or does not
    /// match its schema; each is a paid call.
    #[arg(long, env = "CALL_CORRECTIONS", default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=5))]
    pub call_corrections: u32,

    /// How often the model is asked again when an answer is not the JSON that was asked for; each
    /// is a paid call.
    #[arg(long, alias = "form-corrections", env = "JSON_CORRECTIONS", default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=5))]
    pub json_corrections: u32,

    /// How tools are described to models, by the beginning of their names, such as
    /// `llama=json-schema,qwen=signatures`.
    #[arg(long, env = "TOOL_STYLE", value_delimiter = ',', value_name = "MODEL=STYLE,…", value_parser = tool_style)]
    pub tool_style: Vec<(String, Style)>,

    /// What becomes of the thoughts that a model shows before its answer.
    #[arg(long, env = "REASONING", default_value = "separate", value_enum)]
    pub reasoning: Reasoning,

    /// What words about files in a chat message do, in English or Russian: `read` attaches the
    /// account's newest files to a message that speaks of files or documents, `read-and-delete`
    /// also deletes them all when it asks for that.
    #[arg(
        long,
        alias = "file-words",
        env = "FILE_KEYWORDS",
        default_value = "off",
        value_enum
    )]
    pub file_keywords: FileKeywords,
}

/// What becomes of the thoughts that a model shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Reasoning {
    /// They are given apart from the answer, as `reasoning_content` and its like.
    Separate,
    /// They stay in the answer's text.
    Inline,
    /// They are left out.
    Drop,
}

impl From<Reasoning> for Thoughts {
    fn from(reasoning: Reasoning) -> Self {
        match reasoning {
            Reasoning::Separate => Self::Separate,
            Reasoning::Inline => Self::Inline,
            Reasoning::Drop => Self::Drop,
        }
    }
}

impl Settings {
    /// What bounds a plan.
    #[must_use]
    pub fn plan(&self) -> PlanSettings {
        PlanSettings {
            max_choices: self.max_choices,
            strict: self.strict_parameters,
            call_corrections: self.call_corrections,
            json_corrections: self.json_corrections,
        }
    }

    /// How prompts are worded.
    #[must_use]
    pub fn wording(&self) -> Wording {
        Wording {
            styles: self.tool_style.clone(),
        }
    }
}

fn tool_style(text: &str) -> Result<(String, Style), String> {
    let (model, style) = text.split_once('=').ok_or("must be MODEL=STYLE")?;
    let style = match style.trim() {
        "signatures" => Style::Signatures,
        "json-schema" => Style::JsonSchema,
        _ => return Err("the style must be signatures or json-schema".to_owned()),
    };
    Ok((model.trim().to_owned(), style))
}
