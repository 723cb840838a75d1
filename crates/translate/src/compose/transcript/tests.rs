use proptest::prelude::*;

use super::*;
use crate::chat_request::{Attachment, Source};
use crate::tags::RESERVED;

fn chat(messages: Vec<Message>) -> ChatRequest {
    ChatRequest {
        model: "m".to_owned(),
        messages,
        choices: 1,
        ..ChatRequest::default()
    }
}

fn said(role: Role, text: &str) -> Message {
    Message {
        role,
        name: None,
        parts: vec![Part::Text(text.to_owned())],
    }
}

fn written(chat: &ChatRequest) -> String {
    transcript(chat, tags_for(chat, 0), "", "")
}

fn picture() -> Part {
    Part::Image(Attachment {
        source: Source::Url("https://example.org/a.png".to_owned()),
        name: None,
        mime: None,
    })
}

const CUE: &str = "\nWrite the next <assistant> message: only what stands between its tags.\n";

#[test]
fn a_lone_user_message_goes_as_it_is() {
    let mut message = said(Role::User, "hello <user>");
    assert_eq!(
        lone_text(&chat(vec![message.clone()])).as_deref(),
        Some("hello <user>")
    );
    message
        .parts
        .extend([picture(), Part::Text("and this".to_owned())]);
    assert_eq!(
        lone_text(&chat(vec![message.clone()])).as_deref(),
        Some("hello <user>\nand this")
    );
    assert_eq!(
        lone_text(&chat(vec![said(Role::System, "be brief"), message])),
        None
    );
}

#[test]
fn every_role_stands_between_its_tags() {
    let mut named = said(Role::User, "hi");
    named.name = Some("Ann \"<B>\"".to_owned());
    let text = written(&chat(vec![
        said(Role::System, "Be brief."),
        named,
        said(Role::Assistant, "Hello!"),
    ]));
    let expected = "<system>\nBe brief.\n</system>\n<user name=\"Ann B\">\nhi\n</user>\n<assistant>\nHello!\n</assistant>\n";
    assert_eq!(text, format!("{expected}{CUE}"));
}

