//! Any bytes as the request of any dialect: decoded, planned and composed without a panic, in time
//! that its size warrants.
#![no_main]

use std::time::Duration;

use cpu_time::ProcessTime;
use libfuzzer_sys::fuzz_target;
use translate::compose::{Wording, compose};
use translate::dialect::Dialect;
use translate::dialect::anthropic::messages;
use translate::dialect::ollama;
use translate::dialect::openai::{chat, completions, responses};
use translate::plan::{CodeSupport, ModelCapabilities, PlanSettings, plan};

const DIALECTS: [Dialect; 6] = [
    chat::DIALECT,
    completions::DIALECT,
    responses::DIALECT,
    messages::DIALECT,
    ollama::chat::DIALECT,
    ollama::generate::DIALECT,
];

/// What no request of the fuzzer's sizes may take, on any machine.
const TIME_MAX: Duration = Duration::from_secs(2);

fuzz_target!(|bytes: &[u8]| {
    let since = ProcessTime::now();
    for dialect in DIALECTS {
        let decoded = match (dialect.decode)(bytes) {
            Ok(decoded) => decoded,
            Err(failure) => {
                assert!(failure.message.chars().count() <= 2001);
                continue;
            }
        };
        let able = ModelCapabilities {
            vision: true,
            code: CodeSupport::Also,
        };
        let policy = PlanSettings {
            max_choices: 4,
            strict: false,
            call_corrections: 1,
            json_corrections: 1,
        };
        if plan(&decoded.chat, able, policy, dialect.fields).is_ok() {
            let _prompt = compose(&decoded.chat, &Wording::default(), 7);
        }
    }
    assert!(since.elapsed() < TIME_MAX);
});
