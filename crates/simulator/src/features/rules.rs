//! Which fields each feature and model take, as a table, and the check of a request against it.
//!
//! A row is a feature, its models and the fields. A field is a name, `!` if it is required, and
//! what its value must be: `=a|b` one of these, `:1..10` a number between, `<4000` a text of at
//! most so many characters, `@` an image, `$25` a sound of at most so many megabytes, `~word` what
//! the function for that word says. Unknown fields are ignored, as upstream does.

use crate::features::request::FeatureRequest;
use crate::features::values::{self, Value};
use crate::refusal::Refusal;
use crate::state::State;

/// The features that are served.
pub(super) const FEATURES: [&str; 22] = [
    "IMAGE_GENERATOR",
    "IMAGE_EDITOR",
    "IMAGE_VARIATOR",
    "BACKGROUND_REMOVER",
    "BACKGROUND_REPLACER",
    "IMAGE_UPSCALER",
    "IMAGE_EXTENDER",
    "TEXT_REMOVER",
    "IMAGE_OBJECT_REMOVER",
    "SEARCH_AND_REPLACE",
    "IMAGE_INPAINTER",
    "IMAGE_TO_PROMPT",
    "FACE_SWAPPER",
    "SKETCH_TO_IMAGE",
    "SPEECH_TO_TEXT",
    "AUDIO_TRANSLATOR",
    "TEXT_TO_SPEECH",
    "VOICE_DESIGN",
    "CODE_GENERATOR",
    "TEXT_TO_VIDEO",
    "IMAGE_TO_VIDEO",
    "MUSIC_GENERATOR",
];

const STABLE: &str = "stable-image";

