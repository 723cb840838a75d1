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
        |word| equal(word, b'"') | equal(word, b'\\'),
    )
}

/// The first byte that a JSON string cannot hold as it is.
#[must_use]
#[inline]
pub fn needs_escape(bytes: &[u8]) -> Option<usize> {
    first(bytes, is_special, special)
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
                special(word)
            } else {
                special(word) | equal(word, 0xc2) | equal(word, 0xe2)
            }
        },
    )
}

fn is_special(byte: u8) -> bool {
    matches!(byte, 0..0x20 | b'"' | b'\\')
}

fn special(word: u64) -> u64 {
    below(word, 0x20) | equal(word, b'"') | equal(word, b'\\')
}

/// The high bits of the bytes of a word that are below a bound (of at most 0x80). The lowest of them is
/// exact, whatever stands above it.
fn below(word: u64, bound: u64) -> u64 {
    word.wrapping_sub(EACH * bound) & !word & HIGH
}

/// As [`below`], for the bytes that are equal to one.
fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (EACH * u64::from(byte)), 1)
}

/// The first wanted byte. `in_word` tells the same of eight bytes, by their high bits.
#[inline]
fn first(
    bytes: &[u8],
    is_wanted: impl Fn(u8) -> bool,
    in_word: impl Fn(u64) -> u64,
) -> Option<usize> {
    let mut words = bytes.chunks_exact(8);
    let mut before = 0;
    for word in words.by_ref() {
        let found = in_word(u64::from_le_bytes(word.try_into().unwrap_or_default()));
        if found != 0 {
            return Some(before + found.trailing_zeros() as usize / 8);
        }
        before += 8;
    }
    let at = words.remainder().iter().position(|byte| is_wanted(*byte));
    at.map(|at| before + at)
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
