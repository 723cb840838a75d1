//! Requests for pictures, sound and files that are wrong, and what is said of them.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::form::{FORM, Form, bomb, png, wav};
use crate::refused::{JSON, Row, all_refused, form_row, json_row};
use crate::rig::{AUTHORIZED, Rig};

const DRAW: &str = "/v1/images/generations";
const EDIT: &str = "/v1/images/edits";
const VARY: &str = "/v1/images/variations";
const HEAR: &str = "/v1/audio/transcriptions";
const TRANSLATE: &str = "/v1/audio/translations";
const SPEAK: &str = "/v1/audio/speech";

#[tokio::test]
async fn a_wrong_request_to_draw_is_told_what_is_allowed() {
    let rig = Rig::start();
    let gpt = "gpt-image-1";
    let table: [(&str, &str, Value, &[&str]); 24] = [
        (gpt, "prompt", json!(""), &["prompt"]),
        (gpt, "prompt", json!(7), &["string"]),
        (gpt, "n", json!(0), &["1 to 10"]),
        (gpt, "n", json!(1000), &["1 to 10"]),
        (gpt, "n", json!(-1), &["1 to 10"]),
        (gpt, "n", json!(1.5), &["1 to 10"]),
        (gpt, "n", json!("two"), &["1 to 10"]),
        (gpt, "n", json!([1]), &["1 to 10"]),
        ("gemini-3-pro-image-preview", "n", json!(9), &["at most 4"]),
        ("no-such-model", "n", json!(0), &["1 to 10"]),
        (gpt, "size", json!("1024x777"), &["1024x1024", "1536x1024"]),
        (gpt, "size", json!("banana"), &["WIDTHxHEIGHT"]),
        (gpt, "size", json!("0x0"), &["WIDTHxHEIGHT"]),
        (gpt, "size", json!(1024), &["string"]),
        (
            "gpt-image-2",
            "size",
            json!("100x100"),
            &["multiples of 16"],
        ),
        (gpt, "quality", json!("ultra"), &["low", "medium", "high"]),
        (gpt, "style", json!("baroque"), &["vivid", "natural"]),
        (gpt, "background", json!("pink"), &["transparent"]),
        (gpt, "output_format", json!("bmp"), &["png", "webp"]),
        (gpt, "output_compression", json!(200), &["0 to 100"]),
        (gpt, "output_compression", json!("much"), &["0 to 100"]),
        (gpt, "response_format", json!("gif"), &["url", "b64_json"]),
        (gpt, "stream", json!("perhaps"), &["true or false"]),
        (
            "black-forest-labs/flux-pro",
            "steps",
            json!(99),
            &["1 to 50"],
        ),
    ];
    let rows = table.into_iter().map(|(model, field, value, says)| {
        let mut body = json!({"model": model, "prompt": "a cat"});
        body[field] = value;
        json_row(DRAW, &body, field, says)
    });
    let form = Form::default().text("prompt", "a cat").whole();
    let cat = "https://example.com/cat.png";
    let others = [
        json_row(
            DRAW,
            &json!({"prompt": "a cat", "image": cat}),
            "image",
            &["/v1/images/edits"],
        ),
        json_row(
            DRAW,
            &json!({"model": "black-forest-labs/flux-pro", "prompt": "a cat", "size": "1000x1000"}),
            "size",
            &["WIDTHxHEIGHT", "multiple of 32 from 256 to 1440"],
        ),
        json_row(DRAW, &json!({}), "prompt", &["prompt"]),
        json_row(DRAW, &json!({"model": ["a"]}), "model", &["string"]),
        (DRAW, JSON, "".into(), 400, None, &["JSON"]),
        (DRAW, JSON, "{\"prompt\":".into(), 400, None, &["JSON"]),
        (DRAW, JSON, "[]".into(), 400, None, &["object"]),
        (DRAW, FORM, form, 400, None, &["JSON"]),
    ];
    all_refused(&rig, rows.chain(others).collect()).await;
}

fn edit() -> Form {
    Form::default()
        .text("prompt", "blue")
        .text("model", "gpt-image-1")
}

fn edit_of(bytes: &[u8]) -> Form {
    edit().file("image", "a.png", bytes)
}

