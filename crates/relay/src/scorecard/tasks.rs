//! The tasks of the scorecard: a request each, as chat completions have it, and the rule by which an
//! answer is right. They are small, since each is paid for, and each asks for one ability.

use serde_json::{Map, Value, json};
use translate::reply::Reply;

/// A task.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    /// Its name in reports.
    pub id: &'static str,
    /// What is asked, without the model.
    request: fn() -> Value,
    /// Whether an answer is right.
    is_right: fn(&Reply) -> bool,
}

impl Task {
    /// The request for a model, whole or streamed.
    #[must_use]
    pub fn request(&self, model: &str, streamed: bool) -> Value {
        let mut request = (self.request)();
        if let Some(fields) = request.as_object_mut() {
            fields.insert("model".to_owned(), model.into());
            fields.insert("stream".to_owned(), streamed.into());
        }
        request
    }

    /// Whether an answer is right.
    #[must_use]
    pub fn is_right(&self, reply: &Reply) -> bool {
        (self.is_right)(reply)
    }
}

/// Every task, in the order in which they are asked.
pub const TASKS: &[Task] = &[
    Task {
        id: "one-call",
        request: || offered("What is the weather in Paris? Use the tool.", &[weather()]),
        is_right: |reply| only(reply, "get_weather").is_some_and(|a| is_city(&a, &["Paris"])),
    },
    Task {
        id: "two-calls",
        request: || {
            let words = "Compare the weather in Paris and in Rome. Ask for both at once.";
            offered(words, &[weather()])
        },
        is_right: |reply| {
            let asked = |city| {
                let mut calls = calls(reply).into_iter();
                calls.any(|(name, a)| name == "get_weather" && is_city(&a, &[city]))
            };
            reply.calls.len() == 2 && asked("Paris") && asked("Rome")
        },
    },
    Task {
        id: "one-at-a-time",
        request: || {
            let words = "Compare the weather in Paris and in Rome.";
            with(
                offered(words, &[weather()]),
                json!({"parallel_tool_calls": false}),
            )
        },
        is_right: |reply| only(reply, "get_weather").is_some(),
    },
    Task {
        id: "no-call-needed",
        request: || {
            let words = "Which planet of our solar system is the largest? Answer in one word.";
            offered(words, &[weather(), add()])
        },
        is_right: |reply| reply.calls.is_empty() && says(reply, "jupiter"),
    },
    Task {
        id: "calls-forbidden",
        request: || {
            let words = "Which city is the capital of France? Answer in one word.";
            with(offered(words, &[weather()]), json!({"tool_choice": "none"}))
        },
        is_right: |reply| reply.calls.is_empty() && says(reply, "paris"),
    },
    Task {
        id: "call-required",
        request: || {
            let words = "I am going to Oslo tomorrow and wonder what to wear.";
            with(
                offered(words, &[weather()]),
                json!({"tool_choice": "required"}),
            )
        },
        is_right: |reply| only(reply, "get_weather").is_some_and(|a| is_city(&a, &["Oslo"])),
    },
    Task {
        id: "tool-forced",
        request: || {
            let choice = json!({"type": "function", "function": {"name": "add"}});
            let request = offered("Two and forty.", &[weather(), add()]);
            with(request, json!({"tool_choice": choice}))
        },
        is_right: |reply| only(reply, "add").is_some_and(|a| sums(&a, 42.0)),
    },
    Task {
        id: "no-arguments",
        request: || offered("What time is it? Use the tool.", &[now(), weather()]),
        is_right: |reply| only(reply, "now").is_some_and(|a| a == json!({})),
    },
    Task {
        id: "numbers",
        request: || offered("Add -1.5 and 2000. Use the tool.", &[add()]),
        is_right: |reply| only(reply, "add").is_some_and(|a| sums(&a, 1998.5)),
    },
    Task {
        id: "long-argument",
        request: || {
            let words = format!(
                "Write exactly the text between the lines of dashes to the file `poem.txt`.\n----\n{POEM}\n----"
            );
            offered(&words, &[write_file()])
        },
        is_right: |reply| {
            only(reply, "write_file").is_some_and(|a| {
                let content = at(&a, "/content").as_str().unwrap_or_default();
                *at(&a, "/path") == "poem.txt" && content.trim_end() == POEM
            })
        },
    },
    Task {
        id: "escapes",
        request: || {
            let words = "Write the line `say \"C:\\new\\table\"` to the file `C:\\tmp\\x.bat`.";
            offered(words, &[write_file()])
        },
        is_right: |reply| {
            only(reply, "write_file").is_some_and(|a| {
                let content = at(&a, "/content").as_str().unwrap_or_default();
                *at(&a, "/path") == "C:\\tmp\\x.bat" && content.trim() == "say \"C:\\new\\table\""
            })
        },
    },
    Task {
        id: "result-used",
        request: || {
            let result = json!({"city": "Paris", "celsius": 17, "sky": "rain"});
            after("What is the weather in Paris?", &result.to_string())
        },
        is_right: |reply| reply.calls.is_empty() && says(reply, "17"),
    },
    Task {
        id: "error-used",
        request: || {
            let result = "Error: there is no city `Paris`. Its name here is `Paname`. Ask again with that name.";
            after("What is the weather in Paris?", result)
        },
        is_right: |reply| only(reply, "get_weather").is_some_and(|a| is_city(&a, &["Paname"])),
    },
    Task {
        id: "nested-arguments",
        request: || {
            let words = "Plan the event `Review` on 2026-12-01 at 09:30 with Ann (ann@example.org) and Bob (bob@example.org).";
            offered(words, &[create_event()])
        },
        is_right: |reply| {
            only(reply, "create_event").is_some_and(|a| {
                let address =
                    |number: usize| at(&a, &format!("/attendees/{number}/email")).as_str();
                *at(&a, "/title") == "Review"
                    && *at(&a, "/when") == json!({"date": "2026-12-01", "time": "09:30"})
                    && address(0) == Some("ann@example.org")
                    && address(1) == Some("bob@example.org")
            })
        },
    },
    Task {
        id: "enumeration",
        request: || {
            let words = "Tell ann and bob that the server is down. It is most urgent.";
            offered(words, &[send_message()])
        },
        is_right: |reply| {
            only(reply, "send_message").is_some_and(|a| {
                let names: Vec<String> = strings(at(&a, "/to")).map(str::to_lowercase).collect();
                names == ["ann", "bob"] && *at(&a, "/priority") == "high"
            })
        },
    },
    Task {
        id: "strict-tool",
        request: || {
            let mut tool = send_message();
            if let Some(Value::Object(function)) = tool.get_mut("function") {
                function.insert("strict".to_owned(), true.into());
            }
            offered("Tell ann that lunch is ready. It is not urgent.", &[tool])
        },
        is_right: |reply| {
            only(reply, "send_message").is_some_and(|a| {
                strings(at(&a, "/to")).any(|name| name.eq_ignore_ascii_case("ann"))
                    && *at(&a, "/priority") == "low"
            })
        },
    },
    Task {
        id: "one-of-many-tools",
        request: || {
            let mut tools: Vec<Value> = (1..=18).map(unrelated).collect();
            tools.insert(9, weather());
            offered("What is the weather in Lima?", &tools)
        },
        is_right: |reply| only(reply, "get_weather").is_some_and(|a| is_city(&a, &["Lima"])),
    },
    Task {
        id: "first-of-two-steps",
        request: || {
            let words = "Find the file about taxes, then read it. You do not know its name yet.";
            offered(words, &[search_files(), read_file()])
        },
        is_right: |reply| only(reply, "search_files").is_some(),
    },
    Task {
        id: "strict-schema",
        request: || {
            let format = json!({"type": "json_schema", "json_schema":
                {"name": "city", "strict": true, "schema": city_schema()}});
            let words = "Describe Paris: its name, its country, and whether it is a capital.";
            with(asked(words), json!({"response_format": format}))
        },
        is_right: |reply| {
            json_of(reply).is_some_and(|city| {
                let names = ["name", "country", "capital"];
                city.len() == names.len()
                    && names.iter().all(|name| city.contains_key(*name))
                    && city.get("capital") == Some(&json!(true))
            })
        },
    },
    Task {
        id: "json-object",
        request: || {
            let words =
                "Give a JSON object with the one key `primes`: the list of all primes below 10.";
            with(
                asked(words),
                json!({"response_format": {"type": "json_object"}}),
            )
        },
        is_right: |reply| {
            json_of(reply).is_some_and(|found| found.get("primes") == Some(&json!([2, 3, 5, 7])))
        },
    },
    Task {
        id: "long-conversation",
        request: long_conversation,
        is_right: |reply| only(reply, "get_weather").is_some_and(|a| is_city(&a, &["Lisbon"])),
    },
    Task {
        id: "german",
        request: || {
            offered(
                "Wie ist das Wetter in Zürich? Nutze das Werkzeug.",
                &[weather()],
            )
        },
        is_right: |reply| {
            only(reply, "get_weather").is_some_and(|a| is_city(&a, &["Zürich", "Zurich"]))
        },
    },
    Task {
        id: "japanese",
        request: || offered("ツールを使って東京の天気を調べてください。", &[weather()]),
        is_right: |reply| {
            only(reply, "get_weather").is_some_and(|a| is_city(&a, &["東京", "Tokyo"]))
        },
    },
];

