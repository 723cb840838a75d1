//! In the place of `demo`, where the Cargo feature of that name was left out.

use translate::failure::Failure;

use crate::config::Settings;
use crate::sharing::Sharing;

/// A demonstration that cannot be.
pub struct Demo;

impl Demo {
    /// Says that there is none.
    ///
    /// # Errors
    /// Always.
    pub fn start(_: &mut Settings) -> Result<Self, String> {
        Err("this program was built without the Cargo feature `demo`".to_owned())
    }

    /// Fills nothing.
    ///
    /// # Errors
    /// None.
    #[expect(clippy::unused_async, reason = "as its counterpart")]
    pub async fn fill(&self, _: &Settings, _: &Sharing) -> Result<String, Failure> {
        Ok(String::new())
    }
}
