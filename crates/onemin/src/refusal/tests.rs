use std::path::Path;

use super::RefusalKind as K;
use super::{Charged, FieldProblem, Refusal, Shortfall};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../fixtures/onemin")
            .join(name),
    )
    .unwrap()
}

/// What a row of the table expects: kind, retryable, charged.
type Verdict = (K, bool, Charged);

const NO: Charged = Charged::No;
const MAYBE: Charged = Charged::Maybe;

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_captured_refusal_is_what_it_is() {
    let rows: &[(&str, u16, Verdict, Option<&str>, &str)] = &[
        (
            "err-400-unsupported-model.json",
            400,
            (K::UnknownModel, false, NO),
            Some("UNSUPPORTED_MODEL"),
            "Model no-such-model is not supported",
        ),
        (
            "err-400-unsupported-model-feature.json",
            400,
            (K::UnknownModel, false, NO),
            Some("UNSUPPORTED_MODEL"),
            "Model black-forest-labs/flux-schnell is not supported for feature IMAGE_GENERATOR",
        ),
        (
            "err-400-missing-required-fields.json",
            400,
            (K::InvalidRequest, false, NO),
            Some("MISSING_REQUIRED_FIELDS"),
            "Missing required fields for gpt-image-1-mini model: quality. Please provide all required parameters: \
             Field 'quality' is required for gpt-image-1-mini model with type IMAGE_GENERATOR",
        ),
        (
            "err-400-external-qwen-size.json",
            400,
            (K::ProviderError, false, MAYBE),
            Some("EXTERNAL_API_RESPONSE_WITH_ERROR"),
            "The size does not match the allowed size 1664*928,1472*1104.",
        ),
        (
            "err-400-external-sdxl-size.json",
            400,
            (K::ProviderError, false, MAYBE),
            Some("EXTERNAL_API_RESPONSE_WITH_ERROR"),
            "for stable-diffusion-xl-1024-v1-0 the allowed dimensions are 1024x1024, 1152x896, 1216x832, 1344x768, \
             1536x640, 640x1536, 768x1344, 832x1216, 896x1152, but we received 512x512",
        ),
        (
            "err-400-body-validation.json",
            400,
            (K::InvalidRequest, false, NO),
            Some("REQUEST_BODY_VALIDATION_FAILED"),
            "Request body validation failed: model is required",
        ),
        (
            "err-400-invalid-request.json",
            400,
            (K::InvalidRequest, false, NO),
            Some("INVALID_REQUEST"),
            "Missing required parameters or invalid format",
        ),
        (
            "err-400-unsupported-file-type.json",
            400,
            (K::UnsupportedFile, false, NO),
            Some("UNSUPPORTED_FILE_TYPE"),
            "This file type isn't supported",
        ),
        (
            "err-400-prompt-object-live-style.json",
            400,
            (K::InvalidRequest, false, NO),
            Some("PROMPT_OBJECT_VALIDATION_FAILED"),
            "Invalid prompt object: prompt must be a string",
        ),
        (
            "err-422-prompt-object.json",
            422,
            (K::InvalidRequest, false, NO),
            Some("PROMPT_OBJECT_VALIDATION_FAILED"),
            "Invalid prompt object: prompt must be a string",
        ),
        (
            "err-400-openai-unexpected.json",
            400,
            (K::ProviderError, true, MAYBE),
            Some("OPEN_AI_UNEXPECTED_ERROR"),
            "OpenAI is busy",
        ),
        (
            "err-401-key-inactive.json",
            401,
            (K::Unauthenticated, false, NO),
            Some("HTTP_EXCEPTION"),
            "API Key is not active. Please contact your team administrator to be unblocked",
        ),
        (
            "err-401-key-deleted.json",
            401,
            (K::Unauthenticated, false, NO),
            Some("HTTP_EXCEPTION"),
            "API Key has been deleted",
        ),
        (
            "err-401-unknown-key.json",
            401,
            (K::Unauthenticated, false, NO),
            Some("HTTP_EXCEPTION"),
            "Invalid API Key",
        ),
        (
            "err-401-documented-style.json",
            401,
            (K::Unauthenticated, false, NO),
            Some("UNAUTHORIZED"),
            "Invalid or missing API key",
        ),
        (
            "err-401-web-token.json",
            401,
            (K::Unauthenticated, false, NO),
            Some("INVALID_AUTH_TOKEN"),
            "Invalid auth token",
        ),
        (
            "err-403-cloudflare-1010.txt",
            403,
            (K::ClientBlocked, false, NO),
            None,
            "error code: 1010",
        ),
        (
            "err-406-insufficient-credits.json",
            406,
            (K::InsufficientCredits, false, NO),
            Some("INSUFFICIENT_CREDITS"),
            "The feature requires 4800 credits, but the Test Office team only has 46 credits",
        ),
        (
            "err-409-message-only.json",
            409,
            (K::Conflict, false, NO),
            None,
            "The aspect ratio conflicts with the source image",
        ),
        (
            "err-429-documented.json",
            429,
            (K::RateLimited, true, NO),
            Some("RATE_LIMITED"),
            "Too many requests",
        ),
        (
            "err-429-cloudflare-1015.txt",
            429,
            (K::RateLimited, true, NO),
            None,
            "error code: 1015",
        ),
        (
            "err-500.json",
            500,
            (K::Unavailable, true, MAYBE),
            Some("UNKNOWN_ERROR"),
            "Internal server error",
        ),
        (
            "err-522-cloudflare.html",
            522,
            (K::Unavailable, true, MAYBE),
            None,
            "522: Connection timed out",
        ),
        (
            "err-legacy-message-only.json",
            400,
            (K::UnknownModel, false, NO),
            None,
            "Invalid model no-such-model for AI feature CHAT_WITH_AI!",
        ),
        (
            "legacy-chat-features.response-400.json",
            400,
            (K::InvalidRequest, false, NO),
            Some("UNKNOWN_ERROR"),
            "Unsupported feature type: CHAT_WITH_AI",
        ),
    ];
    for (file, status, verdict, code, message) in rows {
        let refusal = Refusal::from_body(Some(*status), &fixture(file));
        assert_eq!(
            (refusal.kind, refusal.retryable, refusal.charged),
            *verdict,
            "{file}"
        );
        assert_eq!(
            (refusal.status, refusal.code.as_deref()),
            (Some(*status), *code),
            "{file}"
        );
        assert_eq!(refusal.message, *message, "{file}");
    }
}

