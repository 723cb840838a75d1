//! Which models there are for clients: upstream's list, less what the operator does not permit.

pub mod settings;

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

use onemin::catalogue::{Catalogue, Listing, Source};
use onemin::features;
use onemin::images::aliases as image_aliases;
use onemin::models::{Feature, Model};
use onemin::prices::ChatPrice;
use serde_json::Value;
use translate::dialect::anthropic::model_names;
use translate::failure::{Failure, Kind};
use translate::plan::{CodeSupport, ModelCapabilities};
use translate::quote::quote;

/// A model that is not in a list older than this is looked for in a fresh one.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// How long a price is believed before the list is looked at again.
const PRICE_KEPT_FOR: Duration = Duration::from_mins(1);

/// Prices that are remembered.
const PRICES_MAX: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// The nearness (0 to 1) from which a name is worth a hint.
const NEAR: f64 = 0.8;

/// The tag that Ollama's clients add to a name that has none.
const LATEST: &str = ":latest";
/// The longest name for which the nearest is looked for, in bytes: that takes the square of it.
const NAME_BYTES_MAX: usize = 128;

/// The longest name of a model, in bytes. It is kept with jobs and in the ledger.
const LONGEST_NAME: usize = 256;

/// The most models that a message names.
const MENTIONED: usize = 12;

/// Models of media, by the feature that lists them.
const TASKS: [(Feature, MediaTask); 7] = [
    (Feature::ImageGenerator, MediaTask::GenerateImage),
    (Feature::ImageVariator, MediaTask::GenerateImage),
    (Feature::TextToSpeech, MediaTask::Synthesize),
    (Feature::MusicGenerator, MediaTask::Synthesize),
    (Feature::SpeechToText, MediaTask::Transcribe),
    (Feature::TextToVideo, MediaTask::MakeVideo),
    (Feature::ImageToVideo, MediaTask::MakeVideo),
];

/// How clients name models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameStyle {
    /// By the catalogue's ids.
    Exact,
    /// Also by family, version and date, as Anthropic's clients do.
    Families,
    /// Also with the tag `latest`, which Ollama's clients add to a name that has no tag.
    Tagged,
}

/// What a model of media does with a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaTask {
    /// It generates an image, edits those of the last message, or varies one.
    GenerateImage,
    /// It speaks the last message.
    Synthesize,
    /// It transcribes the audio of the last message.
    Transcribe,
    /// It makes a video, of an image of the last message if there is one.
    MakeVideo,
}

/// What a model does when it is asked in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// It answers.
    Converse(ModelCapabilities),
    /// It makes or reads media.
    Media(MediaTask),
}

impl Job {
    /// What a turn may hold. Media tasks look at what they need themselves.
    #[must_use]
    pub fn abilities(self) -> ModelCapabilities {
        match self {
            Self::Converse(abilities) => abilities,
            Self::Media(_) => ModelCapabilities {
                vision: true,
                code: CodeSupport::Never,
            },
        }
    }

    /// The media task, if it is one.
    #[must_use]
    pub fn media_task(self) -> Option<MediaTask> {
        match self {
            Self::Converse(_) => None,
            Self::Media(task) => Some(task),
        }
    }
}

/// The models that clients see.
pub struct Models {
    catalogue: Catalogue,
    permitted: Option<Vec<String>>,
    aliases: Vec<(String, String)>,
    /// Prices of chat models, and since when they are known.
    prices: Mutex<LruCache<String, (Instant, Option<ChatPrice>)>>,
}

impl Models {
    /// All of upstream's models, or only those of the operator's list. `aliases` are names that
    /// clients use and what is meant by them.
    #[must_use]
    pub fn new(
        catalogue: Catalogue,
        permitted: Option<Vec<String>>,
        aliases: Vec<(String, String)>,
    ) -> Self {
        Self {
            prices: Mutex::new(LruCache::new(PRICES_MAX)),
            catalogue,
            permitted,
            aliases,
        }
    }

