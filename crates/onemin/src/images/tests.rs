use serde_json::{Map, Value, json};

use super::{
    Edit, ImageParams, Variation, aliases, counts, edit, generation, is_known, markdown, repeated,
    specs, transform, variation, variation_candidates,
};
use crate::features::{Invalid, Kind, Mode, Payload};
use crate::models::{Feature, builtin};

const CAT: &str = "images/2026_10_10_12_00_00_101_cat.png";
const HAT: &str = "images/2026_10_10_12_00_00_102_hat.png";
const REF: &str = "images/2026_10_10_12_00_00_103_ref.png";
const MASK: &str = "images/2026_10_10_12_00_00_104_mask.png";
const FACE: &str = "images/2026_10_10_12_00_00_105_face.png";

fn fixture(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/onemin");
    let bytes = std::fs::read(path.join(format!("{name}.json"))).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn body(payload: &Payload, mode: Mode) -> Value {
    serde_json::from_slice(&payload.to_bytes(mode)).unwrap()
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other}"),
    }
}

fn boat() -> ImageParams {
    draw("a paper boat")
}

fn draw(prompt: &str) -> ImageParams {
    ImageParams {
        prompt: prompt.into(),
        ..ImageParams::default()
    }
}

fn ratio(ratio: &str) -> ImageParams {
    ImageParams {
        aspect_ratio: Some(ratio.into()),
        ..boat()
    }
}

fn extra(params: ImageParams, extra: Value) -> ImageParams {
    ImageParams {
        extra: map(extra),
        ..params
    }
}

#[test]
fn every_captured_drawing_is_written() {
    let text = |text: &str| Some(text.to_owned());
    let dzine = json!({"style_code": "Style-00000000-0000-0000-0000-000000000001", "style_base_model": "S"});
    for (name, params) in [
        (
            "gpt-image-1-mini",
            ImageParams {
                quality: text("low"),
                output_format: text("png"),
                background: text("opaque"),
                ..boat()
            },
        ),
        (
            "gpt-image-2",
            ImageParams {
                count: Some(2),
                size: text("1280x720"),
                background: text("auto"),
                output_format: text("webp"),
                output_compression: Some(80),
                ..boat()
            },
        ),
        ("flux-1.1-pro", ratio("16:9")),
        ("flux-2-pro", boat()),
        ("flux-dev", ratio("3:2")),
        ("flux-schnell-disabled", boat()),
        ("gemini-3.1-flash-image", ratio("16:9")),
        ("grok-imagine", boat()),
        ("ideogram-3", draw("a poster that says HELLO")),
        (
            "leonardo-phoenix",
            ImageParams {
                count: Some(2),
                size: text("1024x768"),
                ..boat()
            },
        ),
        (
            "magic-art-7",
            extra(
                ratio("3:2"),
                json!({"stylize": 100, "chaos": 0, "weird": 0}),
            ),
        ),
        (
            "qwen-image-plus",
            ImageParams {
                count: Some(1),
                size: text("1328x1328"),
                ..boat()
            },
        ),
        (
            "recraft",
            ImageParams {
                style: text("digital_illustration"),
                ..boat()
            },
        ),
        (
            "sdxl",
            ImageParams {
                seed: Some(42),
                ..draw("a small red apple")
            },
        ),
        (
            "stable-image-core",
            ImageParams {
                negative_prompt: text("text"),
                ..boat()
            },
        ),
        ("stable-image-ultra", boat()),
        ("dzine", extra(boat(), dzine)),
    ] {
        let expected = fixture(&format!("image-{name}.request"));
        let payload = generation(expected["model"].as_str().unwrap(), &params).unwrap();
        assert_eq!(body(&payload, Mode::Held), expected, "{name}");
        assert!(payload.ignored.is_empty(), "{name} {:?}", payload.ignored);
    }
}

