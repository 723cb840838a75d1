//! In a call: its arguments are written as they come, or held until they are checked.

use super::budget::MAX_HOLD;
use super::state::{Between, OpenCall, ReadCall, State, Step, Tentative};
use super::{Driver, MAX_BLANK, Passed};
use crate::interpret::json::Grade;
use crate::interpret::json::emitter::Progress;
use crate::interpret::scanner::ReadError;
use crate::interpret::slice::at_most;
use crate::interpret::tool_calls::args::Writer;
use crate::interpret::tool_calls::outcome::Problem;
use crate::interpret::tool_calls::syntax::{Args, CallHead};
use crate::interpret::tool_calls::tag;
use crate::reply::Event;

impl Driver<'_> {
    /// A head was read at the cursor: begins its call.
    pub(super) fn begin(&mut self, head: CallHead, tentative: Option<Box<Tentative>>) -> State {
        let start = self.source.at();
        self.source.skip(head.end);
        let mut between = Between {
            tentative,
            in_wrapper: true,
            braces: head.depth,
            blank_at: None,
        };
        let tool = self.rules.declared.resolve(&head.name);
        if between.tentative.is_some()
            && tool.is_none()
            && !matches!(head.args, Args::Several(_) | Args::Said(_))
        {
            return self.reject(between);
        }
        if between.tentative.is_some() && self.budget.is_spent() {
            return self.reject(between);
        }
        let read = |json| ReadCall {
            tool,
            name: &head.name,
            json,
            start,
            is_prompt_tag: head.is_prompt_tag,
            grade: Grade::Lossless,
        };
        let writer = match &head.args {
            Args::Several(calls) => return self.several(calls, start, head.is_prompt_tag, between),
            Args::Whole(json) => return self.made(&read(json), between),
            Args::Fitting(json) => {
                return match tool.filter(|tool| self.fits(*tool, json)) {
                    Some(_) => self.made(&read(json), between),
                    None => self.reject(between),
                };
            }
            Args::Said(text) => {
                if let Some(tentative) = &mut between.tentative {
                    tentative.said.get_or_insert_default().push_str(text);
                }
                return State::Between(between);
            }
            Args::Plain(text) => {
                return match self.of_text(tool, text) {
                    Some(json) => self.made(&read(&json), between),
                    None => self.broken(&head.name, None, NO_OBJECT, between),
                };
            }
            Args::Unreadable => return self.broken(&head.name, None, NO_OBJECT, between),
            Args::Json => Writer::json(&self.rules.close),
            Args::Encoded { mark, twice } => Writer::encoded(*mark, *twice, &self.rules.close),
            Args::Tagged => Writer::tagged(false, 0),
        };
        let mut call = OpenCall {
            tool,
            name: head.name,
            writer,
            started: None,
            held: String::new(),
            written: 0,
            start,
            is_prompt_tag: head.is_prompt_tag,
            complete: false,
            between,
        };
        if !self.rules.options.hold
            && self.may_flow(&call)
            && let Some(tool) = tool.and_then(|t| self.rules.declared.get(t))
        {
            let index = self.progress.index;
            call.started = Some(index);
            self.drop_held();
            let name = tool.name.as_str();
            (self.sink)(Event::CallStarted { index, name });
        }
        State::Arguments(Box::new(call))
    }

    /// Whether a call is given as it comes in an answer that is streamed, rather than held until
    /// it is whole.
    fn may_flow(&self, call: &OpenCall) -> bool {
        call.between.tentative.is_none()
            && !self.is_strict(call.tool)
            && (call.is_prompt_tag || self.rules.quoted.is_empty())
    }

    pub(super) fn arguments(&mut self, mut call: Box<OpenCall>) -> Step {
        if call.complete {
            return self.complete(call);
        }
        let is_final = self.source.is_final();
        let tool = call.tool.and_then(|t| self.rules.declared.get(t));
        let mut out = String::new();
        let mut fed = call
            .writer
            .feed(self.source.rest(), is_final, tool, &mut out);
        self.source.skip(fed.consumed);
        if fed.progress == Progress::More && is_final {
            fed.progress = match call.writer.close(&mut out) {
                Ok(()) => Progress::Done,
                // Upstream's limits have many words, or none: an answer that ends so was cut.
                Err(_)
                    if tool.is_some()
                        && call.writer.ends_in_string()
                        && call.between.tentative.is_none() =>
                {
                    self.progress.outcome.cut_in_call = true;
                    self.source.drop_all();
                    return Step::Wait(State::Arguments(call));
                }
                Err(why) => Progress::Broken(why),
            };
        }
        let json = matches!(call.writer, Writer::Json(_));
        let done = fed.progress == Progress::Done;
        if done && json && out.pop().is_some_and(|c| c != '}') {
            fed.progress = Progress::Broken(NO_OBJECT);
        }
        self.write(&mut call, &out);
        if call.started.is_some() {
            self.source.drop_read();
        } else if self.source.held().len() > MAX_HOLD {
            fed.progress = Progress::Broken("its arguments are too long");
        }
        match fed.progress {
            Progress::More => Step::Wait(State::Arguments(call)),
            Progress::Done if json => self.complete(call),
            Progress::Done => Step::Go(self.finish(*call)),
            Progress::Broken(why) => Step::Go(self.gave_up(*call, why)),
        }
    }

    /// Gives arguments, or keeps them if the call is held.
    fn write(&mut self, call: &mut OpenCall, json: &str) {
        call.written += json.len();
        match call.started {
            Some(index) if !json.is_empty() => (self.sink)(Event::CallArguments { index, json }),
            Some(_) => {}
            None => call.held.push_str(json),
        }
    }

    /// The object is complete but for its brace. Blocks of raw text may follow as more members.
    fn complete(&mut self, mut call: Box<OpenCall>) -> Step {
        const RAW: &str = "<arg name=";
        let rest = at_most(self.source.rest(), MAX_BLANK);
        let mut ahead = rest.trim_start();
        for _ in 0..call.between.braces {
            ahead = ahead.strip_prefix('}').unwrap_or(ahead).trim_start();
        }
        if ahead.starts_with(RAW) {
            let passed = rest.len() - ahead.len();
            self.source.skip(passed);
            call.writer = Writer::tagged(true, call.written.saturating_sub(1));
            call.complete = false;
            call.between.braces = 0;
            return Step::Go(State::Arguments(call));
        }
        if RAW.starts_with(ahead) && !self.source.is_final() && rest.len() < MAX_BLANK {
            call.complete = true;
            return Step::Wait(State::Arguments(call));
        }
        self.write(&mut call, "}");
        Step::Go(self.finish(*call))
    }

    /// The arguments are complete.
    fn finish(&mut self, call: OpenCall) -> State {
        self.progress.parameter_tag = call.writer.parameter_tag().map(str::to_owned);
        if let Some(index) = call.started {
            (self.sink)(Event::CallEnded { index });
            self.source.drop_read();
            let flow = self.counted();
            return call.between.unless(flow);
        }
        let lenient = self.rules.options.last && !self.is_strict(call.tool);
        if call.writer.repeated_key() && !lenient {
            let why = "a key stands twice in its arguments";
            return self.broken(&call.name, None, why, call.between);
        }
        let read = ReadCall {
            tool: call.tool,
            name: &call.name,
            json: &call.held,
            start: call.start,
            is_prompt_tag: call.is_prompt_tag,
            grade: call.writer.grade(),
        };
        self.made(&read, call.between)
    }

    /// The arguments turned out unreadable on the way.
    fn gave_up(&mut self, call: OpenCall, why: &str) -> State {
        // The end of an open value was looked for in all that has come, and the calls that the
        // value holds look for theirs again. Where that was too much, the call reaches to the end.
        if call.writer.looks_ahead() {
            self.budget.charge(self.source.end() - self.source.at());
            if self.budget.is_spent() {
                self.source.go(self.source.end());
            }
        }
        if let Some(index) = call.started {
            self.progress.index += 1;
            self.source.drop_read();
            return self.broken(&call.name, Some(index), why, call.between);
        }
        if self.may_flow(&call) {
            self.progress.outcome.unfinished += 1;
        }
        // The calls behind a broken one: only where our own tag, which no text of the request
        // holds, says that the broken one had ended.
        let close = &self.rules.close;
        let behind = self.source.since(call.start).find(close.as_str());
        let behind = behind.map(|at| call.start + at + close.len());
        if let Some(behind) = behind.filter(|behind| {
            call.is_prompt_tag && *behind < self.source.at() && call.between.tentative.is_none()
        }) && self.budget.may_return()
        {
            self.source.go(behind);
            return match self.broken(&call.name, None, why, call.between) {
                State::Malformed(between) => State::Between(between),
                state => state,
            };
        }
        self.broken(&call.name, None, why, call.between)
    }

    /// A call that cannot be read, to its closing tag. `index` is its number if it was started.
    pub(super) fn broken(
        &mut self,
        name: &str,
        index: Option<usize>,
        why: &str,
        between: Between,
    ) -> State {
        if between.tentative.is_some() {
            return self.reject(between);
        }
        self.progress.outcome.problems.push(Problem::Broken {
            name: name.to_owned(),
            index,
            why: why.to_owned(),
        });
        match self.suspected(between) {
            State::Between(between) => State::Malformed(between),
            state => state,
        }
    }

    /// Passes an unreadable call up to its closing tag.
    pub(super) fn malformed(&mut self, between: Between) -> Step {
        while let Some(found) = self.source.rest().find('<') {
            self.source.skip(found);
            match tag::lex(&mut self.source.cursor(), &tag::known) {
                Err(ReadError::Incomplete) => return Step::Wait(State::Malformed(between)),
                Ok(tag) if tag::sense(&tag, self.rules.tags).is_some() => {
                    return Step::Go(State::Between(between));
                }
                _ => self.source.skip(1),
            }
        }
        self.source.go(self.source.end());
        if self.progress.passed == Passed::Dropped {
            self.source.drop_read();
        }
        Step::Wait(State::Malformed(between))
    }
}

/// Why arguments cannot be read that are something else than JSON.
const NO_OBJECT: &str = "its arguments are not a JSON object";
