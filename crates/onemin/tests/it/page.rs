//! The page for people about images and sound is what the tables say.

use std::path::Path;

use onemin::{facts, images, music, speech, transcription, video};

const HEAD: &str = "\
# Images, sound and video

What each family of models takes. These are the tables that requests are filled in by and checked against;
`UPDATE_GOLDEN=1 cargo test -p onemin --test it page` writes this page anew.

*Field* is 1min.ai's name, which a request may use too. *From* is the parameter of OpenAI's API that fills it. A `size`
becomes the nearest ratio where a model has ratios only, and one of the same shape where it has a list of sizes.
`x-relay-ignored` names what was not met, or not exactly. A value that is not allowed is a 400 that says what is.
*Sent by itself* is what 1min.ai gets if the request does not say. A model of no family gets the parameters under
OpenAI's names.

**In forms and JSON.** Edits and variations take the image as the part `image` of a form (`mask` beside it), or in JSON
as `image` or `images`: URLs, data URIs, `{\"image_url\": …}` or `{\"file_id\": …}`. `response_format` is `url` (links are
good for seven days) or `b64_json`, which is also what `gpt-image-*` and `stream: true` give. A stream has the final
event of each image, and comments every `HEARTBEAT` until then; it ends with an `error` event if the work fails. `n` above what one call
draws or changes becomes several paid calls, at most `MAX_CHOICES`. Images have at most 268 megapixels.
An image is waited for within the request. Where requests are recorded (access keys, budgets, the ledger) it is a job as a video is:
recorded before it is sent, followed to its end whoever leaves, after a restart too, and booked at what it cost. A request of which
nothing is recorded needs no database; one whose client leaves loses its result.

**Edits by other features.** `/v1/images/edits` with a `mask` goes to the inpainter, without a prompt to the remover of objects;
with `search_prompt` to search and replace; with `left`, `right`, `up` or `down` to the extender. A model that does several
things to an image wants `feature` (`image_upscaler`, `background_remover`, …), or is asked by a name of the table below. A
prompt that a feature does not take is named in `x-relay-ignored`.

**In chat.** The parameters are the same. An image in the last message is changed by its words, or varied by a model that
does nothing else; an audio file, sent or stored by `/v1/files`, is transcribed.

**Videos.** `POST /v1/videos` takes JSON or a form, `model` and `prompt`, OpenAI's `seconds`, `size` and `input_reference` (a
file of the form, `{\"image_url\": …}` or `{\"file_id\": …}`) and OpenRouter's `duration`, `aspect_ratio`, `resolution`,
`generate_audio`, `seed`, `frame_images` and `input_references`. It answers at once; `GET /v1/videos/{id}` tells how far the
video is, `GET …/content` gives its bytes, also by `Range` (409 until they are there). A size is a ratio and a class of
height where the model has those. 1min.ai does not tell the progress, so it is 0 until it is 100. A video that was submitted
is paid and made, whether or not anybody asks for it; deleting forgets it when it has ended. In chat a model of video
answers with a link; an image in the last message is where it begins.

**Music and sound effects.** `POST /v1/audio/speech` with a model of music (`suno-ttapi`, `lyria-002`, …) or of sound effects takes
`input` for what is wanted, and for songs `title`, `tags`, `instrumental`; of several songs it gives the first. It is a job: made and
paid even if nobody waits for it any more. In chat such a model answers with a link.

**Recordings.** `target_language` says into what a translation is made, where the model can; `timestamp_granularities` can
be `segment` with `verbose_json`. Times are never made up: without them `verbose_json` has no segments and a duration of 0,
and `srt` and `vtt` are a 400 that says the text.

**Which model.** `x-relay-model` names the one that did the work: variations and transcripts go to another where the one
asked for is not there, the operator permits the other, and the first surely cost nothing.
";

const LIMITS: &str = "\
| Model | Largest audio file | Times for srt and vtt |
|---|---|---|
";

#[test]
fn the_page_about_media_is_the_tables() {
    let page = format!(
        "{HEAD}\n## Images\n\n### Names for one feature\n\n{}\n{}## Speech\n\n{}\n## Transcripts\n\n{}\n{}\n## Video\n\n{}## Music and sound effects\n\n{}",
        images::names_markdown(),
        images::markdown(),
        speech::markdown(),
        limits(),
        transcription::markdown(),
        video::markdown(),
        music::markdown()
    );
    let page = format!("{}\n", page.trim_end());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/media.md");
    if std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1") {
        std::fs::write(&file, &page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == page, "docs/media.md is stale");
}

/// What stands around the table of facts in the page about upstream.
const FACTS: (&str, &str) = (
    "<!-- The table of onemin::facts; UPDATE_GOLDEN=1 cargo test -p onemin --test it page writes it. -->\n",
    "<!-- End of the table. -->\n",
);

#[test]
fn the_page_about_upstream_has_every_fact() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/upstream.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = page.split_once(FACTS.0).unwrap();
    let (written, after) = rest.split_once(FACTS.1).unwrap();
    let table = facts::markdown();
    if std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1") {
        let (begin, end) = FACTS;
        std::fs::write(&file, format!("{before}{begin}{table}{end}{after}")).unwrap();
        return;
    }
    assert!(written == table, "docs/upstream.md is stale");
}

fn limits() -> String {
    let rows = transcription::TRANSCRIPTION_ORDER.iter().map(|model| {
        let stt_model = transcription::stt_model(model);
        let most = stt_model.most_bytes.map_or_else(
            || "`MAX_FILE_MB`".to_owned(),
            |bytes| format!("{} MiB", bytes / (1024 * 1024)),
        );
        let times = if stt_model.has_timestamps {
            "if the provider tells them"
        } else {
            "no"
        };
        format!("| `{model}` | {most} | {times} |\n")
    });
    format!("{LIMITS}{}", rows.collect::<String>())
}
