//! The corpora of calls and of JSON answers, damaged at random: whatever a model makes of them, how
//! the text was cut does not matter, and what ended is JSON. `PROPTEST_CASES` sets how many.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use translate::chat_request::{
    ChatRequest, Delivery, OutputFormat, OutputLimits, ToolChoice, Tools,
};
use translate::interpret::json::answer::End;
use translate::interpret::tool_calls::{Options, PromptEcho};
use translate::interpret::{Attempt, Ending, Flow, Interpreter};
use translate::reply::{Finish, Reply};
use translate::tags::Tags;

use super::cases::{folder, pieces};
use super::json_cases::stream;
use super::tool_cases::{Reading, read, tools};

static TEXTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let files = ["tool_cases", "json_cases"].into_iter().flat_map(folder);
    let cases = files.flat_map(|(_, cases)| cases).map(|case| case.text);
    cases.filter(|text| text.len() < 600).collect()
});

/// What is put in where a text is damaged.
const SPLINTERS: [&str; 38] = [
    "<tool_call>",
    "</tool_call>",
    "\n",
    "```",
    "```json\n",
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "`",
    "<",
    "</",
    ">",
    "“",
    "”",
    "//x\n",
    "/*",
    "é",
    "<|",
    "|>",
    "name",
    "arguments",
    "'",
    " ",
    "[TOOL_CALLS]",
    "<!--",
    "Action: get_time\n",
    "</assistant>",
    "<assistant>\n",
    "<think>",
    "</think>",
    "<tool_result>",
    "STOP",
    "\n\n",
];

