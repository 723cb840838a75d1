//! How many connections the operating system's limit of open files leaves room for.

/// Descriptors that are kept for everything but connections: the log, the database, contents of
/// files, the stores, the health check.
const RESERVED: u64 = 128;

/// Descriptors that a connection takes: its own, and that of its request to upstream.
const EACH: u64 = 2;

/// The limit where it cannot be found out: the least that systems have.
const LEAST_LIMIT: u64 = 1024;

/// Raises the limit of open files as far as the operating system lets this process, and gives it.
#[must_use]
pub fn raise() -> u64 {
    rlimit::increase_nofile_limit(u64::MAX).unwrap_or(LEAST_LIMIT)
}

/// Connections that a limit of open files leaves room for.
#[must_use]
pub fn connections(limit: u64) -> usize {
    let reserved = RESERVED.min(limit / 2);
    usize::try_from((limit - reserved) / EACH).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_descriptors_are_left_for_everything_else() {
        for (limit, expected) in [(0, 0), (64, 16), (1024, 448), (65_536, 32_704)] {
            assert_eq!(connections(limit), expected, "{limit}");
        }
    }
}
