//! The types of a refusal.

use std::fmt;
use std::time::Duration;

/// A refusal by 1min.ai.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it is about.
    pub kind: RefusalKind,
    /// The HTTP status; None if it came inside an answer with status 200.
    pub status: Option<u16>,
    /// Upstream's code, such as `UNSUPPORTED_MODEL`.
    pub code: Option<String>,
    /// Upstream's reason, the real cause included. Safe to show: addresses, ids of requests and
    /// keys of the providers behind 1min.ai are taken out.
    pub message: String,
    /// How long to wait, if upstream says.
    pub retry_after: Option<Duration>,
    /// What is wrong with which field, if upstream says.
    pub fields: Vec<FieldProblem>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// Whether the request may have cost credits.
    pub charged: Charged,
    /// The status with which the provider behind 1min.ai answered it, if that is known: with 4xx
    /// the request is at fault, with 5xx the provider.
    pub provider_status: Option<u16>,
}

/// What a refusal for lack of credits says of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortfall {
    /// Credits that the request was estimated to need.
    pub required: u64,
    /// Credits that were left.
    pub available: u64,
}

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field in upstream's naming.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// Whether a refused request may have cost credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charged {
    /// It was refused before any work was done.
    No,
    /// Nobody knows.
    Maybe,
}

/// The kinds of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// There is no such model, or it is disabled, or not for this feature.
    UnknownModel,
    /// The request is wrong; `fields` may say where.
    InvalidRequest,
    /// The model does not take a parameter, or not with this value.
    UnsupportedParameter,
    /// This type of file cannot be uploaded.
    UnsupportedFile,
    /// The key is missing, unknown, inactive or deleted.
    Unauthenticated,
    /// The key may not do this.
    Forbidden,
    /// The edge in front of 1min.ai refuses this client or its address, whatever it asks.
    ClientBlocked,
    /// The estimated cost exceeds what the key may still spend.
    InsufficientCredits,
    /// The prompt is longer than the model's context.
    ContextTooLong,
    /// The content was refused by a moderation.
    Moderated,
    /// Too many requests.
    RateLimited,
    /// The provider behind 1min.ai refused or failed.
    ProviderError,
    /// 1min.ai or its edge has trouble.
    Unavailable,
    /// The request contradicts itself or the state of something.
    Conflict,
    /// Upstream gives a reason that is in no catalogue, or none.
    Unknown,
}

/// How codes begin that tell of a provider behind 1min.ai.
const PROVIDER_CODES: [&str; 3] = ["EXTERNAL_API", "OPEN_AI", "OPENAI"];

impl Refusal {
    /// Whether it comes from the provider behind 1min.ai.
    #[must_use]
    pub fn is_by_provider(&self) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        self.provider_status.is_some()
            || PROVIDER_CODES
                .iter()
                .any(|begin| code.to_ascii_uppercase().starts_with(begin))
    }

    /// The parameter that it is about, in the provider's naming, if it is about one.
    #[must_use]
    pub fn parameter(&self) -> Option<&str> {
        if self.kind != RefusalKind::UnsupportedParameter {
            return None;
        }
        let quotes = ['\'', '"', '`'];
        let (_, rest) = self.message.split_once(quotes)?;
        let (name, _) = rest.split_once(quotes)?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_.[]".contains(c);
        (!name.is_empty() && name.len() <= 60 && name.chars().all(is_name)).then_some(name)
    }

    /// How many credits were needed and left, if it is refused for lack of them and says so
    /// ("requires 4800 credits, but the … team only has 46 credits").
    #[must_use]
    pub fn shortfall(&self) -> Option<Shortfall> {
        if self.kind != RefusalKind::InsufficientCredits {
            return None;
        }
        let before_unit = self.message.split(" credits").filter_map(|text| {
            let number = text.rsplit(' ').next()?.replace([',', '.'], "");
            number.parse::<u64>().ok()
        });
        let numbers: Vec<u64> = before_unit.collect();
        match numbers.as_slice() {
            [required, available] => Some(Shortfall {
                required: *required,
                available: *available,
            }),
            _ => None,
        }
    }

    /// An answer that reports success and has no text.
    pub(crate) fn no_text() -> Self {
        Self::empty("the answer has no text, although success is reported")
    }

    /// A job that reports success and made nothing.
    pub(crate) fn no_result() -> Self {
        Self::empty("the answer has no result, although success is reported")
    }

    fn empty(message: &str) -> Self {
        Self {
            kind: RefusalKind::Unknown,
            status: None,
            code: None,
            message: message.to_owned(),
            retry_after: None,
            fields: Vec::new(),
            retryable: true,
            charged: Charged::Maybe,
            provider_status: None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.code {
            Some(code) => write!(f, " ({code})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}
