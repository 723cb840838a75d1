//! Pictures that upstream made, by their addresses or with their bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use onemin::ResultAsset;
use onemin::features::Inline;
use translate::dialect::openai::media::images::Picture;
use translate::failure::{Failure, Kind};

use crate::app::Relay;
use crate::failure::of_download;

/// The largest picture that is taken apart into base64, in bytes.
const MAX_PICTURE: usize = 64 * 1024 * 1024;

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

/// The files as pictures. All are paid for, so one whose bytes cannot be had keeps its address;
/// it is a failure if that is true of all.
pub(super) async fn fetched(
    relay: &Relay,
    assets: &[ResultAsset],
    inline: bool,
) -> Result<Vec<Picture>, Failure> {
    let by_address = |asset: &ResultAsset| Picture {
        url: url(relay, asset),
        b64_json: None,
    };
    if !inline {
        return Ok(assets.iter().map(by_address).collect());
    }
    let fetching = assets.iter().map(|asset| in_base64(relay, asset));
    let fetched = join_all(fetching).await;
    let mut pictures = Vec::with_capacity(assets.len());
    let mut lost = None;
    for (asset, bytes) in assets.iter().zip(fetched) {
        let mut picture = by_address(asset);
        match bytes {
            Ok(bytes) => picture.b64_json = Some(bytes),
            Err(failure) => lost = Some(failure),
        }
        pictures.push(picture);
    }
    match lost {
        Some(failure) if pictures.iter().all(|p| p.b64_json.is_none()) => Err(failure),
        _ => Ok(pictures),
    }
}

/// The picture's bytes in base64, encoded as they come.
async fn in_base64(relay: &Relay, asset: &ResultAsset) -> Result<String, Failure> {
    let lost = |error: onemin::Error| of_download(&error, &url(relay, asset));
    let mut download = relay.client.download(asset).await.map_err(lost)?;
    let mut text = String::new();
    let mut rest: Vec<u8> = Vec::new();
    while let Some(bytes) = download.next().await {
        rest.extend_from_slice(&bytes.map_err(lost)?);
        // Three bytes are four letters; what is left over waits for the next piece.
        let whole = rest.len() / 3 * 3;
        STANDARD.encode_string(rest.get(..whole).unwrap_or_default(), &mut text);
        rest.drain(..whole);
        if text.len() / 4 * 3 > MAX_PICTURE {
            let message = format!(
                "The picture is larger than {} MiB: ask for its URL.",
                MAX_PICTURE / (1024 * 1024)
            );
            return Err(Failure::new(Kind::Upstream, message).with_retry(false));
        }
    }
    STANDARD.encode_string(&rest, &mut text);
    Ok(text)
}

/// Where a client finds a file: signed if upstream signed it, else at the asset host.
#[must_use]
pub fn url(relay: &Relay, asset: &ResultAsset) -> String {
    match &asset.temporary_url {
        Some(url) => url.clone(),
        None if asset.path.contains("://") || asset.path.starts_with("data:") => asset.path.clone(),
        None => {
            let base = relay.asset_url.as_str().trim_end_matches('/');
            format!("{base}/{}", asset.path.trim_start_matches('/'))
        }
    }
}
