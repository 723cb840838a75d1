//! Images that upstream made, by their addresses or with their bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use onemin::ResultAsset;
use translate::failure::{Failure, Kind};
use translate::media::Image;

use crate::failure::of_download;
use crate::media::Media;

/// The largest image that is given in base64, in bytes.
const INLINE_IMAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

impl Media {
    /// The files as images. All are paid for, so one whose bytes cannot be had keeps its address;
    /// it is a failure if that is true of all.
    pub(super) async fn deliver(
        &self,
        assets: &[ResultAsset],
        inline: bool,
    ) -> Result<Vec<Image>, Failure> {
        let by_address = |asset: &ResultAsset| Image {
            url: self.url(asset),
            b64_json: None,
        };
        if !inline {
            return Ok(assets.iter().map(by_address).collect());
        }
        let fetching = assets.iter().map(|asset| self.fetch_base64(asset));
        let fetched = join_all(fetching).await;
        let mut images = Vec::with_capacity(assets.len());
        let mut lost = None;
        for (asset, bytes) in assets.iter().zip(fetched) {
            let mut image = by_address(asset);
            match bytes {
                Ok(bytes) => image.b64_json = Some(bytes),
                Err(failure) => lost = Some(failure),
            }
            images.push(image);
        }
        match lost {
            Some(failure) if images.iter().all(|image| image.b64_json.is_none()) => Err(failure),
            _ => Ok(images),
        }
    }

    /// The image's bytes in base64, encoded as they come.
    async fn fetch_base64(&self, asset: &ResultAsset) -> Result<String, Failure> {
        if let Some(text) = base64_of_data(&asset.path) {
            return Ok(text.to_owned());
        }
        let lost = |error: onemin::Error| of_download(&error, &self.url(asset));
        let mut download = self.client.download(asset).await.map_err(lost)?;
        let mut text = String::new();
        let mut rest: Vec<u8> = Vec::new();
        while let Some(bytes) = download.next().await {
            rest.extend_from_slice(&bytes.map_err(lost)?);
            // Three bytes are four letters; what is left over waits for the next piece.
            let whole = rest.len() / 3 * 3;
            STANDARD.encode_string(rest.get(..whole).unwrap_or_default(), &mut text);
            rest.drain(..whole);
            if text.len() / 4 * 3 > INLINE_IMAGE_BYTES_MAX {
                let message = format!(
                    "The image is larger than {} MiB: ask for its URL.",
                    INLINE_IMAGE_BYTES_MAX / (1024 * 1024)
                );
                return Err(Failure::new(Kind::Upstream, message).with_retry(false));
            }
        }
        STANDARD.encode_string(&rest, &mut text);
        if text.is_empty() {
            let url = self.url(asset);
            let message =
                format!("1min.ai made the image, but its file is empty. Try it yourself at {url}");
            return Err(Failure::new(Kind::Upstream, message).with_retry(false));
        }
        Ok(text)
    }
}

/// What an address holds that holds the file itself, as [`data_uri`](crate::media::result_url::data_uri)
/// writes it.
fn base64_of_data(path: &str) -> Option<&str> {
    let (_, text) = path.strip_prefix("data:")?.split_once(";base64,")?;
    Some(text)
}
