use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::{ImageParams, generation, specs};
use super::{area, nearest, shape};
use crate::features::spec::{Param, size};
use crate::features::{Invalid, Kind};

fn drawn(
    model: &str,
    size: Option<&str>,
    ratio: Option<&str>,
    extra: &Value,
) -> Result<(Map<String, Value>, Vec<String>), Invalid> {
    let params = ImageParams {
        prompt: "cat".into(),
        size: size.map(str::to_owned),
        aspect_ratio: ratio.map(str::to_owned),
        extra: extra.as_object().cloned().unwrap_or_default(),
        ..ImageParams::default()
    };
    let payload = generation(model, &params)?;
    Ok((payload.prompt_object, payload.ignored))
}

const FLUX_2: &str = "black-forest-labs/flux-2-pro";
const FLUX_PRO: &str = "black-forest-labs/flux-1.1-pro";
const FLUX_1_PRO: &str = "black-forest-labs/flux-pro";
const SDXL: &str = "stable-diffusion-xl-1024-v1-0";
const FLASH: &str = "gemini-3.1-flash-image-preview";
const PHOENIX: &str = "6b645e3a-d64f-4341-a6d8-7a3690fbf042";

/// Model, size, ratio, the fields they become, and what is not met.
const SHAPES: &str = r#"
gpt-image-1     | 1536x1024 |      | {"size":"1536x1024"} |
gpt-image-1     | auto      |      | {"size":"1024x1024"} |
gpt-image-1     | 512x512   |      | {"size":"1024x1024"} | size
gpt-image-1     |           | 3:2  | {"size":"1536x1024"} |
gpt-image-1     |           | 16:9 | {"size":"1536x1024"} | aspect_ratio
gpt-image-2     |           | 16:9 | {"size":"1360x768"}  |
gpt-image-2     |           | 9:1  | {"size":"1776x592"}  | aspect_ratio
dall-e-3        |           | 16:9 | {"size":"1792x1024"} | aspect_ratio
dall-e-2        |           | 16:9 | {"size":"1024x1024"} | aspect_ratio
qwen-image-plus | 1024x1024 |      | {"size":"1328*1328"} | size
qwen-image-plus | 1664x928  |      | {"size":"1664*928"}  |
SDXL            | 512x512   |      | {"size":"1024x1024"} | size
FLUX_2          | 1024x1024 |      | {"aspect_ratio":"1:1"}  |
FLUX_2          | 1792x1024 |      | {"aspect_ratio":"16:9"} | size
FLUX_2          |           | 32:18 | {"aspect_ratio":"16:9"} |
FLUX_PRO        |           | 16:9 | {"aspect_ratio":"16:9"} |
FLUX_PRO        | 1024x768  |      | {"aspect_ratio":"custom","width":1024,"height":768} |
FLUX_PRO        |           | 4:3  | {"aspect_ratio":"custom","width":1184,"height":896} |
FLUX_1_PRO      | 1024x768  |      | {"aspect_ratio":"custom","width":1024,"height":768} |
FLUX_1_PRO      |           | 21:9 | {"aspect_ratio":"custom","width":1440,"height":672} | aspect_ratio
magic-art       |           | 6:4  | {"aspect_width":3,"aspect_height":2} |
magic-art       |           | 16:9 | {"aspect_width":7,"aspect_height":4} | aspect_ratio
magic-art       | 1024x1536 |      | {"aspect_width":2,"aspect_height":3} |
PHOENIX         |           | 1:2  | {"size":"728x1448"} |
ideogram-3      |           | 16:9 | {"aspect_ratio":"16x9"} |
ideogram-3      | 1024x1024 |      | {"aspect_ratio":"1x1"} |
FLASH           | 2K        | 16:9 | {"imageSize":"2K","aspectRatio":"16:9"} |
FLASH           | 2048x2048 |      | {"imageSize":"2K","aspectRatio":"1:1"} |
FLASH           | 512x512   |      | {"imageSize":"512","aspectRatio":"1:1"} |
gemini-3-pro-image-preview | 4096x4096 |     | {"imageSize":"4K"} |
gemini-3-pro-image-preview | 512x512   |     | {"imageSize":"1K"} |
gemini-3-pro-image-preview | 1024x1536 |     | {"imageSize":"1K"} | size
grok-imagine-image         | 1024x1024 | 1:1 | {} | size,aspect_ratio
stable-image               | 1024x1792 |     | {"stable_image_core_aspect_ratio":"9:16"} | size
"#;

