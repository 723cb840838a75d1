//! What the replies say about each fact. Words hold statuses, codes, names of fields and numbers, and
//! nothing that an answer says.

use serde_json::Value;

use super::requests::{Answer, Asked, Reply};
use super::verdict::Verdict;
use crate::assets::address;
use crate::facts::Fact;
use crate::features::SIGNED_SECONDS;
use crate::prices;

/// The verdict, or why it could not be told.
type Checked = Result<Verdict, String>;

/// What the replies say about a fact.
pub(super) fn verdict(fact: Fact, asked: &Asked) -> Verdict {
    check(fact, asked).unwrap_or_else(Verdict::Unclear)
}

#[expect(clippy::too_many_lines, reason = "one arm a fact")]
fn check(fact: Fact, asked: &Asked) -> Checked {
    match fact {
        Fact::ModelsListed => models_listed(asked),
        Fact::ModelsNeedFeature => {
            let total = of(&asked.models_of_none)?.json();
            let count = total.get("models").and_then(Value::as_array).map(Vec::len);
            so(count == Some(0), || format!("{count:?} models"))
        }
        Fact::ModelsPriced => models_priced(asked),
        Fact::KeyRefused => status(&asked.wrong_key, 401),
        Fact::ErrorsFlat => errors_flat(asked),
        Fact::ResultUnknown => {
            let reply = of(&asked.no_result)?;
            let is_null = reply.json().get("aiRecord").is_some_and(Value::is_null);
            so(reply.status == 200 && is_null, || status_and_code(reply))
        }
        Fact::ModelRefused => refused(&asked.no_model, 400, "UNSUPPORTED_MODEL"),
        Fact::StreamErrorInBand => {
            let reply = of(&asked.no_model_streamed)?;
            let events = names(reply);
            let is_one = reply.status == 200 && events == ["error"];
            so(is_one, || {
                format!("status {}, events {events:?}", reply.status)
            })
        }
        Fact::PromptValidated => {
            let reply = of(&asked.no_prompt)?;
            let code = reply.code();
            so(code == "PROMPT_OBJECT_VALIDATION_FAILED", || {
                status_and_code(reply)
            })
        }
        Fact::FeatureRefused => refused(&asked.no_feature, 400, "UNKNOWN_ERROR"),
        Fact::AssetNames => {
            let body = of(&asked.upload)?.json();
            let names = ["/asset/key", "/fileContent/path", "/fileContent/uuid"];
            let missing: Vec<&str> = names
                .into_iter()
                .filter(|name| !body.pointer(name).is_some_and(Value::is_string))
                .collect();
            so(missing.is_empty(), || format!("missing: {missing:?}"))
        }
        Fact::AssetExtension => {
            let reply = of(&asked.upload_without_extension)?;
            so(reply.code() == "UNSUPPORTED_FILE_TYPE", || {
                status_and_code(reply)
            })
        }
        Fact::NoBalance => {
            let reply = of(&asked.profile)?;
            so(reply.status >= 400, || format!("status {}", reply.status))
        }
        Fact::NoRateHeaders => no_rate_headers(asked),
        Fact::ChatTextPlace => {
            let record = record(of(&asked.chat)?)?;
            let result = record.pointer("/aiRecordDetail/resultObject");
            let result = result.cloned().unwrap_or_default();
            let is_text = result.get(0).is_some_and(Value::is_string);
            let count = result.as_array().map(Vec::len);
            so(is_text && count == Some(1), || {
                format!("{} of {count:?}", kind(&result))
            })
        }
        Fact::ChatUsage => {
            let metadata = metadata(&asked.chat)?;
            let missing = missing_counts(&metadata);
            so(missing.is_empty(), || format!("missing: {missing:?}"))
        }
        Fact::ChatPriceRule => price_rule(asked),
        Fact::ChatOverhead => {
            let metadata = metadata(&asked.chat)?;
            let (input, prompt) = (
                number(&metadata, "inputToken")?,
                number(&metadata, "promptToken")?,
            );
            so(input > prompt, || {
                format!("inputToken {input}, promptToken {prompt}")
            })
        }
        Fact::UsedCreditLags => used_credit_lags(asked),
        Fact::FinishReason => {
            let metadata = metadata(&asked.chat)?;
            let word = metadata.get("finishReason").and_then(Value::as_str);
            let word: String = word.unwrap_or("none").chars().take(40).collect();
            so(word == "stop", || format!("`{word}`"))
        }
        Fact::EmptyPrompt => {
            let reply = of(&asked.empty_prompt)?;
            so(reply.status == 200, || status_and_code(reply))
        }
        Fact::StreamEvents => stream_events(asked),
        Fact::StreamUsage => {
            let reply = of(&asked.streamed)?;
            let mut events = reply.events().into_iter();
            let result = events.find(|(name, _)| name == "result");
            let (_, result) = result.ok_or("there is no `result`")?;
            let metadata = result.pointer("/aiRecord/metadata").cloned();
            let metadata = metadata.unwrap_or_default();
            so(metadata.is_object(), || {
                format!("metadata is {}", kind(&metadata))
            })
        }
        Fact::AsyncProcessing => {
            let begun = state(of(&asked.job)?)?;
            if begun != "PROCESSING" && begun != "SUCCESS" {
                return Ok(Verdict::Differs(format!("submitted as `{begun}`")));
            }
            let ended = state(of(&asked.result)?)?;
            so(ended == "SUCCESS", || format!("ended as `{ended}`"))
        }
        Fact::MediaNoCredits => {
            let metadata = metadata(&asked.result)?;
            let named = metadata.get("credit").is_some();
            so(!named, || "metadata has `credit`".to_owned())
        }
        Fact::ResultUsedCredit => {
            let before = used(&record(of(&asked.job)?)?)?;
            let after = used(&record(of(&asked.result)?)?)?;
            so((before - after).abs() < 0.5, || {
                format!("it moved by {}", after - before)
            })
        }
        Fact::SignedUrl => signed_url(asked),
        Fact::AssetHost => {
            of(&asked.result)?;
            match &asked.file_without_signature {
                Ok(()) => Ok(Verdict::Holds),
                Err(reason) if reason.starts_with("status") => Ok(Verdict::Differs(reason.clone())),
                Err(reason) => Err(reason.clone()),
            }
        }
        Fact::RecordState
        | Fact::RateLimited
        | Fact::StreamErrorShape
        | Fact::NoRepeatedText
        | Fact::BodyTypes
        | Fact::FileRecords
        | Fact::SoundText
        | Fact::ContextTooLong => Err("it cannot be asked for".to_owned()),
    }
}

