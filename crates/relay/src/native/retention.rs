//! The job that forgets what is too old: which records were whose, and where stored things lie.

use std::time::Duration;

use super::Native;

/// Between two rounds.
const PAUSE: Duration = Duration::from_hours(1);

/// The first round comes sooner, but not while the relay starts.
const FIRST_PAUSE: Duration = Duration::from_mins(2);

/// Works for ever. Of replicas each may do it: what one has deleted the other does not find.
pub async fn run(native: Native) {
    let mut pause = FIRST_PAUSE;
    loop {
        tokio::time::sleep(pause).await;
        pause = PAUSE;
        if let Err(error) = native.sweep().await {
            tracing::warn!(%error, "old records of native requests could not be deleted; tried again in an hour");
        }
    }
}
