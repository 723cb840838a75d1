//! 1min.ai's own paths and features, as data, for passing requests through as they are.

mod observer;
mod request;

use http::Method;
use serde_json::json;

pub use observer::{Observed, ObservedEnd, Observer};
pub use request::{Named, is_words, possible_paths, stored};

/// A path of 1min.ai that an API key may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NativePath {
    /// `POST /api/chat-with-ai`: costs credits.
    Chat,
    /// `POST /api/features`: costs credits.
    Features,
    /// `GET /api/results/{uuid}`: the record of a job; belongs to the key that submitted it.
    Result,
    /// `POST /api/assets`: stores a file.
    Assets,
    /// `POST /api/conversations`: begins a conversation.
    Conversations,
    /// `GET /api/dzine/styles`, `/api/recraft/styles`, `/models`: lists that cost nothing.
    List,
}

impl NativePath {
    /// The path of a request, without its query; None for what an API key may not use, or what is
    /// the web page's own (`/teams`, `/users`, `/auth`).
    #[must_use]
    pub fn of(method: &Method, path: &str) -> Option<Self> {
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let is_get = method == Method::GET;
        match segments.as_slice() {
            ["api", "chat-with-ai"] if method == Method::POST => Some(Self::Chat),
            ["api", "features"] if method == Method::POST => Some(Self::Features),
            ["api", "assets"] if method == Method::POST => Some(Self::Assets),
            ["api", "conversations"] if method == Method::POST => Some(Self::Conversations),
            ["api", "results", id] if is_get && is_id(id) => Some(Self::Result),
            ["api", "dzine" | "recraft", "styles"] | ["models"] if is_get => Some(Self::List),
            _ => None,
        }
    }

    /// Whether a request costs credits.
    #[must_use]
    pub fn is_paid(self) -> bool {
        matches!(self, Self::Chat | Self::Features)
    }
}

/// The codes of 1min.ai's errors that are given in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// There is no such model.
    UnsupportedModel,
    /// The credits are used up.
    InsufficientCredits,
    /// Too many requests.
    RateLimited,
    /// The key is not known.
    Unauthorized,
    /// The key may not do this.
    Forbidden,
    /// There is no such path or object.
    NotFound,
    /// The request cannot be understood.
    InvalidRequest,
    /// Anything else.
    UnknownError,
}

impl ErrorCode {
    /// The code as upstream writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnsupportedModel => "UNSUPPORTED_MODEL",
            Self::InsufficientCredits => "INSUFFICIENT_CREDITS",
            Self::RateLimited => "RATE_LIMITED",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::InvalidRequest => "INVALID_REQUEST",
            Self::UnknownError => "UNKNOWN_ERROR",
        }
    }
}

/// The body of an error in 1min.ai's own shape.
#[must_use]
pub fn error_body(code: ErrorCode, message: &str) -> Vec<u8> {
    json!({"errorCode": code.as_str(), "message": message})
        .to_string()
        .into_bytes()
}

/// The event by which a stream of 1min.ai's ends that failed (fixture `chat-stream-error-model.sse`).
#[must_use]
pub fn error_event(message: &str) -> String {
    format!("event: error\ndata: {}\n\n", json!({"error": message}))
}

fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !text.is_empty() && text.len() <= 128 && text.bytes().all(plain)
}

/// What a feature makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// Text.
    Text,
    /// Images.
    Images,
    /// Audio.
    Audio,
    /// Video.
    Video,
}

