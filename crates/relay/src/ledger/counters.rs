//! Budgets in memory, for a relay that is one process: what was spent and what is held, by scope
//! and period. No I/O, no clock. Amounts are thousandths of a credit.

use std::collections::HashMap;
use std::sync::Arc;

use super::period::{Per, Periods};
use crate::access::keys::Budget;

/// The scope of the whole relay; other scopes are ids of access keys.
pub const RELAY: &str = "*";

/// In which scopes a call counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scopes {
    /// Whether callers who pay with a key of 1min.ai's own count in the budgets of the whole relay.
    pub own_keys_count: bool,
}

impl Scopes {
    /// The scopes of a call; the id of its access key is empty without one.
    pub fn of(self, key_id: &str) -> impl Iterator<Item = &str> {
        let is_relays = self.own_keys_count || !key_id.is_empty();
        let scopes = [key_id, if is_relays { RELAY } else { "" }];
        scopes.into_iter().filter(|scope| !scope.is_empty())
    }
}

/// What was spent in a period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counter {
    /// What calls that are over have cost.
    pub settled: i64,
    /// What calls under way are estimated to cost.
    pub held: i64,
    /// What a reset has taken off.
    pub forgiven: i64,
}

impl Counter {
    /// What counts against a budget, besides what is held.
    #[must_use]
    pub fn used(&self) -> i64 {
        // What was booked before a reset may be found to have cost less afterwards.
        (self.settled - self.forgiven).max(0)
    }

    /// Whether a call may begin. A call of chat may also begin if nothing is held and something is
    /// left: else a small budget could never be used up.
    #[must_use]
    pub fn admits(&self, limit: i64, estimate: i64, kind: CallKind) -> bool {
        let fits = self.used() + self.held + estimate <= limit && self.used() < limit;
        fits || kind == CallKind::Chat && self.held == 0 && self.used() < limit
    }
}

/// Whether the cost of a call is known before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// It depends on what the model says.
    Chat,
    /// It depends on the request's parameters.
    Media,
}

/// A budget that a call does not fit into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exceeded {
    /// Whose it is.
    pub scope: String,
    /// Its period.
    pub per: Per,
    /// What it allows.
    pub limit: i64,
    /// What was spent.
    pub counter: Counter,
    /// What the call would have cost.
    pub needed: i64,
    /// When the period ends, in milliseconds since 1970.
    pub resets_at: Option<i64>,
}

/// Whether an estimate fits into all budgets of a scope; the counters are in the order of [`Per::ALL`].
///
/// # Errors
/// The first budget that it does not fit into.
pub fn fits(
    periods: &Periods,
    (scope, budgets): (&str, &[Budget]),
    counters: &[Counter; 4],
    estimate: i64,
    kind: CallKind,
) -> Result<(), Exceeded> {
    for budget in budgets {
        let counter = counters.get(budget.per.index()).copied();
        let counter = counter.unwrap_or_default();
        if !counter.admits(budget.credits, estimate, kind) {
            return Err(Exceeded {
                scope: scope.to_owned(),
                per: budget.per,
                limit: budget.credits,
                counter,
                needed: estimate,
                resets_at: periods.end(budget.per),
            });
        }
    }
    Ok(())
}

/// What is left of the tightest of these budgets of a scope, if there are any; the counters are in the
/// order of [`Per::ALL`].
#[must_use]
pub fn left(budgets: &[Budget], counters: &[Counter; 4]) -> Option<i64> {
    let left = budgets.iter().filter_map(|budget| {
        let counter = counters.get(budget.per.index())?;
        Some((budget.credits - counter.used() - counter.held).max(0))
    });
    left.min()
}

/// All counters of a process.
#[derive(Debug, Default)]
pub struct Counters {
    scopes: Vec<(String, Scope)>,
    places: HashMap<String, usize>,
    /// The scope that was asked for last: a call asks for the same several times.
    recent: usize,
}

#[derive(Debug)]
struct Scope {
    periods: Arc<Periods>,
    now: [Counter; 4],
    /// Those of periods that are over, while calls of them are under way.
    earlier: Vec<(String, Counter)>,
}

impl Counters {
    /// Adds what is known of a period from the database to what has come since.
    pub fn load(&mut self, periods: &Arc<Periods>, scope: &str, period: &str, counter: Counter) {
        let scope = self.scope(periods, scope);
        if let Some(known) = scope.counter(period) {
            known.settled += counter.settled;
            known.forgiven += counter.forgiven;
        }
    }

