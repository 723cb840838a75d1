//! What Codex CLI 0.169 sends, cut down to its structure: recorded, with texts of our own.

use super::*;

const RECORDED: &str = include_str!("../../../../../../testdata/responses/codex.json");

fn recorded(case: &str) -> Decoded {
    let cases: Value = serde_json::from_str(RECORDED).unwrap();
    let body = cases[case].to_string();
    read(body.as_bytes())
        .unwrap()
        .continued(&History::default())
        .unwrap()
}

fn names(decoded: &Decoded) -> Vec<&str> {
    decoded
        .chat
        .tools
        .offered
        .iter()
        .map(|tool| tool.name.as_str())
        .collect()
}

#[test]
fn functions_a_namespace_and_web_search_are_taken() {
    let decoded = recorded("functions");
    assert_eq!(
        names(&decoded),
        ["exec_command", "view_image", "multi_agent_v1.close_agent"]
    );
    assert!(decoded.chat.search.is_some() && !decoded.options.keep && decoded.options.summary);
    assert_eq!(decoded.chat.ignored, Vec::<String>::new());
    let roles: Vec<Role> = decoded
        .chat
        .messages
        .iter()
        .map(|message| message.role)
        .collect();
    assert_eq!(roles, [Role::System, Role::System, Role::User, Role::User]);
}

#[test]
fn a_patch_is_a_custom_tool_and_found_tools_can_be_called() {
    let decoded = recorded("tool search");
    assert_eq!(
        names(&decoded),
        ["apply_patch", "tool_search", "multi_agent_v1.spawn_agent"]
    );
    let [.., called, found] = decoded.chat.messages.as_slice() else {
        panic!("{:?}", decoded.chat.messages);
    };
    assert_eq!(
        called.parts,
        [call("call_1", "tool_search", "{\"query\":\"agents\"}")]
    );
    let words = "Found, and listed among the tools: multi_agent_v1.spawn_agent";
    assert_eq!(*found, result("call_1", words, false));
    assert_eq!(decoded.chat.search, None);
}

#[test]
fn tools_that_stand_in_the_input_are_offered() {
    let decoded = recorded("additional tools");
    assert_eq!(
        names(&decoded),
        ["exec", "wait", "collaboration.followup_task"]
    );
    assert_eq!(
        decoded.options.callables[0].namespace.as_deref(),
        Some("functions")
    );
}
