//! One table: what the 1min.ai client says went wrong → a neutral [`Failure`].

use onemin::{Accepted, Error, ProtocolError, Refusal, RefusalKind, TransportKind};
use translate::failure::{Failure, Kind};

/// A failure of upstream in the hub's words. Upstream's reason is kept; whether the request may be
/// sent again follows from whether the paid call may have been taken.
#[must_use]
pub fn of_upstream(error: &Error) -> Failure {
    let failure = match error {
        Error::Refused(refusal) => of_refusal(refusal),
        _ if error.is_timeout() => Failure::new(
            Kind::UpstreamTimeout,
            format!("1min.ai did not answer in time: {error}."),
        ),
        _ => Failure::new(Kind::Upstream, format!("{}: {error}.", lead(error))),
    };
    let safe = matches!(error.was_accepted(), Accepted::No);
    let failure = match failure.retry {
        Some(_) => failure,
        None => failure.with_retry(safe),
    };
    let detail = detail(error);
    failure.with_detail(detail)
}

/// What happened to an exchange that was no refusal.
fn lead(error: &Error) -> &'static str {
    match error {
        Error::Transport(error) => match error.kind {
            TransportKind::Connect(_) | TransportKind::NotSent => "1min.ai could not be reached",
            TransportKind::Source => "The upload broke off",
            _ => "1min.ai broke off",
        },
        Error::Protocol(ProtocolError::Interrupted) => "1min.ai broke off",
        _ => "1min.ai's answer cannot be used",
    }
}

/// A result that was made and cannot be fetched: whoever keeps the file refused it, and neither the
/// request nor the key is wrong. The work is paid for, so its address is told if there is one.
#[must_use]
pub fn of_download(error: &Error, address: &str) -> Failure {
    let failure = of_upstream(error);
    let kind = match failure.kind {
        Kind::UpstreamTimeout => Kind::UpstreamTimeout,
        _ => Kind::Upstream,
    };
    let message = format!(
        "1min.ai made the file, but it cannot be fetched: {error}. Try it yourself at {address}"
    );
    Failure {
        kind,
        message,
        ..failure
    }
    .with_retry(false)
}

fn of_refusal(refusal: &Refusal) -> Failure {
    let (kind, lead) = shape(refusal);
    let reason = refusal.message.trim_end_matches('.');
    let code = refusal.code.as_deref();
    let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
    let advice = advice(refusal.kind);
    let mut failure = Failure::new(kind, format!("{lead}: {reason}{code}.{advice}"))
        .with_retry_after(refusal.retry_after.map(|wait| wait.as_secs()));
    failure.param = refusal.parameter().map(str::to_owned);
    if refusal.retryable {
        failure
    } else {
        failure.with_retry(false)
    }
}

/// The statuses by which an edge says that who is behind it took too long.
const TOO_LATE: [u16; 2] = [504, 524];

fn shape(refusal: &Refusal) -> (Kind, &'static str) {
    match refusal.kind {
        RefusalKind::UnknownModel => (Kind::ModelNotFound, "1min.ai does not know this model"),
        RefusalKind::UnsupportedFile => (Kind::Invalid, "1min.ai refused the file"),
        RefusalKind::InvalidRequest => (Kind::Invalid, "1min.ai refused the request"),
        RefusalKind::UnsupportedParameter => (
            Kind::Unsupported,
            "The model does not take a parameter of the request",
        ),
        RefusalKind::Conflict => (Kind::Conflict, "1min.ai refused the request"),
        RefusalKind::Unauthenticated => (Kind::Unauthenticated, "1min.ai refused the API key"),
        RefusalKind::Forbidden => (Kind::Forbidden, "1min.ai forbids this"),
        RefusalKind::ClientBlocked => (Kind::Upstream, "1min.ai's edge blocked the relay"),
        RefusalKind::InsufficientCredits => (Kind::OutOfCredits, "Not enough 1min.ai credits"),
        RefusalKind::ContextTooLong => (
            Kind::ContextTooLong,
            "The request exceeds the model's maximum context length",
        ),
        RefusalKind::Moderated if refusal.is_by_provider() => (
            Kind::ContentRefused,
            "The provider behind 1min.ai refused the content",
        ),
        RefusalKind::Moderated => (Kind::ContentRefused, "1min.ai refused the content"),
        RefusalKind::RateLimited if refusal.is_by_provider() => (
            Kind::RateLimited,
            "The rate limit of the provider behind 1min.ai is reached",
        ),
        RefusalKind::RateLimited => (Kind::RateLimited, "1min.ai's rate limit is reached"),
        // The provider says by its own status whose fault it was.
        RefusalKind::ProviderError => match refusal.provider_status {
            Some(400 | 404 | 413 | 415 | 422) => (
                Kind::Invalid,
                "The provider behind 1min.ai refused the request",
            ),
            _ => (Kind::Upstream, "The provider behind 1min.ai failed"),
        },
        RefusalKind::Unavailable if refusal.status.is_some_and(|s| TOO_LATE.contains(&s)) => {
            (Kind::UpstreamTimeout, "1min.ai did not answer in time")
        }
        RefusalKind::Unavailable => (Kind::Upstream, "1min.ai is not available"),
        RefusalKind::Unknown => (Kind::Upstream, "1min.ai reported an error"),
    }
}

/// What a person can do about it.
fn advice(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::UnknownModel => " GET /v1/models lists the available models.",
        RefusalKind::Unauthenticated => " Check the key at app.1min.ai, Settings, API.",
        RefusalKind::InsufficientCredits => {
            " Top up at app.1min.ai, or raise the member's limit in the team."
        }
        _ => "",
    }
}

/// For the operator: upstream's status and code, whether the call may be paid, the cause below.
fn detail(error: &Error) -> String {
    let paid = match error.was_accepted() {
        Accepted::No => "not charged",
        Accepted::Maybe => "possibly charged",
    };
    if let Error::Refused(refusal) = error {
        let status = refusal
            .status
            .map_or("in-band".to_owned(), |s| s.to_string());
        format!("upstream {status} {:?}: {refusal}; {paid}", refusal.kind)
    } else {
        format!("{}; {paid}", with_cause(error))
    }
}

/// An error with what is below it, which its own words leave out.
#[must_use]
pub fn with_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let cause = error.source().map(|cause| format!(" ({cause})"));
    format!("{error}{}", cause.unwrap_or_default())
}

/// A file is larger than the relay takes.
#[must_use]
pub fn file_too_large(max: u64) -> Failure {
    let message = format!(
        "The file is larger than {} MiB, the most that this relay takes (MAX_FILE_MB).",
        max / (1024 * 1024)
    );
    Failure::new(Kind::TooLarge, message)
        .with_param("file")
        .with_code("file_too_large")
}
