//! Wakes the task that waits for a connection, and no task for what happens while it is polled.
//!
//! The two ends of a connection wake each other whenever one has taken what the other gave. Polled
//! by one task, they would only make it run again; so what wakes them during a poll polls again
//! at once, and only what comes later wakes the task.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// How often one poll begins anew. The runtime also wakes a task that should let others run.
const ROUNDS: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Bell {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
enum State {
    /// Nobody waits, and nothing has happened.
    #[default]
    Quiet,
    /// Something has happened that nobody has looked at.
    Rung,
    Waited(Waker),
}

impl Bell {
    /// Polls with a waker that rings this bell.
    pub(super) fn poll<T>(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let waker = Waker::from(self.clone());
        let mut ringing = Context::from_waker(&waker);
        for _ in 0..ROUNDS {
            *self.state() = State::Quiet;
            if let Poll::Ready(done) = poll(&mut ringing) {
                return Poll::Ready(done);
            }
            if self.wait(cx.waker()) {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Nobody waits any longer: the task's memory is not kept by its waker.
    pub(super) fn forget(&self) {
        *self.state() = State::Quiet;
    }

    /// False if something has happened meanwhile.
    fn wait(&self, waker: &Waker) -> bool {
        let mut state = self.state();
        let quiet = matches!(*state, State::Quiet);
        if quiet {
            *state = State::Waited(waker.clone());
        }
        quiet
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let before = std::mem::replace(&mut *self.state(), State::Rung);
        if let State::Waited(waker) = before {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn polled(rings: usize) -> (usize, usize, Arc<Bell>, Arc<Count>) {
        let (bell, woken) = (Arc::new(Bell::default()), Arc::new(Count::default()));
        let waker = Waker::from(woken.clone());
        let mut rounds = 0;
        let poll = bell.poll(&mut Context::from_waker(&waker), |cx| {
            rounds += 1;
            if rounds <= rings {
                cx.waker().wake_by_ref();
            }
            Poll::<()>::Pending
        });
        assert!(poll.is_pending());
        (rounds, woken.0.load(Ordering::Relaxed), bell, woken)
    }

    #[test]
    fn what_happens_during_a_poll_polls_again_and_wakes_nobody() {
        for rings in 0..ROUNDS {
            let (rounds, woken, ..) = polled(rings);
            assert_eq!((rounds, woken), (rings + 1, 0));
        }
    }

    #[test]
    fn a_poll_that_never_comes_to_rest_lets_others_run() {
        let (rounds, woken, ..) = polled(usize::MAX);
        assert_eq!((rounds, woken), (ROUNDS, 1));
    }

    #[test]
    fn what_happens_later_wakes_once() {
        let (_, _, bell, woken) = polled(0);
        bell.wake_by_ref();
        bell.wake_by_ref();
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn nobody_is_woken_who_is_forgotten() {
        let (_, _, bell, woken) = polled(0);
        bell.forget();
        bell.wake_by_ref();
        assert_eq!(
            (woken.0.load(Ordering::Relaxed), Arc::strong_count(&woken)),
            (0, 1)
        );
    }
}
