//! The answer when nobody scripted one: it tells what arrived, always in the same words.

use crate::chat::request::ChatRequest;
use crate::directive;
use crate::state::State;

/// Characters of the user's text that are repeated.
const ECHOED_CHARS_MAX: usize = 500;

/// What upstream says to an empty prompt.
const GREETING: &str = "Hello! How can I help you today?";

/// Images and documents that the model can see.
#[derive(Debug, Default)]
pub(crate) struct Attachments {
    pub(crate) images: Vec<String>,
    pub(crate) files: Vec<String>,
    /// Tokens that the documents add to the input.
    pub(crate) file_tokens: u64,
    /// Whether an image or a document was named that cannot be seen.
    blind: [bool; 2],
}

impl Attachments {
    /// Looks up what is attached. A URL is taken for an image; a path where a UUID belongs
    /// attaches nothing.
    pub(crate) fn new(state: &State, request: &ChatRequest) -> Self {
        let mut seen = Self::default();
        let (images, files) = (request.images(), request.files());
        if images.is_empty() && files.is_empty() {
            seen.blind = [request.has_image_list(), false];
            return seen;
        }
        let assets = state.assets();
        for image in &images {
            let url = image.starts_with("https://") || image.starts_with("http://");
            let kept = assets.by_key(image);
            let shown = kept
                .map(|asset| format!("{} ({}, {} bytes)", asset.filename, asset.mime, asset.size));
            seen.images
                .extend(shown.or_else(|| url.then(|| (*image).to_owned())));
        }
        for asset in files.iter().filter_map(|file| assets.by_uuid(file)) {
            seen.files.push(format!(
                "{} ({}, {} bytes)",
                asset.filename, asset.mime, asset.size
            ));
            seen.file_tokens += asset.tokens;
        }
        seen.blind = [
            seen.images.len() < images.len() || request.has_image_list(),
            seen.files.len() < files.len(),
        ];
        seen
    }
}

/// The unscripted answer.
pub(crate) fn text(request: &ChatRequest, seen: &Attachments) -> String {
    let said = directive::without(last_user_text(request.prompt()));
    let said = said.trim();
    if said.is_empty() && seen.images.is_empty() && seen.files.is_empty() {
        return GREETING.to_owned();
    }
    let model = request.model.as_deref().unwrap_or_default();
    let mut text = format!("You said: \"{}\"", shortened(said));
    text.extend(counted("images", &seen.images));
    text.extend(counted("files", &seen.files));
    text.extend(request.web_search().map(|_| " [web search: on]"));
    text += ". This is the 1min.ai simulator, answering as ";
    text += model;
    text += ".";
    text.extend(named("Image", &seen.images));
    text.extend(named("File", &seen.files));
    for (blind, what) in seen.blind.iter().zip(["an image", "a file"]) {
        text.extend(blind.then(|| format!(" I cannot see {what} in this conversation.")));
    }
    text + " No model was asked, so the same question always gets the same answer."
}

fn counted(what: &str, list: &[String]) -> Option<String> {
    (!list.is_empty()).then(|| format!(" [{what}: {}]", list.len()))
}

fn named(what: &str, list: &[String]) -> impl Iterator<Item = String> {
    (1..)
        .zip(list)
        .map(move |(number, one)| format!(" {what} {number} is {one}."))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(ECHOED_CHARS_MAX) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The last user turn of a prompt: what stands between the last pair of `<user>` tags, of whatever
/// variant (`<user-2>`) and with whatever attributes, each on a line of its own; else all of it.
pub(crate) fn last_user_text(prompt: &str) -> &str {
    tagged(prompt).unwrap_or(prompt)
}

fn tagged(prompt: &str) -> Option<&str> {
    let close = prompt.rfind("\n</user")?;
    let variant = prompt.get(close + "\n</user".len()..)?.split('>').next()?;
    let before = prompt.get(..close)?;
    let name = format!("<user{variant}");
    let starts = before.rmatch_indices(name.as_str()).map(|(at, _)| at);
    let open = starts.into_iter().find(|&at| {
        let line_start = at == 0 || before.get(..at).is_some_and(|text| text.ends_with('\n'));
        let rest = before.get(at + name.len()..).unwrap_or_default();
        line_start && rest.starts_with(['>', ' '])
    })?;
    let body = before.get(open..)?;
    // An empty turn has the closing tag right after the opening one's line.
    Some(body.split_once(">\n").map_or("", |(_, text)| text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::last_user_text;

    #[test]
    fn the_last_user_turn_is_found_in_either_form() {
        let cases = [
            ("hello", "hello"),
            (
                "what does <user>x</user> mean",
                "what does <user>x</user> mean",
            ),
            (
                "<system>\nbe brief\n</system>\n<user>\none\n</user>\n<assistant>\ntwo\n</assistant>\n<user>\nthree\nfour\n</user>\nanswer",
                "three\nfour",
            ),
            (
                "<user-2>\nsay <user>\n</user-2>\n<assistant-2>\nok\n</assistant-2>",
                "say <user>",
            ),
            ("<user name=\"ann\">\nhi\n</user>\n", "hi"),
            ("<user>\n</user>", ""),
            ("no opening\n</user>", "no opening\n</user>"),
        ];
        for (prompt, expected) in cases {
            assert_eq!(last_user_text(prompt), expected, "{prompt}");
        }
    }

    proptest! {
        #[test]
        fn no_prompt_makes_it_panic(prompt in r"(<|/|user|-2|>|\n| |ü){0,24}") {
            let _ = last_user_text(&prompt);
        }
    }
}
