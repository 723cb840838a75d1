//! Any text, cut anywhere, gives the reader of tool calls the same events, each call's arguments
//! one JSON object.
#![no_main]

use libfuzzer_sys::fuzz_target;
use translate::chat_request::{Tool, ToolInput, Tools};
use translate::interpret::Flow;
use translate::interpret::tool_calls::{Options, Outcome, PromptEcho, Reader};
use translate::reply::{Event, Reply};
use translate::tags::Tags;

fn tools() -> Tools {
    let tool = |name: &str, schema: &str| Tool {
        name: name.to_owned(),
        description: None,
        input: ToolInput::Json(
            serde_json::from_str::<serde_json::Value>(schema)
                .expect("a constant schema is JSON")
                .into(),
        ),
        strict: name == "s",
    };
    Tools {
        offered: vec![
            tool(
                "f",
                r#"{"type":"object","properties":{"a":{"type":"string"},"n":{"type":"integer"}}}"#,
            ),
            tool(
                "s",
                r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}"#,
            ),
        ],
        ..Tools::default()
    }
}

fn read(pieces: &[&str], hold: bool, cut: bool) -> (Reply, Outcome) {
    let mut reply = Reply::default();
    let mut ended = Vec::new();
    let mut take = |event: Event<'_>| {
        if let Event::CallEnded { index } = event {
            ended.push(index);
        }
        reply.collect(event);
    };
    let mut reader = Reader::new(
        &tools(),
        Tags::default(),
        PromptEcho::default(),
        Options { hold, last: false },
    );
    for piece in pieces {
        if reader.push(piece, &mut take) == Flow::Stop {
            break;
        }
    }
    let outcome = reader.end(cut, &mut take);
    for index in ended {
        let value: serde_json::Value = serde_json::from_str(&reply.calls[index].arguments)
            .expect("ended calls have JSON arguments");
        assert!(value.is_object());
    }
    (reply, outcome)
}

fuzz_target!(|data: (u8, &[u8])| {
    let (flags, bytes) = data;
    let text = String::from_utf8_lossy(bytes);
    let (hold, cut) = (flags & 1 != 0, flags & 2 != 0);
    let whole = read(&[&text], hold, cut);
    let middle = text.floor_char_boundary(text.len() * usize::from(flags >> 2) / 63);
    assert_eq!(read(&[&text[..middle], &text[middle..]], hold, cut), whole);
    let chars: Vec<&str> = text.split("").filter(|c| !c.is_empty()).collect();
    assert_eq!(read(&chars, hold, cut), whole);
});