#[tokio::test]
async fn what_is_no_picture_to_change_is_told_what_is_one() {
    const MISSING: &str = "`image` is missing";
    let rig = Rig::start();
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    let picture = &png(8, 8);
    let vary = |field: &str, bytes: &[u8]| Form::default().file(field, "a.png", bytes);
    let masked = |bytes: &[u8]| edit_of(picture).file("mask", "m.png", bytes);
    let table: [(&str, Form, &str, &[&str]); 17] = [
        (EDIT, edit(), "image", &[MISSING, "form"]),
        (
            EDIT,
            edit().file("mask", "m.png", picture),
            "image",
            &[MISSING],
        ),
        (EDIT, edit().text("image", "a.png"), "image", &["URL"]),
        (
            EDIT,
            edit().text("image", "file:///etc/passwd"),
            "image",
            &["http(s) URL"],
        ),
        (EDIT, edit_of(b""), "image", &["PNG", "JPEG"]),
        (EDIT, edit_of(b"<html></html>"), "image", &["PNG", "JPEG"]),
        (EDIT, edit_of(svg), "image", &["PNG", "JPEG"]),
        (EDIT, edit_of(&wav(800)), "image", &["PNG", "JPEG"]),
        (
            EDIT,
            edit_of(&png(60_000, 60_000)),
            "image",
            &["megapixels"],
        ),
        (
            EDIT,
            edit().file("picture", "a.png", picture),
            "picture",
            &["`image`", "`mask`"],
        ),
        (EDIT, masked(b"no picture"), "mask", &["PNG"]),
        (
            EDIT,
            masked(picture).file("mask", "n.png", picture),
            "mask",
            &["one"],
        ),
        (
            EDIT,
            Form::default()
                .text("prompt", "blue")
                .text("model", "gemini-2.5-flash-image")
                .file("image", "a.png", picture)
                .file("mask", "m.png", picture),
            "mask",
            &["stable-image"],
        ),
        (VARY, Form::default(), "image", &[MISSING]),
        (VARY, vary("image", b"hello"), "image", &["PNG", "JPEG"]),
        (VARY, vary("file", picture), "file", &["`image`"]),
        (
            VARY,
            vary("image", picture).text("n", "0"),
            "n",
            &["1 to 10"],
        ),
    ];
    let rows = table.map(|(path, form, param, says)| form_row(path, form, param, says));
    all_refused(&rig, rows.into()).await;
}

#[tokio::test]
async fn a_wrong_request_to_change_a_picture_is_told_what_is_allowed() {
    let rig = Rig::start();
    let good = || edit_of(&png(8, 8));
    let blank = Form::default().file("image", "a.png", &png(8, 8));
    let by_json = |image: Value| json!({"prompt": "blue", "image": image});
    let undecodable = by_json(json!("data:image/png;base64,!!"));
    let other = "multipart/form-data; boundary=OTHER";
    let urlencoded = "application/x-www-form-urlencoded";
    let form: &[&str] = &["multipart/form-data"];
    let rows: Vec<Row> = vec![
        form_row(EDIT, blank, "prompt", &["prompt"]),
        form_row(EDIT, good().text("n", "two"), "n", &["1 to 10"]),
        form_row(
            EDIT,
            good().text("size", "1024x777"),
            "size",
            &["1024x1024"],
        ),
        form_row(
            EDIT,
            good().text("model", "gpt-image-2"),
            "model",
            &["one string"],
        ),
        form_row(
            EDIT,
            good().text("prompt", "red"),
            "prompt",
            &["one string"],
        ),
        json_row(EDIT, &by_json(json!(7)), "image", &["URL"]),
        json_row(EDIT, &by_json(json!([])), "image", &["`image` is missing"]),
        json_row(
            EDIT,
            &by_json(json!("http://127.0.0.1/a.png")),
            "image",
            &["private"],
        ),
        json_row(EDIT, &undecodable, "image", &["base64"]),
        (EDIT, FORM, good().cut(), 400, None, &["broke off"]),
        (EDIT, other, good().whole(), 400, None, &["Content-Type"]),
        (EDIT, "multipart/form-data", good().whole(), 400, None, form),
        (EDIT, FORM, Bytes::new(), 400, None, &["broke off"]),
        (EDIT, urlencoded, "prompt=blue".into(), 400, None, form),
        (EDIT, "text/plain", "blue".into(), 400, None, form),
    ];
    all_refused(&rig, rows).await;
}

/// The `promptObject` of the last paid request.
fn fields(rig: &Rig) -> Value {
    let paid = rig.simulator.journal();
    let mut paid = paid.matching(|entry| entry.path == "/api/features");
    paid.pop().unwrap().body["promptObject"].take()
}