    /// Holds an estimate in every scope, if it fits into all budgets.
    ///
    /// # Errors
    /// The first budget that it does not fit into; nothing is held.
    pub fn reserve(
        &mut self,
        periods: &Arc<Periods>,
        scopes: &[(&str, &[Budget])],
        estimate: i64,
        kind: CallKind,
    ) -> Result<(), Exceeded> {
        self.check(periods, scopes, estimate, kind)?;
        for (name, _) in scopes {
            self.add(periods, name, 0, estimate);
        }
        Ok(())
    }

    /// Whether an estimate fits into all budgets of these scopes.
    ///
    /// # Errors
    /// The first budget that it does not fit into.
    pub fn check(
        &mut self,
        periods: &Arc<Periods>,
        scopes: &[(&str, &[Budget])],
        estimate: i64,
        kind: CallKind,
    ) -> Result<(), Exceeded> {
        for (name, budgets) in scopes {
            let counters = self.scope(periods, name).now;
            fits(periods, (name, budgets), &counters, estimate, kind)?;
        }
        Ok(())
    }

    /// Books `credits` and gives `held` back, in the periods in which the call began.
    pub fn settle<'s>(
        &mut self,
        periods: &Arc<Periods>,
        scopes: impl IntoIterator<Item = &'s str>,
        held: i64,
        credits: i64,
    ) {
        for name in scopes {
            self.add(periods, name, credits, -held);
        }
    }

    /// Takes what was spent in a period off its budget.
    pub fn forgive(&mut self, periods: &Arc<Periods>, scope: &str, per: Per, forgiven: i64) {
        let scope = self.scope(periods, scope);
        if let Some(counter) = scope.counter(periods.name(per)) {
            counter.forgiven = forgiven;
        }
    }

    /// How a scope stands now, in the order of [`Per::ALL`].
    #[must_use]
    pub fn counters_of(&mut self, periods: &Arc<Periods>, scope: &str) -> [Counter; 4] {
        self.scope(periods, scope).now
    }

    fn add(&mut self, periods: &Arc<Periods>, scope: &str, settled: i64, held: i64) {
        let scope = self.scope(periods, scope);
        let apply = |counter: &mut Counter| {
            counter.settled += settled;
            counter.held += held;
        };
        if Arc::ptr_eq(&scope.periods, periods) {
            scope.now.iter_mut().for_each(apply);
            return;
        }
        for name in &periods.names {
            if let Some(counter) = scope.counter(name) {
                apply(counter);
            }
        }
    }

    /// What is left of the tightest of these budgets of a scope, if there are any.
    #[must_use]
    pub fn left(&mut self, periods: &Arc<Periods>, scope: &str, budgets: &[Budget]) -> Option<i64> {
        if budgets.is_empty() {
            return None;
        }
        let counters = self.scope(periods, scope).now;
        left(budgets, &counters)
    }

    /// The counters of a scope, turned to these periods if they are later than those it has.
    fn scope(&mut self, periods: &Arc<Periods>, name: &str) -> &mut Scope {
        let place = self.place(periods, name);
        #[expect(clippy::indexing_slicing, reason = "scopes are never removed")]
        let (_, scope) = &mut self.scopes[place];
        if !Arc::ptr_eq(&scope.periods, periods) {
            scope.turn(periods);
        }
        scope
    }

    fn place(&mut self, periods: &Arc<Periods>, name: &str) -> usize {
        // The first is that of the whole relay.
        for place in [0, self.recent] {
            if self
                .scopes
                .get(place)
                .is_some_and(|(known, _)| known == name)
            {
                return place;
            }
        }
        if self.scopes.is_empty() && name != RELAY {
            self.place(periods, RELAY);
        }
        let next = self.scopes.len();
        let place = self.places.get(name).copied().unwrap_or(next);
        if place == next {
            let scope = Scope {
                periods: periods.clone(),
                now: Default::default(),
                earlier: Vec::new(),
            };
            self.scopes.push((name.to_owned(), scope));
            self.places.insert(name.to_owned(), place);
        }
        if place > 0 {
            self.recent = place;
        }
        place
    }
}

