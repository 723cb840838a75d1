//! Memory given back to the operating system after a load.
//!
//! The allocator keeps what each thread has freed for that thread's next allocations, and what one
//! thread frees of another's until that other allocates again: idle workers never do. It tidies a
//! thread's memory up after every `ALLOCATIONS_PER_TIDYING` allocations that are not small, so each
//! worker makes as many when the load is over.

use std::cell::Cell;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Between two looks at what is held.
const INTERVAL: Duration = Duration::from_secs(5);

/// With more connections than this there is still a load.
const QUIET_CONNECTIONS: usize = 16;

/// What may be held beyond what was left last time, in pages of the operating system: some 8 MB.
const SPARE_PAGES: u64 = 2048;

/// How often in a row it is tried after a load: some of what was freed is settled late.
const ROUNDS: u32 = 4;

/// mimalloc's option `generic_collect` is 10,000; it is looked at once in a thousand.
const ALLOCATIONS_PER_TIDYING: usize = 12_000;

/// Above what mimalloc calls small, in bytes.
const ALLOCATION_BYTES: usize = 2048;

/// A thread that was tidied up within this time leaves the turn to another.
const RECENTLY: Duration = Duration::from_secs(2);

/// Looks after the memory for as long as the process lives. `connections` are those of clients.
pub async fn look_after(connections: impl Fn() -> usize + Send) {
    let mut held = Held::default();
    loop {
        tokio::time::sleep(INTERVAL).await;
        let Some(pages) = resident_pages() else {
            return;
        };
        if held.is_due(pages, connections()) {
            tidy_up().await;
        }
    }
}

/// What was held, and how often it was tried to give it back.
#[derive(Debug, Default)]
struct Held {
    least: Option<u64>,
    rounds: u32,
}

impl Held {
    fn is_due(&mut self, pages: u64, connections: usize) -> bool {
        if connections > QUIET_CONNECTIONS {
            self.rounds = 0;
            return false;
        }
        let least = self.least.map_or(pages, |least| least.min(pages));
        self.least = Some(least);
        if pages < least + SPARE_PAGES || self.rounds == ROUNDS {
            return false;
        }
        self.rounds += 1;
        if self.rounds == ROUNDS {
            // It is in use.
            self.least = Some(pages);
        }
        true
    }
}

/// The pages that the process holds in memory; none where the system does not say.
fn resident_pages() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    statm.split(' ').nth(1)?.parse().ok()
}

/// Has each worker make the allocations after which its memory is tidied up, some milliseconds long.
async fn tidy_up() {
    let workers = tokio::runtime::Handle::current().metrics().num_workers();
    let turns = (0..2 * workers).map(|_| tokio::spawn(async { turn() }));
    for turn in turns.collect::<Vec<_>>() {
        // A turn does not fail.
        let _ = turn.await;
    }
}

fn turn() {
    thread_local! {
        static LAST: Cell<Option<Instant>> = const { Cell::new(None) };
    }
    if LAST.get().is_some_and(|last| last.elapsed() < RECENTLY) {
        // Another worker takes the next turn meanwhile.
        std::thread::sleep(Duration::from_millis(1));
        return;
    }
    for _ in 0..=ALLOCATIONS_PER_TIDYING {
        black_box(Vec::<u8>::with_capacity(black_box(ALLOCATION_BYTES)));
    }
    LAST.set(Some(Instant::now()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_when_the_load_is_over_and_not_for_ever_in_vain() {
        let mut held = Held::default();
        assert!(!held.is_due(10_000, 1));
        assert!(!held.is_due(50_000, 2000), "there is a load");
        assert!(held.is_due(50_000, 2));
        assert!(!held.is_due(11_000, 2), "it was given back");
        let tried = (0..10).filter(|_| held.is_due(60_000, 2)).count();
        assert_eq!(tried, 3, "it is in use");
        assert!(!held.is_due(90_000, 100));
        assert!(held.is_due(90_000, 0));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn tidying_up_is_short() {
        let since = Instant::now();
        tidy_up().await;
        assert!(since.elapsed() < Duration::from_secs(2));
        assert!(resident_pages().is_none_or(|pages| pages > 0));
    }
}
