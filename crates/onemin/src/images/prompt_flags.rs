//! Flags inside a prompt, as Midjourney's users write them: `--ar 3:2`, `--size 1024x768`,
//! `--no text, logos`, `--fast`, `--relax`. A dash that an editor has made longer counts too.

/// A prompt and what its flags said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// The prompt without the flags; as it was if it had none.
    pub prompt: String,
    /// `--ar`: reduced, and at most 2:1 or 1:2.
    pub aspect_ratio: Option<(u32, u32)>,
    /// `--size`.
    pub size: Option<(u32, u32)>,
    /// `--no`: what must not be in the image.
    pub negative_prompt: Option<String>,
    /// `--fast` or `--relax`.
    pub mode: Option<&'static str>,
}

/// The longer side over the shorter one, at most.
const RATIO_MAX: u32 = 2;

/// The longest side that is believed to be one.
const SIDE_PIXELS_MAX: u32 = 100_000;

/// How often a prompt is gone through, so that no prompt takes long.
const PASSES_MAX: usize = 32;

/// Takes the flags out of a prompt. Of a flag that occurs twice the last one counts; one without a
/// usable value is left where it is.
#[must_use]
pub fn take(prompt: &str) -> Flags {
    let mut flags = Flags {
        prompt: prompt.to_owned(),
        ..Flags::default()
    };
    // What stood apart may be a flag once another one between is gone.
    for _ in 0..PASSES_MAX {
        let Some(taken) = pass(&flags.prompt) else {
            break;
        };
        flags = Flags {
            prompt: taken.prompt,
            aspect_ratio: flags.aspect_ratio.or(taken.aspect_ratio),
            size: flags.size.or(taken.size),
            negative_prompt: flags.negative_prompt.or(taken.negative_prompt),
            mode: flags.mode.or(taken.mode),
        };
    }
    flags
}

/// One pass; None if there is no flag.
fn pass(prompt: &str) -> Option<Flags> {
    let mut flags = Flags::default();
    let mut kept = 0;
    let mut at = 0;
    while let Some(left) = prompt.get(at..).filter(|left| !left.is_empty()) {
        let word = left.split(char::is_whitespace).next().unwrap_or_default();
        let length = flags.read(word, left);
        if length > 0 {
            let before = prompt.get(kept..at).unwrap_or_default();
            flags.prompt.push_str(before.trim_end());
            kept = at + length;
        }
        at += length.max(word.len());
        let rest = prompt.get(at..).unwrap_or_default();
        at += rest.len() - rest.trim_start().len();
    }
    if kept == 0 {
        return None;
    }
    let after = prompt.get(kept..).unwrap_or_default().trim_end();
    flags.prompt.push_str(after);
    flags.prompt = flags.prompt.trim_start().to_owned();
    Some(flags)
}

impl Flags {
    /// Reads the flag that a word may be. Says how long it is with its value; 0 if it is none.
    fn read(&mut self, word: &str, left: &str) -> usize {
        let Some(name) = name(word) else {
            return 0;
        };
        let value = left.get(word.len()..).unwrap_or_default();
        let is = |of: &[&str]| of.iter().any(|of| of.eq_ignore_ascii_case(name));
        let used = if is(&["fast"]) {
            self.mode = Some("fast");
            Some(0)
        } else if is(&["relax", "relaxed"]) {
            self.mode = Some("relax");
            Some(0)
        } else if is(&["ar", "aspect"]) {
            self.take_ratio(value)
        } else if is(&["size"]) {
            self.take_size(value)
        } else if is(&["no"]) {
            self.take_negative(value)
        } else {
            None
        };
        used.map_or(0, |used| word.len() + used)
    }

    fn take_ratio(&mut self, value: &str) -> Option<usize> {
        let (word, used) = first_word(value);
        let sides = pair(word, &[':', 'x', 'X', '/'])?;
        self.aspect_ratio = Some(limited(reduced(sides)));
        Some(used)
    }

    fn take_size(&mut self, value: &str) -> Option<usize> {
        let (word, used) = first_word(value);
        self.size = Some(pair(word, &['x', 'X', '*', '×'])?);
        Some(used)
    }

    /// The words up to the next flag.
    fn take_negative(&mut self, value: &str) -> Option<usize> {
        let end = next_flag(value);
        let words = value.get(..end).unwrap_or_default();
        let clean = words.trim().trim_end_matches([',', ';']).trim();
        if clean.is_empty() {
            return None;
        }
        match &mut self.negative_prompt {
            Some(before) => before.extend([", ", clean]),
            None => self.negative_prompt = Some(clean.to_owned()),
        }
        Some(words.trim_end().len())
    }
}

/// The name of the flag that a word is.
fn name(word: &str) -> Option<&str> {
    let name = word
        .strip_prefix("--")
        .or_else(|| word.strip_prefix(['\u{2014}', '\u{2013}']))?;
    let first = name.chars().next()?;
    first.is_alphabetic().then_some(name)
}

/// Where the next flag begins, or the end.
fn next_flag(text: &str) -> usize {
    let mut at = 0;
    while let Some(left) = text.get(at..).filter(|left| !left.is_empty()) {
        let spaces = left.len() - left.trim_start().len();
        let word = left.get(spaces..).unwrap_or_default();
        let word = word.split(char::is_whitespace).next().unwrap_or_default();
        if name(word).is_some() {
            return at + spaces;
        }
        at += spaces + word.len();
    }
    text.len()
}

