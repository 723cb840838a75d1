//! One window's counters in memory, bounded.

use std::collections::HashMap;

use crate::account_id::AccountId;

/// The most accounts that are counted apart; what comes beyond shares one counter, so that no
/// crowd of invented keys can make the others' counts be forgotten. At some 80 bytes each that is
/// 8 MB.
const MAX_IDENTITIES: usize = 100_000;

/// The counters of the newest window that was asked for.
#[derive(Debug, Default)]
pub(super) struct Window<T> {
    number: u64,
    counts: HashMap<AccountId, T>,
    crowd: T,
}

impl<T: Default> Window<T> {
    /// The counter of `who`. A newer window forgets the one before; a request that was on its way
    /// while the window changed counts in the new one.
    pub(super) fn entry(&mut self, who: AccountId, number: u64) -> &mut T {
        if number > self.number {
            *self = Self {
                number,
                ..Self::default()
            };
        }
        if self.counts.len() >= MAX_IDENTITIES && !self.counts.contains_key(&who) {
            return &mut self.crowd;
        }
        self.counts.entry(who).or_default()
    }

    /// Which window this is.
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::account_id::AccountIds;

    #[test]
    fn a_crowd_of_identities_shares_a_counter_and_makes_nothing_be_forgotten() {
        let account_ids = AccountIds::fresh();
        let who = |n: u32| account_ids.of_address(std::net::Ipv4Addr::from(n).into());
        let mut window = Window::<u64>::default();
        for n in 0..u32::try_from(MAX_IDENTITIES).unwrap() + 5 {
            *window.entry(who(n), 7) += 1;
        }
        assert_eq!((window.counts.len(), window.crowd), (MAX_IDENTITIES, 5));
        assert_eq!(*window.entry(who(0), 7), 1);
    }

    #[test]
    fn a_late_comer_of_the_last_window_does_not_clear_the_new_one() {
        let who = AccountIds::fresh().of_address(std::net::Ipv4Addr::LOCALHOST.into());
        let mut window = Window::<u64>::default();
        *window.entry(who, 8) += 1;
        *window.entry(who, 7) += 1;
        assert_eq!(*window.entry(who, 8), 2);
        assert_eq!(*window.entry(who, 9), 0);
    }
}
