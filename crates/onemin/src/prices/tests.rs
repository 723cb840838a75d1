use serde_json::{Map, Value, json};

use super::{ChatPrice, MilliCredits, Quote, Unit, builtin, from_credits, listed, media};
use crate::features::{Kind, Payload};

fn chat(model: &str) -> ChatPrice {
    ChatPrice::of(builtin("UNIFY_CHAT_WITH_AI", model).unwrap().1).unwrap()
}

/// Captured costs of several clients: api fact sheet, section 24.1.
#[test]
fn captured_answers_cost_what_the_rule_says() {
    let rows = [
        ("open-mistral-nemo", 98, 3, 45),
        ("gpt-4o-mini", 90, 5, 50),
        ("gpt-4o-mini", 0, 0, 0),
        ("us.anthropic.claude-sonnet-4-6", 1000, 100, 13_500),
        ("qwen3-8b", 1000, 1000, 0),
    ];
    for (model, input, output, credits) in rows {
        assert_eq!(chat(model).cost(input, output), credits * 1000, "{model}");
    }
    assert_eq!(chat("gpt-4o-mini").cost(u64::MAX, u64::MAX), u64::MAX);
}

/// Tables of prices that other clients show.
#[test]
fn a_thousand_tokens_cost_what_other_lists_say() {
    let rows = [
        ("gpt-4o-mini", 450, 1_800),
        ("gpt-5.1", 3_750, 30_000),
        ("deepseek-v4-flash", 420, 840),
        ("deepseek-v4-pro", 1_305, 2_610),
        ("qwen3.7-flash", 90, 390),
        ("us.anthropic.claude-sonnet-5", 6_600, 33_000),
        ("grok-4-fast-reasoning", 600, 1_500),
        ("meta/llama-4-scout-instruct", 1_950, 510),
    ];
    for (model, input, output) in rows {
        let (one, other) = chat(model).per_1k_tokens();
        assert_eq!((one, other), (input * 1000, output * 1000), "{model}");
    }
}

#[test]
fn an_image_adds_to_an_estimate() {
    let price = chat("gpt-4o-mini");
    assert_eq!(price.per_image(), 1_275_000);
    assert_eq!(
        price.estimate(100, 2, 10),
        price.cost(100, 10) + 2 * 1_275_000
    );
}

#[test]
fn prices_of_tokens_are_read_in_any_shape() {
    let read = |metadata: Value| ChatPrice::of(&metadata).map(ChatPrice::per_1k_tokens);
    let plain = Some((450_000, 1_800_000));
    assert_eq!(read(json!({"INPUT": 0.15, "OUTPUT": 0.6})), plain);
    assert_eq!(read(json!({"INPUT": "0.15", "OUTPUT": "0.6"})), plain);
    assert_eq!(
        read(json!({"INPUT": {"AUDIO": 1, "TEXT": 0.15}, "OUTPUT": {"TEXT": 0.6}})),
        plain
    );
    for none in [
        json!(null),
        json!({}),
        json!({"INPUT": 1}),
        json!({"INPUT": -1, "OUTPUT": 1}),
        json!({"INPUT": {"AUDIO": 1}, "OUTPUT": 1}),
        json!({"INPUT": [], "OUTPUT": {}}),
        json!([1]),
    ] {
        assert_eq!(read(none.clone()), None, "{none}");
    }
}

fn payload(kind: Kind, model: &str, fields: &Value) -> Payload {
    let fields = fields.as_object().cloned().unwrap_or_else(Map::new);
    Payload::new(kind, model, fields)
}

fn exact(credits: MilliCredits) -> Quote {
    Quote {
        cost: credits * 1000,
        is_exact: true,
    }
}

