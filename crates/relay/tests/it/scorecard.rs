//! `probe --models` against scripted models, whose scores are known.

use serde_json::{Value, json};
use simulator::Simulator;

const MODEL: &str = "gpt-4o-mini";

/// The tasks, each by words that stand in its prompt alone (or before those that contain them), and
/// what a good model does.
fn good() -> Vec<(&'static str, &'static str, Value)> {
    let call = |name: &str, arguments: Value| json!({"calls": [{"call": name, "with": arguments}]});
    let city = |city: &str| call("get_weather", json!({"city": city}));
    let poem = "\"Roses\" are 'red',\n\n```\nif (a < b && c > d) { print(\"{}\\n\"); }\n```\n<end>";
    let attendees = json!([{"name": "Ann", "email": "ann@example.org"},
        {"name": "Bob", "email": "bob@example.org"}]);
    let both = json!({"calls": [{"call": "get_weather", "with": {"city": "Paris"}},
        {"call": "get_weather", "with": {"city": "Rome"}}]});
    vec![
        ("one-call", "in Paris? Use the tool", city("Paris")),
        ("two-calls", "Ask for both at once", both),
        ("one-at-a-time", "Compare the weather", city("Paris")),
        ("no-call-needed", "Which planet", json!({"text": "Jupiter"})),
        (
            "calls-forbidden",
            "capital of France",
            json!({"text": "Paris"}),
        ),
        ("call-required", "going to Oslo", city("Oslo")),
        (
            "tool-forced",
            "Two and forty",
            call("add", json!({"a": 2, "b": 40})),
        ),
        ("no-arguments", "What time is it", call("now", json!({}))),
        (
            "numbers",
            "-1.5 and 2000",
            call("add", json!({"a": -1.5, "b": 2000})),
        ),
        (
            "long-argument",
            "lines of dashes",
            call("write_file", json!({"path": "poem.txt", "content": poem})),
        ),
        (
            "escapes",
            "x.bat",
            call(
                "write_file",
                json!({"path": "C:\\tmp\\x.bat", "content": "say \"C:\\new\\table\""}),
            ),
        ),
        (
            "result-used",
            "\"celsius\":17",
            json!({"text": "It is 17 °C and rains."}),
        ),
        ("error-used", "Paname", city("Paname")),
        (
            "nested-arguments",
            "Plan the event",
            call(
                "create_event",
                json!({"title": "Review",
            "when": {"date": "2026-12-01", "time": "09:30"}, "attendees": attendees}),
            ),
        ),
        (
            "enumeration",
            "server is down",
            call(
                "send_message",
                json!({"to": ["ann", "bob"], "text": "It is down.", "priority": "high"}),
            ),
        ),
        (
            "strict-tool",
            "lunch is ready",
            call(
                "send_message",
                json!({"to": ["ann"], "text": "Lunch.", "priority": "low"}),
            ),
        ),
        ("one-of-many-tools", "weather in Lima", city("Lima")),
        (
            "first-of-two-steps",
            "file about taxes",
            call("search_files", json!({"words": "taxes"})),
        ),
        (
            "strict-schema",
            "Describe Paris",
            json!({"json": {"name": "Paris", "country": "France", "capital": true}}),
        ),
        (
            "json-object",
            "primes below 10",
            json!({"json": {"primes": [2, 3, 5, 7]}}),
        ),
        ("long-conversation", "where I live?", city("Lisbon")),
        ("german", "Zürich", city("Zürich")),
        ("japanese", "東京", city("東京")),
    ]
}

/// Queues what a model of a family answers, as often as it is asked.
fn script(simulator: &Simulator, family: &str, when: &str, step: &Value) {
    // The step is counted from the rounds of calls that stand in the prompt.
    let steps = json!([step, step]);
    let directive = json!({"when": when, "times": 0, "model": {"family": family, "steps": steps}});
    simulator.script(directive).unwrap();
}

/// Runs the command; gives its text and its report.
fn probe(simulator: &Simulator, name: &str, spend: &str) -> (String, Value) {
    let report = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("scores-{name}"));
    let mut command = crate::rig::command();
    command
        .args(["probe", "--models", MODEL, "--spend", spend, "--report"])
        .arg(&report)
        .env("ONEMIN_BASE_URL", simulator.url())
        .env("ONEMIN_ASSET_URL", simulator.url())
        .env("ONEMIN_API_KEY", "key-of-probe");
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{text} {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let written = std::fs::read(&report).unwrap();
    (text, serde_json::from_slice(&written).unwrap())
}