/// The first word, and how much of the text ends with it.
fn first_word(text: &str) -> (&str, usize) {
    let spaces = text.len() - text.trim_start().len();
    let word = text.trim_start().split(char::is_whitespace).next();
    let word = word.unwrap_or_default();
    (word.trim_end_matches([',', ';', '.']), spaces + word.len())
}

fn pair(word: &str, separators: &[char]) -> Option<(u32, u32)> {
    let (first, second) = word.split_once(separators)?;
    let number = |text: &str| -> Option<u32> {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = plain.then(|| text.parse().ok())??;
        (1..=SIDE_PIXELS_MAX).contains(&number).then_some(number)
    };
    Some((number(first)?, number(second)?))
}

fn reduced((width, height): (u32, u32)) -> (u32, u32) {
    let (mut a, mut b) = (width, height);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    (width / a.max(1), height / a.max(1))
}

fn limited((width, height): (u32, u32)) -> (u32, u32) {
    if width > height.saturating_mul(RATIO_MAX) {
        (RATIO_MAX, 1)
    } else if height > width.saturating_mul(RATIO_MAX) {
        (1, RATIO_MAX)
    } else {
        (width, height)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Flags, take};

    fn flags(prompt: &str) -> Flags {
        Flags {
            prompt: prompt.into(),
            ..Flags::default()
        }
    }

    #[test]
    fn every_flag_is_read_and_taken_out() {
        let rows = [
            (
                "a cat --ar 16:9",
                Flags {
                    aspect_ratio: Some((16, 9)),
                    ..flags("a cat")
                },
            ),
            (
                "a cat --AR 1024x768 by night",
                Flags {
                    aspect_ratio: Some((4, 3)),
                    ..flags("a cat by night")
                },
            ),
            (
                "a cat --ar 5:1",
                Flags {
                    aspect_ratio: Some((2, 1)),
                    ..flags("a cat")
                },
            ),
            (
                "a cat --aspect 1:4",
                Flags {
                    aspect_ratio: Some((1, 2)),
                    ..flags("a cat")
                },
            ),
            (
                "a cat \u{2014}ar 3:2 \u{2013}fast",
                Flags {
                    aspect_ratio: Some((3, 2)),
                    mode: Some("fast"),
                    ..flags("a cat")
                },
            ),
            (
                "--relax a cat\nin a hat",
                Flags {
                    mode: Some("relax"),
                    ..flags("a cat\nin a hat")
                },
            ),
            (
                "a cat --size 1024x768.",
                Flags {
                    size: Some((1024, 768)),
                    ..flags("a cat")
                },
            ),
            (
                "a cat --no dogs, birds, --fast",
                Flags {
                    negative_prompt: Some("dogs, birds".into()),
                    mode: Some("fast"),
                    ..flags("a cat")
                },
            ),
            (
                "a cat --no dogs --no birds",
                Flags {
                    negative_prompt: Some("dogs, birds".into()),
                    ..flags("a cat")
                },
            ),
            (
                "a cat --fast --relax",
                Flags {
                    mode: Some("relax"),
                    ..flags("a cat")
                },
            ),
            (
                "a cat --ar 1:1 --ar 2:3",
                Flags {
                    aspect_ratio: Some((2, 3)),
                    ..flags("a cat")
                },
            ),
            (
                "--ar 1:1",
                Flags {
                    aspect_ratio: Some((1, 1)),
                    ..flags("")
                },
            ),
        ];
        for (prompt, expected) in rows {
            assert_eq!(take(prompt), expected, "{prompt}");
        }
    }

    #[test]
    fn what_is_no_flag_stays() {
        for prompt in [
            "a cat",
            "  two  spaces  ",
            "a--ar 1:1",
            "a cat --ar",
            "a cat --ar 0:1",
            "a cat --ar wide",
            "a cat --ar 1:99999999999",
            "a cat --v 6",
            "a cat --no",
            "a cat -- fast",
            "a cat - fast",
            "a cat — fast as light",
            "a cat --faster",
            "",
        ] {
            assert_eq!(take(prompt), flags(prompt), "{prompt}");
        }
    }

    fn prompts() -> impl Strategy<Value = String> {
        let words = prop_oneof![
            Just("--ar"),
            Just("--size"),
            Just("--no"),
            Just("--fast"),
            Just("\u{2014}relax"),
            Just("\u{2013}ar"),
            Just("16:9"),
            Just("10x20"),
            Just("0:0"),
            Just("cat"),
            Just("--"),
            Just("--v"),
            Just(","),
            Just("ä\u{3000}"),
            Just("\n"),
        ];
        proptest::collection::vec(words, 0..12).prop_map(|words| words.join(" "))
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(prompt in any::<String>()) {
            let _ = take(&prompt);
        }

        #[test]
        fn a_prompt_without_dashes_is_not_touched(prompt in "[^-\u{2013}\u{2014}]*") {
            prop_assert_eq!(take(&prompt), flags(&prompt));
        }

        #[test]
        fn after_the_first_time_there_is_nothing_to_take(prompt in prompts()) {
            let once = take(&prompt);
            prop_assert_eq!(take(&once.prompt), flags(&once.prompt));
            if let Some((width, height)) = once.aspect_ratio {
                prop_assert!(width <= 2 * height && height <= 2 * width);
            }
        }
    }
}
