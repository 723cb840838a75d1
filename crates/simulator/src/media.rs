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
mod mp4;
mod ogg;
mod pattern;
mod png;
mod wav;
mod webp;

pub(crate) use audio::{Audio, AudioFormat};
/// A film of the pattern that belongs to a text.
pub(crate) fn film(text: &str, width: u32, height: u32, ms: u32) -> Vec<u8> {
    mp4::encode(&pattern::Pattern::of(text, width, height), ms)
}

pub(crate) use image::{Image, ImageFormat};
pub(crate) use wav::seconds as wav_seconds;
