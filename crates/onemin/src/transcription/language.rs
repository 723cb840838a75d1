//! A language as each provider wants it: `de`, or `de-DE`.

/// Codes, the region that is meant where none is said, and English names.
const LANGUAGES: [(&str, &str, &str); 57] = [
    ("af", "ZA", "afrikaans"),
    ("ar", "EG", "arabic"),
    ("az", "AZ", "azerbaijani"),
    ("bg", "BG", "bulgarian"),
    ("bn", "IN", "bengali"),
    ("bs", "BA", "bosnian"),
    ("ca", "ES", "catalan"),
    ("cs", "CZ", "czech"),
    ("cy", "GB", "welsh"),
    ("da", "DK", "danish"),
    ("de", "DE", "german"),
    ("el", "GR", "greek"),
    ("en", "US", "english"),
    ("es", "ES", "spanish"),
    ("et", "EE", "estonian"),
    ("fa", "IR", "persian"),
    ("fi", "FI", "finnish"),
    ("fr", "FR", "french"),
    ("gl", "ES", "galician"),
    ("he", "IL", "hebrew"),
    ("hi", "IN", "hindi"),
    ("hr", "HR", "croatian"),
    ("hu", "HU", "hungarian"),
    ("hy", "AM", "armenian"),
    ("id", "ID", "indonesian"),
    ("is", "IS", "icelandic"),
    ("it", "IT", "italian"),
    ("ja", "JP", "japanese"),
    ("kk", "KZ", "kazakh"),
    ("kn", "IN", "kannada"),
    ("ko", "KR", "korean"),
    ("lt", "LT", "lithuanian"),
    ("lv", "LV", "latvian"),
    ("mk", "MK", "macedonian"),
    ("mr", "IN", "marathi"),
    ("ms", "MY", "malay"),
    ("ne", "NP", "nepali"),
    ("nl", "NL", "dutch"),
    ("no", "NO", "norwegian"),
    ("pl", "PL", "polish"),
    ("pt", "BR", "portuguese"),
    ("ro", "RO", "romanian"),
    ("ru", "RU", "russian"),
    ("sk", "SK", "slovak"),
    ("sl", "SI", "slovenian"),
    ("sr", "RS", "serbian"),
    ("sv", "SE", "swedish"),
    ("sw", "KE", "swahili"),
    ("ta", "IN", "tamil"),
    ("th", "TH", "thai"),
    ("tl", "PH", "tagalog"),
    ("tr", "TR", "turkish"),
    ("uk", "UA", "ukrainian"),
    ("ur", "PK", "urdu"),
    ("vi", "VN", "vietnamese"),
    ("zh", "CN", "chinese"),
    ("yue", "HK", "cantonese"),
];

/// The code of a language: `de` of `de-DE`, `de_AT`, `German` or `de`.
#[must_use]
pub fn primary(language: &str) -> String {
    let small = language.trim().to_ascii_lowercase();
    let named = LANGUAGES.iter().find(|(_, _, name)| *name == small);
    let first = small.split(['-', '_']).next().unwrap_or_default();
    named.map_or(first, |(code, _, _)| code).to_owned()
}

/// The tag of a language with its region: `de-DE` of `de`, `German` or `de_DE`. Of a language that
/// is not in the list it is what was given.
#[must_use]
pub fn with_region(language: &str) -> String {
    let code = primary(language);
    let mut parts = language.trim().split(['-', '_']).skip(1);
    if let Some(second) = parts.next() {
        let rest = parts.map(|part| format!("-{part}"));
        // A region is written in capitals, a script with one.
        let second = match second.len() {
            2 => second.to_ascii_uppercase(),
            _ => second.to_owned(),
        };
        return format!("{code}-{second}{}", rest.collect::<String>());
    }
    let region = LANGUAGES.iter().find(|(of, _, _)| *of == code);
    region.map_or_else(|| code.clone(), |(_, region, _)| format!("{code}-{region}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{primary, with_region};

    #[test]
    fn a_language_is_said_in_both_forms() {
        for (given, code, tag) in [
            ("de", "de", "de-DE"),
            ("DE", "de", "de-DE"),
            ("de_at", "de", "de-AT"),
            ("German", "de", "de-DE"),
            ("en-GB", "en", "en-GB"),
            ("zh-Hans-CN", "zh", "zh-Hans-CN"),
            ("xx", "xx", "xx"),
        ] {
            assert_eq!(
                (primary(given), with_region(given)),
                (code.into(), tag.into()),
                "{given}"
            );
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in any::<String>()) {
            let _ = primary(&text);
            let _ = with_region(&text);
        }

        #[test]
        fn a_tag_stays_as_it_is(tag in "[a-z]{2}-[A-Z]{2}") {
            prop_assert_eq!(with_region(&tag), tag);
        }
    }
}
