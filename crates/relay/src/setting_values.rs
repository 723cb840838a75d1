//! How the values of settings are written.

use std::time::Duration;

use url::Url;

/// An address of a server.
///
/// # Errors
/// Why it is none.
pub fn http_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|e| e.to_string())?;
    match url.scheme() {
        "http" | "https" if url.host().is_some() => Ok(url),
        _ => Err("must be an http or https URL".to_owned()),
    }
}

/// A number of seconds; fractions are allowed.
///
/// # Errors
/// Why it is none.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| "must be a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(number)
        .map_err(|_| "must be a positive number of seconds".to_owned())
}
