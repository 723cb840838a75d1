//! Pictures: drawn, changed, varied by 1min.ai, and brought into the form that a client wants.

mod delivery;
pub mod styles;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use onemin::features;
use onemin::images::{self, Edit, ImageParams, Variation};
use onemin::models::Feature;
use onemin::{Accepted, ApiKey, Invalid, Mode, Outcome, Payload};
use serde_json::Value;
use translate::chat_request::Delivery;
use translate::dialect::openai::media::images::{ImageRequest, Picture, is_inline};
use translate::failure::{Failure, Kind};
use translate::plan;

pub use delivery::{data_uri, url};

use crate::app::Relay;
use crate::failure::of_upstream;

/// Pictures that were made, and what the request could not get.
#[derive(Debug)]
pub struct Made {
    /// The prompt that upstream was given: the client's without its flags.
    pub prompt: String,
    /// The pictures.
    pub pictures: Vec<Picture>,
    /// The model that made them.
    pub model: String,
    /// Parameters without effect.
    pub ignored: Vec<String>,
    /// What it cost, if upstream says so.
    pub credits: Option<f64>,
}

/// The paid calls that a request to draw comes down to.
///
/// # Errors
/// What cannot be drawn as asked.
pub fn drawings(relay: &Relay, request: &ImageRequest) -> Result<Vec<Payload>, Failure> {
    let model = named(relay, request, images::DEFAULT_MODEL)?;
    let counts = counts(relay, features::Kind::ImageGenerator, &model, request.n)?;
    let payloads = counts.into_iter().map(|count| {
        let params = ImageParams {
            count,
            ..image_params(request)
        };
        let payload = images::generation(&model, &params).map_err(invalid)?;
        reject_ignored(request, &payload)?;
        Ok(payload)
    });
    payloads.collect()
}

fn reject_ignored(request: &ImageRequest, payload: &Payload) -> Result<(), Failure> {
    plan::reject_ignored(request.strict, &request.ignored)?;
    plan::reject_ignored(request.strict, &payload.ignored)
}

/// Draws what a request asks for.
///
/// # Errors
/// What cannot be drawn as asked, or why upstream did not.
pub async fn draw(relay: &Relay, key: &ApiKey, request: &ImageRequest) -> Result<Made, Failure> {
    let mut request = request.clone();
    styles::look_up(relay, key, &mut request).await?;
    let request = &request;
    let payloads = drawings(relay, request)?;
    let owner = relay.account_ids.of_key(key);
    let drawings = payloads.into_iter().map(async |payload| {
        let outcome = ask(relay, key, &payload).await?;
        let repeated = images::repeated(&payload);
        relay
            .drawings
            .remember(owner, &outcome.assets, repeated)
            .await;
        made(relay, request, payload, &outcome).await
    });
    together(join_all(drawings).await)
}

/// The model of a request, or the one that stands in where it names none.
fn named(relay: &Relay, request: &ImageRequest, standard: &str) -> Result<String, Failure> {
    match &request.model {
        Some(model) => Ok(model.clone()),
        None => relay.catalogue.permitted(standard),
    }
}

/// How many pictures to ask for in each call. More than a model makes at once are made by several
/// calls, at most as many as the operator permits: each is paid for.
fn counts(
    relay: &Relay,
    kind: features::Kind,
    model: &str,
    n: Option<u32>,
) -> Result<Vec<Option<u32>>, Failure> {
    let calls = relay.policy.max_choices;
    let (_, most) = images::counts(kind, model);
    let Some(n) = n.filter(|n| *n > most) else {
        return Ok(vec![n]);
    };
    let whole = n / most.max(1);
    let rest = n % most.max(1);
    if whole + u32::from(rest > 0) > calls {
        let message = format!(
            "`n` may be at most {} with {model} here: it makes {most} in one paid call, and a request may make {calls}.",
            most.saturating_mul(calls)
        );
        return Err(Failure::invalid("n", message));
    }
    let whole = (0..whole).map(|_| Some(most));
    Ok(whole.chain((rest > 0).then_some(Some(rest))).collect())
}

