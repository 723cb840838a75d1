//! Small but valid files of every kind that upstream delivers, made without any encoder crate.
//!
//! Pictures show a pattern of two colours drawn from a seed, so that two prompts give two pictures
//! and the same prompt the same one. Sound is silence, or a tone where that is as easy.

mod adts;
mod bits;
mod deflate;
mod flac;
mod jpeg;
mod mp3;
mod ogg;
mod picture;
mod png;
mod sound;
mod wav;
mod webp;

pub(crate) use picture::{Picture, PictureFormat};
pub(crate) use sound::{Sound, SoundFormat};
pub(crate) use wav::seconds as wav_seconds;