fn model(name: &str) -> &str {
    match name {
        "FLUX_2" => FLUX_2,
        "FLUX_PRO" => FLUX_PRO,
        "FLUX_1_PRO" => FLUX_1_PRO,
        "SDXL" => SDXL,
        "FLASH" => FLASH,
        "PHOENIX" => PHOENIX,
        name => name,
    }
}

#[test]
fn a_shape_becomes_the_fields_that_a_model_has_for_it() {
    for row in SHAPES.trim().lines() {
        let columns: Vec<&str> = row.split('|').map(str::trim).collect();
        let [name, size, ratio, expected, unmet] = columns[..] else {
            panic!("{row}")
        };
        let said = |text: &'static str| Some(text).filter(|text| !text.is_empty());
        let (fields, ignored) = drawn(model(name), said(size), said(ratio), &json!({})).unwrap();
        let expected: Map<String, Value> = serde_json::from_str(expected).unwrap();
        for (field, value) in &expected {
            assert_eq!(&fields[field], value, "{row}");
        }
        assert_eq!(ignored.join(","), unmet, "{row}");
    }
}

#[test]
fn a_shape_that_a_model_cannot_do_is_refused_with_what_it_can() {
    for (model, size, ratio, field, allowed) in [
        ("gpt-image-1", Some("1792x1024"), None, "size", "1536x1024"),
        ("gpt-image-2", Some("512x512"), None, "size", "655360"),
        (SDXL, Some("1000x300"), None, "size", "1536x640"),
        (FLUX_2, Some("4096x256"), None, "size", "21:9"),
        (FLUX_2, None, Some("7:1"), "aspect_ratio", "21:9"),
        (FLUX_PRO, Some("4096x4096"), None, "size", "2048"),
        (FLUX_1_PRO, Some("1000x1000"), None, "size", "WIDTHxHEIGHT"),
        (
            FLUX_1_PRO,
            Some("1000x1000"),
            None,
            "size",
            "multiple of 32",
        ),
        ("gpt-image-1", Some("large"), None, "size", "1024x1024"),
        ("magic-art", None, Some("wide"), "aspect_ratio", "16:9"),
        ("ideogram-3", None, Some("wide"), "aspect_ratio", "16x9"),
    ] {
        let error = drawn(model, size, ratio, &json!({})).unwrap_err();
        assert_eq!(error.field, field, "{model} {size:?} {ratio:?}");
        assert!(error.message.contains(allowed), "{error}");
    }
}

#[test]
fn a_version_of_recraft_has_its_own_sizes() {
    let size = |task, size| {
        let (fields, _) = drawn("recraft", Some(size), None, &json!({"task_type": task}))?;
        Ok::<_, Invalid>(fields["size"].clone())
    };
    assert_eq!(size("recraftv3", "1365x1024").unwrap(), "1365x1024");
    assert!(size("recraftv4", "1365x1024").is_err());
    assert_eq!(size("recraftv4_vector", "1024x1024").unwrap(), "1:1");
}

proptest! {
    #[test]
    fn no_request_makes_a_shape_that_its_model_refuses(
        width in 1u32..5000, height in 1u32..5000, as_ratio in any::<bool>(),
    ) {
        for spec in specs().filter(|spec| spec.kind == Kind::ImageGenerator) {
            let text = format!("{width}x{height}");
            let (size, ratio) = if as_ratio { (None, Some(text.as_str())) } else { (Some(text.as_str()), None) };
            let Ok(shape) = shape(spec, "m", size, ratio) else { continue };
            for (param, value) in shape.values {
                let rule = spec.field(param).unwrap().rule;
                let is_free = param == Param::Size && size.is_some();
                prop_assert!(rule.check(&value).is_ok() || is_free, "{:?} {param:?} {value}", spec.models);
            }
        }
    }

    #[test]
    fn a_ratio_makes_sides_of_the_usual_area(width in 1u32..20, height in 1u32..20) {
        let (w, h) = area((width, height), 8);
        prop_assert!(w % 8 == 0 && h % 8 == 0);
        prop_assert!((900_000..1_200_000).contains(&(w * h)) , "{w}x{h}");
    }

    #[test]
    fn the_nearest_of_a_list_is_in_it(text in "[1-9][0-9]{0,3}x[1-9][0-9]{0,3}") {
        static LIST: &[&str] = &["1:1", "custom", "16x9"];
        let (found, _) = nearest(LIST, size(&text).unwrap());
        prop_assert!(found == "1:1" || found == "16x9");
    }
}
