//! The media half against the simulator, which checks fields by a table of its own.

use bytes::Bytes;
use onemin::assets::Upload;
use onemin::conversations::New;
use onemin::images::{self, Edit, ImageParams, Variation};
use onemin::models::{Feature, Model};
use onemin::prices::{self, ChatPrice, from_credits};
use onemin::transcription::{self, Transcript};
use onemin::{
    Charged, Client, Deletion, JobPoll, Mode, Options, Payload, Submitted, Timeouts, chat, code,
    music, speech, video,
};
use serde_json::{Map, json};
use simulator::Simulator;
use url::Url;

use super::{key, millis};

/// An image of one pixel.
const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

struct Running {
    simulator: Simulator,
    client: Client,
}

impl Running {
    fn start() -> Self {
        let simulator = Simulator::start(simulator::Options::default()).unwrap();
        let url = Url::parse(&simulator.url()).unwrap();
        let timeouts = Timeouts {
            poll: millis(5),
            ..Timeouts::default()
        };
        let client = Client::new(Options {
            base_url: url.clone(),
            asset_url: url,
            timeouts,
            ..Options::default()
        })
        .unwrap();
        Self { simulator, client }
    }

    async fn stored(&self, name: &str, mime: &str, bytes: &'static [u8]) -> String {
        let upload = Upload::from_bytes(name.into(), mime.into(), Bytes::from_static(bytes));
        self.client.upload(&key(), upload).await.unwrap().path
    }

    async fn models(&self, feature: Feature) -> Vec<Model> {
        let mut models = self.client.models(feature).await.unwrap();
        // The simulator has no fields for this one, which is probably retired.
        models.retain(|model| model.id != "stable-diffusion-v1-6");
        models
    }

    /// Asks for files, and fetches all of them.
    async fn files(&self, payload: &Payload, mode: Mode) -> Vec<(String, Bytes)> {
        let asked = format!("{} {:?}", payload.model, payload.prompt_object);
        let outcome = self.client.feature(&key(), payload, mode).await;
        let outcome = outcome.unwrap_or_else(|error| panic!("{asked}: {error}"));
        let mut files = Vec::new();
        for asset in &outcome.assets {
            let download = self.client.download(asset).await.unwrap();
            let content_type = download.content_type.clone().unwrap_or_default();
            files.push((content_type, download.bytes(1 << 26).await.unwrap()));
        }
        files
    }
}

fn boat() -> ImageParams {
    ImageParams {
        prompt: "a paper boat".into(),
        ..ImageParams::default()
    }
}

/// What a model cannot do without.
fn needs(model: &str) -> Map<String, serde_json::Value> {
    let style = json!({"style_code": "Style-00000000-0000-0000-0000-000000000001"});
    match (model, style) {
        ("dzine", serde_json::Value::Object(style)) => style,
        _ => Map::new(),
    }
}

#[tokio::test]
async fn every_model_draws_with_what_the_table_sends_by_itself() {
    let running = Running::start();
    let models = running.models(Feature::ImageGenerator).await;
    assert!(models.len() > 30, "{}", models.len());
    for (at, model) in models.iter().enumerate() {
        let params = ImageParams {
            extra: needs(&model.id),
            ..boat()
        };
        let payload = images::generation(&model.id, &params).unwrap();
        let mode = if at % 2 == 0 {
            Mode::Held
        } else {
            Mode::Polled
        };
        let files = running.files(&payload, mode).await;
        let (_, most) = images::counts(onemin::features::Kind::ImageGenerator, &model.id);
        assert!(
            !files.is_empty() && files.len() <= most as usize,
            "{}",
            model.id
        );
        assert!(
            files
                .iter()
                .all(|(kind, bytes)| kind.starts_with("image/") && !bytes.is_empty())
        );
    }
}

