//! The prompt as a model reads it: who said what, which tools are offered, what is asked last.
//!
//! Messages stand between tags on lines of their own, all with the same number behind the name if
//! any has one. What the tags mean is taken from the prompt alone.

use serde_json::Value;

use crate::model::section::{self, Tool};

const ROLES: [(&str, Role); 4] = [
    ("system", Role::System),
    ("user", Role::User),
    ("assistant", Role::Assistant),
    ("tool_result", Role::Result),
];

/// Who speaks in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    System,
    User,
    Assistant,
    Result,
}

/// A message of the transcript.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Message<'a> {
    role: Role,
    pub(super) name: Option<&'a str>,
    /// Whether it is the result of a call that failed.
    pub(super) error: bool,
    pub(super) text: &'a str,
}

/// Whether a call is insisted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand<'a> {
    Nothing,
    AnyTool,
    Tool(&'a str),
}

/// A prompt, read.
#[derive(Debug, Default)]
pub(super) struct Prompt<'a> {
    messages: Vec<Message<'a>>,
    /// The section that offers tools; empty if there is none.
    section: &'a str,
    /// What stands behind the last message; all of a prompt that is no transcript.
    tail: &'a str,
}

impl<'a> Prompt<'a> {
    pub(super) fn read(prompt: &'a str) -> Self {
        let Some(number) = number_of_tags(prompt) else {
            return Self {
                messages: vec![Message {
                    role: Role::User,
                    name: None,
                    error: false,
                    text: prompt,
                }],
                section: section::find(prompt).unwrap_or_default(),
                tail: prompt,
            };
        };
        Self::transcript(prompt, number)
    }

    fn transcript(prompt: &'a str, number: &str) -> Self {
        let mut read = Self::default();
        let (mut at, mut outside) = (0, 0);
        while let Some(line) = line_at(prompt, at) {
            let Some((mut message, close)) = opening(line, number) else {
                at += line.len();
                continue;
            };
            let body = at + line.len();
            let Some((end, next)) = find_line(prompt, body, &close) else {
                at += line.len();
                continue;
            };
            message.text = prompt
                .get(body..end)
                .unwrap_or_default()
                .trim_end_matches('\n');
            read.messages.push(message);
            read.look_for_section(prompt.get(outside..at).unwrap_or_default());
            (at, outside) = (next, next);
        }
        read.tail = prompt.get(outside..).unwrap_or_default();
        read.look_for_section(read.tail);
        read
    }

    fn look_for_section(&mut self, outside: &'a str) {
        if let Some(section) = section::find(outside).filter(|_| self.section.is_empty()) {
            self.section = section;
        }
    }

