//! Video: which size and length a request asks for.

use crate::assets::store::File;
use crate::features::image::size;
use crate::features::request::FeatureRequest;
use crate::media::film;

/// Longest film that is made, in seconds.
const SECONDS_MAX: u32 = 60;

/// The film that the request asks for; a small one, whatever its resolution would be.
pub(super) fn file(request: &FeatureRequest) -> File {
    let fields = ["seconds", "duration", "length", "veo3_duration"];
    let given = fields.iter().find_map(|name| {
        let text = request.string(name);
        let text = text.and_then(|text| text.trim_end_matches('s').parse().ok());
        text.or_else(|| request.number(name))
    });
    let seconds = given.unwrap_or(5).clamp(1, SECONDS_MAX);
    let (width, height) = size(request);
    let described = request.prompt_object();
    let described = described.map(|fields| serde_json::json!(fields).to_string());
    let bytes = film(
        &described.unwrap_or_default(),
        width / 4,
        height / 4,
        seconds * 1000,
    );
    File {
        mime: "video/mp4",
        extension: "mp4",
        bytes: bytes.into(),
    }
}
