//! Golden files: requests and what the model is asked, texts of a model and what clients get.
//!
//! `testdata/turns/<dialect>/<case>.json` is a request; beside it stand the turn it becomes
//! (`.turn.txt`) and the prompt (`.prompt.txt`). `testdata/replies/<case>.txt` is what a model
//! might write; beside it stand the events (`.events.txt`) and, for every dialect that has the
//! turn it answers, the whole answer (`.<dialect>.json`) and the stream (`.<dialect>.sse`).
//!
//! A new case is one file. `UPDATE_GOLDEN=1 cargo test -p translate --test it golden` writes what
//! belongs beside it; read the diff before you commit it.

use std::path::PathBuf;

use translate::compose::{Wording, compose};
use translate::dialect::{Dialect, Request, anthropic, openai};
use translate::failure::{Failure, Kind};
use translate::reply::{Reply, Stamp, Usage, UsageSource};

use super::cases::cuts;
use answers::{Answer, Said, answer, borders, conversation, merged, written};
use snapshots::Snapshots;

mod answers;
mod snapshots;
mod turns;

/// Every dialect: the folder of its turns, which also names its files among the replies.
const DIALECTS: &[(&str, Dialect)] = &[
    ("chat", openai::chat::DIALECT),
    ("messages", anthropic::messages::DIALECT),
];

fn testdata(folder: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(folder)
}

/// The request of a case in a dialect, if it has one.
fn request(dialect: &str, case: &str) -> Option<Vec<u8>> {
    std::fs::read(testdata("turns").join(dialect).join(format!("{case}.json"))).ok()
}

fn decoded(dialect: &Dialect, body: &[u8], case: &str) -> Request {
    (dialect.decode)(body).unwrap_or_else(|failure| panic!("{case}: {}", failure.message))
}

fn stamp() -> Stamp {
    Stamp {
        id: "0123456789abcdef".to_owned(),
        created: 1_700_000_000,
    }
}

const USAGE: Usage = Usage {
    input_tokens: 42,
    output_tokens: 7,
    source: UsageSource::Reported,
    credits: Some(120.0),
};

#[test]
fn requests_become_turns_and_prompts() {
    for (name, dialect) in DIALECTS {
        let folder = testdata("turns").join(name);
        let mut snapshots = Snapshots::new(folder, "json");
        for case in snapshots.cases() {
            let body = request(name, &case).unwrap();
            match (dialect.decode)(&body) {
                Err(failure) => {
                    let document = (dialect.failure)(&failure);
                    let body: serde_json::Value = serde_json::from_slice(&document.body).unwrap();
                    snapshots.add(
                        &case,
                        "turn.txt",
                        format!("refused with {}\n{body:#}\n", document.status),
                    );
                }
                Ok(Request { turn, .. }) => {
                    snapshots.add(&case, "turn.txt", turns::written(&turn));
                    snapshots.add(&case, "prompt.txt", compose(&turn, &Wording::default(), 23).text);
                }
            }
        }
        snapshots.check();
    }
}

#[test]
fn replies_become_events_and_answers_in_every_dialect() {
    let mut snapshots = Snapshots::new(testdata("replies"), "txt");
    for case in snapshots.cases() {
        let file =
            std::fs::read_to_string(testdata("replies").join(format!("{case}.txt"))).unwrap();
        let answer = answer(&file).unwrap_or_else(|why| panic!("{case}: {why}"));
        let mut events = None;
        for (name, dialect) in DIALECTS {
            let Some(body) = request(name, &answer.turn) else {
                continue;
            };
            let seen = events_of(&decoded(dialect, &body, &case), &answer, &case);
            let first = events.get_or_insert_with(|| seen.clone());
            assert_eq!(*first, seen, "{case}: {name} and another dialect differ");
            let [json, sse] = encoded(dialect, &body, &answer, &case);
            snapshots.add(&case, &format!("{name}.json"), json);
            snapshots.add(&case, &format!("{name}.sse"), sse);
        }
        let events =
            events.unwrap_or_else(|| panic!("{case}: no dialect has the turn {}", answer.turn));
        snapshots.add(&case, "events.txt", events);
    }
    snapshots.check();
}

/// The events of each text, which are the same however the text is cut.
fn events_of(request: &Request, answer: &Answer, case: &str) -> String {
    let mut all = String::new();
    for text in &answer.texts {
        let whole = written(&merged(&request.turn, text, &[], answer.end.as_ref()));
        for cuts in cuts(text) {
            let events = written(&merged(&request.turn, text, &cuts, answer.end.as_ref()));
            assert_eq!(events, whole, "{case} cut at {cuts:?}");
        }
        all.push_str(&whole);
    }
    all
}

/// The whole answer and the stream, as a dialect writes them.
fn encoded(dialect: &Dialect, body: &[u8], answer: &Answer, case: &str) -> [String; 2] {
    let request = decoded(dialect, body, case);
    let events = conversation(&request.turn, answer);
    let mut replies = vec![Reply::default(); answer.texts.len()];
    let mut out = Vec::new();
    let choices = u32::try_from(answer.texts.len()).unwrap();
    let whole = request.encoder;
    let mut stream = decoded(dialect, body, case)
        .encoder
        .stream(stamp(), choices);
    stream.open(&mut out);
    for (choice, event) in &events {
        event.with(|event| {
            replies[*choice as usize].collect(event);
            stream.event(*choice, event, &mut out);
        });
    }
    let finished = events
        .iter()
        .filter(|(_, event)| matches!(event, Said::Finished(_)));
    let json = if finished.count() == answer.texts.len() {
        stream.close(USAGE, &mut out);
        whole.document(&stamp(), &replies, USAGE)
    } else {
        let failure = Failure::new(
            Kind::Upstream,
            "1min.ai ended its answer before it was complete.",
        );
        stream.fail(&failure, &mut out);
        (dialect.failure)(&failure).body
    };
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    [format!("{json:#}\n"), String::from_utf8(out).unwrap()]
}

#[test]
fn every_folder_of_turns_is_a_dialect() {
    for entry in std::fs::read_dir(testdata("turns")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            DIALECTS.iter().any(|(dialect, _)| *dialect == name),
            "{name} is no dialect"
        );
    }
}

#[test]
fn a_stream_is_cut_where_pieces_of_text_end() {
    assert_eq!(borders("0123456789abcdef"), [12]);
    assert!(borders("short").is_empty());
}