/// A text with what models damage: quotes, line breaks, brackets, a fence, an empty line.
const POEM: &str =
    "\"Roses\" are 'red',\n\n```\nif (a < b && c > d) { print(\"{}\\n\"); }\n```\n<end>";

fn asked(words: &str) -> Value {
    json!({"messages": [{"role": "user", "content": words}]})
}

fn offered(words: &str, tools: &[Value]) -> Value {
    with(asked(words), json!({"tools": tools}))
}

/// The question, a call that the model made, and its result.
fn after(words: &str, result: &str) -> Value {
    let call = json!({"id": "call_1", "type": "function",
        "function": {"name": "get_weather", "arguments": "{\"city\": \"Paris\"}"}});
    json!({
        "messages": [
            {"role": "user", "content": words},
            {"role": "assistant", "content": null, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": result},
        ],
        "tools": [weather()],
    })
}

fn long_conversation() -> Value {
    let mut messages = vec![
        json!({"role": "system", "content": "You help a traveller. Use tools where they help."}),
        json!({"role": "user", "content": "I live in Lisbon. Remember that."}),
        json!({"role": "assistant", "content": "I will."}),
    ];
    for (number, word) in ["trains", "museums", "bread", "rivers", "bridges"]
        .iter()
        .enumerate()
    {
        let question = format!("Question {}: tell me one thing about {word}.", number + 1);
        messages.push(json!({"role": "user", "content": question}));
        let answer = format!("People have written much about {word}, and I like them, too.");
        messages.push(json!({"role": "assistant", "content": answer}));
    }
    messages.push(json!({"role": "user", "content": "And what is the weather where I live?"}));
    json!({"messages": messages, "tools": [weather(), add(), now()]})
}

fn with(mut request: Value, more: Value) -> Value {
    if let (Some(fields), Value::Object(more)) = (request.as_object_mut(), more) {
        fields.extend(more);
    }
    request
}

fn tool(name: &str, description: &str, properties: &Value, required: &[&str]) -> Value {
    json!({"type": "function", "function": {
        "name": name,
        "description": description,
        "parameters": {"type": "object", "properties": properties, "required": required,
            "additionalProperties": false},
    }})
}

fn weather() -> Value {
    let properties = json!({"city": {"type": "string", "description": "Name of the city"}});
    tool(
        "get_weather",
        "The weather in a city at the moment.",
        &properties,
        &["city"],
    )
}

fn add() -> Value {
    let properties = json!({"a": {"type": "number"}, "b": {"type": "number"}});
    tool("add", "Adds two numbers.", &properties, &["a", "b"])
}

fn now() -> Value {
    tool("now", "The time of day.", &json!({}), &[])
}

fn write_file() -> Value {
    let properties = json!({"path": {"type": "string"}, "content": {"type": "string"}});
    tool(
        "write_file",
        "Writes a text to a file.",
        &properties,
        &["path", "content"],
    )
}

fn search_files() -> Value {
    let properties = json!({"words": {"type": "string"}});
    tool(
        "search_files",
        "Finds names of files by words.",
        &properties,
        &["words"],
    )
}

fn read_file() -> Value {
    let properties = json!({"path": {"type": "string", "description": "Its exact name"}});
    tool("read_file", "Reads a file.", &properties, &["path"])
}

fn send_message() -> Value {
    let properties = json!({
        "to": {"type": "array", "items": {"type": "string"}},
        "text": {"type": "string"},
        "priority": {"type": "string", "enum": ["low", "normal", "high"]},
    });
    tool(
        "send_message",
        "Sends a message to people.",
        &properties,
        &["to", "text", "priority"],
    )
}

fn create_event() -> Value {
    let properties = json!({
        "title": {"type": "string"},
        "when": {"type": "object", "required": ["date", "time"], "additionalProperties": false,
            "properties": {"date": {"type": "string", "description": "YYYY-MM-DD"},
                "time": {"type": "string", "description": "HH:MM"}}},
        "attendees": {"type": "array", "items": {"type": "object",
            "required": ["name", "email"], "additionalProperties": false,
            "properties": {"name": {"type": "string"}, "email": {"type": "string"}}}},
    });
    tool(
        "create_event",
        "Puts an event into the calendar.",
        &properties,
        &["title", "when", "attendees"],
    )
}

fn unrelated(number: u32) -> Value {
    let properties = json!({"id": {"type": "integer"}, "note": {"type": "string"}});
    let description = format!("Changes record {number} of the inventory.");
    tool(
        &format!("update_record_{number}"),
        &description,
        &properties,
        &["id"],
    )
}

fn city_schema() -> Value {
    json!({"type": "object", "required": ["name", "country", "capital"],
        "additionalProperties": false,
        "properties": {"name": {"type": "string"}, "country": {"type": "string"},
            "capital": {"type": "boolean"}}})
}

fn calls(reply: &Reply) -> Vec<(&str, Value)> {
    let calls = reply.calls.iter().map(|call| {
        let arguments = serde_json::from_str(&call.arguments).unwrap_or_default();
        (call.name.as_str(), arguments)
    });
    calls.collect()
}

/// The arguments of the only call, if it is one of this tool.
fn only(reply: &Reply, name: &str) -> Option<Value> {
    let calls = calls(reply);
    match calls.as_slice() {
        [(called, arguments)] if *called == name => Some(arguments.clone()),
        _ => None,
    }
}

fn is_city(arguments: &Value, names: &[&str]) -> bool {
    let city = arguments["city"]
        .as_str()
        .unwrap_or_default()
        .to_lowercase();
    names.iter().any(|name| city.contains(&name.to_lowercase()))
}

fn sums(arguments: &Value, expected: f64) -> bool {
    let number = |name: &str| arguments.get(name).and_then(Value::as_f64);
    let sum = number("a").zip(number("b")).map(|(a, b)| a + b);
    sum.is_some_and(|sum| (sum - expected).abs() < 1e-9)
}

/// The value at a JSON pointer; null if there is none.
fn at<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    const NONE: &Value = &Value::Null;
    value.pointer(pointer).unwrap_or(NONE)
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn says(reply: &Reply, word: &str) -> bool {
    reply.text.to_lowercase().contains(word)
}

fn json_of(reply: &Reply) -> Option<Map<String, Value>> {
    serde_json::from_str(&reply.text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use translate::reply::ReplyCall;

    fn task(id: &str) -> &'static Task {
        TASKS.iter().find(|task| task.id == id).unwrap()
    }

    fn reply(calls: &[(&str, Value)], text: &str) -> Reply {
        Reply {
            text: text.to_owned(),
            calls: calls
                .iter()
                .map(|(name, arguments)| ReplyCall {
                    name: (*name).to_owned(),
                    arguments: arguments.to_string(),
                })
                .collect(),
            ..Reply::default()
        }
    }

    #[test]
    fn there_are_some_twenty_tasks_by_different_names() {
        let ids: std::collections::HashSet<_> = TASKS.iter().map(|task| task.id).collect();
        assert!(ids.len() == TASKS.len() && (20..=25).contains(&ids.len()));
    }

    #[test]
    fn each_rule_tells_right_from_wrong() {
        let city = |name: &str| ("get_weather", json!({"city": name}));
        let event = |email: &str| {
            json!({"title": "Review", "when": {"date": "2026-12-01", "time": "09:30"},
                "attendees": [{"name": "Ann", "email": "ann@example.org"}, {"name": "Bob", "email": email}]})
        };
        let rows = [
            (
                "one-call",
                reply(&[city("Paris, France")], ""),
                reply(&[city("Rome")], ""),
            ),
            (
                "two-calls",
                reply(&[city("Rome"), city("Paris")], ""),
                reply(&[city("Paris")], ""),
            ),
            (
                "one-at-a-time",
                reply(&[city("Rome")], ""),
                reply(&[city("Rome"), city("Paris")], ""),
            ),
            (
                "no-call-needed",
                reply(&[], "Jupiter."),
                reply(&[city("Jupiter")], "Jupiter"),
            ),
            (
                "tool-forced",
                reply(&[("add", json!({"a": 40, "b": 2}))], ""),
                reply(&[], "42"),
            ),
            (
                "no-arguments",
                reply(&[("now", json!({}))], ""),
                reply(&[("now", json!({"a": 1}))], ""),
            ),
            (
                "long-argument",
                reply(
                    &[("write_file", json!({"path": "poem.txt", "content": POEM}))],
                    "",
                ),
                reply(
                    &[(
                        "write_file",
                        json!({"path": "poem.txt", "content": POEM.replace("\n\n", "\n")}),
                    )],
                    "",
                ),
            ),
            (
                "result-used",
                reply(&[], "It is 17 °C."),
                reply(&[city("Paris")], ""),
            ),
            (
                "nested-arguments",
                reply(&[("create_event", event("bob@example.org"))], ""),
                reply(&[("create_event", event("bob"))], ""),
            ),
            (
                "strict-schema",
                reply(&[], r#"{"name":"Paris","country":"France","capital":true}"#),
                reply(
                    &[],
                    r#"Here: {"name":"Paris","country":"France","capital":true}"#,
                ),
            ),
            (
                "json-object",
                reply(&[], r#"{"primes":[2,3,5,7]}"#),
                reply(&[], r#"{"primes":[1,2,3]}"#),
            ),
            ("japanese", reply(&[city("東京")], ""), reply(&[], "東京")),
        ];
        for (id, right, wrong) in rows {
            assert!(task(id).is_right(&right), "{id}");
            assert!(!task(id).is_right(&wrong), "{id}");
        }
    }
}
