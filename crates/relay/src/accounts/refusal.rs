//! What the holder of an access key is told where 1min.ai refuses an account of the pool. 1min.ai's own
//! words speak to the account's owner, of a team, a balance and a key: they are for the log.

use onemin::{Accepted, Error};
use translate::failure::{Failure, Kind};

use super::choice::Unavailable;
use crate::clock;
use crate::failure::of_upstream;

/// The failure of a call of an account of the pool.
#[must_use]
pub fn of_pooled(error: &Error) -> Failure {
    let failure = of_upstream(error);
    let now = clock::now_ms();
    let reason = match error {
        Error::Refused(refusal) => Unavailable::of(refusal, now),
        _ => None,
    };
    let Some(reason) = reason else {
        return failure;
    };
    let mut answer = unavailable(reason, now);
    if error.was_accepted() == Accepted::Maybe {
        answer = answer.with_retry(false);
    }
    answer.with_detail(failure.detail.unwrap_or_default())
}

/// The failure of a call for which no account can pay.
#[must_use]
pub fn unavailable(reason: Unavailable, now: i64) -> Failure {
    match reason {
        Unavailable::None => Failure::new(
            Kind::Overloaded,
            "No 1min.ai account is available to this access key. Contact the operator of this relay.",
        )
        .with_retry(false),
        Unavailable::Limited(until) => {
            let seconds = u64::try_from((until - now).max(0))
                .unwrap_or(0)
                .div_ceil(1000);
            let message = format!(
                "1min.ai's rate limit is reached for all accounts of this relay. Try again in {seconds} s."
            );
            Failure::new(Kind::RateLimited, message).with_retry_after(Some(seconds.max(1)))
        }
        Unavailable::Short => Failure::new(
            Kind::OutOfCredits,
            "No 1min.ai account of this relay has the credits for this request.",
        )
        .with_retry(false),
        Unavailable::Forbidden => Failure::new(
            Kind::Forbidden,
            "No 1min.ai account of this relay may use this model.",
        )
        .with_retry(false),
        Unavailable::Parked => Failure::new(
            Kind::Overloaded,
            "1min.ai rejects the API keys of all accounts of this relay. Contact its operator.",
        )
        .with_retry_after(Some(600)),
    }
}
