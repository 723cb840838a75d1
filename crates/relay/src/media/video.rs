//! Video: a client's request checked and made upstream's, and the file of a finished one.

use std::sync::Arc;

use http::HeaderValue;
use onemin::features::Kind;
use onemin::models::Feature;
use onemin::video::{self, VideoParams};
use onemin::{Download, ResultAsset};
use translate::chat_request::Attachment;
use translate::failure::Failure;
use translate::media::VideoRequest;
use translate::plan;

use super::{Media, invalid};
use crate::jobs::{Order, Prepare};
use crate::ledger::Payer;
use crate::uploads::OtherAccounts;

/// What the ids of videos begin with.
pub const ID_PREFIX: &str = "video_";

/// Upstream's lists of models that make video.
pub const FEATURES: [Feature; 2] = [Feature::TextToVideo, Feature::ImageToVideo];

/// Whether a feature makes video.
#[must_use]
pub fn is_video(kind: Kind) -> bool {
    matches!(kind, Kind::TextToVideo | Kind::ImageToVideo)
}

impl Media {
    /// How a video is prepared for the account that pays when that is done.
    #[must_use]
    pub fn video_preparation(&self, request: Arc<VideoRequest>, strict: bool) -> Prepare {
        let media = self.clone();
        Arc::new(move |payer| {
            let (media, request) = (media.clone(), request.clone());
            Box::pin(async move { media.prepare_video(&payer, &request, strict).await })
        })
    }

    /// Prepares what is asked for, at another account where one refuses its images. To be done before
    /// it is held.
    ///
    /// # Errors
    /// Why it cannot be asked for.
    pub async fn first_order(&self, payer: &Payer, prepare: &Prepare) -> Result<Order, Failure> {
        let mut others = OtherAccounts::default();
        loop {
            match prepare(payer.clone()).await {
                Ok(order) => return Ok(order),
                Err(failure) => others.change(payer, failure)?,
            }
        }
    }

    /// Prepares a video: what the model does not accept is refused before anything is uploaded,
    /// then its images go to upstream. Nothing is paid for.
    ///
    /// # Errors
    /// What the model does not accept, or an image that cannot be used.
    async fn prepare_video(
        &self,
        payer: &Payer,
        request: &VideoRequest,
        strict: bool,
    ) -> Result<Order, Failure> {
        let model = request.model.as_deref();
        let model = self.models.serving(&FEATURES, model).await?;
        let ignored = check_video(&model, request)?;
        plan::reject_ignored(strict, &ignored)?;
        let upload = async |image: &Attachment| {
            let path = self.uploads.upload_image(payer, image).await;
            path.map_err(|failure| match failure.param {
                Some(_) => failure,
                None => failure.with_param("input_reference"),
            })
        };
        let mut params = params(request);
        if let Some(image) = &request.first_frame {
            params.image = Some(upload(image).await?);
        }
        if let Some(image) = &request.last_frame {
            params.last_frame = Some(upload(image).await?);
        }
        for image in &request.references {
            params.references.push(upload(image).await?);
        }
        let mut payload = video::generation(&model, &params).map_err(refused)?;
        payload.ignored = ignored;
        Ok(Order {
            prefix: ID_PREFIX,
            prompt: request.prompt.clone(),
            seconds: video::seconds(&payload).or(request.seconds),
            size: request.size.clone().or_else(|| video::size_of(&payload)),
            payload,
            // The images of the request would be kept for as long as the video takes.
            moves: false,
        })
    }
}

impl Media {
    /// The file of a video, or those of its bytes that a `Range` header names.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub async fn fetch_video(
        &self,
        asset: &ResultAsset,
        range: Option<&HeaderValue>,
    ) -> Result<Download, onemin::Error> {
        self.client.download_range(asset, range).await
    }
}

/// Checks a request for a video before any of its images is uploaded, and gives the parameters
/// without effect.
///
/// # Errors
/// What the model does not accept.
pub fn check_video(model: &str, request: &VideoRequest) -> Result<Vec<String>, Failure> {
    // Any path will do to see whether the model takes an image there.
    let placeholder = |_: &Attachment| "images/reference.png".to_owned();
    let params = VideoParams {
        image: request.first_frame.as_ref().map(placeholder),
        last_frame: request.last_frame.as_ref().map(placeholder),
        references: request.references.iter().map(placeholder).collect(),
        ..params(request)
    };
    let payload = video::generation(model, &params).map_err(refused)?;
    let ignored = request.ignored.iter().chain(&payload.ignored);
    Ok(ignored.cloned().collect())
}

/// The parameters of a request but for its images.
fn params(request: &VideoRequest) -> VideoParams {
    VideoParams {
        prompt: request.prompt.clone(),
        seconds: request.seconds,
        size: request.size.clone(),
        aspect_ratio: request.aspect_ratio.clone(),
        resolution: request.resolution.clone(),
        generate_audio: request.generate_audio,
        negative_prompt: request.negative_prompt.clone(),
        seed: request.seed,
        extra: request.extra.clone(),
        ..VideoParams::default()
    }
}

/// A parameter that the model does not accept, by the client's name of it.
fn refused(error: onemin::Invalid) -> Failure {
    let failure = invalid(error);
    let field = match failure.param.as_deref() {
        Some("image") => "input_reference",
        Some("last_frame") => "frame_images",
        _ => return failure,
    };
    failure.with_param(field)
}
