//! In the place of `store::redis`, where the Cargo feature `redis` was left out.

use std::convert::Infallible;

use secrecy::SecretString;

/// A connection that cannot be.
#[derive(Debug, Clone)]
pub struct RedisConnection(Infallible);

impl RedisConnection {
    /// Says that there is none.
    ///
    /// # Errors
    /// Always.
    pub fn new(_: &SecretString) -> Result<Self, String> {
        Err("needs a program that was built with the Cargo feature `redis`".to_owned())
    }

    /// Whatever is wanted of it, since it is not there.
    #[must_use]
    pub fn absent<T>(self) -> T {
        match self.0 {}
    }
}