/// Features that are known by name, with what they give. Chat by `/api/features` was withdrawn and
/// is not among them.
const FEATURES: &[(&str, Gives)] = &[
    ("UNIFY_CHAT_WITH_AI", Gives::Text),
    ("CODE_GENERATOR", Gives::Text),
    ("SPEECH_TO_TEXT", Gives::Text),
    ("AUDIO_TRANSLATOR", Gives::Text),
    ("IMAGE_TO_PROMPT", Gives::Text),
    ("YOUTUBE_SUMMARIZER", Gives::Text),
    ("YOUTUBE_TRANSCRIBER", Gives::Text),
    ("YOUTUBE_TRANSLATOR", Gives::Text),
    ("PROMPT_GENERATOR", Gives::Text),
    ("SUMMARIZER", Gives::Text),
    ("KEYWORD_RESEARCH", Gives::Text),
    ("CAPTIONS_GENERATOR", Gives::Text),
    ("IMAGE_GENERATOR", Gives::Images),
    ("IMAGE_EDITOR", Gives::Images),
    ("IMAGE_VARIATOR", Gives::Images),
    ("IMAGE_INPAINTER", Gives::Images),
    ("IMAGE_UPSCALER", Gives::Images),
    ("IMAGE_EXTENDER", Gives::Images),
    ("IMAGE_OBJECT_REMOVER", Gives::Images),
    ("IMAGE_3D_GENERATOR", Gives::Images),
    ("BACKGROUND_REMOVER", Gives::Images),
    ("BACKGROUND_REPLACER", Gives::Images),
    ("TEXT_REMOVER", Gives::Images),
    ("SEARCH_AND_REPLACE", Gives::Images),
    ("SKETCH_TO_IMAGE", Gives::Images),
    ("FACE_SWAPPER", Gives::Images),
    ("TEXT_TO_SPEECH", Gives::Audio),
    ("TEXT_TO_SOUND", Gives::Audio),
    ("MUSIC_GENERATOR", Gives::Audio),
    ("VOICE_DESIGN", Gives::Audio),
    ("TEXT_TO_VIDEO", Gives::Video),
    ("IMAGE_TO_VIDEO", Gives::Video),
    ("VIDEO_FACE_SWAPPER", Gives::Video),
];

/// Families of features of which only the beginning of the name is known.
const BEGINNINGS: &[(&str, Gives)] = &[
    ("CONTENT_GENERATOR_", Gives::Text),
    ("VOICE_", Gives::Audio),
];

/// What a feature gives, by its `type`; None for one that nobody knows.
#[must_use]
pub fn gives(feature: &str) -> Option<Gives> {
    let known = FEATURES.iter().find(|(name, _)| *name == feature);
    let known = known.or_else(|| {
        BEGINNINGS
            .iter()
            .find(|(beginning, _)| feature.starts_with(beginning))
    });
    known.map(|(_, gives)| *gives)
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::{FEATURES, Gives, NativePath, gives};

    #[test]
    fn only_paths_for_api_keys_are_known() {
        let rows = [
            (Method::POST, "/api/chat-with-ai", Some(NativePath::Chat)),
            (Method::POST, "/api/features/", Some(NativePath::Features)),
            (Method::GET, "/api/results/7f3c-1", Some(NativePath::Result)),
            (Method::GET, "/models", Some(NativePath::List)),
            (Method::GET, "/api/recraft/styles", Some(NativePath::List)),
            (Method::GET, "/api/chat-with-ai", None),
            (Method::GET, "/api/results/", None),
            (Method::GET, "/api/results/..", None),
            (Method::GET, "/api/results/a/b", None),
            (Method::GET, "/teams/1/credits", None),
            (Method::POST, "/auth/login", None),
            (Method::DELETE, "/api/assets", None),
            (Method::GET, "/users", None),
        ];
        for (method, path, expected) in rows {
            assert_eq!(NativePath::of(&method, path), expected, "{method} {path}");
        }
        assert!(NativePath::Chat.is_paid() && !NativePath::Assets.is_paid());
    }

    #[test]
    fn features_are_known_by_name_or_beginning() {
        assert_eq!(gives("IMAGE_UPSCALER"), Some(Gives::Images));
        assert_eq!(gives("CONTENT_GENERATOR_BLOG_ARTICLE"), Some(Gives::Text));
        assert_eq!(gives("VOICE_CHANGER"), Some(Gives::Audio));
        assert_eq!(gives("CHAT_WITH_AI"), None);
        let names: std::collections::HashSet<_> = FEATURES.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), FEATURES.len());
    }
}