/// The tasks of a style and a mode that have not this score.
fn others(report: &Value, style: &str, streamed: bool, score: &str) -> Vec<(String, String)> {
    let styles = report["models"][0]["styles"].as_array().unwrap();
    let card = styles.iter().find(|card| card["style"] == style).unwrap();
    let tasks = card["tasks"].as_array().unwrap().iter();
    let tasks = tasks.filter(|task| task["streamed"] == streamed && task["score"] != score);
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    tasks
        .map(|task| (word(&task["task"]), word(&task["score"])))
        .collect()
}

#[test]
fn a_good_model_of_any_family_does_all_tasks() {
    for family in ["asked", "hermes", "claude", "qwen-coder"] {
        let simulator = Simulator::start(simulator::Options::default()).unwrap();
        for (_, when, step) in good() {
            script(&simulator, family, when, &step);
        }
        let (text, report) = probe(&simulator, family, "10000000");
        for style in ["signatures", "json-schema"] {
            for streamed in [false, true] {
                let wrong = others(&report, style, streamed, "right");
                assert!(
                    wrong.is_empty(),
                    "{family} {style} {streamed}: {wrong:?}\n{text}"
                );
            }
        }
        // Signatures take fewer tokens.
        assert_eq!(
            report["models"][0]["better"], "signatures",
            "{family}\n{text}"
        );
        assert!(
            text.contains("--tool-style gpt-4o-mini=signatures"),
            "{text}"
        );
        let charged: u64 = simulator
            .charges()
            .iter()
            .map(|charge| charge.credits)
            .sum();
        assert_eq!(report["credits"], charged, "{family}");
        let written = report.to_string();
        assert!(
            !written.contains("key-of-probe") && !written.contains("Roses"),
            "{written}"
        );
    }
}

#[test]
fn what_a_model_does_wrong_is_scored_as_such() {
    let simulator = Simulator::start(simulator::Options::default()).unwrap();
    // Only where tools are described by their schemas does this stand in the prompt.
    let lost = json!({"text": "I have too many tools."});
    script(&simulator, "asked", "\"name\":\"update_record_1\"", &lost);
    for (task, when, step) in good() {
        let step = match task {
            "numbers" => json!({"calls": [{"call": "add", "with": {"a": 1.5, "b": 2000}}]}),
            "enumeration" => json!({"text": "The \"arguments\" are ann and bob."}),
            "strict-schema" => json!({"json": {"name": 5}, "corrected": step}),
            _ => step,
        };
        script(&simulator, "asked", when, &step);
    }
    let (text, report) = probe(&simulator, "wrong", "10000000");
    let known = [
        ("numbers", "wrong"),
        ("enumeration", "leaked"),
        ("strict-schema", "corrected"),
    ];
    let mut known: Vec<(String, String)> = known
        .iter()
        .map(|(task, score)| ((*task).to_owned(), (*score).to_owned()))
        .collect();
    for streamed in [false, true] {
        assert_eq!(
            others(&report, "signatures", streamed, "right"),
            known,
            "{text}"
        );
    }
    known.insert(2, ("one-of-many-tools".to_owned(), "wrong".to_owned()));
    for streamed in [false, true] {
        assert_eq!(
            others(&report, "json-schema", streamed, "right"),
            known,
            "{text}"
        );
    }
    assert_eq!(report["models"][0]["better"], "signatures");
    assert!(text.contains("numbers wrong"), "{text}");
}

#[test]
fn not_more_is_spent_than_permitted_and_what_was_refused_is_no_score() {
    let simulator = Simulator::start(simulator::Options::default()).unwrap();
    let (text, report) = probe(&simulator, "cut", "2000");
    let charged: u64 = simulator
        .charges()
        .iter()
        .map(|charge| charge.credits)
        .sum();
    assert!(charged > 0 && charged <= 2500, "{charged}");
    assert!(text.contains("--spend was not enough"), "{text}");
    assert_eq!(report["models"][0]["better"], Value::Null);

    let simulator = Simulator::start(simulator::Options::default()).unwrap();
    simulator
        .set_faults(json!({"fault": "rate-limited", "times": 0}))
        .unwrap();
    let (text, report) = probe(&simulator, "refused", "10000000");
    assert!(
        others(&report, "signatures", false, "unanswered").is_empty(),
        "{text}"
    );
    assert!(!text.contains("--tool-style"), "{text}");
}