#[tokio::test]
async fn every_model_draws_in_the_shapes_that_clients_ask_for() {
    let running = Running::start();
    for model in running.models(Feature::ImageGenerator).await {
        for (size, ratio) in [
            (Some("1024x1024"), None),
            (Some("1536x1024"), None),
            (Some("1024x1792"), None),
            (None, Some("16:9")),
            (None, Some("2:3")),
        ] {
            let params = ImageParams {
                size: size.map(str::to_owned),
                aspect_ratio: ratio.map(str::to_owned),
                extra: needs(&model.id),
                ..boat()
            };
            // What is refused here costs nothing; what is sent must be taken.
            if let Ok(payload) = images::generation(&model.id, &params) {
                assert!(!running.files(&payload, Mode::Held).await.is_empty());
            }
        }
    }
}

#[tokio::test]
async fn every_model_edits_and_varies() {
    let running = Running::start();
    let image = running.stored("cat.png", "image/png", PIXEL).await;
    for model in running.models(Feature::ImageEditor).await {
        let edit = Edit {
            image: image.clone(),
            params: boat(),
            ..Edit::default()
        };
        let payload = images::edit(&model.id, &edit).unwrap();
        assert!(
            !running.files(&payload, Mode::Polled).await.is_empty(),
            "{}",
            model.id
        );
    }
    for model in running.models(Feature::ImageVariator).await {
        let variation = Variation {
            image: image.clone(),
            ..Variation::default()
        };
        let payload = images::variation(&model.id, &variation).unwrap();
        assert!(
            !running.files(&payload, Mode::Held).await.is_empty(),
            "{}",
            model.id
        );
    }
    let masked = Edit {
        image: image.clone(),
        mask: Some(image),
        params: boat(),
        ..Edit::default()
    };
    let payload = images::edit("stable-image", &masked).unwrap();
    assert!(!running.files(&payload, Mode::Held).await.is_empty());
}

#[tokio::test]
async fn every_model_speaks_with_every_voice_in_the_type_that_is_expected() {
    let running = Running::start();
    for model in running.models(Feature::TextToSpeech).await {
        for voice in speech::voices::TABLE {
            let params = speech::SpeechParams {
                input: "Good morning.".into(),
                voice: Some(voice.name.into()),
                ..speech::SpeechParams::default()
            };
            let payload = speech::payload(&model.id, &params).unwrap();
            let files = running.files(&payload, Mode::Held).await;
            let expected = speech::content_type(&payload);
            assert_eq!(files[0].0.replace("x-wav", "wav"), expected, "{}", model.id);
        }
    }
}

#[tokio::test]
async fn every_model_listens_and_translates() {
    let running = Running::start();
    let audio = running
        .stored("note.mp3", "audio/mpeg", b"ID3 no real sound")
        .await;
    let params = transcription::TranscriptionParams {
        audio,
        language: Some("de".into()),
        format: Some("srt".into()),
        ..transcription::TranscriptionParams::default()
    };
    for model in running.models(Feature::SpeechToText).await {
        let payload = transcription::transcription(&model.id, &params).unwrap();
        let outcome = running
            .client
            .feature(&key(), &payload, Mode::Held)
            .await
            .unwrap();
        assert!(!Transcript::of(&outcome).text.is_empty(), "{}", model.id);
    }
    for model in running.models(Feature::AudioTranslator).await {
        let payload = transcription::translation(&model.id, &params).unwrap();
        let outcome = running
            .client
            .feature(&key(), &payload, Mode::Polled)
            .await
            .unwrap();
        assert!(!Transcript::of(&outcome).text.is_empty(), "{}", model.id);
    }
}

