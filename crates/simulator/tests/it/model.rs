//! The scripted model over the wire: whole loops, each step chosen by what the prompt shows.

use serde_json::{Value, json};
use simulator::Simulator;

use crate::client::{chat, start, text_of};

const TOOLS: &str = "# Tools\nCall tools only by text blocks, outside code fences; they replace native or function calling:\n<tool_call>\n{\"name\": \"TOOL\", \"arguments\": {…}}\n</tool_call>\nArguments: one valid JSON object, strings escaped. Independent calls: several blocks. Then stop: results come as <tool_result>; never write one.\n\nadd(a: number, b: number) // Sum\n";
const CUE: &str = "\nWrite the next <assistant> message: only what stands between its tags.\nIf a tool is needed, write its <tool_call> block now; otherwise answer.\n";

/// Runs a loop as a client of tools does: the transcript only grows. Returns all that was said.
async fn run(sim: &Simulator, user: &str, streaming: bool) -> Vec<String> {
    let mut transcript = format!("{TOOLS}<user>\n{user}\n</user>\n");
    let mut said = Vec::new();
    for round in 0..20 {
        let prompt = format!("{transcript}{CUE}");
        let reply = chat(sim, streaming, &prompt).await;
        let text = if streaming {
            reply.deltas().concat()
        } else {
            text_of(&reply.json()).to_owned()
        };
        let over = text.starts_with("Ten") || text.contains("returned");
        said.push(text.clone());
        if over {
            return said;
        }
        transcript += &format!(
            "<assistant>\n{text}\n</assistant>\n<tool_result name=\"add\" id=\"c{round}\">\n{round}\n</tool_result>\n"
        );
    }
    panic!("the loop does not end: {said:?}");
}

#[tokio::test]
async fn one_directive_drives_a_loop_of_ten_rounds() {
    let sim = start();
    let calls = (0..10).map(|n| json!({"calls": [{"name": "add", "arguments": {"a": n, "b": 1}}]}));
    let steps: Vec<Value> = calls.chain([json!({"text": "Ten it is."})]).collect();
    for (family, mark) in [
        (
            "gpt",
            "<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 3, \"b\": 1}}\n</tool_call>",
        ),
        ("claude", "<parameter name=\"a\">3</parameter>"),
        ("mistral", "[TOOL_CALLS]"),
        ("pythonic", "[add(a=3, b=1)]"),
    ] {
        let directive = json!({"model": {"family": family, "steps": steps}, "chunk": 3});
        for streaming in [false, true] {
            let said = run(&sim, &format!("count [[sim {directive}]]"), streaming).await;
            assert_eq!(said.len(), 11, "{family}");
            assert!(said[3].contains(mark), "{family}: {}", said[3]);
            assert_eq!(said[10], "Ten it is.");
        }
    }
}

#[tokio::test]
async fn a_queued_plan_and_the_pieces_of_a_stream_work_together() {
    let sim = start();
    sim.script(
        json!({"times": 2, "model": {"family": "llama", "chatter": true, "steps": [
        {"calls": [{"call": "add", "with": {"a": 1, "b": 2}}]}
    ]}, "chunk": 1}),
    )
    .expect("a script");
    let reply = chat(&sim, true, &format!("{TOOLS}<user>\nhi\n</user>\n{CUE}")).await;
    let text = "Let me look that up.\n\n<|python_tag|>{\"name\": \"add\", \"parameters\": {\"a\": 1, \"b\": 2}}";
    assert_eq!(reply.deltas().concat(), text);
    assert_eq!(reply.deltas().len(), text.chars().count());
}

#[tokio::test]
async fn without_a_script_the_users_calls_are_made_and_results_arrive_in_the_answer() {
    let sim = start();
    let said = run(
        &sim,
        "call add with {\"a\": 1, \"b\": 2}\nthen call add with {\"a\": 3, \"b\": 4}",
        true,
    )
    .await;
    assert_eq!(said.len(), 3);
    assert!(said[1].contains("{\"a\": 3, \"b\": 4}"));
    assert_eq!(said[2], "add returned: 0\nadd returned: 1");
}

#[tokio::test]
async fn a_plan_that_cannot_be_understood_is_told() {
    let sim = start();
    for wrong in [
        json!({"model": {"family": "nobody"}}),
        json!({"model": {"steps": [{"call": []}]}}),
        json!({"model": {"steps": [{"calls": [{"arguments": {}}]}]}}),
    ] {
        assert!(sim.script(wrong.clone()).is_err());
        let reply = chat(&sim, false, &format!("[[sim {wrong}]]")).await;
        assert_eq!(reply.json()["errorCode"], "SIMULATOR_DIRECTIVE", "{wrong}");
    }
}