/// The first row that fits counts. A model ending with `*` stands for all that begin so.
const RULES: &[(&str, &str, &str)] = &[
    (
        "IMAGE_GENERATOR",
        "gpt-image-1 gpt-image-1-mini",
        "prompt! n:1..10 size=1024x1024|1024x1536|1536x1024 quality!=low|medium|high output_format=png|jpeg|webp output_compression:0..100 background=opaque|transparent style=vivid|natural",
    ),
    (
        "IMAGE_GENERATOR",
        "gpt-image-2",
        "prompt!<4000 size!~free quality!=low|medium|high n:1..10 background=auto|opaque|transparent output_format=png|jpeg|webp output_compression:0..100",
    ),
    (
        "IMAGE_GENERATOR",
        "black-forest-labs/flux-1.1-pro",
        "prompt! aspect_ratio=1:1|16:9|9:16|3:2|2:3|4:5|5:4|custom width:256..2048 height:256..2048 output_format=webp|jpg|png output_quality:0..100 safety_tolerance:0..5",
    ),
    (
        "IMAGE_GENERATOR",
        "black-forest-labs/flux-pro",
        "prompt! aspect_ratio=1:1|16:9|9:16|3:2|2:3|4:5|5:4|custom width~multiple height~multiple output_format=webp|jpg|png output_quality:0..100 safety_tolerance:0..5 steps:1..50 guidance:0..50",
    ),
    (
        "IMAGE_GENERATOR",
        "black-forest-labs/flux-2-flex",
        "prompt! aspect_ratio~ratio output_format=jpg|png output_quality:0..100 steps:6..50 guidance:2..5 safety_tolerance:1..6",
    ),
    (
        "IMAGE_GENERATOR",
        "black-forest-labs/flux-2-*",
        "prompt! aspect_ratio~ratio output_format=jpg|png output_quality:0..100 steps:15..50 guidance:2..5 safety_tolerance:1..6",
    ),
    (
        "IMAGE_GENERATOR",
        "black-forest-labs/*",
        "prompt! num_outputs:1..4 aspect_ratio~ratio output_format=webp|jpg|png num_inference_steps:1..50 output_quality:0..100 megapixels=1|0.25",
    ),
    (
        "IMAGE_GENERATOR",
        "stable-diffusion-xl-1024-v1-0",
        "prompt! samples:1..10 size=1024x1024|1152x896|1216x832|1344x768|1536x640|640x1536|768x1344|832x1216|896x1152 cfg_scale:0..35 steps:10..50",
    ),
    (
        "IMAGE_GENERATOR",
        "stable-diffusion-v1-6",
        "prompt! samples:1..10 width:320..1536 height:320..1536 cfg_scale:0..35 steps:10..50",
    ),
    (
        "IMAGE_GENERATOR",
        STABLE,
        "prompt! stable_image_core_aspect_ratio~ratio stable_image_core_output_format=png|jpeg|webp",
    ),
    (
        "IMAGE_GENERATOR",
        "stable-image-ultra",
        "prompt! aspect_ratio~ratio output_format=png|jpeg|webp",
    ),
    (
        "IMAGE_GENERATOR",
        "magic-art*",
        "prompt! mode=fast|relax n=4 aspect_width:1..7 aspect_height:1..7 image_weight:0.5..2 stylize:0..1000 chaos:0..100 weird:0..3000 omni_reference_weight:0.5..2 character_reference@ style_reference@ omni_reference@",
    ),
    (
        "IMAGE_GENERATOR",
        "gemini-2.5-flash-image",
        "prompt! n:1..10",
    ),
    (
        "IMAGE_GENERATOR",
        "gemini-3-pro-image-preview",
        "prompt! imageSize!=1K|2K|4K temperature:0..2 topP:0..1",
    ),
    (
        "IMAGE_GENERATOR",
        "gemini-3.1-flash-image-preview",
        "prompt! imageSize!=512|1K|2K|4K aspectRatio=1:1|1:4|1:8|2:3|3:2|3:4|4:1|4:3|4:5|5:4|8:1|9:16|16:9|21:9 temperature:0..2 topP:0..1",
    ),
    (
        "IMAGE_GENERATOR",
        "qwen-image-*",
        "prompt! size=1664*928|1472*1104|1328*1328|1104*1472|928*1664 n:1..6",
    ),
    (
        "IMAGE_GENERATOR",
        "recraft",
        "prompt! task_type=recraftv2|recraftv3|recraftv4|recraftv4_vector|recraftv4_pro|recraftv4_pro_vector size~recraft n:1..4",
    ),
    (
        "IMAGE_GENERATOR",
        "ideogram-3",
        "prompt! num_images!:1..8 rendering_speed=FLASH|TURBO|DEFAULT|QUALITY aspect_ratio~ideogram magic_prompt=AUTO|ON|OFF style_type=AUTO|GENERAL|REALISTIC|DESIGN|FICTION",
    ),
    (
        "IMAGE_GENERATOR",
        "dzine",
        "prompt! style_code! n:1..4 size~pixels",
    ),
    ("IMAGE_GENERATOR", "grok-*", "prompt! n:1..10"),
    // Leonardo's models are the only ones with UUIDs for names.
    (
        "IMAGE_GENERATOR",
        "6b645e3a-* b24e16ff-* e71a1c2f-* aa77f04e-* 5c232a9e-* 2067ae52-* 1e60896f-*",
        "prompt! n!:1..4 size~pixels leonardo_guidance_scale:1..20 leonardo_num_inference_steps:10..60 leonardo_init_strength:0.1..0.9 leonardo_transparency=disabled|foreground_only",
    ),
    (
        "TEXT_TO_VIDEO",
        "kling",
        "prompt! duration~kling mode=std|pro aspect_ratio=16:9|9:16|1:1 cfg_scale:0..1",
    ),
    (
        "IMAGE_TO_VIDEO",
        "kling",
        "imageUrl!@ duration!~kling aspect_ratio!=16:9|9:16|1:1 mode!=std|pro version!~any cfg_scale!:0..1",
    ),
    (
        "TEXT_TO_VIDEO",
        "veo3",
        "prompt! task_type=veo3-video|veo3-video-fast|veo3.1-video|veo3.1-video-fast aspect_ratio=16:9|9:16 veo3_duration=8s resolution=720p|1080p",
    ),
    (
        "IMAGE_TO_VIDEO",
        "veo3",
        "imageUrl!@ prompt! task_type=veo3-video|veo3-video-fast|veo3.1-video|veo3.1-video-fast aspect_ratio=16:9|9:16 veo3_duration=8s resolution=720p|1080p tail_image_url@",
    ),
    (
        "TEXT_TO_VIDEO",
        "sora-2",
        "prompt! seconds=4|8|12 size=720x1280|1280x720 reference_image_path@",
    ),
    (
        "TEXT_TO_VIDEO",
        "sora-2-pro",
        "prompt! seconds=4|8|12 size=720x1280|1280x720|1024x1792|1792x1024 reference_image_path@",
    ),
    ("TEXT_TO_VIDEO", "luma", "prompt! length=5"),
    ("TEXT_TO_VIDEO", "*", "prompt! fps:1..60 steps:1..100"),
    ("IMAGE_TO_VIDEO", "pika", "imageUrls!"),
    ("IMAGE_TO_VIDEO", "*", "imageUrl!@"),
    (
        "MUSIC_GENERATOR",
        "suno-ttapi music-s",
        "prompt! mv=chirp-v3-0|chirp-v3-5|chirp-v4|chirp-v4-5",
    ),
    ("MUSIC_GENERATOR", "*", "prompt!"),
    (
        "IMAGE_VARIATOR",
        "magic-art",
        "imageUrl!@ mode=fast|relax n=4 aspect_width:1..7 aspect_height:1..7",
    ),
    (
        "IMAGE_VARIATOR",
        "black-forest-labs/*",
        "imageUrl!@ format=webp|jpg|png aspect_ratio=1:1|16:9|21:9|3:2|2:3|4:5|5:4|3:4|4:3|9:16|9:21 num_outputs:1..4 num_inference_steps:1..50 output_quality:0..100 megapixels=1|0.25",
    ),
    ("IMAGE_VARIATOR", "*", "imageUrl!@ n:1..4"),
    (
        "IMAGE_EDITOR",
        "gpt-image-1 gpt-image-1-mini",
        "imageUrl!@ prompt!<4000 size!=1024x1024|1024x1536|1536x1024 n!:1..10 quality=low|medium|high output_format=png|jpeg|webp output_compression:0..100 background=opaque|transparent",
    ),
    (
        "IMAGE_EDITOR",
        "gpt-image-2",
        "imageUrl!@ prompt!<4000 size!~free quality!=low|medium|high n:1..10 background=auto|opaque|transparent output_format=png|jpeg|webp output_compression:0..100",
    ),
    (
        "IMAGE_EDITOR",
        "gemini-2.5-flash-image-preview",
        "imageUrl!@ prompt! referenceImage1@ referenceImage2@",
    ),
    (
        "IMAGE_EDITOR",
        "gemini-3-pro-image-preview",
        "imageUrl!@ prompt! referenceImage1@ referenceImage2@ imageSize!=1K|2K|4K temperature:0..2 topP:0..1",
    ),
    (
        "IMAGE_EDITOR",
        "gemini-3.1-flash-image-preview",
        "imageUrl!@ prompt! referenceImage1@ referenceImage2@ imageSize!=512|1K|2K|4K temperature:0..2 topP:0..1",
    ),
    (
        "IMAGE_EDITOR",
        "black-forest-labs/flux-2-*",
        "imageUrl!@ prompt! aspect_ratio~ratio output_format=jpg|png output_quality:0..100 guidance:2..5 safety_tolerance:1..6",
    ),
    (
        "IMAGE_EDITOR",
        "qwen-image-edit-plus",
        "imageUrl!@ prompt! n!:1..6 width:512..2048 height:512..2048 negative_prompt<500",
    ),
    ("IMAGE_EDITOR", "*", "imageUrl!@ prompt!"),
    ("BACKGROUND_REPLACER", "*", "imageUrl!@ prompt!"),
    (
        "IMAGE_OBJECT_REMOVER",
        "*",
        "imageUrl!@ maskUrl!@ output_format=png|jpeg|webp",
    ),
    (
        "SEARCH_AND_REPLACE",
        "*",
        "imageUrl!@ search_prompt! prompt! output_format=png|jpeg|webp",
    ),
    (
        "IMAGE_INPAINTER",
        "*",
        "imageUrl!@ maskUrl!@ prompt! output_format=png|jpeg|webp",
    ),
    (
        "IMAGE_EXTENDER",
        "*",
        "imageUrl!@ left:0..2000 right:0..2000 up:0..2000 down:0..2000 output_format=png|jpeg|webp",
    ),
    ("IMAGE_TO_PROMPT", "*", "imageUrl!@ n:1..4"),
    ("FACE_SWAPPER", "*", "targetImageUrl!@ swapImageUrl!@"),
    (
        "SPEECH_TO_TEXT",
        "whisper-1 gpt-4o-*",
        "audioUrl!$25 response_format!=text|json|srt|verbose_json|vtt temperature:0..1",
    ),
    (
        "SPEECH_TO_TEXT",
        "elevenlabs-speech-to-text",
        "audioUrl!$1000",
    ),
    ("SPEECH_TO_TEXT", "qwen3-asr-flash", "audioUrl!$10"),
    ("SPEECH_TO_TEXT", "*", "audioUrl!$1000 language!"),
    (
        "AUDIO_TRANSLATOR",
        "whisper-1",
        "audioUrl!$25 response_format=text|json|srt|verbose_json|vtt temperature:0..1",
    ),
    (
        "AUDIO_TRANSLATOR",
        "gemini-*",
        "audioUrl!$1000 originalLanguage! targetLanguage!",
    ),
    ("AUDIO_TRANSLATOR", "*", "audioUrl!$1000"),
    (
        "TEXT_TO_SPEECH",
        "tts-1 tts-1-hd",
        "text!<4096 voice!=alloy|echo|fable|onyx|nova|shimmer|ash|ballad|coral|sage|verse response_format=mp3|opus|aac|flac|wav|pcm speed:0.25..4",
    ),
    (
        "TEXT_TO_SPEECH",
        "elevenlabs-tts",
        "text! voice_id! model_id! output_format=mp3_44100_128|mp3_44100_64|mp3_44100_96|mp3_44100_192|mp3_22050_32|pcm_16000|pcm_22050|pcm_24000|pcm_44100",
    ),
    (
        "TEXT_TO_SPEECH",
        "google-tts",
        "text! languageCode! name! audioEncoding=MP3|LINEAR16|OGG_OPUS",
    ),
    ("TEXT_TO_SPEECH", "qwen3-tts-flash", "text! voice!"),
    (
        "VOICE_DESIGN",
        "*",
        "voice_description! text! loudness:0..1 guidance_scale:0..1",
    ),
    ("CODE_GENERATOR", "*", "prompt!"),
    // What is left takes an image and nothing else that must be there.
    ("*", "*", "imageUrl!@ output_format=png|jpeg|webp"),
];

