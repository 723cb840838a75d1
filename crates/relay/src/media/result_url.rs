//! Addresses of results: where a client finds what upstream made.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use onemin::ResultAsset;
use onemin::features::Inline;
use url::Url;

/// The address of a result: signed if upstream signed it, else at the asset host.
#[must_use]
pub fn of_asset(asset_url: &Url, asset: &ResultAsset) -> String {
    match &asset.temporary_url {
        Some(url) => url.clone(),
        None if asset.path.contains("://") || asset.path.starts_with("data:") => asset.path.clone(),
        None => {
            let base = asset_url.as_str().trim_end_matches('/');
            format!("{base}/{}", asset.path.trim_start_matches('/'))
        }
    }
}

/// A file that came in place of a record, as an address that holds it.
#[must_use]
pub fn data_uri(file: &Inline) -> String {
    let kind = file.content_type.split(';').next().unwrap_or_default();
    format!(
        "data:{};base64,{}",
        kind.trim(),
        STANDARD.encode(&file.bytes)
    )
}
