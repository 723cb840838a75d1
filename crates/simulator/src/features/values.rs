//! What a value must be, and the words in which a provider refuses another one.

use serde_json::{Value as Json, json};

use crate::assets::store::Asset;
use crate::features::image::pair;
use crate::features::request::FeatureRequest;
use crate::refusal::Refusal;
use crate::state::State;

/// Endings of files that Qwen's recognition takes.
const QWEN_SOUNDS: &str = "aac amr avi aiff flac flv m4a mkv mp3 mpeg ogg opus wav webm wma wmv";

/// Sizes of Recraft's fourth version.
const RECRAFT_V4: &str = "1024x1024 1536x768 768x1536 1280x832 832x1280 1216x896 896x1216 1152x896 896x1152 832x1344 1280x896 896x1280 1344x768 768x1344";

/// A demand on a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'r> {
    Any,
    /// One of these, as text or number.
    OneOf(&'r str),
    Between(f64, f64),
    /// At most so many characters.
    Short(usize),
    Image,
    /// A sound of at most so many megabytes.
    Audio(usize),
    /// What the function of that name says.
    Named(&'r str),
}

impl<'r> Value<'r> {
    /// Reads the notation of the table; what it does not know demands nothing.
    pub(super) fn read(text: &'r str) -> Self {
        let mut rest = text.chars();
        let sign = rest.next();
        let rest = rest.as_str();
        let number = rest.parse().unwrap_or(0);
        match sign {
            Some('=') => Self::OneOf(rest),
            Some('<') => Self::Short(number),
            Some('@') => Self::Image,
            Some('$') => Self::Audio(number),
            Some('~') => Self::Named(rest),
            Some(':') => {
                let ends = rest
                    .split_once("..")
                    .and_then(|(least, most)| Some((least.parse().ok()?, most.parse().ok()?)));
                ends.map_or(Self::Any, |(least, most)| Self::Between(least, most))
            }
            _ => Self::Any,
        }
    }
}

/// Refuses a value that does not meet the demand.
pub(super) fn check(
    state: &State,
    request: &FeatureRequest,
    name: &str,
    demand: &Value<'_>,
    provider: &str,
) -> Result<(), Refusal> {
    let Some(value) = request.field(name) else {
        return Ok(());
    };
    let text = plain(value);
    let complaint = match *demand {
        Value::Any => None,
        Value::OneOf(options) => return one_of(request, name, &text, options, provider),
        Value::Between(least, most) => {
            let fits = value
                .as_f64()
                .is_some_and(|number| (least..=most).contains(&number));
            (!fits).then(|| {
                format!("{name} must be a number between {least} and {most}, but is {text}")
            })
        }
        Value::Short(most) => {
            let count = text.chars().count();
            (count > most)
                .then(|| format!("{name} should have at most {most} characters, but has {count}"))
        }
        Value::Image => attached(state, &text, "image", None),
        Value::Audio(most) => {
            attached(state, &text, "audio", Some(most)).or_else(|| qwen_sound(request, &text))
        }
        Value::Named(rule) => {
            (!named(rule, request, &text)).then(|| format!("{name} {text} is not allowed"))
        }
    };
    complaint.map_or(Ok(()), |message| {
        Err(Refusal::provider(provider, &json!({"message": message})))
    })
}

fn plain(value: &Json) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Each provider refuses in its own words.
fn one_of(
    request: &FeatureRequest,
    name: &str,
    text: &str,
    options: &str,
    provider: &str,
) -> Result<(), Refusal> {
    if options.split('|').any(|option| option == text) {
        return Ok(());
    }
    let model = request.model().unwrap_or_default();
    let listed = options.replace('|', ", ");
    if model.starts_with("stable-diffusion-xl") && name == "size" {
        let message =
            format!("for {model} the allowed dimensions are {listed}, but we received {text}");
        return Err(Refusal::provider(provider, &json!({"message": message})));
    }
    if model.starts_with("qwen-image") && name == "size" {
        return Err(Refusal::qwen_size());
    }
    if provider == "openai" && name != "voice" {
        let quoted: Vec<String> = options
            .split('|')
            .map(|option| format!("'{option}'"))
            .collect();
        let message = format!(
            "Invalid value: '{text}'. Supported values are: {}.",
            quoted.join(", ")
        );
        return Err(Refusal::flat(400, "OPEN_AI_UNEXPECTED_ERROR", message));
    }
    let message = format!("{name} must be one of {listed}, but is {text}");
    Err(Refusal::provider(provider, &json!({"message": message})))
}

/// Why the file cannot be used, if it cannot. Images may also be URLs.
fn attached(state: &State, key: &str, kind: &str, megabytes: Option<usize>) -> Option<String> {
    let url = key.starts_with("https://") || key.starts_with("http://");
    if kind == "image" && url {
        return None;
    }
    let assets = state.assets();
    let Some(asset) = assets.by_key(key) else {
        return Some(format!("The file {key} does not exist"));
    };
    let most = megabytes.unwrap_or(usize::MAX).saturating_mul(1024 * 1024);
    if asset.size > most {
        return Some(format!(
            "Maximum content size limit ({most}) exceeded ({} bytes read)",
            asset.size
        ));
    }
    (!is_kind(asset, kind)).then(|| format!("The file {key} is not supported: {}", asset.mime))
}

/// Whether a file is an image or has sound in it, which films also have.
fn is_kind(asset: &Asset, kind: &str) -> bool {
    let family = asset.mime.split('/').next().unwrap_or_default();
    family == kind || (kind == "audio" && family == "video")
}

fn qwen_sound(request: &FeatureRequest, key: &str) -> Option<String> {
    let extension = key.rsplit('.').next().unwrap_or_default().to_lowercase();
    let qwen = request.model() == Some("qwen3-asr-flash");
    let fits = QWEN_SOUNDS.split(' ').any(|known| known == extension);
    (qwen && !fits).then(|| format!("The audio format {extension} is not supported"))
}

fn named(rule: &str, request: &FeatureRequest, text: &str) -> bool {
    match rule {
        "any" => !text.is_empty(),
        "kling" => kling(request.string("version"), text),
        "free" => free(text),
        "pixels" => pair(text, &['x']).is_some(),
        "ratio" => pair(text, &[':']).is_some() || text == "match_input_image",
        "ideogram" => pair(text, &['x']).is_some() && request.field("resolution").is_none(),
        "multiple" => {
            let side: u32 = text.parse().unwrap_or(0);
            (256..=1440).contains(&side) && side.is_multiple_of(32)
        }
        "recraft" => recraft(request.string("task_type").unwrap_or("recraftv3"), text),
        _ => true,
    }
}

/// From version 3.0 on three to fifteen seconds, before five or ten.
fn kling(version: Option<&str>, text: &str) -> bool {
    let seconds: u32 = text.parse().unwrap_or(0);
    match version {
        Some(version) if version.starts_with('3') => (3..=15).contains(&seconds),
        _ => [5, 10].contains(&seconds),
    }
}

/// gpt-image-2's rules for a size.
fn free(text: &str) -> bool {
    let Some((width, height)) = pair(text, &['x']) else {
        return false;
    };
    let (short, long) = (u64::from(width.min(height)), u64::from(width.max(height)));
    let pixels = short * long;
    short.is_multiple_of(16)
        && long.is_multiple_of(16)
        && (655_360..=8_294_400).contains(&pixels)
        && long <= 3840
        && long <= 3 * short
}

fn recraft(task: &str, text: &str) -> bool {
    if task.contains("vector") {
        pair(text, &[':']).is_some()
    } else if task.starts_with("recraftv4") {
        RECRAFT_V4.split(' ').any(|size| size == text)
    } else {
        pair(text, &['x']).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::{Value, free, recraft};

    #[test]
    fn the_notation_is_read() {
        let cases = [
            ("", Value::Any),
            ("=a|b", Value::OneOf("a|b")),
            (":0.5..2", Value::Between(0.5, 2.0)),
            ("<500", Value::Short(500)),
            ("@", Value::Image),
            ("$25", Value::Audio(25)),
            ("~ratio", Value::Named("ratio")),
        ];
        for (text, value) in cases {
            assert_eq!(Value::read(text), value, "{text}");
        }
    }

    #[test]
    fn a_free_size_has_its_limits() {
        for good in ["1024x1024", "3840x2160", "1280x720", "1536x512"] {
            assert!(free(good), "{good}");
        }
        for bad in [
            "512x512",
            "1000x1000",
            "3856x2160",
            "3840x2176",
            "3072x512",
            "auto",
            "1024",
            "0x16",
        ] {
            assert!(!free(bad), "{bad}");
        }
    }

    #[test]
    fn recrafts_versions_differ() {
        assert!(recraft("recraftv3", "1365x1024") && !recraft("recraftv4", "1365x1024"));
        assert!(recraft("recraftv4_vector", "14:10") && !recraft("recraftv4_vector", "1024x1024"));
    }
}