/// What several calls made. What one failed to make does not take away what others made and was
/// paid for.
fn together(calls: Vec<Result<Made, Failure>>) -> Result<Made, Failure> {
    let mut all: Option<Made> = None;
    let mut failed = None;
    for call in calls {
        match (call, &mut all) {
            (Ok(made), Some(all)) => all.add(made),
            (Ok(made), None) => all = Some(made),
            (Err(failure), _) => failed = Some(failure),
        }
    }
    if let (Some(_), Some(failure)) = (&all, &failed) {
        tracing::warn!(reason = %failure.message, "fewer pictures than were asked for");
    }
    let nothing = || Failure::new(Kind::Internal, "No picture was asked for.");
    all.ok_or_else(|| failed.unwrap_or_else(nothing))
}

impl Made {
    fn add(&mut self, other: Self) {
        self.pictures.extend(other.pictures);
        self.credits = match (self.credits, other.credits) {
            (Some(a), Some(b)) => Some(a + b),
            (one, None) | (None, one) => one,
        };
    }
}

/// Whether a model knows no other work than varying a picture.
#[must_use]
pub fn only_varies(model: &str) -> bool {
    let knows = |kind| images::is_known(kind, model);
    knows(features::Kind::ImageVariator)
        && !knows(features::Kind::ImageGenerator)
        && !knows(features::Kind::ImageEditor)
}

/// Whether a model can change a picture. One that is not in the table may.
///
/// # Errors
/// It draws from words alone.
pub fn check_changes(model: &str) -> Result<(), Failure> {
    let knows = |kind| images::is_known(kind, model);
    if knows(features::Kind::ImageEditor) || !knows(features::Kind::ImageGenerator) {
        return Ok(());
    }
    let able = images::models(features::Kind::ImageEditor).join(", ");
    let message = format!(
        "The model `{model}` draws from words alone and takes no images (1044). These change one: {able}."
    );
    Err(Failure::invalid("messages", message).with_code("model_not_supported"))
}

/// Changes a picture. The first of `sources` is changed, the others are looked at.
///
/// # Errors
/// As [`draw`].
pub async fn edit(
    relay: &Relay,
    key: &ApiKey,
    request: &ImageRequest,
    mut sources: Vec<String>,
    mask: Option<String>,
) -> Result<Made, Failure> {
    if sources.is_empty() {
        return Err(no_source());
    }
    let mut edit = Edit {
        image: sources.remove(0),
        mask,
        references: sources,
        params: image_params(request),
    };
    let model = named(relay, request, images::DEFAULT_EDITOR)?;
    let mut payloads = Vec::new();
    for count in counts(relay, edit.kind(), &model, request.n)? {
        edit.params.count = count;
        let payload = images::edit(&model, &edit).map_err(invalid)?;
        reject_ignored(request, &payload)?;
        payloads.push(payload);
    }
    let edits = payloads.into_iter().map(async |payload| {
        let outcome = ask(relay, key, &payload).await?;
        made(relay, request, payload, &outcome).await
    });
    together(join_all(edits).await)
}

/// A request that begins with a picture has none.
#[must_use]
pub fn no_source() -> Failure {
    Failure::invalid(
        "image",
        "`image` is missing: send the picture as a part of the form with a file name, PNG, JPEG or WebP; or in JSON its URL.",
    )
}

/// Varies a picture, by the model asked for or, if it cannot, by those that can. Another is tried
/// only where the one before surely did no work. `source` is where upstream finds the picture,
/// `known_as` what it was called when it was drawn.
///
/// # Errors
/// As [`draw`].
pub async fn vary(
    relay: &Relay,
    key: &ApiKey,
    request: &ImageRequest,
    source: &str,
    known_as: &str,
) -> Result<Made, Failure> {
    let asked = request.model.as_deref().unwrap_or_default();
    let owner = relay.account_ids.of_key(key);
    let variation = Variation {
        image: source.to_owned(),
        repeated: relay.drawings.recall(owner, known_as).await,
        params: image_params(request),
    };
    // What is said is what was wrong with the model that was asked for.
    let mut first = None;
    let candidates = images::variation_candidates(asked);
    for model in candidates
        .into_iter()
        .filter(|m| relay.catalogue.permits(m))
    {
        let refused = match images::variation(model, &variation) {
            Err(error) => Refused {
                failure: invalid(error),
                did_no_work: true,
            },
            Ok(payload) => {
                reject_ignored(request, &payload)?;
                match ask(relay, key, &payload).await {
                    Ok(outcome) => return made(relay, request, payload, &outcome).await,
                    Err(refused) => refused,
                }
            }
        };
        let hopeless = !refused.may_try_another();
        let failure = first.get_or_insert(refused.failure);
        if hopeless {
            return Err(failure.clone());
        }
    }
    Err(first.unwrap_or_else(|| {
        Failure::new(
            Kind::ModelNotFound,
            "No model that may be used here varies pictures.",
        )
    }))
}

