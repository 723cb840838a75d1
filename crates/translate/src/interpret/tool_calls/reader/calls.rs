//! In a call: its arguments are written as they come, or held until they are checked.

use super::super::args::Writer;
use super::super::outcome::Problem;
use super::super::syntax::{Args, CallHead};
use super::super::tag;
use super::{MAX_BLANK, MAX_HOLD, MAX_RETURNS, Next, Open, Reader, Sink, State};
use crate::interpret::json::Grade;
use crate::interpret::json::emitter::Progress;
use crate::interpret::scanner::{Cursor, Halt};
use crate::interpret::slice::{at_most, from};
use crate::reply::Event;
use crate::schema::Schema;

impl Reader {
    /// A head was read at the cursor: begins its call.
    pub(super) fn begin(&mut self, head: CallHead, sink: Sink<'_>) {
        let start = self.pos;
        self.pos += head.end;
        self.inside = true;
        self.state = State::Between;
        self.depth = head.depth;
        let tool = self.declared.resolve(&head.name);
        if self.region.is_some()
            && tool.is_none()
            && !matches!(head.args, Args::Several(_) | Args::Said(_))
        {
            return self.reject(sink);
        }
        let writer = match head.args {
            Args::Several(calls) => return self.several(calls, start, head.ours, sink),
            Args::Whole(json) => {
                return self.made(
                    tool,
                    &head.name,
                    &json,
                    start,
                    head.ours,
                    Grade::Lossless,
                    sink,
                );
            }
            Args::Fitting(json) => {
                return match tool.filter(|tool| self.fits(*tool, &json)) {
                    Some(_) => self.made(
                        tool,
                        &head.name,
                        &json,
                        start,
                        head.ours,
                        Grade::Lossless,
                        sink,
                    ),
                    None => self.reject(sink),
                };
            }
            Args::Said(text) => {
                if let Some(region) = &mut self.region {
                    region.said.get_or_insert_default().push_str(&text);
                }
                return;
            }
            Args::Plain(text) => {
                return self.plain(tool, &head.name, &text, start, head.ours, sink);
            }
            Args::Unreadable => {
                return self.broken(&head.name, None, "its arguments are no JSON object", sink);
            }
            Args::Json => Writer::json(&self.close),
            Args::Encoded { mark, twice } => Writer::encoded(mark, twice, &self.close),
            Args::Tagged => Writer::tagged(false, 0),
        };
        let mut open = Open {
            tool,
            name: head.name,
            writer,
            started: None,
            held: String::new(),
            written: 0,
            from: start,
            ours: head.ours,
            depth: head.depth,
            complete: false,
        };
        if self.flows(&open)
            && let Some(name) = tool
                .and_then(|t| self.declared.get(t))
                .map(|t| t.name.clone())
        {
            open.started = Some(self.index);
            self.drop_held(self.pos);
            sink(Event::CallStarted {
                index: self.index,
                name: &name,
            });
        }
        self.state = State::Call(Box::new(open));
    }

    /// Whether a call is given as it comes, rather than held until it is whole.
    pub(super) fn flows(&self, open: &Open) -> bool {
        !self.options.hold && self.may_flow(open)
    }

    /// Whether it is given as it comes in an answer that is streamed.
    fn may_flow(&self, open: &Open) -> bool {
        self.region.is_none() && !self.is_strict(open.tool) && (open.ours || self.quoted.is_empty())
    }

    /// Whether the tool's arguments must match its schema; an unknown tool has none to match.
    fn is_strict(&self, tool: Option<usize>) -> bool {
        tool.and_then(|t| self.declared.get(t))
            .is_none_or(|t| t.strict)
    }

    /// Whether arguments are the tool's own: parameters that it has, and as its schema wants them.
    fn fits(&self, tool: usize, json: &str) -> bool {
        let Some(tool) = self.declared.get(tool) else {
            return false;
        };
        let Ok(value) = serde_json::from_str::<serde_json::Value>(json) else {
            return false;
        };
        let known = value
            .as_object()
            .is_some_and(|members| tool.has_all(members.keys()));
        known && Schema::compile(&tool.schema).is_ok_and(|schema| schema.fit(value).is_ok())
    }

    /// A call is made: what was held before it is no text.
    pub(super) fn drop_held(&mut self, end: usize) {
        self.discard = true;
        self.sent = end;
        self.suspect = false;
    }

