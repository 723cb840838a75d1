//! Planning: what a turn asks for against what its model and this relay can do, before anything
//! is spent.

use crate::chat_request::{ChatRequest, Delivery, OutputFormat, Part};
use crate::compose::schema;
pub use crate::compose::schema::StrictRules;
use crate::failure::{Failure, Kind, echo};

/// What the turn's model can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelCapabilities {
    /// Whether it sees images.
    pub vision: bool,
    /// Whether upstream's generator of code serves it.
    pub code: CodeSupport,
}

/// Whether upstream's generator of code serves a model. It takes text alone and never streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeSupport {
    /// It does not.
    Never,
    /// Chat serves it as well.
    Also,
    /// Nothing else serves it.
    Only,
}

/// What the operator permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanSettings {
    /// The most answers one request may ask for.
    pub max_choices: u32,
    /// Whether a parameter without effect is refused instead of named in a header.
    pub strict: bool,
    /// How often the model is asked to correct a tool call, at most.
    pub call_corrections: u32,
    /// How often the model is asked to correct an answer that is not the JSON asked for, at most.
    pub json_corrections: u32,
}

/// What a dialect lays down for the time after its requests were decoded: how it names the fields
/// that can be at fault, and what it demands of a strict schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DialectRules {
    /// The field with the conversation. What reads turns calls it `messages`.
    pub conversation: &'static str,
    /// The field with the schema of the answer.
    pub output_schema: &'static str,
    /// The field of one of `tools` with the schema of its arguments.
    pub tool_schema: &'static str,
    /// What a strict schema must keep to.
    pub strict_schemas: StrictRules,
}

/// How the turn is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How upstream is asked.
    pub exchange: Exchange,
    /// How often the model may be asked to correct itself.
    pub corrections: u32,
    /// What has no effect on this way.
    pub ignored: Vec<&'static str>,
}

/// How upstream is asked for its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    /// In one piece: cheaper, and its refusals come with a status.
    Whole,
    /// As a stream: shown as it comes, or cut short when enough has come.
    Streamed,
    /// In one piece, from the generator of code.
    Code,
}

/// Refuses parameters without effect where strictness was asked.
///
/// # Errors
/// The first of them.
pub fn reject_ignored(strict: bool, ignored: &[String]) -> Result<(), Failure> {
    let Some(name) = ignored.first().filter(|_| strict) else {
        return Ok(());
    };
    let name = echo(name);
    let message = format!(
        "`{name}` has no effect with 1min.ai, and strict parameters are on (STRICT_PARAMETERS, or x-relay-strict)."
    );
    Err(Failure::new(Kind::Unsupported, message).with_param(name))
}

/// Whether planning keeps others waiting, however small the request is.
#[must_use]
pub fn takes_long(chat: &ChatRequest) -> bool {
    schema::take_long(&chat.output, &chat.tools)
}

/// Plans a turn.
///
/// # Errors
/// What cannot be done here, before any credit is spent.
pub fn plan(
    chat: &ChatRequest,
    abilities: ModelCapabilities,
    policy: PlanSettings,
    fields: DialectRules,
) -> Result<Plan, Failure> {
    reject_ignored(policy.strict, &chat.ignored)?;
    if !abilities.vision && any(chat, &|part| matches!(part, Part::Image(_))) {
        let message = format!(
            "The model `{}` does not accept images (1044): choose one whose input types in GET /v1/models include image.",
            chat.model
        );
        return Err(Failure::invalid("messages", message).with_code("model_not_supported"));
    }
    let attaches = any(chat, &|part| matches!(part, Part::Image(_) | Part::File(_)));
    if abilities.code == CodeSupport::Only && attaches {
        let message = format!(
            "The model `{}` writes code from text alone: it takes no images and no files.",
            chat.model
        );
        return Err(Failure::invalid("messages", message).with_code("model_not_supported"));
    }
    schema::share_patterns(&chat.output, &chat.tools);
    let mut unchecked = schema::check(&chat.output, fields.strict_schemas, fields.output_schema)?;
    unchecked |= schema::check_tools(&chat.tools, fields.strict_schemas, fields.tool_schema)?;
    let writes_code = match abilities.code {
        CodeSupport::Never => false,
        CodeSupport::Also => chat.code && !attaches,
        CodeSupport::Only => true,
    };
    let code = (chat.code && !writes_code).then_some("code_interpreter");
    reject_ignored(policy.strict, code.map(str::to_owned).as_slice())?;
    // A pattern is a hint where it cannot be checked: the client's library wrote it.
    let ignored = code.into_iter().chain(unchecked.then_some("pattern"));
    Ok(Plan {
        exchange: if writes_code {
            Exchange::Code
        } else {
            exchange(chat)
        },
        corrections: corrections(chat, policy),
        ignored: ignored.collect(),
    })
}

