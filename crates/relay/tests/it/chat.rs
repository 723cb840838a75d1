//! Chat completions when all is well.

use serde_json::{Value, json};

use crate::rig::{Rig, asks};

#[tokio::test]
async fn an_answer_is_the_same_whole_and_streamed() {
    let rig = Rig::start();
    let text = "Grüße, \"Welt\" 🚀\u{2028}\n\tEnd.";
    let whole = rig.chat(&asks(&json!({"reply": text}), &json!({}))).await;
    assert_eq!((whole.status, whole.said().as_str()), (200, text));
    let streamed = rig
        .chat(&asks(
            &json!({"reply": text, "chunk": 1, "write": 1}),
            &json!({"stream": true}),
        ))
        .await;
    assert_eq!((streamed.status, streamed.said().as_str()), (200, text));
    assert!(streamed.is_done());
    assert_eq!(
        streamed.header("content-type"),
        Some("text/event-stream; charset=utf-8")
    );
    assert_eq!(streamed.header("x-accel-buffering"), Some("no"));
}

#[tokio::test]
async fn a_stream_tells_its_cost_in_a_comment_before_its_end_in_every_dialect() {
    let rig = Rig::start();
    let says = json!({"reply": "Hi", "usage": {"inputToken": 7, "outputToken": 5, "credit": 12.5}});
    let text = format!("Hi. [[sim {says}]]");
    let asked = json!({"role": "user", "content": text});
    for (path, more, end) in [
        ("chat/completions", json!({"messages": [asked]}), "[DONE]"),
        ("completions", json!({"prompt": text}), "[DONE]"),
        ("responses", json!({"input": text}), "response.completed"),
        (
            "messages",
            json!({"messages": [asked], "max_tokens": 9}),
            "message_stop",
        ),
    ] {
        let mut request = json!({"model": "gpt-4o-mini", "stream": true});
        request
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let answer = rig.post(&format!("/v1/{path}"), &request).await;
        let comment = "\n\n: x-relay {\"credits\":12.5,\"usage\":\"reported\"}\n";
        let (_, rest) = answer
            .text
            .split_once(comment)
            .unwrap_or_else(|| panic!("{}", answer.text));
        // The comment is a line of the next event: alone between blank lines, some clients take it
        // for an event without data.
        assert!(
            ["data: ", "event: "]
                .iter()
                .any(|line| rest.starts_with(line)),
            "{rest}"
        );
        assert!(rest.contains(end) && !rest.contains(": x-relay"), "{rest}");
    }
}