    /// The model that a client means by a name; the name itself where it means nothing else.
    pub async fn resolve(&self, name: &str, names: NameStyle) -> String {
        match names {
            NameStyle::Exact => return self.exact(name).await,
            NameStyle::Tagged => return self.without_tag(name).await,
            NameStyle::Families => {}
        }
        let listing = self.catalogue.models(Feature::Chat).await;
        let ids = listing.models.iter().map(|model| model.id.as_str());
        let ids: Vec<&str> = ids.filter(|id| self.permits(id)).collect();
        let meant = model_names::resolve(name, &ids, &self.aliases);
        meant.unwrap_or(name).to_owned()
    }

    async fn exact(&self, name: &str) -> String {
        self.current_id(self.alias(name)).await.to_owned()
    }

    /// The model of this very name if there is one, else that of the name without its tag.
    async fn without_tag(&self, name: &str) -> String {
        let Some(bare) = name.strip_suffix(LATEST).filter(|bare| !bare.is_empty()) else {
            return self.exact(name).await;
        };
        let id = self.exact(name).await;
        let is_alias = id != name;
        let listing = self.catalogue.models(Feature::Chat).await;
        if is_alias || find(&listing, name).is_some() {
            return id;
        }
        self.exact(bare).await
    }

    /// The models of chat that may be used.
    pub async fn for_chat(&self) -> Vec<Model> {
        let listing = self.catalogue.models(Feature::Chat).await;
        let models = listing.models.iter();
        models
            .filter(|model| self.permits(&model.id))
            .cloned()
            .collect()
    }