    /// Where the last user turn begins. A user message right behind results belongs to them: some
    /// clients send reminders along with each result.
    fn turn(&self) -> usize {
        let own = |at: usize, message: &Message<'_>| {
            let before = at
                .checked_sub(1)
                .and_then(|before| self.messages.get(before));
            message.role == Role::User && before.is_none_or(|before| before.role != Role::Result)
        };
        let mut found = 0;
        for (at, message) in self.messages.iter().enumerate() {
            if own(at, message) {
                found = at;
            }
        }
        found
    }

    fn since_the_user(&self) -> &[Message<'a>] {
        self.messages.get(self.turn()..).unwrap_or_default()
    }

    /// Assistant messages with results since the last user message.
    pub(super) fn rounds(&self) -> usize {
        let messages = self.since_the_user();
        let pairs = messages.iter().zip(messages.iter().skip(1));
        pairs
            .filter(|(one, next)| one.role == Role::Assistant && next.role == Role::Result)
            .count()
    }

    /// Whether the last message tells the model what was wrong with its answer.
    pub(super) fn corrects(&self) -> bool {
        let since = self.since_the_user();
        since.len() > 1 && since.last().is_some_and(|last| last.role == Role::System)
    }

    /// The text of the last user message.
    pub(super) fn last_user_text(&self) -> &'a str {
        let first = self.since_the_user().first();
        first.map_or("", |message| message.text)
    }

    /// The results since the last user message.
    pub(super) fn results(&self) -> Vec<Message<'a>> {
        let messages = self.since_the_user().iter();
        messages
            .filter(|message| message.role == Role::Result)
            .copied()
            .collect()
    }

    /// The texts of the results since the last assistant message.
    pub(super) fn last_results(&self) -> String {
        let messages = self.since_the_user();
        let last = messages.rsplit(|message| message.role == Role::Assistant);
        let results = last.take(1).flatten();
        let texts: Vec<&str> = results
            .filter(|message| message.role == Role::Result)
            .map(|message| message.text)
            .collect();
        texts.join("\n")
    }

    /// The tools that are offered.
    pub(super) fn tools(&self) -> Vec<Tool<'a>> {
        section::tools(self.section)
    }

    /// The tag that is asked for around a call.
    pub(super) fn asked_tag(&self) -> &'a str {
        let tag = self
            .section
            .lines()
            .find(|line| line.starts_with('<') && line.ends_with('>'));
        tag.unwrap_or("<tool_call>")
    }

    pub(super) fn one_at_a_time(&self) -> bool {
        self.section.contains("One block only")
    }

    pub(super) fn demand(&self) -> Demand<'a> {
        let named = |line: &'a str| line.strip_prefix("Call ")?.split_once(" now:");
        if self.tail.contains("You must call at least one tool") {
            Demand::AnyTool
        } else if let Some((name, _)) = self.tail.lines().find_map(named) {
            Demand::Tool(name)
        } else {
            Demand::Nothing
        }
    }

    /// The schema that the answer must fit; one for any object if only JSON is asked for.
    pub(super) fn requested_schema(&self) -> Option<Value> {
        let asked = |line: &&str| line.contains("Answer with one JSON");
        if !self.tail.lines().any(|line| asked(&line)) {
            return None;
        }
        for (at, words) in self.tail.match_indices("JSON Schema") {
            let rest = self.tail.get(at + words.len()..).unwrap_or_default();
            let below = rest.split_once('\n').map_or("", |(_, below)| below);
            let mut values = serde_json::Deserializer::from_str(below).into_iter::<Value>();
            if let Some(Ok(schema @ (Value::Object(_) | Value::Bool(_)))) = values.next() {
                return Some(schema);
            }
        }
        Some(serde_json::json!({
            "type": "object",
            "properties": {"answer": {"type": "string"}},
            "required": ["answer"],
        }))
    }
}

/// The number behind the tags' names, with its dash: that of the last line that closes a message.
/// No text of the request holds a tag of that number.
fn number_of_tags(prompt: &str) -> Option<&str> {
    let number = |line: &'_ str| -> Option<(usize, usize)> {
        let name = line.strip_prefix("</")?.strip_suffix('>')?;
        let rest = ROLES.iter().find_map(|(role, _)| name.strip_prefix(role))?;
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        let fits = digits.bytes().all(|byte| byte.is_ascii_digit()) && rest != "-";
        fits.then_some((line.len() - 1 - rest.len(), line.len() - 1))
    };
    prompt
        .lines()
        .rev()
        .find_map(|line| number(line).and_then(|(from, to)| line.get(from..to)))
}

/// The message that a line opens, still without text, and the line that closes it.
fn opening<'a>(line: &'a str, number: &str) -> Option<(Message<'a>, String)> {
    let inner = line.trim_end_matches('\n').strip_prefix('<')?;
    let inner = inner.strip_suffix('>')?;
    let (tag, attributes) = inner.split_once(' ').unwrap_or((inner, ""));
    let (word, role) = ROLES
        .iter()
        .find(|(word, _)| tag.strip_prefix(word).is_some_and(|rest| rest == number))?;
    let message = Message {
        role: *role,
        name: attribute(attributes, "name"),
        error: attribute(attributes, "status") == Some("error"),
        text: "",
    };
    Some((message, format!("</{word}{number}>")))
}

fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let at = attributes.find(&format!("{name}=\""))?;
    let value = attributes.get(at + name.len() + 2..)?;
    value.split('"').next()
}

/// The line that begins at `at`, with its end.
fn line_at(text: &str, at: usize) -> Option<&str> {
    text.get(at..)?.split_inclusive('\n').next()
}

