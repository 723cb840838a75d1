//! The corpus of tool calls: each case whole and in pieces, with a scorecard per dialect.

use serde_json::Value;
use translate::chat_request::{Tool, ToolChoice, ToolInput, Tools};
use translate::interpret::Flow;
use translate::interpret::tool_calls::callable_tools::CallableTools;
use translate::interpret::tool_calls::{Options, Outcome, PromptEcho, Reader};
use translate::reply::{Event, Reply};
use translate::tags::Tags;

use super::cases::{Case, cuts, folder, pieces};

/// The tools that the cases declare.
pub(crate) fn tools() -> Tools {
    let file = include_str!("../../testdata/tool_cases/tools.json");
    let list: Vec<Value> = serde_json::from_str(file).unwrap();
    let tool = |tool: &Value| Tool {
        name: tool["name"].as_str().unwrap().to_owned(),
        description: tool["description"].as_str().map(str::to_owned),
        input: ToolInput::Json(tool["parameters"].clone().into()),
        strict: tool["strict"] == true,
    };
    let mut offered: Vec<Tool> = list.iter().map(tool).collect();
    offered.push(Tool {
        name: "apply_patch".to_owned(),
        description: None,
        input: ToolInput::Text,
        strict: false,
    });
    Tools {
        offered,
        ..Tools::default()
    }
}

/// What one reading of a case gave.
#[derive(Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) reply: Reply,
    pub(crate) outcome: Outcome,
    pub(crate) stopped: bool,
}

/// Reads pieces, and checks that the events keep their promises.
pub(crate) fn read(
    tools: &Tools,
    tags: Tags,
    quoted: PromptEcho,
    options: Options,
    cut: bool,
    pieces: &[&str],
) -> Reading {
    let mut reply = Reply::default();
    let mut open: Option<usize> = None;
    let mut started = 0;
    let mut ended = Vec::new();
    let mut take = |event: Event<'_>| {
        match event {
            Event::CallStarted { index, .. } => {
                assert_eq!(index, started, "calls are numbered in order");
                open = Some(index);
                started += 1;
            }
            Event::CallArguments { index, json } => {
                assert_eq!(open, Some(index), "arguments belong to the open call");
                assert!(!json.is_empty());
            }
            Event::CallEnded { index } => {
                assert_eq!(open.take(), Some(index));
                ended.push(index);
            }
            Event::Text(text) => assert!(!text.is_empty()),
            _ => {}
        }
        reply.collect(event);
    };
    let mut reader = Reader::new(tools, tags, quoted, options);
    let mut stopped = false;
    for piece in pieces {
        if reader.push(piece, &mut take) == Flow::Stop {
            stopped = true;
            break;
        }
    }
    let outcome = reader.end(cut, &mut take);
    for index in &ended {
        let arguments = &reply.calls[*index].arguments;
        let value: Value =
            serde_json::from_str(arguments).unwrap_or_else(|e| panic!("{arguments}: {e}"));
        assert!(value.is_object(), "{arguments}");
    }
    assert_eq!(outcome.calls, ended.len());
    Reading {
        reply,
        outcome,
        stopped,
    }
}

fn conditions(case: &Case) -> (Tools, Tags, PromptEcho, Options) {
    let mut tools = tools();
    if case.is("no-tools") {
        tools.offered.clear();
    }
    tools.one_at_a_time = case.is("one");
    match case.get("choice") {
        Some("none") => tools.choice = ToolChoice::None,
        Some("required") => tools.choice = ToolChoice::Required,
        Some(name) => tools.choice = ToolChoice::Named(name.to_owned()),
        None => {}
    }
    let requests: Vec<String> = case
        .all("request")
        .iter()
        .map(|r| serde_json::from_str(r).unwrap())
        .collect();
    let texts: Vec<&str> = requests.iter().map(String::as_str).collect();
    let tags = Tags::choose(texts.iter().copied());
    let quoted = PromptEcho::among(&CallableTools::new(&tools), &texts);
    (
        tools,
        tags,
        quoted,
        Options {
            hold: case.is("hold"),
            last: case.is("last"),
        },
    )
}

