//! Who is signed in to the page.

use std::sync::Arc;

use translate::failure::{Failure, Kind};

use super::keys::cache::KnownKey;

/// Who asks.
#[derive(Debug, Clone)]
pub enum Visitor {
    /// The operator.
    Admin,
    /// Who has this access key, and sees what it used.
    Holder(Arc<KnownKey>),
}

impl Visitor {
    /// Lets only the operator pass.
    ///
    /// # Errors
    /// A [`Kind::Forbidden`] failure.
    pub fn require_admin(&self) -> Result<(), Failure> {
        match self {
            Self::Admin => Ok(()),
            Self::Holder(_) => {
                let message = "This needs the admin key.";
                Err(Failure::new(Kind::Forbidden, message).with_retry(false))
            }
        }
    }
}
