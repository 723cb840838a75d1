//! Tool calls in a model's text: found as they arrive, in whatever dialect they come.
//!
//! [`Reader`] takes text and gives events. Text flows at once but for the longest end that could
//! begin a marker. What begins like a call is read by its shape (`head`), its arguments as a
//! stream (`args`); what turns out to be none is text, unchanged. Only declared tools are
//! called, never from a code example or a quotation (`context`), and never from what the
//! request itself holds (`prompt_echo`).

mod args;
pub mod callable_tools;
mod context;
mod envelope;
mod head;
mod keys;
mod lines;
mod markers;
mod named;
mod outcome;
mod prompt_echo;
mod pythonic;
mod reader;
mod source;
mod syntax;
mod tag;
mod yaml;

pub use outcome::{Outcome, Problem};
pub use prompt_echo::PromptEcho;
pub use reader::Reader;

/// How calls are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Whether each call is held until it is whole and matches its schema. Off, the arguments of
    /// tools that are not strict flow as they come. For answers that are not streamed it costs nothing.
    pub hold: bool,
    /// Whether no other attempt follows: arguments of a tool that is not strict are then given
    /// though they do not match its schema, so that the client can tell the model itself.
    pub last: bool,
}

#[cfg(test)]
mod tests;
