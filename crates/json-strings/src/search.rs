//! Where the first byte of some kind is. Escapes are near to each other in prose with quotations and
//! lines, so that a search which has to be set up, as vector instructions must be, costs more than to look
//! at eight bytes at a time.

const EACH: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = EACH << 7;

/// The first quotation mark or backslash: the end of a string whose beginning is behind, or an escape
/// in it.
#[must_use]
#[inline]
pub fn end_or_escape(bytes: &[u8]) -> Option<usize> {
    first(
        bytes,
        |byte| matches!(byte, b'"' | b'\\'),
        |word| in_ascii(word, ends_or_escapes),
    )
}

/// Where a string ends whose beginning is behind: at its quotation mark. None if it does not end.
#[must_use]
pub fn end(bytes: &[u8]) -> Option<usize> {
    let mut left = bytes;
    while let Some((word, rest)) = left.split_first_chunk() {
        let Some(at) = in_ascii(u64::from_le_bytes(*word), ends_or_escapes) else {
            left = rest;
            continue;
        };
        match left.get(at..)? {
            end @ [b'"', ..] => return Some(bytes.len() - end.len()),
            // What is escaped is one byte at least; if it is more, none of it is looked for.
            [_, _, rest @ ..] => left = rest,
            _ => return None,
        }
    }
    loop {
        match left {
            [b'"', ..] => return Some(bytes.len() - left.len()),
            [b'\\'] | [] => return None,
            [b'\\', _, rest @ ..] | [_, rest @ ..] => left = rest,
        }
    }
}

/// The first byte that a JSON string cannot hold as it is.
#[must_use]
#[inline]
pub fn needs_escape(bytes: &[u8]) -> Option<usize> {
    first(bytes, is_special, |word| in_ascii(word, special))
}

/// The first byte that a JSON string cannot hold as it is, or that begins a character which some
/// readers take for the end of a line: U+0085, U+2028, U+2029. Other characters begin like those.
#[inline]
pub(crate) fn needs_look(bytes: &[u8]) -> Option<usize> {
    first(
        bytes,
        |byte| is_special(byte) || matches!(byte, 0xc2 | 0xe2),
        |word| {
            if word & HIGH == 0 {
                in_ascii(word, special)
            } else {
                lowest(special_or_begins_line(word))
            }
        },
    )
}

fn is_special(byte: u8) -> bool {
    matches!(byte, 0..0x20 | b'"' | b'\\')
}

/// The first of eight bytes that is wanted, all of which are ASCII: `near` has the high bits of the wanted,
/// perhaps of others above the first of them, and perhaps of bytes that are no ASCII.
#[inline]
fn in_ascii(word: u64, near: impl Fn(u64) -> u64) -> Option<usize> {
    // Most words have neither, and are done with here.
    let near = near(word) & HIGH;
    if near == 0 {
        None
    } else {
        lowest(near & !word)
    }
}

/// Which byte of a word has the lowest of these high bits.
fn lowest(high: u64) -> Option<usize> {
    (high != 0).then(|| high.trailing_zeros() as usize / 8)
}

fn ends_or_escapes(word: u64) -> u64 {
    below(differs(word, b'"'), 1) | below(differs(word, b'\\'), 1)
}

fn special(word: u64) -> u64 {
    // Where it differs from 2 the quotation mark is a space, which stands next to the control characters, and
    // these stay among themselves.
    below(differs(word, 2), 0x21) | below(differs(word, b'\\'), 1)
}

fn special_or_begins_line(word: u64) -> u64 {
    let is = |byte| {
        let differs = differs(word, byte);
        below(differs, 1) & !differs
    };
    (special(word) & !word | is(0xc2) | is(0xe2)) & HIGH
}

fn differs(word: u64, byte: u8) -> u64 {
    word ^ (EACH * u64::from(byte))
}

/// Has the high bits of the bytes below a bound of at most 0x80, perhaps of others above the first of them,
/// and of bytes that are no ASCII.
fn below(word: u64, bound: u64) -> u64 {
    word.wrapping_sub(EACH * bound)
}

/// The first wanted byte. `in_word` tells the same of eight bytes.
#[inline]
fn first(
    bytes: &[u8],
    is_wanted: impl Fn(u8) -> bool,
    in_word: impl Fn(u64) -> Option<usize>,
) -> Option<usize> {
    let mut left = bytes;
    while let Some((word, rest)) = left.split_first_chunk() {
        if let Some(at) = in_word(u64::from_le_bytes(*word)) {
            return Some(bytes.len() - left.len() + at);
        }
        left = rest;
    }
    let at = left.iter().position(|byte| is_wanted(*byte))?;
    Some(bytes.len() - left.len() + at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each search beside the plainest way to do it.
    fn check(bytes: &[u8]) {
        let at = |is: fn(u8) -> bool| bytes.iter().position(|byte| is(*byte));
        let special = |byte| matches!(byte, 0..0x20 | b'"' | b'\\');
        assert_eq!(end_or_escape(bytes), at(|b| matches!(b, b'"' | b'\\')));
        assert_eq!(needs_escape(bytes), bytes.iter().position(|b| special(*b)));
        let line = at(|b| matches!(b, 0..0x20 | b'"' | b'\\' | 0xc2 | 0xe2));
        assert_eq!(needs_look(bytes), line);
        let mut is_escaped = false;
        let ends = |byte: &u8| {
            let ends = *byte == b'"' && !is_escaped;
            is_escaped = *byte == b'\\' && !is_escaped;
            ends
        };
        assert_eq!(end(bytes), bytes.iter().position(ends), "{bytes:?}");
    }

    #[test]
    fn a_byte_is_found_wherever_it_stands() {
        for length in 0..40 {
            let plain = vec![b'a'; length];
            check(&plain);
            for at in 0..length {
                for byte in [0, 0x1f, 0x20, b'"', b'\\', 0x7f, 0x80, 0xc2, 0xe2, 0xff] {
                    let mut bytes = plain.clone();
                    bytes[at] = byte;
                    check(&bytes);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn bytes_of_any_kind_do_not_hide_the_first(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            check(&bytes);
        }

        #[test]
        fn bytes_near_to_those_that_are_looked_for_do_not_hide_them(
            bytes in proptest::collection::vec(
                prop_oneof![Just(0x1f), Just(0x20), Just(0x21), Just(0x22), Just(0x23), Just(0x5b), Just(0x5c), Just(0x5d), Just(0xc1), Just(0xe3), Just(0xa2)],
                0..100,
            )
        ) {
            check(&bytes);
        }
    }
}