fn models_listed(asked: &Asked) -> Checked {
    let reply = of(&asked.models)?;
    let models = entries(reply)?;
    let named = |entry: &&Value| {
        let text = |name: &str| entry.get(name).is_some_and(Value::is_string);
        text("modelId") && text("status")
    };
    let count = models.iter().filter(named).count();
    if count < models.len() {
        let words = format!("{count} of {} have modelId and status", models.len());
        return Ok(Verdict::Differs(words));
    }
    match &asked.models_without_key {
        Ok(_) => Ok(Verdict::Holds),
        Err(reason) => Ok(Verdict::Differs(format!("without a key: {reason}"))),
    }
}

fn models_priced(asked: &Asked) -> Checked {
    let models = entries(of(&asked.models)?)?;
    let active = models.iter().filter(|entry| {
        let status = entry.get("status").and_then(Value::as_str);
        status.is_some_and(|status| status.eq_ignore_ascii_case("ACTIVE"))
    });
    let (mut priced, mut all) = (0, 0);
    for entry in active {
        all += 1;
        let metadata = entry.get("creditMetadata");
        priced += usize::from(metadata.and_then(prices::ChatPrice::of).is_some());
    }
    // Some few have none: models of research, and new ones.
    so(all > 0 && priced * 10 >= all * 8, || {
        format!("{priced} of {all} active models")
    })
}

fn errors_flat(asked: &Asked) -> Checked {
    let replies = [&asked.wrong_key, &asked.no_model, &asked.no_feature];
    let mut seen = 0;
    for reply in replies
        .into_iter()
        .flatten()
        .filter(|reply| reply.status >= 400)
    {
        seen += 1;
        let body = reply.json();
        if body.get("errorCode").is_none() {
            let shape = if body.get("error").is_some_and(Value::is_object) {
                "nested under `error`"
            } else {
                "of another shape"
            };
            return Ok(Verdict::Differs(shape.to_owned()));
        }
    }
    if seen == 0 {
        return Err("nothing was refused".to_owned());
    }
    Ok(Verdict::Holds)
}

fn no_rate_headers(asked: &Asked) -> Checked {
    let replies = [
        &asked.models,
        &asked.no_result,
        &asked.no_model,
        &asked.wrong_key,
    ];
    let mut seen = 0;
    for reply in replies.into_iter().flatten() {
        seen += 1;
        let mut names = reply.headers.keys().map(http::HeaderName::as_str);
        if let Some(name) =
            names.find(|name| name.contains("ratelimit") || name.contains("rate-limit"))
        {
            return Ok(Verdict::Differs(format!("`{name}`")));
        }
    }
    if seen == 0 {
        return Err("there is no answer".to_owned());
    }
    Ok(Verdict::Holds)
}

fn price_rule(asked: &Asked) -> Checked {
    let price = asked.price.ok_or("the list has no price of the model")?;
    let metadata = metadata(&asked.chat)?;
    let (input, output) = (
        number(&metadata, "inputToken")?,
        number(&metadata, "outputToken")?,
    );
    let credits = number(&metadata, "credit")?;
    let (input, output) = (whole(input), whole(output));
    so(price.explains(input, output, credits), || {
        let rule = prices::to_credits(price.cost(input, output));
        format!("{input} in and {output} out: {credits} credits, by the rule {rule}")
    })
}

