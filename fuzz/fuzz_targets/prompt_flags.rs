//! Any prompt: its flags are taken out once, in time that its size warrants.
#![no_main]

use std::time::Duration;

use cpu_time::ProcessTime;
use libfuzzer_sys::fuzz_target;
use onemin::images::prompt_flags;

fuzz_target!(|prompt: &str| {
    let since = ProcessTime::now();
    let once = prompt_flags::take(prompt);
    assert!(once.prompt.len() <= prompt.len());
    assert!(since.elapsed() < Duration::from_secs(1));
});
