//! Images: generated, edited, varied by 1min.ai, and given as a client wants them.

mod delivery;
mod styles;

use futures_util::future::join_all;
use onemin::features;
use onemin::images::{self, Edit, ImageParams, Variation};
use onemin::models::Feature;
use onemin::{Mode, Outcome, Payload, ResultAsset};
use serde_json::Value;
use translate::chat_request::Delivery;
use translate::dialect::openai::media::images::is_inline;
use translate::failure::{Failure, Kind};
use translate::media::{Image, ImageRequest};
use translate::plan;
use translate::quote::quote;

use super::result_url::data_uri;
use super::{Media, invalid};
use crate::jobs::LongJobs;
use crate::ledger::Payer;

/// The most files of one result that are handed on. No model makes so many at once, and each may be
/// fetched.
const RESULTS_MAX: usize = 64;

/// What the ids of jobs that make images begin with.
const ID_PREFIX: &str = "image_";

/// Any path will do to see what a model takes beside an image.
const PLACEHOLDER: &str = "images/source.png";

/// Images that were made, and what the request could not get.
#[derive(Debug)]
pub struct Images {
    /// The prompt that upstream was given: the client's without its flags.
    pub prompt: String,
    /// The images.
    pub images: Vec<Image>,
    /// The model that made them.
    pub model: String,
    /// Parameters without effect.
    pub ignored: Vec<String>,
    /// What it cost, if upstream says so.
    pub credits: Option<f64>,
}

/// A request for images that is ready to be run: the paid calls that it comes down to.
#[derive(Debug)]
pub struct PreparedImages {
    payloads: Vec<Payload>,
    result: ResultOptions,
}

/// How results are given to the client.
#[derive(Debug)]
struct ResultOptions {
    /// Whether bytes are wanted instead of addresses; none where the model's custom decides.
    inline: Option<bool>,
    /// Parameters that no model here knows.
    ignored: Vec<String>,
}

impl ResultOptions {
    fn of(request: &ImageRequest) -> Self {
        // A stream has no place for an address.
        let is_streamed = request.delivery == Delivery::Streamed;
        Self {
            inline: if is_streamed {
                Some(true)
            } else {
                request.inline
            },
            ignored: request.ignored.clone(),
        }
    }
}

impl PreparedImages {
    /// Parameters of the request without effect.
    pub fn ignored(&self) -> impl Iterator<Item = &String> {
        let by_model = self.payloads.first().map(|payload| &payload.ignored);
        self.result
            .ignored
            .iter()
            .chain(by_model.into_iter().flatten())
    }
}

impl Media {
    /// Prepares the generation of images. Nothing is paid for.
    ///
    /// # Errors
    /// What the model does not accept.
    pub async fn prepare_generation(
        &self,
        payer: &Payer,
        mut request: ImageRequest,
    ) -> Result<PreparedImages, Failure> {
        self.resolve_style(payer, &mut request).await?;
        let model = self.model(&request, images::DEFAULT_MODEL)?;
        let mut params = image_params(&request);
        let mut payloads = Vec::new();
        for count in self.counts(features::Kind::ImageGenerator, &model, request.n)? {
            params.count = count;
            let payload = images::generation(&model, &params).map_err(invalid)?;
            check_effects(&request, &payload)?;
            payloads.push(payload);
        }
        Ok(PreparedImages {
            payloads,
            result: ResultOptions::of(&request),
        })
    }

    /// Prepares the edit of an image. The first of `sources`, which are paths at upstream, is
    /// edited, the others are looked at. Nothing is paid for.
    ///
    /// # Errors
    /// What the model does not accept.
    pub fn prepare_edit(
        &self,
        request: &ImageRequest,
        mut sources: Vec<String>,
        mask: Option<String>,
    ) -> Result<PreparedImages, Failure> {
        if sources.is_empty() {
            return Err(missing_image());
        }
        let mut edit = Edit {
            image: sources.remove(0),
            mask,
            references: sources,
            params: image_params(request),
        };
        let model = self.model(request, images::DEFAULT_EDITOR)?;
        let (upstream_model, kind) = edit.feature(&model).map_err(invalid)?;
        // A name for one feature of a model is no way around the operator's list.
        self.models.permitted(upstream_model)?;
        let mut payloads = Vec::new();
        for count in self.counts(kind, upstream_model, request.n)? {
            edit.params.count = count;
            let payload = images::edit(&model, &edit).map_err(invalid)?;
            check_effects(request, &payload)?;
            payloads.push(payload);
        }
        Ok(PreparedImages {
            payloads,
            result: ResultOptions::of(request),
        })
    }

