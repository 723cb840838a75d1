//! Wire types of the APIs that move media and files.

pub mod files;
