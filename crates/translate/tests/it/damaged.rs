//! The corpora of calls and of JSON answers, damaged at random: whatever a model makes of them, how
//! the text was cut does not matter, and what ended is JSON. `PROPTEST_CASES` sets how many.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use translate::compose::tags::Tags;
use translate::interpret::json::answer::End;
use translate::interpret::tool_calls::{Options, Quoted};

use super::cases::{folder, pieces};
use super::json_cases::stream;
use super::tool_cases::{Reading, read, tools};

static TEXTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let files = ["tool_cases", "json_cases"].into_iter().flat_map(folder);
    let cases = files.flat_map(|(_, cases)| cases).map(|case| case.text);
    cases.filter(|text| text.len() < 600).collect()
});

/// What is put in where a text is damaged.
const SPLINTERS: [&str; 32] = [
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
        Quoted::default(),
        options,
        cut,
        &pieces,
    )
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
}
