//! Which account pays for a call. No I/O, no clock: times are milliseconds since 1970, credits
//! thousandths.

use clap::ValueEnum;
use onemin::{Refusal, RefusalKind};

/// For how long an account is passed over that lacks credits, or may not use a model.
const SKIPPED_FOR: i64 = 10 * 60 * 1000;

/// The bounds of a wait that upstream asks for.
const LIMITED_FOR: std::ops::RangeInclusive<i64> = 1000..=120_000;

const MINUTE: i64 = 60_000;

/// How accounts are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Policy {
    /// Requests are spread over all accounts that can pay.
    #[default]
    Spread,
    /// The first account that can pay, in the order of the settings.
    Order,
}

/// Whether an account can pay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Availability {
    /// Since when its key is refused; it is looked at again from time to time.
    pub parked: Option<i64>,
    /// Until when it is rate limited.
    pub limited_until: i64,
    /// Models that it may not use, and until when that is believed.
    pub forbidden: Vec<(String, i64)>,
    /// What it had at a time.
    pub left: Option<(i64, i64)>,
    /// Until when it counts as short because it has refused a call for lack of credits.
    pub short_until: i64,
    /// The minute in which it was used last, and how often.
    pub minute: (i64, u32),
}

/// Why no account can pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// There is none, or none that the access key permits.
    None,
    /// All are rate limited; the first is free at this time.
    Limited(i64),
    /// No account has so many credits.
    Short,
    /// None may use the model.
    Forbidden,
    /// 1min.ai refuses the keys of all.
    Parked,
}

impl Unavailable {
    /// What a refusal says of the account; none if it is about something else.
    #[must_use]
    pub fn of(refusal: &Refusal, now: i64) -> Option<Self> {
        match refusal.kind {
            RefusalKind::Unauthenticated => Some(Self::Parked),
            RefusalKind::InsufficientCredits => Some(Self::Short),
            RefusalKind::RateLimited => Some(Self::Limited(limited_until(refusal, now))),
            RefusalKind::Forbidden => Some(Self::Forbidden),
            _ => None,
        }
    }
}

impl Availability {
    /// Why it cannot pay for a call of a model now, if it cannot.
    fn obstacle(&self, model: &str, estimate: i64, now: i64) -> Option<Unavailable> {
        let is_forbidden = |(of, until): &(String, i64)| of == model && *until > now;
        if self.parked.is_some() {
            Some(Unavailable::Parked)
        } else if self.limited_until > now {
            Some(Unavailable::Limited(self.limited_until))
        } else if self.is_short(estimate, now) {
            Some(Unavailable::Short)
        } else if self.forbidden.iter().any(is_forbidden) {
            Some(Unavailable::Forbidden)
        } else {
            None
        }
    }

    /// Why it cannot pay for a call that it has refused.
    fn refused_for(&self, model: &str, estimate: i64, now: i64) -> Unavailable {
        let obstacle = self.obstacle(model, estimate, now);
        // It may have more than the call is estimated to cost, or its pause may be over by now.
        obstacle.unwrap_or(if self.short_until > now {
            Unavailable::Short
        } else {
            Unavailable::Limited(now + *LIMITED_FOR.start())
        })
    }

    fn is_short(&self, estimate: i64, now: i64) -> bool {
        self.left
            .is_some_and(|(left, at)| left < estimate.max(1) && at + SKIPPED_FOR > now)
    }

    fn requests_this_minute(&self, now: i64) -> u32 {
        if self.minute.0 == now / MINUTE {
            self.minute.1
        } else {
            0
        }
    }

    /// Notes that it was given a call.
    pub fn used(&mut self, now: i64) {
        self.minute = (
            now / MINUTE,
            self.requests_this_minute(now).saturating_add(1),
        );
    }

