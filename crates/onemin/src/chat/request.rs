//! A chat request, and its bytes.

use serde::Serialize;

/// One request for an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// An id from the list of models.
    pub model: String,
    /// The whole conversation as one text. Upstream answers an empty one with a greeting.
    pub prompt: String,
    /// Images: paths of assets, or URLs.
    pub images: Vec<String>,
    /// Documents: uuids of assets. A path here attaches nothing, silently.
    pub files: Vec<String>,
    /// Search the web first.
    pub web_search: Option<WebSearch>,
}

/// How to search the web. What is not given is upstream's default (3 sites, 1000 words).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WebSearch {
    /// How many sites to read, brought into 1 to 10.
    pub num_of_site: Option<u32>,
    /// How many words to take from them, brought into 100 to 10000.
    pub max_word: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    web_search_settings: WebSearchSettings,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WebSearchSettings {
    web_search: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_of_site: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_word: Option<u32>,
}

#[derive(Serialize)]
struct Attachments<'r> {
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    images: &'r [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    files: &'r [String],
}

impl Request {
    /// The body of the request. The prompt is written once, straight from where it stands.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let attached = self
            .images
            .iter()
            .chain(&self.files)
            .map(|name| name.len() + 4)
            .sum::<usize>();
        // Escapes make text longer; a sixteenth is what prose with line ends needs.
        let mut bytes =
            Vec::with_capacity(256 + self.prompt.len() + self.prompt.len() / 16 + attached);
        bytes.extend_from_slice(b"{\"type\":\"UNIFY_CHAT_WITH_AI\",\"model\":");
        json_strings::write(&self.model, &mut bytes);
        bytes.extend_from_slice(b",\"promptObject\":{\"prompt\":");
        json_strings::write(&self.prompt, &mut bytes);
        // Writing text and numbers into memory cannot fail.
        if let Some(search) = self.web_search {
            bytes.extend_from_slice(b",\"settings\":");
            let _ = serde_json::to_writer(&mut bytes, &search.settings());
        }
        if !self.images.is_empty() || !self.files.is_empty() {
            bytes.extend_from_slice(b",\"attachments\":");
            let attachments = Attachments {
                images: &self.images,
                files: &self.files,
            };
            let _ = serde_json::to_writer(&mut bytes, &attachments);
        }
        bytes.extend_from_slice(b"}}");
        bytes
    }
}

impl WebSearch {
    fn settings(self) -> Settings {
        Settings {
            web_search_settings: WebSearchSettings {
                web_search: true,
                num_of_site: self.sites(),
                max_word: self.words(),
            },
        }
    }

    /// The sites within their range.
    pub(crate) fn sites(self) -> Option<u32> {
        self.num_of_site.map(|sites| sites.clamp(1, 10))
    }

    /// The words within their range.
    pub(crate) fn words(self) -> Option<u32> {
        self.max_word.map(|words| words.clamp(100, 10_000))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Request, WebSearch};

    fn body(request: &Request) -> Value {
        serde_json::from_slice(&request.to_bytes()).unwrap()
    }

    #[test]
    fn nothing_is_sent_that_was_not_asked_for() {
        let request = Request {
            model: "m".into(),
            prompt: "line\n\"quoted\" \u{1} 東京 🚀 \u{2028}".into(),
            ..Request::default()
        };
        let expected = json!({"type": "UNIFY_CHAT_WITH_AI", "model": "m", "promptObject": {"prompt": request.prompt}});
        assert_eq!(body(&request), expected);
    }

    #[test]
    fn search_settings_are_brought_into_their_ranges() {
        for (given, sent) in [
            ((None, None), json!({"webSearch": true})),
            (
                (Some(0), Some(1)),
                json!({"webSearch": true, "numOfSite": 1, "maxWord": 100}),
            ),
            (
                (Some(5), Some(700)),
                json!({"webSearch": true, "numOfSite": 5, "maxWord": 700}),
            ),
            (
                (Some(99), Some(u32::MAX)),
                json!({"webSearch": true, "numOfSite": 10, "maxWord": 10000}),
            ),
        ] {
            let (num_of_site, max_word) = given;
            let web_search = Some(WebSearch {
                num_of_site,
                max_word,
            });
            let request = Request {
                web_search,
                ..Request::default()
            };
            assert_eq!(
                body(&request).pointer("/promptObject/settings/webSearchSettings"),
                Some(&sent)
            );
        }
    }

    #[test]
    fn images_and_documents_are_attached_apart() {
        let request = Request {
            images: vec!["images/a.png".into()],
            ..Request::default()
        };
        assert_eq!(
            body(&request)["promptObject"]["attachments"],
            json!({"images": ["images/a.png"]})
        );
    }
}
