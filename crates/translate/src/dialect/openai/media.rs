//! Wire types of the APIs that move media and files.

pub mod audio;
pub mod files;
pub mod images;
pub mod videos;