/// Refuses more answers than the operator permits to one request, whose turn and further turns
/// these are.
///
/// # Errors
/// What would be too many.
pub fn check_choices(
    chat: &ChatRequest,
    further: &[ChatRequest],
    policy: PlanSettings,
) -> Result<(), Failure> {
    let most = policy.max_choices;
    let paid = "here: each answer is a paid call of its own (MAX_CHOICES).";
    if chat.choices > most {
        return Err(Failure::invalid(
            "n",
            format!("`n` may be at most {most} {paid}"),
        ));
    }
    let all = further
        .iter()
        .fold(chat.choices, |sum, chat| sum.saturating_add(chat.choices));
    if all > most {
        let message = format!("`prompt` and `n` may ask for at most {most} answers {paid}");
        return Err(Failure::invalid("prompt", message));
    }
    Ok(())
}

/// An answer that may be cut short is streamed: at a limit, or where the model invents the result
/// of a tool it called.
fn exchange(chat: &ChatRequest) -> Exchange {
    let limited = chat.limits.max_tokens.is_some() || !chat.limits.stop.is_empty();
    if chat.delivery == Delivery::Streamed || limited || chat.tools.callable() {
        Exchange::Streamed
    } else {
        Exchange::Whole
    }
}

fn corrections(chat: &ChatRequest, policy: PlanSettings) -> u32 {
    let calls = if chat.tools.callable() {
        policy.call_corrections
    } else {
        0
    };
    let form = if chat.output == OutputFormat::Text {
        0
    } else {
        policy.json_corrections
    };
    calls.max(form)
}

