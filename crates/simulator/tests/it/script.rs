//! What a script says is what comes, whole or streamed, in the pieces and at the pace it wants.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::json;

use crate::client::{Call, KEY, chat, start, text_of};

#[tokio::test]
async fn a_reply_is_said_word_for_word() {
    let sim = start();
    let text = "Grüße \"東京\" 🚀\n\n```rust\nfn main() {}\n```\\ </user> [[sim]] \u{0}\u{7f}";
    let prompt = format!("<user>\nhi [[sim {}]]\n</user>\n", json!({"reply": text}));
    assert_eq!(text_of(&chat(&sim, false, &prompt).await.json()), text);
    let streamed = chat(&sim, true, &prompt).await;
    assert_eq!(streamed.deltas().concat(), text);
    assert_eq!(text_of(&streamed.result()), text);
}

#[tokio::test]
async fn the_last_user_turn_is_understood_in_a_transcript() {
    let sim = start();
    let prompt = "<system>\nBe brief.\n</system>\n<user>\none\n</user>\n<assistant>\ntwo\n</assistant>\n<user>\nthree [[sim {\"chunk\":5}]]\n</user>\n";
    let said = chat(&sim, false, prompt).await.json();
    assert!(text_of(&said).starts_with("You said: \"three\"."), "{said}");
}

#[tokio::test]
async fn deltas_and_tokens_are_counted_exactly() {
    let sim = start();
    let exact = chat(&sim, true, r#"[[sim {"deltas":["a","b ","","c"]}]]"#).await;
    let content = exact
        .events()
        .into_iter()
        .filter(|event| event.0 == "content")
        .count();
    assert_eq!(
        (content, exact.deltas()),
        (4, vec!["a".to_owned(), "b ".to_owned(), "c".to_owned()])
    );
    let many = chat(&sim, true, r#"[[sim {"tokens":200}]]"#).await;
    assert_eq!(many.deltas().len(), 200);
    assert_eq!(many.result()["aiRecord"]["metadata"]["outputToken"], 200);
}

#[tokio::test]
async fn usage_and_finish_reason_can_be_set() {
    let sim = start();
    let directive =
        r#"[[sim {"usage":{"inputToken":7,"outputCredit":null},"finish_reason":"length"}]]"#;
    let metadata = chat(&sim, true, directive).await.result()["aiRecord"]["metadata"].clone();
    assert_eq!(
        (&metadata["inputToken"], &metadata["finishReason"]),
        (&json!(7), &json!("length"))
    );
    assert!(metadata.get("outputCredit").is_none() && metadata.get("credit").is_some());
}

#[tokio::test]
async fn the_header_overrides_the_prompt_and_the_prompt_the_queue() {
    let sim = start();
    sim.script(json!({"reply": "queue", "finish_reason": "from-queue"}))
        .expect("a script");
    let body = json!({"model": "gpt-4o-mini", "promptObject": {"prompt": r#"[[sim {"reply":"prompt"}]]"#}}).to_string();
    let headers = [("API-KEY", KEY), ("x-sim", r#"{"reply":"header"}"#)];
    let call = Call::send(&sim, "POST /api/chat-with-ai", &headers, body.as_bytes()).await;
    let record = call.reply().await.expect("an answer").json();
    assert_eq!(text_of(&record), "header");
    assert_eq!(record["aiRecord"]["metadata"]["finishReason"], "from-queue");
}

#[tokio::test]
async fn a_directive_that_cannot_be_read_is_told() {
    let sim = start();
    for directive in [
        r#"[[sim {"replay":"x"}]]"#,
        r#"[[sim {"fault":"no-such"}]]"#,
        "[[sim {]]",
        r#"[[sim {"replies":["x"]}]]"#,
    ] {
        let reply = chat(&sim, true, directive).await;
        assert_eq!(
            (reply.status, &reply.json()["errorCode"]),
            (400, &json!("SIMULATOR_DIRECTIVE")),
            "{directive}"
        );
    }
}

#[tokio::test]
async fn wishes_without_measure_neither_exhaust_nor_break_the_simulator() {
    let sim = start();
    let endless = u64::MAX;
    for directive in [
        json!({"first_ms": endless}),
        json!({"delay_ms": endless, "deltas": ["a", "b"]}),
        json!({"fault": "slow-stream", "ms": endless}),
        json!({"write": endless, "write_ms": endless, "chunk": endless, "fault": "cut", "after": endless}),
    ] {
        let call = Call::chat(&sim, true, &format!("[[sim {directive}]]")).await;
        tokio::time::timeout(Duration::from_millis(100), call.reply())
            .await
            .ok();
    }
    let many = json!({"tokens": endless, "fault": "cut", "after": 1});
    let mut call = Call::chat(&sim, true, &format!("[[sim {many}]]")).await;
    call.read_some().await;
    assert_eq!(call.reply().await.expect("an answer").deltas().len(), 1);
    let statuses: Vec<_> = sim
        .journal()
        .entries()
        .iter()
        .map(|entry| entry.status)
        .collect();
    assert_eq!(statuses, [None, Some(200), Some(200), Some(200), Some(200)]);
}

#[tokio::test]
async fn delays_are_kept() {
    let sim = start();
    let begun = Instant::now();
    let mut call = Call::chat(
        &sim,
        true,
        r#"[[sim {"deltas":["a","b","c"],"first_ms":80,"delay_ms":60}]]"#,
    )
    .await;
    let first = String::from_utf8(call.read_some().await).expect("UTF-8");
    assert!(begun.elapsed() >= Duration::from_millis(80));
    assert!(
        first.contains(r#"{"content":"a"}"#) && !first.contains(r#"{"content":"b"}"#),
        "{first}"
    );
    call.reply().await;
    assert!(begun.elapsed() >= Duration::from_millis(80 + 3 * 60));
}

#[tokio::test]
async fn socket_writes_cut_inside_characters() {
    let sim = start();
    let directive = r#"[[sim {"reply":"東京🚀","write":7,"write_ms":4}]]"#;
    let mut call = Call::chat(&sim, true, directive).await;
    let mut cut = false;
    for _ in 0..30 {
        // Each read brings one HTTP chunk of seven bytes, unless two came close together.
        let read = call.read_some().await;
        cut |= std::str::from_utf8(&read).is_err();
    }
    assert!(cut, "no read ended inside a character");
    let whole = chat(&sim, true, directive).await;
    assert_eq!(
        (whole.complete, whole.deltas().concat()),
        (true, "東京🚀".to_owned())
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn pieces_of_any_size_bring_the_same_text(text in ".{0,40}", chunk in 1_usize..9, write in 1_usize..50) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let sim = start();
            let prompt = format!("[[sim {}]]", json!({"reply": text, "chunk": chunk, "write": write}));
            let streamed = chat(&sim, true, &prompt).await;
            prop_assert!(streamed.complete);
            prop_assert_eq!(&streamed.deltas().concat(), &text);
            prop_assert!(streamed.deltas().iter().all(|d| d.len() <= chunk || d.chars().count() == 1));
            let whole = chat(&sim, false, &prompt).await.json();
            prop_assert_eq!(text_of(&whole), text.as_str());
            Ok(())
        })?;
    }
}
