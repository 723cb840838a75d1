//! Transcripts: a script's text, or one that tells which file arrived, in the format asked for.

use serde_json::json;

use crate::assets::store::Asset;
use crate::features::request::FeatureRequest;
use crate::script::Script;
use crate::state::State;

/// Bytes of a second of sound whose file does not tell.
const BYTES_PER_SECOND: u32 = 16_000;

/// The transcript of the request's file.
pub(super) fn text(
    state: &State,
    request: &FeatureRequest,
    script: &Script,
    translated: bool,
) -> String {
    let key = request.string("audioUrl").unwrap_or_default();
    let assets = state.assets();
    let asset = assets.by_key(key);
    let unscripted = || {
        let what = if translated {
            "translation"
        } else {
            "transcript"
        };
        let shown =
            asset.map(|asset| format!("{} ({}, {} bytes)", asset.filename, asset.mime, asset.size));
        let into = request
            .string("targetLanguage")
            .map(|language| format!(" into {language}"));
        let (into, shown) = (into.unwrap_or_default(), shown.unwrap_or_default());
        format!("This is the simulator's {what}{into} of {shown}.")
    };
    let said = script.text().unwrap_or_else(unscripted);
    formatted(&said, length(asset), request, translated)
}

/// The length of the request's file in seconds.
pub(super) fn seconds(state: &State, request: &FeatureRequest) -> f64 {
    let key = request.string("audioUrl").unwrap_or_default();
    length(state.assets().by_key(key))
}

fn length(asset: Option<&Asset>) -> f64 {
    let guessed = |asset: &Asset| {
        f64::from(u32::try_from(asset.size).unwrap_or(u32::MAX)) / f64::from(BYTES_PER_SECOND)
    };
    asset.map_or(1.0, |asset| asset.seconds.unwrap_or_else(|| guessed(asset)))
}

fn formatted(said: &str, seconds: f64, request: &FeatureRequest, translated: bool) -> String {
    let end = |sign| timestamp(seconds, sign);
    let start = |sign| timestamp(0.0, sign);
    match request.string("response_format").unwrap_or("text") {
        "json" => json!({"text": said}).to_string(),
        "verbose_json" => {
            let language = request.string("language").filter(|_| !translated);
            let task = if translated {
                "translate"
            } else {
                "transcribe"
            };
            let rounded = (seconds * 100.0).round() / 100.0;
            json!({
                "task": task,
                "language": language.unwrap_or("english"),
                "duration": rounded,
                "text": said,
                "segments": [],
            })
            .to_string()
        }
        "srt" => format!("1\n{} --> {}\n{said}\n\n", start(','), end(',')),
        "vtt" => format!("WEBVTT\n\n{} --> {}\n{said}\n\n", start('.'), end('.')),
        _ => said.to_owned(),
    }
}

/// `HH:MM:SS`, the sign, and milliseconds; a day at most.
fn timestamp(seconds: f64, sign: char) -> String {
    let time =
        std::time::Duration::try_from_secs_f64(seconds.clamp(0.0, 86_400.0)).unwrap_or_default();
    let (whole, ms) = (time.as_secs(), time.subsec_millis());
    format!(
        "{:02}:{:02}:{:02}{sign}{ms:03}",
        whole / 3600,
        whole / 60 % 60,
        whole % 60
    )
}

#[cfg(test)]
mod tests {
    use super::timestamp;

    #[test]
    fn times_are_written_as_subtitles_do() {
        assert_eq!(timestamp(0.0, ','), "00:00:00,000");
        assert_eq!(timestamp(3725.25, '.'), "01:02:05.250");
        assert_eq!(timestamp(f64::INFINITY, '.'), "24:00:00.000");
    }
}