    /// Checks the edit of so many images before any of them is uploaded, and gives the parameters
    /// without effect.
    ///
    /// # Errors
    /// What the model does not accept.
    pub fn check_edit(
        &self,
        request: &ImageRequest,
        images: usize,
    ) -> Result<Vec<String>, Failure> {
        let prepared = self.prepare_edit(request, vec![PLACEHOLDER.to_owned(); images], None)?;
        Ok(prepared.ignored().cloned().collect())
    }

    /// Parameters without effect on a variation by the first model that takes the request.
    #[must_use]
    pub fn ignored_by_variation(&self, request: &ImageRequest) -> Vec<String> {
        let variation = Variation {
            image: PLACEHOLDER.to_owned(),
            params: image_params(request),
            ..Variation::default()
        };
        let asked = request.model.as_deref().unwrap_or_default();
        let candidates = images::variation_candidates(asked).into_iter();
        let mut permitted = candidates.filter(|model| self.models.permits(model));
        let payload = permitted.find_map(|model| images::variation(model, &variation).ok());
        let by_model = payload.into_iter().flat_map(|payload| payload.ignored);
        request.ignored.iter().cloned().chain(by_model).collect()
    }

    /// Makes the images of a prepared request. This is what is paid for.
    ///
    /// # Errors
    /// Why upstream made none.
    pub async fn run_images(
        &self,
        payer: &Payer,
        long: &LongJobs,
        prepared: PreparedImages,
    ) -> Result<Images, Failure> {
        let PreparedImages { payloads, result } = prepared;
        let result = &result;
        let calls = payloads.into_iter().map(async |payload| {
            let outcome = self.call_model(payer, long, &payload).await?;
            if payload.kind == features::Kind::ImageGenerator {
                let repeated = images::repeated(&payload);
                self.history
                    .remember(payer.caller().id, &outcome.assets, repeated)
                    .await;
            }
            self.images_of(result, payload, &outcome).await
        });
        join_calls(join_all(calls).await)
    }

    /// Varies an image, by the model asked for or, if it cannot, by those that can. Another is
    /// tried only where the one before did no work for sure. `source` is where upstream finds the
    /// image, `known_as` what it was called when it was generated.
    ///
    /// # Errors
    /// What no model accepts, or why upstream made no image.
    pub async fn vary_image(
        &self,
        payer: &Payer,
        long: &LongJobs,
        request: &ImageRequest,
        source: &str,
        known_as: &str,
    ) -> Result<Images, Failure> {
        let asked = request.model.as_deref().unwrap_or_default();
        let variation = Variation {
            image: source.to_owned(),
            repeated: self.history.lookup(payer.caller().id, known_as).await,
            params: image_params(request),
        };
        let result = ResultOptions::of(request);
        // The client is told what was wrong with the model that it asked for.
        let mut first = None;
        let candidates = images::variation_candidates(asked);
        for model in candidates.into_iter().filter(|m| self.models.permits(m)) {
            let refused = match images::variation(model, &variation) {
                Err(error) => Refused {
                    failure: invalid(error),
                    did_no_work: true,
                },
                Ok(payload) => {
                    check_effects(request, &payload)?;
                    match self.call_model(payer, long, &payload).await {
                        Ok(outcome) => return self.images_of(&result, payload, &outcome).await,
                        Err(refused) => refused,
                    }
                }
            };
            let is_final = !refused.may_try_another();
            let failure = first.get_or_insert(refused.failure);
            if is_final {
                return Err(failure.clone());
            }
        }
        Err(first.unwrap_or_else(|| {
            Failure::new(
                Kind::ModelNotFound,
                "No permitted model supports image variations.",
            )
        }))
    }

    /// The model of a request, or the one that is used where it names none.
    fn model(&self, request: &ImageRequest, default: &str) -> Result<String, Failure> {
        match &request.model {
            Some(model) => Ok(model.clone()),
            None => self.models.permitted(default),
        }
    }