#[test]
fn every_captured_edit_and_variation_is_written() {
    let cat = |params: ImageParams| Edit {
        image: CAT.into(),
        params,
        ..Edit::default()
    };
    let flex = ImageParams {
        steps: Some(30),
        guidance: Some(4.0),
        output_compression: Some(90),
        ..draw("make it night")
    };
    let hat = ImageParams {
        output_format: Some("png".into()),
        ..draw("put a small hat on the cat")
    };
    let palette = Edit {
        references: vec![REF.into()],
        ..cat(draw("match the palette of the reference"))
    };
    let two = Edit {
        references: vec![HAT.into()],
        ..cat(draw("Put the hat of Image 2 on the cat of Image 1."))
    };
    for (name, params, mode) in [
        ("editor-flux-2-flex", cat(flex), Mode::Held),
        ("editor-gpt-image-1", cat(hat), Mode::Polled),
        ("editor-gemini", palette, Mode::Held),
        ("editor-qwen", two, Mode::Held),
    ] {
        let expected = fixture(&format!("image-{name}.request"));
        let payload = edit(expected["model"].as_str().unwrap(), &params).unwrap();
        assert_eq!(body(&payload, mode), expected, "{name}");
    }
    let square = ImageParams {
        aspect_ratio: Some("1:1".into()),
        steps: Some(28),
        ..ImageParams::default()
    };
    for (name, params) in [
        ("variator-magic-art", ImageParams::default()),
        ("variator-clipdrop", ImageParams::default()),
        ("variator-flux-redux", square),
    ] {
        let expected = fixture(&format!("image-{name}.request"));
        let params = Variation {
            image: CAT.into(),
            params,
            ..Variation::default()
        };
        let payload = variation(expected["model"].as_str().unwrap(), &params).unwrap();
        assert_eq!(body(&payload, Mode::Held), expected, "{name}");
    }
    let described = transform(
        Kind::ImageToPrompt,
        "midjourney",
        &cat(ImageParams::default()),
    )
    .unwrap();
    assert_eq!(
        body(&described, Mode::Held),
        fixture("image-to-prompt.request")
    );
}

#[test]
fn every_other_feature_of_pictures_is_written() {
    let plain = || Edit {
        image: CAT.into(),
        ..Edit::default()
    };
    let says = |prompt: &str, extra: Value| Edit {
        params: ImageParams {
            extra: map(extra),
            ..draw(prompt)
        },
        ..plain()
    };
    let masked = |edit: Edit| Edit {
        mask: Some(MASK.into()),
        ..edit
    };
    let edits = [
        (Kind::BackgroundRemover, plain()),
        (Kind::BackgroundReplacer, says("a beach", json!({}))),
        (Kind::ImageUpscaler, plain()),
        (
            Kind::ImageExtender,
            says("", json!({"left": 256, "right": 256})),
        ),
        (Kind::TextRemover, plain()),
        (Kind::ImageObjectRemover, masked(plain())),
        (
            Kind::SearchAndReplace,
            says("dog", json!({"search_prompt": "cat"})),
        ),
        (Kind::ImageInpainter, masked(says("a bowl", json!({})))),
        (
            Kind::FaceSwapper,
            Edit {
                references: vec![FACE.into()],
                ..plain()
            },
        ),
    ];
    let all = fixture("image-other-features.requests");
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), edits.len());
    for (expected, (kind, edit)) in all.iter().zip(edits) {
        let payload = transform(kind, expected["model"].as_str().unwrap(), &edit).unwrap();
        assert_eq!(&body(&payload, Mode::Held), expected);
    }
}

#[test]
fn a_mask_or_a_search_chooses_the_feature() {
    let cat = Edit {
        image: CAT.into(),
        params: draw("a bowl"),
        ..Edit::default()
    };
    let masked = Edit {
        mask: Some(MASK.into()),
        ..cat.clone()
    };
    assert_eq!(
        edit("stable-image", &masked).unwrap().kind,
        Kind::ImageInpainter
    );
    assert_eq!(
        edit("gpt-image-1", &masked).unwrap().kind,
        Kind::ImageInpainter
    );
    let error = edit("gemini-2.5-flash-image", &masked).unwrap_err();
    assert_eq!(error.field, "mask");
    assert!(error.message.contains("stable-image"), "{error}");
    let search = Edit {
        params: extra(draw("dog"), json!({"search_prompt": "cat"})),
        ..cat.clone()
    };
    assert_eq!(
        edit("stable-image", &search).unwrap().kind,
        Kind::SearchAndReplace
    );
    let many = Edit {
        references: vec![HAT.into(), REF.into(), FACE.into()],
        ..cat.clone()
    };
    assert_eq!(
        edit("gemini-2.5-flash-image-preview", &many)
            .unwrap_err()
            .field,
        "image"
    );
    let two = Edit {
        references: vec![HAT.into()],
        ..cat
    };
    let error = edit("gpt-image-1", &two).unwrap_err();
    assert!(
        error
            .message
            .contains("one image; these take three: gemini"),
        "{error}"
    );
}