/// Why there is no picture, and whether that surely cost nothing.
struct Refused {
    failure: Failure,
    did_no_work: bool,
}

impl Refused {
    /// A model that is not there, or does not take the request, says nothing of the next.
    fn may_try_another(&self) -> bool {
        let of_model = matches!(
            self.failure.kind,
            Kind::ModelNotFound | Kind::Invalid | Kind::Unsupported
        );
        self.did_no_work && of_model
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        refused.failure
    }
}

async fn ask(relay: &Relay, key: &ApiKey, payload: &Payload) -> Result<Outcome, Refused> {
    let error = match relay.client.feature(key, payload, Mode::Polled).await {
        Ok(outcome) => return Ok(outcome),
        Err(error) => error,
    };
    let feature = feature(payload.kind);
    let failure = of_upstream(&error);
    Err(Refused {
        failure: relay.catalogue.with_alternatives(failure, feature).await,
        did_no_work: matches!(error.was_accepted(), Accepted::No),
    })
}

async fn made(
    relay: &Relay,
    request: &ImageRequest,
    payload: Payload,
    outcome: &Outcome,
) -> Result<Made, Failure> {
    // A stream has no place for an address.
    let inline = request.delivery == Delivery::Streamed
        || request.inline.unwrap_or_else(|| is_inline(&payload.model));
    let mut pictures = delivery::fetched(relay, &outcome.assets, inline).await?;
    pictures.extend(outcome.inline.as_ref().map(|file| Picture {
        url: data_uri(file),
        b64_json: inline.then(|| STANDARD.encode(&file.bytes)),
    }));
    if pictures.is_empty() {
        return Err(no_picture(outcome));
    }
    let mut ignored = request.ignored.clone();
    ignored.extend(payload.ignored);
    let prompt = payload.prompt_object.get("prompt").and_then(Value::as_str);
    Ok(Made {
        prompt: prompt.unwrap_or_default().to_owned(),
        pictures,
        model: payload.model,
        ignored,
        credits: outcome.accounting.credits,
    })
}

/// The feature whose list has the models for a request.
fn feature(kind: features::Kind) -> Feature {
    match kind {
        features::Kind::ImageGenerator => Feature::ImageGenerator,
        features::Kind::ImageVariator => Feature::ImageVariator,
        _ => Feature::ImageEditor,
    }
}

/// What a request wants, by its parameters and the flags of its prompt.
fn image_params(request: &ImageRequest) -> ImageParams {
    let params = ImageParams {
        prompt: request.prompt.clone(),
        count: request.n,
        size: request.size.clone(),
        aspect_ratio: request.aspect_ratio.clone(),
        quality: request.quality.clone(),
        style: request.style.clone(),
        background: request.background.clone(),
        output_format: request.output_format.clone(),
        output_compression: request.output_compression,
        moderation: request.moderation.clone(),
        negative_prompt: request.negative_prompt.clone(),
        mode: request.mode.clone(),
        seed: request.seed,
        steps: request.steps,
        guidance: request.guidance,
        niji: request.niji,
        extra: request.extra.clone(),
    };
    params.with_flags()
}

/// A wish that a model cannot meet.
#[must_use]
pub fn invalid(error: Invalid) -> Failure {
    let field = match error.field.as_str() {
        "count" => "n".to_owned(),
        _ => error.field,
    };
    Failure::invalid(
        field.clone(),
        format!("`{field}`: {}.", error.message.trim_end_matches('.')),
    )
}

fn no_picture(outcome: &Outcome) -> Failure {
    let words = outcome.text.as_deref().unwrap_or("it gave no reason");
    let words: String = words.chars().take(300).collect();
    Failure::new(Kind::Upstream, format!("1min.ai made no picture: {words}.")).with_retry(false)
}
