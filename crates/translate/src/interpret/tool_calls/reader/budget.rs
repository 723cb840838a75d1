//! How much may be read in vain: text that only looks like calls must not cost more than in
//! proportion to its length.

use crate::interpret::scanner::{Read, ReadError};

/// The most text that is held for one head, and for calls that count only if nothing follows.
pub(super) const MAX_HOLD: usize = 4 << 20;
/// Below this, a head that needs more is read again with each piece of text; above, as it grows by a quarter.
const SMALL: usize = 256;
/// How many bytes may be read in vain at first.
const IN_VAIN: usize = 1 << 20;
/// How often an answer's broken call is left for the calls behind it.
const MAX_RETURNS: usize = 8;

/// What is left to be spent on going back.
#[derive(Debug)]
pub(super) struct Budget {
    /// Bytes that may still be read in vain.
    in_vain: usize,
    resyncs: usize,
    /// Where the text must end at least for another attempt at a head.
    retry: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            in_vain: IN_VAIN,
            resyncs: MAX_RETURNS,
            retry: 0,
        }
    }
}

impl Budget {
    /// More text has come.
    pub(super) fn grow(&mut self, bytes: usize) {
        if self.in_vain > 0 {
            self.in_vain += 4 * bytes;
        }
    }

    /// The next attempt at a head need not wait.
    pub(super) fn retry(&mut self) {
        self.retry = 0;
    }

    /// Whether a head should be read in a text that ends there and will grow.
    pub(super) fn waits(&self, end: usize) -> bool {
        end < self.retry
    }

    /// How much of the text a head may be read in.
    pub(super) fn limit(&self) -> usize {
        if self.in_vain == 0 { SMALL } else { MAX_HOLD }
    }

    /// A head was read at `cost` in `rest` bytes of a text that ends at `end`.
    pub(super) fn spend<T>(
        &mut self,
        read: Read<T>,
        cost: usize,
        rest: usize,
        end: usize,
        is_final: bool,
    ) -> Read<T> {
        self.retry = 0;
        let read = match read {
            Err(ReadError::Incomplete) if rest >= self.limit() || is_final => {
                Err(ReadError::NoMatch)
            }
            Err(ReadError::Incomplete) if rest > SMALL => {
                self.retry = end + rest / 4;
                Err(ReadError::Incomplete)
            }
            read => read,
        };
        if matches!(read, Err(ReadError::NoMatch)) {
            self.in_vain = self.in_vain.saturating_sub(cost);
        }
        read
    }

    /// These bytes were read for a call that was none, and will be read again.
    pub(super) fn charge(&mut self, bytes: usize) {
        self.in_vain = self.in_vain.saturating_sub(bytes);
    }

    /// Whether nothing more may be read in vain: what would be read only to go back is not begun.
    pub(super) fn is_spent(&self) -> bool {
        self.in_vain == 0
    }

    /// A reading other than a head's needs more than the `rest` bytes of a text that ends at `end`:
    /// it is made again when the text has grown by a part of itself.
    pub(super) fn wait(&mut self, rest: usize, end: usize) {
        if rest > SMALL {
            self.retry = end + rest / 4;
        }
    }

    /// Whether a broken call may be left for those behind it.
    pub(super) fn may_return(&mut self) -> bool {
        let may = self.resyncs > 0;
        self.resyncs = self.resyncs.saturating_sub(1);
        may
    }
}