#[derive(Debug, Clone)]
enum Damage {
    Lost(Index, usize),
    Added(Index, usize),
    Twice(Index, usize),
    Mixed(Index, Index, Index, usize),
    Cut(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    prop_oneof![
        (at(), 1..30_usize).prop_map(|(at, length)| Damage::Lost(at, length)),
        (at(), 0..SPLINTERS.len()).prop_map(|(at, which)| Damage::Added(at, which)),
        (at(), 1..30_usize).prop_map(|(at, length)| Damage::Twice(at, length)),
        (at(), at(), at(), 1..80_usize)
            .prop_map(|(a, b, c, length)| Damage::Mixed(a, b, c, length)),
        at().prop_map(Damage::Cut),
    ]
}

fn border(text: &str, at: Index) -> usize {
    text.floor_char_boundary(at.index(text.len() + 1))
}

fn part(text: &str, at: usize, length: usize) -> &str {
    &text[at..text.floor_char_boundary(at + length)]
}

fn damaged(mut text: String, damage: &[Damage]) -> String {
    for damage in damage {
        match *damage {
            Damage::Lost(at, length) => {
                let at = border(&text, at);
                let end = at + part(&text, at, length).len();
                text.replace_range(at..end, "");
            }
            Damage::Added(at, which) => text.insert_str(border(&text, at), SPLINTERS[which]),
            Damage::Twice(at, length) => {
                let at = border(&text, at);
                let again = part(&text, at, length).to_owned();
                text.insert_str(at, &again);
            }
            Damage::Mixed(at, other, from, length) => {
                let other = &TEXTS[other.index(TEXTS.len())];
                let piece = part(other, border(other, from), length);
                text.insert_str(border(&text, at), piece);
            }
            Damage::Cut(at) => text.truncate(border(&text, at)),
        }
    }
    text
}

fn reading(text: &str, options: Options, cut: bool, cuts: &[usize]) -> Reading {
    let pieces = pieces(text, cuts);
    read(
        &tools(),
        Tags::default(),
        PromptEcho::default(),
        options,
        cut,
        &pieces,
    )
}

/// A turn of one of the kinds that change how an answer is read. Limits stand without tools here:
/// what came behind a limit, and in the same piece, may still count as a call or not.
fn chat(kind: u8) -> ChatRequest {
    let is = |bit: u8| kind & bit != 0;
    ChatRequest {
        model: "m".to_owned(),
        choices: 1,
        delivery: if is(1) {
            Delivery::Whole
        } else {
            Delivery::Streamed
        },
        tools: if is(2) {
            Tools {
                choice: if is(4) {
                    ToolChoice::Named("get_weather".to_owned())
                } else {
                    ToolChoice::Auto
                },
                ..tools()
            }
        } else {
            Tools::default()
        },
        output: if is(8) {
            OutputFormat::Json
        } else {
            OutputFormat::Text
        },
        limits: OutputLimits {
            max_tokens: (is(16) && !is(2)).then_some(20),
            stop: if is(32) && !is(2) {
                vec!["STOP".to_owned(), "\n\n\n".to_owned()]
            } else {
                Vec::new()
            },
        },
        ..ChatRequest::default()
    }
}

/// What the client is given of an answer, and what it comes to.
fn answer(chat: &ChatRequest, left: u32, pieces: &[&str]) -> (Reply, Ending) {
    let attempt = Attempt {
        left,
        ..Attempt::default()
    };
    let mut interpreter = Interpreter::new(chat, Some(Tags::default()), attempt);
    let mut reply = Reply::default();
    for piece in pieces {
        if interpreter.push(piece, &mut |event| reply.collect(event)) == Flow::Stop {
            break;
        }
    }
    let ending = interpreter.end(&Finish::Stop, &mut |event| reply.collect(event));
    (reply, ending)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_call_reads_the_same_however_it_is_cut(
        which in any::<Index>(),
        damage in proptest::collection::vec(damage(), 1..5),
        at in any::<Index>(),
        hold in any::<bool>(),
        cut in any::<bool>(),
    ) {
        let text = damaged(TEXTS[which.index(TEXTS.len())].clone(), &damage);
        let options = Options { hold, last: false };
        let whole = reading(&text, options, cut, &[]);
        let borders: Vec<usize> = text.char_indices().skip(1).map(|(at, _)| at).collect();
        prop_assert_eq!(&reading(&text, options, cut, &borders), &whole, "{:?} by characters", &text);
        if !borders.is_empty() {
            let at = borders[at.index(borders.len())];
            prop_assert_eq!(&reading(&text, options, cut, &[at]), &whole, "{:?} at {}", &text, at);
        }
    }

    #[test]
    fn a_damaged_answer_streams_the_same_however_it_is_cut(
        which in any::<Index>(),
        damage in proptest::collection::vec(damage(), 1..5),
        at in any::<Index>(),
        cut in any::<bool>(),
    ) {
        let text = damaged(TEXTS[which.index(TEXTS.len())].clone(), &damage);
        let whole = stream(&[&text], cut);
        if whole.1 == End::Complete {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&whole.0).is_ok(), "{:?}", &whole.0);
        }
        let borders: Vec<usize> = text.char_indices().skip(1).map(|(at, _)| at).collect();
        prop_assert_eq!(&stream(&pieces(&text, &borders), cut), &whole, "{:?} by characters", &text);
        if !borders.is_empty() {
            let at = borders[at.index(borders.len())];
            prop_assert_eq!(&stream(&pieces(&text, &[at]), cut), &whole, "{:?} at {}", &text, at);
        }
    }

    #[test]
    fn a_damaged_answer_means_the_same_however_it_is_cut(
        which in any::<Index>(),
        damage in proptest::collection::vec(damage(), 1..5),
        at in any::<Index>(),
        kind in 0..64_u8,
        left in 0..2_u32,
    ) {
        let text = damaged(TEXTS[which.index(TEXTS.len())].clone(), &damage);
        let chat = chat(kind);
        let whole = answer(&chat, left, &[&text]);
        let borders: Vec<usize> = text.char_indices().skip(1).map(|(at, _)| at).collect();
        let chars = answer(&chat, left, &pieces(&text, &borders));
        prop_assert_eq!(&chars, &whole, "{} {:?} by characters", kind, &text);
        if !borders.is_empty() {
            let at = borders[at.index(borders.len())];
            let halves = answer(&chat, left, &pieces(&text, &[at]));
            prop_assert_eq!(&halves, &whole, "{} {:?} at {}", kind, &text, at);
        }
    }
}