#[test]
fn no_fixture_of_a_refusal_is_left_out() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/onemin");
    let this = include_str!("tests.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let elsewhere = name.starts_with("err-200-") || name.starts_with("err-stream-");
        assert!(
            !name.starts_with("err-") || elsewhere || this.contains(&name),
            "{name}"
        );
    }
}

#[test]
fn wordings_without_code_or_status_are_recognised() {
    for (body, verdict) in [
        (
            "The feature requires 1726 credits, but the Test Office team only has 139 credits",
            (K::InsufficientCredits, false, NO),
        ),
        (
            r#"{"error":"Model no-such-model is not supported"}"#,
            (K::UnknownModel, false, NO),
        ),
        (
            r#"{"error":"The openai service is temporarily unavailable."}"#,
            (K::Unavailable, true, MAYBE),
        ),
        (
            r#"{"error":{"code":"UNKNOWN_ERROR","message":"Something failed upstream"}}"#,
            (K::Unknown, false, MAYBE),
        ),
        ("upstream connection lost", (K::Unavailable, true, MAYBE)),
        (
            r#"{"message":"Too many requests, slow down"}"#,
            (K::RateLimited, true, NO),
        ),
        (
            r#"{"code":"CONTENT_MODERATION","message":"The request was rejected"}"#,
            (K::Moderated, false, MAYBE),
        ),
        (
            r#"{"error":"Your request was rejected as a result of our safety system."}"#,
            (K::Moderated, false, MAYBE),
        ),
        (
            r#"{"error":"API Key has been deleted"}"#,
            (K::Unauthenticated, false, NO),
        ),
        (
            r#"{"error":"the sky is falling"}"#,
            (K::Unknown, false, MAYBE),
        ),
        (
            r#""This file type isn't supported""#,
            (K::UnsupportedFile, false, NO),
        ),
        ("", (K::Unknown, false, MAYBE)),
    ] {
        let refusal = Refusal::from_body(None, body.as_bytes());
        assert_eq!(
            (refusal.kind, refusal.retryable, refusal.charged),
            verdict,
            "{body}"
        );
        assert!(!refusal.message.is_empty(), "{body}");
    }
}

#[test]
fn a_status_alone_is_enough_to_judge() {
    for (status, verdict) in [
        (400, (K::InvalidRequest, false, NO)),
        (401, (K::Unauthenticated, false, NO)),
        (402, (K::InsufficientCredits, false, NO)),
        (403, (K::Forbidden, false, NO)),
        (404, (K::InvalidRequest, false, NO)),
        (408, (K::Unavailable, true, MAYBE)),
        (409, (K::Conflict, false, NO)),
        (413, (K::InvalidRequest, false, NO)),
        (415, (K::UnsupportedFile, false, NO)),
        (422, (K::InvalidRequest, false, NO)),
        (429, (K::RateLimited, true, NO)),
        (500, (K::Unavailable, true, MAYBE)),
        (504, (K::Unavailable, true, MAYBE)),
        (529, (K::Unavailable, true, MAYBE)),
        (302, (K::Unknown, false, MAYBE)),
    ] {
        let refusal = Refusal::from_body(Some(status), b"");
        assert_eq!(
            (refusal.kind, refusal.retryable, refusal.charged),
            verdict,
            "{status}"
        );
        assert_eq!(
            refusal.message,
            format!("no reason was given (HTTP status {status})")
        );
    }
}

