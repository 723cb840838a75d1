//! Which models there are for clients: upstream's list, less what the operator does not permit.

use std::time::Duration;

use onemin::catalogue::{Catalogue, Listing, Source};
use onemin::models::{Feature, Model};
use translate::dialect::anthropic::model_names;
use translate::failure::{Failure, Kind};
use translate::plan::Abilities;

use crate::turn::Names;

/// A model that is not in a list older than this is looked for in a fresh one.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// The nearness (0 to 1) from which a name is worth a hint.
const NEAR: f64 = 0.8;

/// The models that clients see.
pub struct Models {
    catalogue: Catalogue,
    permitted: Option<Vec<String>>,
    stand_ins: Vec<(String, String)>,
}

impl Models {
    /// All of upstream's models, or only those of the operator's list. `stand_ins` are names that
    /// clients use and what is meant by them.
    #[must_use]
    pub fn new(
        catalogue: Catalogue,
        permitted: Option<Vec<String>>,
        stand_ins: Vec<(String, String)>,
    ) -> Self {
        Self {
            catalogue,
            permitted,
            stand_ins,
        }
    }

    /// The model that a client means by a name; the name itself where it means nothing else.
    pub async fn resolve(&self, name: &str, names: Names) -> String {
        if names == Names::Exact {
            let stand_in = self.stand_ins.iter().find(|(from, _)| from == name);
            return stand_in.map_or(name, |(_, to)| to).to_owned();
        }
        let listing = self.catalogue.models(Feature::Chat).await;
        let ids = listing.models.iter().map(|model| model.id.as_str());
        let ids: Vec<&str> = ids.filter(|id| self.permits(id)).collect();
        let meant = model_names::resolve(name, &ids, &self.stand_ins);
        meant.unwrap_or(name).to_owned()
    }

    /// The chat models that may be used, and where the list comes from.
    pub async fn list(&self) -> (Vec<Model>, Source) {
        let listing = self.catalogue.models(Feature::Chat).await;
        let models = listing
            .models
            .iter()
            .filter(|m| self.permits(&m.id))
            .cloned();
        (models.collect(), listing.source)
    }

    /// One model of the list.
    ///
    /// # Errors
    /// A [`Kind::ModelNotFound`] failure with the nearest name.
    pub async fn get(&self, id: &str) -> Result<Model, Failure> {
        let listing = self.listing_with(id).await;
        let found = find(&listing, id).filter(|_| self.permits(id)).cloned();
        found.ok_or_else(|| self.unknown(id, &listing))
    }

    /// Lets a model be used, and says what it can do. A model that the built-in list lacks is let
    /// pass: only upstream can tell, and refusing costs it nothing.
    ///
    /// # Errors
    /// A [`Kind::ModelNotFound`] failure with the nearest name.
    pub async fn admit(&self, id: &str) -> Result<Abilities, Failure> {
        let listing = self.listing_with(id).await;
        match find(&listing, id) {
            Some(model) if self.permits(id) => Ok(Abilities {
                vision: model.sees_images(),
            }),
            None if listing.source == Source::BuiltIn && self.permits(id) => {
                Ok(Abilities { vision: true })
            }
            _ => Err(self.unknown(id, &listing)),
        }
    }

    /// Refuses a model that the operator does not permit.
    ///
    /// # Errors
    /// A [`Kind::ModelNotFound`] failure.
    pub fn permit(&self, id: &str) -> Result<(), Failure> {
        if self.permits(id) {
            return Ok(());
        }
        let id: String = id.chars().take(120).collect();
        let message = format!(
            "The model `{id}` may not be used here (1002). GET /v1/models lists what there is."
        );
        Err(Failure::new(Kind::ModelNotFound, message)
            .with_param("model")
            .with_retry(false))
    }

    /// The list, asked for again if it lacks the model and is not fresh: models come and go.
    async fn listing_with(&self, id: &str) -> Listing {
        let listing = self.catalogue.models(Feature::Chat).await;
        if find(&listing, id).is_some() || !self.permits(id) {
            return listing;
        }
        self.catalogue
            .fresher_than(Feature::Chat, LOOK_AGAIN_AFTER)
            .await
    }

    fn permits(&self, id: &str) -> bool {
        self.permitted
            .as_ref()
            .is_none_or(|permitted| permitted.iter().any(|p| p == id))
    }

    fn unknown(&self, id: &str, listing: &Listing) -> Failure {
        let known = listing
            .models
            .iter()
            .map(|m| m.id.as_str())
            .filter(|m| self.permits(m));
        let near = known.map(|m| {
            (
                strsim::jaro_winkler(&id.to_ascii_lowercase(), &m.to_ascii_lowercase()),
                m,
            )
        });
        let nearest = near
            .filter(|(nearness, _)| *nearness >= NEAR)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let hint = nearest
            .map(|(_, m)| format!(" Did you mean `{m}`?"))
            .unwrap_or_default();
        let id: String = id.chars().take(120).collect();
        Failure::new(
            Kind::ModelNotFound,
            format!("The model `{id}` does not exist or may not be used here (1002).{hint} GET /v1/models lists what there is."),
        )
        .with_param("model")
        .with_retry(false)
    }
}

fn find<'l>(listing: &'l Listing, id: &str) -> Option<&'l Model> {
    listing.models.iter().find(|model| model.id == id)
}