    /// How many images to ask for in each call. More than a model makes at once are made by
    /// several calls, at most as many as the operator permits: each is paid for.
    fn counts(
        &self,
        kind: features::Kind,
        model: &str,
        n: Option<u32>,
    ) -> Result<Vec<Option<u32>>, Failure> {
        let calls = self.settings.max_calls;
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

    /// One paid call: a job, where the request is recorded, so that what it costs is booked and its
    /// result can be had again, whoever leaves meanwhile.
    async fn call_model(
        &self,
        payer: &Payer,
        long: &LongJobs,
        payload: &Payload,
    ) -> Result<Outcome, Refused> {
        let made = match payer.entry() {
            Some(_) => self.feature_by_job(payer, long, ID_PREFIX, payload).await,
            None => self.feature(payer, payload, Mode::Polled).await,
        };
        let error = match made {
            Ok(outcome) => return Ok(outcome),
            Err(error) => error,
        };
        let feature = feature(payload.kind);
        let did_no_work = error.did_no_work();
        Err(Refused {
            failure: self.models.with_alternatives(error.into(), feature).await,
            did_no_work,
        })
    }

    async fn images_of(
        &self,
        result: &ResultOptions,
        payload: Payload,
        outcome: &Outcome,
    ) -> Result<Images, Failure> {
        let inline = result.inline.unwrap_or_else(|| is_inline(&payload.model));
        let file = outcome.inline.as_ref().map(data_uri);
        let file = file.map(ResultAsset::of_path);
        let assets = outcome.assets.iter().cloned().chain(file);
        let assets: Vec<ResultAsset> = assets.take(RESULTS_MAX).collect();
        let images = self.deliver(&assets, inline).await?;
        if images.is_empty() {
            return Err(no_image(outcome));
        }
        let mut ignored = result.ignored.clone();
        ignored.extend(payload.ignored);
        let prompt = payload.prompt_object.get("prompt").and_then(Value::as_str);
        Ok(Images {
            prompt: prompt.unwrap_or_default().to_owned(),
            images,
            model: payload.model,
            ignored,
            credits: outcome.accounting.credits,
        })
    }
}

fn check_effects(request: &ImageRequest, payload: &Payload) -> Result<(), Failure> {
    plan::reject_ignored(request.strict, &request.ignored)?;
    plan::reject_ignored(request.strict, &payload.ignored)
}

/// What several calls made. What one failed to make does not take away what others made and was
/// paid for.
fn join_calls(calls: Vec<Result<Images, Failure>>) -> Result<Images, Failure> {
    let mut all: Option<Images> = None;
    let mut failed = None;
    for call in calls {
        match (call, &mut all) {
            (Ok(images), Some(all)) => all.add(images),
            (Ok(images), None) => all = Some(images),
            (Err(failure), _) => failed = Some(failure),
        }
    }
    if let (Some(_), Some(failure)) = (&all, &failed) {
        tracing::warn!(reason = %failure.message, "fewer images than were asked for");
    }
    let nothing = || Failure::new(Kind::Internal, "No image was asked for.");
    all.ok_or_else(|| failed.unwrap_or_else(nothing))
}

impl Images {
    fn add(&mut self, other: Self) {
        self.images.extend(other.images);
        self.credits = match (self.credits, other.credits) {
            (Some(a), Some(b)) => Some(a + b),
            (one, None) | (None, one) => one,
        };
    }
}

/// Whether a model can only vary images.
#[must_use]
pub fn only_varies(model: &str) -> bool {
    let knows = |kind| images::is_known(kind, model);
    knows(features::Kind::ImageVariator)
        && !knows(features::Kind::ImageGenerator)
        && !knows(features::Kind::ImageEditor)
}

/// Checks that a model can edit images. One that is not in the table may.
///
/// # Errors
/// It takes text only.
pub fn check_edits(model: &str) -> Result<(), Failure> {
    let knows = |kind| images::is_known(kind, model);
    if knows(features::Kind::ImageEditor) || !knows(features::Kind::ImageGenerator) {
        return Ok(());
    }
    let able = images::models(features::Kind::ImageEditor).join(", ");
    let message = format!(
        "The model `{model}` does not accept image input (1044). These edit images: {able}."
    );
    Err(Failure::invalid("messages", message).with_code("model_not_supported"))
}

/// A request that needs an image has none.
#[must_use]
pub fn missing_image() -> Failure {
    Failure::invalid(
        "image",
        "`image` is missing: send the image as a part of the form with a file name, PNG, JPEG or WebP; or in JSON its URL.",
    )
}

/// Why there is no image, and whether that cost nothing for sure.
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

/// The feature whose list has the models for a request.
fn feature(kind: features::Kind) -> Feature {
    match kind {
        features::Kind::ImageGenerator => Feature::ImageGenerator,
        features::Kind::ImageVariator => Feature::ImageVariator,
        _ => Feature::ImageEditor,
    }
}

/// What a request asks for, by its parameters and the flags of its prompt.
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

fn no_image(outcome: &Outcome) -> Failure {
    let words = outcome.text.as_deref().unwrap_or("it gave no reason");
    let words = quote(words);
    Failure::new(Kind::Upstream, format!("1min.ai made no image: {words}.")).with_retry(false)
}
