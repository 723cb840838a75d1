//! Who may vouch for 1min.ai's servers.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::error::Error;

/// Certificate authorities that are trusted besides those that browsers trust: that of a proxy
/// which opens TLS on the way, or one's own.
#[derive(Debug, Clone, Default)]
pub struct Authorities(Vec<CertificateDer<'static>>);

impl Authorities {
    /// The certificates of a PEM file; whatever else stands in it is passed over.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is none, or one that cannot be read.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let certificates = certificates.map_err(|_| Error::Invalid("invalid PEM"))?;
        if certificates.is_empty() {
            return Err(Error::Invalid("no certificate in PEM"));
        }
        let authorities = Self(certificates);
        authorities.roots()?;
        Ok(authorities)
    }

    /// What TLS needs to know. Sessions are kept, so that a later connection resumes one.
    pub(super) fn client_config(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| Error::Invalid("TLS could not be set up"))?;
        let roots = self.roots()?;
        Ok(builder.with_root_certificates(roots).with_no_client_auth())
    }

    fn roots(&self) -> Result<RootCertStore, Error> {
        let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        for certificate in &self.0 {
            roots
                .add(certificate.clone())
                .map_err(|_| Error::Invalid("invalid certificate of an authority"))?;
        }
        Ok(roots)
    }
}

#[cfg(test)]
mod tests {
    use super::Authorities;

    #[test]
    fn what_holds_no_certificate_is_refused() {
        let broken = "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n";
        let other = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for (pem, why) in [
            ("", "no certificate in PEM"),
            ("a line\n", "no certificate in PEM"),
            (key, "no certificate in PEM"),
            (broken, "invalid PEM"),
            (other, "invalid certificate of an authority"),
        ] {
            let error = Authorities::from_pem(pem.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(why), "{pem}: {error}");
        }
    }
}