    /// Notes a refusal, and tells whether another account may be asked. Only refusals that surely
    /// cost nothing are given here.
    pub fn refused(&mut self, refusal: &Refusal, model: &str, now: i64) -> bool {
        match refusal.kind {
            RefusalKind::Unauthenticated => {
                self.parked.get_or_insert(now);
            }
            RefusalKind::InsufficientCredits => {
                let left = refusal
                    .shortfall()
                    .map_or(0, |shortfall| shortfall.available);
                let left = i64::try_from(left).unwrap_or(i64::MAX).saturating_mul(1000);
                self.left = Some((left, now));
                self.short_until = now + SKIPPED_FOR;
            }
            RefusalKind::RateLimited => {
                self.limited_until = self.limited_until.max(limited_until(refusal, now));
            }
            RefusalKind::Forbidden => {
                self.forbidden
                    .retain(|(of, until)| of != model && *until > now);
                self.forbidden.push((model.to_owned(), now + SKIPPED_FOR));
            }
            _ => return false,
        }
        true
    }
}

/// The number of the account that pays for a call. `accounts` are those that the access key
/// permits; `tried` tells which of them have refused the call.
///
/// # Errors
/// Why none can.
pub fn choose<'a>(
    policy: Policy,
    accounts: impl Iterator<Item = (usize, &'a Availability)>,
    tried: impl Fn(usize) -> bool,
    model: &str,
    estimate: i64,
    now: i64,
) -> Result<usize, Unavailable> {
    let mut best: Option<(usize, (u32, i64))> = None;
    let mut reason = Unavailable::None;
    for (number, availability) in accounts {
        if let Some(obstacle) = availability.obstacle(model, estimate, now) {
            reason = worse(reason, obstacle);
            continue;
        }
        if tried(number) {
            reason = worse(reason, availability.refused_for(model, estimate, now));
            continue;
        }
        let left = availability.left.map_or(i64::MAX, |(left, _)| left);
        let rank = match policy {
            Policy::Order => (0, 0),
            Policy::Spread => (
                availability.requests_this_minute(now),
                left.saturating_neg(),
            ),
        };
        if best.is_none_or(|(_, best)| rank < best) {
            best = Some((number, rank));
        }
    }
    best.map(|(number, _)| number).ok_or(reason)
}

/// Why these accounts, which have refused a call, cannot pay for it.
#[must_use]
pub fn why_refused<'a>(
    accounts: impl Iterator<Item = &'a Availability>,
    model: &str,
    estimate: i64,
    now: i64,
) -> Unavailable {
    let reasons = accounts.map(|account| account.refused_for(model, estimate, now));
    reasons.fold(Unavailable::None, worse)
}

/// Until when an account that has refused a call for its rate is passed over.
fn limited_until(refusal: &Refusal, now: i64) -> i64 {
    let asked = refusal.retry_after.map(|wait| {
        let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        wait.clamp(*LIMITED_FOR.start(), *LIMITED_FOR.end())
    });
    now + asked.unwrap_or(MINUTE - now % MINUTE)
}