#[tokio::test]
async fn code_conversations_and_styles_are_served() {
    let running = Running::start();
    let request = code::Request {
        model: "gpt-5.4-mini".into(),
        prompt: "[[sim {\"reply\":\"fn main() {}\"}]]".into(),
        web_search: None,
    };
    let answer = running.client.code(&key(), &request).await.unwrap();
    assert_eq!(answer.text, "fn main() {}");
    let new = New {
        title: "Plans".into(),
        model: "gpt-4o-mini".into(),
        files: Vec::new(),
    };
    let made = running
        .client
        .create_conversation(&key(), &new)
        .await
        .unwrap();
    let list = running.client.conversations(&key()).await.unwrap();
    assert_eq!(list[0].uuid, made.uuid);
    let owner = key();
    let delete = || running.client.delete_conversation(&owner, &made.uuid);
    assert_eq!(delete().await.unwrap(), Deletion::Deleted);
    assert_eq!(delete().await.unwrap(), Deletion::NotThere);
    assert!(
        !running
            .client
            .dzine_styles(&key())
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn faults_of_files_and_records_are_lived_through() {
    let running = Running::start();
    let payload = images::generation("gpt-image-1", &boat()).unwrap();
    for fault in [
        "no-url",
        "url-outside",
        "url-forbidden",
        "cdn-forbidden",
        "string-result",
    ] {
        let endpoint = if fault.contains("forbidden") {
            "files"
        } else {
            "features"
        };
        running
            .simulator
            .set_faults(json!({"fault": fault, "endpoint": endpoint}))
            .unwrap();
        assert_eq!(
            running.files(&payload, Mode::Held).await.len(),
            1,
            "{fault}"
        );
    }
    running
        .simulator
        .set_faults(json!({"fault": "http-500", "endpoint": "results", "times": 2}))
        .unwrap();
    assert_eq!(running.files(&payload, Mode::Polled).await.len(), 1);
    for fault in [
        "status-failed",
        "moderation-in-result",
        "credits-in-result",
        "success-false",
        "rate-limited",
    ] {
        for mode in [Mode::Held, Mode::Polled] {
            running
                .simulator
                .set_faults(json!({"fault": fault, "endpoint": "features"}))
                .unwrap();
            let failed = running.client.feature(&key(), &payload, mode).await;
            assert!(failed.is_err(), "{fault} {mode:?}");
        }
    }
}

/// The client's prices and the simulator's charges are computed apart, from the same list.
#[tokio::test]
async fn what_is_quoted_is_what_is_charged() {
    let running = Running::start();
    let paid = || running.simulator.charges().last().unwrap().credits * 1000;
    let request = chat::Request {
        model: "gpt-4o-mini".into(),
        prompt: "How dear is this?".into(),
        ..chat::Request::default()
    };
    let list = running.models(Feature::Chat).await;
    let model = list.iter().find(|model| model.id == request.model).unwrap();
    let price = ChatPrice::of(&model.credit_metadata).unwrap();
    let answer = running.client.chat(&key(), &request).await.unwrap();
    let usage = answer.accounting.usage.unwrap();
    assert_eq!(price.cost(usage.input, usage.output), paid());
    assert_eq!(
        from_credits(answer.accounting.credits.unwrap()),
        paid(),
        "the record says it too"
    );
    let before = answer.accounting.used_credit.unwrap();
    let mut stream = running.client.chat_stream(&key(), &request).await.unwrap();
    let next = loop {
        if let chat::Progress::Done(accounting) = stream.read(&mut |_| {}).await.unwrap() {
            break accounting;
        }
    };
    let moved = next.used_credit.unwrap() - before;
    assert_eq!(from_credits(moved), paid(), "one request late");
    assert_eq!(next.credit_limit, answer.accounting.credit_limit);

    for (feature, model) in [
        (Feature::ImageGenerator, "gpt-image-1-mini"),
        (Feature::ImageGenerator, "gemini-3-pro-image-preview"),
        (Feature::ImageGenerator, "magic-art_7_0"),
        (Feature::ImageGenerator, "black-forest-labs/flux-dev"),
        (Feature::ImageGenerator, "recraft"),
    ] {
        let list = running.models(feature).await;
        let live = list.iter().find(|listed| listed.id == model).unwrap();
        let params = ImageParams {
            prompt: "a boat".into(),
            ..ImageParams::default()
        };
        let payload = images::generation(model, &params).unwrap();
        let outcome = running.client.feature(&key(), &payload, Mode::Held).await;
        assert!(outcome.is_ok(), "{model}");
        for quote in [
            prices::media(Some(&live.credit_metadata), &payload, None),
            prices::media(None, &payload, None),
        ] {
            assert_eq!(quote.map(|quote| quote.cost), Some(paid()), "{model}");
        }
    }
}

/// What one account lacks another may have: the refusal says how much is left.
#[tokio::test]
async fn a_refusal_for_lack_of_credits_says_what_is_left() {
    let running = Running::start();
    let poor = onemin::ApiKey::parse("poor").unwrap();
    running.simulator.set_account("poor", Some(1000), Some(900));
    let request = chat::Request {
        model: "gpt-4o-mini".into(),
        prompt: "a".into(),
        ..chat::Request::default()
    };
    let error = running.client.chat(&poor, &request).await.unwrap_err();
    let onemin::Error::Refused(refusal) = error else {
        panic!("{error}");
    };
    let shortfall = refusal.shortfall().unwrap();
    assert_eq!((shortfall.available, refusal.charged), (100, Charged::No));
    assert!(shortfall.required > 100);
    assert!(running.client.chat(&key(), &request).await.is_ok());
}

/// Every described model's request is taken by the simulator's own table, and gives a film.
#[tokio::test]
async fn videos_are_submitted_polled_and_fetched() {
    let running = Running::start();
    let path = running.stored("pixel.png", "image/png", PIXEL).await;
    for feature in [Feature::TextToVideo, Feature::ImageToVideo] {
        let from_image = feature == Feature::ImageToVideo;
        for model in running.models(feature).await {
            let params = video::VideoParams {
                prompt: r#"a tram [[sim {"polls":3}]]"#.into(),
                image: from_image.then(|| path.clone()),
                ..video::VideoParams::default()
            };
            let payload = video::generation(&model.id, &params).unwrap();
            let submitted = running.client.submit(&key(), &payload).await.unwrap();
            let Submitted::Job(id) = submitted else {
                panic!("{}: {submitted:?}", model.id);
            };
            let mut polls = 0;
            let outcome = loop {
                match running.client.poll_job(&key(), payload.kind, &id).await {
                    JobPoll::Working => polls += 1,
                    JobPoll::Done(outcome) => break outcome,
                    other => panic!("{}: {other:?}", model.id),
                }
            };
            assert_eq!(polls, 2, "{}", model.id);
            assert_eq!(outcome.assets[0].extension().as_deref(), Some("mp4"));
            let film = running.client.download(&outcome.assets[0]).await.unwrap();
            let film = film.bytes(1024 * 1024).await.unwrap();
            assert_eq!(&film[4..8], b"ftyp");
        }
    }
}

#[tokio::test]
async fn a_job_that_fails_has_ended_and_one_that_nobody_knows_may_be_polled_again() {
    let running = Running::start();
    let params = video::VideoParams {
        prompt: r#"a tram [[sim {"fault":"status-failure","polls":2}]]"#.into(),
        ..video::VideoParams::default()
    };
    let payload = video::generation("sora-2", &params).unwrap();
    let submitted = running.client.submit(&key(), &payload).await.unwrap();
    let Submitted::Job(id) = submitted else {
        panic!("{submitted:?}");
    };
    let poll = async || running.client.poll_job(&key(), payload.kind, &id).await;
    assert!(matches!(poll().await, JobPoll::Working));
    assert!(matches!(poll().await, JobPoll::Ended(_)));
    let unknown = running
        .client
        .poll_job(&key(), payload.kind, "no-job")
        .await;
    assert!(matches!(unknown, JobPoll::Failed(_)), "{unknown:?}");
}

#[tokio::test]
async fn music_comes_as_files() {
    let running = Running::start();
    for (model, count, ending) in [
        ("suno-ttapi", 2, "mp3"),
        ("lyria-002", 1, "wav"),
        ("music-u", 1, "mp3"),
    ] {
        let params = music::MusicParams {
            prompt: "rain".into(),
            ..music::MusicParams::default()
        };
        let payload = music::generation(model, &params).unwrap();
        let outcome = running.client.feature(&key(), &payload, Mode::Polled).await;
        let assets = outcome.unwrap().assets;
        assert_eq!(assets.len(), count, "{model}");
        assert_eq!(assets[0].extension().as_deref(), Some(ending), "{model}");
    }
}
