//! What reading calls came to, and what to tell the model if it should try again.

use std::fmt::Write as _;

use crate::chat_request::Demand;

/// What an answer came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Calls that were made: started and ended.
    pub calls: usize,
    /// Whether upstream's text was cut inside a call, so that the answer ended for its length.
    pub cut_in_call: bool,
    /// Calls that began and have no readable end, and of which nothing was given.
    pub unfinished: usize,
    /// What was no call, though it was meant as one.
    pub problems: Vec<Problem>,
}

/// A call that was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// No such tool, or none that may be called in this turn.
    Unknown {
        /// The name as written.
        name: String,
    },
    /// The call could not be read.
    Broken {
        /// The name as written; empty if there was none.
        name: String,
        /// The number of the call, if it had been started already and has no end.
        index: Option<usize>,
        /// What is wrong.
        why: String,
    },
    /// The arguments do not match the tool's schema.
    Mismatch {
        /// The tool's name.
        name: String,
        /// What is wrong, with paths.
        errors: Vec<String>,
    },
    /// A call was demanded and none was made.
    Missing {
        /// The tool that had to be called, if one was named.
        name: Option<String>,
    },
}

impl Outcome {
    /// Whether a call was begun and cannot be ended: what the client was given of it is void.
    #[must_use]
    pub fn broke_started_call(&self) -> bool {
        self.problems
            .iter()
            .any(|p| matches!(p, Problem::Broken { index: Some(_), .. }))
    }

    /// What to tell the model so that it tries again; none if the answer needs no correction.
    /// `names` are the tools that may be called, `tag` the opening tag that is asked for.
    #[must_use]
    pub fn reask_message(&self, names: &[&str], tag: &str) -> Option<String> {
        if self.problems.is_empty() {
            return None;
        }
        let mut text = String::from("Your last answer could not be used:\n");
        for problem in &self.problems {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "- {problem}");
        }
        let _ = write!(
            text,
            "Tools: {}. Answer again with complete {tag} blocks, each holding one valid JSON object with \"name\" and \"arguments\".",
            names.join(", ")
        );
        Some(text)
    }
}

impl Problem {
    /// What is wrong with an answer without calls, if one was demanded.
    pub(super) fn of_missing(demand: Demand<'_>) -> Option<Self> {
        let name = match demand {
            Demand::Nothing => return None,
            Demand::Any => None,
            Demand::Named(name) => Some(name.to_owned()),
        };
        Some(Self::Missing { name })
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown { name } => write!(f, "there is no tool named \"{name}\""),
            Self::Broken { name, why, .. } if name.is_empty() => {
                write!(f, "a call could not be read: {why}")
            }
            Self::Broken { name, why, .. } => {
                write!(f, "the call of {name} could not be read: {why}")
            }
            Self::Mismatch { name, errors } => write!(
                f,
                "the arguments of {name} do not match its schema: {}",
                errors.join("; ")
            ),
            Self::Missing { name: Some(name) } => {
                write!(f, "{name} must be called now, and was not")
            }
            Self::Missing { name: None } => f.write_str("a tool must be called now, and none was"),
        }
    }
}