/// What is wrong with a reading, if anything.
fn judge(case: &Case, reading: &Reading) -> Result<(), String> {
    // A broken call is void, however much of it was given.
    if let Some(name) = case.get("broken") {
        let given = reading.reply.calls.iter().all(|call| call.name == name);
        let void = reading.outcome.broke_started_call() || reading.outcome.unfinished > 0;
        return if given && void {
            Ok(())
        } else {
            Err(format!("it is not broken: {reading:?}"))
        };
    }
    let calls: Vec<(String, Value)> = reading
        .reply
        .calls
        .iter()
        .map(|c| {
            (
                c.name.clone(),
                serde_json::from_str(&c.arguments).unwrap_or(Value::from(c.arguments.as_str())),
            )
        })
        .collect();
    let named = |word: &str| -> Vec<(String, Value)> {
        let lines = case.all(word).into_iter();
        lines
            .map(|line| {
                let (name, json) = line.split_once(' ').unwrap();
                (
                    name.to_owned(),
                    serde_json::from_str(json).unwrap_or_else(|e| panic!("{}: {e}", case.name)),
                )
            })
            .collect()
    };
    // Right, or asked again: never another call than this one.
    if case.is("only") {
        let asked = !reading.outcome.problems.is_empty();
        return if calls == named("only") || (calls.is_empty() && asked) {
            Ok(())
        } else {
            Err(format!("calls {calls:?}"))
        };
    }
    let wanted = named("call");
    if calls != wanted {
        return Err(format!("calls {calls:?}, wanted {wanted:?}"));
    }
    let text = match case.get("text") {
        Some(text) => serde_json::from_str(text).unwrap(),
        None if case.is("same") => case.text.clone(),
        None => String::new(),
    };
    if reading.reply.text != text {
        return Err(format!("text {:?}, wanted {text:?}", reading.reply.text));
    }
    if reading.outcome.cut_in_call != case.is("in-call") {
        return Err(format!("cut in a call: {}", reading.outcome.cut_in_call));
    }
    let problems = case.get("problems").map_or(0, |n| n.parse().unwrap());
    if reading.outcome.problems.len() != problems && !case.is("any-problems") {
        return Err(format!(
            "problems: {:?}, wanted {problems}",
            reading.outcome.problems
        ));
    }
    if case.is("stop") && !reading.stopped {
        return Err("upstream was not left".to_owned());
    }
    Ok(())
}

fn leaks(text: &str) -> bool {
    [
        "<tool_call",
        "</tool_call",
        "<function",
        "<invoke",
        "[TOOL_CALLS]",
        "<|",
        "<｜",
        "\"arguments\"",
    ]
    .iter()
    .any(|m| text.contains(m))
}

#[test]
fn every_case_reads_as_it_should_however_it_is_cut() {
    let mut failures = Vec::new();
    let mut total = 0;
    println!(
        "{:24} {:>6} {:>6} {:>7}",
        "dialect", "right", "wrong", "leaked"
    );
    for (dialect, cases) in folder("tool_cases") {
        let (mut right, mut wrong, mut leaked) = (0, 0, 0);
        for case in &cases {
            let (tools, tags, quoted, options) = conditions(case);
            let run = |cuts: &[usize]| {
                read(
                    &tools,
                    tags,
                    quoted.clone(),
                    options,
                    case.is("cut"),
                    &pieces(&case.text, cuts),
                )
            };
            let whole = run(&[]);
            match judge(case, &whole) {
                Ok(()) => right += 1,
                Err(why) => {
                    wrong += 1;
                    failures.push(format!("{dialect} / {}: {why}", case.name));
                }
            }
            let wanted = case.get("text").unwrap_or_default();
            let calls = !case.all("call").is_empty();
            leaked += usize::from(calls && leaks(&whole.reply.text) && !leaks(wanted));
            for cuts in cuts(&case.text) {
                let other = run(&cuts);
                if other != whole {
                    failures.push(format!(
                        "{dialect} / {}: cut at {:?} gives {other:?}, whole gives {whole:?}",
                        case.name,
                        cuts.get(..cuts.len().min(3))
                    ));
                    break;
                }
            }
        }
        total += cases.len();
        println!("{dialect:24} {right:6} {wrong:6} {leaked:7}");
    }
    println!("{total} cases");
    assert!(
        failures.is_empty(),
        "{} of {total} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(total >= 300, "{total}");
}