    pub(super) fn call(&mut self, mut open: Box<Open>, whole: bool, sink: Sink<'_>) -> Next {
        if open.complete {
            return self.complete(open, whole, sink);
        }
        let tool = open.tool.and_then(|t| self.declared.get(t));
        let mut out = String::new();
        let mut fed = open
            .writer
            .feed(from(&self.buf, self.pos), whole, tool, &mut out);
        self.pos += fed.consumed;
        if fed.progress == Progress::More && whole {
            fed.progress = match open.writer.close(&mut out) {
                Ok(()) => Progress::Done,
                // Upstream's limits have many words, or none: an answer that ends so was cut.
                Err(_)
                    if open.tool.is_some()
                        && open.writer.ends_in_string()
                        && self.region.is_none() =>
                {
                    self.state = State::Call(open);
                    self.cut();
                    return Next::Wait;
                }
                Err(why) => Progress::Broken(why),
            };
        }
        let done = fed.progress == Progress::Done;
        if done && matches!(open.writer, Writer::Json(_)) && out.pop().is_some_and(|c| c != '}') {
            fed.progress = Progress::Broken("its arguments are no JSON object");
        }
        open.write(&out, sink);
        if open.started.is_some() {
            self.sent = self.pos;
        } else if self.pos - self.sent > MAX_HOLD {
            fed.progress = Progress::Broken("its arguments are too long");
        }
        match fed.progress {
            Progress::More => {
                self.state = State::Call(open);
                Next::Wait
            }
            Progress::Done if matches!(open.writer, Writer::Json(_)) => {
                self.complete(open, whole, sink)
            }
            Progress::Done => {
                self.finish(&open, sink);
                Next::Go
            }
            Progress::Broken(why) => {
                self.gave_up(&open, why, sink);
                Next::Go
            }
        }
    }

    /// The object is complete but for its brace. Blocks of raw text may follow as more members.
    pub(super) fn complete(&mut self, mut open: Box<Open>, whole: bool, sink: Sink<'_>) -> Next {
        const RAW: &str = "<arg name=";
        let rest = at_most(from(&self.buf, self.pos), MAX_BLANK);
        let mut ahead = rest.trim_start();
        for _ in 0..open.depth {
            ahead = ahead.strip_prefix('}').unwrap_or(ahead).trim_start();
        }
        if ahead.starts_with(RAW) {
            self.pos += rest.len() - ahead.len();
            open.writer = Writer::tagged(true, open.written.saturating_sub(1));
            open.complete = false;
            open.depth = 0;
            self.depth = 0;
            self.state = State::Call(open);
            return Next::Go;
        }
        if RAW.starts_with(ahead) && !whole && rest.len() < MAX_BLANK {
            open.complete = true;
            self.state = State::Call(open);
            return Next::Wait;
        }
        open.write("}", sink);
        self.finish(&open, sink);
        Next::Go
    }

    /// The arguments are complete.
    pub(super) fn finish(&mut self, open: &Open, sink: Sink<'_>) {
        self.state = State::Between;
        self.depth = open.depth;
        self.parameter_tag = open.writer.parameter_tag().map(str::to_owned);
        if let Some(index) = open.started {
            sink(Event::CallEnded { index });
            self.sent = self.pos;
            return self.counted();
        }
        let lenient = self.options.last && !self.is_strict(open.tool);
        if open.writer.repeated_key() && !lenient {
            return self.broken(
                &open.name,
                None,
                "a key stands twice in its arguments",
                sink,
            );
        }
        self.made(
            open.tool,
            &open.name,
            &open.held,
            open.from,
            open.ours,
            open.writer.grade(),
            sink,
        );
    }

    pub(super) fn counted(&mut self) {
        self.index += 1;
        self.outcome.calls += 1;
        if self.tools.one_at_a_time {
            self.stopped = true;
        }
    }

