//! Composing: a [`Turn`](crate::turn::Turn) becomes the one prompt that a text-only model takes.

pub mod tags;
pub mod tools;
pub mod transcript;