/// Where the next line that reads `wanted` begins, and where the one behind it.
fn find_line(text: &str, from: usize, wanted: &str) -> Option<(usize, usize)> {
    let mut at = from;
    while let Some(line) = line_at(text, at) {
        if line.trim_end_matches('\n') == wanted {
            return Some((at, at + line.len()));
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{Demand, Prompt};

    const LOOP: &str = "<system>\nBe brief.\n</system>\n# Tools\nCall tools only by text blocks, outside code fences; they replace native or function calling:\n<tool_call>\n{\"name\": \"TOOL\", \"arguments\": {…}}\n</tool_call>\nArguments: one valid JSON object, strings escaped. Independent calls: several blocks. Then stop: results come as <tool_result>; never write one.\n\nweather(city: string, unit?: \"c\"|\"f\") // Now\nnow()\n{\"name\":\"sum\",\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]}}\n<user>\nfirst\n</user>\n<assistant>\nhello\n</assistant>\n<user name=\"ann\">\nsecond\n</user>\n<assistant>\n<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>\n</assistant>\n<tool_result name=\"now\" id=\"c1\">\n12:00\n</tool_result>\n<tool_result name=\"weather\" id=\"c2\" status=\"error\">\nno such city\n</tool_result>\n<user>\n<reminder>go on</reminder>\n</user>\n\nWrite the next <assistant> message: only what stands between its tags.\nIf a tool is needed, write its <tool_call> block now; otherwise answer.\n";

    #[test]
    fn a_transcript_is_read() {
        let prompt = Prompt::read(LOOP);
        assert_eq!((prompt.rounds(), prompt.last_user_text()), (1, "second"));
        let results: Vec<_> = prompt
            .results()
            .iter()
            .map(|result| (result.name, result.error, result.text))
            .collect();
        assert_eq!(
            results,
            [
                (Some("now"), false, "12:00"),
                (Some("weather"), true, "no such city")
            ]
        );
        assert_eq!(prompt.last_results(), "12:00\nno such city");
        let tools: Vec<_> = prompt
            .tools()
            .iter()
            .map(|tool| (tool.name.clone(), tool.arguments()))
            .collect();
        assert_eq!(
            tools,
            [
                ("weather".to_owned(), json!({"city": "text"})),
                ("now".to_owned(), json!({})),
                ("sum".to_owned(), json!({"a": 1}))
            ]
        );
        assert_eq!(
            (prompt.asked_tag(), prompt.one_at_a_time(), prompt.demand()),
            ("<tool_call>", false, Demand::Nothing)
        );
        assert_eq!(prompt.requested_schema(), None);
    }

    #[test]
    fn numbered_tags_are_read_and_plain_ones_are_text() {
        let text = "<user-2>\n<tool_result>\nx\n</tool_result>\n</user-2>\n<assistant-2>\n</user>\n</assistant-2>\n<tool_result-2 name=\"f\">\ny\n</tool_result-2>\n\nCall f now: write only its <tool_call-2> block.\n";
        let prompt = Prompt::read(text);
        assert_eq!(prompt.last_user_text(), "<tool_result>\nx\n</tool_result>");
        assert_eq!((prompt.rounds(), prompt.results().len()), (1, 1));
        assert_eq!(prompt.demand(), Demand::Tool("f"));
    }

    #[test]
    fn a_schema_is_found_behind_the_last_message_only() {
        let ask = "Answer with one JSON value that matches this JSON Schema, its keys in this order; nothing before or after it.\n{\"type\":\"integer\"}";
        assert_eq!(
            Prompt::read(ask).requested_schema(),
            Some(json!({"type": "integer"}))
        );
        let quoted = format!("<user>\n{ask}\n</user>\n\nWrite on.\n");
        assert_eq!(Prompt::read(&quoted).requested_schema(), None);
        let any = "hi\nAnswer with one JSON object; nothing before or after it.";
        assert_eq!(
            Prompt::read(any)
                .requested_schema()
                .map(|schema| schema["type"].clone()),
            Some(json!("object"))
        );
        assert_eq!(
            Prompt::read("tell me about JSON Schema").requested_schema(),
            None
        );
    }

    proptest! {
        #[test]
        fn no_prompt_makes_it_panic(text in r#"(<|</|user|assistant|tool_result|-2|>|\n|# Tools\n|f\(|"|:|\{|Answer with one JSON|JSON Schema|ü){0,32}"#) {
            let prompt = Prompt::read(&text);
            let _ = (prompt.rounds(), prompt.last_results(), prompt.demand(), prompt.requested_schema());
            for tool in prompt.tools() {
                let _ = tool.arguments();
            }
        }
    }
}
