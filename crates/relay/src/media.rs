//! Media that 1min.ai makes and reads: images, speech, transcripts.

pub mod image_history;
pub mod images;
pub mod speech;
pub mod transcription;
