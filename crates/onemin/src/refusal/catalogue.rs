//! The catalogue of refusals as a table. The first row that fits decides.
//!
//! A stream's error has neither status nor code, only words; so words are looked at in their own
//! right, but after codes.

use super::kind::{Charged, RefusalKind};

/// What is known of a refusal when it is looked up.
pub(super) struct Evidence<'r> {
    pub(super) status: Option<u16>,
    pub(super) code: Option<&'r str>,
    /// Everything that was said, in small letters.
    pub(super) words: &'r str,
    pub(super) provider_status: Option<u16>,
}

/// What the catalogue says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verdict {
    pub(super) kind: RefusalKind,
    pub(super) retryable: bool,
    pub(super) charged: Charged,
}

/// One row. What is empty is not asked for.
struct Row {
    verdict: Verdict,
    /// The least and the greatest status.
    status: Option<(u16, u16)>,
    provider_status: Option<(u16, u16)>,
    /// Parts of codes, in capitals.
    codes: &'static [&'static str],
    /// Groups of words; all words of one group must occur.
    words: &'static [&'static [&'static str]],
}

const fn row(kind: RefusalKind, retryable: bool, charged: Charged) -> Row {
    Row {
        verdict: Verdict {
            kind,
            retryable,
            charged,
        },
        status: None,
        provider_status: None,
        codes: &[],
        words: &[],
    }
}

/// Refused before any work was done; the same again will be refused again.
const fn refused(kind: RefusalKind) -> Row {
    row(kind, false, Charged::No)
}

/// Refused before any work was done; later it may be taken.
const fn later(kind: RefusalKind) -> Row {
    row(kind, true, Charged::No)
}

/// Failed at work; the same again may succeed.
const fn failed(kind: RefusalKind) -> Row {
    row(kind, true, Charged::Maybe)
}

/// Failed at work; the same again will fail again.
const fn hopeless(kind: RefusalKind) -> Row {
    row(kind, false, Charged::Maybe)
}

impl Row {
    const fn code(mut self, codes: &'static [&'static str]) -> Self {
        self.codes = codes;
        self
    }

    const fn status(mut self, least: u16, greatest: u16) -> Self {
        self.status = Some((least, greatest));
        self
    }

    const fn provider(mut self, least: u16, greatest: u16) -> Self {
        self.provider_status = Some((least, greatest));
        self
    }

    const fn words(mut self, words: &'static [&'static [&'static str]]) -> Self {
        self.words = words;
        self
    }

    fn fits(&self, evidence: &Evidence<'_>) -> bool {
        let within = |range: Option<(u16, u16)>, status: Option<u16>| {
            range.is_none_or(|(least, greatest)| {
                status.is_some_and(|status| (least..=greatest).contains(&status))
            })
        };
        let code = evidence.code.unwrap_or_default();
        within(self.status, evidence.status)
            && within(self.provider_status, evidence.provider_status)
            && (self.codes.is_empty() || self.codes.iter().any(|part| code.contains(part)))
            && (self.words.is_empty()
                || self
                    .words
                    .iter()
                    .any(|group| group.iter().all(|word| evidence.words.contains(word))))
    }
}

const MODERATION: &[&[&str]] = &[
    &["moderation"],
    &["content policy"],
    &["content_policy"],
    &["usage polic"],
    &["safety system"],
    &["safety filter"],
    &["content filter"],
    &["content management policy"],
    &["flagged"],
    &["nsfw"],
    &["prohibited content"],
    &["inappropriate content"],
    &["data_inspection_failed"],
    &["sensitive content"],
    &["considered high risk"],
    &["content exists risk"],
    &["violat", "polic"],
];

/// How providers say that a prompt is longer than the model's context.
const CONTEXT: &[&[&str]] = &[
    &["context_length_exceeded"],
    &["maximum context length"],
    &["context length", "exceed"],
    &["context window", "exceed"],
    &["context limit", "exceed"],
    &["prompt is too long"],
    &["prompt too long"],
    &["input is too long"],
    &["maximum prompt length"],
    &["model token limit"],
    &["input token count", "exceeds"],
    &["reduce the length of the messages"],
    &["reduce the length of your prompt"],
    &["range of input length should be"],
    &["too many tokens", "maximum"],
    &["too many tokens", "size limit"],
    &["string too long", "maximum length"],
    &["context size", "exceed"],
    &["exceeds the model's context"],
    &["input token count", "only supports"],
    &["input length", "exceed"],
    &["prompt exceeds"],
    &["max message tokens"],
    &["max_new_tokens", "must be <="],
    &["tokens in request more than"],
];

/// How providers say that their own limit of requests or tokens is reached.
const PROVIDERS_RATE: &[&[&str]] = &[
    &["rate limit"],
    &["too many requests"],
    &["tokens per min"],
    &["requests per min"],
    &["resource_exhausted"],
    &["resource has been exhausted"],
    &["exceeded your current quota"],
    &["too many tokens", "wait"],
    &["throttl"],
];

/// How providers say that a model does not take a parameter.
const PARAMETER: &[&[&str]] = &[
    &["unsupported parameter"],
    &["unsupported_parameter"],
    &["unsupported value:"],
    &["unsupported_value"],
    &["unknown parameter"],
    &["unrecognized request argument"],
    &["parameter", "is not supported with this model"],
    &["does not support the parameter"],
    &["does not support parameter"],
];

