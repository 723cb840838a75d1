//! How sure a repaired value is.

/// How far the text had to be repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Grade {
    /// It was JSON.
    #[default]
    Exact,
    /// It was not, but has only one reading.
    Lossless,
    /// Another reading is thinkable.
    Guess,
}
