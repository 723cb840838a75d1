//! A bucket of an S3-compatible service as a store of contents.

mod http;

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::{ObjectStore, RetryConfig};
use secrecy::ExposeSecret as _;

use super::bucket::Bucket;
use crate::store::StoreError;

/// How often, and for how long at most, a request to a bucket is tried again.
const RETRIES: usize = 3;
const RETRY_TIME: Duration = Duration::from_secs(15);

/// The bucket. It is not asked before it is needed.
pub(super) fn open(bucket: &Bucket) -> Result<Arc<dyn ObjectStore>, StoreError> {
    let mut builder = AmazonS3Builder::new()
        .with_http_connector(http::Connector)
        // Not every service that speaks S3 has the call for many at once.
        .with_disable_bulk_delete(true)
        .with_retry(RetryConfig {
            max_retries: RETRIES,
            retry_timeout: RETRY_TIME,
            ..RetryConfig::default()
        })
        .with_bucket_name(&bucket.name)
        .with_region(&bucket.region)
        .with_access_key_id(&bucket.access_key_id)
        .with_secret_access_key(bucket.secret_access_key.expose_secret());
    if let Some(endpoint) = &bucket.endpoint {
        builder = builder
            .with_endpoint(endpoint.as_str().trim_end_matches('/'))
            .with_allow_http(endpoint.scheme() == "http");
    }
    Ok(Arc::new(builder.build()?))
}
