//! Where counters are kept. One trait, one adapter a service; replicas that share a service share
//! their counts.

pub mod counters;