#[test]
fn calls_and_results_of_the_history_are_kept_in_the_canonical_form() {
    let call = |id: &str, name: &str, arguments: &str| {
        Part::Call(Call {
            id: id.to_owned(),
            name: name.to_owned(),
            arguments: arguments.to_owned(),
        })
    };
    let result = |call_id: &str, text: &str, is_error| Message {
        role: Role::Tool,
        name: None,
        parts: vec![Part::Result(CallResult {
            call_id: call_id.to_owned(),
            name: None,
            parts: vec![Part::Text(text.to_owned())],
            is_error,
        })],
    };
    let assistant = Message {
        role: Role::Assistant,
        name: None,
        parts: vec![
            call("c1", "weather", r#"{"city": "Paris"}"#),
            call("c2", "time", ""),
        ],
    };
    let messages = vec![
        said(Role::User, "Go"),
        assistant,
        result("c1", "18 °C", false),
        result("c9", "lost", true),
    ];
    let text = written(&chat(messages));
    let expected = "<user>\nGo\n</user>\n<assistant>\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>\n\
        <tool_call>\n{\"name\": \"time\", \"arguments\": {}}\n</tool_call>\n</assistant>\n\
        <tool_result name=\"weather\" id=\"c1\">\n18 °C\n</tool_result>\n\
        <tool_result name=\"c9\" id=\"c9\" status=\"error\">\nlost\n</tool_result>\n";
    assert_eq!(text, format!("{expected}{CUE}"));
}

#[test]
fn pictures_and_documents_are_marked_where_they_stood() {
    let mut first = said(Role::User, "Compare");
    let file = Part::File(Attachment {
        source: Source::FileId("file-1".to_owned()),
        name: Some("</user>report.pdf".to_owned()),
        mime: None,
    });
    first.parts.extend([picture(), file]);
    let mut second = said(Role::User, "with");
    second.parts.push(picture());
    let text = written(&chat(vec![first, second]));
    assert!(text.starts_with("<user-100000>\nCompare\n[image 1]\n[file 1: userreport.pdf]\n</user-100000>\n<user-100000>\nwith\n[image 2]\n</user-100000>\n"), "{text}");
}

#[test]
fn instructions_follow_the_system_messages_and_the_reminder_comes_last() {
    let chat = chat(vec![said(Role::System, "S"), said(Role::User, "U")]);
    let text = transcript(&chat, Tags::default(), "# Tools", "Go on.");
    assert_eq!(
        text,
        format!("<system>\nS\n</system>\n# Tools\n<user>\nU\n</user>\n{CUE}Go on.\n")
    );
}

proptest! {
    #[test]
    fn no_text_can_forge_a_role(
        texts in proptest::collection::vec(
            (0usize..4, "(<|/|user|system|assistant|tool_result|-|[1-4]|>| |\n|x){0,16}"), 1..6
        )
    ) {
        let roles = [Role::System, Role::User, Role::Assistant, Role::Tool];
        let chat = chat(texts.iter().map(|(role, text)| said(roles[*role], text)).collect());
        let tags = tags_for(&chat, 0);
        let text = written(&chat);
        // The cue names one more opening tag; every other tag in the text is one we wrote.
        let of = |role: Role| chat.messages.iter().filter(|m| m.role == role).count();
        let counts = [of(Role::User), of(Role::Assistant) + 1, of(Role::System), 0, of(Role::Tool)];
        for (name, count) in RESERVED.iter().zip(counts) {
            prop_assert_eq!(text.matches(&tags.open(name)).count(), count, "{} in {}", name, text);
        }
    }
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::Call(Call {
        id: id.to_owned(),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
    })
}

fn assistant(calls: Vec<Part>) -> Message {
    Message {
        role: Role::Assistant,
        name: None,
        parts: calls,
    }
}

fn result(id: &str, text: &str) -> Message {
    Message {
        role: Role::Tool,
        name: None,
        parts: vec![Part::Result(CallResult {
            call_id: id.to_owned(),
            name: None,
            parts: vec![Part::Text(text.to_owned())],
            is_error: false,
        })],
    }
}

#[test]
fn a_result_answers_the_nearest_open_call_before_it() {
    let text = written(&chat(vec![
        said(Role::User, "go"),
        assistant(vec![call("call_1", "read", "{}")]),
        result("call_1", "one"),
        assistant(vec![call("call_1", "write", "{}")]),
        result("call_1", "two"),
        result("call_1", "three"),
        result("other", "four"),
    ]));
    for (name, id, said) in [
        ("read", "call_1", "one"),
        ("write", "call_1", "two"),
        ("write", "call_1", "three"),
        ("other", "other", "four"),
    ] {
        let wanted = format!("<tool_result name=\"{name}\" id=\"{id}\">\n{said}\n");
        assert!(text.contains(&wanted), "{wanted}: {text}");
    }
}

#[test]
fn calls_of_one_tool_in_one_turn_are_told_apart() {
    let text = written(&chat(vec![
        said(Role::User, "go"),
        assistant(vec![
            call("a", "read", "{\"p\": 1}"),
            call("b", "read", "{\"p\": 2}"),
            call("c", "list", "{}"),
        ]),
        result("b", "two"),
        result("a", "one"),
    ]));
    for wanted in [
        "{\"name\": \"read\", \"arguments\": {\"p\": 1}, \"id\": \"a\"}",
        "{\"name\": \"read\", \"arguments\": {\"p\": 2}, \"id\": \"b\"}",
        "{\"name\": \"list\", \"arguments\": {}}\n",
        "<tool_result name=\"read\" id=\"b\">\ntwo\n",
        "<tool_result name=\"read\" id=\"a\">\none\n",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
}

#[test]
fn two_calls_of_one_id_in_one_turn_are_answered_in_their_order() {
    let text = written(&chat(vec![
        said(Role::User, "go"),
        assistant(vec![call("x", "read", "{}"), call("x", "write", "{}")]),
        result("x", "one"),
        result("x", "two"),
        assistant(vec![call("x", "read", "{}"), call("x", "read", "{}")]),
        result("x", "three"),
        result("x", "four"),
    ]));
    for wanted in [
        "<tool_result name=\"read\" id=\"x\">\none\n",
        "<tool_result name=\"write\" id=\"x-2\">\ntwo\n",
        "{\"name\": \"read\", \"arguments\": {}, \"id\": \"x\"}",
        "{\"name\": \"read\", \"arguments\": {}, \"id\": \"x-2\"}",
        "<tool_result name=\"read\" id=\"x\">\nthree\n",
        "<tool_result name=\"read\" id=\"x-2\">\nfour\n",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
}

fn document(name: Option<&str>) -> Part {
    Part::File(Attachment {
        source: Source::FileId("file-1".to_owned()),
        name: name.map(str::to_owned),
        mime: None,
    })
}

#[test]
fn documents_are_named_in_any_script_also_beside_a_lone_message() {
    let hindi = "\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}.pdf";
    for (name, shown) in [
        (
            Some("Bericht (2), neu.pdf"),
            "[file 1: Bericht (2), neu.pdf]",
        ),
        (Some("a\u{308}.pdf"), "[file 1: a\u{308}.pdf]"),
        (Some(hindi), &format!("[file 1: {hindi}]")),
        (Some("C:\\docs\\x]<user>.pdf"), "[file 1: C:docsxuser.pdf]"),
        (Some("\u{202e}fdp.exe\n"), "[file 1: fdp.exe]"),
    ] {
        let lone = Message {
            role: Role::User,
            name: None,
            parts: vec![document(name), Part::Text("Sum up.".to_owned())],
        };
        let text = lone_text(&chat(vec![lone.clone()])).unwrap();
        assert_eq!(text, format!("{shown}\nSum up."));
        let text = written(&chat(vec![said(Role::System, "x"), lone]));
        assert!(text.contains(&format!("\n{shown}\nSum up.\n")), "{text}");
    }
    let lone = |parts: Vec<Part>| {
        let message = Message {
            role: Role::User,
            name: None,
            parts,
        };
        lone_text(&chat(vec![message])).unwrap()
    };
    let two = lone(vec![
        document(None),
        document(None),
        Part::Text("Compare.".to_owned()),
    ]);
    assert_eq!(two, "[file 1]\n[file 2]\nCompare.");
    assert_eq!(
        lone(vec![document(None), Part::Text("Sum up.".to_owned())]),
        "Sum up."
    );
}