#[tokio::test]
async fn parameters_of_a_models_own_reach_it_and_others_are_named() {
    let rig = Rig::start();
    let german = json!({"model": "google-tts", "input": "Guten Tag", "language": "de", "pitch": -3, "mood": "glad"});
    let answer = rig.post(SPEAK, &german).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("x-relay-ignored"), Some("mood"));
    let sent = fields(&rig);
    assert_eq!(
        (&sent["languageCode"], &sent["pitch"]),
        (&json!("de-DE"), &json!(-3))
    );

    let form = |model: &str| {
        Form::default()
            .text("model", model)
            .file("file", "a.wav", &wav(800))
    };
    let asked = form("qwen3-asr-flash")
        .text("enable_itn", "true")
        .text("include[]", "logprobs");
    let answer = rig.form(HEAR, asked).await;
    assert_eq!(
        answer.header("x-relay-ignored"),
        Some("include"),
        "{}",
        answer.text
    );
    assert_eq!(fields(&rig)["enable_itn"], true);

    let french = form("gemini-2.5-flash")
        .text("target_language", "fr")
        .text("tone", "formal");
    let answer = rig.form(TRANSLATE, french).await;
    assert_eq!(
        (answer.status, answer.header("x-relay-ignored")),
        (200, None),
        "{}",
        answer.text
    );
    let sent = fields(&rig);
    assert_eq!(
        (&sent["targetLanguage"], &sent["tone"]),
        (&json!("fr"), &json!("formal"))
    );
    let refused = rig
        .form(TRANSLATE, form("whisper-1").text("target_language", "fr"))
        .await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.text.contains("gemini-2.5-flash"),
        "{}",
        refused.text
    );

    // Who leaves the choice to the model misses nothing.
    let auto = json!({"model": "grok-imagine-image", "prompt": "a cat", "quality": "auto", "moderation": "auto"});
    assert_eq!(rig.post(DRAW, &auto).await.header("x-relay-ignored"), None);
}