impl Scope {
    fn turn(&mut self, periods: &Arc<Periods>) {
        let later = periods.end(Per::Day) > self.periods.end(Per::Day);
        if !later {
            return;
        }
        let names = self.periods.names.iter().zip(&periods.names);
        for (counter, (before, now)) in self.now.iter_mut().zip(names) {
            if before != now {
                let over = std::mem::take(counter);
                self.earlier.push((before.clone(), over));
            }
        }
        // What has ended and waits for no call is in the database.
        self.earlier.retain(|(_, counter)| counter.held != 0);
        self.periods = periods.clone();
    }

    fn counter(&mut self, name: &str) -> Option<&mut Counter> {
        let place = self.periods.names.iter().position(|known| known == name);
        if let Some(place) = place {
            return self.now.get_mut(place);
        }
        let earlier = self.earlier.iter_mut().find(|(known, _)| known == name);
        earlier.map(|(_, counter)| counter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::period::Calendar;

    const DAY: i64 = 24 * 60 * 60 * 1000;

    fn budget(per: Per, credits: i64) -> Budget {
        Budget { per, credits }
    }

    #[test]
    fn a_call_fits_into_all_budgets_or_holds_nothing() {
        let calendar = Calendar::of_zone("UTC").unwrap();
        let periods = calendar.at(DAY * 20_000);
        let mut counters = Counters::default();
        let key = [budget(Per::Day, 100), budget(Per::Total, 150)];
        let relay = [budget(Per::Month, 1000)];
        let scopes: [(&str, &[Budget]); 2] = [("k", &key), (RELAY, &relay)];
        counters
            .reserve(&periods, &scopes, 60, CallKind::Media)
            .unwrap();
        let refused = counters.reserve(&periods, &scopes, 60, CallKind::Media);
        let refused = refused.unwrap_err();
        assert_eq!(
            (refused.per, refused.limit, refused.counter.held),
            (Per::Day, 100, 60)
        );
        counters
            .reserve(&periods, &scopes, 40, CallKind::Media)
            .unwrap();
        counters.settle(&periods, ["k", RELAY], 60, 10);
        counters.settle(&periods, ["k", RELAY], 40, 90);
        let counts = counters.counters_of(&periods, "k");
        assert!(counts.iter().all(|c| (c.settled, c.held) == (100, 0)));
        let refused = counters.reserve(&periods, &scopes, 0, CallKind::Chat);
        assert!(refused.is_err(), "nothing is left");
        // The next day.
        let tomorrow = calendar.at(DAY * 20_001);
        counters
            .reserve(&tomorrow, &scopes, 50, CallKind::Media)
            .unwrap();
        let refused = counters.reserve(&tomorrow, &scopes, 50, CallKind::Media);
        assert_eq!(refused.unwrap_err().per, Per::Total);
    }

    #[test]
    fn one_chat_may_use_up_what_is_left() {
        let periods = Calendar::of_zone("UTC").unwrap().at(0);
        let mut counters = Counters::default();
        let key = [budget(Per::Day, 100)];
        let scopes: [(&str, &[Budget]); 1] = [("k", &key)];
        counters
            .reserve(&periods, &scopes, 5000, CallKind::Chat)
            .unwrap();
        assert!(
            counters
                .reserve(&periods, &scopes, 5000, CallKind::Chat)
                .is_err()
        );
        counters.settle(&periods, ["k"], 5000, 99);
        assert!(
            counters
                .reserve(&periods, &scopes, 5000, CallKind::Media)
                .is_err()
        );
        counters
            .reserve(&periods, &scopes, 5000, CallKind::Chat)
            .unwrap();
    }

    #[test]
    fn a_call_counts_in_the_period_in_which_it_began() {
        let calendar = Calendar::of_zone("UTC").unwrap();
        let (today, tomorrow) = (calendar.at(DAY * 20_000), calendar.at(DAY * 20_001));
        let mut counters = Counters::default();
        let scopes: [(&str, &[Budget]); 1] = [("k", &[])];
        counters
            .reserve(&today, &scopes, 10, CallKind::Chat)
            .unwrap();
        counters
            .reserve(&tomorrow, &scopes, 10, CallKind::Chat)
            .unwrap();
        counters.settle(&today, ["k"], 10, 7);
        let counts = counters.counters_of(&tomorrow, "k");
        assert_eq!((counts[0].settled, counts[0].held), (0, 10));
        assert_eq!((counts[3].settled, counts[3].held), (7, 10));
        counters.settle(&tomorrow, ["k"], 10, 5);
        let counts = counters.counters_of(&tomorrow, "k");
        assert_eq!((counts[0].settled, counts[3].settled), (5, 12));
    }
}