#[test]
fn every_model_that_upstream_lists_is_in_the_table() {
    for (feature, kind) in [
        (Feature::ImageGenerator, Kind::ImageGenerator),
        (Feature::ImageEditor, Kind::ImageEditor),
        (Feature::ImageVariator, Kind::ImageVariator),
    ] {
        let models = builtin(feature);
        assert!(!models.is_empty());
        for model in models {
            assert!(is_known(kind, &model.id), "{} {}", kind.as_str(), model.id);
        }
    }
    for model in [
        "gpt-image-1.5",
        "dall-e-2",
        "dall-e-3",
        "stable-diffusion-v1-6",
    ] {
        assert!(is_known(Kind::ImageGenerator, model), "{model}");
    }
    for (old, _) in aliases::RENAMED {
        assert!(is_known(Kind::ImageGenerator, old), "{old}");
    }
    assert!(
        variation_candidates("midjourney")
            .iter()
            .all(|model| is_known(Kind::ImageVariator, model))
    );
}

#[test]
fn every_form_fills_in_with_its_defaults_and_they_are_allowed() {
    for spec in specs() {
        for field in spec.fields {
            if let Some(default) = field.default {
                assert!(
                    field.rule.check(&default.value()).is_ok(),
                    "{:?} {}",
                    spec.models,
                    field.name
                );
            }
            for (_, to) in field.synonyms {
                assert!(
                    field.rule.check(&Value::from(*to)).is_ok(),
                    "{:?} {} {to}",
                    spec.models,
                    field.name
                );
            }
        }
        let names: std::collections::HashSet<&str> =
            spec.fields.iter().map(|field| field.name).collect();
        assert_eq!(names.len(), spec.fields.len(), "{:?}", spec.models);
    }
}

#[test]
fn a_model_that_nobody_knows_gets_what_was_asked_for() {
    let params = ImageParams {
        count: Some(2),
        size: Some("1024x1024".into()),
        quality: Some("auto".into()),
        seed: Some(7),
        ..extra(boat(), json!({"novel": [1], "n": 3}))
    };
    let payload = generation("new-house/new-model", &params).unwrap();
    assert_eq!(
        Value::Object(payload.prompt_object),
        json!({"prompt": "a paper boat", "n": 3, "size": "1024x1024", "seed": 7, "novel": [1]})
    );
    let cat = Edit {
        image: CAT.into(),
        references: vec![HAT.into()],
        params: draw("x"),
        ..Edit::default()
    };
    let payload = edit("new-model", &cat).unwrap();
    assert_eq!(
        Value::Object(payload.prompt_object),
        json!({"imageUrl": CAT, "prompt": "x", "additional_images": [HAT]})
    );
}

#[test]
fn values_are_sent_refused_or_named() {
    let refused =
        |model: &str, params: ImageParams| -> Invalid { generation(model, &params).unwrap_err() };
    let counted = |count| ImageParams {
        count: Some(count),
        ..boat()
    };
    let named = |model: &str, params: &ImageParams| generation(model, params).unwrap().ignored;
    assert_eq!(refused("gpt-image-1", draw(" ")).field, "prompt");
    assert_eq!(
        refused("gpt-image-2", draw(&"x".repeat(4001))).field,
        "prompt"
    );
    assert_eq!(refused("gpt-image-1", counted(11)).field, "n");
    assert_eq!(refused("gpt-image-1", counted(0)).field, "n");
    assert_eq!(refused("magic-art", counted(5)).field, "n");
    assert!(refused("dzine", boat()).message.contains("style"));
    assert_eq!(
        refused(
            "gpt-image-1",
            ImageParams {
                quality: Some("superb".into()),
                ..boat()
            }
        )
        .field,
        "quality"
    );
    assert_eq!(
        refused("ideogram-3", extra(boat(), json!({"num_images": 9}))).field,
        "num_images"
    );
    assert_eq!(named("magic-art", &counted(1)), [""; 0]);
    assert_eq!(named("black-forest-labs/flux-2-pro", &counted(1)), [""; 0]);
    assert_eq!(named("black-forest-labs/flux-2-pro", &counted(2)), ["n"]);
    assert_eq!(
        named(
            "gpt-image-1",
            &ImageParams {
                seed: Some(1),
                moderation: Some("low".into()),
                ..boat()
            }
        ),
        ["moderation", "seed"]
    );
    assert_eq!(
        (
            counts(Kind::ImageGenerator, "gpt-image-1"),
            counts(Kind::ImageGenerator, "magic-art"),
            counts(Kind::ImageGenerator, "dall-e-3")
        ),
        ((1, 10), (4, 4), (1, 1))
    );
    assert_eq!(
        counts(Kind::ImageGenerator, "black-forest-labs/flux-2-pro"),
        (1, 1)
    );
}

