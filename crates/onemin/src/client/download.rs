//! Fetching stored files, without the key: they lie with others than the API.

use std::time::SystemTime;

use http::header::{ACCEPT_ENCODING, LOCATION, RANGE, USER_AGENT};
use http::{HeaderValue, Method, Request, Response, Uri};
use tokio::time::Instant;
use url::Url;

use super::{Client, UNCOMPRESSED, accepted, within};
use crate::assets::{self, Download};
use crate::clock;
use crate::error::{Error, ProtocolError, TransportKind};
use crate::features::ResultAsset;
use crate::transport::{Body, Outgoing};

/// Redirections that are followed.
const REDIRECTS_MAX: u32 = 3;

impl Client {
    /// Fetches a stored file: by its signed URL while that is good, else by its path from the
    /// asset host. Whichever refuses, the other is asked.
    ///
    /// # Errors
    /// Why it cannot be had. The work that made the file is done whatever happens here, so
    /// [`Error::was_accepted`] never says no.
    pub async fn download(&self, asset: &ResultAsset) -> Result<Download, Error> {
        self.download_range(asset, None).await
    }

    /// As [`Client::download`], of the bytes that a `Range` header names. A host may send the whole
    /// file all the same: [`Download::status`] says which it is.
    ///
    /// # Errors
    /// As [`Client::download`]; a range outside the file is a refusal with status 416.
    pub async fn download_range(
        &self,
        asset: &ResultAsset,
        range: Option<&HeaderValue>,
    ) -> Result<Download, Error> {
        let mut refused = None;
        for address in self.addresses(asset, clock::now()) {
            match self.fetch(address, range).await {
                Ok(download) => return Ok(download),
                Err(error) => {
                    let other_may_help = matches!(&error, Error::Refused(_) | Error::Transport(_));
                    refused.get_or_insert(error);
                    if !other_may_help {
                        break;
                    }
                }
            }
        }
        let nowhere = || ProtocolError::Malformed("the result does not say where the file is");
        Err(refused
            .unwrap_or_else(|| nowhere().into())
            .after_acceptance())
    }

    /// Where a file may be had, the likeliest first.
    fn addresses(&self, asset: &ResultAsset, now: SystemTime) -> Vec<String> {
        let signed = asset.temporary_url.clone();
        let expired = |url: &String| assets::expires_at(url).is_some_and(|end| end <= now);
        let is_url = ["http://", "https://"]
            .iter()
            .any(|s| asset.path.starts_with(s));
        let public = if is_url {
            Some(asset.path.clone())
        } else {
            assets::of_path(&self.inner.asset_base, &asset.path)
        };
        let mut addresses: Vec<String> = signed.into_iter().chain(public).collect();
        addresses.sort_by_key(expired);
        addresses.dedup();
        addresses
    }

    async fn fetch(&self, address: String, range: Option<&HeaderValue>) -> Result<Download, Error> {
        let deadline = Instant::now() + self.inner.timeouts.download;
        let asking = async {
            let response = self.follow(address, range).await?;
            let response = accepted(response).await?;
            let timeouts = &self.inner.timeouts;
            let download = Download::new(response, timeouts.idle, timeouts.feature);
            if download.length == Some(0) {
                return Err(
                    ProtocolError::Malformed("the file was expected, but it is empty").into(),
                );
            }
            Ok(download)
        };
        within(deadline, TransportKind::FirstByteTimeout, asking).await
    }

    async fn follow(
        &self,
        mut address: String,
        range: Option<&HeaderValue>,
    ) -> Result<Response<Body>, Error> {
        for left in (0..=REDIRECTS_MAX).rev() {
            let request = self.fetching(&address, range)?;
            let response = self.inner.transport.send(request).await?;
            let next = response
                .headers()
                .get(LOCATION)
                .and_then(|to| to.to_str().ok());
            match next.and_then(|to| redirected(&address, to)) {
                Some(next) if response.status().is_redirection() && left > 0 => address = next,
                _ => return Ok(response),
            }
        }
        Err(ProtocolError::Malformed("the file was expected").into())
    }

    fn fetching(
        &self,
        address: &str,
        range: Option<&HeaderValue>,
    ) -> Result<Box<Request<Outgoing>>, Error> {
        let unusable = || ProtocolError::Malformed("an address of the file was expected");
        let uri: Uri = address.parse().map_err(|_| unusable())?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(unusable().into());
        }
        let mut request = Box::new(Request::new(Outgoing::Empty));
        *request.method_mut() = Method::GET;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(ACCEPT_ENCODING, UNCOMPRESSED);
        headers.insert(USER_AGENT, self.inner.user_agent.clone());
        if let Some(range) = range {
            headers.insert(RANGE, range.clone());
        }
        Ok(request)
    }
}

/// Where a redirection leads; never from https to http.
fn redirected(from: &str, to: &str) -> Option<String> {
    let from = Url::parse(from).ok()?;
    let to = from.join(to).ok()?;
    let allowed = to.scheme() == "https" || to.scheme() == "http" && from.scheme() == "http";
    allowed.then(|| to.into())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::redirected;
    use crate::{Client, Options, ResultAsset};

    #[test]
    fn an_expired_url_is_tried_last() {
        let signed = "https://s3.example/a.png?X-Amz-Date=20261010T120001Z&X-Amz-Expires=60";
        let asset = ResultAsset {
            path: "images/a.png".into(),
            temporary_url: Some(signed.into()),
        };
        let client = Client::new(Options::default()).unwrap();
        let public = "https://asset.1min.ai/images/a.png";
        let at = |second| SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        assert_eq!(
            client.addresses(&asset, at(1_791_633_602)),
            [signed, public]
        );
        assert_eq!(
            client.addresses(&asset, at(1_791_633_662)),
            [public, signed]
        );
        let outside = ResultAsset::of_path("https://cdn.example/x.png");
        assert_eq!(
            client.addresses(&outside, at(0)),
            ["https://cdn.example/x.png"]
        );
        assert!(
            client
                .addresses(&ResultAsset::of_path("../x"), at(0))
                .is_empty()
        );
    }

    #[test]
    fn no_redirection_leads_from_tls_to_plain() {
        assert_eq!(
            redirected("https://a/b", "/c").as_deref(),
            Some("https://a/c")
        );
        assert_eq!(redirected("https://a/b", "http://a/c"), None);
        assert_eq!(
            redirected("http://a/b", "http://d/").as_deref(),
            Some("http://d/")
        );
        assert_eq!(redirected("https://a/b", "file:///etc/passwd"), None);
    }
}