#[test]
fn the_real_cause_is_dug_out_and_internals_stay_in() {
    let canned = "The x service is busy or has a temporary issue. Please try again shortly.";
    for (details, message, provider_status) in [
        (
            r#"{"response":{"status":429,"data":{"error":{"message":"Slow down (request id: abc12345)"}}}}"#,
            "Slow down (request id: …)",
            Some(429),
        ),
        (
            r#"{"response":{"status":400,"data":"{\"error\":{\"message\":\"n must be 1\"}}"}}"#,
            "n must be 1",
            Some(400),
        ),
        (
            r#"{"error":{"message":"bad size"},"request":{"url":"https://provider.example/secret"}}"#,
            "bad size",
            None,
        ),
        (
            r#"[{"field":"n","message":"n must be 1"},{"field":"size","message":"unknown size"}]"#,
            "n must be 1; unknown size",
            None,
        ),
        (r#"["first","second"]"#, "first; second", None),
        (
            "plain words, posted to https://provider.example/v1",
            "plain words, posted to …",
            None,
        ),
        (
            r#"{"request":{"method":"post","url":"https://provider.example/secret","headers":{"authorization":"x"}}}"#,
            canned,
            None,
        ),
        (
            r#"{"response":{"status":502,"data":"<html><body>secret</body></html>"}}"#,
            canned,
            Some(502),
        ),
        ("{cut", canned, None),
        ("", canned, None),
    ] {
        let body = serde_json::json!({"errorCode": "EXTERNAL_API_RESPONSE_WITH_ERROR", "message": canned, "details": details});
        let refusal = Refusal::from_body(Some(400), body.to_string().as_bytes());
        assert_eq!(
            (refusal.message.as_str(), refusal.provider_status),
            (message, provider_status),
            "{details}"
        );
        assert!(!refusal.message.contains("secret"));
        let transient = provider_status.is_some_and(|status| status == 429 || status >= 500);
        assert_eq!(refusal.retryable, transient, "{details}");
    }
}

#[test]
fn json_of_a_provider_within_a_message_is_read() {
    let said = r#"400 {"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long"},"request_id":"req_0123456789"}"#;
    let refusal = Refusal::from_body(
        None,
        serde_json::json!({"error": said}).to_string().as_bytes(),
    );
    assert_eq!(
        (refusal.message.as_str(), refusal.provider_status),
        ("prompt is too long", Some(400))
    );
}

#[test]
fn problems_of_fields_are_kept_apart() {
    let refusal = Refusal::from_body(Some(422), &fixture("err-422-prompt-object.json"));
    let problem = FieldProblem {
        field: "prompt".into(),
        message: "prompt must be a string".into(),
    };
    assert_eq!(refusal.fields, [problem]);
    assert_eq!(
        Refusal::from_body(Some(400), &fixture("err-400-prompt-object-live-style.json")).fields,
        refusal.fields
    );
}

#[test]
fn a_busy_openai_is_worth_a_retry_but_a_wrong_value_is_not() {
    let body = |message: &str| {
        serde_json::json!({"errorCode": "OPEN_AI_UNEXPECTED_ERROR", "message": message}).to_string()
    };
    assert!(Refusal::from_body(Some(400), body("OpenAI is busy").as_bytes()).retryable);
    let wrong = "Invalid value: 'x'. Supported values are: 'a' and 'b'.";
    let refusal = Refusal::from_body(Some(400), body(wrong).as_bytes());
    assert!(!refusal.retryable);
    assert_eq!(refusal.message, wrong);
}

#[test]
fn a_framework_error_gives_its_reason_and_not_the_name_of_its_status() {
    let body = br#"{"statusCode":400,"message":["prompt should not be empty","model must be a string"],"error":"Bad Request"}"#;
    let refusal = Refusal::from_body(Some(400), body);
    assert_eq!(
        refusal.message,
        "prompt should not be empty; model must be a string"
    );
}

#[test]
fn edge_pages_are_read_by_title_and_number() {
    for (html, kind, message) in [
        (
            "<html><head><title>Attention Required! | Cloudflare</title></head></html>",
            K::ClientBlocked,
            "Attention Required! | Cloudflare",
        ),
        (
            "<!DOCTYPE html><TITLE>Access denied</TITLE><body>error code: 1020</body>",
            K::ClientBlocked,
            "Access denied (error code: 1020)",
        ),
        (
            "<html><title>Just a moment...</title>",
            K::ClientBlocked,
            "Just a moment...",
        ),
        (
            "<html><body>nothing",
            K::Forbidden,
            "no reason was given (HTTP status 403)",
        ),
    ] {
        let refusal = Refusal::from_body(Some(403), html.as_bytes());
        assert_eq!(
            (refusal.kind, refusal.message.as_str()),
            (kind, message),
            "{html}"
        );
    }
}

#[test]
fn what_is_left_is_read_from_the_refusal() {
    let shortfall = |status, body: &str| Refusal::from_body(status, body.as_bytes()).shortfall();
    let flat = |message: &str| {
        shortfall(
            Some(406),
            &format!(r#"{{"errorCode":"INSUFFICIENT_CREDITS","message":"{message}"}}"#),
        )
    };
    let told =
        flat("The feature requires 4800 credits, but the 3 Red Cats team only has 46 credits");
    assert_eq!(
        told,
        Some(Shortfall {
            required: 4800,
            available: 46
        })
    );
    assert_eq!(flat("You have no credits left"), None);
    let other = r#"{"errorCode":"UNKNOWN_ERROR","message":"requires 1 credits, has 2 credits"}"#;
    assert_eq!(shortfall(Some(500), other), None);
}

#[test]
fn a_prompt_that_is_too_long_is_known_by_its_words_wherever_they_stand() {
    let words = [
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        "prompt is too long: 205000 tokens > 200000 maximum",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
        "Your input exceeds the context window of this model.",
        "Invalid 'messages[0].content': string too long. Expected a string with maximum length 1048576.",
        "Range of input length should be [1, 98304]",
        "Total tokens of image and text exceed max message tokens",
        "the request exceeds the available context size. try increasing the context size or enable context shift",
        "The input token count is 1300000 but model only supports up to 1048575.",
        "Requested input length 9000 exceeds maximum input length 8192",
        "`inputs` tokens + `max_new_tokens` must be <= 4097. Given: 4000 `inputs` tokens and 100 `max_new_tokens`",
        "too many tokens: size limit exceeded by 1000 tokens. Try using shorter or fewer inputs.",
        "tokens in request more than max tokens allowed",
        "Prompt exceeds max length",
    ];
    for words in words {
        let provider =
            serde_json::json!({"response": {"status": 400, "data": {"error": {"message": words}}}});
        for body in [
            serde_json::json!({"message": words}),
            serde_json::json!({"error": {"code": "OPEN_AI_API_ERROR", "message": words}}),
            serde_json::json!({"errorCode": "EXTERNAL_API_ERROR", "message": "The service is busy.", "details": provider.to_string()}),
            serde_json::json!({"error": format!("400 {provider}")}),
        ] {
            for status in [None, Some(400), Some(500)] {
                let refusal = Refusal::from_body(status, body.to_string().as_bytes());
                assert_eq!(refusal.kind, K::ContextTooLong, "{status:?} {body}");
                assert!(!refusal.retryable);
            }
        }
    }
}

#[test]
fn a_providers_rate_limit_is_one() {
    let details = r#"{"response":{"status":429,"data":{"error":{"message":"Slow down"}}}}"#;
    for body in [
        serde_json::json!({"errorCode": "EXTERNAL_API_ERROR", "message": "busy", "details": details}),
        serde_json::json!({"errorCode": "OPEN_AI_ERROR", "message": "Rate limit reached for gpt-4o"}),
        serde_json::json!({"errorCode": "OPEN_AI_ERROR", "message": "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 50000."}),
        serde_json::json!({"errorCode": "EXTERNAL_API_ERROR", "message": "ThrottlingException: Too many tokens, please wait before trying again."}),
        serde_json::json!({"errorCode": "EXTERNAL_API_ERROR", "message": "You exceeded your current quota, please check your plan and billing details."}),
    ] {
        let refusal = Refusal::from_body(Some(500), body.to_string().as_bytes());
        assert_eq!(
            (refusal.kind, refusal.charged),
            (K::RateLimited, MAYBE),
            "{body}"
        );
    }
}

#[test]
fn a_moderations_refusal_is_one_in_each_providers_words() {
    for words in [
        "The request was rejected because it was considered high risk",
        "Content Exists Risk",
        "Your prompt may violate our policies",
        "Input data may contain sensitive content",
    ] {
        let body = serde_json::json!({"errorCode": "EXTERNAL_API_ERROR", "message": words});
        let refusal = Refusal::from_body(Some(400), body.to_string().as_bytes());
        assert_eq!(
            (refusal.kind, refusal.retryable),
            (K::Moderated, false),
            "{words}"
        );
    }
}
