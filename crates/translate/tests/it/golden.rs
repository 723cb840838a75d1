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
use std::time::Duration;

use translate::chat_request::{ChatRequest, Delivery};
use translate::compose::{Wording, compose};
use translate::dialect::{DecodedRequest, Dialect, anthropic, ollama, openai};
use translate::reply::{Completion, Reply, ResponseMeta, Timing, Usage, UsageSource};

use super::cases::cuts;
use answers::{Answer, LOT, Said, answer, borders, conversation, merged, written};
use snapshots::Snapshots;

mod answers;
mod snapshots;
mod turns;

/// Every dialect: the folder of its turns, which also names its files among the replies.
const DIALECTS: &[(&str, Dialect)] = &[
    ("chat", openai::chat::DIALECT),
    ("messages", anthropic::messages::DIALECT),
    ("responses", openai::responses::DIALECT),
    ("completions", openai::completions::DIALECT),
    ("ollama_chat", ollama::chat::DIALECT),
    ("ollama_generate", ollama::generate::DIALECT),
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

fn decoded(dialect: &Dialect, body: &[u8], case: &str) -> DecodedRequest {
    (dialect.decode)(body).unwrap_or_else(|failure| panic!("{case}: {}", failure.message))
}

fn meta() -> ResponseMeta {
    ResponseMeta {
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

const COMPLETION: Completion = Completion {
    usage: USAGE,
    at: 1_700_000_009,
    timing: Timing {
        first: Duration::from_millis(1_500),
        total: Duration::from_secs(9),
    },
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
                    let document = (dialect.failure)(&failure, None);
                    let body: serde_json::Value = serde_json::from_slice(&document.body).unwrap();
                    snapshots.add(
                        &case,
                        "turn.txt",
                        format!("refused with {}\n{body:#}\n", document.status),
                    );
                }
                Ok(DecodedRequest { chat, .. }) => {
                    snapshots.add(&case, "turn.txt", turns::written(&chat));
                    snapshots.add(
                        &case,
                        "prompt.txt",
                        compose(&chat, &Wording::default(), LOT).text,
                    );
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
            let Some(body) = request(name, &answer.chat) else {
                continue;
            };
            // The middle is the same for all: it is enough to cut the text for the first dialect.
            let cut = if events.is_none() {
                cuts
            } else {
                |_: &str| Vec::new()
            };
            let seen = events_of(&decoded(dialect, &body, &case).chat, &answer, cut, &case);
            let first = events.get_or_insert_with(|| seen.clone());
            assert_eq!(*first, seen, "{case}: {name} and another dialect differ");
            snapshots.add(
                &case,
                &format!("{name}.json"),
                whole(dialect, &body, &answer, &case),
            );
            snapshots.add(
                &case,
                &format!("{name}.sse"),
                streamed(dialect, &body, &answer, &case),
            );
        }
        let events =
            events.unwrap_or_else(|| panic!("{case}: no dialect has the turn {}", answer.chat));
        snapshots.add(&case, "events.txt", events);
    }
    snapshots.check();
}

/// What the streams of every dialect that has a place for it must show, by the golden file.
const TABLE: [(&str, &[&str]); 7] = [
    ("plain", &["chat", "messages", "responses", "completions"]),
    ("two_parallel_calls", &["chat", "messages", "responses"]),
    ("json_refused_in_words", &["chat", "messages", "responses"]),
    ("cut", &["chat", "messages", "responses", "completions"]),
    ("length", &["chat", "messages", "responses", "completions"]),
    ("thoughts_asked_for", &["chat", "messages", "responses"]),
    ("web_search_by_a_tool", &["chat", "messages", "responses"]),
];

#[test]
fn every_dialect_has_the_streams_of_the_table() {
    for (case, dialects) in TABLE {
        for dialect in dialects {
            let file = testdata("replies").join(format!("{case}.{dialect}.sse"));
            assert!(file.exists(), "{}", file.display());
        }
    }
}

fn delivered(chat: &ChatRequest, delivery: Delivery) -> ChatRequest {
    ChatRequest {
        delivery,
        ..chat.clone()
    }
}

/// Ways to cut a text.
type Ways = fn(&str) -> Vec<Vec<usize>>;

/// What an answer brings, which is the same however its text is cut; and what it brings to a
/// client that takes it whole, where that differs.
fn events_of(chat: &ChatRequest, answer: &Answer, ways: Ways, case: &str) -> String {
    let [streamed, whole] = [Delivery::Streamed, Delivery::Whole].map(|delivery| {
        let chat = delivered(chat, delivery);
        let texts = answer.texts.iter();
        texts
            .map(|texts| events_at_any_cut(&chat, texts, answer, ways, case))
            .collect::<String>()
    });
    if streamed == whole {
        return streamed;
    }
    format!("streamed\n{streamed}\nwhole\n{whole}")
}

fn events_at_any_cut(
    chat: &ChatRequest,
    texts: &[String],
    answer: &Answer,
    ways: Ways,
    case: &str,
) -> String {
    let expected = written(&merged(chat, texts, &|_| Vec::new(), answer));
    let count = texts.iter().map(|text| ways(text).len()).max();
    for way in 0..count.unwrap_or(0) {
        let cut = |text: &str| ways(text).get(way).cloned().unwrap_or_default();
        let events = written(&merged(chat, texts, &cut, answer));
        assert_eq!(events, expected, "{case} cut the way {way}");
    }
    expected
}

/// The whole answer as a dialect writes it.
fn whole(dialect: &Dialect, body: &[u8], answer: &Answer, case: &str) -> String {
    let DecodedRequest { chat, encoder, .. } = decoded(dialect, body, case);
    let mut replies = vec![Reply::default(); answer.texts.len()];
    let mut json = None;
    for (choice, said) in conversation(&delivered(&chat, Delivery::Whole), answer) {
        match (&said, said.event()) {
            (Said::Failed(failure), _) => {
                json = json.or(Some((dialect.failure)(failure, None).body));
            }
            (_, Some(event)) => replies[choice as usize].collect(event),
            _ => {}
        }
    }
    let json = json.unwrap_or_else(|| encoder.document(&meta(), &replies, COMPLETION));
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    format!("{json:#}\n")
}

/// The stream as a dialect writes it.
fn streamed(dialect: &Dialect, body: &[u8], answer: &Answer, case: &str) -> String {
    let DecodedRequest { chat, encoder, .. } = decoded(dialect, body, case);
    let mut out = Vec::new();
    let mut stream = encoder.stream(meta(), u32::try_from(answer.texts.len()).unwrap());
    stream.open(&mut out);
    let mut failed = false;
    for (choice, said) in conversation(&delivered(&chat, Delivery::Streamed), answer) {
        match (&said, said.event()) {
            _ if failed => {}
            (Said::Failed(failure), _) => {
                stream.fail(failure, &mut out);
                failed = true;
            }
            (_, Some(event)) => stream.event(choice, event, &mut out),
            _ => {}
        }
    }
    if !failed {
        stream.close(COMPLETION, &mut out);
    }
    String::from_utf8(out).unwrap()
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