#[tokio::test]
async fn a_stream_has_one_id_a_role_one_finish_and_usage_where_asked() {
    let rig = Rig::start();
    let request = asks(
        &json!({"tokens": 5, "usage": {"inputToken": 7, "outputToken": 5, "credit": 12}}),
        &json!({"stream": true, "stream_options": {"include_usage": true}}),
    );
    let answer = rig.chat(&request).await;
    let chunks = answer.chunks();
    let ids: std::collections::BTreeSet<&str> =
        chunks.iter().map(|c| c["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    let finishes = chunks
        .iter()
        .filter(|c| !c["choices"][0]["finish_reason"].is_null());
    assert_eq!(finishes.count(), 1);
    let last = chunks.last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert_eq!(
        (
            &last["usage"]["prompt_tokens"],
            &last["usage"]["completion_tokens"]
        ),
        (&json!(7), &json!(5))
    );
    assert!(
        chunks[..chunks.len() - 1]
            .iter()
            .all(|c| c["usage"].is_null())
    );
    assert!(answer.is_done());
}

#[tokio::test]
async fn usage_and_credits_are_upstreams_where_it_gives_them() {
    let rig = Rig::start();
    let reported = rig.chat(&asks(&json!({"reply": "Hi"}), &json!({}))).await;
    assert_eq!(reported.header("x-relay-usage"), Some("reported"));
    assert!(
        reported
            .header("x-relay-credits")
            .is_some_and(|c| c.parse::<f64>().unwrap() > 0.0)
    );
    for fault in ["zero-usage", "no-metadata", "null-metadata"] {
        let estimated = rig
            .chat(&asks(
                &json!({"reply": "Hi there", "fault": fault}),
                &json!({}),
            ))
            .await;
        assert_eq!(
            estimated.header("x-relay-usage"),
            Some("estimated"),
            "{fault}"
        );
        let usage = &estimated.json()["usage"];
        assert!(
            usage["prompt_tokens"].as_u64() > Some(0)
                && usage["completion_tokens"].as_u64() > Some(0),
            "{usage}"
        );
    }
}

#[tokio::test]
async fn stop_strings_and_token_limits_cut_the_answer_and_drop_upstream() {
    let rig = Rig::start();
    let table: [(Value, &str, &str); 3] = [
        (json!({"stop": "thr"}), "one two ", "stop"),
        (json!({"stop": ["zzz", "two three"]}), "one ", "stop"),
        (json!({"max_tokens": 2}), "one two", "length"),
    ];
    for (limit, text, finish) in table {
        for stream in [false, true] {
            rig.simulator.reset();
            let mut request = asks(
                &json!({"deltas": ["one t", "wo th", "ree four", " five six", " seven"], "delay_ms": 40}),
                &json!({"stream": stream}),
            );
            for (name, value) in limit.as_object().unwrap() {
                request[name] = value.clone();
            }
            let answer = rig.chat(&request).await;
            assert_eq!(answer.said(), text, "{limit} {stream}");
            let reason = if stream {
                let chunks = answer.chunks();
                let finish = chunks
                    .iter()
                    .find_map(|c| c["choices"][0]["finish_reason"].as_str());
                finish.unwrap().to_owned()
            } else {
                answer.json()["choices"][0]["finish_reason"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            };
            assert_eq!(reason, finish, "{limit} {stream}");
            assert!(rig.left().await.is_some(), "{limit} {stream}");
        }
    }
}

#[tokio::test]
async fn several_answers_are_several_calls_within_the_bound() {
    let rig = Rig::start();
    for stream in [false, true] {
        rig.simulator.reset();
        let answer = rig
            .chat(&asks(
                &json!({"reply": "Hi"}),
                &json!({"n": 3, "stream": stream}),
            ))
            .await;
        assert_eq!(rig.asked().len(), 3);
        if stream {
            let chunks = answer.chunks();
            for index in 0..3 {
                let own = chunks.iter().filter(|c| c["choices"][0]["index"] == index);
                let text: String = own
                    .filter_map(|c| c["choices"][0]["delta"]["content"].as_str())
                    .collect();
                assert_eq!(text, "Hi");
            }
        } else {
            assert_eq!(answer.json()["choices"].as_array().unwrap().len(), 3);
        }
    }
    let refused = rig.chat(&asks(&json!({}), &json!({"n": 5}))).await;
    assert_eq!(
        (refused.status, refused.json()["error"]["param"].as_str()),
        (400, Some("n"))
    );
}

#[tokio::test]
async fn a_slow_model_is_bridged_by_heartbeats() {
    let rig = Rig::with(&["--heartbeat", "0.1"]);
    let request = asks(
        &json!({"deltas": ["one ", "two"], "delay_ms": 350}),
        &json!({"stream": true}),
    );
    let answer = rig.chat(&request).await;
    assert!(
        answer.text.matches(": keep-alive\n").count() >= 3,
        "{}",
        answer.text
    );
    assert_eq!(answer.said(), "one two");
    assert!(answer.is_done());
}

#[tokio::test]
async fn what_has_no_effect_is_named_and_refused_when_strict() {
    let rig = Rig::start();
    let request = asks(
        &json!({"reply": "Hi"}),
        &json!({"temperature": 0.5, "seed": 7}),
    );
    let answer = rig.chat(&request).await;
    let ignored = answer.header("x-relay-ignored").unwrap();
    assert!(
        ignored.contains("temperature") && ignored.contains("seed"),
        "{ignored}"
    );
    let strict = Rig::with(&["--strict-parameters"]);
    let refused = strict.chat(&request).await;
    assert_eq!(
        (refused.status, refused.json()["error"]["code"].as_str()),
        (400, Some("unsupported_parameter"))
    );
    assert!(strict.asked().is_empty());
}

#[tokio::test]
async fn web_search_is_asked_for_in_every_way_clients_know() {
    let rig = Rig::start();
    let ways = [
        json!({"web_search": true, "num_of_site": 3, "max_word": 500}),
        json!({"web_search_options": {}}),
        json!({"tools": [{"type": "retrieval"}]}),
        json!({"tools": [{"type": "web_search_preview"}]}),
        json!({"model": "gpt-4o-mini:online"}),
    ];
    for way in ways {
        rig.simulator.reset();
        let answer = rig.chat(&asks(&json!({"reply": "Hi"}), &way)).await;
        assert_eq!(answer.status, 200, "{way} {}", answer.text);
        let asked = rig.asked()[0].body.to_string();
        assert!(asked.contains("\"webSearch\":true"), "{way}: {asked}");
    }
}

#[tokio::test]
async fn several_prompts_are_completed_each_by_a_call_of_its_own() {
    let rig = Rig::start();
    let mut request =
        json!({"model": "gpt-4o-mini", "prompt": ["one", "two"], "n": 2, "echo": true});
    let answer = rig.post("/v1/completions", &request).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let document = answer.json();
    let texts: Vec<&str> = (0..4)
        .map(|at| document["choices"][at]["text"].as_str().unwrap())
        .collect();
    for (text, prompt) in texts.iter().zip(["one", "one", "two", "two"]) {
        assert!(
            text.starts_with(prompt) && text.contains(&format!("You said: \"{prompt}\"")),
            "{text}"
        );
    }
    assert_eq!(rig.asked().len(), 4);
    request["stream"] = true.into();
    let streamed = rig.post("/v1/completions", &request).await;
    assert!(streamed.is_done());
    let mut joined = vec![String::new(); 4];
    for chunk in streamed.chunks() {
        let choice = &chunk["choices"][0];
        let at = usize::try_from(choice["index"].as_u64().unwrap()).unwrap();
        joined[at] += choice["text"].as_str().unwrap();
    }
    assert_eq!(joined, texts);
    request["prompt"] = json!(["one", "two", "three"]);
    let refused = rig.post("/v1/completions", &request).await;
    assert_eq!((refused.status, rig.asked().len()), (400, 8));
}
