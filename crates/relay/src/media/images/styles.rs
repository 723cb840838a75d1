//! Styles that upstream lists: a client knows them by their names.

use onemin::ApiKey;
use onemin::images::styles::{self, DzineStyle};
use translate::dialect::openai::media::images::ImageRequest;
use translate::failure::Failure;

use crate::app::Relay;

/// The field that says the style by upstream's name of it.
const CODE: &str = "style_code";

/// The most styles that a message names.
const MENTIONED: usize = 40;

/// Puts upstream's words for a style in the place of the client's, where the model has a list.
///
/// # Errors
/// The style is missing or unknown, and which there are.
pub async fn look_up(
    relay: &Relay,
    key: &ApiKey,
    request: &mut ImageRequest,
) -> Result<(), Failure> {
    let is_listed = request.model.as_deref().is_some_and(styles::are_listed);
    if !is_listed || request.extra.contains_key(CODE) {
        return Ok(());
    }
    // Without the list the style is what the client says, and upstream tells what it thinks of it.
    let Ok(list) = relay.client.dzine_styles(key).await else {
        return Ok(());
    };
    let word = request.style.take().unwrap_or_default();
    let style = list.iter().find(|style| style.is(&word));
    let style = style.ok_or_else(|| unknown(&word, &list))?;
    request.extra.extend(style.fields());
    Ok(())
}

fn unknown(word: &str, list: &[DzineStyle]) -> Failure {
    let names: Vec<&str> = list.iter().map(|style| style.name.as_str()).collect();
    let there_are = names.get(..MENTIONED).unwrap_or(&names).join(", ");
    let word: String = word.chars().take(60).collect();
    let lead = if word.is_empty() {
        "`style` is missing".to_owned()
    } else {
        format!("`{word}` is no style of this model")
    };
    Failure::invalid("style", format!("{lead}: use one of {there_are}."))
}