#[test]
fn words_of_other_vendors_become_the_models_own() {
    let field = |model: &str, params: &ImageParams, name: &str| {
        generation(model, params).unwrap().prompt_object[name].clone()
    };
    let quality = |quality: &str| ImageParams {
        quality: Some(quality.into()),
        ..boat()
    };
    assert_eq!(field("gpt-image-1", &quality("hd"), "quality"), "high");
    assert_eq!(field("gpt-image-1", &quality("auto"), "quality"), "medium");
    assert_eq!(field("dall-e-3", &quality("high"), "quality"), "hd");
    assert_eq!(
        field("ideogram-3", &quality("low"), "rendering_speed"),
        "TURBO"
    );
    let jpeg = |format: &str| ImageParams {
        output_format: Some(format.into()),
        ..boat()
    };
    assert_eq!(field("gpt-image-1", &jpeg("jpg"), "output_format"), "jpeg");
    assert_eq!(
        field(
            "black-forest-labs/flux-2-pro",
            &jpeg("jpeg"),
            "output_format"
        ),
        "jpg"
    );
    let clear = ImageParams {
        background: Some("transparent".into()),
        ..boat()
    };
    assert_eq!(field("ideogram-3", &clear, "transparent"), true);
    let free = ImageParams {
        moderation: Some("low".into()),
        niji: Some(true),
        ..boat()
    };
    assert_eq!(field("midjourney_7_0", &free, "maintainModeration"), false);
    assert_eq!(field("midjourney_7_0", &free, "isNiji6"), true);
    let wide = generation(
        "ideogram-3",
        &extra(boat(), json!({"resolution": "1024x1024"})),
    )
    .unwrap();
    assert!(!wide.prompt_object.contains_key("aspect_ratio"));
}

#[test]
fn a_variation_repeats_what_its_drawing_was_asked() {
    let params = ImageParams {
        mode: Some("relax".into()),
        niji: Some(true),
        aspect_ratio: Some("3:2".into()),
        ..boat()
    };
    let drawing = generation("midjourney_6_1", &params).unwrap();
    assert_eq!(drawing.model, "magic-art_6_1");
    let again = Variation {
        image: CAT.into(),
        repeated: repeated(&drawing),
        ..Variation::default()
    };
    let payload = variation("magic-art", &again).unwrap();
    assert_eq!(
        Value::Object(payload.prompt_object),
        json!({"imageUrl": CAT, "mode": "relax", "n": 4, "isNiji6": true, "aspect_width": 3, "aspect_height": 2, "maintainModeration": true})
    );
    let otherwise = Variation {
        params: ImageParams {
            mode: Some("fast".into()),
            aspect_ratio: Some("1:2".into()),
            ..ImageParams::default()
        },
        ..again.clone()
    };
    let payload = variation("magic-art", &otherwise).unwrap();
    assert_eq!(
        Value::Object(payload.prompt_object),
        json!({"imageUrl": CAT, "mode": "fast", "n": 4, "isNiji6": true, "aspect_width": 1, "aspect_height": 2, "maintainModeration": true})
    );
    let elsewhere = variation("clipdrop", &again).unwrap();
    assert_eq!(
        (elsewhere.prompt_object.len(), elsewhere.ignored.len()),
        (1, 0)
    );
    let plain = generation("dall-e-3", &boat()).unwrap();
    assert!(repeated(&plain).is_empty());
}

#[test]
fn the_table_can_be_read_as_a_page() {
    let page = markdown();
    assert!(
        page.contains("### IMAGE_GENERATOR: `gpt-image-2`"),
        "{page}"
    );
    assert_eq!(page.matches("\n### ").count() + 1, specs().count());
}

#[test]
fn flags_in_a_prompt_go_before_what_a_client_always_sends() {
    let params = ImageParams {
        size: Some("1024x1024".into()),
        negative_prompt: Some("text".into()),
        mode: Some("fast".into()),
        ..draw("a boat --ar 6:4 --no logos --relax")
    };
    let expected = ImageParams {
        aspect_ratio: Some("3:2".into()),
        negative_prompt: Some("text, logos".into()),
        mode: Some("relax".into()),
        ..draw("a boat")
    };
    assert_eq!(params.with_flags(), expected);
    let plain = ImageParams {
        size: Some("1024x1024".into()),
        ..boat()
    };
    assert_eq!(plain.clone().with_flags(), plain);
}
