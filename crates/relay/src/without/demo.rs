//! In the place of `demo`, where the Cargo feature of that name was left out.

use crate::config::Settings;

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
}