fn used_credit_lags(asked: &Asked) -> Checked {
    let earlier_record = record(of(&asked.chat)?)?;
    let later_record = record(of(&asked.chat_again)?)?;
    let moved = used(&later_record)? - used(&earlier_record)?;
    let credits = |record: &Value| {
        let metadata = record.get("metadata").cloned().unwrap_or_default();
        number(&metadata, "credit")
    };
    let (earlier, later) = (credits(&earlier_record)?, credits(&later_record)?);
    if (earlier - later).abs() < 3.0 {
        return Err("both requests cost the same".to_owned());
    }
    if (moved - earlier).abs() < 1.5 {
        Ok(Verdict::Holds)
    } else if (moved - later).abs() < 1.5 {
        Ok(Verdict::Differs(
            "it includes the request itself".to_owned(),
        ))
    } else {
        Err("the account was used by others meanwhile".to_owned())
    }
}

fn stream_events(asked: &Asked) -> Checked {
    let events = names(of(&asked.streamed)?);
    let known = ["content", "result", "done", "error"];
    if let Some(other) = events.iter().find(|name| !known.contains(&name.as_str())) {
        let other: String = other.chars().take(40).collect();
        return Ok(Verdict::Differs(format!("an event `{other}`")));
    }
    let ends = events.iter().rev().take(2).map(String::as_str);
    let ends: Vec<&str> = ends.collect();
    so(ends == ["done", "result"], || {
        format!("the last events are {ends:?}")
    })
}

fn signed_url(asked: &Asked) -> Checked {
    let record = record(of(&asked.result)?)?;
    let url = record.get("temporaryUrl").and_then(Value::as_str);
    let url = url.ok_or("there is no temporaryUrl")?;
    let expires = address::good_for(url);
    so(expires == Some(SIGNED_SECONDS), || {
        format!("for {expires:?} seconds")
    })
}

#[expect(clippy::unnecessary_wraps, reason = "it ends functions that may fail")]
fn so(holds: bool, otherwise: impl FnOnce() -> String) -> Checked {
    Ok(if holds {
        Verdict::Holds
    } else {
        Verdict::Differs(otherwise())
    })
}

fn of(answer: &Answer) -> Result<&Reply, String> {
    answer.as_ref().map_err(Clone::clone)
}

fn status(answer: &Answer, expected: u16) -> Checked {
    let reply = of(answer)?;
    so(reply.status == expected, || {
        format!("status {}", reply.status)
    })
}

fn refused(answer: &Answer, status: u16, code: &str) -> Checked {
    let reply = of(answer)?;
    so(reply.status == status && reply.code() == code, || {
        status_and_code(reply)
    })
}

fn status_and_code(reply: &Reply) -> String {
    let code: String = reply.code().chars().take(60).collect();
    format!("status {}, code `{code}`", reply.status)
}

fn entries(reply: &Reply) -> Result<Vec<Value>, String> {
    let models = reply
        .json()
        .get("models")
        .and_then(Value::as_array)
        .cloned();
    models
        .filter(|models| !models.is_empty())
        .ok_or("there is no list".to_owned())
}

fn names(reply: &Reply) -> Vec<String> {
    reply.events().into_iter().map(|(name, _)| name).collect()
}

/// The record of a reply that reports success.
fn record(reply: &Reply) -> Result<Value, String> {
    let record = reply.json().get("aiRecord").cloned().unwrap_or_default();
    if record.is_object() {
        Ok(record)
    } else {
        Err(format!("there is no record: {}", status_and_code(reply)))
    }
}

fn metadata(answer: &Answer) -> Result<Value, String> {
    let record = record(of(answer)?)?;
    Ok(record.get("metadata").cloned().unwrap_or_default())
}

fn missing_counts(metadata: &Value) -> Vec<&'static str> {
    let names = ["inputToken", "outputToken", "credit"];
    let is_missing = |name: &&str| !metadata.get(*name).is_some_and(Value::is_number);
    names.into_iter().filter(is_missing).collect()
}

fn state(reply: &Reply) -> Result<String, String> {
    let record = record(reply)?;
    let word = record.get("status").and_then(Value::as_str);
    Ok(word.unwrap_or("none").chars().take(40).collect())
}

fn used(record: &Value) -> Result<f64, String> {
    let used = record
        .pointer("/teamUser/usedCredit")
        .and_then(Value::as_f64);
    used.ok_or("there is no usedCredit".to_owned())
}

fn number(object: &Value, name: &str) -> Result<f64, String> {
    let number = object.get(name).and_then(Value::as_f64);
    number.ok_or_else(|| format!("there is no {name}"))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of tokens are small and not negative"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
