//! Log lines on their way to standard error: those of one moment leave in one write, so that a
//! request does not wait for the terminal, the disk or the journal.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long lines are gathered.
const GATHER_TIME: Duration = Duration::from_millis(20);

/// With so many bytes waiting, who logs writes them, and so waits for whoever does not take them.
const LOG_BUFFER_BYTES_MAX: usize = 64 * 1024;

/// The lines that wait. Clones share them; when the last one outside goes, they are written.
#[derive(Debug)]
pub struct Lines<W: Write + Send + 'static>(Arc<Waiting<W>>);

#[derive(Debug)]
struct Waiting<W> {
    lines: Mutex<Vec<u8>>,
    begun: Condvar,
    /// Locked before `lines`, so that what was gathered first is written first.
    out: Mutex<W>,
}

impl<W: Write + Send + 'static> Clone for Lines<W> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<W: Write + Send + 'static> Lines<W> {
    /// Lines for this output, and a thread that writes them.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn to(out: W) -> io::Result<Self> {
        let waiting = Arc::new(Waiting {
            lines: Mutex::default(),
            begun: Condvar::new(),
            out: Mutex::new(out),
        });
        let written = waiting.clone();
        let thread = std::thread::Builder::new().name("log".to_owned());
        thread.spawn(move || {
            loop {
                written.wait();
                std::thread::sleep(GATHER_TIME);
                written.write();
            }
        })?;
        Ok(Self(waiting))
    }

    /// Writes what waits.
    pub fn write_all_now(&self) {
        self.0.write();
    }
}

impl<W: Write> Waiting<W> {
    fn wait(&self) {
        let mut lines = self.lines();
        while lines.is_empty() {
            lines = self
                .begun
                .wait(lines)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn write(&self) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = std::mem::take(&mut *self.lines());
        // A log that cannot be written has nobody to be told.
        let _ = out.write_all(&lines).and_then(|()| out.flush());
    }

    fn lines(&self) -> MutexGuard<'_, Vec<u8>> {
        // A panic while the lock was held can at worst have cut a line.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write + Send + 'static> Write for Lines<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let waiting = {
            let mut lines = self.0.lines();
            if lines.is_empty() {
                self.0.begun.notify_one();
            }
            lines.extend_from_slice(line);
            lines.len()
        };
        if waiting > LOG_BUFFER_BYTES_MAX {
            self.0.write();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// An output that passes each write on.
    struct ChannelWriter(Sender<Vec<u8>>);

    impl Write for ChannelWriter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines() -> (Lines<ChannelWriter>, Receiver<Vec<u8>>) {
        let (sender, writes) = channel();
        (Lines::to(ChannelWriter(sender)).unwrap(), writes)
    }

    fn next(writes: &Receiver<Vec<u8>>) -> String {
        let written = writes.recv_timeout(Duration::from_secs(5)).unwrap();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn lines_of_one_moment_are_written_together_and_soon() {
        let (mut lines, writes) = lines();
        for round in 0..3 {
            for line in ["a\n", "b\n"] {
                lines.clone().write_all(line.as_bytes()).unwrap();
            }
            let mut written = next(&writes);
            // The thread may have looked between the two.
            if written == "a\n" {
                written += &next(&writes);
            }
            assert_eq!(written, "a\nb\n", "{round}");
        }
        lines.write_all(b"last\n").unwrap();
        lines.write_all_now();
        assert_eq!(next(&writes), "last\n");
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "it writes from several threads at once"
    )]
    fn what_waits_is_bounded_and_nothing_is_lost() {
        let (lines, writes) = lines();
        let line = [b'x'; 999];
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let mut lines = lines.clone();
                std::thread::spawn(move || {
                    for _ in 0..500 {
                        lines.write_all(&line).unwrap();
                        lines.write_all(b"\n").unwrap();
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        lines.write_all_now();
        let all: Vec<Vec<u8>> = writes.try_iter().collect();
        assert_eq!(all.iter().map(Vec::len).sum::<usize>(), 4 * 500 * 1000);
        assert!(
            all.iter()
                .all(|written| written.len() < 2 * LOG_BUFFER_BYTES_MAX)
        );
    }
}
