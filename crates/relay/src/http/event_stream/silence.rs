//! How long a stream has been silent.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// Says when the client has heard nothing for a while. The timer is set once a period, not once an
/// event.
pub(super) struct Silence {
    period: Duration,
    last: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Silence {
    /// A silence that is told after each such period; of zero, never.
    pub(super) fn new(period: Duration) -> Self {
        Self {
            period,
            last: Instant::now(),
            timer: None,
        }
    }

    /// Something was sent.
    pub(super) fn broken(&mut self) {
        self.last = Instant::now();
    }

    /// Ready when nothing was sent for a whole period.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.period.is_zero() {
            return Poll::Pending;
        }
        loop {
            let due = self.last + self.period;
            let timer = self
                .timer
                .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
            std::task::ready!(timer.as_mut().poll(cx));
            if Instant::now() >= self.last + self.period {
                self.last = Instant::now();
                timer.as_mut().reset(self.last + self.period);
                return Poll::Ready(());
            }
            timer.as_mut().reset(self.last + self.period);
        }
    }
}
