//! Speech: in which format, and how long the text would take to say.

use crate::assets::store::File;
use crate::directive;
use crate::features::request::FeatureRequest;
use crate::media::{Audio, AudioFormat};

/// Milliseconds of a spoken character.
const MS_PER_CHARACTER: u32 = 60;

/// Shortest speech, in milliseconds.
const MIN_MS: u32 = 500;

/// The speech that the request asks for.
pub(super) fn file(request: &FeatureRequest) -> File {
    let format = format(request);
    let text = directive::without(request.string("text").unwrap_or_default());
    let length = u32::try_from(text.trim().chars().count()).unwrap_or(u32::MAX);
    let sound = Audio {
        format,
        ms: paced(length.saturating_mul(MS_PER_CHARACTER), request).max(MIN_MS),
    };
    File {
        mime: format.mime(),
        extension: format.extension(),
        bytes: sound.encode().into(),
    }
}

/// Music: Suno gives two songs, Lyria WAV, the others one MP3.
pub(super) fn music(request: &FeatureRequest) -> Vec<File> {
    let model = request.model().unwrap_or_default();
    let format = if model.starts_with("lyria") {
        AudioFormat::Wav { hertz: 24_000 }
    } else {
        AudioFormat::Mp3 {
            rate: 128,
            hertz: 44_100,
        }
    };
    let songs = if ["suno-ttapi", "music-s"].contains(&model) {
        2
    } else {
        1
    };
    let file = |number: u32| File {
        mime: format.mime(),
        extension: format.extension(),
        bytes: Audio {
            format,
            ms: 2000 + 500 * number,
        }
        .encode()
        .into(),
    };
    (0..songs).map(file).collect()
}

fn paced(ms: u32, request: &FeatureRequest) -> u32 {
    let mut fields = ["speed", "speakingRate"].iter();
    let speed = fields.find_map(|name| request.field(name)?.as_f64());
    let hundredths = (1..=400_u32)
        .rev()
        .find(|part| f64::from(*part) <= speed.unwrap_or(1.0) * 100.0);
    ms.saturating_mul(100) / hundredths.unwrap_or(100)
}

fn format(request: &FeatureRequest) -> AudioFormat {
    const MP3: AudioFormat = AudioFormat::Mp3 {
        rate: 128,
        hertz: 44_100,
    };
    let model = request.model().unwrap_or_default();
    if model.starts_with("qwen") {
        return AudioFormat::Wav { hertz: 24_000 };
    }
    if model.starts_with("elevenlabs") {
        return request
            .string("output_format")
            .and_then(elevenlabs)
            .unwrap_or(MP3);
    }
    let named = request
        .string("response_format")
        .or(request.string("audioEncoding"));
    match named.unwrap_or_default() {
        "wav" | "LINEAR16" => AudioFormat::Wav { hertz: 24_000 },
        "pcm" => AudioFormat::Pcm { hertz: 24_000 },
        "opus" | "OGG_OPUS" => AudioFormat::Opus,
        "aac" => AudioFormat::Aac,
        "flac" => AudioFormat::Flac,
        _ => MP3,
    }
}

/// A name such as `mp3_44100_128` or `pcm_16000`.
fn elevenlabs(name: &str) -> Option<AudioFormat> {
    let mut parts = name.split('_');
    let codec = parts.next()?;
    let hertz = parts
        .next()?
        .parse()
        .ok()
        .filter(|hertz| (8000..=48_000).contains(hertz))?;
    match codec {
        "mp3" => Some(AudioFormat::Mp3 {
            rate: parts.next()?.parse().ok()?,
            hertz,
        }),
        "pcm" => Some(AudioFormat::Pcm { hertz }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{FeatureRequest, file};

    fn respond(model: &str, fields: &Value) -> (&'static str, usize) {
        let body = json!({"type": "TEXT_TO_SPEECH", "model": model, "promptObject": fields});
        let request = FeatureRequest::read(body.to_string().as_bytes()).expect("an object");
        let made = file(&request);
        (made.extension, made.bytes.len())
    }

    #[test]
    fn every_model_has_its_own_formats() {
        let cases = [
            ("tts-1", json!({}), "mp3"),
            ("tts-1", json!({"response_format": "flac"}), "flac"),
            ("qwen3-tts-flash", json!({"response_format": "mp3"}), "wav"),
            ("elevenlabs-tts", json!({"response_format": "wav"}), "mp3"),
            (
                "elevenlabs-tts",
                json!({"output_format": "pcm_16000"}),
                "pcm",
            ),
            ("google-tts", json!({"audioEncoding": "LINEAR16"}), "wav"),
        ];
        for (model, fields, extension) in cases {
            assert_eq!(respond(model, &fields).0, extension, "{model} {fields}");
        }
    }

    #[test]
    fn fast_speech_is_short_and_a_directive_is_not_spoken() {
        let wav = |text: &str, speed: f64| {
            respond(
                "tts-1",
                &json!({"text": text, "response_format": "wav", "speed": speed}),
            )
            .1
        };
        let text = "a".repeat(100);
        assert_eq!(wav(&text, 1.0), 44 + 24_000 * 2 * 6);
        assert_eq!(wav(&text, 2.0), 44 + 24_000 * 2 * 3);
        assert_eq!(
            wav(&format!("{text}[[sim {{\"ms\":1}}]]"), 1.0),
            wav(&text, 1.0)
        );
    }
}
