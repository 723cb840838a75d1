//! What the repairer reads is valid JSON; valid JSON it leaves alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use translate::interpret::json::answer::Answer;
use translate::interpret::json::candidates::extract;
use translate::interpret::json::{Grade, repair};

fuzz_target!(|text: &str| {
    if let Ok(repaired) = repair(text) {
        let value: serde_json::Value =
            serde_json::from_str(&repaired.json).expect("what was repaired is JSON");
        if let Ok(same) = serde_json::from_str::<serde_json::Value>(text) {
            assert_eq!(value, same);
            assert_eq!(repaired.grade, Grade::Exact);
        }
    }
    let _candidates = extract(text, false);
    let (mut whole, mut pieces) = (String::new(), String::new());
    let mut answer = Answer::default();
    answer.push(text, &mut |json| whole.push_str(json));
    let end = answer.end(false, &mut |json| whole.push_str(json));
    let mut answer = Answer::default();
    for c in text.chars() {
        answer.push(c.encode_utf8(&mut [0; 4]), &mut |json| {
            pieces.push_str(json)
        });
    }
    assert_eq!(answer.end(false, &mut |json| pieces.push_str(json)), end);
    assert_eq!(pieces, whole);
});
