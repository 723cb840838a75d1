//! Ids of what is kept: nobody can guess one, and they rise with time, so that lists in the order
//! of ids are in the order of creation.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::clock;

/// The last time given out, in milliseconds since 1970.
static LAST: AtomicU64 = AtomicU64::new(0);

/// A new id: the prefix, 12 hexadecimal digits of time, 30 of chance.
#[must_use]
pub fn draw(prefix: &str) -> String {
    let now = super::records::milliseconds(clock::system_time());
    // Two of one millisecond, or of a clock that went back, still come in their order.
    let before = LAST.fetch_max(now, Ordering::Relaxed);
    let time = if before >= now {
        LAST.fetch_add(1, Ordering::Relaxed) + 1
    } else {
        now
    };
    let chance = Uuid::new_v4().simple().to_string();
    // Two digits of a random UUID are not random.
    let chance: String = [0..12, 13..16, 17..32]
        .into_iter()
        .filter_map(|range| chance.get(range))
        .collect();
    format!("{prefix}{time:012x}{chance}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_and_can_be_kept() {
        let ids: Vec<_> = (0..1000).map(|_| draw("file-")).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert!(
            ids.iter()
                .all(|id| super::super::records::is_id(id) && id.len() == 5 + 42)
        );
    }
}