const CREDITS: &[&[&str]] = &[
    &["requires", "credits", "only has"],
    &["insufficient", "credit"],
    &["not enough credit"],
    &["out of credits"],
    &["credit limit"],
];

const TRANSIENT: &[&[&str]] = &[
    &["temporarily unavailable"],
    &["is busy"],
    &["overloaded"],
    &["try again"],
    &["timed out"],
    &["timeout"],
    &["connection lost"],
    &["connection reset"],
    &["econnreset"],
    &["socket hang up"],
    &["service unavailable"],
    &["bad gateway"],
    &["internal server error"],
];

use RefusalKind as K;

static CATALOGUE: &[Row] = &[
    // The edge speaks before anything else does, in its own numbers.
    refused(K::ClientBlocked).words(&[
        &["error code: 1010"],
        &["error code: 1020"],
        &["error code: 1006"],
        &["error code: 1007"],
        &["error code: 1008"],
        &["error code: 1009"],
        &["attention required", "cloudflare"],
        &["just a moment"],
    ]),
    later(K::RateLimited).words(&[&["error code: 1015"]]),
    // Agents shorten the conversation on it, so it is known by its words whatever stands around them.
    hopeless(K::ContextTooLong).words(CONTEXT),
    // Codes that mean one thing.
    refused(K::InsufficientCredits).code(&[
        "INSUFFICIENT_CREDIT",
        "INSUFFICIENT_BALANCE",
        "CREDIT_LIMIT",
    ]),
    refused(K::UnknownModel).code(&["UNSUPPORTED_MODEL", "MODEL_NOT_FOUND", "INVALID_MODEL"]),
    refused(K::UnsupportedFile).code(&["UNSUPPORTED_FILE", "FILE_TYPE"]),
    refused(K::InvalidRequest).code(&[
        "MISSING_REQUIRED_FIELDS",
        "VALIDATION_FAILED",
        "INVALID_REQUEST",
    ]),
    refused(K::Unauthenticated).code(&[
        "UNAUTHORIZED",
        "UNAUTHENTICATED",
        "INVALID_AUTH",
        "INVALID_API_KEY",
    ]),
    refused(K::Unauthenticated).status(401, 401),
    later(K::RateLimited).code(&["RATE_LIMIT", "TOO_MANY_REQUESTS"]),
    hopeless(K::Moderated).code(&["MODERAT", "CONTENT_POLICY", "CONTENT_FILTER", "SAFETY"]),
    // Codes whose meaning depends on the cause.
    hopeless(K::Moderated)
        .code(&["EXTERNAL_API", "OPEN_AI", "OPENAI"])
        .words(MODERATION),
    hopeless(K::UnsupportedParameter).words(PARAMETER),
    failed(K::RateLimited).provider(429, 429),
    failed(K::RateLimited)
        .code(&["EXTERNAL_API", "OPEN_AI", "OPENAI"])
        .words(PROVIDERS_RATE),
    failed(K::ProviderError)
        .code(&["EXTERNAL_API"])
        .provider(500, 599),
    hopeless(K::ProviderError).code(&["EXTERNAL_API"]),
    hopeless(K::ProviderError)
        .code(&["OPEN_AI", "OPENAI"])
        .words(&[&["invalid value"], &["supported values are"]]),
    failed(K::ProviderError).code(&["OPEN_AI", "OPENAI"]),
    refused(K::Forbidden).code(&["FORBIDDEN", "PERMISSION", "ACCESS_DENIED"]),
    refused(K::Conflict).code(&["CONFLICT"]),
    // Words, for refusals that come without a code.
    refused(K::InsufficientCredits).words(CREDITS),
    refused(K::InsufficientCredits).status(402, 402),
    refused(K::Unauthenticated).words(&[
        &["api key", "not active"],
        &["api key", "deleted"],
        &["invalid api key"],
        &["missing api key"],
    ]),
    refused(K::InvalidRequest).words(&[&["unsupported feature"]]),
    refused(K::UnsupportedFile).words(&[
        &["file type", "supported"],
        &["unsupported file"],
        &["unsupported media"],
    ]),
    refused(K::UnknownModel).words(&[
        &["model", "is not supported"],
        &["model", "not found"],
        &["model", "does not exist"],
        &["model", "is disabled"],
        &["invalid model"],
        &["unknown model"],
        &["unsupported model"],
    ]),
    hopeless(K::Moderated).words(MODERATION),
    later(K::RateLimited).words(PROVIDERS_RATE),
    later(K::RateLimited).status(429, 429),
    // The status alone.
    refused(K::Forbidden).status(403, 403),
    refused(K::Conflict).status(409, 409),
    refused(K::UnsupportedFile).status(415, 415),
    failed(K::Unavailable).status(408, 408),
    failed(K::Unavailable).status(500, 599),
    refused(K::InvalidRequest).status(400, 499),
    failed(K::Unavailable).words(TRANSIENT),
    hopeless(K::Unknown),
];

/// Looks a refusal up.
pub(super) fn verdict(evidence: &Evidence<'_>) -> Verdict {
    let row = CATALOGUE.iter().find(|row| row.fits(evidence));
    row.map_or(hopeless(K::Unknown).verdict, |row| row.verdict)
}