    /// A call was read whole.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one fact about the call that was read"
    )]
    pub(super) fn made(
        &mut self,
        tool: Option<usize>,
        name: &str,
        json: &str,
        start: usize,
        ours: bool,
        grade: Grade,
        sink: Sink<'_>,
    ) {
        self.state = State::Between;
        let Some(tool) = tool else {
            self.outcome.problems.push(Problem::Unknown {
                name: name.to_owned(),
            });
            return self.suspected(sink);
        };
        let raw = self.buf.get(start..self.pos).unwrap_or_default();
        if !ours && !self.quoted.is_empty() && self.quoted.holds(raw) {
            return self.suspected(sink);
        }
        if self.region.as_ref().is_some_and(|r| r.foreign) && !self.fits(tool, json) {
            return self.reject(sink);
        }
        let json = match self.checked(tool, json, grade) {
            Ok(json) => json,
            Err(_) if self.region.is_some() && !self.options.hold => return self.reject(sink),
            Err(problem) => {
                self.outcome.problems.push(problem);
                return self.suspected(sink);
            }
        };
        if let Some(region) = &mut self.region {
            region.drafts.push((tool, json));
            return;
        }
        self.emit_call(tool, &json, sink);
    }

    pub(super) fn emit_call(&mut self, tool: usize, json: &str, sink: Sink<'_>) {
        let Some(name) = self.declared.get(tool).map(|t| t.name.clone()) else {
            return;
        };
        let index = self.index;
        self.drop_held(self.pos);
        sink(Event::CallStarted { index, name: &name });
        sink(Event::CallArguments { index, json });
        sink(Event::CallEnded { index });
        self.counted();
    }

    /// Checks the arguments of a held call against the tool's schema, where that matters.
    pub(super) fn checked(&self, tool: usize, json: &str, grade: Grade) -> Result<String, Problem> {
        let Some(tool) = self.declared.get(tool) else {
            return Ok(json.to_owned());
        };
        let broken = |why: String| Problem::Broken {
            name: tool.name.clone(),
            index: None,
            why,
        };
        let value: serde_json::Value =
            serde_json::from_str(json).map_err(|e| broken(e.to_string()))?;
        let definition = value.get("type").is_some_and(|t| t == "object")
            && value
                .get("properties")
                .is_some_and(serde_json::Value::is_object);
        if self.region.is_some() && definition && !tool.has("properties") {
            return Err(broken("it is the tool's definition".to_owned()));
        }
        if !tool.strict && !self.options.hold && grade < Grade::Guess {
            return Ok(json.to_owned());
        }
        let Ok(schema) = Schema::compile(&tool.schema) else {
            return Ok(json.to_owned());
        };
        if !schema.can_check(&value) {
            return Ok(json.to_owned());
        }
        match schema.fit(value) {
            Ok(fitted) => Ok(fitted.to_string()),
            Err(_) if self.options.last && !tool.strict => Ok(json.to_owned()),
            Err(errors) => Err(Problem::Mismatch {
                name: tool.name.clone(),
                errors,
            }),
        }
    }

    pub(super) fn several(
        &mut self,
        calls: Vec<(String, String)>,
        start: usize,
        ours: bool,
        sink: Sink<'_>,
    ) {
        for (name, json) in calls {
            let tool = self.declared.resolve(&name);
            if tool.is_none() && self.region.is_some() {
                return self.reject(sink);
            }
            self.made(tool, &name, &json, start, ours, Grade::Lossless, sink);
            if self.stopped {
                return;
            }
        }
    }

    /// Plain text where arguments should be: those of a tool that takes one text.
    pub(super) fn plain(
        &mut self,
        tool: Option<usize>,
        name: &str,
        text: &str,
        start: usize,
        ours: bool,
        sink: Sink<'_>,
    ) {
        let sole = tool
            .and_then(|t| self.declared.get(t))
            .and_then(|t| t.sole_text());
        let Some(json) = sole.map(|key| serde_json::json!({ key: text }).to_string()) else {
            return self.broken(name, None, "its arguments are no JSON object", sink);
        };
        self.made(tool, name, &json, start, ours, Grade::Lossless, sink);
    }

    /// The arguments turned out unreadable on the way.
    pub(super) fn gave_up(&mut self, open: &Open, why: &str, sink: Sink<'_>) {
        if let Some(index) = open.started {
            self.index += 1;
            self.sent = self.pos;
            self.broken(&open.name, Some(index), why, sink);
            return;
        }
        if self.may_flow(open) {
            self.outcome.unfinished += 1;
        }
        // The calls behind a broken one: only where our own tag, which no text of the request
        // holds, says that the broken one had ended.
        let raw = self.buf.get(open.from..).unwrap_or_default();
        let behind = raw
            .find(&self.close)
            .map(|at| open.from + at + self.close.len());
        if let Some(behind) = behind.filter(|b| {
            open.ours && *b < self.pos && self.region.is_none() && self.returns < MAX_RETURNS
        }) {
            self.returns += 1;
            self.pos = behind;
            self.broken(&open.name, None, why, sink);
            self.state = State::Between;
            return;
        }
        self.broken(&open.name, None, why, sink);
    }

    pub(super) fn broken(&mut self, name: &str, index: Option<usize>, why: &str, sink: Sink<'_>) {
        if self.region.is_some() {
            return self.reject(sink);
        }
        self.outcome.problems.push(Problem::Broken {
            name: name.to_owned(),
            index,
            why: why.to_owned(),
        });
        self.suspected(sink);
        self.state = State::Garbage;
    }

    /// A call that is not made is held, to be text if only text follows. Behind a call it is dropped.
    pub(super) fn suspected(&mut self, sink: Sink<'_>) {
        if self.region.is_some() {
            return self.reject(sink);
        }
        if self.outcome.calls > 0 || self.discard {
            self.sent = self.pos;
        } else {
            self.suspect = true;
        }
    }

    /// Passes an unreadable call up to its closing tag.
    pub(super) fn garbage(&mut self, whole: bool, _sink: Sink<'_>) -> Next {
        let mut at = self.pos;
        while let Some(found) = from(&self.buf, at).find('<') {
            at += found;
            let mut cursor = Cursor::new(from(&self.buf, at), whole);
            match tag::lex(&mut cursor, &tag::known) {
                Err(Halt::Incomplete) => {
                    self.pos = at;
                    self.state = State::Garbage;
                    return Next::Wait;
                }
                Ok(tag) if tag::sense(&tag, self.tags).is_some() => {
                    self.pos = at;
                    self.state = State::Between;
                    return Next::Go;
                }
                _ => at += 1,
            }
        }
        self.pos = self.buf.len();
        if self.discard {
            self.sent = self.pos;
        }
        self.state = State::Garbage;
        Next::Wait
    }
}

impl Open {
    /// Gives arguments, or keeps them if the call is held.
    fn write(&mut self, json: &str, sink: Sink<'_>) {
        self.written += json.len();
        match self.started {
            Some(index) if !json.is_empty() => sink(Event::CallArguments { index, json }),
            Some(_) => {}
            None => self.held.push_str(json),
        }
    }
}
