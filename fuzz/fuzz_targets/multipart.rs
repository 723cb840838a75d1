//! Any bytes as a form with files: read within its bounds and in time that its size warrants, the
//! same however the body comes in frames.
#![no_main]

use std::time::Duration;

use axum::body::{Body, Bytes};
use cpu_time::ProcessTime;
use libfuzzer_sys::fuzz_target;
use relay::http::multipart;

/// What the files of a form may have together.
const FILES_BYTES_MAX: usize = 1 << 16;
/// What no form of the fuzzer's sizes may take, on any machine.
const TIME_MAX: Duration = Duration::from_secs(2);

/// A form's texts as JSON, and its files: field, name, type and content; or why it is refused.
type Said = Result<(String, Vec<(String, Option<String>, Option<String>, Bytes)>), String>;

fn read(bytes: &[u8], frame: usize) -> Said {
    let frames: Vec<Result<Bytes, std::io::Error>> = bytes
        .chunks(frame)
        .map(|frame| Ok(Bytes::copy_from_slice(frame)))
        .collect();
    let (head, body) = http::Request::post("/v1/images/edits")
        .header("content-type", "multipart/form-data; boundary=cut")
        .body(Body::from_stream(futures_util::stream::iter(frames)))
        .expect("a constant request is valid")
        .into_parts();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime without I/O");
    let form = runtime.block_on(multipart::read(head, body, FILES_BYTES_MAX, &["image"]));
    let form = form.map_err(|failure| failure.message.to_string())?;
    let texts = serde_json::to_string(&form.fields).expect("a map of JSON values");
    let files = form.files.into_iter();
    let files = files.map(|file| (file.field, file.file_name, file.mime, file.bytes));
    Ok((texts, files.collect()))
}

fuzz_target!(|bytes: &[u8]| {
    let since = ProcessTime::now();
    let whole = read(bytes, bytes.len().max(1));
    if let Ok((_, files)) = &whole {
        assert!(files.iter().map(|file| file.3.len()).sum::<usize>() <= FILES_BYTES_MAX);
    }
    assert_eq!(read(bytes, 7), whole);
    assert!(since.elapsed() < TIME_MAX);
});
