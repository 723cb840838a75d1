//! Which bucket of an S3-compatible service is meant, and by whose key.

use secrecy::SecretString;
use url::Url;

/// A bucket of an S3-compatible service.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Where the service is; Amazon's if not given.
    pub endpoint: Option<Url>,
    /// The region.
    pub region: String,
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub secret_access_key: SecretString,
}
