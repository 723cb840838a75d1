//! What was found about a fact.

/// What was found about a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is so.
    Holds,
    /// It is otherwise; what was seen, without anything personal.
    Differs(String),
    /// It could not be told, and why.
    Unclear(String),
}

impl Verdict {
    /// Its word in a table.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Differs(_) => "DIFFERS",
            Self::Unclear(_) => "could not tell",
        }
    }

    /// Why it is not that the fact holds.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Holds => "",
            Self::Differs(reason) | Self::Unclear(reason) => reason,
        }
    }
}