#[test]
fn media_cost_by_their_parameters() {
    use Kind::{ImageGenerator as Image, SpeechToText as Stt, TextToSpeech as Tts};
    let rows = [
        (
            Image,
            "gpt-image-1",
            json!({"quality": "low", "size": "1024x1024"}),
            11_000,
        ),
        (
            Image,
            "gpt-image-1",
            json!({"quality": "high", "size": "1536x1024", "n": 2}),
            500_000,
        ),
        (
            Image,
            "gemini-3-pro-image-preview",
            json!({"imageSize": "4K"}),
            240_000,
        ),
        (
            Image,
            "magic-art_7_0",
            json!({"mode": "relax", "n": 4}),
            5_000,
        ),
        (
            Image,
            "recraft",
            json!({"task_type": "recraftv2_vector"}),
            44_000,
        ),
        (
            Image,
            "black-forest-labs/flux-dev",
            json!({"num_outputs": "3"}),
            75_000,
        ),
        (Tts, "tts-1", json!({"text": "grüße", "speed": 1}), 75),
        (
            Tts,
            "google-tts",
            json!({"text": "ab", "name": "en-US-Wavenet-D"}),
            32,
        ),
        (Stt, "whisper-1", json!({"audioUrl": "a.mp3"}), 1_100),
        (Stt, "gpt-4o-transcribe", json!({}), 6_000),
    ];
    for (kind, model, fields, credits) in rows {
        let quote = media(None, &payload(kind, model, &fields), Some(10.2));
        assert_eq!(quote, Some(exact(credits)), "{model} {fields}");
    }
}

#[test]
fn the_live_price_goes_first_in_whatever_shape_it_comes() {
    let request = payload(
        Kind::ImageGenerator,
        "gpt-image-1",
        &json!({"quality": "high", "size": "1024x1536"}),
    );
    let rows = [
        (json!({"ALL": 7}), exact(7)),
        (json!(8), exact(8)),
        (json!({"HIGH_IMAGE": 9, "LOW_IMAGE": 1}), exact(9)),
        (
            json!({"high": {"1024x1536": "10", "1024x1024": 1}}),
            exact(10),
        ),
        (json!({"1024x1536": {"HIGH": 11}, "ALL": 1}), exact(11)),
        (json!({"HIGH_1024x1536": 12, "high": 1}), exact(12)),
        (
            json!({"2K": 1, "4K": 5, "CONTEXT": 128_000}),
            Quote {
                cost: 5000,
                is_exact: false,
            },
        ),
        // Nothing of a price in it: the built-in one.
        (json!({"COST_HINT": "expensive"}), exact(250_000)),
        (json!({}), exact(250_000)),
    ];
    for (live, expected) in rows {
        assert_eq!(media(Some(&live), &request, None), Some(expected), "{live}");
    }
}

#[test]
fn what_is_not_known_is_not_made_up() {
    let unheard = payload(Kind::ImageGenerator, "unheard-of", &json!({}));
    assert_eq!(media(None, &unheard, None), None);
    let silent = payload(Kind::SpeechToText, "whisper-1", &json!({}));
    let guessed = media(None, &silent, None).unwrap();
    assert_eq!((guessed.cost, guessed.is_exact), (6_000_000, false));
    assert_eq!(from_credits(f64::NAN), 0);
    assert_eq!(from_credits(-3.0), 0);
    assert_eq!(from_credits(12.5), 12_500);
}

#[test]
fn lists_show_each_price_with_its_parameters() {
    let (unit, list) = listed(None, "IMAGE_GENERATOR", "gemini-3-pro-image-preview").unwrap();
    assert_eq!(unit, Unit::Image);
    assert_eq!(list[2], ("4K".to_owned(), 240_000_000));
    let live = json!({"high": {"ALL": 2}, "ALL": 1});
    let (_, list) = listed(Some(&live), "IMAGE_GENERATOR", "x").unwrap();
    assert_eq!(list, [("high".to_owned(), 2000), (String::new(), 1000)]);
    assert!(listed(None, "IMAGE_GENERATOR", "unheard-of").is_none());
}
