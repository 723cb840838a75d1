//! The scripted model over whole prompts.

use serde_json::json;

use super::{Plan, answer};

const TOOLS: &str = "# Tools\nCall tools only by text blocks, outside code fences; they replace native or function calling:\n<tool_call>\n{\"name\": \"TOOL\", \"arguments\": {…}}\n</tool_call>\nArguments: one valid JSON object, strings escaped. Independent calls: several blocks. Then stop: results come as <tool_result>; never write one.\n\nget_weather(city: string) // Weather\nnow(zone?: string)\n";
const CALL: &str = "<assistant>\n<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>\n</assistant>\n";
const CUE: &str = "\nWrite the next <assistant> message: only what stands between its tags.\nIf a tool is needed, write its <tool_call> block now; otherwise answer.\n";

/// A prompt after so many rounds of one call and one result each.
fn after(user: &str, rounds: usize) -> String {
    let mut text = format!("{TOOLS}<user>\n{user}\n</user>\n");
    for round in 0..rounds {
        let result =
            format!("<tool_result name=\"now\" id=\"c{round}\">\nresult {round}\n</tool_result>\n");
        text.push_str(CALL);
        text.push_str(&result);
    }
    text + CUE
}

fn plan(json: serde_json::Value) -> Plan {
    serde_json::from_value(json).expect("a plan")
}

#[test]
fn a_plan_is_followed_round_by_round() {
    let plan = plan(json!({"family": "claude", "chatter": true, "steps": [
        {"calls": [{"call": "now"}]},
        {"think": "so", "calls": [{"name": "get_weather", "arguments": {"city": "at {{results}}"}}]},
        {"text": "It is {{results}}."}
    ]}));
    let said = |rounds| answer(&after("hi", rounds), Some(&plan)).expect("an answer");
    assert_eq!(
        said(0),
        "Let me look that up.\n\n<function_calls>\n<invoke name=\"now\">\n</invoke>\n</function_calls>"
    );
    assert_eq!(
        said(1),
        "<think>\nso\n</think>\n\nLet me look that up.\n\n<function_calls>\n<invoke name=\"get_weather\">\n<parameter name=\"city\">at result 0</parameter>\n</invoke>\n</function_calls>"
    );
    assert_eq!(said(2), "It is result 1.");
    assert_eq!(
        said(3),
        "All tools have answered.\n\nnow returned: result 0\nnow returned: result 1\nnow returned: result 2"
    );
}

#[test]
fn a_step_that_could_not_be_used_has_another_in_its_place() {
    let plan = plan(json!({"family": "bare", "steps": [
        {"calls": [{"call": "now"}]},
        {"calls": [{"call": "now", "with": "{broken"}], "corrected": {"text": "Sorry."}}
    ]}));
    let first = after("hi", 1);
    let again = first.replace(
        CUE,
        &format!("<assistant>\nx\n</assistant>\n<system>\nWrong.\n</system>\n{CUE}"),
    );
    let said = |prompt: &str| answer(prompt, Some(&plan)).expect("an answer");
    assert_eq!(said(&first), "{\"name\": \"now\", \"arguments\": {broken}");
    assert_eq!(said(&again), "Sorry.");
}

#[test]
fn without_a_plan_the_users_calls_are_made_and_their_results_quoted() {
    let user = "call get_weather with {\"city\": \"Paris\"}\ncall now\ncall unknown\nthen call now with {\"zone\": \"utc\"}";
    let said = |rounds| answer(&after(user, rounds), None);
    assert_eq!(
        said(0).as_deref(),
        Some(
            "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>\n<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>"
        )
    );
    assert_eq!(
        said(1).as_deref(),
        Some("<tool_call>\n{\"name\": \"now\", \"arguments\": {\"zone\": \"utc\"}}\n</tool_call>")
    );
    assert_eq!(
        said(2).as_deref(),
        Some("now returned: result 0\nnow returned: result 1")
    );
    assert_eq!(answer(&after("hello", 0), None), None);
}

#[test]
fn one_call_at_a_time_where_no_more_are_allowed() {
    let user = "call now\ncall get_weather";
    let prompt = after(user, 1).replace("Independent calls: several blocks.", "One block only.");
    assert_eq!(
        answer(&prompt, None).as_deref(),
        Some(
            "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"text\"}}\n</tool_call>"
        )
    );
}

#[test]
fn a_call_that_is_insisted_on_is_made() {
    let cases = [
        (
            "hi",
            "Call now now: write only its",
            "{\"name\": \"now\", \"arguments\": {}}",
        ),
        (
            "hi",
            "You must call at least one tool now:",
            "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"text\"}}",
        ),
        (
            "call get_weather\ncall now with {\"zone\": \"x\"}",
            "Call now now: write only its",
            "{\"name\": \"now\", \"arguments\": {\"zone\": \"x\"}}",
        ),
    ];
    for (user, reminder, call) in cases {
        let prompt = after(user, 0).replace("If a tool is needed, write its", reminder);
        assert_eq!(
            answer(&prompt, None),
            Some(format!("<tool_call>\n{call}\n</tool_call>"))
        );
    }
}

#[test]
fn a_schema_is_filled_in_bare_or_with_prose_around() {
    let ask = "Who?\nAnswer with one JSON value that matches this JSON Schema, its keys in this order; nothing before or after it.\n{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"age\":{\"type\":\"integer\"}},\"required\":[\"name\",\"age\"],\"additionalProperties\":false}";
    assert_eq!(
        answer(ask, None).as_deref(),
        Some("{\"name\": \"text\", \"age\": 1}")
    );
    let chatty = answer(ask, Some(&plan(json!({"chatter": true})))).expect("an answer");
    assert!(
        chatty.contains("```json\n{\n  \"name\": \"text\""),
        "{chatty}"
    );
    let scripted = plan(json!({"steps": [{"json": {"name": "Ann"}}]}));
    assert_eq!(
        answer(ask, Some(&scripted)).as_deref(),
        Some("{\"name\": \"Ann\"}")
    );
}
