//! Any JSON as a schema, and any JSON as a value for it: what is made to fit does fit.
#![no_main]

use std::time::Duration;

use cpu_time::ProcessTime;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use translate::schema::{PatternBudget, Schema};

const TIME_MAX: Duration = Duration::from_secs(5);

fuzz_target!(|text: &str| {
    let since = ProcessTime::now();
    // The schema is the first line, the value the rest.
    let (schema, value) = text.split_once('\n').unwrap_or((text, "null"));
    let (Ok(schema), Ok(value)) = (
        serde_json::from_str::<Value>(schema),
        serde_json::from_str::<Value>(value),
    ) else {
        return;
    };
    if let Ok(compiled) = Schema::compile(&schema, &PatternBudget::default())
        && let Ok(fitted) = compiled.fit(&value)
    {
        assert!(compiled.fits(&fitted));
    }
    assert!(since.elapsed() < TIME_MAX);
});