    /// Today's id of an image model that is asked by an earlier name, unless a model of chat
    /// bears that name.
    async fn current_id<'n>(&self, name: &'n str) -> &'n str {
        let today = image_aliases::current_id(name);
        if today == name {
            return name;
        }
        let chat = self.catalogue.models(Feature::Chat).await;
        if find(&chat, name).is_some() {
            name
        } else {
            today
        }
    }

    /// The models that may be used, those for chat first, and where the list comes from.
    pub async fn list(&self) -> (Vec<Model>, Source) {
        let chat = self.catalogue.models(Feature::Chat).await;
        let others = TASKS.map(|(feature, _)| feature);
        let others = [Feature::CodeGenerator].into_iter().chain(others);
        let others = others.map(|feature| self.catalogue.models(feature));
        let others = futures_util::future::join_all(others).await;
        let mut models: Vec<Model> = Vec::new();
        for model in [&chat]
            .into_iter()
            .chain(&others)
            .flat_map(|listing| listing.models.iter())
        {
            if self.permits(&model.id) && models.iter().all(|known| known.id != model.id) {
                models.push(model.clone());
            }
        }
        (models, chat.source)
    }

    /// One model of the list.
    ///
    /// # Errors
    /// A [`Kind::ModelNotFound`] failure with the nearest name.
    pub async fn get(&self, id: &str) -> Result<Model, Failure> {
        let (listing, _) = self.listing_with(id).await;
        let (models, _) = self.list().await;
        let found = models.into_iter().find(|model| model.id == id);
        found.ok_or_else(|| self.unknown(id, &listing))
    }

    /// Lets a model be used, and says what it does. A model that the built-in list lacks is let
    /// pass: only upstream can tell, and refusing costs it nothing.
    ///
    /// # Errors
    /// A [`Kind::ModelNotFound`] failure with the nearest name.
    pub async fn admit(&self, id: &str) -> Result<Job, Failure> {
        check_length(id)?;
        let (listing, at) = self.listing_with(id).await;
        if !self.permits(id) {
            return Err(self.unknown(id, &listing));
        }
        if let Some(model) = at.and_then(|at| listing.models.get(at)) {
            let code = model.serves(Feature::CodeGenerator);
            return Ok(Job::Converse(ModelCapabilities {
                vision: model.sees_images(),
                code: if code {
                    CodeSupport::Also
                } else {
                    CodeSupport::Never
                },
            }));
        }
        let coders = self.catalogue.models(Feature::CodeGenerator).await;
        if find(&coders, id).is_some() {
            return Ok(Job::Converse(ModelCapabilities {
                vision: false,
                code: CodeSupport::Only,
            }));
        }
        for (feature, task) in TASKS {
            if find(&self.catalogue.models(feature).await, id).is_some() {
                return Ok(Job::Media(task));
            }
        }
        if listing.source == Source::BuiltIn {
            return Ok(Job::Converse(ModelCapabilities {
                vision: true,
                code: CodeSupport::Never,
            }));
        }
        Err(self.unknown(id, &listing))
    }

    /// The model that a client of other work than chat means, if the operator permits it.
    ///
    /// # Errors
    /// A [`Kind::ModelNotFound`] failure, or a name that is none.
    pub fn permitted(&self, name: &str) -> Result<String, Failure> {
        check_length(name)?;
        let model = self.alias(name);
        if self.permits(model) {
            return Ok(model.to_owned());
        }
        let name = quote(name);
        let message = format!(
            "The model `{name}` may not be used here (1002). GET /v1/models lists the available models."
        );
        Err(Failure::new(Kind::ModelNotFound, message)
            .with_param("model")
            .with_retry(false))
    }

    /// The model that a client of media means, which must serve one of these features. A model that
    /// the built-in lists lack is let pass: only upstream can tell.
    ///
    /// # Errors
    /// None is named, or it cannot be had; the failure names those that can.
    pub async fn serving(
        &self,
        features: &[Feature],
        name: Option<&str>,
    ) -> Result<String, Failure> {
        let model = name.map(|name| self.permitted(name)).transpose()?;
        let mut listings = Vec::with_capacity(features.len());
        for feature in features {
            listings.push(self.catalogue.models(*feature).await);
        }
        let is_listed = |listings: &[Listing], model: &str| {
            listings.iter().any(|list| find(list, model).is_some())
        };
        if let Some(model) = &model
            && !is_listed(&listings, model)
        {
            for (listing, feature) in listings.iter_mut().zip(features) {
                *listing = self
                    .catalogue
                    .fresher_than(*feature, LOOK_AGAIN_AFTER)
                    .await;
            }
        }
        let is_builtin = |listing: &Listing| listing.source == Source::BuiltIn;
        match model {
            Some(model) if is_listed(&listings, &model) || listings.iter().any(is_builtin) => {
                return Ok(model);
            }
            _ => {}
        }
        let mut able: Vec<&str> = Vec::new();
        for model in listings.iter().flat_map(|listing| listing.models.iter()) {
            if self.permits(&model.id) && !able.contains(&model.id.as_str()) {
                able.push(&model.id);
            }
        }
        let able = able.join(", ");
        Err(match name {
            None => Failure::invalid(
                "model",
                format!("`model` is missing. Supported models: {able}."),
            ),
            Some(name) => {
                let name = quote(name);
                let message = format!(
                    "The model `{name}` does not support this (1002). Supported models: {able}."
                );
                Failure::new(Kind::ModelNotFound, message)
                    .with_param("model")
                    .with_retry(false)
            }
        })
    }

    /// What a chat model's tokens cost, if anybody knows.
    pub async fn chat_price(&self, id: &str) -> Option<ChatPrice> {
        let prices = || self.prices.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, price)) = prices().get(id)
            && since.elapsed() < PRICE_KEPT_FOR
        {
            return *price;
        }
        let price = self.listed_chat_price(id).await;
        prices().put(id.to_owned(), (Instant::now(), price));
        price
    }

    async fn listed_chat_price(&self, id: &str) -> Option<ChatPrice> {
        let chat = self.catalogue.models(Feature::Chat).await;
        if let Some(price) = find(&chat, id).map(|model| ChatPrice::of(&model.credit_metadata)) {
            return price;
        }
        let coders = self.catalogue.models(Feature::CodeGenerator).await;
        ChatPrice::of(&find(&coders, id)?.credit_metadata)
    }

    /// What upstream's list says of the price of a feature with a model.
    pub async fn price_of(&self, kind: features::Kind, id: &str) -> Option<Value> {
        let mut all = Feature::ALL.into_iter();
        let feature = all.find(|feature| feature.as_str() == kind.as_str())?;
        let listing = self.catalogue.models(feature).await;
        Some(find(&listing, id)?.credit_metadata.clone())
    }

    /// A failure that says that a model cannot be had, with the names of those that serve a feature.
    pub async fn with_alternatives(&self, failure: Failure, feature: Feature) -> Failure {
        if failure.kind != Kind::ModelNotFound {
            return failure;
        }
        let listing = self.catalogue.models(feature).await;
        let able = listing.models.iter().map(|model| model.id.as_str());
        let able: Vec<&str> = able.filter(|id| self.permits(id)).take(MENTIONED).collect();
        let message = format!("{} Supported models: {}.", failure.message, able.join(", "));
        Failure { message, ..failure }.with_param("model")
    }

    /// What the operator's list says that a name means.
    fn alias<'n>(&'n self, name: &'n str) -> &'n str {
        let alias = self.aliases.iter().find(|(from, _)| from == name);
        alias.map_or(name, |(_, to)| to)
    }

    /// The list, asked for again if it lacks the model and is not fresh: models come and go. With the model's
    /// place in it.
    async fn listing_with(&self, id: &str) -> (Listing, Option<usize>) {
        let listing = self.catalogue.models(Feature::Chat).await;
        let at = position(&listing, id);
        if at.is_some() || !self.permits(id) {
            return (listing, at);
        }
        let fresh = self.catalogue.fresher_than(Feature::Chat, LOOK_AGAIN_AFTER);
        let fresh = fresh.await;
        let at = position(&fresh, id);
        (fresh, at)
    }

    /// Whether the operator lets a model be used, by any of its names.
    #[must_use]
    pub fn permits(&self, id: &str) -> bool {
        let is = |permitted: &String| {
            permitted == id || image_aliases::current_id(permitted) == image_aliases::current_id(id)
        };
        self.permitted
            .as_ref()
            .is_none_or(|permitted| permitted.iter().any(is))
    }

    fn unknown(&self, id: &str, listing: &Listing) -> Failure {
        let known = listing
            .models
            .iter()
            .map(|m| m.id.as_str())
            .filter(|m| self.permits(m));
        let known: Vec<&str> = known.collect();
        let meant = model_names::resolve(id, &known, &[]).or_else(|| nearest(id, &known));
        let hint = meant
            .map(|m| format!(" Did you mean `{m}`?"))
            .unwrap_or_default();
        let id = quote(id);
        Failure::new(
            Kind::ModelNotFound,
            format!("The model `{id}` does not exist or may not be used here (1002).{hint} GET /v1/models lists the available models."),
        )
        .with_param("model")
        .with_retry(false)
    }
}

