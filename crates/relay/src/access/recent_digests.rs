//! Digests of the credentials that came last: a client sends the same one with every request, and
//! hashing it each time costs more than the rest of letting it in.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret as _, SecretString};

use super::constant_time::is_same;

/// Credentials that are remembered.
const SLOTS: usize = 64;

/// What was made of the last credentials. They are held in memory that is wiped when another takes
/// their place, and are compared in constant time.
pub struct RecentDigests<T> {
    slots: [Mutex<Option<(SecretString, T)>>; SLOTS],
    place: RandomState,
}

impl<T> Default for RecentDigests<T> {
    fn default() -> Self {
        Self {
            slots: std::array::from_fn(|_| Mutex::default()),
            place: RandomState::new(),
        }
    }
}

impl<T: Clone> RecentDigests<T> {
    /// The digest of a credential: remembered, or made by `digest`.
    pub fn get_or_make(&self, credential: &str, digest: impl FnOnce() -> T) -> T {
        let place = self.place.hash_one(credential) % SLOTS as u64;
        let slot = usize::try_from(place).ok();
        let Some(slot) = slot.and_then(|slot| self.slots.get(slot)) else {
            return digest();
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, made)) = &*slot
            && is_same(known.expose_secret(), credential)
        {
            return made.clone();
        }
        let made = digest();
        *slot = Some((credential.into(), made.clone()));
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_hashed_once_and_never_taken_for_another() {
        let recent = RecentDigests::default();
        let made = std::cell::Cell::new(0);
        let digest_of = |credential: &str| {
            recent.get_or_make(credential, || {
                made.set(made.get() + 1);
                credential.to_owned()
            })
        };
        for _ in 0..3 {
            assert_eq!(digest_of("one"), "one");
        }
        assert_eq!(made.get(), 1);
        for number in 0..10 * SLOTS {
            let credential = number.to_string();
            assert_eq!(digest_of(&credential), credential);
        }
        assert_eq!(digest_of("one"), "one");
    }
}
