//! Styles that upstream lists: a client knows them by their names.

use onemin::images::styles::{self, DzineStyle};
use translate::failure::Failure;
use translate::media::ImageRequest;
use translate::quote::quote;

use crate::ledger::Payer;
use crate::media::Media;

/// The field that says the style by upstream's name of it.
const CODE: &str = "style_code";

/// The most styles that a message names.
const STYLES_NAMED_MAX: usize = 40;

impl Media {
    /// Puts upstream's words for a style in the place of the client's, where the model has a list.
    pub(super) async fn resolve_style(
        &self,
        payer: &Payer,
        request: &mut ImageRequest,
    ) -> Result<(), Failure> {
        let is_listed = request.model.as_deref().is_some_and(styles::are_listed);
        if !is_listed || request.extra.contains_key(CODE) {
            return Ok(());
        }
        // Without the list the style is what the client says, and upstream tells what it thinks
        // of it.
        let Ok(list) = self.client.dzine_styles(&payer.lease()?.key).await else {
            return Ok(());
        };
        let name = request.style.take().unwrap_or_default();
        let style = list.iter().find(|style| style.is(&name));
        let style = style.ok_or_else(|| unknown(&name, &list))?;
        request.extra.extend(style.fields());
        Ok(())
    }
}

fn unknown(name: &str, list: &[DzineStyle]) -> Failure {
    let names: Vec<&str> = list.iter().map(|style| style.name.as_str()).collect();
    let there_are = names.get(..STYLES_NAMED_MAX).unwrap_or(&names).join(", ");
    let name = quote(name);
    let lead = if name.is_empty() {
        "`style` is missing".to_owned()
    } else {
        format!("unknown style `{name}`")
    };
    Failure::invalid("style", format!("{lead}: use one of {there_are}."))
}
