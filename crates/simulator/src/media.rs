//! Small but valid files of every kind that upstream delivers, made without any encoder crate.
//!
//! Images show a pattern of two colours drawn from a seed, so that two prompts give two images
//! and the same prompt the same one. Audio is silence, or a tone where that is as easy.

mod adts;
mod audio;
mod bits;
mod deflate;
mod flac;
mod image;
mod jpeg;
mod mp3;
mod ogg;
mod pattern;
mod png;
mod wav;
mod webp;

pub(crate) use audio::{Audio, AudioFormat};
pub(crate) use image::{Image, ImageFormat};
pub(crate) use wav::seconds as wav_seconds;
