//! When a job is asked after.

use std::time::Duration;

use super::kind::Kind;

/// Before a job is polled for the first time where somebody waits for it: images take five to sixty
/// seconds.
pub const FIRST_POLL: Duration = Duration::from_secs(2);

/// Before a job of a feature is polled for the first time. Videos and music take minutes and are
/// polled after `long`; for what takes seconds that is at most [`FIRST_POLL`].
#[must_use]
pub fn first_poll(kind: Kind, long: Duration) -> Duration {
    match kind {
        Kind::TextToVideo | Kind::ImageToVideo | Kind::MusicGenerator | Kind::TextToSound => long,
        _ => long.min(FIRST_POLL),
    }
}

/// The time before the nth poll, from the first to five times as long.
#[must_use]
pub fn poll_pause(first: Duration, poll: u32) -> Duration {
    first + (first.saturating_mul(poll) / 4).min(first * 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polls_become_rarer_and_not_too_rare() {
        let first = Duration::from_secs(2);
        let pauses: Vec<Duration> = (0..100).map(|poll| poll_pause(first, poll)).collect();
        assert_eq!((pauses[0], pauses[99]), (first, first * 5));
        for pair in pauses.windows(2) {
            assert!(
                pair[0] <= pair[1] && pair[1] <= pair[0].mul_f64(1.3),
                "{pair:?}"
            );
        }
        assert_eq!(poll_pause(first, u32::MAX), first * 5);
    }

    #[test]
    fn an_image_is_polled_soon_however_rarely_long_jobs_are() {
        for (long, image) in [(10_000, 2_000), (2_000, 2_000), (100, 100)] {
            let long = Duration::from_millis(long);
            assert_eq!(first_poll(Kind::TextToVideo, long), long);
            assert_eq!(first_poll(Kind::MusicGenerator, long), long);
            let image = Duration::from_millis(image);
            assert_eq!(first_poll(Kind::ImageGenerator, long), image);
            assert_eq!(first_poll(Kind::ImageVariator, long), image);
        }
    }
}