#[tokio::test]
async fn a_style_that_upstream_lists_is_asked_for_by_its_name() {
    let rig = Rig::start();
    let drawing = |style: Value| json!({"model": "dzine", "prompt": "a cat", "style": style});
    let rows = [json!(null), json!("baroque")];
    let rows = rows.map(|style| json_row(DRAW, &drawing(style), "style", &["Paper cut"]));
    all_refused(&rig, rows.into()).await;
    let answer = rig.post(DRAW, &drawing(json!("paper cut"))).await;
    assert_eq!(
        (answer.status, answer.header("x-relay-ignored")),
        (200, None),
        "{}",
        answer.text
    );
    let sent = fields(&rig);
    assert!(
        sent["style_code"].as_str().unwrap().starts_with("Style-"),
        "{sent}"
    );
    assert_eq!(sent["style_base_model"], "S");
    let chat = json!({"model": "dzine", "style": "Paper cut", "messages": [{"role": "user", "content": "a cat"}]});
    let answer = rig.chat(&chat).await;
    assert_eq!(
        (answer.status, answer.header("x-relay-ignored")),
        (200, None),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn what_has_no_effect_is_refused_unpaid_where_strictness_is_asked() {
    let rig = Rig::with(&["--strict-parameters"]);
    let sound = Form::default()
        .text("model", "elevenlabs-speech-to-text")
        .text("temperature", "0.5");
    all_refused(
        &rig,
        vec![
            json_row(
                DRAW,
                &json!({"model": "gpt-image-1", "prompt": "a cat", "seed": 7}),
                "seed",
                &["no effect"],
            ),
            json_row(
                DRAW,
                &json!({"model": "gpt-image-1", "prompt": "a cat", "partial_images": 2}),
                "partial_images",
                &["no effect"],
            ),
            json_row(
                SPEAK,
                &json!({"model": "tts-1", "input": "Hello", "instructions": "sadly"}),
                "instructions",
                &["no effect"],
            ),
            form_row(
                EDIT,
                edit_of(&png(8, 8)).text("input_fidelity", "high"),
                "input_fidelity",
                &["no effect"],
            ),
            form_row(
                HEAR,
                sound.file("file", "a.wav", &wav(800)),
                "temperature",
                &["no effect"],
            ),
        ],
    )
    .await;
    let rig = Rig::start();
    let body = json!({"model": "gpt-image-1", "prompt": "a cat", "seed": 7}).to_string();
    let headers = [AUTHORIZED[0], AUTHORIZED[1], ("x-relay-strict", "true")];
    let answer = rig.send(Method::POST, DRAW, &headers, body).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
}

#[tokio::test]
async fn no_model_is_paid_that_the_operator_does_not_permit() {
    let rig = Rig::with(&[
        "--subset-of-one-min-permitted-models",
        "gpt-4o-mini,magic-art,gpt-4o-transcribe",
        "--permit-models-from-subset-only",
        "true",
    ]);
    let answer = rig.post(DRAW, &json!({"prompt": "a cat"})).await;
    assert_eq!(answer.status, 404, "{}", answer.text);
    let missing = json!({"endpoint": "features", "fault": "http-error", "status": 400,
        "code": "UNSUPPORTED_MODEL", "message": "Model X is not supported"});
    rig.simulator.set_faults(missing).unwrap();
    let form = Form::default()
        .text("model", "gpt-4o-transcribe")
        .file("file", "a.wav", &wav(800));
    assert_eq!(rig.form(HEAR, form).await.status, 404);
    assert_eq!(
        rig.form(VARY, Form::default().file("image", "a.png", &png(8, 8)))
            .await
            .status,
        404
    );
    let asked = rig.simulator.journal();
    let asked = asked.matching(|entry| entry.path == "/api/features");
    let models: Vec<&Value> = asked.iter().map(|entry| &entry.body["model"]).collect();
    assert_eq!(models, [&json!("gpt-4o-transcribe"), &json!("magic-art")]);
    // An earlier name of a permitted model is permitted.
    rig.simulator.set_faults(json!([])).unwrap();
    let answer = rig
        .post(DRAW, &json!({"model": "midjourney", "prompt": "a cat"}))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn a_picture_that_nobody_would_look_at_is_not_paid_for() {
    let rig = Rig::start();
    let cat = png(8, 8);
    let two = |form: Form, name: &str| {
        let second = name.replace('0', "1");
        form.file(name, "a.png", &cat).file(&second, "b.png", &cat)
    };
    let vary = || Form::default().text("model", "clipdrop");
    let masked = vary()
        .file("image", "a.png", &cat)
        .file("mask", "m.png", &cat);
    all_refused(
        &rig,
        vec![
            form_row(
                EDIT,
                two(edit(), "image"),
                "image",
                &["one image", "qwen-image-edit-plus"],
            ),
            form_row(VARY, two(vary(), "image"), "image", &["one"]),
            form_row(VARY, masked, "mask", &["edits"]),
            form_row(EDIT, edit_of(&cat[..20]), "image", &["PNG"]),
            form_row(EDIT, edit_of(b"8BPS\0\x01\0\0\0\0\0\0"), "image", &["PNG"]),
        ],
    )
    .await;
    // Lists are written in three ways.
    for name in ["image", "image[]", "image[0]"] {
        let form = Form::default()
            .text("prompt", "both")
            .text("model", "gemini-2.5-flash-image-preview");
        let answer = rig.form(EDIT, two(form, name)).await;
        assert_eq!(answer.status, 200, "{name} {}", answer.text);
        assert!(fields(&rig)["referenceImage1"].is_string(), "{name}");
    }
}

#[tokio::test]
async fn more_changes_than_a_model_makes_at_once_are_made_by_several_calls() {
    let rig = Rig::start();
    let form = Form::default()
        .text("prompt", "blue")
        .text("model", "black-forest-labs/flux-2-pro")
        .text("n", "2");
    let answer = rig
        .form(EDIT, form.file("image", "a.png", &png(8, 8)))
        .await;
    assert_eq!(
        answer.json()["data"].as_array().map(Vec::len),
        Some(2),
        "{}",
        answer.text
    );
    assert_eq!(answer.header("x-relay-ignored"), None);
}

#[tokio::test]
async fn a_model_that_does_other_work_is_refused_with_those_that_do_this() {
    let rig = Rig::start();
    let draw = |model: &str| {
        (
            DRAW,
            json!({"model": model, "prompt": "a cat"}),
            "gpt-image-1",
        )
    };
    let speak = |model: &str| {
        let body = json!({"model": model, "input": "Hello", "voice": "alloy"});
        (SPEAK, body, "tts-1")
    };
    for (path, body, able) in [
        draw("no-such-model"),
        draw("gpt-4o-mini"),
        draw("tts-1"),
        speak("no-such-model"),
        speak("gpt-4o-mini"),
        speak("gpt-image-1"),
    ] {
        let answer = rig.post(path, &body).await;
        let error = &answer.json()["error"];
        assert_eq!(
            (answer.status, &error["code"], &error["param"]),
            (404, &json!("model_not_found"), &json!("model")),
            "{body} {}",
            answer.text
        );
        assert!(answer.text.contains(able), "{body} {}", answer.text);
    }
    // A recording is written down by another model then, as the original relay did.
    for model in ["no-such-model", "gpt-4o-mini"] {
        let form = Form::default()
            .text("model", model)
            .file("file", "a.wav", &wav(800));
        let answer = rig.form(HEAR, form).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.header("x-relay-model"), Some("whisper-1"));
    }
    // Chat is a door to models of every kind.
    let chat = rig
        .chat(&json!({"model": "qwen-image-plus", "messages": [{"role": "user", "content": "a cat"}]}))
        .await;
    assert_eq!(chat.status, 200, "{}", chat.text);
}

/// Disposition of a part, and whether its name is one at all.
const NAMES: [&[u8]; 12] = [
    b"filename=\"../../etc/passwd\"",
    b"filename=\"..\\..\\boot.ini\"",
    b"filename=\"a\0b.png\"",
    b"filename=\"a\r\nX-Evil: 1\r\n.png\"",
    b"filename=\"a\\\"; name=\\\"mask.png\"",
    b"filename=\"a';drop table;--.png\"",
    "filename=\"🐈‍⬛ 東京.png\"".as_bytes(),
    "filename=\"gpj.\u{202e}exe.png\"".as_bytes(),
    b"filename*=UTF-8''..%2F..%2Fetc%2Fpasswd%00%0d%0a",
    b"filename=\"\xff\xfe.png\"",
    b"filename=\"...\"",
    b"filename=\".png\"",
];

fn is_harmless(name: &str) -> bool {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !name.is_empty()
        && name.len() <= 255
        && !name.contains(['/', '\\'])
        && !name.contains(|c: char| c.is_control() || turns(c))
}

#[tokio::test]
async fn a_hostile_file_name_is_only_a_name() {
    let rig = Rig::start();
    let long = format!("filename=\"{}.png\"", "x".repeat(300));
    let picture = png(8, 8);
    let names = NAMES.into_iter().chain([long.as_bytes()]);
    for name in names {
        rig.jobs_are_done_at_once(1);
        let shown = String::from_utf8_lossy(name);
        let part = |field: &str| [field.as_bytes(), b"; ", name].concat();
        let sound = wav(800);
        for (path, form) in [
            (EDIT, edit().raw(&part("name=\"image\""), &picture)),
            (HEAR, Form::default().raw(&part("name=\"file\""), &sound)),
            (
                "/v1/files",
                Form::default().raw(&part("name=\"file\""), &picture),
            ),
        ] {
            let answer = rig.form(path, form).await;
            assert!(
                [200, 400].contains(&answer.status),
                "{path} {shown} {}",
                answer.text
            );
            if let (200, Some(kept)) = (answer.status, answer.json()["filename"].as_str()) {
                assert!(is_harmless(kept), "{shown}: {kept:?}");
            }
        }
    }
    let listed = rig
        .send(
            Method::GET,
            "/v1/files",
            &[("authorization", "Bearer key-of-tests")],
            "",
        )
        .await;
    assert!(
        listed.json()["data"].as_array().unwrap().len() >= 8,
        "{}",
        listed.text
    );
    let journal = rig.simulator.journal();
    let uploads = journal.matching(|entry| entry.path == "/api/assets");
    assert!(uploads.len() >= 8);
    for upload in uploads {
        let name = upload.body["filename"].as_str().unwrap();
        assert!(is_harmless(name), "{name:?}");
    }
}

/// Many clients send the bytes of a file with nothing but their type, or not even that.
#[tokio::test]
async fn a_file_needs_no_name() {
    let rig = Rig::start();
    let (picture, sound) = (png(8, 8), wav(800));
    let kept = async |form: Form| {
        let answer = rig.form("/v1/files", form).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["filename"].as_str().unwrap().to_owned()
    };
    let disposition = |field: &str| format!("name=\"{field}\"");
    for (form, name) in [
        (
            Form::default().untyped(&disposition("file"), b"%PDF-1.7\n"),
            "file.pdf",
        ),
        (
            Form::default().typed(&disposition("file"), "text/markdown", b"# a"),
            "file.md",
        ),
        (
            Form::default().untyped(&disposition("file"), b"words"),
            "file",
        ),
        (
            Form::default().raw(
                b"name=\"file\"; filename*=ISO-8859-1''Bericht%20%E4.txt",
                b"a",
            ),
            "Bericht \u{e4}.txt",
        ),
        (
            Form::default().raw(b"name=\"file\"; filename=\"Bericht%20%C3%A4.txt\"", b"a"),
            "Bericht \u{e4}.txt",
        ),
    ] {
        assert_eq!(kept(form).await, name);
    }
    let variation = || Form::default().text("model", "dall-e-2");
    let named = disposition("image");
    for (path, form) in [
        (EDIT, edit().untyped(&named, &picture)),
        (
            EDIT,
            edit().typed(&disposition("image[]"), "image/png", &picture),
        ),
        (
            VARY,
            variation().typed(&named, "application/octet-stream", &picture),
        ),
        (
            HEAR,
            Form::default().typed(&disposition("file"), "audio/wav", &sound),
        ),
        (HEAR, Form::default().untyped(&disposition("file"), &sound)),
    ] {
        rig.jobs_are_done_at_once(1);
        let answer = rig.form(path, form).await;
        assert_eq!(answer.status, 200, "{path} {}", answer.text);
    }
    let journal = rig.simulator.journal();
    for upload in journal.matching(|entry| entry.path == "/api/assets") {
        let name = &upload.body["filename"];
        assert!(name == "file.png" || name == "file.wav", "{name}");
    }
    let left_empty = "name=\"mask\"; filename=\"\"";
    let masked = edit()
        .untyped(&named, &picture)
        .raw(left_empty.as_bytes(), b"");
    rig.jobs_are_done_at_once(1);
    assert_eq!(rig.form(EDIT, masked).await.status, 200);
    let other = edit().typed(&disposition("picture"), "image/png", &picture);
    let refused = rig.form(EDIT, other).await;
    assert!(refused.text.contains("`picture`"), "{}", refused.text);
}

#[tokio::test]
async fn a_picture_that_unfolds_to_gigabytes_is_never_unfolded() {
    let rig = Rig::start();
    rig.jobs_are_done_at_once(3);
    let warm = edit().file("image", "a.png", &bomb(64, 64, 4 << 20));
    rig.form(EDIT, warm).await;
    let before = rig.peak();
    let honest = rig
        .form(
            EDIT,
            edit().file("image", "a.png", &bomb(40_000, 40_000, 8 << 20)),
        )
        .await;
    assert!(
        honest.status == 400 && honest.text.contains("megapixels"),
        "{}",
        honest.text
    );
    // One that lies about its size is upstream's to refuse; here it is only bytes.
    let lying = rig
        .form(EDIT, edit().file("image", "a.png", &bomb(1, 1, 8 << 20)))
        .await;
    assert!([200, 400].contains(&lying.status), "{}", lying.text);
    let grown = rig.peak() - before;
    assert!(grown < 64 << 10, "{grown} kB");
}

#[tokio::test]
async fn pictures_and_recordings_of_several_megabytes_are_taken() {
    let rig = Rig::start();
    rig.jobs_are_done_at_once(4);
    let mut picture = png(1024, 1024);
    picture.resize(5 << 20, 0);
    let answer = rig
        .form(EDIT, edit().file("image", "a.png", &picture))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let answer = rig
        .form(VARY, Form::default().file("image", "a.png", &picture))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for path in [HEAR, TRANSLATE] {
        let form = Form::default()
            .text("model", "whisper-1")
            .file("file", "a.wav", &wav(24 << 20));
        let answer = rig.form(path, form).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

#[tokio::test]
async fn a_picture_may_be_named_instead_of_sent() {
    let rig = Rig::start();
    let file = Form::default().file("file", "a.png", &png(8, 8));
    let id = rig.form("/v1/files", file).await.json()["id"].clone();
    let body = json!({"model": "gpt-image-1", "prompt": "blue", "images": [{"file_id": id}]});
    let answer = rig.post(EDIT, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let body =
        json!({"model": "gpt-image-1", "prompt": "blue", "images": [{"file_id": "file-none"}]});
    let answer = rig.post(EDIT, &body).await;
    assert_eq!(answer.status, 404, "{}", answer.text);
}
