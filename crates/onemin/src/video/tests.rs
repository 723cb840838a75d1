use serde_json::{Value, json};

use super::{VideoParams, generation, models, specs};
use crate::features::{Kind, Mode};

fn boat() -> VideoParams {
    VideoParams {
        prompt: "a tram in the rain".into(),
        ..VideoParams::default()
    }
}

fn sent(model: &str, params: &VideoParams) -> Value {
    let payload = generation(model, params).unwrap_or_else(|error| panic!("{model}: {error}"));
    serde_json::from_slice(&payload.to_bytes(Mode::Polled)).unwrap()
}

fn refused(model: &str, params: &VideoParams) -> (String, String) {
    let error = generation(model, params).unwrap_err();
    (error.field, error.message)
}

fn fixture(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/onemin")
        .join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn documented_requests_are_written_as_documented() {
    let extra = |value: Value| value.as_object().cloned().unwrap();
    let rows = [
        (
            "video-kling.request.json",
            VideoParams {
                negative_prompt: Some("blur".into()),
                ..boat()
            },
        ),
        ("video-sora-2.request.json", boat()),
        ("video-veo3.request.json", boat()),
        (
            "video-image-to-video-kling.request.json",
            VideoParams {
                prompt: "the cat turns its head".into(),
                image: Some("images/2026_10_10_12_00_00_101_cat.png".into()),
                extra: extra(json!({"mode": "pro", "version": "2.5"})),
                ..VideoParams::default()
            },
        ),
    ];
    for (name, params) in rows {
        let expected = fixture(name);
        let model = expected["model"].as_str().unwrap();
        assert_eq!(sent(model, &params), expected, "{name}");
    }
    let animated = VideoParams {
        prompt: "fireflies in a forest".into(),
        negative_prompt: Some("blurry".into()),
        seed: Some(0),
        ..VideoParams::default()
    };
    let mut expected = fixture("video-animatediff.request.json");
    expected["async"] = json!(true);
    let model = expected["model"].as_str().unwrap();
    assert_eq!(sent(model, &animated), expected);
}

#[test]
fn a_size_is_sent_in_the_fields_that_the_model_has() {
    let sized = |size: &str| VideoParams {
        size: Some(size.into()),
        ..boat()
    };
    let fields = |model: &str, size: &str| sent(model, &sized(size))["promptObject"].clone();
    assert_eq!(fields("sora-2", "720x1280")["size"], "720x1280");
    let veo = fields("veo3", "1080x1920");
    assert_eq!(
        (&veo["aspect_ratio"], &veo["resolution"]),
        (&json!("9:16"), &json!("1080p"))
    );
    assert_eq!(fields("kling", "512x512")["aspect_ratio"], "1:1");
    let kling = generation("kling", &sized("512x512")).unwrap();
    assert_eq!(kling.ignored, ["size"]);
    let luma = generation("luma", &sized("1280x720")).unwrap();
    assert_eq!(luma.ignored, ["size"]);
    let tall = VideoParams {
        aspect_ratio: Some("9:16".into()),
        ..boat()
    };
    assert_eq!(
        sent("sora-2", &tall)["promptObject"]["size"],
        "720x1280",
        "a ratio becomes a size where there are only sizes"
    );
}

#[test]
fn what_a_model_does_not_have_is_refused_with_what_it_has() {
    let with = |change: fn(&mut VideoParams)| {
        let mut params = boat();
        change(&mut params);
        params
    };
    let rows: [(&str, VideoParams, &str, &str); 8] = [
        ("veo3", with(|p| p.seconds = Some(4)), "seconds", "only 8s"),
        (
            "sora-2",
            with(|p| p.seconds = Some(5)),
            "seconds",
            "multiple of 4 from 4 to 12",
        ),
        (
            "kling",
            with(|p| p.seconds = Some(7)),
            "seconds",
            "multiple of 5 from 5 to 10",
        ),
        ("luma", with(|p| p.seconds = Some(9)), "seconds", "only 5"),
        (
            "sora-2",
            with(|p| p.size = Some("1792x1024".into())),
            "size",
            "720x1280, 1280x720",
        ),
        (
            "veo3",
            with(|p| p.size = Some("640x480".into())),
            "size",
            "16:9, 9:16",
        ),
        (
            "veo3",
            with(|p| p.size = Some("640x360".into())),
            "size",
            "720p, 1080p",
        ),
        (
            "cjwbw/damo-text-to-video:1",
            with(|p| p.image = Some("a.png".into())),
            "input_reference",
            "kling",
        ),
    ];
    for (model, params, field, told) in rows {
        let (at, message) = refused(model, &params);
        assert_eq!(at, field, "{model} {message}");
        assert!(message.contains(told), "{model} {message}");
    }
    assert_eq!(refused("kling", &VideoParams::default()).0, "prompt");
    assert_eq!(refused("leonardo-motion", &boat()).0, "input_reference");
    let long = VideoParams {
        seconds: Some(12),
        extra: json!({"version": "3.0"}).as_object().cloned().unwrap(),
        ..boat()
    };
    assert_eq!(sent("kling", &long)["promptObject"]["duration"], 12);
}

#[test]
fn parameters_without_a_field_are_named() {
    let params = VideoParams {
        seconds: Some(5),
        seed: Some(7),
        generate_audio: Some(true),
        resolution: Some("720p".into()),
        ..boat()
    };
    let payload = generation("luma", &params).unwrap();
    assert_eq!(payload.ignored, ["resolution", "generate_audio", "seed"]);
}

#[test]
fn an_undescribed_model_gets_common_names() {
    let params = VideoParams {
        seconds: Some(6),
        image: Some("images/a.png".into()),
        ..boat()
    };
    let body = sent("next-year-1", &params);
    assert_eq!(body["type"], "IMAGE_TO_VIDEO");
    assert_eq!(
        body["promptObject"],
        json!({"prompt": "a tram in the rain", "duration": 6, "imageUrl": "images/a.png"})
    );
}

#[test]
fn pika_takes_a_list_of_images() {
    let params = VideoParams {
        image: Some("images/a.png".into()),
        ..boat()
    };
    assert_eq!(
        sent("pika", &params)["promptObject"]["imageUrls"],
        json!(["images/a.png"])
    );
}

#[test]
fn every_spec_has_unique_fields_and_a_model() {
    for spec in specs() {
        assert!(!spec.models.is_empty());
        let names: std::collections::HashSet<_> =
            spec.fields.iter().map(|field| field.name).collect();
        assert_eq!(names.len(), spec.fields.len(), "{:?}", spec.models);
    }
    assert!(models(Kind::ImageToVideo).contains(&"kling"));
}

#[test]
fn a_request_tells_its_length_and_size() {
    let rows = [
        ("veo3", boat(), Some(8), Some("1280x720")),
        ("sora-2", boat(), Some(4), Some("1280x720")),
        ("kling", boat(), Some(5), None),
        ("luma", boat(), Some(5), None),
        ("next-year-1", boat(), None, None),
        (
            "veo3",
            VideoParams {
                aspect_ratio: Some("9:16".into()),
                resolution: Some("1080p".into()),
                ..boat()
            },
            Some(8),
            Some("1080x1920"),
        ),
    ];
    for (model, params, seconds, size) in rows {
        let payload = generation(model, &params).unwrap();
        assert_eq!(super::seconds(&payload), seconds, "{model}");
        assert_eq!(super::size_of(&payload).as_deref(), size, "{model}");
    }
}
