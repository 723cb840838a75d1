//! Stores as they are in service: against real memcached and Redis that die, hang and come back,
//! and through the URLs that use them.

mod conformance;
mod counters;
mod service;