fn any(chat: &ChatRequest, test: &dyn Fn(&Part) -> bool) -> bool {
    fn within(parts: &[Part], test: &dyn Fn(&Part) -> bool) -> bool {
        parts.iter().any(|part| match part {
            Part::Result(result) => within(&result.parts, test),
            part => test(part),
        })
    }
    chat.messages
        .iter()
        .any(|message| within(&message.parts, test))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat_request::{Attachment, Message, Role, Source};
    use crate::dialect::openai::chat::DIALECT;

    const ABLE: ModelCapabilities = ModelCapabilities {
        vision: true,
        code: CodeSupport::Also,
    };
    const POLICY: PlanSettings = PlanSettings {
        max_choices: 4,
        strict: false,
        call_corrections: 1,
        json_corrections: 2,
    };

    fn planned(
        chat: &ChatRequest,
        abilities: ModelCapabilities,
        policy: PlanSettings,
    ) -> Result<Plan, Failure> {
        plan(chat, abilities, policy, DIALECT.fields)
    }

    fn with(part: Part) -> ChatRequest {
        ChatRequest {
            model: "m".to_owned(),
            choices: 1,
            messages: vec![Message {
                role: Role::User,
                name: None,
                parts: vec![part],
            }],
            ..ChatRequest::default()
        }
    }

    fn media() -> Attachment {
        Attachment {
            source: Source::Url("https://example.org/a".to_owned()),
            name: None,
            mime: None,
        }
    }

    #[test]
    fn what_cannot_be_done_is_refused_before_a_credit_is_spent() {
        let blind = ModelCapabilities {
            vision: false,
            ..ABLE
        };
        let refused = planned(&with(Part::Image(media())), blind, POLICY).unwrap_err();
        assert_eq!(refused.code.as_deref(), Some("model_not_supported"));
        assert!(planned(&with(Part::Image(media())), ABLE, POLICY).is_ok());
    }

    #[test]
    fn answers_are_counted_over_all_turns_of_a_request() {
        let chat = |choices| ChatRequest {
            choices,
            ..with(Part::Text("x".to_owned()))
        };
        let table = [
            (chat(4), vec![], None),
            (chat(5), vec![], Some("n")),
            (chat(2), vec![chat(2)], None),
            (chat(2), vec![chat(2), chat(2)], Some("prompt")),
        ];
        for (first, further, param) in table {
            let checked = check_choices(&first, &further, POLICY);
            let named = checked.err().and_then(|failure| failure.param);
            assert_eq!(named.as_deref(), param);
        }
    }

    #[test]
    fn a_parameter_without_effect_is_refused_only_when_strict() {
        let mut chat = with(Part::Text("x".to_owned()));
        chat.ignored = vec!["temperature".to_owned()];
        assert!(planned(&chat, ABLE, POLICY).is_ok());
        let refused = planned(
            &chat,
            ABLE,
            PlanSettings {
                strict: true,
                ..POLICY
            },
        )
        .unwrap_err();
        assert_eq!(
            (refused.kind, refused.param.as_deref()),
            (Kind::Unsupported, Some("temperature"))
        );
    }

    #[test]
    fn the_generator_of_code_is_asked_where_it_is_wanted_and_can_or_nothing_else_can() {
        let said = with(Part::Text("x".to_owned()));
        let wanted = ChatRequest {
            code: true,
            ..said.clone()
        };
        let seen = ChatRequest {
            code: true,
            ..with(Part::Image(media()))
        };
        let (code, whole) = (Ok(Exchange::Code), Ok(Exchange::Whole));
        let table = [
            (&said, CodeSupport::Also, whole),
            (&said, CodeSupport::Only, code),
            (&wanted, CodeSupport::Also, code),
            (&wanted, CodeSupport::Never, whole),
            (&wanted, CodeSupport::Only, code),
            (&seen, CodeSupport::Also, whole),
            (&seen, CodeSupport::Only, Err(Some("model_not_supported"))),
        ];
        for (chat, code, expected) in table {
            let abilities = ModelCapabilities { code, ..ABLE };
            let plan = planned(chat, abilities, POLICY);
            let exchange = plan.as_ref().map(|plan| plan.exchange);
            let exchange = exchange.map_err(|failure| failure.code.as_deref());
            assert_eq!(exchange, expected, "{chat:?} {code:?}");
            let without = chat.code && exchange == whole;
            let strict = PlanSettings {
                strict: true,
                ..POLICY
            };
            let strictly = planned(chat, abilities, strict);
            assert_eq!(strictly.is_err(), without || expected.is_err(), "{chat:?}");
            let ignored = plan.is_ok_and(|plan| !plan.ignored.is_empty());
            assert_eq!(ignored, without, "{chat:?} {code:?}");
        }
    }

    #[test]
    fn an_answer_that_may_be_cut_short_is_streamed_from_upstream() {
        let mut chat = with(Part::Text("x".to_owned()));
        assert_eq!(
            planned(&chat, ABLE, POLICY).unwrap().exchange,
            Exchange::Whole
        );
        chat.limits.stop = vec!["END".to_owned()];
        assert_eq!(
            planned(&chat, ABLE, POLICY).unwrap().exchange,
            Exchange::Streamed
        );
    }
}
