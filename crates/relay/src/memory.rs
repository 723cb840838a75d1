//! Memory that a load has left is given back to the operating system, also while nothing happens.
//!
//! jemalloc does so by itself where memory is allocated and freed, or with a thread of its own, which it
//! has not with musl. A relay without requests allocates nothing; therefore it is told to, now and then.

use std::time::Duration;

use tikv_jemalloc_ctl::{Access as _, AsName as _, Error, Mib, arenas};

/// Between two times.
const PAUSE: Duration = Duration::from_secs(10);

/// Gives back for ever what is free.
pub async fn run() {
    loop {
        tokio::time::sleep(PAUSE).await;
        if let Err(error) = give_back() {
            tracing::debug!(%error, "free memory could not be given back");
            return;
        }
    }
}

/// Gives back the free pages of every arena.
fn give_back() -> Result<(), Error> {
    let mut decay: Mib<[usize; 3]> = b"arena.0.dirty_decay_ms\0".name().mib()?;
    let usual: isize = b"arenas.dirty_decay_ms\0".name().read()?;
    for arena in 0..arenas::narenas::read()? {
        decay[1] = usize::try_from(arena).unwrap_or_default();
        // With no time to wait the free pages go at once. Refused for an arena that was not used yet.
        if decay.write(0_isize).is_ok() {
            decay.write(usual)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allocator_keeps_its_settings_when_it_has_given_back() {
        let decay = b"arena.0.dirty_decay_ms\0".name();
        let before: isize = decay.read().unwrap();
        give_back().unwrap();
        let after: isize = decay.read().unwrap();
        assert_eq!(before, after);
    }
}
