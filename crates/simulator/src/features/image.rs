//! Images: how many, how large and in which format a request wants them.

use crate::assets::store::File;
use crate::features::request::FeatureRequest;
use crate::media::{Image, ImageFormat};

/// Side of an image about whose size nothing is said.
const DEFAULT_SIDE: u32 = 1024;

/// Most images of one request.
const IMAGES_MAX: u32 = 10;

/// The images that the request asks for.
pub(super) fn files(request: &FeatureRequest) -> Vec<File> {
    let (width, height) = size(request);
    let (format, extension) = format(request);
    let transparent = request.string("background") == Some("transparent")
        || request.kind() == Some("BACKGROUND_REMOVER");
    let described = request
        .prompt_object()
        .map(|fields| serde_json::json!(fields).to_string());
    let described = described.unwrap_or_default();
    let draw = |number| {
        let seed = format!("{described} {number}");
        let image = Image::of(&seed, width, height, format).transparent(transparent);
        File {
            mime: format.mime(),
            extension,
            bytes: image.encode().into(),
        }
    };
    (0..count(request)).map(draw).collect()
}

fn count(request: &FeatureRequest) -> u32 {
    if request
        .model()
        .is_some_and(|model| model.starts_with("magic-art"))
    {
        return 4;
    }
    let mut fields = ["n", "num_outputs", "num_images", "samples"].iter();
    let wanted = fields.find_map(|name| request.number(name));
    wanted.unwrap_or(1).clamp(1, IMAGES_MAX)
}

/// The format, and the ending of the name as the request spells it.
fn format(request: &FeatureRequest) -> (ImageFormat, &'static str) {
    if request
        .string("task_type")
        .is_some_and(|task| task.contains("vector"))
    {
        return (ImageFormat::Svg, "svg");
    }
    let mut fields = ["output_format", "format", "stable_image_core_output_format"].iter();
    let wanted = fields.find_map(|name| request.string(name));
    match wanted.unwrap_or("png") {
        "jpeg" => (ImageFormat::Jpeg, "jpeg"),
        "jpg" => (ImageFormat::Jpeg, "jpg"),
        "webp" => (ImageFormat::Webp, "webp"),
        name => (
            ImageFormat::from_name(name).unwrap_or(ImageFormat::Png),
            "png",
        ),
    }
}

/// Width and height that the request asks for.
pub(super) fn size(request: &FeatureRequest) -> (u32, u32) {
    let side = |name: &str| request.number(name);
    if let Some(size) = ["size", "resolution"]
        .iter()
        .find_map(|name| pair(request.string(name)?, &['x', '*']))
    {
        return size;
    }
    if let (Some(width), Some(height)) = (side("width"), side("height")) {
        return (width, height);
    }
    if request.kind() == Some("IMAGE_EXTENDER") {
        let more = |one: &str, other: &str| {
            side(one)
                .unwrap_or(0)
                .saturating_add(side(other).unwrap_or(0))
        };
        return (
            DEFAULT_SIDE.saturating_add(more("left", "right")),
            DEFAULT_SIDE.saturating_add(more("up", "down")),
        );
    }
    let mut names = [
        "aspect_ratio",
        "aspectRatio",
        "stable_image_core_aspect_ratio",
    ]
    .iter();
    let ratio = names.find_map(|name| pair(request.string(name)?, &[':', 'x']));
    let ratio = ratio.or_else(|| Some((side("aspect_width")?, side("aspect_height")?)));
    shaped(area(request), ratio.unwrap_or((1, 1)))
}

/// The side of a square with the wanted number of pixels.
fn area(request: &FeatureRequest) -> u32 {
    match (request.string("imageSize"), request.string("megapixels")) {
        (Some("512"), _) | (_, Some("0.25")) => 512,
        (Some("2K"), _) => 2048,
        (Some("4K"), _) => 4096,
        _ if request.kind() == Some("IMAGE_UPSCALER") => 2 * DEFAULT_SIDE,
        _ => DEFAULT_SIDE,
    }
}

/// A rectangle of that ratio whose longer side is that of the square; both are multiples of 8.
fn shaped(side: u32, (width, height): (u32, u32)) -> (u32, u32) {
    let (width, height) = (width.clamp(1, 100), height.clamp(1, 100));
    let shorter = |part: u32, whole: u32| (side * part / whole).max(64) / 8 * 8;
    if width >= height {
        (side, shorter(height, width))
    } else {
        (shorter(width, height), side)
    }
}

/// Two numbers around a sign.
pub(super) fn pair(text: &str, signs: &[char]) -> Option<(u32, u32)> {
    let (one, other) = text.split_once(signs)?;
    let (one, other) = (one.parse().ok()?, other.parse().ok()?);
    (one > 0 && other > 0).then_some((one, other))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{FeatureRequest, format, pair, size};

    fn request(kind: &str, prompt_object: &Value) -> FeatureRequest {
        let body = json!({"type": kind, "model": "m", "promptObject": prompt_object});
        FeatureRequest::read(body.to_string().as_bytes()).expect("an object")
    }

    #[test]
    fn sizes_are_read_in_every_spelling() {
        let cases = [
            (json!({}), (1024, 1024)),
            (json!({"size": "1536x1024"}), (1536, 1024)),
            (json!({"size": "1664*928"}), (1664, 928)),
            (json!({"width": 300, "height": 200}), (300, 200)),
            (json!({"aspect_ratio": "16:9"}), (1024, 576)),
            (json!({"aspect_ratio": "9x16"}), (576, 1024)),
            (json!({"aspect_ratio": "match_input_image"}), (1024, 1024)),
            (json!({"aspect_width": 3, "aspect_height": 2}), (1024, 680)),
            (
                json!({"imageSize": "2K", "aspectRatio": "1:8"}),
                (256, 2048),
            ),
            (json!({"resolution": "1280x720"}), (1280, 720)),
            (json!({"size": "auto"}), (1024, 1024)),
        ];
        for (fields, expected) in cases {
            assert_eq!(
                size(&request("IMAGE_GENERATOR", &fields)),
                expected,
                "{fields}"
            );
        }
        let extended = json!({"left": 256, "right": 256, "up": 0, "down": 10});
        assert_eq!(size(&request("IMAGE_EXTENDER", &extended)), (1536, 1034));
        assert_eq!(size(&request("IMAGE_UPSCALER", &json!({}))), (2048, 2048));
    }

    #[test]
    fn the_ending_is_the_one_asked_for() {
        let ending = |fields: Value| format(&request("IMAGE_GENERATOR", &fields)).1;
        assert_eq!(ending(json!({})), "png");
        assert_eq!(ending(json!({"output_format": "jpeg"})), "jpeg");
        assert_eq!(ending(json!({"format": "jpg"})), "jpg");
        assert_eq!(
            ending(json!({"stable_image_core_output_format": "webp"})),
            "webp"
        );
        assert_eq!(ending(json!({"task_type": "recraftv4_vector"})), "svg");
    }

    #[test]
    fn a_pair_needs_two_numbers() {
        assert_eq!(pair("3:2", &[':']), Some((3, 2)));
        assert_eq!(
            [pair("3", &[':']), pair("0:1", &[':']), pair("a:b", &[':'])],
            [None; 3]
        );
    }
}