/// The name most like another one: as it stands, or less what resellers put around it.
fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let bare = model_names::bare(&name);
    let near = known.iter().map(|known| {
        let other = known.to_ascii_lowercase();
        let whole = strsim::jaro_winkler(&name, &other);
        let bare = strsim::jaro_winkler(bare, model_names::bare(&other));
        (whole.max(bare), *known)
    });
    near.filter(|(nearness, _)| *nearness >= NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

fn find<'l>(listing: &'l Listing, id: &str) -> Option<&'l Model> {
    listing.models.get(position(listing, id)?)
}

fn position(listing: &Listing, id: &str) -> Option<usize> {
    listing.models.iter().position(|model| model.id == id)
}

/// Refuses what is too long to be a model's name: jobs, the ledger's rows and log lines keep it whole.
fn check_length(name: &str) -> Result<(), Failure> {
    if name.len() <= LONGEST_NAME {
        return Ok(());
    }
    let message = format!("`model` is too long: a name has at most {LONGEST_NAME} bytes.");
    Err(Failure::invalid("model", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_model_has_is_refused() {
        assert!(check_length(&"m".repeat(LONGEST_NAME)).is_ok());
        let failure = check_length(&"m".repeat(LONGEST_NAME + 1)).unwrap_err();
        assert_eq!(failure.param.as_deref(), Some("model"));
    }

    #[test]
    fn the_nearest_name_is_found_behind_what_resellers_put_around_it() {
        let known = [
            "gpt-4o-mini",
            "openai/gpt-oss-20b",
            "meta/llama-4-scout-instruct",
            "us.anthropic.claude-opus-4-6-v1",
        ];
        let table = [
            ("GPT-4o-minii", Some("gpt-4o-mini")),
            ("openai/gpt-4o-mini", Some("gpt-4o-mini")),
            ("openai/gpt-oss", Some("openai/gpt-oss-20b")),
            ("meta/llama", Some("meta/llama-4-scout-instruct")),
            (
                "claude-opus-4-6-fast",
                Some("us.anthropic.claude-opus-4-6-v1"),
            ),
            ("zorp", None),
        ];
        for (name, expected) in table {
            assert_eq!(nearest(name, &known), expected, "{name}");
        }
    }
}
