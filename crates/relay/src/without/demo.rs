//! In the place of `demo`, where the Cargo feature of that name was left out.

use translate::failure::Failure;

use crate::config::sharing::SharingSettings;
use crate::config::upstream::UpstreamSettings;
use crate::sharing::Sharing;
use crate::store::settings as store;

/// A demonstration that cannot be.
pub struct Demo;

impl Demo {
    /// Says that there is none.
    ///
    /// # Errors
    /// Always.
    pub fn start(
        _: &mut UpstreamSettings,
        _: &mut store::Settings,
        _: &mut SharingSettings,
    ) -> Result<Self, String> {
        Err("this program was built without the Cargo feature `demo`".to_owned())
    }

    /// Fills nothing.
    ///
    /// # Errors
    /// None.
    #[expect(clippy::unused_async, reason = "as its counterpart")]
    pub async fn fill(&self, _: &SharingSettings, _: &Sharing) -> Result<String, Failure> {
        Ok(String::new())
    }
}