/// Of two reasons the one to tell: that which ends soonest.
fn worse(one: Unavailable, other: Unavailable) -> Unavailable {
    let rank = |reason: Unavailable| match reason {
        Unavailable::None => 0,
        Unavailable::Parked => 1,
        Unavailable::Forbidden => 2,
        Unavailable::Short => 3,
        Unavailable::Limited(_) => 4,
    };
    match (one, other) {
        (Unavailable::Limited(one), Unavailable::Limited(other)) => {
            Unavailable::Limited(one.min(other))
        }
        _ if rank(other) > rank(one) => other,
        _ => one,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use onemin::Charged;

    use super::*;

    fn pick(
        policy: Policy,
        availabilities: &[Availability],
        estimate: i64,
    ) -> Result<usize, Unavailable> {
        let accounts = availabilities.iter().enumerate();
        choose(policy, accounts, |_| false, "m", estimate, 600_000)
    }

    #[test]
    fn an_account_that_cannot_pay_is_passed_over() {
        let ready = Availability::default();
        let parked = Availability {
            parked: Some(0),
            ..Availability::default()
        };
        let limited = Availability {
            limited_until: 600_001,
            ..Availability::default()
        };
        let earlier = Availability {
            limited_until: 600_500,
            ..Availability::default()
        };
        let short = Availability {
            left: Some((99, 500_000)),
            ..Availability::default()
        };
        let stale = Availability {
            left: Some((99, 0)),
            ..Availability::default()
        };
        let forbidden = Availability {
            forbidden: vec![("m".to_owned(), 700_000)],
            ..Availability::default()
        };
        let table: &[(&[&Availability], Result<usize, Unavailable>)] = &[
            (&[], Err(Unavailable::None)),
            (&[&parked, &ready], Ok(1)),
            (&[&parked], Err(Unavailable::Parked)),
            (
                &[&earlier, &limited, &parked],
                Err(Unavailable::Limited(600_001)),
            ),
            (&[&short, &parked], Err(Unavailable::Short)),
            (&[&short, &stale], Ok(1)),
            (&[&forbidden, &parked], Err(Unavailable::Forbidden)),
        ];
        for (availabilities, expected) in table {
            let availabilities: Vec<Availability> =
                availabilities.iter().map(|s| (*s).clone()).collect();
            assert_eq!(
                pick(Policy::Spread, &availabilities, 100),
                *expected,
                "{availabilities:?}"
            );
        }
    }

    #[test]
    fn accounts_that_have_refused_a_call_say_why() {
        let ready = Availability::default();
        // It has more than the call was estimated to cost, and 1min.ai wanted more still.
        let refused = Availability {
            left: Some((46_000, 590_000)),
            short_until: 1_190_000,
            ..Availability::default()
        };
        let parked = Availability {
            parked: Some(0),
            ..Availability::default()
        };
        let why = |accounts: &[&Availability]| {
            why_refused(accounts.iter().copied(), "m", 10_000, 600_000)
        };
        assert_eq!(why(&[&refused, &parked]), Unavailable::Short);
        assert_eq!(why(&[&parked]), Unavailable::Parked);
        // Its pause was over before the others had refused.
        assert_eq!(why(&[&ready, &refused]), Unavailable::Limited(601_000));
        let tried = |accounts: &[Availability]| {
            let accounts = accounts.iter().enumerate();
            choose(Policy::Spread, accounts, |_| true, "m", 10_000, 600_000)
        };
        assert_eq!(tried(&[refused, parked]), Err(Unavailable::Short));
    }

    #[test]
    fn requests_are_spread_or_go_to_the_first() {
        let busy = Availability {
            minute: (10, 3),
            ..Availability::default()
        };
        let poor = Availability {
            left: Some((1000, 599_000)),
            ..Availability::default()
        };
        let rich = Availability {
            left: Some((9000, 599_000)),
            ..Availability::default()
        };
        let availabilities = [busy, poor, rich];
        assert_eq!(pick(Policy::Spread, &availabilities, 10), Ok(2));
        assert_eq!(pick(Policy::Order, &availabilities, 10), Ok(0));
        assert_eq!(pick(Policy::Order, &availabilities[1..], 5000), Ok(1));
    }

    #[test]
    fn a_refusal_changes_how_an_account_stands() {
        let refused = |kind: RefusalKind, message: &str, wait: Option<u64>| {
            let refusal = Refusal {
                kind,
                status: None,
                code: None,
                message: message.to_owned(),
                retry_after: wait.map(Duration::from_secs),
                fields: Vec::new(),
                retryable: false,
                charged: Charged::No,
                provider_status: None,
            };
            let mut availability = Availability::default();
            let next = availability.refused(&refusal, "m", 90_000);
            (availability, next)
        };
        let (parked, next) = refused(RefusalKind::Unauthenticated, "no", None);
        assert_eq!((parked.parked, next), (Some(90_000), true));
        let short = "requires 4800 credits, but the Test team only has 46 credits";
        let (short, next) = refused(RefusalKind::InsufficientCredits, short, None);
        assert_eq!((short.left, next), (Some((46_000, 90_000)), true));
        let (limited, next) = refused(RefusalKind::RateLimited, "", None);
        assert_eq!((limited.limited_until, next), (120_000, true));
        let (limited, _) = refused(RefusalKind::RateLimited, "", Some(561_600));
        assert_eq!(limited.limited_until, 210_000, "156 hours are not believed");
        let (forbidden, _) = refused(RefusalKind::Forbidden, "", None);
        assert_eq!(forbidden.forbidden, [("m".to_owned(), 690_000)]);
        let (unchanged, next) = refused(RefusalKind::Unavailable, "", None);
        assert_eq!((unchanged, next), (Availability::default(), false));
    }
}
