//! Any prompt: its flags are taken out once, in time that its size warrants.
#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use onemin::images::prompt_flags;

fuzz_target!(|prompt: &str| {
    let since = Instant::now();
    let once = prompt_flags::take(prompt);
    assert!(once.prompt.len() <= prompt.len());
    assert!(since.elapsed() < Duration::from_secs(1));
});
