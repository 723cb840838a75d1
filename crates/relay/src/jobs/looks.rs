//! How often an account's jobs are looked at: 1min.ai counts those looks against the account's own
//! requests a minute.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::access::account_id::AccountId;

/// Looks at one account's jobs within [`WINDOW`]; 1min.ai permits 180 requests of all kinds.
const LOOKS_MAX: usize = 120;

const WINDOW: Duration = Duration::from_mins(1);

/// Counts looks by account.
#[derive(Debug, Default)]
pub(super) struct Looks(Mutex<HashMap<AccountId, VecDeque<Instant>>>);

impl Looks {
    /// Counts a look, if the account has one left.
    ///
    /// # Errors
    /// When there will be one.
    pub(super) fn take(&self, account: AccountId, now: Instant) -> Result<(), Instant> {
        // A panic while the lock was held can at worst have lost one look.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > 1000 {
            all.retain(|_, looks| looks.back().is_some_and(|last| *last + WINDOW > now));
        }
        let looks = all.entry(account).or_default();
        while looks.front().is_some_and(|first| *first + WINDOW <= now) {
            looks.pop_front();
        }
        match looks.front() {
            Some(first) if looks.len() >= LOOKS_MAX => Err(*first + WINDOW),
            _ => {
                looks.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_so_many_looks_a_minute() {
        let looks = Looks::default();
        let (one, other): (AccountId, AccountId) = ("1".parse().unwrap(), "2".parse().unwrap());
        let begin = Instant::now();
        for number in 0..120 {
            let now = begin + Duration::from_millis(number);
            assert!(looks.take(one, now).is_ok());
        }
        let later = begin + Duration::from_secs(59);
        assert_eq!(looks.take(one, later), Err(begin + WINDOW));
        assert!(looks.take(other, later).is_ok());
        assert!(looks.take(one, begin + WINDOW).is_ok());
        assert!(looks.take(one, begin + WINDOW).is_err());
    }
}
