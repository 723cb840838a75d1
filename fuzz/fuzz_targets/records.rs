//! Any bytes as what upstream says: a record at the end of a stream, and a list of models.
#![no_main]

use std::time::Duration;

use cpu_time::ProcessTime;
use libfuzzer_sys::fuzz_target;
use onemin::chat::Decoder;
use onemin::models::{self, Feature};

fuzz_target!(|bytes: &[u8]| {
    let since = ProcessTime::now();
    for head in [
        "event: content\ndata: {\"content\":\"a\"}\n\nevent: result\ndata: ",
        "data: ",
    ] {
        let stream = [head.as_bytes(), bytes, b"\n\nevent: done\ndata: {}\n\n"].concat();
        let mut decoder = Decoder::new();
        if let Ok(None) = decoder.push(&stream, &mut |_| {}) {
            let _ended = decoder.end(&mut |_| {});
        }
    }
    let _list = models::usable(bytes, Feature::Chat);
    assert!(since.elapsed() < Duration::from_secs(1));
});
