//! The remembered lists of models.

use std::time::Duration;

use onemin::catalogue::{Catalogue, Source};
use onemin::models::Feature;
use onemin::{Error, Timeouts};

use super::server::{Server, Step, json, response};
use super::{client, client_within, fixture, millis};

const HOUR: Duration = Duration::from_hours(1);

fn list() -> Step {
    json(200, &fixture("models-chat.response.json"))
}

#[tokio::test]
async fn a_list_is_asked_for_by_feature_and_without_a_key() {
    let server = Server::with(vec![vec![list()]]).await;
    let models = client(&server).models(Feature::Chat).await.unwrap();
    assert!(models.iter().any(|model| model.id == "gpt-4o-mini"));
    let asked = &server.asked()[0];
    assert!(
        asked
            .head
            .starts_with("GET /models?feature=UNIFY_CHAT_WITH_AI HTTP/1.1\r\n"),
        "{}",
        asked.head
    );
    assert_eq!(asked.header("api-key"), None);
}

#[tokio::test]
async fn a_list_that_does_not_come_in_time_is_given_up() {
    let server = Server::with(vec![vec![Step::Hang]]).await;
    let timeouts = Timeouts {
        models: millis(50),
        ..Timeouts::default()
    };
    let error = client_within(&server, timeouts)
        .models(Feature::Chat)
        .await
        .unwrap_err();
    assert!(error.is_timeout() && matches!(error, Error::Transport(_)));
}

#[tokio::test]
async fn many_callers_cause_one_request_and_share_one_list() {
    let server = Server::with(vec![vec![Step::Wait(millis(30)), list()]]).await;
    let catalogue = Catalogue::new(client(&server), HOUR);
    assert!(catalogue.cached(Feature::Chat).is_none());
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let catalogue = catalogue.clone();
            tokio::spawn(async move { catalogue.models(Feature::Chat).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().source, Source::Live);
    }
    assert_eq!(
        catalogue.cached(Feature::Chat).unwrap().source,
        Source::Live
    );
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_takes_nothing_from_the_others() {
    let server = Server::with(vec![vec![Step::Wait(millis(60)), list()]]).await;
    let catalogue = Catalogue::new(client(&server), HOUR);
    let first = tokio::spawn({
        let catalogue = catalogue.clone();
        async move { catalogue.models(Feature::Chat).await }
    });
    server.has_been_asked(1).await;
    first.abort();
    assert_eq!(catalogue.models(Feature::Chat).await.source, Source::Live);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn an_old_list_is_asked_for_again() {
    let server = Server::with(vec![vec![list()]]).await;
    let catalogue = Catalogue::new(client(&server), millis(40));
    catalogue.models(Feature::Chat).await;
    catalogue.models(Feature::Chat).await;
    assert_eq!(server.asked().len(), 1);
    tokio::time::sleep(millis(60)).await;
    assert_eq!(
        catalogue.cached(Feature::Chat).unwrap().source,
        Source::Stale
    );
    assert_eq!(catalogue.models(Feature::Chat).await.source, Source::Live);
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_fresher_list_can_be_asked_for_and_each_feature_has_its_own() {
    let server = Server::with(vec![
        vec![list()],
        vec![list()],
        vec![json(200, &fixture("models-image.response.json"))],
    ])
    .await;
    let catalogue = Catalogue::new(client(&server), HOUR);
    catalogue.models(Feature::Chat).await;
    catalogue.fresher_than(Feature::Chat, HOUR).await;
    assert_eq!(server.asked().len(), 1);
    assert_eq!(
        catalogue
            .fresher_than(Feature::Chat, Duration::ZERO)
            .await
            .source,
        Source::Live
    );
    assert_eq!(server.asked().len(), 2);
    let images = catalogue.models(Feature::ImageGenerator).await;
    assert!(
        images
            .models
            .iter()
            .any(|model| model.id == "gpt-image-1-mini")
    );
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn while_upstream_fails_the_last_list_is_used_and_upstream_left_alone() {
    for failure in [
        response(500, "", b""),
        json(200, &fixture("models-no-feature.response.json")),
        Step::Close,
    ] {
        let server = Server::with(vec![vec![list()], vec![failure]]).await;
        let catalogue = Catalogue::new(client(&server), Duration::ZERO);
        let good = catalogue.models(Feature::Chat).await;
        for _ in 0..5 {
            let stale = catalogue.models(Feature::Chat).await;
            assert_eq!((stale.source, &stale.models), (Source::Stale, &good.models));
        }
        assert_eq!(server.asked().len(), 2);
    }
}

#[tokio::test]
async fn the_built_in_list_is_the_last_resort() {
    let server = Server::with(vec![vec![response(503, "", b"")]]).await;
    let catalogue = Catalogue::new(client(&server), HOUR);
    for feature in Feature::ALL {
        let listing = catalogue.models(feature).await;
        assert_eq!(listing.source, Source::BuiltIn);
        assert!(!listing.models.is_empty() && listing.fetched.is_none());
        assert!(catalogue.cached(feature).is_none());
    }
    catalogue.models(Feature::Chat).await;
    assert_eq!(server.asked().len(), Feature::ALL.len());
}
