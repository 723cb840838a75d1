//! Pictures: drawn, changed, varied by 1min.ai, and brought into the form that a client wants.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use onemin::features::Inline;
use onemin::images::{self, Edit, Variation, Wanted};
use onemin::models::Feature;
use onemin::{Accepted, ApiKey, Invalid, Mode, Outcome, Payload, ResultAsset};
use serde_json::Value;
use translate::dialect::openai::media::images::{ImageRequest, Picture};
use translate::failure::{Failure, Kind};
use translate::turn::Delivery;

use crate::app::Relay;
use crate::failure::{of_download, of_upstream};

/// The model of a request that names none: the original relay's DALL·E 3 is no longer there.
const STANDARD_MODEL: &str = "gpt-image-1-mini";

/// The largest picture that is taken apart into base64, in bytes.
const MAX_PICTURE: usize = 64 * 1024 * 1024;

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

/// Draws what a request asks for.
///
/// # Errors
/// What cannot be drawn as asked, or why upstream did not.
pub async fn draw(relay: &Relay, key: &ApiKey, request: &ImageRequest) -> Result<Made, Failure> {
    let model = request.model.as_deref().unwrap_or(STANDARD_MODEL);
    let mut payloads = Vec::new();
    for count in counts(model, request.n, relay.policy.max_choices)? {
        let wanted = Wanted {
            count,
            ..wanted(request)
        };
        payloads.push(images::generation(model, &wanted).map_err(invalid)?);
    }
    let owner = relay.identities.of_key(key);
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

/// How many pictures to ask for in each call. More than a model draws at once are drawn by several
/// calls, at most `calls`: each is paid for.
fn counts(model: &str, n: Option<u32>, calls: u32) -> Result<Vec<Option<u32>>, Failure> {
    let (_, most) = images::counts(model);
    let Some(n) = n.filter(|n| *n > most) else {
        return Ok(vec![n]);
    };
    let whole = n / most.max(1);
    let rest = n % most.max(1);
    if whole + u32::from(rest > 0) > calls {
        let message = format!(
            "`n` may be at most {} with {model} here: it draws {most} in one paid call, and a request may make {calls}.",
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
    let edit = Edit {
        image: sources.remove(0),
        mask,
        references: sources,
        wanted: wanted(request),
    };
    let model = request.model.as_deref().unwrap_or("gpt-image-1");
    let payload = images::edit(model, &edit).map_err(invalid)?;
    let outcome = ask(relay, key, &payload).await?;
    made(relay, request, payload, &outcome).await
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
    let owner = relay.identities.of_key(key);
    let variation = Variation {
        image: source.to_owned(),
        repeated: relay.drawings.recall(owner, known_as).await,
        wanted: wanted(request),
    };
    // What is said is what was wrong with the model that was asked for.
    let mut first = None;
    for model in images::variation_candidates(asked) {
        let refused = match images::variation(model, &variation) {
            Err(error) => Refused {
                failure: invalid(error),
                did_no_work: true,
            },
            Ok(payload) => match ask(relay, key, &payload).await {
                Ok(outcome) => return made(relay, request, payload, &outcome).await,
                Err(refused) => refused,
            },
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
            "No model varies pictures at the moment.",
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
        failure: relay.catalogue.with_able(failure, feature).await,
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
        || request
            .inline
            .unwrap_or_else(|| payload.model.starts_with("gpt-image"));
    let mut pictures = fetched(relay, &outcome.assets, inline).await?;
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
fn feature(kind: onemin::features::Kind) -> Feature {
    match kind {
        onemin::features::Kind::ImageGenerator => Feature::ImageGenerator,
        onemin::features::Kind::ImageVariator => Feature::ImageVariator,
        _ => Feature::ImageEditor,
    }
}

/// A file that came in place of a record, as an address that holds it.
#[must_use]
pub fn data_uri(file: &Inline) -> String {
    let kind = file.content_type.split(';').next().unwrap_or_default();
    format!(
        "data:{};base64,{}",
        kind.trim(),
        STANDARD.encode(&file.bytes)
    )
}

/// The files as pictures. All are paid for, so one whose bytes cannot be had keeps its address;
/// it is a failure if that is true of all.
async fn fetched(
    relay: &Relay,
    assets: &[ResultAsset],
    inline: bool,
) -> Result<Vec<Picture>, Failure> {
    let by_address = |asset: &ResultAsset| Picture {
        url: url(relay, asset),
        b64_json: None,
    };
    if !inline {
        return Ok(assets.iter().map(by_address).collect());
    }
    let fetching = assets.iter().map(|asset| in_base64(relay, asset));
    let fetched = join_all(fetching).await;
    let mut pictures = Vec::with_capacity(assets.len());
    let mut lost = None;
    for (asset, bytes) in assets.iter().zip(fetched) {
        let mut picture = by_address(asset);
        match bytes {
            Ok(bytes) => picture.b64_json = Some(bytes),
            Err(failure) => lost = Some(failure),
        }
        pictures.push(picture);
    }
    match lost {
        Some(failure) if pictures.iter().all(|p| p.b64_json.is_none()) => Err(failure),
        _ => Ok(pictures),
    }
}

/// The picture's bytes in base64, encoded as they come.
async fn in_base64(relay: &Relay, asset: &ResultAsset) -> Result<String, Failure> {
    let lost = |error: onemin::Error| of_download(&error, &url(relay, asset));
    let mut download = relay.client.download(asset).await.map_err(lost)?;
    let mut text = String::new();
    let mut rest: Vec<u8> = Vec::new();
    while let Some(bytes) = download.next().await {
        rest.extend_from_slice(&bytes.map_err(lost)?);
        // Three bytes are four letters; what is left over waits for the next piece.
        let whole = rest.len() / 3 * 3;
        STANDARD.encode_string(rest.get(..whole).unwrap_or_default(), &mut text);
        rest.drain(..whole);
        if text.len() / 4 * 3 > MAX_PICTURE {
            let message = format!(
                "The picture is larger than {} MiB: ask for its URL.",
                MAX_PICTURE / (1024 * 1024)
            );
            return Err(Failure::new(Kind::Upstream, message).with_retry(false));
        }
    }
    STANDARD.encode_string(&rest, &mut text);
    Ok(text)
}

/// Where a client finds a file: signed if upstream signed it, else at the asset host.
#[must_use]
pub fn url(relay: &Relay, asset: &ResultAsset) -> String {
    match &asset.temporary_url {
        Some(url) => url.clone(),
        None if asset.path.contains("://") || asset.path.starts_with("data:") => asset.path.clone(),
        None => {
            let base = relay.asset_url.as_str().trim_end_matches('/');
            format!("{base}/{}", asset.path.trim_start_matches('/'))
        }
    }
}

/// What a request wants, by its parameters and the flags of its prompt.
fn wanted(request: &ImageRequest) -> Wanted {
    let wanted = Wanted {
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
    wanted.with_flags()
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