/// One field of a row.
#[derive(Debug, PartialEq)]
struct Field<'r> {
    name: &'r str,
    required: bool,
    value: Value<'r>,
}

/// Refuses a request that lacks a field, or whose provider would refuse a value.
pub(super) fn check(
    state: &State,
    request: &FeatureRequest,
    kind: &str,
    model: &str,
    provider: &str,
) -> Result<(), Refusal> {
    let fields: Vec<Field<'_>> = row(kind, model).split(' ').map(field).collect();
    let absent = |name: &str| {
        let value = request.field(name);
        value.is_none_or(|value| value.as_str().is_some_and(str::is_empty))
    };
    let missing: Vec<&str> = fields
        .iter()
        .filter(|field| field.required && absent(field.name))
        .map(|field| field.name)
        .collect();
    if !missing.is_empty() {
        return Err(Refusal::missing_fields(model, kind, &missing));
    }
    for field in fields {
        if request.field(field.name).is_some() {
            values::check(state, request, field.name, &field.value, provider)?;
        }
    }
    Ok(())
}

fn row(kind: &str, model: &str) -> &'static str {
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => model.starts_with(start),
        None => model == pattern,
    };
    let found = RULES.iter().find(|(feature, models, _)| {
        (*feature == kind || *feature == "*") && models.split(' ').any(fits)
    });
    found.map_or("", |(_, _, fields)| fields)
}

fn field(text: &str) -> Field<'_> {
    let end = text
        .find(|c: char| "!=:<@$~".contains(c))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let (required, rest) = match rest.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let value = Value::read(rest);
    Field {
        name,
        required,
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::{FEATURES, RULES, Value, field, row};
    use crate::models;

    #[test]
    fn every_row_can_be_read_and_is_for_a_feature_that_is_served() {
        for (feature, models, fields) in RULES {
            assert!(*feature == "*" || FEATURES.contains(feature), "{feature}");
            for text in fields.split(' ') {
                let field = field(text);
                assert!(!field.name.is_empty(), "{feature} {models}: {text}");
                let bare = text.trim_end_matches('!') == field.name;
                assert!(
                    bare == (field.value == Value::Any),
                    "{feature} {models}: {text}"
                );
            }
        }
    }

    #[test]
    fn every_feature_has_a_model_and_every_model_a_row() {
        for feature in FEATURES {
            let ids = models::ids(feature);
            assert!(!ids.is_empty(), "{feature}");
            for id in ids {
                assert!(!row(feature, id).is_empty(), "{feature} {id}");
            }
        }
    }
}
